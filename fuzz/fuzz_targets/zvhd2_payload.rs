//! See [`imsprep_fuzz::targets::zvhd2_payload`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::zvhd2_payload::run(data));
