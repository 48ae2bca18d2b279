//! VMDK: sparse extents with a header, and descriptors.

use imsprep_ondisk::format::vmdk::{
    CowdHeader, FLAG_COMPRESSED, FLAG_MARKERS, FOOTER_FROM_END, GD_AT_END, SECTOR, SeSparseHeader,
    SparseHeader,
};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::descriptor::{self, Descriptor};
use crate::input::Input;
use crate::{Fact, Format};

/// A sparse extent without a descriptor of its own.
const EXTENT: &str = "sparse extent";

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if input.starts_with(&SparseHeader::MAGIC) {
        return sparse(input).map(Some);
    }
    if descriptor::is_descriptor(input.head()) {
        return text(input).map(Some);
    }
    Ok(cowd(input).or_else(|| se_sparse(input)))
}

fn sparse(input: &Input<'_>) -> Result<Candidate> {
    let mut found = Candidate::new(Format::Vmdk);
    let Some(bytes) = input.head_array(0) else {
        found.damaged("the file ends inside the header");
        return Ok(found);
    };
    let header = SparseHeader::decode(&bytes);
    if !(1..=3).contains(&header.version) {
        found.damaged(format!("version {} is unknown", header.version));
    }
    let has = |flag| header.flags & flag != 0;
    found.variant = Some(if has(FLAG_COMPRESSED) && has(FLAG_MARKERS) { "streamOptimized" } else { EXTENT });
    let mut capacity = header.capacity;
    if header.gd_offset == GD_AT_END {
        let footer = input.tail_array(FOOTER_FROM_END)?.map(|bytes| SparseHeader::decode(&bytes));
        match footer.filter(|footer| footer.magic == SparseHeader::MAGIC) {
            Some(footer) => capacity = footer.capacity,
            None => found.outside("the footer that the header refers to is not at the end of the file"),
        }
    } else if header.gd_offset != 0 {
        let directory = header.gd_offset.saturating_mul(SECTOR);
        found.check_within("the grain directory", (directory, 1), input.size());
    }
    found.virtual_size = capacity.checked_mul(SECTOR);
    if header.unclean_shutdown != 0 {
        found.facts.push(Fact::Dirty);
    }
    let has_descriptor = header.descriptor_offset != 0 && embedded(input, &header, &mut found)?;
    if found.variant == Some(EXTENT) && !has_descriptor {
        found.facts.push(Fact::ExtentOf(None));
    }
    finish(&mut found);
    Ok(found)
}

/// Reads the embedded descriptor; `false` if there is none.
fn embedded(input: &Input<'_>, header: &SparseHeader, found: &mut Candidate) -> Result<bool> {
    let offset = header.descriptor_offset.saturating_mul(SECTOR);
    let bytes = input.read(offset, header.descriptor_size.saturating_mul(SECTOR).min(descriptor::MAX))?;
    if bytes.iter().all(|byte| *byte == 0) && !bytes.is_empty() {
        // One of the extent-files of a split disk: it keeps the space for a descriptor and has none.
        return Ok(false);
    }
    // A header without a size leaves everything to the descriptor, as if it stood alone.
    let mut descriptor = read(&bytes, found);
    if header.capacity == 0 && header.gd_offset != GD_AT_END {
        found.virtual_size = descriptor.virtual_size();
        found.facts.extend(descriptor.extent_files());
    } else {
        found.facts.extend(descriptor.smuggled_files());
    }
    if !descriptor::is_descriptor(&bytes) {
        found.damaged("the descriptor is not where the header says");
    }
    Ok(true)
}

fn text(input: &Input<'_>) -> Result<Candidate> {
    let mut found = Candidate::new(Format::Vmdk);
    let mut descriptor = read(&input.read(0, descriptor::MAX)?, &mut found);
    found.virtual_size = descriptor.virtual_size();
    found.facts.extend(descriptor.extent_files());
    finish(&mut found);
    Ok(found)
}

fn read(bytes: &[u8], found: &mut Candidate) -> Descriptor {
    let descriptor = Descriptor::parse(bytes);
    descriptor.describe(found);
    if bytes.len() as u64 == descriptor::MAX && !bytes.contains(&0) {
        found.damaged(format!("the descriptor has more than {} bytes, which is the limit", descriptor::MAX));
    }
    descriptor
}

fn cowd(input: &Input<'_>) -> Option<Candidate> {
    let header = CowdHeader::decode(&input.head_array(0)?);
    if header.magic != CowdHeader::MAGIC {
        return None;
    }
    let mut found = Candidate::new(Format::Vmdk).variant("vmfsSparse");
    found.virtual_size = Some(u64::from(header.capacity) * SECTOR);
    found.facts.push(Fact::ExtentOf(None));
    if header.version != 1 {
        found.damaged(format!("version {} is unknown", header.version));
    }
    Some(found)
}

fn se_sparse(input: &Input<'_>) -> Option<Candidate> {
    let header = SeSparseHeader::decode(&input.head_array(0)?);
    if header.magic != SeSparseHeader::MAGIC {
        return None;
    }
    let mut found = Candidate::new(Format::Vmdk).variant("seSparse");
    if header.version != SeSparseHeader::VERSION {
        found.damaged(format!("version {:#x} is unknown", header.version));
    }
    found.virtual_size = header.capacity.checked_mul(SECTOR);
    found.facts.push(Fact::ExtentOf(None));
    finish(&mut found);
    Some(found)
}

fn finish(found: &mut Candidate) {
    if found.virtual_size.is_none() {
        found.damaged("the size of the disk is missing or out of range");
    }
    found.check_size();
}
