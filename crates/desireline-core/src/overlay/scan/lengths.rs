//! Lengths of time on their way to where they belong.

use super::super::sums::{Times, log16};

/// A length, where it belongs, and its logarithm.
#[derive(Clone, Copy, Debug, Default)]
struct Length {
    place: u32,
    log: u32,
    length: i64,
}

/// Lengths are written down one after the other as they are met, and taken to their places together: places are many, and the
/// memory of each is far away.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    met: Vec<Length>,
    /// The same by place.
    sorted: Vec<Length>,
    /// By place, where the next length goes.
    next: Vec<u32>,
}

/// So many are written down.
const MOST: usize = 1 << 14;

impl Lengths {
    /// Writes down a length; returns its logarithm, of which the caller keeps a sum for the customer.
    #[inline]
    pub(super) fn push(&mut self, place: u32, length: i64) -> u64 {
        // Times within a journey ascend.
        let length = length.max(0);
        let log = log16(length);
        self.met.push(Length {
            place,
            #[allow(clippy::cast_possible_truncation)] // no logarithm is above 1024
            log: log as u32,
            length,
        });
        log
    }

    /// Whether they should be taken away.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.met.len() >= MOST
    }

    /// Takes all to their places; `times` says where the lengths of a place are.
    pub(super) fn settle<T>(&mut self, places: &mut [T], times: impl Fn(&mut T) -> &mut Times) {
        if self.met.is_empty() {
            return;
        }
        self.next.clear();
        self.next.resize(places.len() + 1, 0);
        for one in &self.met {
            if let Some(count) = self.next.get_mut(one.place as usize + 1) {
                *count += 1;
            }
        }
        let mut from = 0;
        for next in &mut self.next {
            from += *next;
            *next = from;
        }
        self.sorted.clear();
        self.sorted.resize(self.met.len(), Length::default());
        for one in self.met.drain(..) {
            if let Some(next) = self.next.get_mut(one.place as usize)
                && let Some(slot) = self.sorted.get_mut(*next as usize)
            {
                *slot = one;
                *next += 1;
            }
        }
        for own in self.sorted.chunk_by(|a, b| a.place == b.place) {
            let place = own.first().map_or(0, |one| one.place);
            if let Some(of) = places.get_mut(place as usize) {
                times(of).see(own.iter().map(|one| (one.length, one.log)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_to_their_places() {
        let mut lengths = Lengths::default();
        let mut of_two = 0;
        for (place, length) in [(2, 7), (0, 5), (2, 100), (2, -3)] {
            let log = lengths.push(place, length);
            of_two += if place == 2 { log * log } else { 0 };
        }
        let mut times = [Times::default(), Times::default(), Times::default()];
        lengths.settle(&mut times, |times| times);
        let n = |place: usize| times[place].seen.n();
        assert_eq!((n(0), n(1), n(2)), (1, 0, 3));
        assert_eq!((times[2].seen.min(), times[2].seen.sum()), (Some(0), 107));
        assert_eq!(times[2].squares, of_two);
        assert!(lengths.met.is_empty());
    }
}
