//! Every command that writes a file, for the tests of what is left when something goes wrong. A command that is added here is
//! in all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use imsprep_testdata::{ZipMember, command, zip_archive};

use crate::folder::Folder;

/// A command line that writes.
pub(crate) struct Writer {
    pub(crate) args: &'static [&'static str],
    /// The files that it writes.
    pub(crate) outputs: &'static [&'static str],
    /// The files that it reads.
    pub(crate) inputs: &'static [&'static str],
    /// Whether `--force` lets it replace what is there.
    pub(crate) replaces: bool,
}

/// What comes through the pipe to a command that reads standard input.
const PIPED: &str = "disk.raw";

/// The standard input of a command line: a pipe that another process writes to, or nothing.
pub(crate) fn standard_input(folder: &Folder, args: &[&str]) -> Stdio {
    if !args.contains(&"-") {
        return Stdio::null();
    }
    let mut writer = command("cat");
    let mut writer = writer.arg(folder.path(PIPED)).stdout(Stdio::piped()).spawn().unwrap();
    let pipe = writer.stdout.take().unwrap();
    // It ends when all was read, or when its reader did.
    std::thread::spawn(move || writer.wait());
    pipe.into()
}

const UUID: &str = "00112233-4455-4677-8899-aabbccddeeff";

/// The list. Outputs lie in `out`, but for the one that can only lie beside its image.
pub(crate) const WRITERS: &[Writer] = &[
    Writer {
        args: &["bitmap", "create", "disk.raw", "-o", "out/disk.mf"],
        outputs: &["out/disk.mf"],
        inputs: &["disk.raw"],
        replaces: true,
    },
    Writer {
        args: &["bitmap", "convert", "pair.mf", "out/pair.bmap", "--to", "bmap", "--image", "pair.raw"],
        outputs: &["out/pair.bmap"],
        inputs: &["pair.mf", "pair.raw"],
        replaces: true,
    },
    Writer {
        args: &["bitmap", "make-sample", "-o", "out/small.raw", "--size", "64M"],
        outputs: &["out/small.raw"],
        inputs: &[],
        replaces: true,
    },
    Writer {
        args: &[
            "bitmap",
            "learn",
            "--image",
            "a.raw",
            "--sample",
            "a.mf",
            "--image",
            "b.raw",
            "--sample",
            "b.mf",
            "-o",
            "out/my.toml",
        ],
        outputs: &["out/my.toml"],
        inputs: &["a.raw", "b.raw", "a.mf", "b.mf"],
        replaces: true,
    },
    Writer {
        args: &["check", "--write-bitmap", "disk.raw"],
        outputs: &["disk.mf"],
        inputs: &["disk.raw"],
        replaces: false,
    },
    Writer {
        args: &["check", "pair.raw", "--manifest", "out/sums.json"],
        outputs: &["out/sums.json"],
        inputs: &["pair.raw", "pair.mf"],
        replaces: true,
    },
    Writer {
        args: &["convert", "disk.raw", "out/disk.zvhd2", "--verify", "--uuid", UUID],
        outputs: &["out/disk.zvhd2"],
        inputs: &["disk.raw"],
        replaces: true,
    },
    Writer {
        args: &["convert", "whole.zvhd2", "out/whole.raw", "--verify"],
        outputs: &["out/whole.raw", "out/whole.mf"],
        inputs: &["whole.zvhd2"],
        replaces: true,
    },
    Writer {
        args: &["convert", "--sparsify", "disk.raw", "out/sparse.img", "--verify"],
        outputs: &["out/sparse.img", "out/sparse.mf"],
        inputs: &["disk.raw"],
        replaces: true,
    },
    Writer {
        args: &["convert", "--fit", "disk.raw", "out/fitted.img"],
        outputs: &["out/fitted.img", "out/fitted.mf"],
        inputs: &["disk.raw"],
        replaces: true,
    },
    Writer {
        args: &["convert", "disk.raw.gz", "out/unpacked.img"],
        outputs: &["out/unpacked.img", "out/unpacked.mf"],
        inputs: &["disk.raw.gz"],
        replaces: true,
    },
    Writer {
        args: &["convert", "disk.raw.zip", "out/unzipped.img"],
        outputs: &["out/unzipped.img", "out/unzipped.mf"],
        inputs: &["disk.raw.zip"],
        replaces: true,
    },
    Writer {
        args: &["convert", "disk.raw.lz4", "out/expanded.img"],
        outputs: &["out/expanded.img", "out/expanded.mf"],
        inputs: &["disk.raw.lz4"],
        replaces: true,
    },
    Writer {
        args: &["convert", "disk.raw.lz4", "out/expanded.zvhd2", "--verify", "--uuid", UUID],
        outputs: &["out/expanded.zvhd2"],
        inputs: &["disk.raw.lz4"],
        replaces: true,
    },
    Writer {
        args: &["prepare", "disk.qcow2", "-o", "out/disk.zvhd2"],
        outputs: &["out/disk.zvhd2"],
        inputs: &["disk.qcow2"],
        replaces: true,
    },
    // As many images: what was finished before a fault would stay, so there is one.
    Writer {
        args: &["prepare", "one", "-o", "out/"],
        outputs: &["out/disk.zvhd2"],
        inputs: &["one/disk.qcow2"],
        replaces: true,
    },
    Writer {
        args: &["check", "pair.raw", "--manifest", "out/sums.sha256"],
        outputs: &["out/sums.sha256"],
        inputs: &["pair.raw", "pair.mf"],
        replaces: true,
    },
    Writer {
        args: &["zvhd2", "repair", "cut.zvhd2", "out/saved.zvhd2"],
        outputs: &["out/saved.zvhd2"],
        inputs: &["cut.zvhd2"],
        replaces: true,
    },
    Writer {
        args: &[
            "request",
            "pair.raw",
            "--bucket",
            "my-images",
            "--name",
            "n",
            "--os-version",
            "CentOS 7.0 64bit",
            "-o",
            "out/body.json",
        ],
        outputs: &["out/body.json"],
        inputs: &["pair.raw", "pair.mf"],
        replaces: true,
    },
];

/// Those that read standard input, which is a [pipe](standard_input) only in the tests that run [all](all_writers) of them.
const PIPED_WRITERS: &[Writer] = &[
    Writer {
        args: &["convert", "-", "out/piped.img"],
        outputs: &["out/piped.img", "out/piped.mf"],
        inputs: &[PIPED],
        replaces: true,
    },
    Writer {
        args: &["convert", "-", "out/piped.zvhd2", "--verify", "--uuid", UUID],
        outputs: &["out/piped.zvhd2"],
        inputs: &[PIPED],
        replaces: true,
    },
];

/// The writers of files from files, and from a pipe.
pub(crate) fn all_writers() -> impl Iterator<Item = &'static Writer> {
    WRITERS.iter().chain(PIPED_WRITERS)
}

/// What is in a folder and below it: of each name the bytes and the time of the last change, or where a link leads.
type Snapshot = BTreeMap<PathBuf, (Vec<u8>, Option<SystemTime>)>;

/// Files that are larger are sparse and not read: that they were written to shows in their time.
const LARGE: u64 = 16 << 20;

fn snapshot(folder: &Path) -> Snapshot {
    let mut all = Snapshot::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            all.insert(path.clone(), (Vec::new(), None));
            all.extend(snapshot(&path));
        } else if kind.is_file() {
            let metadata = path.metadata().unwrap();
            let bytes = match metadata.len() {
                0..LARGE => std::fs::read(&path).unwrap(),
                length => format!("{length} bytes").into_bytes(),
            };
            all.insert(path, (bytes, Some(metadata.modified().unwrap())));
        } else {
            let target = std::fs::read_link(&path).map(|path| path.into_os_string().into_encoded_bytes());
            all.insert(path, (target.unwrap_or_default(), None));
        }
    }
    all
}

/// How much may be left of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// All outputs, whole.
    All,
    /// The folder as it was.
    Nothing,
    /// Each output whole, or as it was: the process was ended at a moment when it had its name, or had not.
    WholeOrNothing,
}

/// A folder with all inputs, what each command makes of them undisturbed, and what is there now.
pub(crate) struct Stage {
    pub(crate) folder: Folder,
    before: Snapshot,
}

/// What an output holds before a run that is to replace it.
const OLD: &[u8] = b"the old one";

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.path("out")).unwrap();
        folder.sparse("disk.raw", (5 << 20) + 1024, &[0, 777, (4 << 20) + 5]);
        folder.sparse("pair.raw", 9 << 20, &[0, 5 << 20]);
        // No regular pattern, and bitmaps of two lengths: what a layout can be learned from.
        let places =
            (0..400).filter(|i| i * i % 7 == 2 || i % 13 == 5).map(|i| (i << 21) + i).collect::<Vec<_>>();
        folder.sparse(
            "a.raw",
            599 << 20,
            &places[..places.iter().filter(|place| **place < 599 << 20).count()],
        );
        folder.sparse("b.raw", 70 << 30, &places);
        for (packer, args) in
            [("gzip", &["-k", "disk.raw"][..]), ("lz4", &["-q", "disk.raw", "disk.raw.lz4"])]
        {
            let packed = command(packer).args(args).current_dir(folder.path(".")).status();
            assert!(packed.unwrap().success());
        }
        let disk = std::fs::read(folder.path("disk.raw")).unwrap();
        folder.write("disk.raw.zip", &zip_archive(&[ZipMember::deflated("disk.raw", &disk)]));
        std::fs::create_dir(folder.path("one")).unwrap();
        for name in ["disk.qcow2", "one/disk.qcow2"] {
            std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path(name)).unwrap();
        }
        for args in [
            &["bitmap", "create", "pair.raw"][..],
            &["bitmap", "create", "a.raw"],
            &["bitmap", "create", "b.raw"],
            &["convert", "disk.raw", "whole.zvhd2"],
        ] {
            let run = folder.run(args);
            assert_eq!(run.status, 0, "{args:?}: {run:?}");
        }
        // Without its END it has to be repaired.
        let whole = std::fs::read(folder.path("whole.zvhd2")).unwrap();
        folder.write("cut.zvhd2", &whole[..whole.len() - 4096]);
        let before = snapshot(&folder.path("."));
        Self { folder, before }
    }

    /// The arguments, and the outputs prepared: none there, or old ones that are to be replaced.
    pub(crate) fn prepare(&mut self, writer: &Writer, replaced: bool) -> Vec<&'static str> {
        self.clear(writer);
        let mut args = writer.args.to_vec();
        if replaced {
            args.push("--force");
            for output in writer.outputs {
                self.folder.write(output, OLD);
            }
        }
        self.before = snapshot(&self.folder.path("."));
        args
    }

    /// Takes the outputs away, and whatever lies in their place.
    pub(crate) fn clear(&mut self, writer: &Writer) {
        for output in writer.outputs {
            let path = self.folder.path(output);
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path));
        }
        self.before = snapshot(&self.folder.path("."));
    }

    /// Takes down what is there now, as what has to be there later.
    pub(crate) fn remember(&mut self) {
        self.before = snapshot(&self.folder.path("."));
    }

    /// The invariant: every input as it was, to the time of its last change; no name that was not there, but those of whole
    /// outputs.
    pub(crate) fn assert_left(&self, writer: &Writer, left: Left, context: &str) {
        let now = snapshot(&self.folder.path("."));
        let outputs = writer.outputs.iter().map(|name| self.folder.path(name)).collect::<Vec<_>>();
        for (path, state) in &self.before {
            let is_output = outputs.contains(path);
            match now.get(path) {
                Some(found) if found == state => {
                    assert!(
                        !(is_output && left == Left::All),
                        "{context}: {} is the old one",
                        path.display()
                    );
                }
                Some(_) if is_output && left != Left::Nothing => self.assert_whole(writer, path, context),
                // Of a pair the old bitmap goes before the new image comes, so that it never lies beside that.
                None if outputs.len() == 2 && path == &outputs[1] && left == Left::WholeOrNothing => {}
                Some(_) => panic!("{context}: {} was changed", path.display()),
                None => panic!("{context}: {} is gone", path.display()),
            }
        }
        for path in now.keys().filter(|path| !self.before.contains_key(*path)) {
            assert!(outputs.contains(path), "{context}: {} was left", path.display());
            assert!(left != Left::Nothing, "{context}: {} is there", path.display());
            self.assert_whole(writer, path, context);
        }
        if left == Left::All {
            for path in outputs {
                assert!(now.contains_key(&path), "{context}: {} is missing", path.display());
            }
        }
    }

    /// Whether an output is all that it should be, by its own nature.
    fn assert_whole(&self, writer: &Writer, path: &Path, context: &str) {
        let name = path.to_str().unwrap();
        let bytes = std::fs::read(path).unwrap();
        let input = writer.inputs.first().copied().unwrap_or_default();
        let run = |args: &[&str]| {
            let run = self.folder.run(args);
            assert_eq!(run.status, 0, "{context}: {name} is not whole: {run:?}");
        };
        match path.extension().and_then(|extension| extension.to_str()).unwrap() {
            "zvhd2" if input == "cut.zvhd2" => run(&["compare", "-q", "whole.zvhd2", name]),
            "zvhd2" => {
                run(&["zvhd2", "check", "-q", name]);
                run(&["compare", "-q", input, name]);
            }
            "raw" if input.is_empty() => assert!(bytes.len() == 64 << 20, "{context}"),
            "raw" | "img" => run(&["compare", "-q", "disk.raw", name]),
            // One bit for each block of 2 MiB: in all images here the first and the third hold data.
            "mf" => assert!(bytes.len() == 4096 && bytes[0] == 0b101 && bytes[1..].iter().all(|b| *b == 0)),
            "bmap" => run(&["bitmap", "diff", "-q", "pair.mf", name, "--image", "pair.raw"]),
            "json" => drop(serde_json::from_slice::<serde_json::Value>(&bytes).expect(context)),
            "sha256" => run(&["verify", "-q", name]),
            "toml" => run(&["bitmap", "show", "-q", "pair.mf", "--layout", name, "--image", "pair.raw"]),
            other => panic!("no way to tell whether a .{other} is whole"),
        }
    }
}
