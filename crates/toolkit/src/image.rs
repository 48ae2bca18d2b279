//! An image that was opened and looked at.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imsprep_detect::{Access, Detection, Format};
use imsprep_findings::{Finding, Report, Severity};
use imsprep_formats::{Slice, Wrapper, XzAtRandom};
use imsprep_rules::{ImageLocation, check_readable};
use imsprep_source::{Cancel, ImageFile, ReadAt, Work};

use crate::archive::{Member, disk_in};
use crate::look::{look_at, look_at_member};
use crate::published::{FileHash, verify_checksums};
use crate::{Checksum, Error, FileHoles, Result};

/// An image file that was opened once, and what it is. All that is done with the image goes through this one descriptor, so that
/// the file that is read is the file that was checked, even if the name leads to another one by then.
#[derive(Debug)]
pub struct OpenedImage {
    file: ImageFile,
    /// What the file was unpacked to, and the format that it has.
    unpacked: Option<(ImageFile, Format)>,
    /// What the file holds that is read in its compressed form, at any place, and the format that it has.
    at_random: Option<(XzAtRandom, Format)>,
    detection: Detection,
    /// Bytes of what is compressed, where the file has them for certain.
    content_size: Option<u64>,
    member: Option<Member>,
    /// What that disk was unpacked to, if it is compressed.
    member_content: Option<Box<ImageFile>>,
    /// What the file is compared with when it was read.
    hash: Option<Arc<FileHash>>,
}

impl OpenedImage {
    /// Opens the image at `path`, detects its format and looks at its tables, and for the descriptor of an extent-file.
    ///
    /// # Errors
    ///
    /// If the file can't be opened or read, or at a stop.
    pub fn open(path: impl Into<PathBuf>, cancel: &Cancel) -> Result<Self> {
        Self::new(ImageFile::open(path)?, cancel)
    }

    /// The same, with its holes read or not.
    pub(crate) fn open_with(path: impl Into<PathBuf>, holes: FileHoles, cancel: &Cancel) -> Result<Self> {
        let file = ImageFile::open(path)?;
        Self::new(if holes == FileHoles::AreRead { file.reading_holes() } else { file }, cancel)
    }

    /// The same of an open file.
    pub(crate) fn new(file: ImageFile, cancel: &Cancel) -> Result<Self> {
        let (detection, content_size) = look_at(&file, cancel)?;
        Ok(Self {
            file,
            unpacked: None,
            at_random: None,
            detection,
            content_size,
            member: None,
            member_content: None,
            hash: None,
        })
    }

    /// The image in what the file was unpacked to.
    pub(crate) fn with_content(self, content: ImageFile, cancel: &Cancel) -> Result<Self> {
        let packed = self.format();
        let (detection, content_size) = look_at(&content, cancel)?;
        Ok(Self { unpacked: Some((content, packed)), detection, content_size, ..self })
    }

    /// The image in what the file holds, which is read in its compressed form.
    pub(crate) fn with_content_at_random(self, content: XzAtRandom, cancel: &Cancel) -> Result<Self> {
        let packed = self.format();
        let detection = look_at_member(Slice::whole(&content), cancel)?;
        Ok(Self { at_random: Some((content, packed)), detection, content_size: None, ..self })
    }

    /// Where the image is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file, as it was given.
    pub fn file(&self) -> &ImageFile {
        &self.file
    }

    /// The bytes of the image for a reader of ours.
    pub(crate) fn bytes(&self) -> Slice<'_> {
        match &self.at_random {
            Some((content, _)) => Slice::whole(content),
            None => Slice::whole(self.content()),
        }
    }

    /// The bytes of the image: the file, or what it was unpacked to.
    pub(crate) fn content(&self) -> &ImageFile {
        self.unpacked.as_ref().map_or(&self.file, |(content, _)| content)
    }

    /// The format of the file if the image is in it compressed, and is not read from its first byte to its last.
    pub fn unpacked_from(&self) -> Option<Format> {
        let format = self.unpacked.as_ref().map(|(_, format)| *format);
        format.or(self.at_random.as_ref().map(|(_, format)| *format))
    }

    /// What a file of its bytes would be called: `disk.raw.gz` is unpacked to `disk.raw`.
    pub(crate) fn content_name(&self) -> Cow<'_, Path> {
        match self.unpacked_from() {
            Some(_) => Cow::Owned(self.path().with_extension("")),
            None => Cow::Borrowed(self.path()),
        }
    }

    /// Compares the file with these checksums: now; or, of a file that is read from its first byte to its last anyway, when that was done.
    pub(crate) fn expect(&mut self, checksums: &[Checksum], work: Work<'_>) -> Result<()> {
        if checksums.is_empty() {
            return Ok(());
        }
        match (Wrapper::of(self.format()), self.file.reopen()) {
            (Some(_), Ok(file)) => {
                self.hash = Some(Arc::new(FileHash::new(file, checksums)));
                Ok(())
            }
            _ => verify_checksums(&self.file, checksums, work),
        }
    }

    /// What has to see the file when it is read.
    pub(crate) fn hash(&self) -> Option<Arc<FileHash>> {
        self.hash.clone()
    }

    /// Compares the file with the checksums that are expected of it, if that was not done. What of it was not read in order is read now.
    pub(crate) fn verify_hash(&self, work: Work<'_>) -> Result<()> {
        self.hash.as_ref().map_or(Ok(()), |hash| hash.verify(work))
    }

    /// What the image is.
    pub fn detection(&self) -> &Detection {
        &self.detection
    }

    /// The image's format.
    pub fn format(&self) -> Format {
        self.detection.format
    }

    /// Bytes of what is compressed, where the file has them for certain.
    pub(crate) fn content_size(&self) -> Option<u64> {
        match &self.member {
            Some(member) if self.is_stream() => member.detection.virtual_size,
            _ => self.content_size,
        }
    }

    /// The disk that was selected in an archive.
    pub fn member(&self) -> Option<&Member> {
        self.member.as_ref()
    }

    /// Whether it holds files, of which some are disks.
    pub(crate) fn is_archive(&self) -> bool {
        self.format().access() == Access::Archive
    }

    /// Whether the disk is a RAW that is read once, from its first byte to its last.
    pub(crate) fn is_stream(&self) -> bool {
        match &self.member {
            Some(member) => self.member_content.is_none() && member.is_stream(),
            None => Wrapper::of(self.format()).is_some(),
        }
    }

    /// Makes this disk of the archive the one that is read.
    pub(crate) fn set_member(&mut self, member: Member, content: Option<ImageFile>) {
        (self.member, self.member_content) = (Some(member), content.map(Box::new));
    }

    /// What the disk that was selected was unpacked to.
    pub(crate) fn member_content(&self) -> Option<&ImageFile> {
        self.member_content.as_deref()
    }

    /// Refuses an archive that a rule forbids to read.
    pub(crate) fn refuse_unless_archive_is_readable(&self) -> Result<()> {
        refuse_unless_readable(self.path(), ImageLocation::File(self.path()), &self.detection)
    }

    pub(crate) fn find_member(&self, number: Option<u32>, cancel: &Cancel) -> Result<Member> {
        self.refuse_unless_archive_is_readable()?;
        disk_in(self.content(), self.format(), number, cancel)
    }
}

/// What the rules say against reading the disk. That there is more than its current state is nothing against that.
pub(crate) fn refuse_unless_readable(
    path: &Path,
    place: ImageLocation<'_>,
    detection: &Detection,
) -> Result<()> {
    let mut report = Report::new();
    check_readable(place, detection, &mut report);
    let forbids = |finding: &&Finding| finding.severity == Severity::Error && !finding.convertible;
    match report.findings().iter().find(forbids) {
        None => Ok(()),
        Some(finding) => Err(Error::NotReadable {
            path: path.to_owned(),
            format: detection.format,
            code: finding.rule.code,
            what: finding.message.clone(),
            advice: finding.advice().to_owned(),
        }),
    }
}
