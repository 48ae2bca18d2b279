//! The command line of `imsprep bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use imsprep_bench::{CacheState, Case};

use super::size::parse_image_size;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bench                                        all cases, 2 GiB, warm and cold, all rivals
  imsprep bench --case half --cache warm --no-rivals   one row, only imsprep
  imsprep bench disk.raw --html disk.html              an image of yours, with a page to look at
  imsprep bench --case zvhd2 --rounds 9                conversion and checks of ZVHD2
  imsprep bench --case foreign --rounds 9              conversion of other formats to ZVHD2
  imsprep bench --size 8G --strict --html bench.html   as in docs/performance.md, nothing left out

A row is one image in one state of the cache. Each program runs --rounds times in each row, so a run takes as long as \
the slowest rival reads, times rounds, programs and rows: plan for many minutes with the default, for hours with 8G on a \
slow disk. The times mean something only if nothing else runs meanwhile.

Before each sample of a cold row the image is put out of the page cache. As root, the page cache of the whole machine is \
dropped for that, which slows down whatever else runs on it.

The ZVHD2 and foreign cases have at most 1 GiB and are only measured warm. libzstd alone works on blocks that lie in memory, in \
this process, with as many threads: what any program that compresses or expands them can reach at most. What imsprep and \
qemu-img write is compared with the image, once, outside of the time that counts. imsprep flushes its output to the disk, \
qemu-img does not; both write into memory, too.

--folder needs room for the largest image and for one copy of it: rivals that copy write a copy there. It should be on the \
disk that is to be measured; a file system in memory has no cold rows. What is made there is removed at the end.

Exit status: 0 measured, 1 imsprep itself found other blocks than there are (or, with --strict, something was not \
measured), 2 could not measure.")]
pub(crate) struct BenchArgs {
    /// RAW images to measure on; they are only read. Without --case no others are made
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Bytes of the images that are made: a number, or one with K, M, G or T (8G = 8GiB). Sparse ones are 12.5 times as
    /// large, the empty one has 1 TiB; those for ZVHD2 and other formats at most 1 GiB
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = parse_image_size)]
    pub(crate) size: u64,
    /// Images to make; may be given several times [default: all, or none if there is a FILE]
    #[arg(long = "case", value_name = "CASE", value_delimiter = ',')]
    pub(crate) cases: Vec<CaseName>,
    /// State of the page cache to measure in; may be given several times [default: both]
    #[arg(long = "cache", value_name = "STATE", value_delimiter = ',')]
    pub(crate) caches: Vec<CacheName>,
    /// Samples of each program in each row
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Where the images are made, and copies of them by rivals that copy
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Measure only imsprep
    #[arg(long)]
    pub(crate) no_rivals: bool,
    /// Write a page with plots, too: one file that needs no network
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
    /// Replace OUT if it exists; never an image
    #[arg(long, requires = "html")]
    pub(crate) force: bool,
    /// Exit 1 also if a rival is absent or anything else was not measured
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The images by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CaseName {
    /// Zeros that the file system keeps: all has to be read
    Zeros,
    /// Every second block random data, the others such zeros
    Half,
    /// Random data
    Data,
    /// One other byte in each block of zeros, where no probe looks: the honest worst case
    Worst,
    /// The four below
    Sparse,
    /// Mostly a hole; the data in one piece
    SparseOne,
    /// Mostly holes; the data in pieces of 2 MiB
    #[value(name = "sparse-2m")]
    Sparse2M,
    /// Mostly holes; the data in pieces of 4 KiB
    #[value(name = "sparse-4k")]
    Sparse4K,
    /// 1 TiB of hole
    Empty,
    /// The three below
    Zvhd2,
    /// RAW to ZVHD2, beside libzstd and qemu-img's compressed qcow2
    #[value(name = "zvhd2-convert")]
    Convert,
    /// A ZVHD2 checked with all its content, beside libzstd
    #[value(name = "zvhd2-check")]
    Check,
    /// The structure of a ZVHD2 of 300 000 records
    #[value(name = "zvhd2-quick")]
    Quick,
    /// The four below
    Foreign,
    /// qcow2 to ZVHD2, beside qemu-img convert to RAW and our conversion of that
    #[value(name = "foreign-qcow2")]
    Qcow2,
    /// The same of one that zlib compressed
    #[value(name = "foreign-zlib")]
    Qcow2Zlib,
    /// The same of one that zstd compressed
    #[value(name = "foreign-zstd")]
    Qcow2Zstd,
    /// The same of a dynamic VHD
    #[value(name = "foreign-vhd")]
    Vhd,
}

impl CaseName {
    fn stands_for(self, case: Case) -> bool {
        match self {
            Self::Zeros => case == Case::Zeros,
            Self::Half => case == Case::Half,
            Self::Data => case == Case::Data,
            Self::Worst => case == Case::Worst,
            Self::Sparse => case.is_sparse(),
            Self::SparseOne => case == Case::SparseOne,
            Self::Sparse2M => case == Case::Sparse2M,
            Self::Sparse4K => case == Case::Sparse4K,
            Self::Empty => case == Case::Empty,
            Self::Zvhd2 => case.is_zvhd2(),
            Self::Convert => case == Case::Convert,
            Self::Check => case == Case::Check,
            Self::Quick => case == Case::Quick,
            Self::Foreign => case.is_foreign(),
            Self::Qcow2 => case == Case::Qcow2,
            Self::Qcow2Zlib => case == Case::Qcow2Zlib,
            Self::Qcow2Zstd => case == Case::Qcow2Zstd,
            Self::Vhd => case == Case::Vhd,
        }
    }
}

/// The states of the cache by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheName {
    /// All of the image is in memory
    Warm,
    /// None of it
    Cold,
}

impl From<CacheName> for CacheState {
    fn from(name: CacheName) -> Self {
        match name {
            CacheName::Warm => Self::Warm,
            CacheName::Cold => Self::Cold,
        }
    }
}

impl BenchArgs {
    /// The images to make, each once, in the order in which they are measured.
    pub(crate) fn cases_to_make(&self) -> Vec<Case> {
        let all = self.cases.is_empty() && self.files.is_empty();
        let asked = |case: &Case| all || self.cases.iter().any(|name| name.stands_for(*case));
        Case::ALL.into_iter().filter(asked).collect()
    }

    /// The states to measure in, each once, warm first.
    pub(crate) fn cache_states(&self) -> Vec<CacheState> {
        let asked = |state: &CacheState| {
            self.caches.is_empty() || self.caches.iter().any(|name| *state == (*name).into())
        };
        [CacheState::Warm, CacheState::Cold].into_iter().filter(asked).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: BenchArgs,
    }

    fn parse(line: &[&str]) -> BenchArgs {
        Line::try_parse_from([&["bench"], line].concat()).unwrap().args
    }

    #[test]
    fn without_anything_all_is_measured() {
        let args = parse(&[]);
        assert_eq!(args.cases_to_make(), Case::ALL);
        assert_eq!(args.cache_states(), [CacheState::Warm, CacheState::Cold]);
        assert_eq!((args.size, args.rounds), (2 << 30, 5));
    }

    #[test]
    fn files_alone_are_measured_alone() {
        assert_eq!(parse(&["disk.raw"]).cases_to_make(), []);
        assert_eq!(parse(&["disk.raw", "--case", "half"]).cases_to_make(), [Case::Half]);
    }

    #[test]
    fn sparse_stands_for_four_cases_and_each_is_measured_once() {
        let four = [Case::SparseOne, Case::Sparse2M, Case::Sparse4K, Case::Empty];
        assert_eq!(parse(&["--case", "sparse"]).cases_to_make(), four);
        let line = ["--case", "empty", "--case", "sparse", "--case", "zeros,zeros"];
        assert_eq!(parse(&line).cases_to_make(), [&[Case::Zeros][..], &four].concat());
        assert_eq!(parse(&["--cache", "cold,cold"]).cache_states(), [CacheState::Cold]);
    }

    #[test]
    fn zvhd2_stands_for_three_cases() {
        let three = [Case::Convert, Case::Check, Case::Quick];
        assert_eq!(parse(&["--case", "zvhd2"]).cases_to_make(), three);
        assert_eq!(parse(&["--case", "zvhd2-quick,zvhd2"]).cases_to_make(), three);
    }

    #[test]
    fn foreign_stands_for_four_cases() {
        let four = [Case::Qcow2, Case::Qcow2Zlib, Case::Qcow2Zstd, Case::Vhd];
        assert_eq!(parse(&["--case", "foreign"]).cases_to_make(), four);
    }

    #[test]
    fn every_case_has_the_name_that_reports_give_it() {
        for case in Case::ALL {
            assert_eq!(parse(&["--case", case.name()]).cases_to_make(), [case]);
        }
    }

    #[test]
    fn force_is_about_the_page() {
        assert!(Line::try_parse_from(["bench", "--force"]).is_err());
        assert!(parse(&["--force", "--html", "a.html"]).force);
    }
}
