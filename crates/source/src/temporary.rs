//! A file that has no name, or a temporary one, until it is complete.

use std::fs::{File, Permissions};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::{Leftover, Overwrite, sys};

/// What a file in the making is called.
#[derive(Debug)]
pub(crate) enum Temporary {
    /// Nothing: where the system has such files, as then nothing remains of it however the process ends.
    Unnamed(File),
    /// A name beside its place, which goes with this value, but stays if the process is killed.
    Named(NamedTempFile, Leftover),
}

impl Temporary {
    /// A new file in the file system of `folder`, readable only by users who may read each of `limits`.
    pub(crate) fn create_in(folder: &Path, limits: &[sys::Access]) -> io::Result<Self> {
        if let Some(file) = sys::unnamed_file(folder)? {
            sys::narrow(&file, limits)?;
            return Ok(Self::Unnamed(file));
        }
        // One with a name could be opened by others as soon as it is there: it is never wider than it will be.
        let leftover = Leftover::new();
        Ok(Self::Named(named_in(folder, sys::new_file_permissions(limits))?, leftover))
    }

    pub(crate) fn file(&self) -> &File {
        match self {
            Self::Unnamed(file) => file,
            Self::Named(named, _) => named.as_file(),
        }
    }

    /// Another descriptor of it, for reading.
    pub(crate) fn reopen(&self) -> io::Result<File> {
        match self {
            Self::Unnamed(file) => sys::reopen_unnamed(file),
            Self::Named(named, _) => named.reopen(),
        }
    }

    /// Gives it its name, in one step; whoever looks finds the old file or the new one.
    pub(crate) fn place(self, path: &Path, overwrite: Overwrite) -> io::Result<()> {
        let file = match self {
            Self::Named(named, _leftover) => return place_named(named, path, overwrite),
            Self::Unnamed(file) => file,
        };
        let _leftover = Leftover::new();
        let placed = match (sys::name_file(&file, path), overwrite) {
            // A file can't be given a name that another has: it gets one beside it, which is then moved.
            (Err(e), Overwrite::Replace) if e.kind() == io::ErrorKind::AlreadyExists => replace(&file, path),
            (placed, _) => placed,
        };
        match placed {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                // Where such a file can be made and not be named (some sandboxes), the work of hours must not be lost.
                place_named(named_copy(file, folder_of(path))?, path, overwrite)
            }
            other => other,
        }
    }
}

/// Names a file beside `path` and moves it there. By paths as they were given: below folders whose names are too long together,
/// no absolute path leads to a file.
fn replace(file: &File, path: &Path) -> io::Result<()> {
    let process = std::process::id();
    for attempt in 0..ATTEMPTS {
        let beside = folder_of(path).join(format!("{PREFIX}{process}-{attempt}{SUFFIX}"));
        match sys::name_file(file, &beside) {
            // Left by a process of the same number that was killed, or another's from whom it is hidden.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(()) => {
                return std::fs::rename(&beside, path).inspect_err(|_| {
                    let _ = std::fs::remove_file(&beside);
                });
            }
        }
    }
    Err(io::Error::other("all temporary names in its folder are taken"))
}

fn place_named(named: NamedTempFile, path: &Path, overwrite: Overwrite) -> io::Result<()> {
    let failed = match overwrite {
        Overwrite::Replace => return named.persist(path).map(drop).map_err(|e| e.error),
        Overwrite::Refuse => match named.persist_noclobber(path) {
            Ok(_) => return Ok(()),
            Err(failed) => failed,
        },
    };
    if failed.error.kind() == io::ErrorKind::AlreadyExists {
        return Err(failed.error);
    }
    // Where there are neither hard links nor a rename that replaces nothing (exFAT by FUSE), the name is taken by an empty
    // file first, which only one can do, and that is replaced.
    match File::create_new(path) {
        Ok(_) => failed.file.persist(path).map(drop).map_err(|e| {
            let _ = std::fs::remove_file(path);
            e.error
        }),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        Err(_) => Err(failed.error),
    }
}

fn named_in(folder: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // As an ordinary program would make it: readable by all that the umask lets; tempfile's own default is 0600.
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder)
}

fn named_copy(mut file: File, folder: &Path) -> io::Result<NamedTempFile> {
    let mut named = named_in(folder, Some(file.metadata()?.permissions()))?;
    io::Seek::rewind(&mut file)?;
    io::copy(&mut file, named.as_file_mut())?;
    named.as_file().sync_all()?;
    Ok(named)
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

const PREFIX: &str = ".imsprep-";
const SUFFIX: &str = ".tmp";
/// Temporary names that are tried.
const ATTEMPTS: u32 = 1000;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn of_both_kinds_the_same_comes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let create = || Temporary::create_in(dir.path(), &[]).unwrap();
        let named = || {
            Temporary::Named(named_in(dir.path(), sys::new_file_permissions(&[])).unwrap(), Leftover::new())
        };
        for (make, content) in [(&create as &dyn Fn() -> Temporary, "one"), (&named, "two")] {
            let write = || {
                let temporary = make();
                temporary.file().write_all(content.as_bytes()).unwrap();
                assert_eq!(io::read_to_string(temporary.reopen().unwrap()).unwrap(), content);
                temporary
            };
            write().place(&path, Overwrite::Replace).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            let error = write().place(&path, Overwrite::Refuse).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            std::fs::remove_file(&path).unwrap();
            write().place(&path, Overwrite::Refuse).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_copy_with_a_name_holds_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let temporary = Temporary::create_in(dir.path(), &[]).unwrap();
        temporary.file().write_all(b"the work of hours").unwrap();
        let copy = named_copy(temporary.file().try_clone().unwrap(), dir.path()).unwrap();
        place_named(copy, &dir.path().join("out"), Overwrite::Refuse).unwrap();
        assert_eq!(std::fs::read(dir.path().join("out")).unwrap(), b"the work of hours");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_name_nothing_is_there_to_be_left() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let temporary = Temporary::create_in(dir.path(), &[]).unwrap();
        assert!(matches!(temporary, Temporary::Unnamed(_)), "{temporary:?}");
        temporary.file().write_all(b"half").unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_it_as_far_as_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ordinary"), "").unwrap();
        Temporary::create_in(dir.path(), &[])
            .unwrap()
            .place(&dir.path().join("ours"), Overwrite::Refuse)
            .unwrap();
        let mode = |name| std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("ours"), mode("ordinary"));
    }
}
