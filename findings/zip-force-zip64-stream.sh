#!/bin/sh
# Info-ZIP zip 3.0 and unzip 6.0 (Debian packages zip 3.0-13 and unzip 6.0-28): `-fz` with an archive that is written to a pipe.
#
# Input: `zip -fz - file | cat`, with a file of 100000 bytes. The option is documented as forcing the use of ZIP64.
# Expected: an archive that unzip, 7-Zip and Python read, as they read that of `zip - file | cat`; or an error.
# Seen: zip exits with 0, and the end of the archive is in no form that the others know: unzip and Python refuse it.
#
# Exit status: 0 if this is what happens, 1 if it changed. Needs python3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq zip=3.0-13 unzip=6.0-28
for package in ./*.deb; do dpkg-deb -x "$package" root; done
python3 -c 'import random; open("file", "wb").write(random.Random(1).randbytes(100000))'
status=0
(root/usr/bin/zip -q - file || echo "$?" >failed) | cat >plain.zip
(root/usr/bin/zip -q -fz - file || echo "$?" >failed) | cat >forced.zip
[ ! -e failed ] || status=1
for archive in plain forced; do
  result=0
  root/usr/bin/unzip -tqq "$archive.zip" >/dev/null 2>&1 || result=$?
  python=$(python3 -c "
import zipfile
try:
    print(zipfile.ZipFile('$archive.zip').testzip() or 'sound')
except (zipfile.BadZipFile, OSError) as error:
    print('refused:', error)")
  echo "$archive.zip: unzip exits with $result; Python: $python"
  case $archive:$result:$python in
    plain:0:sound | forced:[1-9]*:refused*) ;;
    *) status=1 ;;
  esac
done
exit "$status"
