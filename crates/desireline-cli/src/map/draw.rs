//! `desireline map draw`: the map as a picture or a page, measured where there is a log.

use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use desireline::Exec;
use desireline::map::MapFile;
use desireline::map::check;
use desireline::overlay::report::OverlayReport;
use desireline::overlay::{self, MapCheck, VoiceReport};
use desireline::render::html::{self, MapView};
use desireline::render::svg::{MAP_WIDE, MapPicture};

use super::{against, alone, cut, options, out, sensitive_arg, today_arg, without_log};
use crate::command::{journeys, reading};
use crate::error::CliError;
use crate::input::{self, flag, text};
use crate::overlay::columns;
use crate::progress::Bar;
use crate::{interrupt, measuring, output, survey};

const HELP: &str = "\
  desireline map draw shop.yaml -o shop.svg
  desireline map draw shop.yaml --log events.parquet --customer id --time at --event name -o shop.html
  desireline map draw shop.yaml --log shop.arrow --feedback answers.csv --survey-customer customer --survey-time time --question csat=csat -o shop.html";

pub(super) fn command() -> Command {
    let draw = Command::new("draw")
        .about("A map as a picture (SVG) or a page (HTML); with --log measured, without one as it was drawn")
        .after_help(format!("{HELP}\n\n{}", survey::QUESTIONS))
        .arg(
            Arg::new("map")
                .value_name("MAP")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("The map, YAML or JSON; `-` for standard input"),
        )
        .arg(today_arg())
        .arg(
            Arg::new("files")
                .long("log")
                .value_name("FILE")
                .action(ArgAction::Append)
                .value_hint(ValueHint::AnyPath)
                .help("The log to measure it on: event files, folders or globs, or one snapshot; may be given several times")
                .help_heading("Input"),
        );
    survey::besides(measuring::options(journeys(reading(draw)), None))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["svg", "html"]))
                .help("The form of the picture [default: by the name after -o, else svg]")
                .help_heading("Output"),
        )
        .arg(
            Arg::new("width")
                .long("width")
                .value_name("PIXELS")
                .value_parser(clap::value_parser!(u32).range(260..=4000))
                .help("The width of an SVG picture; stages that do not fit go on below [default: 1240]")
                .help_heading("Output"),
        )
        .arg(sensitive_arg())
        .arg(out("Write to a file instead of the terminal"))
        .arg(
            Arg::new("no-progress")
                .long("no-progress")
                .action(ArgAction::SetTrue)
                .help("Show no progress bar")
                .help_heading("Output"),
        )
}

fn form<'m>(m: &'m ArgMatches, path: Option<&'m str>) -> Result<&'m str, CliError> {
    if let Some(format) = text(m, "format") {
        return Ok(format);
    }
    let Some(path) = path.filter(|p| *p != "-") else {
        return Ok("svg");
    };
    match Path::new(path).extension().and_then(|e| e.to_str()) {
        Some("svg") | None => Ok("svg"),
        Some("html" | "htm") => Ok("html"),
        Some("png") => Err(CliError::Usage(format!(
            "-o {path}: a map is drawn as SVG or HTML, not as PNG; write SVG and turn it into one with a browser, a drawing program or \
             `rsvg-convert -z 2 map.svg -o map.png`, or print the HTML page from a browser"
        ))),
        Some(other) => Err(CliError::Usage(format!(
            "-o {path}: `.{other}` tells no format; give --format svg or html"
        ))),
    }
}

pub(super) fn draw(m: &ArgMatches) -> Result<(), CliError> {
    let from = text(m, "map").unwrap_or_default();
    let path = text(m, "output");
    output::spare_inputs(path, &[from.into()])?;
    let form = form(m, path)?;
    let file = super::open(from)?;
    if !input::has_log(m) {
        without_log(m)?;
        let checked = alone(check::check(&file, &options(m)?));
        return put(m, path, form, &file, None, &checked);
    }
    let bar = Bar::new("measuring", m);
    let exec = Exec::new()
        .on_progress(bar.running())
        .cancel_with(interrupt::token());
    let (measured, checked) = measure(m, &file, &exec)?;
    bar.finish();
    interrupt::check()?;
    put(m, path, form, &file, Some(&measured), &checked)
}

/// A map measured, and what was said along it.
type Measured = (OverlayReport, Option<VoiceReport>);

/// The map against the log that the options name, and what the check says of it.
fn measure(m: &ArgMatches, file: &MapFile, exec: &Exec) -> Result<(Measured, MapCheck), CliError> {
    let sources = survey::sources(m)?;
    let how = measuring::question(m)?;
    let log = input::log(m, &columns(m, file.map(), &how)?)?;
    let journeys = cut(m, file, &log)?;
    let measured = overlay::measured_and_heard(file.map(), &journeys, &how, &sources, exec)
        .map_err(|e| overlay::placed(file, journeys.catalog(), e))?;
    let checked = against(m, file, &log, &options(m)?, exec)?;
    Ok((measured, checked))
}

fn put(
    m: &ArgMatches,
    path: Option<&str>,
    form: &str,
    file: &MapFile,
    measured: Option<&Measured>,
    checked: &MapCheck,
) -> Result<(), CliError> {
    let bytes = match form {
        "html" => {
            let view = MapView {
                overlay: measured.map(|(report, _)| report),
                voice: measured.and_then(|(_, voice)| voice.as_ref()),
                check: Some(checked),
                sensitive: flag(m, "sensitive"),
                ..MapView::new(file.map())
            };
            html::map_page(&view, None, None, &[])?
        }
        _ => {
            let width = m
                .get_one::<u32>("width")
                .map_or(MAP_WIDE, |w| f64::from(*w));
            MapPicture::of(file.map(), measured.map(|(report, _)| report)).svg(width) + "\n"
        }
    };
    output::put(path, bytes.as_bytes())
}
