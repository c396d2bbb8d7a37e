//! A progress bar, on long work, when a person watches.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use desireline::engine::{Progress, ProgressHook};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input::flag;

/// Shown on standard error, and only on a terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(what: &'static str, m: &ArgMatches) -> Bar {
        let watched = std::io::stderr().is_terminal() && !flag(m, "no-progress");
        let target = if watched {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %  {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message(what);
        if watched {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Bar(bar)
    }

    /// For the reader.
    pub(crate) fn reading(&self) -> Arc<dyn Fn(desireline::io::Progress) + Send + Sync> {
        let bar = self.0.clone();
        Arc::new(move |p| {
            if p.bytes_total > 0 {
                bar.set_length(p.bytes_total);
                bar.set_position(p.bytes_done);
            }
        })
    }

    /// For the engine.
    pub(crate) fn running(&self) -> ProgressHook {
        let bar = self.0.clone();
        Arc::new(move |p: Progress| {
            bar.set_length(p.total);
            bar.set_position(p.done);
        })
    }

    /// For the writer of snapshots.
    pub(crate) fn writing(&self) -> Arc<dyn Fn(u64, u64) + Send + Sync> {
        let bar = self.0.clone();
        Arc::new(move |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        })
    }

    /// For what counts itself.
    pub(crate) fn at(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
