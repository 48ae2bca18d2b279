//! The command line of `imsprep bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use imsprep_bench::{CacheState, Case, FileTask, Wrapped};

use super::size::parse_image_size;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bench                                        all cases, 2 GiB, warm and cold, all programs
  imsprep bench --case half --cache warm --no-rivals   one row, only imsprep
  imsprep bench disk.raw --html disk.html              your own image, with an HTML report
  imsprep bench --case zvhd2 --rounds 9                conversion and checks of ZVHD2
  imsprep bench --case foreign --rounds 9              conversion of other formats to ZVHD2
  imsprep bench --case wrapped --size 1G               conversion of compressed images, and prepare
  imsprep bench --case sparsify --size 12G             what convert --sparsify saves on a file system in use
  imsprep bench --case sparsify disk.raw               the same on your own disk, such as one with XFS or NTFS
  imsprep bench --case learn --rounds 3                learning the layout of bitmap files from a program
  imsprep bench --case guest server.raw                how long it takes to find out the operating system
  imsprep bench --size 8G --strict --html bench.html   as in docs/performance.md

A row is one image in one state of the page cache. Each program runs --rounds times in each row. A run takes many minutes with \
the default settings, and hours with 8G on a slow disk. Nothing else should run on the machine during that time.

Before each sample of a cold row the image is evicted from the page cache. As root, this drops the page cache of the whole machine \
and slows down everything else that runs on it.

The images of the ZVHD2, foreign and wrapped cases have at most 1 GiB; these cases and learn are only measured warm. The row libzstd works on blocks in the \
memory of this process, with the same number of threads; it is the upper limit for any program that compresses or decompresses \
them. The output of imsprep and qemu-img is compared with the image once, outside of the measured time. imsprep flushes its output \
to the disk, qemu-img does not; both are also measured writing to memory.

The image of the case sparsify is an ext4 made by mkfs.ext4 and debugfs: two thirds are written, and 65 % of that is deleted again. \
The same files in a new file system are converted as well, to compare the sizes. The output of convert --sparsify is compared with \
the image by compare --sparsify. If IMSPREP_VIRT_SPARSIFY is the path of virt-sparsify, and IMSPREP_OTHER_BUILD that of another build \
of imsprep, they take part; the latter also in the wrapped cases.

--folder needs free disk space for the largest image and one copy of it, which programs that copy write there. It should be on the \
disk to be measured; a file system in memory has no cold rows. Files created there are removed at the end.

Exit status: 0 measured; 1 imsprep itself found wrong blocks (or, with --strict, something was not measured); 2 could not \
measure.")]
pub(crate) struct BenchArgs {
    /// RAW images to measure on; they are only read. Without --case no other images are created
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Size of the created images: bytes, or a number with K, M, G or T (8G = 8GiB). Sparse images are 12.5 times as large,
    /// the empty one has 1 TiB; those for ZVHD2 and other formats have at most 1 GiB
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = parse_image_size)]
    pub(crate) size: u64,
    /// Images to create (repeatable) [default: all, or none if there is a FILE]
    #[arg(long = "case", value_name = "CASE", value_delimiter = ',')]
    pub(crate) cases: Vec<CaseName>,
    /// State of the page cache to measure in (repeatable) [default: both]
    #[arg(long = "cache", value_name = "STATE", value_delimiter = ',')]
    pub(crate) caches: Vec<CacheName>,
    /// Samples of each program in each row
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Folder for the created images, and for copies of them by programs that copy
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Measure only imsprep
    #[arg(long)]
    pub(crate) no_rivals: bool,
    /// Also write an HTML report with plots to OUT; it needs no network
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
    /// Replace OUT if it exists; never an image
    #[arg(long, requires = "html")]
    pub(crate) force: bool,
    /// Also exit with status 1 if a program is missing or anything else was not measured
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The images by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CaseName {
    /// Allocated zeros: everything has to be read
    Zeros,
    /// Every second block random data, the others allocated zeros
    Half,
    /// Random data
    Data,
    /// One byte in each block of zeros, at a place that is not sampled: the worst case
    Worst,
    /// The next four
    Sparse,
    /// Mostly a hole; the data in one piece
    SparseOne,
    /// Mostly holes; the data in pieces of 2 MiB
    #[value(name = "sparse-2m")]
    Sparse2M,
    /// Mostly holes; the data in pieces of 4 KiB
    #[value(name = "sparse-4k")]
    Sparse4K,
    /// A hole of 1 TiB
    Empty,
    /// The next three
    Zvhd2,
    /// RAW to ZVHD2, compared with libzstd and with the compressed qcow2 of qemu-img
    #[value(name = "zvhd2-convert")]
    Convert,
    /// A check of a ZVHD2 with its content, compared with libzstd
    #[value(name = "zvhd2-check")]
    Check,
    /// A check of the structure of a ZVHD2 with 300 000 records
    #[value(name = "zvhd2-quick")]
    Quick,
    /// The next four
    Foreign,
    /// qcow2 to ZVHD2, compared with qemu-img convert to RAW and our conversion of the RAW
    #[value(name = "foreign-qcow2")]
    Qcow2,
    /// The same with a qcow2 compressed by zlib
    #[value(name = "foreign-zlib")]
    Qcow2Zlib,
    /// The same with a qcow2 compressed by zstd
    #[value(name = "foreign-zstd")]
    Qcow2Zstd,
    /// The same with a dynamic VHD
    #[value(name = "foreign-vhd")]
    Vhd,
    /// The next seven
    Wrapped,
    /// RAW in xz of several blocks to ZVHD2, compared with xz -dT2 and our conversion of the RAW
    #[value(name = "wrapped-xz")]
    XzBlocks,
    /// The same with an xz of one block
    #[value(name = "wrapped-xz-one")]
    Xz,
    /// RAW in gzip to ZVHD2
    #[value(name = "wrapped-gz")]
    Gzip,
    /// qcow2 compressed by zlib to ZVHD2
    #[value(name = "wrapped-zlib")]
    WrappedZlib,
    /// VMDK, streamOptimized, to ZVHD2
    #[value(name = "wrapped-vmdk")]
    Vmdk,
    /// qcow2 in xz to ZVHD2, compared with xz -dT2 and our conversion of the qcow2
    #[value(name = "wrapped-qcow2-xz")]
    Qcow2Xz,
    /// prepare of a qcow2, compared with convert
    #[value(name = "wrapped-prepare")]
    Prepare,
    /// Conversion without what no file holds, of each FILE, or of an ext4 in use; compared with convert, zerofree and others
    Sparsify,
    /// How long it takes to learn a bitmap layout from a program, and how much disk; the program is imsprep itself
    Learn,
    /// The operating system on each FILE, a disk with one, compared with target-query and virt-inspector
    Guest,
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
            Self::Wrapped => case.is_wrapped(),
            Self::XzBlocks => case == Case::Wrapped(Wrapped::XzBlocks),
            Self::Xz => case == Case::Wrapped(Wrapped::Xz),
            Self::Gzip => case == Case::Wrapped(Wrapped::Gzip),
            Self::WrappedZlib => case == Case::Wrapped(Wrapped::Qcow2Zlib),
            Self::Vmdk => case == Case::Wrapped(Wrapped::Vmdk),
            Self::Qcow2Xz => case == Case::Wrapped(Wrapped::Qcow2Xz),
            Self::Prepare => case == Case::Wrapped(Wrapped::Prepare),
            Self::Sparsify => case == Case::Sparsify,
            Self::Learn => case == Case::Learn,
            // These are given.
            Self::Guest => false,
        }
    }
}

/// The states of the cache by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CacheName {
    /// The complete image is in memory
    Warm,
    /// None of the image is in memory
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
    /// The images to create, each once, in the order of measurement.
    pub(crate) fn cases_to_make(&self) -> Vec<Case> {
        let all = self.cases.is_empty() && self.files.is_empty();
        let asked = |case: &Case| all || self.cases.iter().any(|name| name.stands_for(*case));
        // This case is measured on the files, if there are any.
        let given = |case: &Case| *case == Case::Sparsify && !self.files.is_empty();
        Case::ALL.into_iter().filter(|case| asked(case) && !given(case)).collect()
    }

    /// What is measured on the files: the scan, or what the cases say that measure images which are given.
    pub(crate) fn files_for(&self) -> Vec<FileTask> {
        let asked = |name: CaseName| self.cases.contains(&name);
        let guest = asked(CaseName::Guest).then_some(FileTask::Guest);
        let sparsify = (asked(CaseName::Sparsify) && !self.files.is_empty()).then_some(FileTask::Sparsify);
        let tasks = guest.into_iter().chain(sparsify).collect::<Vec<_>>();
        if tasks.is_empty() { vec![FileTask::Scan] } else { tasks }
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
        let with_file = parse(&["disk.raw", "--case", "half"]);
        assert_eq!(with_file.cases_to_make(), [Case::Half]);
        assert_eq!(with_file.files_for(), [FileTask::Scan]);
    }

    #[test]
    fn files_are_measured_as_the_cases_for_files_say() {
        let args = parse(&["disk.raw", "--case", "sparsify"]);
        assert_eq!((args.cases_to_make(), args.files_for()), (vec![], vec![FileTask::Sparsify]));
        let args = parse(&["disk.raw", "--case", "sparsify,guest,half"]);
        assert_eq!(args.cases_to_make(), [Case::Half]);
        assert_eq!(args.files_for(), [FileTask::Guest, FileTask::Sparsify]);
        let args = parse(&["--case", "sparsify"]);
        assert_eq!((args.cases_to_make(), args.files_for()), (vec![Case::Sparsify], vec![FileTask::Scan]));
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
    fn wrapped_stands_for_seven_cases() {
        assert_eq!(parse(&["--case", "wrapped"]).cases_to_make(), Wrapped::ALL.map(Case::Wrapped));
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
