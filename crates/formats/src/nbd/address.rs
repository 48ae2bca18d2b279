//! Where an NBD export is.
//!
//! Source: the NBD project's doc/uri.md.

use std::fmt;
use std::path::PathBuf;

/// The port of NBD servers.
const PORT: u16 = 10809;
/// The longest name of an export.
const NAME_MAX: usize = 4096;

/// An export, and the server that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NbdAddress {
    text: String,
    pub(super) server: Server,
    pub(super) export: String,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// By name or number of a host, and a port.
    Tcp(String, u16),
    /// By a socket in the file system.
    Local(PathBuf),
}

/// Why a text is no address that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The address is one for TLS.
    #[error(
        "TLS is not supported; reach the server through an SSH tunnel (ssh -N -L 10809:localhost:10809 HOST), stunnel, or nbdkit \
         with its nbd plugin on this machine"
    )]
    Tls,
    /// Something in it is not as it should be.
    #[error("{0}; the forms are nbd://HOST[:PORT]/EXPORT and nbd+unix:///EXPORT?socket=PATH")]
    Form(&'static str),
}

impl NbdAddress {
    /// The address in a text that begins with one of the schemes of NBD; `None` of any other text.
    pub fn of(text: &str) -> Option<Result<Self, AddressError>> {
        let (scheme, rest) = text.split_once("://")?;
        Some(
            match scheme {
                "nbd" => tcp(rest),
                "nbd+unix" => local(rest),
                "nbds" | "nbds+unix" => Err(AddressError::Tls),
                _ => return None,
            }
            .map(|(server, export)| Self { text: text.to_owned(), server, export }),
        )
    }
}

/// As it was given.
impl fmt::Display for NbdAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

type Parts = (Server, String);

fn tcp(rest: &str) -> Result<Parts, AddressError> {
    let (authority, export) = rest.split_once('/').unwrap_or((rest, ""));
    if rest.contains(['?', '#']) {
        return Err(AddressError::Form("an address of a host has no parameters"));
    }
    if authority.contains('@') {
        return Err(AddressError::Form("users are known only with TLS, which is not supported"));
    }
    // The number of a host in IPv6 has colons itself.
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(AddressError::Form("a ] is missing"))?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':').unwrap_or("")) };
            (host, port)
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(AddressError::Form("the host is missing"));
    }
    let port = port.map_or(Ok(PORT), str::parse).map_err(|_| AddressError::Form("the port is no number"))?;
    Ok((Server::Tcp(decoded(host)?, port), export_name(export)?))
}

fn local(rest: &str) -> Result<Parts, AddressError> {
    // Without an export nbdkit leaves out the slash as well.
    let rest = match rest.strip_prefix('/') {
        Some(rest) => rest,
        None if rest.starts_with('?') => rest,
        None => return Err(AddressError::Form("an address of a socket has no host")),
    };
    let (export, query) = rest.split_once('?').unwrap_or((rest, ""));
    let Some(socket) = query.strip_prefix("socket=").filter(|path| !path.contains(['&', '#'])) else {
        return Err(AddressError::Form("the only parameter is the socket"));
    };
    match decoded(socket)? {
        path if path.is_empty() => Err(AddressError::Form("the path of the socket is missing")),
        path => Ok((Server::Local(path.into()), export_name(export)?)),
    }
}

fn export_name(text: &str) -> Result<String, AddressError> {
    let name = decoded(text)?;
    if name.len() > NAME_MAX {
        Err(AddressError::Form("the name of the export is too long"))
    } else {
        Ok(name)
    }
}

/// The text without its `%20` and the like.
fn decoded(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        bytes.push(if byte == b'%' {
            let (high, low) = (digit(rest.next()), digit(rest.next()));
            let byte = high.zip(low).and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
            byte.filter(|byte| *byte != 0).ok_or(AddressError::Form("a % is not followed by two digits"))?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Form("a name is not in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Parts, AddressError> {
        NbdAddress::of(text).unwrap().map(|address| {
            assert_eq!(address.to_string(), text);
            (address.server, address.export)
        })
    }

    #[test]
    fn every_form_is_read() {
        let tcp = |host: &str, port, export: &str| Ok((Server::Tcp(host.into(), port), export.to_owned()));
        let local = |path: &str, export: &str| Ok((Server::Local(path.into()), export.to_owned()));
        for (text, parts) in [
            ("nbd://host/disk", tcp("host", 10809, "disk")),
            ("nbd://host:1234/a%20b/c", tcp("host", 1234, "a b/c")),
            ("nbd://host", tcp("host", 10809, "")),
            ("nbd://[::1]:99/x", tcp("::1", 99, "x")),
            ("nbd://[fe80::1]", tcp("fe80::1", 10809, "")),
            ("nbd+unix:///?socket=/run/nbd", local("/run/nbd", "")),
            ("nbd+unix://?socket=/run/nbd", local("/run/nbd", "")),
            ("nbd+unix:///disk?socket=my%20socket", local("my socket", "disk")),
        ] {
            assert_eq!(of(text), parts, "{text}");
        }
        for text in ["disk.raw", "nbd", "/nbd://", "http://host/disk", "nbd:host:10809", "nbd:disk.raw"] {
            assert!(NbdAddress::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_an_error() {
        for text in ["nbds://host/disk", "nbds+unix:///?socket=x"] {
            assert_eq!(of(text), Err(AddressError::Tls), "{text}");
        }
        for text in [
            "nbd://",
            "nbd:///disk",
            "nbd://host:port/disk",
            "nbd://host:99999/disk",
            "nbd://[::1/disk",
            "nbd://[::1]99/disk",
            "nbd://user@host/disk",
            "nbd://host/disk?socket=x",
            "nbd://host/%zz",
            "nbd://host/%00",
            "nbd://host/%ff",
            "nbd+unix://host/disk?socket=x",
            "nbd+unix:///disk",
            "nbd+unix:///disk?socket=",
            "nbd+unix:///disk?socket=a&b=c",
            "nbd+unix:///disk?tls=on",
        ] {
            assert!(matches!(of(text), Err(AddressError::Form(_))), "{text}");
        }
    }
}
