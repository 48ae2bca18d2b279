//! `imsprep bench` before it measures anything: what is wrong with a call comes out at once, not after hours.

use crate::folder::Folder;

#[test]
fn a_size_that_can_not_be_made_is_refused_with_the_reason() {
    let folder = Folder::new();
    for (size, why) in [
        ("0", "images are made from 16M on"),
        ("1M", "images are made from 16M on"),
        ("17M", "must be a multiple of 2M"),
        ("2T", "images are made up to 1T"),
        ("8GB", "GB may mean 1000 or 1024"),
        ("8X", "is no unit"),
        ("big", "expected bytes or a number with a unit"),
    ] {
        let run = folder.run(&["bench", "--size", size]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{size}");
        assert!(run.err.contains(why) && run.err.contains("--size"), "{}", run.err);
    }
    assert!(folder.names().is_empty());
}

#[test]
fn arguments_that_make_no_sense() {
    let folder = Folder::new();
    for args in [
        &["--case", "nothing"][..],
        &["--cache", "lukewarm"],
        &["--rounds", "0"],
        &["--rounds", "1001"],
        &["--force"],
    ] {
        let run = folder.run(&[&["bench"], args].concat());
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.err.contains("--help"), "{}", run.err);
    }
}

#[test]
fn the_place_of_the_page_is_looked_at_before_anything_is_measured() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 << 20, &[0]);
    std::fs::hard_link(folder.path("disk.raw"), folder.path("same.html")).unwrap();
    folder.write("old.html", b"precious");
    for (args, why) in [
        (&["--html", "old.html"][..], "old.html: exists already"),
        (&["--html", "nowhere/new.html"], "nowhere/new.html: cannot create a temporary file beside it"),
        (&["disk.raw", "--html", "disk.raw", "--force"], "the output is the same file as the input"),
        (&["disk.raw", "--html", "same.html", "--force"], "the output is the same file as the input"),
        (&["none.raw", "--html", "new.html"], "none.raw: cannot open"),
    ] {
        let run = folder.run(&[&["bench"], args].concat());
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains(why), "{}", run.err);
    }
    assert_eq!(std::fs::read(folder.path("old.html")).unwrap(), b"precious");
    assert_eq!(folder.names(), ["disk.raw", "old.html", "same.html"], "nothing is left behind");
}
