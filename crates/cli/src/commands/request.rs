//! `imsprep request`

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use imsprep_rules::{
    Architecture, BodyPlace, Endpoint, Firmware, ImageTag, MAX_BODY, Machine, NextSteps, OsType, OsVersions,
    Profile, Purpose, Tool, Wishes, tool_values,
};
use imsprep_source::{ImageFile, OutputFile, Overwrite};
use imsprep_toolkit::{PreparedRequest, prepare_request, validate_request};

use super::Warnings;
use crate::args::{
    ArchitectureName, EndpointName, FirmwareName, LicenseName, MachineName, OsTypeName, RequestArgs,
    RequestFormat, WishArgs,
};
use crate::exit::Status;
use crate::policy::profile_of;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{acts, json_text, print, print_error, print_json};
use crate::wire;

/// Most bytes of a list of operating systems that is read: the service's own has some hundred KiB.
const MAX_LIST: usize = 8 << 20;

pub(crate) fn run(args: &RequestArgs, setup: &Setup) -> anyhow::Result<Status> {
    if let Some(answer) = &args.job {
        return super::job::run(answer, setup);
    }
    let profile = profile_of(args.profile);
    let os_versions = os_versions(args.os_versions.as_deref(), profile)?;
    match (&args.validate, &args.file) {
        (Some(body), image) => validate(body, image.as_deref(), args, profile, &os_versions, setup),
        (None, Some(image)) => make(image, args, profile, &os_versions, setup),
        // The parser does not let this through.
        (None, None) => anyhow::bail!("an image is needed, or --validate BODY"),
    }
}

fn make(
    image: &Path,
    args: &RequestArgs,
    profile: &'static Profile,
    os_versions: &OsVersions,
    setup: &Setup,
) -> anyhow::Result<Status> {
    let wishes = wishes(&args.wishes);
    let mut prepared =
        prepare_request(image, &wishes, profile, os_versions, setup.progress(), setup.cancel())?;
    let values = tool_of(args.format).map(|tool| {
        let PreparedRequest { request, facts, report, .. } = &mut prepared;
        tool_values(tool, request, facts, profile, report).to_string()
    });
    let warnings = Warnings::from_flag(args.strict);
    let status = warnings.status(&prepared.report);
    let body = match &values {
        Some(values) => values.clone(),
        None => json_text(&prepared.request.body)?,
    };
    let written = match &args.output {
        Some(output) if status == Status::Fine => {
            write_body(&body, output, args, prepared.bitmap.as_deref())?;
            Some(output.as_path())
        }
        _ => None,
    };
    let steps = if args.next_steps && status == Status::Fine {
        Some(next_steps(&prepared, args, profile)?)
    } else {
        None
    };
    let result = match (status, &steps, written) {
        (Status::Fine, Some(steps), _) => steps.as_str(),
        (Status::Fine, None, None) => &body,
        _ => "",
    };
    match setup.output {
        Output::Json => {
            let texts = wire::request::Texts { next_steps: steps.as_deref(), tool_values: values.as_deref() };
            let made = wire::request::Made::new(&prepared, profile, status, written, texts);
            print_json(&wire::Document::new("imsprep.request", status, made))?;
        }
        // The result is still wanted: what is left out is everything about it.
        Output::Quiet => print(result)?,
        Output::Text(detail) => {
            let made =
                render::request::Made { prepared: &prepared, profile, status, written, warnings, detail };
            print_error(&made.to_string());
            print(result)?;
        }
    }
    Ok(status)
}

fn tool_of(format: RequestFormat) -> Option<Tool> {
    match format {
        RequestFormat::Json => None,
        RequestFormat::Tfvars => Some(Tool::Terraform),
        RequestFormat::Pkrvars => Some(Tool::Packer),
    }
}

fn validate(
    body: &Path,
    image: Option<&Path>,
    args: &RequestArgs,
    profile: &'static Profile,
    os_versions: &OsVersions,
    setup: &Setup,
) -> anyhow::Result<Status> {
    let bytes = read_bounded(body, MAX_BODY)?;
    let endpoint = args.endpoint.map(Endpoint::from);
    let (progress, cancel) = (setup.progress(), setup.cancel());
    let validated = validate_request(&bytes, image, endpoint, profile, os_versions, progress, cancel)?;
    let warnings = Warnings::from_flag(args.strict);
    let status = warnings.status(&validated.report);
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let checked = wire::request::Validated::new(body, image, &validated, profile);
            print_json(&wire::Document::new("imsprep.request.validate", status, checked))?;
        }
        Output::Text(detail) => {
            let checked =
                render::request::Validated { body, validated: &validated, profile, status, warnings, detail };
            print(&checked.to_string())?;
        }
    }
    Ok(status)
}

fn os_versions(path: Option<&Path>, profile: &Profile) -> anyhow::Result<OsVersions> {
    let Some(path) = path else { return Ok(OsVersions::built_in(profile)) };
    let bytes = read_bounded(path, MAX_LIST)?;
    let name = path.display();
    anyhow::ensure!(
        bytes.len() <= MAX_LIST,
        "{name}: has more than {MAX_LIST} bytes, which no list of os_version has"
    );
    OsVersions::of_answer(&bytes, name.to_string()).with_context(|| name.to_string())
}

/// Reads a file, or standard input, but no more than one byte beyond the most that is looked at.
pub(super) fn read_bounded(path: &Path, most: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{}: cannot read", path.display()))?;
    Ok(bytes)
}

/// Never over what the request is about, nor over what told us of it.
fn write_body(body: &str, output: &Path, args: &RequestArgs, bitmap: Option<&Path>) -> anyhow::Result<()> {
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    let inputs = [args.file.as_deref(), bitmap, args.os_versions.as_deref()];
    // The list may come from standard input.
    let inputs = inputs.into_iter().flatten().filter_map(|path| ImageFile::open(path).ok());
    let inputs = inputs.collect::<Vec<_>>();
    let mut file = OutputFile::create(output, overwrite, &inputs.iter().collect::<Vec<_>>())?;
    file.write_all(body.as_bytes())?;
    Ok(file.commit()?)
}

/// The commands as a script. A path that is no text, or not only text, can't stand in one.
fn next_steps(
    prepared: &PreparedRequest,
    args: &RequestArgs,
    profile: &'static Profile,
) -> anyhow::Result<String> {
    let places = [Some(&prepared.facts.path), prepared.bitmap.as_ref(), args.output.as_ref()];
    for path in places.into_iter().flatten() {
        let name = path.display();
        anyhow::ensure!(
            path.to_str().is_some_and(|text| !text.contains(|c| acts(c) && c != '\n')),
            "{name}: is not UTF-8 or acts on a terminal, and can't stand in commands; rename it"
        );
    }
    let steps = NextSteps {
        request: &prepared.request,
        facts: &prepared.facts,
        bitmap: prepared.bitmap.as_deref(),
        profile,
        region: args.region.as_deref(),
        project_id: args.project_id.as_deref(),
        body: args.output.clone().map_or(BodyPlace::Inline, |path: PathBuf| BodyPlace::File(path)),
    };
    Ok(steps.to_string())
}

fn wishes(args: &WishArgs) -> Wishes {
    let image_tags = args.image_tags.iter();
    Wishes {
        bucket: args.bucket.clone().unwrap_or_default(),
        prefix: args.prefix.clone(),
        name: args.name.clone().unwrap_or_default(),
        description: args.description.clone(),
        purpose: args.purpose.map(Purpose::from),
        os_version: args.os_version.clone(),
        os_type: args.os_type.map(|name| match name {
            OsTypeName::Linux => OsType::Linux,
            OsTypeName::Windows => OsType::Windows,
        }),
        min_disk: args.min_disk,
        machine: args.machine.map(|name| match name {
            MachineName::Ecs => Machine::Ecs,
            MachineName::Bms => Machine::Bms,
        }),
        architecture: args.architecture.map(|name| match name {
            ArchitectureName::X86 => Architecture::X86,
            ArchitectureName::Arm => Architecture::Arm,
        }),
        firmware: args.firmware.map(|name| match name {
            FirmwareName::Bios => Firmware::Bios,
            FirmwareName::Uefi => Firmware::Uefi,
        }),
        license_type: args.license_type.map(|name| match name {
            LicenseName::Platform => "platform".into(),
            LicenseName::Byol => "byol".into(),
        }),
        tags: args.tags.clone(),
        image_tags: image_tags
            .map(|(key, value)| ImageTag { key: key.clone(), value: value.clone() })
            .collect(),
        enterprise_project_id: args.enterprise_project.clone(),
        cmk_id: args.cmk_id.clone(),
    }
}

impl From<EndpointName> for Endpoint {
    fn from(name: EndpointName) -> Self {
        match name {
            EndpointName::Quickimport => Self::QuickImport,
            EndpointName::Dataimages => Self::DataImage,
            EndpointName::Images => Self::Image,
        }
    }
}
