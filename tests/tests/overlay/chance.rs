//! How often intervals of a whole overlay cover and its tests cry wolf, on simulated customers who resemble themselves.
//!
//! The methods are simulated one by one in `crates/desireline-stats/tests/covers`; here is what the overlay makes of them. The ordinary run draws few
//! samples and allows for it; the figures of docs/statistics.md come from
//! `DESIRELINE_RUNS=4000 cargo test -p desireline-tests --test overlay chance -- --nocapture`.
#![allow(clippy::print_stderr)]

use desireline_core::engine::Exec;
use desireline_core::journey::{CalendarUnit, JourneyRule, Journeys};
use desireline_core::log::{AttributeType, EventRow, LogBuilder, LogOptions};
use desireline_core::map::{
    Channel, ChannelKind, CustomerGoal, GoalKind, JourneyMap, MapKind, Persona, Stage, Touchpoint,
};
use desireline_core::overlay::report::{CellKind, Health, OverlayReport};
use desireline_core::overlay::{Overlay, overlay};
use desireline_stats::Estimate;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{empty, when};

const KINDS: [&str; 3] = ["a", "b", "c"];
/// How often a page is seen, and how often a journey moves from the one platform to the other.
const PAGE: f64 = 0.5;
const MOVES: f64 = 0.4;
/// What moving takes from the rate of buying.
const COST: f64 = 0.08;
/// How often one who does not buy leaves without a trace on the map.
const HUMS: f64 = 0.25;

fn map() -> JourneyMap {
    let at = |id: &str, name: &str, stage: &str| {
        Touchpoint::new(id, name).stages([stage]).binding(when(id))
    };
    empty(MapKind::Actual)
        .stages([Stage::new("see", "See"), Stage::new("do", "Do")])
        .goals([CustomerGoal::new("g", "G", GoalKind::Functional).success(when("buy"))])
        .personas(KINDS.map(|p| Persona::new(p, p).member(when(&format!("kind == \"{p}\"")))))
        .channels(["web", "app"].map(|c| Channel::new(c, ChannelKind::Other)))
        .touchpoints([
            at("page", "Page", "see"),
            at("ad", "Ad", "see"),
            at("buy", "Buy", "do"),
            at("leave", "Leave", "do"),
        ])
}

/// Customers with one to seven journeys, a day each. In each they meet an ad, with their own leaning a page, which does not change what follows, and with their
/// own leaning they buy in the end; some move to another platform after the ad, which makes them buy less often. The time on the page resembles
/// their other times. `kinds` is by how much each kind buys more often.
fn shop(rng: &mut ChaCha8Rng, customers: usize, kinds: [f64; 3]) -> Journeys {
    let mut options = LogOptions::default()
        .attribute("kind", AttributeType::Text)
        .attribute("channel", AttributeType::Text);
    options.channel = Some("channel".to_owned());
    options.observed_until = Some(1 << 50);
    let mut builder = LogBuilder::new(options);
    for customer in 0..customers {
        let id = format!("{customer}");
        let kind = rng.random_range(0..3);
        let page = leaning(rng, PAGE);
        let buy = leaning(rng, 0.35) + kinds[kind];
        let pace = f64::exp(rng.random_range(-0.5..0.5));
        for journey in 0..rng.random_range(1..8i64) {
            let moves = rng.random_bool(MOVES);
            let start = journey * 86_400_000_000;
            let mut push = |event: &str, time: i64, channel: &str| {
                let row = EventRow {
                    attributes: &[("kind", KINDS[kind].into()), ("channel", channel.into())],
                    ..EventRow::new(id.as_str(), time, event)
                };
                builder.push_row(&row).unwrap();
            };
            push("ad", start, "web");
            let then = if moves { "app" } else { "web" };
            if rng.random_bool(page) {
                push("page", start + 1_000_000, then);
            }
            // Exponential with a median of ln 2 minutes times the pace.
            let wait = -f64::ln(rng.random_range(f64::MIN_POSITIVE..1.0)) * 60e6 * pace;
            let last = match rng.random_bool(buy - if moves { COST } else { 0.0 }) {
                true => "buy",
                false if rng.random_bool(HUMS) => "hum",
                false => "leave",
            };
            push(last, start + 1_000_000 + wait as i64, then);
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
    mean + rng.random_range(-0.2..0.2)
}

/// An interval and the truth it should hold; no interval where the report has a hole.
type Claim = (&'static str, Option<Estimate>, f64);

fn claims(report: &OverlayReport, kinds: [f64; 3], median: f64, ninth: f64) -> Vec<Claim> {
    let page = report.touchpoint("page").unwrap().cell.as_ref().unwrap();
    let ad = report.touchpoint("ad").unwrap().cell.as_ref().unwrap();
    let see = &report.stages[0].cell;
    let way = report.edge(CellKind::Touchpoint, "ad", "page").unwrap();
    let buys = 0.35 + kinds.iter().sum::<f64>() / 3.0;
    let goal = buys - COST * MOVES;
    // Steps that stay: the first of journeys that do not move, and the second of all that have one.
    let stays = ((1.0 - MOVES) * (1.0 + PAGE) * buys + MOVES * PAGE * (buys - COST))
        / ((1.0 - MOVES) * (1.0 + PAGE) + MOVES * PAGE);
    // From the ad half go aside to the page, and of the others those forward whose end is on the map.
    let seen = 1.0 - (1.0 - goal) * HUMS;
    let hand = report.handovers.iter().find(|h| h.by == "channel").unwrap();
    let trend = report.trend.as_ref().unwrap();
    let row = trend.rows.iter().find(|r| r.id == "page").unwrap();
    let mut claims = vec![
        ("reach", page.reach.estimate, PAGE),
        ("goal of all journeys", report.base.goal.estimate, goal),
        ("goal", page.goal.estimate, goal),
        ("goal after a visit", page.goal_after.estimate, goal),
        ("lift", page.lift.unwrap().difference, 0.0),
        ("drop-off", see.drop_off.estimate, (1.0 - goal) * HUMS),
        (
            "forward flow of visits",
            ad.forward.estimate,
            seen / (1.0 + seen),
        ),
        ("share of a way", way.share.estimate, 1.0 / (1.0 + seen)),
        ("goal after a way", way.goal_after.estimate, goal),
        ("median of a time", page.dwell.median, median),
        ("ninth of ten of a time", page.dwell.p90, ninth),
        ("hand-over", hand.goal.difference, buys - COST - stays),
        (
            "channels of a journey",
            report.channel_use.channels_per_journey,
            1.0 + MOVES,
        ),
        ("trend of reach", row.reach[2].estimate, PAGE),
        ("trend of goals", trend.periods[1].goal.estimate, goal),
    ];
    // One persona in turn: what shrinking promises is of groups picked at random.
    let pick = report.base.events as usize % 3;
    let group = report.groups[0]
        .groups
        .iter()
        .find(|g| g.id == KINDS[pick])
        .unwrap();
    let rate = &group.cells.iter().find(|c| c.id == "page").unwrap().goal;
    let truth = 0.35 + kinds[pick] - COST * MOVES;
    claims.push(("goal of a persona", rate.raw.estimate, truth));
    claims.push(("goal of a persona, shrunk", rate.shrunk, truth));
    claims
}

#[test]
fn intervals_cover_and_tests_keep_their_level() {
    let runs: u64 = match std::env::var("DESIRELINE_RUNS") {
        Ok(told) => told.parse().unwrap(),
        Err(_) => 250,
    };
    let (map, exec) = (map(), Exec::new().threads(1).unwrap());
    let how = Overlay::new().by_period(CalendarUnit::Day);
    let (median, ninth) = times();
    for (customers, differ) in [(40, false), (120, false), (120, true)] {
        let mut held: Vec<(&str, u64, u64)> = Vec::new();
        let (mut lifts, mut rejected, mut tests) = (0, 0, 0);
        for seed in 0..runs {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed * 8 + customers as u64);
            let kinds = match differ {
                true => [(); 3].map(|()| rng.random_range(-0.06..0.06)),
                false => [0.0; 3],
            };
            let report = overlay(&map, &shop(rng, customers, kinds), &how, &exec).unwrap();
            for (place, (what, estimate, truth)) in claims(&report, kinds, median, ninth)
                .into_iter()
                .enumerate()
            {
                if held.len() == place {
                    held.push((what, 0, 0));
                }
                if let Some(e) = estimate {
                    held[place].1 += u64::from(e.contains(truth));
                    held[place].2 += 1;
                }
            }
            let page = report.touchpoint("page").unwrap().cell.as_ref().unwrap();
            lifts += u64::from(page.lift.unwrap().p.is_some_and(|p| p < 0.05));
            let of_page = report.groups[0].tests.iter().filter(|t| t.id == "page");
            for found in of_page.filter_map(|t| t.test.filter(|t| t.statistic > 0.0)) {
                tests += 1;
                rejected += u64::from(found.p < 0.05);
            }
        }
        for (what, held, given) in held {
            let share = held as f64 / given as f64;
            let holes = 1.0 - given as f64 / runs as f64;
            eprintln!(
                "| {what}, {customers} customers, kinds differ: {differ} | {runs} | {share:.3} | {holes:.3} |"
            );
            // Three standard errors where samples are few.
            let slack = match runs {
                2_000.. => 0.0,
                _ => 3.0 * (0.95 * 0.05 / given as f64).sqrt(),
            };
            assert!(
                (0.93 - slack..=0.97 + slack).contains(&share),
                "{what} covers {share} of {given}, {customers} customers"
            );
        }
        let share = |n: u64, of: u64| n as f64 / of as f64;
        assert!(share(lifts, runs) <= 0.08, "lift {}", share(lifts, runs));
        assert!(
            differ || tests >= 2 * runs && share(rejected, tests) <= 0.07,
            "groups {}",
            share(rejected, tests)
        );
    }
}

/// Customers who meet some of four touchpoints in a random order, none of which changes what follows, and then buy with their own leaning or go.
fn alike(rng: &mut ChaCha8Rng, customers: usize) -> Journeys {
    let mut builder = LogBuilder::new(LogOptions {
        observed_until: Some(1 << 50),
        ..LogOptions::default()
    });
    for customer in 0..customers {
        let id = format!("{customer}");
        let (buy, likes) = (leaning(rng, 0.35), leaning(rng, 0.5));
        for journey in 0..rng.random_range(1..8_i64) {
            let mut way: Vec<&str> = Vec::new();
            for place in PLACES {
                if rng.random_bool(likes) {
                    way.insert(rng.random_range(0..=way.len()), place);
                }
            }
            if way.is_empty() {
                way.push(PLACES[rng.random_range(0..PLACES.len())]);
            }
            if rng.random_bool(buy) {
                way.push("buy");
            }
            for (step, event) in (0..).zip(way) {
                let time = journey * 86_400_000_000 + step * 60_000_000;
                builder.push(&id, time, event).unwrap();
            }
        }
    }
    let log = builder.finish().unwrap();
    log.journeys(JourneyRule::gap("12h").unwrap()).unwrap()
}

const PLACES: [&str; 4] = ["t0", "t1", "t2", "t3"];

#[test]
fn what_is_healthy_is_seldom_called_bad() {
    let runs: u64 = match std::env::var("DESIRELINE_RUNS") {
        Ok(told) => told.parse().unwrap(),
        Err(_) => 150,
    };
    let touchpoints = PLACES.map(|id| Touchpoint::new(id, id).stages(["see"]).binding(when(id)));
    let buy = Touchpoint::new("buy", "Buy")
        .stages(["do"])
        .binding(when("buy"));
    let map = empty(MapKind::Actual)
        .stages([Stage::new("see", "See"), Stage::new("do", "Do")])
        .goals([CustomerGoal::new("g", "G", GoalKind::Functional).success(when("buy"))])
        .touchpoints(touchpoints.into_iter().chain([buy]));
    let exec = Exec::new().threads(1).unwrap();
    for customers in [40, 150, 400] {
        let (mut maps, mut bad, mut unknown) = (0, 0, 0);
        for seed in 0..runs {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed * 512 + customers as u64);
            let journeys = alike(rng, customers);
            let report = overlay(&map, &journeys, &Overlay::new(), &exec).unwrap();
            let of = |verdict| {
                report
                    .health
                    .iter()
                    .filter(|r| r.verdict == verdict)
                    .count()
            };
            let here = report.health.len() - of(Health::Healthy) - of(Health::Unknown);
            maps += u64::from(here > 0);
            bad += here as u64;
            unknown += of(Health::Unknown) as u64;
        }
        let rows = (runs * 5) as f64;
        let (of_maps, of_rows) = (maps as f64 / runs as f64, bad as f64 / rows);
        eprintln!(
            "| health, four touchpoints alike and the goal, {customers} customers | {runs} | maps with one called bad {of_maps:.3} | touchpoints called bad {of_rows:.3}, unknown {:.3} |",
            unknown as f64 / rows
        );
        let slack = if runs < 2_000 { 0.06 } else { 0.0 };
        assert!(of_maps <= 0.1 + slack, "{of_maps} of the maps");
        assert!(of_rows <= 0.05, "{of_rows} of the touchpoints");
    }
}

/// The median and the ninth of ten of the times that [`shop`] draws.
fn times() -> (f64, f64) {
    // P(T > t) is the mean of exp(-t / pace) over the pace, whose logarithm is even between -1/2 and 1/2.
    let longer = |t: f64| {
        let pace = |i: i32| f64::exp((f64::from(i) + 0.5) / 1_000.0 - 0.5);
        (0..1_000).map(|i| f64::exp(-t / pace(i))).sum::<f64>() / 1_000.0
    };
    let at = |share: f64| {
        let (mut low, mut high) = (0.0, 20.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            match longer(middle) > 1.0 - share {
                true => low = middle,
                false => high = middle,
            }
        }
        low * 60e6
    };
    (at(0.5), at(0.9))
}
