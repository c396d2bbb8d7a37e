//! Random bytes and random damage: a log or a typed error, never a panic.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use desireline_io::{Columns, Source, TimeUnit, read, write_log};
use proptest::prelude::*;

fn columns() -> Columns {
    Columns::new("user", "time", "event")
        .max_quarantine_share(1.0)
        .all_attributes()
}

fn try_all(name: &str, bytes: &[u8]) {
    for columns in [
        columns(),
        columns()
            .time_unit(TimeUnit::Millis)
            .zone("Europe/Berlin")
            .value("n", "EUR"),
    ] {
        if let Err(error) = read(Source::memory(name, bytes), &columns) {
            assert!(!error.to_string().is_empty() && !error.code().is_empty());
        }
    }
}

fn file(name: &str) -> Vec<u8> {
    let i = || 0..40_i64;
    let batch = RecordBatch::try_from_iter([
        (
            "user",
            Arc::new(StringArray::from_iter_values(
                i().map(|i| format!("u{}", i % 5)),
            )) as ArrayRef,
        ),
        (
            "time",
            Arc::new(TimestampMillisecondArray::from_iter_values(i())),
        ),
        (
            "event",
            Arc::new(StringArray::from_iter_values(
                i().map(|i| format!("e{}", i % 3)),
            )),
        ),
        (
            "n",
            Arc::new(
                i().map(|i| (i % 3 > 0).then_some(i))
                    .collect::<Int64Array>(),
            ),
        ),
    ])
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write_log(&path, batch.schema(), [Ok(batch)]).unwrap();
    std::fs::read(path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for name in ["x.csv", "x.tsv", "x.jsonl", "x.parquet", "x.arrow", "x.csv.gz", "x.jsonl.zst", "x"] {
            try_all(name, &bytes);
        }
    }

    #[test]
    fn random_rows(text in "(user,time,event,n\n)?([a\",;\n\r\t|é0-9{}\\[\\]:. -]{0,12}(,|\n)){0,40}") {
        try_all("x.csv", text.as_bytes());
        try_all("x.txt", text.as_bytes());
        try_all("x.jsonl", text.as_bytes());
    }

    #[test]
    fn random_json(lines in proptest::collection::vec(
        ("[a-z]{0,3}|[0-9.eE+-]{1,20}|\\[\\]|\\{\\}|null|\"\\\\\\\\u[0-9a-f]{4}\"", "[0-9T:. Z/-]{0,20}", "[^\"\\\\]{0,5}"), 0..20))
    {
        let text: String = lines.iter().map(|(user, time, event)| format!("{{\"user\":{user},\"time\":\"{time}\",\"event\":\"{event}\"}}\n")).collect();
        try_all("x.jsonl", text.as_bytes());
    }

    #[test]
    fn damaged_files(which in 0usize..6, places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in proptest::option::of(any::<prop::sample::Index>())) {
        let name = ["x.csv", "x.jsonl", "x.csv.gz", "x.parquet", "x.arrow", "x.arrows"][which];
        let mut bytes = file(name);
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        try_all(name, &bytes);
    }
}
