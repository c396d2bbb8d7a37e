//! Finding the first event of each journey.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rustc_hash::FxHashMap;

use super::block::for_each;
use super::rule::rule_error;
use super::{CalendarUnit, JourneyRule, Mask, Matcher, Morsel};
use crate::error::{Result, SpecError, nearest};
use crate::log::{Bitmap, Block, Catalog, Value};

/// How many events one worker looks at together for gaps.
const PIECE: usize = 1 << 16;

/// A journey rule bound to a log.
#[derive(Debug)]
pub(super) struct Cutter {
    pub(super) column: Option<usize>,
    gap: Option<i64>,
    max_span: Option<i64>,
    start: Option<Matcher>,
    end: Option<Matcher>,
    calendar: Option<(CalendarUnit, TimeZone)>,
}

impl Cutter {
    pub(super) fn new(rule: &JourneyRule, catalog: &Catalog) -> Result<Cutter> {
        let bind =
            |expr: &Option<crate::expr::Expr>, field: &'static str| -> Result<Option<Matcher>> {
                let bound = expr.as_ref().map(|e| Matcher::new(e, catalog)).transpose();
                bound.map_err(|source| {
                    SpecError::Expr {
                        analysis: "journeys",
                        field,
                        source,
                    }
                    .into()
                })
            };
        let column = match &rule.column {
            None => None,
            Some(name) => {
                Some(
                    catalog
                        .attribute(name)
                        .ok_or_else(|| SpecError::UnknownAttribute {
                            analysis: "journeys",
                            field: "column",
                            name: name.clone(),
                            nearest: nearest(
                                name,
                                catalog.attributes.iter().map(|a| a.name.as_str()),
                            ),
                            known: catalog.attributes.iter().map(|a| a.name.clone()).collect(),
                        })?,
                )
            }
        };
        let calendar = match &rule.calendar {
            None => None,
            Some(calendar) => {
                let zone = jiff::tz::db().get(&calendar.zone).map_err(|_| {
                    rule_error(format!(
                        "`{}` is no time zone; use an IANA name such as Europe/Berlin or UTC",
                        calendar.zone
                    ))
                })?;
                Some((calendar.unit, zone))
            }
        };
        Ok(Cutter {
            column,
            gap: rule.gap.map(crate::time::TimeSpan::as_micros),
            max_span: rule.max_span.map(crate::time::TimeSpan::as_micros),
            start: bind(&rule.start, "start")?,
            end: bind(&rule.end, "end")?,
            calendar,
        })
    }

    /// Where journeys begin in a whole block, if nothing but customers and gaps cut them.
    pub(super) fn starts_of_block(&self, block: &Block) -> Option<Bitmap> {
        let by_gap_only = self.column.is_none()
            && self.max_span.is_none()
            && self.start.is_none()
            && self.end.is_none()
            && self.calendar.is_none();
        if !by_gap_only {
            return None;
        }
        let n_events = block.n_events();
        let mut starts = Bitmap::zeros(n_events);
        if let Some(gap) = self.gap {
            let pieces: Vec<(usize, &mut [u64])> = starts
                .words_mut()
                .chunks_mut(PIECE / 64)
                .enumerate()
                .collect();
            for_each(pieces, |(piece, words)| {
                let range = piece * PIECE..n_events.min((piece + 1) * PIECE);
                block.times.gaps_into(range, gap, words);
            });
        }
        // Every customer's first event begins a journey.
        for &first in &block.offsets {
            starts.set(first as usize);
        }
        Some(starts)
    }

    /// The places in the morsel where a journey begins, ascending. The morsel's spans are whole customers.
    pub(super) fn starts(&self, morsel: &Morsel<'_>) -> Vec<u32> {
        let mut starts = Vec::new();
        let mask = |matcher: &Option<Matcher>| {
            matcher.as_ref().map(|m| {
                let mut mask = Mask::default();
                m.fill(morsel, &mut mask);
                mask
            })
        };
        let (start, end) = (mask(&self.start), mask(&self.end));
        let mut calendar = self.calendar.as_ref().map(|(unit, zone)| UnitCache {
            unit: *unit,
            zone,
            from: 1,
            to: 0,
        });
        let times = morsel.times();
        for span in morsel.spans() {
            let mut first_time = times[span.start as usize];
            let mut unit = calendar.as_mut().map_or(0, |c| c.unit_start(first_time));
            starts.push(span.start);
            for i in span.range().skip(1) {
                let t = times[i];
                let new_unit = calendar.as_mut().map_or(0, |c| c.unit_start(t));
                let cut = self
                    .gap
                    .is_some_and(|gap| t.saturating_sub(times[i - 1]) > gap)
                    || self
                        .max_span
                        .is_some_and(|max| t.saturating_sub(first_time) > max)
                    || start.as_ref().is_some_and(|m| m.get(i))
                    || end.as_ref().is_some_and(|m| m.get(i - 1))
                    || new_unit != unit
                    || self.column.is_some_and(|c| {
                        morsel.attribute(c, i, span.customer)
                            != morsel.attribute(c, i - 1, span.customer)
                    });
                unit = new_unit;
                if cut {
                    first_time = t;
                    starts.push(u32::try_from(i).unwrap_or(u32::MAX));
                }
            }
        }
        starts
    }
}

/// The rows of the customer in an order that puts the events of one journey id together, journeys by their first
/// event; `None` where they lie together already.
pub(super) fn gather_by_column(block: &Block, column: usize, rows: &[u32]) -> Option<Vec<u32>> {
    let data = &block.attributes.get(column)?.data;
    if data.len() != block.n_events() {
        return None;
    }
    let mut rank: FxHashMap<(u8, u64), u32> = FxHashMap::default();
    let mut ranked: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
    let mut together = true;
    for &row in rows {
        let next = u32::try_from(rank.len()).unwrap_or(u32::MAX);
        let place = *rank.entry(key(data.get(row as usize))).or_insert(next);
        together &= ranked.last().is_none_or(|(before, _)| *before <= place);
        ranked.push((place, row));
    }
    if together {
        return None;
    }
    ranked.sort_by_key(|(place, _)| *place);
    Some(ranked.into_iter().map(|(_, row)| row).collect())
}

fn key(value: Value) -> (u8, u64) {
    match value {
        Value::Missing => (0, 0),
        Value::Code(c) => (1, u64::from(c)),
        Value::Integer(i) => (2, i.cast_unsigned()),
        Value::Decimal(x) => (3, x.to_bits()),
    }
}

/// Remembers the unit of the last time, since times mostly stay in one.
#[derive(Debug)]
struct UnitCache<'z> {
    unit: CalendarUnit,
    zone: &'z TimeZone,
    from: i64,
    to: i64,
}

impl UnitCache<'_> {
    fn unit_start(&mut self, time: i64) -> i64 {
        if time < self.from || time >= self.to {
            (self.from, self.to) = unit_bounds(self.unit, self.zone, time);
        }
        self.from
    }
}

/// The first instants of the unit around `time` and of the next one. Days of 23 and 25 hours come out right, since
/// both ends are civil midnights of the zone. At the edge of the calendar, where there is no next unit, all the rest
/// is one unit.
pub(crate) fn unit_bounds(unit: CalendarUnit, zone: &TimeZone, time: i64) -> (i64, i64) {
    let bounds = || -> Option<(i64, i64)> {
        let date = Timestamp::from_microsecond(time)
            .ok()?
            .to_zoned(zone.clone())
            .date();
        let (first, next) = civil_bounds(unit, date)?;
        let instant = |d: Date| Some(d.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond());
        Some((instant(first)?, instant(next)?))
    };
    bounds().unwrap_or((i64::MIN, i64::MAX))
}

fn civil_bounds(unit: CalendarUnit, date: Date) -> Option<(Date, Date)> {
    let (first, length) = match unit {
        CalendarUnit::Day => (date, 1.day()),
        CalendarUnit::Week => {
            let since_monday = i64::from(date.weekday().to_monday_zero_offset());
            (date.checked_sub(since_monday.days()).ok()?, 1.week())
        }
        CalendarUnit::Month => (date.first_of_month(), 1.month()),
        CalendarUnit::Quarter => {
            let month = (date.month() - 1) / 3 * 3 + 1;
            (Date::new(date.year(), month, 1).ok()?, 3.months())
        }
        CalendarUnit::Year => (date.first_of_year(), 1.year()),
    };
    Some((first, first.checked_add(length).ok()?))
}
