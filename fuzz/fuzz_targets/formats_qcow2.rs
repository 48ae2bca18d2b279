//! See [`imsprep_fuzz::targets::formats_qcow2`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::formats_qcow2::run(data));
