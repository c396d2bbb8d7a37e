//! The funnel against ClickHouse's `windowFunnel` on random groups. Runs where `DESIRELINE_CHDB_PYTHON` names a Python
//! that has `chdb`.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fmt::Write as _;
use std::process::Command;

use desireline_core::analyses::funnel::Funnel;
use desireline_core::journey::JourneyRule;
use desireline_core::log::{LogBuilder, LogOptions};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const STEPS: [&str; 4] = ["a", "b", "c", "d"];
const OTHER: &str = "x";
const GROUPS: u32 = 20_000;

/// Second and step of each event of a group, by time; events at one time by step. 4 stands for an event of no step.
type Group = Vec<(u32, usize)>;

fn random_group(rng: &mut impl Rng) -> Group {
    let (n, span) = (rng.random_range(1..=14), rng.random_range(1..=40));
    let mut events: Group = (0..n)
        .map(|_| (rng.random_range(0..span), rng.random_range(0..=STEPS.len())))
        .collect();
    events.sort_unstable();
    events
}

fn name(step: usize) -> &'static str {
    STEPS.get(step).copied().unwrap_or(OTHER)
}

/// The levels that the peer finds.
fn peer(python: &std::ffi::OsStr, groups: &[Group], window: u32) -> Vec<usize> {
    let folder = tempfile::tempdir().unwrap();
    let (events, levels) = (
        folder.path().join("events.csv"),
        folder.path().join("levels.csv"),
    );
    let mut csv = String::new();
    for (group, events) in groups.iter().enumerate() {
        for &(time, step) in events {
            writeln!(csv, "{group},{time},{}", name(step)).unwrap();
        }
    }
    std::fs::write(&events, csv).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/funnel_chdb.py");
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(&events)
        .arg(&levels)
        .arg(window.to_string())
        .args(STEPS);
    assert!(command.status().unwrap().success());
    let levels = std::fs::read_to_string(levels).unwrap();
    levels
        .lines()
        .map(|line| line.split_once(',').unwrap().1.parse().unwrap())
        .collect()
}

/// The levels that we find, group by group.
fn ours(groups: &[Group], window: u32) -> Vec<usize> {
    let mut builder = LogBuilder::new(LogOptions::default());
    for (group, events) in (0i64..).zip(groups) {
        for &(time, step) in events {
            builder
                .push(group, i64::from(time) * 1_000_000, name(step))
                .unwrap();
        }
    }
    let journeys = builder
        .finish()
        .unwrap()
        .journeys(JourneyRule::customer())
        .unwrap();
    let funnel = Funnel::steps(STEPS).within(format!("{window}s").as_str());
    let mut levels = vec![0; groups.len()];
    for step in 1..=STEPS.len() {
        let cell = format!("step/{step}/reached");
        for member in journeys.members(&funnel, &cell, usize::MAX).unwrap() {
            levels[member.customer.parse::<usize>().unwrap()] = step;
        }
    }
    // The members come from the readable definition; the report from the kernel.
    let report = journeys.run(&funnel).unwrap();
    for (step, of_report) in (1..).zip(&report.steps) {
        let reached = levels.iter().filter(|&&level| level >= step).count();
        assert_eq!(of_report.reached, reached as u64);
    }
    levels
}

/// `windowFunnel` orders events at one time by the step they match, so that they chain whatever their order in the
/// input. Where our log has them in that order, every level is the same. Where it has them the other way round, only
/// groups with such events can differ, and ours is then the lower level: that is D2. The four steps are different events,
/// so the peer's habit of letting one event fill several steps (D5) cannot show.
#[test]
fn agrees_with_window_funnel_but_for_the_order_of_ties() {
    let Some(python) = std::env::var_os("DESIRELINE_CHDB_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "CI must have the peer");
        eprintln!("skipped: DESIRELINE_CHDB_PYTHON does not name a Python that has chdb");
        return;
    };
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let groups: Vec<Group> = (0..GROUPS).map(|_| random_group(rng)).collect();
    let mut turned = groups.clone();
    for group in &mut turned {
        group.sort_by_key(|&(time, step)| (time, std::cmp::Reverse(step)));
    }
    for window in [0, 1, 5, 10, 40] {
        let theirs = peer(&python, &groups, window);
        assert_eq!(ours(&groups, window), theirs, "window {window}");
        let mut n_lower = 0;
        for ((group, ours), theirs) in turned.iter().zip(ours(&turned, window)).zip(&theirs) {
            let steps_at_one_time = group
                .windows(2)
                .any(|p| p[0].0 == p[1].0 && p[0].1 != p[1].1);
            assert!(
                ours <= *theirs && (ours == *theirs || steps_at_one_time),
                "window {window}: {group:?}"
            );
            n_lower += u32::from(ours < *theirs);
        }
        assert!(n_lower > 0, "ties must matter somewhere");
    }
}
