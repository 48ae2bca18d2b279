#!/bin/sh
# tar 0.4.46 (crates.io): a sparse member in pax form, as bsdtar 3.6.2 (Debian package libarchive-tools 3.6.2-1+deb12u*) writes it by
# default for a file with holes.
#
# Input: an archive by `bsdtar -cf` of a disk of 16 MiB that holds 64 KiB of data in its middle. Its records are GNU.sparse.major=1,
# .minor=0, .realsize=16777216, as the manual of GNU tar describes ("PAX Format, Version 1.0").
# Expected: a member "disk.raw" of 16 MiB, as GNU tar and bsdtar list and unpack it; or an error. The crate expands the older
# form of sparse members (type S).
# Seen: a member "GNUSparseFile.0/disk.raw" of some 64 KiB, whose first block is the map in text and whose data follow
# without the holes. No error; `unpack_in` writes that.
#
# Exit status: 0 if this is what happens, 1 if it changed. Needs cargo.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=$(apt-cache madison libarchive-tools | sed -n 's/.*| *\(3\.6\.2-[^ ]*\) .*/\1/p' | head -n 1)
[ -n "$version" ] || { echo "libarchive 3.6.2 is not to be had here"; exit 1; }
apt-get download -qq "libarchive-tools=$version" "libarchive13=$version" 2>errors || { cat errors; exit 1; }
for package in ./*.deb; do dpkg-deb -x "$package" root; done
python3 - <<'PY'
with open('disk.raw', 'wb') as disk:
    disk.truncate(16 << 20)
    disk.seek(8 << 20)
    disk.write(b'\7' * (64 << 10))
PY
LD_LIBRARY_PATH=$(dirname "$(find root -name 'libarchive.so.13')") root/usr/bin/bsdtar -cf disk.tar disk.raw
tar -tvf disk.tar
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
tar = { version = "=0.4.46", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use std::io::Read;
fn main() {
    let mut archive = tar::Archive::new(std::fs::File::open("disk.tar").unwrap());
    let mut as_stated = false;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let data = bytes.iter().filter(|byte| **byte == 7).count();
        println!("{path}: {} bytes, {data} of them data; begins with {:?}", bytes.len(), String::from_utf8_lossy(&bytes[..9]));
        as_stated |= path == "GNUSparseFile.0/disk.raw" && bytes.len() < 128 << 10 && data == 64 << 10;
    }
    std::process::exit(i32::from(!as_stated));
}
RUST
cargo run --quiet
