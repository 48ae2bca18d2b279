//! The facts of a Windows, from its registry.

mod bytes;
mod facts;
mod hive;
mod log;
#[cfg(test)]
mod test_hive;
#[cfg(test)]
mod tests;

pub(crate) use facts::collect;
pub use facts::{Service, StaticAddress, Windows, WindowsRelease};
pub use hive::{Hive, Key, Value};
