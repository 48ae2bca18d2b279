//! See [`imsprep_fuzz::targets::guest`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::guest::run(data));
