//! The other programs, and what they say in one form.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use imsprep_detect::{Detection, Format};
use imsprep_testdata::{command, missing};
use serde_json::Value;

/// Names a Python that has oslo.utils; `.ci/run` makes one.
const PYTHON: &str = "IMSPREP_OSLO_PYTHON";

/// What one program says of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// The format by our name, or what else it said.
    pub(crate) format: String,
    /// Size of the disk, where it tells.
    pub(crate) size: Option<u64>,
    /// oslo.utils' safety checks that fail.
    pub(crate) unsafe_for: Vec<String>,
    /// Facts of ours that qemu-img has otherwise.
    pub(crate) differs_in: Vec<&'static str>,
}

impl Said {
    fn new(format: impl Into<String>) -> Self {
        Self { format: format.into(), size: None, unsafe_for: vec![], differs_in: vec![] }
    }

    /// `same` if it agrees with us as far as it speaks. What it finds unsafe stands behind, and in what else it differs.
    pub(crate) fn cell(&self, found: &Detection) -> String {
        let same_size = self.size.is_none_or(|size| found.virtual_size == Some(size));
        let mut text = match self.size {
            // A second format in the file is something to be said.
            _ if self.format == found.format.name() && same_size && found.also.is_empty() => "same".into(),
            _ if self.format == found.format.name() && same_size => format!("{} alone", self.format),
            // The size of a file that is only taken for raw is that of the file.
            Some(size) if self.format != "raw" || found.format == Format::Raw => {
                format!("{}, {size}", self.format)
            }
            _ => self.format.clone(),
        };
        if !self.unsafe_for.is_empty() {
            text += &format!("; unsafe: {}", self.unsafe_for.join(", "));
        }
        if !self.differs_in.is_empty() {
            text += &format!("; says otherwise: {}", self.differs_in.join(", "));
        }
        text
    }
}

/// Our name of a format that another program names otherwise.
pub(crate) fn our_name(theirs: &str) -> &str {
    match theirs {
        "vpc" => "vhd",
        // oslo.utils' name for a disk with a partition table.
        "gpt" => "raw",
        other => other,
    }
}

/// Format, size and everything else that `qemu-img info` says when it is left to find the format out.
pub(crate) fn qemu_says(path: &Path) -> (Said, Option<Value>) {
    let mut qemu_img = command("qemu-img");
    qemu_img.args(["info", "--output=json", "-U"]).arg(path).stdin(Stdio::null());
    let output = qemu_img.output().unwrap();
    let Ok(info) = serde_json::from_slice::<Value>(&output.stdout) else {
        return (Said::new("an error"), None);
    };
    let said = Said {
        size: info["virtual-size"].as_u64(),
        ..Said::new(our_name(info["format"].as_str().unwrap_or_default()))
    };
    (said, Some(info))
}

/// How `file` begins what it says of each format that has a name of ours.
const FILE_WORDS: &[(&str, &str)] = &[
    ("QEMU QCOW2", "qcow2"),
    ("QEMU QCOW Image (v1)", "qcow"),
    ("QEMU QCOW Image", "qcow2"),
    ("QEMU QED", "qed"),
    ("VMware", "vmdk"),
    ("VMWare", "vmdk"),
    ("Microsoft Disk Image eXtended", "vhdx"),
    ("Microsoft Disk Image, Virtual", "vhd"),
    ("VirtualBox Disk Image", "vdi"),
    ("LUKS encrypted file", "luks"),
    ("ISO 9660", "iso"),
    ("gzip compressed", "gzip"),
    ("XZ compressed", "xz"),
    ("Zstandard compressed", "zstd"),
    ("bzip2 compressed", "bzip2"),
    ("LZ4 compressed", "lz4"),
    ("Zip archive", "zip"),
    ("7-zip archive", "7z"),
    ("POSIX tar archive", "tar"),
    ("tar archive", "tar"),
    ("Parallels disk image", "parallels"),
    ("Bochs disk image", "bochs"),
    ("Android sparse image", "android-sparse"),
    ("EWF/Expert Witness", "ewf"),
    ("Windows imaging (WIM)", "wim"),
    ("empty", "empty"),
    ("data", "raw"),
    ("DOS/MBR boot sector", "raw"),
    ("Linux rev 1.0 ext", "raw"),
    ("SGI XFS", "raw"),
    ("BTRFS", "raw"),
    ("Linux swap", "raw"),
    ("Linux/i386 swap", "raw"),
];

/// The format that `file` names; the rest of what it says is words.
pub(crate) fn file_says(path: &Path) -> Said {
    let output = command("file").arg("--brief").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let known = FILE_WORDS.iter().find(|(start, _)| text.starts_with(start));
    Said::new(known.map_or(text.trim().split(',').next().unwrap(), |(_, name)| name).replace('|', "/"))
}

/// The Python with oslo.utils. Leaves the test where there is none.
pub(crate) fn oslo_python() -> PathBuf {
    match std::env::var_os(PYTHON) {
        Some(python) => python.into(),
        None => missing(format!("{PYTHON} names no Python with oslo.utils")),
    }
}

/// Prints a line of JSON for each file: its format, its size, and the safety checks that fail.
const OSLO: &str = r#"
import json, logging, sys
from oslo_utils.imageutils import format_inspector

logging.disable()
for path in sys.argv[1:]:
    said = {"unsafe": []}
    try:
        found = format_inspector.detect_file_format(path)
        said["format"] = str(found)
        try:
            found.safety_check()
        except format_inspector.SafetyCheckFailed as error:
            said["unsafe"] = sorted(error.failures)
        said["size"] = found.virtual_size
    except format_inspector.ImageFormatError as error:
        # A set, which it prints in any order.
        words = str(error).split(": ")
        said["format"] = "refuses: " + ": ".join(words[:-1] + [", ".join(sorted(words[-1].split(",")))])
    except Exception as error:
        said.setdefault("format", "fails: " + type(error).__name__)
    print(json.dumps(said))
"#;

/// What oslo.utils says of each file.
pub(crate) fn oslo_says(python: &Path, images: &[PathBuf]) -> Vec<Said> {
    let output = Command::new(python).arg("-c").arg(OSLO).args(images).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let said = lines.lines().map(|line| {
        let said: Value = serde_json::from_str(line).unwrap();
        let texts = |value: &Value| {
            value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let format = our_name(said["format"].as_str().unwrap());
        // Of a raw disk it has the bytes that it has read by then.
        let size = said["size"].as_u64().filter(|_| format != "raw");
        Said { size, unsafe_for: texts(&said["unsafe"]), ..Said::new(format) }
    });
    let said = said.collect::<Vec<_>>();
    assert_eq!(said.len(), images.len());
    said
}
