//! See [`imsprep_fuzz::targets::request_validate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::request_validate::run(data));
