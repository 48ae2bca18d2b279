//! Who owns a file.

use std::path::Path;

use crate::sys;

/// Whether what the path leads to, and a link at the path itself, belong to this user or to the administrator; under sudo,
/// also to the user who called it. `false` if that is unknown. On Windows always `true`.
pub fn belongs_to_user(path: &Path) -> bool {
    sys::belongs_to_user(path).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_make_is_ours_and_what_is_not_there_is_nobodys() {
        let dir = tempfile::tempdir().unwrap();
        assert!(belongs_to_user(dir.path()));
        if cfg!(unix) {
            assert!(!belongs_to_user(&dir.path().join("none")));
        }
    }
}
