//! Several sources with clocks and ids of their own, against a log built row by row from the same facts.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;
use desireline_core::log::{AttributeType, EventRow, Log, LogBuilder, LogOptions};
use desireline_io::{
    Columns, IdSpace, IdTable, IoError, Source, clock_shift, read, read_sources, write_log,
};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
/// 2024-06-01T00:00:00Z.
const JUNE: i64 = 1_717_200_000 * 1_000_000;

/// A number that looks random and is always the same.
fn draw(i: u64, of: u64) -> u64 {
    let mut x = i.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) % of
}

fn clock(micros: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(micros).unwrap();
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A shop on the web, whose Parquet file is in UTC with integer ids.
struct Web {
    user: i64,
    at: i64,
    what: &'static str,
    device: &'static str,
}

/// A till, whose CSV is in Berlin's time, a minute fast, with cards for ids.
struct Till {
    card: String,
    at: i64,
    store: &'static str,
}

fn web(n: u64) -> Vec<Web> {
    let row = |i: u64| Web {
        user: draw(i, 40) as i64,
        at: JUNE + draw(i + 1_000, 5_000) as i64 * MINUTE,
        what: ["home", "cart", "buy"][draw(i + 2_000, 3) as usize],
        device: ["phone", "desk"][draw(i + 3_000, 2) as usize],
    };
    (0..n).map(row).collect()
}

fn till(n: u64) -> Vec<Till> {
    let row = |i: u64| Till {
        card: format!("{:04}", 7_000 + draw(i + 4_000, 60)),
        at: JUNE + draw(i + 5_000, 5_000) as i64 * MINUTE,
        store: ["Mitte", "Köln, \"Dom\""][draw(i + 6_000, 2) as usize],
    };
    (0..n).map(row).collect()
}

/// The first thirty cards are those of users of the web.
fn cards() -> Vec<(String, String)> {
    (0..30)
        .map(|i| (format!("{:04}", 7_000 + i), i.to_string()))
        .collect()
}

/// What is in both, one row at a time: no reader, no sink, no table of ids.
fn naive(web: &[Web], till: &[Till]) -> Log {
    let options = LogOptions::default()
        .attribute("device", AttributeType::Text)
        .attribute("store", AttributeType::Text);
    let mut builder = LogBuilder::new(options);
    for row in web {
        builder
            .push_row(&EventRow {
                attributes: &[("device", row.device.into())],
                ..EventRow::new(row.user.to_string().as_str(), row.at, row.what)
            })
            .unwrap();
    }
    for row in till {
        let known = cards().into_iter().find(|(card, _)| *card == row.card);
        let customer = known.map_or_else(|| format!("till:{}", row.card), |(_, user)| user);
        builder
            .push_row(&EventRow {
                attributes: &[("store", row.store.into())],
                ..EventRow::new(customer.as_str(), row.at, "bought_in_store")
            })
            .unwrap();
    }
    builder.finish().unwrap()
}

fn parquet(folder: &std::path::Path, rows: &[Web]) -> std::path::PathBuf {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "user",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.user))),
        ),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.at))
                    .with_timezone("UTC"),
            ),
        ),
        (
            "what",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.what))),
        ),
        (
            "device",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.device))),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let schema = batch.schema();
    let path = folder.join("web.parquet");
    let batches: [Result<RecordBatch, ArrowError>; 1] = [Ok(batch)];
    write_log(&path, schema, batches).unwrap();
    path
}

fn csv(rows: &[Till]) -> String {
    let mut out = "card;when;shop\n".to_owned();
    for row in rows {
        // The clock on the wall in Berlin's summer, and it is a minute fast.
        let wall = clock(row.at + 2 * HOUR + MINUTE);
        let store = row.store.replace('"', "\"\"");
        out += &format!("{};{wall};\"{store}\"\n", row.card);
    }
    out
}

fn of_web() -> Columns {
    Columns::new("user", "at", "what").attributes(["device"])
}

fn of_till() -> Columns {
    Columns::every_row("card", "when", "bought_in_store")
        .attributes(["shop"])
        .call("shop", "store")
        .zone("Europe/Berlin")
        .shift(clock_shift("-1m").unwrap())
        .ids(IdSpace::mapped(IdTable::new(cards()).unwrap()).prefix("till:"))
}

#[test]
fn an_offline_till_and_a_web_shop_are_one_log() {
    let folder = tempfile::tempdir().unwrap();
    for (n, m) in [(1, 1), (300, 200), (2_000, 1_000)] {
        let (web, till) = (web(n), till(m));
        let path = parquet(folder.path(), &web);
        let read = || {
            let both = [
                (Source::from(path.clone()), of_web()),
                (Source::memory("till.csv", csv(&till)), of_till()),
            ];
            read_sources(both).unwrap()
        };
        let (made, naive) = (read(), naive(&web, &till));
        assert_eq!(made.n_events(), n + m);
        assert_eq!(made.n_customers(), naive.n_customers());
        assert_eq!(made.fingerprint(), naive.fingerprint(), "{n} and {m}");
        let names: Vec<&str> = made
            .catalog()
            .attributes
            .iter()
            .map(|a| a.name.as_str())
            .collect();
        assert_eq!(names, ["device", "store"]);
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let again = pool.build().unwrap().install(read);
            assert_eq!(again.fingerprint(), made.fingerprint(), "{threads}");
        }
    }
}

#[test]
fn clock_and_ids_of_a_single_source() {
    let text =
        "id,at,what\n7,2024-03-01 09:00,home\n7,2024-03-01 10:00,buy\n8,2024-03-01 09:30,home\n";
    let columns = |ids| {
        Columns::new("id", "at", "what")
            .zone("Europe/Berlin")
            .shift(-HOUR)
            .ids(ids)
    };
    let same = IdTable::new([("7", "ann"), ("8", "ann")]).unwrap();
    let log = read(
        Source::memory("a.csv", text),
        &columns(IdSpace::mapped(same)),
    )
    .unwrap();
    assert_eq!((log.n_customers(), log.n_events()), (1, 3));
    // Nine o'clock in Berlin's winter is eight in UTC, less the hour that the clock is fast.
    let seven = "2024-03-01T07:00:00Z".parse::<jiff::Timestamp>().unwrap();
    assert_eq!(log.catalog().first_time, seven.as_microsecond());
    let log = read(
        Source::memory("a.csv", text),
        &columns(IdSpace::prefixed("web:")),
    )
    .unwrap();
    assert!(log.customer("web:7").is_some() && log.customer("7").is_none());
}

#[test]
fn times_that_leave_the_calendar_are_put_aside() {
    let text = "id,at,what\na,2024-03-01,home\na,9999-12-31,home\n";
    for shift in [i64::MAX, 400 * 24 * HOUR] {
        let columns = Columns::new("id", "at", "what")
            .shift(shift)
            .max_quarantine_share(1.0);
        let done = read(Source::memory("a.csv", text), &columns);
        let aside = match done {
            Ok(log) => log.quarantine().total(),
            Err(_) => 2,
        };
        assert_eq!(aside, if shift == i64::MAX { 2 } else { 1 });
    }
}

#[test]
fn a_table_of_ids_is_read_strictly() {
    let told = |csv: &str| {
        IdTable::parse_csv("ids.csv", csv.as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert!(told("").contains("two columns"), "{}", told(""));
    assert!(told("a\n1\n").contains("two columns"));
    assert!(told("a,b,c\n1,2,3\n").contains("two columns"));
    assert!(told("id,customer\n1,ann\n1,bob\n").contains("row 2"));
    assert!(told("id,customer\n1,\n").contains("row 1"));
    assert!(told("id,customer\n1,ann,x\n").contains("two fields"));
    // No id stands in a message.
    assert!(!told("id,customer\nsecret-7,ann\nsecret-7,bob\n").contains("secret"));
    let table = IdTable::parse_csv(
        "ids.csv",
        "\u{feff}id,customer\n1,ann\n1,ann\n\"2,\"\"x\",Åsa\n".as_bytes(),
    );
    let table = table.unwrap();
    assert_eq!((table.len(), table.get("2,\"x")), (2, Some("Åsa")));
}

#[test]
fn what_does_not_go_together_is_said() {
    let source = |name: &str, text: &str| Source::memory(name, text);
    let a = || source("a.csv", "id,at,what,amount\nx,2024-01-01,home,1.00\n");
    let b = || source("b.csv", "id,at,what,amount\nx,2024-01-01,home,2.00\n");
    let columns = || Columns::new("id", "at", "what");
    let failed = read_sources([
        (a(), columns().value("amount", "EUR")),
        (b(), columns().value("amount", "USD")),
    ]);
    assert!(
        failed
            .unwrap_err()
            .to_string()
            .contains("one log has one currency")
    );
    let failed = read_sources([(
        source("c.csv", "id,at,what,p,q\nx,2024-01-01,home,1,2\n"),
        columns().attributes(["p", "q"]).call("p", "q"),
    )]);
    assert!(
        failed
            .unwrap_err()
            .to_string()
            .contains("both be called `q`")
    );
    let failed = read_sources([
        (a(), columns()),
        (
            source("d.csv", "id,when,what\nx,2024-01-01,home\n"),
            columns(),
        ),
    ]);
    assert!(matches!(failed, Err(IoError::UnknownColumn { .. })));
    assert!(read_sources(Vec::<(Source, Columns)>::new()).is_err());
    // Money of one source only; channel and session under the first source's names.
    let log = read_sources([
        (a(), columns().value("amount", "EUR")),
        (
            source(
                "e.csv",
                "id,at,what,kanal,besuch\nx,2024-01-02,home,web,9\n",
            ),
            columns().channel("kanal").journey("besuch"),
        ),
        (
            source("f.csv", "id,at,what,channel,sid\nx,2024-01-03,home,app,8\n"),
            columns().channel("channel").journey("sid"),
        ),
    ])
    .unwrap();
    let names: Vec<&str> = log
        .catalog()
        .attributes
        .iter()
        .map(|a| a.name.as_str())
        .collect();
    assert_eq!(names, ["kanal", "besuch"]);
    assert_eq!(log.n_events(), 3);
    assert_eq!(
        log.keep_events("channel == \"app\"")
            .unwrap()
            .journeys(Default::default())
            .unwrap()
            .provenance()
            .n_events,
        1
    );
}
