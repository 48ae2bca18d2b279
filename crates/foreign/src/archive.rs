//! The files in a tar archive, such as an OVA.

use imsprep_ondisk::tar::Header;
use imsprep_source::{ReadAt, ReadAtExt};

use crate::{Error, Slice};

/// Members that are looked at; an OVA has a handful.
const MEMBERS_MAX: usize = 4096;
/// Members begin at multiples of this.
const UNIT: u64 = Header::SIZE as u64;

/// A regular file in the archive.
#[derive(Clone)]
pub struct Member<'a> {
    /// Its name, as far as the archive's plain headers tell: hostile, not to be followed or printed unescaped.
    pub name: String,
    /// Its bytes.
    pub bytes: Slice<'a>,
}

/// The regular files in an archive, in its order, up to the first empty header or the end.
///
/// # Errors
///
/// [`Error::Unreadable`] if a header is damaged, a member ends beyond the end of the file, or there are too many; or if the
/// file can't be read.
pub fn members(file: Slice<'_>) -> Result<Vec<Member<'_>>, Error> {
    let wrong = |at: u64, what: &str| file.unreadable("tar", at, what);
    let (mut found, mut at) = (Vec::new(), 0);
    for _ in 0..MEMBERS_MAX {
        if !file.holds(at, UNIT) {
            return Ok(found);
        }
        let bytes = file.read_array::<{ Header::SIZE }>(at)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(found);
        }
        let header = Header::decode(&bytes);
        if header.magic != Header::MAGIC || !header.is_sound() {
            return Err(wrong(at, "the header of a member is damaged"));
        }
        let size =
            header.member_size().ok_or_else(|| wrong(at + 124, "the size of a member is no number"))?;
        let start = at + UNIT;
        let part = file.part(start, size);
        let part = part.ok_or_else(|| wrong(at + 124, "a member ends beyond the end of the file"))?;
        if header.is_file() {
            let name = header.name.split(|byte| *byte == 0).next().unwrap_or_default();
            found.push(Member { name: String::from_utf8_lossy(name).into_owned(), bytes: part });
        }
        // Within the file's size, so that the sum stays far below 2^64.
        at = start + size.next_multiple_of(UNIT).min(file.size());
    }
    Err(wrong(at, "there are more members than are looked at"))
}

#[cfg(test)]
mod tests {
    use imsprep_source::MemoryImage;

    use super::*;

    fn archive(members: &[(&str, u8, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, kind, content) in members {
            let mut header = [0; 512];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
            header[148..156].fill(b' ');
            header[156] = *kind;
            header[257..263].copy_from_slice(b"ustar\0");
            let sum = header.iter().map(|byte| u32::from(*byte)).sum::<u32>();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            bytes.extend(header);
            bytes.extend(*content);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    #[test]
    fn files_are_found_with_their_bytes_and_the_rest_passed_over() {
        let image = MemoryImage::new(
            "a.ova",
            archive(&[
                ("a.ovf", b'0', b"<xml/>"),
                ("d", b'5', b""),
                ("b.vmdk", 0, &[7; 1000]),
                ("x", b'L', b"long"),
            ]),
        );
        let found = members(Slice::whole(&image)).unwrap();
        let names = found.iter().map(|member| (member.name.as_str(), member.bytes.size()));
        assert_eq!(names.collect::<Vec<_>>(), [("a.ovf", 6), ("b.vmdk", 1000)]);
        assert_eq!(found[1].bytes.read_array::<2>(998).unwrap(), [7, 7]);
    }

    #[test]
    fn what_is_damaged_is_an_error_and_never_a_member() {
        let good = archive(&[("a", b'0', &[1; 600]), ("b", b'0', b"x")]);
        for (at, byte) in [(0, b'z'), (124, b'9'), (130, b'7'), (257, b'x'), (512 + 1024 + 3, b'y')] {
            let mut file = good.clone();
            file[at] = byte;
            let image = MemoryImage::new("a.tar", file);
            assert!(members(Slice::whole(&image)).is_err(), "{at}");
        }
        // Cut off within a member.
        let image = MemoryImage::new("a.tar", good[..900].to_vec());
        assert!(members(Slice::whole(&image)).is_err());
        let many = MemoryImage::new("a.tar", archive(&vec![("a", b'0', &b""[..]); MEMBERS_MAX + 1]));
        assert!(members(Slice::whole(&many)).is_err());
    }
}
