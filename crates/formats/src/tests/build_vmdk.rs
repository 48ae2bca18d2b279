//! Builds VMDK files.

use std::io::Write;

use imsprep_ondisk::format::vmdk::{
    FLAG_COMPRESSED, FLAG_MARKERS, FLAG_ZERO_GRAINS, GD_AT_END, SparseHeader,
};

/// What a grain is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Absent,
    /// By an entry of 1.
    Zeros,
    There(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Compressed,
    /// Compressed, with markers, the grain directory reported by the footer.
    Stream,
}

pub(super) struct Built {
    pub(super) bytes: Vec<u8>,
    /// Where the header, or the footer, is that counts.
    pub(super) header: usize,
    pub(super) directory: usize,
    /// Of the first grain table that is there.
    pub(super) table: Option<usize>,
}

pub(super) fn build(form: Form, grain: usize, sectors: u64, kinds: &[Kind]) -> Built {
    let mut header = [0; SparseHeader::SIZE];
    header[..4].copy_from_slice(&SparseHeader::MAGIC);
    header[4..8].copy_from_slice(&1_u32.to_le_bytes());
    let packing = match form {
        Form::Plain => 0,
        Form::Compressed => FLAG_COMPRESSED,
        Form::Stream => FLAG_COMPRESSED | FLAG_MARKERS,
    };
    header[8..12].copy_from_slice(&(3 | FLAG_ZERO_GRAINS | packing).to_le_bytes());
    header[12..20].copy_from_slice(&sectors.to_le_bytes());
    header[20..28].copy_from_slice(&(grain as u64 / 512).to_le_bytes());
    header[44..48].copy_from_slice(&512_u32.to_le_bytes());
    header[56..64].copy_from_slice(&GD_AT_END.to_le_bytes());
    header[77] = u8::from(form != Form::Plain);
    let mut bytes = header.to_vec();
    // No grain begins at sector 1, which as an entry is a grain of zeros.
    bytes.resize(1024, 0);
    let (mut directory, mut first) = (Vec::new(), None);
    for (number, group) in kinds.chunks(512).enumerate() {
        if group.iter().all(|kind| matches!(kind, Kind::Absent)) {
            directory.push(0);
            continue;
        }
        let mut table = Vec::new();
        for (index, kind) in group.iter().enumerate() {
            table.push(match kind {
                Kind::Absent => 0,
                Kind::Zeros => 1,
                Kind::There(content) => {
                    let sector = (number * 512 + index) as u64 * (grain as u64 / 512);
                    append(&mut bytes, &grain_bytes(form, sector, content))
                }
            });
        }
        table.resize(512, 0);
        let table = table.iter().flat_map(|entry: &u32| entry.to_le_bytes()).collect::<Vec<_>>();
        let at = append(&mut bytes, &table);
        first.get_or_insert(at as usize * 512);
        directory.push(at);
    }
    let directory = directory.iter().flat_map(|entry| entry.to_le_bytes()).collect::<Vec<_>>();
    let at = append(&mut bytes, &directory);
    header[56..64].copy_from_slice(&u64::from(at).to_le_bytes());
    let mut place = 0;
    if form == Form::Stream {
        // A marker, the footer, and the marker of the end.
        append(&mut bytes, &[0; 512]);
        place = append(&mut bytes, &header) as usize * 512;
        append(&mut bytes, &[0; 512]);
    } else {
        bytes[..512].copy_from_slice(&header);
    }
    Built { bytes, header: place, directory: at as usize * 512, table: first }
}

/// Appends at the next sector, and returns its number.
fn append(bytes: &mut Vec<u8>, what: &[u8]) -> u32 {
    let at = bytes.len() / 512;
    bytes.extend(what);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    u32::try_from(at).unwrap()
}

fn grain_bytes(form: Form, sector: u64, content: &[u8]) -> Vec<u8> {
    if form == Form::Plain {
        return content.to_vec();
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    let packed = encoder.finish().unwrap();
    if form == Form::Compressed {
        return packed;
    }
    let size = u32::try_from(packed.len()).unwrap();
    [&sector.to_le_bytes()[..], &size.to_le_bytes(), &packed].concat()
}
