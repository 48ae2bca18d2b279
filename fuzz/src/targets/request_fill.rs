//! Input: what a person wants of an image, and what the image shows, drawn.
//!
//! Oracle: a body that is made without an error is taken without one, as the same request; and it breaks the same rules when it
//! is read as when it was made.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use imsprep_detect::{Detection, Format};
use imsprep_findings::{Report, Severity};
use imsprep_rules::{
    Architecture, BootsBy, Detected, Firmware, HUAWEI, ImageFacts, ImageTag, OTC, OsType, OsVersions,
    Purpose, RequestOptions, ServerType, ValidateOptions, fill_request, validate_body,
};

use crate::plant::planted;
use crate::random::drawn_seeds;

const FORMATS: [Format; 6] =
    [Format::Raw, Format::Zvhd2, Format::Qcow2, Format::Vmdk, Format::Vhd, Format::Gzip];

/// See the module.
pub fn run(data: &[u8]) {
    // Too few bytes make no wishes.
    let _ = run_drawn(&mut Unstructured::new(data));
}

fn run_drawn(u: &mut Unstructured<'_>) -> Result<()> {
    let profile = if u.ratio(1, 2)? { &HUAWEI } else { &OTC };
    let facts = facts(u)?;
    let wishes = wishes(u)?;
    let os_versions = OsVersions::built_in(profile);
    let mut made = Report::new();
    let request = fill_request(&wishes, &facts, profile, &os_versions, &mut made);
    if made.has_errors() {
        return Ok(());
    }
    let body = planted(request.body.clone(), |body| {
        // A field that is forgotten is the bug to be found.
        body.image_url = None;
    });
    let body = serde_json::to_vec(&body).expect("a body is printed");
    let mut read = Report::new();
    let options = ValidateOptions {
        profile,
        os_versions: &os_versions,
        endpoint: Some(request.endpoint()),
        facts: Some(&facts),
    };
    let kind = validate_body(&body, &options, &mut read);
    let text = String::from_utf8_lossy(&body);
    assert_eq!(kind, Some(request.kind), "{text}");
    assert!(!read.has_errors(), "{text}: {:#?}", read.findings());
    let missing = warnings(&made).difference(&warnings(&read)).copied().collect::<Vec<_>>();
    let new = warnings(&read).difference(&warnings(&made)).copied().collect::<Vec<_>>();
    assert!(new.is_empty(), "{text}: {new:?} only when it is read, {missing:?} only when it is made");
    Ok(())
}

fn warnings(report: &Report) -> BTreeSet<&'static str> {
    let warnings = report.findings().iter().filter(|finding| finding.severity == Severity::Warning);
    warnings.map(|finding| finding.rule.code).collect()
}

fn facts(u: &mut Unstructured<'_>) -> Result<ImageFacts> {
    let size = 1_u64 << u.int_in_range(20..=44)?;
    let detection = Detection {
        format: *u.choose(&FORMATS)?,
        variant: None,
        file_size: size - u.int_in_range(0..=512)?,
        virtual_size: u.ratio(3, 4)?.then_some(size),
        facts: Vec::new(),
        also: Vec::new(),
        evidence: Vec::new(),
    };
    let mut facts = ImageFacts::of_detection(
        text(u, &["disk.raw", "my disk.img", "a.b.zvhd2", "übung.qcow2"])?,
        detection,
    );
    facts.purpose = maybe(u, &[Purpose::System, Purpose::Data])?.map(told);
    facts.boots_by = maybe(u, &[BootsBy::Bios, BootsBy::Uefi, BootsBy::Both])?.map(told);
    facts.architecture = maybe(u, &[Architecture::X86, Architecture::Arm])?.map(told);
    facts.os = maybe(u, &[OsType::Linux, OsType::Windows])?.map(told);
    Ok(facts)
}

fn told<T>(value: T) -> Detected<T> {
    Detected::new(value, "it was drawn")
}

fn wishes(u: &mut Unstructured<'_>) -> Result<RequestOptions> {
    let mut wishes = RequestOptions {
        bucket: text(u, &["bucket", "my-bucket", "b.c"])?,
        prefix: maybe_text(u, &["images", "a/b", "/x/"])?,
        name: text(u, &["image", "my_image-1", "a.b"])?,
        description: maybe_text(u, &["what it is", "Übung <1>"])?,
        purpose: maybe(u, &[Purpose::System, Purpose::Data])?,
        os_version: maybe_text(
            u,
            &["CentOS 7.0 64bit", "Windows Server 2019 Standard 64bit", "Other Linux(64 bit)"],
        )?,
        os_type: maybe(u, &[OsType::Linux, OsType::Windows])?,
        min_disk: maybe(u, &[1, 10, 40, 100, 1024, 2048, -1])?,
        machine: maybe(u, &[ServerType::Ecs, ServerType::Bms])?,
        architecture: maybe(u, &[Architecture::X86, Architecture::Arm])?,
        firmware: maybe(u, &[Firmware::Bios, Firmware::Uefi])?,
        license_type: maybe_text(u, &["platform", "byol"])?,
        tags: Vec::new(),
        image_tags: Vec::new(),
        enterprise_project_id: maybe_text(u, &["0", "ef4d9e0f-5e43-4d3a-9b7e-0e3a7a1c2b3d"])?,
        cmk_id: maybe_text(u, &["ef4d9e0f-5e43-4d3a-9b7e-0e3a7a1c2b3d"])?,
    };
    for _ in 0..u.int_in_range(0..=2)? {
        let (key, value) = (text(u, &["key", "a.b", "k-1"])?, text(u, &["value", "", "v.1"])?);
        if u.ratio(1, 2)? {
            wishes.tags.push((key, value));
        } else {
            wishes.image_tags.push(ImageTag { key, value });
        }
    }
    Ok(wishes)
}

/// Mostly one of these, at times anything.
fn text(u: &mut Unstructured<'_>, usual: &[&str]) -> Result<String> {
    if u.ratio(1, 8)? {
        return Ok(u.arbitrary::<&str>()?.chars().take(300).collect());
    }
    Ok((*u.choose(usual)?).to_owned())
}

fn maybe_text(u: &mut Unstructured<'_>, usual: &[&str]) -> Result<Option<String>> {
    u.ratio(1, 3)?.then(|| text(u, usual)).transpose()
}

fn maybe<T: Copy>(u: &mut Unstructured<'_>, choices: &[T]) -> Result<Option<T>> {
    u.ratio(1, 3)?.then(|| u.choose(choices).copied()).transpose()
}

/// Draws.
pub fn seeds() -> Vec<Vec<u8>> {
    drawn_seeds(24, 24)
}
