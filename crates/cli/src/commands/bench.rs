//! `imsprep bench`

use std::path::Path;

use anyhow::Context;
use imsprep_bench::{BenchOptions, BenchReport, Rivals, Row, bench};
use imsprep_source::{Input, OutputFile, Overwrite};

use crate::args::BenchArgs;
use crate::emit;
use crate::exit::Status;
use crate::failure::report_failure;
use crate::page;
use crate::policy::Warnings;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::print;
use crate::wire;

pub(crate) fn run(args: &BenchArgs, setup: &Setup) -> anyhow::Result<Status> {
    let warnings = Warnings::from_flag(args.strict);
    if let Some(path) = &args.html {
        // Made now and dropped: that the page can't be written should not come out after hours of measuring.
        drop(begin_page(path, args)?);
    }
    let report = measure(&options(args, setup)?, setup)?;
    let mut status = status(&report, warnings);
    if let Some(path) = &args.html
        && let Err(error) = write_page(path, args, &report)
    {
        // The results are still printed: they took long enough.
        status = status.max(report_failure(&error));
    }
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.bench", status, wire::bench::Benchmark::from(&report)),
        |_| render::bench::closing(&report, warnings),
    )?;
    Ok(status)
}

fn options(args: &BenchArgs, setup: &Setup) -> anyhow::Result<BenchOptions> {
    Ok(BenchOptions {
        program: std::env::current_exe().context("cannot find the imsprep program to measure")?,
        files: args.files.clone(),
        files_for: args.files_for(),
        cases: args.cases_to_make(),
        size: args.size,
        folder: args.folder.clone(),
        caches: args.cache_states(),
        rounds: usize::from(args.rounds),
        threads: setup.threads,
        rivals: if args.no_rivals { Rivals::None } else { Rivals::Present },
    })
}

/// Measures, and prints the table of each row as soon as it is complete: the last may be hours away.
fn measure(options: &BenchOptions, setup: &Setup) -> anyhow::Result<BenchReport> {
    let mut printed = Ok(());
    let mut print_row = |row: &Row| {
        if let (Output::Text(_), Ok(())) = (setup.output, &printed) {
            printed = print(&format!("{}\n", render::bench::row(row)));
            if printed.is_err() {
                // The rest would be unreadable.
                setup.cancel().cancel();
            }
        }
    };
    let result = bench(options, &mut print_row, setup.work());
    printed?;
    Ok(result?)
}

/// The page's file, not yet in its place. It is never one of the images.
fn begin_page(path: &Path, args: &BenchArgs) -> imsprep_source::Result<OutputFile> {
    let images = args.files.iter().map(Input::at).collect::<imsprep_source::Result<Vec<_>>>()?;
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    OutputFile::create_from(path, overwrite, &images)
}

fn write_page(path: &Path, args: &BenchArgs, report: &BenchReport) -> anyhow::Result<()> {
    let now = crate::moment::now();
    let mut output = begin_page(path, args)?;
    output.write_all(page::bench::page(report, now).as_bytes())?;
    Ok(output.commit()?)
}

/// What the report leads to: a wrong map of ours is wrong; what was not measured is so if it counts.
fn status(report: &BenchReport, warnings: Warnings) -> Status {
    let gaps_count = warnings == Warnings::Count && !report.is_complete();
    if report.our_map_is_wrong() || gaps_count { Status::Wrong } else { Status::Fine }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_wrong_map_of_ours_is_wrong_and_that_of_a_rival_is_not() {
        let mut report = sample::report();
        assert_eq!(status(&report, Warnings::Pass), Status::Wrong);
        report.rows.truncate(1);
        assert_eq!(status(&report, Warnings::Pass), Status::Fine);
    }

    #[test]
    fn gaps_count_under_strict() {
        let mut report = sample::report();
        report.rows.truncate(1);
        assert_eq!(status(&report, Warnings::Count), Status::Wrong);
        report.not_measured.clear();
        assert_eq!(status(&report, Warnings::Count), Status::Wrong, "a program is missing");
        report.rivals.truncate(1);
        assert_eq!(status(&report, Warnings::Count), Status::Fine);
    }
}
