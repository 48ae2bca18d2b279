//! Many images: the commands of docs/fleet.md as they stand there, and the files in examples/fleet.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use imsprep_testdata::{command, golden, need_tools};
use serde_json::Value;

use crate::folder::{Folder, Run};

/// The sources' own folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands that stand below such a mark in docs/fleet.md, word for word.
fn documented(mark: &str) -> Vec<String> {
    let page = std::fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let (_, rest) =
        page.split_once(&format!("<!-- {mark} -->\n```sh\n")).unwrap_or_else(|| panic!("no {mark}"));
    let (commands, _) = rest.split_once("\n```\n").unwrap();
    commands.lines().map(str::to_owned).collect()
}

/// Some sixty images of many kinds, in a folder `images`; the names of those that are images.
fn fleet() -> (Folder, Vec<OsString>) {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("images")).unwrap();
    let mut names = Vec::<OsString>::new();
    let mut write = |name: OsString, bytes: &[u8], bitmap: Option<&[u8]>| {
        let path = folder.path("images").join(&name);
        std::fs::write(&path, bytes).unwrap();
        if let Some(bitmap) = bitmap {
            std::fs::write(path.with_extension("mf"), bitmap).unwrap();
        }
        names.push(name);
    };
    let real = |name: &str| std::fs::read(imsprep_testdata::folder().join(name)).unwrap();
    let (raw, bitmap, qcow2) = (real("small.raw"), real("small.mf"), real("disk.qcow2"));
    let container = golden("zstd_k_uniform.zvhd2");
    for number in 0..12 {
        write(format!("good{number}.zvhd2").into(), container, None);
        write(format!("pair{number}.raw").into(), &raw, Some(&bitmap));
    }
    for number in 0..8 {
        write(format!("cut{number}.zvhd2").into(), &container[..570_000 - number], None);
        write(format!("stale{number}.raw").into(), &raw, Some(&[0; 4096]));
        write(format!("alone{number}.img").into(), &raw, None);
        write(format!("disk{number}.qcow2").into(), &qcow2, None);
    }
    write("text.img".into(), b"this is no image\n", None);
    write("empty.raw".into(), b"", None);
    for name in
        [&b"new\nline.raw"[..], b"-dash.zvhd2", b"it's \"$HOME\" `id`;\\ \xff.zvhd2", b" {} {.} %.zvhd2"]
    {
        write(OsString::from_vec(name.to_vec()), container, None);
    }
    (folder, names)
}

/// The command's own folder before the others', and perhaps another before that.
fn search_path(first: Option<&Path>) -> OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_imsprep")).parent().unwrap();
    let others = std::env::var_os("PATH").unwrap();
    let others = std::env::split_paths(&others).collect::<Vec<_>>();
    let folders = first.into_iter().chain([own]).chain(others.iter().map(PathBuf::as_path));
    std::env::join_paths(folders).unwrap()
}

fn bash(folder: &Folder, script: &str, first: Option<&Path>) -> Run {
    let output = command("bash")
        .args(["-c", script])
        .current_dir(folder.path("."))
        .env("PATH", search_path(first))
        // Nothing of the person's own settings.
        .env("HOME", folder.path("."))
        .env_remove("PARALLEL")
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    Run {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What one process says of all images: the document, and the status.
fn one_process(folder: &Folder) -> (i32, Value) {
    let list = std::fs::read(folder.path("list")).unwrap();
    let names = list
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsString::from_vec(name.into()));
    let output = folder.command(&["check", "--json", "--"]).args(names).output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

/// Holds a summary against the one process, counted here anew.
fn assert_same(summary: &Value, one: &Value) {
    let files = one["files"].as_array().unwrap();
    let count = |verdict: &str| files.iter().filter(|file| file["verdict"] == verdict).count() as u64;
    let images = &summary["images"];
    assert_eq!(images["total"], files.len() as u64);
    assert_eq!(images["importable"], count("importable"));
    assert_eq!(images["not_importable"], count("not-importable"));
    assert_eq!(images["could_not_look"], count("could-not-tell"));
    assert!(count("importable") > 20 && count("not-importable") > 20 && count("could-not-tell") > 0);
    assert_eq!((&images["held_back"], &images["missing"]), (&0.into(), &0.into()));
    let mut codes = BTreeMap::<_, (u64, u64)>::new();
    for total in files.iter().flat_map(|file| file["report"]["totals"].as_array().into_iter().flatten()) {
        let key = (total["code"].as_str().unwrap(), total["severity"].as_str().unwrap());
        let (images, times) = codes.entry(key).or_default();
        (*images, *times) = (*images + 1, *times + total["total"].as_u64().unwrap());
    }
    let said = summary["findings"].as_array().unwrap().iter().map(|finding| {
        let key = (finding["code"].as_str().unwrap(), finding["severity"].as_str().unwrap());
        (key, (finding["images"].as_u64().unwrap(), finding["times"].as_u64().unwrap()))
    });
    assert_eq!(said.collect::<BTreeMap<_, _>>(), codes);
    let bad = |file: &&Value| file["exit_status"] != 0;
    let name = |file: &Value| {
        (file["path"].clone().to_string(), file["path_bytes"].to_string(), file["error"].to_string())
    };
    let mut expected = files.iter().filter(bad).map(name).collect::<Vec<_>>();
    let mut said = summary["to_do"].as_array().unwrap().iter().map(name).collect::<Vec<_>>();
    expected.sort();
    said.sort();
    assert_eq!(said, expected);
    let bytes = files.iter().filter_map(|file| file["detection"]["file_size"].as_u64()).sum::<u64>();
    assert_eq!(summary["bytes"], bytes);
}

fn summary_of(folder: &Folder, lines: &str) -> (i32, Value) {
    folder.json(&["summary", "--expect", "list", lines])
}

/// An image that is listed and can't be looked at.
fn spoil_one(folder: &Folder) {
    std::fs::remove_file(folder.path("images/good3.zvhd2")).unwrap();
}

#[test]
fn parallel_as_documented_says_what_one_process_says_and_goes_on_where_it_stopped() {
    need_tools(["parallel"]);
    let (folder, names) = fleet();
    // A program that one image kills, until it is healed.
    let shim = folder.path("shim");
    std::fs::create_dir(&shim).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *good7*) [ -e healed ] || kill -9 $$;; esac\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_imsprep")
    );
    std::fs::write(shim.join("imsprep"), script).unwrap();
    std::fs::set_permissions(shim.join("imsprep"), std::fs::Permissions::from_mode(0o755)).unwrap();

    let commands = documented("parallel");
    let [list, check, summary] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(bash(&folder, list, None).status, 0);
    spoil_one(&folder);
    let run = bash(&folder, check, Some(&shim));
    let (one_status, one) = one_process(&folder);
    let files = one["files"].as_array().unwrap();
    assert_eq!((one_status, files.len()), (2, names.len()));
    // How many jobs failed, as the page says.
    let failed = files.iter().filter(|file| file["exit_status"] != 0).count() + 1;
    assert_eq!(usize::try_from(run.status).ok(), Some(failed), "{run:?}");
    let lines = || std::fs::read_to_string(folder.path("lines.ndjson")).unwrap().lines().count();
    assert_eq!(lines(), names.len() - 1);
    let killed = bash(&folder, summary, None);
    assert_eq!(killed.status, 2, "{killed:?}");
    assert!(
        killed.out.contains("1 missing") && killed.out.contains("\n  images/good7.zvhd2\n"),
        "{}",
        killed.out
    );

    // The same again runs what did not pass, and nothing else.
    folder.write("healed", b"");
    let run = bash(&folder, check, Some(&shim));
    assert_eq!(usize::try_from(run.status).ok(), Some(failed - 1), "{run:?}");
    assert_eq!(lines(), names.len() - 1 + failed);
    let (status, joined) = summary_of(&folder, "lines.ndjson");
    assert_eq!(status, one_status);
    assert_same(&joined, &one);
    assert_eq!(bash(&folder, summary, None).status, one_status);
    // And what one process printed, read back, is the same.
    folder.write("one.json", one.to_string().as_bytes());
    let (_, mut again) = summary_of(&folder, "one.json");
    let mut joined = joined;
    for document in [&mut again, &mut joined] {
        for field in ["seconds", "slowest", "documents"] {
            assert!(document.as_object_mut().unwrap().remove(field).is_some(), "{field}");
        }
    }
    assert_eq!(again, joined);
}

#[test]
fn xargs_as_documented_says_what_one_process_says() {
    let (folder, _) = fleet();
    let commands = documented("xargs");
    let (list, rest) = commands.split_first().unwrap();
    assert_eq!(bash(&folder, list, None).status, 0);
    spoil_one(&folder);
    let (one_status, one) = one_process(&folder);
    let run = bash(&folder, &rest.join("\n"), None);
    assert_eq!(run.status, one_status, "{run:?}");
    let (status, joined) = summary_of(&folder, "lines");
    assert_eq!(status, one_status);
    assert_same(&joined, &one);
    assert!(std::fs::read_dir(folder.path("lines")).unwrap().count() > 1);
}

#[test]
fn images_are_prepared_as_documented() {
    need_tools(["parallel"]);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("images")).unwrap();
    for name in ["a.qcow2", "b'c.qcow2", "d.qcow2"] {
        std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("images").join(name))
            .unwrap();
    }
    folder.write("images/text.qcow2", b"QFI\xfbno more");
    // A result that is there already.
    folder.write("images/d.zvhd2", b"mine");
    let run = bash(&folder, &documented("prepare").join("\n"), None);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(
        run.out.starts_with("4 images: 2 importable, 1 not importable, 1 could not be checked\n"),
        "{run:?}"
    );
    assert!(folder.path("images/b'c.zvhd2").exists());
}

#[test]
fn a_slurm_array_says_what_one_process_says() {
    let (folder, _) = fleet();
    assert_eq!(bash(&folder, &documented("parallel")[0], None).status, 0);
    spoil_one(&folder);
    let (one_status, one) = one_process(&folder);
    let script = root().join("examples/fleet/check.sbatch");
    let mut statuses = Vec::new();
    for task in 1..=7 {
        let line = format!(
            "SLURM_ARRAY_TASK_ID={task} SLURM_ARRAY_TASK_COUNT=7 SLURM_CPUS_PER_TASK=2 bash '{}'",
            script.display()
        );
        let run = bash(&folder, &line, None);
        assert!(run.out.is_empty(), "{run:?}");
        statuses.push(run.status);
    }
    assert_eq!(statuses.iter().max(), Some(&one_status));
    let (status, joined) = summary_of(&folder, "lines");
    assert_eq!(status, one_status);
    assert_same(&joined, &one);
    assert_eq!(joined["documents"]["again"], 0);
    // A task beyond the list.
    let line = format!("SLURM_ARRAY_TASK_ID=1000 SLURM_ARRAY_TASK_COUNT=1000 bash '{}'", script.display());
    let run = bash(&folder, &line, None);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
}

#[test]
fn the_scripts_are_clean() {
    need_tools(["shellcheck"]);
    let mut scripts = ["parallel", "xargs", "prepare"].map(|mark| documented(mark).join("\n")).to_vec();
    scripts.push(pod_script().join("\n"));
    let folder = Folder::new();
    for (number, script) in scripts.iter().enumerate() {
        folder.write(&format!("{number}.sh"), format!("#!/bin/sh\n{script}\n").as_bytes());
    }
    folder.write("check.sbatch", &std::fs::read(root().join("examples/fleet/check.sbatch")).unwrap());
    let output = command("shellcheck").args(folder.names()).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The script in the manifest of the Kubernetes job, without its indentation.
fn pod_script() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("examples/fleet/job.yaml")).unwrap();
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "- |").skip(1).peekable();
    let indent = lines.peek().map(|line| line.len() - line.trim_start().len()).unwrap();
    let script = lines.map_while(|line| line.strip_prefix(&" ".repeat(indent)).map(str::to_owned));
    script.collect()
}

#[test]
fn a_pod_finds_its_image_and_leaves_a_whole_line() {
    let (folder, _) = fleet();
    // Lines: no name with a line feed.
    let list = "find images -type f ! -name '*.mf' ! -name '*\n*' | sort > list; mkdir results";
    assert_eq!(bash(&folder, list, None).status, 0);
    spoil_one(&folder);
    let script = pod_script().join("\n");
    folder.write("pod.sh", script.as_bytes());
    let count = std::fs::read(folder.path("list")).unwrap().iter().filter(|byte| **byte == b'\n').count();
    let mut worst = 0;
    for index in 0..count {
        let line = format!(
            "JOB_COMPLETION_INDEX={index} LIST=list RESULTS=results /bin/sh -eu -c \"$(cat pod.sh)\""
        );
        let run = bash(&folder, &line, None);
        assert!((0..=2).contains(&run.status), "{run:?}");
        worst = worst.max(run.status);
    }
    let (status, json) = summary_of(&folder, "results");
    assert_eq!((status, json["images"]["total"].as_u64()), (worst, Some(count as u64)));
    assert_eq!((json["images"]["missing"].as_u64(), json["documents"]["again"].as_u64()), (Some(0), Some(0)));
    assert!(crate::folder::names_in(&folder.path("results")).iter().all(|name| name.ends_with(".ndjson")));
    // An index beyond the list.
    let line =
        format!("JOB_COMPLETION_INDEX={count} LIST=list RESULTS=results /bin/sh -eu -c \"$(cat pod.sh)\"");
    assert_eq!(bash(&folder, &line, None).status, 0);
}

#[test]
fn the_containers_build_has_all_that_the_workspace_consists_of() {
    let file = std::fs::read_to_string(root().join("examples/fleet/Containerfile")).unwrap();
    let copied =
        file.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    let copied = copied.flat_map(|line| {
        let words = line.split(' ').collect::<Vec<_>>();
        let (_, sources) = words.split_last().unwrap();
        sources.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
    });
    let copied = copied.collect::<Vec<_>>();
    for source in &copied {
        assert!(root().join(source).exists(), "{source}");
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.lines().find(|line| line.starts_with("members = ")).unwrap();
    let members = members.split('"').skip(1).step_by(2).map(|member| member.trim_end_matches("/*"));
    for member in members.chain(["Cargo.toml", "Cargo.lock"]) {
        assert!(copied.iter().any(|source| Path::new(member).starts_with(source)), "{member} is not copied");
    }
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))
        .unwrap()
        .trim_end_matches('"');
    assert!(file.contains(&format!("/rust:{version}-")), "another Rust than {version}");
}
