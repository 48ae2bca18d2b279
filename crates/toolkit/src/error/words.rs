//! The parts of messages that depend on what happened.

use imsprep_detect::Format;
use imsprep_inspect::CannotFit;

pub(super) fn why_no_bitmap(format: Format) -> &'static str {
    match format {
        Format::Zvhd2 => {
            "; a ZVHD2 has a bitmap inside, with the same bits that the .mf of its RAW would have"
        }
        Format::Empty => "; it is empty",
        _ => "",
    }
}

pub(super) fn instead_of_fit(why: &CannotFit) -> &'static str {
    match why {
        CannotFit::Cut(_) => "compare its size with that of the original disk, and copy it again",
        CannotFit::NoSpace => "make the last partition smaller on the original machine",
        _ => "repair the table first, on a RAW copy of the disk, with sgdisk, gdisk or sfdisk",
    }
}

pub(super) fn why_no_socket(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; it exists, and may be in use: choose another name, or remove it if no program uses it"
        }
        _ => "",
    }
}

pub(super) fn why_no_machine(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::NotFound => "; install qemu (Debian's package qemu-system-x86)",
        _ => "",
    }
}

pub(super) fn which_disk(count: usize, names: &str, has_more: bool) -> String {
    match count {
        _ if has_more && count > 0 => {
            format!("an archive with more members than were inspected; its first disks: {names}")
        }
        _ if has_more => {
            "an archive with more members than were inspected; unpack it, and convert a disk in it".into()
        }
        0 => "an archive without a disk that imsprep reads; unpack it, and examine its content".into(),
        1 => format!("an archive with one disk ({names})"),
        count => format!("an archive with {count} disks: {names}"),
    }
}
