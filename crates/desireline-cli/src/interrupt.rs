//! Ctrl-C: the first asks the work to stop in good order, the second ends it at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use desireline::engine::CancelToken;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::CliError;

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Listens from now on. Where that fails the system's own way stays in force: the process ends at once.
pub(crate) fn listen() {
    for signal in [SIGINT, SIGTERM] {
        let Ok(number) = usize::try_from(signal) else {
            continue;
        };
        // In this order: the second signal of a kind finds the flag set by the first.
        let _ = flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&STOP));
        let _ = flag::register_usize(signal, Arc::clone(&SIGNAL), number);
        let _ = flag::register(signal, Arc::clone(&STOP));
    }
}

/// For the readers.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::clone(&STOP)
}

/// For the engine.
pub(crate) fn token() -> CancelToken {
    CancelToken::from(flag())
}

/// The signal that asked to stop, if one did.
pub(crate) fn signal() -> Option<usize> {
    Some(SIGNAL.load(Ordering::Relaxed)).filter(|n| *n > 0)
}

/// Goes on unless asked to stop.
pub(crate) fn check() -> Result<(), CliError> {
    if STOP.load(Ordering::Relaxed) {
        return Err(CliError::Interrupted);
    }
    Ok(())
}
