#!/bin/sh
# e2fsprogs 1.47.0 (Debian packages e2fsprogs, libext2fs2, libss2 and libcom-err2, 1.47.0-2+b2): the exit status of debugfs.
#
# Input: a new ext4, and requests that fail: `write` of a file that does not exist, once by -R and once from a file of requests (-f).
# Expected: an exit status other than 0, so that a script that fills a file system notices that a file is missing.
# Seen: a message on standard error, and exit status 0 both times. Nothing was written.
#
# Exit status: 0 if this is what happens, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=$(apt-cache madison e2fsprogs | sed -n 's/.*| *\(1\.47\.0-[^ ]*\) .*/\1/p' | head -n 1)
[ -n "$version" ] || { echo "e2fsprogs 1.47.0 is not to be had here"; exit 1; }
apt-get download -qq "e2fsprogs=$version" "libext2fs2=$version" "libss2=$version" "libcom-err2=$version"
for package in ./*.deb; do dpkg-deb -x "$package" root; done
libraries=$(find "$PWD/root" -name '*.so.*' -exec dirname {} + | sort -u | paste -sd :)
export LD_LIBRARY_PATH="$libraries"
truncate -s 8M disk
root/sbin/mke2fs -q -t ext4 disk
echo 'write missing there' >requests
by_option=0 by_file=0
root/sbin/debugfs -w -R 'write missing there' disk 2>by-option || by_option=$?
root/sbin/debugfs -w -f requests disk 2>by-file || by_file=$?
cat by-option
echo "exit status $by_option with -R, $by_file with -f"
grep -q 'No such file' by-option
grep -q 'No such file' by-file
root/sbin/debugfs -R 'ls -p /' disk 2>/dev/null | cut -d / -f 6 >names
[ "$by_option" = 0 ] && [ "$by_file" = 0 ] && ! grep -qx there names
