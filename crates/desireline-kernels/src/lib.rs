//! The inner loops of desireline that a compiler does not turn into the best instructions by itself.
//!
//! All but [`prefetch`] are functions over plain slices that write one bit an event, least significant bit first, into 64-bit words. The
//! meaning of each is the portable version in its `scalar` module; the versions for AVX2 and AVX-512 are tested against that one,
//! and which of them runs is decided once, when the program first asks, by what the processor can do. So results never
//! depend on the machine.
//!
//! This is the only crate of the engine that holds `unsafe` code; it knows slices of numbers and nothing else.

// Instructions for one processor or another can be called in no other way; every use says why it is sound.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU8, Ordering};

mod gaps;
mod members;
mod prefetch;

pub use gaps::gaps;
pub use members::{ByteSet, members};
pub use prefetch::prefetch;

/// The portable versions: what the others are tested against.
pub mod scalar {
    pub use crate::gaps::scalar::gaps;
    pub use crate::members::scalar::members;
}

/// Instructions that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Level {
    /// Those that every processor of the target has.
    Scalar = 1,
    /// AVX2: 32 bytes at a time.
    Avx2 = 2,
    /// AVX-512 with VBMI and BW: 64 bytes at a time.
    Avx512 = 3,
}

/// 0 until the processor was asked.
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// The instructions in use.
#[inline]
pub fn level() -> Level {
    match LEVEL.load(Ordering::Relaxed) {
        1 => Level::Scalar,
        2 => Level::Avx2,
        3 => Level::Avx512,
        _ => limit(Level::Avx512),
    }
}

/// Uses no instructions beyond `most` in the whole process from now on; returns what is then in use. For tests and for
/// measuring: no result depends on it.
#[cold]
pub fn limit(most: Level) -> Level {
    let level = detect().min(most);
    LEVEL.store(level as u8, Ordering::Relaxed);
    level
}

/// The best that this processor has.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn detect() -> Level {
    use std::arch::is_x86_feature_detected as has;
    if has!("avx512f") && has!("avx512bw") && has!("avx512vbmi") {
        Level::Avx512
    } else if has!("avx2") {
        Level::Avx2
    } else {
        Level::Scalar
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn detect() -> Level {
    Level::Scalar
}

/// How many words hold a bit for each of `len` events.
#[inline]
pub fn words(len: usize) -> usize {
    len.div_ceil(64)
}

/// The levels that this machine can run, for tests.
#[cfg(test)]
fn levels() -> impl Iterator<Item = Level> {
    let most = detect();
    [Level::Scalar, Level::Avx2, Level::Avx512]
        .into_iter()
        .filter(move |&l| l <= most)
}
