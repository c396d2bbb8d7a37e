//! Real logs that nobody in this project made.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::PathBuf;

use desireline_core::log::{AttributeType, ColumnData, Level};
use desireline_io::{Columns, Delimiter, read};

/// A file of the shared data folder; `None`, said aloud, where there is none.
fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("DESIRELINE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is missing",
        file.display()
    );
    eprintln!(
        "skipped: {} is missing; set DESIRELINE_DATA",
        file.display()
    );
    None
}

#[test]
fn ecom() {
    let Some(file) = data("ecom/ecom.csv.gz") else {
        return;
    };
    let columns = Columns::new("user_id", "timestamp", "event")
        .channel("acquisition_channel")
        .journey("session_id")
        .all_attributes();
    let log = read(file, &columns).unwrap();
    assert_eq!((log.n_events(), log.n_customers()), (31_106, 600));
    let catalog = log.catalog();
    assert_eq!(catalog.events.len(), 19);
    let names: Vec<&str> = catalog.attributes.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names.len(), 5);
    let journey = &catalog.attributes[catalog.journey.unwrap()];
    assert_eq!(
        (journey.name.as_str(), journey.level),
        ("session_id", Level::Event)
    );
    assert_eq!(journey.dictionary.len(), 3_605);
    assert!(
        catalog
            .attributes
            .iter()
            .all(|a| a.kind == AttributeType::Text)
    );
    let summary = log.summary();
    assert_eq!(summary.rows_read, 31_106);
    assert_eq!(summary.exact_duplicates, 30);
    assert!(summary.quarantine.is_empty());

    let once = read(data("ecom/ecom.csv.gz").unwrap(), &columns.dedupe(true)).unwrap();
    assert_eq!(once.n_events(), 31_076);
}

#[test]
fn sepsis() {
    let Some(file) = data("careflow/sepsis.csv") else {
        return;
    };
    let columns = Columns::new("Case ID", "Complete Timestamp", "Activity").all_attributes();
    let log = read(&file, &columns).unwrap();
    assert_eq!((log.n_events(), log.n_customers()), (15_214, 1_050));
    assert_eq!(log.catalog().events.len(), 16);
    let (block, customer) = log.customer("NA").unwrap();
    let span = &log.blocks()[block].offsets;
    assert_eq!(span[customer + 1] - span[customer], 24);
    let kind = |name: &str| {
        log.catalog()
            .attributes
            .iter()
            .find(|a| a.name == name)
            .unwrap()
            .kind
    };
    assert_eq!(kind("Age"), AttributeType::Integer);
    assert_eq!(kind("SIRSCriteria2OrMore"), AttributeType::Boolean);
    assert_eq!(kind("LacticAcid"), AttributeType::Decimal);
    assert_eq!(kind("org:group"), AttributeType::Text);
}

#[test]
fn patients_have_a_zone_and_survive_all_columns() {
    let Some(file) = data("careflow/patients.csv") else {
        return;
    };
    let log = read(
        file,
        &Columns::new("patient", "time", "handling").all_attributes(),
    )
    .unwrap();
    assert_eq!((log.n_events(), log.n_customers()), (5_442, 500));
    assert_eq!(log.catalog().events.len(), 7);
    assert!(log.caveats().is_empty() || !format!("{:?}", log.caveats()).contains("Zone"));
}

#[test]
fn cdnow() {
    let Some(file) = data("cdnow/CDNOW_master.txt") else {
        return;
    };
    let columns = Columns::every_row("customer_id", "date", "purchase")
        .value("dollar_value", "USD")
        .attributes(["number_of_cds"]);
    let log = read(&file, &columns).unwrap();
    assert_eq!((log.n_events(), log.n_customers()), (69_659, 23_570));
    assert!(log.customer("00001").is_some() && log.customer("1").is_none());
    let mut cents = 0_i64;
    let mut discs = 0_i64;
    for block in log.blocks() {
        let Some(values) = &block.value else {
            panic!("no value column")
        };
        cents += sum(values);
        discs += sum(&block.attributes[0].data);
    }
    assert_eq!(cents, 250_031_563);
    assert_eq!(discs, 167_881);
    let declared = read(&file, &columns.delimiter(Delimiter::Whitespace)).unwrap();
    assert_eq!(declared.fingerprint(), log.fingerprint());
}

fn sum(column: &ColumnData) -> i64 {
    match column {
        ColumnData::Integer(values, there) => values
            .iter()
            .enumerate()
            .filter(|(i, _)| there.get(*i))
            .map(|(_, v)| v)
            .sum(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn cdnow_sample_has_no_header() {
    let Some(file) = data("cdnow/CDNOW_sample.txt") else {
        return;
    };
    let columns = Columns::every_row("column_1", "column_3", "purchase")
        .value("column_5", "USD")
        .delimiter(Delimiter::Whitespace)
        .no_header();
    let log = read(&file, &columns).unwrap();
    assert_eq!((log.n_events(), log.n_customers()), (6_919, 2_357));
}
