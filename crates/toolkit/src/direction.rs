//! Which way a conversion goes.

use std::path::Path;

use imsprep_detect::{Access, Format};
use imsprep_rules::other_advice;

use crate::targets::is_image_extension;
use crate::{ConvertOptions, DiskFit, Error, FreeSpaceBytes, OpenedImage, Result};

/// Which way a conversion goes: the source's format decides, and for most formats the output's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// ZVHD2 out.
    ToZvhd2,
    /// RAW out.
    ToRaw,
}

/// Whether the source is one of the formats that quick import takes, with their forerunner, or another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Own,
    Foreign,
}

/// Which way the conversion of an image goes.
///
/// # Errors
///
/// If the image is not converted, or not as it is asked for.
pub(crate) fn direction(image: &OpenedImage, options: &ConvertOptions) -> Result<(Direction, Kind)> {
    let detection = image.detection();
    let refuse = |advice: String| {
        Err(Error::NotConvertible { path: image.path().to_owned(), format: detection.format, advice })
    };
    let output = options.output.as_deref();
    let by_name = |otherwise| by_name(output, otherwise);
    let leaves_out = options.free_space == FreeSpaceBytes::LeaveOut;
    let fits = options.fit == DiskFit::WholeGib;
    match detection.format {
        Format::Raw | Format::Empty | Format::Zvhd2 | Format::Zvhd | Format::Tar | Format::Zip
            if !detection.also.is_empty() =>
        {
            Err(Error::Ambiguous { path: image.path().to_owned(), format: detection.format })
        }
        // A disk that is changed is worth another file in the format that it is in.
        Format::Raw | Format::Empty if leaves_out || fits => Ok((by_name(Direction::ToZvhd2), Kind::Own)),
        Format::Zvhd2 if leaves_out || fits => Ok((by_name(Direction::ToRaw), Kind::Own)),
        Format::Raw if output.is_some_and(says_raw) => {
            Err(Error::SameFormat { path: image.path().to_owned(), format: detection.format })
        }
        Format::Zvhd2 if output.is_some_and(says_zvhd2) => {
            Err(Error::SameFormat { path: image.path().to_owned(), format: detection.format })
        }
        // Of a disk of no bytes the reference makes a container, too.
        Format::Raw | Format::Empty => Ok((Direction::ToZvhd2, Kind::Own)),
        Format::Zvhd2 => Ok((Direction::ToRaw, Kind::Own)),
        Format::Zvhd => Ok((by_name(Direction::ToRaw), Kind::Own)),
        Format::Other(other) => refuse(other_advice(other).into()),
        format => match format.access() {
            Access::Own(_) | Access::Qemu(_) | Access::Archive => {
                Ok((by_name(Direction::ToZvhd2), Kind::Foreign))
            }
            Access::Stream if detection.variant == Some("legacy") => refuse("unpack it first".into()),
            Access::Stream if leaves_out => {
                Err(Error::FreeSpaceOfStream { path: image.path().to_owned(), format })
            }
            Access::Stream if fits => Err(Error::FitOfStream { path: image.path().to_owned(), format }),
            Access::Stream if output.is_some() && detection.also.is_empty() => {
                Ok((by_name(Direction::ToZvhd2), Kind::Foreign))
            }
            Access::Stream => refuse(
                "and the size of the disk is known only after decompression: use a file for the output"
                    .into(),
            ),
            Access::UnreadStream | Access::UnreadArchive => refuse("unpack it first".into()),
            _ => refuse("no import takes the result".into()),
        },
    }
}

/// Which way the conversion of a stream goes.
///
/// # Errors
///
/// If it is not converted as it is asked for.
pub(crate) fn direction_of_stream(path: &Path, options: &ConvertOptions) -> Result<Direction> {
    let refuse = |what| Err(Error::StreamUnchanged { path: path.to_owned(), what });
    match &options.output {
        None => Err(Error::StreamToStream { path: path.to_owned() }),
        Some(_) if options.free_space == FreeSpaceBytes::LeaveOut => refuse(
            "is read once, from its first byte to its last, so that the free space of the disk in it cannot be left out",
        ),
        Some(_) if options.fit == DiskFit::WholeGib => {
            refuse("is read once, from its first byte to its last, so that the disk in it cannot be enlarged")
        }
        Some(output) => Ok(by_name(Some(output), Direction::ToZvhd2)),
    }
}

/// Which way the conversion of a disk of a server goes.
///
/// # Errors
///
/// If it is not converted as it is asked for.
pub(crate) fn direction_of_remote(path: &Path, options: &ConvertOptions) -> Result<Direction> {
    if options.free_space == FreeSpaceBytes::LeaveOut {
        return Err(Error::FreeSpaceOfRemote { path: path.to_owned() });
    }
    Ok(by_name(options.output.as_deref(), Direction::ToZvhd2))
}

/// Which way the name of the output says. One that says neither is that of a ZVHD2: what quick import takes without a second file.
fn by_name(output: Option<&Path>, otherwise: Direction) -> Direction {
    match output {
        Some(path) if says_raw(path) => Direction::ToRaw,
        Some(path) if says_zvhd2(path) => Direction::ToZvhd2,
        _ => otherwise,
    }
}

/// Whether a file's name says that it is a RAW.
pub(crate) fn says_raw(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("raw") || extension.eq_ignore_ascii_case("img")
    })
}

/// Whether a file's name says that it is a ZVHD2.
fn says_zvhd2(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zvhd2"))
}

/// Whether `output` may be the name of a RAW or a ZVHD2.
pub(crate) fn check_output_name(output: &Path, format: Format) -> Result<()> {
    let allowed = match format {
        Format::Zvhd2 => &["zvhd2"][..],
        _ => &["raw", "img"][..],
    };
    let extension = output.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    let says_another = extension.is_some_and(|extension| {
        let extension = extension.as_str();
        (is_image_extension(extension) || extension == "mf") && !allowed.contains(&extension)
    });
    if !says_another {
        return Ok(());
    }
    let extension = allowed.first().copied().unwrap_or_default();
    Err(Error::MisleadingName { path: output.to_owned(), format, extension })
}
