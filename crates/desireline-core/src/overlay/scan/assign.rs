//! Which touchpoints, and which channel, each event of a morsel belongs to.

use super::super::bind::BindScratch;
use super::super::plan::{ASK, NONE, Plan};
use super::super::sums::{ChannelSums, Sums};
use super::cells::Cells;
use crate::journey::{Mask, Morsel};
use crate::log::{ColumnData, Level, Value};

/// The cell of each event.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    /// By event; [`NONE`] for those that no binding matches.
    pub(super) cells: Vec<u32>,
    /// By event code the cell of its touchpoint, [`NONE`], or [`ASK`] where attributes decide.
    of_code: Vec<u32>,
    /// Where each event can belong to several touchpoints: where its list begins and ends in `lists`.
    bounds: Vec<(u32, u32)>,
    lists: Vec<u32>,
    /// Events by code.
    codes: Vec<u64>,
}

impl Assigned {
    pub(super) fn new(plan: &Plan, cells: &Cells) -> Assigned {
        let cell = |touchpoint: &u32| match *touchpoint {
            NONE | ASK => *touchpoint,
            touchpoint => cells.of_touchpoint(touchpoint),
        };
        Assigned {
            of_code: plan.by_code.iter().map(cell).collect(),
            ..Assigned::default()
        }
    }

    /// Finds the cells of all events of the journeys.
    pub(super) fn fill(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        conditions: &[Mask],
        cells: &mut Cells,
        scratch: &mut BindScratch,
        sums: &mut Sums,
    ) {
        cells.tidy();
        self.count_codes(plan, morsel);
        let is_list = plan.is_multi();
        if is_list {
            self.lists(plan, morsel, scratch, &mut sums.orphans);
        } else {
            self.one_each(plan, morsel, cells, scratch, &mut sums.orphans);
        }
        if is_list || plan.has_rules {
            let (bounds, lists) = (&self.bounds, &self.lists);
            let of = |i: usize| {
                let (from, to) = *bounds.get(i)?;
                lists.get(from as usize..to as usize)
            };
            for span in morsel.spans() {
                if let Some(events) = self.cells.get_mut(span.range()) {
                    cells.settle(plan, conditions, span.start as usize, events, of);
                }
            }
        }
        self.matched(plan, scratch, &mut sums.matched);
    }

    fn count_codes(&mut self, plan: &Plan, morsel: &Morsel<'_>) {
        self.codes.clear();
        self.codes.resize(plan.n_codes, 0);
        crate::with_codes!(morsel.codes(), codes => {
            for span in morsel.spans() {
                for &c in &codes[span.range()] {
                    if let Some(count) = self.codes.get_mut(c as usize) {
                        *count += 1;
                    }
                }
            }
        });
    }

    fn one_each(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        cells: &Cells,
        scratch: &mut BindScratch,
        orphans: &mut [u64],
    ) {
        plan.bound.fill_masks(morsel, scratch);
        let of_code = &self.of_code;
        let column = &mut self.cells;
        column.clear();
        crate::with_codes!(morsel.codes(), codes => {
            column.extend(codes.iter().map(|&c| of_code.get(c as usize).copied().unwrap_or(NONE)));
        });
        let mut has_asked = false;
        for ((cell, n), orphans) in of_code.iter().zip(&self.codes).zip(&mut *orphans) {
            match *cell {
                NONE => *orphans += n,
                ASK => has_asked |= *n > 0,
                _ => {}
            }
        }
        if !has_asked {
            return;
        }
        let codes = morsel.codes();
        for span in morsel.spans() {
            for i in span.range() {
                if column[i] != ASK {
                    continue;
                }
                let code = codes.get(i);
                let binding = plan.bound.first(code, i, scratch);
                column[i] = match binding.and_then(|b| plan.of_binding.get(b)) {
                    Some(touchpoint) => cells.of_touchpoint(*touchpoint),
                    None => {
                        if let Some(count) = orphans.get_mut(code as usize) {
                            *count += 1;
                        }
                        NONE
                    }
                };
            }
        }
    }

    fn lists(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        scratch: &mut BindScratch,
        orphans: &mut [u64],
    ) {
        let n = morsel.n_events();
        self.cells.clear();
        self.cells.resize(n, NONE);
        self.bounds.clear();
        self.bounds.resize(n, (0, 0));
        self.lists.clear();
        let (bounds, lists) = (&mut self.bounds, &mut self.lists);
        // Events are given out one by one, each with all that it belongs to.
        let take = |i: usize, binding: usize| {
            let at = lists.len() as u32;
            if bounds[i].0 == bounds[i].1 {
                bounds[i] = (at, at);
            }
            lists.push(plan.of_binding.get(binding).copied().unwrap_or(NONE));
            bounds[i].1 = at + 1;
        };
        let codes = morsel.codes();
        let orphan = |i: usize| {
            if let Some(count) = orphans.get_mut(codes.get(i) as usize) {
                *count += 1;
            }
        };
        plan.bound.assign(morsel, scratch, take, orphan);
    }

    /// Adds how many events each binding matches, whoever takes them.
    fn matched(&self, plan: &Plan, scratch: &BindScratch, counts: &mut [u64]) {
        let bindings = plan.bound.bindings.iter().zip(&scratch.masks);
        for ((binding, mask), count) in bindings.zip(counts) {
            *count += match binding.matcher.by_event_code() {
                Some(table) => {
                    let hits = table.iter().zip(&self.codes).filter(|(is_it, _)| **is_it);
                    hits.map(|(_, n)| n).sum()
                }
                None => mask.count() as u64,
            };
        }
    }
}

/// The channel of each event.
#[derive(Debug, Default)]
pub(super) struct ChannelColumn {
    /// By event, its channel on the map, or [`NONE`].
    pub(super) channels: Vec<u32>,
    /// By value of the log's column, of which 0 is none: its channel, [`NONE`], or [`ASK`] where the cell decides.
    of_value: Vec<u32>,
    counts: Vec<u64>,
}

impl ChannelColumn {
    pub(super) fn new(plan: &Plan) -> ChannelColumn {
        let of_value = match &plan.channel {
            Some((_, of_value)) => std::iter::once(ASK).chain(of_value.iter().copied()),
            None => return ChannelColumn::default(),
        };
        let of_value: Vec<u32> = of_value.collect();
        ChannelColumn {
            channels: Vec::new(),
            counts: vec![0; of_value.len()],
            of_value,
        }
    }

    /// Finds the channels of all events of the journeys, whose cells are known.
    pub(super) fn fill(
        &mut self,
        plan: &Plan,
        morsel: &Morsel<'_>,
        (column, cells): (&[u32], &Cells),
        sums: &mut ChannelSums,
    ) {
        self.channels.resize(morsel.n_events(), NONE);
        let by_cell = |cell: u32| cells.channels.get(cell as usize).copied().unwrap_or(NONE);
        let Some((index, _)) = &plan.channel else {
            for span in morsel.spans() {
                for i in span.range() {
                    self.channels[i] = by_cell(column[i]);
                    sums.without += u64::from(self.channels[i] == NONE);
                }
            }
            return;
        };
        self.counts.fill(0);
        let index = *index;
        let attribute = morsel.block.attributes.get(index);
        match attribute.map(|a| (a.level, &a.data)) {
            Some((Level::Event, ColumnData::Coded(codes))) => {
                crate::with_codes!(codes.as_slice(), codes => {
                    match morsel.rows().and_then(|rows| codes.get(rows)) {
                        Some(codes) => self.values(morsel, |i, _| u32::from(codes[i])),
                        None => self.values(morsel, |i, _| u32::from(codes[morsel.row(i)])),
                    }
                });
            }
            _ => self.values(morsel, |i, customer| {
                match morsel.attribute(index, i, customer) {
                    Value::Code(code) => code + 1,
                    _ => 0,
                }
            }),
        }
        if self.counts.first().is_some_and(|missing| *missing > 0) {
            for span in morsel.spans() {
                for i in span.range() {
                    if self.channels[i] == ASK {
                        self.channels[i] = by_cell(column[i]);
                        sums.without += u64::from(self.channels[i] == NONE);
                    }
                }
            }
        }
        let of_value = self.of_value.iter().zip(&self.counts).skip(1);
        for ((channel, n), unknown) in of_value.zip(&mut sums.unknown) {
            if *channel == NONE {
                *unknown += n;
            }
        }
    }

    /// Looks up each event's value, and counts them.
    #[inline]
    fn values(&mut self, morsel: &Morsel<'_>, value: impl Fn(usize, u32) -> u32) {
        let (mut last, mut n, mut channel) = (0, 0, ASK);
        for span in morsel.spans() {
            let channels = self.channels.get_mut(span.range()).unwrap_or(&mut []);
            for (i, slot) in span.range().zip(channels) {
                let here = value(i, span.customer);
                // Most events come through the channel of the one before.
                if here != last {
                    if let Some(count) = self.counts.get_mut(last as usize) {
                        *count += n;
                    }
                    (last, n) = (here, 0);
                    channel = self.of_value.get(here as usize).copied().unwrap_or(NONE);
                }
                n += 1;
                *slot = channel;
            }
        }
        if let Some(count) = self.counts.get_mut(last as usize) {
            *count += n;
        }
    }
}
