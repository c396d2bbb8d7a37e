//! From a matrix of who comes before whom to an order.

use std::cmp::Reverse;

/// A touchpoint among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Others that it comes before in more than half of the journeys with both.
    pub(super) wins: u64,
    /// Others that come before it.
    pub(super) losses: u64,
    /// Journeys in which it comes before another less those in which it comes after, over all others.
    margin: i128,
}

/// Copeland's order of touchpoints: their places in order, and how each stands. `before(a, b)` is the number of journeys
/// in which a comes before b. Equal ones keep the order in which they were given.
pub(super) fn copeland(n: usize, before: impl Fn(usize, usize) -> u64) -> Vec<(usize, Standing)> {
    let standing = |a: usize| {
        let mut all = Standing::default();
        for b in (0..n).filter(|b| *b != a) {
            let (won, lost) = (before(a, b), before(b, a));
            all.wins += u64::from(won > lost);
            all.losses += u64::from(won < lost);
            all.margin += i128::from(won) - i128::from(lost);
        }
        all
    };
    let mut order: Vec<(usize, Standing)> = (0..n).map(|a| (a, standing(a))).collect();
    let net = |s: &Standing| i128::from(s.wins) - i128::from(s.losses);
    order.sort_by_key(|(_, s)| (Reverse(net(s)), Reverse(s.margin)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_put_in_order_by_its_margins() {
        // 0 before 1 before 2 before 0, the last by one journey only.
        let before = |a: usize, b: usize| [[0, 9, 4], [1, 0, 8], [5, 2, 0]][a][b];
        let order: Vec<usize> = copeland(3, before).iter().map(|o| o.0).collect();
        assert_eq!(order, [0, 1, 2]);
        assert_eq!(copeland(0, |_, _| 0), []);
        let apart: Vec<usize> = copeland(3, |_, _| 0).iter().map(|o| o.0).collect();
        assert_eq!(apart, [0, 1, 2]);
    }
}
