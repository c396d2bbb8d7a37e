//! How much journeys differ: the entropy of paths.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much paths differ from each other. None of these has an interval: `bits` is too low where many paths were taken
/// once, and `corrected` is right on average only if nearly all paths have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathEntropy {
    /// The entropy of the shares as observed, `Σ p log2(1/p)` over all paths, in bits: 0 if all journeys take one path.
    pub bits: f64,
    /// The same with the correction of Miller and Madow, `(paths - 1) / (2 journeys ln 2)` more.
    pub corrected: f64,
    /// `bits` over the most that so many paths can have, `log2(paths)`: 1 if all are equally frequent. Absent for one path.
    pub evenness: Option<f64>,
    /// As many equally frequent paths have the same entropy: `2^bits`.
    pub effective_paths: f64,
}

/// How many paths have been taken so often, from how often each was.
#[derive(Debug)]
pub(super) struct Frequencies {
    /// Of those taken less often than there is room.
    few: [u64; 256],
    /// Of the others.
    many: BTreeMap<u64, u64>,
}

impl Frequencies {
    pub(super) fn of(journeys: impl Iterator<Item = u64>) -> Frequencies {
        let mut all = Frequencies {
            few: [0; 256],
            many: BTreeMap::new(),
        };
        for n in journeys {
            match usize::try_from(n).ok().and_then(|n| all.few.get_mut(n)) {
                Some(paths) => *paths += 1,
                None => *all.many.entry(n).or_default() += 1,
            }
        }
        all
    }

    /// Paths that were taken once.
    pub(super) fn singletons(&self) -> u64 {
        self.few[1]
    }

    /// From the rarest to the most frequent, so that sums do not depend on any order: how often, and how many paths.
    fn ascending(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let few = (0..).zip(self.few).skip(1).filter(|(_, paths)| *paths > 0);
        few.chain(self.many.iter().map(|(n, paths)| (*n, *paths)))
    }

    /// `None` without journeys.
    pub(super) fn entropy(&self) -> Option<PathEntropy> {
        let (journeys, paths) = self
            .ascending()
            .fold((0, 0), |(all, k), (n, paths)| (all + n * paths, k + paths));
        if journeys == 0 {
            return None;
        }
        let (all, k) = (journeys as f64, paths as f64);
        let part = |(n, paths): (u64, u64)| {
            let n = n as f64;
            paths as f64 * (n / all) * (all / n).log2()
        };
        let bits: f64 = self.ascending().map(part).sum();
        Some(PathEntropy {
            bits,
            corrected: bits + (k - 1.0) / (2.0 * all * LN_2),
            evenness: (paths > 1).then(|| (bits / k.log2()).min(1.0)),
            effective_paths: bits.exp2(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(counts: &[u64]) -> PathEntropy {
        Frequencies::of(counts.iter().copied()).entropy().unwrap()
    }

    #[test]
    fn formulas_are_those_of_the_textbook() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let one = of(&[7]);
        assert_eq!((one.bits, one.corrected, one.evenness), (0.0, 0.0, None));
        assert!(close(one.effective_paths, 1.0));
        let even = of(&[5, 5, 5, 5]);
        assert!(close(even.bits, 2.0) && close(even.evenness.unwrap(), 1.0));
        assert!(close(even.effective_paths, 4.0));
        assert!(close(even.corrected, 2.0 + 3.0 / (40.0 * LN_2)));
        // One half, one quarter, two eighths.
        assert!(close(of(&[4, 2, 1, 1]).bits, 1.75));
        assert!(Frequencies::of([].into_iter()).entropy().is_none());
    }

    #[test]
    fn no_order_of_paths_shows() {
        let mut counts: Vec<u64> = (1..700).map(|i| i * i % 1_009).filter(|n| *n > 0).collect();
        let (first, singletons) = (of(&counts), counts.iter().filter(|n| **n == 1).count());
        counts.reverse();
        counts.rotate_left(123);
        let again = of(&counts);
        assert_eq!(first.bits.to_bits(), again.bits.to_bits());
        let all = Frequencies::of(counts.iter().copied());
        assert_eq!(all.singletons(), singletons as u64);
        let total: f64 = counts.iter().map(|n| *n as f64).sum();
        let naive: f64 = counts
            .iter()
            .map(|n| -(*n as f64 / total) * (*n as f64 / total).log2())
            .sum();
        assert!((naive - first.bits).abs() < 1e-9);
    }
}
