//! The generated files of the Python package: questions with their methods, and reports with typed attributes.

mod text;
mod types;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use self::text::{all, doc, import, or, wrapped};
use self::types::{held, python_name, reading, value, written};
use super::schema::{Class, Classes, Field, Type, prose};
use super::{Beside, Model, Problem};

/// What a report's base class already means; a field of one of these names would hide it.
const TAKEN: &[&str] = &[
    "analysis",
    "cells",
    "explain",
    "members",
    "plot",
    "provenance",
    "spec",
    "svg",
    "tables",
    "text",
    "title",
    "to_csv",
    "to_html",
    "to_json",
    "to_markdown",
    "to_pandas",
    "to_polars",
];

const HEADER: &str = "# Written by `cargo run -p xtask -- codegen`; edit the engine's documentation comments instead.\n";

/// `_analyses.py`: a dataclass for each question, and the methods of `Journeys`.
pub(crate) fn analyses(models: &[Model], how: &Beside) -> Result<String, Problem> {
    let mut shared = Classes::new();
    for model in models {
        merge(&mut shared, &model.spec_classes, model.name)?;
    }
    let mut body = String::new();
    for class in in_order(&shared) {
        dataclass(&mut body, class, "", "");
    }
    for model in models {
        question(&mut body, model);
    }
    let mut methods = String::new();
    for model in models {
        method(&mut methods, model);
    }
    comparison(&mut methods, &how.0);
    let names: Vec<String> = models
        .iter()
        .map(|m| m.spec.name.clone())
        .chain(shared.keys().cloned())
        .collect();
    let reports: Vec<String> = models
        .iter()
        .map(|m| m.report.name.clone())
        .chain(["CompareReport".to_owned()])
        .collect();
    let mut out = String::from(
        "\"\"\"The questions that can be asked of journeys, one class and one method each.\"\"\"\n\n",
    );
    out.push_str(HEADER);
    out.push_str(
        "\nfrom __future__ import annotations\n\nfrom collections.abc import Mapping, Sequence\nfrom dataclasses import KW_ONLY, dataclass\nfrom typing import Any, ClassVar, Literal, TypeAlias, cast, overload\n\nfrom ._expr import Condition\nfrom ._report import GroupedReport\n",
    );
    import(&mut out, "._reports", &reports);
    out.push_str(
        "from ._spec import Groups, Question, Spec, compared\nfrom ._time import Span\n\n",
    );
    all(
        &mut out,
        names
            .iter()
            .map(String::as_str)
            .chain(["QUESTIONS", "Questions"]),
    );
    out.push_str("\nJson: TypeAlias = Any\n\"\"\"JSON-ready data.\"\"\"\n");
    out.push_str(&body);
    out.push_str("\n\nQUESTIONS: dict[str, type[Spec]] = {\n");
    for model in models {
        let _ = writeln!(out, "    \"{}\": {},", model.name, model.spec.name);
    }
    out.push_str("}\n\"\"\"The class of each question, by the name of its analysis.\"\"\"\n");
    out.push_str("\n\nclass Questions:\n    \"\"\"The questions as methods; :class:`Journeys` has them.\"\"\"\n\n    __slots__ = ()\n\n    def _ask(self, asked: Question, by: Groups | None) -> Any:\n        raise NotImplementedError\n");
    out.push_str(&methods);
    Ok(out)
}

/// `_reports.py`: a class with typed attributes for each report, and frozen dataclasses for its parts.
pub(crate) fn reports(
    models: &[Model],
    compared: &Beside,
    summary: &Beside,
) -> Result<String, Problem> {
    let mut shared = Classes::new();
    for model in models {
        merge(&mut shared, &model.report_classes, model.name)?;
    }
    merge(&mut shared, &compared.1, "compare")?;
    merge(&mut shared, &summary.1, "summary")?;
    let mut out = String::from(
        "\"\"\"Reports with typed attributes, and the parts that they are made of.\"\"\"\n\n",
    );
    out.push_str(HEADER);
    out.push_str("\nfrom __future__ import annotations\n\nfrom collections.abc import Mapping\nfrom dataclasses import dataclass\nfrom functools import cached_property\nfrom typing import Any, Literal\n\nfrom ._report import GraphReport, Report\n\n");
    let names = models
        .iter()
        .map(|m| m.report.name.as_str())
        .chain(shared.keys().map(String::as_str));
    all(
        &mut out,
        names.chain(["CompareReport", "REPORTS", "Summary"]),
    );
    for class in in_order(&shared) {
        dataclass(&mut out, class, ", slots=True", READ);
        reader(&mut out, class);
    }
    for model in models {
        report(&mut out, &model.report, model.name, &prose(&model.spec.doc))?;
    }
    report(&mut out, &compared.0, "compare", "")?;
    report(&mut out, &summary.0, "summary", "")?;
    out.push_str("\n\nREPORTS: dict[str, type[Report]] = {\n");
    for model in models {
        let _ = writeln!(out, "    \"{}\": {},", model.name, model.report.name);
    }
    out.push_str("}\n\"\"\"The class of each report, by the name of its analysis.\"\"\"\n");
    Ok(out)
}

/// The analyses whose report is a graph as well.
const GRAPHS: [&str; 2] = ["transitions", "directly_follows"];

/// Marks the classes that are read, not written.
const READ: &str = "read";

fn merge(into: &mut Classes, from: &Classes, analysis: &str) -> Result<(), Problem> {
    for (name, class) in from {
        match into.get(name) {
            Some(other) if other != class => {
                return Err(format!(
                    "{analysis} has another class `{name}` than an analysis before it; rename one"
                )
                .into());
            }
            Some(_) => {}
            None => {
                into.insert(name.clone(), class.clone());
            }
        }
    }
    Ok(())
}

/// Classes after those that they mention, otherwise by name.
fn in_order(classes: &Classes) -> Vec<&Class> {
    fn visit<'a>(
        name: &str,
        classes: &'a Classes,
        seen: &mut BTreeSet<String>,
        out: &mut Vec<&'a Class>,
    ) {
        let Some(class) = classes.get(name) else {
            return;
        };
        if !seen.insert(name.to_owned()) {
            return;
        }
        for field in &class.fields {
            let mut mentioned = Vec::new();
            mentions(&field.kind, &mut mentioned);
            for other in mentioned {
                visit(&other, classes, seen, out);
            }
        }
        out.push(class);
    }
    let (mut seen, mut out) = (BTreeSet::new(), Vec::new());
    for name in classes.keys() {
        visit(name, classes, &mut seen, &mut out);
    }
    out
}

fn mentions(kind: &Type, into: &mut Vec<String>) {
    match kind {
        Type::Class(name) => into.push(name.clone()),
        Type::List(inner) | Type::Map(inner) | Type::Optional(inner) => mentions(inner, into),
        Type::Union(kinds) | Type::Tuple(kinds) => kinds.iter().for_each(|k| mentions(k, into)),
        _ => {}
    }
}

/// Required fields in the order declared, then the others.
fn ordered(class: &Class) -> impl Iterator<Item = &Field> {
    class
        .fields
        .iter()
        .filter(|f| f.required)
        .chain(class.fields.iter().filter(|f| !f.required))
}

fn field_type(field: &Field, show: fn(&Type) -> String) -> String {
    let kind = show(&field.kind);
    let bare =
        !field.required && field.default.is_none() && !matches!(field.kind, Type::Optional(_));
    if bare && kind != "Any" {
        format!("{kind} | None")
    } else {
        kind
    }
}

fn fields(out: &mut String, class: &Class, show: fn(&Type) -> String, split: bool) {
    let mut keywords = false;
    for field in ordered(class) {
        if split && !field.required && !keywords {
            keywords = true;
            out.push_str("    _: KW_ONLY\n");
        }
        let default = if field.required {
            String::new()
        } else {
            format!(
                " = {}",
                field.default.as_ref().map_or("None".to_owned(), value)
            )
        };
        let _ = writeln!(
            out,
            "    {}: {}{default}",
            python_name(&field.name),
            field_type(field, show)
        );
        doc(out, 4, &prose(&field.doc));
    }
}

fn dataclass(out: &mut String, class: &Class, options: &str, mode: &str) {
    let _ = write!(
        out,
        "\n\n@dataclass(frozen=True{options})\nclass {}:\n",
        class.name
    );
    doc(out, 4, &or(prose(&class.doc), "A part of a question."));
    if !class.fields.is_empty() {
        out.push('\n');
    }
    if mode == READ {
        fields(out, class, held, false);
    } else {
        fields(out, class, written, true);
    }
}

fn reader(out: &mut String, class: &Class) {
    let _ = write!(
        out,
        "\n    @classmethod\n    def _read(cls, d: Mapping[str, Any]) -> {}:\n        return cls(\n",
        class.name
    );
    for field in ordered(class) {
        let _ = writeln!(
            out,
            "            {}={},",
            python_name(&field.name),
            got(field, "d")
        );
    }
    out.push_str("        )\n");
}

fn got(field: &Field, data: &str) -> String {
    let optional = !field.required;
    let access = if optional {
        format!("{data}.get(\"{}\")", field.name)
    } else {
        format!("{data}[\"{}\"]", field.name)
    };
    match (&field.kind, optional) {
        (Type::Optional(_), _) | (_, false) => reading(&field.kind, &access),
        (kind, true) => reading(&Type::Optional(Box::new(kind.clone())), &access),
    }
}

fn question(out: &mut String, model: &Model) {
    let class = &model.spec;
    let _ = write!(
        out,
        "\n\n@dataclass(frozen=True)\nclass {}(Spec):\n",
        class.name
    );
    doc(out, 4, &prose(&class.doc));
    let _ = write!(out, "\n    name: ClassVar[str] = \"{}\"\n", model.name);
    let lists: Vec<String> = class
        .fields
        .iter()
        .filter(|f| is_list(&f.kind))
        .map(|f| format!("\"{}\"", f.name))
        .collect();
    if !lists.is_empty() {
        let _ = writeln!(
            out,
            "    _lists: ClassVar[frozenset[str]] = frozenset({{{}}})",
            lists.join(", ")
        );
    }
    fields(out, class, written, true);
}

fn is_list(kind: &Type) -> bool {
    match kind {
        Type::List(_) => true,
        Type::Optional(inner) => is_list(inner),
        _ => false,
    }
}

fn method(out: &mut String, model: &Model) {
    let (name, spec, report) = (model.name, &model.spec, &model.report.name);
    let signature = |by: &str, returns: &str, default: &str| {
        let mut arguments = vec!["self".to_owned()];
        for field in spec.fields.iter().filter(|f| f.required) {
            arguments.push(format!(
                "{}: {}",
                python_name(&field.name),
                field_type(field, written)
            ));
        }
        arguments.push("*".to_owned());
        for field in spec.fields.iter().filter(|f| !f.required) {
            let set = field.default.as_ref().map_or("None".to_owned(), value);
            arguments.push(format!(
                "{}: {} = {set}",
                python_name(&field.name),
                field_type(field, written)
            ));
        }
        arguments.push(format!("by: {by}{default}"));
        wrapped(
            &format!("    def {name}("),
            &arguments,
            &format!(") -> {returns}:"),
        )
    };
    let grouped = format!("GroupedReport[{report}]");
    let _ = write!(
        out,
        "\n    @overload\n{} ...\n",
        signature("None", report, " = None")
    );
    let _ = write!(
        out,
        "\n    @overload\n{} ...\n",
        signature("Groups", &grouped, "")
    );
    let _ = write!(
        out,
        "\n{}\n",
        signature("Groups | None", &format!("{report} | {grouped}"), " = None")
    );
    let mut text = prose(&spec.doc);
    text.push_str("\n\nArgs:");
    for field in ordered(spec) {
        let line = prose(&field.doc).replace('\n', " ");
        let _ = write!(text, "\n    {}: {line}", python_name(&field.name));
    }
    text.push_str("\n    by: Answer group by group: an attribute's name, `By(...)`, or segments `{\"name\": condition}`.");
    doc(out, 8, &text);
    let given: Vec<String> = ordered(spec)
        .map(|f| {
            let n = python_name(&f.name);
            if f.required { n } else { format!("{n}={n}") }
        })
        .collect();
    let _ = writeln!(
        out,
        "{}",
        wrapped(&format!("        asked = {}(", spec.name), &given, ")")
    );
    let _ = writeln!(
        out,
        "        return cast({report} | {grouped}, self._ask(asked, by))"
    );
}

/// The method that compares groups over any question.
fn comparison(out: &mut String, how: &Class) {
    let settings: Vec<&Field> = ordered(how).filter(|f| f.name != "groups").collect();
    let mut arguments: Vec<String> = [
        "self",
        "by: Groups | None = None",
        "*",
        "on: Question",
        "a: Condition | None = None",
        "b: Condition | None = None",
    ]
    .map(str::to_owned)
    .to_vec();
    for field in &settings {
        let set = field.default.as_ref().map_or("None".to_owned(), value);
        arguments.push(format!(
            "{}: {} = {set}",
            python_name(&field.name),
            field_type(field, written)
        ));
    }
    let _ = write!(
        out,
        "\n{}\n",
        wrapped("    def compare(", &arguments, ") -> CompareReport:")
    );
    let mut text = "What differs between groups of journeys in whatever a question measures: differences with interval, p and q.\n\nNothing here shows a cause.\n\nArgs:".to_owned();
    text.push_str("\n    by: The groups: an attribute's name, `By(...)`, or segments `{\"name\": condition}`.");
    text.push_str("\n    on: The question, such as `Funnel([...])`.");
    text.push_str("\n    a: Instead of `by`: the journeys with an event for which this holds, ...");
    text.push_str(
        "\n    b: ... compared with those for which this holds; with all others unless given.",
    );
    for field in &settings {
        let _ = write!(
            text,
            "\n    {}: {}",
            python_name(&field.name),
            prose(&field.doc).replace('\n', " ")
        );
    }
    doc(out, 8, &text);
    let mut given: Vec<String> = ["on", "by", "a", "b"].map(str::to_owned).to_vec();
    given.extend(
        settings
            .iter()
            .map(|f| format!("{0}={0}", python_name(&f.name))),
    );
    let _ = writeln!(out, "{}", wrapped("        asked = compared(", &given, ")"));
    out.push_str("        return cast(CompareReport, self._ask(asked, None))\n");
}

fn report(out: &mut String, class: &Class, analysis: &str, question: &str) -> Result<(), Problem> {
    let base = if GRAPHS.contains(&analysis) {
        "GraphReport"
    } else {
        "Report"
    };
    let _ = write!(out, "\n\nclass {}({base}):\n", class.name);
    let asked = question.split("\n\n").next().unwrap_or_default();
    doc(out, 4, &or(prose(&class.doc), asked));
    for field in ordered(class).filter(|f| f.name != "caveats") {
        if TAKEN.contains(&field.name.as_str()) {
            return Err(format!(
                "the report of {analysis} has a field `{}`, which every report means otherwise",
                field.name
            )
            .into());
        }
        let name = python_name(&field.name);
        let _ = write!(
            out,
            "\n    @cached_property\n    def {name}(self) -> {}:\n",
            field_type(field, held)
        );
        doc(out, 8, &or(prose(&field.doc), "Not described."));
        let _ = writeln!(out, "        return {}", typed(field));
    }
    Ok(())
}

/// The plain kinds come untyped out of JSON.
fn typed(field: &Field) -> String {
    let expression = got(field, "self._data");
    let plain = expression.starts_with("self._data[");
    if plain && field_type(field, held) != "Any" {
        format!("{expression}  # type: ignore[no-any-return]")
    } else {
        expression
    }
}
