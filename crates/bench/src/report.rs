//! What a run of the benchmark found.

use std::path::PathBuf;
use std::time::Duration;

/// All that one run measured.
#[derive(Clone, Debug)]
pub struct BenchReport {
    /// The machine it ran on.
    pub machine: Machine,
    /// Every rival, on this machine or not.
    pub rivals: Vec<RivalState>,
    /// One for each image and state of the cache, in the order measured.
    pub rows: Vec<Row>,
    /// What was not measured, and why.
    pub not_measured: Vec<NotMeasured>,
}

/// Where a run was made, and what its parts can do at most, as measured in the same run.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor's name, if the system reports it.
    pub processor: Option<String>,
    /// Threads that the measured scans had.
    pub threads: usize,
    /// Bytes of memory, if the system reports it.
    pub memory: Option<u64>,
    /// The system and its version.
    pub system: String,
    /// Bytes for each second that all threads together test for zeros in memory: no scan of a cached file can be faster.
    pub memory_rate: Option<f64>,
    /// Bytes for each second that the images' disk gives to several large direct reads in flight: no scan that has to read
    /// all of a cold file can be faster. `None` where the file system has no direct reads.
    pub disk_rate: Option<f64>,
}

/// Whether a rival can take part.
#[derive(Clone, Debug)]
pub struct RivalState {
    /// Its name, as in [`Measured::program`].
    pub name: &'static str,
    /// What it does, in words.
    pub what: &'static str,
    /// The first line of what it says of its version, or how to get it.
    pub presence: Presence,
}

/// Whether a program is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is, and says this of its version.
    Found {
        /// The first line of its answer.
        version: String,
    },
    /// It is not.
    Absent {
        /// What is missing and where it is available.
        remedy: String,
    },
}

/// Whether the image's bytes were in memory before each sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheState {
    /// All of its data.
    Warm,
    /// None of it.
    Cold,
}

/// All programs on one image in one state of the cache.
#[derive(Clone, Debug)]
pub struct Row {
    /// The case, such as `half`, or the name of a file that was given.
    pub case: String,
    /// What is in the image, in words.
    pub title: String,
    /// The image.
    pub image: PathBuf,
    /// Bytes of the image; of a container, bytes of the disk in it.
    pub image_size: u64,
    /// Bytes that the file system keeps for it.
    pub allocated: u64,
    /// Blocks of the bitmap, and how many of them hold data.
    pub blocks: u64,
    /// Blocks that hold data.
    pub data_blocks: u64,
    /// The state of the cache.
    pub cache: CacheState,
    /// How the cache was brought to that state.
    pub prepared_by: &'static str,
    /// The shortest time that the slowest part allows for reading all that is allocated: memory if warm, disk if cold. `None`
    /// where that does not limit the work, as with ZVHD2.
    pub limit: Option<Duration>,
    /// Ours first, the default before the others.
    pub programs: Vec<Measured>,
}

/// One program's samples in one row.
#[derive(Clone, Debug)]
pub struct Measured {
    /// `imsprep --io auto`, `qemu-img map`, `libzstd in memory`.
    pub program: String,
    /// Whether it is one of our own modes.
    pub ours: bool,
    /// More about how it ran, such as the mode that `auto` took.
    pub detail: Option<String>,
    /// Wall-clock time.
    pub time: Spread,
    /// Time of all its threads on the processors, user and system.
    pub cpu: Spread,
    /// Bytes that the disk gave for it, in the median.
    pub device_read: u64,
    /// Bytes that it wrote to files on disks, in the median.
    pub device_written: u64,
    /// The most memory that it had at once, in any sample, mapped files included.
    pub peak_memory: u64,
    /// Its median time divided by that of the first program of the row; above 1 is slower than ours.
    pub ratio: f64,
    /// What its map of data and zero blocks is worth.
    pub map: MapState,
}

/// The middle and the ends of several samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The middle one; of an even number the lower of the two in the middle.
    pub median: Duration,
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
    /// How many there were.
    pub samples: usize,
}

/// Whether a program found the blocks that hold data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapState {
    /// It makes no map.
    None,
    /// The same blocks.
    Right,
    /// Other blocks.
    Wrong(MapFaults),
}

/// How a map differs from the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapFaults {
    /// Blocks of zeros that it calls data: slower, never harmful.
    pub zeros_called_data: u64,
    /// Blocks of data that it calls zeros: lost data.
    pub data_called_zeros: u64,
    /// The first block that is wrong.
    pub first: u64,
}

/// Something that was requested and not measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotMeasured {
    /// The row or program.
    pub what: String,
    /// Why not.
    pub why: String,
}

impl BenchReport {
    /// Whether a program is missing, or anything else was not measured.
    pub fn is_complete(&self) -> bool {
        self.not_measured.is_empty()
            && self.rivals.iter().all(|rival| matches!(rival.presence, Presence::Found { .. }))
    }

    /// Whether one of our own modes found other blocks than there are: our bug.
    pub fn our_map_is_wrong(&self) -> bool {
        let ours = self.rows.iter().flat_map(|row| &row.programs).filter(|measured| measured.ours);
        ours.into_iter().any(|measured| matches!(measured.map, MapState::Wrong(_)))
    }
}
