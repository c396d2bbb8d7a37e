//! What the command can fail with, and the exit code that tells a script which it was.

use desireline::io::IoError;
use desireline::io::simulate::SimulateError;

/// The options make no sense.
pub(crate) const USAGE: u8 = 2;
const INPUT: u8 = 3;
const QUESTION: u8 = 4;
const LIMIT: u8 = 5;
const OUTPUT: u8 = 6;

/// The exit codes, for the help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  2  the options make no sense
  3  the input cannot be read
  4  the question does not fit the log (unknown name, type clash, empty group)
  5  a limit was reached (memory budget, cancelled)
  6  the result cannot be written";

#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Read(#[from] IoError),
    #[error(transparent)]
    Engine(#[from] desireline::Error),
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
}

impl From<desireline::SpecError> for CliError {
    fn from(e: desireline::SpecError) -> CliError {
        CliError::Engine(e.into())
    }
}

impl CliError {
    pub(crate) fn exit_code(&self) -> u8 {
        use desireline::Error as E;
        match self {
            CliError::Usage(_) => USAGE,
            CliError::Read(IoError::Write { .. }) => OUTPUT,
            CliError::Read(_) => INPUT,
            CliError::Engine(E::MemoryBudget { .. } | E::Cancelled { .. } | E::Threads { .. }) => {
                LIMIT
            }
            CliError::Engine(E::EmptyLog { .. } | E::QuarantineShare { .. }) => INPUT,
            CliError::Engine(_) => QUESTION,
            CliError::Simulate(_) => USAGE,
            CliError::Render(_) | CliError::Write { .. } => OUTPUT,
        }
    }
}
