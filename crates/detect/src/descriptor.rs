//! VMDK's text descriptor: a file of its own, or embedded in a sparse extent.

use imsprep_ondisk::format::vmdk::{CREATE_TYPES, DESCRIPTOR_MARKER, NO_PARENT_CID, SECTOR};
use imsprep_ondisk::text;

use crate::candidate::Candidate;
use crate::{Fact, input};

/// Bytes of a descriptor that are read; one of 60 TB in files of 2 GB has less than 2 MB, an ordinary one 1 KB.
pub(crate) const MAX: u64 = 256 << 10;
/// Most names of extent-files that are kept.
const NAMES_MAX: usize = 256;
/// What the name of a file that an embedded descriptor belongs to ends in.
const EXTENSION: &str = ".vmdk";
/// What the parent's name follows. Looked for in comments, too: qemu searches the text for the word and no more.
const PARENT_HINT: &str = "parentfilenamehint";

/// What a descriptor says.
#[derive(Debug, Default)]
pub(crate) struct Descriptor {
    create_type: Option<String>,
    has_parent_cid: bool,
    parent_name: Option<String>,
    names: Vec<String>,
    extents: usize,
    foreign_extents: bool,
    sectors: Option<u64>,
    encrypted: bool,
}

/// Whether the text is a descriptor. Readers take one without the marker, too, if its first line that says something
/// is a version. So do other files begin, `Cargo.lock` for one: that line counts if a line that makes a disk follows,
/// or may follow beyond what is at hand.
pub(crate) fn is_descriptor(bytes: &[u8]) -> bool {
    for line in lines(bytes) {
        match line.strip_prefix('#') {
            Some(comment) if comment.trim().to_ascii_lowercase().starts_with(DESCRIPTOR_MARKER) => {
                return true;
            }
            Some(_) => {}
            None => {
                let (key, value) = line.split_once('=').unwrap_or((&line, ""));
                let is_version = key.trim().eq_ignore_ascii_case("version");
                return is_version
                    && matches!(value.trim(), "1" | "2" | "3")
                    && (Descriptor::parse(bytes).makes_a_disk() || goes_on(bytes));
            }
        }
    }
    false
}

/// Whether the bytes are a file's first and text to their end.
fn goes_on(bytes: &[u8]) -> bool {
    bytes.len() as u64 >= input::HEAD && !bytes.contains(&0)
}

/// The lines that aren't blank, trimmed, up to a NUL: padding, where readers stop. A line is cut at the bound of a
/// string, so that a file of one line costs no more than any other.
fn lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let lines =
        text.split(|byte| matches!(byte, b'\n' | b'\r')).map(|line| text::utf8(line).trim().to_owned());
    lines.filter(|line| !line.is_empty())
}

impl Descriptor {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut descriptor = Self { sectors: Some(0), ..Self::default() };
        for line in lines(bytes) {
            descriptor.line(&line);
        }
        descriptor
    }

    fn makes_a_disk(&self) -> bool {
        self.create_type.is_some() || self.extents > 0 || self.has_parent_cid || self.parent_name.is_some()
    }

    fn line(&mut self, line: &str) {
        let lower = line.to_ascii_lowercase();
        if let Some(hint) = lower.find(PARENT_HINT).and_then(|at| line.get(at + PARENT_HINT.len()..)) {
            let value = hint.trim_start().trim_start_matches('=');
            self.parent_name = self.parent_name.take().or_else(|| Some(unquoted(value)));
        } else if line.starts_with('#') {
        } else if let Some(("rw" | "rdonly" | "noaccess", _)) = lower.split_once(char::is_whitespace) {
            self.extent(line);
        } else if let Some((key, value)) = line.split_once('=') {
            let value = unquoted(value);
            match key.trim().to_ascii_lowercase().as_str() {
                "createtype" => self.create_type = Some(value),
                // What is no number is no statement that there is no parent.
                "parentcid" => self.has_parent_cid = u32::from_str_radix(&value, 16) != Ok(NO_PARENT_CID),
                "ddb.iofilters" => self.encrypted |= value.contains("vmcrypt"),
                key => self.encrypted |= key.starts_with("encryption."),
            }
        }
    }

    /// `RW 4192256 SPARSE "disk-s001.vmdk" 0`: access, sectors, kind, file, offset.
    fn extent(&mut self, line: &str) {
        let mut words = line.split_whitespace().skip(1);
        let sectors = words.next().and_then(|word| word.parse().ok());
        self.sectors = self.sectors.zip(sectors).and_then(|(sum, more): (u64, u64)| sum.checked_add(more));
        self.extents += 1;
        self.foreign_extents |= !words.next().is_some_and(|kind| kind.eq_ignore_ascii_case("SPARSE"));
        if let Some((_, name)) = line.split_once('"')
            && self.names.len() < NAMES_MAX
        {
            let name = name.split('"').next().unwrap_or_default();
            // By whatever folder: it is the file itself, under the name that it had when it was made.
            let is_elsewhere = name.contains(['/', '\\']) && !name.to_ascii_lowercase().ends_with(EXTENSION);
            self.foreign_extents |= is_elsewhere;
            self.names.push(name.to_owned());
        }
    }

    /// Size of the disk in bytes, if every extent has its own.
    pub(crate) fn virtual_size(&self) -> Option<u64> {
        self.sectors.filter(|_| self.extents > 0)?.checked_mul(SECTOR)
    }

    /// The names of the extent-files, of a descriptor that is a file of its own.
    pub(crate) fn extent_files(&mut self) -> Option<Fact> {
        (!self.names.is_empty()).then(|| Fact::ExtentFiles(std::mem::take(&mut self.names)))
    }

    /// The same for an embedded one, whose single sparse extent is the file itself. Anything else points elsewhere:
    /// that is how a sparse file smuggles in `/etc/shadow` (CVE-2022-47951).
    pub(crate) fn smuggled_files(&mut self) -> Option<Fact> {
        if self.extents > 1 || self.foreign_extents { self.extent_files() } else { None }
    }

    /// Notes what goes for both kinds of descriptor.
    pub(crate) fn describe(&self, found: &mut Candidate) {
        if let Some(name) = &self.create_type {
            found.variant = CREATE_TYPES.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
            if found.variant.is_none() {
                found.damaged(format!("createType {name:?} is unknown"));
            }
        }
        if self.has_parent_cid || self.parent_name.is_some() {
            found.facts.push(Fact::Parent(self.parent_name.clone()));
        }
        if self.encrypted {
            found.facts.push(Fact::Encrypted("VMware"));
        }
    }
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inside = value.strip_prefix('"').map(|rest| rest.split('"').next().unwrap_or_default());
    inside.unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_may_start_with_anything_that_says_nothing() {
        for text in [
            "# Disk DescriptorFile\nversion=1",
            "\u{feff}\r\n  \r\n# a comment\r\n#DISK descriptorFILE\r\nVERSION = 1\r\n",
            "# no marker\n\nversion=3\nRW 8 FLAT \"a\"",
            "# Disk DescriptorFile\0\0\0",
        ] {
            assert!(is_descriptor(text.as_bytes()), "{text:?}");
        }
        for text in
            ["", "# just a comment", "version=4", "name=x\n# Disk DescriptorFile", "\0# Disk DescriptorFile"]
        {
            assert!(!is_descriptor(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn the_parent_is_found_where_any_reader_finds_it() {
        let parse = |text: &str| {
            let mut found = Candidate::new(crate::Format::Vmdk);
            Descriptor::parse(text.as_bytes()).describe(&mut found);
            found.facts
        };
        let parent = |name: &str| vec![Fact::Parent(Some(name.into()))];
        assert_eq!(parse("parentCID=FFFFFFFF"), []);
        assert_eq!(parse("parentCID=12345678"), [Fact::Parent(None)]);
        assert_eq!(parse("parentCID=nonsense"), [Fact::Parent(None)]);
        assert_eq!(parse("parentFileNameHint=\"a b.vmdk\""), parent("a b.vmdk"));
        assert_eq!(parse("#ParentFileNameHint = \"/etc/shadow\""), parent("/etc/shadow"));
    }

    #[test]
    fn extents_are_summed_up_without_overflow() {
        let text = "RW 100 FLAT \"a b.vmdk\" 0\nrdonly 20 ZERO\nNOACCESS 3 SPARSE \"c\"";
        let mut descriptor = Descriptor::parse(text.as_bytes());
        assert_eq!(descriptor.virtual_size(), Some(123 * 512));
        assert_eq!(descriptor.extent_files(), Some(Fact::ExtentFiles(vec!["a b.vmdk".into(), "c".into()])));
        let huge = format!("RW {0} FLAT \"a\"\nRW {0} FLAT \"b\"", u64::MAX);
        assert_eq!(Descriptor::parse(huge.as_bytes()).virtual_size(), None);
        assert_eq!(Descriptor::parse(b"version=1").virtual_size(), None);
    }

    #[test]
    fn an_embedded_descriptor_that_points_elsewhere_is_told() {
        let smuggled = |text: &str| Descriptor::parse(text.as_bytes()).smuggled_files();
        let files = |name: &str| Some(Fact::ExtentFiles(vec![name.into()]));
        for itself in [
            "disk.vmdk",
            "old name.VMDK",
            "folder/disk.vmdk",
            "/vmfs/volumes/a/disk.vmdk",
            r"C:\\VMs\\disk.vmdk",
        ] {
            assert_eq!(smuggled(&format!("RW 100 SPARSE \"{itself}\"")), None, "{itself}");
        }
        assert_eq!(smuggled("RW 100 FLAT \"a/disk.vmdk\" 0"), files("a/disk.vmdk"));
        assert_eq!(smuggled("RW 100 FLAT \"disk.vmdk\" 0"), files("disk.vmdk"));
        assert_eq!(smuggled("RW 100 SPARSE \"/etc/shadow\""), files("/etc/shadow"));
    }
}
