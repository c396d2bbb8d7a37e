//! From the engine's errors to the Python exceptions of `desireline._errors`.

use desireline_core::expr::ExprError;
use desireline_core::feedback::FeedbackError;
use desireline_core::{Error, SpecError};
use desireline_io::IoError;
use desireline_io::simulate::SimulateError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// Whatever can go wrong behind the boundary.
#[derive(Debug)]
pub(crate) enum Failure {
    Core(Error),
    Io(IoError),
    Simulate(SimulateError),
    Report(desireline_report::Error),
    Exchange(desireline_report::exchange::ExchangeError),
    Persona(desireline_core::overlay::UnknownPersona),
    /// Arguments from Python that do not have the shape that this module's own Python files give them.
    Shape(serde_json::Error),
    /// A bug: something panicked.
    Panic(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Core(error)
    }
}

impl From<SpecError> for Failure {
    fn from(error: SpecError) -> Failure {
        Failure::Core(error.into())
    }
}

impl From<ExprError> for Failure {
    fn from(error: ExprError) -> Failure {
        Failure::Core(error.into())
    }
}

impl From<desireline_core::map::MapError> for Failure {
    fn from(error: desireline_core::map::MapError) -> Failure {
        Failure::Core(error.into())
    }
}

impl From<desireline_core::time::TimeSpanError> for Failure {
    fn from(error: desireline_core::time::TimeSpanError) -> Failure {
        Failure::Core(error.into())
    }
}

impl From<IoError> for Failure {
    fn from(error: IoError) -> Failure {
        match error {
            IoError::Log(error) => Failure::Core(error),
            error => Failure::Io(error),
        }
    }
}

impl From<SimulateError> for Failure {
    fn from(error: SimulateError) -> Failure {
        Failure::Simulate(error)
    }
}

impl From<desireline_report::Error> for Failure {
    fn from(error: desireline_report::Error) -> Failure {
        Failure::Report(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::Shape(error)
    }
}

/// A Python class of `desireline._errors` and the stable word for the error.
type Kind = (&'static str, &'static str);

impl Failure {
    fn message(&self) -> String {
        match self {
            // All that is wrong with a document, a line each.
            Failure::Core(Error::Map(e)) => {
                let told: Vec<String> = e.problems().iter().map(ToString::to_string).collect();
                told.join("\n")
            }
            Failure::Core(e) => e.to_string(),
            Failure::Io(e) => e.to_string(),
            Failure::Simulate(e) => e.to_string(),
            Failure::Report(e) => e.to_string(),
            Failure::Exchange(e) => e.to_string(),
            Failure::Persona(e) => e.to_string(),
            Failure::Shape(e) => without_place(&e.to_string()),
            Failure::Panic(said) => {
                format!("desireline failed on its own account, please report it: {said}")
            }
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Failure::Core(e) => core(e),
            Failure::Io(e) => (io(e), e.code()),
            Failure::Simulate(SimulateError::UnknownName { .. }) => {
                ("UnknownNameError", "unknown_name")
            }
            Failure::Simulate(SimulateError::Field { .. }) => ("SpecError", "field"),
            Failure::Simulate(_) => ("InternalError", "simulate"),
            Failure::Report(_) => ("InternalError", "report"),
            Failure::Exchange(_) => ("SpecError", "exchange"),
            Failure::Persona(_) => ("SpecError", "unknown_persona"),
            Failure::Shape(_) => ("SpecError", "shape"),
            Failure::Panic(_) => ("InternalError", "panic"),
        }
    }

    /// The name that is not known, the nearest that is, and all that are.
    fn names(&self) -> Option<(&str, Option<&str>, &[String])> {
        match self {
            Failure::Core(Error::UnknownAnalysis {
                name,
                nearest,
                known,
            })
            | Failure::Core(Error::UndeclaredAttribute {
                name,
                nearest,
                known,
            })
            | Failure::Core(Error::Spec(SpecError::UnknownAttribute {
                name,
                nearest,
                known,
                ..
            }))
            | Failure::Simulate(SimulateError::UnknownName {
                name,
                nearest,
                known,
                ..
            })
            | Failure::Core(Error::UnknownCell {
                cell: name,
                nearest,
                kinds: known,
            }) => Some((name, nearest.as_deref(), known)),
            Failure::Core(Error::Feedback(
                FeedbackError::UnknownQuestion {
                    name,
                    nearest,
                    known,
                }
                | FeedbackError::UnknownKind {
                    name,
                    nearest,
                    known,
                },
            )) => Some((name, nearest.as_deref(), known)),
            Failure::Io(IoError::UnknownColumn {
                column,
                nearest,
                available,
                ..
            }) => Some((column, nearest.as_deref(), available)),
            Failure::Core(
                Error::Expr(e)
                | Error::Spec(
                    SpecError::Expr { source: e, .. } | SpecError::MapCondition { source: e, .. },
                ),
            ) => match e {
                ExprError::UnknownField { field, .. } => Some((field, None, &[])),
                ExprError::UnknownEvent { name, known, .. } => Some((name, None, known)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What JSON that nobody has seen is wrong about, without the line and column in it.
fn without_place(message: &str) -> String {
    let place = message.rfind(" at line ");
    let whole = place.and_then(|at| message.get(..at)).unwrap_or(message);
    whole.to_owned()
}

fn core(error: &Error) -> Kind {
    match error {
        Error::Spec(SpecError::UnknownAttribute { .. }) => {
            ("UnknownNameError", "unknown_attribute")
        }
        Error::Spec(SpecError::Field { .. }) => ("SpecError", "field"),
        Error::Spec(SpecError::Shape { .. }) => ("SpecError", "shape"),
        Error::Expr(e)
        | Error::Spec(
            SpecError::Expr { source: e, .. } | SpecError::MapCondition { source: e, .. },
        ) => expr(e),
        Error::Spec(_) => ("SpecError", "spec"),
        Error::Map(_) => ("SpecError", "map"),
        Error::Feedback(FeedbackError::UnknownQuestion { .. }) => {
            ("UnknownNameError", "unknown_question")
        }
        Error::Feedback(FeedbackError::UnknownKind { .. }) => {
            ("UnknownNameError", "unknown_question_kind")
        }
        Error::Feedback(_) => ("SpecError", "feedback"),
        Error::TimeSpan(_) => ("SpecError", "time_span"),
        Error::UnknownAnalysis { .. } => ("UnknownNameError", "unknown_analysis"),
        Error::UnknownCell { .. } => ("UnknownNameError", "unknown_cell"),
        Error::UnknownCustomer => ("UnknownNameError", "unknown_customer"),
        Error::UndeclaredAttribute { .. } => ("UnknownNameError", "unknown_attribute"),
        Error::MemoryBudget { .. } => ("BudgetError", "memory_budget"),
        Error::Cancelled { .. } => ("DesirelineError", "cancelled"),
        Error::QuarantineShare { .. } => ("DataError", "quarantine_share"),
        Error::EmptyLog { .. } => ("DataError", "empty_log"),
        Error::TooMany {
            what: "threads", ..
        } => ("SpecError", "threads"),
        Error::TooMany { .. } => ("DataError", "too_many"),
        Error::Envelope { .. } => ("DataError", "envelope"),
        Error::CurrencyMissing => ("SpecError", "currency_missing"),
        Error::RepeatedAttribute { .. } => ("SpecError", "repeated_attribute"),
        Error::Inconsistent { .. } => ("DataError", "inconsistent"),
        Error::Threads { .. } => ("InternalError", "threads"),
        Error::Stats(_) => ("SpecError", "stats"),
        _ => ("DataError", "log"),
    }
}

fn expr(error: &ExprError) -> Kind {
    match error {
        ExprError::UnknownField { .. } => ("UnknownNameError", "unknown_field"),
        ExprError::ValueUndeclared { .. } => ("SpecError", "value_undeclared"),
        ExprError::AmbiguousField { .. } => ("SpecError", "ambiguous_field"),
        ExprError::UnknownEvent { .. } => ("UnknownNameError", "unknown_event"),
        _ => ("SpecError", "expression"),
    }
}

fn io(error: &IoError) -> &'static str {
    match error {
        IoError::NoInput { .. } => "InputNotFoundError",
        IoError::Open { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
            "InputNotFoundError"
        }
        IoError::UnknownColumn { .. } => "UnknownNameError",
        IoError::UnknownZone { .. } | IoError::UnknownCurrency { .. } | IoError::Setting { .. } => {
            "SpecError"
        }
        IoError::ColumnType { .. }
        | IoError::Table { .. }
        | IoError::KindClash { .. }
        | IoError::DuplicateColumn { .. }
        | IoError::TimeUnitNeeded { .. }
        | IoError::EmptyInput { .. }
        | IoError::Limit { .. } => "DataError",
        IoError::Cancelled { .. } => "DesirelineError",
        _ => "ReadError",
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        // A stream from Python carries the exception that its producer raised: that one is the cause.
        Python::attach(|py| raise(py, &failure).unwrap_or_else(|broken| broken))
    }
}

fn raise(py: Python<'_>, failure: &Failure) -> PyResult<PyErr> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE
        .get_or_try_init(py, || py.import("desireline._errors").map(Bound::unbind))?
        .bind(py);
    let (class, code) = failure.kind();
    let details = PyDict::new(py);
    details.set_item("code", code)?;
    if let Some((name, nearest, known)) = failure.names() {
        details.set_item("name", name)?;
        details.set_item("nearest", nearest)?;
        details.set_item("known", known)?;
    }
    let class = module.getattr(class)?.cast_into::<PyType>()?;
    Ok(PyErr::from_value(
        class.call((failure.message(),), Some(&details))?,
    ))
}
