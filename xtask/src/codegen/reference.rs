//! A reference page for each analysis: the question, its fields, the report's fields, and the tables, from a real run.

use std::fmt::Write as _;

use arrow::error::ArrowError;
use desireline_core::engine::Exec;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::registry::{FieldKind, from_spec};
use desireline_core::report::{Cells, Table};
use desireline_io::simulate::{SimulateError, Simulation};
use desireline_io::{Columns, read_batches};
use serde_json::{Map, Value};

use super::schema::{Class, Classes, Field, Type, prose};
use super::{Beside, Model, Problem};

/// Customers of the log whose report's tables the pages describe.
const CUSTOMERS: u64 = 300;

/// The list of pages.
pub(crate) fn index(models: &[Model]) -> String {
    let mut out = String::from(
        "# Analyses\n\nOne page for each question that can be asked of journeys. The same names stand in Rust, in Python and on the command line.\n\n",
    );
    for model in models {
        let first = prose(&model.spec.doc)
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .replace('\n', " ");
        let _ = writeln!(out, "- [`{}`]({}.md): {first}", model.name, model.name);
    }
    out.push_str("- [`compare`](compare.md): What differs between groups of journeys, in whatever one of these measures?\n");
    out
}

/// The pages, in the order of the models.
pub(crate) fn pages(models: &[Model]) -> Result<Vec<String>, Problem> {
    let journeys = journeys()?;
    models
        .iter()
        .map(|m| page(m, &tables(m, &journeys)?))
        .collect()
}

fn page(model: &Model, tables: &[Table]) -> Result<String, Problem> {
    let mut out = format!("# `{}`\n\n{}\n", model.name, prose(&model.spec.doc));
    out.push_str("\n## Fields of the question\n\n| field | takes | unless given | meaning |\n|---|---|---|---|\n");
    for field in &model.spec.fields {
        let unless = match (&field.default, field.required) {
            (_, true) => "needed".to_owned(),
            (None, false) => "none".to_owned(),
            (Some(value), false) => format!("`{value}`"),
        };
        let _ = writeln!(
            out,
            "| `{}` | {} | {unless} | {} |",
            field.name,
            takes(&field.kind),
            cell(&field.doc)
        );
    }
    parts(&mut out, &model.spec_classes, "##");
    out.push_str("\n## Tables of the report\n\nThe order and the names are part of the interface. In frames, an estimate `x` takes the columns `x`, `x_lower`, `x_upper` and `x_n`; a rate has `x_count` besides.\n");
    for table in tables {
        let _ = write!(
            out,
            "\n### `{}`: {}\n\n| column | holds | heading |\n|---|---|---|\n",
            table.name, table.title
        );
        for column in &table.columns {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} |",
                column.name,
                holds(&column.cells),
                cell(&column.label)
            );
        }
    }
    out.push_str("\n## Fields of the report\n\nIn Rust and Python as attributes, in JSON under `report`. Times and lengths of time are whole microseconds.\n\n");
    fields(&mut out, &model.report);
    parts(&mut out, &model.report_classes, "##");
    let _ = write!(
        out,
        "\n## From outside\n\n- JSON Schema of the question: [`{0}.spec.json`](../../schemas/{0}.spec.json), of the report: [`{0}.report.json`](../../schemas/{0}.report.json)\n- Command line: `desireline {0} --help`\n- Python: `help(desireline.Journeys.{0})`\n",
        model.name
    );
    Ok(out)
}

/// The page on comparing groups.
pub(crate) fn compare(how: &Beside, report: &Beside) -> String {
    let mut out = String::from(
        "# Comparing groups\n\nAny analysis that measures more than counts can be compared between groups of journeys. In JSON, and in a report's `spec`, a comparison of the question `of` is `{\"of\": {…}, \"how\": {…}}` under the name of the analysis.\n\n",
    );
    out.push_str(&prose(&how.0.doc));
    out.push_str("\n\n## Fields of `how`\n\n");
    fields(&mut out, &how.0);
    parts(&mut out, &how.1, "##");
    out.push_str("\n## Fields of the report\n\n");
    out.push_str(&prose(&report.0.doc));
    out.push_str("\n\n");
    fields(&mut out, &report.0);
    parts(&mut out, &report.1, "##");
    out.push_str("\n## From outside\n\n- JSON Schema of `how`: [`compare.spec.json`](../../schemas/compare.spec.json), of the report: [`compare.report.json`](../../schemas/compare.report.json)\n- Command line: `desireline compare --help`\n- Python: `help(desireline.Journeys.compare)`\n");
    out
}

fn parts(out: &mut String, classes: &Classes, level: &str) {
    for class in classes.values() {
        let _ = write!(
            out,
            "\n{level}# `{}`\n\n{}\n\n",
            class.name,
            prose(&class.doc)
        );
        fields(out, class);
    }
}

fn fields(out: &mut String, class: &Class) {
    out.push_str("| field | holds | meaning |\n|---|---|---|\n");
    for Field {
        name, kind, doc, ..
    } in &class.fields
    {
        let _ = writeln!(out, "| `{name}` | {} | {} |", takes(kind), cell(doc));
    }
}

/// Text in a cell of a Markdown table.
fn cell(doc: &str) -> String {
    prose(doc).replace('\n', " ").replace('|', "\\|")
}

fn takes(kind: &Type) -> String {
    match kind {
        Type::Expression => "expression".to_owned(),
        Type::TimeSpan => "length of time, such as `30m`".to_owned(),
        Type::Integer => "whole number".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Boolean => "yes or no".to_owned(),
        Type::Text => "text".to_owned(),
        Type::Choice(words) => words
            .iter()
            .map(|w| format!("`{w}`"))
            .collect::<Vec<_>>()
            .join(" or "),
        Type::List(inner) => format!("list of {}", takes(inner)),
        Type::Tuple(kinds) => kinds.iter().map(takes).collect::<Vec<_>>().join(" with "),
        Type::Map(_) => "object".to_owned(),
        Type::Class(name) => format!("`{name}`"),
        Type::Union(kinds) => kinds.iter().map(takes).collect::<Vec<_>>().join(" or "),
        Type::Optional(inner) => format!("{}, or nothing", takes(inner)),
        Type::Any => "JSON".to_owned(),
    }
}

fn holds(cells: &Cells) -> &'static str {
    match cells {
        Cells::Text(_) => "text",
        Cells::Flag(_) => "yes or no",
        Cells::Count(_) => "count",
        Cells::Number(_) => "number",
        Cells::Share(_) => "exact share",
        Cells::Rate(_) => "rate with interval",
        Cells::Estimate(_) => "estimate with interval",
        Cells::Duration(_) => "length of time",
        Cells::Time(_) => "point in time",
        Cells::Probability(_) => "probability",
        Cells::Path(_) => "path",
        Cells::Money { .. } => "money",
        _ => "other",
    }
}

fn journeys() -> Result<Journeys, Problem> {
    let shop = Simulation::shop(CUSTOMERS).prepare()?;
    let columns = Columns::new("customer_id", "time", "event")
        .channel("channel")
        .value("value", "EUR")
        .tie("seq")
        .attributes(["device"]);
    let batches = shop.batches(1 << 14).map(|b| {
        b.map_err(|e| match e {
            SimulateError::Arrow(e) => e,
            other => ArrowError::ExternalError(Box::new(other)),
        })
    });
    let log = read_batches(batches, &shop.schema(), "simulation", &columns)?;
    Ok(log.journeys(JourneyRule::gap("30m")?)?)
}

/// The tables of a small example, for their names and columns.
fn tables(model: &Model, journeys: &Journeys) -> Result<Vec<Table>, Problem> {
    let analysis = from_spec(model.name, example(model))?;
    let answers = journeys.run_dyn(&[analysis], &Exec::new().threads(1)?)?;
    Ok(answers
        .first()
        .map_or_else(Vec::new, |a| a.report.as_report().tables()))
}

/// A question of the analysis about the simulated shop: its needed fields, and the goal where it has one.
fn example(model: &Model) -> Value {
    let mut spec = Map::new();
    for field in desireline_core::registry::fields(&model.spec_schema) {
        let goal = field.name.starts_with("goal");
        let value = match field.kind {
            FieldKind::Expression if field.required || goal => Value::from("purchase"),
            FieldKind::List(inner) if *inner == FieldKind::Expression && goal => {
                Value::from(vec!["purchase"])
            }
            FieldKind::List(inner) if *inner == FieldKind::Expression && field.required => {
                Value::from(vec!["product_view", "payment", "purchase"])
            }
            _ => continue,
        };
        spec.insert(field.name, value);
    }
    Value::Object(spec)
}
