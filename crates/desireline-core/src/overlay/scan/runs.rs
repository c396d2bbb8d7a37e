//! Stretches of a journey at one place.

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
    /// Where the event before the first one stood in the order of stages, and where this one stands; [`NONE`] for nowhere.
    pub(super) before: u32,
    pub(super) at: u32,
}

/// The runs of some events of a column, without those that are [`NONE`].
#[inline]
pub(super) fn compress(column: &[u32], events: Range<usize>, runs: &mut Vec<Run>) {
    runs.clear();
    let mut last = NONE;
    let first = events.start as u32;
    let Some(column) = column.get(events) else {
        return;
    };
    for (i, &place) in (first..).zip(column) {
        if place != last && place != NONE {
            last = place;
            runs.push(Run {
                place,
                first: i,
                last: i,
                n: 1,
                before: NONE,
                at: NONE,
            });
        } else if place != NONE
            && let Some(run) = runs.last_mut()
        {
            run.last = i;
            run.n += 1;
        }
    }
}

/// The runs of one kind of place, from runs of cells.
///
/// `of` says for each cell its place of the kind, `order` where it stands in the order of stages. Where `passes` is set, cells without
/// a place are passed over when it is asked where the event before stood.
#[inline]
pub(super) fn merge(cells: &[Run], of: &[u32], order: &[u32], passes: bool, runs: &mut Vec<Run>) {
    runs.clear();
    let mut before = NONE;
    for run in cells {
        let cell = run.place as usize;
        let (Some(&place), Some(&at)) = (of.get(cell), order.get(cell)) else {
            continue;
        };
        match runs.last_mut() {
            _ if place == NONE => {}
            Some(last) if last.place == place => {
                last.last = run.last;
                last.n += run.n;
            }
            _ => runs.push(Run {
                place,
                before,
                at,
                ..*run
            }),
        }
        if place != NONE || !passes {
            before = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places, first and last events, numbers of events, and where the order of stages led from and to.
    fn told(runs: &[Run]) -> Vec<(u32, u32, u32, u32, u32, u32)> {
        let told = |r: &Run| (r.place, r.first, r.last, r.n, r.before, r.at);
        runs.iter().map(told).collect()
    }

    #[test]
    fn what_is_nowhere_ends_no_run() {
        let mut runs = Vec::new();
        let column = [9, 5, NONE, 5, 5, NONE, 7, 5, NONE, 9];
        compress(&column, 1..9, &mut runs);
        let found: Vec<_> = runs
            .iter()
            .map(|r| (r.place, r.first, r.last, r.n))
            .collect();
        assert_eq!(found, [(5, 1, 4, 3), (7, 6, 6, 1), (5, 7, 7, 1)]);
        compress(&column, 2..3, &mut runs);
        assert!(runs.is_empty());
        compress(&column, 8..20, &mut runs);
        assert!(runs.is_empty());
    }

    #[test]
    fn cells_of_one_place_are_one_run() {
        let (mut cells, mut runs) = (Vec::new(), Vec::new());
        compress(&[0, 1, 1, 2, 3, 0], 0..6, &mut cells);
        // Cells 0 and 1 are at place 4, cell 2 nowhere.
        let (of, order) = ([4, 4, NONE, 6], [0, 1, NONE, 2]);
        merge(&cells, &of, &order, false, &mut runs);
        let expected = [
            (4, 0, 2, 3, NONE, 0),
            (6, 4, 4, 1, NONE, 2),
            (4, 5, 5, 1, 2, 0),
        ];
        assert_eq!(told(&runs), expected);
        merge(&cells, &of, &order, true, &mut runs);
        assert_eq!(told(&runs)[1], (6, 4, 4, 1, 1, 2));
    }
}
