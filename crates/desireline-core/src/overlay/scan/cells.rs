//! What an event is on the map, as one number.

use rustc_hash::FxHashMap;

use super::super::plan::{NONE, Plan, StageOf};
use super::super::sums::Sums;
use crate::journey::{Mask, Span};

/// A list of places for each of many numbers.
///
/// The first numbers are those of the places themselves, each alone in its list.
#[derive(Debug, Default)]
pub(super) struct Sets {
    /// How many places there are.
    n: usize,
    bounds: Vec<u32>,
    items: Vec<u32>,
    known: FxHashMap<Box<[u32]>, u32>,
}

impl Sets {
    fn new(n: usize) -> Sets {
        let all = n as u32;
        Sets {
            n,
            bounds: (0..=all).collect(),
            items: (0..all).collect(),
            known: FxHashMap::default(),
        }
    }

    fn len(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    /// The places of a list.
    #[inline]
    pub(super) fn of(&self, set: u32) -> &[u32] {
        match self.bounds.get(set as usize..) {
            Some(&[from, to, ..]) => self.items.get(from as usize..to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The number of a list, and whether it is new; nothing has no number.
    fn number(&mut self, places: &[u32]) -> (u32, bool) {
        match places {
            [] => (NONE, false),
            [one] => (*one, false),
            _ => {
                if let Some(&known) = self.known.get(places) {
                    return (known, false);
                }
                let number = self.len() as u32;
                self.items.extend_from_slice(places);
                self.bounds.push(self.items.len() as u32);
                self.known.insert(places.into(), number);
                (number, true)
            }
        }
    }

    /// Forgets all lists but those of one place.
    fn forget(&mut self) {
        self.bounds.truncate(self.n + 1);
        self.items.truncate(self.n);
        self.known.clear();
    }
}

/// A cell is all that the map says of an event: its touchpoint and the stage and step there; where an event can belong to several
/// touchpoints, a list of those. Each cell's places of every kind are looked up by its number.
///
/// There are few of them, so what holds for an event by its name, and for a run of like events at once, is worked out once.
#[derive(Debug)]
pub(super) struct Cells {
    /// By touchpoint, its first cell; its others follow.
    first: Vec<u32>,
    /// Cells of one touchpoint each: their touchpoint, and which of its places.
    alone: Vec<(u32, u32)>,
    /// Lists of cells of one touchpoint each.
    lists: Sets,
    /// By cell, lists of places.
    pub(super) touchpoints: Vec<u32>,
    pub(super) stages: Vec<u32>,
    pub(super) steps: Vec<u32>,
    /// Where its first stage stands in the order; [`NONE`] without a stage.
    pub(super) order: Vec<u32>,
    /// Channel and owner of its first touchpoint.
    pub(super) channels: Vec<u32>,
    pub(super) owners: Vec<u32>,
    /// Events by cell, and within it by channel; the last of a cell's are those without one.
    counts: Vec<u64>,
    pub(super) touchpoint_sets: Sets,
    pub(super) stage_sets: Sets,
    pub(super) step_sets: Sets,
    /// An event's cells, stages and so on.
    list: Vec<u32>,
    places: Vec<u32>,
}

/// So many lists of cells are kept from one morsel to the next.
const MOST_LISTS: usize = 1 << 14;

impl Cells {
    pub(super) fn new(plan: &Plan) -> Cells {
        let mut cells = Cells {
            first: Vec::new(),
            alone: Vec::new(),
            lists: Sets::default(),
            touchpoints: Vec::new(),
            stages: Vec::new(),
            steps: Vec::new(),
            order: Vec::new(),
            channels: Vec::new(),
            owners: Vec::new(),
            counts: Vec::new(),
            touchpoint_sets: Sets::new(plan.touchpoints.len()),
            stage_sets: Sets::new(plan.n_stages()),
            step_sets: Sets::new(plan.n_steps),
            list: Vec::new(),
            places: Vec::new(),
        };
        for (touchpoint, t) in (0..).zip(&plan.touchpoints) {
            cells.first.push(cells.alone.len() as u32);
            for (place, &(stage, step)) in (0..).zip(&t.places) {
                cells.alone.push((touchpoint, place));
                cells.touchpoints.push(touchpoint);
                cells.stages.push(stage);
                cells.steps.push(step);
                cells.order.push(plan.level(stage));
                cells.channels.push(t.channel);
                cells.owners.push(t.owner);
            }
        }
        cells.lists = Sets::new(cells.alone.len());
        cells
    }

    /// The cell of a touchpoint that is in one stage or in none; of another, that of its first stage.
    #[inline]
    pub(super) fn of_touchpoint(&self, touchpoint: u32) -> u32 {
        self.first.get(touchpoint as usize).copied().unwrap_or(NONE)
    }

    /// The touchpoints of a cell.
    #[inline]
    pub(super) fn touchpoints_of(&self, cell: u32) -> &[u32] {
        let set = self.touchpoints.get(cell as usize).copied();
        set.map_or(&[], |set| self.touchpoint_sets.of(set))
    }

    /// The stages of a cell.
    #[inline]
    pub(super) fn stages_of(&self, cell: u32) -> &[u32] {
        let set = self.stages.get(cell as usize).copied();
        set.map_or(&[], |set| self.stage_sets.of(set))
    }

    /// Counts the events of the journeys by their cells and channels, of which there are so many.
    pub(super) fn count(&mut self, spans: &[Span], cells: &[u32], channels: (&[u32], usize)) {
        let (channels, n) = channels;
        self.counts.clear();
        self.counts.resize(self.touchpoints.len() * (n + 1), 0);
        for span in spans {
            let range = span.range();
            let (Some(cells), Some(channels)) = (cells.get(range.clone()), channels.get(range))
            else {
                continue;
            };
            for (&cell, &channel) in cells.iter().zip(channels) {
                // Beyond the end where the event has no cell.
                let at = (cell as usize) * (n + 1) + (channel as usize).min(n);
                if let Some(count) = self.counts.get_mut(at) {
                    *count += 1;
                }
            }
        }
    }

    /// Gives the events of a journey their final cells, where that takes more than their touchpoint.
    ///
    /// `cells` holds for each event the [cell of its touchpoint](Self::of_touchpoint), and `touchpoints` those of events that can
    /// belong to several.
    pub(super) fn settle<'a>(
        &mut self,
        plan: &Plan,
        conditions: &[Mask],
        from: usize,
        cells: &mut [u32],
        touchpoints: impl Fn(usize) -> Option<&'a [u32]>,
    ) {
        let mut furthest: Option<u32> = None;
        for (i, cell) in (from..).zip(cells) {
            match touchpoints(i) {
                Some(touchpoints) => {
                    self.list.clear();
                    for &touchpoint in touchpoints {
                        let alone = self.place(plan, conditions, i, touchpoint, furthest);
                        self.list.push(alone);
                    }
                    *cell = self.cell_of_list();
                }
                None => {
                    if let Some(&(touchpoint, _)) = self.alone.get(*cell as usize) {
                        *cell = self.place(plan, conditions, i, touchpoint, furthest);
                    }
                }
            }
            match self.order.get(*cell as usize) {
                Some(&level) if level != NONE => {
                    furthest = Some(furthest.map_or(level, |f| f.max(level)));
                }
                _ => {}
            }
        }
    }

    /// The cell of an event of a touchpoint.
    fn place(
        &self,
        plan: &Plan,
        conditions: &[Mask],
        i: usize,
        touchpoint: u32,
        furthest: Option<u32>,
    ) -> u32 {
        let first = self.of_touchpoint(touchpoint);
        let Some(touchpoint) = plan.touchpoints.get(touchpoint as usize) else {
            return NONE;
        };
        match &touchpoint.stage {
            StageOf::One(_) | StageOf::Nowhere => first,
            StageOf::Rule(rules) => {
                let stage = resolve(plan, rules, conditions, i, furthest);
                let mut places = touchpoint.places.iter();
                first + places.position(|(s, _)| *s == stage).unwrap_or(0) as u32
            }
        }
    }

    /// The cell of several cells.
    fn cell_of_list(&mut self) -> u32 {
        let (cell, is_new) = self.lists.number(&self.list);
        if !is_new {
            return cell;
        }
        let first = self.list.first().map_or(0, |c| *c as usize);
        let stage = |cell: &u32| self.stages.get(*cell as usize).copied();
        let lead = self.list.iter().find(|c| stage(c) != Some(NONE));
        let order = lead.and_then(|c| self.order.get(*c as usize));
        self.order.push(order.copied().unwrap_or(NONE));
        self.channels
            .push(self.channels.get(first).copied().unwrap_or(NONE));
        self.owners
            .push(self.owners.get(first).copied().unwrap_or(NONE));
        for (of, sets) in [
            (&mut self.touchpoints, &mut self.touchpoint_sets),
            (&mut self.stages, &mut self.stage_sets),
            (&mut self.steps, &mut self.step_sets),
        ] {
            self.places.clear();
            for &cell in &self.list {
                match of.get(cell as usize) {
                    Some(place) if *place != NONE && !self.places.contains(place) => {
                        self.places.push(*place);
                    }
                    _ => {}
                }
            }
            of.push(sets.number(&self.places).0);
        }
        cell
    }

    /// Adds what was counted to the sums.
    pub(super) fn flush(&self, sums: &mut Sums) {
        let width = sums.channels.cells.len() + 1;
        for (cell, by_channel) in self.counts.chunks_exact(width).enumerate() {
            let n: u64 = by_channel.iter().sum();
            if n == 0 {
                continue;
            }
            for &stage in self.stages_of(cell as u32) {
                let from = stage as usize * width;
                let of_stage = sums.stage_channels.get_mut(from..from + width);
                for (sum, count) in of_stage.into_iter().flatten().zip(by_channel) {
                    *sum += count;
                }
            }
            for &alone in self.lists.of(cell as u32) {
                let Some(&(touchpoint, place)) = self.alone.get(alone as usize) else {
                    continue;
                };
                let counts = sums.placements.get_mut(touchpoint as usize);
                if let Some(count) = counts.and_then(|c| c.get_mut(place as usize)) {
                    *count += n;
                }
            }
            for (of, sets, level) in [
                (
                    &self.touchpoints,
                    &self.touchpoint_sets,
                    &mut sums.touchpoints,
                ),
                (&self.stages, &self.stage_sets, &mut sums.stages),
                (&self.steps, &self.step_sets, &mut sums.steps),
            ] {
                let set = of.get(cell).copied().unwrap_or(NONE);
                for &place in sets.of(set) {
                    if let Some(cell) = level.cells.get_mut(place as usize) {
                        cell.events += n;
                    }
                }
            }
        }
    }

    /// Between two morsels: forgets lists if they are too many, so that memory does not grow with the log.
    pub(super) fn tidy(&mut self) {
        let n = self.alone.len();
        if self.lists.len() < n + MOST_LISTS {
            return;
        }
        for sets in [
            &mut self.lists,
            &mut self.touchpoint_sets,
            &mut self.stage_sets,
            &mut self.step_sets,
        ] {
            sets.forget();
        }
        for of in [
            &mut self.touchpoints,
            &mut self.stages,
            &mut self.steps,
            &mut self.order,
            &mut self.channels,
            &mut self.owners,
        ] {
            of.truncate(n);
        }
    }
}

/// The stage of an event of a touchpoint that sits in several.
fn resolve(
    plan: &Plan,
    rules: &[(u32, Option<usize>)],
    conditions: &[Mask],
    i: usize,
    furthest: Option<u32>,
) -> u32 {
    let holds = |(_, when): &&(u32, Option<usize>)| {
        when.and_then(|c| conditions.get(c))
            .is_some_and(|m| m.get(i))
    };
    if let Some((stage, _)) = rules.iter().find(holds) {
        return *stage;
    }
    let level = |stage: u32| plan.levels.get(stage as usize).copied().unwrap_or(0);
    let mut best = NONE;
    let mut earliest = NONE;
    for &(stage, _) in rules.iter().filter(|(_, when)| when.is_none()) {
        let here = level(stage);
        if earliest == NONE || here < level(earliest) {
            earliest = stage;
        }
        let is_reached = furthest.is_some_and(|f| here <= f);
        if is_reached && (best == NONE || here > level(best)) {
            best = stage;
        }
    }
    if best == NONE { earliest } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_numbered_after_the_places_alone() {
        let mut sets = Sets::new(3);
        assert_eq!(sets.number(&[]), (NONE, false));
        assert_eq!(sets.number(&[2]), (2, false));
        assert_eq!(sets.number(&[2, 0]), (3, true));
        assert_eq!(sets.number(&[0, 2]), (4, true));
        assert_eq!(sets.number(&[2, 0]), (3, false));
        assert_eq!((sets.of(1), sets.of(3)), (&[1][..], &[2, 0][..]));
        assert!(sets.of(NONE).is_empty() && sets.of(5).is_empty());
        sets.forget();
        assert_eq!(sets.number(&[1, 2]), (3, true));
        assert_eq!((sets.of(0), sets.of(3)), (&[0][..], &[1, 2][..]));
    }
}
