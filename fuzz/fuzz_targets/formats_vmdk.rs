//! See [`imsprep_fuzz::targets::formats_vmdk`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::formats_vmdk::run(data));
