//! `desireline simulate`: a log with known effects, of any size.

use arrow::error::ArrowError;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, ValueHint, value_parser};
use desireline::io::simulate::{Order, Simulation};
use desireline::io::write_log;

use crate::error::CliError;
use crate::input::{flag, text};
use crate::interrupt;
use crate::progress::Bar;

/// Events in one batch on their way to the file.
const BATCH: usize = 1 << 18;

pub(crate) fn command() -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("simulate")
        .about("Write a realistic shop log with planted effects: a broken step, a channel with true lift, a Simpson reversal, a loop, bots")
        .after_help("The same seed gives the same bytes on any machine with any number of threads.\nThe columns are customer_id, time, event, session_id, channel, device, region, plan and more; see `desireline summary`.")
        .arg(arg("customers", "N", "How many customers [default: 1000]").value_parser(value_parser!(u64).range(1..)))
        .arg(arg("events", "N", "About how many events instead, such as 10000000").value_parser(value_parser!(u64).range(1..)))
        .group(ArgGroup::new("size").args(["customers", "events"]))
        .arg(arg("seed", "N", "Another seed is another log with the same truth [default: 1]").value_parser(value_parser!(u64)))
        .arg(arg("days", "N", "The length of the window [default: 180]").value_parser(value_parser!(u32).range(1..)))
        .arg(arg("touchpoints", "N", "How many touchpoints [default: 30]").value_parser(value_parser!(u32).range(1..)))
        .arg(arg("order", "ORDER", "By customer, or as events arrive").value_parser(["customer", "arrival"]).default_value("customer"))
        .arg(
            arg("answers", "FILE", "Write what customers answer to the shop's survey, too: customer_id, time, touchpoint, question, score, words")
                .value_hint(ValueHint::FilePath),
        )
        .arg(arg("no-effects", "", "Plant nothing").action(ArgAction::SetTrue).num_args(0))
        .arg(arg("no-progress", "", "Show no progress bar").action(ArgAction::SetTrue).num_args(0))
        .arg(
            arg("output", "FILE", "Where to: .csv, .jsonl (each also .gz, .zst), .parquet or .arrow")
                .short('o')
                .required(true)
                .value_hint(ValueHint::FilePath),
        )
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let number = |name: &str| m.get_one::<u64>(name).copied();
    let mut simulation = match number("events") {
        Some(events) => Simulation::with_events(events),
        None => Simulation::shop(number("customers").unwrap_or(1_000)),
    };
    if let Some(seed) = number("seed") {
        simulation.seed = seed;
    }
    if let Some(days) = m.get_one::<u32>("days") {
        simulation.days = *days;
    }
    if let Some(n) = m.get_one::<u32>("touchpoints") {
        simulation.n_names = *n;
    }
    if flag(m, "no-effects") {
        simulation.effects = desireline::io::simulate::Effects::none();
    }
    if text(m, "order") == Some("arrival") {
        simulation.order = Order::Arrival;
    }
    // The size that was asked for is that of the log as it will be, all options told.
    if let Some(events) = number("events") {
        simulation = simulation.resized_to(events);
    }
    let simulator = simulation.prepare()?;
    let bar = Bar::new("simulating", m);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a progress bar's length
    let expected = simulator.expected_events() as u64;
    let mut done = 0;
    let batches = simulator.batches(BATCH).map(|batch| {
        interrupt::check().map_err(|e| ArrowError::ExternalError(Box::new(e)))?;
        let batch = batch.map_err(|e| ArrowError::ExternalError(Box::new(e)))?;
        done += batch.num_rows() as u64;
        bar.at(done, expected);
        Ok(batch)
    });
    let written = write_log(
        text(m, "output").unwrap_or_default(),
        simulator.schema(),
        batches,
    );
    bar.finish();
    if let Err(e) = written {
        // The writer knows only that its rows stopped coming.
        interrupt::check()?;
        return Err(e.into());
    }
    if let Some(answers) = text(m, "answers") {
        let batch = simulator.answers_batch();
        let batch = batch.map_err(|e| ArrowError::ExternalError(Box::new(e)));
        write_log(answers, simulator.answers_schema(), [batch])?;
    }
    Ok(())
}
