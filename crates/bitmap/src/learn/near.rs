//! Of hypotheses that fail: the one that comes nearest, and where it fails.

use imsprep_source::BlockSize;

use super::expected::Expected;
use crate::binary::MapForm;
use crate::frame::SectionKind;
use crate::summary::summary_of_map;

/// A failed hypothesis.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// What it supposes, in words.
    pub summary: String,
    /// The sample in which it fails, counted from 0.
    pub sample: usize,
    /// The first byte of that file that is not as it should be.
    pub offset: u64,
    /// How it fails there, in words.
    pub what: String,
}

/// How far a hypothesis came: first by stage, then by how little is wrong.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Grade {
    stage: u8,
    right: f64,
}

#[derive(Debug, Default)]
pub(super) struct NearestSoFar(Option<(Grade, Nearest)>);

/// Headers that programs are wont to write.
const USUAL_HEADERS: [usize; 14] = [0, 4, 8, 12, 16, 20, 24, 32, 48, 64, 128, 512, 1024, 4096];
/// Pieces of the bits that are looked up, to find where the rest of them might stand.
const ANCHORS: usize = 8;
const ANCHOR_LENGTH: usize = 16;
/// A hypothesis is near if there are at most so many wrong bits for each block of the rarer kind: a file of zeros is near to
/// any that is mostly zeros by another measure.
const NEAR: f64 = 0.125;

impl NearestSoFar {
    /// The map is nowhere as it should be.
    pub(super) fn map_differs<'a>(
        &mut self,
        block_size: BlockSize,
        map: MapForm,
        pairs: impl Iterator<Item = (&'a [u8], &'a Expected)> + Clone,
    ) {
        let Some((first, first_expected)) = pairs.clone().next() else { return };
        let places = first_expected.places_in_words();
        for header in likely_headers(first, first_expected) {
            let (mut wrong, mut all, mut fewer, mut where_wrong) = (0, 0, 0u64, None);
            for (number, (sample, expected)) in pairs.clone().enumerate() {
                let Some(bad) = expected.wrong_places(sample, header) else { continue };
                wrong += bad;
                all += expected.blocks();
                fewer += expected.fewer();
                if where_wrong.is_none() && bad > 0 {
                    where_wrong = expected.first_wrong(sample, header).map(|byte| (number, header + byte));
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a share to compare with others")]
            let share = wrong as f64 / (fewer as f64).max(1.0);
            let Some((sample, offset)) = where_wrong else { continue };
            if share <= NEAR {
                let what = format!("{wrong} of {all} {places} are not what the content asks for");
                let grade = Grade { stage: 0, right: 1.0 - share };
                self.offer(grade, block_size, map, header, sample, offset as u64, what);
            }
        }
    }

    /// The bits fit, and what follows them fits no padding.
    pub(super) fn tail_differs(&mut self, block_size: BlockSize, map: MapForm, header: usize, after: u64) {
        let what =
            "the map fits in every sample, but the bytes after them are neither padding nor a known trailer"
                .to_owned();
        self.offer(Grade { stage: 1, right: 1.0 }, block_size, map, header, 0, after, what);
    }

    /// Bits and padding fit, and a byte of header or trailer is neither the same in every sample nor a known number.
    pub(super) fn section_differs(
        &mut self,
        block_size: BlockSize,
        map: MapForm,
        header: usize,
        place: SectionKind,
        at: usize,
        offset: u64,
    ) {
        let what = format!(
            "the map fits, and byte {at} of the {place} differs between the samples and is not a known number"
        );
        self.offer(Grade { stage: 2, right: 1.0 }, block_size, map, header, 0, offset, what);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of what is kept, each named by its caller")]
    fn offer(
        &mut self,
        grade: Grade,
        block_size: BlockSize,
        map: MapForm,
        header: usize,
        sample: usize,
        offset: u64,
        what: String,
    ) {
        if self.0.as_ref().is_none_or(|(best, _)| grade > *best) {
            let summary = format!("{}, after a header of {header} bytes", summary_of_map(block_size, map));
            self.0 = Some((grade, Nearest { summary, sample, offset, what }));
        }
    }

    /// Whether any failed hypothesis comes near.
    pub(super) fn is_near(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn into_nearest(self) -> Option<Nearest> {
        self.0.map(|(_, nearest)| nearest)
    }
}

/// Where the bits may begin although they are not all as they should be: where a piece of them was found, at the usual
/// lengths of headers, and so that they end with the file.
fn likely_headers(sample: &[u8], expected: &Expected) -> Vec<usize> {
    let Some(room) = sample.len().checked_sub(expected.len()) else { return Vec::new() };
    let bits = expected.bytes();
    let step = (bits.len() / ANCHORS).max(1);
    let anchors = (0..bits.len()).step_by(step).filter_map(|at| {
        let piece = bits.get(at..at + ANCHOR_LENGTH)?;
        // A piece that is all alike is found everywhere.
        piece.iter().any(|byte| Some(byte) != piece.first()).then_some(())?;
        memchr::memmem::find(sample, piece)?.checked_sub(at)
    });
    let mut headers = USUAL_HEADERS.into_iter().chain([room]).chain(anchors).collect::<Vec<_>>();
    headers.retain(|header| *header <= room);
    headers.sort_unstable();
    headers.dedup();
    headers
}
