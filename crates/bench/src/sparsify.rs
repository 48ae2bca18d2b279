//! Other ways to leave out what no file holds, before a conversion: in a copy, which is then converted.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::rivals::{Call, OTHER_BUILD, OutputTarget, Rival, Scope, VIRT_SPARSIFY, Yields, program_of};

/// The rivals. Those that a variable of the environment names take part only if it is set.
pub(crate) const RIVALS: &[Rival] = &[
    Rival {
        name: "cp, zerofree, imsprep convert",
        what: "writes zeros over the free blocks of a copy, which is converted then; ext2 to ext4 without partitions only",
        needs: &["zerofree", "cp"],
        version: &[],
        package: "zerofree",
        scope: Scope::Sparsify,
        yields: Yields::Zvhd2OfACopy,
        place: OutputTarget::Disk,
        command: |call| in_a_copy(CP_ZEROFREE, "zerofree", call),
    },
    Rival {
        name: "virt-sparsify, imsprep convert",
        what: "copies the used parts of the image in a virtual machine; the copy is converted then",
        needs: &[VIRT_SPARSIFY],
        version: &["--version"],
        package: "guestfs-tools",
        scope: Scope::Sparsify,
        yields: Yields::Zvhd2OfACopy,
        place: OutputTarget::Disk,
        command: |call| in_a_copy(VIRT_SPARSIFY_RAW, VIRT_SPARSIFY, call),
    },
    Rival {
        name: "imsprep convert, another build",
        what: "the program that IMSPREP_OTHER_BUILD names, without --sparsify",
        needs: &[OTHER_BUILD],
        version: &["--version"],
        package: "",
        scope: Scope::Sparsify,
        yields: Yields::Zvhd2,
        place: OutputTarget::Disk,
        command: |call| {
            let mut command = Command::new(program_of(OTHER_BUILD));
            command.args(["convert", "--force", "--json", "--no-progress"]);
            if let Some(threads) = call.threads {
                command.arg("--threads").arg(threads.to_string());
            }
            command.arg("--").arg(call.image).arg(call.output);
            command
        },
    },
];

/// `$1` is the image, `$copy` the copy, `$3` the program.
const CP_ZEROFREE: &str = r#"cp --sparse=always --reflink=never -- "$1" "$copy" && "$3" "$copy""#;
const VIRT_SPARSIFY_RAW: &str = r#""$3" --quiet --format raw --convert raw "$1" "$copy""#;

/// Makes a copy, then a ZVHD2 of it by our program; the copy is removed again, as one would.
fn in_a_copy(make: &str, program: &str, call: &Call<'_>) -> Command {
    let threads = call.threads.map_or(String::new(), |threads| format!("--threads {threads} "));
    let script = format!(
        "copy=\"$2.copy.raw\"\n\
         {make} && \"$0\" convert --force --json --no-progress {threads}-- \"$copy\" \"$2\"\n\
         status=$?\n\
         rm -f -- \"$copy\"\n\
         exit $status\n"
    );
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(call.program).arg(call.image).arg(call.output);
    command.arg(program_of(program));
    command
}

#[derive(Deserialize)]
struct Converted {
    left_out: LeftOut,
}

#[derive(Deserialize)]
struct LeftOut {
    bytes: u64,
    volumes: Vec<Volume>,
}

#[derive(Deserialize)]
struct Volume {
    used: Option<u64>,
}

/// What the file systems of the disk use and what was left out, in bytes, from what a conversion printed.
pub(crate) fn space(printed: &Path) -> Option<(u64, u64)> {
    let text = std::fs::read(printed).ok()?;
    let Converted { left_out } = serde_json::from_slice(&text).ok()?;
    let used = left_out.volumes.iter().filter_map(|volume| volume.used).fold(0, u64::saturating_add);
    Some((used, left_out.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_that_of_another_rival() {
        let all = || crate::rivals::RIVALS.iter().chain(RIVALS).chain(crate::unpacking::RIVALS);
        let mut names = all().map(|rival| rival.name).collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn what_is_used_is_that_of_all_volumes_that_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let printed = dir.path().join("printed");
        let text = r#"{"left_out": {"bytes": 7, "volumes": [{"used": 3}, {"used": null}, {"used": 5}]}}"#;
        std::fs::write(&printed, text).unwrap();
        assert_eq!(space(&printed), Some((8, 7)));
        std::fs::write(&printed, r#"{"left_out": null}"#).unwrap();
        assert_eq!(space(&printed), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_copy_is_removed_and_a_failure_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let (image, output) = (dir.path().join("an image"), dir.path().join("output"));
        std::fs::write(&image, b"image").unwrap();
        let call = Call {
            image: &image,
            size: 5,
            output: &output,
            classes: dir.path(),
            program: Path::new("true"),
            threads: Some(2),
        };
        let status = |make| in_a_copy(make, "true", &call).status().unwrap();
        assert!(status(CP_ZEROFREE).success());
        assert_eq!(status("cp -- \"$1\" \"$copy\" && sh -c 'exit 7'").code(), Some(7));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the image is left");
    }
}
