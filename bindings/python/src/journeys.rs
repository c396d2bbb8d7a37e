//! Journeys: selected, questioned, explained.

use std::collections::BTreeMap;

use desireline_core::engine::{DynAnalysis, finish_sealed, merge_sealed};
use desireline_core::journey;
use desireline_core::registry::{self, ANALYSES};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::Failure;
use crate::exec;
use crate::report::Answer;

/// A log cut into journeys.
#[pyclass(frozen, module = "desireline._core")]
pub(crate) struct Journeys {
    inner: journey::Journeys,
}

impl Journeys {
    pub(crate) fn new(inner: journey::Journeys) -> Journeys {
        Journeys { inner }
    }

    /// The core's own object.
    pub(crate) fn cloned(&self) -> journey::Journeys {
        self.inner.clone()
    }
}

/// An analysis by name, of a question in JSON.
fn analysis(name: &str, spec: &str) -> Result<Box<dyn DynAnalysis>, Failure> {
    let spec = serde_json::from_str(spec)?;
    Ok(registry::from_spec(name, spec)?)
}

#[pymethods]
impl Journeys {
    #[getter]
    fn n_events(&self) -> u64 {
        self.inner.n_events()
    }

    #[getter]
    fn n_customers(&self) -> u64 {
        self.inner.n_customers()
    }

    #[getter]
    fn n_journeys(&self) -> u64 {
        self.inner.n_journeys()
    }

    /// The rule as text.
    #[getter]
    fn rule(&self) -> String {
        self.inner.rule().to_string()
    }

    /// The selections in force, as text.
    #[getter]
    fn selections(&self) -> Vec<String> {
        self.inner
            .selections()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// What a reader must know about log and cut: (JSON, sentence) each.
    #[getter]
    fn caveats(&self) -> PyResult<Vec<(String, String)>> {
        Ok(crate::report::caveats(&self.inner.caveats())?)
    }

    fn keep_events(&self, py: Python<'_>, condition: String) -> PyResult<Journeys> {
        let journeys = self.inner.clone();
        exec::run(py, None, move |_| {
            Ok(Journeys::new(journeys.keep_events(&condition)?))
        })
    }

    fn keep_journeys(&self, py: Python<'_>, condition: String) -> PyResult<Journeys> {
        let journeys = self.inner.clone();
        exec::run(py, None, move |_| {
            Ok(Journeys::new(journeys.keep_journeys(&condition)?))
        })
    }

    /// Answers questions, each a name and a JSON spec, in one pass.
    #[pyo3(signature = (questions, threads=None, memory_budget=None, progress=None))]
    fn run(
        &self,
        py: Python<'_>,
        questions: Vec<(String, String)>,
        threads: Option<usize>,
        memory_budget: Option<u64>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Answer>> {
        let journeys = self.inner.clone();
        exec::run(py, progress, move |watch| {
            let analyses = questions
                .iter()
                .map(|(name, spec)| analysis(name, spec))
                .collect::<Result<Vec<_>, _>>()?;
            let answers = journeys.run_dyn(&analyses, &watch.exec(threads, memory_budget)?)?;
            Ok(answers.into_iter().map(Answer::new).collect())
        })
    }

    /// How many blocks the log has: what can be counted apart.
    #[getter]
    fn n_blocks(&self) -> usize {
        self.inner.blocks().len()
    }

    /// The partial result of a question over some blocks, as sealed bytes.
    #[pyo3(signature = (name, spec, blocks=None, threads=None, memory_budget=None))]
    fn partial<'py>(
        &self,
        py: Python<'py>,
        name: String,
        spec: String,
        blocks: Option<Vec<usize>>,
        threads: Option<usize>,
        memory_budget: Option<u64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let journeys = self.inner.clone();
        let sealed = exec::run(py, None, move |watch| {
            let blocks = blocks.unwrap_or_else(|| (0..journeys.blocks().len()).collect());
            let exec = watch.exec(threads, memory_budget)?;
            Ok(journeys.seal(analysis(&name, &spec)?.as_ref(), &blocks, &exec)?)
        })?;
        Ok(PyBytes::new(py, &sealed))
    }

    /// The cells that journeys are counted in, with their counts.
    fn cells(&self, py: Python<'_>, name: String, spec: String) -> PyResult<BTreeMap<String, u64>> {
        let journeys = self.inner.clone();
        exec::run(py, None, move |watch| {
            Ok(journeys.count_cells(analysis(&name, &spec)?.as_ref(), &watch.exec(None, None)?)?)
        })
    }

    /// The journeys counted in a cell: customer, ordinal, start, why.
    fn members(
        &self,
        py: Python<'_>,
        name: String,
        spec: String,
        cell: String,
        limit: usize,
    ) -> PyResult<Vec<(String, u32, i64, String)>> {
        let journeys = self.inner.clone();
        exec::run(py, None, move |watch| {
            let (analysis, exec) = (analysis(&name, &spec)?, watch.exec(None, None)?);
            let members = journeys.members_with(analysis.as_ref(), &cell, limit, &exec)?;
            Ok(members
                .into_iter()
                .map(|m| (m.customer, m.journey, m.start, m.why))
                .collect())
        })
    }

    /// Every journey of a customer as JSON, with the cells that it is counted in and why.
    fn explain(
        &self,
        py: Python<'_>,
        name: String,
        spec: String,
        customer: String,
    ) -> PyResult<String> {
        let journeys = self.inner.clone();
        exec::run(py, None, move |watch| {
            let (analysis, exec) = (analysis(&name, &spec)?, watch.exec(None, None)?);
            let explained = journeys.explain_with(analysis.as_ref(), &customer, &exec)?;
            Ok(serde_json::to_string(&explained)?)
        })
    }
}

/// The names of the analyses.
#[pyfunction]
pub(crate) fn analyses() -> Vec<&'static str> {
    ANALYSES.iter().map(|entry| entry.name).collect()
}

/// Sealed partial results of one question, merged into one.
#[pyfunction]
pub(crate) fn merge<'py>(py: Python<'py>, parts: Vec<Vec<u8>>) -> PyResult<Bound<'py, PyBytes>> {
    let merged = exec::run(py, None, move |_| {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Ok(merge_sealed(&parts, &registry::from_spec)?)
    })?;
    Ok(PyBytes::new(py, &merged))
}

/// The answer of a sealed partial result.
#[pyfunction]
pub(crate) fn finish(py: Python<'_>, sealed: Vec<u8>) -> PyResult<Answer> {
    exec::run(py, None, move |_| {
        Ok(Answer::new(finish_sealed(&sealed, &registry::from_spec)?))
    })
}
