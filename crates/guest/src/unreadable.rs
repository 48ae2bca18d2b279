//! Stands where a volume would be mounted that can't be read: what is below it is then not known, instead of not there.

use std::ops::ControlFlow;

use imsprep_filesystem::{DirEntry, Error, FileKind, FileSystem, Metadata, Node, Result};

/// A volume whose reading always fails with a reason.
pub(crate) struct Unreadable(pub(crate) String);

impl FileSystem for Unreadable {
    fn name(&self) -> &'static str {
        "unreadable"
    }

    fn root(&self) -> Node {
        Node { tree: 0, number: 0 }
    }

    fn metadata(&self, _: Node) -> Result<Metadata> {
        Ok(Metadata { kind: FileKind::Directory, size: 0, mode: 0o755, uid: 0, gid: 0 })
    }

    fn lookup(&self, _: Node, _: &[u8]) -> Result<Option<Node>> {
        Err(Error::refused(self.0.clone()))
    }

    fn entries(&self, _: Node, _: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        Err(Error::refused(self.0.clone()))
    }

    fn read_at(&self, _: Node, _: u64, _: &mut [u8]) -> Result<usize> {
        Err(Error::refused(self.0.clone()))
    }

    fn link(&self, _: Node) -> Result<Vec<u8>> {
        Err(Error::refused(self.0.clone()))
    }
}
