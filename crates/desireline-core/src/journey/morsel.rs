//! What an analysis sees: a stretch of columns and the journeys in it.

use std::cell::{Cell, OnceCell};

use crate::log::{Block, CodeSlice, ColumnData, Level, Value};

use super::Mask;

/// One journey's place in a morsel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first event.
    pub start: u32,
    /// One past its last event.
    pub end: u32,
    /// Its customer: a place in the block.
    pub customer: u32,
    /// Which of the customer's journeys it is, from 0, as they were cut: before any selection of journeys or events.
    pub ordinal: u32,
    /// The customer's next journey, as they were cut: the row of the block with the first event of the earliest one that
    /// begins after this one's last event, selected or not, hidden or not; [`Span::NONE`] if there is none. Journeys named
    /// by a column can overlap; one that begins before this one has ended is not its next. See
    /// [`Morsel::next_start`].
    pub next: u32,
}

impl Span {
    /// No event.
    pub const NONE: u32 = u32::MAX;

    /// The number of events.
    #[inline]
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// How many of its events lie before a window, which within, and how many after it; `times` are those of its morsel.
    pub(crate) fn parts(
        &self,
        times: &[i64],
        (from, to): (i64, i64),
    ) -> (u32, std::ops::Range<u32>, u32) {
        // Events of a journey are in order of time.
        let own = times.get(self.range()).unwrap_or_default();
        let (first, last) = (own.first().copied(), own.last().copied());
        if first.is_some_and(|t| t >= from) && last.is_some_and(|t| t < to) {
            return (0, self.start..self.end, 0);
        }
        #[allow(clippy::cast_possible_truncation)] // a journey's events are counted in u32
        let before = |limit: i64| self.start + own.partition_point(|t| *t < limit) as u32;
        let (start, end) = (before(from), before(to).max(before(from)));
        (start - self.start, start..end, self.end - end)
    }

    /// Never true: a journey has at least one event.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Its events as a range into the morsel's columns.
    #[inline]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The times of a morsel, decoded when somebody asks for all of them; its memory is used again for the next morsel.
#[derive(Default)]
pub(crate) struct TimeBuffer {
    decoded: OnceCell<Vec<i64>>,
    spare: Cell<Vec<i64>>,
}

impl TimeBuffer {
    /// Forgets the times.
    pub(crate) fn reset(&mut self) {
        if let Some(times) = self.decoded.take() {
            self.spare.set(times);
        }
    }
}

impl std::fmt::Debug for TimeBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TimeBuffer")
            .field(&self.decoded.get().map(Vec::len))
            .finish()
    }
}

/// The unit of parallel work: columns of whole customers, and the journeys to count.
///
/// Kernels run over [`codes`](Morsel::codes), [`times`](Morsel::times) and [`spans`](Morsel::spans); an easy
/// analysis loops over [`journeys`](Morsel::journeys). Spans are ascending and a customer's spans lie together. A
/// breakdown passes the same columns with fewer spans, so columns may hold events of no span.
#[derive(Clone, Copy, Debug)]
pub struct Morsel<'a> {
    pub(crate) block: &'a Block,
    /// Which row of the block each event is; `None` when they follow each other from `first_row` on.
    pub(crate) order: Option<&'a [u32]>,
    pub(crate) first_row: usize,
    pub(crate) codes: CodeSlice<'a>,
    pub(crate) times: &'a TimeBuffer,
    pub(crate) spans: &'a [Span],
    /// Whether every event of the columns is in a span.
    pub(crate) is_whole: bool,
    /// How many bytes partial results may take; who makes many in one morsel stops beyond. The scan weighs after
    /// every morsel and fails then.
    pub(crate) room: usize,
}

impl<'a> Morsel<'a> {
    /// The event codes.
    #[inline]
    pub fn codes(&self) -> CodeSlice<'a> {
        self.codes
    }

    /// The times in microseconds since 1970 UTC. Decoded at the first call; who needs few of them asks for
    /// [`time`](Morsel::time).
    #[inline]
    pub fn times(&self) -> &'a [i64] {
        self.times.decoded.get_or_init(|| self.decode_times())
    }

    #[cold]
    fn decode_times(&self) -> Vec<i64> {
        let mut out = self.times.spare.take();
        let column = &self.block.times;
        match self.order {
            None => column.decode_into(self.first_row..self.first_row + self.n_events(), &mut out),
            Some(order) => {
                out.clear();
                out.extend(order.iter().map(|&row| column.get(row as usize)));
            }
        }
        out
    }

    /// The time of event `i` in microseconds since 1970 UTC.
    #[inline]
    pub fn time(&self, i: usize) -> i64 {
        self.block.times.get(self.row(i))
    }

    /// When the customer's next journey begins, if there is one after `span` has ended: who is back is back, whatever
    /// was selected or hidden since journeys were cut. See [`Span::next`].
    #[inline]
    pub fn next_start(&self, span: &Span) -> Option<i64> {
        (span.next != Span::NONE).then(|| self.block.times.get(span.next as usize))
    }

    /// Hands `work` a morsel of one journey only, so that what it does costs no more than the journey is long.
    pub(crate) fn alone<T>(&self, span: Span, work: impl FnOnce(&Morsel<'_>, Span) -> T) -> T {
        let (start, end) = (span.start as usize, span.end as usize);
        let times = TimeBuffer::default();
        let span = Span {
            start: 0,
            end: span.end - span.start,
            ..span
        };
        let alone = Morsel {
            block: self.block,
            order: self.order.map(|order| &order[start..end]),
            first_row: self.first_row + start,
            codes: self.codes.slice(start, end),
            times: &times,
            spans: &[span],
            is_whole: true,
            room: self.room,
        };
        work(&alone, span)
    }

    /// Sets in `mask` the events of the journeys whose code is in the table, and clears all others. Where journeys are
    /// few of the columns, as in a group of a breakdown, only theirs are looked at.
    pub(crate) fn events_in(&self, table: &[bool], mask: &mut Mask) {
        mask.reset(self.n_events());
        match self.codes {
            CodeSlice::U8(codes) if self.is_whole => {
                let set = desireline_kernels::ByteSet::from_table(table);
                desireline_kernels::members(codes, &set, mask.words_mut());
            }
            codes => crate::with_codes!(codes, codes => {
                self.fill(mask, |i, _| table.get(codes[i] as usize).copied().unwrap_or(false));
            }),
        }
    }

    /// Sets in `mask` the events of the journeys for which `test` holds of place and customer; a word at a time.
    pub(crate) fn fill(&self, mask: &mut Mask, test: impl Fn(usize, u32) -> bool) {
        let words = mask.words_mut();
        for span in self.spans {
            let (mut i, end) = (span.start as usize, span.end as usize);
            while i < end {
                let stop = end.min((i / 64 + 1) * 64);
                let mut bits = 0u64;
                for j in i..stop {
                    bits |= u64::from(test(j, span.customer)) << (j % 64);
                }
                words[i / 64] |= bits;
                i = stop;
            }
        }
    }

    /// The journeys.
    #[inline]
    pub fn spans(&self) -> &'a [Span] {
        self.spans
    }

    /// The number of events in the columns.
    #[inline]
    pub fn n_events(&self) -> usize {
        self.codes.len()
    }

    /// The same columns with other journeys.
    pub fn with_spans<'b>(&'b self, spans: &'b [Span]) -> Morsel<'b>
    where
        'a: 'b,
    {
        Morsel {
            spans,
            is_whole: false,
            ..*self
        }
    }

    /// The journeys one by one.
    pub fn journeys(&self) -> impl ExactSizeIterator<Item = Journey<'a>> + '_ {
        let morsel = *self;
        self.spans.iter().map(move |&span| Journey { morsel, span })
    }

    /// The journeys of each customer together.
    pub fn customers(&self) -> impl Iterator<Item = &'a [Span]> + use<'a> {
        self.spans.chunk_by(|a, b| a.customer == b.customer)
    }

    /// The journeys of one customer.
    pub fn journeys_of(&self, customer: u32) -> &'a [Span] {
        let begin = self.spans.partition_point(|s| s.customer < customer);
        let end = self.spans.partition_point(|s| s.customer <= customer);
        &self.spans[begin..end]
    }

    /// Hands `work` a morsel of the same customers as they are in the log: all of their events, hidden ones too, each
    /// customer one journey.
    pub(crate) fn in_full_log<T>(&self, work: impl FnOnce(&Morsel<'_>) -> T) -> T {
        let offset = |customer: u32| self.block.offsets.get(customer as usize).copied();
        let from = self.spans.first().map_or(0, |s| s.customer);
        let to = self.spans.last().map_or(from, |s| s.customer + 1);
        let (start, end) = (offset(from).unwrap_or(0), offset(to).unwrap_or(0));
        let whole = |customer: u32| {
            Some(Span {
                start: offset(customer)? - start,
                end: offset(customer + 1)? - start,
                customer,
                ordinal: 0,
                next: Span::NONE,
            })
        };
        let spans: Vec<Span> = self
            .customers()
            .filter_map(|spans| whole(spans.first()?.customer))
            .collect();
        let full = Morsel {
            block: self.block,
            order: None,
            first_row: start as usize,
            codes: self
                .block
                .codes
                .as_slice()
                .slice(start as usize, end as usize),
            times: &TimeBuffer::default(),
            spans: &spans,
            is_whole: spans.len() == (to - from) as usize,
            room: self.room,
        };
        work(&full)
    }

    /// The block's rows of all events, where they follow each other there.
    pub(crate) fn rows(&self) -> Option<std::ops::Range<usize>> {
        let all = self.first_row..self.first_row + self.n_events();
        self.order.is_none().then_some(all)
    }

    /// The block's row of event `i`.
    #[inline]
    pub(crate) fn row(&self, i: usize) -> usize {
        match self.order {
            Some(order) => order[i] as usize,
            None => self.first_row + i,
        }
    }

    /// The value of attribute `index` (a place in the catalog) at event `i` of `customer`.
    #[inline]
    pub fn attribute(&self, index: usize, i: usize, customer: u32) -> Value {
        match self.block.attributes.get(index) {
            Some(column) if column.level == Level::Customer => column.data.get(customer as usize),
            Some(column) => column.data.get(self.row(i)),
            None => Value::Missing,
        }
    }

    /// The column of attribute `index`, whose places are [rows](Self::row) or customers.
    pub(crate) fn column(&self, index: usize) -> Option<&ColumnData> {
        self.block.attributes.get(index).map(|column| &column.data)
    }

    /// The money of event `i` in minor units.
    #[inline]
    pub fn value(&self, i: usize) -> Option<i64> {
        match self.block.value.as_ref()?.get(self.row(i)) {
            Value::Integer(amount) => Some(amount),
            _ => None,
        }
    }
}

/// One journey: the events of one customer between two cuts.
#[derive(Clone, Copy, Debug)]
pub struct Journey<'a> {
    morsel: Morsel<'a>,
    span: Span,
}

impl<'a> Journey<'a> {
    /// The journey at `span` of `morsel`.
    pub fn new(morsel: Morsel<'a>, span: Span) -> Journey<'a> {
        Journey { morsel, span }
    }

    /// The morsel it lies in.
    pub fn morsel(&self) -> &Morsel<'a> {
        &self.morsel
    }

    /// Its place in the morsel.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The number of events.
    #[inline]
    pub fn len(&self) -> usize {
        self.span.len()
    }

    /// Never true: a journey has at least one event.
    pub fn is_empty(&self) -> bool {
        self.span.is_empty()
    }

    /// The code of its event `i`, counted from 0.
    #[inline]
    pub fn code(&self, i: usize) -> u32 {
        self.morsel.codes.get(self.span.start as usize + i)
    }

    /// The codes of its events in order.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = u32> + 'a {
        let (codes, range) = (self.morsel.codes, self.span.range());
        range.map(move |i| codes.get(i))
    }

    /// The time of its event `i`.
    #[inline]
    pub fn time(&self, i: usize) -> i64 {
        self.morsel.time(self.span.start as usize + i)
    }

    /// The times of its events in order.
    pub fn times(&self) -> &'a [i64] {
        &self.morsel.times()[self.span.range()]
    }

    /// The time of its first event.
    pub fn start_time(&self) -> i64 {
        self.time(0)
    }

    /// The time of its last event.
    pub fn end_time(&self) -> i64 {
        self.time(self.len() - 1)
    }

    /// When the customer's next journey begins, if there is one after this one has ended. See [`Span::next`].
    pub fn next_start(&self) -> Option<i64> {
        self.morsel.next_start(&self.span)
    }

    /// The value of attribute `index` at its event `i`.
    pub fn attribute(&self, index: usize, i: usize) -> Value {
        self.morsel
            .attribute(index, self.span.start as usize + i, self.span.customer)
    }

    /// The money of its event `i` in minor units.
    pub fn value(&self, i: usize) -> Option<i64> {
        self.morsel.value(self.span.start as usize + i)
    }
}
