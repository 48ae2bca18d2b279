//! Paths are resolved inside of the guest.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::io::Read;
use std::rc::Rc;

use imsprep_filesystem::{Error, ErrorKind, FileKind, FileSystem, Found, GuestTree, MemoryTree};

fn guest() -> GuestTree<'static> {
    let mut root = MemoryTree::new();
    root.file("/etc/fstab", "one")
        .file("/etc/shadow", "two")
        .refuse("/etc/shadow", "is encrypted")
        .link("/lib", "usr/lib")
        .link("/etc/os-release", "../usr/lib/os-release")
        .link("/etc/away", "../../../../../etc/fstab")
        .link("/etc/absolute", "/boot/./efi/../grub.cfg")
        .link("/etc/loop", "loop")
        .link("/etc/one", "two")
        .link("/etc/two", "one")
        .link("/etc/dangling", "nowhere")
        .link("/var/log", "/data/log")
        .file("/usr/hidden", "")
        .directory("/boot")
        .other("/dev/null")
        .mode("/etc/fstab", 0o600)
        .owner("/etc/fstab", 1, 2);
    let mut usr = MemoryTree::named("xfs");
    usr.file("/lib/os-release", "ID=x").link("/lib/up", "../../etc/fstab");
    let mut boot = MemoryTree::new();
    boot.file("/grub.cfg", "menuentry").directory("/efi");
    let mut esp = MemoryTree::named("vfat");
    esp.file("/EFI/BOOT/BOOTX64.EFI", "MZ");
    let mut data = MemoryTree::new();
    data.file("/log/a", "x");
    let mut guest = GuestTree::of(root);
    for (at, tree) in [("/usr", usr), ("/boot", boot), ("boot/efi/", esp), ("/data", data)] {
        let top = tree.root();
        guest.mount(at, Rc::new(tree), top).unwrap();
    }
    guest
}

#[test]
fn links_and_mounts_are_followed_inside_of_the_guest() {
    let guest = guest();
    for (path, bytes) in [
        ("/etc/fstab", "one"),
        ("etc//./fstab", "one"),
        ("/../etc/fstab", "one"),
        ("/etc/away", "one"),
        ("/etc/os-release", "ID=x"),
        ("/lib/os-release", "ID=x"),
        ("/lib/up", "one"),
        ("/lib/../../etc/fstab", "one"),
        ("/etc/absolute", "menuentry"),
        ("/boot/efi/efi/boot/bootx64.efi", "MZ"),
        ("/var/log/a", "x"),
    ] {
        assert_eq!(guest.read(path, 100).unwrap(), bytes.as_bytes(), "{path}");
    }
    assert_eq!(guest.canonical("/lib/up").unwrap(), b"/etc/fstab");
    assert_eq!(guest.canonical("/etc/..").unwrap(), b"/");
    assert_eq!(guest.read_link("/etc/loop").unwrap(), b"loop");
    assert_eq!(guest.link_metadata("/lib").unwrap().kind, FileKind::Link);
    assert_eq!(guest.locate("/lib").unwrap().0.name(), "xfs");
    let metadata = guest.metadata("/etc/away").unwrap();
    assert_eq!((metadata.mode, metadata.uid, metadata.gid, metadata.size), (0o600, 1, 2, 3));
}

#[test]
fn what_is_not_there_is_told_from_what_can_not_be_read() {
    let guest = guest();
    for (path, kind) in [
        ("/etc/none", ErrorKind::NotFound),
        ("/etc/dangling", ErrorKind::NotFound),
        ("/etc/fstab/x", ErrorKind::NotFound),
        ("/usr/hidden", ErrorKind::NotFound),
        ("/etc/loop", ErrorKind::TooManyLinks),
        ("/etc/one/x", ErrorKind::TooManyLinks),
        ("/etc", ErrorKind::WrongType),
        ("/dev/null", ErrorKind::WrongType),
        ("/etc/shadow", ErrorKind::Refused),
    ] {
        let error = guest.read(path, 100).unwrap_err();
        assert_eq!((error.kind(), error.path()), (kind, Some(path)), "{error}");
    }
    assert_eq!(guest.read("/etc/fstab", 2).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(guest.read_start("/etc/fstab", 2).unwrap(), b"on");
    assert_eq!(guest.read("/etc/none", 2).found().unwrap(), None);
    assert_eq!(guest.kind("/etc/dangling").unwrap(), None);
    assert_eq!(guest.kind("/boot/efi").unwrap(), Some(FileKind::Directory));
    assert_eq!(guest.read_link("/etc").unwrap_err().kind(), ErrorKind::WrongType);
    let long = format!("/{}", "x".repeat(5000));
    assert!(guest.read(&long, 1).unwrap_err().is_not_found());
}

#[test]
fn directories_are_listed_within_bounds_and_files_are_streams() {
    let guest = guest();
    let names: Vec<_> = guest.list("/boot", 10).unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, [b"efi".to_vec(), b"grub.cfg".to_vec()]);
    assert_eq!(guest.list("/etc", 3).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(guest.list("/etc/fstab", 3).unwrap_err().kind(), ErrorKind::WrongType);
    let mut text = String::new();
    guest.open("/boot/grub.cfg").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "menuentry");
    let error = guest.open("/etc/shadow").unwrap().read(&mut [0; 4]).unwrap_err();
    assert_eq!(Error::within(&error).unwrap().reason(), "is encrypted");
}

#[test]
fn a_mount_point_is_resolved_and_the_last_mount_lies_above() {
    let mut guest = guest();
    let tree = |name: &str| {
        let mut tree = MemoryTree::new();
        tree.file("/is", name);
        tree
    };
    for (at, name) in [("/lib", "lib"), ("/etc/new", "new"), ("/boot", "other")] {
        let tree = tree(name);
        let root = tree.root();
        guest.mount(at, Rc::new(tree), root).unwrap();
    }
    for (path, name) in [("/usr/lib/is", "lib"), ("/etc/new/is", "new"), ("/boot/is", "other")] {
        assert_eq!(guest.read(path, 10).found().unwrap().as_deref(), Some(name.as_bytes()), "{path}");
    }
    let other = tree("x");
    let root = other.root();
    assert_eq!(guest.mount("/..", Rc::new(other), root).unwrap_err().kind(), ErrorKind::Refused);
}
