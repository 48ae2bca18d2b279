//! Input: flags, then a sparse file, read as a container whatever it holds. By the first flag the checksums of HEAD and END
//! are put right, so that changes of what they guard get further.
//!
//! Oracle: where the checker finds no error the reader reads every block, and finds the data blocks that the checker counted;
//! a deeper look finds all that a shallower one does; findings lie in the file; a disk that can be opened reads the same in
//! whatever pieces.

use std::collections::BTreeMap;

use imsprep_findings::Report;
use imsprep_ondisk::format::zvhd2::{Footer, IndexEntry};
use imsprep_source::{Cancel, DiskReader, ReadAt, Work};
use imsprep_zvhd2::{CheckedContainer, Depth, Method, Reader, check, info};

use super::build_zvhd2::{Image, block, compress, zvhd1};
use crate::disk::assert_consistent;
use crate::plant::planted;
use crate::sparse::SparseFile;

/// Bytes of a file at most: room for the index of some segments.
pub(super) const MOST: u64 = 16 << 20;
const BLOCK: u64 = 2 << 20;

/// See the module.
pub fn run(data: &[u8]) {
    crate::pool::single();
    let Some(file) = file_of(data) else { return };
    let cancel = Cancel::new();
    let told = info(&file);
    let structure = check(&file, Depth::Structure, Work::new(&(), &cancel));
    let content = check(&file, Depth::Content, Work::new(&(), &cancel));
    assert_eq!(
        (told.is_ok(), structure.is_ok()),
        (content.is_ok(), content.is_ok()),
        "what is no container at all"
    );
    let (Ok(structure), Ok(content)) = (structure, content) else { return };
    // A check that skips the errors is the bug to be found.
    let content = planted(content, |content| content.report = Report::new());
    for finding in content.report.findings() {
        assert!(finding.offset.is_none_or(|at| at <= file.size()), "{finding:?}");
    }
    for (code, count) in &counts(&structure.report) {
        assert!(
            counts(&content.report).get(code) >= Some(count),
            "{code} is found by the shallower look alone"
        );
    }
    assert_readable_if_sound(&file, &content);
    if let Ok(reader) = Reader::open(&file, &cancel) {
        // Expanding a block is the dear part, so the disk is not looked at all over.
        if reader.data_blocks() <= 4 {
            assert_consistent(&reader);
        }
    }
}

/// The file in an input.
pub(super) fn file_of(data: &[u8]) -> Option<SparseFile> {
    let (flags, rest) = data.split_first()?;
    let mut file = SparseFile::decode(rest, MOST);
    if flags & 1 != 0 {
        seal(&mut file);
    }
    Some(file)
}

/// Puts the checksums of the footers at both ends right.
fn seal(file: &mut SparseFile) {
    for at in [Some(0), file.size().checked_sub(4096)].into_iter().flatten() {
        if let Some(bytes) = file.peek(at) {
            let footer = Footer::decode(&bytes);
            if footer.is_v2() || footer.is_v1() {
                file.write(at, footer.sealed().encode().to_vec());
            }
        }
    }
}

fn counts(report: &Report) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for tally in report.tallies() {
        *counts.entry(tally.rule.code).or_default() += tally.total;
    }
    counts
}

/// What holds for every file in which the checker found no error, and looked at all of it.
pub(super) fn assert_readable_if_sound(file: &SparseFile, content: &CheckedContainer) {
    if content.report.has_errors() || !content.report.not_checked().is_empty() {
        return;
    }
    let reader = Reader::open(file, &Cancel::new()).expect("no error was found, so it can be opened");
    let map = reader.block_map().expect("a small disk");
    let counted = content.info.data_blocks.unwrap_or(0);
    assert_eq!((map.data_count(), reader.data_blocks()), (counted, counted), "data blocks");
    let mut bytes = vec![0; BLOCK as usize];
    for number in map.data_blocks() {
        let start = number * BLOCK;
        let length = BLOCK.min(reader.size().saturating_sub(start)) as usize;
        reader.read_at(&mut bytes[..length], start).expect("no error was found, so every block can be read");
        let told = reader.data_from(start).expect("an index that was read").map(|extent| extent.start);
        assert!(length == 0 || told == Some(start), "block {number} is data, and none is told from {told:?}");
    }
}

/// Small containers of each kind, and what the reference's readers take and refuse.
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |flags, file: &[u8]| [vec![flags], SparseFile::encode_bytes(file)].concat();
    let mut seeds = Vec::new();
    for method in [Method::Zstd, Method::Zlib] {
        seeds.push(seed(1, &bytes_of(&small(method))));
        let by_number = small(method).by_block();
        seeds.push(seed(1, &bytes_of(&by_number)));
    }
    seeds.push(seed(1, &zvhd1(8 << 20, &[(0, block(1)), (3, block(2))])));
    for (name, file) in imsprep_testdata::golden_files() {
        let input = seed(0, file);
        // Those of random content are of megabytes.
        if input.len() < 20_000 {
            seeds.push(input);
        } else if name.starts_with("variant_") && input.len() < 60_000 {
            seeds.push(input);
        }
    }
    seeds
}

/// A container of 8 MiB with two data blocks that compress to little.
pub(super) fn small(method: Method) -> Image {
    let plain = |byte| compress(method, &vec![byte; BLOCK as usize]);
    Image::from_payloads(method, 8 << 20, vec![(0, plain(7)), (2, plain(9))])
}

/// The file of an image, with zeros for what the builder fills the index up with: the fuzzer would have to carry it along.
pub(super) fn bytes_of(image: &Image) -> Vec<u8> {
    let mut file = image.bytes();
    let entries = image.entries.len() * IndexEntry::SIZE;
    file[image.end.index_lba as usize + entries..image.end.bitmap_lba as usize].fill(0);
    file
}
