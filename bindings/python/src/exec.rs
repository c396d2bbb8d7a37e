//! Long work: on worker threads, off the interpreter, stoppable by Ctrl-C.
//!
//! The calling thread lets go of the interpreter and wakes some twenty times a second, to check for signals and to hand on
//! progress. Worker threads never touch Python.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use desireline_core::engine::{CancelToken, Exec};
use pyo3::prelude::*;

use crate::error::Failure;

/// How often the calling thread looks for signals: an interrupt shows within 200 ms.
const TICK: Duration = Duration::from_millis(50);
/// How long interrupted work may take to stop in good order before it is left alone to finish unseen.
const GRACE: Duration = Duration::from_millis(100);
/// How often progress is handed on.
const PROGRESS: Duration = Duration::from_millis(100);

/// What work learns from the caller and tells it. One for each call.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    token: CancelToken,
    flag: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Watch {
    /// How to run an analysis under this watch.
    pub(crate) fn exec(
        &self,
        threads: Option<usize>,
        memory: Option<u64>,
    ) -> Result<Exec, Failure> {
        let mut exec = Exec::new().cancel_with(self.token.clone());
        if let Some(n) = threads {
            exec = exec.threads(n)?;
        }
        if let Some(bytes) = memory {
            exec = exec.memory_budget(bytes);
        }
        let (done, total) = (Arc::clone(&self.done), Arc::clone(&self.total));
        Ok(exec.on_progress(Arc::new(move |p| {
            total.store(p.total, Ordering::Relaxed);
            done.store(p.done, Ordering::Relaxed);
        })))
    }

    /// The flag that stops reading.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Whether the work was asked to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Notes how far reading has come.
    pub(crate) fn note(&self, done: u64, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
    }

    fn stop(&self) {
        self.token.cancel();
        self.flag.store(true, Ordering::Relaxed);
    }

    fn progress(&self) -> (u64, u64) {
        (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        )
    }
}

/// Runs `work` on the worker threads and waits for it without holding the interpreter.
///
/// `progress`, a Python callable of two whole numbers, is called with what is done and what there is in all.
///
/// # Errors
/// What `work` fails with; a panic in it; whatever a signal handler or `progress` raises, in which case the work is stopped.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Watch) -> Result<T, Failure> + Send + 'static,
) -> PyResult<T> {
    let watch = Watch::default();
    let theirs = watch.clone();
    let (sender, receiver) = mpsc::sync_channel(1);
    pool()?.spawn(move || {
        let result = guarded(|| work(&theirs));
        // Nobody listens any more after an interrupt.
        drop(sender.send(result));
    });
    // A receiver is not shared between threads, but `detach` asks for it.
    let receiver = Mutex::new(receiver);
    let mut told = Told {
        at: Instant::now(),
        done: 0,
    };
    loop {
        match py.detach(|| wait(&receiver, TICK)) {
            Ok(result) => {
                if result.is_ok() {
                    told.tell(&watch, progress, true)?;
                }
                return Ok(result?);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(
                    Failure::Panic("a worker thread ended without a result".to_owned()).into(),
                );
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let heard = py
            .check_signals()
            .and_then(|()| told.tell(&watch, progress, false));
        if let Err(interrupt) = heard {
            watch.stop();
            drop(py.detach(|| wait(&receiver, GRACE)));
            return Err(interrupt);
        }
    }
}

/// Runs short work off the interpreter on this thread; a panic in it is an error.
pub(crate) fn short<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> PyResult<T> {
    Ok(py.detach(|| guarded(work))?)
}

type Waited<T> = Result<Result<T, Failure>, RecvTimeoutError>;

fn wait<T>(receiver: &Mutex<Receiver<Result<T, Failure>>>, time: Duration) -> Waited<T> {
    receiver
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv_timeout(time)
}

struct Told {
    at: Instant,
    done: u64,
}

impl Told {
    fn tell(
        &mut self,
        watch: &Watch,
        progress: Option<&Bound<'_, PyAny>>,
        last: bool,
    ) -> PyResult<()> {
        let Some(progress) = progress else {
            return Ok(());
        };
        let (mut done, total) = watch.progress();
        if last {
            done = done.max(total);
        }
        if last || (done != self.done && self.at.elapsed() >= PROGRESS) {
            *self = Told {
                at: Instant::now(),
                done,
            };
            progress.call1((done, total))?;
        }
        Ok(())
    }
}

fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Failure::Panic(words(panic.as_ref()))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    said.unwrap_or("no reason given").to_owned()
}

/// The worker threads of this process. They are started by the first question, and again in a forked child, which
/// inherits none.
fn pool() -> Result<Arc<rayon::ThreadPool>, Failure> {
    static POOL: Mutex<Option<(u32, Arc<rayon::ThreadPool>)>> = Mutex::new(None);
    let mut held = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    match &*held {
        Some((owner, pool)) if *owner == process => return Ok(Arc::clone(pool)),
        _ => {}
    }
    // The parent's pool cannot be shut down from here: its threads are not in this process.
    std::mem::forget(held.take());
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|i| format!("desireline-{i}"))
        .build()
        .map_err(|e| desireline_core::Error::Threads {
            reason: e.to_string(),
        })?;
    let pool = Arc::new(pool);
    *held = Some((process, Arc::clone(&pool)));
    Ok(pool)
}

/// Fails the way a bug in the engine would, for the tests of the boundary: by a panic on a worker thread or on this one.
#[pyfunction]
#[pyo3(name = "_fail", signature = (on_worker))]
pub(crate) fn fail(py: Python<'_>, on_worker: bool) -> PyResult<()> {
    if on_worker {
        run(py, None, |_| broken())
    } else {
        short(py, broken)
    }
}

fn broken() -> Result<(), Failure> {
    std::panic::panic_any("asked to fail".to_owned())
}
