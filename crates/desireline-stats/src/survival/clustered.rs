//! Times until something happens, kept customer by customer.

use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError};
use crate::estimate::is_level;
use crate::special::{t_quantile, z_quantile};

/// Times until something happens, or until which it had not, with those of one customer kept together.
///
/// Several journeys of one customer resemble each other, so a test must know which belong together; the curve needs only
/// [`counts`](Self::counts). Merging puts sets of customers together: any order and any split give equal bytes. Eight bytes an observation, and four a
/// customer who has several.
///
/// ```
/// use desireline_stats::{ClusteredTimes, KaplanMeier};
/// let mut times = ClusteredTimes::default();
/// times.add(&mut [(5, true), (90, false)]);
/// times.add(&mut [(5, false)]);
/// assert_eq!(times.counts(), [(5, 1, 1), (90, 0, 1)]);
/// assert_eq!(KaplanMeier::from_counts(&times.counts(), 0.95)?.n(), 3);
/// # Ok::<(), desireline_stats::StatsError>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ClusteredTimes {
    /// Of customers with one observation. Each is its time, then a bit that is set where the event was seen.
    ones: Vec<u64>,
    /// Of the others, customer after customer, ascending within each.
    more: Vec<u64>,
    /// How many each of those has, two or more.
    sizes: Vec<u32>,
}

fn pack(time: u64, event: bool) -> u64 {
    time.min(i64::MAX.cast_unsigned()) << 1 | u64::from(event)
}

fn unpack(packed: u64) -> (i64, bool) {
    ((packed >> 1).cast_signed(), packed & 1 == 1)
}

impl ClusteredTimes {
    /// Adds a customer's observations: times, and whether the event was seen at them. The list is sorted in place; an empty one says nothing.
    pub fn add(&mut self, customer: &mut [(u64, bool)]) {
        if let [(time, event)] = *customer {
            return self.ones.push(pack(time, event));
        }
        customer.sort_unstable();
        for part in customer.chunks(u32::MAX as usize) {
            self.more.extend(part.iter().map(|&(t, e)| pack(t, e)));
            self.sizes.push(part.len() as u32);
        }
    }

    /// Adds other customers.
    pub fn merge(&mut self, other: &Self) {
        self.ones.extend_from_slice(&other.ones);
        self.more.extend_from_slice(&other.more);
        self.sizes.extend_from_slice(&other.sizes);
    }

    /// How many observations.
    pub fn n(&self) -> u64 {
        (self.ones.len() + self.more.len()) as u64
    }

    /// Whether every customer has one observation.
    pub fn is_independent(&self) -> bool {
        self.sizes.is_empty()
    }

    /// How many events were seen.
    pub fn events(&self) -> u64 {
        self.packed().filter(|packed| packed & 1 == 1).count() as u64
    }

    /// How many customers have one.
    pub fn customers(&self) -> u64 {
        (self.ones.len() + self.sizes.len()) as u64
    }

    /// How many customers had an event.
    pub fn customers_with_event(&self) -> u64 {
        let seen = |packed: &u64| packed & 1 == 1;
        let of_ones = self.ones.iter().filter(|packed| seen(packed)).count();
        let of_more = self.several().filter(|c| c.iter().any(seen)).count();
        (of_ones + of_more) as u64
    }

    /// `(time, events, censored)`, ascending by time.
    pub fn counts(&self) -> Vec<(i64, u64, u64)> {
        let mut all: Vec<u64> = self.packed().collect();
        all.sort_unstable();
        all.chunk_by(|a, b| a >> 1 == b >> 1)
            .map(|same| {
                let censored = same.partition_point(|packed| packed & 1 == 0);
                let events = same.len() - censored;
                (unpack(same[0]).0, events as u64, censored as u64)
            })
            .collect()
    }

    /// How much larger the variance of the curve is at a time because times of one customer resemble each other, at least 1; for
    /// [`KaplanMeier::quantile_widened`](crate::KaplanMeier::quantile_widened).
    ///
    /// An observation moves the cumulated hazard up to `t` by `u = δ/Y(T) - Σ d(s)/Y(s)²` over the times `s` up to `T` and `t`. The effect is the sum over customers
    /// of their squared sums of `u`, over the sum of all squares, times `m/(m-1)` for `m` customers. As it is itself estimated it is made larger by
    /// `(t/z)²`, with `t` at `level` on as many degrees of freedom as there are effective customers less one.
    ///
    /// 1 where every customer has one time, or nothing has happened by then. `O(n log n)`. Sources: Williams 1995; Ying and Wei 1994.
    pub fn design_effect(&self, time: i64, level: f64) -> f64 {
        if self.is_independent() || !is_level(level) {
            return 1.0;
        }
        // Up to each time with an event: the sum of d/Y², and 1/Y there.
        let mut at_risk = self.n();
        let (mut sum, mut steps) = (0.0, Vec::new());
        for (at, events, censored) in self.counts() {
            if at > time {
                break;
            }
            if events > 0 {
                let risk = at_risk as f64;
                sum += events as f64 / (risk * risk);
                steps.push((at, sum, 1.0 / risk));
            }
            at_risk -= events + censored;
        }
        let moves = |(at, event): (i64, bool)| {
            let Some(place) = steps.partition_point(|s| s.0 <= at).checked_sub(1) else {
                return 0.0;
            };
            let (last, sum, share) = steps[place];
            match event && last == at {
                true => share - sum,
                false => -sum,
            }
        };
        let (mut alone, mut together, mut m) = (0.0, 0.0, 0.0);
        let mut square_sizes = 0.0;
        for customer in self.of_customers() {
            let (mut own, mut size) = (0.0, 0.0);
            for observation in customer {
                let u = moves(observation);
                own += u;
                alone += u * u;
                size += 1.0;
            }
            together += own * own;
            square_sizes += size * size;
            m += 1.0;
        }
        if alone <= 0.0 || m < 2.0 {
            return 1.0;
        }
        let effective = (self.n() as f64).powi(2) / square_sizes;
        let unsure = t_quantile(1.0 - level, (effective - 1.0).max(1.0)) / z_quantile(1.0 - level);
        (m / (m - 1.0) * together / alone).max(1.0) * unsure * unsure
    }

    /// The observations of each customer.
    pub(crate) fn of_customers(&self) -> impl Iterator<Item = impl Iterator<Item = (i64, bool)>> {
        self.ones
            .chunks(1)
            .chain(self.several())
            .map(|customer| customer.iter().map(|&packed| unpack(packed)))
    }

    /// Bytes on the heap, by capacity.
    pub fn heap_bytes(&self) -> usize {
        (self.ones.capacity() + self.more.capacity()) * size_of::<u64>()
            + self.sizes.capacity() * size_of::<u32>()
    }

    fn packed(&self) -> impl Iterator<Item = u64> {
        self.ones.iter().chain(&self.more).copied()
    }

    /// Customers with several observations.
    fn several(&self) -> impl Iterator<Item = &[u64]> {
        let mut rest = self.more.as_slice();
        self.sizes.iter().map_while(move |&size| {
            let (customer, after) = rest.split_at_checked(size as usize)?;
            rest = after;
            Some(customer)
        })
    }
}

/// Sorted, each value as the step from the one before: equal states have equal bytes, and few of them.
#[derive(Serialize, Deserialize)]
struct Stored {
    ones: Vec<u64>,
    more: Vec<u64>,
    sizes: Vec<u32>,
}

fn to_steps(values: &mut [u64]) {
    let mut last = 0;
    for value in values {
        *value -= std::mem::replace(&mut last, *value);
    }
}

/// `None` where a sum leaves 64 bits.
fn from_steps(steps: &mut [u64]) -> Option<()> {
    let mut last = 0_u64;
    for step in steps {
        last = last.checked_add(*step)?;
        *step = last;
    }
    Some(())
}

impl From<ClusteredTimes> for Stored {
    fn from(mut times: ClusteredTimes) -> Stored {
        times.ones.sort_unstable();
        to_steps(&mut times.ones);
        let mut customers: Vec<&[u64]> = times.several().collect();
        customers.sort_unstable();
        let sizes = customers.iter().map(|c| c.len() as u32).collect();
        let mut more = Vec::with_capacity(times.more.len());
        for customer in customers {
            let start = more.len();
            more.extend_from_slice(customer);
            to_steps(&mut more[start..]);
        }
        Stored {
            ones: times.ones,
            more,
            sizes,
        }
    }
}

impl TryFrom<Stored> for ClusteredTimes {
    type Error = StatsError;

    fn try_from(mut stored: Stored) -> Result<Self> {
        let corrupt = |reason| StatsError::Corrupt {
            what: "times to an event",
            reason,
        };
        let beyond = || corrupt("a time exceeds i64");
        from_steps(&mut stored.ones).ok_or_else(beyond)?;
        let mut rest = stored.more.as_mut_slice();
        for &size in &stored.sizes {
            if size < 2 {
                return Err(corrupt("a customer with several has fewer than two"));
            }
            let (customer, after) = rest
                .split_at_mut_checked(size as usize)
                .ok_or_else(|| corrupt("customers have more than there is"))?;
            from_steps(customer).ok_or_else(beyond)?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(corrupt("some belong to no customer"));
        }
        Ok(ClusteredTimes {
            ones: stored.ones,
            more: stored.more,
            sizes: stored.sizes,
        })
    }
}
