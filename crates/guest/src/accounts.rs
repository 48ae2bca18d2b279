//! Accounts and how they may log in: `passwd`, `shadow`, `sshd_config`.

use crate::text;

/// Most accounts that are kept.
const ACCOUNTS_MAX: usize = 4096;

/// An account of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: String,
    /// The user number; 0 is root.
    pub uid: u32,
    /// The home directory.
    pub home: String,
    /// The login shell.
    pub shell: String,
    /// The password field; `x` where it stands in `shadow`.
    pub password: String,
    /// The line, from 1.
    pub line: u32,
}

impl Account {
    /// Whether the shell allows a login.
    pub fn has_shell(&self) -> bool {
        let shell = self.shell.rsplit('/').next().unwrap_or_default();
        // An empty field stands for /bin/sh.
        !matches!(shell, "nologin" | "false" | "sync" | "shutdown" | "halt" | "true" | "git-shell")
    }
}

/// The accounts of `/etc/passwd`.
pub fn parse_passwd(bytes: &[u8]) -> Vec<Account> {
    let accounts = text::lines(bytes).filter_map(|(number, line)| {
        let fields = line.split(':').collect::<Vec<_>>();
        let [name, password, uid, _, _, home, shell, ..] = fields.as_slice() else { return None };
        let is_account = !name.is_empty() && !name.starts_with(['#', '+', '-']);
        is_account.then_some(())?;
        Some(Account {
            name: text::name(name),
            uid: uid.parse().ok()?,
            home: text::value(home),
            shell: text::name(shell.trim()),
            password: text::name(password),
            line: number,
        })
    });
    accounts.take(ACCOUNTS_MAX).collect()
}

/// What a password field allows. The hash itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// A hash: login by password is possible.
    Usable,
    /// No password is required. sshd refuses such logins unless its settings permit them.
    Empty,
    /// Locked (`!`, `*`) or no hash.
    Locked,
}

/// What a field of `shadow`, or of `passwd`, allows.
pub fn password(field: &str) -> Password {
    match field {
        "" => Password::Empty,
        // `$id$salt$hash`, of which the shortest is MD5's; or 13 characters of DES; `_` is BSDi's.
        hash if hash.starts_with('$') && hash.matches('$').count() >= 3 && hash.len() > 20 => {
            Password::Usable
        }
        hash if hash.len() == 13 && hash.bytes().all(is_crypt) => Password::Usable,
        hash if hash.len() == 20 && hash.starts_with('_') => Password::Usable,
        _ => Password::Locked,
    }
}

fn is_crypt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/')
}

/// An entry of `/etc/shadow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowEntry {
    /// The account's name.
    pub name: String,
    /// What the password field allows.
    pub password: Password,
    /// The day, counted from 1970, from which on the account is closed.
    pub expires: Option<u64>,
    /// The line, from 1.
    pub line: u32,
}

/// The entries of `/etc/shadow`.
pub fn parse_shadow(bytes: &[u8]) -> Vec<ShadowEntry> {
    let entries = text::lines(bytes).filter_map(|(number, line)| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
        let field = fields.next()?;
        let expires = fields.nth(5).and_then(|day| day.parse().ok());
        Some(ShadowEntry { name: text::name(name), password: password(field), expires, line: number })
    });
    entries.take(ACCOUNTS_MAX).collect()
}

/// Whether a file of `authorized_keys` has a key.
pub fn has_authorized_key(bytes: &[u8]) -> bool {
    let kinds = ["ssh-rsa ", "ssh-dss ", "ssh-ed25519 ", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "ssh-ed448 "];
    text::lines(bytes).any(|(_, line)| {
        let line = line.trim();
        !line.starts_with('#')
            && kinds.iter().any(|kind| line.starts_with(kind) || line.contains(&format!(" {kind}")))
    })
}

/// An option of `sshd_config` outside of `Match` blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshdOption {
    /// The keyword in lower case.
    pub keyword: String,
    /// The value.
    pub value: String,
    /// The line, from 1.
    pub line: u32,
}

/// The options of a file, in order; the first of a keyword counts. `Include` is one of them.
pub fn parse_sshd_config(bytes: &[u8]) -> Vec<SshdOption> {
    let mut options = Vec::new();
    for (number, line) in text::lines(bytes) {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
        let (keyword, value) = line.split_at(end);
        let keyword = keyword.to_ascii_lowercase();
        if keyword == "match" || options.len() >= 1024 {
            break;
        }
        if !keyword.is_empty() {
            let value =
                value.trim_start_matches(|c: char| c.is_whitespace() || c == '=').trim().trim_matches('"');
            options.push(SshdOption {
                keyword: text::name(&keyword),
                value: text::value(value),
                line: number,
            });
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accounts_have_shells_and_passwords() {
        let accounts = parse_passwd(b"root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n+nis\nbad\nu:x:1000:1000::/home/u:\n");
        assert_eq!(
            accounts.iter().map(|a| (a.name.as_str(), a.has_shell())).collect::<Vec<_>>(),
            [("root", true), ("nobody", false), ("u", true)]
        );
        let shadow = parse_shadow(b"root:$y$j9T$abcdefgh$0123456789abcdef:19000:0:99999:7:::\nnobody:*:19000:::::1:\nempty::1::::::\nlocked:!$6$x$yyyyyyyyyyyyyyyyyyyyyyyy:1::::::\n");
        let passwords = shadow.iter().map(|entry| entry.password).collect::<Vec<_>>();
        assert_eq!(passwords, [Password::Usable, Password::Locked, Password::Empty, Password::Locked]);
        assert_eq!(shadow[1].expires, Some(1));
        assert_eq!(password("ab1234567890."), Password::Usable);
        for locked in ["!", "!!", "*", "x", "*LK*", "!*", "$6$"] {
            assert_eq!(password(locked), Password::Locked, "{locked}");
        }
    }

    #[test]
    fn keys_and_options_are_found() {
        assert!(has_authorized_key(b"# c\nssh-ed25519 AAAA user@host\n"));
        assert!(has_authorized_key(b"from=\"10.0.0.1\" ssh-rsa AAAA\n"));
        assert!(!has_authorized_key(b"# ssh-rsa AAAA\n\n") && !has_authorized_key(b""));
        let options = parse_sshd_config(b"#Port 22\nInclude /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin = no\npasswordauthentication yes\nMatch User x\nPermitRootLogin yes\n");
        assert_eq!(options.len(), 3);
        assert_eq!(
            (options[1].keyword.as_str(), options[1].value.as_str(), options[1].line),
            ("permitrootlogin", "no", 3)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_passwd(&bytes);
            parse_shadow(&bytes);
            parse_sshd_config(&bytes);
            has_authorized_key(&bytes);
        }
    }
}
