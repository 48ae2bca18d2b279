//! See [`imsprep_fuzz::targets::settings`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::settings::run(data));
