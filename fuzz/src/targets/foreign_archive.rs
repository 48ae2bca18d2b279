//! Input: a first byte that chooses between a sparse file read as a tar archive, bytes that are expanded as they are, and
//! bytes that are compressed first and then cut.
//!
//! Oracle: members of an archive lie in it one after the other, in its order, each at a whole block, and are found where a
//! member's header tells; a compressed stream gives the same in whatever pieces; what was compressed comes out as it was, and
//! no stream that was cut ends as if it were whole.

use std::io::Write;

use imsprep_foreign::{Slice, Unwrapped, Wrapper, members};
use imsprep_source::{MemoryImage, ReadAt, Result};

use crate::plant::planted;
use crate::random::noise;
use crate::sparse::SparseFile;

/// Bytes that are expanded at most.
const MOST: usize = 1 << 20;
const WRAPPERS: [Wrapper; 3] = [Wrapper::Gzip, Wrapper::Xz, Wrapper::Zstd];

/// See the module.
pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let wrapper = WRAPPERS[usize::from(choice / 4) % WRAPPERS.len()];
    match choice % 4 {
        0 | 1 => run_tar(rest, choice % 2 == 1),
        2 => run_stream(rest, wrapper),
        _ => run_compressed(rest, wrapper),
    }
}

fn run_tar(input: &[u8], sealed: bool) {
    let mut file = SparseFile::decode(input, 1 << 40);
    if sealed {
        seal(&mut file);
    }
    let whole = Slice::whole(&file);
    let Ok(found) = members(whole) else { return };
    let found = planted(found, |found| found.reverse());
    // The naive walk: a header, its data, and on to the next whole block.
    let (mut at, mut expected) = (0, Vec::new());
    while let Some(header) = file.peek::<512>(at).filter(|header| *header != [0; 512]) {
        let size = naive_size(&header);
        if matches!(header[156], b'0' | 0 | b'7') {
            expected.push((at + 512, size));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    assert_eq!(found.len(), expected.len(), "members");
    let mut bytes = [0; 64];
    for (member, (start, size)) in found.iter().zip(expected) {
        assert_eq!(member.bytes.size(), size, "{:?}", member.name);
        let length = size.min(64) as usize;
        member.bytes.read_at(&mut bytes[..length], 0).expect("a member lies in the archive");
        for (place, byte) in bytes[..length].iter().enumerate() {
            assert_eq!(file.peek::<1>(start + place as u64), Some([*byte]), "{:?}", member.name);
        }
        assert!(member.bytes.read_at(&mut bytes[..1], size).is_err(), "a byte beyond a member");
    }
}

/// The size of a member, digit by digit.
fn naive_size(header: &[u8; 512]) -> u64 {
    let field = &header[124..136];
    if field[0] & 0x80 != 0 {
        return field[4..].iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    }
    let digits = field.iter().filter(|byte| matches!(byte, b'0'..=b'7'));
    digits.fold(0, |size, digit| size * 8 + u64::from(*digit - b'0'))
}

/// Puts the sums of the headers right, as far as they follow one another.
fn seal(file: &mut SparseFile) {
    let mut at = 0;
    for _ in 0..64 {
        let Some(header) = file.peek::<512>(at).filter(|header| *header != [0; 512]) else { return };
        let sum = header.iter().enumerate().filter(|(place, _)| !(148..156).contains(place));
        let sum = sum.map(|(_, byte)| u32::from(*byte)).sum::<u32>() + 8 * 32;
        file.write(at + 148, format!("{sum:06o}\0 ").into_bytes());
        let Some(next) =
            naive_size(&header).checked_next_multiple_of(512).and_then(|size| at.checked_add(512 + size))
        else {
            return;
        };
        at = next;
    }
}

fn run_stream(packed: &[u8], wrapper: Wrapper) {
    let image = MemoryImage::new("packed", packed.to_vec());
    let whole = expand(&image, wrapper, MOST);
    for piece in [4096, 61] {
        let pieces = expand(&image, wrapper, piece);
        match (&whole, &pieces) {
            (Ok(whole), Ok(pieces)) => {
                let whole = planted(whole.clone(), |whole| whole.push(0));
                assert!(whole == *pieces, "in pieces of {piece}");
            }
            (Err(_), Err(_)) => {}
            _ => panic!("in pieces of {piece}: {:?} and {:?}", whole.is_ok(), pieces.is_ok()),
        }
    }
}

/// All that comes out, as far as it is looked at.
fn expand(image: &MemoryImage, wrapper: Wrapper, piece: usize) -> Result<Vec<u8>> {
    let mut stream = Unwrapped::open(Slice::whole(image), wrapper)?;
    let mut bytes = vec![0; MOST];
    let mut filled = 0;
    while filled < MOST {
        let wanted = piece.min(MOST - filled);
        let count = stream.fill(&mut bytes[filled..filled + wanted])?;
        filled += count;
        if count < wanted {
            break;
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn run_compressed(data: &[u8], wrapper: Wrapper) {
    let Some(([a, b], plain)) = data.split_first_chunk() else { return };
    let plain = plain.repeat(1 + usize::from(a % 8) * 40);
    let plain = &plain[..plain.len().min(MOST - 1)];
    let packed = match wrapper {
        Wrapper::Zstd => zstd::bulk::compress(plain, 1 + i32::from(a % 4)).expect("a compressor"),
        // xz has no compressor here.
        Wrapper::Gzip | Wrapper::Xz => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(u32::from(a % 4)));
            encoder.write_all(plain).expect("into memory");
            encoder.finish().expect("into memory")
        }
    };
    let wrapper = if wrapper == Wrapper::Xz { Wrapper::Gzip } else { wrapper };
    let image = MemoryImage::new("packed", packed.clone());
    let found = expand(&image, wrapper, 8192).expect("a sound stream");
    assert!(planted(found, |found| found.truncate(found.len() / 2)) == plain, "{} bytes", plain.len());
    let cut = 1 + usize::from(*b) % (packed.len() - 1);
    let image = MemoryImage::new("cut", packed[..cut].to_vec());
    assert!(expand(&image, wrapper, 8192).is_err(), "{cut} of {} bytes passed for the whole", packed.len());
}

/// An archive of two members, and streams of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut archive = Vec::new();
    for (name, content) in [("box.ovf", &b"<Envelope/>"[..]), ("disk.raw", &[7; 600][..])] {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        archive.extend(header);
        archive.extend(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    let plain = b"what is in it ".repeat(20);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).expect("into memory");
    let gzip = gzip.finish().expect("into memory");
    let zstd = zstd::bulk::compress(&plain, 3).expect("a compressor");
    let xz = std::fs::read(imsprep_testdata::folder().join("golden.tar.xz")).expect("golden.tar.xz");
    vec![
        [vec![1], SparseFile::encode_bytes(&archive)].concat(),
        [vec![2], gzip.repeat(2)].concat(),
        // The beginning of a stream, which is an error at its end.
        [vec![6], xz[..4096].to_vec()].concat(),
        // One block of nothing: header, index, footer.
        [vec![6], EMPTY_XZ.to_vec()].concat(),
        [vec![10], zstd.repeat(2)].concat(),
        [vec![3, 1, 9], noise(1, 300)].concat(),
        [vec![11, 2, 9], noise(2, 300)].concat(),
    ]
}

/// What `xz` makes of no bytes.
const EMPTY_XZ: [u8; 32] = [
    0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46, 0, 0, 0, 0, 0x1c, 0xdf, 0x44, 0x21, 0x1f,
    0xb6, 0xf3, 0x7d, 1, 0, 0, 0, 0, 4, b'Y', b'Z',
];
