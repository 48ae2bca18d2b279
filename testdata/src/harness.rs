//! Runs the tests of a test binary. It takes the same options as libtest and prints the same, and counts a test as ignored
//! that lacks something when it runs.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::needs::Missing;

/// Makes of every ignored test a failed one. CI sets it where everything is installed.
const NO_SKIPS: &str = "IMSPREP_NO_SKIPS";

/// Whether [`run`] runs the tests of this process.
static RUNS: AtomicBool = AtomicBool::new(false);

/// One registered test.
#[derive(Debug)]
pub struct Test {
    path: &'static str,
    function: fn(),
    is_ignored: bool,
}

impl Test {
    /// A test by its path, which begins with the crate. `#[test]` calls this.
    pub const fn new(path: &'static str, function: fn(), is_ignored: bool) -> Self {
        Self { path, function, is_ignored }
    }

    /// Its name as libtest has it, without the crate.
    fn name(&self) -> &'static str {
        self.path.split_once("::").map_or(self.path, |(_, name)| name)
    }
}

inventory::collect!(Test);

/// What libtest takes and [`Arguments`] does not.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Options {
    #[command(flatten)]
    arguments: Arguments,
    /// No-op: output is never captured
    #[arg(long)]
    no_capture: bool,
    /// More filters: a test runs if its name contains any of them
    #[arg(value_name = "FILTER")]
    more_filters: Vec<String>,
}

/// Runs the registered tests as the command line wants it: the `main` of a test binary with `harness = false`.
pub fn run() -> ExitCode {
    run_with(std::env::args_os())
}

/// The same with these arguments, of which the first is the program.
pub fn run_with(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    RUNS.store(true, Ordering::Relaxed);
    be_quiet_about_what_is_missing();
    let Options { mut arguments, more_filters, no_capture: _ } = Options::parse_from(command_line);
    if arguments.test_threads.is_none() {
        arguments.test_threads =
            std::env::var("RUST_TEST_THREADS").ok().and_then(|threads| threads.parse().ok());
    }
    let mut trials = inventory::iter::<Test>().map(trial).collect::<Vec<_>>();
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    if !more_filters.is_empty() {
        take_all_filters(&mut arguments, more_filters, &trials);
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(test: &'static Test) -> Trial {
    let (name, function) = (test.name(), test.function);
    Trial::ignorable_test(name, move || outcome(name, function)).with_ignored_flag(test.is_ignored)
}

/// Runs one test, on a thread of its name as libtest does: messages of a panic name it.
fn outcome(name: &str, function: fn()) -> Result<Completion, Failed> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(function)?;
    let Err(payload) = thread.join() else { return Ok(Completion::Completed) };
    if let Some(why) = Missing::of(&*payload) {
        if std::env::var_os(NO_SKIPS).is_some() {
            return Err(format!("{why}, and {NO_SKIPS} is set: no test may be ignored").into());
        }
        return Ok(Completion::ignored_with(why));
    }
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    Err(text.map_or_else(|| "test panicked".to_owned(), |text| format!("test panicked: {text}")).into())
}

/// `libtest_mimic` takes one filter. With several, those tests that none of them selects are left out by name.
fn take_all_filters(arguments: &mut Arguments, more: Vec<String>, trials: &[Trial]) {
    let filters = arguments.filter.take().into_iter().chain(more).collect::<Vec<_>>();
    let is_left_out = |trial: &&Trial| {
        filters.iter().all(|filter| {
            let one = Arguments { filter: Some(filter.clone()), ..arguments.clone() };
            one.is_filtered_out(trial)
        })
    };
    let left_out = trials.iter().filter(is_left_out).map(|trial| trial.name().to_owned()).collect();
    arguments.skip = left_out;
    arguments.exact = true;
}

/// A test that lacks something ends by a panic, which is nothing to be printed.
fn be_quiet_about_what_is_missing() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.payload().is::<Missing>() {
            hook(panic);
        }
    }));
}

/// That a test may end as ignored.
///
/// # Panics
///
/// If it can't, as another harness runs it, which would take it for failed. So a wrong `Cargo.toml` shows on every machine.
pub(crate) fn assert_running() {
    assert!(
        RUNS.load(Ordering::Relaxed),
        "a test that asks for what it needs belongs into a test binary that imsprep_testdata::run runs"
    );
}
