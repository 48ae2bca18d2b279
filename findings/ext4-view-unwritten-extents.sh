#!/bin/sh
# ext4-view 1.0.0 (crates.io): a file whose blocks are allocated and not written.
#
# Input: an ext4 made by mke2fs on a disk whose blocks held other data before, with a file of 8 blocks allocated by debugfs's
# `fallocate`, as fallocate(2) and systemd's journal do: its extent is marked as unwritten.
# Expected: zeros, as the kernel and `debugfs dump` read it.
# Seen: `read` returns what the blocks held before, without an error.
#
# Exit status: 0 if this is what happens, 1 if it changed. Needs cargo, mke2fs and debugfs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
PATH=$PATH:/usr/sbin:/sbin
python3 -c 'open("disk.ext4", "wb").write(b"old data" * (1 << 20))'
mke2fs -q -t ext4 -b 4096 -E nodiscard disk.ext4
printf 'write /dev/null f\nfallocate f 0 7\nsif f size 32768\ndump f dumped\n' >commands
debugfs -w -f commands disk.ext4 >said 2>&1
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
ext4-view = { version = "=1.0.0", features = ["std"] }
TOML
cat >src/main.rs <<'RUST'
fn main() {
    let disk = std::fs::read("disk.ext4").unwrap();
    let volume = ext4_view::Ext4::load(Box::new(disk)).unwrap();
    let bytes = volume.read("/f").unwrap();
    let dumped = std::fs::read("dumped").unwrap();
    let stale = bytes.chunks(8).filter(|word| *word == b"old data").count() * 8;
    println!("ext4-view: {} bytes, {stale} of them stale; debugfs: {} bytes, all zeros: {}", bytes.len(), dumped.len(),
        dumped.iter().all(|byte| *byte == 0));
    let as_stated = stale == 32768 && dumped == vec![0; 32768];
    std::process::exit(i32::from(!as_stated));
}
RUST
cargo run --quiet
