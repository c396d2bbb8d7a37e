//! Lengths of time on their way to where they belong.

/// A few lengths of one place: two lines of the processor's cache.
#[derive(Clone, Debug)]
#[repr(align(128))]
struct Bucket {
    n: usize,
    /// The sum of the squares of their logarithms.
    squares: u64,
    lengths: [i64; ROOM],
}

const ROOM: usize = 14;

impl Bucket {
    const EMPTY: Bucket = Bucket {
        n: 0,
        squares: 0,
        lengths: [0; ROOM],
    };
}

/// Lengths by place. What is known of a place lies far away and is large, so a few lengths come together before they are taken there.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    buckets: Vec<Bucket>,
}

impl Lengths {
    /// Of so many places.
    pub(super) fn new(places: usize) -> Lengths {
        Lengths {
            buckets: vec![Bucket::EMPTY; places],
        }
    }

    /// Makes room for so many places.
    pub(super) fn grow(&mut self, places: usize) {
        self.buckets.resize(places, Bucket::EMPTY);
    }

    /// Adds a length and its logarithm; `take` gets lengths and the sum of squares of their logarithms when there are
    /// enough of them.
    #[inline]
    pub(super) fn push(
        &mut self,
        place: u32,
        length: i64,
        log: u64,
        take: impl FnOnce(&[i64], u64),
    ) {
        let Some(bucket) = self.buckets.get_mut(place as usize) else {
            return;
        };
        let n = bucket.n;
        if let Some(slot) = bucket.lengths.get_mut(n) {
            *slot = length;
        }
        bucket.n = n + 1;
        bucket.squares += log * log;
        if n + 1 >= ROOM {
            take(&bucket.lengths, bucket.squares);
            (bucket.n, bucket.squares) = (0, 0);
        }
    }

    /// Takes away what is left, place by place.
    pub(super) fn settle(&mut self, mut take: impl FnMut(usize, &[i64], u64)) {
        for (place, bucket) in self.buckets.iter_mut().enumerate() {
            let lengths = bucket.lengths.get(..bucket.n).unwrap_or(&[]);
            if !lengths.is_empty() {
                take(place, lengths, bucket.squares);
            }
            (bucket.n, bucket.squares) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sums::Times;
    use super::*;

    #[test]
    fn lengths_come_to_their_places() {
        let mut times = [Times::default(), Times::default(), Times::default()];
        let mut lengths = Lengths::new(3);
        let pushed = (0..1000).map(|i| (u32::from(i % 3 == 1) * 2, i64::from(i)));
        for (place, length) in pushed.clone().chain([(9, 5)]) {
            let take = |some: &[i64], squares| times[place as usize].see(some, squares);
            lengths.push(place, length, 3, take);
        }
        lengths.settle(|place, some, squares| times[place].see(some, squares));
        for (place, times) in (0..).zip(&times) {
            let own = pushed.clone().filter(|(p, _)| *p == place);
            let (n, sum) = own.fold((0, 0), |(n, sum), (_, l)| (n + 1, sum + l));
            assert_eq!((times.seen.n(), times.seen.sum()), (n, sum as u128));
            assert_eq!(times.squares, n * 9);
        }
        lengths.settle(|_, _, _| unreachable!("all were taken"));
    }
}
