//! Input: as for `zvhd2_file`, with a second flag for a caller who says how large the disk was.
//!
//! Oracle: what is saved makes a container in which the checker finds no error, with exactly the blocks that were reported; each
//! holds what the damaged file's reader reads there, where that can be read; a sound file loses nothing; and repairing once
//! more gives the same bytes.

use imsprep_findings::Report;
use imsprep_source::{Cancel, MemoryImage, ReadAt, StreamOutput, Work};
use imsprep_zvhd2::{Depth, Method, Missing, Reader, Salvage, check};

use super::zvhd2_file::{MOST, assert_readable_if_sound, bytes_of, file_of, small};
use crate::plant::planted;
use crate::sparse::SparseFile;

const BLOCK: u64 = 2 << 20;
/// The disk's size, if the caller gives it.
const TOLD: u64 = 8 << 20;
/// The largest disk of which a new container is written.
const LARGEST: u64 = 1 << 40;

/// See the module.
pub fn run(data: &[u8]) {
    crate::pool::single();
    let (Some(flags), Some(file)) = (data.first(), file_of(data)) else { return };
    let cancel = Cancel::new();
    let told = (flags & 2 != 0).then_some(TOLD);
    let Ok(salvage) = Salvage::look(&file, told, Work::new(&(), &cancel)) else { return };
    // What a file says of its size decides how much is written; the rest of the fuzzing has to go on.
    if salvage.label.orig_size > LARGEST {
        return;
    }
    let saved = write(&salvage, &file);
    // A repair that loses a byte is the bug to be found.
    let saved = planted(saved, |saved| {
        saved.pop();
    });
    let again = MemoryImage::new("saved", saved.clone());
    let checked = check(&again, Depth::Content, Work::new(&(), &cancel)).expect("it is a container");
    assert!(!checked.report.has_errors(), "{:#?}", checked.report.findings());
    assert_eq!(checked.info.data_blocks.unwrap_or(0), salvage.saved());

    let twice = Salvage::look(&again, None, Work::new(&(), &cancel)).expect("a sound file");
    assert_eq!((&twice.missing, twice.dropped, twice.saved()), (&Missing::Nothing, 0, salvage.saved()));
    assert!(write(&twice, &again) == saved, "repaired twice it is another file");

    // Where the counts contradict the bitmap, repair may take a block for data that the reader takes for zeros.
    let Ok(before) = check(&file, Depth::Content, Work::new(&(), &cancel)) else { return };
    let reader = Reader::open(&again, &cancel).expect("no error was found");
    if let Ok(damaged) = Reader::open(&file, &cancel)
        && agrees_on_counts(&before.report)
    {
        assert_same_blocks(&salvage, &damaged, &reader);
    }
    if before.report.findings().is_empty() && before.report.not_checked().is_empty() {
        assert_eq!(
            (&salvage.missing, salvage.dropped),
            (&Missing::Nothing, 0),
            "a sound file lost something"
        );
    }
    assert_readable_if_sound(&file, &before);
}

/// Whether the bitmap's count is that of MID and END, as far as they are there.
fn agrees_on_counts(report: &Report) -> bool {
    !report.findings().iter().any(|finding| matches!(finding.rule.code, "ZV-013" | "ZV-045"))
}

fn write(salvage: &Salvage, source: &dyn ReadAt) -> Vec<u8> {
    let mut out = StreamOutput::new("saved", Vec::new());
    let written = salvage
        .write(source, &mut out, Work::new(&(), &Cancel::new()))
        .expect("what was found can be written");
    let bytes = out.finish().expect("into memory");
    assert_eq!((written.records, written.file_size), (salvage.saved(), bytes.len() as u64));
    bytes
}

/// Of the first blocks that were saved, what each file holds there.
fn assert_same_blocks(salvage: &Salvage, damaged: &Reader<'_>, saved: &Reader<'_>) {
    let spans = salvage.saved_blocks();
    let blocks = spans.iter().flat_map(|span| span.first..span.first + span.count);
    let (mut before, mut after) = (vec![0; BLOCK as usize], vec![0; BLOCK as usize]);
    let size = damaged.size().min(saved.size());
    for number in blocks.take(8) {
        let start = u64::from(number) * BLOCK;
        let length = BLOCK.min(size.saturating_sub(start)) as usize;
        saved.read_at(&mut after[..length], start).expect("no error was found");
        if damaged.read_at(&mut before[..length], start).is_ok() {
            assert!(before[..length] == after[..length], "block {number} is saved as another");
        }
    }
}

/// Sound containers, and some with a part gone.
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |flags, file: &[u8]| [vec![flags], SparseFile::encode_bytes(file)].concat();
    let sound = bytes_of(&small(Method::Zstd));
    let (mut headless, mut endless) = (sound.clone(), sound.clone());
    headless[..4096].fill(0);
    endless.truncate(sound.len() - 4096);
    let cut = sound[..9000].to_vec();
    let mut seeds = vec![
        seed(1, &sound),
        seed(1, &bytes_of(&small(Method::Zlib))),
        seed(1, &headless),
        seed(1, &endless),
    ];
    seeds.push(seed(0, &cut));
    headless.truncate(9000);
    seeds.push(seed(2, &headless));
    let golden = imsprep_testdata::golden_files().iter().filter(|(name, _)| name.starts_with("variant_"));
    seeds.extend(golden.map(|(_, file)| seed(0, file)).filter(|input| input.len() < 60_000));
    assert!(MOST > sound.len() as u64);
    seeds
}
