//! Stretches of a journey at one place.

use std::hint::select_unpredictable as pick;
use std::ops::Range;

use super::super::plan::NONE;

/// Events that follow each other at one place; events that are at no place of the kind may lie between them.
///
/// Most of what a walk learns happens where the place changes, and an event changes few of the things that it belongs to. So events
/// are put together once, to runs of cells (see [`Cells`](super::cells::Cells)), and every kind of place sees those only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// A cell, a place, or a set of places.
    pub(super) place: u32,
    /// Its first event and its last one.
    pub(super) first: u32,
    pub(super) last: u32,
    /// How many events it has.
    pub(super) n: u32,
    /// Where the event before the first one stands in the order of stages, and where the first one does; [`NONE`] for nowhere.
    pub(super) before: u32,
    pub(super) at: u32,
}

impl Run {
    /// Before any.
    const NOWHERE: Run = Run {
        place: NONE,
        first: 0,
        last: 0,
        n: 0,
        before: NONE,
        at: NONE,
    };

    /// Which way the event before led to it.
    #[inline]
    pub(super) fn way(&self) -> Way {
        Way::new(self.before, self.at)
    }
}

/// Which way a step leads in the order of stages, as a row of [`Way::COUNTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way(u32);

impl Way {
    /// What a step counts as, as one whose way is known, forward, skipping, backward: from or to nowhere, back, aside, to the next
    /// place in the order, and further.
    const COUNTS: [[u32; 4]; 5] = [
        [0, 0, 0, 0],
        [1, 0, 0, 1],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
    ];

    #[inline]
    fn new(before: u32, at: u32) -> Way {
        let is_known = (before != NONE) & (at != NONE);
        let further = at > before.saturating_add(1);
        let row = 1 + u32::from(at >= before) + u32::from(at > before) + u32::from(further);
        Way(u32::from(is_known) * row)
    }

    #[inline]
    pub(super) fn counts(self) -> &'static [u32; 4] {
        Way::COUNTS.get(self.0 as usize).unwrap_or(&[0; 4])
    }
}

/// The runs of a journey, in memory that is used again and again.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The first one is what comes before them all.
    list: Vec<Run>,
    n: usize,
}

impl Runs {
    #[inline]
    pub(super) fn as_slice(&self) -> &[Run] {
        self.list.get(1..=self.n).unwrap_or(&[])
    }

    /// Room for so many.
    fn room(&mut self, n: usize) -> &mut [Run] {
        if self.list.len() <= n {
            self.list.resize(n + 1, Run::NOWHERE);
        }
        &mut self.list
    }

    /// The runs of some events of a column, without those that are [`NONE`].
    ///
    /// Nobody can foresee whether an event goes on with the run before or begins a new one, so there is no branch for it: the run so far
    /// is written down again and again, and the next takes its place or the one after it.
    #[inline]
    pub(super) fn compress(&mut self, column: &[u32], events: Range<usize>) {
        let first = events.start as u32;
        let column = column.get(events).unwrap_or(&[]);
        let list = self.room(column.len());
        let (mut n, mut run) = (0, Run::NOWHERE);
        for (i, &place) in (first..).zip(column) {
            let is_here = place != NONE;
            let is_new = is_here & (place != run.place);
            n += usize::from(is_new);
            run.place = pick(is_here, place, run.place);
            run.first = pick(is_new, i, run.first);
            run.last = pick(is_here, i, run.last);
            run.n = pick(is_new, 0, run.n) + u32::from(is_here);
            if let Some(slot) = list.get_mut(n) {
                *slot = run;
            }
        }
        self.n = n;
    }

    /// The same, faster where places seldom change.
    #[inline]
    pub(super) fn compress_steady(&mut self, column: &[u32], events: Range<usize>) {
        let first = events.start as u32;
        let column = column.get(events).unwrap_or(&[]);
        let list = self.room(column.len());
        let (mut n, mut run) = (0, Run::NOWHERE);
        for (i, &place) in (first..).zip(column) {
            if place == run.place {
                (run.last, run.n) = (i, run.n + 1);
            } else if place != NONE {
                if let Some(slot) = list.get_mut(n) {
                    *slot = run;
                }
                n += 1;
                let fresh = (place, i, i, 1);
                (run.place, run.first, run.last, run.n) = fresh;
            }
        }
        if let Some(slot) = list.get_mut(n) {
            *slot = run;
        }
        self.n = n;
    }

    /// As [`merge`](Self::merge), where neighbouring cells are never at one place and none is nowhere.
    #[inline]
    pub(super) fn rename(&mut self, cells: &[Run], of: &[u32], order: &[u32]) {
        let list = self.room(cells.len());
        let (mut n, mut before) = (0, NONE);
        for run in cells {
            let cell = run.place as usize;
            let (Some(&place), Some(&at)) = (of.get(cell), order.get(cell)) else {
                continue;
            };
            n += 1;
            if let Some(slot) = list.get_mut(n) {
                *slot = Run {
                    place,
                    before,
                    at,
                    ..*run
                };
            }
            before = at;
        }
        self.n = n;
    }

    /// The runs of one kind of place, from runs of cells.
    ///
    /// `of` says for each cell its place of the kind, `order` where it stands in the order of stages. Where `passes` is set, cells
    /// without a place are passed over when it is asked where the event before stood.
    #[inline]
    pub(super) fn merge(&mut self, cells: &[Run], of: &[u32], order: &[u32], passes: bool) {
        let list = self.room(cells.len());
        let (mut n, mut run, mut before) = (0, Run::NOWHERE, NONE);
        for next in cells {
            let cell = next.place as usize;
            let (Some(&place), Some(&at)) = (of.get(cell), order.get(cell)) else {
                continue;
            };
            let is_here = place != NONE;
            let is_new = is_here & (place != run.place);
            n += usize::from(is_new);
            run.place = pick(is_here, place, run.place);
            run.first = pick(is_new, next.first, run.first);
            run.last = pick(is_here, next.last, run.last);
            run.n = pick(is_new, 0, run.n) + pick(is_here, next.n, 0);
            run.at = pick(is_new, at, run.at);
            run.before = pick(is_new, before, run.before);
            before = pick(is_here | !passes, at, before);
            if let Some(slot) = list.get_mut(n) {
                *slot = run;
            }
        }
        self.n = n;
    }

    /// Forgets what comes after an event; `column` is what the runs were made of.
    pub(super) fn cut(&mut self, column: &[u32], after: usize) {
        let after = after as u32;
        self.n = self.as_slice().partition_point(|run| run.first <= after);
        // Before the first run there is nothing to cut.
        if self.n > 0
            && let Some(run) = self.list.get_mut(self.n)
            && run.last > after
        {
            let events = column.get(run.first as usize..=after as usize);
            run.n = 0;
            for (i, &place) in (run.first..).zip(events.unwrap_or(&[])) {
                if place == run.place {
                    run.n += 1;
                    run.last = i;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places, first and last events, numbers of events, and which way led to them.
    fn told(runs: &Runs) -> Vec<(u32, u32, u32, u32, Way)> {
        let told = |r: &Run| (r.place, r.first, r.last, r.n, r.way());
        runs.as_slice().iter().map(told).collect()
    }

    #[test]
    fn what_is_nowhere_ends_no_run() {
        let mut runs = Runs::default();
        let column = [9, 5, NONE, 5, 5, NONE, 7, 5, NONE, 9];
        for range in [1..9, 0..10, 2..3, 2..5, 5..5, 8..20] {
            let mut steady = Runs::default();
            runs.compress(&column, range.clone());
            steady.compress_steady(&column, range);
            assert_eq!(told(&runs), told(&steady));
        }
        runs.compress(&column, 1..9);
        let none = Way(0);
        let all = [(5, 1, 4, 3, none), (7, 6, 6, 1, none), (5, 7, 7, 1, none)];
        assert_eq!(told(&runs), all);
        runs.cut(&column, 8);
        assert_eq!(told(&runs), all);
        runs.cut(&column, 6);
        assert_eq!(told(&runs), all[..2]);
        runs.cut(&column, 3);
        assert_eq!(told(&runs), [(5, 1, 3, 2, none)]);
        runs.cut(&column, 2);
        assert_eq!(told(&runs), [(5, 1, 1, 1, none)]);
        runs.cut(&column, 0);
        assert!(runs.as_slice().is_empty());
        // What comes before the first run is none, however long it is.
        runs.compress_steady(&[NONE, NONE, NONE, 5], 0..4);
        runs.cut(&[NONE, NONE, NONE, 5], 1);
        assert!(runs.as_slice().is_empty());
        for range in [2..3, 8..20, 4..4] {
            runs.compress(&column, range);
            assert!(runs.as_slice().is_empty());
        }
        runs.compress(&[NONE, 3, 3, NONE], 0..4);
        assert_eq!(told(&runs), [(3, 1, 2, 2, none)]);
    }

    #[test]
    fn cells_of_one_place_are_one_run() {
        let (mut cells, mut runs) = (Runs::default(), Runs::default());
        cells.compress(&[0, 1, 1, 2, 3, 0], 0..6);
        // Cells 0 and 1 are at place 4, cell 2 nowhere.
        let (of, order) = ([4, 4, NONE, 6], [0, 1, NONE, 2]);
        runs.merge(cells.as_slice(), &of, &order, false);
        let expected = [
            (4, 0, 2, 3, Way(0)),
            (6, 4, 4, 1, Way(0)),
            (4, 5, 5, 1, Way::new(2, 0)),
        ];
        assert_eq!(told(&runs), expected);
        // Where each cell is a place of its own, cells need no merging.
        let of = [7, 1, 4, 5];
        runs.merge(cells.as_slice(), &of, &order, false);
        let mut renamed = Runs::default();
        renamed.rename(cells.as_slice(), &of, &order);
        assert_eq!(renamed.as_slice(), runs.as_slice());
        runs.merge(cells.as_slice(), &[4, 4, NONE, 6], &order, true);
        assert_eq!(told(&runs)[1], (6, 4, 4, 1, Way::new(1, 2)));
        let at: Vec<u32> = runs.as_slice().iter().map(|run| run.at).collect();
        assert_eq!(at, [0, 2, 0]);
    }

    #[test]
    fn ways_are_told_by_the_order_of_stages() {
        // A step whose way is known, forward, skipping, backward.
        for (before, at, counts) in [
            (0, 1, [1, 1, 0, 0]),
            (0, 2, [1, 1, 1, 0]),
            (1, 9, [1, 1, 1, 0]),
            (3, 3, [1, 0, 0, 0]),
            (3, 2, [1, 0, 0, 1]),
            (9, 0, [1, 0, 0, 1]),
            (NONE, 0, [0; 4]),
            (0, NONE, [0; 4]),
            (NONE, NONE, [0; 4]),
        ] {
            assert_eq!(Way::new(before, at).counts(), &counts, "{before} to {at}");
        }
    }
}
