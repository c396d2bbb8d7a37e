//! KPIs: the catalogue, and its numbers over journeys.

use std::sync::Arc;

use desireline_core::kpi::{DEFINITIONS, ExternalTable, Kpi};
use desireline_core::map::Date;
use desireline_io::external;
use pyo3::prelude::*;

use crate::error::Failure;
use crate::exec;
use crate::feedback::Feedback;
use crate::journeys::Journeys;
use crate::report::Answer;

/// A small table of numbers that no log has.
#[pyclass(frozen, module = "desireline._core")]
pub(crate) struct External {
    inner: Arc<ExternalTable>,
}

#[pymethods]
impl External {
    /// A table of columns: days as `2026-03-31`, words, numbers.
    #[new]
    fn new(
        name: String,
        dates: Option<Vec<String>>,
        keys: Vec<(String, Vec<String>)>,
        numbers: Vec<(String, Vec<Option<f64>>)>,
    ) -> PyResult<External> {
        let mut table = ExternalTable::new(name);
        if let Some(dates) = dates {
            let wrong = |told: String| pyo3::exceptions::PyValueError::new_err(told);
            let days: Result<Vec<Date>, String> = dates.iter().map(|d| d.parse()).collect();
            table = table.dates(days.map_err(wrong)?);
        }
        for (name, cells) in keys {
            table = table.keys(name, cells);
        }
        for (name, cells) in numbers {
            table = table.numbers(name, cells);
        }
        table
            .check()
            .map_err(|e| Failure::from(desireline_core::Error::from(e)))?;
        Ok(External {
            inner: Arc::new(table),
        })
    }

    /// A table from a CSV file.
    #[staticmethod]
    fn read(py: Python<'_>, path: String) -> PyResult<External> {
        let table = exec::short(py, || Ok(external::read_csv(&path)?))?;
        Ok(External {
            inner: Arc::new(table),
        })
    }

    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }
}

impl External {
    /// The core's own object.
    pub(crate) fn shared(&self) -> Arc<ExternalTable> {
        Arc::clone(&self.inner)
    }
}

/// The catalogue as JSON.
#[pyfunction]
pub(crate) fn kpi_catalogue() -> String {
    let all: Vec<serde_json::Value> = DEFINITIONS.iter().map(|d| d.describe()).collect();
    serde_json::Value::Array(all).to_string()
}

/// A KPI, asked in JSON, over journeys.
#[pyfunction]
#[pyo3(signature = (journeys, spec, tables, feedback=None, threads=None, memory_budget=None, progress=None))]
#[allow(clippy::too_many_arguments)] // as Python names them
pub(crate) fn measure_kpi(
    py: Python<'_>,
    journeys: &Journeys,
    spec: &str,
    tables: Vec<Bound<'_, External>>,
    feedback: Option<&Feedback>,
    threads: Option<usize>,
    memory_budget: Option<u64>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Answer> {
    let mut kpi: Kpi = serde_json::from_str(spec).map_err(Failure::from)?;
    kpi.tables = tables.iter().map(|t| t.get().shared()).collect();
    if let Some(feedback) = feedback {
        kpi = kpi.answers(feedback.shared());
    }
    let journeys = journeys.cloned();
    let kpi = kpi.cut_by(journeys.rule());
    exec::run(py, progress, move |watch| {
        let exec = watch.exec(threads, memory_budget)?;
        let mut answers = journeys.run_dyn(&[Box::new(kpi)], &exec)?;
        answers.pop().map(Answer::new).ok_or_else(|| {
            Failure::from(desireline_core::Error::Envelope {
                reason: "nothing was answered".to_owned(),
            })
        })
    })
}
