//! VHD: fixed, dynamic, differencing.

use imsprep_ondisk::format::vhd::{
    DynamicHeader, Footer, SHORT_FOOTER_SIZE, TABLE_ENTRY_SIZE, TYPE_DIFFERENCING, TYPE_DYNAMIC, TYPE_FIXED,
    checksum,
};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::{Body, Candidate, SignaturePosition};
use crate::input::Input;
use crate::{Fact, Format};

type Bytes = [u8; Footer::SIZE];

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let head = input.head_array::<{ Footer::SIZE }>(0).filter(is_footer);
    let tail = tail(input)?;
    let (bytes, place, at) = match (&head, &tail) {
        (Some(head), _) => (head, SignaturePosition::Start, 0),
        (None, Some((tail, at))) => (tail, SignaturePosition::End, *at),
        (None, None) => return Ok(None),
    };
    let footer = Footer::decode(bytes);
    let size = footer.virtual_size();
    let mut found = Candidate::new(Format::Vhd).virtual_size(size);
    if size != footer.current_size {
        found.facts.push(Fact::SizeDisputed(size, footer.current_size));
    }
    if footer.saved_state != 0 {
        // A machine that sleeps has more of its disk in memory.
        found.facts.push(Fact::Dirty);
    }
    found.place = place;
    found.check_size();
    if checksum(bytes, Footer::CHECKSUM_OFFSET) != footer.checksum {
        found.damaged("the footer's checksum is wrong");
    }
    let end_kind = tail.map(|(tail, _)| Footer::decode(&tail).disk_type);
    match footer.disk_type {
        TYPE_FIXED => {
            found.variant = Some("fixed");
            match place {
                SignaturePosition::End => found.body = Body::Disk,
                // A disk's first sector is the guest's to write: no program puts a fixed disk's footer there.
                _ => found.damaged("the footer of a fixed disk is at the start of the file"),
            }
            let size = found.virtual_size.unwrap_or(0);
            if place == SignaturePosition::End && size > at {
                found.outside(format!(
                    "the footer describes a disk of {size} bytes, but only {at} bytes precede it"
                ));
            }
        }
        TYPE_DYNAMIC | TYPE_DIFFERENCING => {
            dynamic(input, &footer, &mut found)?;
            if place == SignaturePosition::End {
                found.damaged("the copy of the footer at the start is missing");
            } else if end_kind.is_none() {
                found.outside("the footer is not at the end of the file");
            } else if end_kind != Some(footer.disk_type) {
                found.damaged("the footers at the start and at the end have different disk types");
            }
        }
        other => found.damaged(format!("disk type {other} is unknown")),
    }
    Ok(Some(found))
}

fn is_footer(bytes: &Bytes) -> bool {
    bytes.starts_with(&Footer::COOKIE)
}

/// The footer at the end, and where it is. Files made before Virtual PC 2004 lack its last byte.
fn tail(input: &Input<'_>) -> Result<Option<(Bytes, u64)>> {
    if let Some(bytes) = input.tail_array(Footer::SIZE as u64)?.filter(is_footer) {
        return Ok(Some((bytes, input.size() - Footer::SIZE as u64)));
    }
    let short = input.tail_array::<{ Footer::SIZE - 1 }>(SHORT_FOOTER_SIZE)?.map(|short| {
        let mut bytes = [0; Footer::SIZE];
        bytes[..Footer::SIZE - 1].copy_from_slice(&short);
        bytes
    });
    Ok(short.filter(is_footer).map(|bytes| (bytes, input.size() - SHORT_FOOTER_SIZE)))
}

fn dynamic(input: &Input<'_>, footer: &Footer, found: &mut Candidate) -> Result<()> {
    let is_overlay = footer.disk_type == TYPE_DIFFERENCING;
    found.variant = Some(if is_overlay { "differencing" } else { "dynamic" });
    let bytes = input.array::<{ DynamicHeader::SIZE }>(footer.data_offset)?;
    let header = bytes.filter(|bytes| bytes.starts_with(&DynamicHeader::COOKIE));
    if is_overlay {
        let name = header.map(|bytes| text::utf16_be(&DynamicHeader::decode(&bytes).parent_name));
        found.facts.push(Fact::Parent(name.filter(|name| !name.is_empty())));
    }
    let Some(bytes) = header else {
        found.damaged("the header of the dynamic disk is missing");
        return Ok(());
    };
    let header = DynamicHeader::decode(&bytes);
    if checksum(&bytes, DynamicHeader::CHECKSUM_OFFSET) != header.checksum {
        found.damaged("the checksum of the dynamic disk's header is wrong");
    }
    let table = u64::from(header.max_table_entries) * TABLE_ENTRY_SIZE;
    found.check_within("the block allocation table", (header.table_offset, table), input.size());
    let mapped = u64::from(header.max_table_entries) * u64::from(header.block_size);
    if found.virtual_size.is_some_and(|size| size > mapped) {
        found.damaged("its blocks are fewer than the disk needs");
    }
    Ok(())
}
