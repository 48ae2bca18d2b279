//! See [`imsprep_fuzz::targets::scan`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::scan::run(data));
