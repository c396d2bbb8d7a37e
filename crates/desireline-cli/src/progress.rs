//! A progress bar, on long work, when a person watches.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::ArgMatches;
use desireline::engine::{Progress, ProgressHook};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::flag;

/// How long work may take before a bar is worth its room.
const PATIENCE: Duration = Duration::from_millis(800);

/// Shown on standard error, only on a terminal, and only when the work takes a while.
pub(crate) struct Bar(Arc<Shown>);

struct Shown {
    bar: ProgressBar,
    since: Instant,
    watched: bool,
    visible: AtomicBool,
}

impl Shown {
    fn at(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        if self.watched
            && self.since.elapsed() >= PATIENCE
            && !self.visible.swap(true, Ordering::Relaxed)
        {
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
            self.bar.enable_steady_tick(Duration::from_millis(250));
        }
    }
}

impl Bar {
    pub(crate) fn new(what: &'static str, m: &ArgMatches) -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %  {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message(what);
        Bar(Arc::new(Shown {
            bar,
            since: Instant::now(),
            watched: std::io::stderr().is_terminal() && !flag(m, "no-progress"),
            visible: AtomicBool::new(false),
        }))
    }

    /// For the reader.
    pub(crate) fn reading(&self) -> Arc<dyn Fn(desireline::io::Progress) + Send + Sync> {
        let shown = Arc::clone(&self.0);
        Arc::new(move |p| {
            if p.bytes_total > 0 {
                shown.at(p.bytes_done, p.bytes_total);
            }
        })
    }

    /// For the engine.
    pub(crate) fn running(&self) -> ProgressHook {
        let shown = Arc::clone(&self.0);
        Arc::new(move |p: Progress| shown.at(p.done, p.total))
    }

    /// For the writer of snapshots.
    pub(crate) fn writing(&self) -> Arc<dyn Fn(u64, u64) + Send + Sync> {
        let shown = Arc::clone(&self.0);
        Arc::new(move |done, total| shown.at(done, total))
    }

    /// For what counts itself.
    pub(crate) fn at(&self, done: u64, total: u64) {
        self.0.at(done, total);
    }

    pub(crate) fn finish(&self) {
        self.0.bar.finish_and_clear();
    }
}

impl Drop for Bar {
    /// Also where the work failed or was stopped.
    fn drop(&mut self) {
        self.finish();
    }
}
