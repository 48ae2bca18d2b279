//! Which blocks of the disk have a record, as far as a check came.

use crate::bitmap::Bitmap;
use crate::record::{Payload, Records};

/// The blocks that the bitmap marks, and the payloads that were found for them. Taken over from the check as it is: nothing
/// is counted or copied before it is requested.
#[derive(Clone, Debug)]
pub struct Occupancy {
    marked: Vec<u32>,
    payloads: Vec<Payload>,
    total: u64,
}

impl Occupancy {
    pub(crate) fn new(bitmap: Bitmap, records: Records) -> Self {
        Self { marked: bitmap.blocks, payloads: records.payloads, total: bitmap.total }
    }

    /// The blocks that the bitmap marks, ascending and without repeats: the first of them, if there are more than a check
    /// looks at.
    pub fn marked(&self) -> &[u32] {
        &self.marked
    }

    /// Whether the bitmap marks more blocks than a check looks at. Nothing is known of those
    /// behind the last of [`marked`](Self::marked).
    pub fn is_cut(&self) -> bool {
        self.total > self.marked.len() as u64
    }

    /// Block and bytes of each payload that lies whole in the file and in no other record, in the order of the file. Each
    /// is of a marked block; a marked block without one has no record that can be read.
    pub fn payloads(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.payloads.iter().map(|payload| (payload.block, payload.size))
    }
}
