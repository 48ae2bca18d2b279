//! See [`imsprep_fuzz::targets::inspect_volume`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::inspect_volume::run(data));
