//! qcow2, versions 2 and 3.

use imsprep_ondisk::format::qcow::{
    BACKING_NAME_MAX, CLUSTER_BITS, COMPRESSION_TYPE_OFFSET, COMPRESSION_TYPE_UNKNOWN, CRYPT_AES, CRYPT_LUKS,
    CRYPT_NONE, EXTENSION_DATA_FILE, EXTENSION_END, INCOMPATIBLE_COMPRESSION, INCOMPATIBLE_CORRUPT,
    INCOMPATIBLE_DATA_FILE, INCOMPATIBLE_DIRTY, INCOMPATIBLE_KNOWN, L1_OFFSET_MASK, MAGIC, Qcow2Extension,
    Qcow2Header, Qcow2HeaderV3,
};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Bytes of the L1 table that are read: 4 TiB of disk with clusters of 64 KiB.
const L1_MAX: u64 = 64 << 10;
/// Most header extensions that are read; qemu writes six at most.
const EXTENSIONS_MAX: usize = 64;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !input.starts_with(&MAGIC) || input.has(4, &1_u32.to_be_bytes()) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Qcow2);
    let Some(bytes) = input.head_array(0) else {
        found.damaged("the file ends inside the header");
        return Ok(Some(found));
    };
    let header = Qcow2Header::decode(&bytes);
    found.virtual_size = Some(header.size);
    found.check_size();
    backing_file(input, &header, &mut found)?;
    match header.version {
        2 => found.variant = Some("v2"),
        3 => {
            found.variant = Some("v3");
            features(input, &header, &mut found)?;
        }
        other => found.damaged(format!("version {other} is unknown")),
    }
    match header.crypt_method {
        CRYPT_NONE => {}
        CRYPT_AES => found.facts.push(Fact::Encrypted("AES")),
        CRYPT_LUKS => found.facts.push(Fact::Encrypted("LUKS")),
        _ => found.facts.push(Fact::Encrypted("unknown method")),
    }
    if header.nb_snapshots > 0 {
        found.facts.push(Fact::Snapshots(header.nb_snapshots));
    }
    if !CLUSTER_BITS.contains(&header.cluster_bits) {
        found.damaged(format!("cluster_bits is {}, not 9 to 21", header.cluster_bits));
    }
    check_tables(input, &header, &mut found)?;
    Ok(Some(found))
}

/// Whether the tables that the header names, and those that the start of the L1 table names, are in the file at all. A
/// file that was cut off shows here most of the time; what is in the tables is for `qemu-img check` to say.
fn check_tables(input: &Input<'_>, header: &Qcow2Header, found: &mut Candidate) -> Result<()> {
    let l1_length = u64::from(header.l1_size) * 8;
    found.check_within("the L1 table", (header.l1_table_offset, l1_length), input.size());
    found.check_within("the refcount table", (header.refcount_table_offset, 1), input.size());
    let snapshots = u64::from(header.nb_snapshots.min(1));
    found.check_within("the snapshot table", (header.snapshots_offset, snapshots), input.size());
    let table = input.read(header.l1_table_offset, l1_length.min(L1_MAX))?;
    let last = table.as_chunks().0.iter().map(|entry| u64::from_be_bytes(*entry) & L1_OFFSET_MASK).max();
    found.check_within("an L2 table", (last.unwrap_or(0), 1), input.size());
    Ok(())
}

fn backing_file(input: &Input<'_>, header: &Qcow2Header, found: &mut Candidate) -> Result<()> {
    if header.backing_file_offset == 0 {
        return Ok(());
    }
    if header.backing_file_size > BACKING_NAME_MAX {
        found.damaged(format!("the backing file's name has {} bytes", header.backing_file_size));
    }
    let length = header.backing_file_size.min(BACKING_NAME_MAX);
    let name = text::utf8(&input.read(header.backing_file_offset, u64::from(length))?);
    found.facts.push(Fact::BackingFile(name));
    Ok(())
}

fn features(input: &Input<'_>, header: &Qcow2Header, found: &mut Candidate) -> Result<()> {
    let Some(bytes) = input.head_array(Qcow2HeaderV3::OFFSET) else {
        found.damaged("the file ends inside the header");
        return Ok(());
    };
    let v3 = Qcow2HeaderV3::decode(&bytes);
    let has = |bit| v3.incompatible_features & bit != 0;
    if has(INCOMPATIBLE_DATA_FILE) {
        let name = data_file_name(input, header, v3.header_length)?;
        found.facts.push(Fact::ExternalDataFile(name));
    }
    if has(INCOMPATIBLE_DIRTY) {
        found.facts.push(Fact::Dirty);
    }
    if has(INCOMPATIBLE_CORRUPT) {
        found.facts.push(Fact::Corrupt);
    }
    if has(!INCOMPATIBLE_KNOWN) {
        let unknown = v3.incompatible_features & !INCOMPATIBLE_KNOWN;
        found.facts.push(Fact::UnknownIncompatibleFeatures(unknown));
    }
    let has_type = has(INCOMPATIBLE_COMPRESSION) && u64::from(v3.header_length) > COMPRESSION_TYPE_OFFSET;
    let compression = input.head_array::<1>(COMPRESSION_TYPE_OFFSET).filter(|_| has_type);
    if let Some([kind @ COMPRESSION_TYPE_UNKNOWN..=u8::MAX]) = compression {
        found.facts.push(Fact::UnknownRequired(format!("compression type {kind}")));
    }
    if u64::from(v3.header_length) < Qcow2HeaderV3::OFFSET + Qcow2HeaderV3::SIZE as u64 {
        found.damaged(format!("the length field of the header is {}", v3.header_length));
    }
    Ok(())
}

/// Walks the header extensions, which lie in the first cluster, before the backing file's name.
fn data_file_name(input: &Input<'_>, header: &Qcow2Header, header_length: u32) -> Result<Option<String>> {
    let cluster = 1_u64 << header.cluster_bits.clamp(*CLUSTER_BITS.start(), *CLUSTER_BITS.end());
    let end = if header.backing_file_offset == 0 { cluster } else { cluster.min(header.backing_file_offset) };
    let mut at = u64::from(header_length);
    for _ in 0..EXTENSIONS_MAX {
        let Some(bytes) = (at < end).then(|| input.array(at)).transpose()?.flatten() else { break };
        let extension = Qcow2Extension::decode(&bytes);
        let data = at + Qcow2Extension::SIZE as u64;
        match extension.kind {
            EXTENSION_END => break,
            EXTENSION_DATA_FILE => {
                let length = u64::from(extension.length).min(text::MAX as u64);
                return Ok(Some(text::utf8(&input.read(data, length)?)));
            }
            _ => at = data + u64::from(extension.length).next_multiple_of(8),
        }
    }
    Ok(None)
}
