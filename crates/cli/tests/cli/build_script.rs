//! What `--version` says, and the build script that finds out.

use std::path::{Path, PathBuf};
use std::process::Command;

use imsprep_testdata::command;

use crate::folder::Folder;

/// The build script, compiled by itself.
fn build_script(folder: &Folder) -> PathBuf {
    let program = folder.path("build-script");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let status =
        Command::new(rustc).args(["--edition", "2024", source, "-o"]).arg(&program).status().unwrap();
    assert!(status.success());
    program
}

/// What the script tells rustc in the variable, with sources in `sources`.
fn variable(script: &Path, sources: &Path, name: &str, set: &[(&str, &str)]) -> String {
    let text = told(script, sources, set);
    let start = format!("cargo::rustc-env={name}=");
    let value = text.lines().find_map(|line| line.strip_prefix(&start));
    value.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
}

fn told(script: &Path, sources: &Path, set: &[(&str, &str)]) -> String {
    let mut command = Command::new(script);
    command.env("CARGO_MANIFEST_DIR", sources).env("CARGO_PKG_VERSION", "1.2.3").env("TARGET", "t");
    command.env_remove("IMSPREP_COMMIT").env_remove("IMSPREP_COMMIT_DATE").envs(set.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn git(folder: &Path, args: &[&str]) -> String {
    let mut git = command("git");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(variable);
    }
    git.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")]);
    git.env("GIT_COMMITTER_DATE", "2001-02-03T04:05:06Z").env("GIT_AUTHOR_DATE", "2001-02-03T04:05:06Z");
    git.args(["-c", "user.name=n", "-c", "user.email=e@example.org"]).args(args).current_dir(folder);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with a crate in it, and the folder of that crate.
fn repository(folder: &Folder) -> PathBuf {
    let root = folder.path("repository");
    let sources = root.join("crates/cli");
    std::fs::create_dir_all(sources.join("src")).unwrap();
    std::fs::create_dir_all(sources.join("tests")).unwrap();
    for name in ["build.rs", "src/main.rs", "tests/a.rs"] {
        std::fs::write(sources.join(name), "//\n").unwrap();
    }
    git(&root, &["init", "--quiet"]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "-m", "one"]);
    sources
}

#[test]
fn the_version_has_the_commit_and_what_results_depend_on() {
    let folder = Folder::new();
    let [short, long] = ["-V", "--version"].map(|flag| folder.run(&[flag]).out);
    assert_eq!(short.lines().count(), 1, "{short}");
    assert!(short.starts_with(concat!("imsprep ", env!("CARGO_PKG_VERSION"))), "{short}");
    let (first, rest) = long.split_once('\n').unwrap();
    assert_eq!(first, short.trim_end());
    let words = rest.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(words, ["rules", "bitmap", "zstd", "target"], "{long}");
    assert!(!rest.contains("  \n"), "{long}");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    if root.join(".git").exists() && std::env::var_os("IMSPREP_COMMIT").is_none() {
        let commit = git(root, &["show", "--no-patch", "--abbrev=10", "--format=%h", "HEAD"]);
        let date = git(root, &["show", "--no-patch", "--format=%cs", "HEAD"]);
        let clean = format!("({commit} {date})");
        let dirty = format!("({commit}-dirty {date})");
        assert!(short.contains(&clean) || short.contains(&dirty), "{short} is of {clean}");
    }
}

#[test]
fn a_commit_is_told_and_changes_of_the_sources_are() {
    let folder = Folder::new();
    let script = build_script(&folder);
    let sources = repository(&folder);
    let commit = git(&sources, &["rev-parse", "--short=10", "HEAD"]);
    let version = || variable(&script, &sources, "IMSPREP_VERSION", &[]);
    assert_eq!(version(), format!("1.2.3 ({commit} 2001-02-03)"));
    assert_eq!(variable(&script, &sources, "IMSPREP_COMMIT_DATE", &[]), "2001-02-03");
    // No program is made of its tests.
    std::fs::write(sources.join("tests/a.rs"), "// more\n").unwrap();
    assert_eq!(version(), format!("1.2.3 ({commit} 2001-02-03)"));
    // A new file counts as much as a changed one.
    std::fs::write(sources.join("src/new.rs"), "").unwrap();
    assert_eq!(version(), format!("1.2.3 ({commit}-dirty 2001-02-03)"));
    std::fs::remove_file(sources.join("src/new.rs")).unwrap();
    std::fs::write(sources.join("src/main.rs"), "// more\n").unwrap();
    assert_eq!(version(), format!("1.2.3 ({commit}-dirty 2001-02-03)"));
    // Packagers know better.
    let set = [("IMSPREP_COMMIT", "abc"), ("IMSPREP_COMMIT_DATE", "2002-03-04")];
    assert_eq!(variable(&script, &sources, "IMSPREP_VERSION", &set), "1.2.3 (abc 2002-03-04)");
    assert_eq!(variable(&script, &sources, "IMSPREP_VERSION", &set[..1]), "1.2.3 (abc)");
}

#[test]
fn a_shallow_clone_tells_its_commit_and_what_is_watched_is_there() {
    let folder = Folder::new();
    let script = build_script(&folder);
    let sources = repository(&folder);
    let root = folder.path("repository");
    git(&root, &["commit", "--quiet", "--allow-empty", "-m", "two"]);
    let url = format!("file://{}", root.display());
    git(&folder.path("."), &["clone", "--quiet", "--depth", "1", &url, "clone"]);
    let commit = git(&root, &["rev-parse", "--short=10", "HEAD"]);
    let clone = folder.path("clone/crates/cli");
    let version = variable(&script, &clone, "IMSPREP_VERSION", &[]);
    assert_eq!(version, format!("1.2.3 ({commit} 2001-02-03)"));
    for sources in [clone, sources] {
        let text = told(&script, &sources, &[]);
        let watched = text.lines().filter_map(|line| line.strip_prefix("cargo::rerun-if-changed="));
        let watched = watched.collect::<Vec<_>>();
        // cargo would run the script at each build for the sake of one that is not.
        assert!(watched.iter().all(|path| sources.join(path).exists()), "{watched:?}");
        for end in ["/HEAD", "/logs/HEAD", "/src"] {
            assert!(watched.iter().any(|path| path.ends_with(end)), "{end}: {watched:?}");
        }
    }
}

#[test]
fn without_a_repository_of_its_own_the_package_tells_or_nobody() {
    let folder = Folder::new();
    let script = build_script(&folder);
    let plain = folder.path("plain");
    std::fs::create_dir(&plain).unwrap();
    std::fs::write(plain.join("build.rs"), "//\n").unwrap();
    let version = || variable(&script, &plain, "IMSPREP_VERSION", &[]);
    assert_eq!(version(), "1.2.3");
    // Unpacked within a repository of somebody else.
    git(&folder.path("."), &["init", "--quiet"]);
    git(&folder.path("."), &["commit", "--quiet", "--allow-empty", "-m", "theirs"]);
    assert_eq!(version(), "1.2.3");
    // If the next commit has them, that is to be seen.
    assert!(told(&script, &plain, &[]).contains("/logs/HEAD\n"));
    let sha1 = "0123456789abcdef0123456789abcdef01234567";
    let info =
        format!("{{\n  \"git\": {{\n    \"sha1\": \"{sha1}\"\n  }},\n  \"path_in_vcs\": \"crates/cli\"\n}}");
    std::fs::write(plain.join(".cargo_vcs_info.json"), info).unwrap();
    assert_eq!(version(), "1.2.3 (0123456789)");
    let info = format!("{{\n  \"git\": {{\n    \"sha1\": \"{sha1}\",\n    \"dirty\": true\n  }}\n}}");
    std::fs::write(plain.join(".cargo_vcs_info.json"), info).unwrap();
    assert_eq!(version(), "1.2.3 (0123456789-dirty)");
    // One that is not as expected is no reason to fail.
    std::fs::write(plain.join(".cargo_vcs_info.json"), "{\"sha1\": 3}").unwrap();
    assert_eq!(version(), "1.2.3");
}
