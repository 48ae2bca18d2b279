#!/bin/sh
# gpt 4.1.0 (crates.io): the backup header of a disk that was enlarged.
#
# Input: a RAW of 64 MiB with a GPT by sgdisk, enlarged to 128 MiB. The backup header is still in the last sector of the
# first 64 MiB, and AlternateLBA of the primary header names that sector (UEFI 2.10, 5.3.2).
# Expected: the backup header is read from the sector that the sound primary header names, as sgdisk and sfdisk do.
# Seen: the crate looks in the last sector of the disk alone: `backup_header()` is Ok before the disk is enlarged, and an error
# afterwards, while the partitions are read from the primary header.
#
# Exit status: 0 if this is what happens, 1 if it changed. Needs cargo and sgdisk.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
PATH=$PATH:/usr/sbin:/sbin
truncate -s 64M disk.raw
sgdisk -n 1:2048:0 -t 1:8300 disk.raw >said
cp disk.raw larger.raw
truncate -s 128M larger.raw
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
gpt = "=4.1.0"
TOML
cat >src/main.rs <<'RUST'
fn look(name: &str) -> (usize, bool) {
    let disk = gpt::GptConfig::new().writable(false).open(name).unwrap();
    let alternate = disk.primary_header().unwrap().backup_lba;
    let seen = (disk.partitions().len(), disk.backup_header().is_ok());
    println!("{name}: partitions: {}; the primary header names sector {alternate}; a backup header: {}", seen.0, seen.1);
    seen
}

fn main() {
    let as_stated = look("disk.raw") == (1, true) && look("larger.raw") == (1, false);
    std::process::exit(i32::from(!as_stated));
}
RUST
cargo run --quiet
