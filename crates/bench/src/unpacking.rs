//! Other ways to convert compressed images.

use std::path::Path;
use std::process::Command;

use crate::rivals::{Call, OTHER_BUILD, OutputTarget, Rival, Scope, Yields, program_of};
use crate::wrapped::Wrapped;

const BY_ANOTHER_BUILD: Rival = Rival {
    name: "xz -dT2, then another build",
    what: "unpacks to a file, which is converted by the build that IMSPREP_OTHER_BUILD names then",
    needs: &[OTHER_BUILD, "xz"],
    version: &["--version"],
    package: "xz-utils",
    scope: Scope::WrappedXz,
    yields: Yields::Zvhd2,
    place: OutputTarget::Disk,
    command: |call| unpacked("xz -dcT2", Path::new(&program_of(OTHER_BUILD)), call),
};

/// The rivals. The other build takes part only if a variable of the environment names it.
pub(crate) const RIVALS: &[Rival] = &[
    Rival {
        name: "imsprep, another build",
        what: "the program that IMSPREP_OTHER_BUILD names, with the same command",
        needs: &[OTHER_BUILD],
        version: &["--version"],
        package: "",
        scope: Scope::Wrapped,
        yields: Yields::Zvhd2,
        place: OutputTarget::Disk,
        command: |call| {
            let mut command = Command::new(program_of(OTHER_BUILD));
            let is_prepare = call.image.file_stem().is_some_and(|stem| stem == Wrapped::Prepare.name());
            command.args([
                if is_prepare { "prepare" } else { "convert" },
                "--force",
                "--json",
                "--no-progress",
            ]);
            if let Some(threads) = call.threads {
                command.arg("--threads").arg(threads.to_string());
            }
            if is_prepare {
                command.arg("--output").arg(call.output).arg("--").arg(call.image);
            } else {
                command.arg("--").arg(call.image).arg(call.output);
            }
            command
        },
    },
    Rival {
        name: "xz -dT2, then imsprep convert",
        what: "unpacks to a file, which is converted by this build then",
        needs: &["xz"],
        version: &["--version"],
        package: "xz-utils",
        scope: Scope::WrappedXz,
        yields: Yields::Zvhd2,
        place: OutputTarget::Disk,
        command: |call| unpacked("xz -dcT2", call.program, call),
    },
    Rival {
        name: "xz -dT1, then another build",
        what: "the same as the next one, but on one thread, as xz -d does before version 5.6",
        command: |call| unpacked("xz -dcT1", Path::new(&program_of(OTHER_BUILD)), call),
        ..BY_ANOTHER_BUILD
    },
    BY_ANOTHER_BUILD,
];

/// Unpacks, then makes a ZVHD2 of that by this program; what was unpacked is removed again, as one would.
fn unpacked(unpack: &str, program: &Path, call: &Call<'_>) -> Command {
    let threads = call.threads.map_or(String::new(), |threads| format!("--threads {threads} "));
    let script = format!(
        "copy=\"$2.copy\"\n\
         {unpack} -- \"$1\" > \"$copy\" && \"$0\" convert --force --json --no-progress {threads}-- \"$copy\" \"$2\"\n\
         status=$?\n\
         rm -f -- \"$copy\"\n\
         exit $status\n"
    );
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(program).arg(call.image).arg(call.output);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_unpacked_is_removed_and_a_failure_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let (image, output) = (dir.path().join("an image"), dir.path().join("output"));
        std::fs::write(&image, b"image").unwrap();
        let program = Path::new("true");
        let call =
            Call { image: &image, size: 5, output: &output, classes: dir.path(), program, threads: None };
        assert!(unpacked("cat", program, &call).status().unwrap().success());
        assert!(!unpacked("cat", Path::new("false"), &call).status().unwrap().success());
        assert!(!unpacked("false", program, &call).status().unwrap().success());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the image is left");
    }
}
