//! QED.

use imsprep_ondisk::format::qcow::{QED_BACKING_FILE, QED_KNOWN, QED_MAGIC, QED_NEED_CHECK, QedHeader};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let Some(bytes) = input.head_array(0) else { return Ok(None) };
    let header = QedHeader::decode(&bytes);
    if header.magic != QED_MAGIC {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Qed).virtual_size(header.image_size);
    found.check_size();
    if !header.cluster_size.is_power_of_two() || !(4096..=64 << 20).contains(&header.cluster_size) {
        found.damaged(format!("a cluster has {} bytes", header.cluster_size));
    }
    let table = u64::from(header.table_size).saturating_mul(header.cluster_size.into());
    found.check_within("the L1 table", (header.l1_table_offset, table), input.size());
    if header.features & QED_BACKING_FILE != 0 {
        let length = u64::from(header.backing_name_size).min(text::MAX as u64);
        let name = input.read(u64::from(header.backing_name_offset), length)?;
        found.facts.push(Fact::BackingFile(text::utf8(&name)));
    }
    if header.features & QED_NEED_CHECK != 0 {
        found.facts.push(Fact::Dirty);
    }
    if header.features & !QED_KNOWN != 0 {
        found.facts.push(Fact::UnknownIncompatibleFeatures(header.features & !QED_KNOWN));
    }
    Ok(Some(found))
}
