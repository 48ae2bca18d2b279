//! See [`imsprep_fuzz::targets::bitmap_layout`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::bitmap_layout::run(data));
