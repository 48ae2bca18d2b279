#!/bin/sh
# libarchive 3.6.2 (Debian packages libarchive-tools and libarchive13, 3.6.2-1+deb12u5): bsdtar and `size` and `path` in a global
# pax header.
#
# Input: a pax archive with a global header (type g) of `size=3` and `path=glob`, then a ustar member "f" of five bytes whose
# data are "abcde". POSIX.1-2017 (pax, "pax Header Block") lets the records of a global header hold for all members after it.
# Expected: the member "glob" of 3 bytes, as GNU tar 1.34 lists it.
# Seen: the member "f" of 5 bytes, exit status 0. Two programs unpack two different files from one archive.
#
# Exit status: 0 if this is what happens, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=$(apt-cache madison libarchive-tools | sed -n 's/.*| *\(3\.6\.2-[^ ]*\) .*/\1/p' | head -n 1)
[ -n "$version" ] || { echo "libarchive 3.6.2 is not to be had here"; exit 1; }
apt-get download -qq "libarchive-tools=$version" "libarchive13=$version"
for package in ./*.deb; do dpkg-deb -x "$package" root; done
python3 - <<'PY'
def header(name, kind, size):
    block = bytearray(512)
    block[:len(name)] = name
    block[100:108] = block[108:116] = block[116:124] = b'0000644\0'
    block[124:136] = b'%011o\0' % size
    block[136:148] = b'%011o\0' % 0
    block[148:156] = b' ' * 8
    block[156:157] = kind
    block[257:265] = b'ustar\x0000'
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)
def record(key, value):
    length = len(key) + len(value) + 3
    while len(str(length)) + len(key) + len(value) + 3 != length:
        length = len(str(length)) + len(key) + len(value) + 3
    return f'{length} {key}={value}\n'.encode()
records = record('size', '3') + record('path', 'glob')
with open('global.tar', 'wb') as archive:
    archive.write(header(b'global', b'g', len(records)) + records.ljust(512, b'\0'))
    archive.write(header(b'f', b'0', 5) + b'abcde'.ljust(512, b'\0') + bytes(1024))
PY
library=$(dirname "$(find root -name 'libarchive.so.13')")
status=0
LD_LIBRARY_PATH=$library root/usr/bin/bsdtar -tvf global.tar >listed || status=$?
cat listed
echo "bsdtar $(LD_LIBRARY_PATH=$library root/usr/bin/bsdtar --version | cut -d ' ' -f 2): exit status $status"
[ "$status" = 0 ] && grep -qE ' 5 .* f$' listed
