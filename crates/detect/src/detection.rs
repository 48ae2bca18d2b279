//! What detection says.

use std::fmt;

use crate::{Other, OtherKind};

/// A format that imsprep tells from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// The bytes of the disk, nothing else. A conclusion, not a default: see [`Detection::evidence`].
    Raw,
    /// The vendor's container with an index, which quick import takes.
    Zvhd2,
    /// Its predecessor, one compressed stream.
    Zvhd,
    /// QEMU's format, version 2 or 3.
    Qcow2,
    /// QEMU's older format: the same magic, version 1.
    Qcow,
    /// VMware's format: sparse, stream-optimized, or a text descriptor.
    Vmdk,
    /// Microsoft Virtual PC's format: fixed, dynamic or differencing.
    Vhd,
    /// Hyper-V's format.
    Vhdx,
    /// VirtualBox' format.
    Vdi,
    /// QEMU's enhanced disk.
    Qed,
    /// A CD or DVD image.
    Iso9660,
    /// An encrypted volume.
    Luks,
    /// Compressed with gzip.
    Gzip,
    /// Compressed with xz.
    Xz,
    /// Compressed with Zstandard.
    Zstd,
    /// Compressed with bzip2.
    Bzip2,
    /// Compressed with LZ4, in frames or in its legacy form.
    Lz4,
    /// A ZIP archive.
    Zip,
    /// A 7z archive.
    SevenZip,
    /// A tar archive, an OVA for one.
    Tar,
    /// Parallels' format: an image, or the descriptor of a bundle.
    Parallels,
    /// An Apple disk image.
    Dmg,
    /// Bochs' growing image and its redo logs.
    Bochs,
    /// A compressed loop image.
    Cloop,
    /// Android's sparse image.
    AndroidSparse,
    /// Expert Witness, EnCase's evidence file.
    Ewf,
    /// Advanced Forensic Format.
    Aff,
    /// Windows Imaging Format.
    Wim,
    /// One of [`OTHERS`](crate::OTHERS), which are recognised and not read.
    Other(&'static Other),
    /// A file of no bytes.
    Empty,
}

impl Format {
    /// The short name that people and scripts use, such as `qcow2`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Zvhd2 => "zvhd2",
            Self::Zvhd => "zvhd",
            Self::Qcow2 => "qcow2",
            Self::Qcow => "qcow",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Vdi => "vdi",
            Self::Qed => "qed",
            Self::Iso9660 => "iso",
            Self::Luks => "luks",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
            Self::Zip => "zip",
            Self::SevenZip => "7z",
            Self::Tar => "tar",
            Self::Parallels => "parallels",
            Self::Dmg => "dmg",
            Self::Bochs => "bochs",
            Self::Cloop => "cloop",
            Self::AndroidSparse => "android-sparse",
            Self::Ewf => "ewf",
            Self::Aff => "aff",
            Self::Wim => "wim",
            Self::Other(other) => other.name,
            Self::Empty => "empty",
        }
    }

    /// One thing compressed: what counts is what is inside.
    pub fn is_compressed(self) -> bool {
        match self {
            Self::Gzip | Self::Xz | Self::Zstd | Self::Bzip2 | Self::Lz4 => true,
            Self::Other(other) => other.kind == OtherKind::Compressed,
            _ => false,
        }
    }

    /// Files in one file.
    pub fn is_archive(self) -> bool {
        match self {
            Self::Zip | Self::SevenZip | Self::Tar => true,
            Self::Other(other) => other.kind == OtherKind::Archive,
            _ => false,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something in the file that decides whether it can be imported.
///
/// Strings come from the file: hostile, bounded in length, not to be followed or printed unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// Part of the disk is in another file, of which this one is an overlay (qcow, qcow2, qed).
    BackingFile(String),
    /// The data is in another file (qcow2's external data file, the next part of a split file); the name, where the file
    /// tells it.
    ExternalDataFile(Option<String>),
    /// The file holds only the difference to a parent (vhd, vhdx, vmdk, vdi, bochs); the parent's name, where it tells.
    Parent(Option<String>),
    /// The file is a descriptor: the data is in these other files (VMDK flat and split, Parallels bundles).
    ExtentFiles(Vec<String>),
    /// The file is one of the extent-files of a disk that a descriptor, a file of its own, puts together (VMDK). The
    /// descriptor's name, where somebody has looked for it: the file itself does not tell.
    ExtentOf(Option<String>),
    /// Internal snapshots.
    Snapshots(u32),
    /// Encrypted, with this method.
    Encrypted(&'static str),
    /// The file was not closed cleanly, or its log was not replayed.
    Dirty,
    /// The file says of itself that it is corrupt.
    Corrupt,
    /// Feature bits that a reader must know and that no specification names.
    UnknownIncompatibleFeatures(u64),
    /// Something else that a reader must know to read the file rightly, and that no specification names: what, in words.
    UnknownRequired(String),
    /// What the headers point to lies beyond the end of the file: what, in words. The file may be cut off.
    OutsideFile(String),
    /// Two fields give the disk different sizes in bytes, and readers differ in which one they take. The first is the one
    /// that [`Detection::virtual_size`] has.
    SizeDisputed(u64, u64),
    /// One thing that a compressed file or an archive holds.
    Inside(Inside),
    /// Something that could be in the file and was not looked at: what and why, in words.
    NotLookedAt(String),
    /// The headers contradict themselves or the file: what is wrong, in words.
    Damaged(String),
    /// Nothing known is in the file, and all that was looked at, from its start to its end, is text.
    OnlyText,
}

/// One thing in a compressed file or an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// Its name, where the wrapper tells.
    pub name: Option<String>,
    /// Its bytes when it is unpacked, where the wrapper tells.
    pub size: Option<u64>,
    /// What it is.
    pub content: Content,
}

/// What a wrapped thing is, by its first bytes if it is compressed, by the whole if it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It has the signs of a format, or of a disk. The fields are those of [`Detection`].
    Found {
        /// The format.
        format: Format,
        /// The kind of that format.
        variant: Option<&'static str>,
        /// Size of the disk in it in bytes, where its headers tell.
        virtual_size: Option<u64>,
        /// For a raw disk, what speaks for it; never empty.
        evidence: Vec<Evidence>,
        /// What matters to an import.
        facts: Vec<Fact>,
    },
    /// Nothing known: raw, or anything else.
    Nothing,
    /// It was not looked at: why, in words.
    NotLookedAt(String),
}

/// What speaks for the content of a raw disk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// A GUID partition table with a valid header.
    Gpt,
    /// A master boot record with a plausible partition table.
    Mbr,
    /// A file system, or another known content such as an LVM volume, by its common name: `ext4`, `ntfs`.
    Content(&'static str),
}

impl Evidence {
    /// The short name that people and scripts use: `GPT`, `MBR`, `ext4`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gpt => "GPT",
            Self::Mbr => "MBR",
            Self::Content(name) => name,
        }
    }
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The format. Where several match, the one that a reader who trusts the content would take.
    pub format: Format,
    /// The kind of that format in the words of its own tools: `v3`, `streamOptimized`, `dynamic`.
    pub variant: Option<&'static str>,
    /// Size of the file in bytes.
    pub file_size: u64,
    /// Size of the disk in it in bytes, where the file tells.
    pub virtual_size: Option<u64>,
    /// What matters to an import.
    pub facts: Vec<Fact>,
    /// Other formats whose signs are there as well. Not empty means a polyglot, which may be an attack: never a coin
    /// toss. An ISO hybrid's partition table is no second format.
    pub also: Vec<Format>,
    /// For a raw disk, what speaks for it. Empty: nothing known, so it is raw only because it is nothing else.
    pub evidence: Vec<Evidence>,
}
