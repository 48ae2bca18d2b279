//! `imsprep request`

use std::path::Path;

use anyhow::Context;
use imsprep_bitmap::bitmap_path;
use imsprep_rules::{
    Architecture, BodyPlace, Endpoint, Firmware, ImageTag, Intent, MAX_BODY, NextSteps, OsType, OsVersions,
    Profile, RequestOptions, ServerType, Tool, acts_on_terminal, tool_values,
};
use imsprep_source::{Input, OutputFile, Overwrite};
use imsprep_toolkit::{PreparedRequest, RequestPolicy, prepare_request, validate_request};

use super::read_bounded::read_bounded;
use crate::args::{
    ArchitectureName, EndpointName, FirmwareName, IntentArgs, LicenseName, MachineName, OsTypeName,
    RequestArgs, RequestFormat, RequestValueArgs,
};
use crate::exit::Status;
use crate::policy::Policy;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{json_text, print, print_error, print_json};
use crate::visible::is_ci_command;
use crate::wire;

/// Most bytes of a list of operating systems that is read: the service's own has some hundred KiB.
const MAX_LIST: usize = 8 << 20;

pub(crate) fn run(args: &RequestArgs, setup: &Setup) -> anyhow::Result<Status> {
    if let Some(answer) = &args.job {
        return super::job::run(answer, setup);
    }
    let options = &args.options;
    let intent = IntentArgs {
        purpose: options.purpose,
        prefix: options.prefix.clone(),
        bms: options.machine == Some(MachineName::Bms),
        ..IntentArgs::default()
    };
    let policy = Policy::resolve(&args.policy, &intent, setup)?;
    let os_versions = os_versions(args.os_versions.as_deref(), policy.profile)?;
    match (&args.validate, &args.file) {
        (Some(body), image) => validate(body, image.as_deref(), args, &policy, &os_versions, setup),
        (None, Some(image)) => make(image, args, &policy, &os_versions, setup),
        // The parser does not let this through.
        (None, None) => anyhow::bail!("an image or --validate BODY is required"),
    }
}

fn make(
    image: &Path,
    args: &RequestArgs,
    policy: &Policy,
    os_versions: &OsVersions,
    setup: &Setup,
) -> anyhow::Result<Status> {
    // Fails now if nothing can be written there.
    let output = args.output.as_deref().map(|output| begin_body(output, args)).transpose()?;
    let options = options(&args.options, &policy.intent);
    let judged_by = judged_by(policy, os_versions);
    let mut prepared = prepare_request(image, &options, judged_by, setup.work())?;
    let profile = policy.profile;
    let values = tool_of(args.format).map(|tool| {
        let PreparedRequest { request, facts, report, .. } = &mut prepared;
        tool_values(tool, request, facts, profile, report).to_string()
    });
    let warnings = policy.warnings;
    let status = warnings.status(&prepared.report);
    let body = match &values {
        Some(values) => values.clone(),
        None => json_text(&prepared.request.body)?,
    };
    let steps = if args.next_steps && status == Status::Fine {
        Some(next_steps(&prepared, args, policy)?)
    } else {
        None
    };
    let written = match output {
        Some(mut output) if status == Status::Fine => {
            output.write_all(body.as_bytes())?;
            output.commit()?;
            args.output.as_deref()
        }
        _ => None,
    };
    let result = match (status, &steps, written) {
        (Status::Fine, Some(steps), _) => steps.as_str(),
        (Status::Fine, None, None) => &body,
        _ => "",
    };
    match setup.output {
        Output::Json => {
            let texts = wire::request::Texts { next_steps: steps.as_deref(), tool_values: values.as_deref() };
            let made = wire::request::Made::new(&prepared, status, written, texts);
            print_json(&wire::Document::under(policy, "imsprep.request", status, made))?;
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
    policy: &Policy,
    os_versions: &OsVersions,
    setup: &Setup,
) -> anyhow::Result<Status> {
    let bytes = read_bounded(body, MAX_BODY)?;
    let endpoint = args.endpoint.map(Endpoint::from);
    let work = setup.work();
    let judged_by = judged_by(policy, os_versions);
    let validated = validate_request(&bytes, image, endpoint, judged_by, work)?;
    let profile = policy.profile;
    let warnings = policy.warnings;
    let status = warnings.status(&validated.report);
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let checked = wire::request::Validated::new(body, image, &validated);
            print_json(&wire::Document::under(policy, "imsprep.request.validate", status, checked))?;
        }
        Output::Text(detail) => {
            let checked =
                render::request::Validated { body, validated: &validated, profile, status, warnings, detail };
            print(&checked.to_string())?;
        }
    }
    Ok(status)
}

fn judged_by<'a>(policy: &'a Policy, os_versions: &'a OsVersions) -> RequestPolicy<'a> {
    let Policy { profile, intent, overrides, .. } = policy;
    RequestPolicy { profile, os_versions, intent, overrides }
}

fn os_versions(path: Option<&Path>, profile: &Profile) -> anyhow::Result<OsVersions> {
    let Some(path) = path else { return Ok(OsVersions::built_in(profile)) };
    let bytes = read_bounded(path, MAX_LIST)?;
    let name = path.display();
    anyhow::ensure!(
        bytes.len() <= MAX_LIST,
        "{name}: has more than {MAX_LIST} bytes, the limit for a list of os_version values"
    );
    OsVersions::of_answer(&bytes, name.to_string()).with_context(|| name.to_string())
}

/// The body's file, not yet in its place: never over what the request is about, nor over any other input.
fn begin_body(output: &Path, args: &RequestArgs) -> anyhow::Result<OutputFile> {
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    let bitmap = args.file.as_deref().map(bitmap_path);
    let inputs = [args.file.as_deref(), bitmap.as_deref(), args.os_versions.as_deref()];
    // The list may come from standard input.
    Ok(OutputFile::create_from(output, overwrite, &Input::existing(inputs.into_iter().flatten()))?)
}

/// The commands as a script that can be run in any folder. A path that is no text, or not only text, can't stand in one.
fn next_steps(prepared: &PreparedRequest, args: &RequestArgs, policy: &Policy) -> anyhow::Result<String> {
    let places = [Some(&prepared.facts.path), prepared.bitmap.as_ref(), args.output.as_ref()];
    for path in places.into_iter().flatten() {
        let name = path.display();
        anyhow::ensure!(
            path.to_str().is_some_and(|text| !text.contains(|c| acts_on_terminal(c) && c != '\n')),
            "{name}: is not UTF-8 or contains control characters, and cannot be used in commands; rename it"
        );
    }
    let absolute = |path: &Path| {
        let cannot = || format!("{}: cannot tell which folder this is in", path.display());
        std::path::absolute(path).with_context(cannot)
    };
    let mut facts = prepared.facts.clone();
    facts.path = absolute(&facts.path)?;
    let bitmap = prepared.bitmap.as_deref().map(absolute).transpose()?;
    let steps = NextSteps {
        request: &prepared.request,
        facts: &facts,
        bitmap: bitmap.as_deref(),
        profile: policy.profile,
        flags: &policy.flags(),
        region: args.region.as_deref(),
        project_id: args.project_id.as_deref(),
        body: match &args.output {
            Some(path) => BodyPlace::File(absolute(path)?),
            None => BodyPlace::Inline(json_text(&prepared.request.body)?),
        },
    };
    let steps = steps.to_string();
    if let Some(line) = steps.lines().find(|line| is_ci_command(line)) {
        anyhow::bail!(
            "a build server would interpret part of these commands as its own; choose other names: {line}"
        );
    }
    Ok(steps)
}

/// What goes into the body: flags, and else what the project file says.
fn options(args: &RequestValueArgs, intent: &Intent) -> RequestOptions {
    let image_tags = args.image_tags.iter();
    RequestOptions {
        bucket: args.bucket.clone().unwrap_or_default(),
        prefix: intent.prefix.clone(),
        name: args.name.clone().unwrap_or_default(),
        description: args.description.clone(),
        purpose: intent.purpose,
        os_version: args.os_version.clone(),
        os_type: args.os_type.map(|name| match name {
            OsTypeName::Linux => OsType::Linux,
            OsTypeName::Windows => OsType::Windows,
        }),
        min_disk: args.min_disk,
        machine: match args.machine {
            Some(MachineName::Ecs) => Some(ServerType::Ecs),
            Some(MachineName::Bms) => Some(ServerType::Bms),
            None => intent.bare_metal.then_some(ServerType::Bms),
        },
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
