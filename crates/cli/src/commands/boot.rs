//! `imsprep boot`

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use imsprep_toolkit::{
    BootAccelerator, BootEnd, BootFirmware, BootOptions, BootPlan, BootWatch, boot_until, boot_with_terminal,
    plan_boot,
};

use crate::args::{AccelChoice, BootArgs, FirmwareChoice};
use crate::exit::Status;
use crate::failure::note;
use crate::setup::{Output, Setup};
use crate::terminal::shown;
use crate::words::boot::Machine;
use crate::{emit, render, wire};

pub(crate) fn run(args: &BootArgs, setup: &Setup) -> anyhow::Result<Status> {
    let plan = plan_boot(&options(args), setup.cancel())?;
    if args.run && !plan.starts {
        let reasons = plan.reasons.join("; ");
        note(format_args!("nothing on the disk was found that this firmware starts: {}", shown(&reasons)));
    }
    match &args.until {
        None if args.run => in_the_terminal(args, &plan, setup),
        None => printed(args, &plan, setup),
        Some(until) => watched(args, &plan, until, setup),
    }
}

fn options(args: &BootArgs) -> BootOptions {
    BootOptions {
        image: args.image.clone(),
        disk: args.disk.disk.clone(),
        firmware: args.firmware.map(|firmware| match firmware {
            FirmwareChoice::Bios => BootFirmware::Bios,
            FirmwareChoice::Uefi => BootFirmware::Uefi,
        }),
        memory: args.memory,
        processors: args.processors,
        socket: socket_beside(&args.image),
    }
}

/// A name in the current folder, for the commands that are printed.
fn socket_beside(image: &Path) -> PathBuf {
    format!("{}.sock", image.file_name().unwrap_or_default().to_string_lossy()).into()
}

fn accelerator(args: &BootArgs) -> BootAccelerator {
    match args.accel {
        None => BootAccelerator::Auto,
        Some(AccelChoice::Kvm) => BootAccelerator::Kvm,
        Some(AccelChoice::Tcg) => BootAccelerator::Tcg,
    }
}

fn printed(args: &BootArgs, plan: &BootPlan, setup: &Setup) -> anyhow::Result<Status> {
    let machine = Machine::new(plan, &args.qemu, accelerator(args));
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.boot", Status::Fine, wire::boot::Body::new(&machine, None)),
        |_| render::boot::script(&machine),
    )?;
    Ok(Status::Fine)
}

fn in_the_terminal(args: &BootArgs, plan: &BootPlan, setup: &Setup) -> anyhow::Result<Status> {
    if setup.output == Output::Json {
        bail!("--json with --run needs --until: the console of the machine is standard output");
    }
    let ended = boot_with_terminal(plan, &args.qemu, accelerator(args), setup.cancel())?;
    if !ended.success() {
        bail!("{}: ended with {ended}", args.qemu.display());
    }
    Ok(Status::Fine)
}

fn watched(args: &BootArgs, plan: &BootPlan, until: &str, setup: &Setup) -> anyhow::Result<Status> {
    let watch = BootWatch {
        program: args.qemu.clone(),
        until: until.to_owned(),
        timeout: Duration::from_secs(args.timeout.into()),
        accelerator: accelerator(args),
    };
    let booted = boot_until(plan, &watch, setup.cancel())?;
    if let Some(why) = &booted.without_kvm {
        note(format_args!(
            "KVM is not used ({}); the guest was emulated, which is many times slower",
            shown(why)
        ));
    }
    let status = if booted.end == BootEnd::Found { Status::Fine } else { Status::Wrong };
    let machine = Machine::new(plan, &args.qemu, accelerator(args));
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.boot", status, wire::boot::Body::new(&machine, Some(&booted))),
        |_| render::boot::result(plan, &watch, &booted),
    )?;
    Ok(status)
}
