#!/bin/sh
# dissect.btrfs 1.10 (PyPI): two names of one directory that have the same hash.
#
# Input: a Btrfs made by `mkfs.btrfs --rootdir` (Debian package btrfs-progs 6.2-1*) of a folder with two files. The CRC-32C of their
# names, with which Btrfs finds a name in a directory, is the same, so both entries are in one item of the directory's tree.
# Expected: each name gives its own file, as with the kernel and `btrfs restore`.
# Seen: `Subvolume.get` takes the first entry of the item without comparing the name: both names give the first file and its content,
# without an error.
#
# Exit status: 0 if this is what happens, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=$(apt-cache madison btrfs-progs | sed -n 's/.*| *\(6\.2-1[^ ]*\) .*/\1/p' | head -n 1)
[ -n "$version" ] || { echo "btrfs-progs 6.2 is not to be had here"; exit 1; }
libraries=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
  "btrfs-progs=$version" | grep '^[a-z]' | sort -u | grep -vE '^(btrfs-progs|debconf|perl|dpkg|tar)|:')
# shellcheck disable=SC2086
apt-get download -qq "btrfs-progs=$version" $libraries 2>errors || { cat errors; exit 1; }
for package in ./*.deb; do dpkg-deb -x "$package" root; done
run() {
  program=$(find root -path "*bin/$1" | head -n 1)
  shift
  root/lib64/ld-linux-x86-64.so.2 --library-path root/usr/lib/x86_64-linux-gnu:root/lib/x86_64-linux-gnu "$program" "$@"
}
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dissect.btrfs==1.10 dissect.cstruct==4.7 dissect.util==3.25.dev10
mkdir files restored
for name in 73fb305c6b38 6075e112f956; do echo "this is $name" >"files/$name"; done
truncate -s 128M disk.btrfs
run mkfs.btrfs -q --rootdir files disk.btrfs >said 2>&1
run btrfs restore disk.btrfs restored >said 2>&1
venv/bin/python - <<'PY'
import sys
from dissect.btrfs import Btrfs

volume = Btrfs(open('disk.btrfs', 'rb')).open_subvolume(5)
as_stated = []
for name in ('73fb305c6b38', '6075e112f956'):
    theirs = volume.get(name).open().read().decode().strip()
    restored = open(f'restored/{name}').read().strip()
    print(f'{name}: dissect.btrfs reads "{theirs}", btrfs restore "{restored}"')
    as_stated.append((theirs, restored))
first = as_stated[0][0]
sys.exit(not (as_stated == [(first, 'this is 73fb305c6b38'), (first, 'this is 6075e112f956')]))
PY
