//! Each reader against the kernel's view of the same volume: as it is once unmounted, and as a copy has it that was made of a
//! mounted one.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use imsprep_filesystem::{
    Access, Error, ErrorKind, FileSystem, Found, GuestTree, Limits, Subvolume, open_volume,
};
use imsprep_source::{Cancel, ImageFile};
use imsprep_testdata::each;

use crate::support::{
    Abilities, MIB, Tree, Volume, assert_same, by_kernel, by_us, noise, populate, without_owners,
};

const UNIX: Abilities = Abilities { is_unix: true, link_max: 4095, preallocates: true, entries: 3000 };

fn open_in<T>(image: &Path, look: impl FnOnce(&dyn FileSystem) -> T) -> Result<T, Error> {
    let image = ImageFile::open(image).unwrap();
    let access = patient();
    let files = open_volume(&image, &access)?;
    Ok(look(&*files))
}

/// A machine that is busy takes longer than a user would wait.
fn patient() -> Access {
    Access::new(Limits { time: Duration::from_secs(3600), ..Limits::default() }, &Cancel::new())
}

pub(crate) fn ours(image: &Path) -> Tree {
    open_in(image, |files| by_us(files, files.root())).unwrap()
}

/// Holds a file system that `make` makes against the kernel, clean and, where it is replayed, dirty.
fn compare(tools: &[&str], size: u64, make: &str, options: &str, abilities: Abilities, reads_dirty: bool) {
    let mut volume = Volume::new(tools, size, make);
    volume.mount(&[], &format!("mount -o loop,{options} \"$image\" \"$at\""));
    populate(&volume.at(), abilities);
    let theirs = by_kernel(&volume.at());
    assert!(theirs.len() > abilities.entries / 7 * 6);
    if reads_dirty {
        let copy = volume.copy();
        let theirs = by_kernel(&volume.at());
        assert!(theirs.contains_key(b"late/renamed".as_slice()));
        assert_same(&ours(&copy), &theirs);
    }
    let theirs = by_kernel(&volume.at());
    volume.unmount();
    assert_same(&ours(&volume.image()), &theirs);
}

#[test]
fn ext_volumes_read_as_the_kernel_reads_them() {
    let cases = [
        ("mkfs.ext4 -q -b 4096", "defaults"),
        ("mkfs.ext4 -q -b 1024 -I 128", "defaults"),
        ("mkfs.ext4 -q -b 4096 -O ^metadata_csum,^64bit", "data=journal"),
        ("mkfs.ext4 -q -b 4096 -O bigalloc -C 16384", "defaults"),
        ("mkfs.ext4 -q -b 2048 -O meta_bg,^resize_inode", "defaults"),
        ("mkfs.ext4 -q -b 4096 -O ^has_journal,^dir_index,^filetype,large_dir", "defaults"),
        ("mkfs.ext3 -q -b 4096", "defaults"),
        ("mkfs.ext3 -q -b 1024", "defaults"),
        ("mkfs.ext2 -q", "defaults"),
    ];
    each(cases, |(make, options)| {
        let tool = make.split(' ').next().unwrap();
        let has_extents = tool == "mkfs.ext4";
        let link_max = if make.contains("-b 4096") { 4095 } else { 1023 };
        let abilities = Abilities { preallocates: has_extents, link_max, ..UNIX };
        let has_journal = tool != "mkfs.ext2" && !make.contains("^has_journal");
        let make = format!("{make} \"$image\"");
        compare(&[tool, "fallocate"], 96 * MIB, &make, options, abilities, has_journal);
    });
}

#[test]
fn xfs_volumes_read_as_the_kernel_reads_them() {
    let abilities = Abilities { link_max: 1023, ..UNIX };
    let cases = ["", "-b size=1024 -i size=512 -n size=8192", "-m reflink=0,bigtime=0,inobtcount=0"];
    each(cases, |make| {
        let mut volume =
            Volume::new(&["mkfs.xfs", "fallocate"], 320 * MIB, &format!("mkfs.xfs -q {make} \"$image\""));
        volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
        populate(&volume.at(), abilities);
        // lamxfs does not tell owners.
        volume.run("chown -hR 0:0 \"$at\"; chmod 4751 \"$at/mode\"").unwrap();
        let copy = volume.copy();
        let theirs = by_kernel(&volume.at());
        assert_same(&ours(&copy), &theirs);
        volume.unmount();
        assert_same(&ours(&volume.image()), &theirs);
    });
}

#[test]
fn btrfs_volumes_read_as_the_kernel_reads_them() {
    let cases = [
        ("", "defaults"),
        ("", "compress-force=zstd"),
        ("-O ^no-holes", "compress-force=lzo"),
        ("-n 65536", "compress-force=zlib"),
        ("-m single", "nodatasum"),
    ];
    each(cases, |(make, options)| {
        let make = format!("mkfs.btrfs -q {make} \"$image\"");
        compare(&["mkfs.btrfs", "fallocate"], 300 * MIB, &make, options, UNIX, false);
    });
}

#[test]
fn subvolumes_and_snapshots_are_found_as_a_mount_finds_them() {
    let mut volume = Volume::new(&["mkfs.btrfs", "btrfs"], 200 * MIB, "mkfs.btrfs -q \"$image\"");
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    let script = "cd \"$at\"; btrfs -q subvolume create @; btrfs -q subvolume create @/home; mkdir -p @/.snapshots/1; \
        echo first > @/file; echo inner > @/home/inner; ln -s /file @/link; \
        btrfs -q subvolume snapshot -r @ @/.snapshots/1/snapshot; echo second > @/file; \
        btrfs subvolume list -t . | awk '$4 == \"@\" { print $1 }' > number; \
        btrfs subvolume set-default \"$(cat number)\" .; cat number";
    let number = volume.run(script).unwrap().trim().parse().unwrap();
    let top = by_kernel(&volume.at());
    volume.unmount();
    let image = ImageFile::open(volume.image()).unwrap();
    let access = patient();
    let files = open_volume(&image, &access).unwrap();
    let find = |which| files.subvolume(which).unwrap().unwrap();
    assert_same(&by_us(&*files, find(Subvolume::Id(5))), &top);
    assert_same(&by_us(&*files, find(Subvolume::Path(b"/"))), &top);
    assert_eq!(files.root(), find(Subvolume::Path(b"@")));
    assert_eq!(files.root(), find(Subvolume::Id(number)));
    assert_eq!(files.subvolume(Subvolume::Path(b"@/.snapshots")).unwrap(), None);
    assert_eq!(files.subvolume(Subvolume::Path(b"none")).unwrap(), None);
    assert_eq!(files.subvolume(Subvolume::Id(99999)).unwrap(), None);
    let mut guest = GuestTree::new(files.clone(), find(Subvolume::Path(b"@/.snapshots/1/snapshot")));
    assert_eq!(guest.read("/link", 10).unwrap(), b"first\n");
    assert_eq!(guest.read("/home/inner", 10).found().unwrap(), None);
    guest.mount("/home", files.clone(), find(Subvolume::Path(b"@/home"))).unwrap();
    assert_eq!(guest.read("/home/../home/inner", 10).unwrap(), b"inner\n");
    assert_eq!(GuestTree::new(files.clone(), files.root()).read("/link", 10).unwrap(), b"second\n");
}

#[test]
fn a_btrfs_with_a_log_tree_is_refused() {
    let mut volume = Volume::new(&["mkfs.btrfs", "sync"], 200 * MIB, "mkfs.btrfs -q \"$image\"");
    volume.mount(&[], "mount -o loop,commit=300 \"$image\" \"$at\"");
    let script = "echo old > \"$at/file\"; sync -f \"$at\"; echo new > \"$at/file\"; sync \"$at/file\"; cp \"$image\" copy";
    volume.run(script).unwrap();
    let copy = volume.image().with_file_name("copy");
    let error = open_in(&copy, |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.reason().contains("log tree"), "{error}");
}

#[test]
fn ntfs_volumes_read_as_ntfs_3g_reads_them() {
    let cases = ["-c 4096", "-c 512", "-c 65536"];
    each(cases, |make| {
        let tools = ["mkntfs", "ntfs-3g"];
        let mut volume = Volume::new(&tools, 120 * MIB, &format!("mkntfs -q -Q -F {make} \"$image\""));
        volume.mount(&tools, "ntfs-3g \"$image\" \"$at\"");
        populate(&volume.at(), Abilities { is_unix: false, link_max: 0, preallocates: false, entries: 1000 });
        // So many runs that they don't fit into a record.
        let parts = ["one", "other"].map(|name| fs::File::create(volume.at().join(name)).unwrap());
        for number in 0..700 {
            for mut file in &parts {
                std::io::Write::write_all(&mut file, &noise(number, 4096)).unwrap();
            }
        }
        drop(parts);
        let theirs = without_owners(by_kernel(&volume.at()));
        volume.unmount();
        assert_same(&without_owners(ours(&volume.image())), &theirs);
        let found =
            open_in(&volume.image(), |files| files.lookup(files.root(), "TEXT AGAIN".as_bytes()).unwrap());
        assert!(found.unwrap().is_some());
    });
}

#[test]
fn fat_volumes_read_as_they_were_written() {
    let cases = [("-F 12", 2), ("-F 16 -s 4", 60), ("-F 32 -s 1", 40), ("-F 32 -S 4096", 300)];
    each(cases, |(make, size)| {
        let make = format!("mkfs.vfat {make} \"$image\" >/dev/null");
        let volume = Volume::new(&["mkfs.vfat", "mcopy", "mdel"], size * MIB, &make);
        let from = volume.at();
        fs::create_dir_all(from.join("EFI/BOOT/a long name of a folder")).unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(from.join(name), bytes).unwrap();
        write("EFI/BOOT/BOOTX64.EFI", &noise(1, 100_000));
        write("EFI/BOOT/a long name of a folder/Grub.Cfg", b"menuentry");
        write("empty", b"");
        write("ä name that is not ASCII €", b"x");
        write(&"x".repeat(200), b"y");
        write("hole", &noise(2, 30_000));
        write("UPPER.TXT", b"z");
        // Where these were the next file lies in pieces.
        for number in 0..40 {
            write(&format!("piece {number}"), &noise(number, 9000));
        }
        volume.run("cd \"$at\"; mcopy -Q -s -i \"$image\" * ::").unwrap();
        for number in (0..40).step_by(2) {
            fs::remove_file(from.join(format!("piece {number}"))).unwrap();
            volume.run(&format!("mdel -i \"$image\" '::piece {number}'")).unwrap();
        }
        write("last", &noise(3, 150_000));
        fs::create_dir(from.join("many")).unwrap();
        for number in 0..100 {
            write(&format!("many/file with the number {number}"), b"");
        }
        volume.run("cd \"$at\"; mcopy -Q -s -i \"$image\" last many ::").unwrap();
        assert_same(&without_owners(ours(&volume.image())), &without_owners(by_kernel(&from)));
        // By the short name that a long one has, too, and in any case.
        let names = ["LAST", "many", "PIECE1~1", "XXXXXX~1", "none"];
        let found = |files: &dyn FileSystem| {
            names.map(|name| files.lookup(files.root(), name.as_bytes()).unwrap().is_some())
        };
        assert_eq!(open_in(&volume.image(), found).unwrap(), [true, true, true, true, false]);
    });
}

#[test]
fn a_directory_of_100000_entries_is_listed_within_bounds() {
    let mut volume = Volume::new(&["mkfs.ext4"], 64 * MIB, "mkfs.ext4 -q -b 4096 -N 110000 \"$image\"");
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    volume
        .run("mkdir \"$at/many\"; cd \"$at/many\"; seq -f 'file_of_number_%06g' 100000 | xargs touch")
        .unwrap();
    volume.unmount();
    let image = ImageFile::open(volume.image()).unwrap();
    let access = patient();
    let files = open_volume(&image, &access).unwrap();
    let guest = GuestTree::new(files.clone(), files.root());
    assert_eq!(guest.list("/many", 100_000).unwrap().len(), 100_000);
    assert_eq!(guest.list("/many", 99_999).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(guest.read("/many/file_of_number_077777", 0).unwrap(), b"");
    assert!(access.disk_bytes() < 40 * MIB, "{}", access.disk_bytes());
}
