//! See [`imsprep_fuzz::targets::filesystem`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::filesystem::run(data));
