//! See [`imsprep_fuzz::targets::zvhd2_repair`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::zvhd2_repair::run(data));
