//! "Could not look", from every floor below.

mod kind;
mod path;
mod words;

use std::path::{Path, PathBuf};

use imsprep_bitmap::{CannotEncode, Layout, LayoutFileError, NotThisLayout};
use imsprep_detect::Format;
use imsprep_inspect::CannotFit;

use crate::{Checksum, DigestMismatch};

pub use kind::ErrorKind;
use words::{instead_of_fit, which_disk, why_no_bitmap, why_no_machine, why_no_socket};

/// The result of a toolkit call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written, or changed meanwhile.
    #[error(transparent)]
    Source(#[from] imsprep_source::Error),
    /// A ZVHD2 could not be checked.
    #[error(transparent)]
    Zvhd2(#[from] imsprep_zvhd2::Error),
    /// The disk in an image of another format could not be opened.
    #[error(transparent)]
    Foreign(#[from] imsprep_formats::Error),
    /// A disk is selected where there is nothing to select.
    #[error("{}: is {format} and contains one disk", path.display())]
    OneDisk {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
    },
    /// A bitmap is asked for and the image is not RAW.
    #[error("{}: is {format}, but only RAW images have bitmap files{}", path.display(), why_no_bitmap(*format))]
    NotRaw {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
    },
    /// The content is that of several formats, so that no one of them can be relied on.
    #[error("{}: is {format} and also another format", path.display())]
    Ambiguous {
        /// The image.
        path: PathBuf,
        /// The format that comes first.
        format: Format,
    },
    /// The disk in the image can't be read by imsprep.
    #[error("{}: is {format}; imsprep cannot read the disk in it", path.display())]
    NoDisk {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
    },
    /// The disk in the image is read by a program that is not installed.
    #[error(
        "{}: is {format}, which imsprep reads through qemu-nbd; qemu-nbd is not installed (Debian's package \
         qemu-utils); install it, or convert the image to RAW on another machine: {command}",
        path.display()
    )]
    NeedsQemu {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
        /// The command that makes a RAW.
        command: String,
    },
    /// Which disk of an archive is meant is not clear.
    #[error("{}: {}", path.display(), which_disk(*count, names, *has_more))]
    WhichDisk {
        /// The archive.
        path: PathBuf,
        /// How many disks there are.
        count: usize,
        /// Their numbers and names.
        names: String,
        /// Whether there are members that were not looked at.
        has_more: bool,
    },
    /// The disk of an archive that was asked for is not there.
    #[error("{}: has no disk {wanted:?}; its disks: {names}", path.display())]
    NoSuchDisk {
        /// The archive.
        path: PathBuf,
        /// What was asked for.
        wanted: String,
        /// Their numbers and names.
        names: String,
    },
    /// The archive has no disk that can be read where it is.
    #[error("{}: {what}; {advice}", path.display())]
    MemberNotRead {
        /// The archive.
        path: PathBuf,
        /// What is in it.
        what: String,
        /// How to get at the disk.
        advice: String,
    },
    /// The program that reads the disk in the image fails.
    #[error(transparent)]
    Served(imsprep_formats::ServeError),
    /// The image does not hold a disk that can be read: a rule forbids it.
    #[error("{}: is {format}; its disk cannot be read: {code}: {what}; {advice}", path.display())]
    NotReadable {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
        /// The rule.
        code: &'static str,
        /// How it is broken, in words.
        what: String,
        /// What to do instead.
        advice: String,
    },
    /// The image is in a format that is not converted.
    #[error("{}: is {format}, which cannot be converted; {advice}", path.display())]
    NotConvertible {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
        /// What to do instead.
        advice: String,
    },
    /// The output would be the same disk in the same format.
    #[error("{}: is {format} already, and the output would be the same disk in the same format", path.display())]
    SameFormat {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
    },
    /// The free space of a disk is to be left out, and the disk can only be read once, in order.
    #[error(
        "{}: is {format}, which is decompressed from its first byte to its last; the free space of the disk in it \
         cannot be left out; decompress it first",
        path.display()
    )]
    FreeSpaceOfStream {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
    },
    /// An image in a stream can be read only at random.
    #[error(
        "{}: is {format}, which can be read only from a file and not from a stream; save it to a file, and convert that file",
        path.display()
    )]
    NotFromStream {
        /// What the stream is called.
        path: PathBuf,
        /// The format of the image.
        format: Format,
    },
    /// A stream is to be converted into a stream.
    #[error(
        "{}: the size of the disk is known only when the input ends, and the output begins with it: use a file for the output",
        path.display()
    )]
    StreamToStream {
        /// What the input is called.
        path: PathBuf,
    },
    /// The disk in a stream is to be changed on its way to the output.
    #[error(
        "{}: {what}; save it to a file, and convert that file",
        path.display()
    )]
    StreamUnchanged {
        /// What the stream is called.
        path: PathBuf,
        /// What is not possible, and why, in words.
        what: &'static str,
    },
    /// The free space of the disk of a server is to be left out.
    #[error(
        "{}: whether anything writes to the disk is not known, so that its free space cannot be left out; save it to a file, and use that file",
        path.display()
    )]
    FreeSpaceOfRemote {
        /// The address.
        path: PathBuf,
    },
    /// An NBD server can't be read from.
    #[error("{}: cannot read from this NBD server", path.display())]
    Remote {
        /// The address.
        path: PathBuf,
        /// What the system or the server reported.
        source: std::io::Error,
    },
    /// An NBD export is an image, and not the disk in it.
    #[error(
        "{}: the export is an image of the format {format}, not a disk; let the server read this format (qemu-nbd -f {}), or convert the \
         image where it is",
        path.display(),
        format.name()
    )]
    RemoteImage {
        /// The address.
        path: PathBuf,
        /// The format of the image.
        format: Format,
    },
    /// Nothing came from a stream.
    #[error("{}: is empty; check the program that should write to it", path.display())]
    EmptyStream {
        /// What the stream is called.
        path: PathBuf,
    },
    /// A disk that is read in order goes on beyond the largest that can be imported.
    #[error(
        "{}: the disk is larger than {} TiB, the most that can be imported; nothing was written",
        path.display(),
        most >> 40
    )]
    StreamTooLarge {
        /// The image, or what the stream is called.
        path: PathBuf,
        /// The limit in bytes.
        most: u64,
    },
    /// A disk can be read only when it is unpacked, and there is not enough space for that.
    #[error(
        "{}: the disk in it can be read only when it is unpacked, which takes {needed} bytes; {} has {free} bytes free",
        path.display(),
        folder.display()
    )]
    NoSpaceToUnpack {
        /// The image.
        path: PathBuf,
        /// Where it would be unpacked to.
        folder: PathBuf,
        /// Bytes that it takes if none of them are zero.
        needed: u64,
        /// Bytes that are free there.
        free: u64,
    },
    /// A disk is to be enlarged, and can only be read once, in order.
    #[error(
        "{}: is {format}, which is decompressed from its first byte to its last; the disk in it cannot be enlarged; \
         decompress it first",
        path.display()
    )]
    FitOfStream {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
    },
    /// The partition table of a disk can't be fitted to its size.
    #[error("{}: the disk cannot be enlarged: {why}; {}", path.display(), instead_of_fit(why))]
    CannotFit {
        /// The image.
        path: PathBuf,
        /// Why not.
        why: CannotFit,
    },
    /// A disk is to be enlarged, and a file system on it ends beyond its end.
    #[error(
        "{}: the disk cannot be enlarged: it is truncated: a file system on it ends beyond the end of the disk; compare \
         its size with that of the original disk, and copy it again",
        path.display()
    )]
    FitOfCutDisk {
        /// The image.
        path: PathBuf,
    },
    /// An output's name says another format than the file would have.
    #[error("{}: has the extension of another format; the output would be {format}: use the extension .{extension}", path.display())]
    MisleadingName {
        /// The output.
        path: PathBuf,
        /// What the output would be.
        format: Format,
        /// The extension that fits.
        extension: &'static str,
    },
    /// A conversion into a file has no name for it.
    #[error("{}: no output is named", path.display())]
    NoOutput {
        /// The source.
        path: PathBuf,
    },
    /// A file is not the one that its publisher gives this checksum for.
    #[error(
        "{}: {} is {found}, expected {expected}: the file is not the published one; download it again, or find out which file \
         the checksum is for",
        path.display(),
        expected.algorithm
    )]
    WrongChecksum {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: Checksum,
        /// What it is.
        found: Checksum,
    },
    /// A member of an OVA, or a file beside an OVF, is not the one that the manifest lists.
    #[error("{}: {mismatch}: the file is damaged or was changed; download or export it again", path.display())]
    WrongDigest {
        /// The image.
        path: PathBuf,
        /// The file, and how it differs.
        mismatch: Box<DigestMismatch>,
    },
    /// What was written does not read back the same: the disk or the memory can't be trusted.
    #[error(
        "{}: verification failed: {count} blocks differ from what was written, the first is block {block}; the \
         output was discarded",
        path.display()
    )]
    NotAsWritten {
        /// The output.
        path: PathBuf,
        /// The first block that differs.
        block: u64,
        /// How many differ.
        count: u64,
    },
    /// A RAW is finished and has its name, and its bitmap could not get its own.
    #[error(
        "{}: is complete, but its bitmap file is missing",
        path.display()
    )]
    NoBitmapBeside {
        /// The RAW.
        path: PathBuf,
        /// What is wrong with the bitmap file.
        source: imsprep_source::Error,
    },
    /// The system has no random bytes for an identity.
    #[error("cannot create a random UUID")]
    Random {
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in the place of a bitmap file is an image.
    #[error(
        "{}: is an image ({format}), not a bitmap file, and is not replaced; remove or rename it first",
        path.display()
    )]
    OutputIsImage {
        /// The output.
        path: PathBuf,
        /// What is there.
        format: Format,
    },
    /// What is in the place of a bitmap file is a file of another kind.
    #[error("{}: is {what}, not a bitmap file, and is neither read nor replaced; move it away, or rename the \
     image", path.display())]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A bitmap file was given where images are read.
    #[error("{}: has the extension of a bitmap file, not of an image; {advice}", path.display())]
    NoImageGiven {
        /// The bitmap file.
        path: PathBuf,
        /// What to give instead.
        advice: String,
    },
    /// Where the bitmap of a device would go can't be guessed.
    #[error("{}: is a block device; the path of its bitmap file is missing", path.display())]
    DeviceNeedsOutput {
        /// The device.
        path: PathBuf,
    },
    /// No built-in layout has this name, and no file.
    #[error(
        "{name}: is neither a bitmap layout nor a file; the built-in layouts are zvhd2, sealed, bmap and ranges"
    )]
    NoLayout {
        /// The name.
        name: String,
    },
    /// The description of a layout can't be used.
    #[error(transparent)]
    LayoutFile(#[from] LayoutFileError),
    /// What a bitmap says can't be written in a layout.
    #[error("{}: layout {layout} cannot represent this bitmap: {why}", path.display())]
    CannotEncode {
        /// The file that was to be written.
        path: PathBuf,
        /// The layout's name.
        layout: String,
        /// Why not.
        why: CannotEncode,
    },
    /// A bitmap file is in no known layout.
    #[error("{}: the layout is unknown ({why})", path.display())]
    UnknownBitmap {
        /// The bitmap file.
        path: PathBuf,
        /// Why it is in none.
        why: String,
    },
    /// A bitmap file is damaged, or of another image.
    #[error("{}: a bitmap in layout {layout}, and {why}", path.display())]
    BadBitmap {
        /// The bitmap file.
        path: PathBuf,
        /// The layout's name.
        layout: String,
        /// What is wrong.
        why: NotThisLayout,
    },
    /// The size of a bitmap file's image is not known.
    #[error("{}: does not contain the size of its image, and there is no RAW of the same name", path.display())]
    NeedsImageSize {
        /// The bitmap file.
        path: PathBuf,
    },
    /// Nothing can be learned from a file.
    #[error("{}: {why}", path.display())]
    NoSample {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A command is none that a program can be run by.
    #[error("`{command}`: {why}")]
    Command {
        /// The command.
        command: String,
        /// Why not.
        why: crate::BadCommand,
    },
    /// A program can't be run.
    #[error("{program}: cannot run this program")]
    Program {
        /// Its name.
        program: String,
        /// What the system reports.
        source: std::io::Error,
    },
    /// A program brought no bitmap file to compare with.
    #[error("{}: the program made no bitmap file of this image: {why}", path.display())]
    ProgramFailed {
        /// The image.
        path: PathBuf,
        /// Why not, and what the program printed.
        why: String,
    },
    /// A folder for temporary files can't be used.
    #[error("{}: cannot keep temporary files here", path.display())]
    TempFolder {
        /// The folder, or a file in it.
        path: PathBuf,
        /// What the system reports.
        source: std::io::Error,
    },
    /// A folder holds nothing to check.
    #[error("{}: no disk images in this folder (its subfolders were not searched)", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
    },
    /// A socket can't be made.
    #[error("{}: cannot make this socket{}", path.display(), why_no_socket(source))]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The disk is one for another kind of machine.
    #[error("{}: the system on this disk is for ARM; only x86 machines are supported", path.display())]
    NotForX86 {
        /// The image.
        path: PathBuf,
    },
    /// The disk needs UEFI, and there is none for virtual machines.
    #[error(
        "the disk needs UEFI, and OVMF is not installed; install it (Debian's package ovmf, Fedora's edk2-ovmf)"
    )]
    NoUefi,
    /// qemu can't be run, or does not start the machine.
    #[error("{}: cannot start the virtual machine{}", program.display(), why_no_machine(source))]
    Qemu {
        /// The program.
        program: PathBuf,
        /// What the system said, or qemu.
        source: std::io::Error,
    },
    /// A folder can't be listed.
    #[error("{}: cannot list this folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn cannot_encode(path: &Path, layout: &Layout, why: CannotEncode) -> Self {
        Self::CannotEncode { path: path.to_owned(), layout: layout.name.clone().into_owned(), why }
    }
}
