//! `imsprep bitmap learn --program`: small programs, each of which writes a layout of its own, or is none that can be learned from.

use std::time::{Duration, Instant};

use imsprep_testdata::{command, need_tools};
use serde_json::Value;

use crate::folder::{Folder, codes, kill};

/// What the programs share.
const COMMON: &str = include_str!("programs/common.py");

/// The interpreter itself, as what stands in its place may take longer to start than a program runs.
fn python() -> String {
    need_tools(["python3"]);
    let found = command("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

/// A folder with a program, and the command that runs it.
pub(crate) fn program(folder: &Folder, body: &str) -> String {
    folder.write("common.py", COMMON.as_bytes());
    folder.write("program.py", format!("from common import *\n{body}\n").as_bytes());
    format!("{} -E -S program.py {{image}} {{bitmap}}", python())
}

/// Runs `bitmap learn` on a program, with more time than a busy machine needs, and checks that no image is left.
pub(crate) fn learn(folder: &Folder, command: &str, more: &[&str]) -> (i32, Value) {
    std::fs::create_dir_all(folder.path("images")).unwrap();
    let args = ["bitmap", "learn", "--program", command, "--temp-dir", "images", "-o", "learned.toml"];
    let limits =
        if more.contains(&"--time-limit") { &[][..] } else { &["--time-limit", "900", "--run-limit", "60"] };
    let (status, json) = folder.json(&[&args, limits, more].concat());
    assert_eq!(std::fs::read_dir(folder.path("images")).unwrap().count(), 0, "images are left");
    assert_eq!(folder.path("learned.toml").exists(), status == 0, "{json:#}");
    assert_eq!(json["exit_status"], status);
    (status, json)
}

/// Which blocks of an image that nobody has shown to the learner hold data: of the program and of the layout.
pub(crate) fn assert_writes_the_same(folder: &Folder, program: &str) {
    for (name, size, places) in [
        ("a.raw", (123 << 20) + 1536, &[0u64, (2 << 20) - 1, 70 << 20, 123 << 20][..]),
        ("b.raw", 17 << 20, &[(17 << 20) - 1]),
        ("c.raw", 5 << 30, &[3 << 30, (3 << 30) + 5_000_000]),
    ] {
        folder.sparse(name, size, places);
        let run =
            folder.run(&["bitmap", "create", "--force", "--layout", "learned.toml", name, "-o", "ours.mf"]);
        assert_eq!(run.status, 0, "{}", run.err);
        let words = program.replace("{image}", name).replace("{bitmap}", "theirs.mf");
        let mut words = words.split(' ');
        let mut theirs = std::process::Command::new(words.next().unwrap());
        assert!(theirs.args(words).current_dir(folder.path("")).status().unwrap().success());
        let read = |name| std::fs::read(folder.path(name)).unwrap();
        assert!(read("ours.mf") == read("theirs.mf"), "{name}");
    }
}

#[test]
fn layouts_are_proven_and_believed() {
    for (body, words) in [
        ("write(bits(data_blocks(), unit=4096))", "block-size = 2097152"),
        (
            "b = data_blocks(); m = bits(b, most_first=True, unit=512)\n\
             write(b'CMF1' + struct.pack('>QI', SIZE, len(b)) + m + struct.pack('<I', zlib.crc32(m)))",
            "number = \"padded-crc32\"",
        ),
        (
            "b = data_blocks(65536); m = bits(b, invert=True, unit=8, pad=1)\n\
             h = b'MAP!' + struct.pack('<QQ', SIZE, sum(b)); write(h + struct.pack('<I', zlib.crc32(h)) + m)",
            "set-bit = \"zero\"",
        ),
    ] {
        let folder = Folder::new();
        let command = program(&folder, body);
        let (status, json) = learn(&folder, &command, &[]);
        assert_eq!((status, &json["result"]), (0, &"one".into()), "{body}: {json:#}");
        let program = &json["program"];
        assert_eq!(program["outcome"], "proven");
        assert!(program["refuting"].as_u64().unwrap() >= 40, "{program:#}");
        assert!(program["largest_image"].as_u64().unwrap() > 1 << 40, "{program:#}");
        let toml = std::fs::read_to_string(folder.path("learned.toml")).unwrap();
        for word in
            [words, "[proven]", "command = ", "date = \"20", "sha256 = \"", "imsprep = \"", "images = "]
        {
            assert!(toml.contains(word), "{word}: {toml}");
        }
        assert_writes_the_same(&folder, &command);

        let run = folder.run(&["bitmap", "create", "--layout", "learned.toml", "b.raw"]);
        assert!(run.status == 0 && run.out.contains("proven against program.py "), "{}{}", run.out, run.err);
        let (_, json) = folder.json(&["check", "--layout", "learned.toml", "b.raw"]);
        let file = &json["files"][0];
        assert!(!codes(&file["report"]).iter().any(|code| code.starts_with("BM-")), "{json:#}");
        let proof = &file["bitmap"]["layout_proof"];
        assert_eq!(
            (&proof["command"], &proof["images"]),
            (&command.as_str().into(), &program_images(program))
        );
        assert_eq!(proof["files"].as_array().unwrap().len(), 2, "{proof:#}");
        let run = folder.run(&["check", "-v", "--layout", "learned.toml", "b.raw"]);
        assert!(run.out.contains("proven against program.py "), "{}", run.out);
    }
}

fn program_images(program: &Value) -> Value {
    program["images"].as_array().unwrap().len().into()
}

#[test]
fn what_cannot_be_learned_from_is_reported_as_such() {
    let zvhd2 = "m = bits(data_blocks(), unit=4096)\n";
    for (body, kind, evidence) in [
        ("write(m + os.urandom(8))", "not-deterministic", "bytes 4096 to 4103: "),
        ("import time\nwrite(m + struct.pack('<I', int(time.time())))", "depends-on-time", "byte"),
        ("write(m + os.path.basename(IMAGE).encode())", "depends-on-image-name", "one has 4105 bytes"),
        ("write(m + os.path.basename(BITMAP).encode())", "depends-on-bitmap-name", "one has 4104 bytes"),
        ("write(m + struct.pack('<d', os.stat(IMAGE).st_mtime))", "depends-on-image-", "bytes 4096 to 41"),
        ("write(m + struct.pack('<Q', os.stat(IMAGE).st_blocks))", "depends-on-holes", "byte"),
        ("write(m)\nopen(IMAGE, 'ab').write(b'x')", "changes-image", "is 10490369 now"),
        ("write(m)\nos.utime(IMAGE, (7, 7))", "changes-image", "time changed"),
        ("write(m)\nos.remove(IMAGE)", "changes-image", "it was deleted or renamed"),
        (
            "write(m)\nimport subprocess\nsubprocess.Popen(['sleep', '100'], start_new_session=True, env={}, \
             stdin=-3, stdout=-3, stderr=-3)",
            "leaves-children",
            "a process was still running",
        ),
        ("print('one\\n\\x1b[2Jtwo', file=sys.stderr)\nsys.exit(3)", "fails", "exit status: 3; so it is for"),
        (
            "SIZE > 20 << 20 and sys.exit(4)\nwrite(m)",
            "fails-on-some-sizes",
            "exit status: 4; it had written",
        ),
        ("SIZE < 20 << 20 and sys.exit(4)\nwrite(m)", "fails-on-some-sizes", "an image of 67108864 bytes"),
        ("pass", "writes-nothing", "it wrote no bitmap file"),
        ("write(m, IMAGE + '.mf')", "writes-nothing", "\"image.raw.mf\" beside the image"),
        ("write(m, 'here.mf')", "writes-nothing", "\"here.mf\" in the current folder"),
        ("os.mkdir(BITMAP)", "writes-nothing", "no regular file"),
        ("open(BITMAP, 'wb').truncate(100 << 20)", "writes-nothing", "104857600 bytes"),
    ] {
        let folder = Folder::new();
        let command = program(&folder, &format!("{zvhd2}{body}"));
        let (status, json) = learn(&folder, &command, &[]);
        let fault = &json["program"]["fault"];
        assert_eq!((status, &json["result"]), (1, &"none".into()), "{body}: {json:#}");
        assert!(fault["kind"].as_str().unwrap_or_default().starts_with(kind), "{body}: {fault:#}");
        assert!(fault["evidence"].as_str().unwrap().contains(evidence), "{body}: {fault:#}");
    }
}

#[test]
fn a_program_that_hangs_is_killed_with_its_children_and_its_output_is_shown() {
    let folder = Folder::new();
    let body = "import subprocess, time\nchild = subprocess.Popen(['sleep', '1000'])\n\
                print(child.pid, '\\x1b[2J##vso[x]', flush=True)\ntime.sleep(1000)";
    let command = program(&folder, body);
    std::fs::create_dir(folder.path("images")).unwrap();
    let begun = Instant::now();
    let run =
        folder.run(&["bitmap", "learn", "--program", &command, "--temp-dir", "images", "--run-limit", "3"]);
    assert!(begun.elapsed() < Duration::from_secs(100));
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    assert!(run.out.contains("does not end") && run.out.contains("within 3 s"), "{}", run.out);
    let output = run.out.lines().find_map(|line| line.trim().strip_prefix("output  ")).expect("its output");
    assert!(
        output.contains(r"\u{1b}[2J") && !run.out.contains('\x1b') && !run.out.contains("##vso["),
        "{output:?}"
    );
    let child = output.split(' ').next().unwrap();
    let state = std::fs::read_to_string(format!("/proc/{child}/stat"));
    assert!(state.is_err() || state.unwrap().contains(") Z "), "the child lives");
    assert_eq!(std::fs::read_dir(folder.path("images")).unwrap().count(), 0);
}

#[test]
fn one_that_is_wrong_once_is_not_learned() {
    let zvhd2 = "m = bytearray(bits(data_blocks(), unit=4096))\n";
    for body in [
        // Right for 39 images, wrong for the fortieth, by a count that it keeps.
        "n = int(open('count').read() if os.path.exists('count') else 0) + 1\nopen('count', 'w').write(str(n))\n\
         if n == 40: m[0] ^= 1\nwrite(m)",
        // Wrong for one kind of image: a partial last block is forgotten.
        "b = data_blocks()\nif SIZE % (2 * MIB) == 1: b[-1] = False\nwrite(bits(b, unit=4096))",
        // Wrong for large images.
        "if SIZE > 64 << 30: m[-1] = 1\nwrite(m)",
    ] {
        let folder = Folder::new();
        let command = program(&folder, &format!("{zvhd2}{body}"));
        let (status, json) = learn(&folder, &command, &[]);
        let program = &json["program"];
        assert_eq!((status, &program["outcome"]), (1, &"not-learned".into()), "{body}: {json:#}");
        let disagreements = program["disagreements"].as_array().unwrap();
        assert!(!disagreements.is_empty(), "{program:#}");
        assert!(disagreements[0]["evidence"].as_str().unwrap().contains("byte"), "{program:#}");
    }
}

#[test]
fn what_is_outside_is_described_by_what_its_bytes_depend_on() {
    for body in [
        // The blocks from the last to the first.
        "write(struct.pack('>Q', SIZE) + bits(data_blocks()[::-1], unit=64))",
        // Two bits for each block.
        "write(bits([d for b in data_blocks() for d in (b, b)], unit=64) + struct.pack('<Q', SIZE))",
        // Blocks of three times a power of two.
        "write(struct.pack('<Q', SIZE) + bits(data_blocks(3 * MIB), unit=64))",
    ] {
        let folder = Folder::new();
        let command = program(&folder, body);
        let (status, json) = learn(&folder, &command, &[]);
        assert_eq!((status, &json["result"]), (1, &"none".into()), "{body}: {json:#}");
        let influences = json["program"]["influences"].as_array().unwrap();
        let of = |what: &'static str| {
            let chosen = influences.iter().filter(move |influence| influence["of"] == what);
            chosen.map(|influence| influence["evidence"].to_string())
        };
        assert!(of("content").all(|evidence| evidence.contains("byte")), "{body}: {influences:#?}");
        assert!(
            of("size").any(|evidence| evidence.contains("are the image's size in bytes")),
            "{influences:#?}"
        );
    }
}

#[test]
fn too_little_time_proves_nothing_and_large_images_are_left_out() {
    let folder = Folder::new();
    let zvhd2 = "write(bits(data_blocks(), unit=4096))\nimport time\n";
    let command = program(&folder, &format!("{zvhd2}time.sleep(1)"));
    let (status, json) = learn(&folder, &command, &["--time-limit", "15"]);
    assert_eq!((status, &json["program"]["outcome"]), (1, &"too-few-images".into()), "{json:#}");
    assert!(!json["program"]["left_out"].as_array().unwrap().is_empty());

    // As slow as one that reads every byte, at 8 GiB in a second.
    let command = program(&folder, &format!("{zvhd2}time.sleep(SIZE / (8 << 30))"));
    let (status, json) = learn(&folder, &command, &["--time-limit", "600", "--run-limit", "6"]);
    let program = &json["program"];
    assert_eq!((status, &program["outcome"]), (0, &"proven".into()), "{json:#}");
    let largest = program["largest_image"].as_u64().unwrap();
    assert!((100 << 20..1 << 40).contains(&largest), "{largest}");
    let left_out = program["left_out"].as_array().unwrap();
    assert!(left_out.iter().any(|image| image["size"].as_u64().unwrap() > 1 << 40), "{program:#}");
    let toml = std::fs::read_to_string(folder.path("learned.toml")).unwrap();
    assert!(toml.contains(&format!("largest-image = {largest}\n")), "{toml}");
}

#[test]
fn sizes_that_no_disk_has_may_be_refused() {
    let folder = Folder::new();
    let body = "SIZE % 512 and sys.exit('not whole sectors')\nSIZE or sys.exit('empty')\n\
                write(bits(data_blocks(), unit=4096))";
    let command = program(&folder, body);
    let (status, json) = learn(&folder, &command, &[]);
    assert_eq!((status, &json["program"]["outcome"]), (0, &"proven".into()), "{json:#}");
    let refused = json["program"]["refused"].as_array().unwrap();
    assert!(
        refused.iter().any(|image| image["why"].as_str().unwrap().ends_with("not whole sectors")),
        "{refused:?}"
    );
    let toml = std::fs::read_to_string(folder.path("learned.toml")).unwrap();
    assert!(toml.contains("refused = [0, 1, "), "{toml}");
}

#[test]
fn a_program_in_java_is_learned() {
    need_tools(["javac", "java"]);
    let folder = Folder::new();
    folder.write("CreateMF.java", include_bytes!("programs/CreateMF.java"));
    let compiled = command("javac").arg("CreateMF.java").current_dir(folder.path("")).output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let (status, json) = learn(
        &folder,
        "java -Xshare:auto -XX:+UseSerialGC -cp . CreateMF {image} {bitmap}",
        &["--time-limit", "900", "--run-limit", "5"],
    );
    assert_eq!((status, &json["program"]["outcome"]), (0, &"proven".into()), "{json:#}");
}

#[test]
fn commands_that_are_none_are_usage_errors() {
    let folder = Folder::new();
    for (command, error) in [
        ("cp {image}", "{bitmap} does not occur in it"),
        ("cp '{image} {bitmap}", "a quotation mark is not closed"),
        ("cat {image} > {bitmap}", "no shell runs it"),
        ("no-such-program {image} {bitmap}", "no-such-program: cannot run this program"),
    ] {
        let run = folder.run(&["bitmap", "learn", "--program", command, "-o", "x.toml"]);
        assert!(run.status == 2 && run.err.contains(error), "{command}: {}", run.err);
    }
    let run = folder.run(&["bitmap", "learn", "--program", "cp {image} {bitmap}", "--temp-dir", "nowhere"]);
    assert!(run.status == 2 && run.err.contains("nowhere: cannot keep temporary files here"), "{}", run.err);
    let run = folder.run(&["bitmap", "learn", "--image", "a", "--sample", "b", "--temp-dir", "."]);
    assert!(run.status == 2 && run.err.contains("cannot be used with"), "{}", run.err);
    assert!(folder.names().is_empty());
}

#[test]
fn a_stop_removes_the_images_and_ends_the_program() {
    let folder = Folder::new();
    let command = program(&folder, "import time\nopen('started', 'w').close()\ntime.sleep(1000)");
    std::fs::create_dir(folder.path("images")).unwrap();
    for signal in ["-INT", "-TERM"] {
        let args = ["bitmap", "learn", "--program", &command, "--temp-dir", "images", "-o", "learned.toml"];
        let mut own = std::process::Command::new(folder.command(&[]).get_program());
        let mut child = own.args(args).current_dir(folder.path("")).spawn().unwrap();
        let begun = Instant::now();
        while !folder.path("started").exists() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(10));
        }
        kill(signal, child.id());
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(if signal == "-INT" { 130 } else { 143 }));
        assert_eq!(std::fs::read_dir(folder.path("images")).unwrap().count(), 0);
        assert!(!folder.path("learned.toml").exists());
        std::fs::remove_file(folder.path("started")).unwrap();
    }
}

#[test]
fn an_installed_layout_is_found_by_every_command_and_flags_beat_it() {
    let folder = Folder::new();
    let body = "write(b'CMF1' + struct.pack('>Q', SIZE) + bits(data_blocks(), most_first=True, unit=512))";
    let command = program(&folder, body);
    let (status, _) = learn(&folder, &command, &["--install"]);
    assert_eq!(status, 0);
    let installed = folder.path("settings/imsprep/layout.toml");
    assert_eq!(std::fs::read(&installed).unwrap(), std::fs::read(folder.path("learned.toml")).unwrap());

    folder.sparse("a.raw", 77 << 20, &[5, 70 << 20]);
    let run = folder.run(&["bitmap", "create", "a.raw"]);
    assert!(run.status == 0 && run.out.contains("proven against program.py"), "{}{}", run.out, run.err);
    let (_, json) = folder.json(&["check", "a.raw"]);
    assert_eq!(json["files"][0]["bitmap"]["layout"], "learned");
    assert!(!codes(&json["files"][0]["report"]).iter().any(|code| code.starts_with("BM-")), "{json:#}");
    let (status, json) = folder.json(&["bitmap", "verify", "a.raw"]);
    assert_eq!((status, &json["bitmap"]["layout"]), (0, &"learned".into()), "{json:#}");
    assert_eq!(folder.run(&["bitmap", "show", "a.mf"]).status, 0);

    let in_force = |folder: &Folder| {
        let (status, json) = folder.json(&["bitmap", "layouts"]);
        assert_eq!(status, 0);
        let layouts = json["layouts"].as_array().unwrap().clone();
        let one = layouts.iter().filter(|layout| layout["in_force"] == true).collect::<Vec<_>>();
        assert_eq!(one.len(), 1, "{layouts:#?}");
        (one[0]["name"].as_str().unwrap().to_owned(), one[0]["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(in_force(&folder), ("learned".into(), "installed".into()));
    let run = folder.run(&["bitmap", "layouts"]);
    assert!(
        run.out.contains("* learned  installed, ") && run.out.contains("  zvhd2  built in"),
        "{}",
        run.out
    );

    // The project file beats it, by a name or by a path from its folder on; and the flag beats that.
    folder.write("imsprep.toml", b"layout = \"sealed\"\n");
    assert_eq!(in_force(&folder), ("sealed".into(), "project".into()));
    folder.write("imsprep.toml", b"layout = \"learned.toml\"\n");
    assert_eq!(in_force(&folder), ("learned".into(), "project".into()));
    folder.run(&["bitmap", "create", "--force", "--layout", "zvhd2", "a.raw"]);
    let (_, json) = folder.json(&["check", "--layout", "zvhd2", "a.raw"]);
    assert!(codes(&json["files"][0]["report"]).contains(&"BM-005".into()));
    let (_, json) = folder.json(&["check", "a.raw"]);
    assert!(codes(&json["files"][0]["report"]).contains(&"BM-010".into()), "another than the one in force");

    // One that can't be used is an error, and another never takes its place.
    folder.write("imsprep.toml", b"layout = \"nowhere.toml\"\n");
    let run = folder.run(&["check", "a.raw"]);
    assert!(
        run.status == 2 && run.err.contains("imsprep.toml") && run.err.contains("nowhere.toml"),
        "{}",
        run.err
    );
    std::fs::remove_file(folder.path("imsprep.toml")).unwrap();
    std::fs::write(&installed, "name = 3\n").unwrap();
    let run = folder.run(&["bitmap", "create", "--force", "a.raw"]);
    assert!(run.status == 2 && run.err.contains("the installed layout can't be used"), "{}", run.err);
    let run = folder.run(&["bitmap", "learn", "--program", &command, "--install"]);
    assert!(run.status == 2 && run.err.contains("already exists"), "{}", run.err);
}

#[test]
fn an_image_and_its_bitmap_are_held_against_the_program() {
    let folder = Folder::new();
    let command = program(&folder, "write(bits(data_blocks(), unit=4096))");
    folder.sparse("a.raw", 77 << 20, &[5, 70 << 20]);
    assert_eq!(folder.run(&["bitmap", "create", "a.raw"]).status, 0);
    let verify = ["bitmap", "verify", "a.raw", "--program", &command, "--temp-dir", "."];
    let run = folder.run(&verify);
    assert!(
        run.status == 0 && run.out.contains("the program writes the same bytes of a.raw"),
        "{}{}",
        run.out,
        run.err
    );
    let mut bytes = std::fs::read(folder.path("a.mf")).unwrap();
    bytes[4] ^= 8;
    folder.write("a.mf", &bytes);
    let (status, json) = folder.json(&verify);
    assert_eq!((status, &json["same"]), (1, &false.into()), "{json:#}");
    assert_eq!(json["difference"], "byte 4: 00 and 08");
    let failing = command.replace("program.py", "nowhere.py");
    let run = folder.run(&["bitmap", "verify", "a.raw", "--program", &failing]);
    assert!(
        run.status == 2 && run.err.contains("made no bitmap file of this image: it ended with"),
        "{}",
        run.err
    );
    assert!(!folder.names().iter().any(|name| name.starts_with("imsprep-")), "{:?}", folder.names());
}

/// A program that starts in a few milliseconds and skips holes: ours.
#[test]
fn what_imsprep_writes_itself_is_learned() {
    let folder = Folder::new();
    let own = folder.command(&[]).get_program().to_string_lossy().into_owned();
    let (status, json) = learn(&folder, &format!("'{own}' bitmap create -q {{image}} -o {{bitmap}}"), &[]);
    assert_eq!((status, &json["program"]["outcome"]), (0, &"proven".into()), "{json:#}");
    let toml = std::fs::read_to_string(folder.path("learned.toml")).unwrap();
    assert!(toml.contains("block-size = 2097152") && toml.contains("unit = 4096"), "{toml}");
}
