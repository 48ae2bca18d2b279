//! ZIP archives that are built member by member, with whatever is wrong with them.

use std::io::Write;

/// What a header has on a member: its own, or the one in the directory.
#[derive(Clone, Debug)]
pub struct ZipHeader {
    /// Its name.
    pub name: Vec<u8>,
    /// General purpose flags.
    pub flags: u16,
    /// Compression method.
    pub method: u16,
    /// CRC-32 of the bytes.
    pub crc: u32,
    /// Bytes of the data.
    pub packed: u64,
    /// Bytes unpacked.
    pub size: u64,
}

/// A member of an archive.
#[derive(Clone, Debug)]
pub struct ZipMember {
    /// Its own header.
    pub local: ZipHeader,
    /// Its entry in the directory.
    pub central: ZipHeader,
    /// What stands behind the header.
    pub data: Vec<u8>,
    /// What stands behind the data.
    pub descriptor: Vec<u8>,
    /// Where the directory says that it is, if that is not where it is.
    pub offset: Option<u32>,
    /// The attributes that Unix uses.
    pub mode: u16,
    /// Whether sizes are in extra fields of ZIP64.
    pub is_zip64: bool,
}

impl ZipMember {
    /// A member of this method, whose data is `data`.
    pub fn new(name: &str, method: u16, bytes: &[u8], data: Vec<u8>) -> Self {
        let crc = crc32fast::hash(bytes);
        let (packed, size) = (data.len() as u64, bytes.len() as u64);
        let header = ZipHeader { name: name.into(), flags: 0, method, crc, packed, size };
        Self {
            local: header.clone(),
            central: header,
            data,
            descriptor: Vec::new(),
            offset: None,
            mode: 0,
            is_zip64: false,
        }
    }

    /// A member that is stored as it is.
    pub fn stored(name: &str, bytes: &[u8]) -> Self {
        Self::new(name, 0, bytes, bytes.to_vec())
    }

    /// A member that is compressed with deflate.
    pub fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        let data = encoder.write_all(bytes).and_then(|()| encoder.finish());
        Self::new(name, 8, bytes, data.expect("memory does not fail"))
    }

    /// The same with a descriptor behind the data, of which the header knew nothing.
    #[must_use]
    pub fn with_descriptor(mut self, has_magic: bool, is_long: bool) -> Self {
        let ZipHeader { crc, packed, size, .. } = self.central;
        if has_magic {
            self.descriptor.extend(b"PK\x07\x08");
        }
        self.descriptor.extend(crc.to_le_bytes());
        for number in [packed, size] {
            self.descriptor.extend(number.to_le_bytes().iter().take(if is_long { 8 } else { 4 }));
        }
        (self.local.crc, self.local.packed, self.local.size) = (0, 0, 0);
        self.local.flags |= 8;
        self.central.flags |= 8;
        self
    }
}

fn fields(header: &ZipHeader, is_zip64: bool) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = Vec::new();
    bytes.extend(if is_zip64 { 45_u16 } else { 20 }.to_le_bytes());
    bytes.extend(header.flags.to_le_bytes());
    bytes.extend(header.method.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(header.crc.to_le_bytes());
    let mut extra = Vec::new();
    if is_zip64 {
        bytes.extend([0xff; 8]);
        extra.extend([1, 0, 16, 0]);
        extra.extend(header.size.to_le_bytes());
        extra.extend(header.packed.to_le_bytes());
    } else {
        bytes.extend(header.packed.to_le_bytes().iter().take(4));
        bytes.extend(header.size.to_le_bytes().iter().take(4));
    }
    bytes.extend(u16::try_from(header.name.len()).expect("names are short").to_le_bytes());
    bytes.extend(u16::try_from(extra.len()).expect("one field").to_le_bytes());
    (bytes, extra)
}

/// An archive of these members.
pub fn zip_archive(members: &[ZipMember]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let at = u32::try_from(archive.len()).expect("archives of tests are small");
        let (bytes, extra) = fields(&member.local, member.is_zip64);
        archive.extend(b"PK\x03\x04");
        for part in [&bytes, &member.local.name, &extra, &member.data, &member.descriptor] {
            archive.extend(part);
        }
        let (bytes, extra) = fields(&member.central, member.is_zip64);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(bytes);
        directory.extend([0; 6]);
        directory.extend([0; 2]);
        directory.extend(member.mode.to_le_bytes());
        directory.extend(member.offset.unwrap_or(at).to_le_bytes());
        directory.extend(&member.central.name);
        directory.extend(extra);
    }
    let at = archive.len() as u64;
    let length = directory.len() as u64;
    archive.extend(directory);
    let count = members.len() as u64;
    if members.iter().any(|member| member.is_zip64) {
        let end = archive.len() as u64;
        archive.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\x03\x2d\0\0\0\0\0\0\0\0\0");
        [count, count, length, at].iter().for_each(|number| archive.extend(number.to_le_bytes()));
        archive.extend(b"PK\x06\x07\0\0\0\0");
        archive.extend(end.to_le_bytes());
        archive.extend(1_u32.to_le_bytes());
    }
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(count.to_le_bytes().iter().take(2));
    archive.extend(count.to_le_bytes().iter().take(2));
    archive.extend(length.to_le_bytes().iter().take(4));
    archive.extend(at.to_le_bytes().iter().take(4));
    archive.extend([0; 2]);
    archive
}
