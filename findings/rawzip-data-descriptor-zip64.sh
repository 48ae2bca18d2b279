#!/bin/sh
# rawzip 0.5.2 (crates.io): data descriptors with sizes of 8 bytes.
#
# Input: a ZIP archive that the module zipfile of Python writes to a pipe, with a member of 100000 bytes and `force_zip64=True`. Its
# header has the extra field of ZIP64, so the descriptor behind the data has sizes of 8 bytes (PKWARE APPNOTE 6.3.10, 4.3.9.2: "if the
# zip64 extended information extra field is present for the file the compressed and uncompressed sizes will be 8 byte values"). The
# entry in the directory has sizes of 4 bytes, and needs no such field. `zip - -` of Info-ZIP writes the same form.
# Expected: `data_descriptor()` returns the sizes of the directory: 115 and 100000, as in an archive without `force_zip64`.
# Seen: the uncompressed size is 0: the upper half of the compressed size. The width is taken from the directory's entry alone.
#
# Exit status: 0 if this is what happens, 1 if it changed. Needs cargo and python3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for form in False True; do
  python3 -c "
import sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED) as archive:
    with archive.open('a', 'w', force_zip64=$form) as member:
        member.write(b'a' * 100000)" | cat >"$form.zip"
  python3 -c "import zipfile; print('zipfile:', zipfile.ZipFile('$form.zip').testzip() or 'sound')"
done
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
rawzip = "=0.5.2"
TOML
cat >src/main.rs <<'RUST'
use rawzip::ZipArchive;
fn main() {
    let seen = ["False.zip", "True.zip"].map(|name| {
        let archive = ZipArchive::from_slice(std::fs::read(name).unwrap()).unwrap();
        let entry = archive.entries().next_entry().unwrap().unwrap();
        let (packed, size) = (entry.compressed_size_hint(), entry.uncompressed_size_hint());
        let found = archive.get_entry(entry.wayfinder()).unwrap().data_descriptor().unwrap().unwrap();
        let found = (found.compressed_size(), found.uncompressed_size());
        println!("{name}: directory {:?}, descriptor {found:?}", (packed, size));
        (found == (packed, size), found.1)
    });
    std::process::exit(i32::from(seen != [(true, 100_000), (false, 0)]));
}
RUST
cargo run --quiet
