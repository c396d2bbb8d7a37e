//! `desireline map diff-personas`: whom one wishes for against whom one has.

use clap::{Arg, ArgMatches, Command, ValueHint};
use desireline::overlay::{PersonaDiffOptions, persona_diff};
use desireline::render::AnswerView;

use super::{open, sensitive_arg};
use crate::error::CliError;
use crate::input::{flag, text, texts};
use crate::{command, output};

const HELP: &str = "\
Of one map each ideal persona is held against each actual one, of two maps those of the same id.
  desireline map diff-personas shop.yaml
  desireline map diff-personas shop.yaml --first wished --second regular
  desireline map diff-personas ideal.yaml actual.yaml --format md -o personas.md";

pub(super) fn diff_command() -> Command {
    let id = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("ID").help(help)
    };
    let diff = Command::new("diff-personas")
        .about("Personas against each other, field by field: equal, different, missing")
        .after_help(HELP)
        .arg(
            Arg::new("maps")
                .value_name("MAP")
                .num_args(1..=2)
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("One map or two, YAML or JSON"),
        )
        .arg(id(
            "first",
            "The persona of the first map [default: every ideal one, or every one of the same id]",
        ))
        .arg(id(
            "second",
            "The persona of the second map, or of the same one",
        ))
        .arg(sensitive_arg());
    command::output(diff, command::TABLE_FORMATS)
        .mut_arg("threads", |a| a.hide(true))
        .mut_arg("memory-budget", |a| a.hide(true))
        .mut_arg("no-progress", |a| a.hide(true))
}

pub(super) fn diff(m: &ArgMatches) -> Result<(), CliError> {
    let paths = texts(m, "maps");
    let inputs: Vec<_> = paths.iter().map(|p| (*p).into()).collect();
    output::spare_inputs(text(m, "output"), &inputs)?;
    let maps = paths
        .iter()
        .map(|path| open(path))
        .collect::<Result<Vec<_>, _>>()?;
    let [first, second] = [maps.first(), maps.get(1)].map(|file| file.map(|f| f.map()));
    let Some(first) = first else {
        return Ok(());
    };
    let mut options = PersonaDiffOptions::default();
    options.first = text(m, "first").map(Into::into);
    options.second = text(m, "second").map(Into::into);
    options.sensitive = flag(m, "sensitive");
    let found = persona_diff(first, second, &options);
    let answer = found
        .map_err(|e| CliError::Usage(e.to_string()))?
        .into_answer();
    let typed = serde_json::to_value(&answer.report).unwrap_or_default();
    output::write(m, &AnswerView::of(&answer).with_typed(&typed))
}
