//! Android's sparse image.

use imsprep_ondisk::format::android::Header;
use imsprep_source::Result;

use crate::Format;
use crate::candidate::Candidate;
use crate::input::Input;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !input.starts_with(&Header::MAGIC.to_le_bytes()) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::AndroidSparse);
    let Some(bytes) = input.head_array(0) else {
        found.damaged("the file ends inside the header");
        return Ok(Some(found));
    };
    let header = Header::decode(&bytes);
    found.virtual_size = Some(u64::from(header.block_size) * u64::from(header.blocks));
    found.check_size();
    if header.major_version != 1 {
        found.damaged(format!("version {} is unknown", header.major_version));
    }
    if usize::from(header.header_size) < Header::SIZE {
        found.damaged(format!("the length field of the header is {}", header.header_size));
    }
    if header.block_size == 0 || !header.block_size.is_multiple_of(4) {
        found.damaged(format!("a block has {} bytes", header.block_size));
    }
    Ok(Some(found))
}
