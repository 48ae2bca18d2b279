#!/bin/sh
# qemu-img 7.2 (Debian package qemu-utils 1:7.2+dfsg-7+deb12u*; 10.0.2 does the same): the last entry of a qcow2's snapshot table.
#
# Input: an empty qcow2 of 1 MiB with clusters of 4 KiB, and `qemu-img snapshot -c`.
# Expected: a snapshot table whose entries each end with padding to a multiple of 8 bytes, as docs/interop/qcow2.rst specifies.
# Seen: the padding behind the last entry is not in the file: it ends with the last byte of the entry's name, 66 bytes behind
# the start of an entry that takes 72. A reader that asks for whole entries meets the end of the file in a sound image.
#
# Exit status: 0 if this is what happens, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=$(apt-cache madison qemu-utils | sed -n 's/.*| *\(1:7\.2+dfsg-7+deb12u[^ ]*\) .*/\1/p' | head -n 1)
[ -n "$version" ] || { echo "qemu-utils 7.2 is not to be had here"; exit 1; }
libraries=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
  "qemu-utils=$version" | grep '^[a-z]' | sort -u | grep -vE '^(qemu-utils|debconf|perl|dpkg|tar)|:')
# shellcheck disable=SC2086
apt-get download -qq "qemu-utils=$version" $libraries 2>errors || { cat errors; exit 1; }
for package in ./*.deb; do dpkg-deb -x "$package" root; done
qemu_img() {
  root/lib64/ld-linux-x86-64.so.2 --library-path root/usr/lib/x86_64-linux-gnu:root/lib/x86_64-linux-gnu root/usr/bin/qemu-img "$@"
}
qemu_img --version | head -n 1
qemu_img create -q -f qcow2 -o cluster_size=4k disk.qcow2 1M
qemu_img snapshot -c s disk.qcow2
qemu_img check disk.qcow2
python3 - <<'PY'
import struct, sys
image = open('disk.qcow2', 'rb').read()
count, table = struct.unpack('>IQ', image[60:72])
identity, name = struct.unpack('>HH', image[table + 12:table + 16])
extra, = struct.unpack('>I', image[table + 36:table + 40])
used = 40 + extra + identity + name
padded = (used + 7) // 8 * 8
print(f'snapshots: {count}; the entry takes {used} bytes, {padded} with padding; {len(image) - table} are in the file')
sys.exit(not (count == 1 and used % 8 and len(image) - table == used))
PY
