//! Disk image formats as bytes: constants, structures, field tables and size asserts.
//!
//! No I/O and no policy. A structure here is decoded infallibly from an array of its exact size; whether what it says
//! makes sense is for the crates above to check. Every structure names its source.
pub mod container;
pub mod disk;
pub mod gpt;
pub mod mbr;
pub mod qcow;
pub mod vdi;
pub mod vhd;
pub mod vhdx;
pub mod vmdk;
pub mod volume;
pub mod zvhd2;
