//! The rivals, as data: what each is, how it is called, and what comes out of it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use crate::case::Task;
use crate::foreign::find_program;
use crate::image::Image;
use crate::{CacheState, FileTask, Presence};

/// A program that does what our scan does, or part of it.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// What must be on the search path; the first one is asked for its version.
    pub(crate) needs: &'static [&'static str],
    pub(crate) version: &'static [&'static str],
    /// The package that has it.
    pub(crate) package: &'static str,
    /// Where it takes part.
    pub(crate) scope: Scope,
    pub(crate) yields: Yields,
    pub(crate) place: OutputTarget,
    pub(crate) command: fn(&Call<'_>) -> Command,
}

/// On which images a rival takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// On all.
    All,
    /// Not where most of the image is holes, as it reads them byte by byte.
    NoHoles,
    /// Only where all is zeros, as it stops at the first byte that is not; and no holes.
    ZerosOnly,
    /// The file's bytes as the disk gives them, for comparison: cold, and no holes.
    Disk,
    /// Where a RAW is converted to a compressed format.
    Convert,
    /// Where the system on a disk is read.
    Guest,
    /// Where a disk is converted without what no file holds.
    Sparsify,
    /// Where a compressed image is converted, or an image is prepared.
    Wrapped,
    /// Of these, where it is in xz.
    WrappedXz,
}

impl Scope {
    pub(crate) fn includes(self, image: &Image, cache: CacheState) -> bool {
        let wanted = match self {
            Self::Convert => Task::Convert,
            Self::Guest => Task::Guest,
            Self::Sparsify => Task::Sparsify,
            Self::Wrapped if image.task == Task::Prepare => Task::Prepare,
            Self::Wrapped | Self::WrappedXz => Task::ConvertWrapped,
            _ => Task::Scan,
        };
        if image.task != wanted {
            return false;
        }
        let no_holes = !image.is_mostly_holes();
        match self {
            Self::All | Self::Convert | Self::Guest | Self::Sparsify | Self::Wrapped => true,
            Self::WrappedXz => image.is_xz(),
            Self::NoHoles => no_holes,
            Self::ZerosOnly => no_holes && image.truth.as_ref().is_some_and(|map| map.data_count() == 0),
            Self::Disk => no_holes && cache == CacheState::Cold,
        }
    }
}

/// How a program's data blocks are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Yields {
    /// Nothing.
    Nothing,
    /// A bitmap file in our default layout, as output.
    Bitmap,
    /// JSON on standard output, as `qemu-img map` prints it.
    QemuMap,
    /// XML, as bmaptool writes it, as output.
    Bmap,
    /// A copy of the image, as output: its holes are the zeros that were found.
    Copy,
    /// The image as ZVHD2, as output: no map.
    Zvhd2,
    /// A changed copy of the image as ZVHD2, as output: no map.
    Zvhd2OfACopy,
    /// The image as qcow2, as output: no map.
    Qcow2,
    /// The image as a Zstandard stream, as output: no map.
    Zstd,
}

impl Yields {
    /// How the name of the output ends.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Nothing | Self::QemuMap => "out",
            Self::Bitmap => "mf",
            Self::Bmap => "bmap",
            Self::Copy => "raw",
            Self::Zvhd2 | Self::Zvhd2OfACopy => "zvhd2",
            Self::Qcow2 => "qcow2",
            Self::Zstd => "zst",
        }
    }
}

/// Where a program's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputTarget {
    /// To the disk that the images are on.
    Disk,
    /// Into memory, where there is a file system in it.
    Memory,
}

/// One call of a program.
pub(crate) struct Call<'a> {
    pub(crate) image: &'a Path,
    pub(crate) size: u64,
    /// Where its output goes.
    pub(crate) output: &'a Path,
    /// The folder of the compiled Java classes.
    pub(crate) classes: &'a Path,
    /// Our own program, for what is made for it.
    pub(crate) program: &'a Path,
    /// Threads that our own program is to have.
    pub(crate) threads: Option<usize>,
}

/// Those for our scan, our conversion and our inspection.
pub(crate) const RIVALS: &[Rival] = &[
    Rival {
        name: "qemu-img convert",
        what: "to null-co: reads all data and tests it for zeros, stores nothing",
        needs: &["qemu-img"],
        version: &["--version"],
        package: "qemu-utils",
        scope: Scope::All,
        yields: Yields::Nothing,
        place: OutputTarget::Memory,
        command: |call| {
            let mut command = Command::new("qemu-img");
            command.args(["convert", "-n", "-m", "16", "-W", "-f", "raw", "--target-is-zero", "-S", "4k"]);
            command.arg(call.image);
            command.args(["--target-image-opts", &format!("driver=null-co,size={}", call.size)]);
            command
        },
    },
    Rival {
        name: "qemu-img map",
        what: "asks the file system for its extents, reads no content",
        needs: &["qemu-img"],
        version: &["--version"],
        package: "qemu-utils",
        scope: Scope::All,
        yields: Yields::QemuMap,
        place: OutputTarget::Memory,
        command: |call| {
            let mut command = Command::new("qemu-img");
            command.args(["map", "-f", "raw", "--output=json"]).arg(call.image);
            command
        },
    },
    Rival {
        name: "nbdcopy --sparse",
        what: "to null:, with --sparse=4096: reads all data and tests it for zeros, stores nothing",
        needs: &["nbdcopy"],
        version: &["--version"],
        package: "libnbd-bin",
        scope: Scope::All,
        yields: Yields::Nothing,
        place: OutputTarget::Memory,
        command: |call| {
            let mut command = Command::new("nbdcopy");
            command.args(["--sparse=4096", "--"]).arg(call.image).arg("null:");
            command
        },
    },
    Rival {
        name: "bmaptool, no checksum",
        what: "bmaptool create --no-checksum: asks the file system for its extents",
        needs: &["bmaptool"],
        version: &["--version"],
        package: "bmap-tools",
        scope: Scope::All,
        yields: Yields::Bmap,
        place: OutputTarget::Memory,
        command: |call| bmaptool(&["create", "--no-checksum", "-o"], call),
    },
    Rival {
        name: "bmaptool",
        what: "bmaptool create: the same, and a SHA-256 over each range of data",
        needs: &["bmaptool"],
        version: &["--version"],
        package: "bmap-tools",
        scope: Scope::All,
        yields: Yields::Bmap,
        place: OutputTarget::Memory,
        command: |call| bmaptool(&["create", "-o"], call),
    },
    Rival {
        name: "cp --sparse=always",
        what: "copies the image and leaves holes for zeros",
        needs: &["cp"],
        version: &["--version"],
        package: "coreutils",
        scope: Scope::All,
        yields: Yields::Copy,
        place: OutputTarget::Disk,
        command: |call| {
            let mut command = Command::new("cp");
            command.args(["--sparse=always", "--reflink=never"]).arg(call.image).arg(call.output);
            command
        },
    },
    Rival {
        name: "dd conv=sparse",
        what: "bs=2M: copies the image and leaves holes for zeros; not measured if most of the image is holes, \
         which it reads",
        needs: &["dd"],
        version: &["--version"],
        package: "coreutils",
        scope: Scope::NoHoles,
        yields: Yields::Copy,
        place: OutputTarget::Disk,
        command: |call| {
            let mut command = Command::new("dd");
            command.arg(assigned("if=", call.image)).arg(assigned("of=", call.output));
            command.args(["conv=sparse", "bs=2M", "status=none"]);
            command
        },
    },
    Rival {
        name: "Java FileInputStream",
        what: "a simple scan in blocks of 2 MiB; not measured if most of the image is holes, which it reads",
        needs: &["java", "javac"],
        version: &["-version"],
        package: "default-jdk-headless",
        scope: Scope::NoHoles,
        yields: Yields::Bitmap,
        place: OutputTarget::Memory,
        command: |call| java("stream", call),
    },
    Rival {
        name: "Java FileChannel",
        what: "the same through a direct buffer, eight bytes at a time",
        needs: &["java", "javac"],
        version: &["-version"],
        package: "default-jdk-headless",
        scope: Scope::NoHoles,
        yields: Yields::Bitmap,
        place: OutputTarget::Memory,
        command: |call| java("channel", call),
    },
    Rival {
        name: "cmp",
        what: "GNU cmp with /dev/zero: only on images of zeros, because it stops at the first other byte",
        needs: &["cmp"],
        version: &["--version"],
        package: "diffutils",
        scope: Scope::ZerosOnly,
        yields: Yields::Nothing,
        place: OutputTarget::Memory,
        command: |call| {
            let mut command = Command::new("cmp");
            command.arg("-n").arg(call.size.to_string()).arg(call.image).arg("/dev/zero");
            command
        },
    },
    Rival {
        name: "dd iflag=direct",
        what: "bs=8M to /dev/null: one direct read after the other, no test of the bytes; cold only",
        needs: &["dd"],
        version: &["--version"],
        package: "coreutils",
        scope: Scope::Disk,
        yields: Yields::Nothing,
        place: OutputTarget::Memory,
        command: |call| {
            let mut command = Command::new("dd");
            command.arg(assigned("if=", call.image));
            command.args(["of=/dev/null", "iflag=direct", "bs=8M", "status=none"]);
            command
        },
    },
    Rival {
        name: "zstd -T",
        what: "the whole image in one stream, level 3, on as many threads as there are processors; not flushed to the disk",
        needs: &["zstd"],
        version: &["--version"],
        package: "zstd",
        scope: Scope::Convert,
        yields: Yields::Zstd,
        place: OutputTarget::Disk,
        command: |call| {
            let mut command = Command::new("zstd");
            let threads = call.threads.unwrap_or(0);
            command
                .args(["-q", "-f", "-3", &format!("-T{threads}")])
                .arg(call.image)
                .arg("-o")
                .arg(call.output);
            command
        },
    },
    Rival {
        name: "qemu-img convert -c",
        what: "to qcow2 in clusters of 2 MiB, each compressed by zstd; not flushed to the disk",
        needs: &["qemu-img"],
        version: &["--version"],
        package: "qemu-utils",
        scope: Scope::Convert,
        yields: Yields::Qcow2,
        place: OutputTarget::Disk,
        command: compressed,
    },
    Rival {
        name: "qemu-img convert -c, into memory",
        what: "the same, written to a file system in memory",
        needs: &["qemu-img"],
        version: &["--version"],
        package: "qemu-utils",
        scope: Scope::Convert,
        yields: Yields::Qcow2,
        place: OutputTarget::Memory,
        command: compressed,
    },
    Rival {
        name: "target-query",
        what: "-f os,version,architecture, of dissect.target: reads the files of the system",
        needs: &[TARGET_QUERY],
        version: &["--version"],
        package: "dissect.target from PyPI, with IMSPREP_TARGET_QUERY for its path",
        scope: Scope::Guest,
        yields: Yields::Nothing,
        place: OutputTarget::Memory,
        command: |call| {
            let mut command = Command::new(program_of(TARGET_QUERY));
            command.args(["-q", "-f", "os,version,architecture"]).arg(call.image);
            command
        },
    },
    Rival {
        name: "virt-inspector",
        what: "starts a virtual machine that reads the files of the system",
        needs: &[VIRT_INSPECTOR],
        version: &["--version"],
        package: "guestfs-tools, or IMSPREP_VIRT_INSPECTOR for the path of a command",
        scope: Scope::Guest,
        yields: Yields::Nothing,
        place: OutputTarget::Memory,
        command: |call| {
            let mut command = Command::new(program_of(VIRT_INSPECTOR));
            command.args(["--no-applications", "--no-icon", "--format=raw", "-a"]).arg(call.image);
            command
        },
    },
];

const TARGET_QUERY: &str = "target-query";
const VIRT_INSPECTOR: &str = "virt-inspector";
pub(crate) const VIRT_SPARSIFY: &str = "virt-sparsify";
/// No program's name: only a variable names it.
pub(crate) const OTHER_BUILD: &str = "another build of imsprep";

/// The variable of the environment that names a program, for those that can be named so.
fn variable_of(name: &str) -> Option<&'static str> {
    match name {
        TARGET_QUERY => Some("IMSPREP_TARGET_QUERY"),
        VIRT_INSPECTOR => Some("IMSPREP_VIRT_INSPECTOR"),
        VIRT_SPARSIFY => Some("IMSPREP_VIRT_SPARSIFY"),
        OTHER_BUILD => Some("IMSPREP_OTHER_BUILD"),
        _ => None,
    }
}

/// The program that a variable of the environment names, if it is set.
fn named(name: &str) -> Option<OsString> {
    std::env::var_os(variable_of(name)?).filter(|path| !path.is_empty())
}

/// The program to call: some are not on the search path, and a variable names them.
pub(crate) fn program_of(name: &str) -> OsString {
    named(name).unwrap_or_else(|| name.into())
}

fn bmaptool(flags: &[&str], call: &Call<'_>) -> Command {
    let mut command = Command::new("bmaptool");
    command.args(flags).arg(call.output).arg(call.image);
    command
}

/// To the qcow2 that is most like a ZVHD2.
fn compressed(call: &Call<'_>) -> Command {
    let mut command = Command::new("qemu-img");
    command.args([
        "convert",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "-c",
        "-o",
        "compression_type=zstd,cluster_size=2M",
    ]);
    command.args(["-m", "16", "-W"]).arg(call.image).arg(call.output);
    command
}

/// Whether a qcow2 holds what the image does.
pub(crate) fn compare_qcow2(image: &Path, output: &Path) -> Command {
    let mut command = Command::new("qemu-img");
    command.args(["compare", "-f", "raw", "-F", "qcow2"]).arg(image).arg(output);
    command
}

/// Whether a Zstandard stream holds what the image does.
pub(crate) fn compare_zstd(image: &Path, output: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"zstd -q -d -c "$2" | cmp -s "$1" -"#, "sh"]).arg(image).arg(output);
    command
}

/// `if=IMAGE`, whatever bytes the name is made of.
fn assigned(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(name);
    text.push(path);
    text
}

fn java(kind: &str, call: &Call<'_>) -> Command {
    let mut command = Command::new("java");
    command.arg("-cp").arg(call.classes).args(["Scan", kind]).arg(call.image).arg(call.output);
    command
}

impl Rival {
    pub(crate) fn command(&self, call: &Call<'_>) -> Command {
        (self.command)(call)
    }

    /// Whether it is one of our Java sources, which must be compiled first.
    pub(crate) fn is_java(&self) -> bool {
        self.needs.contains(&"javac")
    }

    /// Whether it is looked for. Those for a system on a disk are only if there is such a disk, and those that start a virtual
    /// machine, or need another build, only if they are named: they are much to install.
    pub(crate) fn is_wanted(&self, tasks: &[FileTask]) -> bool {
        match self.scope {
            Scope::Guest => tasks.contains(&FileTask::Guest),
            Scope::Sparsify | Scope::Wrapped | Scope::WrappedXz => {
                self.needs.iter().all(|name| variable_of(name).is_none() || named(name).is_some())
            }
            _ => true,
        }
    }

    /// Whether it is on this machine.
    pub(crate) fn presence(&self) -> Presence {
        let is_there = |name: &&str| {
            let program = program_of(name);
            Path::new(&program).is_absolute() && Path::new(&program).is_file() || find_program(name).is_some()
        };
        if let Some(missing) = self.needs.iter().find(|name| !is_there(name)) {
            return Presence::Absent { remedy: self.remedy(missing) };
        }
        let program = program_of(self.needs.first().copied().unwrap_or_default());
        Presence::Found { version: version_of(&program, self.version) }
    }

    fn remedy(&self, missing: &str) -> String {
        if let (Some(variable), Some(path)) = (variable_of(missing), named(missing)) {
            return format!("{variable} is not the absolute path of a file: {}", path.display());
        }
        let of = if self.scope == Scope::Guest { "" } else { "Debian's package " };
        format!("{missing} is not installed ({of}{})", self.package)
    }
}

/// The first line of what a program answers: some answer on standard error. Without arguments there is no question.
fn version_of(program: &OsStr, arguments: &[&str]) -> String {
    if arguments.is_empty() {
        return "prints no version".into();
    }
    let Ok(output) = Command::new(program).args(arguments).stdin(std::process::Stdio::null()).output() else {
        return "prints no version".into();
    };
    let answer = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_absent() {
        let absent = Rival { needs: &["no-such-program-here"], ..rival("cmp") };
        let presence = absent.presence();
        assert!(matches!(&presence, Presence::Absent { remedy } if remedy.contains("no-such-program-here")));
        let present = Rival { needs: &["sh", "cat"], version: &["-c", "echo 1.2; echo 3"], ..rival("cmp") };
        assert_eq!(present.presence(), Presence::Found { version: "1.2".into() });
    }

    fn rival(name: &str) -> Rival {
        let found = RIVALS.iter().find(|rival| rival.name == name).unwrap();
        Rival { ..*found }
    }
}
