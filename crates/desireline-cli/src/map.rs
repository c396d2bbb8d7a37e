//! `desireline map`: journey maps as documents, by themselves and held against a log.

mod draw;
mod exchange;
mod people;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use desireline::map::check::{self, CheckOptions, CheckReport, Code};
use desireline::map::{
    self, Date, DocumentKind, Form, JourneyMap, LifecycleDocument, MapError, MapFile, templates,
};
use desireline::overlay::{self, MapCheck};
use desireline::render::map_check::{self as shown, CheckedFile};
use desireline::{Exec, Journeys, Log};

use crate::command::{journeys, reading};
use crate::error::CliError;
use crate::input::{self, Wanted, columns_of, text, texts};
use crate::progress::Bar;
use crate::{interrupt, measuring, output, stdin};

const CHECK_HELP: &str = "\
Errors make the exit code 1: those of the map (E-…), and warnings that --deny or the map's own `checks: {deny: […]}` make errors.
In a git hook: desireline map check maps/*.yaml --deny warnings
In CI, with last month's events: desireline map check maps/*.yaml --log events.arrow --deny W-DEAD --deny W-ORPHAN --format sarif -o map.sarif";

pub(crate) fn today_arg() -> Arg {
    Arg::new("today")
        .long("today")
        .value_name("DATE")
        .help("The day that counts as today, such as 2026-03-31 [default: today]")
}

pub(crate) fn sensitive_arg() -> Arg {
    Arg::new("sensitive")
        .long("sensitive")
        .action(ArgAction::SetTrue)
        .help("Show the facts that personas call sensitive")
        .help_heading("Output")
}

fn out(help: &'static str) -> Arg {
    Arg::new("output")
        .long("output")
        .short('o')
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .help(help)
        .help_heading("Output")
}

pub(crate) fn command() -> Command {
    let new = Command::new("new")
        .about("Write a map to begin with")
        .arg(
            Arg::new("template")
                .long("template")
                .value_name("NAME")
                .default_value("blank")
                .help("Which; `desireline map templates` lists them"),
        )
        .arg(
            Arg::new("id")
                .long("id")
                .value_name("ID")
                .default_value("my-journey")
                .help("The map's id"),
        )
        .arg(
            Arg::new("title")
                .long("title")
                .value_name("TEXT")
                .help("Its title [default: the template's]"),
        )
        .arg(today_arg())
        .arg(out("Write to a file instead of the terminal"));
    let convert = Command::new("convert")
        .about("A map or lifecycle document as YAML or JSON, its keys in their order; comments are lost")
        .arg(Arg::new("file").value_name("FILE").required(true).value_hint(ValueHint::FilePath).help("The document; `-` for standard input"))
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("FORM")
                .value_parser(PossibleValuesParser::new(["yaml", "json"]))
                .help("The form [default: by the name after -o, else the other one]")
                .help_heading("Output"),
        )
        .arg(out("Write to a file instead of the terminal"));
    let schema = Command::new("schema")
        .about("The JSON Schema of maps, for editors and validators")
        .arg(
            Arg::new("lifecycle")
                .long("lifecycle")
                .action(ArgAction::SetTrue)
                .help("That of lifecycle documents instead"),
        )
        .arg(out("Write to a file instead of the terminal"));
    let check = Command::new("check")
        .about("Look at maps by themselves, and against a log with --log: references, rules, what is missing, stale, unbound or dead")
        .after_help(CHECK_HELP)
        .arg(
            Arg::new("maps")
                .value_name("MAP")
                .num_args(1..)
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("Map and lifecycle documents, YAML or JSON; `-` for standard input"),
        )
        .arg(
            Arg::new("deny")
                .long("deny")
                .value_name("CODE")
                .action(ArgAction::Append)
                .help("Make a warning an error, such as W-DEAD; `warnings` means all; may be given several times"),
        )
        .arg(
            Arg::new("allow")
                .long("allow")
                .value_name("CODE")
                .action(ArgAction::Append)
                .help("Say nothing of a warning, such as W-MOT; may be given several times"),
        )
        .arg(today_arg())
        .arg(
            Arg::new("files")
                .long("log")
                .value_name("FILE")
                .action(ArgAction::Append)
                .value_hint(ValueHint::AnyPath)
                .help("The log to hold them against: event files, folders or globs, or one snapshot; may be given several times")
                .help_heading("Input"),
        );
    let check = journeys(reading(check))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["text", "json", "sarif"]))
                .help("The form of the result [default: by the name after -o, else text]")
                .help_heading("Output"),
        )
        .arg(out("Write to a file instead of the terminal"))
        .arg(
            Arg::new("no-progress")
                .long("no-progress")
                .action(ArgAction::SetTrue)
                .help("Show no progress bar")
                .help_heading("Output"),
        );
    Command::new("map")
        .about("Journey maps as documents: begin one, check it, hold it against a log, draw it, exchange it")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(new)
        .subcommand(Command::new("templates").about("The maps to begin with"))
        .subcommand(check)
        .subcommand(draw::command())
        .subcommand(people::diff_command())
        .subcommand(exchange::export_command())
        .subcommand(exchange::import_command())
        .subcommand(convert)
        .subcommand(schema)
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    match m.subcommand() {
        Some(("new", m)) => new(m),
        Some(("templates", _)) => templates(),
        Some(("check", m)) => check(m),
        Some(("draw", m)) => draw::draw(m),
        Some(("diff-personas", m)) => people::diff(m),
        Some(("export", m)) => exchange::export(m),
        Some(("import", m)) => exchange::import(m),
        Some(("convert", m)) => convert(m),
        Some(("schema", m)) => schema(m),
        _ => Ok(()),
    }
}

fn new(m: &ArgMatches) -> Result<(), CliError> {
    let name = text(m, "template").unwrap_or_default();
    let template = templates::find(name).ok_or_else(|| {
        let near = templates::nearest(name).map_or_else(String::new, |n| format!("; did you mean {n}?"));
        CliError::Usage(format!(
            "--template {name}: there is no such template{near} `desireline map templates` lists them"
        ))
    })?;
    let id = text(m, "id").unwrap_or_default();
    let begun = template
        .begin(id, text(m, "title"), today(m)?)
        .map_err(|e| CliError::Usage(format!("--id or --title: {}", e.problems()[0].told())))?;
    let path = text(m, "output");
    if let Some(path) = path.filter(|p| *p != "-" && Path::new(p).exists()) {
        return Err(CliError::Usage(format!(
            "-o {path} exists already; a new map is not written over it"
        )));
    }
    output::put(path, begun.as_bytes())
}

fn templates() -> Result<(), CliError> {
    let width = templates::TEMPLATES
        .iter()
        .map(|t| t.name.len())
        .max()
        .unwrap_or(0);
    let lines: String = templates::TEMPLATES
        .iter()
        .map(|t| format!("{:width$}  {}\n", t.name, t.summary))
        .collect();
    output::put(None, lines.as_bytes())
}

fn schema(m: &ArgMatches) -> Result<(), CliError> {
    let schema = match input::flag(m, "lifecycle") {
        true => map::lifecycle_schema(),
        false => map::map_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n";
    output::put(input::text(m, "output"), text.as_bytes())
}

/// A document and where it came from.
pub(crate) struct Document {
    path: String,
    text: String,
    form: Form,
}

impl Document {
    pub(crate) fn read(path: &str) -> Result<Document, CliError> {
        let (path, text) = text_at(path)?;
        let form = form_of(&path).unwrap_or_else(|| Form::guess(&text));
        Ok(Document { path, text, form })
    }

    /// The map that it is.
    pub(crate) fn map(&self) -> Result<MapFile, CliError> {
        MapFile::read(&self.text, self.form).map_err(|e| self.wrong(&e))
    }

    /// The lifecycle document that it is.
    pub(crate) fn lifecycle(&self) -> Result<LifecycleDocument, CliError> {
        LifecycleDocument::read(&self.text, self.form).map_err(|e| self.wrong(&e))
    }

    fn wrong(&self, error: &MapError) -> CliError {
        CliError::Map {
            path: self.path.clone(),
            told: error.snippets(&self.text),
        }
    }
}

/// The name and the text of a document, `-` being standard input.
fn text_at(path: &str) -> Result<(String, String), CliError> {
    let wrong = |told: String| CliError::Map {
        path: path.to_owned(),
        told,
    };
    let (path, bytes) = match path {
        "-" => ("standard input", stdin::bytes()?),
        _ => (path, std::fs::read(path).map_err(|e| wrong(e.to_string()))?),
    };
    let seen = String::from_utf8_lossy(&bytes).into_owned();
    let text = map::document_text(bytes).map_err(|e| CliError::Map {
        path: path.to_owned(),
        told: e.snippets(&seen),
    })?;
    Ok((path.to_owned(), text))
}

/// The map in a file.
pub(crate) fn open(path: &str) -> Result<MapFile, CliError> {
    Document::read(path)?.map()
}

fn form_of(path: &str) -> Option<Form> {
    match Path::new(path).extension().and_then(|e| e.to_str())? {
        "json" => Some(Form::Json),
        "yaml" | "yml" => Some(Form::Yaml),
        _ => None,
    }
}

fn convert(m: &ArgMatches) -> Result<(), CliError> {
    let document = Document::read(text(m, "file").unwrap_or_default())?;
    let path = text(m, "output");
    output::spare_inputs(path, &[document.path.clone().into()])?;
    let to = match (text(m, "to"), path.and_then(form_of), document.form) {
        (Some("json"), ..) | (None, Some(Form::Json), _) | (None, None, Form::Yaml) => Form::Json,
        _ => Form::Yaml,
    };
    let wrong = |e: &MapError| document.wrong(e);
    let written = match DocumentKind::of(&document.text, document.form) {
        DocumentKind::Map => {
            let map = document.map()?.into_map();
            match to {
                Form::Yaml => map.to_yaml(),
                Form::Json => map.to_json(),
            }
        }
        DocumentKind::Lifecycle => {
            let life = document.lifecycle()?;
            match to {
                Form::Yaml => life.to_yaml(),
                Form::Json => life.to_json(),
            }
        }
    };
    output::put(path, written.map_err(|e| wrong(&e))?.as_bytes())
}

fn today(m: &ArgMatches) -> Result<Date, CliError> {
    if let Some(given) = text(m, "today") {
        return given
            .parse()
            .map_err(|e| CliError::Usage(format!("--today: {e}")));
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    Date::of_micros(micros)
        .ok_or_else(|| CliError::Usage("the clock shows no day; give --today".to_owned()))
}

pub(crate) fn options(m: &ArgMatches) -> Result<CheckOptions, CliError> {
    let code = |option: &str, given: &str| {
        given
            .parse::<Code>()
            .map_err(|e| CliError::Usage(format!("--{option}: {e}")))
    };
    let mut options = CheckOptions::new().today(today(m)?);
    for given in texts(m, "deny") {
        options = match given {
            "warnings" => options.deny_warnings(),
            given => options.deny([code("deny", given)?]),
        };
    }
    for given in texts(m, "allow") {
        let code = code("allow", given)?;
        if code.level() == check::Level::Error {
            return Err(CliError::Usage(format!(
                "--allow: {code} is an error and cannot be allowed"
            )));
        }
        options = options.allow([code]);
    }
    Ok(options)
}

fn check(m: &ArgMatches) -> Result<(), CliError> {
    let documents = texts(m, "maps")
        .into_iter()
        .map(Document::read)
        .collect::<Result<Vec<_>, _>>()?;
    let inputs: Vec<std::path::PathBuf> = documents.iter().map(|d| d.path.clone().into()).collect();
    output::spare_inputs(text(m, "output"), &inputs)?;
    // What can be read, and what is said of the rest.
    let mut options = options(m)?;
    let mut read: Vec<Result<Option<MapFile>, MapError>> = Vec::with_capacity(documents.len());
    for d in &documents {
        read.push(match DocumentKind::of(&d.text, d.form) {
            DocumentKind::Map => MapFile::read(&d.text, d.form).map(Some),
            DocumentKind::Lifecycle => LifecycleDocument::read(&d.text, d.form).map(|life| {
                options.lifecycles.push(life);
                None
            }),
        });
    }
    let maps: Vec<&MapFile> = read
        .iter()
        .filter_map(|r| r.as_ref().ok()?.as_ref())
        .collect();
    let log = match !input::has_log(m) {
        true => {
            without_log(m)?;
            None
        }
        false => Some(input::log(m, &columns(m, &maps)?)?),
    };
    let bar = Bar::new("checking", m);
    let exec = Exec::new()
        .on_progress(bar.running())
        .cancel_with(interrupt::token());
    let mut checked = Vec::with_capacity(documents.len());
    for (document, read) in documents.iter().zip(&read) {
        let done = match (read, &log) {
            (Err(error), _) => alone(CheckReport::unreadable(error)),
            (Ok(None), _) => alone(CheckReport::default()),
            (Ok(Some(file)), None) => alone(check::check(file, &options)),
            (Ok(Some(file)), Some(log)) => against(m, file, log, &options, &exec)?,
        };
        checked.push(CheckedFile {
            path: &document.path,
            text: &document.text,
            check: done,
        });
    }
    bar.finish();
    interrupt::check()?;
    let path = text(m, "output");
    let told = match form(m, path)? {
        "json" => shown::json(&checked),
        "sarif" => shown::sarif(&checked),
        _ => shown::text(&checked),
    };
    output::put(path, told.as_bytes())?;
    let errors: usize = checked
        .iter()
        .map(|c| c.check.report.errors().count())
        .sum();
    match errors {
        0 => Ok(()),
        1 => Err(CliError::Check("the check found 1 error".to_owned())),
        n => Err(CliError::Check(format!("the check found {n} errors"))),
    }
}

/// Options that mean nothing without a log.
fn without_log(m: &ArgMatches) -> Result<(), CliError> {
    let of_log = ["journey", "where", "keep-events", "keep-journeys"];
    let names = input::READING.into_iter().chain(of_log).map(str::to_owned);
    let given = names.chain(measuring::names()).find(|name| {
        m.try_contains_id(name).is_ok()
            && m.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
    });
    // Answers and tables stand beside a log.
    let beside = [("survey", "feedback"), ("external", "external")];
    let beside = beside.iter().find(|(id, _)| !texts(m, id).is_empty());
    match given.or(beside.map(|(_, name)| (*name).to_owned())) {
        Some(name) => Err(CliError::Usage(format!(
            "--{} is about a log; give one with --log",
            name.replace('_', "-")
        ))),
        None => Ok(()),
    }
}

fn alone(report: CheckReport) -> MapCheck {
    MapCheck {
        report,
        coverage: None,
    }
}

/// The columns that the maps look at. That one is missing is said at its place in the map.
pub(crate) fn columns(m: &ArgMatches, maps: &[&MapFile]) -> Result<Vec<Wanted>, CliError> {
    let maps = maps.iter().flat_map(|file| columns_of_map(file.map()));
    let mut wanted: Vec<Wanted> = maps.collect();
    wanted.extend(input::selected(m)?);
    Ok(wanted)
}

/// The columns that a map looks at, where the log has them.
pub(crate) fn columns_of_map(map: &JourneyMap) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (_, expr) in map.conditions() {
        columns_of(&expr, &mut wanted);
    }
    let cut = map.scope.as_ref().and_then(|s| s.journeys.as_ref());
    wanted.extend(cut.and_then(|c| c.column.as_deref()).map(Wanted::named));
    wanted.extend(attributes(map).map(Wanted::named));
    wanted.into_iter().map(Wanted::if_there).collect()
}

/// Attributes that bindings name outside of conditions.
fn attributes(map: &JourneyMap) -> impl Iterator<Item = &str> {
    map.touchpoints
        .iter()
        .filter_map(|t| match t.binding.as_ref()?.dwell.as_ref()? {
            map::Dwell::Attribute(name) => Some(name.as_str()),
            _ => None,
        })
}

fn against(
    m: &ArgMatches,
    file: &MapFile,
    log: &Log,
    options: &CheckOptions,
    exec: &Exec,
) -> Result<MapCheck, CliError> {
    let journeys = match cut(m, file, log) {
        Ok(journeys) => journeys,
        // What the map's own rule speaks of is not there: the check says where, of the map looked at uncut.
        Err(CliError::Engine(_)) if texts(m, "journey").is_empty() => {
            input::cut(m, log, Default::default())?
        }
        Err(e) => return Err(e),
    };
    Ok(overlay::check(file, &journeys, options, exec)?)
}

/// The journeys of a log as the map wants them cut, or as the options say.
pub(crate) fn cut(m: &ArgMatches, file: &MapFile, log: &Log) -> Result<Journeys, CliError> {
    if !texts(m, "journey").is_empty() {
        return input::cut(m, log, input::rule(m)?);
    }
    let cut = input::cut(m, log, overlay::journey_rule(file.map())?);
    cut.map_err(|e| match e {
        CliError::Engine(e) => overlay::placed(file, log.catalog(), e).into(),
        other => other,
    })
}

fn form<'m>(m: &'m ArgMatches, path: Option<&'m str>) -> Result<&'m str, CliError> {
    if let Some(format) = text(m, "format") {
        return Ok(format);
    }
    let Some(path) = path.filter(|p| *p != "-") else {
        return Ok("text");
    };
    match Path::new(path).extension().and_then(|e| e.to_str()) {
        Some("json") => Ok("json"),
        Some("sarif") => Ok("sarif"),
        Some("txt") | None => Ok("text"),
        Some(other) => Err(CliError::Usage(format!(
            "-o {path}: `.{other}` tells no format; give --format text, json or sarif"
        ))),
    }
}
