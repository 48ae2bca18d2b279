//! A partition table, and what is wrong with it.

use std::fmt;

use imsprep_ondisk::gpt::Guid;

/// Most partitions that are kept of a table; further ones are a [`TableProblem::TooManyPartitions`].
pub const MAX_PARTITIONS: usize = 256;
/// Most links of a chain of logical partitions that are followed.
pub const MAX_LOGICAL: usize = 128;
/// Most problems of a table that are kept.
pub const MAX_PROBLEMS: usize = 64;

/// A partition table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// GPT or MBR, with its identity.
    pub kind: TableKind,
    /// Bytes of a sector, the unit that the table counts in: 512, or 4096 on disks that have such.
    pub sector: u64,
    /// The largest power of two, up to 1 MiB, that divides the start of every partition, in bytes; `None` without any
    /// partition. From 4096 on the partitions are well aligned.
    pub alignment: Option<u64>,
    /// What a GPT's header says of the table itself; `None` of an MBR.
    pub gpt: Option<GptLayout>,
    /// Where the boot records of an extended partition are, in bytes, at most [`MAX_LOGICAL`]; empty without one.
    pub records: Vec<u64>,
    /// What is wrong, at most [`MAX_PROBLEMS`]. Empty: nothing that could be seen.
    pub problems: Vec<TableProblem>,
}

/// The kind of a partition table, and its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// A GUID partition table.
    Gpt {
        /// The disk's GUID.
        guid: Guid,
    },
    /// A master boot record.
    Mbr {
        /// The disk's signature, at offset 440.
        signature: u32,
    },
}

impl TableKind {
    /// `GPT` or `MBR`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpt { .. } => "GPT",
            Self::Mbr { .. } => "MBR",
        }
    }

    /// The identity as `blkid` prints it: a GUID or eight hexadecimal digits, in lower case.
    pub fn id(self) -> String {
        match self {
            Self::Gpt { guid } => guid.to_string(),
            Self::Mbr { signature } => format!("{signature:08x}"),
        }
    }
}

/// How a GPT is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GptLayout {
    /// Partition entries, free ones included.
    pub entries: u32,
    /// Bytes of an entry.
    pub entry_size: u32,
}

impl GptLayout {
    /// What nearly every tool writes, and some tools take for granted: 128 entries of 128 bytes.
    pub const USUAL: Self = Self { entries: 128, entry_size: 128 };
}

/// One of the two headers of a GPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The one in sector 1.
    Primary,
    /// Its backup, which should be in the last sector.
    Backup,
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        })
    }
}

/// Something wrong with a partition table. Offsets are bytes on the disk; numbers are those of partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableProblem {
    /// No GPT header is where this one should be.
    HeaderMissing {
        /// Which of the two.
        which: Header,
        /// Where it was looked for.
        at: u64,
    },
    /// A GPT header's CRC is wrong, so nothing in it can be trusted.
    HeaderCrc {
        /// Which of the two.
        which: Header,
        /// Where the header is.
        at: u64,
        /// The CRC that it has.
        stored: u32,
        /// The CRC that it should have.
        computed: u32,
    },
    /// A GPT header with a right CRC says what can't be.
    HeaderInvalid {
        /// Which of the two.
        which: Header,
        /// Where the header is.
        at: u64,
        /// What is wrong, in words.
        what: &'static str,
    },
    /// The CRC of a GPT's partition entries is wrong.
    EntriesCrc {
        /// Whose entries.
        which: Header,
        /// Where the entries begin.
        at: u64,
        /// The CRC that the header has.
        stored: u32,
        /// The CRC that it should have.
        computed: u32,
    },
    /// A GPT's partition entries lie beyond the end of the disk.
    EntriesPastEnd {
        /// Whose entries.
        which: Header,
        /// Where they would begin.
        at: u64,
    },
    /// The two headers of a GPT, both sound by themselves, differ.
    HeadersDisagree {
        /// In what, in words.
        what: &'static str,
    },
    /// The backup header of a GPT is sound, but not in the last sector: the disk was enlarged after it was partitioned.
    BackupNotAtEnd {
        /// Where it is.
        at: u64,
        /// Where the last sector is.
        end: u64,
    },
    /// Sector 0 of a disk with a GPT has no protective MBR.
    NotProtective,
    /// The MBR of a disk with a GPT lists partitions besides the protective one.
    Hybrid,
    /// An MBR protects a GPT of which there is none.
    ProtectsNothing,
    /// Sector 1 holds a sound GPT header, but the MBR lists partitions of its own and does not protect it: the MBR counts.
    UnprotectedGpt,
    /// A partition ends beyond the end of the disk.
    PastEnd {
        /// Its number.
        number: u32,
        /// Its end.
        end: u64,
        /// The end of the disk.
        limit: u64,
    },
    /// A partition of a GPT lies where the header allows none: in the table itself or beyond the last usable sector.
    OutsideUsable {
        /// Its number.
        number: u32,
        /// Its start.
        start: u64,
        /// Its end.
        end: u64,
    },
    /// A partition ends before it starts.
    Backwards {
        /// Its number.
        number: u32,
    },
    /// Two partitions share bytes.
    Overlap {
        /// The number of the one that starts first.
        first: u32,
        /// The other's number.
        second: u32,
        /// Where the shared part begins.
        at: u64,
    },
    /// Two partitions of a GPT have the same GUID.
    SameGuid {
        /// The first one's number.
        first: u32,
        /// The other's number.
        second: u32,
    },
    /// A partition starts at no multiple of 4096 bytes: it works, but slowly.
    Misaligned {
        /// Its number.
        number: u32,
        /// Its start.
        start: u64,
    },
    /// More than one partition of an MBR is marked active.
    SeveralActive {
        /// Their numbers.
        numbers: Vec<u32>,
    },
    /// An MBR has more than one extended partition; only the first is followed.
    SeveralExtended,
    /// A link of the chain of logical partitions leads to one that was there already.
    ExtendedLoop {
        /// Where the link leads.
        at: u64,
    },
    /// A link of the chain of logical partitions leads to no boot record, or out of the extended partition.
    ExtendedBroken {
        /// Where the link leads.
        at: u64,
    },
    /// The chain of logical partitions goes on beyond the end of the disk: those that it leads to are lost.
    ExtendedPastEnd {
        /// Where the link leads.
        at: u64,
        /// The end of the disk.
        limit: u64,
    },
    /// There are more partitions, or more links of the chain of logical partitions, than are read.
    TooManyPartitions {
        /// How many are.
        kept: usize,
    },
}

impl fmt::Display for TableProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderMissing { which, at } => write!(f, "the {which} GPT header is missing at offset {at}"),
            Self::HeaderCrc { which, at, stored, computed } => write!(
                f,
                "the CRC of the {which} GPT header at offset {at} is wrong: expected {computed:08x}, found {stored:08x}"
            ),
            Self::HeaderInvalid { which, at, what } => {
                write!(f, "the {which} GPT header at offset {at} is not valid: {what}")
            }
            Self::EntriesCrc { which, at, stored, computed } => write!(
                f,
                "the CRC of the {which} GPT's partition entries at offset {at} is wrong: expected {computed:08x}, found \
                 {stored:08x}"
            ),
            Self::EntriesPastEnd { which, at } => {
                write!(f, "the {which} GPT's partition entries at offset {at} are beyond the end of the disk")
            }
            Self::HeadersDisagree { what } => write!(f, "the two GPT headers differ in {what}"),
            Self::BackupNotAtEnd { at, end } => write!(
                f,
                "the backup GPT header is at offset {at}, not at the end of the disk: expected offset {end}"
            ),
            Self::NotProtective => f.write_str("there is no protective MBR before the GPT"),
            Self::Hybrid => f.write_str("the MBR has partitions of its own in addition to the GPT"),
            Self::ProtectsNothing => f.write_str("the MBR announces a GPT, but there is none"),
            Self::UnprotectedGpt => f.write_str(
                "there is also a GPT header, but the MBR has partitions of its own and does not protect the GPT",
            ),
            Self::PastEnd { number, end, limit } => {
                write!(f, "partition {number} ends at offset {end}, beyond the end of the disk at {limit}")
            }
            Self::OutsideUsable { number, start, end } => write!(
                f,
                "partition {number}, from offset {start} to {end}, is outside of the range that the GPT allows"
            ),
            Self::Backwards { number } => write!(f, "partition {number} ends before it starts"),
            Self::Overlap { first, second, at } => {
                write!(f, "partitions {first} and {second} overlap from offset {at} on")
            }
            Self::SameGuid { first, second } => write!(f, "partitions {first} and {second} have the same GUID"),
            Self::Misaligned { number, start } => {
                write!(f, "partition {number} starts at offset {start}, not a multiple of 4096: it will be slow")
            }
            Self::SeveralActive { numbers } => {
                let numbers = numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "several partitions are marked active: {numbers}")
            }
            Self::SeveralExtended => f.write_str("there are several extended partitions; only the first was followed"),
            Self::ExtendedLoop { at } => {
                write!(f, "the chain of logical partitions returns to offset {at}")
            }
            Self::ExtendedBroken { at } => {
                write!(f, "the chain of logical partitions leads to the impossible offset {at}")
            }
            Self::ExtendedPastEnd { at, limit } => write!(
                f,
                "the logical partitions continue at offset {at}, beyond the end of the disk at {limit}"
            ),
            Self::TooManyPartitions { kept } => {
                write!(f, "there are too many partitions: only the first {kept} are listed")
            }
        }
    }
}
