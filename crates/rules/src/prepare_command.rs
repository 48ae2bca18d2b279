//! The command that prepares an image.

use std::path::{Path, PathBuf};

use imsprep_detect::{Access, Format};

use crate::{Profile, shell_quoted};

/// The command that prepares an image, between the marks of a command, with these arguments. The output gets another name where the
/// service would refuse its own.
pub fn prepare_command(path: &Path, profile: &Profile, arguments: &str) -> String {
    let output = output_beside(path);
    let output = match output.file_name().map(|name| name.to_string_lossy()) {
        Some(name) if name.contains(' ') => {
            format!(" -o {}", shell_quoted(&output.with_file_name(name.replace(' ', "_"))))
        }
        _ => String::new(),
    };
    format!("`imsprep prepare {}{}{arguments}{output}`", shell_quoted(path), profile.flag())
}

/// Where a conversion goes if nothing else is said: `disk.zvhd2` for `disk.qcow2`, and for `disk.raw.gz` as well.
pub fn output_beside(path: &Path) -> PathBuf {
    let inner = path.with_extension("");
    let format = path.extension().and_then(|extension| Format::of_extension(&extension.to_string_lossy()));
    let compressed = format.is_some_and(|format| format.access() == Access::Stream);
    if compressed { inner.with_extension("zvhd2") } else { path.with_extension("zvhd2") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HUAWEI, OTC};

    #[test]
    fn the_output_lies_beside_the_source() {
        for (source, output) in [
            ("a/b.qcow2", "a/b.zvhd2"),
            ("a/b.c.vmdk", "a/b.c.zvhd2"),
            ("b.raw.GZ", "b.zvhd2"),
            ("b.xz", "b.zvhd2"),
            ("b", "b.zvhd2"),
        ] {
            assert_eq!(output_beside(Path::new(source)), Path::new(output));
        }
    }

    #[test]
    fn the_command_has_what_it_needs() {
        for (path, profile, command) in [
            ("a b/c.vmdk", &HUAWEI, "`imsprep prepare 'a b/c.vmdk'`"),
            ("a/b c.vmdk", &OTC, "`imsprep prepare 'a/b c.vmdk' --profile otc --allow X -o a/b_c.zvhd2`"),
        ] {
            let arguments = if profile.name == "otc" { " --allow X" } else { "" };
            assert_eq!(prepare_command(Path::new(path), profile, arguments), command);
        }
    }
}
