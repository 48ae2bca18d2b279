//! What the images that we make hold.

use crate::wrapped::Wrapped;

/// An image that the harness can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// Zeros that the file system keeps: all has to be read to know.
    Zeros,
    /// Every second block random data, the others zeros that the file system keeps.
    Half,
    /// Random data.
    Data,
    /// Zeros with one other byte in each block, at a random place that no probe looks at: the honest worst case.
    Worst,
    /// Mostly a hole; the data in one piece.
    SparseOne,
    /// Mostly holes; the data in pieces of one block.
    Sparse2M,
    /// Mostly holes; the data in pieces of 4 KiB.
    Sparse4K,
    /// 1 TiB of hole.
    Empty,
    /// A RAW of compressible content to convert to ZVHD2.
    Convert,
    /// The ZVHD2 made of it, to check with all content.
    Check,
    /// A ZVHD2 of very many records to check without content.
    Quick,
    /// A qcow2 of such content, not compressed, to convert to ZVHD2.
    Qcow2,
    /// The same, its clusters compressed by zlib.
    Qcow2Zlib,
    /// The same, its clusters compressed by zstd.
    Qcow2Zstd,
    /// A dynamic VHD of such content to convert to ZVHD2.
    Vhd,
    /// A compressed image to convert to ZVHD2.
    Wrapped(Wrapped),
    /// An ext4 in which files were written and most of them deleted again, to convert to ZVHD2 without what no file holds.
    Sparsify,
    /// Nothing that matters: a layout of bitmap files is learned from a program, on images that the learner makes.
    Learn,
}

/// An image of another format, as qemu-img makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// qemu's name of the format.
    pub(crate) driver: &'static str,
    pub(crate) extension: &'static str,
    pub(crate) options: &'static [&'static str],
}

/// What is measured on images that are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileTask {
    /// Finding the blocks that hold data.
    Scan,
    /// Reading which system is on the disk.
    Guest,
    /// Converting the disk without what no file holds.
    Sparsify,
}

/// What programs are measured at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Finding the blocks that hold data.
    Scan,
    /// Converting a RAW to ZVHD2.
    Convert,
    /// Checking a ZVHD2, its content too.
    Check,
    /// Checking the structure of a ZVHD2 alone.
    CheckQuick,
    /// Converting an image of another format to ZVHD2.
    ConvertForeign,
    /// Converting a compressed image to ZVHD2.
    ConvertWrapped,
    /// Preparing an image of another format for an import.
    Prepare,
    /// Reading which system is on a disk. No case has it: the images are given.
    Guest,
    /// Learning the layout of the bitmap files of a program.
    Learn,
    /// Converting a disk to ZVHD2 without what no file holds.
    Sparsify,
}

impl Task {
    /// Whether it is measured with a cold cache, too. The others would measure the disk.
    pub(crate) fn is_measured_cold(self) -> bool {
        matches!(self, Self::Scan | Self::Guest | Self::Sparsify)
    }
}

impl From<FileTask> for Task {
    fn from(task: FileTask) -> Self {
        match task {
            FileTask::Scan => Self::Scan,
            FileTask::Guest => Self::Guest,
            FileTask::Sparsify => Self::Sparsify,
        }
    }
}

impl Case {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 24] = [
        Self::Zeros,
        Self::Half,
        Self::Data,
        Self::Worst,
        Self::SparseOne,
        Self::Sparse2M,
        Self::Sparse4K,
        Self::Empty,
        Self::Convert,
        Self::Check,
        Self::Quick,
        Self::Qcow2,
        Self::Qcow2Zlib,
        Self::Qcow2Zstd,
        Self::Vhd,
        Self::Wrapped(Wrapped::XzBlocks),
        Self::Wrapped(Wrapped::Xz),
        Self::Wrapped(Wrapped::Gzip),
        Self::Wrapped(Wrapped::Qcow2Zlib),
        Self::Wrapped(Wrapped::Vmdk),
        Self::Wrapped(Wrapped::Qcow2Xz),
        Self::Wrapped(Wrapped::Prepare),
        Self::Sparsify,
        Self::Learn,
    ];

    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Half => "half",
            Self::Data => "data",
            Self::Worst => "worst",
            Self::SparseOne => "sparse-one",
            Self::Sparse2M => "sparse-2m",
            Self::Sparse4K => "sparse-4k",
            Self::Empty => "empty",
            Self::Convert => "zvhd2-convert",
            Self::Check => "zvhd2-check",
            Self::Quick => "zvhd2-quick",
            Self::Qcow2 => "foreign-qcow2",
            Self::Qcow2Zlib => "foreign-zlib",
            Self::Qcow2Zstd => "foreign-zstd",
            Self::Vhd => "foreign-vhd",
            Self::Wrapped(wrapped) => wrapped.name(),
            Self::Sparsify => "sparsify",
            Self::Learn => "learn",
        }
    }

    /// What is in it, in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Zeros => "all zeros, allocated",
            Self::Half => "every second block random data, the others zeros, allocated",
            Self::Data => "all random data",
            Self::Worst => "one byte that is not zero in each block, at a place that is not sampled",
            Self::SparseOne => "sparse, 1 % data in one piece",
            Self::Sparse2M => "sparse, 1 % data in pieces of 2 MiB",
            Self::Sparse4K => "sparse, 1 % data in pieces of 4 KiB",
            Self::Empty => "sparse, no data",
            Self::Convert => "RAW to ZVHD2: text, tables and random data, every tenth block zeros",
            Self::Check => "a ZVHD2 of text, tables and random data, checked with every record decompressed",
            Self::Quick => "a ZVHD2 of many small records, checked without decompressing them",
            Self::Qcow2 => "qcow2 to ZVHD2: text, tables and random data, every tenth block zeros",
            Self::Qcow2Zlib => "qcow2 compressed by zlib to ZVHD2: the same content",
            Self::Qcow2Zstd => "qcow2 compressed by zstd to ZVHD2: the same content",
            Self::Vhd => "dynamic VHD to ZVHD2: the same content",
            Self::Wrapped(wrapped) => wrapped.title(),
            Self::Sparsify => "ext4 to ZVHD2, two thirds written and 65 % of that deleted again",
            Self::Learn => {
                "the zvhd2 layout, learned from a program that writes it for images that the learner makes"
            }
        }
    }

    /// Whether most of it is holes, so that its size costs no space on the disk.
    pub fn is_sparse(self) -> bool {
        matches!(self, Self::SparseOne | Self::Sparse2M | Self::Sparse4K | Self::Empty)
    }

    /// What is measured on it.
    pub(crate) fn task(self) -> Task {
        match self {
            Self::Convert => Task::Convert,
            Self::Check => Task::Check,
            Self::Quick => Task::CheckQuick,
            Self::Sparsify => Task::Sparsify,
            Self::Learn => Task::Learn,
            Self::Wrapped(Wrapped::Prepare) => Task::Prepare,
            Self::Wrapped(_) => Task::ConvertWrapped,
            _ if self.is_foreign() => Task::ConvertForeign,
            _ => Task::Scan,
        }
    }

    /// Whether writing or checking ZVHD2 is measured on it.
    pub fn is_zvhd2(self) -> bool {
        matches!(self, Self::Convert | Self::Check | Self::Quick)
    }

    /// Whether the conversion of another format is measured on it.
    pub fn is_foreign(self) -> bool {
        self.foreign().is_some()
    }

    /// Whether the conversion of a compressed image, or the preparation of one, is measured on it.
    pub fn is_wrapped(self) -> bool {
        matches!(self, Self::Wrapped(_))
    }

    /// Whether its data is made to be compressed: in part text, tables, and random.
    pub(crate) fn has_content(self) -> bool {
        matches!(self, Self::Convert | Self::Check | Self::Quick) || self.is_foreign() || self.is_wrapped()
    }

    /// Whether it is only measured warm, as the disk would be measured else.
    pub(crate) fn is_warm_only(self) -> bool {
        !self.task().is_measured_cold()
    }

    /// The other format, if it is one.
    pub(crate) fn foreign(self) -> Option<Foreign> {
        let (driver, extension, options): (_, _, &[&str]) = match self {
            Self::Qcow2 => ("qcow2", "qcow2", &[]),
            Self::Qcow2Zlib => ("qcow2", "qcow2", &["-c", "-o", "compression_type=zlib"]),
            Self::Qcow2Zstd => ("qcow2", "qcow2", &["-c", "-o", "compression_type=zstd"]),
            Self::Vhd => ("vpc", "vhd", &["-o", "subformat=dynamic,force_size=on"]),
            _ => return None,
        };
        Some(Foreign { driver, extension, options })
    }
}
