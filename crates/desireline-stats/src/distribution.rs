//! The distribution of a quantity, mergeable in any order: exact while it is small, a histogram with a known error when it is large.

use serde::{Deserialize, Serialize};

use crate::error::StatsError;
use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::special::quantile_ranks;

mod histogram;

use histogram::Histogram;

/// Up to this many values are kept as they are.
pub const EXACT_LIMIT: usize = 1024;

/// Largest relative error of a value answered from the histogram.
pub const RELATIVE_ERROR: f64 = histogram::RELATIVE_ERROR;

/// An accumulator of whole numbers from 0 up (durations in microseconds, money, step counts) that answers quantiles.
///
/// Up to [`EXACT_LIMIT`] values it keeps them all and every answer is exact. Above, it keeps counts in bins whose middle is within
/// [`RELATIVE_ERROR`] of every value in them, and smallest, largest and sum exactly. Which of the two it is follows from the number of values alone, so
/// the state is a function of the *set* of values: any order, any split, any nesting of merges gives equal bytes.
///
/// Pushing takes a few nanoseconds and, but for growth, no allocation. An empty one owns no memory.
/// Values below 0 are not durations; they are counted in [`refused`](Self::refused) and take part in nothing.
///
/// ```
/// use desireline_stats::Distribution;
///
/// let mut left: Distribution = [30, 10, 50].into_iter().collect();
/// let right: Distribution = [20, 40].into_iter().collect();
/// left.merge(&right);
/// assert_eq!((left.n(), left.quantile(0.5), left.quantile(0.9)), (5, Some(30), Some(50)));
/// assert!(left.is_exact());
/// assert_eq!(Distribution::default().quantile(0.5), None);
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Distribution {
    state: State,
    refused: u64,
}

#[derive(Clone, Debug)]
enum State {
    /// In order of arrival; sorted when asked or stored.
    Values(Vec<u64>),
    Bins(Box<Histogram>),
}

impl Default for State {
    fn default() -> Self {
        Self::Values(Vec::new())
    }
}

impl Distribution {
    /// See [`RELATIVE_ERROR`].
    pub const RELATIVE_ERROR: f64 = RELATIVE_ERROR;
    /// See [`EXACT_LIMIT`].
    pub const EXACT_LIMIT: usize = EXACT_LIMIT;

    /// An empty distribution.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one value.
    #[inline]
    pub fn push(&mut self, value: i64) {
        let Ok(value) = u64::try_from(value) else {
            self.refused = self.refused.saturating_add(1);
            return;
        };
        match &mut self.state {
            State::Bins(bins) => bins.push(value),
            State::Values(values) if values.len() < EXACT_LIMIT => values.push(value),
            State::Values(_) => self.push_slow(value, 1),
        }
    }

    /// Adds a value `count` times.
    pub fn push_n(&mut self, value: i64, count: u64) {
        let Ok(value) = u64::try_from(value) else {
            self.refused = self.refused.saturating_add(count);
            return;
        };
        match &mut self.state {
            State::Bins(bins) => bins.add(value, count),
            State::Values(values) if count == 1 && values.len() < EXACT_LIMIT => values.push(value),
            State::Values(_) => self.push_slow(value, count),
        }
    }

    #[cold]
    fn push_slow(&mut self, value: u64, count: u64) {
        if let State::Values(values) = &mut self.state
            && count <= (EXACT_LIMIT - values.len().min(EXACT_LIMIT)) as u64
        {
            values.extend(std::iter::repeat_n(value, count as usize));
            return;
        }
        self.bins().add(value, count);
    }

    /// The histogram, made from the values if need be.
    fn bins(&mut self) -> &mut Histogram {
        if let State::Values(values) = &mut self.state {
            let mut bins = Box::new(Histogram::default());
            for value in values.drain(..) {
                bins.add(value, 1);
            }
            self.state = State::Bins(bins);
        }
        match &mut self.state {
            State::Bins(bins) => bins,
            State::Values(_) => unreachable!("values were turned into bins just above"),
        }
    }

    /// Adds all values of another distribution.
    pub fn merge(&mut self, other: &Self) {
        self.refused = self.refused.saturating_add(other.refused);
        match (&mut self.state, &other.state) {
            (State::Values(mine), State::Values(theirs))
                if mine.len() + theirs.len() <= EXACT_LIMIT =>
            {
                mine.extend_from_slice(theirs)
            }
            (_, State::Values(theirs)) => {
                let bins = self.bins();
                for &value in theirs {
                    bins.add(value, 1);
                }
            }
            (_, State::Bins(theirs)) => self.bins().merge(theirs),
        }
    }

    /// How many values were added.
    #[inline]
    pub fn n(&self) -> u64 {
        match &self.state {
            State::Values(values) => values.len() as u64,
            State::Bins(bins) => bins.n(),
        }
    }

    /// True if no value was added.
    pub fn is_empty(&self) -> bool {
        self.n() == 0
    }

    /// How many values below 0 were offered and left out.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// True while every answer is exact.
    pub fn is_exact(&self) -> bool {
        matches!(self.state, State::Values(_))
    }

    /// The smallest value, exact.
    pub fn min(&self) -> Option<i64> {
        match &self.state {
            State::Values(values) => values.iter().min().map(|&v| v as i64),
            State::Bins(bins) => Some(bins.min() as i64),
        }
    }

    /// The largest value, exact.
    pub fn max(&self) -> Option<i64> {
        match &self.state {
            State::Values(values) => values.iter().max().map(|&v| v as i64),
            State::Bins(bins) => Some(bins.max() as i64),
        }
    }

    /// The sum of all values, exact.
    pub fn sum(&self) -> u128 {
        match &self.state {
            State::Values(values) => values.iter().map(|&v| u128::from(v)).sum(),
            State::Bins(bins) => bins.sum(),
        }
    }

    /// The mean; exact but for one rounding.
    pub fn mean(&self) -> Option<f64> {
        let n = self.n();
        (n > 0).then(|| self.sum() as f64 / n as f64)
    }

    /// The smallest value that at least a share `q` of all values do not exceed: rank `ceil(q n)`, at least 1 (inverse of the empirical distribution;
    /// no value is invented between two others). `q` = 0 gives the minimum, 1 the maximum.
    ///
    /// Exact while [`is_exact`](Self::is_exact); else the middle of its bin, off by at most [`RELATIVE_ERROR`] of the true one. `None` if empty or `q`
    /// is not in `[0, 1]`.
    pub fn quantile(&self, q: f64) -> Option<i64> {
        let rank = nearest_rank(q, self.n())?;
        match &self.state {
            // One value is found faster than all are sorted.
            State::Values(values) => {
                let index = usize::try_from(rank - 1)
                    .ok()
                    .filter(|&i| i < values.len())?;
                let mut values = values.clone();
                Some(*values.select_nth_unstable(index).1 as i64)
            }
            State::Bins(bins) => Some(bins.value_at(rank - 1, Edge::Middle)? as i64),
        }
    }

    /// The `q` quantile with an interval from order statistics, which assumes nothing about the shape.
    ///
    /// The limits are the values at the binomial ranks `l` and `u` with `P(B < l) <= α/2` and `P(B >= u) <= α/2`, `B` binomial(n, q); from a histogram
    /// they are widened to the edges of their bins. Where `l` would be below the first value the limit is 0, which no value can undercut. Where
    /// `u` would be beyond the last one there is no upper limit, hence `None`: too few data for this quantile (a median at 95 % takes 6).
    ///
    /// The unit is microseconds; see [`Estimate::with_unit`].
    ///
    /// ```
    /// use desireline_stats::Distribution;
    /// let days: Distribution = (1..=100).collect();
    /// let median = days.quantile_estimate(0.5, 0.95).ok_or("too few")?;
    /// assert_eq!((median.value, median.lower, median.upper), (50.0, 40.0, 61.0));
    /// # Ok::<(), &'static str>(())
    /// ```
    pub fn quantile_estimate(&self, q: f64, level: f64) -> Option<Estimate> {
        self.ordered().quantile_estimate(q, level)
    }

    /// The values in order, for who asks for several quantiles: they are sorted once.
    pub fn ordered(&self) -> Ordered<'_> {
        let values = match &self.state {
            State::Values(values) => sorted(values),
            State::Bins(_) => Vec::new(),
        };
        Ordered { of: self, values }
    }

    /// Distinct values with their counts, ascending; from a histogram the middle of each bin with what is in it.
    pub fn counts(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let (values, bins) = match &self.state {
            State::Values(values) => (Some(run_lengths(&sorted(values))), None),
            State::Bins(bins) => (None, Some(bins.iter(Edge::Middle))),
        };
        values
            .into_iter()
            .flatten()
            .chain(bins.into_iter().flatten())
            .map(|(value, count)| (value as i64, count))
    }

    /// Bins with their counts, ascending, each by its lowest value, whether or not single values are kept.
    ///
    /// Two distributions must be compared in one of two ways: both exactly, or both in bins. Single values on one side and middles of
    /// bins on the other would turn equal values into a difference.
    ///
    /// ```
    /// use desireline_stats::Distribution;
    /// let few: Distribution = [30_000_000, 30_000_001].into_iter().collect();
    /// let many: Distribution = std::iter::repeat_n(30_000_000, 5_000).collect();
    /// assert_eq!((few.bin_counts()[0].0, few.bin_counts()[0].1), (many.bin_counts()[0].0, 2));
    /// ```
    pub fn bin_counts(&self) -> Vec<(i64, u64)> {
        let bins: Vec<(u64, u64)> = match &self.state {
            State::Values(values) => {
                let mut floors: Vec<u64> = values.iter().map(|&v| histogram::floor(v)).collect();
                floors.sort_unstable();
                run_lengths(&floors)
            }
            State::Bins(bins) => bins.floors().collect(),
        };
        bins.into_iter().map(|(v, n)| (v as i64, n)).collect()
    }

    /// Bytes owned on the heap, capacity included.
    pub fn heap_bytes(&self) -> usize {
        match &self.state {
            State::Values(values) => values.capacity() * size_of::<u64>(),
            State::Bins(bins) => size_of::<Histogram>() + bins.heap_bytes(),
        }
    }
}

/// A [`Distribution`] whose values are in order; see [`Distribution::ordered`].
#[derive(Clone, Debug)]
pub struct Ordered<'a> {
    of: &'a Distribution,
    /// Empty where there is a histogram, which is in order.
    values: Vec<u64>,
}

impl Ordered<'_> {
    /// See [`Distribution::quantile`].
    pub fn quantile(&self, q: f64) -> Option<i64> {
        self.value_at(nearest_rank(q, self.of.n())?, Edge::Middle)
    }

    /// See [`Distribution::quantile_estimate`].
    pub fn quantile_estimate(&self, q: f64, level: f64) -> Option<Estimate> {
        if !is_level(level) {
            return None;
        }
        let n = self.of.n();
        let value = self.quantile(q)? as f64;
        let (lower, upper) = quantile_ranks(n, q, 1.0 - level);
        let lower = if lower == 0 {
            0.0
        } else {
            self.value_at(lower, Edge::Low)? as f64
        };
        let upper = self.value_at(upper, Edge::High)? as f64;
        Estimate::new(
            value,
            (lower.min(value), upper.max(value)),
            level,
            n,
            Method::OrderStatistic,
            Unit::Microseconds,
        )
    }

    /// The value of this rank, from 1; `None` beyond the last.
    fn value_at(&self, rank: u64, edge: Edge) -> Option<i64> {
        let index = rank.checked_sub(1)?;
        match &self.of.state {
            State::Values(_) => {
                let value = self.values.get(usize::try_from(index).ok()?)?;
                Some(*value as i64)
            }
            State::Bins(bins) => bins.value_at(index, edge).map(|value| value as i64),
        }
    }
}

/// Which point of a bin stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Low,
    Middle,
    High,
}

/// `ceil(q n)`, at least 1, forgiving the last digits of a product such as 0.07 * 100 that should be whole.
fn nearest_rank(q: f64, n: u64) -> Option<u64> {
    if n == 0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rank = q * n as f64;
    let whole = rank.round();
    let rank = if (rank - whole).abs() <= 1e-12 * rank {
        whole
    } else {
        rank.ceil()
    };
    Some((rank as u64).clamp(1, n))
}

fn sorted(values: &[u64]) -> Vec<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values
}

fn run_lengths(sorted: &[u64]) -> Vec<(u64, u64)> {
    sorted
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len() as u64))
        .collect()
}

impl PartialEq for Distribution {
    fn eq(&self, other: &Self) -> bool {
        self.refused == other.refused
            && match (&self.state, &other.state) {
                (State::Values(a), State::Values(b)) => {
                    a.len() == b.len() && sorted(a) == sorted(b)
                }
                (State::Bins(a), State::Bins(b)) => a == b,
                _ => false,
            }
    }
}

impl Eq for Distribution {}

impl Extend<i64> for Distribution {
    fn extend<T: IntoIterator<Item = i64>>(&mut self, values: T) {
        let mut values = values.into_iter();
        while matches!(self.state, State::Values(_)) {
            match values.next() {
                Some(value) => self.push(value),
                None => return,
            }
        }
        if let State::Bins(bins) = &mut self.state {
            let refused = bins.extend(values);
            self.refused = self.refused.saturating_add(refused);
        }
    }
}

impl FromIterator<i64> for Distribution {
    fn from_iter<T: IntoIterator<Item = i64>>(values: T) -> Self {
        let mut all = Self::new();
        all.extend(values);
        all
    }
}

/// The stored form: one form per state.
#[derive(Serialize, Deserialize)]
struct Stored {
    refused: u64,
    form: Form,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// The smallest value, then the steps from each to the next.
    Values(Vec<u64>),
    Bins(histogram::Stored),
}

impl From<Distribution> for Stored {
    fn from(distribution: Distribution) -> Self {
        let form = match distribution.state {
            State::Values(values) => {
                let mut last = 0;
                Form::Values(
                    sorted(&values)
                        .into_iter()
                        .map(|value| value - std::mem::replace(&mut last, value))
                        .collect(),
                )
            }
            State::Bins(bins) => Form::Bins((*bins).into()),
        };
        Self {
            refused: distribution.refused,
            form,
        }
    }
}

impl TryFrom<Stored> for Distribution {
    type Error = StatsError;

    fn try_from(stored: Stored) -> Result<Self, StatsError> {
        let corrupt = |reason| StatsError::Corrupt {
            what: "distribution",
            reason,
        };
        let state = match stored.form {
            Form::Values(steps) => {
                if steps.len() > EXACT_LIMIT {
                    return Err(corrupt("more single values than are ever kept"));
                }
                let mut values = steps;
                let mut last = 0_u64;
                for value in &mut values {
                    last = last
                        .checked_add(*value)
                        .filter(|&v| v <= i64::MAX as u64)
                        .ok_or_else(|| corrupt("a value exceeds i64"))?;
                    *value = last;
                }
                State::Values(values)
            }
            Form::Bins(bins) => {
                State::Bins(Box::new(bins.check(EXACT_LIMIT as u64).map_err(corrupt)?))
            }
        };
        Ok(Self {
            state,
            refused: stored.refused,
        })
    }
}
