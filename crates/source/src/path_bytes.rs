//! Paths that were written down byte by byte.

use std::path::PathBuf;

use crate::sys;

/// The path with these bytes, as [`OsStr::as_encoded_bytes`](std::ffi::OsStr::as_encoded_bytes) has them. `None` if the system has no such
/// paths: on Windows they are text.
pub fn path_from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    sys::path_from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_same_after_its_bytes() {
        for path in ["a/b.raw", "", "\u{e9}\n"].map(PathBuf::from) {
            assert_eq!(path_from_bytes(path.as_os_str().as_encoded_bytes().to_vec()), Some(path));
        }
        assert_eq!(path_from_bytes(b"a\xff".to_vec()).is_some(), cfg!(unix));
    }
}
