//! See [`imsprep_fuzz::targets::bitmap_read`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::bitmap_read::run(data));
