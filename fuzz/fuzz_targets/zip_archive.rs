//! See [`imsprep_fuzz::targets::zip_archive`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::zip_archive::run(data));
