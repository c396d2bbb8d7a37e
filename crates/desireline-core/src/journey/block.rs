//! The journeys of one block: where they begin, which are selected, and in what order their events lie.

use std::sync::Arc;

use super::cut::gather_by_column;
use super::morsel::TimeBuffer;
use super::{Journey, Mask, Matcher, Morsel, Span};
use crate::log::{Bitmap, Block, CodeSlice, Codes, Level, Value};

/// About how many events a morsel has: codes, times and journeys of that many stay in a core's own cache.
const MORSEL_EVENTS: u32 = 1 << 16;

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
    /// Each journey among its customer's, as cut; `None` where `starts` tells it, because events lie as in the block.
    places: Option<Arc<Places>>,
    /// Whether the journeys are the customers, each with all events, and lie as in the block: then offsets tell all.
    is_by_customer: bool,
    morsels: Vec<MorselRange>,
}

/// What a journey is among all of its customer's, whatever was selected or hidden since.
#[derive(Clone, Copy, Debug)]
struct Place {
    ordinal: u32,
    /// See [`Span::next`].
    next: u32,
}

/// The place of each journey in the order in which they begin.
#[derive(Debug)]
struct Places {
    list: Vec<Place>,
    /// How many journeys begin before each stretch of [`STRETCH`] words of `starts`.
    before: Vec<u32>,
}

/// Words of a bitmap that are counted one by one to find a journey's place.
const STRETCH: usize = 64;

impl Places {
    fn new(list: Vec<Place>, starts: &Bitmap) -> Places {
        let mut n = 0;
        let before = starts
            .words()
            .chunks(STRETCH)
            .map(|words| {
                let before = n;
                n += words.iter().map(|w| w.count_ones()).sum::<u32>();
                before
            })
            .collect();
        Places { list, before }
    }

    /// The journeys from the one on that begins at or after event `i`.
    fn from(&self, starts: &Bitmap, i: usize) -> &[Place] {
        let (word, bit) = (i / 64, i % 64);
        let stretch = word / STRETCH;
        let words = starts.words();
        let whole = words.get(stretch * STRETCH..word).unwrap_or_default();
        let part = words.get(word).map_or(0, |w| w & ((1 << bit) - 1));
        let n = self.before.get(stretch).copied().unwrap_or(0)
            + whole.iter().map(|w| w.count_ones()).sum::<u32>()
            + part.count_ones();
        self.list.get(n as usize..).unwrap_or_default()
    }
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
    starts: Vec<u32>,
}

impl JourneyBlock {
    /// The block before it is cut: customers, no journeys.
    pub(super) fn uncut(block: Arc<Block>) -> JourneyBlock {
        JourneyBlock {
            block,
            order: None,
            offsets: None,
            starts: Bitmap::default(),
            kept: None,
            places: None,
            is_by_customer: false,
            morsels: Vec::new(),
        }
        .with_morsels()
    }

    /// The block with each customer as one journey.
    pub(super) fn whole(block: Arc<Block>) -> JourneyBlock {
        let mut starts = Bitmap::zeros(block.n_events());
        for &offset in &block.offsets {
            starts.set(offset as usize);
        }
        JourneyBlock::uncut(block).cut_at(starts)
    }

    /// The block as given to [`uncut`](Self::uncut), cut at these places, the first event of each customer among them.
    pub(super) fn cut_at(mut self, starts: Bitmap) -> JourneyBlock {
        self.starts = starts;
        self.places = None;
        if self.order.is_some() {
            let places = self.all_places();
            self.places = Some(Arc::new(Places::new(places, &self.starts)));
        }
        self.is_by_customer = self.order.is_none()
            && self.starts.count() + 1 == self.offsets().len()
            && self
                .offsets()
                .windows(2)
                .all(|bounds| bounds[0] < bounds[1]);
        self
    }

    /// Whether events lie as in the block.
    pub(super) fn is_in_order(&self) -> bool {
        self.order.is_none()
    }

    /// Each journey among its customer's.
    fn all_places(&self) -> Vec<Place> {
        let row = |i: u32| self.order.as_ref().map_or(i, |o| o[i as usize]);
        let mut places = Vec::with_capacity(self.starts.count());
        let (mut begins, mut firsts): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for customer in self.offsets().windows(2) {
            begins.clear();
            let range = customer[0] as usize..customer[1] as usize;
            begins.extend(self.starts.ones_in(range).map(|i| i as u32));
            firsts.clear();
            firsts.extend(begins.iter().map(|&i| row(i)));
            firsts.sort_unstable();
            // Each ends where the next begins; a customer without events has none.
            let ends = begins.iter().skip(1).chain(&customer[1..]);
            for (ordinal, end) in (0u32..).zip(ends.take(begins.len())) {
                // A journey's rows ascend, also where journeys overlap.
                let last = row(end - 1);
                let later = firsts.partition_point(|&first| first <= last);
                places.push(Place {
                    ordinal,
                    next: firsts.get(later).copied().unwrap_or(Span::NONE),
                });
            }
        }
        places
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

    pub(super) fn offsets(&self) -> &[u32] {
        self.offsets.as_deref().unwrap_or(&self.block.offsets)
    }

    pub(super) fn n_events(&self) -> usize {
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
        self.fill_spans(range, &mut scratch.spans, &mut scratch.starts);
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
            room: usize::MAX,
        }
    }

    /// The selected journeys of a morsel, with places counted from the morsel's first event.
    fn fill_spans(&self, range: MorselRange, spans: &mut Vec<Span>, starts: &mut Vec<u32>) {
        spans.clear();
        let (first, end) = (range.first_customer as usize, range.end_customer as usize);
        let offsets = &self.offsets()[first..=end];
        let (base, last) = (offsets[0], offsets[end - first]);
        if self.is_by_customer {
            let customers = (range.first_customer..).zip(offsets.windows(2));
            spans.extend(customers.map(|(customer, bounds)| Span {
                start: bounds[0] - base,
                end: bounds[1] - base,
                customer,
                ordinal: 0,
                next: Span::NONE,
            }));
        } else {
            desireline_kernels::positions(self.starts.words(), base..last, starts);
            starts.push(last);
            // Without branches that depend on where customers end: those cannot be foreseen.
            let (mut place, mut ordinal) = (0, u32::MAX);
            let mut customer_end = offsets[1];
            spans.extend(starts.windows(2).map(|bounds| {
                let is_new = bounds[0] >= customer_end;
                place += usize::from(is_new);
                // The first event of every customer is a start, so this goes on by one customer; by more over empty ones.
                while bounds[0] >= offsets[place + 1] {
                    place += 1;
                }
                customer_end = offsets[place + 1];
                ordinal = if is_new { 0 } else { ordinal.wrapping_add(1) };
                let is_followed = bounds[1] < customer_end;
                Span {
                    start: bounds[0] - base,
                    end: bounds[1].min(customer_end) - base,
                    customer: range.first_customer + place as u32,
                    ordinal,
                    next: if is_followed { bounds[1] } else { Span::NONE },
                }
            }));
        }
        if let Some(places) = &self.places {
            let places = places.from(&self.starts, base as usize);
            for (span, place) in spans.iter_mut().zip(places) {
                (span.ordinal, span.next) = (place.ordinal, place.next);
            }
        }
        if let Some(kept) = &self.kept {
            spans.retain(|s| kept.get((base + s.start) as usize));
        }
    }

    /// Runs `work` over every morsel with whole customers as its spans and the place of its first event.
    pub(super) fn per_morsel<T: Send>(
        &self,
        work: impl Fn(&Morsel<'_>, u32) -> T + Send + Sync,
    ) -> Vec<T> {
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
            let (mut spans, mut starts) = (Vec::new(), Vec::new());
            self.fill_spans(*range, &mut spans, &mut starts);
            work(&spans)
        })
    }

    /// The events, journeys and customers that are selected.
    pub(super) fn totals(&self) -> (u64, u64, u64) {
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

    /// Hides the events of the selected journeys that do not match, and all of the others.
    pub(super) fn hide(self, matcher: &Matcher) -> JourneyBlock {
        let mut keep = Bitmap::zeros(self.n_events());
        for (base, mask) in self.masks(matcher) {
            for i in mask.iter_ones() {
                keep.set(base as usize + i);
            }
        }
        let n = keep.count();
        let all = match &self.places {
            Some(_) => None,
            None => Some(self.all_places()),
        };
        let mut places = all
            .as_deref()
            .or(self.places.as_ref().map(|p| p.list.as_slice()))
            .unwrap_or_default()
            .iter();
        let mut left = Vec::new();
        let mut order = Vec::with_capacity(n);
        let mut starts = Bitmap::zeros(n);
        let mut offsets = Vec::with_capacity(self.offsets().len());
        // The journey whose first event that is left has not come yet.
        let mut begins = None;
        for bounds in self.offsets().windows(2) {
            offsets.push(u32::try_from(order.len()).unwrap_or(u32::MAX));
            for i in bounds[0] as usize..bounds[1] as usize {
                if self.starts.get(i) {
                    begins = places.next();
                }
                if keep.get(i) {
                    if let Some(place) = begins.take() {
                        starts.set(order.len());
                        left.push(*place);
                    }
                    order.push(self.order.as_ref().map_or(i as u32, |o| o[i]));
                }
            }
        }
        offsets.push(u32::try_from(order.len()).unwrap_or(u32::MAX));
        let places = Places::new(left, &starts);
        JourneyBlock {
            block: self.block,
            order: Some(order),
            offsets: Some(offsets),
            starts,
            // Only events of selected journeys are left.
            kept: None,
            places: Some(Arc::new(places)),
            is_by_customer: false,
            morsels: Vec::new(),
        }
        .with_morsels()
    }

    /// Selects the journeys with an event that matches.
    pub(super) fn select(mut self, matcher: &Matcher) -> JourneyBlock {
        let mut kept = Bitmap::zeros(self.n_events());
        let (mut spans, mut begins) = (Vec::new(), Vec::new());
        for (range, (base, mask)) in self.morsels.iter().zip(self.masks(matcher)) {
            self.fill_spans(*range, &mut spans, &mut begins);
            for span in &spans {
                if mask.any_in(span.range()) {
                    kept.set((base + span.start) as usize);
                }
            }
        }
        self.kept = Some(kept);
        self
    }

    /// Puts the events of one journey id together where they do not lie together.
    pub(super) fn gather(self, column: usize) -> JourneyBlock {
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

    /// How many of the events have no value of the attribute `column`.
    pub(super) fn missing(&self, column: usize) -> u64 {
        let Some(attribute) = self.block.attributes.get(column) else {
            return 0;
        };
        let is_missing = |i: usize| attribute.data.get(i) == Value::Missing;
        let n = match (attribute.level, &self.order) {
            (Level::Customer, _) => {
                let customers = self.offsets().windows(2).enumerate();
                return customers
                    .filter(|(customer, _)| is_missing(*customer))
                    .map(|(_, b)| u64::from(b[1] - b[0]))
                    .sum();
            }
            (Level::Event, None) => (0..attribute.data.len()).filter(|&i| is_missing(i)).count(),
            (Level::Event, Some(rows)) => {
                let rows = rows.iter();
                rows.filter(|&&row| is_missing(row as usize)).count()
            }
        };
        n as u64
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
