//! From options to journeys.

use clap::ArgMatches;
use desireline::expr::{Expr, Field};
use desireline::io::{self, Columns, Delimiter, Format, TimeUnit};
use desireline::{Exec, JourneyRule, Journeys, Log};

use crate::error::CliError;
use crate::progress::Bar;

pub(crate) fn text<'m>(m: &'m ArgMatches, name: &str) -> Option<&'m str> {
    m.try_get_one::<String>(name)
        .ok()
        .flatten()
        .map(String::as_str)
}

pub(crate) fn texts<'m>(m: &'m ArgMatches, name: &str) -> Vec<&'m str> {
    m.try_get_many::<String>(name)
        .ok()
        .flatten()
        .map(|v| v.map(String::as_str).collect())
        .unwrap_or_default()
}

pub(crate) fn flag(m: &ArgMatches, name: &str) -> bool {
    m.try_get_one::<bool>(name)
        .ok()
        .flatten()
        .copied()
        .unwrap_or(false)
}

/// Reads the log. `names` are further columns that the question needs.
pub(crate) fn log(m: &ArgMatches, names: &[String]) -> Result<Log, CliError> {
    if let Some(log) = snapshot(m)? {
        return Ok(log);
    }
    for name in ["customer", "time", "event"] {
        if text(m, name).is_none() {
            return Err(CliError::Usage(format!(
                "--{name} is missing: say which columns hold customer, time and event; only a snapshot, which `desireline convert` writes, knows"
            )));
        }
    }
    let required = |name: &str| text(m, name).unwrap_or_default().to_owned();
    let mut columns = Columns::new(required("customer"), required("time"), required("event"));
    let taken: Vec<String> = ["customer", "time", "event", "channel"]
        .iter()
        .map(|n| required(n))
        .collect();
    if let Some(channel) = text(m, "channel") {
        columns = columns.channel(channel);
    }
    if let (Some(value), Some(currency)) = (text(m, "value"), text(m, "currency")) {
        columns = columns.value(value, currency);
    }
    if let Some(tie) = text(m, "tie") {
        columns = columns.tie(tie);
    }
    let rule = rule(m)?;
    if let Some(column) = &rule.column {
        columns = columns.journey(column);
    }
    if flag(m, "all-attributes") {
        columns = columns.all_attributes();
    }
    let mut wanted: Vec<String> = texts(m, "attribute")
        .into_iter()
        .map(str::to_owned)
        .collect();
    wanted.extend(names.iter().cloned());
    for name in wanted {
        let known = taken.contains(&name)
            || rule.column.as_ref() == Some(&name)
            || (name == "channel" && text(m, "channel").is_some());
        if !known {
            columns = columns.attribute(name.as_str());
        }
    }
    if let Some(zone) = text(m, "zone") {
        columns = columns.zone(zone);
    }
    if let Some(unit) = text(m, "time-unit") {
        columns = columns.time_unit(match unit {
            "s" => TimeUnit::Seconds,
            "ms" => TimeUnit::Millis,
            "us" => TimeUnit::Micros,
            _ => TimeUnit::Nanos,
        });
    }
    if let Some(delimiter) = text(m, "delimiter") {
        columns = columns.delimiter(self::delimiter(delimiter)?);
    }
    if flag(m, "no-header") {
        columns = columns.no_header();
    }
    if let Some(format) = text(m, "input-format") {
        columns = columns.format(match format {
            "csv" => Format::Csv,
            "tsv" => Format::Tsv,
            "jsonl" => Format::JsonLines,
            "parquet" => Format::Parquet,
            _ => Format::ArrowIpc,
        });
    }
    if let Some(until) = text(m, "observed-until") {
        let micros = desireline::time::parse_instant(until).ok_or_else(|| {
            CliError::Usage(format!(
                "--observed-until `{until}` is no time; write 2026-03-31 or 2026-03-31T12:00:00Z"
            ))
        })?;
        columns = columns.observed_until(micros);
    }
    columns = columns.dedupe(flag(m, "dedupe"));
    if let Some(share) = m.try_get_one::<f64>("max-quarantine").ok().flatten() {
        columns = columns.max_quarantine_share(*share);
    }
    let bar = Bar::new("reading", m);
    columns = columns.on_progress(bar.reading());
    let log = io::read(texts(m, "files"), &columns)?;
    bar.finish();
    Ok(log)
}

/// What says how to read tables of events, and means nothing to a snapshot.
const READING: [&str; 17] = [
    "customer",
    "time",
    "event",
    "channel",
    "value",
    "currency",
    "tie",
    "attribute",
    "all-attributes",
    "zone",
    "time-unit",
    "delimiter",
    "no-header",
    "input-format",
    "dedupe",
    "max-quarantine",
    "observed-until",
];

/// The log of a snapshot, if that is what was given.
fn snapshot(m: &ArgMatches) -> Result<Option<Log>, CliError> {
    let files = texts(m, "files");
    let mut found = None;
    for file in &files {
        if io::snapshot::is_snapshot(file)? {
            found = Some(*file);
        }
    }
    let Some(file) = found else {
        return Ok(None);
    };
    if files.len() > 1 {
        return Err(CliError::Usage(format!(
            "`{file}` is a snapshot, which is a whole log: give it alone"
        )));
    }
    let given = READING.into_iter().find(|name| {
        m.try_contains_id(name).is_ok()
            && m.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
    });
    if let Some(name) = given {
        return Err(CliError::Usage(format!(
            "`{file}` is a snapshot, which knows its columns and how it was read: leave out --{name}"
        )));
    }
    Ok(Some(io::open(file)?))
}

fn delimiter(text: &str) -> Result<Delimiter, CliError> {
    match text {
        "tab" | "\\t" => Ok(Delimiter::Byte(b'\t')),
        "blanks" | "whitespace" => Ok(Delimiter::Whitespace),
        _ => match text.as_bytes() {
            [byte] => Ok(Delimiter::Byte(*byte)),
            _ => Err(CliError::Usage(format!(
                "--delimiter `{text}` is no single character; write one, `tab` or `blanks`"
            ))),
        },
    }
}

pub(crate) fn rule(m: &ArgMatches) -> Result<JourneyRule, CliError> {
    Ok(JourneyRule::from_parts(texts(m, "journey"))?)
}

/// Reads the log, cuts it and applies the selections. `names` are further columns that the question needs.
pub(crate) fn journeys(m: &ArgMatches, names: &[String]) -> Result<Journeys, CliError> {
    let rule = rule(m)?;
    let mut needed = names.to_vec();
    for expr in rule.start.iter().chain(&rule.end) {
        columns_of(expr, &mut needed);
    }
    let (events, shown, kept) = (
        texts(m, "where"),
        texts(m, "keep-events"),
        texts(m, "keep-journeys"),
    );
    for condition in events.iter().chain(&shown).chain(&kept) {
        columns_of(&parse(condition)?, &mut needed);
    }
    let log = log(m, &needed)?;
    let mut journeys = match join(&events)? {
        Some(all) => log.keep_events(&all)?.journeys(rule)?,
        None => log.journeys(rule)?,
    };
    for condition in kept {
        journeys = journeys.keep_journeys(condition)?;
    }
    for condition in shown {
        journeys = journeys.keep_events(condition)?;
    }
    Ok(journeys)
}

/// Several conditions hold together.
fn join(conditions: &[&str]) -> Result<Option<String>, CliError> {
    let parsed = conditions
        .iter()
        .map(|c| parse(c))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(parsed.into_iter().reduce(Expr::and).map(|e| e.to_string()))
}

/// Reads an expression; a mistake is shown at its place.
pub(crate) fn parse(condition: &str) -> Result<Expr, CliError> {
    Expr::parse(condition).map_err(|e| {
        CliError::Usage(format!(
            "cannot read this expression:\n{}",
            e.snippet(condition)
        ))
    })
}

/// Adds the attribute columns that an expression looks at.
pub(crate) fn columns_of(expr: &Expr, names: &mut Vec<String>) {
    for field in expr.fields() {
        if let Field::Attribute { name, .. } = field
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
}

/// How to run.
pub(crate) fn exec(m: &ArgMatches, bar: &Bar) -> Result<Exec, CliError> {
    let mut exec = Exec::new().on_progress(bar.running());
    if let Some(n) = m.try_get_one::<u16>("threads").ok().flatten() {
        exec = exec.threads(usize::from(*n))?;
    }
    if let Some(size) = text(m, "memory-budget") {
        exec = exec.memory_budget(bytes(size)?);
    }
    Ok(exec)
}

fn bytes(size: &str) -> Result<u64, CliError> {
    let error = || {
        CliError::Usage(format!(
            "`{size}` is no size; write 512MiB, 4GiB or a number of bytes"
        ))
    };
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match size[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "tib" | "t" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(error()),
    };
    digits
        .trim()
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .ok_or_else(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(bytes("4GiB").unwrap(), 4 << 30);
        assert_eq!(bytes("512 mib").unwrap(), 512 << 20);
        assert_eq!(bytes("77").unwrap(), 77);
        for bad in ["", "GiB", "4 parsecs", "-1", "99999999999GiB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
