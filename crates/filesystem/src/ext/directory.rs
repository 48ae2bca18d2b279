//! Directories. An index, where there is one, lies in what looks like free entries, so that reading in order finds all.

use std::ops::ControlFlow;

use imsprep_ondisk::volume::ext::{DirectoryEntry, Inode};

use super::{DIRECTORY_MAX, Ext};
use crate::volume::check_name;
use crate::{Error, Result};

impl Ext<'_> {
    /// Hands over the entries of a directory with their names, `.` and `..` among them.
    pub(super) fn each_entry(
        &self,
        inode: &Inode,
        each: &mut dyn FnMut(&DirectoryEntry, &[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        if inode.size > DIRECTORY_MAX {
            return Err(Error::limit(format!("the directory has {} bytes", inode.size)));
        }
        let size = self.geometry.block_size;
        let mut block = vec![0; usize::try_from(size).unwrap_or_default()];
        let (mut number, blocks) = (0, inode.size / size);
        while number < blocks {
            let run = self.run(inode, number)?;
            let Some(start) = run.start else {
                self.disk.access().spend_steps(1)?;
                number = number.saturating_add(run.blocks);
                continue;
            };
            self.disk.read(self.place_of(start)?, &mut block)?;
            if each_of_block(&block, each)?.is_break() {
                return Ok(());
            }
            number += 1;
        }
        Ok(())
    }
}

fn each_of_block(
    block: &[u8],
    each: &mut dyn FnMut(&DirectoryEntry, &[u8]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let broken = || Error::corrupt("a directory has an entry that leaves its block");
    let mut rest = block;
    while let Some((head, after)) = rest.split_first_chunk() {
        let entry = DirectoryEntry::decode(head);
        let length = match entry.length {
            0 | u16::MAX => 1 << 16,
            length => usize::from(length),
        };
        if length < DirectoryEntry::SIZE || length > rest.len() {
            return Err(broken());
        }
        if entry.inode != 0 {
            let name = after.get(..entry.name_length.into()).ok_or_else(broken)?;
            if DirectoryEntry::SIZE + name.len() > length {
                return Err(broken());
            }
            check_name(name)?;
            if each(&entry, name).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_file_can_have_are_refused() {
        let names = |name: &[u8]| {
            let mut block = vec![0; 64];
            block[..8].copy_from_slice(&[12, 0, 0, 0, 64, 0, u8::try_from(name.len()).unwrap(), 1]);
            block[8..8 + name.len()].copy_from_slice(name);
            let mut found = Vec::new();
            each_of_block(&block, &mut |_, name| {
                found.push(name.to_vec());
                ControlFlow::Continue(())
            })
            .map(|_| found)
        };
        assert_eq!(names(b"a name\xff").unwrap(), [b"a name\xff"]);
        for wrong in [&b""[..], b"a\0", b"/", b"a/b"] {
            assert!(names(wrong).is_err(), "{wrong:?}");
        }
    }
}
