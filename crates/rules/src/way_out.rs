//! Where to go with an image that quick import does not take.

use std::path::Path;

use imsprep_detect::{Detection, Fact, Format};

use crate::{Profile, Size, shell_quoted};

/// The way out for an image in the wrong format, fitting its kind and its size.
pub(crate) fn way_out(path: &Path, detection: &Detection, profile: &Profile) -> String {
    let format = detection.format;
    match format {
        Format::Gzip | Format::Xz | Format::Zstd => {
            return format!(
                "unpack it, then check what was in it (it is compressed with {format}); a RAW in it becomes a ZVHD2 in one \
                 step: imsprep prepare {}",
                shell_quoted(path)
            );
        }
        Format::Bzip2 | Format::Zip => {
            return format!("unpack it, then check what was in it (it is compressed with {format})");
        }
        Format::Tar => {
            return format!(
                "an OVA is a tar archive; the disk in it becomes a ZVHD2 in one step: imsprep prepare {}",
                shell_quoted(path)
            );
        }
        Format::Iso9660 => {
            return "an ISO has an import of its own; or install from it and import the disk".into();
        }
        Format::Other(name @ ("lz4" | "7z")) => {
            return format!("unpack it, then check what was in it (it is compressed with {name})");
        }
        Format::Other(name) => {
            return format!("convert the {name} file to RAW or ZVHD2 with the tools of that format");
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
        format!("use the common import, which takes {format} files of up to {limit}; or {convert}")
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
        _ => return None,
    })
}
