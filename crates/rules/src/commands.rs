//! The commands that findings advise. A rule and its advice are the command line's own data, so they may name its commands and
//! flags, as no other part of the libraries does. A command stands between back quotes and can be run as it is.

use std::path::{Path, PathBuf};

use imsprep_detect::{Access, Format};

use crate::{Profile, shell_quoted};

/// Advice where the name of an image is too long for that of its bitmap file.
pub const SHORTER_NAME: &str =
    "rename the image to a shorter name, then create its bitmap with imsprep bitmap create";

/// The command of the rules for bitmap files, which knows neither image nor layout.
pub const CREATE_ANEW: &str = "`imsprep bitmap create --force FILE`";

/// The same in a layout from a file whose place is not known.
pub const CREATE_ANEW_IN_THIS: &str = "imsprep bitmap create with --force and this --layout";

/// The command that writes the bitmap file of an image, with the name of a layout, and of the output where it is not beside the
/// image.
pub fn create_command(layout: Option<&str>, image: &Path, output: Option<&Path>) -> String {
    bitmap_command("", layout, image, output)
}

/// The same for a bitmap file that is replaced.
pub fn recreate_command(layout: Option<&str>, image: &Path, output: Option<&Path>) -> String {
    bitmap_command(" --force", layout, image, output)
}

fn bitmap_command(flags: &str, layout: Option<&str>, image: &Path, output: Option<&Path>) -> String {
    let layout = layout.map(|layout| format!(" --layout {layout}")).unwrap_or_default();
    let output = output.map(|output| format!(" -o {}", shell_quoted(output))).unwrap_or_default();
    format!("`imsprep bitmap create{flags}{layout} {}{output}`", shell_quoted(image))
}

/// The command that prepares an image, with these arguments. The output gets another name where the service would refuse its own.
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

/// The same into `output`, in spite of the rules of these codes, for one disk of an archive.
pub fn prepare_as(
    path: &Path,
    profile: &Profile,
    allowed: impl Iterator<Item = &'static str>,
    disk: Option<u32>,
    output: &Path,
) -> String {
    let allowed = allowed.map(|code| format!(" --allow {code}")).collect::<String>();
    let disk = disk.map(|disk| format!(" --disk {disk}")).unwrap_or_default();
    let (path, output, profile) = (shell_quoted(path), shell_quoted(output), profile.flag());
    format!("`imsprep prepare {path}{profile}{allowed}{disk} -o {output}`")
}

/// Where a conversion goes if nothing else is said: `disk.zvhd2` for `disk.qcow2`, and for `disk.raw.gz` as well. An image of another
/// format that is called `disk.zvhd2` goes to `disk.disk.zvhd2`, so that the output is never the source.
pub fn output_beside(path: &Path) -> PathBuf {
    let inner = path.with_extension("");
    let format = path.extension().and_then(|extension| Format::of_extension(&extension.to_string_lossy()));
    let compressed = format.is_some_and(|format| format.access() == Access::Stream);
    if compressed {
        inner.with_extension("zvhd2")
    } else if format == Some(Format::Zvhd2) {
        path.with_extension("disk.zvhd2")
    } else {
        path.with_extension("zvhd2")
    }
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
            ("a/b.zvhd2", "a/b.disk.zvhd2"),
            ("b.ZVHD2", "b.disk.zvhd2"),
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
