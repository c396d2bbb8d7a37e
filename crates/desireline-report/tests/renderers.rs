//! Renderers over hand-made reports: snapshots for people, round trips for machines, hostile names everywhere.
#![allow(clippy::unwrap_used)]

mod common;

use common::report::{provenance, report, small_table, spec, table, view};
use common::{HOSTILE, SHOP};
use desireline_core::report::{Cells, Report, Table};
use desireline_report::csv::Dialect;
use desireline_report::text::{Columns, Rows, TextOptions};
use desireline_report::{arrow, csv, html, json, markdown, text};
use proptest::prelude::*;

#[test]
fn text_snapshot() {
    let (r, s, p) = (report(&SHOP[..5]), spec(), provenance());
    let wide = text::render(
        &view(&r, &s, &p),
        &TextOptions {
            width: Some(230),
            ..TextOptions::default()
        },
    );
    insta::assert_snapshot!("text_wide", wide);
    insta::assert_snapshot!(
        "text_narrow",
        text::table(
            &small_table(&SHOP[..3]),
            &TextOptions {
                width: Some(40),
                ..TextOptions::default()
            }
        )
    );
}

#[test]
fn markdown_snapshot() {
    let (r, s, p) = (report(&SHOP[..3]), spec(), provenance());
    insta::assert_snapshot!("markdown", markdown::render(&view(&r, &s, &p)));
}

#[test]
fn json_snapshot() {
    let (mut r, s, p) = (report(&SHOP[..2]), spec(), provenance());
    r.tables.truncate(1);
    insta::assert_snapshot!("json", json::render(&view(&r, &s, &p)).unwrap());
    let typed = serde_json::json!({"n": 1});
    let text = json::render(&view(&r, &s, &p).with_typed(&typed)).unwrap();
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["report"], typed);
    assert_eq!(read["caveats"][0]["message"], r.caveats()[0].message());
}

#[test]
fn csv_snapshot() {
    insta::assert_snapshot!("csv", csv::table(&table(&SHOP[..4]), Dialect::Plain));
}

#[test]
fn svg_snapshot() {
    insta::assert_snapshot!("funnel", common::small_funnel().svg(400.0));
}

#[test]
fn a_terminal_keeps_its_lines_and_colours() {
    let (r, s, p) = (report(&HOSTILE), spec(), provenance());
    for width in [20, 60, 100, 300] {
        let options = TextOptions {
            width: Some(width),
            ..TextOptions::default()
        };
        let out = text::render(&view(&r, &s, &p), &options);
        assert!(!out.contains(
            |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)
        ));
        let painted = text::render(
            &view(&r, &s, &p),
            &TextOptions {
                colour: true,
                ..options
            },
        );
        let bare = painted.split('\u{1b}').map(|part| {
            part.split_once('m').map_or(
                part,
                |(code, rest)| if code.starts_with('[') { rest } else { part },
            )
        });
        assert_eq!(bare.collect::<String>(), out);
    }
}

/// A table of three columns of words and `n` counts, whose first column does not tell the rows apart.
fn broad(n: usize) -> Table {
    let words = |of: &[&str]| Cells::Text(of.iter().map(|w| Some((*w).to_owned())).collect());
    let mut table = Table::new("broad", "Broad")
        .with("kind", "Kind", words(&["stage", "stage", "channel"]))
        .with("id", "Id", words(&["a", "b", "a"]))
        .with(
            "name",
            "Name",
            words(&["Ä und <O>", "näher", "more column"]),
        );
    for i in 0..n {
        let cells = Cells::Count(vec![Some(i as u64), None, Some(1_000_000)]);
        table = table.with(format!("count_{i}"), format!("Count {i}"), cells);
    }
    table
}

fn lines_of(table: &Table, width: usize, columns: Columns) -> String {
    let options = TextOptions {
        width: Some(width),
        columns,
        rows: Rows::All,
        ..TextOptions::default()
    };
    let out = text::table(table, &options);
    for line in out.lines() {
        assert!(line.chars().count() <= width, "{width}: {line}");
    }
    out
}

#[test]
fn a_broad_table_shows_the_columns_that_fit() {
    let table = broad(20);
    for width in [60, 80, 120] {
        let out = lines_of(&table, width, Columns::Fitting(&["id", "count_19", "none"]));
        assert!(out.contains("Count 19") && out.contains("Id"), "{out}");
        let left_out: usize = out
            .lines()
            .last()
            .and_then(|l| l.strip_prefix("… and ")?.strip_suffix(" more columns"))
            .unwrap_or_else(|| panic!("{out}"))
            .parse()
            .unwrap();
        let heads = (0..20).filter(|i| {
            let head = format!("Count {i}");
            // A heading may be broken; its number then stands on the line below.
            out.contains(&head)
                || out
                    .lines()
                    .nth(2)
                    .is_some_and(|l| l.contains(&i.to_string()))
        });
        assert!(left_out >= 23 - 3 - heads.count(), "{out}");
    }
    // What fits is shown whole, and nothing is said.
    assert!(!lines_of(&broad(3), 120, Columns::Fitting(&[])).contains("… and"));
}

#[test]
fn a_whole_table_stands_in_parts_that_say_their_rows() {
    let out = lines_of(&broad(20), 60, Columns::Panels);
    // Kind and id together tell the rows apart, so the name stands in the first part only.
    assert_eq!(out.matches("näher").count(), 1, "{out}");
    assert!(out.matches("channel").count() > 2, "{out}");
    for i in 0..20 {
        assert!(out.contains(&i.to_string()), "{i}: {out}");
    }
    assert!(!out.contains("more columns"));
    let empty = Table::new("none", "None").with("a", "A", Cells::Count(Vec::new()));
    assert!(lines_of(&empty, 60, Columns::Panels).contains("nothing to show"));
}

#[test]
fn a_page_breaks_tables_that_no_page_is_wide_enough_for() {
    let (mut r, s, p) = (report(&SHOP[..2]), spec(), provenance());
    r.tables = vec![broad(30), broad(3)];
    let page = html::page("t", None, &[view(&r, &s, &p)]).unwrap();
    // 30 counts and three columns of words in parts of a page's width, the small one whole.
    assert_eq!(page.matches("<table>").count(), 5, "{page}");
    assert_eq!(page.matches("<bdi>Count 29</bdi>").count(), 1);
    assert_eq!(page.matches("&lt;O&gt;").count(), 2);
}

#[test]
fn markdown_has_one_row_per_row() {
    let out = markdown::table(&small_table(&HOSTILE));
    let rows: Vec<&str> = out.lines().filter(|l| l.starts_with('|')).collect();
    assert_eq!(rows.len(), HOSTILE.len() + 2);
    for row in rows {
        assert_eq!(
            row.replace("\\\\", "")
                .replace("\\|", "")
                .matches('|')
                .count(),
            5,
            "{row}"
        );
        assert!(!row.contains('<'), "{row}");
    }
}

#[test]
fn html_shows_names_and_runs_nothing() {
    let (r, s, p) = (report(&HOSTILE), spec(), provenance());
    let title = HOSTILE[0];
    let page = html::page(title, Some(&r), &[view(&r, &s, &p), view(&r, &s, &p)]).unwrap();
    assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
    for hostile in HOSTILE.iter().filter(|h| h.contains(['<', '\u{1b}'])) {
        assert!(!page.contains(hostile), "{hostile}");
    }
    assert!(
        !page.contains("<script") && !page.contains("<svg onload") && page.contains("{{ 7*7 }}")
    );
    assert!(
        !page.contains("http://") && !page.contains("https://") || !page.contains("src=\"http")
    );
    assert_eq!(
        page,
        html::page(title, Some(&r), &[view(&r, &s, &p), view(&r, &s, &p)]).unwrap()
    );
    if let Some(folder) = std::env::var_os("DESIRELINE_GALLERY") {
        std::fs::write(
            std::path::Path::new(&folder).join("page-hostile.html"),
            &page,
        )
        .unwrap();
    }
}

#[test]
fn a_broken_template_is_an_error_and_an_own_one_works() {
    let (r, s, p) = (report(&SHOP[..2]), spec(), provenance());
    assert!(html::page_from("{% if %}", "t", None, &[view(&r, &s, &p)]).is_err());
    let own = html::page_from(
        "<h1>{{ title }}</h1>{{ answers | length }}",
        "a<b",
        None,
        &[view(&r, &s, &p)],
    )
    .unwrap();
    assert_eq!(own, "<h1>a&lt;b</h1>1");
}

#[test]
fn arrow_reads_back() {
    let t = table(&SHOP[..6]);
    let (r, s, p) = (report(&SHOP[..6]), spec(), provenance());
    let bytes = arrow::ipc_stream(&t, Some(&view(&r, &s, &p))).unwrap();
    assert_eq!(
        bytes,
        arrow::ipc_stream(&t, Some(&view(&r, &s, &p))).unwrap()
    );
    assert_eq!(
        arrow::ipc_file(&t, None).unwrap().get(..6),
        Some(&b"ARROW1"[..])
    );
    let batch = arrow::record_batch(&t, Some(&view(&r, &s, &p))).unwrap();
    let names: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|f| format!("{}: {}", f.name(), f.data_type()))
        .collect();
    insta::assert_snapshot!("arrow_schema", names.join("\n"));
    assert_eq!(batch.num_rows(), 6);
    assert!(batch.schema().metadata().contains_key("provenance"));
    assert_eq!(
        arrow::record_batch(&Table::new("none", "None"), None)
            .unwrap()
            .num_rows(),
        0
    );
}

#[test]
fn spreadsheets_run_nothing_and_numbers_stay_numbers() {
    let t = table(&HOSTILE);
    let out = csv::table(&t, Dialect::Spreadsheet);
    for row in ::csv::Reader::from_reader(out.as_bytes()).records() {
        for cell in row.unwrap().iter() {
            let number = cell.parse::<f64>().is_ok();
            assert!(
                number || !cell.trim_start().starts_with(['=', '+', '-', '@', '\t']),
                "{cell:?}"
            );
        }
    }
    assert!(out.contains("-765.44"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_csv_round_trips(names in prop::collection::vec(any::<String>(), 1..6), floats in prop::collection::vec(any::<f64>(), 6)) {
        let floats: Vec<Option<f64>> = floats.into_iter().take(names.len()).map(|x| x.is_finite().then_some(x)).collect();
        let t = Table::new("t", "T")
            .with("name", "Name", Cells::Text(names.iter().cloned().map(Some).collect()))
            .with("path", "Path", Cells::Path(names.iter().map(|n| Some(vec![n.clone(), String::new()])).collect()))
            .with("x", "X", Cells::Number(floats.clone()));
        let out = csv::table(&t, Dialect::Plain);
        let mut rows = 0;
        for (i, row) in ::csv::ReaderBuilder::new().from_reader(out.as_bytes()).records().enumerate() {
            let row = row.unwrap();
            prop_assert_eq!(&row[0], names[i].as_str());
            let path: Vec<String> = serde_json::from_str(&row[1]).unwrap();
            prop_assert_eq!(&path[0], &names[i]);
            prop_assert_eq!(row[2].parse::<f64>().ok(), floats[i]);
            rows += 1;
        }
        prop_assert_eq!(rows, names.len());
    }

    #[test]
    fn any_name_gives_well_formed_pictures(names in prop::collection::vec(any::<String>(), 5)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let f = common::funnel(&names);
        for svg in [
            f.svg(700.0),
            common::paths(&names, 5).svg(350.0),
            common::flow(&names).svg(700.0),
            common::comparison(&names).svg(350.0),
            common::dropoff(&names).svg(350.0),
            common::matrix(&names, 5).svg(350.0),
            common::curve(&names[..2], 5).svg(700.0),
        ] {
            prop_assert!(roxmltree::Document::parse(&svg).is_ok(), "{}", svg);
        }
    }

    #[test]
    fn any_name_stays_inside_its_cell(name in any::<String>()) {
        let t = small_table(&[&name]);
        let out = markdown::table(&t);
        prop_assert_eq!(out.lines().count(), 5);
        let lines = text::table(&t, &TextOptions::default());
        prop_assert!(!lines.contains(|c: char| c.is_control() && c != '\n'));
    }
}
