//! Each form that a bitmap layout may have: learned from a program that writes it, and from samples; then used by every command
//! that writes or reads bitmap files.

use crate::folder::{Folder, codes};
use crate::learn_program::{assert_writes_the_same, learn, program};

const MIB: u64 = 1 << 20;

/// Learns from a program, whose layout's description has these words, and uses the layout.
fn assert_learned_and_used(body: &str, words: &[&str]) {
    let folder = Folder::new();
    let command = program(&folder, body);
    let (status, json) = learn(&folder, &command, &[]);
    assert_eq!((status, &json["program"]["outcome"]), (0, &"proven".into()), "{body}: {json:#}");
    let toml = std::fs::read_to_string(folder.path("learned.toml")).unwrap();
    for words in words {
        assert!(toml.contains(words), "{words}: {toml}");
    }
    assert_writes_the_same(&folder, &command);
    assert_used_by_every_command(&folder, body);
    assert_learned_from_samples(&folder, &command, body);
}

fn assert_used_by_every_command(folder: &Folder, body: &str) {
    folder.sparse("disk.raw", 300 * MIB + 1536, &[0, 77 * MIB, 78 * MIB, 255 * MIB, 300 * MIB + 1535]);
    let layout = ["--layout", "learned.toml"];
    let fine = |args: &[&str]| {
        let run = folder.run(&[args, &layout].concat());
        assert_eq!(run.status, 0, "{body}: {args:?}: {}{}", run.out, run.err);
        run.out
    };
    fine(&["bitmap", "create", "disk.raw"]);
    fine(&["bitmap", "verify", "disk.raw"]);
    fine(&["bitmap", "show", "disk.mf", "--image", "disk.raw"]);
    let (_, json) = folder.json(&[&["check", "disk.raw"], &layout[..]].concat());
    assert_eq!(json["files"][0]["bitmap"]["layout"], "learned", "{body}: {json:#}");
    assert!(
        !codes(&json["files"][0]["report"]).iter().any(|code| code.starts_with("BM-")),
        "{body}: {json:#}"
    );
    // To another layout and back.
    let to = |from: &str, output: &str, to: &str| {
        let args = ["bitmap", "convert", from, output, "--to", to, "--image", "disk.raw", "--force"];
        let run = folder.run(&[&args[..], &["--from", "learned.toml"]].concat());
        assert_eq!(run.status, 0, "{body}: {args:?}: {}", run.err);
    };
    to("disk.mf", "text.mf", "ranges");
    to("text.mf", "again.mf", "learned.toml");
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(read("disk.mf") == read("again.mf"), "{body}");
    // One byte altered, anywhere: an error, or a block less or more.
    let bytes = read("disk.mf");
    for at in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        folder.write("disk.mf", &altered);
        let run = folder.run(&[&["bitmap", "verify", "disk.raw"], &layout[..]].concat());
        let found = run.status != 0 || run.out.contains("warning BM-");
        assert!(found, "{body}: byte {at}: {}", run.out);
    }
    folder.write("disk.mf", &bytes);
}

/// From the samples that the tool asks for, as long as several layouts are left: the same layout as from the program.
fn assert_learned_from_samples(folder: &Folder, command: &str, body: &str) {
    let mut args = Vec::new();
    let mut size = None::<String>;
    for turn in 0..6 {
        let (image, sample) = (format!("sample{turn}.raw"), format!("sample{turn}.mf"));
        let sized = size.iter().flat_map(|size| ["--size", size]).collect::<Vec<_>>();
        let run = folder.run(&[&["bitmap", "make-sample", "-o", &image], &sized[..]].concat());
        assert_eq!(run.status, 0, "{body}: {}", run.err);
        let words = command.replace("{image}", &image).replace("{bitmap}", &sample);
        let mut words = words.split(' ');
        let mut written = std::process::Command::new(words.next().unwrap());
        assert!(written.args(words).current_dir(folder.path("")).status().unwrap().success());
        args.extend(["--image".to_owned(), image, "--sample".to_owned(), sample]);
        let given = args.iter().map(String::as_str).collect::<Vec<_>>();
        let learn = [&["bitmap", "learn", "-o", "sampled.toml"], &given[..]].concat();
        let (status, json) = folder.json(&learn);
        if status == 0 {
            let map = |name: &str| {
                let text = std::fs::read_to_string(folder.path(name)).unwrap();
                let is_comment = |line: &&str| line.starts_with('#') || line.starts_with("title");
                let lines = text.lines().filter(|line| !is_comment(line)).map(str::to_owned);
                let is_origin = |line: &String| line.starts_with("[learned]") || line.starts_with("[proven]");
                lines.take_while(|line| !is_origin(line)).collect::<Vec<_>>()
            };
            let (mut sampled, mut proven) = (map("sampled.toml"), map("learned.toml"));
            // Samples have complete sectors, so that it is assumed how a part of one is rounded.
            let assumptions = json["hypotheses"][0]["assumptions"].to_string();
            if assumptions.contains("every image has complete sectors") {
                let either = |line: &mut String| *line = line.replace("image-sectors-up", "image-sectors");
                sampled.iter_mut().chain(&mut proven).for_each(either);
            }
            assert_eq!(sampled, proven, "{body}: {json:#}");
            return;
        }
        assert_eq!(json["result"], "several", "{body}: {json:#}");
        let further = json["further_sample"]["size"].as_u64();
        // Where no image of those that are thought of tells the layouts apart, a larger one may.
        size = Some(further.map_or_else(|| "5G".to_owned(), |size| size.to_string()));
    }
    panic!("{body}: still several layouts");
}

#[test]
fn checksums_of_every_kind_are_learned() {
    for (body, words) in [
        (
            // Of the map, in the header; of the header, before the map.
            "m = bits(data_blocks(), unit=512)\nh = b'MFC1' + struct.pack('<QI', SIZE, crc32c(m))\n\
             write(h + struct.pack('<I', zlib.adler32(h)) + m)",
            ["number = \"padded-crc32c\"", "number = \"adler32-before\""],
        ),
        (
            // Of all that comes before, and of the header, at the end.
            "m = bits(data_blocks(), most_first=True, unit=64)\nh = b'MFC2' + struct.pack('>Q', SIZE)\n\
             f = h + m + b'ENDE' + struct.pack('>I', crc32c(h))\nwrite(f + struct.pack('>I', zlib.crc32(f)))",
            ["number = \"crc32c-header\"", "number = \"crc32-file-before\""],
        ),
        (
            // Of the complete file with zeros in its place, and of the trailer around it.
            "m = bits(data_blocks(), unit=512)\nt = b'TRAI' + struct.pack('<Q', SIZE)\n\
             t += struct.pack('<I', crc32c(t + bytes(4)))\n\
             f = zlib.adler32(b'MFC3' + bytes(4) + m + t)\nwrite(b'MFC3' + struct.pack('<I', f) + m + t)",
            ["number = \"adler32-file\"", "number = \"crc32c-section\""],
        ),
    ] {
        assert_learned_and_used(body, &words);
    }
}

#[test]
fn cells_of_bytes_digits_and_words_are_learned() {
    for (body, words) in [
        (
            "write(bytes(data_blocks()) + struct.pack('<Q', SIZE))",
            ["[cells]\ndata = \"01\"\nzero = \"00\"", "number = \"image-size\""],
        ),
        (
            "write(b'MAP ' + b''.join(b'0' if d else b'1' for d in data_blocks()) + b'\\n')",
            ["data = \"30\"\nzero = \"31\"", "constant = \"0a\""],
        ),
        (
            "write(b''.join(b'D' if d else b'Z' for d in data_blocks()))",
            ["data = \"44\"\nzero = \"5a\"", "unit = 1\n"],
        ),
        (
            "b = data_blocks()\nm = struct.pack('>%dH' % len(b), *b)\n\
             write(b'WORD' + struct.pack('>II', len(b), zlib.crc32(m)) + m + bytes(-len(m) % 64))",
            ["data = \"00 01\"\nzero = \"00 00\"", "unit = 64"],
        ),
        (
            "b = data_blocks(4 * MIB)\nwrite(struct.pack('<%dI' % len(b), *b) + struct.pack('<Q', sum(b)))",
            ["block-size = 4194304", "data = \"01 00 00 00\"\nzero = \"00 00 00 00\""],
        ),
    ] {
        assert_learned_and_used(body, &words);
    }
}

#[test]
fn sizes_in_sectors_kib_and_mib_are_learned() {
    for (body, words) in [
        (
            "m = bits(data_blocks(), unit=512)\nwrite(b'SECT' + struct.pack('<QI', SIZE // 512, SIZE // 1024) + m)",
            ["number = \"image-sectors\"\nbytes = 8", "number = \"image-kib\"\nbytes = 4"],
        ),
        (
            "m = bits(data_blocks(), most_first=True)\n\
             write(m + b'MEBI' + struct.pack('>II', -(-SIZE // MIB), -(-SIZE // 512)))",
            ["number = \"image-mib-up\"", "number = \"image-sectors-up\""],
        ),
    ] {
        assert_learned_and_used(body, &words);
    }
}

#[test]
fn lists_of_runs_are_learned() {
    let clipped = "runs = [(a, min(e, SIZE)) for a, e in runs(data_blocks(64 << 10), 64 << 10)]\n";
    for (body, words) in [
        (
            "r = runs(data_blocks(), 2 * MIB)\nm = b''.join(struct.pack('<QQ', a, e - a) for a, e in r)\n\
             write(b'RUNS' + struct.pack('<IQ', len(r), SIZE) + m + struct.pack('<I', zlib.crc32(m)))",
            ["numbers = \"offset-length\"\nunit = \"bytes\"", "clipped = false\n", "number = \"run-count\""],
        ),
        (
            &format!(
                "{clipped}write(b''.join(struct.pack('>II', a // 512, -(-e // 512) - 1) for a, e in runs))"
            ),
            [
                "numbers = \"first-last\"\nunit = \"sectors\"\nbytes = 4",
                "clipped = true\n",
                "block-size = 65536",
            ],
        ),
        (
            "r = runs(data_blocks(4096), 4096)\nm = b''.join(struct.pack('>II', a // 4096, e // 4096) for a, e in r)\n\
             write(struct.pack('>Q', SIZE // 512) + m + b'END!')",
            [
                "numbers = \"offset-end\"\nunit = \"blocks\"",
                "bytes = 4\norder = \"big\"",
                "number = \"image-sectors\"",
            ],
        ),
    ] {
        assert_learned_and_used(body, &words);
    }
}

#[test]
fn lists_that_are_no_runs_are_refused() {
    let folder = Folder::new();
    for body in [
        // Runs of at most four blocks; the data blocks one by one; runs of zeros.
        "r = runs(data_blocks(), 2 * MIB)\nr = [(s, min(e, s + 8 * MIB)) for a, e in r for s in range(a, e, 8 * MIB)]\n\
         write(b''.join(struct.pack('<QQ', a, e - a) for a, e in r))",
        "write(b''.join(struct.pack('<Q', i) for i, d in enumerate(data_blocks()) if d))",
        "r = runs([not d for d in data_blocks()], 2 * MIB)\nwrite(b''.join(struct.pack('<QQ', a, e - a) for a, e in r))",
    ] {
        let command = program(&folder, body);
        let (status, json) = learn(&folder, &command, &[]);
        assert_eq!((status, &json["program"]["outcome"]), (1, &"not-learned".into()), "{body}: {json:#}");
    }
}

#[test]
fn headers_of_up_to_64_kib_are_learned_and_longer_ones_refused() {
    let program_with = |length: u64| {
        format!(
            "m = bits(data_blocks(), unit=512)\nh = b'LONG' + struct.pack('<QI', SIZE, zlib.crc32(m))\n\
             h += b'\\x5a' * 1000 + bytes(range(256)) * 9\nwrite(h + bytes({length} - 4 - len(h)) + struct.pack('<I', zlib.crc32(h)) + m)"
        )
    };
    // What comes before its checksum is zeros for the most part, which are not covered: a checksum of another kind.
    let folder = Folder::new();
    let command = program(&folder, &program_with(65_536));
    let (status, json) = learn(&folder, &command, &[]);
    assert_eq!((status, &json["result"]), (1, &"none".into()), "{json:#}");
    let covering = |length| {
        program_with(length).replace("write(h + bytes(", "h += bytes(").replace("len(h))", "len(h))\nwrite(h")
    };
    assert_learned_and_used(&covering(65_536), &["number = \"padded-crc32\"", "number = \"crc32-before\""]);
    let command = program(&folder, &covering(65_540));
    let (status, json) = learn(&folder, &command, &[]);
    assert_eq!((status, &json["result"]), (1, &"none".into()), "{json:#}");
}

#[test]
fn a_checksum_of_another_kind_is_refused() {
    let folder = Folder::new();
    // Fletcher-32, and a CRC-32 that begins with 0.
    for body in [
        "m = bits(data_blocks(), unit=512)\na = b = 0\nfor byte in m:\n    a = (a + byte) % 65535\n    b = (b + a) % 65535\n\
         write(b'FLET' + struct.pack('<QI', SIZE, b << 16 | a) + m)",
        "m = bits(data_blocks(), unit=512)\nwrite(b'CRC0' + struct.pack('<QI', SIZE, zlib.crc32(m, 0xffffffff)) + m)",
    ] {
        let command = program(&folder, body);
        let (status, json) = learn(&folder, &command, &[]);
        assert_eq!((status, &json["result"]), (1, &"none".into()), "{body}: {json:#}");
    }
}
