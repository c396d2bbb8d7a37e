//! `desireline lifecycle`: how the company sees its customers over time, measured.

use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use desireline::engine::DynAnalysis;
use desireline::overlay::Lifecycle;

use crate::error::CliError;
use crate::input::{self, Wanted, columns_of, text};
use crate::map::Document;
use crate::output;
use crate::progress::Bar;
use crate::question::shown;

const HELP: &str = "\
The document says which events bring a customer into a phase, and after how long a silence:
  schema: 1
  id: shop-lifecycle
  title: Lifecycle of a customer
  version: 1.0.0
  phases:
    - {phase: impression, enters: home}
    - {phase: conversion, enters: purchase, status: customer}
    - {phase: lapsed, silent_for: 180d}
  desireline lifecycle lifecycle.yaml shop.arrow";

/// The words and options, without those of every question.
pub(crate) fn command() -> Command {
    Command::new("lifecycle")
        .about("Customers by phase of their life with the company, and the ways between phases, by a lifecycle document")
        .after_help(HELP)
        .arg(
            Arg::new("document")
                .value_name("DOCUMENT")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("The lifecycle document, YAML or JSON"),
        )
        .arg(
            Arg::new("level")
                .long("level")
                .value_name("X")
                .value_parser(value_parser!(f64))
                .help("The confidence level of all intervals [default: 0.95]")
                .help_heading("Question"),
        )
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let document = Document::read(text(m, "document").unwrap_or_default())?.lifecycle()?;
    let mut columns: Vec<Wanted> = Vec::new();
    for phase in &document.phases {
        if let Some(enters) = &phase.enters {
            columns_of(enters, &mut columns);
        }
    }
    let mut lifecycle = Lifecycle::new(document);
    lifecycle.level = m.get_one("level").copied().unwrap_or(lifecycle.level);
    let journeys = input::journeys(m, &columns)?;
    let bar = Bar::new("counting", m);
    let asked: Vec<Box<dyn DynAnalysis>> = vec![Box::new(lifecycle)];
    let answers = journeys.run_dyn(&asked, &input::exec(m, &bar)?)?;
    bar.finish();
    answers
        .iter()
        .try_for_each(|a| output::write(m, &shown(a, &a.report.to_json()?)))
}
