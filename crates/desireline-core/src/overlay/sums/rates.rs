//! Sums over customers that rates are made of.

use std::ops::AddAssign;

use desireline_stats::{Clusters, Sides};

/// Numerators of a rate over customers whose bases are counted elsewhere.
///
/// Products have 128 bits, or 64 while one morsel is looked at: there are fewer than 2³² events in it, so the square of their number
/// fits.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct Top<W = u128> {
    pub(in crate::overlay) k: u64,
    pub(super) kk: W,
    pub(super) kn: W,
}

impl<W: From<u64> + AddAssign> Top<W> {
    #[inline]
    pub(in crate::overlay) fn add(&mut self, k: u64, n: u64) {
        // Counts of one customer's events: a block has fewer than 2³².
        self.k += k;
        self.kk += W::from(k * k);
        self.kn += W::from(k * n);
    }
}

impl Top {
    pub(in crate::overlay) fn merge<W: Copy + Into<u128>>(&mut self, other: &Top<W>) {
        self.k += other.k;
        self.kk += other.kk.into();
        self.kn += other.kn.into();
    }
}

/// Bases of rates over customers; products as in [`Top`].
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct Base<W = u128> {
    pub(in crate::overlay) m: u64,
    pub(in crate::overlay) n: u64,
    pub(super) nn: W,
}

impl<W: From<u64> + AddAssign> Base<W> {
    #[inline]
    pub(in crate::overlay) fn add(&mut self, n: u64) {
        self.m += u64::from(n > 0);
        self.n += n;
        self.nn += W::from(n * n);
    }
}

impl Base {
    pub(in crate::overlay) fn merge<W: Copy + Into<u128>>(&mut self, other: &Base<W>) {
        self.m += other.m;
        self.n += other.n;
        self.nn += other.nn.into();
    }

    /// The rate of these successes.
    pub(in crate::overlay) fn with(&self, top: &Top) -> Clusters {
        Clusters {
            m: self.m,
            k: top.k,
            n: self.n,
            kk: top.kk,
            kn: top.kn,
            nn: self.nn,
        }
    }
}

/// A rate over the customers of a morsel.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct RatePart {
    top: Top<u64>,
    base: Base<u64>,
}

impl RatePart {
    /// Adds a customer: `k` of `n`.
    #[inline]
    pub(in crate::overlay) fn add(&mut self, k: u64, n: u64) {
        self.top.add(k, n);
        self.base.add(n);
    }

    /// The same, in wide words.
    pub(in crate::overlay) fn clusters(&self) -> Clusters {
        let (mut top, mut base) = (Top::default(), Base::default());
        top.merge(&self.top);
        base.merge(&self.base);
        base.with(&top)
    }
}

/// Two rates over the customers of a morsel, with the products of the two sides.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::overlay) struct SidesPart {
    a: RatePart,
    b: RatePart,
    kk: u64,
    kn: u64,
    nk: u64,
    nn: u64,
}

impl SidesPart {
    /// Adds a customer: `k` of `n` on either side.
    #[inline]
    pub(in crate::overlay) fn add(&mut self, (ka, na): (u64, u64), (kb, nb): (u64, u64)) {
        self.a.add(ka, na);
        self.b.add(kb, nb);
        self.kk += ka * kb;
        self.kn += ka * nb;
        self.nk += na * kb;
        self.nn += na * nb;
    }

    /// The same, in wide words.
    pub(in crate::overlay) fn sides(&self) -> Sides {
        Sides {
            a: self.a.clusters(),
            b: self.b.clusters(),
            kk: self.kk.into(),
            kn: self.kn.into(),
            nk: self.nk.into(),
            nn: self.nn.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_wide_sums_are() {
        let customers = [
            ((0, 0), (0, 0)),
            ((1, 2), (0, 0)),
            ((0, 0), (3, 3)),
            ((2, 5), (1, 4)),
            ((0, 1 << 31), (7, 9)),
        ];
        let (mut part, mut wide) = (SidesPart::default(), Sides::default());
        for (a, b) in customers {
            part.add(a, b);
            wide.add(a, b);
        }
        assert_eq!(part.sides(), wide);
    }
}
