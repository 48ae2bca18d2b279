//! Disk image formats as bytes: constants, structures, field tables and size asserts.
//!
//! No I/O and no policy. A structure here is decoded infallibly from an array of its exact size; whether what it says
//! makes sense is for the crates above to check. Every structure names its source.
pub mod aff;
pub mod android;
pub mod bochs;
pub mod cloop;
pub mod container;
pub mod disk;
pub mod dmg;
pub mod ewf;
pub mod format;
pub mod gpt;
pub mod mbr;
pub mod other;
pub mod parallels;
pub mod qcow;
pub mod tar;
pub mod text;
pub mod vdi;
pub mod vhd;
pub mod vhdx;
pub mod vmdk;
pub mod volume;
pub mod wim;
pub mod zip;
pub mod zvhd2;
