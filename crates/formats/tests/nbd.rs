//! Reading through qemu-nbd, with programs that stand in for it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

#[macro_use]
extern crate imsprep_testdata;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use imsprep_formats::{Nbd, NbdServer, ServeError};
use imsprep_source::{Cancel, DiskReader, Error, ImageFile, ReadAt};
use imsprep_testdata::need_tools;

/// A guard against what never ends, not a measure of speed.
const HANGS: Duration = Duration::from_secs(300);

/// What all stand-ins begin with: the socket's name is in `socket`.
const BEGIN: &str = r#"#!/usr/bin/env python3
import os, socket, struct, sys, time
path = sys.argv[sys.argv.index("-k") + 1]
listener = socket.socket(socket.AF_UNIX)
def listen():
    listener.bind(path); listener.listen(0)
def greet():
    c = listener.accept()[0]
    c.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3)); c.recv(4, socket.MSG_WAITALL)
    return c
def option(c):
    magic, kind, length = struct.unpack(">8sII", c.recv(16, socket.MSG_WAITALL)); c.recv(length, socket.MSG_WAITALL)
    return kind
def answer(c, kind, reply, data=b""):
    c.sendall(struct.pack(">QIII", 0x3e889045565a9, kind, reply, len(data)) + data)
def negotiate(c):
    answer(c, option(c), 1)
    kind = option(c); answer(c, kind, 4, struct.pack(">I", 1) + b"base:allocation"); answer(c, kind, 1)
    kind = option(c); answer(c, kind, 3, struct.pack(">HQH", 0, 1 << 20, 1)); answer(c, kind, 1)
"#;

fn open(script: &str, connections: usize, cancel: &Cancel) -> (Result<Nbd, ServeError>, Duration) {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("image");
    std::fs::write(&image, "x").unwrap();
    let name: PathBuf = dir.path().join("server");
    std::fs::write(&name, [BEGIN, script].concat()).unwrap();
    std::fs::set_permissions(&name, PermissionsExt::from_mode(0o755)).unwrap();
    let server = NbdServer { program: name, start: Duration::from_secs(5), reply: Duration::from_secs(2) };
    loop {
        let begun = Instant::now();
        let result = server.open(&ImageFile::open(&image).unwrap(), "qed", connections, cancel);
        // Another thread's child may have the script open for writing, from its fork to its exec.
        let busy = |error: &ServeError| matches!(error, ServeError::Run { source, .. } if source.kind() == std::io::ErrorKind::ExecutableFileBusy);
        if !result.as_ref().err().is_some_and(busy) {
            return (result, begun.elapsed());
        }
    }
}

fn error(script: &str, connections: usize) -> ServeError {
    let (result, time) = open(script, connections, &Cancel::new());
    assert!(time < HANGS, "{script}: {time:?}");
    result.err().unwrap()
}

#[test]
fn a_server_that_hangs_is_not_waited_for_for_ever_whatever_it_has_done_before() {
    need_tools(["python3"]);
    let hang = "\ntime.sleep(1000)";
    for (script, connections) in [
        ("", 1),
        ("listen()", 1),
        ("listen(); c = listener.accept()", 1),
        ("listen(); c = greet()", 1),
        ("listen(); c = greet(); option(c)", 1),
        ("listen(); c = greet(); negotiate(c)", 4),
        ("sys.stderr.write('it waits for a lock\\n'); sys.stderr.flush(); listen()", 1),
    ] {
        let error = error(&[script, hang].concat(), connections);
        let ServeError::Slow { said, .. } = &error else { panic!("{script}: {error}") };
        assert_eq!(said.contains("a lock"), script.contains("a lock"), "{error}");
        assert!(error.to_string().contains("did not answer within"), "{error}");
    }
    let (disk, _) = open("listen(); c = greet(); negotiate(c)\ntime.sleep(1000)", 1, &Cancel::new());
    let disk = disk.unwrap();
    assert_eq!(disk.size(), 1 << 20);
    for result in [disk.read_at(&mut [0; 512], 0), disk.data_from(0).map(drop)] {
        let Err(Error::Read { source, .. }) = result else { panic!() };
        assert!(
            source.to_string().contains("within 2 seconds") || source.to_string().contains("earlier"),
            "{source}"
        );
    }
}

/// One byte of an answer from time to time is no answer.
#[test]
fn a_server_that_trickles_is_as_slow_as_one_that_hangs() {
    need_tools(["python3"]);
    let script = "listen(); c = greet(); negotiate(c); c.recv(28)\nfor b in struct.pack('>IHH', 0x668e33ef, 1, 1) * 99:\n    c.sendall(bytes([b])); time.sleep(0.4)";
    let (disk, _) = open(script, 1, &Cancel::new());
    let begun = Instant::now();
    assert!(disk.unwrap().read_at(&mut [0; 512], 0).is_err());
    assert!(begun.elapsed() < HANGS);
}

#[test]
fn what_a_server_says_before_it_ends_is_the_reason_at_any_stage() {
    need_tools(["python3"]);
    let end = "\nprint('server: Failed: bad table', file=sys.stderr); sys.exit(1)";
    for script in [
        "",
        "listen(); time.sleep(0.3)",
        "listen(); c = greet()",
        "listen(); c = greet(); c.close(); time.sleep(0.3)",
    ] {
        let error = error(&[script, end].concat(), 1);
        let ServeError::Refused { said, .. } = &error else { panic!("{script}: {error}") };
        assert!(said.contains("Failed: bad table"), "{script}: {error}");
    }
    let silent = error("sys.exit(3)", 1);
    assert!(silent.to_string().contains("it printed no message (exit status: 3)"), "{silent}");
    let (disk, _) =
        open(&["listen(); c = greet(); negotiate(c); c.recv(28)", end].concat(), 1, &Cancel::new());
    let Err(Error::Read { source, .. }) = disk.unwrap().read_at(&mut [0; 512], 0) else { panic!() };
    assert!(source.to_string().contains("bad table"), "{source}");
}

#[test]
fn a_stop_is_seen_while_waiting() {
    need_tools(["python3"]);
    for script in
        ["time.sleep(1000)", "listen(); time.sleep(1000)", "listen(); c = greet(); time.sleep(1000)"]
    {
        let cancel = Cancel::new();
        let raised = cancel.clone();
        let raise = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            raised.cancel();
        });
        let (result, _) = open(script, 1, &cancel);
        raise.join().unwrap();
        assert!(matches!(result, Err(ServeError::Cancelled)), "{script}: {:?}", result.err());
    }
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
