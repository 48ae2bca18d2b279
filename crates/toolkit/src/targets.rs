//! Which files a call is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use imsprep_bitmap::bitmap_path;
use imsprep_detect::{Access, Detection, Format, detect};
use imsprep_formats::NbdAddress;
use imsprep_rules::{shell_quoted, shows_nothing};
use imsprep_source::ImageFile;

use crate::{Error, Result};

/// One file to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub path: PathBuf,
    /// Other RAW images of the same call whose bitmap file would bear the same name (`a.raw` and `a.img`).
    pub shares_bitmap_with: Vec<PathBuf>,
}

impl Target {
    /// A file on its own.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), shares_bitmap_with: Vec::new() }
    }

    /// The files that an upload of it is about, there or not: itself, and the bitmap file beside it.
    pub fn files(&self) -> [PathBuf; 2] {
        [self.path.clone(), bitmap_path(&self.path)]
    }
}

/// Whether the folders in a folder are searched as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subfolders {
    /// They are not.
    #[default]
    Leave,
    /// They are, at any depth. Links to folders are not followed, and hidden folders are left out.
    Search,
}

/// What a call is about.
#[derive(Debug, Default)]
pub struct Targets {
    /// The files, and in the places of others why they are none.
    pub targets: Vec<Result<Target>>,
    /// Folders that were not searched although subfolders are, with the reason, sorted.
    pub skipped: Vec<(PathBuf, &'static str)>,
}

/// Replaces each folder by the images in it, sorted by name. The address of an NBD export stays as it is; nothing is connected to.
///
/// A regular file of a folder is an image if its name has a known extension or its content shows a disk image.
/// Hidden files and bitmap files are none. A bitmap file that is named itself, as a pattern of the shell does, is left out if
/// its image is named, too, and an error if not.
///
/// A name that leads to nothing is an error in its place.
pub fn expand_targets(paths: &[PathBuf], subfolders: Subfolders) -> Targets {
    let (mut targets, mut skipped) = (Vec::new(), Vec::new());
    for path in paths {
        if is_address(path) {
            targets.push(Ok(Target::new(path)));
            continue;
        }
        if !path.is_dir() {
            targets.push(refuse_bitmap_file(path).map(|()| Target::new(path)));
            continue;
        }
        let mut found = Vec::new();
        search(path, subfolders, &mut found, &mut skipped);
        if found.is_empty() {
            found.push((path.clone(), Err(Error::NoImages { path: path.clone() })));
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        targets.extend(found.into_iter().map(|(_, target)| target));
    }
    leave_out_bitmaps_of_targets(&mut targets);
    find_shared_bitmaps(&mut targets);
    skipped.sort();
    Targets { targets, skipped }
}

/// Whether it is the address of an export, be it one that can be used or not.
fn is_address(path: &Path) -> bool {
    path.to_str().and_then(NbdAddress::of).is_some()
}

/// Finds the images in a folder, and what can't be read in it.
fn search(
    folder: &Path,
    subfolders: Subfolders,
    found: &mut Vec<(PathBuf, Result<Target>)>,
    skipped: &mut Vec<(PathBuf, &'static str)>,
) {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        match images_in(&folder) {
            Ok(Contents { images, folders }) => {
                found.extend(images.into_iter().map(|path| (path.clone(), Ok(Target::new(path)))));
                for path in folders.into_iter().filter(|_| subfolders == Subfolders::Search) {
                    // A link may lead to a folder above it.
                    if path.is_symlink() {
                        skipped.push((path, "a link to a folder"));
                    } else if is_hidden(&path) {
                        skipped.push((path, "a hidden folder"));
                    } else {
                        open.push(path);
                    }
                }
            }
            Err(source) => found.push((folder.clone(), Err(Error::Folder { path: folder, source }))),
        }
    }
}

/// Refuses a file as an image that bears the name of a bitmap file and shows nothing of an image.
///
/// # Errors
///
/// [`Error::NoImageGiven`]. What can't be read shows when it is opened as an image.
pub fn refuse_bitmap_file(path: &Path) -> Result<()> {
    match has_bitmap_name(path).then(|| detect_at(path)).flatten() {
        Some(found) => refuse_bitmap(path, &found),
        None => Ok(()),
    }
}

fn has_bitmap_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mf"))
}

/// The same of a file that was detected.
pub(crate) fn refuse_bitmap(path: &Path, found: &Detection) -> Result<()> {
    if !has_bitmap_name(path) || !(shows_nothing(found) || found.format == Format::Empty) {
        return Ok(());
    }
    let image = ["raw", "img", ""].into_iter().map(|extension| path.with_extension(extension));
    let advice = match image.into_iter().find(|image| image.is_file()) {
        Some(image) => format!("pass its image: {}", shell_quoted(&image)),
        None => "pass its image".into(),
    };
    Err(Error::NoImageGiven { path: path.to_owned(), advice })
}

/// The files without those that are bitmap files of others among them.
pub fn without_bitmaps_of(files: &[PathBuf]) -> Vec<&Path> {
    let mut targets =
        files.iter().map(|path| refuse_bitmap_file(path).map(|()| Target::new(path))).collect::<Vec<_>>();
    leave_out_bitmaps_of_targets(&mut targets);
    let kept = targets.iter().map(|target| match target {
        Ok(target) => target.path.as_path(),
        Err(error) => error.path(),
    });
    let kept = kept.collect::<BTreeSet<_>>();
    files.iter().map(PathBuf::as_path).filter(|path| kept.contains(path)).collect()
}

/// A bitmap file beside its image is no second image.
fn leave_out_bitmaps_of_targets(targets: &mut Vec<Result<Target>>) {
    let whole = |path: &Path| std::fs::canonicalize(path).ok();
    let bitmaps = targets.iter().flatten().filter_map(|target| whole(&bitmap_path(&target.path)));
    let bitmaps = bitmaps.collect::<BTreeSet<_>>();
    targets.retain(|target| match target {
        Err(Error::NoImageGiven { path, .. }) => !whole(path).is_some_and(|path| bitmaps.contains(&path)),
        _ => true,
    });
}

/// What is directly in a folder.
struct Contents {
    images: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn images_in(folder: &Path) -> std::io::Result<Contents> {
    let mut contents = Contents { images: Vec::new(), folders: Vec::new() };
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let metadata = std::fs::metadata(&path);
        if metadata.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            contents.folders.push(path);
            continue;
        }
        // Links to files count as files; what a dangling link would lead to is unknown, so its name decides.
        let regular = metadata.map_or_else(|_| path.is_symlink(), |m| m.is_file());
        if regular && !is_hidden(&path) && (has_image_name(&path) || has_image_content(&path)) {
            contents.images.push(path);
        }
    }
    Ok(contents)
}

/// Whether an extension describes a disk image whatever is in the file.
pub(crate) fn is_image_extension(extension: &str) -> bool {
    let is_disk = |format: Format| {
        matches!(format.access(), Access::Plain | Access::Container | Access::Own(_) | Access::Qemu(_))
    };
    ["img", "ova"].iter().any(|image| extension.eq_ignore_ascii_case(image))
        || Format::of_extension(extension).is_some_and(is_disk)
}

/// A compressed file is meant if the name before its extension describes a disk image.
fn has_image_name(path: &Path) -> bool {
    let extension = |path: &Path| path.extension().map(|e| e.to_string_lossy().into_owned());
    let is_image = |path: &Path| extension(path).is_some_and(|extension| is_image_extension(&extension));
    let format = extension(path).and_then(|extension| Format::of_extension(&extension));
    let is_packed = |format: Format| {
        format.is_compressed() || format == Format::Zip || format.access() == Access::UnreadArchive
    };
    is_image(path)
        || format.is_some_and(is_packed) && path.file_stem().is_some_and(|stem| is_image(Path::new(stem)))
}

/// Positive evidence of a disk image. A file that can't be read gives none.
fn has_image_content(path: &Path) -> bool {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mf")) {
        return false;
    }
    let Some(found) = detect_at(path) else { return false };
    match found.format {
        Format::Raw => !found.evidence.is_empty(),
        Format::Empty => false,
        Format::Tar => found.variant == Some("ova"),
        other => !other.is_compressed() && !other.is_archive(),
    }
}

fn detect_at(path: &Path) -> Option<Detection> {
    detect(&ImageFile::open(path).ok()?).ok()
}

fn find_shared_bitmaps(targets: &mut [Result<Target>]) {
    let mut by_bitmap = BTreeMap::<PathBuf, BTreeSet<PathBuf>>::new();
    for target in targets.iter().flatten() {
        // A set: the same file named twice does not share a bitmap with itself.
        by_bitmap.entry(bitmap_path(&target.path)).or_default().insert(target.path.clone());
    }
    for images in by_bitmap.values_mut().filter(|images| images.len() > 1) {
        images.retain(|path| detect_at(path).is_some_and(|found| found.format == Format::Raw));
    }
    for target in targets.iter_mut().flatten() {
        let Some(images) = by_bitmap.get(&bitmap_path(&target.path)) else { continue };
        if images.contains(&target.path) {
            target.shares_bitmap_with = images.iter().filter(|path| **path != target.path).cloned().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_the_images_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        write("b.raw", b"anything");
        write("a.IMG", b"anything");
        write("b.mf", &[1; 4096]);
        write("notes.txt", b"a text");
        write("hidden-by-name", b"QFI\xfb\0\0\0\x03");
        write("logs.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0");
        write("disk.raw.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0");
        write(".imsprep-x.tmp", b"QFI\xfb\0\0\0\x03");
        std::fs::create_dir(dir.path().join("sub.raw")).unwrap();
        let targets = expand_targets(&[dir.path().to_owned()], Subfolders::Leave).targets;
        let names = targets.iter().map(|t| t.as_ref().unwrap().path.file_name().unwrap().to_str().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), ["a.IMG", "b.raw", "disk.raw.gz", "hidden-by-name"]);
    }

    #[test]
    fn a_folder_without_images_is_an_error_and_a_missing_file_stays_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("none.raw");
        let targets = expand_targets(&[dir.path().to_owned(), missing.clone()], Subfolders::Leave).targets;
        assert!(matches!(&targets[0], Err(Error::NoImages { .. })));
        assert_eq!(targets[1].as_ref().unwrap(), &Target::new(missing));
    }

    #[test]
    fn raw_images_with_one_bitmap_name_know_of_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let raw = write("a.raw", b"raw");
        let img = write("a.img", b"raw as well");
        let qcow2 = write("a.qcow2", b"QFI\xfb\0\0\0\x03");
        let alone = write("b.raw", b"raw");
        let all = [raw.clone(), img.clone(), qcow2, alone.clone(), alone];
        let targets = expand_targets(&all, Subfolders::Leave).targets;
        let shared =
            targets.iter().map(|t| t.as_ref().unwrap().shares_bitmap_with.clone()).collect::<Vec<_>>();
        assert_eq!(shared, [vec![img], vec![raw], vec![], vec![], vec![]]);
    }
    #[cfg(unix)]
    #[test]
    fn subfolders_are_searched_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for folder in ["b/deep", "a", ".hidden", "empty"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        for name in ["z.raw", "a/x.raw", "b/deep/y.img", "b/w.qcow2", ".hidden/v.raw", "b/text.txt"] {
            std::fs::write(root.join(name), b"anything").unwrap();
        }
        std::os::unix::fs::symlink("..", root.join("b/loop")).unwrap();
        std::os::unix::fs::symlink(root.join("b"), root.join("c")).unwrap();
        let below = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let found = expand_targets(&[root.to_owned()], Subfolders::Search);
        let names = found.targets.iter().map(|target| below(&target.as_ref().unwrap().path));
        assert_eq!(names.collect::<Vec<_>>(), ["a/x.raw", "b/deep/y.img", "b/w.qcow2", "z.raw"]);
        let skipped = found.skipped.iter().map(|(path, why)| (below(path), *why)).collect::<Vec<_>>();
        let link = "a link to a folder";
        let expected = [(".hidden", "a hidden folder"), ("b/loop", link), ("c", link)];
        assert_eq!(skipped, expected.map(|(path, why)| (path.to_owned(), why)));
        let flat = expand_targets(&[root.to_owned()], Subfolders::Leave);
        assert_eq!((flat.targets.len(), flat.skipped.len()), (1, 0));
    }
}
