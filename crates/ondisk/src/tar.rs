//! tar archives, of which an OVA is one.
//!
//! Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format"; GNU tar manual, "Basic Tar
//! Format"; DMTF DSP0243 (OVF), 5.3.

/// Headers stand at multiples of this many bytes, and data is padded to them.
pub const BLOCK: u64 = 512;
/// `kind` of a file; 0 is the same from before POSIX.
pub const KIND_FILE: [u8; 2] = *b"0\0";
/// `kind` of a member whose data is the name of the next one: GNU.
pub const KIND_LONG_NAME: u8 = b'L';
/// `kind` of a member whose data are records about the next one: pax.
pub const KIND_PAX: u8 = b'x';

/// The header of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The member's name, padded with NULs.
    pub name: [u8; 100],
    /// Bytes of its data: octal digits, or with the highest bit set a big-endian number.
    pub size: [u8; 12],
    /// Sum of the header's bytes with this field as spaces, in octal digits.
    pub checksum: [u8; 8],
    /// [`KIND_FILE`] and the like.
    pub kind: u8,
    /// [`Header::MAGIC`], followed by a NUL and version 00, or in GNU's older form by two spaces and a NUL. Other bytes in
    /// archives from before POSIX.
    pub magic: [u8; 5],
    /// What comes before the name and a slash, padded with NULs: POSIX only.
    pub prefix: [u8; 155],
    /// What the bytes add up to.
    pub sum: u32,
}

impl Header {
    /// Bytes of a header.
    pub const SIZE: usize = 512;
    /// Value of `magic`.
    pub const MAGIC: [u8; 5] = *b"ustar";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let mut header = Self {
            name: [0; 100],
            size: [0; 12],
            checksum: [0; 8],
            kind: b[156],
            magic: [0; 5],
            prefix: [0; 155],
            sum: sum(&b[..148]) + 8 * u32::from(b' ') + sum(&b[156..]),
        };
        header.name.copy_from_slice(&b[..100]);
        header.size.copy_from_slice(&b[124..136]);
        header.checksum.copy_from_slice(&b[148..156]);
        header.magic.copy_from_slice(&b[257..262]);
        header.prefix.copy_from_slice(&b[345..500]);
        header
    }
}

impl Header {
    /// Whether the member is a regular file; others are links, folders, and more on the member that follows.
    pub fn is_file(&self) -> bool {
        KIND_FILE.contains(&self.kind) || self.kind == b'7'
    }

    /// Whether the sum of the bytes is the one that the header has.
    pub fn is_sound(&self) -> bool {
        octal(&self.checksum) == Some(self.sum.into())
    }

    /// Bytes of the member; `None` if that is no number, or more than 64 bits have.
    pub fn member_size(&self) -> Option<u64> {
        let [first, rest @ ..] = &self.size;
        if first & 0x80 == 0 {
            return octal(&self.size);
        }
        let bytes = std::iter::once(first & 0x7f).chain(rest.iter().copied());
        bytes.into_iter().try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add(byte.into()))
    }
}

fn octal(digits: &[u8]) -> Option<u64> {
    let text = str::from_utf8(digits).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_counts_its_own_field_as_spaces() {
        let mut b = [0; Header::SIZE];
        b[0] = 5;
        b[148..156].copy_from_slice(b"0000405\0");
        b[257..262].copy_from_slice(b"ustar");
        let header = Header::decode(&b);
        assert_eq!(header.sum, 5 + 8 * 32 + b"ustar".iter().map(|c| u32::from(*c)).sum::<u32>());
        assert_eq!((&header.checksum, &header.magic), (b"0000405\0", b"ustar"));
    }

    #[test]
    fn a_size_is_octal_or_a_number() {
        let mut b = [0; Header::SIZE];
        b[124..136].copy_from_slice(b"00000001750\0");
        assert_eq!(Header::decode(&b).member_size(), Some(1000));
        b[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]);
        assert_eq!(Header::decode(&b).member_size(), Some((2 << 32) + 1));
        b[124..136].fill(0xff);
        assert_eq!(Header::decode(&b).member_size(), None);
        b[124..136].copy_from_slice(b"eight       ");
        assert_eq!(Header::decode(&b).member_size(), None);
    }
}
