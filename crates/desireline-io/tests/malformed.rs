//! Broken inputs: each gives the documented error or the documented quarantine, and none a panic.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, NullArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use desireline_core::log::{AttributeType, Reason};
use desireline_io::{
    AttributeColumnSpec, Columns, IoError, Limits, Source, TimeUnit, read, read_batches, write_log,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    error: Option<String>,
    events: Option<u64>,
    quarantine: Option<BTreeMap<String, u64>>,
    share: Option<f64>,
    time_unit: Option<String>,
    zone: Option<String>,
    value: Option<String>,
    currency: Option<String>,
    attribute: Option<String>,
    kind: Option<AttributeType>,
    no_header: Option<bool>,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/malformed"
    ))
}

fn columns(case: &Case) -> Columns {
    let mut columns = Columns::new("user", "time", "event");
    if case.no_header == Some(true) {
        columns = Columns::new("column_1", "column_2", "column_3").no_header();
    }
    columns = columns.max_quarantine_share(case.share.unwrap_or(1.0));
    if let Some(unit) = &case.time_unit {
        columns = columns.time_unit(match unit.as_str() {
            "seconds" => TimeUnit::Seconds,
            "millis" => TimeUnit::Millis,
            "micros" => TimeUnit::Micros,
            "nanos" => TimeUnit::Nanos,
            other => panic!("unknown unit {other}"),
        });
    }
    if let Some(zone) = &case.zone {
        columns = columns.zone(zone);
    }
    if let Some(value) = &case.value {
        columns = columns.value(value, case.currency.as_deref().unwrap_or("EUR"));
    }
    if let Some(name) = &case.attribute {
        columns = columns.attribute(AttributeColumnSpec {
            name: name.clone(),
            kind: case.kind,
            level: None,
        });
    }
    columns
}

#[test]
fn every_malformed_file_gives_what_its_case_says() {
    let table = std::fs::read_to_string(folder().join("cases.toml")).unwrap();
    let cases: Cases = toml::from_str(&table).unwrap();
    assert!(cases.case.len() >= 40);
    let mut wrong = Vec::new();
    for case in &cases.case {
        let result = read(folder().join(&case.file), &columns(case));
        let found = match &result {
            Ok(log) => {
                let counts = &log.quarantine().counts;
                let counts: BTreeMap<String, u64> = counts
                    .iter()
                    .map(|(reason, n)| {
                        (
                            serde_json::to_value(reason)
                                .unwrap()
                                .as_str()
                                .unwrap()
                                .to_owned(),
                            *n,
                        )
                    })
                    .collect();
                format!("{} events, {counts:?}", log.n_events())
            }
            Err(error) => error.code().to_owned(),
        };
        let expected = match &case.error {
            Some(code) => code.clone(),
            None => {
                format!(
                    "{} events, {:?}",
                    case.events.unwrap(),
                    case.quarantine.clone().unwrap_or_default()
                )
            }
        };
        if found != expected {
            let message = result.err().map(|e| e.to_string());
            wrong.push(format!(
                "{}: expected {expected}, found {found} {message:?}",
                case.file
            ));
        }
        if let Err(error) = read(folder().join(&case.file), &columns(case)) {
            let message = error.to_string();
            assert!(
                !message.ends_with('.') && !message.contains("decoder gave up"),
                "{}: {message}",
                case.file
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_malformed_file_has_a_case() {
    let table = std::fs::read_to_string(folder().join("cases.toml")).unwrap();
    let cases: Cases = toml::from_str(&table).unwrap();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = cases.case.iter().any(|c| c.file == name);
        assert!(
            known || name == "cases.toml" || name.starts_with('.'),
            "{name} has no case"
        );
    }
}

fn rows(n: i64) -> RecordBatch {
    let users: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..n).map(|i| format!("user{}", i % 7)),
    ));
    let times: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from_iter_values(0..n).with_timezone("UTC"));
    let events: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..n).map(|i| format!("event{}", i % 3)),
    ));
    RecordBatch::try_from_iter([("user", users), ("time", times), ("event", events)]).unwrap()
}

fn plain() -> Columns {
    Columns::new("user", "time", "event")
}

fn code(path: &Path, columns: &Columns) -> &'static str {
    read(path, columns).map_or_else(|e| e.code(), |_| "fine")
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn cut_and_corrupt_columnar_files_are_typed_errors() {
    let folder = tempfile::tempdir().unwrap();
    let batch = rows(500);
    for name in ["rows.parquet", "rows.arrow", "rows.arrows"] {
        let path = folder.path().join(name);
        write_log(&path, batch.schema(), [Ok(batch.clone())]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(code(&path, &plain()), "fine");
        for cut in [
            1,
            7,
            9,
            20,
            whole.len() / 3,
            whole.len() / 2,
            whole.len() - 9,
            whole.len() - 1,
        ] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let code = code(&path, &plain());
            let cut_at_end = name == "rows.arrows" && cut >= whole.len() - 9;
            assert!(
                matches!(code, "damaged" | "format_mismatch") || cut_at_end,
                "{name} cut at {cut}: {code}"
            );
        }
    }
}

#[test]
fn packed_text_may_be_cut_nested_or_in_several_members() {
    let folder = tempfile::tempdir().unwrap();
    let csv = b"user,time,event\nann,2024-01-01,home\n";
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let whole = packed(csv);
    assert_eq!(code(&write("a.csv.gz", &whole), &plain()), "fine");
    assert_eq!(
        code(&write("b.csv.gz", &whole[..whole.len() - 9]), &plain()),
        "damaged"
    );
    assert_eq!(
        code(&write("c.csv.gz", &packed(&whole)), &plain()),
        "format_mismatch"
    );
    let members = [whole.clone(), packed(b"bob,2024-01-01,home\n")].concat();
    assert_eq!(
        read(write("d.csv.gz", &members), &plain())
            .unwrap()
            .n_events(),
        2
    );
    let zst = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
    let frames = [zst(csv), zst(b"bob,2024-01-01,home\n")].concat();
    assert_eq!(
        read(write("e.csv.zst", &frames), &plain())
            .unwrap()
            .n_events(),
        2
    );
    assert_eq!(
        code(&write("f.csv.zst", &frames[..frames.len() - 3]), &plain()),
        "damaged"
    );
    assert_eq!(
        code(&write("g.csv.gz", &packed(b"")), &plain()),
        "empty_input"
    );
}

#[test]
fn bombs_meet_their_limits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.csv.gz");
    let mut text = b"user,time,event\n".to_vec();
    text.extend(b"a,2024-01-01,b\n".repeat(6_000_000));
    std::fs::write(&path, packed(&text)).unwrap();
    let packed_length = std::fs::metadata(&path).unwrap().len();
    let ratio = text.len() as u64 / packed_length;
    let at =
        |limits: Limits| read(&path, &plain().limits(limits)).map_or_else(|e| e.code(), |_| "fine");
    assert_eq!(
        at(Limits {
            decompressed_ratio: ratio - 20,
            ..Limits::default()
        }),
        "limit"
    );
    let length = text.len() as u64;
    assert_eq!(
        at(Limits {
            decompressed_ratio: u64::MAX,
            decompressed_bytes: length - 1,
            ..Limits::default()
        }),
        "limit"
    );
}

#[test]
fn limits_hold_to_the_byte() {
    let read_with = |csv: String, limits: Limits| {
        read(
            Source::memory("x.csv", csv),
            &plain().max_quarantine_share(1.0).limits(limits),
        )
    };
    for (length, events) in [(99, 2), (100, 2), (101, 1)] {
        let csv = format!(
            "user,time,event\nann,2024-01-01,home\nann,2024-01-01,{}\n",
            "x".repeat(length)
        );
        let log = read_with(
            csv,
            Limits {
                field_bytes: 100,
                ..Limits::default()
            },
        )
        .unwrap();
        assert_eq!(log.n_events(), events, "{length}");
    }
    for (columns, fine) in [(99, true), (100, true), (101, false)] {
        let names: Vec<String> = (3..columns).map(|i| format!("c{i}")).collect();
        let fields = "x,".repeat(columns - 3);
        let csv = format!(
            "user,time,event,{}\nann,2024-01-01,home,{}\n",
            names.join(","),
            fields.trim_end_matches(',')
        );
        let result = read_with(
            csv,
            Limits {
                columns: 100,
                ..Limits::default()
            },
        );
        assert_eq!(
            result.as_ref().map_or_else(IoError::code, |_| "fine"),
            if fine { "fine" } else { "limit" }
        );
    }
    for (depth, fine) in [(9, true), (10, true), (11, false)] {
        let json = format!(
            "{{\"user\":\"ann\",\"time\":\"2024-01-01\",\"event\":\"a\",\"x\":{}{}}}\n",
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        );
        let columns = plain().max_quarantine_share(1.0).limits(Limits {
            json_depth: 10,
            ..Limits::default()
        });
        let good = "{\"user\":\"bob\",\"time\":\"2024-01-01\",\"event\":\"a\"}\n";
        let log = read(Source::memory("x.jsonl", format!("{json}{good}")), &columns).unwrap();
        assert_eq!(log.n_events(), if fine { 2 } else { 1 });
        let aside = log.summary().quarantine;
        assert_eq!(aside.get(&Reason::TooDeep).copied(), (!fine).then_some(1));
    }
    for (names, fine) in [(9, true), (10, true), (11, false)] {
        let rows: String = (0..names)
            .map(|i| format!("ann,2024-01-01,e{i}\n"))
            .collect();
        let result = read_with(
            format!("user,time,event\n{rows}"),
            Limits {
                names: 10,
                ..Limits::default()
            },
        );
        assert_eq!(
            result.as_ref().map_or_else(IoError::code, |_| "fine"),
            if fine { "fine" } else { "limit" }
        );
    }
}

#[test]
fn a_field_without_end_does_not_fill_the_memory() {
    let mut csv = b"user,time,event\nann,2024-01-01,home\nann,2024-01-01,\"".to_vec();
    csv.extend(std::iter::repeat_n(b'x', 40 << 20));
    let closed = [csv.as_slice(), b"\"\nbob,2024-01-01,home\n"].concat();
    let columns = plain().max_quarantine_share(1.0);
    let log = read(Source::memory("x.csv", closed), &columns).unwrap();
    assert_eq!((log.n_events(), log.quarantine().total()), (2, 1));
    assert_eq!(
        read(Source::memory("x.csv", csv), &columns)
            .unwrap_err()
            .code(),
        "unclosed_quote"
    );
    let mut line = b"{\"user\":\"ann\",\"time\":\"2024-01-01\",\"event\":\"a\",\"x\":\"".to_vec();
    line.extend(std::iter::repeat_n(b'x', 40 << 20));
    line.extend(b"\"}\n{\"user\":\"ann\",\"time\":\"2024-01-01\",\"event\":\"a\"}\n");
    let log = read(Source::memory("x.jsonl", line), &columns).unwrap();
    assert_eq!((log.n_events(), log.quarantine().total()), (1, 1));
}

#[test]
fn arrow_columns_of_the_wrong_type_are_typed_errors() {
    let batch = rows(3);
    let with = |name: &str, array: ArrayRef, columns: &Columns| {
        let fields = batch
            .schema()
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .zip(batch.columns().to_vec())
            .collect::<Vec<_>>();
        let mut fields: Vec<(String, ArrayRef)> =
            fields.into_iter().filter(|(n, _)| n != name).collect();
        fields.push((name.to_owned(), array));
        let batch = RecordBatch::try_from_iter(fields).unwrap();
        let schema = batch.schema();
        read_batches([Ok(batch)].into_iter(), &schema, "frame", columns)
    };
    let numbers = || Arc::new(Int64Array::from(vec![i64::MIN, 0, i64::MAX])) as ArrayRef;
    let floats = || Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY, 1.0])) as ArrayRef;
    let columns = plain().max_quarantine_share(1.0);
    assert_eq!(
        with("user", floats(), &columns).unwrap_err().code(),
        "column_type"
    );
    assert_eq!(
        with("event", floats(), &columns).unwrap_err().code(),
        "column_type"
    );
    assert_eq!(
        with("time", numbers(), &columns).unwrap_err().code(),
        "time_unit_needed"
    );
    assert_eq!(
        with("user", Arc::new(NullArray::new(3)), &columns)
            .unwrap_err()
            .code(),
        "empty_log"
    );
    let seconds = with(
        "time",
        numbers(),
        &columns.clone().time_unit(TimeUnit::Seconds),
    )
    .unwrap();
    assert_eq!((seconds.n_events(), seconds.quarantine().total()), (1, 2));
    let log = with(
        "time",
        floats(),
        &columns.clone().time_unit(TimeUnit::Seconds),
    )
    .unwrap();
    assert_eq!((log.n_events(), log.quarantine().total()), (1, 2));
    let log = with("amount", floats(), &columns.clone().value("amount", "EUR")).unwrap();
    assert_eq!((log.n_events(), log.quarantine().total()), (2, 1));
    assert_eq!(with("user", numbers(), &columns).unwrap().n_customers(), 3);
}
