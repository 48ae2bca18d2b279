#!/bin/sh
# qemu-img 7.2 (Debian package qemu-utils 1:7.2+dfsg-7+deb12u*; 10.0.2 does the same): `convert -c` to qcow, version 1.
#
# Input: a RAW of 1 MiB that holds one byte repeated. `qemu-img convert --help` lists -c for every format whose driver compresses,
# and the driver of qcow does.
# Expected: exit status 0, as without -c and as with -O qcow2 -c.
# Seen: exit status 1 and not a byte of output, every time. The image is complete: qemu-img reads it back as the same disk. A script that
# goes by the exit status discards a good image, and no message says why.
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
python3 -c 'open("disk.raw", "wb").write(b"\7" * (1 << 20))'
status() { qemu_img convert -f raw "$@" >>said 2>&1 && echo 0 || echo $?; }
plain=$(status -O qcow disk.raw plain.qcow)
second=$(status -O qcow2 -c disk.raw second.qcow2)
first=$(status -O qcow -c disk.raw first.qcow)
back=$(status -f qcow -O raw first.qcow back.raw)
same=no
cmp -s disk.raw back.raw && same=yes
echo "exit status: qcow $plain, qcow2 -c $second, qcow -c $first; read back: $back, the same disk: $same; output: $(wc -c <said) bytes"
[ "$plain$second$first$back$same" = 0010yes ] && [ ! -s said ]
