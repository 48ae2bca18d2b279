//! What the flags of a conversion come to.

use anyhow::bail;
use imsprep_detect::Format;
use imsprep_toolkit::{Direction, DiskFit, FileHoles, FreeSpaceBytes, Plan};

use crate::args::ConvertArgs;

/// What becomes of the bytes that no file holds.
pub(super) fn free_space(sparsify: bool) -> FreeSpaceBytes {
    if sparsify { FreeSpaceBytes::LeaveOut } else { FreeSpaceBytes::Keep }
}

/// Whether the holes of a file are read.
pub(super) fn file_holes(read: bool) -> FileHoles {
    if read { FileHoles::AreRead } else { FileHoles::AreZeros }
}

/// Whether the disk is enlarged.
pub(super) fn disk_fit(fit: bool) -> DiskFit {
    if fit { DiskFit::WholeGib } else { DiskFit::AsItIs }
}

/// The same for flags that have no effect on a stream or an export, which is never unpacked to a file and holds one disk.
pub(super) fn refuse_what_needs_a_file(args: &ConvertArgs, source: &str) -> anyhow::Result<()> {
    let flags = [
        ("--temp-dir", args.temp.temp_dir.is_some()),
        ("--disk", args.disk.disk.is_some()),
        ("--io", args.io.is_some()),
        ("--size", args.size.is_some()),
        ("--read-holes", args.read_holes),
    ];
    if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
        bail!("{flag} does not apply to {source}");
    }
    Ok(())
}

/// A flag that has no effect is a misunderstanding, and is reported before the work rather than after it.
pub(super) fn refuse_what_does_not_apply(args: &ConvertArgs, plan: &Plan) -> anyhow::Result<()> {
    let of_zvhd2 = [
        ("--level", args.level.is_some()),
        ("--uuid", args.uuid.is_some()),
        ("--timestamp", args.timestamp.is_some()),
        ("--io", args.io.is_some()),
    ];
    let of_raw = [
        ("--size", args.size.is_some()),
        ("--no-bitmap", args.no_bitmap),
        ("--layout", args.layout.is_some()),
    ];
    let format = plan.source.format();
    if args.size.is_some() && !matches!(format, Format::Raw | Format::Zvhd2 | Format::Zvhd) {
        bail!("--size does not apply to {format} sources");
    }
    if args.disk.disk.is_some() && !format.is_archive() {
        bail!("--disk does not apply here: {} is {format} and contains one disk", args.source.display());
    }
    let (flags, to) = match plan.direction {
        Direction::ToZvhd2 => (&of_raw[..], "ZVHD2"),
        Direction::ToRaw => (&of_zvhd2[..], "RAW"),
    };
    if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
        bail!("{flag} does not apply here: {} is converted to {to}", args.source.display());
    }
    Ok(())
}
