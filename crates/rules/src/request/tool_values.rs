//! The request as values for the tools that send it in a user's place: Terraform's providers and Packer's post-processor.

use std::fmt;

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report};

use super::hcl::{HclValue, assignments, past_go_templates};
use super::rules::{TOOL_CANT_SEND, TOOL_LACKS_FIELD, TOOL_SENDS_COMMON};
use super::{BodyKind, ImageFacts, Purpose, Request};
use crate::{Profile, Size};

/// A tool that sends requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Terraform, with the provider of the profile's cloud.
    Terraform,
    /// Packer, with the vendor's post-processor `huaweicloud-import`.
    Packer,
}

/// What takes the values: a resource of a provider, or a post-processor.
struct Taker {
    name: &'static str,
    /// Fields of the body, and what they are called here.
    arguments: &'static [(&'static str, &'static str)],
}

/// Values of the variables for a tool. Its `Display` is a file of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolValues {
    /// The resource or post-processor that takes them.
    pub taker: &'static str,
    /// The values by variable.
    pub values: Vec<(&'static str, HclValue)>,
    tool: Tool,
}

impl fmt::Display for ToolValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, page) = match self.tool {
            Tool::Terraform => ("the resource", "docs/terraform.md"),
            Tool::Packer => ("the post-processor", "docs/packer.md"),
        };
        writeln!(f, "# Values for {what} {}, by imsprep request. {page} has the configuration.", self.taker)?;
        f.write_str(&assignments(&self.values))
    }
}

const HUAWEI_QUICK_SYSTEM: Taker = Taker {
    name: "huaweicloud_ims_quickimport_system_image",
    arguments: &[
        ("name", "name"),
        ("os_version", "os_version"),
        ("image_url", "image_url"),
        ("min_disk", "min_disk"),
        ("description", "description"),
        ("type", "type"),
        ("architecture", "architecture"),
        ("hw_firmware_type", "hw_firmware_type"),
        ("license_type", "license_type"),
        ("tags", "tags"),
        ("enterprise_project_id", "enterprise_project_id"),
    ],
};

const HUAWEI_QUICK_DATA: Taker = Taker {
    name: "huaweicloud_ims_quickimport_data_image",
    arguments: &[
        ("name", "name"),
        ("os_type", "os_type"),
        ("image_url", "image_url"),
        ("min_disk", "min_disk"),
        ("description", "description"),
        ("type", "type"),
        ("tags", "tags"),
        ("enterprise_project_id", "enterprise_project_id"),
    ],
};

const HUAWEI_COMMON_SYSTEM: Taker = Taker {
    name: "huaweicloud_ims_obs_system_image",
    arguments: &[
        ("name", "name"),
        ("os_version", "os_version"),
        ("image_url", "image_url"),
        ("min_disk", "min_disk"),
        ("description", "description"),
        ("type", "type"),
        ("architecture", "architecture"),
        ("cmk_id", "cmk_id"),
        ("tags", "tags"),
        ("enterprise_project_id", "enterprise_project_id"),
    ],
};

const HUAWEI_COMMON_DATA: Taker = Taker { name: "huaweicloud_ims_obs_data_image", arguments: COMMON_DATA };

const OTC_SYSTEM: Taker = Taker {
    name: "opentelekomcloud_ims_image_v2",
    arguments: &[
        ("name", "name"),
        ("os_version", "os_version"),
        ("image_url", "image_url"),
        ("min_disk", "min_disk"),
        ("description", "description"),
        ("type", "type"),
        ("hw_firmware_type", "hw_firmware_type"),
        ("cmk_id", "cmk_id"),
        ("tags", "tags"),
        ("enterprise_project_id", "enterprise_project_id"),
    ],
};

const OTC_DATA: Taker = Taker { name: "opentelekomcloud_ims_data_image_v2", arguments: COMMON_DATA };

const COMMON_DATA: &[(&str, &str)] = &[
    ("name", "name"),
    ("os_type", "os_type"),
    ("image_url", "image_url"),
    ("min_disk", "min_disk"),
    ("description", "description"),
    ("cmk_id", "cmk_id"),
    ("tags", "tags"),
    ("enterprise_project_id", "enterprise_project_id"),
];

const PACKER: Taker = Taker {
    name: "huaweicloud-import",
    arguments: &[
        ("name", "image_name"),
        ("os_version", "image_os_version"),
        ("min_disk", "min_disk"),
        ("description", "image_description"),
        ("type", "image_type"),
        ("architecture", "image_architecture"),
        ("tags", "image_tags"),
        ("enterprise_project_id", "enterprise_project_id"),
    ],
};

/// Image formats that the post-processor takes.
const PACKER_FORMATS: &[Format] = &[Format::Raw, Format::Zvhd2, Format::Vmdk, Format::Qcow2];

/// The values for a tool, and findings about what the tool can't do.
///
/// With an error in the report, the tool cannot send the request, and the values are of no use.
pub fn tool_values(
    tool: Tool,
    request: &Request,
    facts: &ImageFacts,
    profile: &Profile,
    report: &mut Report,
) -> ToolValues {
    let taker = match (tool, profile.request.has_command_line, request.kind) {
        (Tool::Packer, _, _) => PACKER,
        (Tool::Terraform, true, BodyKind::QuickSystem) => HUAWEI_QUICK_SYSTEM,
        (Tool::Terraform, true, BodyKind::QuickData) => HUAWEI_QUICK_DATA,
        (Tool::Terraform, true, BodyKind::CommonSystem) => HUAWEI_COMMON_SYSTEM,
        (Tool::Terraform, true, BodyKind::CommonData) => HUAWEI_COMMON_DATA,
        (Tool::Terraform, false, BodyKind::QuickSystem | BodyKind::CommonSystem) => OTC_SYSTEM,
        (Tool::Terraform, false, BodyKind::QuickData | BodyKind::CommonData) => OTC_DATA,
    };
    let mut values = arguments(&taker, request, report);
    match tool {
        Tool::Packer => {
            check_packer(request, facts, profile, report);
            let place = [("obs_bucket_name", &request.place.bucket), ("obs_object_name", &request.place.key)];
            values.extend(place.map(|(name, text)| (name, HclValue::Text(text.clone()))));
            values.push(("format", HclValue::Text(facts.detection.format.to_string())));
            values.push(("quick_import", HclValue::Flag(request.kind.is_quick())));
            for (_, value) in &mut values {
                render_as_is(value);
            }
        }
        Tool::Terraform if !profile.request.has_command_line && request.kind.is_quick() => {
            check_common_instead(facts, profile, report);
        }
        Tool::Terraform => {}
    }
    ToolValues { taker: taker.name, values, tool }
}

/// The fields of the body that have a place, under the names that they have there.
fn arguments(taker: &Taker, request: &Request, report: &mut Report) -> Vec<(&'static str, HclValue)> {
    let body = &request.body;
    let tags = body.tags.iter().flatten().filter_map(|tag| tag.split_once('.'));
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let image_tags = body.image_tags.iter().flatten().map(|tag| (tag.key.clone(), tag.value.clone()));
    let tags = tags.chain(image_tags).collect::<Vec<_>>();
    let value = |field: &str| match field {
        "min_disk" => body.min_disk.map(HclValue::Number),
        "tags" => (!tags.is_empty()).then(|| HclValue::Map(tags.clone())),
        // The older names of the same thing, which are all that this resource has.
        "type" if taker.name == OTC_SYSTEM.name && body.image_type.as_deref() == Some("BMS") => {
            Some(HclValue::Text("Ironic".into()))
        }
        text => body.text(text).map(|text| HclValue::Text(text.to_owned())),
    };
    for field in ["hw_firmware_type", "architecture", "license_type", "cmk_id"] {
        let Some(given) =
            body.text(field).filter(|_| !taker.arguments.iter().any(|(name, _)| *name == field))
        else {
            continue;
        };
        // These are what the service takes for granted.
        if matches!((field, given), ("hw_firmware_type", "bios") | ("architecture", "x86")) {
            continue;
        }
        let finding = Finding::new(
            &TOOL_LACKS_FIELD,
            format!("{} has no {field}; the request has {given}", taker.name),
        );
        let finding = match field {
            "hw_firmware_type" => finding.fix(format!(
                "set it after the import: PATCH /v2/cloudimages/IMAGE_ID with [{{\"op\": \"add\", \"path\": \
                 \"/hw_firmware_type\", \"value\": \"{given}\"}}]"
            )),
            _ => finding,
        };
        report.push(finding.in_field(field));
    }
    taker.arguments.iter().filter_map(|(field, name)| Some((*name, value(field)?))).collect()
}

fn check_packer(request: &Request, facts: &ImageFacts, profile: &Profile, report: &mut Report) {
    let format = facts.detection.format;
    let cant = |message: &str| Finding::new(&TOOL_CANT_SEND, message);
    if request.kind.purpose() == Purpose::Data {
        let finding = cant("huaweicloud-import creates only system disks, but this is a data disk");
        report.push(finding.fix("send the request with --next-steps or --format tfvars"));
    }
    if format == Format::Raw && request.kind.is_quick() {
        let finding = cant(
            "huaweicloud-import uploads only the image file, but the quick import of a RAW needs its bitmap file (.mf)",
        );
        report.push(finding.fix("convert the image to ZVHD2, which needs no bitmap file: imsprep convert"));
    } else if !PACKER_FORMATS.contains(&format) {
        let finding =
            cant(&format!("huaweicloud-import takes raw, zvhd2, vmdk and qcow2, but the image is {format}"));
        report.push(finding.fix("convert the image to ZVHD2: imsprep convert"));
    } else if facts.path.extension().is_none_or(|end| end != format.to_string().as_str()) {
        let message = format!(
            "huaweicloud-import uploads the file whose name ends in .{format}; this one has another name"
        );
        report.push(
            Finding::new(&TOOL_LACKS_FIELD, message)
                .fix(format!("rename the file so that it ends in .{format}")),
        );
    }
    if !profile.request.has_command_line {
        let message = format!(
            "huaweicloud-import was made for Huawei Cloud; no page says that it works with {}",
            profile.title
        );
        report.push(
            Finding::new(&TOOL_LACKS_FIELD, message)
                .fix("send the request with --next-steps or --format tfvars"),
        );
    }
}

/// Open Telekom Cloud's provider sends the common import, whatever the format.
fn check_common_instead(facts: &ImageFacts, profile: &Profile, report: &mut Report) {
    let file = facts.detection.file_size;
    let most = profile.max_common_file;
    if file > most {
        let message = format!(
            "{}'s Terraform provider has no quick import, and the common import takes files of up to {}; this one has {}",
            profile.title,
            Size(most).scaled(),
            Size(file)
        );
        report.push(
            Finding::new(&TOOL_CANT_SEND, message).fix("send the request with the script of --next-steps"),
        );
    } else {
        let message = format!("{}'s Terraform provider has no quick import", profile.title);
        report.push(Finding::new(&TOOL_SENDS_COMMON, message));
    }
}

fn render_as_is(value: &mut HclValue) {
    match value {
        HclValue::Text(text) => *text = past_go_templates(text),
        HclValue::Map(members) => {
            for (_, text) in members {
                *text = past_go_templates(text);
            }
        }
        HclValue::Number(_) | HclValue::Flag(_) => {}
    }
}
