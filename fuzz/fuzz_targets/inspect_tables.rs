//! See [`imsprep_fuzz::targets::inspect_tables`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::inspect_tables::run(data));
