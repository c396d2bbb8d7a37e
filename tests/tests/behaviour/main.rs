//! What people do in which order, how often and when: each analysis against a naive one, with planted effects.
#![allow(clippy::unwrap_used)]

mod calendar;
mod patterns;
mod precedence;
mod stability;

use std::sync::LazyLock;

use desireline_core::engine::Exec;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build, naive_journeys, rows};

/// Without the cost of handing tiny logs to other threads.
static ONE_THREAD: LazyLock<Exec> = LazyLock::new(|| Exec::new().threads(1).unwrap());

/// A random log cut by a pause or not at all: the engine's journeys, and each customer's as rows.
fn random(seed: u64) -> (Journeys, Vec<Vec<Vec<Row>>>) {
    let rows = rows(seed);
    let gap = [None, Some(GAP)][(seed % 2) as usize];
    let rule = match gap {
        None => JourneyRule::customer(),
        Some(gap) => JourneyRule::gap(TimeSpan::from_micros(gap)).unwrap(),
    };
    let journeys = naive_journeys(&rows, gap);
    let customers = journeys.chunk_by(|a, b| a[0].customer == b[0].customer);
    let customers = customers.map(<[Vec<Row>]>::to_vec).collect();
    (build(&rows).unwrap().journeys(rule).unwrap(), customers)
}

fn event_names(customers: &[Vec<Vec<Row>>]) -> Vec<String> {
    let rows = customers.iter().flatten().flatten();
    let mut names: Vec<String> = rows.map(|r| r.event.clone()).collect();
    names.sort();
    names.dedup();
    names
}
