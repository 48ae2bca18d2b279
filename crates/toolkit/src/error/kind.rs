//! What a caller can do about an error.

use super::Error;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read or written, or the work was asked to stop.
    Source(imsprep_source::ErrorKind),
    /// The file was read, and it is not what can be worked with.
    Unfit,
    /// A conversion would write the same disk in the same format.
    SameFormat,
    /// A file is no ZVHD2, where only a ZVHD2 is read.
    NotZvhd2,
    /// The same, as its content is that of several formats.
    Ambiguous,
    /// What was written can't be read back.
    NotAsWritten,
    /// A ZVHD2 is so damaged that its disk can't be read.
    UnsoundContainer,
    /// A ZVHD2 is to be repaired, and nothing says how large its disk is.
    SizeUnknown,
    /// The size that was given is not that of a sound footer.
    SizeContradicted,
    /// Which disk of an archive is meant has to be said.
    WhichDisk,
    /// An image has one disk, and none can be selected.
    OneDisk,
    /// The bitmap of a RAW that was written is not beside it.
    NoBitmapBeside,
    /// An identity has to be given.
    NoRandomness,
    /// A bitmap file was given and no image.
    NoImageGiven,
    /// Where the bitmap of a device is to go has to be said.
    DeviceNeedsOutput,
    /// A bitmap file is in no known layout.
    UnknownBitmap,
    /// How large the image of a bitmap file is has to be said.
    NeedsImageSize,
    /// There is too little space to unpack a disk.
    NoSpaceToUnpack,
    /// Anything else.
    Other,
}

impl Error {
    /// Whether the disk in an image can't be opened because of what the image is, or because a tool is missing; the file itself
    /// could be read.
    pub(crate) fn is_about_the_disk(&self) -> bool {
        if let Some(error) = self.of_source() {
            return error.kind() == imsprep_source::ErrorKind::Damaged;
        }
        match self {
            Self::NoDisk { .. }
            | Self::NotReadable { .. }
            | Self::NeedsQemu { .. }
            | Self::WhichDisk { .. }
            | Self::NoSuchDisk { .. }
            | Self::MemberNotRead { .. }
            | Self::Foreign(_)
            | Self::Served(_) => true,
            Self::Zvhd2(error) => matches!(
                error,
                imsprep_zvhd2::Error::Unreadable { .. } | imsprep_zvhd2::Error::NotZvhd2 { .. }
            ),
            _ => false,
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        use imsprep_zvhd2::Error as Zvhd2;
        if let Some(error) = self.of_source() {
            return ErrorKind::Source(error.kind());
        }
        match self {
            Self::NotRaw { .. }
            | Self::NotConvertible { .. }
            | Self::FreeSpaceOfStream { .. }
            | Self::FitOfStream { .. }
            | Self::FreeSpaceOfRemote { .. }
            | Self::NotFromStream { .. }
            | Self::RemoteImage { .. }
            | Self::StreamUnchanged { .. }
            | Self::StreamTooLarge { .. }
            | Self::WrongChecksum { .. }
            | Self::WrongDigest { .. }
            | Self::FitOfCutDisk { .. }
            | Self::CannotFit { .. }
            | Self::MemberNotRead { .. }
            | Self::Zvhd2(Zvhd2::NothingToSave { .. }) => ErrorKind::Unfit,
            Self::SameFormat { .. } => ErrorKind::SameFormat,
            Self::Zvhd2(Zvhd2::NotZvhd2 { .. }) => ErrorKind::NotZvhd2,
            Self::NoSpaceToUnpack { .. } => ErrorKind::NoSpaceToUnpack,
            Self::Ambiguous { .. } => ErrorKind::Ambiguous,
            Self::OneDisk { .. } => ErrorKind::OneDisk,
            Self::NotAsWritten { .. } => ErrorKind::NotAsWritten,
            Self::Zvhd2(Zvhd2::Unreadable { .. }) => ErrorKind::UnsoundContainer,
            Self::Zvhd2(Zvhd2::SizeUnknown { .. }) => ErrorKind::SizeUnknown,
            Self::Zvhd2(Zvhd2::SizeContradicted { .. }) => ErrorKind::SizeContradicted,
            Self::WhichDisk { count, has_more, .. } if *count > usize::from(!has_more) => {
                ErrorKind::WhichDisk
            }
            Self::NoSuchDisk { .. } => ErrorKind::WhichDisk,
            Self::NoBitmapBeside { .. } => ErrorKind::NoBitmapBeside,
            Self::Random { .. } => ErrorKind::NoRandomness,
            Self::NoImageGiven { .. } => ErrorKind::NoImageGiven,
            Self::DeviceNeedsOutput { .. } => ErrorKind::DeviceNeedsOutput,
            Self::UnknownBitmap { .. } => ErrorKind::UnknownBitmap,
            Self::NeedsImageSize { .. } => ErrorKind::NeedsImageSize,
            _ => ErrorKind::Other,
        }
    }

    fn of_source(&self) -> Option<&imsprep_source::Error> {
        match self {
            Self::Source(error)
            | Self::Zvhd2(imsprep_zvhd2::Error::Source(error))
            | Self::Foreign(imsprep_formats::Error::Source(error)) => Some(error),
            _ => None,
        }
    }
}
