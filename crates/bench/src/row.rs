//! One row: every program on one image in one state of the cache, in turn.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use imsprep_source::{BlockMap, ChildUsage, Stage, Work, measure_child};

use crate::bare::{self, Bare};
use crate::cache::{Prepared, prepare};
use crate::case::Task;
use crate::image::Image;
use crate::in_order;
use crate::learning;
use crate::maps::{compare, read_map};
use crate::ours::{self, Compared, Ours};
use crate::rivals::{Call, OutputTarget, Rival, Yields, compare_qcow2, compare_zstd};
use crate::scratch::Scratch;
use crate::usage::Usage;
use crate::{
    BenchOptions, CacheState, Error, MapState, Measured, NotMeasured, Result, Rivals, Spread, limits,
    sparsify, stats,
};

/// A program that takes less than this has [`SHORT_SAMPLES`] in each turn, after one that does not count.
const SHORT: Duration = Duration::from_secs(1);
const SHORT_SAMPLES: usize = 5;
/// A copy that takes so many times as long as ours is made in the first round alone.
const FAR_MORE: u32 = 10;

/// What rows have in common.
pub(crate) struct Context<'a> {
    pub(crate) options: &'a BenchOptions,
    pub(crate) scratch: &'a Scratch,
    /// Those that are on this machine.
    pub(crate) rivals: &'a [&'static Rival],
    pub(crate) threads: usize,
    pub(crate) work: Work<'a>,
}

/// A program with what was measured of it so far.
struct Entry {
    program: Program,
    usages: Vec<Usage>,
    detail: Option<String>,
    map: MapState,
    /// The most that its files took on the disk in any sample, where that is measured.
    disk: u64,
    /// Why it takes no further part.
    failure: Option<String>,
}

#[derive(Clone, Copy)]
enum Program {
    Ours(Ours),
    Rival(&'static Rival),
    /// No program: work in this process.
    Bare(Bare),
    /// No program either, but a conversion of the whole image.
    InOrder,
}

impl Program {
    fn name(self) -> String {
        match self {
            Self::Ours(ours) => ours.name(),
            Self::Rival(rival) => rival.name.to_owned(),
            Self::Bare(_) => bare::NAME.to_owned(),
            Self::InOrder => in_order::NAME.to_owned(),
        }
    }

    fn yields(self) -> Yields {
        match self {
            Self::Ours(ours) => ours.yields(),
            Self::Rival(rival) => rival.yields,
            Self::Bare(_) => Yields::Nothing,
            Self::InOrder => Yields::Zvhd2,
        }
    }

    /// The file that it reads.
    fn reads(self, image: &Image) -> &Path {
        match (self, &image.fresh) {
            (Self::Ours(Ours::Fresh), Some(fresh)) => fresh,
            _ => &image.path,
        }
    }

    fn place(self) -> OutputTarget {
        match self {
            Self::Ours(ours) => ours.place(),
            Self::Rival(rival) => rival.place,
            Self::Bare(_) => OutputTarget::Memory,
            Self::InOrder => OutputTarget::Disk,
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

/// Measures a row, or returns why the cache cannot be brought into the requested state.
pub(crate) fn measure(
    context: &Context<'_>,
    image: &Image,
    truth: &BlockMap,
    cache: CacheState,
) -> Result<Result<MeasuredRow, &'static str>> {
    let Context { options, work, .. } = *context;
    let prepared_by = match prepare(&image.path, cache, work.cancel)? {
        Prepared::Ready(how) => how,
        Prepared::Refused(why) => return Ok(Err(why)),
    };
    let rate = match cache {
        // The limits are those of looking for zeros.
        _ if image.task != Task::Scan => None,
        CacheState::Warm => limits::memory_rate(context.threads),
        CacheState::Cold => limits::disk_rate(&image.path, work.cancel)?,
    };
    let mut entries = entries(context, image, cache);
    let word = match cache {
        CacheState::Warm => "warm",
        CacheState::Cold => "cold",
    };
    let samples = (entries.len() * options.rounds) as u64;
    let stage =
        Stage::begin(work.progress, &format!("{}, {word}", image.name), image.size.saturating_mul(samples));
    // In turn, so that whatever changes on the machine meanwhile meets all of them; and each round begins with another and
    // goes the other way, as who runs after a large rival finds a disk that has given all that it may for a while.
    let count = entries.len();
    for round in 0..options.rounds {
        let ours = entries.first().and_then(|entry| entry.usages.last()).map(|usage| usage.wall);
        for turn in 0..count {
            work.cancel.check()?;
            let Some(entry) = entries.get_mut(place(turn, round, count)) else { continue };
            if ours.is_some_and(|ours| image.task == Task::Scan && entry.is_slow_copy(ours)) {
                stage.advance(image.size);
                continue;
            }
            let read = entry.program.reads(image).to_owned();
            let prepare = || prepare(&read, cache, work.cancel);
            if let Err(why) = entry.turn(context, image, truth, round == 0, &prepare)? {
                return Ok(Err(why));
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
        programs: results(entries, image.task, truth.data_count()),
    };
    Ok(Ok(MeasuredRow { row, failed, rate }))
}

fn entries(context: &Context<'_>, image: &Image, cache: CacheState) -> Vec<Entry> {
    let rivals = context.rivals.iter().filter(|rival| rival.scope.includes(image, cache));
    let with_rivals = context.options.rivals == Rivals::Present;
    let ours = Ours::for_task(image.task).iter().filter(|ours| match ours {
        Ours::Detour => with_rivals,
        Ours::Fresh => image.fresh.is_some(),
        _ => true,
    });
    let ours = ours.map(|ours| Program::Ours(*ours));
    let bare = match image.task {
        Task::Convert => Some(Bare::Compress),
        Task::Check => Some(Bare::Expand),
        Task::Scan
        | Task::CheckQuick
        | Task::ConvertForeign
        | Task::ConvertWrapped
        | Task::Prepare
        | Task::Guest
        | Task::Learn
        | Task::Sparsify => None,
    };
    let bare = bare.filter(|_| with_rivals).map(Program::Bare);
    let in_order = (image.task == Task::Convert && with_rivals).then_some(Program::InOrder);
    let programs = ours.chain(bare).chain(in_order).chain(rivals.map(|rival| Program::Rival(rival)));
    let mut entries = programs.map(Entry::new).collect::<Vec<_>>();
    // A small map may go to a disk where it must; an output of which it is said that it goes into memory may not.
    if image.task == Task::Convert && !context.scratch.is_in_memory() {
        let into_memory = entries.iter_mut().filter(|entry| {
            entry.program.place() == OutputTarget::Memory && entry.program.yields() != Yields::Nothing
        });
        into_memory.for_each(|entry| entry.failure = Some("there is no file system in memory".into()));
    }
    entries
}

fn results(entries: Vec<Entry>, task: Task, records: u64) -> Vec<Measured> {
    let mut measured = Vec::new();
    let mut base = Duration::ZERO;
    for entry in entries.into_iter().filter(|entry| entry.failure.is_none()) {
        let times = |of: fn(&Usage) -> Duration| Spread::of(entry.usages.iter().map(of).collect());
        let (Some(time), Some(cpu)) = (times(|u| u.wall), times(|u| u.cpu)) else { continue };
        // The first entry is the default of ours.
        if measured.is_empty() {
            base = time.median;
        }
        measured.push(Measured {
            program: entry.program.name(),
            ours: matches!(entry.program, Program::Ours(ours) if ours != Ours::Detour),
            detail: if task == Task::CheckQuick { per_record(time.median, records) } else { entry.detail },
            ratio: time.median.as_secs_f64() / base.as_secs_f64().max(1e-9),
            time,
            cpu,
            device_read: stats::median(entry.usages.iter().map(|u| u.device_read).collect()),
            device_written: stats::median(entry.usages.iter().map(|u| u.device_written).collect()),
            peak_memory: entry.usages.iter().map(|u| u.peak_memory).max().unwrap_or(0),
            map: entry.map,
        });
    }
    measured
}

/// `3100 ns per record`
fn per_record(time: Duration, records: u64) -> Option<String> {
    let nanoseconds = time.as_nanos().checked_div(records.into())?;
    Some(format!("{nanoseconds} ns per record"))
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn time_for(bytes: u64, rate: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(bytes as f64 / rate).ok()
}

impl Entry {
    fn new(program: Program) -> Self {
        Self { program, usages: Vec::new(), detail: None, map: MapState::None, disk: 0, failure: None }
    }

    /// Whether the program was seen to copy the image, in far more time than ours took. Once is enough of that: copies of large
    /// images would take most of the time of a run.
    fn is_slow_copy(&self, ours: Duration) -> bool {
        let slow = |usage: &Usage| usage.wall > ours.saturating_mul(FAR_MORE);
        self.program.place() == OutputTarget::Disk && self.usages.last().is_some_and(slow)
    }

    /// Takes what samples one turn has: one, or several where the program is done soon. Reports why the cache can't be
    /// prepared, if so.
    fn turn(
        &mut self,
        context: &Context<'_>,
        image: &Image,
        truth: &BlockMap,
        first: bool,
        prepare: &dyn Fn() -> Result<Prepared>,
    ) -> Result<std::result::Result<(), &'static str>> {
        let mut left = 1;
        let mut settled = false;
        while left > 0 && self.failure.is_none() {
            if let Prepared::Refused(why) = prepare()? {
                return Ok(Err(why));
            }
            self.sample(context, image, truth, first && !settled)?;
            left -= 1;
            let short = self.usages.last().is_some_and(|usage| usage.wall < SHORT);
            // One round is for trying whether all works.
            if !settled && short && self.failure.is_none() && context.options.rounds > 1 {
                // What ran before it, perhaps a copy of gigabytes, left it the processors' caches full of other things; that
                // is worth a millisecond, and here a millisecond counts.
                self.usages.pop();
                left = SHORT_SAMPLES;
            }
            settled = true;
        }
        Ok(Ok(()))
    }

    /// Takes one sample; the first one's output is read, too.
    fn sample(&mut self, context: &Context<'_>, image: &Image, truth: &BlockMap, first: bool) -> Result<()> {
        if let Program::Bare(bare) = self.program {
            let (bytes, usage) = bare.run(image, truth, context.threads, context.work.cancel)?;
            self.usages.push(usage);
            self.detail = (bare == Bare::Compress).then(|| made(bytes));
            return Ok(());
        }
        let output = if let Program::Ours(Ours::Learn) = self.program {
            self.learn(context, image)?
        } else {
            self.run_program(context, image)?
        };
        if first && self.failure.is_none() {
            self.look_at(&output, context, image, truth)?;
        }
        let _ = std::fs::remove_file(&output);
        if self.program.place() == OutputTarget::Disk {
            // What is left to do for the copy's removal is done now, not during the next sample.
            let _ = File::open(context.scratch.images()).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    /// Runs the learner; the detail is of all samples, as each may take more on the disk.
    fn learn(&mut self, context: &Context<'_>, image: &Image) -> Result<PathBuf> {
        let (output, disk) =
            learning::watching_disk(context.scratch.images(), || self.run_program(context, image));
        self.disk = self.disk.max(disk);
        match learning::proof(&context.scratch.printed(), self.disk) {
            Ok(proof) => self.detail = Some(proof),
            Err(Some(outcome)) => self.fail(format!("it proved no layout; the outcome is {outcome}"))?,
            Err(None) if output.is_ok() => self.fail("it printed no report".to_owned())?,
            // The program's status and message tell more.
            Err(None) => {}
        }
        output
    }

    fn look_at(
        &mut self,
        output: &Path,
        context: &Context<'_>,
        image: &Image,
        truth: &BlockMap,
    ) -> Result<()> {
        let printed = context.scratch.printed();
        if let Program::Ours(Ours::Scan(mode)) = self.program {
            self.detail = ours::mode_taken(mode, &printed);
        }
        if let Program::Ours(Ours::Inspect) = self.program {
            self.detail = ours::product(&printed);
            if self.detail.is_none() {
                self.fail("it found no system on the disk".to_owned())?;
            }
        }
        // What it printed; the comparison prints to the same place.
        let (what, space) = match self.program {
            Program::Ours(Ours::Sparsify) => (Compared::WhatFilesHold, sparsify::space(&printed)),
            _ => (Compared::All, None),
        };
        let comparison = match self.program.yields() {
            Yields::Zvhd2 => Some(ours::compare(context.options, self.program.reads(image), output, what)),
            Yields::Qcow2 => Some(compare_qcow2(&image.path, output)),
            Yields::Zstd => Some(compare_zstd(&image.path, output)),
            _ => None,
        };
        if let Some(mut comparison) = comparison {
            let space = space.map_or(String::new(), |(used, left_out)| {
                format!(", {} in use, {} left out", mib(used), mib(left_out))
            });
            self.detail = size_of(output).map(|size| size + &space);
            let usage = self.measure(&mut comparison, context)?;
            if !usage.status.success() {
                self.fail(format!("its output is not the same as the image: {}", usage.status))?;
            }
        }
        if self.program.yields() == Yields::Zvhd2OfACopy {
            self.detail = size_of(output);
        }
        match read_map(self.program.yields(), output, &printed, truth.image_size()) {
            Ok(Some(map)) => self.map = compare(&map, truth),
            Ok(None) => {}
            Err(why) => self.failure = Some(why),
        }
        Ok(())
    }

    /// Runs the program once and returns where its output is. That a rival fails is noted, that ours does is an error.
    fn run_program(&mut self, context: &Context<'_>, image: &Image) -> Result<PathBuf> {
        let scratch = context.scratch;
        let output = match self.program.place() {
            OutputTarget::Disk => scratch.copy(),
            OutputTarget::Memory => scratch.small(),
        };
        // No program should wonder about the name of what it writes.
        let output = output.with_extension(self.program.yields().extension());
        let mut command = match self.program {
            Program::Ours(ours) => ours.command(context.options, self.program.reads(image), &output),
            Program::Rival(rival) => rival.command(&Call {
                image: &image.path,
                size: image.size,
                output: &output,
                classes: scratch.programs(),
                program: &context.options.program,
                threads: context.options.threads,
            }),
            Program::InOrder => {
                self.usages.push(in_order::run(image, &output, context.work.cancel)?);
                return Ok(output);
            }
            // It writes nothing and is measured elsewhere.
            Program::Bare(_) => return Ok(output),
        };
        let usage = self.measure(&mut command, context)?;
        if usage.status.success() {
            self.usages.push(Usage::from(&usage));
            return Ok(output);
        }
        let said = std::fs::read(scratch.errors()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        self.fail(format!("{}: {}", usage.status, said.lines().next().unwrap_or("it printed nothing")))?;
        Ok(output)
    }

    /// That a rival fails is noted, that ours does is an error.
    fn fail(&mut self, message: String) -> Result<()> {
        if let Program::Ours(_) = self.program {
            return Err(Error::Failed { program: self.program.name(), message });
        }
        self.failure = Some(message);
        Ok(())
    }

    fn measure(&self, command: &mut Command, context: &Context<'_>) -> Result<ChildUsage> {
        let scratch = context.scratch;
        let to = |path: PathBuf| {
            File::create(&path).map_err(|source| Error::File { path, what: "write to it", source })
        };
        command.stdin(Stdio::null()).stdout(to(scratch.printed())?).stderr(to(scratch.errors())?);
        // Numbers and messages as these programs' own tests know them.
        command.env("LC_ALL", "C");
        measure_child(command, context.work.cancel).map_err(|source| {
            if source.kind() == std::io::ErrorKind::Interrupted {
                return Error::Source(imsprep_source::Error::Cancelled);
            }
            Error::Run { program: self.program.name(), source }
        })
    }
}

/// `made 412.3 MiB`
fn made(bytes: u64) -> String {
    format!("made {}", mib(bytes))
}

/// The same of a file.
fn size_of(output: &Path) -> Option<String> {
    std::fs::metadata(output).ok().map(|file| made(file.len()))
}

/// `412.3 MiB`
fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}

/// Which of `count` programs has this turn of this round.
fn place(turn: usize, round: usize, count: usize) -> usize {
    let turn = if round.is_multiple_of(2) { turn } else { count - 1 - turn };
    (turn + round) % count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_short() {
        assert_eq!(
            [0, (3 << 20) + (1 << 19), (1 << 30) - 1].map(made),
            ["made 0.0 MiB", "made 3.5 MiB", "made 1023.9 MiB"]
        );
        assert_eq!(per_record(Duration::from_micros(900), 300).as_deref(), Some("3000 ns per record"));
        assert_eq!(per_record(Duration::from_micros(900), 0), None);
    }

    #[test]
    fn every_program_has_one_turn_in_a_round_and_not_always_the_same_before_it() {
        let count = 5;
        let rounds =
            (0..4).map(|round| (0..count).map(|turn| super::place(turn, round, count)).collect::<Vec<_>>());
        let rounds = rounds.collect::<Vec<_>>();
        for round in &rounds {
            let mut sorted = round.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        let before = |round: &Vec<usize>| {
            round.iter().position(|p| *p == 2).and_then(|at| round.get(at.wrapping_sub(1)).copied())
        };
        assert_ne!(before(&rounds[0]), before(&rounds[1]));
    }
}
