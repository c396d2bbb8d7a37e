//! How often intervals cover and tests cry wolf, on simulated customers who resemble themselves.

use desireline_core::engine::Exec;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{AttributeType, EventRow, LogBuilder, LogOptions};
use desireline_core::map::{
    CustomerGoal, GoalKind, JourneyMap, MapKind, Persona, Stage, Touchpoint,
};
use desireline_core::overlay::{Overlay, overlay};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{empty, when};

const REPLICATES: u64 = 400;

/// A share between what four standard errors allow around 95 %, given so many replicates.
fn is_right(covered: u64, what: &str) {
    let share = covered as f64 / REPLICATES as f64;
    assert!((0.92..=0.985).contains(&share), "{what} covers {share}");
}

fn map() -> JourneyMap {
    empty(MapKind::Actual)
        .stages([Stage::new("see", "See"), Stage::new("do", "Do")])
        .goals([CustomerGoal::new("g", "G", GoalKind::Functional).success(when("buy"))])
        .personas(
            ["a", "b", "c"].map(|p| Persona::new(p, p).member(when(&format!("kind == \"{p}\"")))),
        )
        .touchpoints([
            Touchpoint::new("page", "Page")
                .stages(["see"])
                .binding(when("page")),
            Touchpoint::new("ad", "Ad")
                .stages(["see"])
                .binding(when("ad")),
            Touchpoint::new("buy", "Buy")
                .stages(["do"])
                .binding(when("buy")),
        ])
}

/// Customers with one to seven journeys, in which each meets the page with its own leaning, buys with a leaning of 0.3 on
/// average that the page does not change, and stays on the page for a time that resembles their other times.
fn shop(seed: u64, customers: usize) -> Journeys {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut options = LogOptions::default().attribute("kind", AttributeType::Text);
    options.observed_until = Some(1 << 50);
    let mut builder = LogBuilder::new(options);
    for customer in 0..customers {
        let id = format!("{customer}");
        let kind = ["a", "b", "c"][rng.random_range(0..3)];
        let kind = [("kind", kind.into())];
        let page = leaning(rng, 0.5);
        let buy = leaning(rng, 0.3);
        let pace = f64::exp(rng.random_range(-0.5..0.5));
        for journey in 0..rng.random_range(1..8i64) {
            let mut time = journey * 86_400_000_000;
            let mut push = |event: &str, time: i64| {
                let row = EventRow {
                    attributes: &kind,
                    ..EventRow::new(id.as_str(), time, event)
                };
                builder.push_row(&row).unwrap();
            };
            push("ad", time);
            if rng.random_bool(page) {
                push("page", time + 1_000_000);
            }
            // Exponential with a median of ln 2 minutes times the pace.
            let wait = -f64::ln(rng.random_range(f64::MIN_POSITIVE..1.0)) * 60e6 * pace;
            time += 1_000_000 + wait as i64;
            let last = if rng.random_bool(buy) { "buy" } else { "hum" };
            push(last, time);
        }
    }
    builder
        .finish()
        .unwrap()
        .journeys(JourneyRule::gap("12h").unwrap())
        .unwrap()
}

/// A leaning with this mean.
fn leaning(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    (mean + rng.random_range(-0.25..0.25)).clamp(0.0, 1.0)
}

#[test]
fn intervals_cover_and_tests_keep_their_level() {
    let (map, how) = (map(), Overlay::new());
    let exec = Exec::new().threads(1).unwrap();
    let mut covered = [0; 6];
    let (mut rejected, mut lifts, mut tests) = (0, 0, 0);
    // The median of a time that is exponential given the pace, the pace being spread: by simulation.
    let median = median();
    for seed in 0..REPLICATES {
        let report = overlay(&map, &shop(seed, 120), &how, &exec).unwrap();
        let page = report.touchpoint("page").unwrap().cell.as_ref().unwrap();
        let lift = page.lift.unwrap();
        let way = report
            .edge(
                desireline_core::overlay::report::CellKind::Touchpoint,
                "ad",
                "page",
            )
            .unwrap();
        for (hit, holds) in covered.iter_mut().zip([
            page.reach.estimate.unwrap().contains(0.5),
            page.goal.estimate.unwrap().contains(0.3),
            lift.difference.unwrap().contains(0.0),
            page.dwell.median.unwrap().contains(median),
            page.drop_off.estimate.unwrap().contains(0.7),
            way.goal_after.estimate.unwrap().contains(0.3),
        ]) {
            *hit += u64::from(holds);
        }
        lifts += u64::from(lift.p.unwrap() < 0.05);
        for test in report.groups[0]
            .tests
            .iter()
            .filter(|t| t.id == "page" || t.id == "see")
        {
            if let Some(found) = test.test.filter(|t| t.statistic > 0.0) {
                tests += 1;
                rejected += u64::from(found.p < 0.05);
            }
        }
    }
    for (covered, what) in covered
        .into_iter()
        .zip(["reach", "goal", "lift", "median", "drop-off", "edge"])
    {
        is_right(covered, what);
    }
    let share = |n: u64, of: u64| n as f64 / of as f64;
    assert!(
        share(lifts, REPLICATES) <= 0.08,
        "lift {}",
        share(lifts, REPLICATES)
    );
    assert!(
        tests > 1_000 && share(rejected, tests) <= 0.07,
        "groups {}",
        share(rejected, tests)
    );
}

/// The median of the times that [`shop`] draws.
fn median() -> f64 {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut times: Vec<f64> = (0..400_000)
        .map(|_| {
            let pace = f64::exp(rng.random_range(-0.5..0.5));
            -f64::ln(rng.random_range(f64::MIN_POSITIVE..1.0)) * 60e6 * pace
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
