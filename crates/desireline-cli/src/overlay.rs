//! `desireline overlay`: a journey map measured against a log.

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use desireline::map::JourneyMap;
use desireline::overlay::{self, Overlay};
use desireline::render::AnswerView;

use crate::error::CliError;
use crate::input::{self, Wanted, text, texts};
use crate::map;
use crate::progress::Bar;
use crate::{measuring, output, survey};

const HELP: &str = "\
The map says how journeys are cut (`scope: {journeys: …}`) unless --journey does, and its window which events count.
A map that does not fit the log is refused; `desireline map check MAP --log FILE` says where and what.
  desireline overlay shop.yaml shop.arrow
  desireline overlay shop.yaml shop.arrow --per month --format csv --table trend
  desireline overlay shop.yaml shop.arrow --feedback answers.csv --survey-customer customer --survey-time time --question csat=csat --external spend.csv
With --scenario the maps are not measured: it is counted how they share the journeys.
  desireline overlay new.yaml shop.arrow --scenario old.yaml --scenario guest.yaml";

/// The words and options, without those of every question.
pub(crate) fn command() -> Command {
    let command = Command::new("overlay")
        .about("A journey map measured against a log: reach, flow, drop-off, time and goals of every stage, touchpoint and channel")
        .after_help(format!("{HELP}\n\n{}", survey::QUESTIONS))
        .arg(
            Arg::new("map")
                .value_name("MAP")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("The map, YAML or JSON"),
        )
        .arg(
            Arg::new("scenario")
                .long("scenario")
                .value_name("MAP")
                .help("The map of another scenario: how these maps share the journeys, and whether they add up; may be given several times")
                .help_heading("Question")
                .action(ArgAction::Append)
                .value_hint(ValueHint::FilePath),
        );
    survey::besides(measuring::options(command, None))
}

/// The columns that a map and its question look at; those that only the map names may be missing, which it is then told.
pub(crate) fn columns(
    m: &ArgMatches,
    map: &JourneyMap,
    how: &Overlay,
) -> Result<Vec<Wanted>, CliError> {
    let mut wanted = map::columns_of_map(map);
    wanted.extend(how.handovers.iter().map(|name| Wanted::named(name)));
    wanted.extend(input::selected(m)?);
    Ok(wanted)
}

/// How the maps of several scenarios share the journeys of a log.
fn scenarios(m: &ArgMatches, first: &str, others: &[&str]) -> Result<(), CliError> {
    let mut files = vec![(first, map::open(first)?)];
    for path in others {
        files.push((path, map::open(path)?));
    }
    let maps: Vec<&JourneyMap> = files.iter().map(|(_, file)| file.map()).collect();
    let mut wanted: Vec<Wanted> = maps
        .iter()
        .flat_map(|map| map::columns_of_map(map))
        .collect();
    wanted.extend(input::selected(m)?);
    let log = input::log(m, &wanted)?;
    let named = || files.iter().map(|(path, file)| (*path, file));
    let placed = |e| overlay::placed_among(named(), log.catalog(), e);
    let rule = match texts(m, "journey").is_empty() {
        true => overlay::scenario_rule(&maps)?,
        false => input::rule(m)?,
    };
    let journeys = input::cut(m, &log, rule).map_err(|e| match e {
        CliError::Engine(e) => placed(e).into(),
        other => other,
    })?;
    let bar = Bar::new("counting", m);
    let exec = input::exec(m, &bar)?;
    let shared = overlay::scenarios(&maps, &journeys, &exec);
    let answer = shared.map_err(placed)?.into_answer();
    bar.finish();
    let typed = serde_json::to_value(&answer.report).unwrap_or_default();
    output::write(m, &AnswerView::of(&answer).with_typed(&typed))
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let first = text(m, "map").unwrap_or_default();
    let others = texts(m, "scenario");
    if !others.is_empty() {
        return scenarios(m, first, &others);
    }
    let file = map::open(first)?;
    let how = measuring::question(m)?;
    let map = file.map();
    let sources = survey::sources(m)?;
    let log = input::log(m, &columns(m, map, &how)?)?;
    let journeys = map::cut(m, &file, &log)?;
    let bar = Bar::new("measuring", m);
    let exec = input::exec(m, &bar)?;
    let measured = overlay::measured(map, &journeys, &how, &sources, &exec);
    let placed = |e| overlay::placed(&file, journeys.catalog(), e);
    let answer = measured.map_err(placed)?.into_answer();
    bar.finish();
    let typed = serde_json::to_value(&answer.report).unwrap_or_default();
    output::write(m, &AnswerView::of(&answer).with_typed(&typed))
}
