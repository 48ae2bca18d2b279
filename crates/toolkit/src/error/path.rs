//! The file that an error is about.

use std::path::Path;

use super::Error;

impl Error {
    /// The file or folder that it is about; empty where the message names it, and for a stop.
    pub fn path(&self) -> &Path {
        match self {
            Self::OneDisk { path, .. }
            | Self::NotRaw { path, .. }
            | Self::NoDisk { path, .. }
            | Self::NotReadable { path, .. }
            | Self::NeedsQemu { path, .. }
            | Self::WhichDisk { path, .. }
            | Self::NoSuchDisk { path, .. }
            | Self::MemberNotRead { path, .. }
            | Self::NotConvertible { path, .. }
            | Self::SameFormat { path, .. }
            | Self::FreeSpaceOfStream { path, .. }
            | Self::NoSpaceToUnpack { path, .. }
            | Self::FitOfStream { path, .. }
            | Self::NotFromStream { path, .. }
            | Self::EmptyStream { path }
            | Self::Remote { path, .. }
            | Self::FreeSpaceOfRemote { path }
            | Self::RemoteImage { path, .. }
            | Self::StreamToStream { path }
            | Self::StreamUnchanged { path, .. }
            | Self::StreamTooLarge { path, .. }
            | Self::WrongChecksum { path, .. }
            | Self::WrongDigest { path, .. }
            | Self::FitOfCutDisk { path }
            | Self::CannotFit { path, .. }
            | Self::Ambiguous { path, .. }
            | Self::MisleadingName { path, .. }
            | Self::NotAsWritten { path, .. }
            | Self::NoBitmapBeside { path, .. }
            | Self::OutputIsImage { path, .. }
            | Self::OtherFile { path, .. }
            | Self::NoImageGiven { path, .. }
            | Self::DeviceNeedsOutput { path }
            | Self::NoOutput { path }
            | Self::NoImages { path }
            | Self::TempFolder { path, .. }
            | Self::ProgramFailed { path, .. }
            | Self::Socket { path, .. }
            | Self::NotForX86 { path }
            | Self::Folder { path, .. } => path,
            Self::CannotEncode { path, .. }
            | Self::UnknownBitmap { path, .. }
            | Self::BadBitmap { path, .. }
            | Self::NeedsImageSize { path }
            | Self::NoSample { path, .. } => path,
            Self::Source(_)
            | Self::Zvhd2(_)
            | Self::Foreign(_)
            | Self::Served(_)
            | Self::Random { .. }
            | Self::NoUefi
            | Self::Qemu { .. }
            | Self::NoLayout { .. }
            | Self::Command { .. }
            | Self::Program { .. }
            | Self::LayoutFile(_) => Path::new(""),
        }
    }
}
