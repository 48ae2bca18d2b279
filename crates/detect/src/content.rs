//! File systems and volumes that fill a disk without a partition table, as evidence of a disk.

use imsprep_ondisk::disk::{
    BOOT_SIGNATURE, CONTENT_MAGICS, ExtSuperblock, FatBootRecord, LVM_LABEL, LVM_LABEL_SECTORS, LVM_TYPE,
    LVM_TYPE_OFFSET, SECTOR, XFS_MAGIC, XfsSuperblock,
};

use crate::Evidence;
use crate::input::Input;

/// Everything that is known, as its common name.
pub(crate) fn evidence(input: &Input<'_>) -> Vec<Evidence> {
    let mut names =
        [ext(input), lvm(input), xfs(input), fat(input)].into_iter().flatten().collect::<Vec<_>>();
    names.extend(CONTENT_MAGICS.iter().filter(|m| input.has(m.offset, m.bytes)).map(|m| m.name));
    names.dedup();
    names.into_iter().map(Evidence::Content).collect()
}

/// What may be there although the first sector was overwritten with another format's header. Of the many, only
/// those that lie where no container keeps the disk's data.
pub(crate) fn beyond_first_sector(input: &Input<'_>) -> bool {
    ext(input).is_some() || lvm(input).is_some()
}

/// ext2, ext3 or ext4, by features.
fn ext(input: &Input<'_>) -> Option<&'static str> {
    let superblock = ExtSuperblock::decode(&input.head_array(ExtSuperblock::OFFSET)?);
    let is_sane = superblock.is_plausible() && superblock.blocks_per_group > 0;
    let is_ext4 = superblock.incompatible & !ExtSuperblock::INCOMPATIBLE_EXT3 != 0
        || superblock.read_only_compatible & !ExtSuperblock::READ_ONLY_EXT3 != 0;
    let has_journal = superblock.compatible & ExtSuperblock::COMPATIBLE_JOURNAL != 0;
    is_sane.then_some(match (is_ext4, has_journal) {
        (true, _) => "ext4",
        (false, true) => "ext3",
        (false, false) => "ext2",
    })
}

fn lvm(input: &Input<'_>) -> Option<&'static str> {
    let sector = usize::try_from(SECTOR).ok()?;
    (0..LVM_LABEL_SECTORS)
        .map(|n| n * sector)
        .any(|at| input.has(at, &LVM_LABEL) && input.has(at + LVM_TYPE_OFFSET, &LVM_TYPE))
        .then_some("lvm2")
}

fn xfs(input: &Input<'_>) -> Option<&'static str> {
    let superblock = XfsSuperblock::decode(&input.head_array(0)?);
    let is_block = superblock.block_size.is_power_of_two() && (512..=65536).contains(&superblock.block_size);
    (superblock.magic == XFS_MAGIC && is_block).then_some("xfs")
}

/// A FAT volume: the parameters have to make sense, as its name in the boot record is only a comment.
fn fat(input: &Input<'_>) -> Option<&'static str> {
    let bytes = input.head_array::<{ FatBootRecord::SIZE }>(0)?;
    let record = FatBootRecord::decode(&bytes);
    let is_fat = bytes.ends_with(&BOOT_SIGNATURE)
        && matches!(record.jump, 0xeb | 0xe9)
        && matches!(record.bytes_per_sector, 512 | 1024 | 2048 | 4096)
        && record.sectors_per_cluster.is_power_of_two()
        && record.reserved_sectors > 0
        && matches!(record.fats, 1 | 2)
        && (record.media == 0xf0 || record.media >= 0xf8);
    is_fat.then_some("fat")
}

/// Whether the first sector is a volume's own boot record, whose code lies where an MBR has its table.
pub(crate) fn is_boot_record(input: &Input<'_>) -> bool {
    fat(input).is_some() || CONTENT_MAGICS.iter().any(|m| m.offset == 3 && input.has(m.offset, m.bytes))
}
