//! A log cut into journeys, with its selections; the thing that analyses run over.

use std::sync::Arc;

use super::cut::{Cutter, gather_by_column};
use super::morsel::TimeBuffer;
use super::{Journey, JourneyRule, Mask, Matcher, Morsel, Span};
use crate::error::{Error, Result, SpecError};
use crate::expr::Expr;
use crate::log::{Bitmap, Block, Catalog, CodeSlice, Codes, Log};
use crate::report::Caveat;

/// About how many events a morsel has: codes, times and journeys of that many stay in a core's own cache.
const MORSEL_EVENTS: u32 = 1 << 16;

/// What was selected, by its scope.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// Events that do not match vanished before journeys were cut.
    EventsBeforeCut(Expr),
    /// Events that do not match vanished from the journeys: their neighbours became adjacent.
    Events(Expr),
    /// Journeys without a matching event were left out; the others keep all their events.
    Journeys(Expr),
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Selection::EventsBeforeCut(e) => write!(f, "keep events where {e}, then cut"),
            Selection::Events(e) => write!(f, "keep events where {e}"),
            Selection::Journeys(e) => write!(f, "keep journeys where {e}"),
        }
    }
}

/// A log cut into journeys. Holds boundaries, not copies; cloning is cheap.
#[derive(Clone, Debug)]
pub struct Journeys {
    log: Log,
    rule: JourneyRule,
    selections: Vec<Selection>,
    blocks: Arc<[JourneyBlock]>,
    n_events: u64,
    n_journeys: u64,
    n_customers: u64,
    missing_ids: u64,
}

/// The journeys of one block.
#[derive(Clone, Debug)]
pub struct JourneyBlock {
    block: Arc<Block>,
    /// The block's rows in journey order, where events were hidden or reordered.
    order: Option<Vec<u32>>,
    /// Where each customer's events begin in that order; the block's own offsets where there is none.
    offsets: Option<Vec<u32>>,
    /// Set where a journey begins.
    starts: Bitmap,
    /// Set where a selected journey begins; `None` when all are.
    kept: Option<Bitmap>,
    morsels: Vec<MorselRange>,
}

/// The place of a morsel in its block: whole customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MorselRange {
    first_customer: u32,
    end_customer: u32,
}

/// A worker's memory for one morsel at a time, used again for the next.
#[derive(Default, Debug)]
pub struct Scratch {
    times: TimeBuffer,
    codes: Codes,
    spans: Vec<Span>,
}

/// A log whose journeys are to be cut from some of its events only.
#[derive(Clone, Debug)]
pub struct SelectedLog {
    log: Log,
    expr: Expr,
}

impl SelectedLog {
    /// Cuts the kept events into journeys.
    pub fn journeys(&self, rule: JourneyRule) -> Result<Journeys> {
        Journeys::cut(&self.log, rule, Some(&self.expr))
    }
}

impl Log {
    /// Cuts every customer's events into journeys.
    pub fn journeys(&self, rule: JourneyRule) -> Result<Journeys> {
        Journeys::cut(self, rule, None)
    }

    /// Hides the events for which `expr` does not hold before journeys are cut: gaps are measured between the kept
    /// events. See [`Journeys::keep_events`] and [`Journeys::keep_journeys`] for the other scopes.
    pub fn keep_events(&self, expr: &str) -> Result<SelectedLog> {
        let expr = Expr::parse(expr)?;
        Matcher::new(&expr, self.catalog())?;
        Ok(SelectedLog {
            log: self.clone(),
            expr,
        })
    }
}

impl Journeys {
    fn cut(log: &Log, rule: JourneyRule, only: Option<&Expr>) -> Result<Journeys> {
        let catalog = log.catalog();
        let cutter = Cutter::new(&rule, catalog)?;
        let only_matcher = only
            .map(|e| Matcher::new(e, catalog))
            .transpose()
            .map_err(|e| selection_error("events", e))?;
        let mut blocks = Vec::with_capacity(log.blocks().len());
        for block in log.blocks() {
            let mut jb = JourneyBlock::whole(Arc::clone(block));
            if let Some(matcher) = &only_matcher {
                jb = jb.hide(matcher);
            }
            if let Some(column) = cutter.column {
                jb = jb.gather(column);
            }
            if let Some(starts) = cutter.starts_of_block(block).filter(|_| jb.order.is_none()) {
                jb.starts = starts;
                blocks.push(jb);
                continue;
            }
            let starts = jb.per_morsel(|morsel, first| {
                cutter
                    .starts(morsel)
                    .into_iter()
                    .map(|i| i + first)
                    .collect::<Vec<u32>>()
            });
            jb.starts = Bitmap::zeros(jb.n_events());
            for start in starts.into_iter().flatten() {
                jb.starts.set(start as usize);
            }
            blocks.push(jb);
        }
        let missing_ids = match cutter.column {
            Some(column) => blocks.iter().map(|b| b.missing(column)).sum(),
            None => 0,
        };
        let selections = only
            .map(|e| Selection::EventsBeforeCut(e.clone()))
            .into_iter()
            .collect();
        Ok(Journeys::counted(
            log.clone(),
            rule,
            selections,
            blocks,
            missing_ids,
        ))
    }

    fn counted(
        log: Log,
        rule: JourneyRule,
        selections: Vec<Selection>,
        blocks: Vec<JourneyBlock>,
        missing_ids: u64,
    ) -> Journeys {
        let (mut n_events, mut n_journeys, mut n_customers) = (0, 0, 0);
        for block in &blocks {
            let (events, journeys, customers) = block.totals();
            n_events += events;
            n_journeys += journeys;
            n_customers += customers;
        }
        Journeys {
            log,
            rule,
            selections,
            blocks: blocks.into(),
            n_events,
            n_journeys,
            n_customers,
            missing_ids,
        }
    }

    /// Hides the events for which `expr` does not hold. Journeys stay as they were cut; a journey without any event
    /// left is gone, and the neighbours of a hidden event become adjacent.
    pub fn keep_events(&self, expr: &str) -> Result<Journeys> {
        let expr = Expr::parse(expr)?;
        let matcher =
            Matcher::new(&expr, self.catalog()).map_err(|e| selection_error("events", e))?;
        let blocks = self
            .blocks
            .iter()
            .map(|b| b.clone().hide(&matcher))
            .collect();
        Ok(self.selected(Selection::Events(expr), blocks))
    }

    /// Keeps the journeys with at least one event for which `expr` holds, with all their events.
    pub fn keep_journeys(&self, expr: &str) -> Result<Journeys> {
        let expr = Expr::parse(expr)?;
        let matcher =
            Matcher::new(&expr, self.catalog()).map_err(|e| selection_error("journeys", e))?;
        let blocks = self
            .blocks
            .iter()
            .map(|b| b.clone().select(&matcher))
            .collect();
        Ok(self.selected(Selection::Journeys(expr), blocks))
    }

    fn selected(&self, selection: Selection, blocks: Vec<JourneyBlock>) -> Journeys {
        let mut selections = self.selections.clone();
        selections.push(selection);
        Journeys::counted(
            self.log.clone(),
            self.rule.clone(),
            selections,
            blocks,
            self.missing_ids,
        )
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The names and kinds of the log.
    pub fn catalog(&self) -> &Arc<Catalog> {
        self.log.catalog()
    }

    /// The rule that cut the journeys.
    pub fn rule(&self) -> &JourneyRule {
        &self.rule
    }

    /// The selections in force, in order.
    pub fn selections(&self) -> &[Selection] {
        &self.selections
    }

    /// The number of events in the selected journeys.
    pub fn n_events(&self) -> u64 {
        self.n_events
    }

    /// The number of selected journeys.
    pub fn n_journeys(&self) -> u64 {
        self.n_journeys
    }

    /// The number of customers with a selected journey.
    pub fn n_customers(&self) -> u64 {
        self.n_customers
    }

    /// The journeys of each block.
    pub fn blocks(&self) -> &[JourneyBlock] {
        &self.blocks
    }

    /// What a reader must know about the log and the cut, whatever the analysis.
    pub fn caveats(&self) -> Vec<Caveat> {
        let mut caveats = self.log.caveats();
        if self.missing_ids > 0 {
            caveats.push(Caveat::MissingJourneyId {
                events: self.missing_ids,
            });
        }
        caveats
    }
}

fn selection_error(field: &'static str, source: crate::expr::ExprError) -> Error {
    SpecError::Expr {
        analysis: "selection",
        field,
        source,
    }
    .into()
}

impl JourneyBlock {
    /// The block with each customer as one journey.
    fn whole(block: Arc<Block>) -> JourneyBlock {
        let mut starts = Bitmap::zeros(block.n_events());
        for &offset in &block.offsets {
            starts.set(offset as usize);
        }
        JourneyBlock {
            block,
            order: None,
            offsets: None,
            starts,
            kept: None,
            morsels: Vec::new(),
        }
        .with_morsels()
    }

    fn with_morsels(mut self) -> JourneyBlock {
        let offsets = self.offsets();
        let n_customers = u32::try_from(offsets.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let mut morsels = Vec::new();
        let mut first = 0;
        while first < n_customers {
            // The customer in whose events the wanted end falls belongs to this morsel, at least one does.
            let wanted = offsets[first as usize].saturating_add(MORSEL_EVENTS);
            let beyond = offsets.partition_point(|&o| o <= wanted);
            let end = u32::try_from(beyond.saturating_sub(1))
                .unwrap_or(n_customers)
                .clamp(first + 1, n_customers);
            morsels.push(MorselRange {
                first_customer: first,
                end_customer: end,
            });
            first = end;
        }
        self.morsels = morsels;
        self
    }

    fn offsets(&self) -> &[u32] {
        self.offsets.as_deref().unwrap_or(&self.block.offsets)
    }

    fn n_events(&self) -> usize {
        self.order
            .as_ref()
            .map_or_else(|| self.block.n_events(), Vec::len)
    }

    /// The block below.
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// The morsels in order.
    pub fn morsels(&self) -> &[MorselRange] {
        &self.morsels
    }

    /// The number of events of a morsel, before any selection of journeys.
    pub fn morsel_events(&self, range: MorselRange) -> u64 {
        let offsets = self.offsets();
        u64::from(offsets[range.end_customer as usize] - offsets[range.first_customer as usize])
    }

    /// Loads a morsel into `scratch`.
    pub fn morsel<'s>(&'s self, range: MorselRange, scratch: &'s mut Scratch) -> Morsel<'s> {
        let offsets = self.offsets();
        let (start, end) = (
            offsets[range.first_customer as usize] as usize,
            offsets[range.end_customer as usize] as usize,
        );
        self.fill_spans(range, &mut scratch.spans);
        self.load(start, end, scratch)
    }

    fn load<'s>(&'s self, start: usize, end: usize, scratch: &'s mut Scratch) -> Morsel<'s> {
        scratch.times.reset();
        let (codes, order) = match &self.order {
            None => (self.block.codes.as_slice().slice(start, end), None),
            Some(order) => {
                let rows = &order[start..end];
                gather_codes(self.block.codes.as_slice(), rows, &mut scratch.codes);
                (scratch.codes.as_slice(), Some(rows))
            }
        };
        Morsel {
            block: &self.block,
            order,
            first_row: start,
            codes,
            times: &scratch.times,
            spans: &scratch.spans,
            is_whole: self.kept.is_none(),
        }
    }

    /// The selected journeys of a morsel, with places counted from the morsel's first event.
    #[allow(clippy::cast_possible_truncation)] // places in a block fit u32 by construction
    fn fill_spans(&self, range: MorselRange, spans: &mut Vec<Span>) {
        spans.clear();
        let offsets = self.offsets();
        let base = offsets[range.first_customer as usize];
        let last = offsets[range.end_customer as usize];
        let (mut customer, mut ordinal) = (range.first_customer, 0);
        let mut customer_end = offsets[customer as usize + 1];
        for start in self.starts.ones_in(base as usize..last as usize) {
            let start = start as u32;
            let mut is_next = false;
            if let Some(before) = spans.last_mut() {
                is_next = start < customer_end;
                before.end = start.min(customer_end) - base;
                before.next = if is_next { start - base } else { Span::NONE };
            }
            ordinal = if is_next { ordinal + 1 } else { 0 };
            // The first event of every customer is a start, so this goes on by one customer; by more over empty ones.
            while start >= customer_end {
                customer += 1;
                customer_end = offsets[customer as usize + 1];
            }
            spans.push(Span {
                start: start - base,
                end: last - base,
                customer,
                ordinal,
                next: Span::NONE,
            });
        }
        if let Some(kept) = &self.kept {
            spans.retain(|s| kept.get((base + s.start) as usize));
        }
    }

    /// Runs `work` over every morsel with whole customers as its spans and the place of its first event.
    fn per_morsel<T: Send>(&self, work: impl Fn(&Morsel<'_>, u32) -> T + Send + Sync) -> Vec<T> {
        map_ordered(&self.morsels, |range| {
            let mut scratch = Scratch::default();
            let offsets = self.offsets();
            let base = offsets[range.first_customer as usize];
            scratch
                .spans
                .extend(
                    (range.first_customer..range.end_customer).filter_map(|customer| {
                        let (start, end) = (
                            offsets[customer as usize] - base,
                            offsets[customer as usize + 1] - base,
                        );
                        (start < end).then_some(Span {
                            start,
                            end,
                            customer,
                            ordinal: 0,
                            next: Span::NONE,
                        })
                    }),
                );
            let end = offsets[range.end_customer as usize] as usize;
            work(&self.load(base as usize, end, &mut scratch), base)
        })
    }

    fn per_morsel_spans<T: Send>(&self, work: impl Fn(&[Span]) -> T + Send + Sync) -> Vec<T> {
        map_ordered(&self.morsels, |range| {
            let mut spans = Vec::new();
            self.fill_spans(*range, &mut spans);
            work(&spans)
        })
    }

    /// The events, journeys and customers that are selected.
    fn totals(&self) -> (u64, u64, u64) {
        if self.kept.is_none() {
            let customers = self.offsets().windows(2).filter(|b| b[0] < b[1]).count();
            return (
                self.n_events() as u64,
                self.starts.count() as u64,
                customers as u64,
            );
        }
        let (mut n_events, mut n_journeys, mut n_customers) = (0, 0, 0);
        for (events, journeys, customers) in self.per_morsel_spans(|spans| {
            let events: u64 = spans.iter().map(|s| s.len() as u64).sum();
            let customers = spans.chunk_by(|a, b| a.customer == b.customer).count() as u64;
            (events, spans.len() as u64, customers)
        }) {
            n_events += events;
            n_journeys += journeys;
            n_customers += customers;
        }
        (n_events, n_journeys, n_customers)
    }

    /// The events of the selected journeys that match, by morsel.
    fn masks(&self, matcher: &Matcher) -> Vec<(u32, Mask)> {
        map_ordered(&self.morsels, |range| {
            let mut scratch = Scratch::default();
            let morsel = self.morsel(*range, &mut scratch);
            let mut mask = Mask::default();
            matcher.fill(&morsel, &mut mask);
            (self.offsets()[range.first_customer as usize], mask)
        })
    }

    fn hide(self, matcher: &Matcher) -> JourneyBlock {
        let mut keep = Bitmap::zeros(self.n_events());
        for (base, mask) in self.masks(matcher) {
            for i in mask.iter_ones() {
                keep.set(base as usize + i);
            }
        }
        let n = keep.count();
        let mut order = Vec::with_capacity(n);
        let mut starts = Bitmap::zeros(n);
        let mut kept = self.kept.as_ref().map(|_| Bitmap::zeros(n));
        let mut offsets = Vec::with_capacity(self.offsets().len());
        let mut selected = true;
        let mut begins = true;
        for bounds in self.offsets().windows(2) {
            offsets.push(u32::try_from(order.len()).unwrap_or(u32::MAX));
            for i in bounds[0] as usize..bounds[1] as usize {
                if self.starts.get(i) {
                    begins = true;
                    selected = self.kept.as_ref().is_none_or(|k| k.get(i));
                }
                if keep.get(i) {
                    if begins {
                        starts.set(order.len());
                        if selected && let Some(kept) = &mut kept {
                            kept.set(order.len());
                        }
                        begins = false;
                    }
                    order.push(self.order.as_ref().map_or(i as u32, |o| o[i]));
                }
            }
        }
        offsets.push(u32::try_from(order.len()).unwrap_or(u32::MAX));
        JourneyBlock {
            block: self.block,
            order: Some(order),
            offsets: Some(offsets),
            starts,
            kept,
            morsels: Vec::new(),
        }
        .with_morsels()
    }

    fn select(mut self, matcher: &Matcher) -> JourneyBlock {
        let mut kept = Bitmap::zeros(self.n_events());
        for (range, (base, mask)) in self.morsels.iter().zip(self.masks(matcher)) {
            let mut spans = Vec::new();
            self.fill_spans(*range, &mut spans);
            for span in spans {
                if mask.any_in(span.range()) {
                    kept.set((base + span.start) as usize);
                }
            }
        }
        self.kept = Some(kept);
        self
    }

    /// Puts the events of one journey id together where they do not lie together.
    fn gather(self, column: usize) -> JourneyBlock {
        let row = |i: u32| self.order.as_ref().map_or(i, |o| o[i as usize]);
        let bounds: Vec<&[u32]> = self.offsets().windows(2).collect();
        let moved: Vec<Option<Vec<u32>>> = map_ordered(&bounds, |b| {
            let rows: Vec<u32> = (b[0]..b[1]).map(row).collect();
            gather_by_column(&self.block, column, &rows)
        });
        if moved.iter().all(Option::is_none) {
            return self;
        }
        let mut order = Vec::with_capacity(self.n_events());
        for (b, moved) in bounds.iter().zip(moved) {
            match moved {
                Some(rows) => order.extend(rows),
                None => order.extend((b[0]..b[1]).map(row)),
            }
        }
        let offsets = Some(self.offsets().to_vec());
        JourneyBlock {
            order: Some(order),
            offsets,
            ..self
        }
    }

    fn missing(&self, column: usize) -> u64 {
        let Some(attribute) = self.block.attributes.get(column) else {
            return 0;
        };
        let data = &attribute.data;
        (0..data.len())
            .filter(|&i| data.get(i) == crate::log::Value::Missing)
            .count() as u64
    }

    /// The journeys of one customer, selected ones only.
    pub fn with_customer<T>(
        &self,
        customer: u32,
        work: impl FnOnce(&Morsel<'_>, &[Journey<'_>]) -> T,
    ) -> T {
        let mut scratch = Scratch::default();
        let morsel = self.morsel(
            MorselRange {
                first_customer: customer,
                end_customer: customer + 1,
            },
            &mut scratch,
        );
        let journeys: Vec<Journey<'_>> = morsel.journeys().collect();
        work(&morsel, &journeys)
    }
}

fn gather_codes(codes: CodeSlice<'_>, rows: &[u32], out: &mut Codes) {
    fn refill<T: Copy>(out: &mut Vec<T>, from: &[T], rows: &[u32]) {
        out.clear();
        out.extend(rows.iter().map(|&r| from[r as usize]));
    }
    match (codes, &mut *out) {
        (CodeSlice::U8(s), Codes::U8(out)) => refill(out.make_mut(), s, rows),
        (CodeSlice::U16(s), Codes::U16(out)) => refill(out.make_mut(), s, rows),
        (CodeSlice::U32(s), Codes::U32(out)) => refill(out.make_mut(), s, rows),
        (CodeSlice::U8(s), _) => *out = Codes::U8(rows.iter().map(|&r| s[r as usize]).collect()),
        (CodeSlice::U16(s), _) => *out = Codes::U16(rows.iter().map(|&r| s[r as usize]).collect()),
        (CodeSlice::U32(s), _) => *out = Codes::U32(rows.iter().map(|&r| s[r as usize]).collect()),
    }
}

#[cfg(feature = "parallel")]
fn map_ordered<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Send + Sync) -> Vec<T> {
    use rayon::prelude::*;
    if items.len() < 2 {
        items.iter().map(work).collect()
    } else {
        items.par_iter().map(work).collect()
    }
}

#[cfg(not(feature = "parallel"))]
fn map_ordered<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Send + Sync) -> Vec<T> {
    items.iter().map(work).collect()
}

#[cfg(feature = "parallel")]
pub(super) fn for_each<I: Send>(items: Vec<I>, work: impl Fn(I) + Send + Sync) {
    use rayon::prelude::*;
    if items.len() < 2 {
        items.into_iter().for_each(work);
    } else {
        items.into_par_iter().for_each(work);
    }
}

#[cfg(not(feature = "parallel"))]
pub(super) fn for_each<I>(items: Vec<I>, work: impl Fn(I)) {
    items.into_iter().for_each(work);
}
