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
  imsprep request --validate body.json              check an existing body
  imsprep request --validate body.json disk.raw     the same, and compare it with the image
  imsprep request disk.zvhd2 --bucket B --name N --os-version V --format tfvars -o image.auto.tfvars
  imsprep request --job job.json                    explain the service's answer about a job

Only the body is printed on standard output; findings are printed on standard error, unless -q is given. If there is an error (or, \
with --strict, a warning), the exit status is 1 and no body is printed. Values that the image shows are filled in: os_version, min_disk, \
type, architecture, hw_firmware_type, image_url. Quick import takes RAW and ZVHD2; for an image of up to 128 GiB in another format, request \
prints the body of the common import. imsprep sends nothing; --next-steps prints a script that does.

request does not read the whole image; imsprep check does.")]
pub(crate) struct RequestArgs {
    /// Image to import; with --validate, the image that the body is for
    #[arg(value_name = "FILE", required_unless_present_any = ["validate", "job"])]
    pub(crate) file: Option<PathBuf>,
    /// Check an existing body; - is standard input
    #[arg(long, value_name = "BODY", conflicts_with_all = ["next_steps", "output", "force", "region", "project_id", "format"])]
    pub(crate) validate: Option<PathBuf>,
    /// Explain the service's answer about a job or a refused request: its error codes, and what to do. FILE contains the
    /// answer to GET /v1/PROJECT_ID/jobs/JOB_ID; - is standard input. Exit status 1: the job failed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "validate", "endpoint", "RequestValueArgs", "os_versions", "output", "force", "format", "next_steps", "region", "project_id", "PolicyArgs"])]
    pub(crate) job: Option<PathBuf>,
    /// For --validate: the request that the body is for [default: detected from its fields]
    #[arg(long, value_name = "ENDPOINT", conflicts_with = "bucket")]
    pub(crate) endpoint: Option<EndpointName>,
    #[command(flatten)]
    pub(crate) options: RequestValueArgs,
    /// The service's own list of os_version values: its answer to GET /v1/cloudimages/os_version [default: an older list]
    #[arg(long, value_name = "JSON")]
    pub(crate) os_versions: Option<PathBuf>,
    /// Output format: the body, or values for a tool that sends it
    #[arg(long, value_name = "FORMAT", default_value = "json", conflicts_with = "next_steps")]
    pub(crate) format: RequestFormat,
    /// Write the body, or the values, to this file
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Replace OUT if it exists; never the image
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    /// Print a shell script that uploads the image, sends the request and waits for the job, instead of the body, which is in
    /// the script or in OUT
    #[arg(long)]
    pub(crate) next_steps: bool,
    /// For --next-steps: the region [default: the environment variable REGION]
    #[arg(long, value_name = "REGION", requires = "next_steps")]
    pub(crate) region: Option<String>,
    /// For --next-steps: the project's ID [default: the environment variable PROJECT_ID]
    #[arg(long, value_name = "ID", requires = "next_steps")]
    pub(crate) project_id: Option<String>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// Values of the body.
#[derive(Debug, Args)]
pub(crate) struct RequestValueArgs {
    /// Bucket of the image file
    #[arg(long, value_name = "BUCKET", required_unless_present_any = ["validate", "job"], conflicts_with = "validate")]
    pub(crate) bucket: Option<String>,
    /// Folder in the bucket, with or without slashes at its ends
    #[arg(long, value_name = "PREFIX", conflicts_with = "validate")]
    pub(crate) prefix: Option<String>,
    /// Name of the image in the cloud
    #[arg(long, value_name = "NAME", required_unless_present_any = ["validate", "job"], conflicts_with = "validate")]
    pub(crate) name: Option<String>,
    /// Operating system of a system disk, as listed by imsprep os-versions [default: detected from the image]
    #[arg(long, value_name = "VALUE", conflicts_with = "validate", value_parser = OsVersionParser, hide_possible_values = true)]
    pub(crate) os_version: Option<String>,
    /// Operating system that a data disk is for [default: detected from the image, else linux]
    #[arg(long, value_name = "OS", conflicts_with = "validate")]
    pub(crate) os_type: Option<OsTypeName>,
    /// System disk or data disk [default: detected from the image, else system]
    #[arg(long, value_name = "PURPOSE", conflicts_with = "validate")]
    pub(crate) purpose: Option<PurposeName>,
    /// Minimum size of a disk made from the image, in GB [default: the smallest value for the disk that all pages of the documentation allow]
    #[arg(long, value_name = "N", conflicts_with = "validate")]
    pub(crate) min_disk: Option<i64>,
    /// Processor architecture [default: detected from the image]
    #[arg(long, value_name = "ARCH", conflicts_with = "validate")]
    pub(crate) architecture: Option<ArchitectureName>,
    /// Firmware [default: detected from the image]
    #[arg(long, value_name = "FIRMWARE", conflicts_with = "validate")]
    pub(crate) firmware: Option<FirmwareName>,
    /// Type of the servers that boot from a system disk [default: ecs]
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, conflicts_with = "validate")]
    pub(crate) machine: Option<MachineName>,
    /// Description of the image
    #[arg(long, value_name = "TEXT", conflicts_with = "validate")]
    pub(crate) description: Option<String>,
    /// Tag in the older form (repeatable)
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag, conflicts_with = "validate")]
    pub(crate) tags: Vec<(String, String)>,
    /// Tag in the newer form, which cannot be combined with the older form (repeatable)
    #[arg(long = "image-tag", value_name = "KEY=VALUE", value_parser = parse_tag, conflicts_with = "validate")]
    pub(crate) image_tags: Vec<(String, String)>,
    /// Enterprise project of the image
    #[arg(long, value_name = "ID", conflicts_with = "validate")]
    pub(crate) enterprise_project: Option<String>,
    /// Licence of a Windows system: that of Huawei Cloud or your own
    #[arg(long, value_name = "TYPE", conflicts_with = "validate")]
    pub(crate) license_type: Option<LicenseName>,
    /// Key to encrypt the image with, in a common import
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
