//! What a conversion is going to be, before it begins.

use std::path::{Path, PathBuf};

use imsprep_detect::{Detection, Format, detect};
use imsprep_findings::Report;
use imsprep_rules::{check_backup_gpt, shell_quoted};
use imsprep_source::ImageFile;

use crate::targets::IMAGE_EXTENSIONS;
use crate::{Error, Result};

/// Which way a conversion goes: the source's format decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// RAW in, ZVHD2 out.
    ToZvhd2,
    /// ZVHD2 or ZVHD in, RAW out.
    ToRaw,
}

/// A conversion that was looked into and not begun.
#[derive(Debug)]
pub struct Plan {
    /// The source.
    pub source: PathBuf,
    /// What it is.
    pub detection: Detection,
    /// Which way it goes.
    pub direction: Direction,
    /// What will be wrong with the result although the conversion is right.
    pub report: Report,
}

/// Looks at the image at `path` and tells what a conversion of it would be.
///
/// # Errors
///
/// [`Error::NotConvertible`] for other formats than RAW, ZVHD2 and ZVHD, and whatever reading brings.
pub fn plan_conversion(path: &Path) -> Result<Plan> {
    let detection = detect(&ImageFile::open(path)?)?;
    let direction = direction(path, &detection)?;
    let mut report = Report::new();
    if direction == Direction::ToZvhd2 {
        check_backup_gpt(&detection, detection.file_size, &mut report);
    }
    Ok(Plan { source: path.to_owned(), detection, direction, report })
}

fn direction(path: &Path, detection: &Detection) -> Result<Direction> {
    let refuse = |advice: String| {
        Err(Error::NotConvertible { path: path.to_owned(), format: detection.format, advice })
    };
    if !detection.also.is_empty() {
        return refuse("it is another format as well, see imsprep detect".into());
    }
    match detection.format {
        // Of a disk of no bytes the reference makes a container, too.
        Format::Raw | Format::Empty => Ok(Direction::ToZvhd2),
        Format::Zvhd2 | Format::Zvhd => Ok(Direction::ToRaw),
        Format::Qcow2
        | Format::Qcow
        | Format::Vmdk
        | Format::Vhd
        | Format::Vhdx
        | Format::Vdi
        | Format::Qed
        | Format::Parallels
        | Format::Dmg
        | Format::Bochs
        | Format::Cloop => {
            let (from, to) = (shell_quoted(path), shell_quoted(&path.with_extension("raw")));
            refuse(format!("make a RAW of it first: qemu-img convert -p -O raw {from} {to}"))
        }
        format if format.is_compressed() || format.is_archive() => refuse("unpack it first".into()),
        _ => refuse("no import takes what would come out".into()),
    }
}

impl Plan {
    /// Whether `output` may be the result's name. A name that says another format than the file will have misleads the
    /// service as well as people.
    ///
    /// # Errors
    ///
    /// [`Error::MisleadingName`].
    pub fn check_name(&self, output: &Path) -> Result<()> {
        let format = match self.direction {
            Direction::ToZvhd2 => Format::Zvhd2,
            Direction::ToRaw => Format::Raw,
        };
        check_output_name(output, format)
    }
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
        (IMAGE_EXTENSIONS.contains(&extension) || extension == "mf") && !allowed.contains(&extension)
    });
    if !says_another {
        return Ok(());
    }
    let extension = allowed.first().copied().unwrap_or_default();
    Err(Error::MisleadingName { path: output.to_owned(), format, extension })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(bytes: &[u8]) -> Result<Plan> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("my image.bin");
        std::fs::write(&path, bytes).unwrap();
        plan_conversion(&path)
    }

    #[test]
    fn the_source_decides_the_direction_and_a_name_may_not_deny_it() {
        let raw = plan_of(&[7; 4096]).unwrap();
        assert_eq!((raw.direction, raw.report.findings().len()), (Direction::ToZvhd2, 0));
        assert_eq!(plan_of(&[]).unwrap().direction, Direction::ToZvhd2);
        let container = plan_of(imsprep_testdata::golden("zstd_a_8m.zvhd2")).unwrap();
        assert_eq!(container.direction, Direction::ToRaw);
        assert_eq!(plan_of(imsprep_testdata::golden("zvhd1_a_8m.zvhd")).unwrap().direction, Direction::ToRaw);
        for (name, to_zvhd2, to_raw) in [
            ("a.zvhd2", true, false),
            ("a.ZVHD2", true, false),
            ("a.raw", false, true),
            ("a.img", false, true),
            ("a.qcow2", false, false),
            ("a.mf", false, false),
            ("a", true, true),
            ("a.new", true, true),
        ] {
            assert_eq!(raw.check_name(name.as_ref()).is_ok(), to_zvhd2, "{name}");
            assert_eq!(container.check_name(name.as_ref()).is_ok(), to_raw, "{name}");
        }
    }

    #[test]
    fn other_formats_are_refused_with_the_way_out() {
        let qcow2 = std::fs::read(imsprep_testdata::folder().join("disk.qcow2")).unwrap();
        let error = plan_of(&qcow2).unwrap_err().to_string();
        assert!(
            error.contains("is qcow2") && error.contains("image.bin' '") && error.contains("image.raw'"),
            "{error}"
        );
        let error = plan_of(b"\x1f\x8b\x08\0\0\0\0\0\0\0").unwrap_err().to_string();
        assert!(error.contains("unpack it"), "{error}");
    }
}
