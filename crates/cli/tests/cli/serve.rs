//! `imsprep serve`, held against the clients that people use.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use imsprep_testdata::{command, need_tools};
use serde_json::Value;

use crate::folder::{Folder, HANGS, kill};

const URI: &str = "nbd+unix:///?socket=s";

/// A server that clients can connect to.
struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    line: String,
}

impl Server {
    fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imsprep"));
        command.args([&["serve"], args].concat()).current_dir(folder.path("."));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        Self { child, out, line }
    }

    /// Its exit status, what it printed after the first line, and its errors.
    fn end(mut self) -> (Option<i32>, String, String) {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begun.elapsed() > HANGS {
                self.child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), rest, String::from_utf8(output.stderr).unwrap())
    }

    fn stop(self, signal: &str, status: i32) {
        kill(signal, self.child.id());
        assert_eq!(self.end(), (Some(status), String::new(), String::new()));
    }
}

fn output(folder: &Folder, name: &str, args: &[&str]) -> String {
    let output = command(name).args(args).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{name} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// 12 MiB and a little: a block of noise, one of zeros that are stored, data before and behind an edge of a block, holes.
fn disk(folder: &Folder) {
    let file = std::fs::File::create(folder.path("disk.raw")).unwrap();
    file.set_len((12 << 20) + 512).unwrap();
    let noise = imsprep_testdata::noise(7, 2 << 20);
    file.write_all_at(&noise, 2 << 20).unwrap();
    file.write_all_at(&vec![0; 2 << 20], 6 << 20).unwrap();
    file.write_all_at(&noise[..1001], (10 << 20) - 500).unwrap();
    file.write_all_at(b"end", (12 << 20) + 509).unwrap();
}

#[test]
fn clients_read_what_convert_writes() {
    need_tools(["qemu-img", "qemu-io", "nbdcopy", "nbdinfo"]);
    let folder = Folder::new();
    disk(&folder);
    let raw = std::fs::read(folder.path("disk.raw")).unwrap();
    output(&folder, "qemu-img", &["convert", "-f", "raw", "-O", "qcow2", "disk.raw", "disk.qcow2"]);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    for (name, format) in [("disk.raw", "raw"), ("disk.zvhd2", "zvhd2"), ("disk.qcow2", "qcow2")] {
        let expected = if format == "raw" {
            "disk.raw"
        } else {
            let run = folder.run(&["convert", name, "converted.raw", "--no-bitmap", "--force"]);
            assert_eq!(run.status, 0, "{run:?}");
            "converted.raw"
        };
        let server = Server::start(&folder, &[name, "--socket", "s"]);
        assert!(server.line.starts_with(&format!("{name}: {format} with a disk of ")), "{}", server.line);
        assert!(server.line.ends_with(&format!(" read-only at {URI}\n")), "{}", server.line);
        // Four connections, and questions on what is zero.
        output(&folder, "nbdcopy", &["--connections=4", URI, "copy.raw"]);
        assert!(std::fs::read(folder.path("copy.raw")).unwrap() == raw, "{name}");
        // Without structured replies and questions, which makes all replies simple.
        output(&folder, "nbdcopy", &["--no-extents", "--synchronous", URI, "plain.raw"]);
        assert!(std::fs::read(folder.path("plain.raw")).unwrap() == raw, "{name}");
        output(&folder, "qemu-img", &["compare", "-f", "raw", "-F", "raw", URI, expected]);
        let info = serde_json::from_str::<Value>(&output(&folder, "nbdinfo", &["--json", URI])).unwrap();
        let export = &info["exports"][0];
        assert_eq!(info["structured"], true, "{info}");
        for (key, value) in [
            ("export-size", Value::from(raw.len())),
            ("is_read_only", true.into()),
            ("can_multi_conn", true.into()),
            ("can_df", true.into()),
        ] {
            assert_eq!(export[key], value, "{key}: {info}");
        }
        assert_eq!(export["contexts"], serde_json::json!(["base:allocation"]), "{info}");
        // What is said to be zero is zero, and all of the disk is told of.
        let map =
            serde_json::from_str::<Value>(&output(&folder, "nbdinfo", &["--map", "--json", URI])).unwrap();
        let (mut at, mut zeros) = (0, 0);
        for stretch in map.as_array().unwrap() {
            let [offset, length, kind] =
                ["offset", "length", "type"].map(|key| stretch[key].as_u64().unwrap());
            assert_eq!(offset, at, "{map}");
            at += length;
            if kind == 3 {
                zeros += length;
                let part = usize::try_from(offset).unwrap()..usize::try_from(at).unwrap();
                assert!(raw[part].iter().all(|byte| *byte == 0), "{name}: {stretch}");
            } else {
                assert_eq!(kind, 0, "{map}");
            }
        }
        assert_eq!(at, raw.len() as u64);
        assert!(zeros >= 4 << 20, "{name}: {map}");
        let mut write = command("qemu-io");
        let refused =
            write.args(["-f", "raw", "-c", "write 0 512", URI]).current_dir(folder.path(".")).output();
        assert!(!refused.unwrap().status.success(), "{name}");
        server.stop("-TERM", 143);
        assert!(!folder.path("s").exists());
    }
    assert_eq!(std::fs::read(folder.path("disk.raw")).unwrap(), raw);
}

#[test]
fn what_has_the_name_of_the_socket_stays() {
    need_tools(["nbdinfo"]);
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 20, &[5]);
    folder.write("file", b"kept");
    std::os::unix::fs::symlink("nowhere", folder.path("link")).unwrap();
    for name in ["file", "link", "."] {
        let run = folder.run(&["serve", "disk.raw", "--socket", name]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{run:?}");
        assert!(
            run.err.starts_with(&format!("error: {name}: cannot make this socket; it exists")),
            "{run:?}"
        );
    }
    assert_eq!(std::fs::read(folder.path("file")).unwrap(), b"kept");
    assert!(folder.path("link").is_symlink());

    let first = Server::start(&folder, &["--json", "disk.raw", "--socket", "s"]);
    let second = folder.run(&["serve", "disk.raw", "--socket", "s"]);
    assert_eq!(second.status, 2, "{second:?}");
    assert_eq!(output(&folder, "nbdinfo", &["--size", URI]), "1048576\n", "the first goes on");
    // Another file has the name by the end.
    std::fs::remove_file(folder.path("s")).unwrap();
    folder.write("s", b"of another");
    let mut first = first;
    let mut json = std::mem::take(&mut first.line);
    kill("-INT", first.child.id());
    let (status, rest, err) = first.end();
    assert_eq!((status, err.as_str()), (Some(130), ""));
    json += &rest;
    let json = serde_json::from_str::<Value>(&json).unwrap();
    let told = (&json["schema"], &json["uri"], &json["disk_size"], &json["socket"]["path"]);
    assert_eq!(told, (&"imsprep.serve".into(), &URI.into(), &(1 << 20).into(), &"s".into()), "{json}");
    assert_eq!(std::fs::read(folder.path("s")).unwrap(), b"of another");
}

#[test]
fn an_image_that_changes_ends_the_export() {
    let changes: [fn(&Path); 3] = [
        |image| std::fs::File::options().append(true).open(image).unwrap().set_len(3 << 20).unwrap(),
        |image| std::fs::File::options().write(true).open(image).unwrap().write_all_at(b"x", 9).unwrap(),
        |image| std::fs::rename(image, image.with_extension("old")).unwrap(),
    ];
    for change in changes {
        let folder = Folder::new();
        folder.sparse("disk.raw", 2 << 20, &[0]);
        // A time that a change within the same tick of the clock would not leave as it is.
        let old = std::time::SystemTime::now() - Duration::from_secs(100);
        std::fs::File::options()
            .write(true)
            .open(folder.path("disk.raw"))
            .unwrap()
            .set_modified(old)
            .unwrap();
        let server = Server::start(&folder, &["disk.raw", "--socket", "s"]);
        // A client that only waits does not hold it up.
        let mut client = std::os::unix::net::UnixStream::connect(folder.path("s")).unwrap();
        let mut greeting = [0; 18];
        client.read_exact(&mut greeting).unwrap();
        change(&folder.path("disk.raw"));
        let (status, rest, err) = server.end();
        assert_eq!((status, rest.as_str()), (Some(2), ""), "{err}");
        assert!(err.starts_with("error: disk.raw: "), "{err}");
        assert!(!folder.path("s").exists());
        assert_eq!(client.read(&mut greeting).unwrap(), 0, "the client is disconnected");
    }
}

#[test]
fn what_holds_no_disk_is_not_served() {
    let folder = Folder::new();
    folder.write("text", b"no disk");
    folder.write("disk.raw.gz", &[0x1f, 0x8b, 8, 0]);
    for name in ["text.iso", "disk.raw.gz", "absent"] {
        let run = folder.run(&["serve", name, "--socket", "s"]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{run:?}");
        assert!(!folder.path("s").exists());
    }
    assert_eq!(folder.run(&["serve", "text"]).status, 2, "a socket has to be named");
}
