//! `imsprep boot --json`

use std::ffi::OsString;

use imsprep_toolkit::{BootEnd, BootFirmware, Booted};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use crate::words::boot::Machine;

#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    #[serde(flatten)]
    path: WirePath,
    format: &'static str,
    /// `bios` or `uefi`.
    firmware: &'static str,
    /// Whether something on the disk was found that this firmware starts.
    starts: bool,
    reasons: Vec<String>,
    /// The program and its arguments.
    command: Vec<String>,
    /// The command that has to run meanwhile, for a format that qemu does not read.
    serve: Option<Vec<String>>,
    /// Without `--run`: `null`.
    run: Option<WireRun>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRun {
    /// `found`, `timeout`, or `ended` if qemu ended before.
    result: &'static str,
    /// `kvm` or `tcg`.
    accelerator: &'static str,
    /// Why KVM was given up.
    without_kvm: Option<String>,
    seconds: f64,
    /// The last lines of the console.
    console: Vec<String>,
}

impl Body {
    pub(crate) fn new(machine: &Machine<'_>, booted: Option<&Booted>) -> Self {
        let plan = machine.plan;
        let words =
            |words: &[OsString]| words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Self {
            path: plan.path.as_path().into(),
            format: plan.format.name(),
            firmware: match plan.firmware {
                BootFirmware::Bios => "bios",
                BootFirmware::Uefi => "uefi",
            },
            starts: plan.starts,
            reasons: plan.reasons.clone(),
            command: words(&machine.command),
            serve: machine.serve.as_deref().map(words),
            run: booted.map(WireRun::from),
        }
    }
}

impl From<&Booted> for WireRun {
    fn from(booted: &Booted) -> Self {
        Self {
            result: match booted.end {
                BootEnd::Found => "found",
                BootEnd::TimedOut => "timeout",
                BootEnd::Ended(_) => "ended",
            },
            accelerator: booted.accelerator.name(),
            without_kvm: booted.without_kvm.clone(),
            seconds: booted.elapsed.as_secs_f64(),
            console: booted.last_lines.clone(),
        }
    }
}
