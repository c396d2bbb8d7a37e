//! How a map is measured, as options: the same wherever one is.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use desireline::journey::CalendarUnit;
use desireline::overlay::{Forced, Overlay};
use desireline::time::TimeSpan;

use crate::error::CliError;
use crate::input::{flag, text, texts};

/// The calendar units by their words.
const UNITS: [(&str, CalendarUnit); 5] = [
    ("day", CalendarUnit::Day),
    ("week", CalendarUnit::Week),
    ("month", CalendarUnit::Month),
    ("quarter", CalendarUnit::Quarter),
    ("year", CalendarUnit::Year),
];

/// The goal that a map is read for, where `--goal` is a condition already.
const OTHER_GOAL: &str = "map-goal";

/// Adds the options to a command. Those that it has already are the same ones, but for `--goal`: that is a condition there, and the
/// map's is `--map-goal`. `needs` is the option without which they mean nothing.
pub(crate) fn options(command: Command, needs: Option<&'static str>) -> Command {
    let has = |name: &str| command.get_arguments().any(|a| a.get_id() == name);
    let own = all().into_iter().filter_map(|arg| {
        let arg = match (arg.get_id().as_str(), has(arg.get_id().as_str())) {
            ("goal", true) => arg.id(OTHER_GOAL).long(OTHER_GOAL),
            (_, true) => return None,
            (_, false) => arg,
        };
        Some(match needs {
            Some(other) => arg.requires(other),
            None => arg,
        })
    });
    let own: Vec<Arg> = own.collect();
    command.args(own)
}

/// The names of all of them.
pub(crate) fn names() -> Vec<String> {
    let named = all().into_iter().map(|arg| arg.get_id().to_string());
    named.chain([OTHER_GOAL.to_owned()]).collect()
}

fn all() -> Vec<Arg> {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name.replace('_', "-"))
            .value_name(value)
            .allow_hyphen_values(true)
            .help(help)
            .help_heading("Question")
    };
    vec![
        arg("level", "X", "The confidence level of all intervals [default: 0.95]"),
        arg("min_n", "N", "Below how many observations there is a hole instead of a number [default: the map's, or 10]"),
        arg("per", "PERIOD", "Reach and goals by calendar period, and for how many of them in a row an alert has rung")
            .value_parser(PossibleValuesParser::new(UNITS.map(|u| u.0))),
        arg("time_zone", "ZONE", "The zone whose midnights divide periods [default: the map's, else UTC]"),
        arg("persona", "ID", "Only the customers of this persona"),
        arg("no-personas", "", "Do not measure each persona").allow_hyphen_values(false).action(ArgAction::SetTrue).num_args(0),
        arg("goal", "ID", "Only this goal of the map: the lens through which it is read"),
        arg("alive", "SPAN", "A journey whose last event lies less than this before the end of observation may still go on [default: the pause that cuts journeys, or 30m]"),
        arg("returns_within", "SPAN", "Who begins another journey no later than this after one without a goal has come back [default: 7d]"),
        arg("handover", "ATTRIBUTE", "A further attribute whose changes are looked at as hand-overs, such as platform; may be given several times").action(ArgAction::Append),
        arg("forced-from", "STAGE", "The stage of weighing up [default: consideration]"),
        arg("forced-to", "STAGE", "The stage of deciding [default: decision or purchase]"),
        arg("forced-touches", "N", "A decision after fewer events of weighing up is forced [default: 1]"),
        arg("forced-within", "SPAN", "So is one sooner than this after the first of them"),
        arg("language", "TAG", "The language of names [default: the map's]"),
    ]
}

/// What was asked with them.
pub(crate) fn question(m: &ArgMatches) -> Result<Overlay, CliError> {
    let span = |name: &str| {
        let read = text(m, name).map(TimeSpan::parse).transpose();
        read.map_err(|e| CliError::Usage(format!("--{}: {e}", name.replace('_', "-"))))
    };
    let mut how = Overlay::new();
    how.level = number(m, "level")?.unwrap_or(how.level);
    how.min_n = number(m, "min_n")?;
    let unit = text(m, "per").and_then(|word| UNITS.iter().find(|u| u.0 == word));
    how.period = unit.map(|u| u.1);
    how.zone = text(m, "time_zone").map(str::to_owned);
    how.personas = !flag(m, "no-personas");
    how.persona = text(m, "persona").map(Into::into);
    let is_condition = m.try_contains_id(OTHER_GOAL).is_ok();
    let goal = if is_condition { OTHER_GOAL } else { "goal" };
    how.goal = text(m, goal).map(Into::into);
    how.alive = span("alive")?;
    how.returns_within = span("returns_within")?;
    how.handovers = texts(m, "handover")
        .into_iter()
        .map(str::to_owned)
        .collect();
    how.language = text(m, "language").map(str::to_owned);
    let forced = Forced {
        from: text(m, "forced-from").map(Into::into),
        to: text(m, "forced-to").map(Into::into),
        touches: number(m, "forced-touches")?.unwrap_or(Forced::default().touches),
        within: span("forced-within")?,
    };
    how.forced = (forced != Forced::default()).then_some(forced);
    Ok(how)
}

/// A number of an option, which is read as text because other questions read it so.
fn number<T: std::str::FromStr>(m: &ArgMatches, name: &str) -> Result<Option<T>, CliError> {
    let Some(given) = text(m, name) else {
        return Ok(None);
    };
    let wrong = |_| {
        let name = name.replace('_', "-");
        CliError::Usage(format!(
            "--{name}: `{given}` is no number that could be meant"
        ))
    };
    given.trim().parse().map(Some).map_err(wrong)
}
