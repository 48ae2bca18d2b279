//! See [`imsprep_fuzz::targets::zvhd2_roundtrip`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::zvhd2_roundtrip::run(data));
