//! Where programs keep the settings of a user.

use std::path::PathBuf;

use crate::sys;

/// The folder in which this user keeps settings of programs: `$XDG_CONFIG_HOME` or `~/.config` on Linux, `~/Library/Application
/// Support` on macOS, `%APPDATA%` on Windows. `None` where the environment does not tell it.
pub fn settings_folder() -> Option<PathBuf> {
    sys::settings_folder()
}
