//! Formats of other programs that are recognised, so that none is taken for a RAW, and not read.

use imsprep_ondisk::format::other::{
    BinaryCpio, COMPRESS_BLOCK_MODE, COMPRESS_MAGIC, ELF_MAGIC, END_MAGICS, GHOST_KIND_MAX, GHOST_MAGIC,
    MAGICS, OTHERS, UBIFS_KIND_OFFSET, UBIFS_MAGIC, UBIFS_SUPERBLOCK, VMWARE_STATE_GROUPS_MAX,
    VMWARE_STATE_GROUPS_OFFSET, VMWARE_STATE_MAGICS, XFS_METADUMP_BLOCK_LOG, XFS_METADUMP_MAGIC,
    ZFS_SEND_MAGIC, ZFS_SEND_OFFSETS, vmfs,
};
use imsprep_source::Result;

use crate::candidate::{Candidate, SignaturePosition};
use crate::input::Input;
use crate::{Format, content, partitions};

/// The format of this name.
pub(crate) fn format(name: &str) -> Option<Format> {
    OTHERS.iter().find(|other| other.name == name).map(Format::Other)
}

/// A format known by a signature, or by a few fields that have to agree.
pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let name = by_magic(input).or_else(|| by_fields(input));
    if let Some(format) = name.and_then(format) {
        return Ok(Some(Candidate::new(format)));
    }
    if is_vmfs(input)? {
        let mut found = format("vmfs").map(Candidate::new);
        found.iter_mut().for_each(|found| found.place = SignaturePosition::Inside);
        return Ok(found);
    }
    for (magic, from_end) in END_MAGICS {
        let start = input.known_size().and_then(|size| size.checked_sub(*from_end));
        if let Some(start) = start
            && input.read(start, magic.bytes.len() as u64)? == magic.bytes
        {
            let mut found = format(magic.name).map(Candidate::new);
            found.iter_mut().for_each(|found| found.place = SignaturePosition::End);
            return Ok(found);
        }
    }
    Ok(None)
}

fn by_magic(input: &Input<'_>) -> Option<&'static str> {
    MAGICS.iter().find(|magic| input.has(magic.offset, magic.bytes)).map(|magic| magic.name)
}

/// Signatures of two to four bytes, where fields behind them have to make sense. A disk may begin with such bytes by
/// chance, so one that shows anything of a disk is none of these.
fn by_fields(input: &Input<'_>) -> Option<&'static str> {
    type Test = fn(&Input<'_>) -> bool;
    const TESTS: [(&str, Test); 8] = [
        ("zfs-send", is_zfs_send),
        ("cpio", is_binary_cpio),
        ("ghost", is_ghost),
        ("compress", is_compress),
        ("elf", is_elf),
        ("ubifs", is_ubifs),
        ("xfs-metadump", is_xfs_metadump),
        ("vmware-state", is_vmware_state),
    ];
    let found = TESTS.iter().find(|(_, test)| test(input)).map(|(name, _)| *name);
    found.filter(|_| !shows_a_disk(input))
}

/// Whether the first bytes show anything of a disk.
pub(crate) fn shows_a_disk(input: &Input<'_>) -> bool {
    partitions::evidence(input).is_some() || !content::evidence(input).is_empty()
}

fn is_zfs_send(input: &Input<'_>) -> bool {
    let begins = input.head().starts_with(&[0; 4]);
    begins
        && ZFS_SEND_OFFSETS.iter().any(|offset| {
            input.head_array(*offset).is_some_and(|bytes| {
                [u64::from_le_bytes(bytes), u64::from_be_bytes(bytes)].contains(&ZFS_SEND_MAGIC)
            })
        })
}

fn is_binary_cpio(input: &Input<'_>) -> bool {
    let Some(bytes) = input.head_array(0) else { return false };
    [false, true].into_iter().any(|is_big_endian| {
        let header = BinaryCpio::decode(&bytes, is_big_endian);
        let name_size = usize::from(header.name_size);
        let name = input.head().get(BinaryCpio::SIZE..).and_then(|rest| rest.get(..name_size));
        header.magic == BinaryCpio::MAGIC
            && BinaryCpio::KINDS.contains(&(header.mode & BinaryCpio::KIND_MASK))
            && header.name_size <= BinaryCpio::NAME_MAX
            && name.and_then(<[u8]>::split_last).is_some_and(|(end, name)| *end == 0 && !name.contains(&0))
    })
}

fn is_ghost(input: &Input<'_>) -> bool {
    let kinds = input.head().strip_prefix(&GHOST_MAGIC).and_then(<[u8]>::first_chunk::<2>);
    kinds.is_some_and(|kinds| kinds.iter().all(|kind| *kind <= GHOST_KIND_MAX))
}

/// The longest code is of 9 to 16 bits, and the first one stands for a byte: the ninth bit of the data is 0.
fn is_compress(input: &Input<'_>) -> bool {
    let rest = input.head().strip_prefix(&COMPRESS_MAGIC).and_then(<[u8]>::first_chunk::<3>);
    rest.is_some_and(|[flags, _, second]| {
        flags & COMPRESS_BLOCK_MODE != 0
            && (9..=16).contains(&(flags & !COMPRESS_BLOCK_MODE))
            && second & 1 == 0
    })
}

fn is_elf(input: &Input<'_>) -> bool {
    let rest = input.head().strip_prefix(&ELF_MAGIC).and_then(<[u8]>::first_chunk::<3>);
    rest.is_some_and(|[class, order, version]| {
        matches!(class, 1 | 2) && matches!(order, 1 | 2) && *version == 1
    })
}

fn is_ubifs(input: &Input<'_>) -> bool {
    input.starts_with(&UBIFS_MAGIC) && input.head().get(UBIFS_KIND_OFFSET) == Some(&UBIFS_SUPERBLOCK)
}

fn is_xfs_metadump(input: &Input<'_>) -> bool {
    let (at, log) = XFS_METADUMP_BLOCK_LOG;
    input.starts_with(&XFS_METADUMP_MAGIC) && input.head().get(at) == Some(&log)
}

fn is_vmware_state(input: &Input<'_>) -> bool {
    let magic = input.head_array(0).map(u32::from_le_bytes);
    let groups = input.head_array(VMWARE_STATE_GROUPS_OFFSET).map(u32::from_le_bytes);
    magic.is_some_and(|magic| VMWARE_STATE_MAGICS.contains(&magic))
        && groups.is_some_and(|groups| (1..=VMWARE_STATE_GROUPS_MAX).contains(&groups))
}

/// A volume without a partition table around it. On a disk with one, the partition has it.
fn is_vmfs(input: &Input<'_>) -> Result<bool> {
    let starts = |bytes: Option<[u8; 8]>, magic| bytes.is_some_and(|bytes| vmfs::is_start(bytes, magic));
    if !starts(input.array(vmfs::MEMBER_OFFSET)?, vmfs::MEMBER_MAGIC) {
        return Ok(false);
    }
    Ok(!shows_a_disk(input))
}
