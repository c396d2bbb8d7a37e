//! How to run: threads, memory, cancellation, progress. Analyses never see any of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Stops work from outside: clone it, hand one to the run, cancel the other.
///
/// A running analysis notices between two morsels, which are some 65,000 events: mostly within a few milliseconds. A
/// customer is never split, so one with very many events is finished first; that takes as long as it takes.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that has not been cancelled.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl From<Arc<AtomicBool>> for CancelToken {
    /// A token over a flag that something else sets, such as a signal's handler.
    fn from(flag: Arc<AtomicBool>) -> CancelToken {
        CancelToken(flag)
    }
}

/// How far the work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Events done.
    pub done: u64,
    /// Events in all.
    pub total: u64,
}

/// Called now and then from worker threads; must be quick.
pub type ProgressHook = Arc<dyn Fn(Progress) + Send + Sync>;

/// More threads than this are refused.
pub const MAX_THREADS: usize = 1_024;

/// How to run. The default uses every core, no memory limit, no hooks. Results never depend on it.
#[derive(Clone, Default)]
pub struct Exec {
    pub(crate) threads: Option<usize>,
    pub(crate) memory_budget: Option<u64>,
    pub(crate) cancel: CancelToken,
    pub(crate) progress: Option<ProgressHook>,
    #[cfg(feature = "parallel")]
    pub(crate) pool: Option<Arc<rayon::ThreadPool>>,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec")
            .field("threads", &self.threads)
            .field("memory_budget", &self.memory_budget)
            .finish_non_exhaustive()
    }
}

impl Exec {
    /// The default.
    pub fn new() -> Exec {
        Exec::default()
    }

    /// Runs on exactly `n` threads, at least one and at most [`MAX_THREADS`].
    ///
    /// # Errors
    /// [`Error::TooMany`] above that, before any thread is started.
    pub fn threads(mut self, n: usize) -> Result<Exec> {
        if n > MAX_THREADS {
            return Err(Error::TooMany {
                what: "threads",
                count: n as u64,
                limit: MAX_THREADS as u64,
            });
        }
        let n = n.max(1);
        self.threads = Some(n);
        #[cfg(feature = "parallel")]
        {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
            self.pool = Some(Arc::new(pool.map_err(|e| Error::Threads {
                reason: e.to_string(),
            })?));
        }
        Ok(self)
    }

    /// Fails with [`Error::MemoryBudget`](crate::Error::MemoryBudget) once partial results need more than `bytes`.
    ///
    /// They are weighed after every morsel (some 65,000 events), and group by group in a breakdown, so they pass the
    /// budget by what one morsel adds at most. Making the report of them is not counted.
    #[must_use]
    pub fn memory_budget(mut self, bytes: u64) -> Exec {
        self.memory_budget = Some(bytes);
        self
    }

    /// Stops when `token` is cancelled.
    #[must_use]
    pub fn cancel_with(mut self, token: CancelToken) -> Exec {
        self.cancel = token;
        self
    }

    /// Reports progress to `hook`.
    #[must_use]
    pub fn on_progress(mut self, hook: ProgressHook) -> Exec {
        self.progress = Some(hook);
        self
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Runs `work` so that its own parallel loops use these threads.
    #[cfg(feature = "parallel")]
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    #[cfg(not(feature = "parallel"))]
    pub(crate) fn install<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    pub(crate) fn n_threads(&self) -> usize {
        #[cfg(feature = "parallel")]
        {
            self.threads
                .unwrap_or_else(rayon::current_num_threads)
                .max(1)
        }
        #[cfg(not(feature = "parallel"))]
        {
            1
        }
    }

    #[cfg(feature = "parallel")]
    pub(crate) fn map<I: Send, T: Send>(
        &self,
        items: Vec<I>,
        work: impl Fn(I) -> T + Send + Sync,
    ) -> Vec<T> {
        use rayon::prelude::*;
        if items.len() < 2 || self.n_threads() == 1 {
            return items.into_iter().map(work).collect();
        }
        let run = || items.into_par_iter().map(&work).collect();
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }

    #[cfg(not(feature = "parallel"))]
    pub(crate) fn map<I: Send, T: Send>(
        &self,
        items: Vec<I>,
        work: impl Fn(I) -> T + Send + Sync,
    ) -> Vec<T> {
        items.into_iter().map(work).collect()
    }
}
