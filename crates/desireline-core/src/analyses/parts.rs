//! What several analyses share.

use desireline_stats::{Clusters, Distribution, Sides};

use crate::engine::MOST;
use crate::error::SpecError;
use crate::log::Vocabulary;
use crate::report::Caveat;

/// The confidence level unless another is asked for.
pub(super) fn default_level() -> f64 {
    0.95
}

/// The builder methods of a question that has both `alive` and `level`.
macro_rules! alive_and_level {
    () => {
        /// Sets for how long after its last event a journey may still go on.
        #[must_use]
        pub fn alive<S: TryInto<crate::time::TimeSpan>>(mut self, span: S) -> Self
        where
            crate::Error: From<S::Error>,
        {
            let read = self.deferred.span("alive", span);
            self.alive = read.unwrap_or(self.alive);
            self
        }

        /// Sets the confidence level of all intervals.
        #[must_use]
        pub fn level(self, level: f64) -> Self {
            Self { level, ..self }
        }
    };
}
pub(super) use alive_and_level;

/// The sums of so many customers, all like these.
pub(super) fn repeated(one: &Clusters, customers: u64) -> Clusters {
    let wide = u128::from(customers);
    Clusters {
        m: one.m.saturating_mul(customers),
        k: one.k.saturating_mul(customers),
        n: one.n.saturating_mul(customers),
        kk: one.kk.saturating_mul(wide),
        kn: one.kn.saturating_mul(wide),
        nn: one.nn.saturating_mul(wide),
    }
}

/// The same of two rates.
pub(super) fn repeated_sides(one: &Sides, customers: u64) -> Sides {
    let wide = u128::from(customers);
    Sides {
        a: repeated(&one.a, customers),
        b: repeated(&one.b, customers),
        kk: one.kk.saturating_mul(wide),
        kn: one.kn.saturating_mul(wide),
        nk: one.nk.saturating_mul(wide),
        nn: one.nn.saturating_mul(wide),
    }
}

/// Refuses a level that no interval can have.
pub(super) fn check_level(analysis: &'static str, level: f64) -> Result<(), SpecError> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(SpecError::Field {
        analysis,
        field: "level",
        problem: format!(
            "{level} is no confidence level; use a number between 0 and 1, such as 0.95"
        ),
    })
}

/// Whether sums over customers can be those of a rate: k of n.
pub(super) fn is_rate(c: &Clusters) -> bool {
    let (m, k, n) = (u128::from(c.m), u128::from(c.k), u128::from(c.n));
    c.n <= MOST
        && (c.m == 0) == (c.n == 0)
        && m <= n
        && k <= n
        && (k..=k * k).contains(&c.kk)
        && (c.kk..=k * n).contains(&c.kn)
        && (n.max(c.kn)..=n * n).contains(&c.nn)
}

/// The same where only observations are counted: their sums without any k.
pub(super) fn is_base(c: &Clusters) -> bool {
    is_rate(c) && c.k == 0 && c.kn == 0
}

/// Adds up what was read from bytes; beyond what a log can hold nothing adds up.
pub(super) fn sum(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    counts.into_iter().try_fold(0_u64, |sum, n| {
        sum.checked_add(n).filter(|sum| *sum <= MOST)
    })
}

/// The error of a partial that was read, unless `agrees`.
pub(super) fn agree(agrees: bool, what: &str) -> Result<(), String> {
    match agrees {
        true => Ok(()),
        false => Err(format!("its {what} do not add up")),
    }
}

/// Whether no customer has more than one of what `k` counts.
pub(super) fn at_most_one_each(counted: &Clusters) -> bool {
    counted.kk == u128::from(counted.k)
}

/// Quantiles come from a histogram.
pub(super) fn approximate_quantiles() -> Caveat {
    Caveat::ApproximateQuantiles {
        relative_error_bp: (Distribution::RELATIVE_ERROR * 10_000.0).ceil() as u32,
    }
}

/// The names of a log in alphabetical order, so that many rows are put in order by comparing numbers.
pub(super) struct ByName<'a> {
    names: &'a Vocabulary,
    /// By rank.
    codes: Vec<u32>,
    /// By code.
    ranks: Vec<u32>,
}

impl<'a> ByName<'a> {
    pub(super) fn new(names: &'a Vocabulary) -> ByName<'a> {
        let mut codes: Vec<u32> = (0..).take(names.len()).collect();
        codes.sort_unstable_by_key(|&code| names.name(code));
        let mut ranks = vec![0; codes.len()];
        for (rank, &code) in (0..).zip(&codes) {
            ranks[code as usize] = rank;
        }
        ByName {
            names,
            codes,
            ranks,
        }
    }

    /// The place of a code's name among all.
    #[inline]
    pub(super) fn rank(&self, code: u32) -> u32 {
        self.ranks[code as usize]
    }

    /// The name at that place.
    #[inline]
    pub(super) fn name(&self, rank: u32) -> &'a str {
        self.names.name(self.codes[rank as usize])
    }
}
