//! Sums over customers that rates are made of.

use std::ops::AddAssign;

use desireline_stats::Clusters;

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
