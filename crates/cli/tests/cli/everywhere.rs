//! No finding, and no byte that is written, depends on threads, limits, the user, or what the images lie on.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use imsprep_testdata::each;

use crate::answers::{Answers, images};
use crate::folder::Folder;
use crate::mounts::{FILE_SYSTEMS, Mounted, script};
use crate::way::Way;

/// The images, and what is said of them when nothing is in the way.
fn asked() -> (Folder, Answers) {
    let folder = images();
    std::fs::create_dir(folder.path("out")).unwrap();
    let answers = Answers::of(&Way::plain(), &folder.path("."), true);
    answers.assert_right();
    (folder, answers)
}

#[test]
fn any_number_of_threads() {
    let (folder, expected) = asked();
    for threads in [1, 2, 7, 64] {
        let way = Way::plain().threads(threads);
        Answers::of(&way, &folder.path("."), true).assert_same(&expected, &way.name);
    }
    for threads in [0, 1025, 100_000] {
        let run = Way::plain().threads(threads).run(&folder.path("."), &["check", "disk.raw"]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{}", run.err);
        assert!(
            run.err.contains("'--threads <N>': ") && run.err.contains("is not in 1..=1024"),
            "{}",
            run.err
        );
    }
}

#[test]
fn limits_that_can_be_lived_with() {
    let (folder, expected) = asked();
    for way in [
        // All that is mapped, of files as well; without a word to the allocator.
        Way::plain().threads(2).limit("--as=268435456"),
        // Heap, buffers and stacks.
        Way::plain().threads(2).limit("--data=67108864"),
        // Files that are open: there are more workers than that.
        Way::plain().threads(64).limit("--nofile=32"),
        Way::plain().limit("--stack=1048576"),
    ] {
        Answers::of(&way, &folder.path("."), true).assert_same(&expected, &way.name);
    }
}

#[test]
fn a_user_who_may_only_read() {
    let (folder, expected) = asked();
    let here = folder.path(".");
    // Nobody else has this number, so no other process counts.
    let way = Way::unprivileged(&folder, 64_123);
    // One process and one thread beside it: the scan wants more, and does with what there is.
    let few = Way::unprivileged(&folder, 64_123).threads(1).limit("--nproc=2");
    script(&here, "chmod 444 *.raw *.mf *.zvhd2 *.qcow2; chmod 777 out; chmod 555 .").unwrap();
    let answers = Answers::of(&way, &here, true);
    let scanned = few.run(&here, &["bitmap", "create", "disk.raw", "--io", "read", "-o", "out/disk.mf"]);
    std::fs::set_permissions(&here, std::fs::Permissions::from_mode(0o755)).unwrap();
    answers.assert_same(&expected, &way.name);
    assert_eq!(scanned.status, 0, "{}", scanned.err);
    assert_eq!(
        std::fs::read(folder.path("out/disk.mf")).unwrap(),
        std::fs::read(folder.path("disk.mf")).unwrap()
    );
}

/// Copies the images to a folder on another file system and asks there.
fn asked_at(images: &Folder, at: &Path, has_holes: bool) -> Answers {
    let (names, sparse) = if has_holes { ("*", "always") } else { ("[!l]*", "never") };
    let copy = format!(
        "find . -maxdepth 1 -type f -name '{names}' -exec cp --sparse={sparse} --preserve=timestamps -t '{0}' {{}} +
        mkdir '{0}/out'",
        at.display()
    );
    script(&images.path("."), &copy).unwrap();
    Answers::of(&Way::plain(), at, has_holes)
}

#[test]
fn every_file_system() {
    let (folder, expected) = asked();
    let without_large = expected.without_large();
    each(FILE_SYSTEMS, |kind| {
        let mounted = Mounted::new(kind);
        let answers = asked_at(&folder, mounted.path(), kind.has_holes);
        answers.assert_same(if kind.has_holes { &expected } else { &without_large }, kind.name);
    });
}
