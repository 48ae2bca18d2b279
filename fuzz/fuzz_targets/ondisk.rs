//! See [`imsprep_fuzz::targets::ondisk`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::ondisk::run(data));
