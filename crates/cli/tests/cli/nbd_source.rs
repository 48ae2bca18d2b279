//! Conversions of what an NBD server has: qemu's, imsprep's own, and servers that do not behave.

use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, HANGS, codes, kill};

const MIB: u64 = 1 << 20;
const IDENTITY: [&str; 4] = ["--uuid", "00112233-4455-4677-8899-aabbccddeeff", "--timestamp", "1700000000"];

fn read(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path(name)).unwrap()
}

/// 12 MiB and a little, with noise, stored zeros and holes.
fn disk(folder: &Folder) {
    let file = std::fs::File::create(folder.path("disk.raw")).unwrap();
    file.set_len((12 << 20) + 512).unwrap();
    file.write_all_at(&imsprep_testdata::noise(7, 3 << 20), MIB).unwrap();
    file.write_all_at(&vec![0; 2 << 20], 6 << 20).unwrap();
    file.write_all_at(b"end", (12 << 20) + 509).unwrap();
}

/// Where the servers are.
const ADDRESS: &str = "nbd+unix:///?socket=s";

fn wait_for_socket(folder: &Folder) {
    let begun = std::time::Instant::now();
    while UnixStream::connect(folder.path("s")).is_err() {
        assert!(begun.elapsed() < HANGS);
        thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A server on the socket `s` in the folder, which is ended when this is dropped.
struct Server(Child);

impl Server {
    fn qemu(folder: &Folder, args: &[&str]) -> Self {
        let mut command = command("qemu-nbd");
        command.args(["--persistent", "-r", "-k"]).arg(folder.path("s")).args(args);
        let child = command.current_dir(folder.path(".")).spawn().unwrap();
        wait_for_socket(folder);
        Self(child)
    }

    fn nbdkit(folder: &Folder, args: &[&str]) -> Self {
        let _ = std::fs::remove_file(folder.path("s"));
        let mut command = command("nbdkit");
        command
            .args(["--foreground", "--unix"])
            .arg(folder.path("s"))
            .args(args)
            .current_dir(folder.path("."));
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        wait_for_socket(folder);
        Self(child)
    }

    fn imsprep(folder: &Folder, image: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imsprep"));
        command.args(["serve", image, "--socket", "s"]).current_dir(folder.path("."));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        kill("-TERM", self.0.id());
        let _ = self.0.wait();
    }
}

/// What the other commands say of an export is what they say of its disk.
fn assert_read_by_all(folder: &Folder, address: &str, context: &str) {
    let (status, json) = folder.json(&["compare", address, "disk.raw"]);
    assert_eq!((status, json["same"].as_bool()), (0, Some(true)), "{context}: {json}");
    let run = folder.run(&["compare", address, address]);
    assert_eq!(run.status, 0, "{context}: two connections at once: {run:?}");
    let inspected = |name: &str| {
        let (status, mut json) = folder.json(&["inspect", name]);
        assert_eq!(status, 0, "{context}: {json}");
        std::mem::take(&mut json["files"][0]["inspection"])
    };
    assert_eq!(inspected(address), inspected("disk.raw"), "{context}");
    let (status, json) = folder.json(&["detect", address]);
    let file = &json["files"][0];
    assert_eq!(
        (status, file["kind"].as_str(), file["format"].as_str()),
        (0, Some("nbd-export"), Some("raw"))
    );
    let (status, json) = folder.json(&["check", address]);
    let file = &json["files"][0];
    assert_eq!((status, file["path"].as_str()), (0, Some(address)), "{context}: {json}");
    assert_eq!(file["reservations"], serde_json::json!(["content-not-checked"]), "{context}");
    assert!(file["bitmap"].is_null() && file["scan"].is_null(), "{context}: {json}");
    let not_checked = file["report"]["not_checked"].to_string();
    for what in ["name, format, size and bitmap of the file to import", "whether anything writes to the disk"]
    {
        assert!(not_checked.contains(what), "{context}: {not_checked}");
    }
}

#[test]
fn every_command_reads_exports_of_nbdkit() {
    need_tools(["nbdkit", "gzip"]);
    let folder = Folder::new();
    disk(&folder);
    folder.sparse("aligned.raw", 12 << 20, &[0, 5 << 20]);
    let packed = command("gzip").args(["-k", "disk.raw"]).current_dir(folder.path(".")).status();
    assert!(packed.unwrap().success());
    let sizes = "--filter=blocksize-policy file FILE blocksize-minimum=4096 blocksize-preferred=64K \
                 blocksize-maximum=128K blocksize-error-policy=error";
    for (options, file) in [
        ("file FILE", "disk.raw"),
        ("--no-sr file FILE", "disk.raw"),
        ("--mask-handshake=0 file FILE", "disk.raw"),
        ("--filter=noextents file FILE", "disk.raw"),
        ("--filter=cow file FILE", "disk.raw"),
        ("--filter=gzip file FILE.gz", "disk.raw"),
        // Whatever is not a multiple of the least length is an error.
        (sizes, "aligned.raw"),
        (&format!("--no-sr {sizes}"), "aligned.raw"),
    ] {
        let options = options.replace("FILE", file);
        let _server = Server::nbdkit(&folder, &options.split_whitespace().collect::<Vec<_>>());
        if file != "disk.raw" {
            std::fs::copy(folder.path(file), folder.path("disk.raw")).unwrap();
        }
        assert_same(&folder, ADDRESS, &options);
        assert_read_by_all(&folder, ADDRESS, &options);
    }
}

#[test]
fn exports_of_qemu_and_imsprep_are_read_by_every_command() {
    need_tools(["qemu-nbd"]);
    let folder = Folder::new();
    disk(&folder);
    {
        let _server = Server::qemu(&folder, &["-f", "raw", "--shared=2", "disk.raw"]);
        assert_read_by_all(&folder, ADDRESS, "qemu-nbd");
    }
    let _server = Server::imsprep(&folder, "disk.raw");
    assert_read_by_all(&folder, ADDRESS, "imsprep serve");
    let run = folder.run(&["prepare", ADDRESS, "-o", "prepared.zvhd2"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(folder.run(&["compare", "prepared.zvhd2", ADDRESS]).status, 0);
}

#[test]
fn a_server_whose_disk_fails_is_an_error_of_every_command() {
    need_tools(["nbdkit"]);
    let folder = Folder::new();
    disk(&folder);
    for replies in [&[][..], &["--no-sr"]] {
        let failing = ["--filter=error", "file", "disk.raw", "error=EIO", "error-pread-rate=100%"];
        let _server = Server::nbdkit(&folder, &[replies, &failing].concat());
        for args in [
            &["check", ADDRESS][..],
            &["inspect", ADDRESS],
            &["detect", ADDRESS],
            &["compare", "disk.raw", ADDRESS],
            &["convert", ADDRESS, "out.zvhd2"],
            &["prepare", ADDRESS, "-o", "out.zvhd2"],
        ] {
            let run = folder.run(args);
            let why = format!("{ADDRESS}: cannot read at offset 0: the NBD server cannot read it (error 5");
            assert!(run.status == 2 && run.err.contains(&why), "{args:?}: {run:?}");
        }
    }
    assert!(!folder.path("out.zvhd2").exists());
}

#[test]
fn what_an_address_cannot_have_is_said_by_every_command() {
    let folder = Folder::new();
    folder.write("disk.raw", &[0; 512]);
    let sum = "0".repeat(64);
    for (args, why) in [
        (&["check", "--write-bitmap", ADDRESS][..], "--write-bitmap does not apply to an NBD export"),
        (
            &["check", "--manifest", "sums.json", "disk.raw", ADDRESS],
            "--manifest does not apply to an NBD export",
        ),
        (&["check", "--sha256", &sum, ADDRESS], "--sha256 does not apply to an NBD export"),
        (&["check", ADDRESS], "cannot read from this NBD server: No such file"),
        (&["check", "nbd://"], "the host is missing"),
        (&["inspect", "nbds://host/disk"], "TLS is not supported"),
        (&["compare", "disk.raw", "nbd+unix:///disk"], "the only parameter is the socket"),
        (&["compare", "--sparsify", ADDRESS, "disk.raw"], "whether anything writes to the disk is not known"),
        (&["prepare", ADDRESS], "an NBD export is in no folder; use --output FILE"),
        (&["prepare", "disk.raw", ADDRESS], "an NBD export is prepared on its own"),
        (&["prepare", "--dry-run", ADDRESS, "-o", "x.zvhd2"], "--dry-run needs a file"),
        (&["prepare", "--disk", "1", ADDRESS, "-o", "x.zvhd2"], "--disk does not apply to an NBD export"),
        (&["bitmap", "create", ADDRESS], "hint: an NBD export is read by check, compare, convert"),
        (&["zvhd2", "check", ADDRESS], "hint: an NBD export is read by check, compare, convert"),
    ] {
        let run = folder.run(args);
        assert!(run.status == 2 && run.err.contains(why), "{args:?}: {run:?}");
        assert_eq!(folder.names(), ["disk.raw"], "{args:?}");
    }
}

/// An image that is served as it is can't be judged, which is no verdict.
#[test]
fn an_export_that_is_an_image_is_could_not_tell() {
    need_tools(["qemu-nbd", "qemu-img"]);
    let folder = Folder::new();
    let make = ["create", "-q", "-f", "qcow2", "disk.qcow2", "10M"];
    assert!(command("qemu-img").args(make).current_dir(folder.path(".")).status().unwrap().success());
    let _server = Server::qemu(&folder, &["-f", "raw", "--shared=2", "disk.qcow2"]);
    for args in [&["check", ADDRESS][..], &["inspect", ADDRESS], &["compare", ADDRESS, ADDRESS]] {
        let run = folder.run(args);
        assert!(run.status == 2 && run.err.contains("is an image of the format qcow2"), "{args:?}: {run:?}");
    }
    let run = folder.run(&["detect", ADDRESS]);
    assert!(run.status == 0 && run.out.contains("qcow2"), "{run:?}");
}

/// Hands on what comes to a port of this machine to a socket, until the process ends. Returns the port.
fn forwarded(socket: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, UnixStream::connect(&socket)) else { continue };
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (mut from_server, mut to_client) = (server, client);
            thread::spawn(move || {
                let _ = copy(&mut from_client, &mut to_server);
                let _ = to_server.shutdown(std::net::Shutdown::Write);
            });
            thread::spawn(move || copy(&mut from_server, &mut to_client));
        }
    });
    port
}

/// The outputs of the export are those of the file.
fn assert_same(folder: &Folder, address: &str, image: &str) {
    let convert =
        |source, output| [&["convert", "--verify", "--force", source, output], &IDENTITY[..]].concat();
    assert_eq!(folder.run(&convert("disk.raw", "file.zvhd2")).status, 0);
    let run = folder.run(&convert(address, "nbd.zvhd2"));
    assert!(run.status == 0 && run.out.contains(&format!("  from    {address}, raw")), "{image}: {run:?}");
    assert!(read(folder, "nbd.zvhd2") == read(folder, "file.zvhd2"), "{image}");
    let (status, json) = folder.json(&["convert", "--force", address, "nbd.raw"]);
    assert_eq!((status, json["source"]["path"].as_str()), (0, Some(address)), "{json}");
    assert!(read(folder, "nbd.raw") == read(folder, "disk.raw"), "{image}");
    assert_eq!(folder.run(&["bitmap", "verify", "nbd.raw"]).status, 0, "{image}");
    let stream = folder.command(&convert(address, "-")[..]).output().unwrap();
    assert_eq!(stream.status.code(), Some(2), "--verify does not apply to standard output");
    let stream = folder.command(&["convert", address, "-"]).output().unwrap();
    assert!(stream.status.code() == Some(0) && !stream.stdout.is_empty());
}

#[test]
fn an_export_of_qemu_becomes_what_the_file_becomes() {
    need_tools(["qemu-nbd", "qemu-img"]);
    let folder = Folder::new();
    disk(&folder);
    let make = ["convert", "-f", "raw", "-O", "qcow2", "disk.raw", "disk.qcow2"];
    assert!(command("qemu-img").args(make).current_dir(folder.path(".")).status().unwrap().success());
    for (image, format) in [("disk.raw", "raw"), ("disk.qcow2", "qcow2")] {
        let _server = Server::qemu(&folder, &["-f", format, "-x", "a disk/1", image]);
        assert_same(&folder, "nbd+unix:///a%20disk/1?socket=s", image);
        let port = forwarded(folder.path("s"));
        assert_same(&folder, &format!("nbd://127.0.0.1:{port}/a%20disk/1"), image);
        assert_same(&folder, &format!("nbd://localhost:{port}/a%20disk/1"), image);
        let run = folder.run(&["convert", "nbd+unix:///another?socket=s", "none.raw"]);
        let why = "nbd+unix:///another?socket=s: cannot read from this NBD server: the NBD server refuses: it has no export of this name";
        assert!(run.status == 2 && run.err.contains(why), "{run:?}");
    }
    // An image that is served as it is.
    let _server = Server::qemu(&folder, &["-f", "raw", "disk.qcow2"]);
    let run = folder.run(&["convert", "nbd+unix:///?socket=s", "none.raw"]);
    assert!(run.status == 1 && run.err.contains("the export is an image of the format qcow2"), "{run:?}");
    assert!(!folder.path("none.raw").exists());
}

#[test]
fn holes_of_an_export_are_not_read() {
    need_tools(["qemu-nbd", "qemu-img"]);
    let folder = Folder::new();
    let make = ["create", "-q", "-f", "qcow2", "big.qcow2", "900G"];
    let made = command("qemu-img").args(make).current_dir(folder.path(".")).status();
    assert!(made.unwrap().success());
    let _server = Server::qemu(&folder, &["-f", "qcow2", "big.qcow2"]);
    // Otherwise this would take hours.
    let (status, json) = folder.json(&["convert", "nbd+unix:///?socket=s", "big.zvhd2"]);
    assert_eq!((status, json["zvhd2"]["records"].as_u64()), (0, Some(0)), "{json}");
    assert_eq!(json["zvhd2"]["disk_size"].as_u64(), Some(900 << 30));
}

#[test]
fn an_export_of_imsprep_is_converted_and_fitted() {
    let folder = Folder::new();
    disk(&folder);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    {
        let _server = Server::imsprep(&folder, "disk.raw");
        assert_same(&folder, "nbd+unix:///?socket=s", "disk.raw");
    }
    let _server = Server::imsprep(&folder, "disk.zvhd2");
    let run = folder.run(&["convert", "nbd+unix:///?socket=s", "again.raw"]);
    assert!(run.status == 0 && read(&folder, "again.raw") == read(&folder, "disk.raw"), "{run:?}");
    let run = folder.run(&["convert", "--fit", "nbd+unix:///?socket=s", "fitted.raw"]);
    assert!(run.status == 0 && folder.path("fitted.raw").metadata().unwrap().len() == 1 << 30, "{run:?}");
}

#[test]
fn what_does_not_apply_and_what_is_no_address_is_said_before_the_work() {
    let folder = Folder::new();
    folder.write("sums", b"");
    let sum = "0".repeat(64);
    for (args, status, why) in [
        (
            &["nbds://host/disk", "out.raw"][..],
            2,
            "TLS is not supported; reach the server through an SSH tunnel",
        ),
        (&["nbd://", "out.raw"], 2, "the host is missing; the forms are nbd://HOST[:PORT]/EXPORT"),
        (&["nbd+unix:///disk", "out.raw"], 2, "the only parameter is the socket"),
        (&["nbd+unix:///?socket=none", "out.raw"], 2, "cannot read from this NBD server: No such file"),
        (&["--sparsify", "nbd+unix:///?socket=none", "out.raw"], 1, "free space cannot be left out"),
        (&["--io", "map", "nbd+unix:///?socket=none", "out.raw"], 2, "--io does not apply to an NBD export"),
        (
            &["--read-holes", "nbd+unix:///?socket=none", "out.raw"],
            2,
            "--read-holes does not apply to an NBD",
        ),
        (&["--sha256", &sum, "nbd+unix:///?socket=none", "out.raw"], 2, "checksums do not apply to an NBD"),
        (&["nbd+unix:///?socket=none", "sums"], 2, "already exists"),
    ] {
        let run = folder.run(&[&["convert"], args].concat());
        assert!(run.status == status && run.err.contains(why), "{args:?}: {run:?}");
        assert_eq!(folder.names(), ["sums"]);
    }
}

const REPLY: u64 = 0x0003_e889_0455_65a9;

/// What a server does with its client. After the greeting the client's flags were read.
type Behaviour = fn(&mut TcpStream) -> std::io::Result<()>;

fn greet(client: &mut TcpStream) -> std::io::Result<()> {
    client.write_all(b"NBDMAGICIHAVEOPT\0\x01")?;
    client.read_exact(&mut [0; 4])
}

/// Reads an option, and returns its number.
fn option(client: &mut TcpStream) -> std::io::Result<u32> {
    let mut head = [0; 16];
    client.read_exact(&mut head)?;
    let length = u32::from_be_bytes(*head[12..].first_chunk().unwrap());
    client.read_exact(&mut vec![0; length as usize])?;
    Ok(u32::from_be_bytes(*head[8..].first_chunk().unwrap()))
}

fn reply(client: &mut TcpStream, option: u32, kind: u32, data: &[u8]) -> std::io::Result<()> {
    let head = [&REPLY.to_be_bytes()[..], &option.to_be_bytes(), &kind.to_be_bytes()].concat();
    client.write_all(&[&head[..], &u32::try_from(data.len()).unwrap().to_be_bytes(), data].concat())
}

/// A handshake of a server without structured replies, for a disk of this size.
fn simple(client: &mut TcpStream, size: u64) -> std::io::Result<()> {
    greet(client)?;
    loop {
        match option(client)? {
            7 => {
                reply(client, 7, 3, &[&[0, 0][..], &size.to_be_bytes(), &[0, 3]].concat())?;
                return reply(client, 7, 1, &[]);
            }
            other => reply(client, other, 1 << 31 | 1, b"unknown")?,
        }
    }
}

/// The same of one with structured replies and block status.
fn structured(client: &mut TcpStream, size: u64) -> std::io::Result<()> {
    greet(client)?;
    loop {
        match option(client)? {
            10 => {
                reply(client, 10, 4, b"\0\0\0\x05base:allocation")?;
                reply(client, 10, 1, &[])?;
            }
            7 => {
                reply(client, 7, 3, &[&[0, 0][..], &size.to_be_bytes(), &[0, 3]].concat())?;
                return reply(client, 7, 1, &[]);
            }
            other => reply(client, other, 1, &[])?,
        }
    }
}

/// Reads a request: what, its cookie, where and how much.
fn request(client: &mut TcpStream) -> std::io::Result<(u16, [u8; 8], u64, u32)> {
    let mut bytes = [0; 28];
    client.read_exact(&mut bytes)?;
    Ok((
        u16::from_be_bytes(*bytes[6..].first_chunk().unwrap()),
        *bytes[8..].first_chunk().unwrap(),
        u64::from_be_bytes(*bytes[16..].first_chunk().unwrap()),
        u32::from_be_bytes(*bytes[24..].first_chunk().unwrap()),
    ))
}

fn simple_reply(client: &mut TcpStream, cookie: [u8; 8], data: &[u8]) -> std::io::Result<()> {
    client.write_all(&[b"\x67\x44\x66\x98\0\0\0\0", &cookie[..], data].concat())
}

fn chunk(client: &mut TcpStream, flags: u16, kind: u16, cookie: [u8; 8], length: u32) -> std::io::Result<()> {
    let head = [&b"\x66\x8e\x33\xef"[..], &flags.to_be_bytes(), &kind.to_be_bytes(), &cookie].concat();
    client.write_all(&[&head[..], &length.to_be_bytes()].concat())
}

/// Serves one client after the other on a port of this machine.
fn serve(behaviour: Behaviour) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let _ = behaviour(&mut client.unwrap());
        }
    });
    format!("nbd://127.0.0.1:{port}/disk")
}

/// A server of the first kind of replies is read completely.
#[test]
fn a_server_without_structured_replies_is_read() {
    let folder = Folder::new();
    let address = serve(|client| {
        simple(client, 5 * MIB)?;
        loop {
            let (kind, cookie, offset, length) = request(client)?;
            // Goodbye; a question on allocation would get no answer.
            if kind != 0 {
                return Ok(());
            }
            let bytes = (offset..offset + u64::from(length)).map(|at| u8::from(at == 3 * MIB || at == 0));
            simple_reply(client, cookie, &bytes.collect::<Vec<_>>())?;
        }
    });
    assert_eq!(folder.run(&["convert", &address, "out.raw"]).status, 0);
    let mut expected = vec![0; 5 << 20];
    (expected[0], expected[3 << 20]) = (1, 1);
    assert!(read(&folder, "out.raw") == expected);
}

#[test]
fn a_server_that_does_not_behave_is_an_error_and_leaves_nothing() {
    let cases: [(&str, Behaviour, i32, &str); 12] = [
        (
            "another protocol",
            |client| client.write_all(b"220 mail.example.com ESMTP\r\n\r\n"),
            2,
            "a greeting of another",
        ),
        ("silence, and gone", |_| Ok(()), 2, "cannot read from this NBD server"),
        ("gone after the greeting", greet, 2, "cannot read from this NBD server"),
        (
            "a refusal with codes for the terminal",
            |client| {
                greet(client)?;
                let number = option(client)?;
                reply(client, number, 1 << 31 | 1, b"")?;
                let number = option(client)?;
                reply(client, number, 1 << 31 | 2, b"no \x1b]0;title\x07way")
            },
            2,
            "its settings do not permit it: no \\u{1b}]0;title\\u{7}way",
        ),
        (
            "TLS only",
            |client| {
                greet(client)?;
                loop {
                    let number = option(client)?;
                    reply(client, number, 1 << 31 | 5, b"")?;
                }
            },
            2,
            "TLS is not supported; reach the server through an SSH tunnel",
        ),
        (
            "a reply of 4 GiB",
            |client| {
                greet(client)?;
                let number = option(client)?;
                client.write_all(&REPLY.to_be_bytes())?;
                client.write_all(&[number.to_be_bytes(), 3_u32.to_be_bytes(), [255; 4]].concat())
            },
            2,
            "4294967295 bytes at once",
        ),
        ("more than 1 TiB", |client| simple(client, (1 << 40) + 512), 1, "the disk is larger than 1 TiB"),
        (
            "no end of the numbers",
            |client| simple(client, u64::MAX),
            2,
            "a disk of 18446744073709551615 bytes",
        ),
        (
            "gone in the middle",
            |client| {
                simple(client, 64 * MIB)?;
                loop {
                    let (_, cookie, offset, length) = request(client)?;
                    if (20 * MIB..40 * MIB).contains(&offset) {
                        return Ok(());
                    }
                    simple_reply(client, cookie, &vec![1; length as usize])?;
                }
            },
            2,
            // Several threads read; which of them fails first is not known.
            "cannot read at offset ",
        ),
        (
            "an error of the disk",
            |client| {
                simple(client, 64 * MIB)?;
                let (_, cookie, ..) = request(client)?;
                client.write_all(&[b"\x67\x44\x66\x98\0\0\0\x05", &cookie[..]].concat())?;
                client.read(&mut [0; 28]).map(|_| ())
            },
            2,
            "cannot read at offset 0: the NBD server cannot read it (error 5)",
        ),
        (
            "chunks without end",
            |client| {
                structured(client, 64 * MIB)?;
                let (_, cookie, ..) = request(client)?;
                loop {
                    chunk(client, 0, 0, cookie, 0)?;
                }
            },
            2,
            "chunks without end",
        ),
        (
            "data outside of the request",
            |client| {
                structured(client, 64 * MIB)?;
                let (_, cookie, offset, length) = request(client)?;
                chunk(client, 1, 1, cookie, 8 + 1)?;
                client.write_all(&(offset + u64::from(length)).to_be_bytes())?;
                client.write_all(b"x")
            },
            2,
            "data outside of the requested range",
        ),
    ];
    for (what, behaviour, status, why) in cases {
        let folder = Folder::new();
        let address = serve(behaviour);
        for output in ["out.raw", "out.zvhd2"] {
            let run = folder.run(&["convert", &address, output]);
            assert!(run.status == status && run.err.contains(why), "{what}: {run:?}");
            assert!(run.err.contains(&address) && !run.err.contains('\u{1b}'), "{what}: {run:?}");
            assert!(folder.names().is_empty(), "{what}: {:?}", folder.names());
        }
    }
}

/// A truncated disk is refused, as in a file.
#[test]
fn a_disk_of_a_server_is_judged() {
    let folder = Folder::new();
    let mut sector = [0; 512];
    sector[446 + 4] = 0x83;
    sector[446 + 8..446 + 16].copy_from_slice(&[0, 8, 0, 0, 0, 0, 9, 0]);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    folder.sparse("disk.raw", 5 * MIB, &[]);
    std::fs::File::options()
        .write(true)
        .open(folder.path("disk.raw"))
        .unwrap()
        .write_all_at(&sector, 0)
        .unwrap();
    let _server = Server::imsprep(&folder, "disk.raw");
    let (status, json) = folder.json(&["convert", "nbd+unix:///?socket=s", "out.zvhd2"]);
    assert_eq!((status, codes(&json["report"])), (1, vec!["IMS-051".to_owned()]), "{json}");
    assert!(!folder.path("out.zvhd2").exists());
}
