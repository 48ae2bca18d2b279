//! `imsprep prepare` of several images.
//!
//! All of them are planned and judged before the first is converted. Then they are converted one after the other, each with all
//! threads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use imsprep_source::Input;
use imsprep_toolkit::{
    ConvertOptions, Preparation, Prepared, Target, Targets, Unpacking, expand_targets, plan_preparation,
};

use super::checksums::Expected;
use super::extra_files::ExtraFiles;
use super::folders::{note_skipped, subfolders};
use super::preparing::{Request, SCHEMA, Statuses, refuse_shared_outputs};
use crate::args::PrepareArgs;
use crate::exit::Status;
use crate::failure::{note, report_failure};
use crate::outcome::{Judged, JudgedPlan, Outcome};
use crate::page;
use crate::setup::{Output, Setup};
use crate::terminal::{print, shown};
use crate::{moment, render, wire};

/// Images whose plans, and files, stay open until it is their turn. More are planned again then: a process may have a few hundred open
/// files.
const KEPT_OPEN: usize = 128;

/// An image whose turn has not come.
struct Waiting {
    target: Target,
    options: ConvertOptions,
    /// What planning took.
    elapsed: Duration,
    output: Option<PathBuf>,
    is_refused: bool,
    /// `None` if it has to be planned again.
    preparation: Option<Preparation>,
}

/// What became of an image, with all that is printed when every image is done.
struct Ended {
    row: render::prepare_many::Row,
    body: wire::prepare::OneOfMany,
    plan: Option<JudgedPlan>,
    outcome: Option<Outcome>,
}

/// An image, or why it can't be prepared, by its place among the sources.
type Planned = Vec<(usize, Result<Waiting, (PathBuf, anyhow::Error)>)>;

pub(super) fn run(args: &PrepareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let Targets { targets, skipped } = expand_targets(&args.sources, subfolders(args.recursive));
    note_skipped(&skipped, setup);
    let targets = once_each(targets);
    let request = Request::new(args, targets.len(), setup)?;
    request.refuse_flags_of_one(args, false)?;
    // The number of arguments counts: a folder with a single image is a folder.
    let expected = Expected::read(&args.checksums, targets.len().max(2))?;
    let files = targets.iter().flatten();
    let outputs = files.clone().map(|target| Target::new(request.place.output_of(&target.path)));
    let files = files.cloned().chain(outputs).collect::<Vec<_>>();
    let extra = ExtraFiles::begin(&args.report, args.force, files.iter())?;
    let sources = targets.iter().flatten().map(|target| target.path.clone()).collect::<Vec<_>>();

    let mut run = Run { request: &request, setup, ended: Vec::new() };
    let Some(mut planned) = run.plan(targets, &expected)? else { return Ok(Status::Interrupted) };
    let waiting = planned.iter().filter_map(|(_, image)| image.as_ref().ok());
    let written = waiting.filter_map(|one| Some((one.target.path.as_path(), one.output.as_deref()?)));
    refuse_shared_outputs(written)?;
    let _folder = request.folder()?;
    check_places(&mut planned, &sources);
    // What will not be converted is known now, and not after hours.
    let is_over = |image: &Result<Waiting, _>| image.as_ref().map_or(true, |waiting| waiting.is_refused);
    let (over, waiting) = planned.into_iter().partition::<Planned, _>(|(_, image)| is_over(image));
    let mut waiting = waiting.into_iter();
    let mut stopped = None;
    for (index, image) in over.into_iter().chain(waiting.by_ref()) {
        let source = image.as_ref().map_or_else(|(path, _)| path.clone(), |one| one.target.path.clone());
        if run.end(index, image)? == Status::Interrupted {
            stopped = Some((index, source));
            break;
        }
    }
    run.ended.sort_by_key(|(index, _)| *index);
    let Run { ended, .. } = run;
    if let Some((index, source)) = stopped {
        let rest = waiting.map(|(index, image)| {
            (index, image.map_or_else(|(path, _)| path, |waiting| waiting.target.path))
        });
        return stop(ended, [(index, source)].into_iter().chain(rest), setup);
    }
    finish(ended, &request, extra)
}

/// The same file is prepared once, by whichever names it is given.
fn once_each(targets: Vec<imsprep_toolkit::Result<Target>>) -> Vec<imsprep_toolkit::Result<Target>> {
    let mut seen = BTreeSet::new();
    let is_new = |target: &imsprep_toolkit::Result<Target>| match target {
        Ok(target) => seen.insert(std::fs::canonicalize(&target.path).unwrap_or(target.path.clone())),
        Err(_) => true,
    };
    targets.into_iter().filter(is_new).collect()
}

/// Looks at the places of all outputs, so that hours of work do not end in "exists already". No output may take the place of a source.
fn check_places(planned: &mut Planned, sources: &[PathBuf]) {
    let inputs = Input::existing(sources);
    for (_, image) in planned {
        let Ok(waiting) = &image else { continue };
        let Some(preparation) = waiting.preparation.as_ref().filter(|_| !waiting.is_refused) else {
            continue;
        };
        if let Err(error) = preparation.check_place(&inputs) {
            *image = Err((waiting.target.path.clone(), error.into()));
        }
    }
}

struct Run<'a> {
    request: &'a Request,
    setup: &'a Setup,
    /// By their places among the sources.
    ended: Vec<(usize, Ended)>,
}

impl Run<'_> {
    /// Plans all images. `None` at a stop.
    fn plan(
        &self,
        targets: Vec<imsprep_toolkit::Result<Target>>,
        expected: &Expected,
    ) -> anyhow::Result<Option<Planned>> {
        let mut planned = Vec::new();
        for (index, target) in targets.into_iter().enumerate() {
            let waiting = match target {
                Err(error) => Err((error.path().to_owned(), error.into())),
                Ok(target) => self.plan_one(&target, expected).map_err(|error| (target.path, error)),
            };
            if let Err((_, error)) = &waiting
                && crate::failure::is_stop(error)
            {
                report_failure(error);
                return Ok(None);
            }
            let waiting = waiting.map(|waiting| match index < KEPT_OPEN || waiting.is_refused {
                true => waiting,
                false => Waiting { preparation: None, ..waiting },
            });
            planned.push((index, waiting));
        }
        Ok(Some(planned))
    }

    fn plan_one(&self, target: &Target, expected: &Expected) -> anyhow::Result<Waiting> {
        let checksums = expected.of(&target.path)?;
        let options = ConvertOptions { checksums, ..self.request.convert.clone() };
        let begun = Instant::now();
        let preparation = self.prepare(target, &options)?;
        Ok(Waiting {
            target: target.clone(),
            options,
            elapsed: begun.elapsed(),
            output: preparation.output().map(Path::to_owned),
            is_refused: preparation.is_refused(),
            preparation: Some(preparation),
        })
    }

    fn prepare(&self, target: &Target, options: &ConvertOptions) -> imsprep_toolkit::Result<Preparation> {
        let Request { check, place, .. } = self.request;
        plan_preparation(target, place, (options, check), Unpacking::CarryingOut, self.setup.work())
    }

    /// Carries out what was planned, prints what came of it, and keeps that.
    fn end(
        &mut self,
        index: usize,
        image: Result<Waiting, (PathBuf, anyhow::Error)>,
    ) -> anyhow::Result<Status> {
        let begun = Instant::now();
        let (source, before, result) = match image {
            Err((path, error)) => (path, Duration::ZERO, Err(error)),
            Ok(Waiting { target, options, elapsed, preparation, .. }) => {
                let planned = preparation.map_or_else(|| self.prepare(&target, &options), Ok);
                let result = planned.and_then(|planned| planned.carry_out(self.setup.work()));
                (target.path, elapsed, result.map_err(anyhow::Error::from))
            }
        };
        let elapsed = before + begun.elapsed();
        let ended = match result {
            Ok(prepared) => self.prepared(prepared, elapsed)?,
            Err(error) => {
                let status = report_failure(&error);
                if status == Status::Interrupted {
                    return Ok(status);
                }
                self.failed(source, status, error, elapsed)?
            }
        };
        let status = ended.row.status;
        self.ended.push((index, ended));
        Ok(status)
    }

    fn failed(
        &self,
        path: PathBuf,
        status: Status,
        error: anyhow::Error,
        elapsed: Duration,
    ) -> anyhow::Result<Ended> {
        let Request { policy, emitter, .. } = self.request;
        let body = || wire::prepare::Body::failed(&path, &error, elapsed);
        let line = || wire::Document::under(policy, SCHEMA, status, body());
        emitter.file(line, |_| String::new())?;
        let body = wire::prepare::OneOfMany::new(status, body());
        let row = render::prepare_many::Row::failed(&path, status, elapsed);
        let outcome = Some(Outcome { path, status, elapsed, result: Err(error) });
        Ok(Ended { row, body, plan: None, outcome })
    }

    fn prepared(&self, prepared: Prepared, elapsed: Duration) -> anyhow::Result<Ended> {
        let Request { policy, emitter, .. } = self.request;
        let Statuses { of_plan, of_result, worst } = Statuses::of(&prepared, policy);
        let body = || wire::prepare::Body::new(&prepared, policy, worst, elapsed);
        emitter.file(
            || wire::Document::under(policy, SCHEMA, worst, body()),
            |detail| {
                let is_first = self.ended.iter().all(|(_, ended)| ended.row.is_failure());
                let gap = if is_first { "" } else { "\n" };
                format!("{gap}{}", render::prepare::text(&prepared, policy, worst, detail))
            },
        )?;
        let row = render::prepare_many::Row::prepared(&prepared, worst, elapsed);
        let body = wire::prepare::OneOfMany::new(worst, body());
        let plan = prepared.conversion.zip(of_plan).map(|(conversion, status)| {
            let source = conversion.plan.source;
            let (path, size) = (source.path().to_owned(), source.detection().file_size);
            JudgedPlan { path, size, status, elapsed, report: conversion.plan.report }
        });
        let outcome = prepared.checked.zip(of_result).map(|(checked, status)| Outcome {
            path: checked.path.clone(),
            status,
            elapsed,
            result: Ok(checked),
        });
        Ok(Ended { row, body, plan, outcome })
    }
}

/// Prints what is said of all images, and writes the files beside it.
fn finish(ended: Vec<(usize, Ended)>, request: &Request, extra: ExtraFiles) -> anyhow::Result<Status> {
    let Request { policy, emitter, .. } = request;
    let (mut rows, mut bodies, mut plans, mut outcomes) = (vec![], vec![], vec![], vec![]);
    for (_, Ended { row, body, plan, outcome }) in ended {
        rows.push(row);
        bodies.push(body);
        plans.extend(plan);
        outcomes.extend(outcome);
    }
    let worst = rows.iter().map(|row| row.status).max().unwrap_or(Status::Fine);
    let extra = if outcomes.len() == rows.len() {
        extra
    } else {
        extra.without_manifest("not every image was converted")
    };
    let worst = worst.max(extra.write(&outcomes, policy)?);
    if emitter.is_page() && !outcomes.is_empty() {
        print(&page::check::page(&outcomes, policy, moment::now()))?;
        return Ok(worst);
    }
    let sources = plans.iter().map(JudgedPlan::judged);
    let judged = sources.chain(outcomes.iter().map(|outcome| outcome.judged())).collect::<Vec<Judged<'_>>>();
    let document = || {
        wire::Document::under(policy, "imsprep.prepare.files", worst, wire::prepare::Many { files: bodies })
    };
    emitter.files((&judged, worst), policy.warnings, document, || render::prepare_many::table(&rows))?;
    Ok(worst)
}

/// Lists what was finished before a stop: those outputs stay.
fn stop(
    ended: Vec<(usize, Ended)>,
    rest: impl Iterator<Item = (usize, PathBuf)>,
    setup: &Setup,
) -> anyhow::Result<Status> {
    let mut rows = ended.into_iter().map(|(index, ended)| (index, ended.row)).collect::<Vec<_>>();
    if let Output::Text(_) = setup.output {
        rows.extend(rest.map(|(index, path)| (index, render::prepare_many::Row::interrupted(&path))));
        rows.sort_by_key(|(index, _)| *index);
        let rows = rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
        print(&render::prepare_many::table(&rows))?;
    } else if setup.output != Output::Quiet {
        for output in rows.iter().filter_map(|(_, row)| row.output.as_ref()) {
            note(format!("finished before the interruption: {}", shown(&output.display().to_string())));
        }
    }
    Ok(Status::Interrupted)
}
