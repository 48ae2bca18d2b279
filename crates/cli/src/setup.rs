//! What every command needs, made once from the common flags.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use imsprep_source::{Cancel, Progress, Work};

use crate::args::{ColorChoice, CommonArgs};
use crate::exit::Status;
use crate::progress::Bar;
use crate::signals::Signals;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text for people.
    Text(Detail),
    /// JSON.
    Json,
    /// Nothing.
    Quiet,
}

/// How much text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What most people want.
    Normal,
    /// With `-v`.
    Verbose,
}

/// The common flags, resolved; the signal handlers, installed; the worker threads, started.
pub(crate) struct Setup {
    pub(crate) output: Output,
    /// What `--threads` says.
    pub(crate) threads: Option<usize>,
    bar: Option<Bar>,
    signals: Signals,
}

impl Setup {
    pub(crate) fn new(args: &CommonArgs) -> anyhow::Result<Self> {
        match args.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        let threads = args.threads.map(usize::from);
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .build_global()
            // Its message has the system's in it.
            .map_err(|e| anyhow!("cannot start the worker threads; try --threads 1: {e}"))?;
        // Without the guard nothing is mapped, and everything still works.
        let _ = imsprep_source::install_bus_error_guard();
        let watched = !args.no_progress && !args.quiet && std::io::stderr().is_terminal();
        Ok(Self {
            output: match (args.quiet, args.json, args.verbose) {
                (true, ..) => Output::Quiet,
                (_, true, _) => Output::Json,
                (_, _, true) => Output::Text(Detail::Verbose),
                _ => Output::Text(Detail::Normal),
            },
            threads,
            bar: watched.then(Bar::new),
            signals: Signals::install().context("cannot install the signal handlers")?,
        })
    }

    /// Where engines report their progress, and the flag that stops them.
    pub(crate) fn work(&self) -> Work<'_> {
        let progress: &dyn Progress = match &self.bar {
            Some(bar) => bar,
            None => &(),
        };
        Work::new(progress, self.cancel())
    }

    /// The flag that SIGINT and SIGTERM raise.
    pub(crate) fn cancel(&self) -> &Cancel {
        self.signals.cancel()
    }

    /// That standard output holds an image from now on: it is said of a stop.
    pub(crate) fn goes_to_stream(&self) {
        self.signals.goes_to_stream();
    }

    /// The process's exit status: the command's, or the signal's if one ended it.
    pub(crate) fn exit_code(&self, status: Status) -> ExitCode {
        match status {
            Status::Interrupted => ExitCode::from(self.signals.exit_number()),
            other => other.into(),
        }
    }
}
