//! Input: a first byte that chooses between a sparse file read as a tar archive, bytes that are expanded as they are, and
//! bytes that are compressed first and then cut.
//!
//! Oracle: the disks of an archive are reported in its order, lie in it, and are where a naive walk over headers, sizes and maps
//! finds them; with their holes they read as the map says. A compressed stream gives the same in whatever pieces; what was compressed comes out as it was, and
//! no stream that was cut ends as if it were whole.

use std::io::Write;

use imsprep_detect::{Fact, look_into_tar};
use imsprep_formats::{Slice, Unwrapped, Wrapper};
use imsprep_source::{MemoryImage, ReadAt, Result, SparseMap, Stored};

use crate::plant::planted;
use crate::random::noise;
use crate::sparse::SparseFile;

/// Bytes that are expanded at most.
const MOST: usize = 1 << 20;
const WRAPPERS: [Wrapper; 4] = [Wrapper::Gzip, Wrapper::Xz, Wrapper::Zstd, Wrapper::Bzip2];

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
    let found = look_into_tar(&file).expect("a file in memory can be read");
    let maps = found.members.iter().filter_map(|member| member.map.clone()).collect::<Vec<_>>();
    let maps = planted(maps, |maps| maps.reverse());
    let is_cut = found.facts.iter().any(|fact| matches!(fact, Fact::OutsideFile(_)));
    let naive = naive_maps(&file);
    let mut rest = naive.as_ref().map(|naive| naive.iter());
    for map in &maps {
        // Whatever is reported lies in the file, but for the last member of an archive that was cut.
        assert!(map.end_in_source() <= file.size() || is_cut, "beyond the end: {map:?}");
        if let Some(rest) = &mut rest {
            assert!(rest.any(|other| other == &**map), "not where a naive walk finds it: {map:?}");
        }
        let Some(disk) = Slice::mapped(&file, map.clone()) else { continue };
        assert_eq!(disk.size(), map.size());
        let places = map.pieces().iter().take(8).flat_map(|piece| [piece.start, piece.start + piece.length]);
        for at in places.chain([0]).filter(|at| *at < disk.size()) {
            let stored =
                map.pieces().iter().find(|piece| (piece.start..piece.start + piece.length).contains(&at));
            let expected =
                stored.map_or(Some([0]), |piece| file.peek::<1>(piece.offset + (at - piece.start)));
            let mut byte = [9];
            disk.read_at(&mut byte, at).expect("a member lies in the archive");
            assert_eq!(Some(byte), expected, "at {at} of {map:?}");
        }
        assert!(disk.read_at(&mut [0], disk.size()).is_err(), "a byte beyond a member");
    }
}

/// Members that the naive walk looks at.
const MEMBERS: usize = 64;

/// Where the files are: a header, its data, and on to the next whole block. Of pax only the size and the map of version 0.1
/// count, of GNU's older form the map in the header. `None` if there is more than that.
fn naive_maps(file: &SparseFile) -> Option<Vec<SparseMap>> {
    let (mut at, mut maps) = (0, Vec::new());
    let (mut size, mut sparse) = (None, None::<(u64, Vec<u64>)>);
    while let Some(header) = file.peek::<512>(at).filter(|header| *header != [0; 512]) {
        if maps.len() == MEMBERS {
            return None;
        }
        let own = naive_size(&header[124..136]);
        let data = at + 512;
        let mut end = own;
        match header[156] {
            b'x' | b'X' => {
                let text =
                    (0..own.min(4097)).filter_map(|n| file.peek::<1>(data + n)).flatten().collect::<Vec<_>>();
                for (key, value) in naive_records(&text)? {
                    match key {
                        "size" => size = value.parse().ok(),
                        "GNU.sparse.size" => sparse.get_or_insert_default().0 = value.parse().ok()?,
                        "GNU.sparse.map" => {
                            let numbers = value
                                .split(',')
                                .map(|n| n.parse::<u64>().ok())
                                .collect::<Option<Vec<_>>>()?;
                            sparse.get_or_insert_default().1.extend(numbers);
                        }
                        "GNU.sparse.name" => _ = sparse.get_or_insert_default(),
                        _ if key.starts_with("GNU.") => return None,
                        _ => {}
                    }
                }
            }
            b'L' | b'K' => {}
            b'g' => return None,
            kind => {
                end = size.take().unwrap_or(own);
                let sparse = sparse.take();
                match (kind, sparse) {
                    (b'S', _) if header[482] != 0 => return None,
                    (b'S', _) => {
                        let numbers = header[386..482].chunks(24).take_while(|entry| entry[12] != 0);
                        let numbers =
                            numbers.flat_map(|entry| [naive_size(&entry[..12]), naive_size(&entry[12..])]);
                        maps.extend(naive_map(
                            data,
                            naive_size(&header[483..495]),
                            &numbers.collect::<Vec<_>>(),
                        ));
                    }
                    (b'1' | b'2', _) => end = 0,
                    (_, Some((real, map))) => maps.extend(naive_map(data, real, &map)),
                    (_, None) => maps.extend(SparseMap::plain(data, end)),
                }
            }
        }
        let Some(next) = end.checked_next_multiple_of(512).and_then(|end| data.checked_add(end)) else {
            break;
        };
        at = next;
    }
    Some(maps)
}

/// `LENGTH KEY=VALUE` in lines, as long as they say. `None` if that is not all of it.
fn naive_records(mut text: &[u8]) -> Option<Vec<(&str, &str)>> {
    let mut records = Vec::new();
    while !text.is_empty() {
        let (record, rest) =
            text.split_at_checked(str::from_utf8(text).ok()?.split_once(' ')?.0.parse().ok()?)?;
        let (_, pair) = str::from_utf8(record).ok()?.strip_suffix('\n')?.split_once(' ')?;
        records.push(pair.split_once('=')?);
        text = rest;
    }
    Some(records)
}

fn naive_map(data: u64, size: u64, numbers: &[u64]) -> Option<SparseMap> {
    let mut offset = data;
    let pieces = numbers.chunks_exact(2).map(|pair| {
        let piece = Stored { start: pair[0], offset, length: pair[1] };
        offset = offset.saturating_add(pair[1]);
        piece
    });
    SparseMap::new(size, pieces.collect::<Vec<_>>())
}

/// A number in a header, digit by digit.
fn naive_size(field: &[u8]) -> u64 {
    if field[0] & 0x80 != 0 {
        return field[4..].iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    }
    let digits = field.iter().skip_while(|byte| matches!(byte, b' ' | 0));
    let digits = digits.take_while(|byte| matches!(byte, b'0'..=b'7'));
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
        let size = naive_size(&header[124..136]);
        let data = size.checked_next_multiple_of(512);
        let Some(next) = data.and_then(|data| data.checked_add(512)?.checked_add(at)) else { return };
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

/// All that comes out, as far as it is read.
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

/// A frame of blocks that are stored as they are: blocks of 64 KiB, no checksums but that of the header.
fn lz4(plain: &[u8]) -> Vec<u8> {
    let mut frame = b"\x04\x22\x4d\x18\x60\x40\x82".to_vec();
    for block in plain.chunks(64 << 10) {
        frame.extend((block.len() as u32 | 1 << 31).to_le_bytes());
        frame.extend(block);
    }
    frame.extend([0; 4]);
    frame
}

fn run_compressed(data: &[u8], wrapper: Wrapper) {
    let Some(([a, b], plain)) = data.split_first_chunk() else { return };
    let plain = plain.repeat(1 + usize::from(a % 8) * 40);
    let plain = &plain[..plain.len().min(MOST - 1)];
    let packed = match wrapper {
        Wrapper::Zstd => zstd::bulk::compress(plain, 1 + i32::from(a % 4)).expect("a compressor"),
        Wrapper::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(plain).expect("into memory");
            encoder.finish().expect("into memory")
        }
        Wrapper::Lz4 => lz4(plain),
        // xz has no compressor here, and members of a ZIP have a target of their own.
        Wrapper::Gzip | Wrapper::Xz | Wrapper::Member(_) => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(u32::from(a % 4)));
            encoder.write_all(plain).expect("into memory");
            encoder.finish().expect("into memory")
        }
    };
    let wrapper = if matches!(wrapper, Wrapper::Xz | Wrapper::Member(_)) { Wrapper::Gzip } else { wrapper };
    let image = MemoryImage::new("packed", packed.clone());
    let found = expand(&image, wrapper, 8192).expect("a sound stream");
    assert!(planted(found, |found| found.truncate(found.len() / 2)) == plain, "{} bytes", plain.len());
    let cut = 1 + usize::from(*b) % (packed.len() - 1);
    let image = MemoryImage::new("cut", packed[..cut].to_vec());
    assert!(expand(&image, wrapper, 8192).is_err(), "{cut} of {} bytes passed for the whole", packed.len());
}

/// An archive with members of each form, and streams of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let map = b"00000001000\x0000000000004\x0000000004000\x0000000000005\0";
    let records =
        [&b"26 GNU.sparse.map=0,5,9,1\n"[..], b"22 GNU.sparse.size=40\n", b"28 GNU.sparse.name=disk.raw\n"]
            .concat();
    let mut archive = Vec::new();
    for (name, kind, content, sparse) in [
        ("box.ovf", b'0', &b"<Envelope/>"[..], None),
        ("disk.raw", b'0', &[7; 600], None),
        ("x", b'x', b"10 size=7\n", None),
        ("sized.raw", b'0', b"seventh", None),
        ("x", b'x', &records, None),
        ("mapped.raw", b'0', b"sparse", None),
        ("@LongLink", b'L', b"a longer name.img\0", None),
        ("long", b'0', &[8; 30], None),
        ("old.raw", b'S', b"ninebytes", Some(map)),
    ] {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[156] = kind;
        header[257..265].copy_from_slice(if sparse.is_some() { b"ustar  \0" } else { b"ustar\x0000" });
        if let Some(map) = sparse {
            header[386..386 + map.len()].copy_from_slice(map);
            header[483..495].copy_from_slice(b"00000010000\0");
        }
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
