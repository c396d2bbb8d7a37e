//! Sealed partial results that are not what they say: incomplete, of other rules, or made to harm.
#![allow(clippy::unwrap_used)]

use desireline_core::Error;
use desireline_core::compare::Comparison;
use desireline_core::engine::{Breakdown, DynAnalysis, Exec, Segment, finish_sealed, merge_sealed};
use desireline_core::expr::event;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{AttributeType, EventRow, LogBuilder, LogOptions};
use desireline_core::registry::{ANALYSES, from_spec};
use desireline_core::time::TimeSpan;
use desireline_tests::random_log::{GAP, Row, build, rows};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// Magic and version, then the checksum of what follows.
const HEADER: usize = 24;

/// Changed bytes for each analysis in each form.
const CHANGES: u64 = 400;

fn journeys(rows: &[Row]) -> Journeys {
    let gap = JourneyRule::gap(TimeSpan::from_micros(GAP)).unwrap();
    build(rows).unwrap().journeys(gap).unwrap()
}

/// Every analysis plain, broken down by attribute and segment, and compared.
fn analyses(name: &str) -> Vec<Box<dyn DynAnalysis>> {
    let mut all: Vec<Box<dyn DynAnalysis>> = Vec::new();
    for entry in ANALYSES {
        let spec = match entry.name {
            "funnel" => json!({ "steps": [format!("`{name}`"), "true"], "within": "2s" }),
            "goals" => json!({ "goals": [format!("`{name}`")] }),
            "stability" => json!({ "condition": format!("`{name}`") }),
            "patterns" => json!({ "goal": format!("`{name}`"), "max_gap": "1s" }),
            "calendar" => json!({ "goal": format!("`{name}`"), "time_zone": "Europe/Berlin" }),
            "dropoff" => json!({ "goal": format!("`{name}`") }),
            "paths" => json!({ "goal": format!("first(`{name}`)"), "first": 2 }),
            _ => json!({}),
        };
        let segments = vec![Segment::new("some", event(name))];
        let segments = Breakdown::Segments { segments };
        let how = Comparison::new(Breakdown::by("channel")).stratify("channel");
        all.push(entry.analysis(spec.clone()).unwrap());
        all.push(entry.by(spec.clone(), Breakdown::by("channel")).unwrap());
        all.push(entry.by(spec.clone(), segments).unwrap());
        if entry.is_comparable() {
            all.push(entry.compare(spec, how).unwrap());
        }
    }
    all
}

fn seal(journeys: &Journeys, analysis: &dyn DynAnalysis) -> Vec<u8> {
    let all: Vec<usize> = (0..journeys.blocks().len()).collect();
    journeys.seal(analysis, &all, &Exec::default()).unwrap()
}

/// One to three changes of the body, and the checksum that fits it.
fn changed(sealed: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut body = sealed[HEADER..].to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..body.len());
        match rng.random_range(0..6) {
            0 => body[at] ^= 1 << rng.random_range(0..8),
            1 => body[at] = rng.random(),
            2 => body[at] = body[at].wrapping_add(1),
            3 => _ = body.remove(at),
            4 => body.insert(at, rng.random()),
            // A number as large as numbers get.
            _ => _ = body.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0x0f]),
        }
    }
    let mut bytes = sealed[..8].to_vec();
    bytes.extend(xxhash_rust::xxh3::xxh3_128(&body).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// The most memory that this process ever had, in kilobytes; `None` where the system does not say.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn whatever_the_bytes_say_there_is_a_report_or_an_error() {
    let before = peak();
    let (mut taken, mut refused) = (0, 0);
    for (seed, log) in (0..).zip([3, 11, 29, 57]) {
        let rows = rows(log);
        let journeys = journeys(&rows);
        for analysis in analyses(&rows[0].event) {
            let sealed = seal(&journeys, &*analysis);
            let whole = finish_sealed(&sealed, &from_spec);
            // A comparison may find too few groups.
            if whole.is_err() {
                continue;
            }
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            for _ in 0..CHANGES / 4 {
                let bytes = changed(&sealed, rng);
                match finish_sealed(&bytes, &from_spec) {
                    Ok(answer) => {
                        taken += 1;
                        answer.report.to_json().unwrap();
                        answer.report.tables();
                    }
                    Err(_) => refused += 1,
                }
                if let Ok(merged) = merge_sealed(&[&bytes], &from_spec) {
                    _ = finish_sealed(&merged, &from_spec);
                }
            }
        }
    }
    // Some changes are harmless, such as of a name; most are not.
    assert!(taken > 100 && refused > 2_000, "{taken}, {refused}");
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after - before < 200_000, "{} kB", after - before);
    }
}

#[test]
fn a_code_beyond_the_vocabulary_takes_no_memory() {
    // One customer with one event: the code of the only touchpoint is one byte, 0, somewhere.
    let mut builder = LogBuilder::new(LogOptions::default());
    builder.push("ann", 0, "a").unwrap();
    let log = builder.finish().unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let before = peak();
    for entry in ANALYSES {
        let spec = match entry.name {
            "funnel" => json!({ "steps": ["a"] }),
            "goals" => json!({ "goals": ["a"] }),
            "stability" => json!({ "condition": "a" }),
            _ => json!({}),
        };
        let sealed = seal(&journeys, &*entry.analysis(spec).unwrap());
        for at in HEADER..sealed.len() {
            let mut body = sealed[HEADER..].to_vec();
            body.splice(at - HEADER..=at - HEADER, [0xff, 0xff, 0xff, 0x01]);
            let mut bytes = sealed[..8].to_vec();
            bytes.extend(xxhash_rust::xxh3::xxh3_128(&body).to_le_bytes());
            bytes.extend(body);
            _ = finish_sealed(&bytes, &from_spec);
        }
    }
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after - before < 50_000, "{} kB", after - before);
    }
}

#[test]
fn some_of_the_blocks_are_no_report_of_the_log() {
    let rows = rows(3);
    let journeys = journeys(&rows);
    let n = journeys.blocks().len();
    assert!(n > 1);
    for analysis in analyses(&rows[0].event) {
        let exec = Exec::default();
        let part = journeys.seal(&*analysis, &[0], &exec).unwrap();
        let error = finish_sealed(&part, &from_spec).unwrap_err();
        let Error::Incomplete { covered, blocks } = error else {
            panic!("{error}");
        };
        assert_eq!((covered, blocks), (1, n));
    }
}

#[test]
fn rules_that_read_alike_are_not_alike() {
    let mut options = LogOptions::default()
        .attribute("s gap=1s", AttributeType::Text)
        .attribute("s", AttributeType::Text);
    options.block_events = 1;
    let mut builder = LogBuilder::new(options);
    for (i, customer) in ["ann", "ben"].into_iter().enumerate() {
        let value = i.to_string();
        let attributes = [
            ("s gap=1s", value.as_str().into()),
            ("s", value.as_str().into()),
        ];
        builder
            .push_row(&EventRow {
                attributes: &attributes,
                ..EventRow::new(customer, 0, "a")
            })
            .unwrap();
    }
    let log = builder.finish().unwrap();
    let one = JourneyRule::column("s gap=1s");
    let two = JourneyRule {
        gap: Some(TimeSpan::from_micros(1_000_000)),
        ..JourneyRule::column("s")
    };
    assert_ne!(one.to_string(), two.to_string());
    let paths = from_spec("paths", json!({})).unwrap();
    let seal = |rule: &JourneyRule, block| {
        let journeys = log.journeys(rule.clone()).unwrap();
        journeys.seal(&*paths, &[block], &Exec::default()).unwrap()
    };
    let (a, b) = (seal(&one, 0), seal(&two, 1));
    assert!(merge_sealed(&[&a, &b], &from_spec).is_err());
    assert!(merge_sealed(&[&a, &seal(&one, 1)], &from_spec).is_ok());
}
