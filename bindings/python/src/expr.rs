//! Conditions on events, built in Python by the engine's own builder, so that quoting is right once.

use desireline_core::expr::{self, Col, Literal};
use desireline_core::time::TimeSpan;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

use crate::error::Failure;

/// A condition on events: which of them count.
#[pyclass(frozen, module = "desireline")]
#[derive(Clone)]
pub(crate) struct Expr(expr::Expr);

#[pymethods]
impl Expr {
    /// Reads a condition from its text.
    #[new]
    fn new(text: &str) -> PyResult<Expr> {
        Ok(Expr(expr::Expr::parse(text).map_err(Failure::from)?))
    }

    fn __and__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expr> {
        Ok(Expr(self.0.clone().and(condition(other)?)))
    }

    fn __rand__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expr> {
        Ok(Expr(condition(other)?.and(self.0.clone())))
    }

    fn __or__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expr> {
        Ok(Expr(self.0.clone().or(condition(other)?)))
    }

    fn __ror__(&self, other: &Bound<'_, PyAny>) -> PyResult<Expr> {
        Ok(Expr(condition(other)?.or(self.0.clone())))
    }

    fn __invert__(&self) -> Expr {
        Expr(self.0.clone().not())
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err(
            "a condition has no truth of its own; join conditions by & | ~ and put each comparison in parentheses",
        ))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Expr({})",
            PyString::new(py, &self.0.to_string()).repr()?
        ))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Expr>()
            .is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.to_string().hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (String,))> {
        let class = py.get_type::<Expr>().into_any().unbind();
        Ok((class, (self.0.to_string(),)))
    }
}

/// A column of the log, waiting for its comparison.
#[pyclass(frozen, module = "desireline")]
pub(crate) struct Column {
    name: String,
}

impl Column {
    fn col(&self) -> Col {
        expr::col(self.name.as_str())
    }
}

#[pymethods]
impl Column {
    #[new]
    fn new(name: String) -> Column {
        Column { name }
    }

    /// Compares with a value; `op` is one of `== != < <= > >=`.
    fn compare(&self, op: &str, value: &Bound<'_, PyAny>) -> PyResult<Expr> {
        let (col, value) = (self.col(), literal(value)?);
        Ok(Expr(match op {
            "==" => col.eq(value),
            "!=" => col.ne(value),
            "<" => col.lt(value),
            "<=" => col.le(value),
            ">" => col.gt(value),
            ">=" => col.ge(value),
            other => {
                return Err(PyTypeError::new_err(format!(
                    "no operator is called {other}"
                )));
            }
        }))
    }

    fn is_in(&self, values: Vec<Bound<'_, PyAny>>) -> PyResult<Expr> {
        let values = values.iter().map(literal).collect::<PyResult<Vec<_>>>()?;
        Ok(Expr(self.col().is_in(values)))
    }

    fn like(&self, pattern: &str) -> PyResult<Expr> {
        checked(self.col().like(pattern))
    }

    fn matches(&self, pattern: &str) -> PyResult<Expr> {
        checked(self.col().matches(pattern))
    }

    fn exists(&self) -> Expr {
        Expr(self.col().exists())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("col({})", PyString::new(py, &self.name).repr()?))
    }
}

/// An event with this name.
#[pyfunction]
pub(crate) fn event(name: &str) -> Expr {
    Expr(expr::event(name))
}

/// The journey's first event for which a condition holds.
#[pyfunction]
pub(crate) fn first(of: &Bound<'_, PyAny>) -> PyResult<Expr> {
    Ok(Expr(expr::first(condition(of)?)))
}

/// The journey's n-th event for which a condition holds.
#[pyfunction]
pub(crate) fn nth(of: &Bound<'_, PyAny>, n: u32) -> PyResult<Expr> {
    Ok(Expr(expr::nth(condition(of)?, n)))
}

/// An event later than one for which a condition holds, at most `within` after it.
#[pyfunction]
pub(crate) fn after(anchor: &Bound<'_, PyAny>, within: &str) -> PyResult<Expr> {
    let within = TimeSpan::parse(within).map_err(Failure::from)?;
    Ok(Expr(expr::after(condition(anchor)?, within)))
}

/// A pattern is read when the expression's text is.
fn checked(made: expr::Expr) -> PyResult<Expr> {
    let text = made.to_string();
    Ok(Expr(expr::Expr::parse(&text).map_err(Failure::from)?))
}

/// A condition, or the text of one.
pub(crate) fn condition(given: &Bound<'_, PyAny>) -> PyResult<expr::Expr> {
    if let Ok(expr) = given.cast::<Expr>() {
        return Ok(expr.get().0.clone());
    }
    match given.cast::<PyString>() {
        Ok(text) => Ok(expr::Expr::parse(text.to_cow()?.as_ref()).map_err(Failure::from)?),
        Err(_) => Err(PyTypeError::new_err(format!(
            "a condition is a text or an Expr such as dl.col(\"channel\") == \"web\", not {}",
            given.get_type().name()?
        ))),
    }
}

fn literal(value: &Bound<'_, PyAny>) -> PyResult<Literal> {
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Literal::Boolean(flag.is_true()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Literal::Text(text.to_cow()?.into_owned()));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Literal::Integer(value.extract()?));
    }
    if value.is_instance_of::<PyFloat>() {
        let number: f64 = value.extract()?;
        if number.is_finite() {
            return Ok(Literal::Decimal(number));
        }
    }
    Err(PyTypeError::new_err(format!(
        "a column is compared with a text, a finite number, True or False, not with {}; a time is written as text, such as \"2025-03-01\"",
        value.repr()?
    )))
}
