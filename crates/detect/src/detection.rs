//! What detection says.

use imsprep_ondisk::format::Format;

/// Something in the file that decides whether it can be imported.
///
/// Strings come from the file: hostile, bounded in length, not to be followed or printed unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// Part of the disk is in another file, of which this one is an overlay (qcow, qcow2, qed).
    BackingFile(String),
    /// The data is in another file (qcow2's external data file, the next part of a split file); the name, where the file
    /// shows it.
    ExternalDataFile(Option<String>),
    /// The file holds only the difference to a parent (vhd, vhdx, vmdk, vdi, bochs); the parent's name, if the file contains it.
    Parent(Option<String>),
    /// The file is a descriptor: the data is in these other files (VMDK flat and split, Parallels bundles).
    ExtentFiles(Vec<String>),
    /// The file is one of the extent-files of a disk that a descriptor, a file of its own, puts together (VMDK). The
    /// descriptor's name, if it was looked for: the file itself does not have it.
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
    /// Nothing known is in the file, and all that was read, from its start to its end, is text.
    OnlyText,
}

/// One thing in a compressed file or an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// Its name, if the wrapper has it.
    pub name: Option<String>,
    /// Its size when it is decompressed, if the wrapper has it.
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
    /// Size of the disk in it in bytes, if the file contains it.
    pub virtual_size: Option<u64>,
    /// What matters to an import.
    pub facts: Vec<Fact>,
    /// Other formats whose signs are there as well. Not empty means a polyglot, which may be an attack: never a coin
    /// toss. An ISO hybrid's partition table is no second format.
    pub also: Vec<Format>,
    /// For a raw disk, what speaks for it. Empty: nothing known, so it is raw only because it is nothing else.
    pub evidence: Vec<Evidence>,
}
