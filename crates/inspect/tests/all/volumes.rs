//! Volumes made by the real tools, held against what `blkid` says of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use crate::support::{Folder, MIB};
use imsprep_inspect::{Inspection, Lost, State, TableKind, UncleanReason, Volume, VolumeKind};
use imsprep_testdata::{each, missing, need_tools};

/// Makes `image` of so many MiB with a script, and holds it against `blkid`.
fn made(mib: u64, tools: &[&str], script: &str) -> (Folder, Volume) {
    let folder = Folder::new();
    folder.image("image", mib * MIB);
    folder.run(&[&["blkid"], tools].concat(), script);
    let volume = whole(&folder);
    check(&folder, &volume);
    (folder, volume)
}

fn whole(folder: &Folder) -> Volume {
    let Inspection { table, whole, .. } = folder.inspect("image");
    assert_eq!(table, None);
    whole.unwrap()
}

fn check(folder: &Folder, volume: &Volume) {
    let size = std::fs::metadata(folder.path("image")).unwrap().len();
    let theirs = folder.blkid("image", 0, size);
    let ours = |key: &str| theirs.get(key).cloned();
    assert_eq!(Some(volume.kind.name().to_owned()), ours("TYPE"), "{volume:?} {theirs:?}");
    assert_eq!(volume.label, ours("LABEL"), "{volume:?} {theirs:?}");
    // blkid 2.38 tells no UUID of BitLocker, and neither do we.
    assert_eq!(volume.uuid, ours("UUID"), "{volume:?} {theirs:?}");
    assert_eq!(volume.also, <[&str; 0]>::default(), "{volume:?}");
    assert!(volume.size.is_none_or(|told| told <= size), "{volume:?} in {size} bytes");
}

#[test]
fn ext() {
    each(
        [
            ("mkfs.ext2", "-L two", VolumeKind::Ext2),
            ("mkfs.ext2", "-b 1024 -r 0", VolumeKind::Ext2),
            ("mkfs.ext3", "-L 'sixteen letters!'", VolumeKind::Ext3),
            ("mkfs.ext4", "-L four", VolumeKind::Ext4),
            ("mkfs.ext4", "-O ^has_journal,^64bit -b 4096", VolumeKind::Ext4),
            ("mkfs.ext4", "-O journal_dev -b 4096 -L journal", VolumeKind::ExtJournal),
        ],
        |(tool, args, kind)| {
            let (_, volume) = made(40, &[tool], &format!("{tool} -q -F {args} image"));
            assert_eq!(volume.kind, kind, "{tool} {args}");
            let state = if kind == VolumeKind::ExtJournal { State::NotRecorded } else { State::Clean };
            assert_eq!(volume.state, state, "{tool} {args}");
            assert_eq!(volume.size, Some(40 * MIB));
        },
    );
}

#[test]
fn ext_that_was_not_unmounted() {
    let (folder, volume) = made(40, &["mkfs.ext4", "debugfs", "dumpe2fs"], "mkfs.ext4 -q -F image");
    assert_eq!(volume.state, State::Clean);
    // With what dumpe2fs says of the same marks.
    for (command, dirt, says) in [
        ("feature needs_recovery", UncleanReason::Journal, "needs_recovery"),
        ("ssv state 2", UncleanReason::Errors, "not clean with errors"),
        ("feature -needs_recovery", UncleanReason::Errors, "not clean with errors"),
        ("ssv state 0", UncleanReason::Mounted, "not clean"),
        ("ssv state 5", UncleanReason::Mounted, "clean"),
    ] {
        folder.run(&["debugfs"], &format!("debugfs -w -R '{command}' image"));
        assert_eq!(whole(&folder).state, State::Dirty(dirt), "{command}");
        let text = folder.output("dumpe2fs -h image");
        assert!(text.contains(says), "{command}: {text}");
    }
}

#[test]
fn xfs() {
    for args in ["-L twelve_chars", "-m crc=0", "-b size=1024", "-l version=1 -m crc=0", "-l su=256k"] {
        let script = format!("mkfs.xfs -q {args} image");
        let (folder, volume) = made(512, &["mkfs.xfs", "xfs_logprint"], &script);
        assert_eq!((volume.kind.clone(), volume.state), (VolumeKind::Xfs, State::Clean), "{args}");
        assert!(folder.output("xfs_logprint -t image").contains("<CLEAN>"), "{args}");
    }
}

/// The log of an XFS is altered, and `xfs_logprint` says what it makes of that.
#[test]
fn an_xfs_log_is_clean_only_if_its_tool_says_so() {
    let script = "mkfs.xfs -q image && xfs_db -x -c 'logformat -c 7 -s 1' image";
    let (folder, volume) = made(512, &["mkfs.xfs", "xfs_db", "xfs_logprint"], script);
    assert_eq!(volume.state, State::Clean);
    let start = log_start(&folder);
    let says = |folder: &Folder| {
        let text = folder.output("xfs_logprint -t image");
        (text.contains("<CLEAN>"), text)
    };
    // The flag of the one operation: no longer an unmount.
    let flags = folder.read_at("image", start + 512 + 9, 1);
    assert_eq!(flags[0] & 0x20, 0x20, "the record that mkfs writes");
    folder.write_at("image", start + 512 + 9, &[flags[0] & !0x20]);
    let (is_clean, text) = says(&folder);
    assert!(!is_clean, "{text}");
    assert_eq!(whole(&folder).state, State::Dirty(UncleanReason::Journal));
    folder.write_at("image", start + 512 + 9, &flags);
    assert_eq!(whole(&folder).state, State::Clean);
    // Two operations in the last record.
    let count = folder.read_at("image", start + 40, 4);
    folder.write_at("image", start + 40, &2_u32.to_be_bytes());
    assert_eq!(whole(&folder).state, State::Dirty(UncleanReason::Journal));
    folder.write_at("image", start + 40, &count);
    // A later record that was written ahead of the one before it.
    folder.write_at("image", start + 700 * 512, &7_u32.to_be_bytes());
    assert_ne!(whole(&folder).state, State::Clean);
    // No log at all.
    folder.write_at("image", start, &[0; 4096]);
    assert_ne!(whole(&folder).state, State::Clean);
}

/// The last record of an XFS's log begins in the last block of the ring and goes on in its first.
#[test]
fn an_xfs_log_may_go_on_at_its_beginning() {
    let script = "mkfs.xfs -q image && xfs_db -x -c 'logformat -c 7 -s 1' image";
    let (folder, volume) = made(512, &["mkfs.xfs", "xfs_db", "xfs_logprint"], script);
    assert_eq!(volume.state, State::Clean);
    let start = log_start(&folder);
    let text = folder.output("xfs_logprint -t image");
    let blocks =
        text.split("length: ").nth(1).unwrap().split_whitespace().next().unwrap().parse::<u64>().unwrap();
    let [mut header, mut data, other] =
        [0, 1, 2].map(|block| folder.read_at("image", start + block * 512, 512));
    let cycle = u32::from_be_bytes(*header[4..].first_chunk().unwrap());
    // The header in the cycle before, and at the place that its own number tells.
    header[4..8].copy_from_slice(&(cycle - 1).to_be_bytes());
    header[16..20].copy_from_slice(&(cycle - 1).to_be_bytes());
    header[20..24].copy_from_slice(&u32::try_from(blocks - 1).unwrap().to_be_bytes());
    data[..4].copy_from_slice(&cycle.to_be_bytes());
    folder.write_at("image", start + (blocks - 1) * 512, &header);
    folder.write_at("image", start, &data);
    folder.write_at("image", start + 512, &other);
    assert_eq!(whole(&folder).state, State::Clean);
    data[9] &= !0x20;
    folder.write_at("image", start, &data);
    assert_eq!(whole(&folder).state, State::Dirty(UncleanReason::Journal));
    assert!(!folder.output("xfs_logprint -t image").contains("<CLEAN>"));
}

fn log_start(folder: &Folder) -> u64 {
    let text = folder.output("xfs_db -r -c 'sb 0' -c 'convert fsblock '\"$(xfs_db -r -c 'sb 0' -c 'p logstart' image | sed 's/.*= //')\"' byte' image");
    let hex = text.split("0x").nth(1).unwrap().split(|c: char| !c.is_ascii_hexdigit()).next().unwrap();
    u64::from_str_radix(hex, 16).unwrap()
}

#[test]
fn btrfs() {
    let (folder, volume) = made(256, &["mkfs.btrfs"], "mkfs.btrfs -q -L 'my tree' image");
    assert_eq!((volume.kind, volume.state), (VolumeKind::Btrfs { devices: 1 }, State::NotRecorded));
    folder.write_at("image", (64 << 10) + 0x60, &[1]);
    assert_eq!(whole(&folder).state, State::Dirty(UncleanReason::Journal));
}

#[test]
fn f2fs() {
    let (folder, volume) = made(128, &["mkfs.f2fs"], "mkfs.f2fs -q -l flash image");
    assert_eq!((volume.kind, volume.state), (VolumeKind::F2fs, State::Clean));
    // The flag of an unmount in both checkpoints, which are in the segments 1 and 2.
    for segment in [1_u64, 2] {
        let at = segment * 512 * 4096 + 132;
        let flags = folder.read_at("image", at, 1);
        folder.write_at("image", at, &[flags[0] & !1]);
    }
    assert_eq!(whole(&folder).state, State::Dirty(UncleanReason::Mounted));
}

#[test]
fn ntfs() {
    for args in ["-L 'My Windows'", "-c 65536", "-s 4096 -c 4096"] {
        let script = format!("mkntfs -q -F {args} image");
        let (folder, volume) = made(64, &["mkntfs", "ntfsfix"], &script);
        assert_eq!((volume.kind, volume.state), (VolumeKind::Ntfs, State::Clean), "{args}");
        // It marks the volume for a check by Windows.
        if args.contains("-L") {
            folder.run(&["ntfsfix"], "ntfsfix image");
            let volume = whole(&folder);
            check(&folder, &volume);
            assert_eq!(volume.state, State::Dirty(UncleanReason::Mounted));
            folder.run(&["ntfsfix"], "ntfsfix -d image");
            assert_eq!(whole(&folder).state, State::Clean);
        }
    }
}

#[test]
fn a_windows_that_is_hibernated() {
    let script = "mkntfs -q -F image";
    let (folder, _) = made(64, &["mkntfs", "ntfscp"], script);
    // Files before and after it in the directory, more than fit into the directory's own record.
    let copy = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path("file"), bytes).unwrap();
        folder.run(&["ntfscp"], &format!("ntfscp -f image file '{name}'"));
    };
    for number in 0..40 {
        copy(&format!("a file with a long name {number}"), b"x");
        copy(&format!("z file with a long name {number}"), b"x");
    }
    copy("not hiberfil.sys", b"hibr");
    assert_eq!(whole(&folder).state, State::Clean);
    std::fs::copy(folder.path("image"), folder.path("before")).unwrap();
    for (bytes, is_hibernated) in [
        (b"hibr".repeat(2000), true),
        (b"HIBR".repeat(2000), true),
        // It was woken up.
        (b"wake".repeat(2000), false),
        (b"other".repeat(2000), false),
    ] {
        std::fs::copy(folder.path("before"), folder.path("image")).unwrap();
        copy("hiberfil.sys", &bytes);
        let state = if is_hibernated { State::Dirty(UncleanReason::Hibernated) } else { State::Clean };
        assert_eq!(whole(&folder).state, state, "{:?}", &bytes[..4]);
        let told = folder.output("ntfscp image file probe");
        assert_eq!(told.contains("hibernated"), is_hibernated, "{told}");
    }
}

#[test]
fn fat() {
    for (mib, args, kind) in [
        (4, "-F 12 -n TWELVE", VolumeKind::Fat12),
        (64, "-F 16 -n SIXTEEN", VolumeKind::Fat16),
        (64, "-F 16 -i 0012cdef", VolumeKind::Fat16),
        (300, "-F 32 -n 'THIRTY TWO'", VolumeKind::Fat32),
        (300, "-F 32 -S 4096 -s 1", VolumeKind::Fat32),
        (64, "-F 32 -s 1 --mbr=y", VolumeKind::Fat32),
    ] {
        let script = format!("mkfs.vfat {args} image");
        let (folder, volume) = made(mib, &["mkfs.vfat"], &script);
        assert_eq!(volume.kind, kind, "{args}");
        let state = if kind == VolumeKind::Fat12 { State::NotRecorded } else { State::Clean };
        assert_eq!(volume.state, state, "{args}");
        // The mark that Linux sets while it is mounted.
        let at = if kind == VolumeKind::Fat32 { 65 } else { 37 };
        folder.write_at("image", at, &[1]);
        assert_eq!(whole(&folder).state, State::Dirty(UncleanReason::Mounted), "{args}");
    }
}

#[test]
fn fat_marks_in_the_table() {
    let (folder, _) = made(300, &["mkfs.vfat"], "mkfs.vfat -F 32 image");
    // 32 sectors before the table; the second entry's upper byte.
    for (byte, state) in [
        (0x07, State::Dirty(UncleanReason::Mounted)),
        (0x0b, State::Dirty(UncleanReason::Errors)),
        (0x0f, State::Clean),
    ] {
        folder.write_at("image", 32 * 512 + 7, &[byte]);
        assert_eq!(whole(&folder).state, state, "{byte:#x}");
    }
}

#[test]
fn exfat() {
    for args in ["-L 'Elf Zeichen'", "-c 32K", ""] {
        let script = format!("mkfs.exfat {args} image");
        let (folder, volume) = made(64, &["mkfs.exfat"], &script);
        assert_eq!((volume.kind, volume.state), (VolumeKind::ExFat, State::Clean), "{args}");
        folder.write_at("image", 106, &[2]);
        assert_eq!(whole(&folder).state, State::Dirty(UncleanReason::Mounted), "{args}");
    }
}

#[test]
fn swap() {
    for args in ["-L swap", "-p 65536 -L big", "-p 8192"] {
        let script = format!("mkswap {args} image");
        let (folder, volume) = made(8, &["mkswap"], &script);
        assert_eq!((volume.kind, volume.state), (VolumeKind::Swap, State::NotRecorded), "{args}");
        if args == "-L swap" {
            folder.write_at("image", 4086, b"S1SUSPEND\0");
            let volume = whole(&folder);
            check(&folder, &volume);
            assert_eq!(
                (volume.kind, volume.state),
                (VolumeKind::Hibernation, State::Dirty(UncleanReason::Hibernated))
            );
        }
    }
}

#[test]
fn luks() {
    let format = "cryptsetup luksFormat -q --key-file key --pbkdf pbkdf2 --pbkdf-force-iterations 1000";
    for (args, version) in [("--type luks1", 1), ("--type luks2 --label secret", 2)] {
        let script = format!("echo x > key && {format} {args} image");
        let (_, volume) = made(32, &["cryptsetup"], &script);
        assert_eq!(volume.kind, VolumeKind::Luks { version });
        assert!(volume.kind.is_encrypted());
    }
}

#[test]
fn bitlocker() {
    // No tool makes one without Windows: the boot records as libbde describes them.
    for is_to_go in [false, true] {
        let folder = Folder::new();
        folder.image("image", 4 * MIB);
        if is_to_go {
            folder.write_at("image", 0, b"\xeb\x58\x90MSWIN4.1");
            let guid = b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01";
            folder.write_at("image", 0x1a8, guid);
        } else {
            folder.write_at("image", 0, b"\xeb\x58\x90-FVE-FS-");
        }
        folder.write_at("image", 510, &[0x55, 0xaa]);
        let volume = whole(&folder);
        assert_eq!(volume.kind, VolumeKind::BitLocker, "to go: {is_to_go}");
        assert!(volume.kind.is_encrypted());
    }
}

#[test]
fn iso() {
    each([("genisoimage", "-quiet"), ("xorriso", "-as mkisofs -quiet")], |(tool, args)| {
        let script = format!(
            "mkdir files && echo x > files/x && rm image && {tool} {args} -V INSTALL_CD -o image files"
        );
        let (_, volume) = made(1, &[tool], &script);
        assert_eq!(volume.kind, VolumeKind::Iso9660, "{tool}");
    });
}

#[test]
fn an_iso_that_boots_from_disks_has_a_table_and_no_complaints() {
    let folder = Folder::new();
    // What grub-mkrescue does, with a boot record of our own.
    folder.image("boot", 32768);
    folder.write_at("boot", 0, b"\xeb\x63\x90 GRUB \0");
    let script = "mkdir files && cp boot files/boot && xorriso -as mkisofs -quiet -V HYBRID -b boot -no-emul-boot \
                  -boot-load-size 4 --grub2-boot-info --grub2-mbr boot --protective-msdos-label -o image files";
    folder.run(&["xorriso"], script);
    let found = folder.inspect("image");
    assert_eq!(found.whole.unwrap().kind, VolumeKind::Iso9660);
    let table = found.table.unwrap();
    assert!(matches!(table.kind, TableKind::Mbr { .. }), "{table:?}");
}

/// What md writes, as md_p.h has it: the kernel of a test machine may have no md. Newer versions of `blkid` check the checksum.
fn md_1(minor: u64, image: u64, change: impl Fn(&mut [u8])) -> (u64, Vec<u8>) {
    let at = match minor {
        0 => (image / 512 - 16) / 8 * 8,
        1 => 0,
        _ => 8,
    };
    let mut sb = vec![0_u8; 256 + 4];
    sb[..4].copy_from_slice(&0xa92b_4efc_u32.to_le_bytes());
    sb[4] = 1;
    sb[16..32].copy_from_slice(&[
        0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01,
    ]);
    sb[32..38].copy_from_slice(b"host:0");
    sb[72..76].copy_from_slice(&5_i32.to_le_bytes());
    sb[80..88].copy_from_slice(&8192_u64.to_le_bytes());
    sb[92] = 3;
    // The data begins behind the superblock, unless that is at the end.
    sb[128..136].copy_from_slice(&u64::to_le_bytes(if minor == 0 { 0 } else { 2048 }));
    sb[136..144].copy_from_slice(&8192_u64.to_le_bytes());
    sb[144..152].copy_from_slice(&at.to_le_bytes());
    sb[208..216].fill(0xff); // resync_offset: all of it is in sync
    sb[220] = 2; // max_dev: two roles of two bytes follow
    sb[258] = 1;
    change(&mut sb);
    let sum = sb.as_chunks::<4>().0.iter().map(|word| u64::from(u32::from_le_bytes(*word))).sum::<u64>();
    let sum = u32::try_from((sum & 0xffff_ffff) + (sum >> 32)).unwrap();
    sb[216..220].copy_from_slice(&sum.to_le_bytes());
    (at * 512, sb)
}

#[test]
fn md_raid() {
    for (minor, version) in [(0, "1.0"), (1, "1.1"), (2, "1.2")] {
        let folder = Folder::new();
        folder.image("image", 16 * MIB + 5000);
        let (at, superblock) = md_1(minor, 16 * MIB + 5000, |_| {});
        folder.write_at("image", at, &superblock);
        let volume = whole(&folder);
        let VolumeKind::MdRaid(raid) = &volume.kind else { panic!("{volume:?}") };
        assert_eq!((raid.version, raid.level, raid.devices, raid.doubt), (version, 5, 3, None));
        let end = if minor == 0 { 4 * MIB } else { 5 * MIB };
        assert_eq!((volume.content_end, volume.lost_in(end)), (Some(end), None));
        assert_eq!(volume.lost_in(end - 512), Some(Lost::Content { end }));
        check(&folder, &volume);
    }
    // What blkid does not look at.
    let doubt = |change: &dyn Fn(&mut [u8]), spoil: &[u8]| {
        let folder = Folder::new();
        folder.image("image", 16 * MIB);
        let (at, superblock) = md_1(2, 16 * MIB, change);
        folder.write_at("image", at, &superblock);
        folder.write_at("image", at + 32, spoil);
        let VolumeKind::MdRaid(raid) = whole(&folder).kind else { panic!("no RAID") };
        raid.doubt.unwrap_or_default()
    };
    let nothing = |_: &mut [u8]| {};
    assert_eq!(doubt(&nothing, b"host:0"), "");
    assert_eq!(doubt(&nothing, b"host:1"), "its superblock has a wrong checksum");
    // A bitmap is harmless.
    assert_eq!(doubt(&|sb| sb[8] = 1, b""), "");
    for feature in 1..32 {
        let reason = doubt(&|sb| sb[8 + feature / 8] = 1 << (feature % 8), b"");
        assert!(reason.contains("features that are not known"), "{feature}: {reason}");
    }
    for role in [[3, 0], [0xff, 0xff], [0xfe, 0xff], [0xfd, 0xff]] {
        let reason = doubt(&|sb| sb[256..258].copy_from_slice(&role), b"");
        assert!(reason.contains("a spare or one that failed"), "{role:?}: {reason}");
    }
    assert_eq!(doubt(&|sb| sb[160] = 1, b""), "");
    assert!(doubt(&|sb| sb[160] = 2, b"").contains("a spare or one that failed"));
    assert_eq!(doubt(&|sb| sb[208] = 0, b""), "it was not closed cleanly");
    assert_eq!(doubt(&|sb| sb[222] = 9, b""), "its superblock makes no sense");

    // 0.90: 64 KiB, the last but one multiple of that before the end; its checksum is not looked at by blkid.
    let folder = Folder::new();
    folder.image("image", 16 * MIB);
    let mut superblock = vec![0_u8; 4096];
    for (word, value) in [
        (0, 0xa92b_4efc_u32),
        (1, 0),
        (2, 90),
        (3, 0),
        (5, 0x1122_3344),
        (7, 1),
        (9, 2),
        (10, 2),
        (13, 5),
        (14, 6),
        (15, 7),
    ] {
        superblock[word * 4..][..4].copy_from_slice(&value.to_le_bytes());
    }
    folder.write_at("image", 16 * MIB - 65536, &superblock);
    let volume = whole(&folder);
    let VolumeKind::MdRaid(raid) = &volume.kind else { panic!("{volume:?}") };
    assert_eq!((raid.version, raid.level, raid.devices), ("0.90", 1, 2));
    let theirs = folder.blkid("image", 0, 16 * MIB);
    assert_eq!(volume.uuid, theirs.get("UUID").cloned(), "{theirs:?}");
}

/// A label as the specification has it: no tool for it is in Debian's main archive.
#[test]
fn zfs() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    let string = |text: &str| {
        let mut bytes = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let pair = |name: &str, kind: u32, value: &[u8]| {
        let body = [&string(name)[..], &kind.to_be_bytes(), &1_u32.to_be_bytes(), value].concat();
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], &size.to_be_bytes(), &body].concat()
    };
    let list = [
        &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..],
        &pair("version", 8, &5000_u64.to_be_bytes()),
        &pair("name", 9, &string("tank")),
        &pair("pool_guid", 8, &1_234_567_890_123_456_789_u64.to_be_bytes()),
        &[0; 8],
    ]
    .concat();
    folder.write_at("image", 16 << 10, &list);
    for slot in 0..8 {
        folder.write_at("image", (128 << 10) + slot * 1024, &0x00ba_b10c_u64.to_le_bytes());
    }
    let volume = whole(&folder);
    assert_eq!((&volume.kind, volume.label.as_deref()), (&VolumeKind::Zfs, Some("tank")));
    check(&folder, &volume);
}

#[test]
fn zeros_and_bytes_of_no_meaning() {
    let folder = Folder::new();
    folder.image("image", MIB);
    assert_eq!(whole(&folder).kind, VolumeKind::Empty);
    folder.write_at("image", 5000, b"no file system");
    assert_eq!(whole(&folder).kind, VolumeKind::Unknown);
    folder.image("image", 0);
    assert_eq!(whole(&folder).kind, VolumeKind::Empty);
}

#[test]
fn what_is_left_over_from_before_shows() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.run(&["mkfs.ext4", "mkswap"], "mkswap image && mkfs.ext4 -q -F image");
    // mkfs.ext4 leaves the end of the first page alone unless told otherwise.
    folder.write_at("image", 4086, b"SWAPSPACE2");
    let volume = whole(&folder);
    assert_eq!((volume.kind.name(), volume.also.as_slice()), ("swap", &["ext4"][..]));
}

/// Makes the folder `mnt`, and leaves the test where this user or kernel can't mount `image` there.
fn need_mounts(folder: &Folder) {
    need_tools(["mount", "umount"]);
    let text = folder.output("mkdir -p mnt && mount -o loop image mnt && umount mnt");
    if !text.is_empty() {
        missing(format!("its file system can't be mounted: {}", text.trim()));
    }
}

/// Copies of an XFS that is at work, on a log that is small enough to come round. Its tool makes such a one for tests only.
#[test]
fn an_xfs_at_work_is_dirty_when_its_tool_says_so() {
    let folder = Folder::new();
    folder.image("image", 128 * MIB);
    let make = "QA_CHECK_FS=1 TEST_DIR=/x TEST_DEV=/y mkfs.xfs -q -l size=6m image";
    folder.run(&["mkfs.xfs", "xfs_db", "xfs_logprint"], make);
    need_mounts(&folder);
    let script = "trap 'umount mnt' EXIT
        for round in 1 2 3 4; do
            mount -o loop,logbsize=256k image mnt
            mkdir mnt/files; for n in $(seq 4000); do : > mnt/files/$n; done; sync
            cp --sparse=always image synced.$round; rm -r mnt/files
            cp --sparse=always image busy.$round; umount mnt
            cp --sparse=always image closed.$round
        done
        mount -o loop image mnt";
    folder.run(&["mount", "umount"], script);
    for round in 1..=4 {
        for (when, is_clean) in [("synced", false), ("busy", false), ("closed", true)] {
            let name = format!("{when}.{round}");
            let told = folder.output(&format!("xfs_logprint -t {name}"));
            let volume = folder.inspect(&name).whole.unwrap();
            assert_eq!(told.contains("<CLEAN>"), is_clean, "{name}: {told}");
            let state = if is_clean { State::Clean } else { State::Dirty(UncleanReason::Journal) };
            assert_eq!(volume.state, state, "{name}: {told}");
        }
    }
    // The log did come round: its first block is of a later cycle than its last.
    let (first, last) = (log_cycle(&folder, 0), log_cycle(&folder, 6 * 2048 - 1));
    assert!(first > last && last > 0, "{first} {last}");
}

/// The cycle of a block of the log in `closed.4`.
fn log_cycle(folder: &Folder, block: u64) -> u32 {
    std::fs::copy(folder.path("closed.4"), folder.path("image")).unwrap();
    let bytes = folder.read_at("image", log_start(folder) + block * 512, 8);
    let [magic, cycle] = [0, 4].map(|at| u32::from_be_bytes(*bytes[at..].first_chunk().unwrap()));
    if magic == 0xfeed_babe { cycle } else { magic }
}

#[test]
fn an_ext4_and_a_btrfs_at_work_are_dirty() {
    each(
        [("mkfs.ext4 -q -F", 40, State::Clean), ("mkfs.btrfs -q", 256, State::NotRecorded)],
        |(mkfs, mib, state)| {
            let folder = Folder::new();
            folder.image("image", mib * MIB);
            let tool = mkfs.split(' ').next().unwrap();
            folder.run(&[tool], &format!("{mkfs} image"));
            need_mounts(&folder);
            // Synced, and for Btrfs not yet committed.
            let script = "trap 'umount mnt' EXIT; mount -o loop image mnt; echo 1 > mnt/x; sync
            dd if=/dev/zero of=mnt/y bs=4k count=9 conv=fsync status=none; sync -d image; cp --sparse=always image busy";
            folder.run(&["mount", "umount"], script);
            assert_eq!(
                folder.inspect("busy").whole.unwrap().state,
                State::Dirty(UncleanReason::Journal),
                "{mkfs}"
            );
            assert_eq!(whole(&folder).state, state, "{mkfs}");
        },
    );
}

/// Cuts volumes off around the place where their content ends, and around that where they end. In a partition of the same length
/// all is as on a whole disk.
#[test]
fn a_volume_says_to_the_sector_what_is_lost() {
    let cases = [
        (40, "mkfs.ext2", "-q -F image"),
        (40, "mkfs.ext4", "-q -F -b 4096 image"),
        (256, "mkfs.ext4", "-q -F -O bigalloc image"),
        (512, "mkfs.xfs", "-q image"),
        (256, "mkfs.btrfs", "-q image"),
        (128, "mkfs.f2fs", "-q image"),
        (64, "mkntfs", "-q -F image"),
        (64, "mkntfs", "-q -F -c 65536 image"),
        (4, "mkfs.vfat", "-F 12 image"),
        (64, "mkfs.vfat", "-F 16 -s 4 image"),
        (256, "mkfs.vfat", "-F 16 -s 64 image"),
        (300, "mkfs.vfat", "-F 32 image"),
        (64, "mkfs.exfat", "image"),
        (64, "mkfs.exfat", "-c 64K image"),
        (16, "mkswap", "image"),
    ];
    each(cases, |(mib, tool, args)| {
        let folder = Folder::new();
        folder.image("image", mib * MIB);
        folder.run(&[tool], &format!("{tool} {args}"));
        let volume = whole(&folder);
        let size = volume.size.unwrap();
        let content = volume.content_end.unwrap_or(size);
        assert!(content <= size && size <= mib * MIB, "{tool} {args}: {volume:?}");
        // What is left over at the end is less than what tools round to.
        assert!(mib * MIB - content < 3 * MIB, "{tool} {args}: {volume:?}");
        for (length, is_there) in [
            (mib * MIB, true),
            (size, true),
            (content, content == size),
            (content - 1, false),
            (content - 512, false),
            (content - 4096, false),
            (content / 2, false),
        ] {
            std::fs::File::options().write(true).open(folder.path("image")).unwrap().set_len(length).unwrap();
            let volume = whole(&folder);
            assert_eq!(volume.lost_in(length).is_none(), is_there, "{tool} {args} {length}: {volume:?}");
            let is_content = matches!(volume.lost_in(length), Some(Lost::Content { .. }));
            assert_eq!(is_content, length < content, "{tool} {args} {length}: {volume:?}");
        }
    });
}

#[test]
fn a_btrfs_over_two_devices_says_how_long_each_is() {
    let folder = Folder::new();
    folder.image("image", 256 * MIB);
    folder.image("other", 512 * MIB);
    folder.run(&["mkfs.btrfs"], "mkfs.btrfs -q -d single -m raid1 image other");
    for (name, mib) in [("image", 256), ("other", 512)] {
        let volume = folder.inspect(name).whole.unwrap();
        assert_eq!(volume.kind, VolumeKind::Btrfs { devices: 2 });
        assert_eq!((volume.size, volume.lost_in(mib * MIB)), (Some(mib * MIB), None));
        assert!(volume.lost_in(mib * MIB - 1).is_some());
    }
}

#[test]
fn ext4_in_clusters_is_known_whatever_its_blocks() {
    for args in ["-O bigalloc -b 1024", "-O bigalloc -b 4096", "-O bigalloc -b 1024 -C 65536"] {
        let script = format!("mkfs.ext4 -q -F -L root {args} image");
        let (_, volume) = made(256, &["mkfs.ext4"], &script);
        assert_eq!((volume.kind, volume.state), (VolumeKind::Ext4, State::Clean), "{args}");
    }
}

#[test]
fn tools_that_empty_an_xfs_log_leave_older_cycles_behind() {
    let before = "mkfs.xfs -q first && xfs_db -x -c 'logformat -c 7 -s 1' first >/dev/null; rm -f image;";
    let cases = [
        (&["xfs_admin"][..], "xfs_admin -U generate first; mv first image"),
        (&["xfs_copy"], "xfs_copy first image"),
        (&["xfs_metadump", "xfs_mdrestore"], "xfs_metadump -o first dump && xfs_mdrestore dump image"),
    ];
    each(cases, |(tools, script)| {
        let folder = Folder::new();
        folder.image("first", 512 * MIB);
        let all = [&["mkfs.xfs", "xfs_db", "xfs_logprint", "xfs_admin"][..], tools].concat();
        folder.run(&all, &format!("{before} {script}"));
        assert!(folder.output("xfs_logprint -t image").contains("<CLEAN>"), "{script}");
        assert_eq!(whole(&folder).state, State::Clean, "{script}");
        // One block in the cycle of the last record, behind it, is newer than what lies around it.
        let start = log_start(&folder);
        let cycle = folder.read_at("image", start + 4, 4);
        for block in [2, 300, 600] {
            let older = folder.read_at("image", start + block * 512, 4);
            folder.write_at("image", start + block * 512, &cycle);
            assert_ne!(whole(&folder).state, State::Clean, "{script} {block}");
            folder.write_at("image", start + block * 512, &older);
        }
        assert_eq!(whole(&folder).state, State::Clean, "{script}");
    });
}

#[test]
fn a_label_that_was_erased_is_none() {
    for args in ["-F 12", "-F 16 -s 4", "-F 32 -s 1"] {
        let script = format!("mkfs.vfat {args} -n ERASED image");
        let (folder, volume) = made(40, &["mkfs.vfat"], &script);
        assert_eq!(volume.label.as_deref(), Some("ERASED"), "{args}");
        let bytes = folder.read_at("image", 0, usize::try_from(40 * MIB).unwrap());
        let at = (512..bytes.len()).find(|at| bytes[*at..].starts_with(b"ERASED     \x08")).unwrap();
        folder.write_at("image", at as u64, &[0xe5]);
        let volume = whole(&folder);
        check(&folder, &volume);
        assert_eq!(volume.label, None, "{args}");
    }
}
