//! The disk of an archive that is worked on, unpacked if it has to be.

use std::path::Path;

use imsprep_source::Work;

use crate::disk_choice::choose;
use crate::unpack::Unpack;
use crate::unpack_member::{is_unpacked, unpack_member};
use crate::{DiskSelector, OpenedImage, Result};

impl OpenedImage {
    /// Selects a disk as [`select_disk`](Self::select_disk) does. A compressed one is unpacked to a temporary file in `folder` if it can't be
    /// read in one pass, or if every disk is asked for; and also for a look at it, if there are several. A disk that a ZIP archive stores as
    /// it is is compared with its checksum.
    ///
    /// # Errors
    ///
    /// As [`select_disk`](Self::select_disk) and [`unpacked`](Self::unpacked).
    pub fn select_unpacked(
        &mut self,
        selector: Option<&DiskSelector>,
        what: Unpack,
        folder: &Path,
        work: Work<'_>,
    ) -> Result<()> {
        if !self.is_archive() || self.member().is_some() {
            return Ok(());
        }
        let mut member = choose(self, selector, Some(folder), work)?;
        member.verify_stored(self.content(), work)?;
        let content = match is_unpacked(&member, what) {
            true => Some(unpack_member(self, &mut member, folder, work)?),
            false => None,
        };
        self.set_member(member, content);
        Ok(())
    }
}
