//! A hand-made report with every kind of cell.

use desireline_core::report::{Base, Caveat, Cells, Provenance, Rate, Report, Table};
use desireline_report::AnswerView;
use desireline_stats::{Estimate, Method, Unit, wilson};
use serde_json::{Value, json};

#[derive(Debug)]
pub struct HandMade {
    pub tables: Vec<Table>,
    pub caveats: Vec<Caveat>,
}

impl Report for HandMade {
    fn title(&self) -> &'static str {
        "Hand made"
    }
    fn tables(&self) -> Vec<Table> {
        self.tables.clone()
    }
    fn caveats(&self) -> &[Caveat] {
        &self.caveats
    }
    fn caveats_mut(&mut self) -> &mut Vec<Caveat> {
        &mut self.caveats
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

pub fn rate_of(count: u64, n: u64) -> Rate {
    Rate {
        count,
        n,
        base: Base::OfAll,
        estimate: if n < 5 { None } else { wilson(count, n, 0.95) },
    }
}

/// Every kind of cell, each with a missing one, under the given names.
pub fn table(names: &[&str]) -> Table {
    let n = names.len();
    fn cells<T>(n: usize, f: impl Fn(usize) -> T) -> Vec<Option<T>> {
        (0..n).map(|i| (i % 4 != 3).then(|| f(i))).collect()
    }
    let text = names.iter().map(|s| Some((*s).to_owned())).collect();
    let path = (0..n)
        .map(|i| {
            Some(
                names
                    .iter()
                    .cycle()
                    .skip(i)
                    .take(i % 3 + 1)
                    .map(|s| (*s).to_owned())
                    .collect(),
            )
        })
        .collect();
    let days = 86_400_000_000i64;
    Table::new("everything", "Every kind of cell")
        .with("name", "Name", Cells::Text(text))
        .with("path", "Path", Cells::Path(path))
        .with(
            "journeys",
            "Journeys",
            Cells::Count(cells(n, |i| 12_345 / (i as u64 + 1))),
        )
        .with(
            "share",
            "Share of all",
            Cells::Share(cells(n, |i| 0.4 / (i as f64 + 1.0))),
        )
        .with(
            "goal",
            "Goal reached",
            Cells::Rate(cells(n, |i| {
                rate_of(i as u64 * 3 + 1, if i == 1 { 4 } else { 60 })
            })),
        )
        .with(
            "median",
            "Median time",
            Cells::Estimate(cells(n, |i| {
                let v = (i as f64 + 1.3) * days as f64;
                Estimate::new(
                    v,
                    (v * 0.9, v * 1.2),
                    0.95,
                    40,
                    Method::OrderStatistic,
                    Unit::Microseconds,
                )
                .unwrap()
            })),
        )
        .with(
            "wait",
            "Wait",
            Cells::Duration(cells(n, |i| i as i64 * days / 7)),
        )
        .with(
            "first",
            "First seen",
            Cells::Time(cells(n, |i| 1_790_000_000_000_000 + i as i64)),
        )
        .with(
            "q",
            "q",
            Cells::Probability(cells(n, |i| 0.0004 * 10f64.powi(i as i32))),
        )
        .with("loops", "Loops", Cells::Flag(cells(n, |i| i % 2 == 0)))
        .with(
            "score",
            "Score",
            Cells::Number(cells(n, |i| 1.0 / 3.0 * i as f64)),
        )
        .with(
            "value",
            "Value",
            Cells::Money {
                amounts: cells(n, |i| 123_456 - 100_000 * i as i64),
                currency: "EUR".into(),
                exponent: 2,
            },
        )
}

/// A narrow table, as most are.
pub fn small_table(names: &[&str]) -> Table {
    let full = table(names);
    Table {
        name: "small",
        title: "Small".into(),
        columns: full
            .columns
            .into_iter()
            .filter(|c| ["name", "journeys", "goal", "median"].contains(&c.name.as_str()))
            .collect(),
    }
}

pub fn report(names: &[&str]) -> HandMade {
    HandMade {
        tables: vec![small_table(names), table(names)],
        caveats: vec![
            Caveat::JourneysOpen {
                journeys: 12,
                of: 345,
            },
            Caveat::Note {
                text: format!("about {}", names.first().unwrap_or(&"nothing")),
            },
        ],
    }
}

pub fn provenance() -> Provenance {
    Provenance {
        engine: "0.1.0".into(),
        fingerprint: "7f3a90c2d1e4b5a6".into(),
        rule: "gap > 30m".into(),
        selections: vec!["keep journeys where channel == \"web\"".into()],
        n_events: 31_106,
        n_customers: 600,
        n_journeys: 3_605,
        first_time: 1_751_328_000_000_000,
        last_time: 1_759_276_799_000_000,
        observed_until: 1_759_276_799_000_000,
        seed: None,
    }
}

pub fn spec() -> Value {
    json!({"steps": ["product_view", "purchase"], "within": "7d"})
}

pub fn view<'a>(
    report: &'a HandMade,
    spec: &'a Value,
    provenance: &'a Provenance,
) -> AnswerView<'a> {
    AnswerView {
        analysis: "funnel",
        spec,
        provenance,
        report,
        typed: None,
    }
}
