//! Volumes made and mounted by the kernel, and what is in them by its view and by ours.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use imsprep_filesystem::{FileKind, FileSystem, Node};
use imsprep_testdata::{command, missing, need_root, need_tools};

pub(crate) const MIB: u64 = 1 << 20;

/// A folder with an image in it, which may be mounted.
pub(crate) struct Volume {
    folder: tempfile::TempDir,
    is_mounted: bool,
}

impl Volume {
    /// A sparse image with a file system that `make` puts on `"$image"`.
    pub(crate) fn new(tools: &[&str], size: u64, make: &str) -> Self {
        need_tools(tools);
        let volume = Self { folder: tempfile::tempdir().unwrap(), is_mounted: false };
        File::create(volume.image()).unwrap().set_len(size).unwrap();
        volume.run(make).unwrap();
        volume
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    pub(crate) fn at(&self) -> PathBuf {
        self.folder.path().join("at")
    }

    /// Runs a script with `$image`, and `$at`, where it is mounted.
    pub(crate) fn run(&self, script: &str) -> Result<String, String> {
        let output = command("sh")
            .args(["-e", "-c", script])
            .env("image", self.image())
            .env("at", self.at())
            .env("LC_ALL", "C.UTF-8")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Mounts it by this script. Leaves the test where this user can't.
    pub(crate) fn mount(&mut self, tools: &[&str], script: &str) {
        need_root();
        need_tools(["mount", "umount"].iter().chain(tools));
        fs::create_dir_all(self.at()).unwrap();
        if let Err(error) = self.run(script) {
            missing(format!("it can't be mounted: {error}"));
        }
        self.is_mounted = true;
    }

    pub(crate) fn unmount(&mut self) {
        // On a busy machine the kernel may still hold a file that was closed.
        self.run("umount \"$at\" || { sleep 1; umount \"$at\"; }").unwrap();
        self.is_mounted = false;
    }

    /// The image as it is while it is mounted. Of the last changes, which are synced file by file, only the journal or log knows.
    pub(crate) fn copy(&self) -> PathBuf {
        need_tools(["sync"]);
        let script = "sync -f \"$at\"; cd \"$at\"; mkdir late; \
            for n in 1 2 3 4 5 6 7 8; do echo \"late $n\" > \"late/file $n\"; done; ln -s ../text late/link; \
            mv 'late/file 1' 'late/renamed'; rm 'late/file 2' one; sync late/* late .; cp --sparse=always \"$image\" \"$at/../copy\"";
        self.run(script).unwrap();
        self.folder.path().join("copy")
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = self.run("umount \"$at\" || umount -l \"$at\"");
        }
    }
}

/// What there is to know of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    kind: &'static str,
    mode: u32,
    owner: (u32, u32),
    /// Size and hash of a file's content, or of a link's target.
    content: (u64, u64),
}

/// Everything in a volume, by path.
pub(crate) type Tree = BTreeMap<Vec<u8>, Seen>;

fn hash(mut read: impl FnMut(u64, &mut [u8]) -> usize) -> (u64, u64) {
    // Of an odd length, so that pieces begin anywhere in blocks.
    let mut buf = vec![0; 200_003];
    let (mut hasher, mut at) = (DefaultHasher::new(), 0);
    loop {
        let length = read(at, &mut buf);
        if length == 0 {
            return (at, hasher.finish());
        }
        hasher.write(&buf[..length]);
        at += length as u64;
    }
}

/// What the kernel shows.
pub(crate) fn by_kernel(at: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![at.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let kind = metadata.file_type();
            let mut content = (0, 0);
            let kind = if kind.is_dir() {
                folders.push(path.clone());
                "directory"
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).unwrap().into_os_string().into_vec();
                content = hash(|at, buf| (&target[usize::try_from(at).unwrap()..]).read(buf).unwrap());
                "link"
            } else if kind.is_file() {
                let mut file = File::open(&path).unwrap();
                content = hash(|_, buf| {
                    let mut length = 0;
                    while length < buf.len() {
                        match file.read(&mut buf[length..]).unwrap() {
                            0 => break,
                            more => length += more,
                        }
                    }
                    length
                });
                "file"
            } else {
                "other"
            };
            let name = path.strip_prefix(at).unwrap().as_os_str().as_bytes().to_vec();
            let seen = Seen {
                kind,
                mode: metadata.mode() & 0o7777,
                owner: (metadata.uid(), metadata.gid()),
                content,
            };
            tree.insert(name, seen);
        }
    }
    tree
}

/// What a reader shows. Each name is also looked up, in large directories one in a hundred.
pub(crate) fn by_us(files: &dyn FileSystem, root: Node) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![(Vec::new(), root)];
    while let Some((folder, node)) = folders.pop() {
        let mut entries = Vec::new();
        files
            .entries(node, &mut |entry| {
                entries.push(entry);
                ControlFlow::Continue(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(&folder)));
        let step = if entries.len() > 500 { 100 } else { 1 };
        for (number, entry) in entries.into_iter().enumerate() {
            let path = if folder.is_empty() {
                entry.name.clone()
            } else {
                [&folder, &b"/"[..], &entry.name].concat()
            };
            let shown = String::from_utf8_lossy(&path).into_owned();
            if number % step == 0 {
                assert_eq!(files.lookup(node, &entry.name).unwrap(), Some(entry.node), "{shown}");
            }
            let metadata = files.metadata(entry.node).unwrap_or_else(|error| panic!("{shown}: {error}"));
            assert!(entry.kind.is_none_or(|kind| kind == metadata.kind), "{shown}: {entry:?} {metadata:?}");
            let mut content = (0, 0);
            let kind = match metadata.kind {
                FileKind::Directory => {
                    folders.push((path.clone(), entry.node));
                    "directory"
                }
                FileKind::Link => {
                    let target = files.link(entry.node).unwrap_or_else(|error| panic!("{shown}: {error}"));
                    content = hash(|at, buf| (&target[usize::try_from(at).unwrap()..]).read(buf).unwrap());
                    "link"
                }
                FileKind::File => {
                    content = hash(|at, buf| {
                        files
                            .read_at(entry.node, at, buf)
                            .unwrap_or_else(|error| panic!("{shown}: {at}: {error}"))
                    });
                    assert_eq!(content.0, metadata.size, "{shown}");
                    "file"
                }
                FileKind::Other => "other",
            };
            let seen =
                Seen { kind, mode: metadata.mode.into(), owner: (metadata.uid, metadata.gid), content };
            assert!(tree.insert(path, seen).is_none(), "{shown} is there twice");
        }
    }
    assert_eq!(files.lookup(root, b"there is no such name").unwrap(), None);
    tree
}

/// A view without modes and owners, which not all file systems have.
pub(crate) fn without_owners(mut tree: Tree) -> Tree {
    for seen in tree.values_mut() {
        (seen.mode, seen.owner) = (0, (0, 0));
    }
    tree
}

/// Compares two views, and names what differs.
pub(crate) fn assert_same(ours: &Tree, theirs: &Tree) {
    let shown = |name: &[u8]| String::from_utf8_lossy(name).chars().take(80).collect::<String>();
    for (name, seen) in theirs {
        assert_eq!(ours.get(name), Some(seen), "{}", shown(name));
    }
    let more: Vec<_> =
        ours.keys().filter(|name| !theirs.contains_key(*name)).map(|name| shown(name)).collect();
    assert_eq!(more, Vec::<String>::new());
}

/// What a file system can keep.
#[derive(Clone, Copy)]
pub(crate) struct Abilities {
    /// Links, pipes, modes, and names of any bytes.
    pub(crate) is_unix: bool,
    /// Longest target of a link.
    pub(crate) link_max: usize,
    /// Whether space can be allocated without writing.
    pub(crate) preallocates: bool,
    /// Entries of the largest directory.
    pub(crate) entries: usize,
}

/// Bytes that don't compress, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Files of every kind that readers stumble over.
pub(crate) fn populate(at: &Path, abilities: Abilities) {
    let path = |name: &str| at.join(name);
    let write = |name: &str, bytes: &[u8]| fs::write(path(name), bytes).unwrap();
    // What will lie below space that is allocated and never written.
    write("stale", &[0x55; 12 << 20]);
    File::open(path("stale")).unwrap().sync_all().unwrap();
    fs::remove_file(path("stale")).unwrap();
    write("empty", b"");
    write("one", b"1");
    write("text", &b"some words\n".repeat(500));
    write("repeated", &b"more words, which compress well\n".repeat(70_000));
    write("noise", &noise(1, (3 << 20) + 123));
    write("zeros", &[0; 1 << 20]);
    for size in [59, 60, 61, 127, 128, 129, 1023, 1024, 1025, 2048, 4095, 4096, 4097, 65535, 65536, 131_073] {
        write(&format!("size {size}"), &noise(size, usize::try_from(size).unwrap()));
    }
    let sparse = File::create(path("sparse")).unwrap();
    sparse.set_len(20 << 20).unwrap();
    for (place, length) in
        [(0, 10), (4095, 2), ((1 << 20) + 17, 5000), (7 << 20, 70_000), ((20 << 20) - 3, 3)]
    {
        sparse.write_all_at(&noise(place, length), place).unwrap();
    }
    File::create(path("hole")).unwrap().set_len((5 << 20) + 1).unwrap();
    let fragments = [File::create(path("fragments 1")).unwrap(), File::create(path("fragments 2")).unwrap()];
    for number in 0..40 {
        for (seed, mut file) in fragments.iter().enumerate() {
            file.write_all(&noise(number + seed as u64, 9001)).unwrap();
            file.sync_data().unwrap();
        }
    }
    let mut deep = at.to_owned();
    for number in 0..30 {
        deep.push(format!("directory {number}"));
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), "deep").unwrap();
    fs::create_dir(path("many")).unwrap();
    for number in 0..abilities.entries {
        File::create(path("many").join(format!("the name of file {number}"))).unwrap();
    }
    for number in (0..abilities.entries).step_by(7) {
        fs::remove_file(path("many").join(format!("the name of file {number}"))).unwrap();
    }
    write(&"x".repeat(255), b"long name");
    write("ä € 𝄞", b"not ASCII");
    write("with space and, signs;", b"");
    // Two with the same hash in a Btrfs, and two in an XFS: findings/dissect-btrfs-name-hash.sh.
    for name in ["73fb305c6b38", "6075e112f956", "68e45935", "72ed51c0"] {
        write(name, name.as_bytes());
    }
    fs::hard_link(path("text"), path("text again")).unwrap();
    if abilities.preallocates {
        need_tools(["fallocate"]);
        let script = "fallocate -l 3M all; fallocate -l 2M part; echo x >beyond; fallocate -n -l 1M beyond; \
            dd if=noise of=part bs=10000 count=3 seek=7 conv=notrunc 2>/dev/null; \
            cp noise punched; sync -f .; fallocate -p -o 100000 -l 1000001 punched; fallocate -p -o 0 -l 8192 punched; \
            cp noise zeroed; sync -f .; fallocate -z -o 70000 -l 200000 zeroed";
        let output = command("sh").args(["-e", "-c", script]).current_dir(at).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    if abilities.is_unix {
        write("mode", b"");
        fs::set_permissions(path("mode"), fs::Permissions::from_mode(0o4751)).unwrap();
        std::os::unix::fs::chown(path("mode"), Some(70_000), Some(123)).unwrap();
        fs::write(at.join(OsStr::from_bytes(b"no UTF-8 \xff\xfe\n")), "").unwrap();
        let pipe = command("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(pipe.success());
        for (name, target) in
            [("absolute", "/text"), ("relative", "many/../text"), ("dangling", "no"), ("loop", "loop")]
        {
            symlink(target, path(name)).unwrap();
        }
        for length in [1, 58, 59, 60, 61, 255, 1000, 1023, 1024, 3000, 4094, 4095] {
            if length <= abilities.link_max {
                let target = "0123456789/".repeat(400).chars().take(length).collect::<String>();
                symlink(target, path(&format!("link of {length}"))).unwrap();
            }
        }
    }
}
