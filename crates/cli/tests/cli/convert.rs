//! `imsprep convert` as a person runs it.

use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use imsprep_testdata::{command, golden, golden_without_garbage, need_tools, verdicts};

use crate::folder::{Folder, codes, kill};
use crate::mounts::with_own_mounts;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
const UUID: &str = "00112233-4455-4677-8899-aabbccddeeff";

/// An image of some data, some zeros and a partial last block.
fn image(folder: &Folder) -> Vec<u8> {
    folder.sparse("disk.raw", 21 * MIB + 1000, &[0, 7 * MIB, 8 * MIB + 5, 21 * MIB + 999]);
    std::fs::read(folder.path("disk.raw")).unwrap()
}

/// An image that does not compress: at level 22 it takes many seconds.
fn noise(folder: &Folder, blocks: usize) {
    folder.write("noise.raw", &imsprep_testdata::noise(1, blocks << 21));
}

fn spawn(folder: &Folder, args: &[&str]) -> Child {
    spawn_program(folder, &[env!("CARGO_BIN_EXE_imsprep")], args)
}

/// The program behind what starts it in its own place, so that the process is the same.
fn spawn_program(folder: &Folder, program: &[&str], args: &[&str]) -> Child {
    Command::new(program[0])
        .args(&program[1..])
        .args(args)
        .current_dir(folder.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn stream(folder: &Folder, args: &[&str]) -> Output {
    spawn(folder, args).wait_with_output().unwrap()
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn there_and_back_again() {
    let folder = Folder::new();
    let bytes = image(&folder);
    let run = folder.run(&["convert", "disk.raw", "disk.zvhd2"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("disk.zvhd2: written, "), "{}", run.out);
    assert!(run.out.contains("blocks  4 of 11 hold data (36.4 %), 2 MiB each, compressed "), "{}", run.out);
    let run = folder.run(&["zvhd2", "check", "--strict", "disk.zvhd2"]);
    assert!(run.status == 0 && run.out.starts_with("disk.zvhd2: sound\n"), "{}", run.out);

    // The source's size is rounded up to whole sectors, as the reference does it.
    let run = folder.run(&["convert", "disk.zvhd2", "back.raw"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.contains("back.raw: written, 22021120 bytes"), "{}", run.out);
    let back = std::fs::read(folder.path("back.raw")).unwrap();
    assert!(back[..bytes.len()] == bytes && back[bytes.len()..].iter().all(|byte| *byte == 0));
    assert!(folder.path("back.raw").metadata().unwrap().blocks() * 512 < 4 * 128 * 1024, "sparse");
    assert_eq!(folder.names(), ["back.mf", "back.raw", "disk.raw", "disk.zvhd2"]);
    assert_eq!(folder.run(&["bitmap", "verify", "back.raw"]).status, 0);

    let (status, json) = folder.json(&["convert", "disk.zvhd2", "whole.img", "--size", "disk"]);
    assert_eq!(
        (status, json["schema"].as_str(), json["length"].as_u64()),
        (0, Some("imsprep.convert"), Some(GIB))
    );
    assert_eq!(
        (json["source_format"].as_str(), json["output_format"].as_str()),
        (Some("zvhd2"), Some("raw"))
    );
    assert_eq!(folder.path("whole.img").metadata().unwrap().len(), GIB);
}

/// With a libzstd of the reference's versions, for which CI sets the variable, byte for byte.
#[test]
fn the_golden_images_become_the_golden_files() {
    let exact = std::env::var_os("IMSPREP_EXACT_LIBZSTD").is_some();
    let mut seen = 0;
    let canonical = |file: &str| {
        file.starts_with("zstd_") || file.starts_with("dirty_") || file == "variant_00_base.zvhd2"
    };
    for row in verdicts().into_iter().filter(|row| row.form == "canonical" && canonical(&row.file)) {
        let folder = Folder::new();
        folder.write("golden.zvhd2", golden(&row.file));
        assert_eq!(folder.run(&["convert", "golden.zvhd2", "disk.raw"]).status, 0, "{}", row.file);
        let theirs = golden_without_garbage(&row.file);
        let uuid = theirs[68..84].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let made = 946_684_800 + u64::from(u32::from_le_bytes(*theirs[24..].first_chunk().unwrap()));
        let identity = ["--uuid", &uuid, "--timestamp", &made.to_string()];
        let run = folder.run(&[&["convert", "disk.raw", "again.zvhd2", "-q"], &identity[..]].concat());
        assert_eq!((run.status, run.out.as_str()), (0, ""), "{}: {}", row.file, run.err);
        let ours = std::fs::read(folder.path("again.zvhd2")).unwrap();
        // HEAD does not depend on the payloads.
        assert!(ours[..4096] == theirs[..4096], "{}", row.file);
        assert!(!exact || ours == theirs, "{}", row.file);
        assert_eq!(folder.run(&["zvhd2", "check", "--strict", "again.zvhd2"]).status, 0, "{}", row.file);
        seen += 1;
    }
    assert_eq!(seen, 14);
}

#[test]
fn a_tebibyte_of_holes_takes_no_time_and_no_room() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 40, &[0, 500 * GIB + 77, (1 << 40) - 1]);
    let (status, json) = folder.json(&["convert", "disk.raw", "disk.zvhd2", "--verify"]);
    assert_eq!(
        (status, json["zvhd2"]["records"].as_u64(), json["verified"].as_bool()),
        (0, Some(3), Some(true))
    );
    assert!(json["zvhd2"]["scan"]["bytes_read"].as_u64().unwrap() <= 3 * 2 * MIB, "{json}");
    assert!(json["length"].as_u64().unwrap() < MIB, "{json}");
    let (status, json) = folder.json(&["convert", "disk.zvhd2", "back.raw", "--verify"]);
    assert_eq!((status, json["length"].as_u64(), json["verified"].as_bool()), (0, Some(1 << 40), Some(true)));
    assert!(json["raw"]["data_bytes"].as_u64().unwrap() <= 3 * 128 * 1024, "{json}");
}

#[test]
fn the_same_bytes_again_when_identity_and_time_are_given() {
    let folder = Folder::new();
    image(&folder);
    let run = |output: &str, epoch: Option<&str>, flags: &[&str]| {
        let mut command = folder.command(&[&["convert", "disk.raw", output, "-q"], flags].concat());
        match epoch {
            Some(value) => command.env("SOURCE_DATE_EPOCH", value),
            None => command.env_remove("SOURCE_DATE_EPOCH"),
        };
        let output = command.output().unwrap();
        (output.status.code().unwrap(), error_of(&output))
    };
    let bytes = |name: &str| std::fs::read(folder.path(name)).unwrap();
    let uuid = ["--uuid", UUID];
    assert_eq!(run("a.zvhd2", Some("1700000000"), &uuid).0, 0);
    assert_eq!(run("b.zvhd2", Some("1700000000"), &[&uuid[..], &["--threads", "7"]].concat()).0, 0);
    assert!(bytes("a.zvhd2") == bytes("b.zvhd2"));
    // The flag beats the environment, even one that is no moment.
    let flag = [&uuid[..], &["--timestamp", "2023-11-14T22:13:20Z"]].concat();
    assert_eq!(run("c.zvhd2", Some("never"), &flag), (0, String::new()));
    assert!(bytes("a.zvhd2") == bytes("c.zvhd2"));
    // Without either, two files differ in these fields and checksums alone.
    assert_eq!((run("d.zvhd2", None, &[]).0, run("e.zvhd2", None, &[]).0), (0, 0));
    let (d, e) = (bytes("d.zvhd2"), bytes("e.zvhd2"));
    assert!(d[68..84] != e[68..84] && d[512..4096] == e[512..4096] && d.len() == e.len());

    // What builds set where only sameness counts becomes the first moment that there is.
    assert_eq!(run("g.zvhd2", Some("1"), &uuid), (0, String::new()));
    assert_eq!(bytes("g.zvhd2")[24..28], [0; 4]);

    for (value, words) in [
        ("never", "is not a time"),
        ("", "is not a time"),
        ("5241652096", "5241652096 is out of range"),
        ("-5", "is not a time"),
    ] {
        let (status, err) = run("f.zvhd2", Some(value), &[]);
        assert!(status == 2 && err.contains("SOURCE_DATE_EPOCH") && err.contains(words), "{value}: {err}");
    }
    for flags in [["--timestamp", "yesterday"], ["--timestamp", "1"], ["--uuid", "123"], ["--level", "23"]] {
        let (status, err) = run("f.zvhd2", None, &flags);
        assert!(status == 2 && err.contains(flags[0]), "{err}");
    }
    assert!(!folder.path("f.zvhd2").exists());
}

#[test]
fn levels_change_the_size_and_not_the_content() {
    let folder = Folder::new();
    // A disk with a file system on it.
    folder.write("golden.zvhd2", golden("zstd_h1_mbr_ext4.zvhd2"));
    folder.run(&["convert", "golden.zvhd2", "disk.raw"]);
    let mut sizes = Vec::new();
    for level in ["1", "9", "19"] {
        let name = format!("{level}.zvhd2");
        assert_eq!(folder.run(&["convert", "disk.raw", &name, "--level", level]).status, 0);
        folder.run(&["convert", &name, "back.raw", "--force"]);
        assert!(
            std::fs::read(folder.path("back.raw")).unwrap()
                == std::fs::read(folder.path("disk.raw")).unwrap()
        );
        let (_, json) = folder.json(&["zvhd2", "check", &name]);
        sizes.push(json["info"]["payload_bytes"].as_u64().unwrap());
    }
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
}

#[test]
fn a_gpt_that_will_not_be_at_the_end_is_warned_of_before() {
    let folder = Folder::new();
    folder.write("golden.zvhd2", golden("zstd_h2_gpt_esp_ext4.zvhd2"));
    assert_eq!(folder.run(&["convert", "golden.zvhd2", "disk.raw"]).status, 0);
    let run = folder.run(&["convert", "disk.raw", "disk.zvhd2"]);
    assert_eq!(run.status, 0);
    assert!(
        run.err.contains("warning IMS-018")
            && run.err.contains("`imsprep convert --fit disk.raw disk.fit.raw`"),
        "{}",
        run.err
    );
    let (_, json) = folder.json(&["convert", "disk.raw", "disk.zvhd2", "--force"]);
    assert_eq!(codes(&json["report"]), ["IMS-018"]);
    let (_, json) = folder.json(&["check", "disk.raw"]);
    assert!(codes(&json["files"][0]["report"]).contains(&"IMS-018".to_owned()));
    // In a container, too: what counts is the size of the image that it was made from.
    let (_, json) = folder.json(&["check", "disk.zvhd2"]);
    assert!(codes(&json["files"][0]["report"]).contains(&"IMS-018".to_owned()));

    let file = std::fs::File::options().write(true).open(folder.path("disk.raw")).unwrap();
    file.set_len(GIB).unwrap();
    let run = folder.run(&["convert", "disk.raw", "disk.zvhd2", "--force"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let (_, json) = folder.json(&["check", "disk.zvhd2"]);
    assert!(!codes(&json["files"][0]["report"]).contains(&"IMS-018".to_owned()));
}

#[test]
fn what_exists_is_replaced_by_force_alone_and_the_source_never() {
    let folder = Folder::new();
    let bytes = image(&folder);
    folder.write("disk.zvhd2", b"precious");
    let run = folder.run(&["convert", "disk.raw", "disk.zvhd2"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("disk.zvhd2: already exists\nhint: --force replaces it\n"), "{}", run.err);
    assert_eq!(std::fs::read(folder.path("disk.zvhd2")).unwrap(), b"precious");
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2", "--force"]).status, 0);

    std::fs::hard_link(folder.path("disk.raw"), folder.path("hard")).unwrap();
    std::os::unix::fs::symlink(folder.path("disk.raw"), folder.path("soft")).unwrap();
    for output in ["hard", "soft"] {
        let run = folder.run(&["convert", "disk.raw", output, "--force"]);
        assert_eq!(run.status, 2);
        assert!(run.err.contains("the output is the same file as the input"), "{}", run.err);
    }
    for (output, words) in
        [(".", "is a directory"), ("/dev/null", "is a character device"), ("none/x", "cannot")]
    {
        let run = folder.run(&["convert", "disk.raw", output, "--force"]);
        assert!(run.status == 2 && run.err.contains(words), "{output}: {}", run.err);
    }
    assert!(std::fs::read(folder.path("disk.raw")).unwrap() == bytes);
    assert_eq!(folder.names(), ["disk.raw", "disk.zvhd2", "hard", "soft"]);
}

#[test]
fn names_flags_and_formats_that_do_not_fit_are_told_before_the_work() {
    let folder = Folder::new();
    image(&folder);
    folder.write("a.zvhd2", golden("zstd_a_8m.zvhd2"));
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("disk.qcow2")).unwrap();
    let before = folder.names();
    for (args, status, words) in [
        (&["disk.raw", "new.raw"][..], 2, "is raw already"),
        (&["a.zvhd2", "new.zvhd2"], 2, "is zvhd2 already"),
        (&["disk.raw", "new.zvhd2", "--size", "orig"], 2, "--size does not apply"),
        (&["a.zvhd2", "new.raw", "--level", "3"], 2, "--level does not apply here"),
        (&["a.zvhd2", "new.raw", "--uuid", UUID], 2, "--uuid does not apply here"),
        (&["a.zvhd2", "new.raw", "--timestamp", "1700000000"], 2, "--timestamp does not apply here"),
        (&["disk.raw", "-", "--verify"], 2, "cannot be read back"),
        (&["disk.qcow2", "new.vmdk"], 2, "use the extension .zvhd2"),
        (&["disk.qcow2", "new.raw", "--size", "disk"], 2, "--size does not apply"),
        (&["disk.qcow2", "new.zvhd2", "--no-bitmap"], 2, "--no-bitmap does not apply here"),
        (&["none.raw", "new.zvhd2"], 2, "none.raw: cannot open"),
    ] {
        let run = folder.run(&[&["convert"], args].concat());
        assert_eq!((run.status, run.out.as_str()), (status, ""), "{args:?}: {}", run.err);
        assert!(run.err.contains(words), "{args:?}: {}", run.err);
    }
    assert_eq!(folder.names(), before);
}

#[test]
fn a_damaged_source_is_told_with_its_place_and_nothing_is_left() {
    let folder = Folder::new();
    let mut bytes = golden("zstd_k_uniform.zvhd2").to_vec();
    bytes[4096 + 60] ^= 0xff;
    folder.write("bad.zvhd2", &bytes);
    folder.write("cut.zvhd2", &bytes[..300_000]);
    for (name, words) in
        [("bad.zvhd2", "bad.zvhd2: block "), ("cut.zvhd2", "cut.zvhd2: cannot be read as a disk")]
    {
        let run = folder.run(&["convert", name, "out.raw"]);
        assert!(run.status == 2 && run.err.contains(words), "{}", run.err);
    }
    assert_eq!(folder.names(), ["bad.zvhd2", "cut.zvhd2"]);
}

#[test]
fn a_stream_has_the_bytes_of_the_file_and_the_report_goes_to_standard_error() {
    let folder = Folder::new();
    image(&folder);
    let flags = ["--uuid", UUID, "--timestamp", "1700000000"];
    folder.run(&[&["convert", "disk.raw", "disk.zvhd2"], &flags[..]].concat());
    let output = stream(&folder, &[&["convert", "disk.raw", "-"], &flags[..]].concat());
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == std::fs::read(folder.path("disk.zvhd2")).unwrap());
    assert!(error_of(&output).starts_with("standard output: written, "), "{}", error_of(&output));

    folder.run(&["convert", "disk.zvhd2", "back.raw"]);
    let output = stream(&folder, &["convert", "disk.zvhd2", "-", "--json"]);
    assert!(output.stdout == std::fs::read(folder.path("back.raw")).unwrap());
    let json: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(json["output"].is_null() && json["length"] == 22_021_120, "{json}");
}

#[test]
fn a_reader_that_goes_away_and_a_full_device_are_no_success() {
    let folder = Folder::new();
    noise(&folder, 8);
    folder.run(&["convert", "noise.raw", "noise.zvhd2"]);
    for source in ["noise.raw", "noise.zvhd2"] {
        let mut child = spawn(&folder, &["convert", source, "-"]);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), error_of(&output).as_str()), (Some(141), ""), "{source}");

        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_imsprep"))
            .args(["convert", source, "-"])
            .current_dir(folder.path("."))
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(2), "{source}");
        assert!(error_of(&run).contains("standard output: cannot write to it; the output is incomplete"));
    }
}

#[test]
fn an_image_is_not_thrown_at_a_terminal() {
    need_tools(["script"]);
    let folder = Folder::new();
    image(&folder);
    let line = format!("{} convert disk.raw -", env!("CARGO_BIN_EXE_imsprep"));
    let output =
        command("script").args(["-qec", &line, "/dev/null"]).current_dir(folder.path(".")).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("standard output is a terminal") && !shown.contains("z2strm"), "{shown}");
}

#[test]
fn a_full_disk_leaves_nothing() {
    let folder = Folder::new();
    noise(&folder, 8);
    folder.run(&["convert", "noise.raw", "noise.zvhd2"]);
    std::fs::create_dir(folder.path("full")).unwrap();
    for (source, output) in [("noise.raw", "full/x.zvhd2"), ("noise.zvhd2", "full/x.raw")] {
        let script = format!(
            "mount -t tmpfs -o size=5m tmpfs full && {{ \"$0\" convert {source} {output}; echo \"status $?\"; \
             ls -A full | wc -l; }}"
        );
        let output = with_own_mounts(&script).current_dir(folder.path(".")).output().unwrap();
        let err = error_of(&output);
        assert!(err.contains("cannot write to it; nothing was written: No space left"), "{err}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "status 2\n0\n", "{err}");
    }
}

#[test]
fn interrupted_it_leaves_no_file_and_says_what_a_stream_is_worth() {
    let folder = Folder::new();
    noise(&folder, 64);
    // Under nohup, which children inherit, a hangup is rightly no reason to stop; GNU's env undoes that.
    let program = ["env", "--default-signal=HUP", env!("CARGO_BIN_EXE_imsprep")];
    let program = if cfg!(target_os = "linux") { &program[..] } else { &program[2..] };
    for (signal, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        for (output, words) in [("out.zvhd2", "no partial output was left behind"), ("-", "is incomplete")] {
            let args = ["convert", "noise.raw", output, "--level", "22", "--threads", "1"];
            let mut child = spawn_program(&folder, program, &args);
            // By when the handlers are there and the work, of many seconds, is not done.
            std::thread::sleep(Duration::from_millis(700));
            assert!(child.try_wait().unwrap().is_none(), "still at work");
            kill(signal, child.id());
            if signal == "-HUP" {
                // When a connection goes away it comes from the system and from the shell.
                std::thread::sleep(Duration::from_millis(5));
                kill(signal, child.id());
            }
            let out = child.wait_with_output().unwrap();
            assert_eq!(out.status.code(), Some(status), "{}", error_of(&out));
            assert!(error_of(&out).contains(words), "{}", error_of(&out));
            assert_eq!(folder.names(), ["noise.raw"]);
        }
    }
}

#[test]
fn with_nohup_it_goes_on_when_the_terminal_is_gone() {
    let folder = Folder::new();
    noise(&folder, 2);
    let convert = "trap '' HUP; exec \"$0\" convert noise.raw out.zvhd2 --level 22 --threads 1";
    let mut child = Command::new("sh")
        .args(["-c", convert, env!("CARGO_BIN_EXE_imsprep")])
        .current_dir(folder.path("."))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "still at work");
    kill("-HUP", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(folder.names(), ["noise.raw", "out.zvhd2"]);
}

#[test]
fn a_source_that_changes_meanwhile_is_no_source() {
    let folder = Folder::new();
    noise(&folder, 16);
    let child = spawn(&folder, &["convert", "noise.raw", "out.zvhd2", "--level", "19", "--threads", "1"]);
    std::thread::sleep(Duration::from_millis(500));
    let file = std::fs::File::options().write(true).open(folder.path("noise.raw")).unwrap();
    std::os::unix::fs::FileExt::write_at(&file, b"new", 0).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", error_of(&output));
    assert!(error_of(&output).contains("the file changed while it was read"), "{}", error_of(&output));
    assert_eq!(folder.names(), ["noise.raw"]);
}
