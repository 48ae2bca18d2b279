//! Disk image formats as bytes: constants, structures, field tables and size asserts.
//!
//! No I/O and no policy. A structure here is decoded infallibly from an array of its exact size; whether what it says
//! makes sense is for the crates above to check. Every structure names its source.

pub mod disk;
pub mod format;
pub mod gpt;
pub mod mbr;
pub mod text;
pub mod volume;
