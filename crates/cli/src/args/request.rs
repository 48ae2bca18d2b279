//! `imsprep request`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::os_versions::OsVersionParser;
use super::{PolicyArgs, PurposeName};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep request disk.raw --bucket my-images --name web-01 --os-version 'CentOS 7.0 64bit'
  imsprep request data.zvhd2 --bucket my-images --prefix 2026 --name data-01 --purpose data
  imsprep request disk.raw --bucket B --name N --os-version V --next-steps > next.sh
  imsprep request --validate body.json              a body that somebody wrote
  imsprep request --validate body.json disk.raw     the same, held against the image, too
  imsprep request disk.zvhd2 --bucket B --name N --os-version V --format tfvars -o image.auto.tfvars
  imsprep request --job job.json                    what the service's answer about a job means

The body goes to standard output and nothing else does, so that it can be piped; what is wrong goes to standard error, and -q \
leaves that out. If anything is an error (or a warning, under --strict), exit status 1, and no body: a wrong one is worse than \
none. What the image shows is filled in: min_disk, type, architecture, hw_firmware_type, image_url. Quick import takes RAW and ZVHD2; for an image in \
another format of up to 128 GiB the body of the common import is made. imsprep sends nothing: --next-steps prints the commands \
that do.

Only a quick look is taken at the image: imsprep check looks at its content.")]
pub(crate) struct RequestArgs {
    /// The image; with --validate, the one that the body is for
    #[arg(value_name = "FILE", required_unless_present_any = ["validate", "job"])]
    pub(crate) file: Option<PathBuf>,
    /// Check a body that somebody wrote; - is standard input
    #[arg(long, value_name = "BODY", conflicts_with_all = ["next_steps", "output", "force", "region", "project_id", "format"])]
    pub(crate) validate: Option<PathBuf>,
    /// Explain the service's answer about a job, or to a refused request: its error codes, and what to do. FILE holds the JSON
    /// of GET /v1/PROJECT_ID/jobs/JOB_ID; - is standard input. Exit status 1: the job failed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "validate", "endpoint", "RequestValueArgs", "os_versions", "output", "force", "format", "next_steps", "region", "project_id", "PolicyArgs"])]
    pub(crate) job: Option<PathBuf>,
    /// To --validate: where the body will be sent [default: its fields tell]
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "bucket")]
    pub(crate) endpoint: Option<EndpointName>,
    #[command(flatten)]
    pub(crate) options: RequestValueArgs,
    /// The service's own list of os_version values: its answer to GET /v1/cloudimages/os_version [default: an older list]
    #[arg(long, value_name = "JSON")]
    pub(crate) os_versions: Option<PathBuf>,
    /// What to print: the body, or values for a tool that sends it
    #[arg(long, value_name = "FORMAT", default_value = "json", conflicts_with = "next_steps")]
    pub(crate) format: RequestFormat,
    /// Write the body, or the values, to this file
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Replace OUT if it exists; never the image
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    /// Print the commands to run next instead of the body: upload, request, job. The body is in them, or in OUT
    #[arg(long)]
    pub(crate) next_steps: bool,
    /// For --next-steps: the region [default: the shell variable REGION]
    #[arg(long, value_name = "REGION", requires = "next_steps")]
    pub(crate) region: Option<String>,
    /// For --next-steps: the project's ID [default: the shell variable PROJECT_ID]
    #[arg(long, value_name = "ID", requires = "next_steps")]
    pub(crate) project_id: Option<String>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// What goes into the body.
#[derive(Debug, Args)]
pub(crate) struct RequestValueArgs {
    /// The bucket that the image file goes to
    #[arg(long, value_name = "BUCKET", required_unless_present_any = ["validate", "job"], conflicts_with = "validate")]
    pub(crate) bucket: Option<String>,
    /// The folder in the bucket; slashes at its ends don't matter
    #[arg(long, value_name = "PREFIX", conflicts_with = "validate")]
    pub(crate) prefix: Option<String>,
    /// The name that the image will have in the cloud
    #[arg(long, value_name = "NAME", required_unless_present_any = ["validate", "job"], conflicts_with = "validate")]
    pub(crate) name: Option<String>,
    /// The operating system of a system disk, in the service's words: imsprep os-versions lists them
    #[arg(long, value_name = "VALUE", conflicts_with = "validate", value_parser = OsVersionParser, hide_possible_values = true)]
    pub(crate) os_version: Option<String>,
    /// The operating system that a data disk is for [default: what the image shows, else linux]
    #[arg(long, value_name = "OS", conflicts_with = "validate")]
    pub(crate) os_type: Option<OsTypeName>,
    /// System disk or data disk [default: what the image shows, else system]
    #[arg(long, value_name = "PURPOSE", conflicts_with = "validate")]
    pub(crate) purpose: Option<PurposeName>,
    /// Least size of a disk made from the image, in GB [default: the next whole GB above the disk in the image]
    #[arg(long, value_name = "N", conflicts_with = "validate")]
    pub(crate) min_disk: Option<i64>,
    /// The processor [default: what the image shows]
    #[arg(long, value_name = "ARCH", conflicts_with = "validate")]
    pub(crate) architecture: Option<ArchitectureName>,
    /// The firmware [default: what the image shows]
    #[arg(long, value_name = "FIRMWARE", conflicts_with = "validate")]
    pub(crate) firmware: Option<FirmwareName>,
    /// A system disk for virtual machines or for bare metal [default: ecs]
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, conflicts_with = "validate")]
    pub(crate) machine: Option<MachineName>,
    /// What the image is, in words
    #[arg(long, value_name = "TEXT", conflicts_with = "validate")]
    pub(crate) description: Option<String>,
    /// A tag in the older form; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag, conflicts_with = "validate")]
    pub(crate) tags: Vec<(String, String)>,
    /// A tag in the newer form, which may not stand beside the older; may be repeated
    #[arg(long = "image-tag", value_name = "KEY=VALUE", value_parser = parse_tag, conflicts_with = "validate")]
    pub(crate) image_tags: Vec<(String, String)>,
    /// The enterprise project that the image will belong to
    #[arg(long, value_name = "ID", conflicts_with = "validate")]
    pub(crate) enterprise_project: Option<String>,
    /// Whose licence a Windows has: Huawei Cloud's or your own
    #[arg(long, value_name = "TYPE", conflicts_with = "validate")]
    pub(crate) license_type: Option<LicenseName>,
    /// The key to encrypt the image with, in a common import
    #[arg(long, value_name = "ID", conflicts_with = "validate")]
    pub(crate) cmk_id: Option<String>,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequestFormat {
    /// The body of the request
    Json,
    /// Values of variables for Terraform, with the provider of the profile's cloud: docs/terraform.md
    Tfvars,
    /// Values of variables for Packer's post-processor huaweicloud-import: docs/packer.md
    Pkrvars,
}

/// The endpoints by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EndpointName {
    /// POST /v2/cloudimages/quickimport/action
    Quickimport,
    /// POST /v1/cloudimages/dataimages/action, the common import of a data disk
    Dataimages,
    /// POST /v2/cloudimages/action, the common import of a system disk
    Images,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OsTypeName {
    Linux,
    Windows,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArchitectureName {
    X86,
    Arm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FirmwareName {
    Bios,
    Uefi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MachineName {
    /// Virtual machines
    Ecs,
    /// Bare metal: ZVHD2 only
    Bms,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LicenseName {
    Platform,
    Byol,
}

fn parse_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("expected KEY=VALUE, such as team=web".into()),
    }
}
