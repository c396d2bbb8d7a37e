//! What `map check` says, for people, for programs and for the tools that show such things in their place: text, JSON, SARIF.

use std::fmt::Write as _;

use desireline_core::map::check::{Code, Level, Notice};
use desireline_core::map::{Form, MapFile};
use desireline_core::overlay::MapCheck;
use serde_json::{Value, json};

use crate::format;
use crate::names;

/// A document that was looked at.
#[derive(Clone, Debug)]
pub struct CheckedFile<'f> {
    /// Where it lies, as the caller named it.
    pub path: &'f str,
    /// Its text.
    pub text: &'f str,
    /// What was said.
    pub check: MapCheck,
}

/// A line for each thing that is said, with the line of the document below it, and a summary of each document.
///
/// ```text
/// shop.yaml:12:5: warning W-GOAL: no goal says what customers want in `Compares`; add a goal with `stages: [compare]`
///       - id: compare
///         ^^^^^^^^^^^
/// shop.yaml: 1 warning
/// ```
pub fn text(files: &[CheckedFile<'_>]) -> String {
    let mut out = String::new();
    for file in files {
        let path = names::for_terminal(file.path);
        for notice in &file.check.report.notices {
            let place = notice
                .at
                .map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
            let told = names::for_terminal(&notice.told()).into_owned();
            let _ = writeln!(
                out,
                "{path}{place}: {} {}: {told}",
                notice.level.word(),
                notice.code
            );
            let shown = notice
                .at
                .and_then(|at| desireline_core::map::line_at(file.text, at));
            for line in shown.iter().flat_map(|s| s.lines()) {
                let _ = writeln!(out, "    {}", names::for_terminal(line).trim_end());
            }
        }
        let _ = writeln!(out, "{path}: {}", summary(file));
    }
    out
}

fn summary(file: &CheckedFile<'_>) -> String {
    let count = |level| file.check.report.of(level).count();
    let mut parts: Vec<String> = [
        (Level::Error, "error"),
        (Level::Warning, "warning"),
        (Level::Info, "remark"),
    ]
    .into_iter()
    .filter(|(level, _)| count(*level) > 0)
    .map(|(level, word)| match count(level) {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    })
    .collect();
    if parts.is_empty() {
        parts.push("nothing to say".to_owned());
    }
    let mut line = parts.join(", ");
    if let Some(coverage) = &file.check.coverage {
        let seen = coverage.touchpoints.iter().filter(|t| t.events > 0).count();
        let _ = write!(
            line,
            "; {} of {} of {} belong to {}",
            format::count(coverage.bound_events),
            format::counted(coverage.events, "event"),
            format::counted(coverage.customers, "customer"),
            format::counted(seen as u64, "touchpoint"),
        );
        if let Some(why) = &coverage.tracking_unknown {
            let _ = write!(line, "; whether tracking changed was not looked at: {why}");
        }
    }
    line
}

/// Everything as JSON: a list of documents with `notices` and, where a log was there, `coverage`.
pub fn json(files: &[CheckedFile<'_>]) -> String {
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({
                "path": file.path,
                "id": MapFile::read(file.text, Form::guess(file.text)).ok().map(|f| f.map().id.to_string()),
                "notices": file.check.report.notices,
                "coverage": file.check.coverage,
            })
        })
        .collect();
    pretty(&json!({ "files": files }))
}

/// SARIF 2.1.0, which code hosts and editors show at the lines it names.
pub fn sarif(files: &[CheckedFile<'_>]) -> String {
    let rules: Vec<Value> = Code::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.as_str(),
                "shortDescription": { "text": code.summary() },
                "defaultConfiguration": { "level": level(code.level()) },
            })
        })
        .collect();
    let results: Vec<Value> = files
        .iter()
        .flat_map(|file| file.check.report.notices.iter().map(|n| result(file, n)))
        .collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "desireline",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

fn result(file: &CheckedFile<'_>, notice: &Notice) -> Value {
    // A document as a whole is pointed at by its first line.
    let (line, column) = notice.at.map_or((1, 1), |at| (at.line, at.column));
    let rule = Code::ALL.iter().position(|c| *c == notice.code);
    json!({
        "ruleId": notice.code.as_str(),
        "ruleIndex": rule,
        "level": level(notice.level),
        "message": { "text": notice.told() },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(file.path) },
                "region": { "startLine": line, "startColumn": column },
            },
            "logicalLocations": [{ "fullyQualifiedName": notice.pointer }],
        }],
    })
}

/// A path as a relative reference: what is special in a URI is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
