//! Fixes of what is wrong with an image in a format of others: copies, chains, and what is left of a conversion.

use std::path::{Path, PathBuf};

use imsprep_detect::{Detection, Fact, Format};

use crate::facts::ImageLocation;
use crate::{shell_quoted, shown_names};

/// How to make one file of an image whose disk is in several.
pub(crate) fn one_file(place: ImageLocation<'_>, detection: &Detection, max_disk: u64) -> String {
    let ImageLocation::File(path) = place else {
        return "unpack the archive, and convert the disk and the files that it refers to into one file"
            .into();
    };
    if let Some(descriptor) = descriptor(detection) {
        return pieces(path, descriptor);
    }
    let format = detection.format;
    let is_parent = detection.facts.iter().any(|fact| matches!(fact, Fact::Parent(_)));
    match (format, detection.variant) {
        // qemu reads a differencing VHD as if there were no parent, and refuses the others.
        (Format::Vhd | Format::Vhdx, _) if is_parent => {
            return "merge it with its parents on the original system (Hyper-V: Merge-VHD), and use the merged file".into();
        }
        (Format::Vdi, _) if is_parent => {
            return "clone it into one file on the original system (VirtualBox: VBoxManage clonemedium)"
                .into();
        }
        (Format::Qcow2 | Format::Qcow | Format::Qed | Format::Vmdk, _) => {}
        _ => return "export the disk as one file with the program that made it".into(),
    }
    let names = named_files(detection);
    if names.is_empty() {
        return "find the files that belong to it, and export the disk as one file with the program that made it".into();
    }
    if names.iter().any(|name| leads_out(name)) {
        return "check the names; if you know and trust these files, convert the complete chain into one file".into();
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let missing = names.iter().filter(|name| !folder.join(name).exists()).cloned().collect::<Vec<_>>();
    if !missing.is_empty() {
        return format!(
            "copy the files that it refers to into its folder first: there is no {}",
            shown_names(&missing)
        );
    }
    if let Some(rest) = other_reasons(detection, max_disk) {
        return format!("it cannot be converted into one file before {rest}");
    }
    let (Some(name), whole) = (format.qemu_name(), beside(path, "whole", Some("qcow2"))) else {
        return "export the disk as one file with the program that made it".into();
    };
    let (from, to) = (shell_quoted(path), shell_quoted(&whole));
    format!(
        "if you trust the files that it refers to, and the files that these refer to, and none is missing, convert all of \
         them into one file: `qemu-img convert -p -f {name} -O qcow2 {from} {to}`; then prepare that file"
    )
}

/// The name of the descriptor beside an extent file, if there is one.
fn descriptor(detection: &Detection) -> Option<Option<&str>> {
    detection.facts.iter().find_map(|fact| match fact {
        Fact::ExtentOf(name) => Some(name.as_deref()),
        _ => None,
    })
}

/// How to make one file of a split disk of which the image is a piece.
fn pieces(path: &Path, descriptor: Option<&str>) -> String {
    let Some(name) = descriptor else {
        return "copy all extent-files and the descriptor, a small .vmdk with their names, into one folder, and \
         convert the descriptor".into();
    };
    let descriptor = path.with_file_name(name);
    let (from, to) = (shell_quoted(&descriptor), shell_quoted(&beside(&descriptor, "whole", Some("qcow2"))));
    format!(
        "if you trust the files that the descriptor refers to, and all of them exist, convert it into one file: \
         `qemu-img convert -p -f vmdk -O qcow2 {from} {to}`; then prepare that file"
    )
}

fn named_files(detection: &Detection) -> Vec<String> {
    let mut names = Vec::new();
    for fact in &detection.facts {
        match fact {
            Fact::BackingFile(name) | Fact::ExternalDataFile(Some(name)) | Fact::Parent(Some(name)) => {
                names.push(name.clone());
            }
            Fact::ExtentFiles(files) => names.extend(files.iter().cloned()),
            // One that is not named can't be given to a program.
            Fact::ExternalDataFile(None) | Fact::Parent(None) => return Vec::new(),
            _ => {}
        }
    }
    names
}

/// What else a program that reads the image meets.
fn other_reasons(detection: &Detection, max_disk: u64) -> Option<&'static str> {
    let has = |wanted: fn(&Fact) -> bool| detection.facts.iter().any(wanted);
    if has(|fact| matches!(fact, Fact::Encrypted(_))) {
        Some("it is decrypted")
    } else if detection.virtual_size.is_some_and(|size| size > max_disk) {
        Some("its disk is shrunk")
    } else if has(|fact| {
        matches!(
            fact,
            Fact::Corrupt
                | Fact::Damaged(_)
                | Fact::OutsideFile(_)
                | Fact::UnknownIncompatibleFeatures(_)
                | Fact::UnknownRequired(_)
        )
    }) || !detection.also.is_empty()
    {
        Some("the other errors are fixed")
    } else {
        None
    }
}

/// How to close an image that was not closed.
pub(crate) fn closed(place: ImageLocation<'_>, detection: &Detection) -> String {
    let stopped = "shut the machine down cleanly, and copy the image again";
    match (place, repair(place, detection)) {
        (ImageLocation::File(_), Some(command)) => format!(
            "{stopped}; or repair a copy, which has the data written before the interruption: {command}; then \
             prepare the copy"
        ),
        _ => stopped.into(),
    }
}

/// How to go on with an image that is marked corrupt.
pub(crate) fn repaired(place: ImageLocation<'_>, detection: &Detection) -> String {
    match repair(place, detection) {
        Some(command) => {
            format!(
                "download or copy it again; or repair a copy as far as possible, and check its content: {command}"
            )
        }
        None => "download or copy it again".into(),
    }
}

/// The command that has qemu repair a copy: opened for writing, it replays logs and counts again what is in use.
fn repair(place: ImageLocation<'_>, detection: &Detection) -> Option<String> {
    let ImageLocation::File(path) = place else { return None };
    let format = detection.format;
    if !matches!(format, Format::Qcow2 | Format::Qed | Format::Vhdx) {
        return None;
    }
    let name = format.qemu_name()?;
    let (from, to) = (shell_quoted(path), shell_quoted(&beside(path, "repaired", None)));
    Some(format!("`cp {from} {to} && qemu-img check -f {name} -r all {to}`"))
}

/// How to tell which of two sizes is meant.
pub(crate) fn sized(place: ImageLocation<'_>) -> String {
    let ImageLocation::File(path) = place else {
        return "unpack the archive, and convert the disk with the correct size".into();
    };
    let Some(name) = path.to_str() else {
        return "rename it to a name in UTF-8, and check it again".into();
    };
    // Within such a list a comma is written twice.
    let list = format!(
        "driver=vpc,force_size_calc=current_size,file.driver=file,file.filename={}",
        name.replace(',', ",,")
    );
    let (list, raw) = (shell_quoted(Path::new(&list)), shell_quoted(&beside(path, "sized", Some("raw"))));
    format!(
        "if the size field is correct: `qemu-img convert -p --image-opts {list} -O raw {raw}`; then prepare that RAW"
    )
}

/// `disk.whole.qcow2` beside `disk.vmdk`; without another extension, its own.
pub(crate) fn beside(path: &Path, what: &str, extension: Option<&str>) -> PathBuf {
    let own = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    match extension.map(str::to_owned).or(own) {
        Some(extension) => path.with_extension(format!("{what}.{extension}")),
        None => path.with_extension(what),
    }
}

/// Absolute on any system, through a parent folder, or by one of qemu's protocols. `.\` begins a relative path of Windows.
pub(crate) fn leads_out(name: &str) -> bool {
    let is_drive = name.as_bytes().get(1) == Some(&b':');
    let is_protocol = name.split_once(':').is_some_and(|(word, _)| {
        word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte))
    });
    let is_up = name.split(['/', '\\']).any(|part| part == "..");
    name.starts_with(['/', '\\']) || is_drive || is_protocol || is_up
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_the_folder() {
        for name in [
            "/etc/shadow",
            "../base.img",
            "a/../../b",
            r"C:\a.vhd",
            r"\\server\a",
            "json:{}",
            "nbd://h/x",
            "nbd:h:1",
        ] {
            assert!(leads_out(name), "{name}");
        }
        for name in ["base.img", "sub/base.img", r".\a.vhdx", "a..b", "a b: c.img", ""] {
            assert!(!leads_out(name), "{name}");
        }
    }
}
