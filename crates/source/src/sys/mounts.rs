//! What writes to a device or a file: what the kernel has mounted of it, also through loop devices, and programs such as qemu.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, major, minor};
use rustix::io::Errno;

use crate::InUse;

/// Devices within each other that are looked at: partitions, and what RAID, LVM and encryption make of them.
const DEEPEST: usize = 8;

pub(crate) fn in_use(file: &File) -> io::Result<Option<InUse>> {
    let metadata = file.metadata()?;
    let is_device = metadata.file_type().is_block_device();
    let devices = if is_device { vec![device_of(metadata.rdev())] } else { loops_over(&metadata) };
    let mut all = BTreeSet::new();
    let mut has_holders = false;
    for device in &devices {
        has_holders |= add_with_those_in_it(device, DEEPEST, &mut all);
    }
    let is_one = |path: &Path| match fs::metadata(path) {
        // A word such as `tmpfs`, and no place.
        _ if path.is_relative() => false,
        Ok(found) if found.file_type().is_block_device() => all.contains(&device_of(found.rdev())),
        // A file system in user space may read the file itself.
        Ok(found) => !is_device && (found.dev(), found.ino()) == (metadata.dev(), metadata.ino()),
        Err(_) => false,
    };
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mounts = mounts.split(|byte| *byte == b'\n').filter_map(Mount::of_line);
    let mut mounts = mounts.filter(|mount| !mount.is_read_only);
    if let Some(mount) = mounts.find(|mount| all.contains(&mount.device) || is_one(&mount.source)) {
        return Ok(Some(InUse::Mounted(mount.at)));
    }
    let swaps = fs::read("/proc/swaps").unwrap_or_default();
    let mut swaps = swaps.split(|byte| *byte == b'\n').skip(1).filter_map(|line| line.split(is_space).next());
    if swaps.any(|path| is_one(&path_of(path))) {
        return Ok(Some(InUse::Swap));
    }
    // Mounts that this process does not see, and whatever else takes a device for itself. What LVM and others make of a device holds it
    // whether that is mounted or not.
    if is_device && !has_holders && is_held(file) {
        return Ok(Some(InUse::Held));
    }
    Ok(super::image_locks::is_written_to(file).then_some(InUse::Written))
}

/// `7:0`, as the kernel writes it.
fn device_of(number: u64) -> String {
    format!("{}:{}", major(number), minor(number))
}

/// The loop devices over a file.
fn loops_over(file: &Metadata) -> Vec<String> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let is_over = |device: &Path| {
        let path = fs::read(device.join("loop/backing_file")).unwrap_or_default();
        let path = path_of(path.strip_suffix(b"\n").unwrap_or(&path));
        fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
    };
    let devices = devices.map(|device| device.path()).filter(|device| is_over(device));
    devices.filter_map(|device| number_in(&device)).collect()
}

/// The number of the device that a folder of sysfs is about.
fn number_in(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("dev")).ok().map(|text| text.trim().to_owned())
}

/// Adds a device, its partitions, and what is made of them. Returns whether anything is made of them.
fn add_with_those_in_it(device: &str, deepest: usize, all: &mut BTreeSet<String>) -> bool {
    if deepest == 0 || !all.insert(device.to_owned()) {
        return false;
    }
    let folder = PathBuf::from(format!("/sys/dev/block/{device}"));
    let entries =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let partitions = entries(&folder).filter(|entry| entry.join("partition").exists());
    let holders = entries(&folder.join("holders")).collect::<Vec<_>>();
    let mut has_holders = !holders.is_empty();
    for inner in partitions.chain(holders) {
        if let Some(device) = number_in(&inner) {
            has_holders |= add_with_those_in_it(&device, deepest - 1, all);
        }
    }
    has_holders
}

/// Whether the kernel lets nobody have the device for himself.
fn is_held(device: &File) -> bool {
    let path = format!("/proc/self/fd/{}", device.as_raw_fd());
    let opened = super::unix::open_with(Path::new(&path), OFlags::EXCL | OFlags::NONBLOCK);
    opened.is_err_and(|error| Errno::from_io_error(&error) == Some(Errno::BUSY))
}

/// A line of `mountinfo`.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// `7:0`; for some file systems a number that is no device's.
    device: String,
    at: PathBuf,
    source: PathBuf,
    /// Whether the file system writes nothing, whoever asks.
    is_read_only: bool,
}

impl Mount {
    fn of_line(line: &[u8]) -> Option<Self> {
        let mut words = line.split(is_space);
        let device = String::from_utf8(words.nth(2)?.to_vec()).ok()?;
        let at = unescaped(words.nth(1)?);
        // Behind the options are others, up to a dash.
        words.find(|word| *word == b"-")?;
        let source = unescaped(words.nth(1)?);
        let is_read_only = words.next()?.split(|byte| *byte == b',').any(|option| option == b"ro");
        Some(Self { device, at, source, is_read_only })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as `split` wants it")]
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Spaces and the like are written as a backslash and three octal digits, in `swaps` as well.
fn unescaped(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.first_chunk::<3>().filter(|_| *byte == b'\\');
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*byte));
        rest = after.get(if code.is_some() { 3 } else { 0 }..).unwrap_or_default();
    }
    path_of(&bytes)
}

fn path_of(bytes: &[u8]) -> PathBuf {
    OsString::from_vec(bytes.to_vec()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_kernel_writes_them() {
        let line = b"36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/a\\134b rw,errors=continue";
        let expected = Mount {
            device: "98:0".into(),
            at: "/mnt 2".into(),
            source: r"/dev/a\b".into(),
            is_read_only: false,
        };
        assert_eq!(Mount::of_line(line), Some(expected));
        // Without fields between, and read-only for whoever asks; the mount alone does not count.
        let line = |options: &str, of_all: &str| format!("1 2 7:3 / /at {options} - xfs /dev/loop3 {of_all}");
        let read_only = |line: String| Mount::of_line(line.as_bytes()).unwrap().is_read_only;
        assert!(read_only(line("ro", "ro,seclabel")));
        assert!(!read_only(line("ro", "rw,nodiscard=ro")));
        for broken in ["", "1 2 7:3 / /at rw", "1 2 7:3 / /at rw - xfs", "1 2 7:3 / /at rw - xfs /dev/loop3"]
        {
            assert_eq!(Mount::of_line(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn what_is_no_code_is_itself() {
        for (text, path) in [(r"a\", r"a\"), (r"\04", r"\04"), (r"\999", r"\999"), (r"\0401", " 1")] {
            assert_eq!(unescaped(text.as_bytes()), Path::new(path), "{text}");
        }
    }

    #[test]
    fn an_ordinary_file_is_in_no_use() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(in_use(&file).unwrap(), None);
    }
}
