//! The free space of swap space.

#![expect(clippy::single_range_in_vec_init, reason = "free space is a list of ranges")]

use imsprep_source::ImageFile;
use imsprep_testdata::{each, need_tools};

use crate::free_hostile::{check_altered, free_with};
use crate::free_support::{free_of, spoil};
use crate::support::{MIB, Volume};

#[test]
fn swap_is_free_behind_its_header_for_every_size_of_a_page() {
    need_tools(["swaplabel"]);
    each([4096, 8192, 16384, 32768, 65536], |page| {
        let make = format!("mkswap -L swap -p {page} \"$image\" >&2");
        let volume = Volume::new(&["mkswap"], 9 * MIB + 5000, &make);
        let free = free_of(&volume.image()).unwrap();
        let end = (9 * MIB + 5000) / page * page;
        assert_eq!(free.ranges(), [page..end], "{page}");
        let label = volume.run("swaplabel \"$image\"").unwrap();
        spoil(&volume.image(), free.ranges());
        assert_eq!(volume.run("swaplabel \"$image\"").unwrap(), label);
        assert_eq!(free_of(&volume.image()).unwrap(), free);
    });
}

#[test]
fn a_swap_in_doubt_is_refused_and_bad_pages_are_kept() {
    let volume = Volume::new(&["mkswap"], 2 * MIB, "mkswap \"$image\" >&2");
    let image = ImageFile::open(volume.image()).unwrap();
    let number = |number: u32| number.to_le_bytes().to_vec();
    let bad = vec![(1032, number(3)), (1536, [number(5), number(1), number(511)].concat())];
    let free = free_with(&image, bad.clone()).unwrap();
    assert_eq!(free.ranges(), [8192..5 * 4096, 6 * 4096..511 * 4096]);
    let end = 2 * MIB;
    let raid = vec![0xfc, 0x4e, 0x2b, 0xa9];
    let cases = [
        ("S1SUSPEND", vec![(4086, b"S1SUSPEND\0".to_vec())], "hibernated"),
        ("S2SUSPEND", vec![(4086, b"S2SUSPEND\0".to_vec())], "hibernated"),
        ("ULSUSPEND", vec![(4086, b"ULSUSPEND\0".to_vec())], "hibernated"),
        ("LINHIB", vec![(4086, b"LINHIB0001".to_vec())], "hibernated"),
        ("two sizes", vec![(65526, b"SWAPSPACE2".to_vec())], "two sizes"),
        ("version", vec![(1024, number(0))], "version 0"),
        ("pages", vec![(1028, number(512))], "513 pages"),
        ("no pages", vec![(1028, number(0))], "1 pages"),
        ("more bad pages than listed", vec![(1032, number(2)), (1536, number(5))], "no sense"),
        ("far too many bad pages", vec![(1032, number(u32::MAX))], "more than it can list"),
        ("a bad page twice", vec![(1032, number(2)), (1536, [number(5), number(5)].concat())], "no sense"),
        ("LVM", vec![(512, b"LABELONE".to_vec())], "more in its first page"),
        ("LUKS", vec![(0, b"LUKS".to_vec())], "more in its first page"),
        ("padding", vec![(1200, vec![1])], "more in its first page"),
        ("RAID 1.2", vec![(4096, [raid.clone(), vec![1, 0, 0, 0]].concat())], "several"),
        ("RAID 1.0", vec![(end - 8192, raid.clone())], "linux-raid"),
        ("RAID 0.90", vec![(end - 65536, raid)], "linux-raid"),
        ("Btrfs", vec![(65600, b"_BHRfS_M".to_vec())], "several"),
    ];
    for (what, changes, reason) in cases {
        let error = free_with(&image, changes).map(|free| free.bytes()).expect_err(what);
        assert!(error.reason().contains(reason), "{what}: {error}");
    }
    let refused = check_altered(&volume, &[0..4096], 200);
    assert!(refused > 100, "{refused} were refused");
}
