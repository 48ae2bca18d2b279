//! cpio archives in the format `newc`.

use std::io::{self, Read};

use crate::initramfs::stream::Forward;

/// Bytes of a member's header.
const HEADER: usize = 110;
/// Most bytes of a member's name, with its NUL; the kernel takes as many (`PATH_MAX`).
const NAME_MAX: u64 = 4096;
/// The name that ends an archive.
const TRAILER: &str = "TRAILER!!!";
/// The bits of the mode that tell the type, and those of a regular file.
const TYPE_MASK: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The path, without `/` and `./` before it.
    pub(super) name: String,
    pub(super) mode: u32,
    /// Names of the file. Its bytes come with the last of them.
    pub(super) links: u32,
    pub(super) size: u64,
}

impl Member {
    pub(super) fn is_file(&self) -> bool {
        self.mode & TYPE_MASK == REGULAR
    }
}

/// Whether bytes begin an archive: with or without checksums, which the kernel takes both.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    bytes.starts_with(b"070701") || bytes.starts_with(b"070702")
}

/// Hands over each member, with its content to be read or left, up to the end of the archive.
pub(super) fn walk(
    stream: &mut dyn Forward,
    left: &mut u64,
    each: &mut dyn FnMut(&Member, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let mut header = [0; HEADER];
        stream.read_exact(&mut header)?;
        stream.spend(HEADER as u64, left)?;
        if !is_start(&header) {
            return Err(io::Error::other("a member of the archive has no header"));
        }
        let [mode, links, size, name_size] = [1, 4, 6, 11].map(|number| field(&header, number));
        let (Some(mode), Some(links), Some(size), Some(name_size)) = (mode, links, size, name_size) else {
            return Err(io::Error::other("a member's header is no number"));
        };
        let name_size = u64::from(name_size);
        if name_size == 0 || name_size > NAME_MAX {
            return Err(io::Error::other("a member's name is too long"));
        }
        let mut name = Vec::new();
        let read = stream.by_ref_take(name_size).read_to_end(&mut name)?;
        if (read as u64) < name_size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        stream.spend(name_size, left)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let name = String::from_utf8_lossy(name.get(..end).unwrap_or_default()).into_owned();
        stream.pass(padding(HEADER as u64 + name_size), left)?;
        if name == TRAILER {
            return Ok(());
        }
        let name = name.trim_start_matches("./").trim_start_matches('/').to_owned();
        let size = u64::from(size);
        let member = Member { name, mode, links, size };
        let mut content = stream.by_ref_take(size);
        each(&member, &mut content)?;
        let rest = content.limit();
        stream.spend(size - rest, left)?;
        stream.pass(rest + padding(size), left)?;
    }
}

impl dyn Forward + '_ {
    fn by_ref_take(&mut self, count: u64) -> io::Take<&mut Self> {
        self.take(count)
    }
}

/// Bytes up to the next multiple of 4.
fn padding(size: u64) -> u64 {
    size.next_multiple_of(4) - size
}

/// A field of eight hexadecimal digits.
fn field(header: &[u8; HEADER], number: usize) -> Option<u32> {
    let digits = header.get(6 + number * 8..)?.get(..8)?;
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}
