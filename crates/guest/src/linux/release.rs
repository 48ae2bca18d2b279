//! Which distribution it is, for which machine.

use crate::files::Files;
use crate::machine::ELF_HEAD;
use crate::{
    Answer, Machine, NotKnown, Release, Sourced, parse_debian_version, parse_elf_machine, parse_lsb_release,
    parse_os_release, parse_redhat_release, parse_suse_release,
};

/// One-line files of the Red Hat family: the distribution's own come before the one that all have.
const REDHAT_FILES: &[&str] = &[
    "/etc/centos-release",
    "/etc/oracle-release",
    "/etc/rocky-release",
    "/etc/almalinux-release",
    "/etc/euleros-release",
    "/etc/openEuler-release",
    "/etc/hce-release",
    "/etc/fedora-release",
    "/etc/redhat-release",
];
/// Programs that every system has one of.
const PROGRAMS: &[&str] = &[
    "/bin/sh",
    "/usr/lib/systemd/systemd",
    "/lib/systemd/systemd",
    "/sbin/init",
    "/bin/bash",
    "/bin/busybox",
    "/usr/bin/coreutils",
];

/// The distribution, with details that os-release leaves out.
pub(super) fn release(files: &Files<'_>) -> Answer<Sourced<Release>> {
    let mut found = None;
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        if let Some(release) = files.read(path)?.and_then(|bytes| parse_os_release(&bytes)) {
            found = Some(Sourced::new(release, files.origin(path)));
            break;
        }
    }
    let older = older(files)?;
    match (found, older) {
        (Some(mut found), older) => {
            // The minor version of CentOS, the point release of a Debian.
            let same = older.filter(|older| is_same(&found.value, &older.value));
            found.value.full_version = same.and_then(|older| older.value.full_version);
            Ok(found)
        }
        (None, Some(older)) => Ok(older),
        (None, None) => Err(NotKnown::because("no file names the distribution")),
    }
}

/// What the files say that came before os-release.
fn older(files: &Files<'_>) -> Answer<Option<Sourced<Release>>> {
    type Parse = fn(&[u8]) -> Option<Release>;
    let others: [(&str, Parse); 3] = [
        ("/etc/SuSE-release", parse_suse_release),
        ("/etc/lsb-release", parse_lsb_release),
        ("/etc/debian_version", parse_debian_version),
    ];
    let red_hat = REDHAT_FILES.iter().map(|path| (*path, parse_redhat_release as Parse));
    for (path, parse) in red_hat.chain(others) {
        if let Some(release) = files.read(path)?.and_then(|bytes| parse(&bytes)) {
            return Ok(Some(Sourced::new(release, files.origin(path))));
        }
    }
    Ok(None)
}

/// Whether an older file is of the same system: Ubuntu has a debian_version, and Rocky Linux a redhat-release.
fn is_same(release: &Release, older: &Release) -> bool {
    older.id == release.id
        && older.full_version.as_deref().is_some_and(|full| full.starts_with(&release.version))
}

/// The machine that the system's programs run on.
pub(super) fn machine(files: &Files<'_>) -> Answer<Sourced<Machine>> {
    let mut reason = None;
    for path in PROGRAMS {
        match files.head(path, ELF_HEAD) {
            Ok(Some(head)) => {
                if let Some(machine) = parse_elf_machine(&head) {
                    return Ok(Sourced::new(machine, files.origin(path)));
                }
            }
            Ok(None) => {}
            Err(error) => reason = Some(error),
        }
    }
    Err(reason
        .unwrap_or_else(|| NotKnown::because("no program with the machine type in its header was found")))
}
