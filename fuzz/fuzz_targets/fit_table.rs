//! See [`imsprep_fuzz::targets::fit_table`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imsprep_fuzz::targets::fit_table::run(data));
