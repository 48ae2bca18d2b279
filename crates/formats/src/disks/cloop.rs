//! cloop.

use imsprep_ondisk::format::cloop::{HEADER_OFFSET, Header};

use super::entries::each;
use super::header::header;
use crate::claims::{Claim, Claims, Scope, See, Stop, see};
use crate::{Result, Slice};

pub(super) struct Blocks<'a> {
    file: Slice<'a>,
    header: Header,
}

impl<'a> Blocks<'a> {
    pub(super) fn read(file: Slice<'a>) -> Result<Self> {
        let header = Header::decode(&header(&file, "cloop", HEADER_OFFSET)?);
        Ok(Self { file, header })
    }
}

impl Claims for Blocks<'_> {
    fn walk(&self, _: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let list = HEADER_OFFSET + Header::SIZE as u64;
        let count = u64::from(self.header.blocks) + 1;
        see(Claim::new("the header and the list of blocks", 0, list + count * 8, HEADER_OFFSET), seen)?;
        let mut last: Option<u64> = None;
        each(&self.file, list, count, |number, named_at, entry| {
            let next = u64::from_be_bytes(entry);
            let Some(start) = last.replace(next) else { return Ok(()) };
            let at = (number - 1) * u64::from(self.header.block_size);
            let Some(length) = next.checked_sub(start) else {
                let what = format!("a block ends at {next}, before it begins at {start}");
                return Err(Stop::Damaged { offset: named_at, at, what });
            };
            see(Claim::new("a block of the disk", start, length, named_at).of_disk(at), seen)
        })
    }
}
