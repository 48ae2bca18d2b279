//! See [`imsprep_fuzz::targets::detect`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::detect::run(data));
