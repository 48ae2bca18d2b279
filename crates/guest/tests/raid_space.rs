//! The free space in a software RAID of two copies: left out only if nothing speaks against the metadata of the RAID.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be ends the test"
)]

use imsprep_filesystem::Access;
use imsprep_guest::{DiskSpace, VolumeSources};
use imsprep_inspect::inspect;
use imsprep_source::{Cancel, MemoryImage};

const MIB: usize = 1 << 20;
/// Where the partition begins, and the data of the RAID in it.
const PARTITION: usize = MIB;
const DATA: usize = PARTITION + MIB;
/// Bytes of the swap space in the RAID: what is recognised with the fewest bytes.
const SWAP: usize = 2 * MIB;

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// A superblock of version 1.2, as the kernel's md_p.h has it, of an array of two copies; `change` sees it without its checksum.
fn superblock(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut sb = vec![0; 256 + 4];
    put(&mut sb, 0, &0xa92b_4efc_u32.to_le_bytes());
    put(&mut sb, 4, &1_u32.to_le_bytes());
    put(&mut sb, 16, &[7; 16]);
    put(&mut sb, 72, &1_i32.to_le_bytes());
    put(&mut sb, 80, &(SWAP as u64 / 512).to_le_bytes());
    put(&mut sb, 92, &2_u32.to_le_bytes());
    put(&mut sb, 128, &((DATA - PARTITION) as u64 / 512).to_le_bytes());
    put(&mut sb, 136, &(SWAP as u64 / 512).to_le_bytes());
    put(&mut sb, 144, &8_u64.to_le_bytes());
    put(&mut sb, 208, &u64::MAX.to_le_bytes());
    put(&mut sb, 220, &2_u32.to_le_bytes());
    put(&mut sb, 258, &1_u16.to_le_bytes());
    change(&mut sb);
    let words = sb.as_chunks::<4>().0.iter().map(|word| u64::from(u32::from_le_bytes(*word)));
    let sum = words.sum::<u64>();
    put(&mut sb, 216, &((sum & 0xffff_ffff) + (sum >> 32)).to_le_bytes()[..4]);
    sb
}

/// A disk with the RAID in its only partition.
fn disk(superblock: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x77; 8 * MIB];
    bytes[..DATA + 4096].fill(0);
    put(&mut bytes, 510, &[0x55, 0xaa]);
    // Linux RAID, from 1 MiB on, of 4 MiB.
    put(&mut bytes, 446 + 4, &[0xfd]);
    put(&mut bytes, 446 + 8, &2048_u32.to_le_bytes());
    put(&mut bytes, 446 + 12, &8192_u32.to_le_bytes());
    put(&mut bytes, PARTITION + 4096, superblock);
    put(&mut bytes, DATA + 1024, &1_u32.to_le_bytes());
    put(&mut bytes, DATA + 1028, &(SWAP as u64 / 4096 - 1).to_le_bytes()[..4]);
    put(&mut bytes, DATA + 4086, b"SWAPSPACE2");
    bytes
}

/// The free bytes of the swap space in the RAID, or why it is kept.
fn free_in(bytes: Vec<u8>) -> Result<u64, String> {
    let disk = MemoryImage::new("disk", bytes);
    let cancel = Cancel::new();
    let inspection = inspect(&disk, &cancel).unwrap();
    let sources = VolumeSources::find(&inspection, &disk, &cancel).unwrap();
    let space = DiskSpace::read(&inspection, &sources, &Access::default(), &cancel).unwrap();
    let names = space.volumes.iter().map(|volume| (volume.name.as_str(), volume.kind)).collect::<Vec<_>>();
    assert_eq!(names, [("software RAID on partition 1", "swap"), ("partition 1", "linux_raid_member")]);
    assert!(space.volumes[1].free.is_err(), "the member itself is kept: {space:?}");
    let free = space.volumes[0].free.clone();
    match &free {
        Ok(bytes) => {
            let end = (DATA + SWAP) as u64;
            let only = space.ranges().iter().map(|range| (range.start, range.end)).collect::<Vec<_>>();
            assert_eq!(only, [(end - bytes, end)]);
        }
        Err(_) => assert_eq!(space.bytes(), 0),
    }
    free
}

#[test]
fn the_free_space_of_a_sound_array_is_known() {
    assert_eq!(free_in(disk(&superblock(|_| {}))), Ok(SWAP as u64 - 4096));
    let with_bitmap = superblock(|sb| sb[8] = 1);
    assert_eq!(free_in(disk(&with_bitmap)), Ok(SWAP as u64 - 4096));
}

#[test]
fn an_array_in_doubt_is_kept() {
    let mut altered = superblock(|_| {});
    altered[200] ^= 1;
    let kept = |superblock: &[u8], reason: &str| {
        let found = free_in(disk(superblock)).unwrap_err();
        assert!(found.contains("software RAID") && found.contains(reason), "{found}");
    };
    kept(&altered, "wrong checksum");
    // A device that is being filled, one that is reshaped, and one with bad blocks.
    for feature in [2, 4, 8, 16, 128] {
        kept(&superblock(|sb| sb[8] = feature), "rebuilt or reshaped");
    }
    kept(&superblock(|sb| put(sb, 256, &[0xff; 2])), "no place in it");
    kept(&superblock(|sb| put(sb, 208, &[0; 8])), "not closed cleanly");
}

/// Something else was made in the partition: the superblock of the RAID is left over, and where its data was is something else.
#[test]
fn what_was_written_over_an_array_keeps_what_is_left_of_it() {
    let kept = |at: usize, what: &[u8], reason: &str| {
        let mut bytes = disk(&superblock(|_| {}));
        put(&mut bytes, PARTITION + at, what);
        let found = free_in(bytes).unwrap_err();
        assert!(found.contains(reason), "{found}");
    };
    // The magic of LUKS, and that of ext with a plausible superblock around it.
    kept(0, b"LUKS\xba\xbe\x00\x01", "there are also signatures of");
    // A partition table.
    let mut table = [0; 66];
    table[4] = 0x83;
    table[8..12].copy_from_slice(&1024_u32.to_le_bytes());
    table[12..16].copy_from_slice(&1024_u32.to_le_bytes());
    table[64..].copy_from_slice(&[0x55, 0xaa]);
    kept(446, &table, "there is also a partition table in it");
    // A label of BSD.
    kept(512, &0x8256_4557_u32.to_le_bytes(), "there is also a partition table in it");
}
