//! See [`imsprep_fuzz::targets::learn`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::learn::run(data));
