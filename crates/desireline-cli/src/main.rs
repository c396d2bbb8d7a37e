//! The `desireline` command: questions about customer journeys from event files.
//!
//! Nothing is computed here. The words and options of each analysis come from the registry of the engine, so that a
//! new analysis is a new word without a line in this crate.

mod command;
mod convert;
mod document;
mod error;
mod feedback;
mod input;
mod interrupt;
mod kpi;
mod lifecycle;
mod map;
mod measuring;
mod output;
mod overlay;
mod page;
mod progress;
mod question;
mod simulate;
mod sources;
mod stdin;
mod survey;

use std::process::ExitCode;

use error::CliError;

fn main() -> ExitCode {
    let matches = match command::command().try_get_matches() {
        Ok(matches) => matches,
        Err(e) => {
            // Help and version are no errors; clap knows which stream and code.
            let code = e.exit_code();
            let _ = e.print();
            return ExitCode::from(u8::try_from(code).unwrap_or(error::USAGE));
        }
    };
    interrupt::listen();
    // Whatever the work said when it was stopped, it is the signal that the caller wants to hear of.
    let done = run(&matches).map_err(|e| match interrupt::signal() {
        Some(_) if e.is_cancelled() => CliError::Interrupted,
        _ => e,
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            output::complain(&e);
            ExitCode::from(e.exit_code())
        }
    }
}

fn run(matches: &clap::ArgMatches) -> Result<(), CliError> {
    match matches.subcommand() {
        Some(("simulate", m)) => simulate::run(m),
        Some(("convert", m)) => convert::run(m),
        Some(("kpi", m)) => kpi::run(m),
        Some(("map", m)) => map::run(m),
        Some(("feedback", m)) => feedback::run(m),
        Some(("lifecycle", m)) => lifecycle::run(m),
        Some(("overlay", m)) => overlay::run(m),
        Some(("summary", m)) => question::summary(m),
        Some(("compare", m)) => question::compare(m),
        Some(("report", m)) => page::run(m),
        Some(("run", m)) => question::run(m),
        Some((analysis, m)) => question::analysis(analysis, m),
        None => Ok(()),
    }
}
