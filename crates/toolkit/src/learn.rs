//! Learning a bitmap layout from genuine files, and images that help with it.

use std::path::{Path, PathBuf};

use imsprep_bitmap::layout::{LONGEST, MOST_BLOCKS};
use imsprep_bitmap::learn::{Learned, Sample, finest_block_size, learn};
use imsprep_bitmap::{Specimen, describe_layout};
use imsprep_detect::detect;
use imsprep_scan::{IoMode, Scan, ScanOptions, scan};
use imsprep_source::{BlockSize, Cancel, ImageFile, Input, OutputFile, Overwrite, ReadAt, Work};

use crate::bitmap::refuse_unless_raw;
use crate::{Error, LearnedProgram, Result};

/// A genuine bitmap file and the RAW that it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplePair {
    /// The RAW.
    pub image: PathBuf,
    /// The bitmap file.
    pub sample: PathBuf,
}

/// What came of looking for a layout.
#[derive(Debug)]
pub struct LearnedLayout {
    /// The samples.
    pub pairs: Vec<SamplePair>,
    /// Their lengths.
    pub lengths: Vec<u64>,
    /// What the images hold.
    pub scans: Vec<Scan>,
    /// What the samples show.
    pub learned: Learned,
}

impl LearnedLayout {
    /// The description of the layout, if exactly one fits, with the samples and all that was taken to be so named in
    /// comments.
    pub fn description(&self) -> Option<String> {
        let Learned::One(hypothesis) = &self.learned else { return None };
        let mut notes = vec!["A bitmap layout, learned by imsprep. It reproduces byte for byte:".to_owned()];
        for (pair, length) in self.pairs.iter().zip(&self.lengths) {
            // A name may hold anything, and a comment is one line.
            let name = pair.sample.display().to_string().escape_debug().to_string();
            notes.push(format!("  {name}, {length} bytes"));
        }
        if !hypothesis.assumptions.is_empty() {
            notes.push("Not proven by the samples:".to_owned());
            notes.extend(hypothesis.assumptions.iter().map(|assumption| format!("  {assumption}")));
        }
        describe_layout(&hypothesis.layout, &notes)
    }
}

/// Looks for the layout of genuine bitmap files. Each image is scanned once.
///
/// # Errors
///
/// [`Error::NotRaw`]; [`Error::NoSample`] if a sample or an image is of no use; what reading brings. That no layout was found
/// is a result.
pub fn learn_layout(pairs: &[SamplePair], io: IoMode, work: Work<'_>) -> Result<LearnedLayout> {
    let mut files = Vec::new();
    for pair in pairs {
        let image = ImageFile::open(&pair.image)?;
        refuse_unless_raw(&pair.image, &detect(&image)?)?;
        let no_sample = |path: &Path, why| Error::NoSample { path: path.to_owned(), why };
        if image.size() == 0 {
            return Err(no_sample(&pair.image, "the image is empty: nothing can be learned from it"));
        }
        let file = ImageFile::open(&pair.sample)?;
        if file.size() == 0 {
            return Err(no_sample(&pair.sample, "it is empty"));
        }
        if file.size() > LONGEST {
            return Err(no_sample(&pair.sample, "it is larger than 64 MiB, the maximum for a bitmap file"));
        }
        let mut bytes = vec![0; usize::try_from(file.size()).unwrap_or(0)];
        file.read_at(&mut bytes, 0)?;
        files.push((image, bytes));
    }
    let lengths = files.iter().map(|(_, bytes)| bytes.len() as u64).collect::<Vec<_>>();
    // The finest blocks whose bits fit into every sample.
    let finest =
        files.iter().zip(&lengths).map(|((image, _), length)| finest_block_size(*length, image.size()));
    let finest = finest.map(|finest| finest.unwrap_or(BlockSize::MAX)).max().unwrap_or(BlockSize::MAX);
    let learn_in = |block_size| -> Result<(Vec<Scan>, Learned)> {
        let options = ScanOptions { block_size, io };
        let scans =
            files.iter().map(|(image, _)| Ok(scan(image, &options, work)?)).collect::<Result<Vec<Scan>>>()?;
        let samples = files.iter().zip(&scans).map(|((_, bytes), scan)| Sample { bytes, content: &scan.map });
        let learned = learn(&samples.collect::<Vec<_>>());
        Ok((scans, learned))
    };
    let (mut scans, mut learned) = learn_in(finest.min(BlockSize::MIB_2))?;
    // The length of a list of runs shows nothing of the size of its blocks: it is looked for in the smallest ones.
    let few_blocks = files.iter().all(|(image, _)| BlockSize::MIN.blocks_in(image.size()) <= MOST_BLOCKS);
    if matches!(learned, Learned::None { .. }) && few_blocks {
        let (fine_scans, of_lists) = learn_in(BlockSize::MIN)?;
        if !matches!(of_lists, Learned::None { .. }) {
            (scans, learned) = (fine_scans, of_lists);
        }
    }
    Ok(LearnedLayout { pairs: pairs.to_vec(), lengths, scans, learned })
}

/// Writes the description of a layout that was learned from these pairs.
///
/// # Errors
///
/// What writing brings.
pub fn write_description(path: &Path, text: &str, overwrite: Overwrite, pairs: &[SamplePair]) -> Result<()> {
    let inputs = Input::existing(pairs.iter().flat_map(|pair| [&pair.image, &pair.sample]));
    let mut output = OutputFile::create_from(path, overwrite, &inputs)?;
    output.write_all(text.as_bytes())?;
    Ok(output.commit()?)
}

/// Writes the description of a layout that was proven against a program; never over one of the program's files.
///
/// # Errors
///
/// What writing brings.
pub fn write_proven(path: &Path, text: &str, overwrite: Overwrite, program: &LearnedProgram) -> Result<()> {
    let inputs = Input::existing(program.paths());
    let mut output = OutputFile::create_from(path, overwrite, &inputs)?;
    output.write_all(text.as_bytes())?;
    Ok(output.commit()?)
}

/// A small image that was made to have the vendor's program make its bitmap file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecimenMade {
    /// The image.
    pub path: PathBuf,
    /// Its size.
    pub size: u64,
    /// Bytes of it that are not zero; the rest are holes.
    pub data_bytes: u64,
}

/// Writes a small RAW whose bitmap file distinguishes layouts.
///
/// # Errors
///
/// What writing brings.
pub fn make_specimen(
    path: &Path,
    specimen: Specimen,
    overwrite: Overwrite,
    cancel: &Cancel,
) -> Result<SpecimenMade> {
    let mut output = OutputFile::create(path, overwrite, &[])?;
    output.set_len(specimen.size())?;
    let mut data_bytes = 0;
    for sector in specimen.sectors() {
        cancel.check()?;
        let bytes = Specimen::sector_bytes(sector);
        // The last sector of a disk may be partial.
        let length = usize::try_from(specimen.size() - sector).unwrap_or(bytes.len()).min(bytes.len());
        output.write_at(bytes.get(..length).unwrap_or_default(), sector)?;
        data_bytes += length as u64;
    }
    output.commit()?;
    Ok(SpecimenMade { path: path.to_owned(), size: specimen.size(), data_bytes })
}
