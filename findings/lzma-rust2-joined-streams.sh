#!/bin/sh
# lzma-rust2 0.25.0 (crates.io): several xz streams in one file, by several threads.
#
# Input: two xz files by xz 5.4 joined with `cat`, which is an .xz file as well (xz-file-format.txt 1.2.1, section 1), and the
# same with one stream alone.
# Expected: `XzReaderMt::new(file, allow_multiple_streams: true, 2)` reads both streams, as `xz -d` and the crate's
# single-threaded `XzReader` with the same argument do.
# Seen: `XzReaderMt` reads one stream, and refuses the joined file when it is opened: "XZ blocks do not end at the index".
#
# Exit status: 0 if this is what happens, 1 if it changed. Needs cargo and xz.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -c 'import random; open("disk.raw", "wb").write(random.Random(1).randbytes(1 << 20))'
xz -k -c disk.raw >one.xz
cat one.xz one.xz >joined.xz
echo "xz -d: $(xz -dc one.xz | wc -c) and $(xz -dc joined.xz | wc -c) bytes"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
lzma-rust2 = { version = "=0.25.0", features = ["xz"] }
TOML
cat >src/main.rs <<'RUST'
use lzma_rust2::{XzReader, XzReaderMt};
use std::io::{Cursor, Read, Result};
fn length(opened: Result<impl Read>) -> Result<usize> {
    let mut bytes = Vec::new();
    opened?.read_to_end(&mut bytes)
}
fn main() {
    let seen = ["one.xz", "joined.xz"].map(|name| {
        let file = || Cursor::new(std::fs::read(name).unwrap());
        let one = length(Ok(XzReader::new(file(), true)));
        let several = length(XzReaderMt::new(file(), true, 2));
        println!("{name}: XzReader {one:?}, XzReaderMt {several:?}");
        (one.ok(), several.ok())
    });
    std::process::exit(i32::from(seen != [(Some(1 << 20), Some(1 << 20)), (Some(2 << 20), None)]));
}
RUST
cargo run --quiet
