//! Files that are called `.mf`, too, and are no bitmaps: a manifest in an OVF package above all.

/// Bytes at the start that are read.
const HEAD: usize = 64 << 10;

/// What a file in no known layout is, if that is known: to follow on "the file is".
///
/// The vendor's own layout is unpublished, so only files are named that are something else for certain.
pub(crate) fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = match str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut at the end of what is read.
        Err(error) if error.error_len().is_none() => str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    if text.contains('\0') {
        return None;
    }
    let start = text.trim_start();
    let start = start.get(..start.floor_char_boundary(64)).unwrap_or_default().to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Some("an HTML page");
    }
    if start.starts_with("<?xml") || start.starts_with("<error>") {
        return Some("an XML document, such as the error of an object store");
    }
    if start.starts_with("version https://git-lfs") {
        return Some("a pointer of Git LFS");
    }
    if start.starts_with("manifest-version:") {
        return Some("the manifest of a Java archive");
    }
    // Lists have comments, signatures around them, and blank lines.
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with('#') && !is_armor(line);
    let mut lines = text.lines().map(str::trim).filter(is_said);
    let first = lines.next()?;
    if is_ovf_line(first) {
        return Some("an OVF manifest");
    }
    (is_bsd_line(first) || is_coreutils_line(first)).then_some("a list of checksums")
}

/// The lines that a clear-text signature puts before a text.
fn is_armor(line: &str) -> bool {
    line.starts_with("-----BEGIN PGP") || line.starts_with("Hash: ")
}

/// Digits of the checksums that lists have: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
const DIGITS: [usize; 6] = [32, 40, 56, 64, 96, 128];

fn is_checksum(text: &str) -> bool {
    DIGITS.contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// `SHA256(disk.vmdk)= 0123...`. OVF Specification 2.1, 5.1: no space before the parenthesis.
fn is_ovf_line(line: &str) -> bool {
    let algorithm = line.split_once('(').map(|(algorithm, _)| algorithm.to_ascii_uppercase());
    algorithm.is_some_and(|algorithm| matches!(&*algorithm, "SHA1" | "SHA256" | "SHA512"))
        && named_checksum(line)
}

/// `SHA256 (disk.raw) = 0123...`, as `sha256sum --tag` and the BSDs write it, or openssl's form.
fn is_bsd_line(line: &str) -> bool {
    let algorithm = line.split_once('(').map(|(algorithm, _)| algorithm.trim_end());
    let is_algorithm = |name: &str| {
        (1..=16).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/_".contains(&b))
    };
    algorithm.is_some_and(is_algorithm) && named_checksum(line)
}

/// Whether a line ends in `) = ` and a checksum.
fn named_checksum(line: &str) -> bool {
    let after = line.rsplit_once(')').map(|(_, after)| after.trim_start());
    after.and_then(|after| after.strip_prefix('=')).is_some_and(|sum| is_checksum(sum.trim()))
}

/// `0123...  disk.raw`, or with an asterisk before the name; a backslash comes first where the name is escaped.
fn is_coreutils_line(line: &str) -> bool {
    let line = line.strip_prefix('\\').unwrap_or(line);
    line.split_once([' ', '\t']).is_some_and(|(sum, name)| is_checksum(sum) && !name.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_else_bears_the_extension_is_named() {
        let sum = "0123456789abcdef".repeat(4);
        let short = "0123456789ABCDEF".repeat(8);
        for (text, kind) in [
            (format!("SHA256(web.ovf)= {sum}\nSHA256(web-disk1.vmdk)= {sum}\n"), "an OVF manifest"),
            (format!("SHA1(a (1).ovf)={}\r\n", &sum[..40]), "an OVF manifest"),
            (format!("\u{feff}\n sha512(x)= {short}"), "an OVF manifest"),
            (format!("SHA256 (web.raw) = {sum}\n"), "a list of checksums"),
            (format!("# made today\n\nSHA2-256(web.raw)= {sum}\n"), "a list of checksums"),
            (format!("MD5 (web.raw) = {}\n", &sum[..32]), "a list of checksums"),
            (format!("{sum}  web.raw\n"), "a list of checksums"),
            (format!("{sum} *web.raw\n"), "a list of checksums"),
            (format!("\\{sum}  a\\nb\n"), "a list of checksums"),
            (
                format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{sum}  web.raw\n"),
                "a list of checksums",
            ),
            ("\n<!DOCTYPE HTML>\n<html>".into(), "an HTML page"),
            ("<html lang=\"de\"><body>Grüße".into(), "an HTML page"),
            (
                "<?xml version=\"1.0\"?><Error><Code>NoSuchKey".into(),
                "an XML document, such as the error of an object store",
            ),
            ("version https://git-lfs.github.com/spec/v1\noid sha256:".into(), "a pointer of Git LFS"),
            ("Manifest-Version: 1.0\nMain-Class: CreateMF\n".into(), "the manifest of a Java archive"),
        ] {
            assert_eq!(kind_of(text.as_bytes()), Some(kind), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_may_be_the_vendors_own() {
        let sum = "0123456789abcdef".repeat(4);
        for bytes in [
            &b""[..],
            b"MF\x01 something else",
            b"\x01\x02\x03",
            b"0 1 2 3\n",
            b"1,0,0,1\n",
            b"blocks=5\n",
            b"# only a comment\n",
            b"SHA256(a)= 12\n",
            b"0123456789abcdef  a\n",
            format!("{sum}\n").as_bytes(),
            format!("{sum}  a\n\0").as_bytes(),
            "ü<".as_bytes(),
        ] {
            assert_eq!(kind_of(bytes), None, "{bytes:?}");
        }
    }
}
