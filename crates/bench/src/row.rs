//! One row: every program on one image in one state of the cache, in turn.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use imsprep_scan::IoMode;
use imsprep_source::{BlockMap, Cancel, ChildUsage, Progress, Stage, measure_child};

use crate::cache::{Prepared, prepare};
use crate::image::Image;
use crate::maps::{compare, read_map};
use crate::rivals::{Call, Rival, Yields};
use crate::scratch::Scratch;
use crate::{
    BenchOptions, CacheState, Error, MapState, Measured, NotMeasured, Result, Spread, limits, ours, stats,
};

/// What rows have in common.
pub(crate) struct Context<'a> {
    pub(crate) options: &'a BenchOptions,
    pub(crate) scratch: &'a Scratch,
    /// Those that are on this machine.
    pub(crate) rivals: &'a [&'static Rival],
    pub(crate) threads: usize,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancel: &'a Cancel,
}

/// A program with what was measured of it so far.
struct Entry {
    program: Program,
    usages: Vec<ChildUsage>,
    detail: Option<String>,
    map: MapState,
    /// Why it takes no further part.
    failure: Option<String>,
}

#[derive(Clone, Copy)]
enum Program {
    Ours(IoMode),
    Rival(&'static Rival),
}

impl Program {
    fn name(self) -> String {
        match self {
            Self::Ours(mode) => ours::name(mode),
            Self::Rival(rival) => rival.name.to_owned(),
        }
    }

    fn yields(self) -> Yields {
        match self {
            Self::Ours(_) => Yields::Bitmap,
            Self::Rival(rival) => rival.yields,
        }
    }
}

/// A row that was measured, and the programs in it that failed.
pub(crate) struct MeasuredRow {
    pub(crate) row: crate::Row,
    pub(crate) failed: Vec<NotMeasured>,
    /// Bytes for each second of what limits the row.
    pub(crate) rate: Option<f64>,
}

/// Measures a row, or tells why the cache can't be brought to the state asked for.
pub(crate) fn measure(
    context: &Context<'_>,
    image: &Image,
    truth: &BlockMap,
    cache: CacheState,
) -> Result<Result<MeasuredRow, &'static str>> {
    let Context { options, progress, cancel, .. } = *context;
    let prepared_by = match prepare(&image.path, cache, cancel)? {
        Prepared::Ready(how) => how,
        Prepared::Refused(why) => return Ok(Err(why)),
    };
    let rate = match cache {
        CacheState::Warm => limits::memory_rate(context.threads),
        CacheState::Cold => limits::disk_rate(&image.path, cancel)?,
    };
    let mut entries = entries(context, image, cache);
    let word = match cache {
        CacheState::Warm => "warm",
        CacheState::Cold => "cold",
    };
    let samples = (entries.len() * options.rounds) as u64;
    let stage =
        Stage::begin(progress, &format!("{}, {word}", image.name), image.size.saturating_mul(samples));
    // In turn, so that whatever changes on the machine meanwhile meets all of them; and each round begins with another, as
    // the first to run after a large rival finds the processors' caches full of what is not its own.
    let count = entries.len();
    for round in 0..options.rounds {
        for turn in 0..count {
            cancel.check()?;
            let Some(entry) = entries.get_mut((turn + round) % count) else { continue };
            if entry.failure.is_none() {
                if let Prepared::Refused(why) = prepare(&image.path, cache, cancel)? {
                    return Ok(Err(why));
                }
                entry.sample(context, image, truth, round == 0)?;
            }
            stage.advance(image.size);
        }
    }
    drop(stage);
    let failed = entries
        .iter()
        .filter_map(|entry| {
            let what = format!("{} on {}, {word}", entry.program.name(), image.name);
            entry.failure.clone().map(|why| NotMeasured { what, why })
        })
        .collect();
    let row = crate::Row {
        case: image.name.clone(),
        title: image.title.clone(),
        image: image.path.clone(),
        image_size: image.size,
        allocated: image.allocated,
        blocks: truth.block_count(),
        data_blocks: truth.data_count(),
        cache,
        prepared_by,
        limit: rate.and_then(|rate| time_for(image.allocated, rate)),
        programs: results(entries),
    };
    Ok(Ok(MeasuredRow { row, failed, rate }))
}

/// The blocks that hold data by our own scan, for an image that was given.
pub(crate) fn scan_for_truth(context: &Context<'_>, image: &Image) -> Result<BlockMap> {
    let mut entry = Entry::new(Program::Ours(IoMode::Auto));
    let output = entry.run(context, image)?;
    let map = read_map(Yields::Bitmap, &output, &context.scratch.printed(), image.size);
    let _ = std::fs::remove_file(&output);
    match map {
        Ok(Some(map)) => Ok(map),
        Ok(None) => Err(failed("it wrote no bitmap".into())),
        Err(message) => Err(failed(message)),
    }
}

fn failed(message: String) -> Error {
    Error::Failed { program: ours::name(IoMode::Auto), message }
}

fn entries(context: &Context<'_>, image: &Image, cache: CacheState) -> Vec<Entry> {
    let rivals = context.rivals.iter().filter(|rival| rival.scope.includes(image, cache));
    let ours = ours::MODES.into_iter().map(Program::Ours);
    ours.chain(rivals.map(|rival| Program::Rival(rival))).map(Entry::new).collect()
}

fn results(entries: Vec<Entry>) -> Vec<Measured> {
    let mut measured = Vec::new();
    let mut base = Duration::ZERO;
    for entry in entries.into_iter().filter(|entry| entry.failure.is_none()) {
        let times = |of: fn(&ChildUsage) -> Duration| Spread::of(entry.usages.iter().map(of).collect());
        let (Some(time), Some(cpu)) = (times(|u| u.wall), times(|u| u.cpu)) else { continue };
        // The first entry is the default of ours.
        if measured.is_empty() {
            base = time.median;
        }
        measured.push(Measured {
            program: entry.program.name(),
            ours: matches!(entry.program, Program::Ours(_)),
            detail: entry.detail,
            ratio: time.median.as_secs_f64() / base.as_secs_f64().max(1e-9),
            time,
            cpu,
            device_read: stats::median(entry.usages.iter().map(|u| u.device_read.0).collect()),
            peak_memory: entry.usages.iter().map(|u| u.peak_memory.0).max().unwrap_or(0),
            map: entry.map,
        });
    }
    measured
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn time_for(bytes: u64, rate: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(bytes as f64 / rate).ok()
}

impl Entry {
    fn new(program: Program) -> Self {
        Self { program, usages: Vec::new(), detail: None, map: MapState::None, failure: None }
    }

    /// Takes one sample; the first one's output is looked at, too.
    fn sample(&mut self, context: &Context<'_>, image: &Image, truth: &BlockMap, first: bool) -> Result<()> {
        let output = self.run(context, image)?;
        if first && self.failure.is_none() {
            self.look_at(&output, &context.scratch.printed(), truth);
        }
        let _ = std::fs::remove_file(&output);
        if self.program.yields() == Yields::Copy {
            // What is left to do for the copy's removal is done now, not during the next sample.
            let _ = File::open(context.scratch.images()).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    fn look_at(&mut self, output: &Path, printed: &Path, truth: &BlockMap) {
        if let Program::Ours(mode) = self.program {
            self.detail = ours::mode_taken(mode, printed);
        }
        match read_map(self.program.yields(), output, printed, truth.image_size()) {
            Ok(Some(map)) => self.map = compare(&map, truth),
            Ok(None) => {}
            Err(why) => self.failure = Some(why),
        }
    }

    /// Runs the program once and returns where its output is. That a rival fails is noted, that ours does is an error.
    fn run(&mut self, context: &Context<'_>, image: &Image) -> Result<PathBuf> {
        let scratch = context.scratch;
        let output = if self.program.yields() == Yields::Copy { scratch.copy() } else { scratch.map() };
        let mut command = match self.program {
            Program::Ours(mode) => ours::command(context.options, mode, &image.path, &output),
            Program::Rival(rival) => rival.command(&Call {
                image: &image.path,
                size: image.size,
                output: &output,
                classes: scratch.programs(),
            }),
        };
        let to = |path: PathBuf| {
            File::create(&path).map_err(|source| Error::File { path, what: "write to it", source })
        };
        command.stdin(Stdio::null()).stdout(to(scratch.printed())?).stderr(to(scratch.errors())?);
        // Numbers and messages as these programs' own tests know them.
        command.env("LC_ALL", "C");
        let usage = self.measure(&mut command, context.cancel)?;
        if usage.status.success() {
            self.usages.push(usage);
            return Ok(output);
        }
        let said = std::fs::read(scratch.errors()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let message = format!("{}: {}", usage.status, said.lines().next().unwrap_or("it said nothing"));
        match self.program {
            Program::Ours(_) => Err(Error::Failed { program: self.program.name(), message }),
            Program::Rival(_) => {
                self.failure = Some(message);
                Ok(output)
            }
        }
    }

    fn measure(&self, command: &mut Command, cancel: &Cancel) -> Result<ChildUsage> {
        measure_child(command, cancel).map_err(|source| {
            if source.kind() == std::io::ErrorKind::Interrupted {
                return Error::Source(imsprep_source::Error::Cancelled);
            }
            Error::Run { program: self.program.name(), source }
        })
    }
}
