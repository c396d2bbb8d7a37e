//! `desireline overlay`: a journey map measured against a log.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use desireline::journey::CalendarUnit;
use desireline::map::JourneyMap;
use desireline::overlay::{self, Forced, Overlay};
use desireline::render::AnswerView;
use desireline::time::TimeSpan;

use crate::error::CliError;
use crate::input::{self, Wanted, flag, text, texts};
use crate::map::{self, Document};
use crate::output;
use crate::progress::Bar;
use crate::survey;

const HELP: &str = "\
The map says how journeys are cut (`scope: {journeys: …}`) unless --journey does, and its window which events count.
A map that does not fit the log is refused; `desireline map check MAP --log FILE` says where and what.
  desireline overlay shop.yaml shop.arrow
  desireline overlay shop.yaml shop.arrow --period month --format csv --table trend
  desireline overlay shop.yaml shop.arrow --feedback answers.csv --who customer --when time --question csat=csat --external spend.csv
With --scenario the maps are not measured: it is counted how they share the journeys.
  desireline overlay new.yaml shop.arrow --scenario old.yaml --scenario guest.yaml";

/// The calendar units by their words.
const UNITS: [(&str, CalendarUnit); 5] = [
    ("day", CalendarUnit::Day),
    ("week", CalendarUnit::Week),
    ("month", CalendarUnit::Month),
    ("quarter", CalendarUnit::Quarter),
    ("year", CalendarUnit::Year),
];

/// The words and options, without those of every question.
pub(crate) fn command() -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .help_heading("Question")
    };
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
        .arg(arg("level", "X", "The confidence level of all intervals [default: 0.95]").value_parser(value_parser!(f64)))
        .arg(arg("min-n", "N", "Below how many observations there is a hole instead of a number [default: the map's, or 10]").value_parser(value_parser!(u64)))
        .arg(arg("period", "UNIT", "Reach and goals by calendar unit").value_parser(PossibleValuesParser::new(UNITS.map(|u| u.0))))
        .arg(arg("period-zone", "ZONE", "The time zone whose midnight counts [default: the map's, else UTC]"))
        .arg(arg("persona", "ID", "Only the customers of this persona"))
        .arg(arg("no-personas", "", "Do not measure each persona").action(ArgAction::SetTrue).num_args(0))
        .arg(arg("goal", "ID", "Only this goal: the lens through which the map is read"))
        .arg(arg("alive", "SPAN", "A journey whose last event lies less than this before the end of observation may still go on [default: the pause that cuts journeys, or 30m]"))
        .arg(arg("handover", "ATTRIBUTE", "A further attribute whose changes are looked at as hand-overs, such as platform; may be given several times").action(ArgAction::Append))
        .arg(arg("forced-from", "STAGE", "The stage of weighing up [default: consideration]"))
        .arg(arg("forced-to", "STAGE", "The stage of deciding [default: decision or purchase]"))
        .arg(arg("forced-touches", "N", "A decision after fewer events of weighing up is forced [default: 1]").value_parser(value_parser!(u32)))
        .arg(arg("forced-within", "SPAN", "So is one sooner than this after the first of them"))
        .arg(
            arg("scenario", "MAP", "The map of another scenario: how these maps share the journeys, and whether they add up; may be given several times")
                .action(ArgAction::Append)
                .value_hint(ValueHint::FilePath),
        )
        .arg(arg("language", "TAG", "The language of names [default: the map's]"));
    survey::besides(command)
}

fn question(m: &ArgMatches) -> Result<Overlay, CliError> {
    let span = |name: &str| {
        let read = text(m, name).map(TimeSpan::parse).transpose();
        read.map_err(|e| CliError::Usage(format!("--{name}: {e}")))
    };
    let mut how = Overlay::new();
    if let Some(level) = m.get_one::<f64>("level") {
        how.level = *level;
    }
    how.min_n = m.get_one::<u64>("min-n").copied();
    let unit = text(m, "period").and_then(|word| UNITS.iter().find(|u| u.0 == word));
    how.period = unit.map(|u| u.1);
    how.zone = text(m, "period-zone").map(str::to_owned);
    how.personas = !flag(m, "no-personas");
    how.persona = text(m, "persona").map(Into::into);
    how.goal = text(m, "goal").map(Into::into);
    how.alive = span("alive")?;
    how.handovers = texts(m, "handover")
        .into_iter()
        .map(str::to_owned)
        .collect();
    how.language = text(m, "language").map(str::to_owned);
    let touches = m.get_one::<u32>("forced-touches").copied();
    let forced = Forced {
        from: text(m, "forced-from").map(Into::into),
        to: text(m, "forced-to").map(Into::into),
        touches: touches.unwrap_or(Forced::default().touches),
        within: span("forced-within")?,
    };
    how.forced = (forced != Forced::default()).then_some(forced);
    Ok(how)
}

/// The columns that a map and its question look at; those that only the map names may be missing, which it is then told.
fn columns(m: &ArgMatches, map: &JourneyMap, how: &Overlay) -> Result<Vec<Wanted>, CliError> {
    let mut wanted = map::columns_of_map(map);
    wanted.extend(how.handovers.iter().map(|name| Wanted::named(name)));
    wanted.extend(input::selected(m)?);
    Ok(wanted)
}

/// How the maps of several scenarios share the journeys of a log.
fn scenarios(m: &ArgMatches, paths: &[&str]) -> Result<(), CliError> {
    let mut maps = Vec::new();
    for path in paths {
        maps.push(Document::read(path)?.map()?);
    }
    let maps: Vec<&JourneyMap> = maps.iter().collect();
    let mut wanted: Vec<Wanted> = maps
        .iter()
        .flat_map(|map| map::columns_of_map(map))
        .collect();
    wanted.extend(input::selected(m)?);
    let log = input::log(m, &wanted)?;
    let rule = match texts(m, "journey").is_empty() {
        true => overlay::scenario_rule(&maps)?,
        false => input::rule(m)?,
    };
    let journeys = input::cut(m, &log, rule)?;
    let bar = Bar::new("counting", m);
    let exec = input::exec(m, &bar)?;
    let answer = overlay::scenarios(&maps, &journeys, &exec)?.into_answer();
    bar.finish();
    let typed = serde_json::to_value(&answer.report).unwrap_or_default();
    output::write(m, &AnswerView::of(&answer).with_typed(&typed))
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let first = text(m, "map").unwrap_or_default();
    let others = texts(m, "scenario");
    if !others.is_empty() {
        let all: Vec<&str> = std::iter::once(first).chain(others).collect();
        return scenarios(m, &all);
    }
    let file = map::open(first)?;
    let how = question(m)?;
    let map = file.map();
    let sources = survey::sources(m)?;
    let log = input::log(m, &columns(m, map, &how)?)?;
    let rule = match texts(m, "journey").is_empty() {
        true => overlay::journey_rule(map)?,
        false => input::rule(m)?,
    };
    let journeys = input::cut(m, &log, rule)?;
    let bar = Bar::new("measuring", m);
    let exec = input::exec(m, &bar)?;
    let measured = overlay::measured(map, &journeys, &how, &sources, &exec);
    let placed = |e| overlay::placed(&file, journeys.catalog(), e);
    let answer = measured.map_err(placed)?.into_answer();
    bar.finish();
    let typed = serde_json::to_value(&answer.report).unwrap_or_default();
    output::write(m, &AnswerView::of(&answer).with_typed(&typed))
}
