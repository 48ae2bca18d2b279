//! See [`imsprep_fuzz::targets::request_fill`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::request_fill::run(data));
