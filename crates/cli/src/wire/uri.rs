//! Paths as URI references.

use std::fmt::Write as _;
use std::path::{Component, Path};

use imsprep_toolkit::NbdAddress;

/// A path as a URI reference (RFC 3986): relative as it is, absolute with `file://`. All bytes but the plainest are escaped, so
/// a name that is not UTF-8 comes through as well. The address of an NBD export is a URI itself.
pub(crate) fn file_uri(path: &Path) -> String {
    if let Some(address) =
        path.to_str().filter(|text| NbdAddress::of(text).is_some_and(|address| address.is_ok()))
    {
        return address.to_owned();
    }
    let mut uri = String::from(if path.is_absolute() { "file:///" } else { "" });
    let mut first = true;
    for component in path.components() {
        let part = match component {
            Component::CurDir | Component::RootDir => continue,
            other => other.as_os_str().as_encoded_bytes(),
        };
        if !std::mem::take(&mut first) {
            uri.push('/');
        }
        for byte in part {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                uri.push(char::from(*byte));
            } else {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    if uri.is_empty() { ".".into() } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_stays_relative_and_odd_bytes_are_escaped() {
        for (path, uri) in [
            ("a.raw", "a.raw"),
            ("./images/a.raw", "images/a.raw"),
            ("../a b#?.raw", "../a%20b%23%3F.raw"),
            ("c:d.raw", "c%3Ad.raw"),
            ("grün.raw", "gr%C3%BCn.raw"),
            ("a%41.raw", "a%2541.raw"),
            ("nbd://host/a%20b", "nbd://host/a%20b"),
            ("nbd://", "nbd%3A"),
            ("/srv/a.raw", "file:///srv/a.raw"),
            (".", "."),
        ] {
            assert_eq!(file_uri(Path::new(path)), uri);
        }
    }
}
