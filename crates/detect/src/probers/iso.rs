//! ISO 9660, hybrids included.

use imsprep_ondisk::disk::IsoVolumeDescriptor as Volume;
use imsprep_source::Result;

use crate::candidate::{Body, Candidate, SignaturePosition};
use crate::input::Input;
use crate::{Format, partitions};

/// Volume descriptors that are read: the primary one need not be the first.
const DESCRIPTORS: u64 = 16;
/// Bytes from one descriptor to the next.
const STEP: u64 = 2048;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let descriptors = (0..DESCRIPTORS)
        .map_while(|n| input.head_array(Volume::OFFSET + n * STEP).map(|bytes| Volume::decode(&bytes)))
        .take_while(|volume| volume.identifier == Volume::IDENTIFIER)
        .collect::<Vec<_>>();
    let Some(volume) = descriptors.iter().find(|volume| volume.kind == 1 && volume.version == 1) else {
        return Ok(None);
    };
    let size = u64::from(volume.volume_blocks) * u64::from(volume.block_size);
    let mut found = Candidate::new(Format::Iso9660).virtual_size(size);
    found.place = SignaturePosition::Inside;
    found.body = Body::Disk;
    if partitions::is_hybrid(input) {
        found.variant = Some("hybrid");
    }
    found.check_within("the volume", (0, size), input.size());
    Ok(Some(found))
}
