//! Times until something happens, kept customer by customer.

use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError};

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

    /// The observations of each customer.
    pub(crate) fn customers(&self) -> impl Iterator<Item = impl Iterator<Item = (i64, bool)>> {
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
