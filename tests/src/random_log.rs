//! Small random logs that are rich in corner cases, and the plainest possible cut into journeys.

use desireline_core::error::Result;
use desireline_core::log::{AttributeType, EventRow, Log, LogBuilder, LogOptions};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The pause around which the times of [`rows`] vary: a second and a half.
pub const GAP: i64 = 1_500_000;

/// The event names that [`rows`] draws from; small logs use only the first few.
pub const NAMES: [&str; 6] = ["a", "b", "c", "d/e", "f > g", "\"h\" é"];

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Who.
    pub customer: String,
    /// When, in microseconds since 1970 UTC; negative ones occur.
    pub time: i64,
    /// What.
    pub event: String,
    /// Where; missing now and then.
    pub channel: Option<String>,
}

/// A random log of up to 30 events in random order: one to five customers, one to six names, and times that repeat or
/// lie exactly at, just within or just beyond [`GAP`] of each other. Never empty; the same for the same seed.
pub fn rows(seed: u64) -> Vec<Row> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let n_names = 1 + below(rng, NAMES.len());
    let n_customers = 1 + below(rng, 5);
    let most = 1 + below(rng, 12);
    let start = [0, -GAP, 1_700_000_000_000_000][below(rng, 3)];
    let steps = [0, 0, 1, 1_000, GAP / 2, GAP - 1, GAP, GAP + 1, 3 * GAP];
    let n_steps = 1 + below(rng, steps.len());
    let mut rows = Vec::new();
    for customer in 0..n_customers {
        let mut time = start;
        for _ in 0..=below(rng, most) {
            time += steps[below(rng, n_steps)];
            rows.push(Row {
                customer: format!("c{customer}"),
                time,
                event: NAMES[below(rng, n_names)].to_owned(),
                channel: [None, Some("web"), Some("app"), Some("store")][below(rng, 4)]
                    .map(str::to_owned),
            });
        }
    }
    rows.truncate(30);
    // Any order of input: ties then follow that order, in the engine as in `naive_journeys`.
    for i in (1..rows.len()).rev() {
        rows.swap(i, below(rng, i + 1));
    }
    rows
}

fn below(rng: &mut impl Rng, n: usize) -> usize {
    rng.random_range(0..n)
}

/// The log of these rows, with the attribute `channel`, in blocks small enough that most logs have several.
///
/// # Errors
/// Those of building any log; none for the rows of [`rows`].
pub fn build(rows: &[Row]) -> Result<Log> {
    build_until(rows, None)
}

/// The same, observed until a time that can lie after the last event.
///
/// # Errors
/// As [`build`].
pub fn build_until(rows: &[Row], observed_until: Option<i64>) -> Result<Log> {
    let mut options = LogOptions::default().attribute("channel", AttributeType::Text);
    options.observed_until = observed_until;
    options.channel = Some("channel".to_owned());
    options.block_events = 8;
    let mut builder = LogBuilder::new(options);
    for row in rows {
        let channel = row.channel.as_deref().map(|c| ("channel", c.into()));
        builder.push_row(&EventRow {
            attributes: channel.as_slice(),
            ..EventRow::new(row.customer.as_str(), row.time, &row.event)
        })?;
    }
    builder.finish()
}

/// The journeys of these rows, customer after customer: events by time, then by place in the input, cut where the
/// pause is longer than `gap`; whole customers without one.
pub fn naive_journeys(rows: &[Row], gap: Option<i64>) -> Vec<Vec<Row>> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|x, y| (&x.customer, x.time).cmp(&(&y.customer, y.time)));
    let mut journeys: Vec<Vec<Row>> = Vec::new();
    for row in sorted {
        match journeys.last_mut() {
            Some(journey)
                if journey.last().is_some_and(|last| {
                    last.customer == row.customer && gap.is_none_or(|g| row.time - last.time <= g)
                }) =>
            {
                journey.push(row);
            }
            _ => journeys.push(vec![row]),
        }
    }
    journeys
}
