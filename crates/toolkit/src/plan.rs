//! What a conversion is going to be, before it begins.

use std::path::{Path, PathBuf};

use imsprep_bitmap::bitmap_path;
use imsprep_detect::Format;
use imsprep_findings::{Finding, Report, Severity};
use imsprep_formats::NbdAddress;
use imsprep_guest::{DiskSpace, Guest};
use imsprep_inspect::{Fitting, Inspection, inspect_source};
use imsprep_rules::{
    DiskChecks, DiskPart, ImageLocation, Inside, Intent, Medium, MediumKind, Purpose, SystemAsked,
    SystemOnDisk, asks_for_a_system, check_convertible, check_disk_convertible, check_disk_size,
    check_expanded_size, check_guest, check_in_use, check_readable, empty_file,
};
use imsprep_source::{Cancel, InputStream, OutputFile, Work};

use crate::direction::{
    Kind, check_output_name, direction, direction_of_remote, direction_of_stream, says_raw,
};
use crate::fit::fit_disk;
use crate::no_disk::why_not_on;
use crate::ova_manifest::verify_manifest;
use crate::published::verify_checksums;
use crate::remote::RemoteDisk;
use crate::saving::SeenBlocks;
use crate::space::space_to_leave_out;
use crate::stream::StreamSource;
use crate::targets::refuse_bitmap;
use crate::unpack::Unpack;
use crate::wrapped::Blocks;
use crate::wrapped_disk::read_start;
use crate::{
    ConversionSource, ConvertOptions, Direction, Disk, DiskFit, FreeSpaceBytes, GUEST_LIMITS, OpenedImage,
    OvaManifest, Result, Saving, read_guest,
};

/// A conversion that was planned and not begun.
#[derive(Debug)]
pub struct Plan {
    /// The source, opened, with what it is and which of its disks is meant.
    pub source: ConversionSource,
    /// What was requested.
    pub options: ConvertOptions,
    /// Which way it goes.
    pub direction: Direction,
    /// What will be wrong with the result although the conversion is right. With an error in it the source must not be
    /// converted.
    pub report: Report,
    /// The system on the disk, if it was asked for and read.
    pub(crate) guest: Option<Guest>,
    /// What is on the disk, if it can be read at any place.
    pub(crate) inspection: Option<Inspection>,
    /// Which bytes of the disk no file holds, if they are left out.
    pub space: Option<DiskSpace>,
    /// How the disk is enlarged, if it is to be.
    pub fitting: Option<Fitting>,
    /// What the manifest of an OVA says of its members.
    pub manifest: Option<OvaManifest>,
}

/// What a plan is judged by beside the rules on conversions.
#[derive(Clone, Copy)]
pub(crate) struct PlanPolicy<'a> {
    /// How grave it is that the source is no disk: a conversion goes on with a warning, an import ends with an error.
    pub(crate) no_disk: Severity,
    /// What the import is going to be, if the system on the disk is to be judged as well.
    pub(crate) import: Option<&'a Intent>,
}

/// How a compressed disk is read that has to be read at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackedDisk {
    /// In the compressed file, where it can be expanded in parts: for what reads all of the disk, in order.
    WhereItIs,
    /// In a temporary file: for what also looks at the system on the disk, which jumps about.
    Unpacked,
}

/// Reads the image at `path` and plans its conversion. A compressed disk that has to be read at random is unpacked for that, to a
/// temporary file, unless it is in an xz file of several blocks.
///
/// # Errors
///
/// [`Error::NotConvertible`](crate::Error::NotConvertible) for formats that are not converted, and whatever opening the disk brings. An image that must not
/// be converted is `Ok`, with errors in its report.
pub fn plan_conversion(path: &Path, options: ConvertOptions, work: Work<'_>) -> Result<Plan> {
    let cancel = work.cancel;
    let mut image = OpenedImage::open_with(path, options.holes, cancel)?;
    refuse_bitmap(path, image.detection())?;
    image.expect(&options.checksums, work)?;
    compared_first(image, work, |image| {
        let image = unpacked(image, &options, PackedDisk::WhereItIs, work)?;
        planned(image, options, PlanPolicy { no_disk: Severity::Warning, import: None }, work)
    })
}

/// Plans something. If the image is refused, it is compared with the checksums that are expected of it first: another file may be the
/// reason. Otherwise it is compared when it was read.
pub(crate) fn compared_first(
    image: OpenedImage,
    work: Work<'_>,
    plan: impl FnOnce(OpenedImage) -> Result<Plan>,
) -> Result<Plan> {
    let hash = image.hash();
    match (plan(image), hash) {
        (Ok(plan), Some(hash)) if plan.is_refused() => hash.verify(work).map(|()| plan),
        (Err(error), Some(hash)) => Err(hash.instead_of(error, work)),
        (planned, _) => planned,
    }
}

/// Compares an OVA with its manifest and plans the conversion. The manifest comes first: it says more of a damaged disk than its tables.
pub(crate) fn planned(
    image: OpenedImage,
    options: ConvertOptions,
    policy: PlanPolicy<'_>,
    work: Work<'_>,
) -> Result<Plan> {
    let manifest = verify_manifest(&image, work)?;
    let mut plan = Plan::new(image, options, policy, work.cancel)?;
    plan.take_manifest(manifest);
    Ok(plan)
}

/// The same without unpacking anything. `None` if the disk has to be unpacked before it can be judged.
///
/// # Errors
///
/// As [`plan_conversion`].
pub fn plan_unless_packed(path: &Path, options: ConvertOptions, work: Work<'_>) -> Result<Option<Plan>> {
    let cancel = work.cancel;
    let image = OpenedImage::open_with(path, options.holes, cancel)?;
    refuse_bitmap(path, image.detection())?;
    verify_checksums(image.file(), &options.checksums, work)?;
    if image.is_to_be_unpacked(unpacked_for(&options))? {
        return Ok(None);
    }
    let policy = PlanPolicy { no_disk: Severity::Warning, import: None };
    planned(image, options, policy, work).map(Some)
}

/// Unpacks a compressed disk that has to be read at random, if nothing speaks against the output: that must not show after an hour.
pub(crate) fn unpacked(
    mut image: OpenedImage,
    options: &ConvertOptions,
    how: PackedDisk,
    work: Work<'_>,
) -> Result<OpenedImage> {
    let what = unpacked_for(options);
    if image.is_to_be_unpacked(what)?
        && let Some(output) = &options.output
    {
        check_output_name(output, if says_raw(output) { Format::Raw } else { Format::Zvhd2 })?;
        OutputFile::check_place(output, options.overwrite, &[image.file()])?;
    }
    let folder = options.folder_to_unpack_in();
    if how == PackedDisk::WhereItIs && what == Unpack::Formats {
        image = image.opened_at_random(&folder, work)?;
    }
    let mut image = image.unpacked(what, &folder, work)?;
    // What is wrong with the archive itself is reported by the plan.
    if image.is_archive()
        && image.detection().also.is_empty()
        && image.refuse_unless_archive_is_readable().is_ok()
    {
        let what = if options.output.is_none() { Unpack::Every } else { what };
        image.select_unpacked(options.disk.as_ref(), what, &folder, work)?;
    }
    Ok(image)
}

/// Which compressed disks have to be unpacked for such a conversion.
pub(crate) fn unpacked_for(options: &ConvertOptions) -> Unpack {
    // What is free, and where the backup of a GPT goes, shows only when all of the disk can be read.
    let is_changed = options.free_space == FreeSpaceBytes::LeaveOut || options.fit == DiskFit::WholeGib;
    if is_changed { Unpack::Every } else { Unpack::Formats }
}

/// Reads the start of a stream and plans its conversion. What shows only at its end is judged before the output gets its name.
///
/// # Errors
///
/// [`Error::NotFromStream`](crate::Error::NotFromStream) of an image that is no RAW; [`Error::StreamToStream`](crate::Error::StreamToStream)
/// and [`Error::StreamUnchanged`](crate::Error::StreamUnchanged) for what needs all of the disk before the first byte is written;
/// [`Error::EmptyStream`](crate::Error::EmptyStream); and whatever reading brings.
pub fn plan_stream(stream: InputStream, options: ConvertOptions, work: Work<'_>) -> Result<Plan> {
    let direction = direction_of_stream(stream.path(), &options)?;
    if let Some(output) = &options.output {
        // Before the first byte is read: whatever writes to the stream need not begin.
        let inputs = stream.input().cloned().into_iter().collect::<Vec<_>>();
        OutputFile::create_from(output, options.overwrite, &inputs)?;
    }
    let stream = StreamSource::begin(stream, &options.checksums)?;
    let no_disk = stream.judge_first(work.cancel)?;
    let mut plan = Plan::unjudged(ConversionSource::Stream(stream), options, direction);
    if let Some(finding) = no_disk {
        plan.report.push(finding.severity(Severity::Warning));
    }
    Ok(plan)
}

/// Connects to an NBD server and plans the conversion of a disk that it has.
///
/// # Errors
///
/// [`Error::Remote`](crate::Error::Remote) if the server can't be read from; as [`plan_conversion`].
pub fn plan_remote(address: &NbdAddress, options: ConvertOptions, work: Work<'_>) -> Result<Plan> {
    let policy = PlanPolicy { no_disk: Severity::Warning, import: None };
    planned_remote(address, options, policy, work)
}

pub(crate) fn planned_remote(
    address: &NbdAddress,
    options: ConvertOptions,
    policy: PlanPolicy<'_>,
    work: Work<'_>,
) -> Result<Plan> {
    let direction = direction_of_remote(Path::new(&address.to_string()), &options)?;
    if let Some(output) = &options.output {
        OutputFile::check_place(output, options.overwrite, &[])?;
    }
    let remote = RemoteDisk::open(address, Some(options.profile.max_disk), work.cancel)?;
    let mut plan = Plan::unjudged(ConversionSource::Remote(remote), options, direction);
    if let Some(finding) = plan.look_at_disk(policy.import, work.cancel)? {
        plan.report.push(finding.severity(policy.no_disk));
    }
    Ok(plan)
}

impl Plan {
    pub(crate) fn new(
        image: OpenedImage,
        options: ConvertOptions,
        policy: PlanPolicy<'_>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let (direction, kind) = direction(&image, &options)?;
        let mut plan = Self::unjudged(ConversionSource::Image(image), options, direction);
        if let Some(finding) = plan.judge(kind, policy.import, cancel)? {
            plan.report.push(finding.severity(policy.no_disk));
        }
        if let Some(image) = plan.source.image()
            && let Some(by) = image.file().in_use()?
        {
            check_in_use(by, &mut plan.report);
        }
        Ok(plan)
    }

    fn unjudged(source: ConversionSource, options: ConvertOptions, direction: Direction) -> Self {
        let report = Report::under(options.overrides.clone().of_conversion());
        Self {
            source,
            options,
            direction,
            report,
            guest: None,
            inspection: None,
            space: None,
            fitting: None,
            manifest: None,
        }
    }

    /// Compares the source, and the disk in it, with the rules. Returns why it is no disk; `None` if it may be one.
    fn judge(&mut self, kind: Kind, import: Option<&Intent>, cancel: &Cancel) -> Result<Option<Finding>> {
        let Self { source: ConversionSource::Image(image), options, report, .. } = self else {
            // Of a stream there is only its first block.
            return Ok(None);
        };
        if image.is_archive() {
            // What is wrong with the archive itself.
            check_readable(ImageLocation::File(image.path()), image.detection(), report);
            if !report.has_errors() {
                image.select_disk(options.disk.as_ref(), cancel)?;
            }
        }
        // What its headers say shows before the work; where they say nothing, what comes out is counted.
        check_expanded_size(image.detection(), options.profile, report);
        if report.has_errors() {
            return Ok(None);
        }
        if image.is_stream() {
            // What is in it shows at its beginning; what is at its end, when it was unpacked.
            check_readable(ImageLocation::File(image.path()), image.detection(), report);
            if report.has_errors() {
                return Ok(None);
            }
            if let Some(member) = image.member() {
                check_convertible(ImageLocation::Archive, &member.detection, options.profile, report);
                if report.has_errors() {
                    return Ok(None);
                }
            }
            let no_disk = match Blocks::open(image)? {
                Some(mut blocks) => blocks.judge_first(cancel)?,
                None => None,
            };
            // Nothing of the file can be read at random.
            if import.is_some_and(|intent| intent.purpose != Some(Purpose::Data)) {
                let why = "it can be read only when the file is decompressed; the result is checked";
                report.push_not_checked("the operating system", why);
            }
            if let Some(inspection) = read_start(image, cancel)? {
                self.refuse_cut(&inspection);
            }
            return Ok(no_disk);
        }
        if kind == Kind::Foreign {
            let (place, disk) = match image.member() {
                Some(member) => (ImageLocation::Archive, &member.detection),
                None => (ImageLocation::File(image.path()), image.detection()),
            };
            check_convertible(place, disk, options.profile, report);
            if report.has_errors() {
                return Ok(None);
            }
        } else if self.direction == Direction::ToZvhd2 || options.fit == DiskFit::WholeGib {
            let size = image.detection().virtual_size.unwrap_or(image.detection().file_size);
            check_disk_size(size, options.profile, report);
        }
        self.look_at_disk(import, cancel)
    }

    /// Refuses the plan if the first block of a compressed disk shows that a part of the disk is lost. What is no reason to refuse it is
    /// reported once all of the disk was unpacked.
    fn refuse_cut(&mut self, inspection: &Inspection) {
        let mut found = Report::new();
        check_disk_convertible(&self.inside(inspection, DiskPart::Start), DiskChecks::Lost, &mut found);
        let mut judged = Report::under(self.options.overrides.clone().of_conversion());
        judged.merge(found.clone());
        if self.is_refusal(&judged) {
            self.report.merge(found);
        }
    }

    /// Holds the disk in a compressed file, which was unpacked, against the rules. Returns whether the plan stands.
    pub(crate) fn judge_unpacked(&mut self, disk: &Disk<'_>, cancel: &Cancel) -> Result<bool> {
        let inspection = inspect_source(disk, disk.orig_size(), cancel)?;
        let mut found = Report::new();
        let inside = self.inside(&inspection, DiskPart::Whole);
        check_disk_convertible(&inside, DiskChecks::All, &mut found);
        self.report.merge(found);
        Ok(!self.is_refused())
    }

    /// What is on the disk, with the file that advice is for.
    fn inside<'a>(&'a self, inspection: &'a Inspection, part: DiskPart) -> Inside<'a> {
        // What is wrong with a partition table is best put right on the RAW that comes out.
        let medium = match (self.direction, &self.options.output, &self.source) {
            (Direction::ToRaw, Some(path), _) => Medium { path, kind: MediumKind::Raw, number: None },
            // A stream can't be read again, and a server may not be there any more.
            (_, path, ConversionSource::Stream(_) | ConversionSource::Remote(_)) => {
                let path = path.as_deref().unwrap_or(Path::new("disk.zvhd2"));
                Medium { path, kind: MediumKind::Other, number: None }
            }
            (_, _, source) => Medium {
                path: source.path(),
                kind: MediumKind::of(source.format()),
                number: source.member().and_then(|member| member.number),
            },
        };
        Inside { inspection, medium, part }
    }

    /// Opens the disk, so that whatever its headers have against it shows now and not after the output was begun, and looks at
    /// what is on it.
    fn look_at_disk(&mut self, import: Option<&Intent>, cancel: &Cancel) -> Result<Option<Finding>> {
        let source = &self.source;
        let disk = source.disk(cancel)?;
        let inspection = inspect_source(&disk, disk.orig_size(), cancel)?;
        let space = match self.options.free_space {
            FreeSpaceBytes::Keep => None,
            FreeSpaceBytes::LeaveOut => source
                .image()
                .map(|image| space_to_leave_out(image.file(), &inspection, &disk, cancel))
                .transpose()?,
        };
        // A RAW is made of a container to change what is on it.
        let checks = match (source.format(), self.direction) {
            (Format::Zvhd2 | Format::Zvhd, Direction::ToRaw) => DiskChecks::Lost,
            _ => DiskChecks::All,
        };
        let fitting = match self.options.fit {
            DiskFit::AsItIs => None,
            DiskFit::WholeGib => Some(fit_disk(source.path(), &disk, &inspection)?),
        };
        // What is read of it below is the same in the enlarged disk.
        let (disk, fitted) = match &fitting {
            Some(Ok(fitting)) => {
                let disk = disk.fitted(fitting);
                let fitted = inspect_source(&disk, fitting.size_after, cancel)?;
                (disk, Some(fitted))
            }
            _ => (disk, None),
        };
        let mut found = Report::new();
        let judged = fitted.as_ref().unwrap_or(&inspection);
        check_disk_convertible(&self.inside(judged, DiskPart::Whole), checks, &mut found);
        self.report.merge(found);
        let fitting = match fitting {
            // A truncated disk may have been refused by a finding, which says more.
            Some(Err(_)) if self.is_refused() => None,
            other => other.transpose()?,
        };
        let asked = import.filter(|intent| asks_for_a_system(&inspection, intent) == SystemAsked::Yes);
        if let Some(intent) = asked {
            let guest = read_guest(&inspection, &disk, GUEST_LIMITS, cancel)?;
            let mut found = Report::new();
            let on_disk = SystemOnDisk { guest: &guest, inspection: &inspection };
            check_guest(on_disk, self.options.profile, intent, &mut found);
            // What does not refuse the plan is reported with the result.
            let least = if self.options.strict { Severity::Warning } else { Severity::Error };
            let overrides = self.options.overrides.clone().of_conversion();
            for finding in found.findings() {
                let mut judged = Report::under(overrides.clone());
                judged.push(finding.clone());
                if judged.worst() >= Some(least) {
                    self.report.push(finding.clone());
                }
            }
            self.guest = Some(guest);
        }
        let name = source.content_name();
        let (name, detection) = match source.member() {
            Some(member) => (Path::new(&member.name), &member.detection),
            None => (&*name, source.detection()),
        };
        let no_disk = match detection.format {
            Format::Empty => Some(empty_file()),
            _ => why_not_on(name, &disk, detection, &inspection)?,
        };
        drop(disk);
        (self.inspection, self.space, self.fitting) = (Some(inspection), space, fitting);
        Ok(no_disk)
    }
}

impl Plan {
    /// Takes over what the manifest of an OVA says, with what it does not say.
    fn take_manifest(&mut self, manifest: Option<OvaManifest>) {
        let Some(mut manifest) = manifest else { return };
        if let Some(member) = self.source.member() {
            manifest.miss(&member.name);
        }
        for (what, why) in &manifest.not_checked {
            self.report.push_not_checked(what.clone(), why.clone());
        }
        self.manifest = Some(manifest);
    }

    /// The disk as it is converted: without the bytes that are left out, and enlarged.
    pub(crate) fn source_disk(&self, cancel: &Cancel) -> Result<Disk<'_>> {
        let disk = self.source.disk(cancel)?;
        let disk = match &self.space {
            Some(space) => disk.sparsified(space.ranges()),
            None => disk,
        };
        Ok(match self.fitting.as_ref().filter(|fitting| !fitting.is_unchanged()) {
            Some(fitting) => disk.fitted(fitting),
            None => disk,
        })
    }

    /// What would have been saved without the bytes that no file holds, of the blocks that held data; `None` if they were left out.
    pub(crate) fn saving(
        &self,
        seen: SeenBlocks,
        disk: &Disk<'_>,
        size: u64,
        cancel: &Cancel,
    ) -> Option<Saving> {
        let inspection = self.inspection.as_ref().filter(|_| self.space.is_none())?;
        seen.saving(inspection, disk, size, cancel)
    }

    /// What of the source is not known before all of it was read; it is judged before the output gets its name. Nothing of a file that is
    /// not compressed.
    pub fn open_until_end(&self) -> Vec<&'static str> {
        let ConversionSource::Stream(stream) = &self.source else { return Vec::new() };
        let mut open = vec!["the size of the disk", "the end of the disk with the backup GPT"];
        if stream.detection().format == Format::Raw {
            open.push("whether it is a format that shows only at the end, such as a fixed VHD");
        } else {
            open.push("whether the compressed data is complete");
        }
        if !self.options.checksums.is_empty() {
            open.push("the checksum");
        }
        open
    }

    /// Whether a rule forbids converting the source.
    pub fn is_refused(&self) -> bool {
        self.is_refusal(&self.report)
    }

    fn is_refusal(&self, report: &Report) -> bool {
        report.has_errors() || self.options.strict && report.worst() == Some(Severity::Warning)
    }

    /// The bitmap file that is written beside the output; `None` if there is none.
    pub fn bitmap(&self) -> Option<PathBuf> {
        let output = self.options.output.as_ref()?;
        (self.direction == Direction::ToRaw && self.options.bitmap).then(|| bitmap_path(output))
    }

    /// Whether `output` may be the result's name. A name that says another format than the file will have misleads the
    /// service as well as people.
    ///
    /// # Errors
    ///
    /// [`Error::MisleadingName`](crate::Error::MisleadingName).
    pub fn check_name(&self, output: &Path) -> Result<()> {
        let format = match self.direction {
            Direction::ToZvhd2 => Format::Zvhd2,
            Direction::ToRaw => Format::Raw,
        };
        check_output_name(output, format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(bytes: &[u8]) -> Result<Plan> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("my image.bin");
        std::fs::write(&path, bytes).unwrap();
        plan_conversion(&path, ConvertOptions::default(), Work::new(&(), &Cancel::new()))
    }

    #[test]
    fn the_source_decides_the_direction_and_a_name_may_not_deny_it() {
        let raw = plan_of(&[7; 4096]).unwrap();
        let codes = raw.report.findings().iter().map(|finding| finding.rule.code).collect::<Vec<_>>();
        assert_eq!((raw.direction, codes, raw.is_refused()), (Direction::ToZvhd2, vec!["IMS-035"], false));
        assert_eq!(plan_of(&[]).unwrap().direction, Direction::ToZvhd2);
        let container = plan_of(imsprep_testdata::golden("zstd_a_8m.zvhd2")).unwrap();
        assert_eq!(container.direction, Direction::ToRaw);
        assert_eq!(plan_of(imsprep_testdata::golden("zvhd1_a_8m.zvhd")).unwrap().direction, Direction::ToRaw);
        for (name, to_zvhd2, to_raw) in [
            ("a.zvhd2", true, false),
            ("a.ZVHD2", true, false),
            ("a.raw", false, true),
            ("a.img", false, true),
            ("a.qcow2", false, false),
            ("a.mf", false, false),
            ("a", true, true),
            ("a.new", true, true),
        ] {
            assert_eq!(raw.check_name(name.as_ref()).is_ok(), to_zvhd2, "{name}");
            assert_eq!(container.check_name(name.as_ref()).is_ok(), to_raw, "{name}");
        }
    }

    #[test]
    fn of_another_format_the_output_decides() {
        let qcow2 = imsprep_testdata::folder().join("disk.qcow2");
        for (name, direction) in [
            ("a.zvhd2", Direction::ToZvhd2),
            ("a.raw", Direction::ToRaw),
            ("a.IMG", Direction::ToRaw),
            ("a", Direction::ToZvhd2),
        ] {
            let output = Path::new(name);
            let options = ConvertOptions { output: Some(output.to_owned()), ..ConvertOptions::default() };
            let plan = plan_conversion(&qcow2, options, Work::new(&(), &Cancel::new())).unwrap();
            assert_eq!((plan.direction, plan.is_refused()), (direction, false), "{name}");
            plan.check_name(output).unwrap();
        }
    }

    #[test]
    fn what_is_no_disk_is_refused_with_the_way_out() {
        let error = plan_of(b"7z\xbc\xaf\x27\x1c\0\x04").unwrap_err().to_string();
        assert!(error.contains("unpack it"), "{error}");
    }
}
