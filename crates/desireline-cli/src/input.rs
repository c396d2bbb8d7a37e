//! From options to journeys.

use clap::ArgMatches;
use desireline::expr::{Expr, Field, Scope};
use desireline::io::{self, Columns, Delimiter, Format, IoError, Limits, Source, TimeUnit};
use desireline::{Error, Exec, JourneyRule, Journeys, Log, SpecError};

use crate::error::CliError;
use crate::progress::Bar;
use crate::sources::Own;
use crate::{interrupt, output, stdin};

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

/// An attribute that a question looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    name: String,
    /// Written `attr.NAME`: the column of that name, and not what was declared as the channel.
    exact: bool,
    /// Whether the log may do without it.
    if_there: bool,
}

impl Wanted {
    /// An attribute by its bare name.
    pub(crate) fn named(name: &str) -> Wanted {
        Wanted {
            name: name.to_owned(),
            exact: false,
            if_there: false,
        }
    }

    /// The same where its absence is somebody else's to tell.
    pub(crate) fn if_there(self) -> Wanted {
        Wanted {
            if_there: true,
            ..self
        }
    }
}

/// Where an option's value is looked for: in a source of its own first, then among the options.
#[derive(Clone, Copy)]
struct Given<'m> {
    m: &'m ArgMatches,
    own: Option<&'m Own>,
}

impl<'m> Given<'m> {
    fn text(self, name: &str) -> Option<&'m str> {
        // Whoever says what every row is, has no column of events, and the other way round.
        let other = match name {
            "event" => "every-row",
            "every-row" => "event",
            _ => "",
        };
        let key = if name == "input-format" {
            "format"
        } else {
            name
        };
        match self.own {
            Some(own) if own.text(key).is_some() => own.text(key),
            Some(own) if own.text(other).is_some() => None,
            _ => text(self.m, name),
        }
    }
}

/// Whether the options name a log.
pub(crate) fn has_log(m: &ArgMatches) -> bool {
    !texts(m, "files").is_empty() || !texts(m, "log-source").is_empty()
}

/// Reads the log. `names` are further columns that the question needs.
pub(crate) fn log(m: &ArgMatches, names: &[Wanted]) -> Result<Log, CliError> {
    if let Some(log) = snapshot(m)? {
        return Ok(log);
    }
    let own = texts(m, "log-source")
        .into_iter()
        .map(Own::read)
        .collect::<Result<Vec<_>, _>>()?;
    let files = texts(m, "files");
    let bar = Bar::new("reading", m);
    let ready = |columns: Columns| columns.on_progress(bar.reading()).cancel(interrupt::flag());
    let nothing = |e: IoError| match e {
        IoError::Log(Error::EmptyLog { quarantined }) => {
            let paths = own.iter().map(|o| o.path.as_str());
            let all: Vec<&str> = files.iter().copied().chain(paths).collect();
            nothing(&all, quarantined)
        }
        e => e.into(),
    };
    // Held until the log is built: what came through a pipe goes when this does.
    let (source, _piped) = stdin::source(&files, text(m, "input-format").is_some())?;
    let mut sources = Vec::with_capacity(own.len() + 1);
    if !files.is_empty() || own.is_empty() {
        output::spare_inputs(text(m, "output"), &source.files()?)?;
        sources.push((source, ready(columns(Given { m, own: None }, names)?)));
    }
    for own in &own {
        let source = Source::from(own.path.as_str());
        output::spare_inputs(text(m, "output"), &source.files()?)?;
        let given = Given { m, own: Some(own) };
        sources.push((source, ready(columns(given, names)?)));
    }
    let log = match (own.is_empty(), sources.pop()) {
        (true, Some((source, columns))) => io::read(source, &columns).map_err(nothing)?,
        (_, last) => {
            sources.extend(last);
            io::read_sources(sources).map_err(nothing)?
        }
    };
    bar.finish();
    Ok(log)
}

/// Which columns of a source are what.
fn columns(given: Given<'_>, names: &[Wanted]) -> Result<Columns, CliError> {
    let Given { m, own } = given;
    let text = |name: &str| given.text(name);
    for name in ["customer", "time", "event"] {
        let every_row = name == "event" && text("every-row").is_some();
        if text(name).is_none() && !every_row {
            return Err(CliError::Usage(match own {
                Some(own) => format!(
                    "--log-source {}: {name}= is missing, and so is --{name}: say which columns hold customer, time and event",
                    own.path
                ),
                None => format!(
                    "--{name} is missing: say which columns hold customer, time and event; only a snapshot, which `desireline convert` writes, knows"
                ),
            }));
        }
    }
    let required = |name: &str| text(name).unwrap_or_default().to_owned();
    let mut columns = match text("every-row") {
        Some(event) => Columns::every_row(required("customer"), required("time"), event),
        None => Columns::new(required("customer"), required("time"), required("event")),
    };
    let taken: Vec<&str> = ["customer", "time", "event", "channel", "session"]
        .iter()
        .filter_map(|n| text(n))
        .collect();
    if let Some(channel) = text("channel") {
        columns = columns.channel(channel);
    }
    if let (Some(value), Some(currency)) = (text("value"), text("currency")) {
        columns = columns.value(value, currency);
    }
    if let Some(tie) = text("tie") {
        columns = columns.tie(tie);
    }
    let rule = rule(m)?;
    columns = match (own, own.and_then(|o| o.text("session")), &rule.column) {
        (_, Some(session), _) => columns.journey(session),
        (None, None, Some(column)) => columns.journey(column),
        // Where a source has no sessions, its events are journeys by customer.
        (Some(_), None, Some(column)) => columns.attribute_if_there(column),
        _ => columns,
    };
    if flag(m, "all-attributes") {
        columns = columns.all_attributes();
    }
    let mut wanted: Vec<Wanted> = texts(m, "attribute")
        .into_iter()
        .map(|name| Wanted {
            name: name.to_owned(),
            exact: true,
            if_there: false,
        })
        .collect();
    wanted.extend_from_slice(names);
    wanted.sort();
    wanted.dedup();
    let called = own.map_or(Ok(Vec::new()), Own::called)?;
    for Wanted {
        name,
        exact,
        if_there,
    } in wanted
    {
        // The log's name may be another one than the column's.
        let column = called.iter().find(|(_, log)| *log == name);
        let name = column.map_or(name, |(column, _)| (*column).to_owned());
        if taken.contains(&name.as_str()) || rule.column.as_ref() == Some(&name) {
            continue;
        }
        let declared = name == "channel" && !exact && text("channel").is_some();
        // Of several sources not each has every column.
        columns = if declared || if_there || own.is_some() {
            // The declared channel is meant, unless there is such a column too: then it has to be said which.
            columns.attribute_if_there(name)
        } else {
            columns.attribute(name.as_str())
        };
    }
    for (column, name) in called {
        columns = columns.call(column, name);
    }
    columns = columns.limits(limits(&texts(m, "limit"))?);
    if let Some(zone) = text("zone") {
        columns = columns.zone(zone);
    }
    if let Some(unit) = text("time-unit") {
        if !["s", "ms", "us", "ns"].contains(&unit) {
            return Err(CliError::Usage(format!(
                "time-unit `{unit}` is none of s, ms, us and ns"
            )));
        }
        columns = columns.time_unit(time_unit(unit));
    }
    if let Some(delimiter) = text("delimiter") {
        columns = columns.delimiter(self::delimiter(delimiter)?);
    }
    if own.map_or(flag(m, "no-header"), |o| o.no_header) {
        columns = columns.no_header();
    }
    if let Some(format) = text("input-format") {
        if !["csv", "tsv", "jsonl", "parquet", "arrow"].contains(&format) {
            return Err(CliError::Usage(format!(
                "format `{format}` is none of csv, tsv, jsonl, parquet and arrow"
            )));
        }
        columns = columns.format(self::format(format));
    }
    if let Some(until) = text("observed-until") {
        let micros = desireline::time::parse_instant(until).ok_or_else(|| {
            CliError::Usage(format!(
                "--observed-until `{until}` is no time; write 2026-03-31 or 2026-03-31T12:00:00Z"
            ))
        })?;
        columns = columns.observed_until(micros);
    }
    columns = columns.dedupe(flag(m, "dedupe"));
    if let Some(share) = m.try_get_one::<f64>("max-quarantine-share").ok().flatten() {
        columns = columns.max_quarantine_share(*share);
    }
    if let Some(own) = own {
        columns = columns.shift(own.shift()?);
        if let Some(ids) = own.ids()? {
            columns = columns.ids(ids);
        }
    }
    Ok(columns)
}

/// What says how to read tables of events, and means nothing to a snapshot.
pub(crate) const READING: [&str; 20] = [
    "customer",
    "time",
    "event",
    "every-row",
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
    "max-quarantine-share",
    "limit",
    "observed-until",
    "log-source",
];

/// The log of a snapshot, if that is what was given.
fn snapshot(m: &ArgMatches) -> Result<Option<Log>, CliError> {
    let files = texts(m, "files");
    let mut found = None;
    for file in files.iter().filter(|f| **f != "-") {
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
    output::spare_inputs(text(m, "output"), &[file.into()])?;
    Ok(Some(io::open(file)?))
}

/// What to say of inputs without a single event.
fn nothing(files: &[&str], quarantined: u64) -> CliError {
    let name = match files {
        [one] => format!("`{one}`"),
        [first, rest @ ..] => format!("`{first}` and {} more", rest.len()),
        [] => "the input".to_owned(),
    };
    CliError::Nothing(match quarantined {
        0 => format!(
            "there are no events in {name}; check that it is the file you mean and has rows below its header"
        ),
        n => format!(
            "there are no events in {name}: all {n} rows were put aside; check --customer, --time, --event, --time-unit and --delimiter"
        ),
    })
}

/// The limits, some of them set by `NAME=N`.
fn limits(given: &[&str]) -> Result<Limits, CliError> {
    const NAMES: &str = "field_bytes, line_bytes, block_bytes, columns, decompressed_bytes, decompressed_ratio, names, json_depth";
    let mut limits = Limits::default();
    for text in given {
        let wrong = |what: &str| CliError::Usage(format!("--limit {text}: {what}"));
        let (name, number) = text
            .split_once('=')
            .ok_or_else(|| wrong("write NAME=N, such as json_depth=100"))?;
        let number = bytes(number.trim()).map_err(|_| wrong("what stands after = is no number"))?;
        let size = || usize::try_from(number).map_err(|_| wrong("that is too much"));
        match name.trim().replace('-', "_").as_str() {
            "field_bytes" => limits.field_bytes = size()?,
            "line_bytes" => limits.line_bytes = size()?,
            "block_bytes" => limits.block_bytes = size()?,
            "columns" => limits.columns = size()?,
            "decompressed_bytes" => limits.decompressed_bytes = number,
            "decompressed_ratio" => limits.decompressed_ratio = number,
            "names" => limits.names = size()?,
            "json_depth" => limits.json_depth = size()?,
            _ => return Err(wrong(&format!("there is no such limit; there are {NAMES}"))),
        }
    }
    Ok(limits)
}

pub(crate) fn time_unit(word: &str) -> TimeUnit {
    match word {
        "s" => TimeUnit::Seconds,
        "ms" => TimeUnit::Millis,
        "us" => TimeUnit::Micros,
        _ => TimeUnit::Nanos,
    }
}

pub(crate) fn format(word: &str) -> Format {
    match word {
        "csv" => Format::Csv,
        "tsv" => Format::Tsv,
        "jsonl" => Format::JsonLines,
        "parquet" => Format::Parquet,
        _ => Format::ArrowIpc,
    }
}

pub(crate) fn delimiter(text: &str) -> Result<Delimiter, CliError> {
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
    JourneyRule::from_parts(texts(m, "journey")).map_err(|e| {
        CliError::Usage(match e {
            Error::Spec(SpecError::Field { problem, .. }) => format!("--journey: {problem}"),
            e => format!("--journey: {e}"),
        })
    })
}

/// Reads the log, cuts it and applies the selections. `names` are further columns that the question needs.
pub(crate) fn journeys(m: &ArgMatches, names: &[Wanted]) -> Result<Journeys, CliError> {
    let rule = rule(m)?;
    let mut needed = names.to_vec();
    needed.extend(selected(m)?);
    cut(m, &log(m, &needed)?, rule)
}

/// The columns that the rule and the selections of the options look at.
pub(crate) fn selected(m: &ArgMatches) -> Result<Vec<Wanted>, CliError> {
    let rule = rule(m)?;
    let mut needed = Vec::new();
    for expr in rule.start.iter().chain(&rule.end) {
        columns_of(expr, &mut needed);
    }
    for option in [WHERE, KEEP_EVENTS, KEEP_JOURNEYS] {
        for condition in texts(m, option.trim_start_matches('-')) {
            columns_of(&parse(option, condition)?, &mut needed);
        }
    }
    Ok(needed)
}

/// Cuts a log by a rule and applies the selections of the options.
pub(crate) fn cut(m: &ArgMatches, log: &Log, rule: JourneyRule) -> Result<Journeys, CliError> {
    let mut journeys = match join(&texts(m, "where"))? {
        Some(all) => log
            .keep_events(&all)
            .map_err(|e| bound(WHERE, &all, e))?
            .journeys(rule)?,
        None => log.journeys(rule)?,
    };
    for condition in texts(m, "keep-journeys") {
        journeys = journeys
            .keep_journeys(condition)
            .map_err(|e| bound(KEEP_JOURNEYS, condition, e))?;
    }
    for condition in texts(m, "keep-events") {
        journeys = journeys
            .keep_events(condition)
            .map_err(|e| bound(KEEP_EVENTS, condition, e))?;
    }
    interrupt::check()?;
    Ok(journeys)
}

const WHERE: &str = "--where";
const KEEP_EVENTS: &str = "--keep-events";
const KEEP_JOURNEYS: &str = "--keep-journeys";

/// The error of a condition that does not fit the log, with the option it stands in.
fn bound(option: &'static str, text: &str, error: Error) -> CliError {
    match error {
        Error::Expr(source) | Error::Spec(SpecError::Expr { source, .. }) => CliError::Condition {
            option,
            text: text.to_owned(),
            source,
        },
        error => error.into(),
    }
}

/// Several conditions hold together.
fn join(conditions: &[&str]) -> Result<Option<String>, CliError> {
    if let [one] = conditions {
        return Ok(Some((*one).to_owned()));
    }
    let parsed = conditions
        .iter()
        .map(|c| parse(WHERE, c))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(parsed.into_iter().reduce(Expr::and).map(|e| e.to_string()))
}

/// Reads the expression of an option; a mistake is shown at its place.
pub(crate) fn parse(option: &str, condition: &str) -> Result<Expr, CliError> {
    Expr::parse(condition).map_err(|e| {
        CliError::Usage(format!(
            "{option} cannot be read:\n{}",
            e.snippet(condition)
        ))
    })
}

/// Adds the attribute columns that an expression looks at.
pub(crate) fn columns_of(expr: &Expr, names: &mut Vec<Wanted>) {
    for field in expr.fields() {
        if let Field::Attribute { name, scope } = field {
            let exact = scope != Scope::Any;
            names.push(Wanted {
                name,
                exact,
                if_there: false,
            });
        }
    }
}

/// How to run.
pub(crate) fn exec(m: &ArgMatches, bar: &Bar) -> Result<Exec, CliError> {
    let mut exec = Exec::new()
        .on_progress(bar.running())
        .cancel_with(interrupt::token());
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
    fn limits_are_read() {
        assert_eq!(limits(&[]).unwrap(), Limits::default());
        let given = limits(&["json_depth=100", "field-bytes=2MiB"]).unwrap();
        assert_eq!((given.json_depth, given.field_bytes), (100, 2 << 20));
        for bad in ["json_depth", "depth=3", "names=many", "names=-1"] {
            assert!(limits(&[bad]).is_err(), "{bad}");
        }
    }

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
