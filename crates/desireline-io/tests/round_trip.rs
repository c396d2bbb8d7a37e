//! The same rows through every format give the same log.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimeUnit as ArrowUnit};
use desireline_core::log::Log;
use desireline_io::{Columns, Progress, Source, read, read_batches, write_log};

const NAMES: [&str; 6] = [
    "home",
    "é\u{301} \"quoted\", comma",
    "line\nbreak",
    "NA",
    "=1+1",
    "😀",
];

fn rows(n: usize) -> RecordBatch {
    let i = || 0..n as i64;
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "user",
            Arc::new(StringArray::from_iter_values(
                i().map(|i| format!("{:03}", i * 7 % 50)),
            )),
        ),
        (
            "time",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(i().map(|i| i * 1_234_567 - 5_000_000))
                    .with_timezone("UTC"),
            ),
        ),
        (
            "event",
            Arc::new(StringArray::from_iter_values(
                i().map(|i| NAMES[i as usize * 5 % 6]),
            )),
        ),
        (
            "channel",
            Arc::new(
                i().map(|i| (i % 4 > 0).then_some(["web", "app", "store"][i as usize % 3]))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "amount",
            Arc::new(
                i().map(|i| (i % 3 == 0).then_some(i128::from(i) * 101 - 50))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(20, 2)
                    .unwrap(),
            ),
        ),
        (
            "n",
            Arc::new(
                i().map(|i| (i % 5 > 0).then_some(i * i - 40))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "x",
            Arc::new(
                i().map(|i| (i % 6 > 0).then_some(i as f64 / 8.0))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "flag",
            Arc::new(
                i().map(|i| (i % 7 > 0).then_some(i % 2 == 0))
                    .collect::<BooleanArray>(),
            ),
        ),
        (
            "id",
            Arc::new(UInt64Array::from_iter_values(
                i().map(|i| u64::MAX - i as u64),
            )),
        ),
        (
            "seq",
            Arc::new(Int64Array::from_iter_values(i().map(|i| -i))),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn columns() -> Columns {
    Columns::new("user", "time", "event")
        .channel("channel")
        .value("amount", "EUR")
        .tie("seq")
        .all_attributes()
}

fn shape(log: &Log) -> (u128, u64, Vec<String>) {
    let attributes = log
        .catalog()
        .attributes
        .iter()
        .map(|a| format!("{} {:?} {:?}", a.name, a.kind, a.level));
    (log.fingerprint(), log.n_events(), attributes.collect())
}

#[test]
fn every_format_gives_the_same_log() {
    let folder = tempfile::tempdir().unwrap();
    let batch = rows(1000);
    let schema = batch.schema();
    let direct = read_batches(
        [Ok(batch.clone())].into_iter(),
        &schema,
        "frame",
        &columns(),
    )
    .unwrap();
    assert_eq!((direct.n_events(), direct.n_customers()), (1000, 50));
    let names = [
        "a.csv",
        "a.csv.gz",
        "a.csv.zst",
        "a.tsv",
        "a.txt",
        "a.jsonl",
        "a.ndjson.gz",
        "a.jsonl.zst",
        "a.parquet",
        "a.arrow",
        "a.feather",
        "a.arrows",
    ];
    for name in names {
        let path = folder.path().join(name);
        let parts = [batch.slice(0, 300), batch.slice(300, 700)];
        assert_eq!(
            write_log(&path, batch.schema(), parts.into_iter().map(Ok)).unwrap(),
            1000
        );
        let log = read(&path, &columns()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(shape(&log), shape(&direct), "{name}");
        let bytes = std::fs::read(&path).unwrap();
        let held = read(Source::memory(name, bytes), &columns()).unwrap();
        assert_eq!(shape(&held), shape(&direct), "{name} in memory");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), names.len(), "parts were left behind");
}

#[test]
fn every_arrow_type_of_text_and_time_gives_the_same_log() {
    let batch = rows(500);
    let plain = Columns::new("user", "time", "event").attributes(["channel"]);
    let read_with = |name: &str, array: ArrayRef| {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(f, c)| {
            (
                f.name().clone(),
                if f.name() == name {
                    Arc::clone(&array)
                } else {
                    Arc::clone(c)
                },
            )
        });
        let batch = RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap();
        let schema = batch.schema();
        shape(&read_batches([Ok(batch)].into_iter(), &schema, "frame", &plain).unwrap())
    };
    for name in ["user", "event", "channel"] {
        let array = batch.column_by_name(name).unwrap();
        let expected = read_with(name, Arc::clone(array));
        let key = |k: DataType, v: DataType| DataType::Dictionary(Box::new(k), Box::new(v));
        for target in [
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Binary,
            DataType::LargeBinary,
            key(DataType::Int8, DataType::LargeUtf8),
            key(DataType::Int32, DataType::Utf8),
            key(DataType::UInt32, DataType::Utf8View),
        ] {
            let array = cast(array, &target).unwrap();
            assert_eq!(read_with(name, array), expected, "{name} as {target}");
        }
    }
    let time = batch.column_by_name("time").unwrap();
    let seconds = cast(
        time,
        &DataType::Timestamp(ArrowUnit::Second, Some("UTC".into())),
    )
    .unwrap();
    let expected = read_with("time", Arc::clone(&seconds));
    for unit in [
        ArrowUnit::Millisecond,
        ArrowUnit::Microsecond,
        ArrowUnit::Nanosecond,
    ] {
        let array = cast(
            &seconds,
            &DataType::Timestamp(unit, Some("Asia/Tokyo".into())),
        )
        .unwrap();
        assert_eq!(read_with("time", array), expected);
    }
}

#[test]
fn rows_of_null_dictionary_codes_are_missing() {
    let users: DictionaryArray<Int32Type> = vec![Some("ann"), None, Some("")].into_iter().collect();
    let batch = RecordBatch::try_from_iter([
        ("user", Arc::new(users) as ArrayRef),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from(vec![1, 2, 3]).with_timezone("UTC")),
        ),
        (
            "event",
            Arc::new(StringViewArray::from(vec!["a", "b", "c"])),
        ),
        (
            "note",
            Arc::new(LargeStringArray::from(vec![Some("x"), None, Some("")])),
        ),
    ])
    .unwrap();
    let schema = batch.schema();
    let columns = Columns::new("user", "time", "event")
        .max_quarantine_share(1.0)
        .all_attributes();
    let log = read_batches([Ok(batch)].into_iter(), &schema, "frame", &columns).unwrap();
    assert_eq!((log.n_events(), log.quarantine().total()), (1, 2));
}

#[test]
fn folders_patterns_and_lists_are_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("2024/01")).unwrap();
    let batch = rows(90);
    write_log(
        path("2024/01/a.csv"),
        batch.schema(),
        [Ok(batch.slice(0, 30))],
    )
    .unwrap();
    write_log(
        path("2024/b.parquet"),
        batch.schema(),
        [Ok(batch.slice(30, 30))],
    )
    .unwrap();
    write_log(
        path("c.jsonl.gz"),
        batch.schema(),
        [Ok(batch.slice(60, 30))],
    )
    .unwrap();
    std::fs::write(path("_SUCCESS"), "").unwrap();
    std::fs::write(path(".hidden"), "").unwrap();
    let whole = shape(
        &read_batches(
            [Ok(batch.clone())].into_iter(),
            &batch.schema(),
            "frame",
            &columns(),
        )
        .unwrap(),
    );
    assert_eq!(shape(&read(folder.path(), &columns()).unwrap()), whole);
    let list: Source = [
        path("2024/01/a.csv"),
        path("2024/b.parquet"),
        path("c.jsonl.gz"),
    ]
    .into_iter()
    .collect();
    assert_eq!(shape(&read(list, &columns()).unwrap()), whole);
    let pattern = folder.path().join("2024/**/*.csv");
    assert_eq!(read(pattern, &columns()).unwrap().n_events(), 30);
    assert_eq!(
        read(folder.path().join("*.nothing"), &columns())
            .unwrap_err()
            .code(),
        "no_input"
    );
    std::fs::write(path("notes.md"), "x").unwrap();
    assert_eq!(
        read(folder.path(), &columns()).unwrap_err().code(),
        "unknown_format"
    );
}

#[test]
fn progress_is_told_and_cancelling_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let batch = rows(60_000);
    write_log(&path, batch.schema(), [Ok(batch)]).unwrap();
    let seen: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let hook = Arc::clone(&seen);
    let told = columns().on_progress(Arc::new(move |p| hook.lock().unwrap().push(p)));
    read(&path, &told).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 1 && seen.is_sorted_by_key(|p| (p.bytes_done, p.rows)));
    let last = seen.last().unwrap();
    assert_eq!(
        (last.bytes_done, last.sources_done, last.rows),
        (last.bytes_total, 1, 60_000)
    );

    let token = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&token);
    let stopped = columns()
        .cancel(Arc::clone(&token))
        .on_progress(Arc::new(move |_| stop.store(true, Ordering::Relaxed)));
    assert_eq!(read(&path, &stopped).unwrap_err().code(), "cancelled");
}

#[test]
fn kinds_are_found_over_the_whole_file() {
    let csv = |last: &str| {
        let mut text = "user,time,event,n,zip\n".to_owned();
        for i in 0..30_000 {
            text.push_str(&format!("u{},2024-01-01,e,{i},{i}\n", i % 9));
        }
        text.push_str(&format!("u1,2024-01-01,e,5,{last}\n"));
        Source::memory("a.csv", text)
    };
    let kinds = |last: &str| {
        let log = read(
            csv(last),
            &Columns::new("user", "time", "event").all_attributes(),
        )
        .unwrap();
        log.catalog()
            .attributes
            .iter()
            .map(|a| format!("{:?}", a.kind))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(kinds("7"), "Integer Integer");
    assert_eq!(kinds("007"), "Integer Text");
    assert_eq!(kinds("NA"), "Integer Text");
    assert_eq!(kinds("0.5"), "Integer Decimal");
}

#[test]
fn nested_json_has_dotted_names() {
    let json = r#"{"user":"ann","time":"2024-01-01","event":"a","device":{"os":"ios","v":{"major":17}},"tags":["x",1]}
{"user":"ann","time":"2024-01-02","event":"b","device":{"os":"web"}}
"#;
    let source = || Source::memory("a.jsonl", json);
    let log = read(
        source(),
        &Columns::new("user", "time", "event").all_attributes(),
    )
    .unwrap();
    let names: Vec<&str> = log
        .catalog()
        .attributes
        .iter()
        .map(|a| a.name.as_str())
        .collect();
    assert_eq!(names, ["device.os", "device.v.major", "tags"]);
    let log = read(
        source(),
        &Columns::new("user", "time", "event").channel("device.os"),
    )
    .unwrap();
    assert_eq!(log.catalog().attributes[0].dictionary.len(), 2);
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "before").unwrap();
    let batch = rows(3);
    let failing = [
        Ok(batch.clone()),
        Err(arrow::error::ArrowError::ComputeError("no".to_owned())),
    ];
    assert_eq!(
        write_log(&path, batch.schema(), failing)
            .unwrap_err()
            .code(),
        "write"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(
        write_log(folder.path().join("a.xls"), batch.schema(), [Ok(batch)])
            .unwrap_err()
            .code(),
        "write"
    );
}

#[test]
fn packed_arrow_buffers_are_read() {
    use arrow::ipc::CompressionType;
    use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    let batch = rows(5_000);
    let columns = Columns::new("user", "time", "event").attributes(["channel"]);
    let plain = read_batches(
        [Ok(batch.clone())].into_iter(),
        &batch.schema(),
        "b",
        &columns,
    );
    let plain = plain.unwrap().fingerprint();
    for packing in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        let options = || {
            IpcWriteOptions::default()
                .try_with_compression(Some(packing))
                .unwrap()
        };
        let mut file =
            FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options()).unwrap();
        file.write(&batch).unwrap();
        let file = file.into_inner().unwrap();
        let mut stream =
            StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options()).unwrap();
        stream.write(&batch).unwrap();
        let stream = stream.into_inner().unwrap();
        for (name, bytes) in [("x.feather", file), ("x.arrows", stream)] {
            let log = read(Source::memory(name, bytes), &columns).unwrap();
            assert_eq!(log.fingerprint(), plain, "{packing:?} {name}");
        }
    }
}

#[test]
fn a_column_that_is_only_wanted_if_there_is_not_missed() {
    let columns = Columns::new("user", "time", "event").attribute_if_there("channel");
    let with = "user,time,event,channel\nann,2024-01-01,a,web\n";
    let without = "user,time,event\nann,2024-01-01,a\n";
    for (csv, kept) in [(with, 1), (without, 0)] {
        let log = read(Source::memory("x.csv", csv), &columns).unwrap();
        assert_eq!(log.catalog().attributes.len(), kept);
    }
    let json = "{\"user\":\"ann\",\"time\":\"2024-01-01\",\"event\":\"a\",\"channel\":\"web\"}\n";
    let log = read(Source::memory("x.jsonl", json), &columns).unwrap();
    assert_eq!(log.catalog().attributes.len(), 1);
}
