//! See [`imsprep_fuzz::targets::free_space`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::free_space::run(data));
