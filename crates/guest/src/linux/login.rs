//! Who can log in, and how.

use crate::files::Files;
use crate::linux::units::{ServiceState, service};
use crate::{
    Account, Answer, Origin, Password, Sourced, SshdOption, has_authorized_key, parse_passwd, parse_shadow,
    parse_sshd_config, text,
};

/// Most accounts whose keys are looked for.
const ACCOUNTS_MAX: usize = 64;
/// Most bytes of a file of keys.
const KEYS_MAX: usize = 64 << 10;
/// How deep files of sshd include each other at most.
const INCLUDES_MAX: usize = 16;

/// Who can log in, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The SSH server, if it is installed.
    pub sshd: Answer<Option<Origin>>,
    /// Whether it starts with the system.
    pub sshd_service: Answer<ServiceState>,
    /// Options of sshd that decide who gets in: `permitrootlogin`, `passwordauthentication`, `pubkeyauthentication`; those that
    /// are set, each once.
    pub sshd_options: Answer<Vec<Sourced<SshdOption>>>,
    /// Accounts with a shell and a password by which a login is possible.
    pub passwords: Answer<Vec<Sourced<String>>>,
    /// Accounts with a shell and a key; the origin is the file with the key.
    pub keys: Answer<Vec<Sourced<String>>>,
}

impl Login {
    /// Whether some account has a password or a key. `Err` if that is not known.
    pub fn has_credentials(&self) -> Answer<bool> {
        if self.passwords.as_ref().is_ok_and(|all| !all.is_empty())
            || self.keys.as_ref().is_ok_and(|all| !all.is_empty())
        {
            return Ok(true);
        }
        self.passwords.clone()?;
        self.keys.clone()?;
        Ok(false)
    }
}

pub(super) fn collect(files: &Files<'_>) -> Login {
    let accounts = files.read("/etc/passwd").map(|bytes| parse_passwd(&bytes.unwrap_or_default()));
    let with_shell = accounts.map(|all| all.into_iter().filter(Account::has_shell).collect::<Vec<_>>());
    Login {
        sshd: files.first_of(&[
            "/usr/sbin/sshd",
            "/usr/bin/sshd",
            "/usr/local/sbin/sshd",
            "/usr/sbin/dropbear",
        ]),
        sshd_service: service(files, &["sshd", "ssh", "ssh.socket", "sshd.socket", "dropbear"]),
        sshd_options: options(files),
        passwords: with_shell.clone().and_then(|accounts| passwords(files, &accounts)),
        keys: with_shell.and_then(|accounts| keys(files, &accounts)),
    }
}

fn passwords(files: &Files<'_>, accounts: &[Account]) -> Answer<Vec<Sourced<String>>> {
    let bytes = files.read("/etc/shadow")?.unwrap_or_default();
    let shadow = parse_shadow(&bytes);
    let mut found = Vec::new();
    for account in accounts {
        let (field, path, line) = match shadow.iter().find(|entry| entry.name == account.name) {
            Some(entry) => (entry.password, "/etc/shadow", entry.line),
            None if account.password == "x" => (Password::Locked, "/etc/passwd", account.line),
            None => (crate::password(&account.password), "/etc/passwd", account.line),
        };
        if field == Password::Usable {
            found.push(Sourced::new(account.name.clone(), files.origin(path).at_line(line)));
        }
    }
    Ok(found)
}

fn keys(files: &Files<'_>, accounts: &[Account]) -> Answer<Vec<Sourced<String>>> {
    let mut found = Vec::new();
    for account in accounts.iter().filter(|account| account.home.starts_with('/')).take(ACCOUNTS_MAX) {
        let home = account.home.trim_end_matches('/');
        for file in [".ssh/authorized_keys", ".ssh/authorized_keys2"] {
            let path = format!("{home}/{file}");
            let bytes = files.read_up_to(&path, KEYS_MAX)?.unwrap_or_default();
            if has_authorized_key(&bytes) {
                found.push(Sourced::new(account.name.clone(), files.origin(&path)));
                break;
            }
        }
    }
    Ok(found)
}

/// The options that count: the first of each keyword, in files that include others.
fn options(files: &Files<'_>) -> Answer<Vec<Sourced<SshdOption>>> {
    let wanted =
        ["permitrootlogin", "passwordauthentication", "pubkeyauthentication", "kbdinteractiveauthentication"];
    let mut found: Vec<Sourced<SshdOption>> = Vec::new();
    let mut queue = vec!["/etc/ssh/sshd_config".to_owned()];
    let mut read = 0;
    while let Some(path) = queue.pop() {
        read += 1;
        if read > INCLUDES_MAX {
            break;
        }
        let bytes = files.read(&path)?.unwrap_or_default();
        for option in parse_sshd_config(&bytes) {
            if option.keyword == "include" {
                for pattern in option.value.split_whitespace() {
                    queue.extend(included(files, pattern)?.into_iter().rev());
                }
            } else if wanted.contains(&option.keyword.as_str())
                && !found
                    .iter()
                    .any(|known| known.value.keyword == option.keyword && is_included(&known.origin, &path))
            {
                let origin = files.origin(&path).at_line(option.line);
                found.push(Sourced::new(option, origin));
            }
        }
    }
    // Where an included file and the main one set the same, the included one comes first in every distribution's main file.
    found.sort_by_key(|option| option.origin.path == "/etc/ssh/sshd_config");
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|option| seen.insert(option.value.keyword.clone()));
    Ok(found)
}

fn is_included(origin: &Origin, path: &str) -> bool {
    origin.path == path
}

/// The files that a pattern in the last part of a path names.
pub(super) fn included(files: &Files<'_>, pattern: &str) -> Answer<Vec<String>> {
    let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") };
    let Some((folder, name)) = pattern.rsplit_once('/') else { return Ok(Vec::new()) };
    files.files_in(folder, |file| text::matches_glob(name, file))
}
