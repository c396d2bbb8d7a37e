//! A log that was saved and opened again is the same log; a file that is no such log is refused, never believed.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use desireline::io::{IoError, SaveLog, snapshot};
use desireline::log::{
    Alias, AliasPolicy, AttributeType, AttributeValue, EventRow, Level, Log, LogBuilder,
    LogOptions, Reason,
};
use desireline::registry::ANALYSES;
use desireline::{Exec, JourneyRule};
use desireline_tests::data;
use desireline_tests::random_log::{GAP, build, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Rich in everything a log can have: attributes of every kind and level, money, quarantine, ties, repeats, several
/// blocks.
fn rich(seed: u64) -> LogBuilder {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut options = LogOptions::default()
        .attribute("channel", AttributeType::Text)
        .attribute("session", AttributeType::Text)
        .attribute("events", AttributeType::Integer)
        .attribute("time_s", AttributeType::Time)
        .attribute("score", AttributeType::Decimal)
        .attribute("paid", AttributeType::Boolean)
        .attribute_at("plan", AttributeType::Text, Level::Customer)
        .attribute_at("customer", AttributeType::Integer, Level::Customer)
        .currency("EUR", 2);
    options.channel = Some("channel".to_owned());
    options.journey = Some("session".to_owned());
    options.block_events = [1, 7, 1_000][rng.random_range(0..3)];
    options.dedupe = rng.random_bool(0.2);
    options.max_quarantine_share = [1.0, 0.95][rng.random_range(0..2)];
    options.observed_until = rng.random_bool(0.3).then_some(1_900_000_000_000_000);
    let mut builder = LogBuilder::new(options);
    fill(&mut builder, rng);
    builder
}

fn fill(builder: &mut LogBuilder, rng: &mut ChaCha8Rng) {
    let whole = rng.random_bool(0.3);
    let texts = rng.random_bool(0.5);
    let grain = [1, 1_000, 1_000_000][rng.random_range(0..3)];
    let start = [0, -GAP, 1_700_000_000_000_000, -60_000_000_000_000_000][rng.random_range(0..4)];
    let reach = [
        1_000,
        10_000_000_000,
        100_000_000_000_000,
        40_000_000_000_000_000,
    ];
    let reach = reach[rng.random_range(0..4)];
    for _ in 0..rng.random_range(1..60) {
        let number = rng.random_range(0..12i64);
        let id = if texts {
            format!("k\u{e9}{number}")
        } else {
            number.to_string()
        };
        let time = (start + rng.random_range(0..reach)).div_euclid(grain) * grain;
        let name = ["a", "b", "c/d", "é \"f\""][rng.random_range(0..4)];
        let mut attributes: Vec<(&str, AttributeValue<'_>)> = Vec::new();
        let some = |rng: &mut ChaCha8Rng| whole || rng.random_bool(0.7);
        if some(rng) {
            attributes.push(("channel", ["web", "", "app"][rng.random_range(0..3)].into()));
        }
        if some(rng) {
            attributes.push(("session", ["s1", "s2"][rng.random_range(0..2)].into()));
        }
        if some(rng) {
            attributes.push(("events", rng.random_range(-5..5i64).into()));
        }
        if some(rng) {
            attributes.push(("time_s", AttributeValue::Time(rng.random_range(-5..5i64))));
        }
        if some(rng) {
            attributes.push((
                "score",
                [0.5, -0.0, f64::NAN, f64::INFINITY][rng.random_range(0..4)].into(),
            ));
        }
        if some(rng) {
            attributes.push(("paid", rng.random_bool(0.5).into()));
        }
        if some(rng) {
            attributes.push(("plan", ["free", "pro"][rng.random_range(0..2)].into()));
        }
        attributes.push(("customer", number.into()));
        builder
            .push_row(&EventRow {
                attributes: &attributes,
                value: rng.random_bool(0.5).then(|| rng.random_range(-999..9_999)),
                ..EventRow::new(id.as_str(), time, name)
            })
            .unwrap();
    }
    for row in 0..rng.random_range(0..3u64) {
        builder
            .quarantine_mut()
            .put("file.csv", row, Some("time"), Reason::UnparseableTime);
    }
    builder.note_times_without_zone(rng.random_range(0..3));
}

fn reopened(log: &Log) -> Log {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.arrow");
    log.save(&path).unwrap();
    snapshot::open(&path).unwrap()
}

/// Every registered analysis by two rules, and what the log says of itself.
fn says(log: &Log) -> Vec<Value> {
    let mut summary = serde_json::to_value(log.summary()).unwrap();
    // Blocks that differ in the width of a column, or span too much together, are stored in the widest.
    for bytes in ["bytes_per_event", "core_bytes_per_event"] {
        summary[bytes] = Value::Null;
    }
    let mut said = vec![
        summary,
        json!(format!("{:?}", log.catalog())),
        json!(format!("{:?} {:?}", log.options(), log.quarantine())),
        json!(format!("{:032x}", log.fingerprint())),
    ];
    for rule in [JourneyRule::customer(), JourneyRule::gap("1500ms").unwrap()] {
        let journeys = log.journeys(rule).unwrap();
        for entry in ANALYSES {
            let spec = match entry.name {
                "funnel" => json!({ "steps": ["a", "b"] }),
                "goals" => json!({ "goals": ["b"] }),
                _ => json!({}),
            };
            let Ok(analysis) = entry.analysis(spec) else {
                continue;
            };
            for answer in journeys
                .run_dyn(&[analysis], &Exec::new())
                .into_iter()
                .flatten()
            {
                said.push(serde_json::to_value(&answer.provenance).unwrap());
                said.push(answer.report.to_json().unwrap());
            }
        }
    }
    said
}

fn assert_same(log: &Log, again: &Log, what: &str) {
    assert_eq!(log.fingerprint(), again.fingerprint(), "{what}");
    assert_eq!(again.fingerprint(), again.compute_fingerprint(), "{what}");
    for (a, b) in says(log).iter().zip(says(again)) {
        assert_eq!(*a, b, "{what}");
    }
    assert_eq!(says(log).len(), says(again).len(), "{what}");
}

#[test]
fn every_random_log_comes_back() {
    for seed in 0..150 {
        let log = build(&rows(seed)).unwrap();
        assert_same(&log, &reopened(&log), &format!("plain {seed}"));
        let log = rich(seed).finish().unwrap();
        assert_same(&log, &reopened(&log), &format!("rich {seed}"));
        let held = |l: &Log| l.summary().bytes_per_event;
        let scale = log.blocks()[0].times.scale();
        assert!(log.blocks().iter().all(|b| b.times.scale() == scale));
        assert_eq!(held(&log), held(&reopened(&log)), "rich {seed}");
    }
}

#[test]
fn a_reopened_log_grows_and_takes_aliases_like_the_one_it_was_saved_from() {
    for seed in 0..120 {
        let log = rich(seed).finish().unwrap();
        let again = reopened(&log);
        let more = || {
            let mut new = log.builder();
            fill(&mut new, &mut ChaCha8Rng::seed_from_u64(seed + 1_000_000));
            new
        };
        let (grown, grown_again) = (log.append(more()).unwrap(), again.append(more()).unwrap());
        assert_same(&grown, &grown_again, &format!("grown {seed}"));
        // Blocks of different widths, ids and times in one file.
        let twice = reopened(&grown_again);
        assert_same(&grown, &twice, &format!("grown and saved {seed}"));

        let aliases = [Alias::new("1", "k\u{e9}2", 0), Alias::new("3", "new", 5)];
        let joined = |l: &Log| l.with_aliases(&aliases, AliasPolicy::Backward).unwrap();
        let (a, b) = (joined(&grown), joined(&twice));
        assert_same(&a, &b, &format!("aliases {seed}"));
        assert_same(&a, &reopened(&b), &format!("aliases saved {seed}"));
    }
}

#[test]
fn many_names_take_wider_codes() {
    for n in [250u32, 255, 256, 257, 300, 70_000] {
        let mut options = LogOptions::default().attribute("page", AttributeType::Text);
        options.block_events = 50_000;
        let mut builder = LogBuilder::new(options);
        for i in 0..n {
            let name = format!("n{i}");
            builder
                .push_row(&EventRow {
                    attributes: &[("page", name.as_str().into())],
                    ..EventRow::new(format!("c{}", i / 3).as_str(), i64::from(i), &name)
                })
                .unwrap();
        }
        let log = builder.finish().unwrap();
        let again = reopened(&log);
        assert_eq!(log.fingerprint(), again.compute_fingerprint());
        assert_eq!(log.summary(), again.summary());
    }
}

#[test]
fn a_changed_file_is_refused_or_says_the_same() {
    let mut n_refused = 0;
    for seed in 0..12 {
        let log = rich(seed).finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.arrow");
        log.save(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        for round in 0..500 {
            let mut bytes = whole.clone();
            match round % 5 {
                0 => {
                    let at = rng.random_range(0..bytes.len());
                    bytes[at] ^= 1 << rng.random_range(0..8);
                }
                1 => bytes.truncate(rng.random_range(0..whole.len())),
                2 => {
                    // Metadata lies at the end.
                    let at = bytes.len() - 1 - rng.random_range(0..bytes.len().min(4_000));
                    bytes[at] = rng.random();
                }
                3 => {
                    let at = rng.random_range(0..bytes.len() - 8);
                    let odd = [u64::MAX, 0, 1 << 63, 1 << 31, 1 << 40][rng.random_range(0..5)];
                    bytes[at..at + 8].copy_from_slice(&odd.to_le_bytes());
                }
                _ => {
                    let from = rng.random_range(0..bytes.len());
                    let to = (from + rng.random_range(1..200)).min(bytes.len());
                    bytes.drain(from..to);
                }
            }
            match snapshot::open_bytes("changed.arrow", bytes) {
                Ok(opened) => assert_eq!(opened.compute_fingerprint(), log.fingerprint()),
                Err(e) => {
                    n_refused += 1;
                    assert!(!e.to_string().contains("the decoder gave up"), "{e}");
                }
            }
        }
    }
    assert!(n_refused > 3_000, "{n_refused}");
}

/// The bytes of a saved log with `from` in its metadata turned into `to`, which is as long.
fn doctored(log: &Log, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.arrow");
    log.save(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let mut found = 0;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "{from}");
    bytes
}

#[test]
fn a_later_format_is_refused_with_the_remedy() {
    let log = rich(3).finish().unwrap();
    // The version is the value that stands before its key.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.arrow");
    log.save(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let said = [1u8, 0, 0, 0, b'2', 0];
    let places: Vec<usize> = (0..bytes.len() - 6)
        .filter(|at| bytes[*at..].starts_with(&said))
        .collect();
    let mut refused = 0;
    for at in places {
        let kept = bytes[at + 4];
        bytes[at + 4] = b'7';
        if let Err(e) = snapshot::open_bytes("later.arrow", bytes.clone())
            && matches!(e, IoError::SnapshotVersion { .. })
        {
            let said = e.to_string();
            assert!(
                said.contains("`later.arrow`") && said.contains("format 7"),
                "{said}"
            );
            assert!(said.contains("upgrade desireline"), "{said}");
            refused += 1;
        }
        bytes[at + 4] = kept;
    }
    assert_eq!(refused, 1);
}

#[test]
fn errors_name_file_column_and_remedy() {
    let log = rich(3).finish().unwrap();
    let error =
        snapshot::open_bytes("x.arrow", doctored(&log, "\"ties\":", "\"tied\":")).unwrap_err();
    assert_eq!(error.code(), "snapshot_damaged");
    let said = error.to_string();
    assert!(
        said.contains("`x.arrow`")
            && said.contains("`schema`")
            && said.contains("save the log again"),
        "{said}"
    );

    let not = |bytes: &[u8]| {
        snapshot::open_bytes("x", bytes.to_vec())
            .unwrap_err()
            .code()
    };
    assert_eq!(not(b""), "not_snapshot");
    assert_eq!(not(b"user,time,event\n"), "not_snapshot");
    assert_eq!(not(b"ARROW1\0\0"), "snapshot_damaged");
    let missing = snapshot::open(Path::new("no/such.arrow")).unwrap_err();
    assert_eq!(missing.code(), "no_input");
    assert!(!snapshot::is_snapshot("no/such.arrow").unwrap());
}

#[test]
fn a_snapshot_is_told_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let log = rich(5).finish().unwrap();
    let path = folder.path().join("whatever");
    log.save(&path).unwrap();
    assert!(snapshot::is_snapshot(&path).unwrap());
    assert_eq!(
        desireline::open(&path).unwrap().fingerprint(),
        log.fingerprint()
    );

    let arrow = folder.path().join("named.arrow");
    log.save(&arrow).unwrap();
    let columns = desireline::io::Columns::new("customer", "time", "event");
    let error = desireline::io::read(&arrow, &columns).unwrap_err();
    assert_eq!(error.code(), "is_snapshot", "{error}");

    // A plain table of events in the same container stays one.
    let table = folder.path().join("table.arrow");
    let simulator = desireline::io::simulate::Simulation::shop(20)
        .prepare()
        .unwrap();
    let mut writer = desireline::io::RowWriter::create(&table, simulator.schema()).unwrap();
    for batch in simulator.batches(1_000) {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    assert!(!snapshot::is_snapshot(&table).unwrap());
    assert_eq!(snapshot::open(&table).unwrap_err().code(), "not_snapshot");
}

#[test]
fn real_logs_come_back() {
    let columns = |customer: &str, time: &str, event: &str| {
        desireline::io::Columns::new(customer, time, event).all_attributes()
    };
    let ecom = columns("user_id", "timestamp", "event")
        .channel("acquisition_channel")
        .journey("session_id");
    for (file, columns) in [
        ("ecom/ecom.csv.gz", ecom),
        (
            "cdnow/CDNOW_master.txt",
            desireline::io::Columns::every_row("customer_id", "date", "purchase")
                .value("dollar_value", "USD")
                .attributes(["number_of_cds"]),
        ),
        (
            "careflow/sepsis.csv",
            columns("Case ID", "Complete Timestamp", "Activity"),
        ),
        (
            "careflow/patients.csv",
            columns("patient", "time", "handling"),
        ),
    ] {
        let Some(path) = data(file) else {
            continue;
        };
        let log = desireline::io::read(path, &columns).unwrap();
        let again = reopened(&log);
        assert_same(&log, &again, file);
        assert_eq!(log.summary(), again.summary(), "{file}");
    }
}
