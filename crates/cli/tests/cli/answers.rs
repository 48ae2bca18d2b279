//! What the command says of one set of images: it must be the same wherever and however it is asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use imsprep_testdata::{golden, need_tools};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::folder::{Folder, Run, names_in};
use crate::mounts::script;
use crate::way::Way;

const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

const IDENTITY: &str = "--uuid=00112233-4455-4677-8899-aabbccddeeff --timestamp=1700000000";

/// Every file that the commands write goes to `out`.
const COMMANDS: &[&str] = &[
    "check disk.raw stale.raw good.zvhd2 broken.zvhd2 image.qcow2",
    "check disk.raw good.zvhd2 --manifest out/sums.json",
    "inspect disk.raw good.zvhd2 image.qcow2",
    "detect disk.raw stale.raw good.zvhd2 broken.zvhd2 image.qcow2",
    "bitmap create disk.raw -o out/disk.mf",
    "bitmap verify stale.raw",
    "convert disk.raw out/disk.zvhd2 IDENTITY",
    "convert image.qcow2 out/image.zvhd2 IDENTITY --verify",
    "convert good.zvhd2 out/good.raw",
    "compare disk.raw image.qcow2",
    "compare stale.raw good.zvhd2",
    "zvhd2 check broken.zvhd2",
    "zvhd2 map good.zvhd2",
    "zvhd2 repair broken.zvhd2 out/repaired.zvhd2",
];

/// The same of an image of 1 TiB.
const LARGE_COMMANDS: &[&str] = &[
    "check large.raw",
    "inspect large.raw",
    "bitmap create large.raw -o out/large.mf",
    "convert large.raw out/large.zvhd2 IDENTITY --verify",
    "compare large.raw out/large.zvhd2",
    "convert out/large.zvhd2 out/large.img --no-bitmap",
    "compare large.raw out/large.img",
];

/// A folder with images of every kind that counts, good and bad.
pub(crate) fn images() -> Folder {
    need_tools(["sfdisk", "mkfs.ext4", "qemu-img"]);
    let folder = Folder::new();
    let here = folder.path(".");
    // A partition table, an ext4, data, and zeros that take room.
    let made = script(
        &here,
        "truncate -s 40M disk.raw; truncate -s 32M root
        printf 'label: gpt\nstart=2048, size=8192, type=uefi\nstart=10240, size=65536, type=L\n' | sfdisk -q disk.raw
        mkfs.ext4 -q -F -L root root
        dd if=root of=disk.raw bs=1M seek=5 conv=notrunc,sparse status=none; rm root
        dd if=/dev/zero of=disk.raw bs=1M seek=18 count=4 conv=notrunc status=none
        seq 1 400000 | dd of=disk.raw bs=1M seek=30 iflag=fullblock conv=notrunc status=none
        qemu-img convert -f raw -O qcow2 disk.raw image.qcow2",
    );
    made.unwrap();
    folder.sparse("stale.raw", 12 * MIB, &[0, 5 * MIB]);
    let places = (0..40).map(|n| n * 26 * (TIB >> 10) + 4096 * n).chain([TIB - 1]).collect::<Vec<_>>();
    folder.sparse("large.raw", TIB, &places);
    for image in ["disk.raw", "stale.raw", "large.raw"] {
        assert_eq!(folder.run(&["bitmap", "create", image]).status, 0);
    }
    // What the bitmap calls zero holds data now, and the other way round.
    folder.sparse("stale.raw", 12 * MIB, &[0, 9 * MIB]);
    folder.write("good.zvhd2", golden("zstd_b_10m_plus3s.zvhd2"));
    let mut broken = golden("zstd_k_uniform.zvhd2").to_vec();
    broken[12_288 + 60] ^= 0xff;
    folder.write("broken.zvhd2", &broken);
    // Whole seconds, which every file system keeps; no bitmap is older than its image.
    script(&here, "touch -d @1700000000 *.raw *.zvhd2 *.qcow2; touch -d @1700000100 *.mf").unwrap();
    folder
}

/// Whether this is of the image of 1 TiB.
fn is_large(name: &str) -> bool {
    name.contains("large.")
}

/// What was said and written, by command and file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answers(BTreeMap<String, String>);

impl Answers {
    /// Asks all about the images in a folder. What is written goes to the folder `out` in it, which is there and empty, and
    /// will be empty again.
    pub(crate) fn of(way: &Way, folder: &Path, with_large: bool) -> Self {
        let mut answers = BTreeMap::new();
        let more = if with_large { LARGE_COMMANDS } else { &[] };
        for command in COMMANDS.iter().chain(more) {
            let words = command.replace("IDENTITY", IDENTITY);
            let args = words.split(' ').chain(["--json"]).collect::<Vec<_>>();
            answers.insert((*command).to_owned(), said(&way.run(folder, &args)));
        }
        let out = folder.join("out");
        for name in names_in(&out) {
            // A sparse TiB is not read: it was compared.
            let path = out.join(&name);
            let length = path.metadata().unwrap().len();
            let sum = if length < TIB { sum(&path) } else { "not read".into() };
            std::fs::remove_file(&path).unwrap();
            answers.insert(format!("out/{name}"), format!("{length} bytes, {sum}"));
        }
        Self(answers)
    }

    /// What there is to be said without the image of 1 TiB.
    pub(crate) fn without_large(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| !is_large(name)).map(|(n, a)| (n.clone(), a.clone())).collect())
    }

    /// That these are the same, in words of which one is missing or different.
    #[track_caller]
    pub(crate) fn assert_same(&self, expected: &Self, place: &str) {
        for (name, answer) in &self.0 {
            assert_eq!(Some(answer), expected.0.get(name), "{place}: {name}");
        }
        assert_eq!(self, expected, "{place}");
    }

    /// That they are what is right for these images: else everything could be the same, and wrong.
    pub(crate) fn assert_right(&self) {
        let starts = |command: &str, start: &str| {
            assert!(self.0[command].starts_with(start), "{command}: {}", self.0[command]);
        };
        for command in COMMANDS.iter().chain(LARGE_COMMANDS).filter(|command| !command.starts_with("check")) {
            let wrong = ["verify stale", "compare stale", "zvhd2 check broken", "zvhd2 repair"];
            let wrong = wrong.iter().any(|words| command.contains(words));
            starts(command, if wrong { "status 1\n" } else { "status 0\n" });
        }
        starts(COMMANDS[0], "status 1\n");
        starts(COMMANDS[1], "status 0\n");
        let verdicts = self.0[COMMANDS[0]].matches("\"verdict\": \"importable\"").count();
        assert_eq!(verdicts, 2, "{}", self.0[COMMANDS[0]]);
        for code in ["BM-001", "BM-002", "ZV-", "IMS-001"] {
            assert!(self.0[COMMANDS[0]].contains(code), "{code}: {}", self.0[COMMANDS[0]]);
        }
        let files = self.0.keys().filter_map(|name| name.strip_prefix("out/")).collect::<Vec<_>>();
        let expected = [
            "disk.mf",
            "disk.zvhd2",
            "good.mf",
            "good.raw",
            "image.zvhd2",
            "large.img",
            "large.mf",
            "large.zvhd2",
            "repaired.zvhd2",
            "sums.json",
        ];
        assert_eq!(files, expected);
        assert_eq!(self.0["out/disk.zvhd2"], self.0["out/image.zvhd2"], "the same disk");
    }
}

/// Exit status, the document without what may differ (times, how much was read, and how), and errors.
fn said(run: &Run) -> String {
    let mut text = format!("status {}\n", run.status);
    match serde_json::from_str::<Value>(&run.out) {
        Ok(mut document) => {
            forget_circumstances(&mut document);
            let _ = writeln!(text, "{document:#}");
        }
        Err(_) => text += &run.out,
    }
    text + &run.err
}

fn forget_circumstances(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields
                .retain(|name, _| !["seconds", "gb_per_second", "bytes_read", "io"].contains(&name.as_str()));
            fields.values_mut().for_each(forget_circumstances);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_circumstances),
        _ => {}
    }
}

/// The SHA-256 of a file.
fn sum(path: &Path) -> String {
    let hash = Sha256::digest(std::fs::read(path).unwrap());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
