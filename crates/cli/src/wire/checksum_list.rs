//! Lists of SHA-256 as `sha256sum` writes and reads them.

use std::path::Path;

/// Bytes of a SHA-256.
const LENGTH: usize = 32;

/// One line: the hash and the name, with a line feed. A name with a backslash, a line feed or a carriage return is escaped, and the line
/// begins with a backslash, as coreutils does it.
pub(crate) fn line(sha256: &[u8; LENGTH], path: &Path) -> Vec<u8> {
    let name = path.as_os_str().as_encoded_bytes();
    let is_escaped = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    let mut line = if is_escaped { b"\\".to_vec() } else { Vec::new() };
    line.extend(sha256.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
    line.extend(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend(b"\\\\"),
            b'\n' => line.extend(b"\\n"),
            b'\r' => line.extend(b"\\r"),
            other => line.push(*other),
        }
    }
    line.push(b'\n');
    line
}

/// The hash and the name, byte by byte, of a line without its line feed. `None` if it is no such line.
pub(crate) fn read(line: &[u8]) -> Option<([u8; LENGTH], Vec<u8>)> {
    let (is_escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |rest| (true, rest));
    let (digits, rest) = line.split_at_checked(2 * LENGTH)?;
    let name =
        rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *")).filter(|name| !name.is_empty())?;
    let name = if is_escaped { unescaped(name)? } else { name.to_vec() };
    Some((hash(std::str::from_utf8(digits).ok()?)?, name))
}

/// The hash with these hexadecimal digits.
pub(crate) fn hash(digits: &str) -> Option<[u8; LENGTH]> {
    if digits.len() != 2 * LENGTH || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; LENGTH];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = name.iter();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            other => *other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_coreutils() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let hash = hash(hex).unwrap();
        // What sha256sum of coreutils 9.1 prints.
        for (name, expected) in [
            ("disk.raw", format!("{hex}  disk.raw\n")),
            (" a b *c", format!("{hex}   a b *c\n")),
            ("a\nb", format!("\\{hex}  a\\nb\n")),
            ("a\rb", format!("\\{hex}  a\\rb\n")),
            ("a\\b", format!("\\{hex}  a\\\\b\n")),
        ] {
            let line = line(&hash, Path::new(name));
            assert_eq!(String::from_utf8(line.clone()).unwrap(), expected);
            let (found, path) = read(line.strip_suffix(b"\n").unwrap()).unwrap();
            assert_eq!((found, path.as_slice()), (hash, name.as_bytes()));
        }
        assert_eq!(read(format!("{hex} *disk.raw").as_bytes()).unwrap().1, b"disk.raw");
        for bad in [
            String::new(),
            hex.into(),
            format!("{hex}  "),
            format!("{hex} disk.raw"),
            format!("0{hex}  disk.raw"),
            format!("\\{hex}  a\\xb"),
            format!("\\{hex}  a\\"),
            format!("{}g  disk.raw", &hex[1..]),
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }
}
