//! What the fuzz targets do: each reads its input, holds what imsprep makes of it against an oracle, and has seeds.
//!
//! A target is a module of [`targets`] with two functions: `run` takes the fuzzer's bytes and panics where something is
//! wrong, `seeds` makes the inputs that the fuzzer starts from. The programs in `fuzz_targets` only hand the bytes on.
//! [`plant`] holds the bugs that show that each oracle sees something. README.md beside this crate has the list.

pub mod altered;
pub mod disk;
pub mod naive_bitmap;
pub mod plant;
pub mod pool;
pub mod random;
pub mod sparse;
pub mod targets;

/// The name by which the builder of containers, which is the one of the crate's own tests, knows it.
pub use imsprep_zvhd2::Method;
