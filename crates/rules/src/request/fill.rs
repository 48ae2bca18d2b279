//! A body made from what the image shows and what a person wants.

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report};

use super::check::check;
use super::context::Context;
use super::facts::{Architecture, BootsBy, Firmware, ImageFacts};
use super::image_url::ObjectPlace;
use super::min_disk::{GIB, Range};
use super::os_type::OsType;
use super::read::{Draft, foreign_field};
use super::rules::TAG;
use super::words::quoted;
use super::{BodyKind, Endpoint, ImageTag, OsVersions, Purpose, RequestBody, SystemValue};
use crate::{Profile, Size};

/// What a person wants. What is `None` is filled in, or left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// The bucket that the image file goes to.
    pub bucket: String,
    /// The folder in it.
    pub prefix: Option<String>,
    /// The image's name.
    pub name: String,
    /// The image's description.
    pub description: Option<String>,
    /// What the disk is for.
    pub purpose: Option<Purpose>,
    /// The operating system of a system disk, in the service's words.
    pub os_version: Option<String>,
    /// The operating system that a data disk is for.
    pub os_type: Option<OsType>,
    /// The least size of a disk made from the image, in GB.
    pub min_disk: Option<i64>,
    /// `ECS` or `BMS`.
    pub machine: Option<ServerType>,
    /// The processor.
    pub architecture: Option<Architecture>,
    /// The firmware.
    pub firmware: Option<Firmware>,
    /// `platform` or `byol`.
    pub license_type: Option<String>,
    /// Tags in the older form, as key and value.
    pub tags: Vec<(String, String)>,
    /// Tags in the newer form.
    pub image_tags: Vec<ImageTag>,
    /// The enterprise project.
    pub enterprise_project_id: Option<String>,
    /// The key to encrypt the image with.
    pub cmk_id: Option<String>,
}

/// What a system disk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerType {
    /// Virtual machines.
    Ecs,
    /// Bare metal.
    Bms,
}

impl ServerType {
    fn name(self) -> &'static str {
        match self {
            Self::Ecs => "ECS",
            Self::Bms => "BMS",
        }
    }
}

/// A request, and where each part of it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which request it is.
    pub kind: BodyKind,
    /// Why it is this one, where it is not the quick import that was to be expected.
    pub why: Option<String>,
    /// Where the image file goes.
    pub place: ObjectPlace,
    /// What is sent.
    pub body: RequestBody,
    /// What was not asked for but found out or taken for granted.
    pub filled: Vec<Filled>,
}

impl Request {
    /// Where it is sent.
    pub fn endpoint(&self) -> Endpoint {
        self.kind.endpoint()
    }
}

/// One field that was filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// Where the value is from.
    pub why: String,
}

/// Makes the request for an image, and holds it against the rules.
///
/// With errors in the report the body is not fit to be sent.
pub fn fill_request(
    options: &RequestOptions,
    facts: &ImageFacts,
    profile: &'static Profile,
    os_versions: &OsVersions,
    report: &mut Report,
) -> Request {
    let purpose = purpose_of(options, facts);
    let (kind, why) = kind_of(purpose, facts, profile);
    let mut filler = Filler {
        options,
        facts,
        kind,
        profile,
        os_versions,
        body: RequestBody::default(),
        filled: Vec::new(),
    };
    filler.names();
    filler.system();
    filler.disk();
    filler.tags(report);
    filler.refuse_foreign(report);
    let place = ObjectPlace::of_file(&options.bucket, options.prefix.as_deref(), &facts.path);
    filler.body.image_url = Some(place.url());
    let Filler { body, filled, .. } = filler;
    let draft = Draft::made(body);
    check(&Context { draft: &draft, kind, profile, os_versions, facts: Some(facts) }, report);
    Request { kind, why, place, body: draft.body, filled }
}

/// What was said counts, then what the other flags imply, then what the image shows.
fn purpose_of(options: &RequestOptions, facts: &ImageFacts) -> Purpose {
    if let Some(purpose) = options.purpose {
        return purpose;
    }
    if options.os_version.is_some() || options.machine.is_some() {
        return Purpose::System;
    }
    if options.os_type.is_some() {
        return Purpose::Data;
    }
    facts.purpose.as_ref().map_or(Purpose::System, |found| found.value)
}

fn kind_of(purpose: Purpose, facts: &ImageFacts, profile: &Profile) -> (BodyKind, Option<String>) {
    let format = facts.detection.format;
    let quick = profile.quick_formats.contains(&format) || !format.is_common();
    let kind = match (quick, purpose) {
        (true, Purpose::System) => BodyKind::QuickSystem,
        (true, Purpose::Data) => BodyKind::QuickData,
        (false, Purpose::System) => BodyKind::CommonSystem,
        (false, Purpose::Data) => BodyKind::CommonData,
    };
    let why = (!quick).then(|| {
        format!(
            "the image is {format}, but quick import takes RAW and ZVHD2 only; this is the body of the {}, for \
             files of up to {}",
            kind.title(),
            Size(profile.max_common_file).scaled()
        )
    });
    (kind, why)
}

struct Filler<'a> {
    options: &'a RequestOptions,
    facts: &'a ImageFacts,
    kind: BodyKind,
    profile: &'static Profile,
    os_versions: &'a OsVersions,
    body: RequestBody,
    filled: Vec<Filled>,
}

impl Filler<'_> {
    fn filled(&mut self, field: &'static str, value: impl ToString, why: impl Into<String>) {
        self.filled.push(Filled { field, value: value.to_string(), why: why.into() });
    }

    fn names(&mut self) {
        let options = self.options;
        self.body.name = Some(options.name.clone());
        self.body.description.clone_from(&options.description);
        self.body.enterprise_project_id.clone_from(&options.enterprise_project_id);
        self.body.cmk_id = options.cmk_id.clone().filter(|_| self.kind.has("cmk_id"));
        self.body.license_type = options.license_type.clone().filter(|_| self.kind.has("license_type"));
    }

    fn system(&mut self) {
        let options = self.options;
        if self.kind == BodyKind::QuickData {
            self.body.image_type = Some("DataImage".into());
            self.filled("type", "DataImage", "it is a data disk");
        }
        if self.kind.purpose() == Purpose::Data {
            let (os_type, why) = match (options.os_type, &self.facts.os) {
                (Some(os_type), _) => (os_type, None),
                (None, Some(found)) => (found.value, Some(found.evidence.clone())),
                (None, None) => (OsType::Linux, Some("the service's default".into())),
            };
            self.body.os_type = Some(os_type.name().into());
            if let Some(why) = why {
                self.filled("os_type", os_type.name(), why);
            }
            return;
        }
        self.os_version();
        let machine = options.machine.unwrap_or(ServerType::Ecs);
        self.body.image_type = Some(machine.name().into());
        if options.machine.is_none() {
            self.filled("type", machine.name(), "the service's default");
        }
        let architecture = self.architecture();
        self.firmware(architecture);
    }

    /// As given, or the value for the system in the image. If no value names that, none is filled in: it would be a guess.
    fn os_version(&mut self) {
        self.body.os_version.clone_from(&self.options.os_version);
        let (None, Some(system)) = (&self.options.os_version, &self.facts.system) else { return };
        let (value, why) = match self.os_versions.of_system(system) {
            SystemValue::Named(value) => (value, system.by.clone()),
            SystemValue::Nearest(value) => {
                (value, format!("{}, and this is the nearest value of that version", system.by))
            }
            SystemValue::Offered(_) => return,
        };
        self.body.os_version = Some(value.clone());
        self.filled("os_version", value, why);
    }

    fn architecture(&mut self) -> Option<Architecture> {
        let architecture = match (self.options.architecture, &self.facts.architecture) {
            (Some(architecture), _) => architecture,
            (None, Some(found)) => {
                let (value, why) = (found.value, found.evidence.clone());
                self.filled("architecture", value.name(), why);
                value
            }
            (None, None) => return None,
        };
        self.body.architecture = Some(architecture.name().into());
        Some(architecture)
    }

    fn firmware(&mut self, architecture: Option<Architecture>) {
        let firmware = match (self.options.firmware, &self.facts.boots_by) {
            (Some(firmware), _) => firmware,
            (None, _) if architecture == Some(Architecture::Arm) => {
                self.filled("hw_firmware_type", "uefi", "arm boots by UEFI only");
                Firmware::Uefi
            }
            (None, Some(found)) => {
                let firmware = match found.value {
                    BootsBy::Bios => Firmware::Bios,
                    BootsBy::Uefi => Firmware::Uefi,
                    // Either will do: the service's default is left alone.
                    BootsBy::Both => return,
                };
                let why = found.evidence.clone();
                self.filled("hw_firmware_type", firmware.name(), why);
                firmware
            }
            (None, None) => return,
        };
        self.body.hw_firmware_type = Some(firmware.name().into());
    }

    fn disk(&mut self) {
        if self.options.min_disk.is_some() {
            self.body.min_disk = self.options.min_disk;
            return;
        }
        let Some(size) =
            self.facts.detection.virtual_size.filter(|_| self.facts.detection.format != Format::Empty)
        else {
            return;
        };
        // The range begins elsewhere for a Windows.
        let range = Range::of(self.kind, self.body.names_windows(), self.profile);
        let value = range.value_for(size);
        let raised = if value == range.usual && value > 1 {
            format!("; the minimum on some pages is {value}")
        } else if size > 0 && size % GIB == 0 {
            "; some pages require more than the disk".to_owned()
        } else {
            String::new()
        };
        self.body.min_disk = Some(value);
        self.filled("min_disk", value, format!("the disk has {}{raised}", Size(size)));
    }

    fn tags(&mut self, report: &mut Report) {
        let options = self.options;
        for (key, _) in &options.tags {
            if key.contains('.') {
                let message = format!(
                    "the tag's key {} contains a dot, but the key ends at the first dot",
                    quoted(key)
                );
                let fix = "use --image-tag, which has separate key and value, or remove the dot";
                report.push(Finding::new(&TAG, message).fix(fix).in_field("tags"));
            }
        }
        let joined = options.tags.iter().map(|(key, value)| format!("{key}.{value}")).collect::<Vec<_>>();
        self.body.tags = (!joined.is_empty()).then_some(joined);
        self.body.image_tags = (!options.image_tags.is_empty()).then(|| options.image_tags.clone());
    }

    /// What was requested and has no place in this kind of body.
    fn refuse_foreign(&self, report: &mut Report) {
        let options = self.options;
        for (field, is_there) in [
            ("os_version", options.os_version.is_some()),
            ("os_type", options.os_type.is_some()),
            ("type", options.machine.is_some()),
            ("architecture", options.architecture.is_some()),
            ("hw_firmware_type", options.firmware.is_some()),
            ("license_type", options.license_type.is_some()),
            ("cmk_id", options.cmk_id.is_some()),
        ] {
            let machine_of_data = field == "type" && self.kind == BodyKind::QuickData;
            if is_there && (!self.kind.has(field) || machine_of_data) {
                report.push(foreign_field(field, self.kind));
            }
        }
    }
}
