//! See [`imsprep_fuzz::targets::foreign_vhd`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::foreign_vhd::run(data));
