//! Customers by phase of their life with the company.

use desireline_core::map::{Form, LifecycleDocument};
use desireline_core::overlay::Lifecycle;
use pyo3::prelude::*;

use crate::error::Failure;
use crate::exec;
use crate::journeys::Journeys;
use crate::report::Answer;

/// Measures a lifecycle document over journeys. `form` is `yaml` or `json`, found out where it is not said, or `objects`: JSON that nobody sees.
#[pyfunction]
#[pyo3(signature = (journeys, text, form=None, level=None, threads=None, memory_budget=None, progress=None))]
#[allow(clippy::too_many_arguments)] // as Python names them
pub(crate) fn measure_lifecycle(
    py: Python<'_>,
    journeys: &Journeys,
    text: &str,
    form: Option<&str>,
    level: Option<f64>,
    threads: Option<usize>,
    memory_budget: Option<u64>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Answer> {
    let document = exec::short(py, || {
        Ok(match form {
            Some("objects") => LifecycleDocument::of_json(text)?,
            Some("json") => LifecycleDocument::read(text, Form::Json)?,
            Some(_) => LifecycleDocument::read(text, Form::Yaml)?,
            None => LifecycleDocument::read(text, Form::guess(text))?,
        })
    })?;
    let mut lifecycle = Lifecycle::new(document);
    lifecycle.level = level.unwrap_or(lifecycle.level);
    let journeys = journeys.cloned();
    exec::run(py, progress, move |watch| {
        let exec = watch.exec(threads, memory_budget)?;
        let answers = journeys.run_dyn(&[Box::new(lifecycle)], &exec)?;
        answers
            .into_iter()
            .next()
            .map(Answer::new)
            .ok_or_else(|| Failure::Panic("nothing was answered".to_owned()))
    })
}
