//! Where to go with an image that quick import does not take.

use std::path::Path;

use imsprep_detect::{Detection, Fact, Format};

use crate::{Profile, Size, shell_quoted};

/// The way out for an image in the wrong format, fitting its kind and its size.
pub(crate) fn way_out(path: &Path, detection: &Detection, profile: &Profile) -> String {
    let format = detection.format;
    match format {
        Format::Iso9660 => {
            return "an ISO has an import of its own; or install from it and import the disk".into();
        }
        Format::AndroidSparse => {
            let (source, raw) = (shell_quoted(path), shell_quoted(&other_name(path)));
            return format!("make a RAW of it: simg2img {source} {raw}, then imsprep bitmap create {raw}");
        }
        Format::Wim => {
            return "a WIM holds the files of an installation, not a disk: install from it, and import that disk"
                .into();
        }
        Format::Ewf | Format::Aff => {
            return format!("convert the {format} file to RAW with the tools of that format");
        }
        Format::Luks => return "decrypt it into a plain RAW image first".into(),
        _ => {}
    }
    let whole = detection.facts.iter().all(|fact| {
        !matches!(
            fact,
            Fact::ExtentFiles(_) | Fact::BackingFile(_) | Fact::ExternalDataFile(_) | Fact::Parent(_)
        )
    });
    let convert = match qemu_name(format) {
        // All else that speaks against a conversion is told by it, and by other findings.
        Some(_) if whole => {
            format!("convert it to ZVHD2 in one step: imsprep prepare {}", shell_quoted(path))
        }
        Some(name) => {
            let (source, raw) = (shell_quoted(path), shell_quoted(&other_name(path)));
            format!(
                "convert it to RAW and make its bitmap: qemu-img convert -p -f {name} -O raw {source} {raw} && imsprep \
                 bitmap create {raw}"
            )
        }
        None => format!("convert it to ZVHD2 in one step: imsprep prepare {}", shell_quoted(path)),
    };
    let common = profile.common_formats.contains(&format)
        && detection.file_size <= profile.max_common_file
        && detection.virtual_size.is_none_or(|size| size <= profile.max_disk)
        && whole;
    if common {
        let limit = Size(profile.max_common_file).scaled();
        // Pages disagree: "smaller than" and "not larger than".
        let doubt = if detection.file_size == profile.max_common_file {
            " (one page says of less than that, and this is exactly that)"
        } else {
            ""
        };
        format!("use the common import, which takes {format} files of up to {limit}{doubt}; or {convert}")
    } else {
        convert
    }
}

/// A name for the RAW that is not the image's own.
fn other_name(path: &Path) -> std::path::PathBuf {
    let raw = path.with_extension("raw");
    if raw == path { path.with_extension("converted.raw") } else { raw }
}

/// qemu-img's name of the format, where it reads it.
pub(crate) fn qemu_name(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::Qcow2 => "qcow2",
        Format::Qcow => "qcow",
        Format::Vmdk => "vmdk",
        Format::Vhd => "vpc",
        Format::Vhdx => "vhdx",
        Format::Vdi => "vdi",
        Format::Qed => "qed",
        Format::Parallels => "parallels",
        Format::Dmg => "dmg",
        Format::Bochs => "bochs",
        Format::Cloop => "cloop",
        _ => return None,
    })
}
