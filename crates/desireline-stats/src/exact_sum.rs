//! A sum of floats that does not depend on their order.

use serde::{Deserialize, Serialize};

use crate::error::StatsError;

/// Limbs of 32 bits from 2^-1074 up to 2^1024, and room for 2^64 of the largest.
const LIMBS: usize = 68;
/// Additions after which limbs could run over if carries were not moved on.
const CARRY_AFTER: u32 = 1 << 30;

/// An order-free exact sum of `f64`: a fixed-point number wide enough for every float, in integers.
///
/// Adding floats one by one rounds at every step, so the result depends on the order; this does not round until asked for [`value`](Self::value), which
/// is then the float nearest to the true sum. Any order, any split and any nesting of merges give equal bytes.
/// NaN and infinities are counted apart. An empty sum owns no memory; any other owns 544 bytes.
///
/// ```
/// use desireline_stats::ExactSum;
/// let mut sum = ExactSum::default();
/// for x in [1e100, 1.0, -1e100, f64::NAN] {
///     sum.add(x);
/// }
/// assert_eq!((sum.value(), sum.n(), sum.nan()), (Some(1.0), 3, 1));
/// assert_eq!(ExactSum::default().value(), None);
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ExactSum {
    n: u64,
    nan: u64,
    positive_infinity: u64,
    negative_infinity: u64,
    /// Little-endian limbs of 32 bits with slack for carries; empty or `LIMBS` long.
    limbs: Vec<i64>,
    pending: u32,
}

impl ExactSum {
    /// An empty sum.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one number.
    #[inline]
    pub fn add(&mut self, x: f64) {
        if !x.is_finite() {
            let counter = match x {
                _ if x.is_nan() => &mut self.nan,
                _ if x > 0.0 => &mut self.positive_infinity,
                _ => &mut self.negative_infinity,
            };
            *counter = counter.saturating_add(1);
            return;
        }
        self.n = self.n.saturating_add(1);
        let bits = x.to_bits();
        let exponent = (bits >> 52) & 0x7ff;
        let fraction = bits & ((1 << 52) - 1);
        // x = mantissa * 2^(place - 1074)
        let (mantissa, place) = if exponent == 0 {
            (fraction, 0)
        } else {
            (fraction | 1 << 52, exponent - 1)
        };
        if mantissa == 0 {
            return;
        }
        if self.limbs.is_empty() {
            self.limbs = vec![0; LIMBS];
        } else if self.pending >= CARRY_AFTER {
            self.carry();
        }
        self.pending += 1;
        let wide = u128::from(mantissa) << (place % 32);
        let first = (place / 32) as usize;
        for (i, limb) in self.limbs.iter_mut().skip(first).take(3).enumerate() {
            let part = (wide >> (32 * i)) as u32;
            *limb += if x < 0.0 {
                -i64::from(part)
            } else {
                i64::from(part)
            };
        }
    }

    /// Adds all numbers of another sum.
    pub fn merge(&mut self, other: &Self) {
        self.n = self.n.saturating_add(other.n);
        self.nan = self.nan.saturating_add(other.nan);
        self.positive_infinity = self
            .positive_infinity
            .saturating_add(other.positive_infinity);
        self.negative_infinity = self
            .negative_infinity
            .saturating_add(other.negative_infinity);
        if other.limbs.is_empty() {
            return;
        }
        if self.limbs.is_empty() {
            self.limbs = vec![0; LIMBS];
        }
        self.carry();
        for (mine, theirs) in self.limbs.iter_mut().zip(other.canonical()) {
            *mine = mine.saturating_add(theirs);
        }
        self.pending = 2;
    }

    /// How many finite numbers were added.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many NaN were offered.
    pub fn nan(&self) -> u64 {
        self.nan
    }

    /// How many infinities were offered: positive, negative.
    pub fn infinite(&self) -> (u64, u64) {
        (self.positive_infinity, self.negative_infinity)
    }

    /// The float nearest to the sum of the finite numbers (ties to even); `None` if there are none or the sum exceeds the range of `f64`.
    pub fn value(&self) -> Option<f64> {
        if self.n == 0 {
            return None;
        }
        let mut limbs = self.canonical();
        let negative = limbs.last().is_some_and(|&top| top < 0);
        if negative {
            limbs.iter_mut().for_each(|limb| *limb = -*limb);
            carry(&mut limbs);
        }
        let Some(top) = limbs.iter().rposition(|&limb| limb != 0) else {
            return Some(0.0);
        };
        let bit = |place: usize| (limbs[place / 32] >> (place % 32)) as u64 & 1;
        let highest = top * 32 + 63 - limbs[top].leading_zeros() as usize;
        // Limbs but the last hold 32 bits; a last limb of more is beyond the range anyway.
        if highest > 2098 {
            return None;
        }
        let mantissa = |from: usize| {
            (from..=highest)
                .rev()
                .fold(0, |sum, place| sum << 1 | bit(place))
        };
        let bits = if highest <= 52 {
            mantissa(0)
        } else {
            let low = highest - 52;
            let mantissa = mantissa(low);
            let half = bit(low - 1) == 1;
            let rest = (0..low - 1).any(|place| bit(place) == 1);
            // The leading bit of the mantissa adds the missing one to the exponent, and rounding up carries into it.
            ((low as u64) << 52) + mantissa + u64::from(half && (rest || mantissa & 1 == 1))
        };
        let value = f64::from_bits(bits);
        value
            .is_finite()
            .then_some(if negative { -value } else { value })
    }

    /// The mean of the finite numbers: [`value`](Self::value) over their number.
    pub fn mean(&self) -> Option<f64> {
        self.value().map(|sum| sum / self.n as f64)
    }

    /// Bytes owned on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.limbs.capacity() * size_of::<i64>()
    }

    fn carry(&mut self) {
        carry(&mut self.limbs);
        self.pending = 0;
    }

    /// The one form of limbs that this sum has: all but the last in 0..2^32.
    fn canonical(&self) -> Vec<i64> {
        let mut limbs = self.limbs.clone();
        carry(&mut limbs);
        limbs
    }
}

fn carry(limbs: &mut [i64]) {
    let mut over = 0;
    if let Some((top, rest)) = limbs.split_last_mut() {
        for limb in rest {
            let sum = *limb + over;
            over = sum >> 32;
            *limb = sum & 0xffff_ffff;
        }
        *top = top.saturating_add(over);
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        Stored::from(self.clone()) == Stored::from(other.clone())
    }
}

impl Eq for ExactSum {}

impl Extend<f64> for ExactSum {
    fn extend<T: IntoIterator<Item = f64>>(&mut self, values: T) {
        for value in values {
            self.add(value);
        }
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        let mut sum = Self::new();
        sum.extend(values);
        sum
    }
}

/// The stored form: one form per sum, limbs that are not zero only.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    n: u64,
    nan: u64,
    positive_infinity: u64,
    negative_infinity: u64,
    limbs: Vec<(u8, i64)>,
}

impl From<ExactSum> for Stored {
    fn from(sum: ExactSum) -> Self {
        let limbs = sum
            .canonical()
            .into_iter()
            .enumerate()
            .filter(|(_, limb)| *limb != 0);
        Self {
            n: sum.n,
            nan: sum.nan,
            positive_infinity: sum.positive_infinity,
            negative_infinity: sum.negative_infinity,
            limbs: limbs.map(|(i, limb)| (i as u8, limb)).collect(),
        }
    }
}

impl TryFrom<Stored> for ExactSum {
    type Error = StatsError;

    fn try_from(stored: Stored) -> Result<Self, StatsError> {
        let corrupt = |reason| {
            Err(StatsError::Corrupt {
                what: "sum",
                reason,
            })
        };
        if stored.limbs.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return corrupt("limbs are not ascending");
        }
        if stored.n == 0 && !stored.limbs.is_empty() {
            return corrupt("a sum of nothing is not zero");
        }
        let mut limbs = if stored.limbs.is_empty() {
            Vec::new()
        } else {
            vec![0; LIMBS]
        };
        for (index, value) in stored.limbs {
            let last = usize::from(index) == LIMBS - 1;
            let fits = if last {
                value.unsigned_abs() < 1 << 62
            } else {
                (0..1 << 32).contains(&value)
            };
            match limbs.get_mut(usize::from(index)) {
                Some(limb) if fits && value != 0 => *limb = value,
                _ => return corrupt("a limb is out of range"),
            }
        }
        Ok(Self {
            n: stored.n,
            nan: stored.nan,
            positive_infinity: stored.positive_infinity,
            negative_infinity: stored.negative_infinity,
            limbs,
            pending: 1,
        })
    }
}
