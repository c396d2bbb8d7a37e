//! One self-contained HTML page for a whole log: no script, no request, readable on a phone, printable, in light and dark.
//!
//! The page carries a content security policy that forbids everything but its own style. Every name is escaped by the template
//! engine and set apart by `<bdi>`, so that it can neither become markup nor turn its neighbours round.

mod findings;
mod map;
mod people;

pub use self::map::MapView;

use desireline_core::report::{Caveat, Cells, Provenance, Report, Table};
use desireline_stats::{Estimate, Unit};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::names::visible;
use crate::svg::{NARROW, WIDE, pictures};
use crate::view::{AnswerView, origin};
use crate::{format, panels, words};

/// The template in use unless the caller brings one.
pub const TEMPLATE: &str = include_str!("../templates/page.html");
/// The style sheet, given to the template as `css`.
pub const STYLE: &str = include_str!("../templates/page.css");

/// A page holds this many rows of a table at most.
const ROWS: usize = 200;
const NAME: &str = "page.html";

/// The page of a log: its summary and answers.
pub fn page(
    title: &str,
    summary: Option<&dyn Report>,
    answers: &[AnswerView<'_>],
) -> Result<String> {
    page_from(TEMPLATE, title, summary, answers)
}

/// The page of a map, with answers about the same log below it where there are any. Without a title it has the map's.
pub fn map_page(
    map: &MapView<'_>,
    title: Option<&str>,
    summary: Option<&dyn Report>,
    answers: &[AnswerView<'_>],
) -> Result<String> {
    let own = map.title();
    rendered(TEMPLATE, title.unwrap_or(&own), Some(map), summary, answers)
}

/// The page of a log from the caller's own template, in Jinja's language. It gets what [`TEMPLATE`] uses.
pub fn page_from(
    template: &str,
    title: &str,
    summary: Option<&dyn Report>,
    answers: &[AnswerView<'_>],
) -> Result<String> {
    rendered(template, title, None, summary, answers)
}

fn rendered(
    template: &str,
    title: &str,
    map: Option<&MapView<'_>>,
    summary: Option<&dyn Report>,
    answers: &[AnswerView<'_>],
) -> Result<String> {
    let fail = |source| Error::Template {
        template: NAME.to_owned(),
        source,
    };
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    // A template only ever sees this page's values: its work is bounded by their number.
    env.add_template(NAME, template).map_err(fail)?;
    let first = answers.first().map(|a| a.provenance);
    let shown: Vec<Shown> = answers
        .iter()
        .enumerate()
        .map(|(i, a)| Shown::of(i, a, answers))
        .collect();
    let log = summary.map(|s| context! { title => s.title(), tables => Serde(tables(s)) });
    let mut shared = common_caveats(answers);
    for caveat in summary.into_iter().flat_map(Report::caveats) {
        if !shared.contains(caveat) {
            shared.push(caveat.clone());
        }
    }
    let mut facts = facts(first, answers);
    let map = map.map(MapView::shown);
    if let Some(map) = &map {
        facts = map.facts.clone();
        for caveat in &map.caveats {
            if !shared.contains(caveat) {
                shared.push(caveat.clone());
            }
        }
    }
    let subtitle = match (&map, first) {
        (Some(map), _) => map.subtitle.clone(),
        (None, first) => first.map(subtitle).unwrap_or_default(),
    };
    let origin = match (&map, first) {
        (Some(map), _) => map.origin.clone(),
        (None, first) => first
            .map(|p| visible(&origin(p)).into_owned())
            .unwrap_or_default(),
    };
    env.get_template(NAME)
        .and_then(|t| {
            t.render(context! {
                version => env!("CARGO_PKG_VERSION"),
                css => Value::from_safe_string(STYLE.to_owned()),
                title => visible(title).into_owned(),
                subtitle => subtitle,
                origin => origin,
                map => map.as_ref().map(|m| m.values()),
                facts => Serde(facts),
                caveats => Serde(messages(&shared)),
                answers => Serde(shown),
                summary => log,
            })
        })
        .map_err(fail)
}

#[derive(Serialize)]
struct Shown {
    id: String,
    analysis: String,
    title: String,
    heading: String,
    wide: Vec<Value>,
    narrow: Vec<Value>,
    read: &'static str,
    method: String,
    limits: Vec<&'static str>,
    caveats: Vec<String>,
    tables: Vec<Grid>,
    spec: String,
    origin: String,
}

impl Shown {
    fn of(i: usize, a: &AnswerView<'_>, all: &[AnswerView<'_>]) -> Shown {
        let shared = common_caveats(all);
        let own: Vec<Caveat> = a
            .report
            .caveats()
            .iter()
            .filter(|c| !shared.contains(c))
            .cloned()
            .collect();
        let words = words::of(a.analysis, a.report);
        let drawn = |width| {
            pictures(a.report, width)
                .into_iter()
                .map(Value::from_safe_string)
                .collect()
        };
        Shown {
            id: format!("answer-{}", i + 1),
            analysis: visible(a.analysis).into_owned(),
            title: a.report.title().to_owned(),
            heading: visible(
                &words::finding(a.report).unwrap_or_else(|| words.question.to_owned()),
            )
            .into_owned(),
            wide: drawn(WIDE),
            narrow: drawn(NARROW),
            read: words.read,
            method: words::methods(&a.report.tables()),
            limits: words.limits.to_vec(),
            caveats: messages(&own),
            tables: tables(a.report),
            spec: visible(&a.spec.to_string()).into_owned(),
            origin: visible(&origin(a.provenance)).into_owned(),
        }
    }
}

#[derive(Serialize)]
struct Grid {
    title: String,
    columns: Vec<Head>,
    rows: Vec<Vec<Cell>>,
    /// The places of the columns that stand beside each other: all, or the parts of what no page is wide enough for.
    parts: Vec<Vec<usize>>,
    n_rows: String,
    hidden: Option<String>,
}

#[derive(Serialize)]
struct Head {
    label: String,
    words: bool,
}

#[derive(Serialize)]
struct Cell {
    words: bool,
    parts: Vec<String>,
    interval: Option<String>,
}

fn tables(report: &dyn Report) -> Vec<Grid> {
    report.tables().iter().map(grid).collect()
}

/// How wide tables may be, and how wide their parts are, in units of a short number: a page is as wide as 12 of them, and a table that is
/// a little wider can be read by scrolling or with its cells broken.
const WIDEST: usize = 13;
const PART: usize = 12;

fn parts(table: &Table) -> Vec<Vec<usize>> {
    let is_difference = |e: &Estimate| {
        let signed = [Unit::ProportionDifference, Unit::Effect, Unit::Valence];
        signed.contains(&e.unit)
    };
    let width = |cells: &Cells| match cells {
        // With the signs of three numbers and a word between them.
        Cells::Estimate(v) if v.iter().flatten().any(is_difference) => 3,
        Cells::Rate(_) | Cells::Estimate(_) | Cells::Text(_) | Cells::Path(_) => 2,
        _ => 1,
    };
    let keys = panels::keys(table);
    // A column without any value says nothing but takes the room of one that does.
    let rows = table.n_rows().min(ROWS);
    let told = |cells: &Cells| (0..rows).any(|row| format::cell(cells, row) != format::MISSING);
    let columns = table.columns.iter().enumerate();
    let columns = columns.filter(|(i, c)| *i < keys || rows == 0 || told(&c.cells));
    let (places, widths): (Vec<usize>, Vec<usize>) =
        columns.map(|(i, c)| (i, width(&c.cells))).unzip();
    if widths.iter().sum::<usize>() <= WIDEST {
        return vec![places];
    }
    let parts = panels::split(&widths, keys, 0, PART).into_iter();
    let placed = |part: Vec<usize>| {
        part.iter()
            .filter_map(|i| places.get(*i).copied())
            .collect()
    };
    parts.map(placed).collect()
}

fn grid(table: &Table) -> Grid {
    let n_rows = table.n_rows();
    let head = |c: &desireline_core::report::Column| Head {
        label: visible(&c.label).into_owned(),
        words: format::is_words(&c.cells),
    };
    Grid {
        title: visible(&table.title).into_owned(),
        columns: table.columns.iter().map(head).collect(),
        rows: (0..n_rows.min(ROWS))
            .map(|r| table.columns.iter().map(|c| cell(&c.cells, r)).collect())
            .collect(),
        parts: parts(table),
        n_rows: format::count(n_rows as u64),
        hidden: (n_rows > ROWS).then(|| format::count((n_rows - ROWS) as u64)),
    }
}

fn cell(cells: &Cells, row: usize) -> Cell {
    let words = format::is_words(cells);
    let estimate = match cells {
        Cells::Rate(v) => v.get(row).copied().flatten().and_then(|r| r.estimate),
        Cells::Estimate(v) => v.get(row).copied().flatten(),
        _ => None,
    };
    if let Some(e) = estimate {
        return Cell {
            words,
            parts: vec![format::value(&e)],
            interval: Some(format::interval(&e)),
        };
    }
    if let Cells::Path(v) = cells
        && let Some(path) = v.get(row).and_then(Option::as_ref)
    {
        return Cell {
            words,
            parts: path.iter().map(|p| visible(p).into_owned()).collect(),
            interval: None,
        };
    }
    Cell {
        words,
        parts: vec![visible(&format::cell(cells, row)).into_owned()],
        interval: None,
    }
}

fn messages(caveats: &[Caveat]) -> Vec<String> {
    caveats
        .iter()
        .map(|c| visible(&c.message()).into_owned())
        .collect()
}

/// Caveats of every answer stand once, on the cover.
fn common_caveats(answers: &[AnswerView<'_>]) -> Vec<Caveat> {
    let Some((first, rest)) = answers.split_first() else {
        return Vec::new();
    };
    if rest.is_empty() {
        return Vec::new();
    }
    let everywhere = |c: &&Caveat| rest.iter().all(|a| a.report.caveats().contains(c));
    first
        .report
        .caveats()
        .iter()
        .filter(everywhere)
        .cloned()
        .collect()
}

fn subtitle(p: &Provenance) -> String {
    let mut parts = vec![format!("journeys cut by {}", p.rule)];
    parts.extend(p.selections.iter().cloned());
    if p.n_events > 0 {
        parts.insert(
            0,
            format!(
                "{} to {} (UTC)",
                format::date(p.first_time),
                format::date(p.last_time)
            ),
        );
    }
    visible(&parts.join(" · ")).into_owned()
}

#[derive(Clone, Serialize)]
struct Fact {
    label: String,
    value: String,
    note: String,
}

fn facts(first: Option<&Provenance>, answers: &[AnswerView<'_>]) -> Vec<Fact> {
    let fact = |label: &str, value: String, note: String| Fact {
        label: label.to_owned(),
        value,
        note,
    };
    let mut out = Vec::new();
    if let Some(p) = first {
        out.push(fact(
            "Journeys",
            format::count(p.n_journeys),
            format::counted(p.n_customers, "customer"),
        ));
        let each = p.n_events as f64 / p.n_journeys.max(1) as f64;
        out.push(fact(
            "Events",
            format::count(p.n_events),
            format!("{} a journey", format::number((each * 10.0).round() / 10.0)),
        ));
        let span = p.last_time.saturating_sub(p.first_time);
        out.push(fact(
            "Observed",
            format::duration(span),
            format!("until {}", format::date(p.observed_until)),
        ));
    }
    for (label, value, note) in answers.iter().flat_map(|a| words::facts(a.report)) {
        if !out.iter().any(|f| f.label == label) {
            out.push(Fact {
                label,
                value,
                note: visible(&note).into_owned(),
            });
        }
    }
    out.truncate(6);
    out
}
