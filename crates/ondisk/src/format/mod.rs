//! Every format that imsprep distinguishes from the others, in one table: its names, and how the disk in it is reached; and the
//! structures of each.

pub mod aff;
pub mod android;
pub mod bochs;
pub mod cloop;
pub mod container;
pub mod dmg;
pub mod ewf;
pub mod other;
pub mod parallels;
pub mod qcow;
pub mod tar;
pub mod vdi;
pub mod vhd;
pub mod vhdx;
pub mod vmdk;
pub mod wim;
pub mod zip;
pub mod zvhd2;

use std::fmt;

use self::other::{Other, OtherKind};

/// How the disk in a file of a format is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The file is the disk, byte for byte.
    Plain,
    /// By imsprep's reader of the vendor's containers.
    Container,
    /// By a reader of imsprep, within an archive as well. qemu has this name for the format.
    Own(&'static str),
    /// By qemu's reader of this name, from a file of its own.
    Qemu(&'static str),
    /// The file is one compressed stream. A RAW in it is read from its first byte to its last.
    Stream,
    /// The file is an archive. A disk in it is read where it lies, or, if it is compressed, from its first byte to its last.
    Archive,
    /// The file is one compressed stream, and is not read.
    UnreadStream,
    /// The file is an archive, and is not read.
    UnreadArchive,
    /// The format is recognised, and not read.
    Unread,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FormatRow {
    /// The format.
    pub format: Format,
    /// The short name that people and scripts use, such as `qcow2`.
    pub name: &'static str,
    /// The name in a text.
    pub title: &'static str,
    /// The extensions that tell of it, without the dot and in lower case. What is left out are extensions that say nothing,
    /// or that RAW disks have as well: `bin`, `dd`; `hdd` and `hds`, whose plain form is RAW.
    pub extensions: &'static [&'static str],
    /// How the disk in it is reached.
    pub access: Access,
    /// Whether the common import takes it as a disk, in all clouds.
    pub common_import: bool,
}

macro_rules! formats {
    ($($(#[$doc:meta])+ $format:ident: $name:literal, $title:literal, $extensions:expr, $access:expr, common import $common:literal;)+) => {
        /// A format that imsprep distinguishes from others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $($(#[$doc])+ $format,)+
            /// One of [`OTHERS`](other::OTHERS), which are recognised and not read.
            Other(&'static Other),
        }

        /// Every format but [`Format::Other`].
        pub static FORMATS: &[FormatRow] = &[$(FormatRow {
            format: Format::$format,
            name: $name,
            title: $title,
            extensions: &$extensions,
            access: $access,
            common_import: $common,
        }),+];
    };
}

formats! {
    /// The bytes of the disk, nothing else. A conclusion, not a default: detection says what speaks for it.
    Raw: "raw", "RAW", ["raw"], Access::Plain, common import true;
    /// The vendor's container with an index, which quick import takes.
    Zvhd2: "zvhd2", "ZVHD2", ["zvhd2"], Access::Container, common import true;
    /// Its predecessor, one compressed stream.
    Zvhd: "zvhd", "ZVHD", ["zvhd"], Access::Container, common import true;
    /// QEMU's format, version 2 or 3.
    Qcow2: "qcow2", "qcow2", ["qcow2", "qcow3"], Access::Own("qcow2"), common import true;
    /// QEMU's older format: the same magic, version 1.
    Qcow: "qcow", "qcow", ["qcow"], Access::Qemu("qcow"), common import true;
    /// VMware's format: sparse, stream-optimized, or a text descriptor.
    Vmdk: "vmdk", "VMDK", ["vmdk"], Access::Own("vmdk"), common import true;
    /// Microsoft Virtual PC's format: fixed, dynamic or differencing.
    Vhd: "vhd", "VHD", ["vhd", "vpc"], Access::Own("vpc"), common import true;
    /// Hyper-V's format.
    Vhdx: "vhdx", "VHDX", ["vhdx", "avhdx"], Access::Qemu("vhdx"), common import true;
    /// VirtualBox' format.
    Vdi: "vdi", "VDI", ["vdi"], Access::Qemu("vdi"), common import true;
    /// QEMU's enhanced disk.
    Qed: "qed", "QED", ["qed"], Access::Qemu("qed"), common import true;
    /// A CD or DVD image.
    Iso9660: "iso", "ISO", ["iso"], Access::Plain, common import false;
    /// An encrypted volume.
    Luks: "luks", "LUKS", ["luks"], Access::Plain, common import false;
    /// Compressed with gzip.
    Gzip: "gzip", "gzip", ["gz", "tgz"], Access::Stream, common import false;
    /// Compressed with xz.
    Xz: "xz", "xz", ["xz", "txz"], Access::Stream, common import false;
    /// Compressed with Zstandard.
    Zstd: "zstd", "Zstandard", ["zst", "zstd"], Access::Stream, common import false;
    /// Compressed with bzip2.
    Bzip2: "bzip2", "bzip2", ["bz2"], Access::Stream, common import false;
    /// Compressed with LZ4, in frames or in its legacy form.
    Lz4: "lz4", "LZ4", ["lz4"], Access::Stream, common import false;
    /// A ZIP archive.
    Zip: "zip", "ZIP", ["zip"], Access::Archive, common import false;
    /// A 7z archive.
    SevenZip: "7z", "7z", ["7z"], Access::UnreadArchive, common import false;
    /// A tar archive, an OVA for one.
    Tar: "tar", "tar", ["ova", "tar", "xva"], Access::Archive, common import false;
    /// Parallels' format: an image, or the descriptor of a bundle.
    Parallels: "parallels", "Parallels", [], Access::Qemu("parallels"), common import false;
    /// An Apple disk image.
    Dmg: "dmg", "dmg", ["dmg"], Access::Qemu("dmg"), common import false;
    /// Bochs' growing image and its redo logs.
    Bochs: "bochs", "Bochs", [], Access::Qemu("bochs"), common import false;
    /// A compressed loop image.
    Cloop: "cloop", "cloop", ["cloop"], Access::Qemu("cloop"), common import false;
    /// Android's sparse image.
    AndroidSparse: "android-sparse", "Android sparse image", ["simg"], Access::Unread, common import false;
    /// Expert Witness, EnCase's evidence file.
    Ewf: "ewf", "EWF", ["e01", "ex01"], Access::Unread, common import false;
    /// Advanced Forensic Format.
    Aff: "aff", "AFF", ["aff"], Access::Unread, common import false;
    /// Windows Imaging Format.
    Wim: "wim", "WIM", ["wim", "esd"], Access::Unread, common import false;
    /// A file of no bytes.
    Empty: "empty", "empty file", [], Access::Plain, common import false;
}

impl Format {
    /// The format that a file's extension describes, in any case.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let is_it = |known: &&str| known.eq_ignore_ascii_case(extension);
        FORMATS.iter().find(|row| row.extensions.iter().any(is_it)).map(|row| row.format)
    }

    /// The short name that people and scripts use, such as `qcow2`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other(other) => other.name,
            _ => self.row().map_or("", |row| row.name),
        }
    }

    /// How the disk in a file of it is reached.
    pub fn access(self) -> Access {
        match self {
            Self::Other(other) => match other.kind {
                OtherKind::Compressed => Access::UnreadStream,
                OtherKind::Archive => Access::UnreadArchive,
                _ => Access::Unread,
            },
            _ => self.row().map_or(Access::Unread, |row| row.access),
        }
    }

    /// qemu's name of the format, where its disk is read by qemu or by a reader of imsprep in its place.
    pub fn qemu_name(self) -> Option<&'static str> {
        match self.access() {
            Access::Own(name) | Access::Qemu(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the common import takes it as a disk, in all clouds.
    pub fn is_common(self) -> bool {
        self.row().is_some_and(|row| row.common_import)
    }

    /// One thing compressed: what counts is what is inside.
    pub fn is_compressed(self) -> bool {
        matches!(self.access(), Access::Stream | Access::UnreadStream)
    }

    /// Files in one file.
    pub fn is_archive(self) -> bool {
        matches!(self.access(), Access::Archive | Access::UnreadArchive)
    }

    fn row(self) -> Option<&'static FormatRow> {
        FORMATS.iter().find(|row| row.format == self)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions_tell_of_one_format() {
        let names = FORMATS.iter().map(|row| row.name).collect::<Vec<_>>();
        let extensions = FORMATS.iter().flat_map(|row| row.extensions).copied().collect::<Vec<_>>();
        for list in [names, extensions] {
            for (number, word) in list.iter().enumerate() {
                assert!(!list[..number].contains(word), "{word}");
                assert_eq!(word.to_ascii_lowercase(), **word);
            }
        }
        assert_eq!(Format::of_extension("QCOW2"), Some(Format::Qcow2));
        assert_eq!(Format::of_extension("ova"), Some(Format::Tar));
        for none in ["bin", "dd", "hdd", "txt", ""] {
            assert_eq!(Format::of_extension(none), None, "{none}");
        }
    }
}
