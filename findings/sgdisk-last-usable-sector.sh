#!/bin/sh
# GPT fdisk 1.0.9 (Debian package gdisk, 1.0.9-2.1) and util-linux 2.38.1 (Debian package fdisk): the last usable sector after `sgdisk -e`.
#
# Input: a GPT that sfdisk made on a disk of 100 MiB, which was then enlarged to 200 MiB (409600 sectors). `sgdisk -e` moves the backup
# table to the new end.
# Expected: the last usable sector right before the backup table, 409566, as sfdisk has it on a disk of that size.
# Seen: 407552. sgdisk puts it as far from the end as the first usable sector is from the beginning, so that a partition can no longer be
# enlarged into the last MiB of the disk; `sgdisk -v` finds no problem.
#
# Exit status: 0 if this is what happens, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
pinned() {
  version=$(apt-cache madison "$1" | sed -n "s/.*| *\($2-[^ ]*\) .*/\1/p" | head -n 1)
  [ -n "$version" ] || { echo "$1 $2 is not to be had here"; exit 1; }
  apt-get download -qq "$1=$version"
}
pinned gdisk '1\.0\.9'
pinned fdisk '2\.38\.1'
for package in ./*.deb; do dpkg-deb -x "$package" root; done
last_usable() { root/sbin/sfdisk --dump "$1" | sed -n 's/^last-lba: //p'; }
truncate -s 100M disk
printf 'label: gpt\nstart=2048,size=20480\n' | root/sbin/sfdisk --quiet disk
truncate -s 200M disk
root/sbin/sgdisk -e disk >/dev/null
root/sbin/sgdisk -v disk | tail -n 2
truncate -s 200M made
printf 'label: gpt\nstart=2048,size=20480\n' | root/sbin/sfdisk --quiet made
echo "last usable sector: $(last_usable disk) after sgdisk -e, $(last_usable made) by sfdisk"
[ "$(last_usable disk)" = 407552 ] && [ "$(last_usable made)" = 409566 ]
