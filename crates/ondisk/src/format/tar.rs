//! tar archives, of which an OVA is one.
//!
//! Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format"; GNU tar manual, "Basic Tar
//! Format" and "Storing Sparse Files"; star(5); DMTF DSP0243 (OVF), 5.3.

/// Headers stand at multiples of this many bytes, and data is padded to them.
pub const BLOCK: u64 = 512;
/// `kind` of a file; 0 is the same from before POSIX, 7 a file that should be contiguous.
pub const KIND_FILE: [u8; 3] = *b"0\x007";
/// `kind` of a hard link: no data, whatever the size field says, except in pax archives.
pub const KIND_HARD_LINK: u8 = b'1';
/// `kind` of a symbolic link: no data.
pub const KIND_SYMBOLIC_LINK: u8 = b'2';
/// `kind` of a member whose data is the name of the next one: GNU.
pub const KIND_LONG_NAME: u8 = b'L';
/// `kind` of a sparse file of which the header holds a map: GNU's older form.
pub const KIND_SPARSE: u8 = b'S';
/// `kind` of the rest of a file that began in another volume: GNU.
pub const KIND_CONTINUED: u8 = b'M';
/// `kind` of a member whose data are records about the next one: pax, and Solaris' form from before POSIX.
pub const KIND_PAX: [u8; 2] = *b"xX";
/// `kind` of a member whose data are records about all that follow: pax.
pub const KIND_PAX_GLOBAL: u8 = b'g';
/// The other values of `kind` that are no files: devices, folders and pipes; GNU's folder contents, long link names, old
/// long names and volume names; access control lists and extended attributes of Solaris, inodes of star. Whatever is not
/// named here is a file, as POSIX has it.
pub const KIND_OTHER: [u8; 11] = *b"3456DKNVAEI";

/// The header of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The member's name, padded with NULs.
    pub name: [u8; 100],
    /// Bytes of its data: octal digits, or with the highest bit set a big-endian number.
    pub size: [u8; 12],
    /// Sum of the header's bytes with this field as spaces, in octal digits.
    pub checksum: [u8; 8],
    /// Values such as [`KIND_FILE`].
    pub kind: u8,
    /// [`Header::MAGIC`], followed by a NUL and version 00, or in GNU's older form by two spaces and a NUL. Other bytes in
    /// archives from before POSIX.
    pub magic: [u8; 8],
    /// What comes before the name and a slash, padded with NULs: POSIX only.
    pub prefix: [u8; 155],
    /// [`Header::STAR`] in the archives of star, where the prefix is shorter.
    pub star: [u8; 4],
    /// GNU, [`KIND_SPARSE`]: the first pieces of the map.
    pub sparse: [SparseEntry; 4],
    /// GNU, [`KIND_SPARSE`]: whether a [`SparseExtension`] follows.
    pub is_extended: bool,
    /// GNU, [`KIND_SPARSE`]: bytes of the file with its holes.
    pub real_size: [u8; 12],
    /// What the bytes add up to.
    pub sum: u32,
    /// The same of bytes with a sign, as some old programs have it.
    pub signed_sum: i32,
}

/// One piece of a sparse file that is stored. GNU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SparseEntry {
    /// Where in the file it belongs.
    pub offset: [u8; 12],
    /// How long it is. Without a first byte the entry is not in use, and no later one is.
    pub length: [u8; 12],
}

impl SparseEntry {
    const SIZE: usize = 24;

    fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut entry = Self::default();
        entry.offset.copy_from_slice(&b[..12]);
        entry.length.copy_from_slice(&b[12..]);
        entry
    }

    fn decode_all<const N: usize>(b: &[u8]) -> [Self; N] {
        let mut entries = [Self::default(); N];
        entries.iter_mut().zip(b.as_chunks().0).for_each(|(entry, bytes)| *entry = Self::decode(bytes));
        entries
    }
}

/// A block with more of a sparse file's map, between the header and the data. GNU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseExtension {
    /// The next pieces of the map.
    pub entries: [SparseEntry; 21],
    /// Whether another extension follows.
    pub is_extended: bool,
}

impl SparseExtension {
    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Header::SIZE]) -> Self {
        Self { entries: SparseEntry::decode_all(b), is_extended: b[504] != 0 }
    }
}

impl Header {
    /// Bytes of a header.
    pub const SIZE: usize = 512;
    /// Begin of `magic`.
    pub const MAGIC: [u8; 5] = *b"ustar";
    /// `magic` of POSIX, before the version.
    pub const MAGIC_POSIX: [u8; 6] = *b"ustar\0";
    /// `magic` of GNU's older form.
    pub const MAGIC_GNU: [u8; 8] = *b"ustar  \0";
    /// `star` in the archives of star.
    pub const STAR: [u8; 4] = *b"tar\0";
    /// Bytes of the prefix there.
    const STAR_PREFIX: usize = 131;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let signed = |bytes: &[u8]| bytes.iter().map(|byte| i32::from(byte.cast_signed())).sum::<i32>();
        let mut header = Self {
            name: [0; 100],
            size: [0; 12],
            checksum: [0; 8],
            kind: b[156],
            magic: [0; 8],
            prefix: [0; 155],
            star: [b[508], b[509], b[510], b[511]],
            sparse: SparseEntry::decode_all(&b[386..482]),
            is_extended: b[482] != 0,
            real_size: [0; 12],
            sum: sum(&b[..148]) + 8 * u32::from(b' ') + sum(&b[156..]),
            signed_sum: signed(&b[..148]) + 8 * i32::from(b' ') + signed(&b[156..]),
        };
        header.name.copy_from_slice(&b[..100]);
        header.size.copy_from_slice(&b[124..136]);
        header.checksum.copy_from_slice(&b[148..156]);
        header.magic.copy_from_slice(&b[257..265]);
        header.prefix.copy_from_slice(&b[345..500]);
        header.real_size.copy_from_slice(&b[483..495]);
        header
    }

    /// Whether the header may be the first of an archive: the checksum is right, and the magic is there or, as in the oldest
    /// archives, nothing is.
    pub fn begins_archive(&self) -> bool {
        let is_new = self.magic.starts_with(&Self::MAGIC);
        let is_old = self.magic[..5] == [0; 5] && self.name[0] != 0;
        (is_new || is_old) && self.is_sound()
    }

    /// Whether one of the two sums of the bytes is the one that the header has.
    pub fn is_sound(&self) -> bool {
        octal(&self.checksum).is_some_and(|sum| {
            sum == u64::from(self.sum) || u64::try_from(self.signed_sum).is_ok_and(|signed| signed == sum)
        })
    }

    /// Whether the fields after the magic are those of GNU's older form.
    pub fn is_gnu(&self) -> bool {
        self.magic == Self::MAGIC_GNU
    }

    /// Bytes of the member; `None` if that is no number, or more than 64 bits have.
    pub fn member_size(&self) -> Option<u64> {
        number(&self.size)
    }

    /// The member's name, as far as this header has it.
    pub fn path(&self) -> Vec<u8> {
        let name = up_to_nul(&self.name);
        let prefix = if self.star == Self::STAR { &self.prefix[..Self::STAR_PREFIX] } else { &self.prefix };
        let prefix = up_to_nul(prefix);
        // In GNU's older form other fields stand there.
        if self.magic.starts_with(&Self::MAGIC_POSIX) && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }
}

/// A number in a header: octal digits, or with the highest bit set a big-endian number. `None` if it is neither, is
/// negative, or is more than 64 bits have.
pub fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        return octal(field);
    }
    let bytes = std::iter::once(first & 0x7f).chain(rest.iter().copied());
    bytes.into_iter().try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add(byte.into()))
}

/// Digits after spaces or NULs; a space or a NUL ends them.
fn octal(field: &[u8]) -> Option<u64> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_blank(byte))?;
    let digits = field.get(start..)?.split(is_blank).next()?;
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        number.checked_mul(8)?.checked_add(digit.into())
    })
}

fn up_to_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_counts_its_own_field_as_spaces() {
        let mut b = [0; Header::SIZE];
        b[0] = 5;
        b[148..156].copy_from_slice(b"0001464\0");
        b[257..262].copy_from_slice(b"ustar");
        let header = Header::decode(&b);
        assert_eq!(header.sum, 5 + 8 * 32 + b"ustar".iter().map(|c| u32::from(*c)).sum::<u32>());
        assert_eq!((&header.checksum, &header.magic), (b"0001464\0", b"ustar\0\0\0"));
        assert!(header.begins_archive());
    }

    #[test]
    fn bytes_above_127_may_count_with_a_sign() {
        let mut b = [0; Header::SIZE];
        b[..2].copy_from_slice(&[b'a', 0xe4]);
        for sum in [97 + 0xe4 + 256, 97 + 0xe4 - 256 + 256] {
            b[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert!(Header::decode(&b).is_sound(), "{sum}");
        }
        b[148..156].copy_from_slice(b"000001\0 ");
        assert!(!Header::decode(&b).is_sound());
    }

    #[test]
    fn a_size_is_octal_or_a_number() {
        let mut b = [0; Header::SIZE];
        for (field, size) in [
            (b"00000001750\0", Some(1000)),
            (b"  1750 \0\0\0\0\0", Some(1000)),
            (b"777777777777", Some((1 << 36) - 1)),
            (&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1], Some((2 << 32) + 1)),
            (&[0xff; 12], None),
            (b"eight       ", None),
            (b"+0000001750\0", None),
            (b"0000000175:\0", None),
            (&[0; 12], None),
        ] {
            b[124..136].copy_from_slice(field);
            assert_eq!(Header::decode(&b).member_size(), size, "{field:?}");
        }
    }

    #[test]
    fn a_prefix_is_one_of_posix_only() {
        let mut b = [0; Header::SIZE];
        b[..4].copy_from_slice(b"name");
        b[345..348].copy_from_slice(b"dir");
        for (magic, path) in [(b"ustar\x0000", &b"dir/name"[..]), (b"ustar  \0", b"name"), (&[0; 8], b"name")]
        {
            b[257..265].copy_from_slice(magic);
            assert_eq!(Header::decode(&b).path(), path);
        }
        // star keeps times behind its shorter prefix.
        b[257..265].copy_from_slice(b"ustar\x0000");
        b[345..500].fill(b'p');
        b[508..].copy_from_slice(b"tar\0");
        assert_eq!(Header::decode(&b).path().len(), 131 + 5);
    }
}
