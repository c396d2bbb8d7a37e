//! Questions as JSON documents: what a report prints, any door reads.

use std::path::Path;

use clap::ArgMatches;
use desireline::engine::Breakdown;
use desireline::expr::Expr;
use desireline::registry::{Entry, FieldKind};
use serde_json::Value;

use crate::error::CliError;
use crate::input::{Wanted, columns_of, text, texts};
use crate::stdin;

/// The name and the question in the document that the command line names.
pub(crate) fn question(m: &ArgMatches) -> Result<(String, Value), CliError> {
    let place = text(m, "spec").unwrap_or_default();
    let wrong = |what: String| CliError::Usage(format!("the question in `{place}` {what}"));
    let written = match place {
        "-" if texts(m, "files").contains(&"-") => {
            return Err(CliError::Usage(
                "standard input cannot be both the question and the events".to_owned(),
            ));
        }
        "-" => stdin::text()?,
        _ if place.trim_start().starts_with('{') && !Path::new(place).exists() => place.to_owned(),
        _ => std::fs::read_to_string(place).map_err(|e| {
            wrong(format!(
                "cannot be read: {e}; give a file, `-` or the JSON itself"
            ))
        })?,
    };
    let document: Value =
        serde_json::from_str(&written).map_err(|e| wrong(format!("is no JSON: {e}")))?;
    let Value::Object(mut fields) = document else {
        return Err(wrong(
            "is no JSON object such as {\"analysis\": \"paths\", \"spec\": {}}".to_owned(),
        ));
    };
    let named = fields
        .get("analysis")
        .and_then(Value::as_str)
        .map(str::to_owned);
    // Their questions are not whole without a map, which their reports name but do not hold.
    if let Some(of_map @ ("overlay" | "feedback")) = named.as_deref() {
        return Err(wrong(format!(
            "is about a map, which it does not hold: ask it again with `desireline {of_map}` and the map"
        )));
    }
    match (text(m, "analysis").map(str::to_owned).or(named), fields.remove("spec")) {
        (Some(name), Some(spec)) => Ok((name, spec)),
        (Some(name), None) => {
            fields.remove("analysis");
            Ok((name, Value::Object(fields)))
        }
        (None, _) => Err(wrong(
            "does not say which analysis it is for; add \"analysis\" to the document, or give --analysis NAME".to_owned(),
        )),
    }
}

/// Adds the columns that a question looks at. `spec` is as the engine writes it.
pub(crate) fn columns(name: &str, spec: &Value, names: &mut Vec<Wanted>) {
    let Ok(entry) = Entry::find(name) else {
        return;
    };
    let of = spec.get("of").unwrap_or(spec);
    for field in entry.fields() {
        let kind = match &field.kind {
            FieldKind::List(inner) => inner.as_ref(),
            kind => kind,
        };
        if *kind == FieldKind::Expression
            && let Some(value) = of.get(&field.name)
        {
            expressions(value, names);
        }
    }
    let how = spec.get("how");
    let groups = spec.get("groups").or_else(|| how?.get("groups"));
    match groups.map(|g| serde_json::from_value(g.clone())) {
        Some(Ok(Breakdown::Attribute { by, .. })) => names.push(Wanted::named(&by)),
        Some(Ok(Breakdown::Segments { segments })) => {
            for segment in segments {
                columns_of(&segment.expr, names);
            }
        }
        _ => {}
    }
    let stratify = how.and_then(|h| h.get("stratify")).and_then(Value::as_str);
    names.extend(stratify.map(Wanted::named));
}

/// An expression, an object with one in `expr`, or a list of such.
fn expressions(value: &Value, names: &mut Vec<Wanted>) {
    match value {
        Value::String(text) => {
            if let Ok(expr) = Expr::parse(text) {
                columns_of(&expr, names);
            }
        }
        Value::Array(list) => list.iter().for_each(|v| expressions(v, names)),
        Value::Object(fields) => {
            if let Some(expr) = fields.get("expr") {
                expressions(expr, names);
            }
        }
        _ => {}
    }
}
