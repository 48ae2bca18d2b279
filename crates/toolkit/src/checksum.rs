//! Checksums that a publisher gives for a file, and lists of them.

use std::fmt;

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// Bytes of a checksum.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name in the documents of imsprep: `sha256`, `sha512`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// A checksum that a file should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How it is computed.
    pub algorithm: HashAlgorithm,
    /// Its bytes, as many as the algorithm makes.
    value: Vec<u8>,
}

impl Checksum {
    /// The checksum that was computed.
    pub(crate) fn computed(algorithm: HashAlgorithm, value: Vec<u8>) -> Self {
        Self { algorithm, value }
    }

    /// The checksum with these hexadecimal digits, in upper or lower case. `None` if they are not as many as the algorithm makes.
    pub fn parse(algorithm: HashAlgorithm, digits: &str) -> Option<Self> {
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_hex || digits.len() != 2 * algorithm.length() {
            return None;
        }
        let pairs =
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
        Some(Self { algorithm, value: pairs.collect::<Option<_>>()? })
    }

    /// The same, of the algorithm that makes so many digits.
    fn of_length(digits: &str) -> Option<Self> {
        [HashAlgorithm::Sha256, HashAlgorithm::Sha512].into_iter().find_map(|kind| Self::parse(kind, digits))
    }
}

/// In lower case.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a list has no checksum for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotListed {
    /// It has none under the name of the file.
    NoSuchName,
    /// It has other kinds of checksums for it, such as MD5, which prove nothing.
    OnlyWeak,
    /// It has two different ones of the same kind.
    Contradicts,
}

impl fmt::Display for NotListed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchName => "does not list this file",
            Self::OnlyWeak => "has neither a SHA-256 nor a SHA-512 of this file",
            Self::Contradicts => "lists two different checksums of this file",
        })
    }
}

/// The digits that other algorithms make: MD5, SHA-1, SHA-224, SHA-384.
const OTHER_LENGTHS: [usize; 4] = [32, 40, 56, 96];

/// One line of a list.
struct Line<'t> {
    /// `None` if the line is nothing but the checksum.
    name: Option<String>,
    digits: &'t str,
}

/// Returns the checksums that a list has for a file of this name, without its folder: lines of `sha256sum` (`HEX  NAME`, `HEX *NAME`), of BSD
/// and of OVF manifests (`SHA256 (NAME) = HEX`), or a single line with nothing but the checksum. Folders before the names in the list are
/// ignored, and so is every other line, such as those of a signature.
///
/// # Errors
///
/// Why there is none.
pub fn listed_checksums(list: &str, name: &str) -> std::result::Result<Vec<Checksum>, NotListed> {
    let lines = list.lines().filter_map(line).collect::<Vec<_>>();
    let is_bare = matches!(lines[..], [Line { name: None, .. }]);
    let is_named = |line: &&Line<'_>| match &line.name {
        Some(listed) => listed.rsplit(['/', '\\']).next() == Some(name),
        None => is_bare,
    };
    let mut found = Vec::<Checksum>::new();
    let mut weak = false;
    for line in lines.iter().filter(is_named) {
        let Some(checksum) = Checksum::of_length(line.digits) else {
            weak = true;
            continue;
        };
        match found.iter().find(|known| known.algorithm == checksum.algorithm) {
            Some(known) if *known != checksum => return Err(NotListed::Contradicts),
            Some(_) => {}
            None => found.push(checksum),
        }
    }
    match (found.is_empty(), weak) {
        (false, _) => Ok(found),
        (true, true) => Err(NotListed::OnlyWeak),
        (true, false) => Err(NotListed::NoSuchName),
    }
}

fn named(text: &str) -> Option<Line<'_>> {
    bsd_line(text).map(|line| Line { name: Some(line.name.to_owned()), digits: line.digits })
}

/// What a line of a list says; `None` if it has no checksum.
fn line(text: &str) -> Option<Line<'_>> {
    let text = text.trim_end_matches(['\r', ' ', '\t']).trim_start_matches('\u{feff}');
    named(text).or_else(|| coreutils_line(text)).filter(|line| {
        let length = line.digits.len();
        let is_known = Checksum::of_length(line.digits).is_some() || OTHER_LENGTHS.contains(&length);
        is_known && line.digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// A line in the BSD form, of which nothing is known to be right.
pub(crate) struct ListLine<'t> {
    pub(crate) algorithm: &'t str,
    pub(crate) name: &'t str,
    pub(crate) digits: &'t str,
}

/// `SHA256 (NAME) = HEX`, with or without spaces.
pub(crate) fn bsd_line(text: &str) -> Option<ListLine<'_>> {
    let (before, digits) = text.rsplit_once('=')?;
    let (algorithm, name) = before.trim_end().strip_suffix(')')?.split_once('(')?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '_' | '\\');
    let algorithm = algorithm.trim();
    (!algorithm.is_empty() && algorithm.chars().all(is_word)).then(|| ListLine {
        algorithm,
        name,
        digits: digits.trim(),
    })
}

/// `HEX  NAME`, `HEX *NAME` or `HEX`. A backslash before it says that the name has escapes.
fn coreutils_line(text: &str) -> Option<Line<'_>> {
    let (is_escaped, text) = text.strip_prefix('\\').map_or((false, text), |rest| (true, rest));
    let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if rest.is_empty() {
        return Some(Line { name: None, digits });
    }
    let name = rest.strip_prefix([' ', '\t'])?;
    let name = name.strip_prefix([' ', '*']).unwrap_or(name).trim_start();
    let name = if is_escaped { unescaped(name) } else { name.to_owned() };
    Some(Line { name: Some(name), digits })
}

fn unescaped(name: &str) -> String {
    let mut characters = name.chars();
    let next = || {
        Some(match characters.next()? {
            '\\' => match characters.next()? {
                'n' => '\n',
                'r' => '\r',
                other => other,
            },
            other => other,
        })
    };
    std::iter::from_fn(next).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e";
    const TWO: &str = "A591A6D40BF420404A011733CFB7B190D62C65BF0BCDA32B57B277D9AD9F146F";

    #[test]
    fn every_form_of_a_list_is_read() {
        let long = ONE.repeat(2);
        for (list, count) in [
            (format!("{ONE}  disk.raw.xz\n{TWO}  other\n"), 1),
            (format!("{TWO} *other\r\n{ONE} *disk.raw.xz\r\n"), 1),
            (format!("{ONE}  ./images/disk.raw.xz"), 1),
            (
                format!(
                    "SHA256 (disk.raw.xz) = {ONE}\nSHA512 (disk.raw.xz) = {long}\nMD5 (disk.raw.xz) = 00\n"
                ),
                2,
            ),
            (format!("SHA256(disk.raw.xz)= {ONE}"), 1),
            (format!("{}\n", ONE.to_uppercase()), 1),
            (
                format!(
                    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# disk.raw.xz: 5 bytes\n{ONE}  disk.raw.xz\n"
                ),
                1,
            ),
            (format!("{ONE}  disk.raw.xz\n{}  disk.raw.xz\n", ONE.to_uppercase()), 1),
        ] {
            let found = listed_checksums(&list, "disk.raw.xz").unwrap();
            assert_eq!((found.len(), found[0].to_string()), (count, ONE.to_owned()), "{list}");
        }
        let escaped = format!("\\{ONE}  a\\\\b\\nc");
        assert_eq!(listed_checksums(&escaped, "b\nc").unwrap()[0].to_string(), ONE);
        for (list, why) in [
            (String::new(), NotListed::NoSuchName),
            (format!("{ONE}  disk.raw"), NotListed::NoSuchName),
            (format!("{ONE}  my-disk.raw.xz"), NotListed::NoSuchName),
            (format!("{ONE}\n{TWO}\n"), NotListed::NoSuchName),
            (format!("{ONE}0  disk.raw.xz"), NotListed::NoSuchName),
            ("d41d8cd98f00b204e9800998ecf8427e  disk.raw.xz".into(), NotListed::OnlyWeak),
            (format!("{ONE}  disk.raw.xz\n{TWO}  a/disk.raw.xz"), NotListed::Contradicts),
        ] {
            assert_eq!(listed_checksums(&list, "disk.raw.xz"), Err(why), "{list}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_list(list in any::<String>(), lines in prop::collection::vec("[0-9a-f]{30,70}[ *(]{0,3}.{0,9}", 0..4)) {
            let _ = listed_checksums(&list, "disk");
            let _ = listed_checksums(&lines.join("\n"), "disk");
        }
    }
}
