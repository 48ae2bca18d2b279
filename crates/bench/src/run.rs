//! The whole run: images, rows, and the machine they ran on.

use std::num::NonZeroUsize;
use std::path::Path;

use imsprep_source::{Work, free_space};

use crate::case::Task;
use crate::image::Image;
use crate::options::QUICK_RECORDS;
use crate::rivals::{RIVALS, Rival};
use crate::row::{Context, MeasuredRow, measure};
use crate::scratch::Scratch;
use crate::truth::read_truth;
use crate::{
    BenchOptions, BenchReport, CacheState, Case, Error, FileTask, Machine, NotMeasured, Presence, Result,
    RivalState, Rivals, Row, foreign, java, machine, packed, sparsify, unpacking, used,
};

/// Measures what `options` ask for; `on_row` sees each row as soon as it is complete.
///
/// # Errors
///
/// If our own program fails, an image can't be made or read, or the run is cancelled.
pub fn bench(options: &BenchOptions, on_row: &mut dyn FnMut(&Row), work: Work<'_>) -> Result<BenchReport> {
    // Before anything is made or measured: a wrong name should not show after half an hour.
    let given = options.files.iter().map(|path| Image::given(path)).collect::<Result<Vec<_>>>()?;
    check_free_space(options)?;
    let scratch = Scratch::new(&options.folder)?;
    let (states, present) = find_rivals(options, &scratch);
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = options.threads.unwrap_or_else(cores);
    let context = Context { options, scratch: &scratch, rivals: &present, threads, work };
    let mut run = Run { context, on_row, report: empty_report(threads, states) };
    if options.files_for.contains(&FileTask::Guest) && given.is_empty() {
        let why = "no disk with a system was given; testdata/guest-images/build makes some".into();
        run.report.not_measured.push(NotMeasured { what: "guest".into(), why });
    }
    for mut image in given {
        for task in &options.files_for {
            image.task = Task::from(*task);
            run.measure_image(&mut image)?;
        }
    }
    for case in &options.cases {
        if case.is_warm_only() && !options.caches.contains(&CacheState::Warm) {
            let (what, why) = (format!("{}, cold", case.name()), "it is only measured warm".into());
            run.report.not_measured.push(NotMeasured { what, why });
            continue;
        }
        if case.is_foreign() && foreign::is_absent() {
            let why = format!("{}, which makes these images, is not installed", foreign::QEMU_IMG);
            run.report.not_measured.push(NotMeasured { what: case.name().into(), why });
            continue;
        }
        if let Case::Wrapped(wrapped) = case
            && let Some(program) = packed::missing(*wrapped)
        {
            let why = format!("{program}, which makes this image, is not installed");
            run.report.not_measured.push(NotMeasured { what: case.name().into(), why });
            continue;
        }
        if let (Case::Sparsify, Some(program)) = (case, used::missing()) {
            let why = format!("{program}, which makes this image, is not installed");
            run.report.not_measured.push(NotMeasured { what: case.name().into(), why });
            continue;
        }
        let size = options.image_size(*case);
        let mut image = Image::make(*case, size, scratch.images(), work)?;
        run.measure_image(&mut image)?;
        image.remove();
    }
    Ok(run.report)
}

struct Run<'a> {
    context: Context<'a>,
    on_row: &'a mut dyn FnMut(&Row),
    report: BenchReport,
}

impl Run<'_> {
    fn measure_image(&mut self, image: &mut Image) -> Result<()> {
        let truth = match image.truth.take() {
            Some(truth) => truth,
            None => read_truth(&image.path, self.context.work)?,
        };
        image.truth = Some(truth.clone());
        let caches = self.context.options.caches.iter().copied();
        for cache in caches.filter(|cache| image.task.is_measured_cold() || *cache == CacheState::Warm) {
            match measure(&self.context, image, &truth, cache)? {
                Ok(measured) => self.take(measured),
                Err(why) => {
                    let word = if cache == CacheState::Warm { "warm" } else { "cold" };
                    let what = format!("{}, {word}", image.name);
                    self.report.not_measured.push(NotMeasured { what, why: why.into() });
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, measured: MeasuredRow) {
        let MeasuredRow { row, failed, rate } = measured;
        let machine = &mut self.report.machine;
        let best = match row.cache {
            CacheState::Warm => &mut machine.memory_rate,
            CacheState::Cold => &mut machine.disk_rate,
        };
        // A limit is what is possible: the best of all rows.
        *best = rate.into_iter().chain(*best).reduce(f64::max);
        self.report.not_measured.extend(failed);
        (self.on_row)(&row);
        self.report.rows.push(row);
    }
}

fn empty_report(threads: usize, rivals: Vec<RivalState>) -> BenchReport {
    let machine = Machine {
        processor: machine::processor(),
        threads,
        memory: machine::memory(),
        system: machine::system(),
        memory_rate: None,
        disk_rate: None,
    };
    BenchReport { machine, rivals, rows: Vec::new(), not_measured: Vec::new() }
}

/// What each rival is on this machine, and those that take part.
fn find_rivals(options: &BenchOptions, scratch: &Scratch) -> (Vec<RivalState>, Vec<&'static Rival>) {
    if options.rivals == Rivals::None {
        return (Vec::new(), Vec::new());
    }
    let mut compiled: Option<std::result::Result<(), String>> = None;
    let (mut states, mut present) = (Vec::new(), Vec::new());
    let rivals = RIVALS.iter().chain(sparsify::RIVALS).chain(unpacking::RIVALS);
    for rival in rivals.filter(|rival| rival.is_wanted(&options.files_for)) {
        let mut presence = rival.presence();
        if rival.is_java() && matches!(presence, Presence::Found { .. }) {
            let compiled = compiled.get_or_insert_with(|| java::compile(scratch.programs()));
            if let Err(message) = compiled {
                presence = Presence::Absent { remedy: format!("javac cannot compile it: {message}") };
            }
        }
        if matches!(presence, Presence::Found { .. }) {
            present.push(rival);
        }
        states.push(RivalState { name: rival.name, what: rival.what, presence });
    }
    (states, present)
}

/// Whether the largest image and a copy of it fit on the disk.
fn check_free_space(options: &BenchOptions) -> Result<()> {
    let copies = if options.rivals == Rivals::None { 1 } else { 2 };
    let allocated = |case: &Case| {
        let size = options.image_size(*case);
        match case {
            Case::Empty => 0,
            // What learning may take; it is far less.
            Case::Learn => 64 << 20,
            _ if case.is_sparse() => size / 100 * copies,
            // Our own output, or the RAW that it is made of, is a second one.
            Case::Convert | Case::Check => size * 2,
            // Of two thirds that are written: the image, the same files in a new file system, a copy, and an output of it.
            Case::Sparsify => size * 3,
            // The image, our output, and on the detour the RAW and another output.
            _ if case.is_foreign() || case.is_wrapped() => size * 3,
            // A unit for each record, and some more for the index.
            Case::Quick => QUICK_RECORDS * (4 << 10) + (16 << 20),
            _ => size.saturating_mul(copies),
        }
    };
    let needed = options.cases.iter().map(allocated).max().unwrap_or(0);
    let folder = Path::new(&options.folder);
    match free_space(folder) {
        Ok(free) if free < needed => Err(Error::NoRoom { folder: folder.to_owned(), needed, free }),
        Ok(_) => Ok(()),
        // If it is unknown, writing will show it.
        Err(e) if e.kind() == std::io::ErrorKind::Unsupported => Ok(()),
        Err(source) => Err(Error::File { path: folder.to_owned(), what: "find its free space", source }),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use imsprep_source::Cancel;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A run over the ZVHD2 cases with a program of which only the comparison is of interest.
    fn run(comparison: &str, case: Case, cache: CacheState) -> Result<BenchReport> {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        let script = format!("#!/bin/sh\ncase $1 in compare) {comparison};; esac\n");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let options = BenchOptions {
            program,
            files: vec![],
            files_for: vec![],
            cases: vec![case],
            size: 24 << 20,
            folder: dir.path().to_owned(),
            caches: vec![cache],
            rounds: 2,
            threads: Some(2),
            rivals: Rivals::None,
        };
        bench(&options, &mut |_| {}, Work::new(&(), &Cancel::new()))
    }

    #[test]
    fn a_conversion_that_is_wrong_ends_the_run() {
        let error = run("exit 1", Case::Convert, CacheState::Warm).unwrap_err();
        assert!(error.to_string().contains("its output is not the same as the image"), "{error}");
        let report = run("exit 0", Case::Convert, CacheState::Warm).unwrap();
        let programs = &report.rows[0].programs;
        // Two rounds, of one sample each, or of several, since it is done at once.
        assert!(programs.iter().all(|it| it.time.samples >= 2), "{programs:?}");
        let names = programs.iter().map(|it| it.program.as_str());
        let ours = ["imsprep convert", "imsprep convert, into memory"];
        // Where there is no file system in memory, that is reported.
        let count = ours.len() - report.not_measured.len();
        assert_eq!(names.collect::<Vec<_>>(), ours[..count]);
        assert_eq!((report.rows[0].blocks, report.rows[0].limit), (12, None));
    }

    #[test]
    fn zvhd2_is_not_measured_cold() {
        let report = run("exit 0", Case::Check, CacheState::Cold).unwrap();
        assert!(report.rows.is_empty() && !report.is_complete());
        assert_eq!(report.not_measured[0].what, "zvhd2-check, cold");
    }
}
