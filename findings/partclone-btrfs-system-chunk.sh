#!/bin/sh
# partclone 0.3.23 (Debian package partclone 0.3.23+repack-1): which blocks of a Btrfs are in use.
#
# Input: a fresh Btrfs of 512 MiB by mkfs.btrfs 6.2 (Debian package btrfs-progs 6.2-1*), which keeps metadata and the SYSTEM chunk
# twice (DUP) by default.
# Expected: `partclone.btrfs -D`, which writes a map of the blocks in use, names both copies of the chunk tree.
# Seen: it names the first copy alone. The second one, at the same place within the second stripe of the SYSTEM chunk, holds
# the same bytes and is called free ("?"), so a clone lacks it.
#
# Exit status: 0 if this is what happens, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
pinned() { apt-cache madison "$1" | sed -n "s/.*| *\($2[^ ]*\) .*/$1=\1/p" | head -n 1; }
partclone=$(pinned partclone '0\.3\.23')
btrfs=$(pinned btrfs-progs '6\.2-1')
[ -n "$partclone" ] && [ -n "$btrfs" ] || { echo "partclone 0.3.23 or btrfs-progs 6.2 is not to be had here"; exit 1; }
libraries=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
  "$partclone" "$btrfs" | grep '^[a-z]' | sort -u | grep -vE '^(partclone|btrfs-progs|debconf|perl|dpkg|tar)|:')
# shellcheck disable=SC2086
apt-get download -qq "$partclone" "$btrfs" $libraries 2>errors || { cat errors; exit 1; }
for package in ./*.deb; do dpkg-deb -x "$package" root; done
run() {
  program=$(find root -path "*bin/$1" | head -n 1)
  shift
  root/lib64/ld-linux-x86-64.so.2 --library-path root/usr/lib/x86_64-linux-gnu:root/lib/x86_64-linux-gnu "$program" "$@"
}
truncate -s 512M disk.btrfs
run mkfs.btrfs -q disk.btrfs >said 2>&1
run btrfs inspect-internal dump-tree -t chunk disk.btrfs >chunks
run partclone.btrfs -D -s disk.btrfs -o map -L log >said 2>&1
python3 - <<'PY'
import re, sys
text = open('chunks').read()
node = int(re.search(r'^leaf (\d+)', text, re.M).group(1))
start, stripes = re.search(r'CHUNK_ITEM (\d+)\)[^(]*type SYSTEM\|DUP(.*?)item', text, re.S).groups()
copies = [int(at) + node - int(start) for at in re.findall(r'stripe \d devid 1 offset (\d+)', stripes)]
image = open('disk.btrfs', 'rb').read()
node_bytes = [image[at:at + 16384] for at in copies]
used = [(int(at, 16), int(size, 16)) for at, size in re.findall(r'^(0x\w+)\s+(0x\w+)\s+\+', open('map').read(), re.M)]
in_use = [any(at <= copy < at + size for at, size in used) for copy in copies]
print(f'chunk tree at {copies}, the same bytes: {node_bytes[0] == node_bytes[1]}, in use by partclone: {in_use}')
sys.exit(not (len(copies) == 2 and node_bytes[0] == node_bytes[1] and any(node_bytes[0]) and in_use == [True, False]))
PY
