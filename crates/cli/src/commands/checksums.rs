//! What the files of a command must be according to their publisher.

use std::path::Path;

use anyhow::{anyhow, bail};
use imsprep_toolkit::{Checksum, listed_checksums};

use super::read_bounded::read_bounded;
use crate::args::ChecksumArgs;

/// The longest list that is read. That of all images of a distribution has a few KiB.
const MOST: usize = 16 << 20;

/// The checksums that flags and a list give.
pub(super) struct Expected {
    given: Vec<Checksum>,
    /// The list and its name.
    list: Option<(String, String)>,
}

impl Expected {
    /// Reads the list. With several files the checksum of one is a misunderstanding.
    pub(super) fn read(args: &ChecksumArgs, files: usize) -> anyhow::Result<Self> {
        let given = args.sha256.iter().chain(&args.sha512).cloned().collect::<Vec<_>>();
        if files > 1 && !given.is_empty() {
            bail!("--sha256 and --sha512 are for one file; use --checksums for several");
        }
        let list = args.checksums.as_deref().map(|path| {
            let bytes = read_bounded(path, MOST)?;
            let name = path.display().to_string();
            if bytes.len() > MOST {
                bail!("{name}: is larger than 16 MiB, which no list of checksums is");
            }
            Ok((name, String::from_utf8_lossy(&bytes).into_owned()))
        });
        Ok(Self { given, list: list.transpose()? })
    }

    /// The checksums that the file must have.
    pub(super) fn of(&self, path: &Path) -> anyhow::Result<Vec<Checksum>> {
        let mut all = self.given.clone();
        if let Some((list, text)) = &self.list {
            let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            let listed = listed_checksums(text, &name);
            let listed = listed.map_err(|why| anyhow!("{}: {list} {why}", path.display()))?;
            all.extend(listed.into_iter().filter(|checksum| !self.given.contains(checksum)));
        }
        Ok(all)
    }
}
