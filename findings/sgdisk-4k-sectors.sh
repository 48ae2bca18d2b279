#!/bin/sh
# gdisk 1.0.9 (Debian package 1.0.9-2.1): `sgdisk -e` on an image whose GPT is for sectors of 4096 bytes.
#
# Input: a RAW of 1 GiB and 1 MiB with a valid GPT for sectors of 4096 bytes (UEFI 2.10, 5.3: the header is in the second
# logical sector) and one partition, enlarged to 2 GiB. sgdisk takes the sectors of a regular file to be 512 bytes.
# Expected: a refusal, or the backup header moved to the end of the disk.
# Seen: exit status 0, a new and empty table for sectors of 512 bytes, and `sgdisk -v` reports "No problems found".
#
# Exit status: 0 if this is what happens, 1 if it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq gdisk=1.0.9-2.1
dpkg-deb -x gdisk_*.deb root
sgdisk=$folder/root/sbin/sgdisk
[ -x "$sgdisk" ] || sgdisk=$folder/root/usr/sbin/sgdisk
python3 - <<'PY'
import struct, uuid, zlib
SECTOR, SIZE = 4096, (1 << 30) + (1 << 20)
last = SIZE // SECTOR - 1
linux = uuid.UUID('0fc63daf-8483-4772-8e79-3d69d8477de4').bytes_le
entries = (linux + uuid.uuid4().bytes_le + struct.pack('<QQQ', 256, 51455, 0)).ljust(128 * 128, b'\0')
disk = uuid.uuid4().bytes_le
def header(own, other, table):
    fields = (own, other, 6, last - 5)
    def pack(crc):
        return (struct.pack('<8sIIII4Q', b'EFI PART', 0x10000, 92, crc, 0, *fields) + disk
                + struct.pack('<QIII', table, 128, 128, zlib.crc32(entries)))
    return pack(zlib.crc32(pack(0)))
with open('disk.raw', 'wb') as image:
    image.truncate(SIZE)
    image.seek(446)
    image.write(bytes([0, 0, 2, 0, 0xee, 255, 255, 255]) + struct.pack('<II', 1, last))
    image.seek(510)
    image.write(b'\x55\xaa')
    for place, data in ((1, header(1, last, 2)), (2, entries), (last - 4, entries), (last, header(last, 1, last - 4))):
        image.seek(place * SECTOR)
        image.write(data)
PY
truncate -s 2G disk.raw
status=0
"$sgdisk" -e disk.raw >said 2>&1 || status=$?
"$sgdisk" -p disk.raw >table 2>&1
"$sgdisk" -v disk.raw >verified 2>&1
partitions=$(grep -cE '^ +[0-9]+ ' table || true)
echo "sgdisk -e: exit status $status; partitions now: $partitions; sgdisk -v: $(grep -o 'No problems found' verified || echo problems)"
[ "$status" = 0 ] && [ "$partitions" = 0 ] && grep -q 'No problems found' verified
