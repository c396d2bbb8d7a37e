//! `desireline map export` and `import`: maps in the formats of other tools.

use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use desireline::map::Form;
use desireline::render::exchange::{self, Exchange, ExportOptions, ImportOptions, Lane};

use super::{Document, form_of, out, sensitive_arg, today, today_arg};
use crate::error::CliError;
use crate::input::{flag, text, texts};
use crate::output;

const EXPORT_HELP: &str = "\
What the format cannot hold is told on standard error: which parts, how many, and where the first is.
  desireline map export shop.yaml --to mermaid
  desireline map export shop.yaml -o shop.csv";
const IMPORT_HELP: &str = "\
What found no place in the map is told on standard error, with line and column. The map is a draft: its owner is to be named.
  desireline map import journey.mmd -o journey.yaml
  desireline map import grid.csv --lane \"How it feels=emotion\" -o journey.yaml";

pub(super) fn export_command() -> Command {
    Command::new("export")
        .about("A map as Mermaid, CSV grid, CJML, Markdown or DOT")
        .after_help(EXPORT_HELP)
        .arg(
            Arg::new("file")
                .value_name("MAP")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("The map; `-` for standard input"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(Exchange::ALL.iter().map(
                    |f| match f.name() {
                        "markdown" => PossibleValue::new("markdown").alias("md"),
                        name => PossibleValue::new(name),
                    },
                )))
                .help("The format [default: by the name after -o]")
                .help_heading("Output"),
        )
        .arg(sensitive_arg())
        .arg(out("Write to a file instead of the terminal"))
}

pub(super) fn import_command() -> Command {
    Command::new("import")
        .about("A map from Mermaid, a CSV grid or CJML")
        .after_help(IMPORT_HELP)
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("The text; `-` for standard input"),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(
                    Exchange::ALL.iter().filter(|f| f.is_read()).map(|f| f.name()),
                ))
                .help("The format [default: by the file's name]"),
        )
        .arg(
            Arg::new("id")
                .long("id")
                .value_name("ID")
                .help("The map's id [default: made from its title]"),
        )
        .arg(
            Arg::new("lane")
                .long("lane")
                .value_name("ROW=LANE")
                .action(ArgAction::Append)
                .help("Read rows of this name in a CSV grid as a lane, such as \"How it feels=emotion\"; may be given several times"),
        )
        .arg(today_arg())
        .arg(out("Write to a file instead of the terminal: YAML, or JSON by its name"))
}

pub(super) fn export(m: &ArgMatches) -> Result<(), CliError> {
    let document = Document::read(text(m, "file").unwrap_or_default())?;
    let path = text(m, "output");
    output::spare_inputs(path, &[document.path.clone().into()])?;
    let format = format(m, "to", path)?.ok_or_else(|| {
        CliError::Usage(format!(
            "say which format with --to: {}",
            names(Exchange::ALL)
        ))
    })?;
    let map = document.map()?.into_map();
    let options = ExportOptions::default().sensitive(flag(m, "sensitive"));
    let out = exchange::export_with(&map, format, &options);
    let losses = out.losses.iter().map(ToString::to_string);
    output::remark(&format!("{format} does not hold all of the map"), losses);
    output::put(path, out.text.as_bytes())
}

pub(super) fn import(m: &ArgMatches) -> Result<(), CliError> {
    let from = text(m, "file").unwrap_or_default();
    let path = text(m, "output");
    output::spare_inputs(path, &[from.into()])?;
    let format = format(m, "from", Some(from))?.ok_or_else(|| {
        CliError::Usage("say which format with --from: mermaid, csv or cjml".to_owned())
    })?;
    let wrong = |told: String| CliError::Map {
        path: from.to_owned(),
        told,
    };
    let (_, source) = super::text_at(from)?;
    let mut options = ImportOptions::new(today(m)?);
    options.id = text(m, "id").map(str::to_owned);
    for given in texts(m, "lane") {
        let lane = given.rsplit_once('=').and_then(|(row, lane)| {
            let lane = Lane::of_word(lane)?;
            Some((row.to_owned(), lane))
        });
        options.lanes.push(lane.ok_or_else(|| {
            let words: Vec<&str> = Lane::ALL.iter().map(|l| l.word()).collect();
            CliError::Usage(format!(
                "--lane {given}: write the row's name, `=` and one of {}",
                words.join(", ")
            ))
        })?);
    }
    let back = exchange::import(&source, format, &options).map_err(|e| wrong(e.to_string()))?;
    let notes = back.notes.iter().map(ToString::to_string);
    output::remark("not all of it found a place in the map", notes);
    let written = match path.and_then(form_of) {
        Some(Form::Json) => back.map.to_json(),
        _ => back.map.to_yaml(),
    };
    output::put(path, written.map_err(|e| wrong(e.to_string()))?.as_bytes())
}

fn names(formats: &[Exchange]) -> String {
    let names: Vec<&str> = formats.iter().map(|f| f.name()).collect();
    names.join(", ")
}

/// The format of an option, or of a file's ending.
fn format(m: &ArgMatches, option: &str, path: Option<&str>) -> Result<Option<Exchange>, CliError> {
    if let Some(name) = text(m, option) {
        return name
            .parse()
            .map(Some)
            .map_err(|e| CliError::Usage(format!("--{option}: {e}")));
    }
    let ending = path.and_then(|p| Path::new(p).extension()?.to_str());
    Ok(ending.and_then(Exchange::of_ending))
}
