//! `desireline feedback`: surveys by themselves, and along a map.

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use desireline::feedback::{Measuring, ReportOptions, Which};
use desireline::overlay::{self, listen};
use desireline::render::AnswerView;
use desireline::report::{Answer, Report};
use serde::Serialize;

use crate::command::{journeys, reading};
use crate::error::CliError;
use crate::input::{self, flag, text};
use crate::output;
use crate::progress::Bar;
use crate::survey::{self, Survey, number, wrong};

const EXAMPLES: &str = "\
Wide, a row for each respondent:
  desireline feedback survey.csv --survey-customer RESPNUM --question NETPRO=nps,blank=11 --question Q7ALL=csat,blank-text=Blank
Long, a row for each answer:
  desireline feedback answers.jsonl --survey-customer customer --survey-time time --question-column question --score score --question nps=nps --question csat=csat
Along a map:
  desireline feedback answers.csv --survey-customer customer --survey-time time --question csat=csat --map shop.yaml --log shop.arrow --within 2d
On the page of a map:
  desireline map draw shop.yaml --log shop.arrow --feedback answers.csv --survey-customer customer --survey-time time --question csat=csat -o shop.html";

pub(crate) fn command() -> Command {
    let survey = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .help_heading("Survey")
    };
    let command = Command::new("feedback")
        .about("What customers say: NPS, CSAT, CES, sentiment and words from surveys, with intervals; along a map with --map and --log")
        .after_help(format!("{}\n\n{EXAMPLES}", survey::QUESTIONS))
        .arg(
            Arg::new("survey")
                .value_name("FILE")
                .num_args(1..)
                .required(true)
                .value_hint(ValueHint::AnyPath)
                .help("Surveys: CSV, TSV, JSON Lines, Parquet or Arrow IPC; `-` for standard input, with --survey-format"),
        );
    let command = survey::own(command)
        .arg(survey("only", "NAME", "Only the answers to one question"))
        .arg(survey("level", "X", "The confidence level of intervals [default: 0.95]").value_parser(value_parser!(f64)))
        .arg(survey("min-n", "N", "Below how many answers there is a hole instead of a number [default: 5]").value_parser(value_parser!(u64)))
        .arg(survey("verbatims", "N", "How many verbatims are shown; the same ones every time [default: 20]").value_parser(value_parser!(usize)))
        .arg(survey("show-customers", "", "Show who said a verbatim").action(ArgAction::SetTrue).num_args(0))
        .arg(
            Arg::new("map")
                .long("map")
                .value_name("MAP")
                .value_hint(ValueHint::FilePath)
                .help("The map whose touchpoints and stages answers belong to")
                .help_heading("Along a map"),
        )
        .arg(
            Arg::new("files")
                .long("log")
                .value_name("FILE")
                .action(ArgAction::Append)
                .value_hint(ValueHint::AnyPath)
                .requires("map")
                .help("The log of those touchpoints: event files, folders or globs, or one snapshot; may be given several times")
                .help_heading("Along a map"),
        );
    journeys(reading(crate::command::output(
        command,
        crate::command::TABLE_FORMATS,
    )))
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let survey = Survey { m, beside: false };
    let feedback = survey.read()?;
    let measuring = Measuring {
        level: number(m, "level").unwrap_or(0.95),
        least: number(m, "min-n").unwrap_or(Measuring::default().least),
    };
    let Some(path) = text(m, "map") else {
        if let Some(name) = given_of_log(m) {
            return Err(CliError::Usage(format!(
                "--{name} is about a log; give one with --map and --log"
            )));
        }
        let mut options = ReportOptions::default();
        options.measuring = measuring;
        options.which = Which {
            question: text(m, "only").map(str::to_owned),
            ..Which::default()
        };
        options.verbatims = number(m, "verbatims").unwrap_or(options.verbatims);
        options.customers = flag(m, "show-customers");
        let report = feedback.report(&options).map_err(wrong)?;
        return write(m, &report.into_answer());
    };
    if !input::has_log(m) {
        return Err(CliError::Usage(
            "--map needs the log of its touchpoints: give one with --log".to_owned(),
        ));
    }
    if text(m, "only").is_some() {
        return Err(CliError::Usage(
            "--only chooses for a survey by itself; along a map every question is shown".to_owned(),
        ));
    }
    let map = crate::map::open(path)?;
    let mut options = survey.listening(measuring)?;
    options.verbatims = number(m, "verbatims").unwrap_or(options.verbatims);
    options.customers = flag(m, "show-customers");
    let wanted = crate::map::columns(m, &[&map])?;
    let log = input::log(m, &wanted)?;
    let journeys = crate::map::cut(m, &map, &log)?;
    let bar = Bar::new("joining", m);
    let exec = input::exec(m, &bar)?;
    let report = listen(map.map(), &journeys, &feedback, &options, &exec)
        .map_err(|e| overlay::placed(&map, journeys.catalog(), e))?;
    bar.finish();
    write(m, &report.into_answer())
}

fn given_of_log(m: &ArgMatches) -> Option<&'static str> {
    input::READING
        .into_iter()
        .chain(["journey", "where", "keep-events", "keep-journeys"])
        .find(|name| {
            m.try_contains_id(name).is_ok()
                && m.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
        })
}

fn write<R: Report + Serialize>(m: &ArgMatches, answer: &Answer<R>) -> Result<(), CliError> {
    let typed = serde_json::to_value(&answer.report).unwrap_or_default();
    output::write(m, &AnswerView::of(answer).with_typed(&typed))
}
