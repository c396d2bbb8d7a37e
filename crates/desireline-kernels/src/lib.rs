//! The inner loops of desireline that a compiler does not turn into the best instructions by itself.
//!
//! All but [`prefetch`] are functions over plain slices of numbers and of bits, one an event, least significant bit first in
//! 64-bit words. The meaning of each is the portable version in its `scalar` module; the versions for NEON, AVX2 and AVX-512 are tested against
//! that one, and which of them runs is decided once, when the program first asks, by what the processor can do. So results
//! never depend on the machine.
//!
//! This is the only crate of the engine that holds `unsafe` code; it knows slices of numbers and nothing else.

// Instructions for one processor or another can be called in no other way; every use says why it is sound.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU8, Ordering};

mod gaps;
mod members;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod positions;
mod prefetch;

pub use gaps::gaps;
pub use members::{ByteSet, members};
pub use positions::positions;
pub use prefetch::prefetch;

/// The portable versions: what the others are tested against.
pub mod scalar {
    pub use crate::gaps::scalar::gaps;
    pub use crate::members::scalar::members;
}

/// Instructions that may be used; the later, the wider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Level {
    /// Those that every processor of the target has.
    Scalar = 1,
    /// NEON of 64-bit ARM: 16 bytes at a time.
    Neon = 2,
    /// AVX2: 32 bytes at a time.
    Avx2 = 3,
    /// AVX-512 with VBMI and BW: 64 bytes at a time.
    Avx512 = 4,
}

/// 0 until the processor was asked.
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// The instructions in use.
#[inline]
pub fn level() -> Level {
    match LEVEL.load(Ordering::Relaxed) {
        1 => Level::Scalar,
        2 => Level::Neon,
        3 => Level::Avx2,
        4 => Level::Avx512,
        _ => limit(Level::Avx512),
    }
}

/// Uses no instructions beyond `most` in the whole process from now on; returns what is then in use: the widest of this
/// processor up to `most`. For tests and for measuring: no result depends on it.
#[cold]
pub fn limit(most: Level) -> Level {
    let level = levels().filter(|&l| l <= most).last();
    let level = level.unwrap_or(Level::Scalar);
    LEVEL.store(level as u8, Ordering::Relaxed);
    level
}

/// The levels that this processor can run, in ascending order.
fn levels() -> impl Iterator<Item = Level> {
    [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512]
        .into_iter()
        .filter(|&l| has(l))
}

#[cfg(target_arch = "x86_64")]
fn has(level: Level) -> bool {
    use std::arch::is_x86_feature_detected as has;
    match level {
        Level::Scalar => true,
        Level::Neon => false,
        Level::Avx2 => has!("avx2"),
        Level::Avx512 => has!("avx512f") && has!("avx512bw") && has!("avx512vbmi"),
    }
}

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
fn has(level: Level) -> bool {
    match level {
        Level::Scalar => true,
        Level::Neon => std::arch::is_aarch64_feature_detected!("neon"),
        Level::Avx2 | Level::Avx512 => false,
    }
}

#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little")
)))]
fn has(level: Level) -> bool {
    level == Level::Scalar
}

/// How many words hold a bit for each of `len` events.
#[inline]
pub fn words(len: usize) -> usize {
    len.div_ceil(64)
}

/// Lengths around the ends of a word, for tests.
#[cfg(all(test, not(miri)))]
const LENGTHS: &[usize] = &[0, 1, 2, 63, 64, 65, 127, 128, 129, 191, 193];
/// Few, for Miri is slow.
#[cfg(all(test, miri))]
const LENGTHS: &[usize] = &[0, 1, 64, 129];

/// Bits without a pattern, the same in every run, for tests that an interpreter runs too: `proptest` is too slow there.
#[cfg(test)]
fn scattered() -> impl Iterator<Item = u32> {
    let step = |seed: &u32| Some(seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1), step).map(|n| n ^ n >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_processor_has_is_used() {
        let has: Vec<Level> = levels().collect();
        assert_eq!(has.first(), Some(&Level::Scalar));
        for most in [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512] {
            let used = limit(most);
            assert!(used <= most && has.contains(&used), "{used:?} of {has:?}");
        }
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        assert_eq!(has, [Level::Scalar, Level::Neon]);
    }
}
