//! The harness as cargo and a person use it. The tests of the module `child` are run by the others, in a process of their own.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

#[macro_use]
extern crate imsprep_testdata;

use std::process::{Command, ExitCode};

/// Has the tests of `child` run.
const CHILD: &str = "IMSPREP_HARNESS_CHILD";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().collect::<Vec<_>>();
    if std::env::var_os(CHILD).is_none() {
        // Some of them are there to fail.
        arguments.extend(["--skip".into(), "child::".into()]);
    }
    imsprep_testdata::run_with(arguments)
}

/// Tests for the other ones to run.
mod child {
    use imsprep_testdata::{each, missing, need_file, need_tools};

    #[test]
    fn fails() {
        assert_eq!(1, 2, "a reason to fail");
    }

    #[test]
    fn lacks_a_tool() {
        need_tools(["sh", "no-such-tool", "no-such-tool-either"]);
        panic!("a test went on without its tools");
    }

    #[test]
    fn lacks_a_file() {
        need_file("/", "base-files");
        need_file("/no/such/file", "a-package");
        panic!("a test went on without its file");
    }

    #[test]
    fn lacks_one_case() {
        let mut tried = vec![];
        each([1, 2, 3], |case| {
            if case == 2 {
                missing("no two here");
            }
            tried.push(case);
            assert!(case < 3 || tried == [1, 3], "{tried:?}");
        });
        panic!("a test that left a case out passed");
    }

    #[test]
    fn fails_in_a_case() {
        each([1, 2], |case| assert_eq!(case, 1, "in the second"));
    }

    /// Run with a `PATH` that has one folder, which ends in `bin`.
    #[test]
    fn runs_what_it_found() {
        let said = imsprep_testdata::command("lonely").output().unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), "sbin\n");
        need_tools(["mkfs.ext4"]);
    }

    #[test]
    #[ignore = "to try this attribute"]
    fn passes() {
        need_tools(["sh"]);
        each([1, 2], |_| {});
    }
}

/// Exit status and output of this binary with these arguments and variables.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env_remove("IMSPREP_NO_SKIPS").env(CHILD, "1");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn what_is_missing_is_ignored_with_its_reason_and_counted() {
    let (status, text) = run(&["--include-ignored", "child::lacks", "child::passes"], &[]);
    assert_eq!(status, 0, "{text}");
    for line in [
        "child::lacks_a_tool   ... ignored (no-such-tool, no-such-tool-either are not installed)",
        "child::lacks_a_file   ... ignored (/no/such/file of a-package is not there)",
        "child::lacks_one_case ... ignored (no two here)",
        "child::passes         ... ok",
        "test result: ok. 1 passed; 0 failed; 3 ignored;",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn where_nothing_may_be_ignored_what_is_missing_fails() {
    let (status, text) =
        run(&["--include-ignored", "child::lacks", "child::passes"], &[("IMSPREP_NO_SKIPS", "1")]);
    assert_eq!(status, 101, "{text}");
    assert!(text.contains("no two here, and IMSPREP_NO_SKIPS is set: no test may be ignored"), "{text}");
    assert!(text.contains("test result: FAILED. 1 passed; 3 failed; 0 ignored;"), "{text}");
}

#[test]
fn a_test_that_fails_says_why() {
    let (status, text) = run(&["child::fails"], &[]);
    assert_eq!(status, 101, "{text}");
    for words in
        ["a reason to fail", "in the second", "thread 'child::fails'", "0 passed; 2 failed; 0 ignored;"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// What cargo's users and cargo-nextest ask for.
#[test]
fn options_are_those_of_libtest() {
    let listed = |arguments: &[&str]| {
        let (status, text) = run(arguments, &[]);
        assert_eq!(status, 0, "{text}");
        text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect::<Vec<_>>()
    };
    let all = listed(&["--list", "--format", "terse"]);
    assert!(all.contains(&"options_are_those_of_libtest".to_owned()), "{all:?}");
    assert_eq!(all.iter().filter(|name| name.starts_with("child::")).count(), 7, "{all:?}");
    assert_eq!(listed(&["--list", "--format", "terse", "--ignored"]), ["child::passes"]);
    assert_eq!(listed(&["--list", "child", "--exact"]), <[&str; 0]>::default());
    assert_eq!(
        listed(&["--list", "lacks", "passes", "--skip", "tool"]),
        ["child::lacks_a_file", "child::lacks_one_case", "child::passes"]
    );

    let counts = |arguments: &[&str], expected: &str| {
        let (status, text) = run(arguments, &[]);
        assert_eq!(status, 0, "{text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    };
    let others = all.len() - 1;
    counts(&["child::passes", "--exact", "--nocapture"], "0 passed; 0 failed; 1 ignored;");
    for arguments in [
        &["child::passes", "--exact", "--include-ignored", "--no-capture"][..],
        &["child::passes", "--ignored", "--test-threads", "1", "--show-output"],
        &["passes", "no_such_test", "--ignored", "-q"],
    ] {
        let others = format!("1 passed; 0 failed; 0 ignored; 0 measured; {others} filtered out");
        counts(arguments, &others);
    }
    counts(&["no_such_test"], "0 passed; 0 failed; 0 ignored;");
}

/// A tool is looked for where `PATH` says and in the `sbin` beside, and nowhere else; and that one is run.
#[test]
fn the_tool_that_is_found_is_the_one_that_is_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = std::env::temp_dir().join(format!("imsprep-harness-{}", std::process::id()));
    for (name, says) in [("bin/other", "bin"), ("sbin/lonely", "sbin")] {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\necho {says}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let bin = folder.join("bin");
    let (status, text) = run(&["--ignored", "--exact", "child::passes"], &[("PATH", "/no/such/folder")]);
    assert!(status == 0 && text.contains("ignored (sh is not installed)"), "{text}");
    let arguments = ["--exact", "child::runs_what_it_found"];
    let (status, text) = run(&arguments, &[("PATH", bin.to_str().unwrap())]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(status == 0 && text.contains("ignored (mkfs.ext4 is not installed)"), "{text}");
}
