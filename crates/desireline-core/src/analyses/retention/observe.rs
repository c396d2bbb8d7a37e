//! The kernel: a customer's returns as a mask of periods, gathered without a branch per event.

use crate::journey::{Mask, Morsel, Span};
use crate::log::Times;

use super::calendar::{Calendar, Scale, Table};
use super::{Birth, CohortPartial, RetentionMode, RetentionPartial, RetentionPlan};

/// Words of a mask for up to 62 periods, and for all.
const FEW: usize = 1;
const MANY: usize = 16;

pub(super) fn observe(plan: &RetentionPlan, partial: &mut RetentionPartial, morsel: &Morsel<'_>) {
    let times = &morsel.block.times;
    let by_table = ticks(times).and_then(|(ticks, scale)| {
        let (table, ahead) = plan.calendar.table(scale)?;
        let calendar = &plan.calendar;
        Some((
            scale,
            ByTable {
                ticks,
                ahead,
                table,
                times,
                calendar,
            },
        ))
    });
    match (by_table, plan.rolling) {
        (Some((_, clock)), None) => return by_width(plan, partial, morsel, &clock),
        (Some((scale, calendar)), Some(unit)) => {
            if let Some(clock) = Rolling::new(calendar, scale, unit) {
                return by_width(plan, partial, morsel, &clock);
            }
        }
        (None, _) => {}
    }
    let clock = Any {
        times,
        calendar: &plan.calendar,
        rolling: plan.rolling,
    };
    by_width(plan, partial, morsel, &clock);
}

/// A block's times as they are stored: 32 bits of each.
fn ticks(times: &Times) -> Option<(&[u32], Scale)> {
    let scale = times.scale();
    let tick = 1_i64.checked_shl(scale.shift.into())?;
    let scale = Scale {
        base: scale.base,
        tick: tick.checked_mul(scale.grain.micros())?,
    };
    Some((&times.ticks()[..], scale))
}

fn by_width(
    plan: &RetentionPlan,
    partial: &mut RetentionPartial,
    morsel: &Morsel<'_>,
    clock: &impl Clock,
) {
    // One bit for all periods after the last.
    match plan.last {
        ..=62 => scan::<FEW>(plan, partial, morsel, clock),
        _ => scan::<MANY>(plan, partial, morsel, clock),
    }
}

/// Which rows of the block are starts.
enum Births {
    /// The customer's first event of the log.
    First,
    /// The first of these among the customer's events of the log; rows from the number on.
    InLog(Mask, usize),
    /// The first event of the selected journeys.
    FirstSelected,
    /// The first of these in the selected journeys.
    Selected(Mask),
}

impl Births {
    fn new(plan: &RetentionPlan, morsel: &Morsel<'_>) -> Births {
        match (&plan.start, plan.spec.birth) {
            (None, Birth::Ever) => Births::First,
            (None, Birth::Selected) => Births::FirstSelected,
            (Some(matcher), birth) => {
                let mut mask = Mask::default();
                if birth == Birth::Selected {
                    matcher.fill(morsel, &mut mask);
                    return Births::Selected(mask);
                }
                let first_row = morsel.in_full_log(|full| {
                    matcher.fill(full, &mut mask);
                    full.first_row
                });
                Births::InLog(mask, first_row)
            }
        }
    }

    /// The row of the customer's start.
    #[inline]
    fn of(&self, morsel: &Morsel<'_>, spans: &[Span]) -> Option<usize> {
        let in_journeys = |first: &dyn Fn(&Span) -> Option<usize>| {
            let found = spans.iter().filter_map(first).map(|i| morsel.row(i));
            match morsel.order {
                // Rows ascend.
                None => found.into_iter().next(),
                Some(_) => found.min(),
            }
        };
        let rows = || {
            let customer = spans.first()?.customer as usize;
            let offsets = &morsel.block.offsets;
            Some(*offsets.get(customer)? as usize..*offsets.get(customer + 1)? as usize)
        };
        match self {
            Births::First => Some(rows()?.start),
            Births::InLog(mask, first_row) => {
                let rows = rows()?;
                let range = rows.start - first_row..rows.end - first_row;
                Some(mask.ones_in(range).next()? + first_row)
            }
            Births::FirstSelected => in_journeys(&|span| Some(span.start as usize)),
            Births::Selected(mask) => in_journeys(&|span| mask.ones_in(span.range()).next()),
        }
    }
}

fn scan<const WORDS: usize>(
    plan: &RetentionPlan,
    partial: &mut RetentionPartial,
    morsel: &Morsel<'_>,
    clock: &impl Clock,
) {
    let births = Births::new(plan, morsel);
    let returns = plan.returns.as_ref().map(|matcher| {
        let mut mask = Mask::default();
        matcher.fill(morsel, &mut mask);
        mask
    });
    let beyond = plan.last + 1;
    let first_row = morsel.first_row;
    let none: &[Span] = &[];
    for spans in morsel.customers() {
        partial.n_customers += 1;
        let Some(birth) = births.of(morsel, spans) else {
            continue;
        };
        let (place, start) = clock.start(birth);
        let Some(cohort) = partial.cohorts.get_mut(place) else {
            continue;
        };
        if cohort.retained.is_empty() {
            cohort.retained.resize(plan.columns.len(), 0);
        }
        cohort.customers += 1;
        if plan.rolling.is_some() {
            let time = morsel.block.times.get(birth);
            cohort.add_births((time, time));
        }

        let from = birth + usize::from(!plan.spec.include_start);
        let mut seen = Periods::<WORDS>::default();
        // The journeys of a whole morsel follow each other without a gap.
        let (joined, apart) = match (spans.first(), spans.last()) {
            (Some(first), Some(last)) if morsel.is_whole => {
                (Some(first.start as usize..last.end as usize), none)
            }
            _ => (None, spans),
        };
        for range in joined.into_iter().chain(apart.iter().map(Span::range)) {
            match (morsel.order, &returns) {
                (None, None) => {
                    let end = first_row + range.end;
                    clock.mark(
                        start,
                        from.max(first_row + range.start)..end,
                        beyond,
                        &mut seen,
                    );
                }
                (None, Some(mask)) => {
                    let begin = from.saturating_sub(first_row).max(range.start);
                    for i in mask.ones_in(begin..range.end.max(begin)) {
                        seen.set(clock.offset(start, first_row + i).min(beyond));
                    }
                }
                (Some(order), mask) => {
                    for i in range {
                        let row = order[i] as usize;
                        if row >= from && mask.as_ref().is_none_or(|m| m.get(i)) {
                            seen.set(clock.offset(start, row).min(beyond));
                        }
                    }
                }
            }
        }
        count(plan, &seen, cohort);
    }
}

/// Adds one customer to the columns in which they are retained.
#[inline]
fn count<const WORDS: usize>(
    plan: &RetentionPlan,
    seen: &Periods<WORDS>,
    cohort: &mut CohortPartial,
) {
    let columns = &mut cohort.retained[..];
    let mut add = |range: std::ops::Range<usize>| {
        let end = range.end.min(columns.len());
        if let Some(columns) = columns.get_mut(range.start..end) {
            columns.iter_mut().for_each(|n| *n += 1);
        }
    };
    match plan.spec.mode {
        RetentionMode::On => seen.each(|period| {
            if let Some(n) = columns.get_mut(period) {
                *n += 1;
            }
        }),
        RetentionMode::OnOrAfter => add(0..seen.last().map_or(0, |period| period + 1)),
        RetentionMode::OnOrBefore => {
            if let Some(period) = seen.first() {
                add(period..usize::MAX);
            }
        }
        RetentionMode::Streak => {
            add(0..usize::from(seen.get(0)));
            add(1..seen.run());
        }
        RetentionMode::Bracket => {
            let mut at = 0;
            seen.each(|period| {
                // Both ascend.
                while let Some((from, until)) = plan.columns.get(at) {
                    if period < *from as usize {
                        break;
                    }
                    at += 1;
                    if period < *until as usize {
                        if let Some(n) = columns.get_mut(at - 1) {
                            *n += 1;
                        }
                        break;
                    }
                }
            });
        }
    }
}

/// A bit for each period.
#[derive(Clone, Copy)]
struct Periods<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for Periods<WORDS> {
    #[inline]
    fn default() -> Self {
        Periods([0; WORDS])
    }
}

impl<const WORDS: usize> Periods<WORDS> {
    #[inline(always)]
    fn set(&mut self, period: u32) {
        // With one word no period is beyond it.
        let word = if WORDS == 1 { 0 } else { period / 64 };
        if let Some(word) = self.0.get_mut(word as usize) {
            *word |= 1 << (period % 64);
        }
    }

    fn get(&self, period: usize) -> bool {
        self.0[period / 64] >> (period % 64) & 1 == 1
    }

    /// Those set, ascending.
    #[inline]
    fn each(&self, mut work: impl FnMut(usize)) {
        for (at, &word) in self.0.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                work(at * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }

    fn first(&self) -> Option<usize> {
        let at = self.0.iter().position(|word| *word != 0)?;
        Some(at * 64 + self.0[at].trailing_zeros() as usize)
    }

    fn last(&self) -> Option<usize> {
        let at = self.0.iter().rposition(|word| *word != 0)?;
        Some(at * 64 + 63 - self.0[at].leading_zeros() as usize)
    }

    /// The first period from 1 on that is not set.
    fn run(&self) -> usize {
        for (at, &word) in self.0.iter().enumerate() {
            // Period 0 breaks no streak.
            let word = if at == 0 { word | 1 } else { word };
            if word != u64::MAX {
                return at * 64 + word.trailing_ones() as usize;
            }
        }
        WORDS * 64
    }
}

/// Counts periods from a customer's start.
trait Clock {
    type Start: Copy;

    /// The cohort and what periods are counted from, of a start at this row.
    fn start(&self, row: usize) -> (usize, Self::Start);

    /// The period of an event at or after the start.
    fn offset(&self, start: Self::Start, row: usize) -> u32;

    /// The block's ticks, where there are any, to look for a period's end in.
    fn ticks(&self) -> &[u32];

    /// The first tick that a period's end may lie in: of those before it all is in the period or earlier, of itself the
    /// whole time decides, and all after it is later. `None` where no event of the block is.
    fn end(&self, start: Self::Start, period: u32) -> Option<u32>;

    /// Sets the periods of all events of `rows`. Their times ascend, so that whole periods are leapt over: the last event
    /// often says that there is no other.
    #[inline]
    fn mark<const WORDS: usize>(
        &self,
        start: Self::Start,
        rows: std::ops::Range<usize>,
        beyond: u32,
        seen: &mut Periods<WORDS>,
    ) {
        let Some(ticks) = self.ticks().get(rows.clone()) else {
            return;
        };
        let mut at = 0;
        while at < ticks.len() {
            let period = self.offset(start, rows.start + at);
            seen.set(period.min(beyond));
            if period >= beyond {
                return;
            }
            let Some(end) = self.end(start, period) else {
                return;
            };
            if ticks.last().is_none_or(|last| *last < end) {
                return;
            }
            at += ticks[at..].partition_point(|tick| *tick < end).max(1);
            while ticks.get(at) == Some(&end) && self.offset(start, rows.start + at) == period {
                at += 1;
            }
        }
    }
}

/// Calendar periods by the table.
#[derive(Clone, Copy)]
struct ByTable<'a> {
    ticks: &'a [u32],
    /// What to add to the block's ticks for those of the table.
    ahead: i64,
    table: &'a Table,
    times: &'a Times,
    calendar: &'a Calendar,
}

impl ByTable<'_> {
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // differences of ticks wrap round
    fn period(&self, row: usize, tick: u32) -> u32 {
        let found = self.table.find(tick.wrapping_add(self.ahead as u32));
        if found.is_near {
            return self.exact(row);
        }
        found.period
    }

    /// Where a tick does not decide, the whole time does.
    #[cold]
    fn exact(&self, row: usize) -> u32 {
        let period = self.calendar.period(self.times.get(row));
        u32::try_from(period).unwrap_or(u32::MAX)
    }
}

impl Clock for ByTable<'_> {
    type Start = u32;

    #[inline]
    fn start(&self, row: usize) -> (usize, u32) {
        let period = self.period(row, self.ticks[row]);
        (period as usize, period)
    }

    #[inline]
    fn offset(&self, start: u32, row: usize) -> u32 {
        self.period(row, self.ticks[row]).wrapping_sub(start)
    }

    #[inline]
    fn ticks(&self) -> &[u32] {
        self.ticks
    }

    #[inline]
    fn end(&self, start: u32, period: u32) -> Option<u32> {
        let end = self.table.end(start.checked_add(period)?)?;
        u32::try_from(i64::from(end) - 1 - self.ahead).ok()
    }
}

/// Periods from each customer's own start, as long as a whole number of ticks.
struct Rolling<'a> {
    by_calendar: ByTable<'a>,
    unit: i64,
    /// The same in ticks.
    ticks: u32,
    /// 2^64 over the ticks, rounded up: a product with it is exact for numbers of 32 bits.
    inverse: u64,
}

impl<'a> Rolling<'a> {
    fn new(by_calendar: ByTable<'a>, scale: Scale, unit: i64) -> Option<Rolling<'a>> {
        let ticks = u32::try_from(unit / scale.tick).ok()?;
        // Division by one is none.
        (unit % scale.tick == 0 && ticks > 1).then(|| Rolling {
            by_calendar,
            unit,
            ticks,
            inverse: u64::MAX / u64::from(ticks) + 1,
        })
    }
}

impl Clock for Rolling<'_> {
    /// The row of the start and its tick.
    type Start = (usize, u32);

    #[inline]
    fn start(&self, row: usize) -> (usize, (usize, u32)) {
        let (cohort, _) = self.by_calendar.start(row);
        (cohort, (row, self.by_calendar.ticks[row]))
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a quotient of 32 bits
    fn offset(&self, (start, tick): (usize, u32), row: usize) -> u32 {
        let since = self.by_calendar.ticks[row].wrapping_sub(tick);
        let periods = ((u128::from(since) * u128::from(self.inverse)) >> 64) as u32;
        // Ticks alone decide but where a period begins; only there the whole times are read.
        if periods.wrapping_mul(self.ticks) == since && since > 0 {
            let times = self.by_calendar.times;
            return rolled(times.get(start), times.get(row), self.unit);
        }
        periods
    }

    #[inline]
    fn ticks(&self) -> &[u32] {
        self.by_calendar.ticks
    }

    #[inline]
    fn end(&self, (_, tick): (usize, u32), period: u32) -> Option<u32> {
        // Within the tick that is a whole number of periods after that of the start, the next one may begin.
        let since = (period.checked_add(1)?).checked_mul(self.ticks)?;
        tick.checked_add(since)
    }
}

/// Any times and any length of periods.
struct Any<'a> {
    times: &'a Times,
    calendar: &'a Calendar,
    rolling: Option<i64>,
}

impl Clock for Any<'_> {
    type Start = (usize, i64);

    fn start(&self, row: usize) -> (usize, (usize, i64)) {
        let time = self.times.get(row);
        let period = self.calendar.period(time);
        (period, (period, time))
    }

    fn offset(&self, (cohort, start): (usize, i64), row: usize) -> u32 {
        let time = self.times.get(row);
        match self.rolling {
            Some(unit) => rolled(start, time, unit),
            None => {
                let periods = self.calendar.period(time).saturating_sub(cohort);
                u32::try_from(periods).unwrap_or(u32::MAX)
            }
        }
    }

    fn ticks(&self) -> &[u32] {
        &[]
    }

    fn end(&self, _: (usize, i64), _: u32) -> Option<u32> {
        None
    }

    fn mark<const WORDS: usize>(
        &self,
        start: (usize, i64),
        rows: std::ops::Range<usize>,
        beyond: u32,
        seen: &mut Periods<WORDS>,
    ) {
        for row in rows {
            seen.set(self.offset(start, row).min(beyond));
        }
    }
}

/// How many periods of `unit` are over between two times.
#[cold]
fn rolled(start: i64, time: i64, unit: i64) -> u32 {
    // Never before the start, so the difference fits once it has no sign.
    let since = time.wrapping_sub(start).cast_unsigned();
    u32::try_from(since / unit.max(1).cast_unsigned()).unwrap_or(u32::MAX)
}
