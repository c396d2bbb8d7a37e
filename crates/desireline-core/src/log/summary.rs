//! What is in a log, in numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::buffer::kind_word;
use super::{AttributeType, Block, Codes, ColumnData, Level, Log, QuarantinedRow, Reason, Value};
use crate::report::{Caveat, Cells, Report, Table};

/// Counts of everything in a log. All figures are exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Customers.
    pub customers: u64,
    /// Events.
    pub events: u64,
    /// The first event's time, microseconds since 1970 UTC.
    pub first_time: i64,
    /// The last event's time.
    pub last_time: i64,
    /// Until when customers were observed.
    pub observed_until: i64,
    /// Events per customer.
    pub events_per_customer: PerCustomer,
    /// Every event name, by count and then by name.
    pub names: Vec<NameCount>,
    /// Every attribute, in the order declared.
    pub attributes: Vec<AttributeSummary>,
    /// Events that share customer and time with the one before.
    pub ties: u64,
    /// Of those, the ones that only the order of input put in order.
    pub ties_in_input_order: u64,
    /// Events that repeat an earlier one of the same customer and time in every column and were kept.
    pub exact_duplicates: u64,
    /// Such events that were dropped because the options said so.
    pub duplicates_dropped: u64,
    /// Rows read, good and bad.
    pub rows_read: u64,
    /// Rows put aside, by reason.
    pub quarantine: BTreeMap<Reason, u64>,
    /// The first rows put aside, by reason.
    pub quarantined_rows: Vec<QuarantinedRow>,
    /// Bytes held for event codes, times and customer boundaries, per event.
    pub core_bytes_per_event: f64,
    /// Bytes held in all, per event, names and ids included.
    pub bytes_per_event: f64,
    /// The value column, if there is one.
    pub value: Option<ValueSummary>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// How many events customers have. Quantiles are the smallest count that at least that share of customers do not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerCustomer {
    /// The fewest.
    pub min: u64,
    /// A quarter of the customers have at most so many.
    pub p25: u64,
    /// Half of them.
    pub p50: u64,
    /// Three quarters.
    pub p75: u64,
    /// Nine tenths.
    pub p90: u64,
    /// 99 of 100.
    pub p99: u64,
    /// The most.
    pub max: u64,
    /// The mean.
    pub mean: f64,
}

/// How often an event name occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NameCount {
    /// The name.
    pub name: String,
    /// Its events.
    pub events: u64,
    /// The customers who have at least one.
    pub customers: u64,
    /// Its share of all events.
    pub share: f64,
}

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttributeSummary {
    /// The name.
    pub name: String,
    /// Event or customer.
    pub level: Level,
    /// The kind.
    pub kind: AttributeType,
    /// Distinct values of texts and booleans; not counted for numbers and times.
    pub distinct: Option<u64>,
    /// Events (or customers, by the level) without a value.
    pub missing: u64,
}

/// The money in a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueSummary {
    /// The ISO 4217 code.
    pub currency: String,
    /// Decimal places of the minor unit.
    pub exponent: u32,
    /// Events with a value.
    pub events: u64,
    /// The sum in minor units, as a whole number in text: it may pass 64 bits.
    pub sum: String,
}

impl Summary {
    pub(super) fn of(log: &Log) -> Summary {
        let (inner, catalog) = (&log.inner, log.catalog());
        let per_event = |bytes: usize| {
            if inner.n_events == 0 {
                0.0
            } else {
                bytes as f64 / inner.n_events as f64
            }
        };
        let core: usize = inner.blocks.iter().map(|b| b.core_bytes()).sum();
        let all: usize = inner.blocks.iter().map(|b| b.held_bytes()).sum();
        let names = catalog.events.held_bytes()
            + catalog
                .attributes
                .iter()
                .map(|a| a.dictionary.held_bytes())
                .sum::<usize>();
        Summary {
            customers: inner.n_customers,
            events: inner.n_events,
            first_time: catalog.first_time,
            last_time: catalog.last_time,
            observed_until: catalog.observed_until,
            events_per_customer: PerCustomer::of(log),
            names: name_counts(log),
            attributes: attributes(log),
            ties: inner.tallies.iter().map(|t| t.ties).sum(),
            ties_in_input_order: inner.extent.unresolved_ties,
            exact_duplicates: inner.tallies.iter().map(|t| t.duplicates).sum(),
            duplicates_dropped: inner.extent.dropped,
            rows_read: inner.extent.quarantine.rows_read,
            quarantine: inner.extent.quarantine.counts.clone(),
            quarantined_rows: inner.extent.quarantine.examples.clone(),
            core_bytes_per_event: per_event(core),
            bytes_per_event: per_event(all + names),
            value: value(log),
            caveats: log.caveats(),
        }
    }
}

impl PerCustomer {
    fn of(log: &Log) -> PerCustomer {
        let mut sizes: Vec<u32> = log
            .blocks()
            .iter()
            .flat_map(|b| b.offsets.windows(2).map(|w| w[1] - w[0]))
            .collect();
        sizes.sort_unstable();
        let at = |percent: usize| {
            let rank = (sizes.len() * percent).div_ceil(100).saturating_sub(1);
            sizes.get(rank).map_or(0, |s| u64::from(*s))
        };
        let n = sizes.len() as f64;
        PerCustomer {
            min: at(0),
            p25: at(25),
            p50: at(50),
            p75: at(75),
            p90: at(90),
            p99: at(99),
            max: at(100),
            mean: if sizes.is_empty() {
                0.0
            } else {
                log.n_events() as f64 / n
            },
        }
    }
}

fn name_counts(log: &Log) -> Vec<NameCount> {
    const NOBODY: u64 = u64::MAX;
    let names = &log.catalog().events;
    // Events, customers, and the last customer seen.
    let mut counts = vec![(0u64, 0u64, NOBODY); names.len()];
    let mut customer = 0u64;
    for block in log.blocks() {
        for range in block.offsets.windows(2) {
            for row in range[0] as usize..range[1] as usize {
                if let Some((events, customers, last)) =
                    counts.get_mut(block.codes.get(row) as usize)
                {
                    *events += 1;
                    *customers += u64::from(*last != customer);
                    *last = customer;
                }
            }
            customer += 1;
        }
    }
    let mut list: Vec<NameCount> = names
        .names()
        .zip(counts)
        .filter(|(_, (events, ..))| *events > 0)
        .map(|(name, (events, customers, _))| NameCount {
            name: name.to_owned(),
            events,
            customers,
            share: events as f64 / log.n_events() as f64,
        })
        .collect();
    list.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));
    list
}

fn attributes(log: &Log) -> Vec<AttributeSummary> {
    let one = |(place, info): (usize, &super::AttributeInfo)| {
        let columns = || {
            log.blocks()
                .iter()
                .filter_map(move |b: &std::sync::Arc<Block>| b.attributes.get(place))
        };
        let coded = matches!(info.kind, AttributeType::Text | AttributeType::Boolean);
        let mut seen = vec![false; info.dictionary.len() + 1];
        let mut missing = 0;
        for column in columns() {
            missing += match &column.data {
                ColumnData::Coded(codes) => mark(codes, &mut seen),
                ColumnData::Integer(all, there) => (all.len() - there.count()) as u64,
                ColumnData::Decimal(all, there) => (all.len() - there.count()) as u64,
            };
        }
        AttributeSummary {
            name: info.name.clone(),
            level: info.level,
            kind: info.kind,
            distinct: coded.then(|| seen.iter().skip(1).filter(|s| **s).count() as u64),
            missing,
        }
    };
    log.catalog()
        .attributes
        .iter()
        .enumerate()
        .map(one)
        .collect()
}

/// Marks the codes that occur and counts the missing ones.
fn mark(codes: &Codes, seen: &mut [bool]) -> u64 {
    crate::with_codes!(codes.as_slice(), given => {
        let mut missing = 0;
        for code in given {
            let code = u32::from(*code) as usize;
            missing += u64::from(code == 0);
            if let Some(flag) = seen.get_mut(code) {
                *flag = true;
            }
        }
        missing
    })
}

fn value(log: &Log) -> Option<ValueSummary> {
    let currency = log.catalog().currency.clone()?;
    let (mut events, mut sum) = (0, 0i128);
    for column in log.blocks().iter().filter_map(|b| b.value.as_ref()) {
        for i in 0..column.len() {
            if let Value::Integer(amount) = column.get(i) {
                events += 1;
                sum += i128::from(amount);
            }
        }
    }
    Some(ValueSummary {
        currency,
        exponent: log.catalog().currency_exponent,
        events,
        sum: sum.to_string(),
    })
}

impl Report for Summary {
    fn title(&self) -> &'static str {
        "Summary"
    }

    fn tables(&self) -> Vec<Table> {
        vec![
            self.overview(),
            self.event_table(),
            self.attribute_table(),
            self.quarantine_table(),
        ]
    }

    crate::report::held!();
}

impl Summary {
    fn overview(&self) -> Table {
        let time = crate::time::format_instant;
        let per = &self.events_per_customer;
        let mut rows: Vec<(&str, String)> = vec![
            ("customers", self.customers.to_string()),
            ("events", self.events.to_string()),
            ("first event", time(self.first_time)),
            ("last event", time(self.last_time)),
            ("observed until", time(self.observed_until)),
            ("events per customer, mean", format!("{:.2}", per.mean)),
            ("events per customer, fewest", per.min.to_string()),
            ("events per customer, quarter", per.p25.to_string()),
            ("events per customer, median", per.p50.to_string()),
            ("events per customer, three quarters", per.p75.to_string()),
            ("events per customer, 90 %", per.p90.to_string()),
            ("events per customer, 99 %", per.p99.to_string()),
            ("events per customer, most", per.max.to_string()),
            ("event names", self.names.len().to_string()),
            ("ties in time", self.ties.to_string()),
            ("ties in input order", self.ties_in_input_order.to_string()),
            ("exact duplicates kept", self.exact_duplicates.to_string()),
            (
                "exact duplicates dropped",
                self.duplicates_dropped.to_string(),
            ),
            ("rows read", self.rows_read.to_string()),
            (
                "rows put aside",
                self.quarantine.values().sum::<u64>().to_string(),
            ),
            (
                "bytes per event, core",
                format!("{:.1}", self.core_bytes_per_event),
            ),
            (
                "bytes per event, all",
                format!("{:.1}", self.bytes_per_event),
            ),
        ];
        if let Some(value) = &self.value {
            rows.push(("events with a value", value.events.to_string()));
            rows.push((
                "value",
                format!("{} {}", decimal(&value.sum, value.exponent), value.currency),
            ));
        }
        let (measures, values): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .map(|(m, v)| (Some(m.to_owned()), Some(v)))
            .unzip();
        Table::new("overview", "Overview")
            .with("measure", "Measure", Cells::Text(measures))
            .with("value", "Value", Cells::Text(values))
    }

    fn event_table(&self) -> Table {
        let names = &self.names;
        Table::new("events", "Event names")
            .with(
                "event",
                "Event",
                Cells::Text(names.iter().map(|n| Some(n.name.clone())).collect()),
            )
            .with(
                "events",
                "Events",
                Cells::Count(names.iter().map(|n| Some(n.events)).collect()),
            )
            .with(
                "share",
                "Share",
                Cells::Share(names.iter().map(|n| Some(n.share)).collect()),
            )
            .with(
                "customers",
                "Customers",
                Cells::Count(names.iter().map(|n| Some(n.customers)).collect()),
            )
    }

    fn attribute_table(&self) -> Table {
        let all = &self.attributes;
        let level = |l: Level| {
            if l == Level::Event {
                "event"
            } else {
                "customer"
            }
        };
        Table::new("attributes", "Attributes")
            .with(
                "attribute",
                "Attribute",
                Cells::Text(all.iter().map(|a| Some(a.name.clone())).collect()),
            )
            .with(
                "level",
                "Level",
                Cells::Text(
                    all.iter()
                        .map(|a| Some(level(a.level).to_owned()))
                        .collect(),
                ),
            )
            .with(
                "kind",
                "Kind",
                Cells::Text(
                    all.iter()
                        .map(|a| Some(kind_word(a.kind).to_owned()))
                        .collect(),
                ),
            )
            .with(
                "distinct",
                "Distinct values",
                Cells::Count(all.iter().map(|a| a.distinct).collect()),
            )
            .with(
                "missing",
                "Missing",
                Cells::Count(all.iter().map(|a| Some(a.missing)).collect()),
            )
    }

    fn quarantine_table(&self) -> Table {
        let mut reasons: Vec<(Reason, u64)> =
            self.quarantine.iter().map(|(r, n)| (*r, *n)).collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.label().cmp(b.0.label())));
        let example = |reason: Reason| {
            self.quarantined_rows
                .iter()
                .find(|row| row.reason == reason)
                .map(|row| match &row.column {
                    Some(column) => format!("{}, row {}, column {column}", row.source, row.row),
                    None => format!("{}, row {}", row.source, row.row),
                })
        };
        Table::new("quarantine", "Rows put aside")
            .with(
                "reason",
                "Reason",
                Cells::Text(
                    reasons
                        .iter()
                        .map(|(r, _)| Some(r.label().to_owned()))
                        .collect(),
                ),
            )
            .with(
                "rows",
                "Rows",
                Cells::Count(reasons.iter().map(|(_, n)| Some(*n)).collect()),
            )
            .with(
                "first",
                "First",
                Cells::Text(reasons.iter().map(|(r, _)| example(*r)).collect()),
            )
    }
}

/// A whole number of minor units with its decimal point.
fn decimal(minor: &str, exponent: u32) -> String {
    let (sign, digits) = minor
        .strip_prefix('-')
        .map_or(("", minor), |rest| ("-", rest));
    let places = exponent as usize;
    if places == 0 {
        return minor.to_owned();
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, part) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn minor_units_get_their_point() {
        for (minor, exponent, text) in [
            ("0", 2, "0.00"),
            ("-5", 2, "-0.05"),
            ("12345", 2, "123.45"),
            ("7", 0, "7"),
            ("1", 3, "0.001"),
        ] {
            assert_eq!(decimal(minor, exponent), text);
        }
    }
}
