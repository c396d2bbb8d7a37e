//! What the command can fail with, in the words of the command line, and the exit code that tells a script which it was.

use desireline::expr::ExprError;
use desireline::io::IoError;
use desireline::io::simulate::SimulateError;
use desireline::overlay;
use desireline::registry::Entry;
use desireline::{Error, SpecError};

use crate::interrupt;

/// A map has errors.
const CHECK: u8 = 1;
/// The options make no sense.
pub(crate) const USAGE: u8 = 2;
const INPUT: u8 = 3;
const QUESTION: u8 = 4;
const LIMIT: u8 = 5;
const OUTPUT: u8 = 6;
/// Ctrl-C; a shell gives the same.
const INTERRUPTED: u8 = 130;

/// The exit codes, for the help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    `map check` found errors
  2    the options make no sense
  3    the input cannot be read
  4    the question does not fit the log (unknown name, type clash, empty group)
  5    a limit was reached (memory budget, --limit)
  6    the result cannot be written
  130  interrupted by Ctrl-C (143: by a request to end); nothing half-written is left. A second Ctrl-C ends at once";

#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error("{}", read(.0))]
    Read(#[from] IoError),
    #[error("{}", engine(.0))]
    Engine(#[from] Error),
    /// A condition of an option that does not fit the log.
    #[error("{option} does not fit the log:\n{}", source.snippet(text))]
    Condition {
        option: &'static str,
        text: String,
        source: ExprError,
    },
    /// There is not one row to look at.
    #[error("{0}")]
    Nothing(String),
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    #[error(transparent)]
    Render(#[from] desireline::render::Error),
    #[error(
        "cannot write {path}: {source}; give another path with -o, or write to the terminal without it"
    )]
    Write {
        path: String,
        source: std::io::Error,
    },
    /// A map was read and has errors, which were said.
    #[error("{0}")]
    Check(String),
    /// A document that is no map.
    #[error("`{path}` cannot be read as a map:\n{told}")]
    Map { path: String, told: String },
    #[error("interrupted; nothing was written")]
    Interrupted,
}

impl From<SpecError> for CliError {
    fn from(e: SpecError) -> CliError {
        CliError::Engine(e.into())
    }
}

impl CliError {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) => USAGE,
            CliError::Check(_) => CHECK,
            CliError::Map { .. } => INPUT,
            CliError::Read(e) => reading(e),
            CliError::Engine(
                Error::MemoryBudget { .. } | Error::Cancelled { .. } | Error::Threads { .. },
            ) => LIMIT,
            CliError::Engine(Error::EmptyLog { .. } | Error::QuarantineShare { .. })
            | CliError::Nothing(_) => INPUT,
            CliError::Engine(_) | CliError::Condition { .. } => QUESTION,
            CliError::Simulate(_) => USAGE,
            CliError::Render(_) | CliError::Write { .. } => OUTPUT,
            CliError::Interrupted => interrupt::signal()
                .and_then(|n| u8::try_from(128 + n).ok())
                .unwrap_or(INTERRUPTED),
        }
    }

    /// Whether the work ended because it was asked to.
    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(
            self,
            CliError::Read(IoError::Cancelled { .. } | IoError::Log(Error::Cancelled { .. }))
                | CliError::Engine(Error::Cancelled { .. })
                | CliError::Interrupted
        )
    }
}

fn reading(error: &IoError) -> u8 {
    match error {
        IoError::Setting { .. }
        | IoError::UnknownZone { .. }
        | IoError::UnknownCurrency { .. }
        | IoError::Log(Error::RepeatedAttribute { .. }) => USAGE,
        // Columns of the question, as against those that every log needs.
        IoError::UnknownColumn { role, .. } if *role == "an attribute" => QUESTION,
        IoError::Limit { .. } | IoError::Log(Error::TooMany { .. }) => LIMIT,
        IoError::Write { .. } => OUTPUT,
        _ => INPUT,
    }
}

/// The reader's message with the options that mend it.
fn read(error: &IoError) -> String {
    let told = error.to_string();
    match error {
        IoError::UnknownFormat { .. } | IoError::FormatMismatch { .. } => {
            told.replace("set the format", "give --input-format")
        }
        IoError::TimeUnitNeeded { .. } => match told.split_once("; ") {
            Some((what, _)) => format!("{what}; say their unit: --time-unit s, ms, us or ns"),
            None => told,
        },
        IoError::KindClash { .. } => {
            told.replace("declare its kind", "make it one kind in all inputs")
        }
        IoError::Limit { limit, setting, .. } => match told.split_once("; ") {
            Some((what, _)) => {
                format!(
                    "{what}; raise it if you trust the input: --limit {setting}=N (now {limit})"
                )
            }
            None => told,
        },
        IoError::Setting { setting, problem } => format!("{}: {problem}", option(setting)),
        IoError::UnknownZone { .. } => format!("--zone: {told}"),
        IoError::UnknownCurrency { .. } => format!("--currency: {told}"),
        IoError::Log(inner) => engine(inner),
        _ => told,
    }
}

/// The engine's message with the options that mend it, and fields called as their options are.
fn engine(error: &Error) -> String {
    match error {
        Error::QuarantineShare { what, .. } => {
            let option = match *what {
                "answers" => "allow more with --survey-max-quarantine-share SHARE",
                _ => "allow more with --max-quarantine-share SHARE",
            };
            error.to_string().replace("raise the allowed share", option)
        }
        Error::MemoryBudget { .. } => error
            .to_string()
            .replace("raise the budget", "raise --memory-budget"),
        Error::Spec(SpecError::Field {
            analysis,
            field,
            problem,
        }) => format!("{}: {problem}", option_of(analysis, field)),
        Error::Spec(SpecError::Expr {
            analysis,
            field,
            source,
        }) => format!("{}: {source}", option_of(analysis, field)),
        Error::Spec(SpecError::UnknownAttribute {
            analysis, field, ..
        }) => {
            let told = error.to_string();
            let lead = format!("`{field}` of {analysis}");
            told.replacen(&lead, &option_of(analysis, field), 1)
        }
        other => other.to_string(),
    }
}

fn option(setting: &str) -> String {
    let word = match setting {
        "header" => "no-header",
        "format" => "input-format",
        other => other,
    };
    format!("--{}", word.replace('_', "-"))
}

/// The option that fills a field of an analysis.
pub(crate) fn option_of(analysis: &str, field: &str) -> String {
    if (analysis, field) == ("journeys", "rule") {
        return "--journey".to_owned();
    }
    if analysis == overlay::NAME {
        let word = match field {
            "zone" => "time-zone",
            "period" => "per",
            "handovers" => "handover",
            other => other,
        };
        return format!("--{word}");
    }
    let fields = Entry::find(analysis).map(Entry::fields).unwrap_or_default();
    let word = fields
        .iter()
        .find(|f| f.name == field)
        .map_or(field, |f| f.singular());
    format!("--{}", word.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_called_as_their_options() {
        assert_eq!(option_of("funnel", "steps"), "--step");
        assert_eq!(option_of("goals", "goals"), "--goal");
        assert_eq!(option_of("dropoff", "returns_within"), "--returns-within");
        assert_eq!(option_of("journeys", "rule"), "--journey");
        assert_eq!(option_of("compare", "by"), "--by");
        assert_eq!(option_of("overlay", "zone"), "--time-zone");
        assert_eq!(option_of("overlay", "persona"), "--persona");
    }
}
