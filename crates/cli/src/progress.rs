//! The progress bar.

use imsprep_source::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error: what is done, bytes, rate, time left. It is drawn ten times a second at most and never holds
/// up a worker.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template =
            "{msg} {wide_bar} {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  ETA {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Progress for Bar {
    fn start(&self, what: &str, total: u64) {
        self.0.reset();
        self.0.set_message(what.to_owned());
        self.0.set_length(total);
        self.0.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    fn finish(&self) {
        self.0.finish_and_clear();
        // Hidden between two stages, so that an idle bar is not drawn into the results.
        self.0.set_draw_target(ProgressDrawTarget::hidden());
    }
}
