//! GRUB's environment block: 1024 bytes with variables.

use std::collections::BTreeMap;

use crate::text;

/// Bytes of an environment block; GRUB can only write within one that is there.
pub const GRUBENV_SIZE: usize = 1024;
/// Larger blocks exist (`grub-editenv` keeps the size of what it finds); no more is read.
const SIZE_MAX: usize = 64 << 10;
const SIGNATURE: &[u8] = b"# GRUB Environment Block\n";

/// The variables of an environment block; `None` if the signature is missing, so that GRUB would not read it.
pub fn parse_grubenv(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let rest = bytes.get(..SIZE_MAX).unwrap_or(bytes).strip_prefix(SIGNATURE)?;
    let mut variables = BTreeMap::new();
    for line in logical_lines(rest) {
        if line.starts_with('#') {
            continue;
        }
        if let Some((name, value)) = line.split_once('=') {
            variables.insert(text::name(name), text::value(value));
        }
    }
    Some(variables)
}

/// Lines; a backslash takes away the meaning of what follows, and of a line's end.
fn logical_lines(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut escaped = false;
    for byte in bytes {
        match (byte, std::mem::take(&mut escaped)) {
            (b'\\', false) => escaped = true,
            (b'\n', false) => lines.push(String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned()),
            (byte, _) => line.push(*byte),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_has_variables() {
        let mut block =
            b"# GRUB Environment Block\nsaved_entry=abc-5.14.0\nkernelopts=root=/dev/mapper/vg-root ro \\\\x\nboot_success=0\n"
                .to_vec();
        block.resize(GRUBENV_SIZE, b'#');
        let variables = parse_grubenv(&block).unwrap();
        assert_eq!(variables["saved_entry"], "abc-5.14.0");
        assert_eq!(variables["kernelopts"], "root=/dev/mapper/vg-root ro \\x");
        assert_eq!(variables.len(), 3);
        assert_eq!(parse_grubenv(b"saved_entry=x\n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_grubenv(&[SIGNATURE, &bytes].concat());
        }
    }
}
