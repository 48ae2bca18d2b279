//! See [`imsprep_fuzz::targets::ovf`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::ovf::run(data));
