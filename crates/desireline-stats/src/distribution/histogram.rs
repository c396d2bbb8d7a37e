//! Counts in log-linear bins: 128 of equal width in every doubling.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Edge;

/// Bins per doubling, as a power of two.
const BITS: u32 = 7;
const PER_OCTAVE: usize = 1 << BITS;
/// A bin's count goes up to here before it is carried.
const CARRY: u64 = 1 << 16;
/// One more than the largest bin of an i64.
const BINS: usize = (63 - BITS as usize + 1) * PER_OCTAVE;

/// Half a bin's width over its lowest value.
pub(super) const RELATIVE_ERROR: f64 = 0.5 / PER_OCTAVE as f64;

/// Counts of values in bins, kept from the lowest to the highest doubling in use.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    n: u64,
    min: u64,
    max: u64,
    sum: u128,
    /// Bin of `counts[0]`, a multiple of `PER_OCTAVE`.
    first: usize,
    /// What is in each bin, less the whole [`CARRY`]s: narrow, so that many histograms fit the processor's cache.
    counts: Vec<u16>,
    /// How many times [`CARRY`] is in a bin, where any is.
    carries: BTreeMap<usize, u64>,
}

/// The bin of a value up to i64::MAX: the value itself below 256, then its 7 leading bits after the first.
#[inline]
fn bin(value: u64) -> usize {
    let octave = (63 - (value | (PER_OCTAVE as u64)).leading_zeros()) - BITS;
    (octave as usize) * PER_OCTAVE + (value >> octave) as usize
}

/// Lowest and highest value of a bin.
fn edges(bin: usize) -> (u64, u64) {
    if bin < 2 * PER_OCTAVE {
        return (bin as u64, bin as u64);
    }
    let octave = bin / PER_OCTAVE - 1;
    let low = ((bin % PER_OCTAVE + PER_OCTAVE) as u64) << octave;
    (low, low + (1_u64 << octave) - 1)
}

/// The lowest value of this value's bin.
pub(super) fn floor(value: u64) -> u64 {
    edges(bin(value)).0
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            n: 0,
            // What any value is below and above.
            min: u64::MAX,
            max: 0,
            sum: 0,
            first: 0,
            counts: Vec::new(),
            carries: BTreeMap::new(),
        }
    }
}

impl Histogram {
    /// Adds one value.
    #[inline]
    pub(super) fn push(&mut self, value: u64) {
        let bin = bin(value);
        self.n = self.n.saturating_add(1);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(value.into());
        if let Some(slot) = self.counts.get_mut(bin.wrapping_sub(self.first)) {
            *slot = slot.wrapping_add(1);
            if *slot == 0 {
                self.carry(bin, 1);
            }
        } else {
            self.reach(bin, bin);
            self.bump(bin, 1);
        }
    }

    /// Adds many values, in less time than one by one; returns how many are below 0 and were left out.
    pub(super) fn extend(&mut self, values: impl Iterator<Item = i64>) -> u64 {
        let (mut n, mut refused, mut sum) = (0_u64, 0, 0_u128);
        let (mut min, mut max) = (self.min, self.max);
        for value in values {
            let Ok(value) = u64::try_from(value) else {
                refused += 1;
                continue;
            };
            n += 1;
            min = min.min(value);
            max = max.max(value);
            // No iterator is long enough for an overflow.
            sum += u128::from(value);
            let bin = bin(value);
            match self.counts.get_mut(bin.wrapping_sub(self.first)) {
                Some(slot) => {
                    *slot = slot.wrapping_add(1);
                    if *slot == 0 {
                        self.carry(bin, 1);
                    }
                }
                None => {
                    self.reach(bin, bin);
                    self.bump(bin, 1);
                }
            }
        }
        self.n = self.n.saturating_add(n);
        (self.min, self.max) = (min, max);
        self.sum = self.sum.saturating_add(sum);
        refused
    }

    /// Adds a value `count` times.
    pub(super) fn add(&mut self, value: u64, count: u64) {
        if count == 0 {
            return;
        }
        let bin = bin(value);
        self.n = self.n.saturating_add(count);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let sum = u128::from(value) * u128::from(count);
        self.sum = self.sum.saturating_add(sum);
        if bin.wrapping_sub(self.first) >= self.counts.len() {
            self.reach(bin, bin);
        }
        self.bump(bin, count);
    }

    /// Adds to a bin that there is room for.
    fn bump(&mut self, bin: usize, count: u64) {
        if let Some(slot) = self.counts.get_mut(bin.wrapping_sub(self.first)) {
            let sum = u64::from(*slot) + count % CARRY;
            *slot = sum as u16;
            let carries = count / CARRY + sum / CARRY;
            if carries > 0 {
                self.carry(bin, carries);
            }
        }
    }

    #[cold]
    fn carry(&mut self, bin: usize, carries: u64) {
        let most = u64::MAX / CARRY;
        let carried = self.carries.entry(bin).or_insert(0);
        *carried = carried.saturating_add(carries).min(most);
    }

    /// What is in the bin of `counts[i]`.
    fn count(&self, i: usize, low: u16) -> u64 {
        let carries = if self.carries.is_empty() {
            0
        } else {
            self.carries.get(&(self.first + i)).copied().unwrap_or(0)
        };
        carries * CARRY + u64::from(low)
    }

    /// Makes room for the bins `low..=high`, in whole doublings, so that the room taken depends on the values only.
    #[cold]
    fn reach(&mut self, low: usize, high: usize) {
        let (mut first, mut end) = (
            low / PER_OCTAVE * PER_OCTAVE,
            (high / PER_OCTAVE + 1) * PER_OCTAVE,
        );
        if !self.counts.is_empty() {
            first = first.min(self.first);
            end = end.max(self.first + self.counts.len());
        }
        let mut counts = vec![0; end - first];
        let offset = self.first.saturating_sub(first);
        for (to, from) in counts.iter_mut().skip(offset).zip(&self.counts) {
            *to = *from;
        }
        (self.first, self.counts) = (first, counts);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        if self.n == 0 {
            *self = other.clone();
            return;
        }
        self.n = self.n.saturating_add(other.n);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        if other.first < self.first
            || other.first + other.counts.len() > self.first + self.counts.len()
        {
            self.reach(other.first, other.first + other.counts.len() - 1);
        }
        for (bin, count) in other.filled() {
            self.bump(bin, count);
        }
    }

    pub(super) fn n(&self) -> u64 {
        self.n
    }

    pub(super) fn min(&self) -> u64 {
        self.min
    }

    pub(super) fn max(&self) -> u64 {
        self.max
    }

    pub(super) fn sum(&self) -> u128 {
        self.sum
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u16>()
            + self.carries.len() * 2 * size_of::<(usize, u64)>()
    }

    fn filled(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.counts
            .iter()
            .enumerate()
            .map(|(i, &low)| (self.first + i, self.count(i, low)))
            .filter(|&(_, count)| count > 0)
    }

    /// Bins in use by their lowest value, even where no value was that low.
    pub(super) fn floors(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.filled().map(|(bin, count)| (edges(bin).0, count))
    }

    /// Bins in use, as a value and a count, ascending.
    pub(super) fn iter(&self, edge: Edge) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.filled()
            .map(move |(bin, count)| (self.point(bin, edge), count))
    }

    /// The value at this index of the sorted values, from 0, up to the bin's width.
    pub(super) fn value_at(&self, index: u64, edge: Edge) -> Option<u64> {
        // The ends are known exactly.
        if index == 0 {
            return Some(self.min);
        }
        if index + 1 == self.n {
            return Some(self.max);
        }
        let mut seen = 0_u64;
        self.filled().find_map(|(bin, count)| {
            seen = seen.saturating_add(count);
            (seen > index).then(|| self.point(bin, edge))
        })
    }

    fn point(&self, bin: usize, edge: Edge) -> u64 {
        let (low, high) = edges(bin);
        let point = match edge {
            Edge::Low => low,
            Edge::Middle => low + (high - low) / 2,
            Edge::High => high,
        };
        point.clamp(self.min, self.max)
    }
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        (self.n, self.min, self.max, self.sum) == (other.n, other.min, other.max, other.sum)
            && self.filled().eq(other.filled())
    }
}

/// The stored form: bins in use only, ascending.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    min: u64,
    max: u64,
    /// Upper and lower half of the sum: not every format has 128-bit numbers everywhere.
    sum: (u64, u64),
    bins: Vec<(u16, u64)>,
}

impl From<Histogram> for Stored {
    fn from(histogram: Histogram) -> Self {
        Self {
            min: histogram.min,
            max: histogram.max,
            sum: ((histogram.sum >> 64) as u64, histogram.sum as u64),
            bins: histogram
                .filled()
                .map(|(bin, count)| (bin as u16, count))
                .collect(),
        }
    }
}

impl Stored {
    /// The histogram, if one with more than `above` values could have been stored like this.
    pub(super) fn check(self, above: u64) -> Result<Histogram, &'static str> {
        let sum = u128::from(self.sum.0) << 64 | u128::from(self.sum.1);
        let (Some(&(first, _)), Some(&(last, _))) = (self.bins.first(), self.bins.last()) else {
            return Err("a histogram without bins");
        };
        if self.bins.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err("bins are not ascending");
        }
        if usize::from(last) >= BINS {
            return Err("a bin beyond the last");
        }
        let ends = self.min <= self.max && self.max <= i64::MAX as u64;
        if !ends || bin(self.min) != usize::from(first) || bin(self.max) != usize::from(last) {
            return Err("smallest or largest value lies outside its bin");
        }
        let (mut n, mut least, mut most) = (0_u64, 0_u128, 0_u128);
        for &(bin, count) in &self.bins {
            if count == 0 {
                return Err("an empty bin");
            }
            let (low, high) = edges(bin.into());
            n = n
                .checked_add(count)
                .ok_or("more values than can be counted")?;
            least += u128::from(low) * u128::from(count);
            most += u128::from(high) * u128::from(count);
        }
        if n <= above {
            return Err("a histogram of few values");
        }
        if sum < least || sum > most {
            return Err("the sum does not fit the bins");
        }
        let mut histogram = Histogram {
            n,
            min: self.min,
            max: self.max,
            sum,
            ..Histogram::default()
        };
        histogram.reach(first.into(), last.into());
        for (bin, count) in self.bins {
            histogram.bump(bin.into(), count);
        }
        Ok(histogram)
    }
}
