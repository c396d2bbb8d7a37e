//! Answers and their tables.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Field, Float64Type, Int32Type,
    TimestampMicrosecondType, UInt64Type,
};
use desireline_core::engine::{DynAnswer, DynReport};
use desireline_core::feedback::FeedbackReport;
use desireline_core::kpi::{KpiReport, PeriodLength};
use desireline_core::log::{Log, Summary};
use desireline_core::map::Alert;
use desireline_core::overlay::{
    self, LifecycleReport, OverlayReport, PersonaDiff, PersonaWeights, VoiceReport,
};
use desireline_core::registry;
use desireline_core::report::{Caveat, Provenance, Report};
use desireline_core::{SpecError, journey::JourneyRule, report};
use desireline_report::csv::Dialect;
use desireline_report::text::TextOptions;
use desireline_report::{AnswerView, csv, format, html, json, markdown, svg, text};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};

use crate::error::Failure;
use crate::exec::short;

/// An answer: the report with the question and where it came from. A part is one group's report of a breakdown.
#[pyclass(frozen, module = "desireline._core")]
#[derive(Clone)]
pub(crate) struct Answer {
    inner: Arc<DynAnswer>,
    part: Option<usize>,
}

impl Answer {
    /// The overlay, if it is one.
    pub(crate) fn overlay(&self) -> Option<&OverlayReport> {
        self.inner.report.as_any().downcast_ref()
    }

    /// What customers say along a map, if it is that.
    pub(crate) fn voice(&self) -> Option<&VoiceReport> {
        self.inner.report.as_any().downcast_ref()
    }

    /// The KPI, if it is one.
    fn kpi(&self) -> Result<&KpiReport, Failure> {
        let report = self.inner.report.as_any().downcast_ref();
        report.ok_or_else(|| Failure::Panic(format!("{} is no KPI", self.inner.analysis)))
    }

    /// A typed answer.
    pub(crate) fn of<R: Report + serde::Serialize>(answer: report::Answer<R>) -> Answer {
        Answer::new(DynAnswer {
            analysis: answer.analysis,
            spec: answer.spec,
            provenance: answer.provenance,
            report: Box::new(answer.report),
        })
    }

    pub(crate) fn new(answer: DynAnswer) -> Answer {
        Answer {
            inner: Arc::new(answer),
            part: None,
        }
    }

    /// The summary of a log, as if it were an answer, so that it is shown like one.
    pub(crate) fn of_log(log: &Log) -> Result<Answer, Failure> {
        let provenance = log.journeys(JourneyRule::customer())?.provenance();
        Ok(Answer::new(DynAnswer {
            analysis: "summary".to_owned(),
            spec: serde_json::Value::Object(serde_json::Map::new()),
            provenance,
            report: Box::new(log.summary()),
        }))
    }

    fn report(&self) -> &dyn Report {
        let whole = DynReport::as_report(self.inner.report.as_ref());
        match self.part.and_then(|i| whole.parts().into_iter().nth(i)) {
            Some((_, part)) => part,
            None => whole,
        }
    }

    pub(crate) fn view(&self) -> AnswerView<'_> {
        AnswerView {
            analysis: &self.inner.analysis,
            spec: &self.inner.spec,
            provenance: &self.inner.provenance,
            report: self.report(),
            typed: None,
        }
    }
}

/// Caveats as pairs of JSON and sentence.
pub(crate) fn caveats(list: &[Caveat]) -> Result<Vec<(String, String)>, Failure> {
    list.iter()
        .map(|c| Ok((serde_json::to_string(c)?, c.message())))
        .collect()
}

#[pymethods]
impl Answer {
    #[getter]
    fn analysis(&self) -> &str {
        &self.inner.analysis
    }

    /// The question as JSON.
    #[getter]
    fn spec(&self) -> String {
        self.inner.spec.to_string()
    }

    #[getter]
    fn title(&self) -> &'static str {
        self.report().title()
    }

    /// Where it came from, as JSON.
    #[getter]
    fn provenance(&self) -> PyResult<String> {
        let provenance: &Provenance = &self.inner.provenance;
        Ok(serde_json::to_string(provenance).map_err(Failure::from)?)
    }

    #[getter]
    fn caveats(&self) -> PyResult<Vec<(String, String)>> {
        Ok(caveats(self.report().caveats())?)
    }

    /// The names of the parts of a breakdown.
    fn parts(&self) -> Vec<String> {
        let whole = DynReport::as_report(self.inner.report.as_ref());
        whole
            .parts()
            .into_iter()
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// The part at a place.
    fn part(&self, place: usize) -> Answer {
        Answer {
            inner: Arc::clone(&self.inner),
            part: Some(place),
        }
    }

    /// The whole report's typed fields as JSON.
    fn fields(&self, py: Python<'_>) -> PyResult<String> {
        short(py, || Ok(self.inner.report.to_json()?.to_string()))
    }

    fn tables(&self, py: Python<'_>) -> PyResult<Vec<Table>> {
        short(py, || {
            let tables = self.report().tables().into_iter();
            Ok(tables
                .map(|t| Table {
                    inner: Arc::new(t),
                    of: self.clone(),
                })
                .collect())
        })
    }

    fn text(&self, py: Python<'_>, width: Option<usize>) -> PyResult<String> {
        let options = TextOptions {
            colour: false,
            width,
            bars: true,
            rows: text::Rows::Few,
            columns: text::Columns::default(),
        };
        short(py, || Ok(text::render(&self.view(), &options)))
    }

    fn markdown(&self, py: Python<'_>) -> PyResult<String> {
        short(py, || Ok(markdown::render(&self.view())))
    }

    fn json(&self, py: Python<'_>) -> PyResult<String> {
        short(py, || {
            let typed = match self.part {
                None => Some(self.inner.report.to_json()?),
                Some(_) => None,
            };
            let view = self.view();
            Ok(match &typed {
                Some(typed) => json::render(&view.with_typed(typed))?,
                None => json::render(&view)?,
            })
        })
    }

    /// The transitions as a graph: `dot` or `mermaid`; nothing where the report has none.
    fn graph(&self, py: Python<'_>, form: &str) -> PyResult<Option<String>> {
        short(py, || {
            let graph = desireline_core::analyses::graph(self.report());
            Ok(graph.map(|graph| match form {
                "dot" => graph.to_dot(),
                _ => graph.to_mermaid(),
            }))
        })
    }

    /// Whether a KPI calls for an alert, which is JSON.
    fn alert(&self, py: Python<'_>, alert: &str) -> PyResult<Option<bool>> {
        short(py, || {
            let alert: Alert = serde_json::from_str(alert)?;
            self.kpi()?.alert(&alert).map_err(no_threshold)
        })
    }

    /// In how many periods in a row it has, and how many it takes; nothing without a whole period.
    fn alert_run(
        &self,
        py: Python<'_>,
        alert: &str,
        unit: &str,
    ) -> PyResult<Option<(u64, Option<u64>)>> {
        short(py, || {
            let alert: Alert = serde_json::from_str(alert)?;
            let unit: PeriodLength = serde_json::from_value(unit.into())?;
            let run = self.kpi()?.alert_run(&alert, unit).map_err(no_threshold)?;
            Ok(run.map(|run| (run.periods, run.wanted)))
        })
    }

    /// Which part of a breakdown this is.
    #[getter]
    fn place(&self) -> Option<usize> {
        self.part
    }

    /// The picture, where this kind of report has one.
    fn svg(&self, py: Python<'_>, width: f64) -> PyResult<Option<String>> {
        short(py, || Ok(svg::picture(self.report(), width)))
    }
}

/// An answer from what [`Answer`] gives out: the question, where it came from and the typed fields, as JSON.
#[pyfunction]
pub(crate) fn restore(
    py: Python<'_>,
    analysis: String,
    spec: &str,
    provenance: &str,
    fields: &str,
) -> PyResult<Answer> {
    short(py, || {
        let spec: serde_json::Value = serde_json::from_str(spec)?;
        let fields: serde_json::Value = serde_json::from_str(fields)?;
        let report: Box<dyn DynReport> = match analysis.as_str() {
            "summary" => Box::new(serde_json::from_value::<Summary>(fields)?),
            overlay::NAME => Box::new(serde_json::from_value::<OverlayReport>(fields)?),
            "kpi" => Box::new(serde_json::from_value::<KpiReport>(fields)?),
            "lifecycle" => Box::new(serde_json::from_value::<LifecycleReport>(fields)?),
            "personas" => Box::new(serde_json::from_value::<PersonaWeights>(fields)?),
            "persona_diff" => Box::new(serde_json::from_value::<PersonaDiff>(fields)?),
            // Along a map answers were joined to places; a survey by itself has none.
            FeedbackReport::NAME if fields.get("joined").is_some() => {
                Box::new(serde_json::from_value::<VoiceReport>(fields)?)
            }
            FeedbackReport::NAME => Box::new(serde_json::from_value::<FeedbackReport>(fields)?),
            name => registry::read_report(name, &spec, fields)?,
        };
        Ok(Answer::new(DynAnswer {
            analysis,
            provenance: serde_json::from_str(provenance)?,
            spec,
            report,
        }))
    })
}

/// A threshold that a KPI's number cannot be held against.
fn no_threshold(problem: String) -> Failure {
    let told = SpecError::Field {
        analysis: "kpi",
        field: "alert",
        problem,
    };
    told.into()
}

/// A self-contained page of answers, after the summary of their log where there is one.
#[pyfunction]
#[pyo3(signature = (title, answers, summary=None))]
pub(crate) fn page(
    py: Python<'_>,
    title: &str,
    answers: Vec<Bound<'_, Answer>>,
    summary: Option<&Bound<'_, Answer>>,
) -> PyResult<String> {
    let answers: Vec<&Answer> = answers.iter().map(Bound::get).collect();
    let summary = summary.map(Bound::get);
    short(py, || {
        let views: Vec<AnswerView<'_>> = answers.iter().map(|a| a.view()).collect();
        Ok(html::page(title, summary.map(Answer::report), &views)?)
    })
}

/// Headings, whether each column holds words, and the rows: each cell with its interval, where it has one.
type Shown = (Vec<String>, Vec<bool>, Vec<Vec<(String, Option<String>)>>);

/// One table of a report.
#[pyclass(frozen, module = "desireline._core")]
#[derive(Clone)]
pub(crate) struct Table {
    inner: Arc<report::Table>,
    of: Answer,
}

impl Table {
    fn batch(&self) -> Result<RecordBatch, Failure> {
        Ok(desireline_report::arrow::record_batch(
            &self.inner,
            Some(&self.of.view()),
        )?)
    }
}

#[pymethods]
impl Table {
    #[getter]
    fn name(&self) -> &'static str {
        self.inner.name
    }

    #[getter]
    fn title(&self) -> &str {
        &self.inner.title
    }

    #[getter]
    fn n_rows(&self) -> usize {
        self.inner.n_rows()
    }

    /// The answer that it belongs to.
    #[getter]
    fn answer(&self) -> Answer {
        self.of.clone()
    }

    /// Columns by name, each a kind and its cells: durations and times in microseconds, money in minor units.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let batch = short(py, || self.batch())?;
        let columns = PyDict::new(py);
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            columns.set_item(field.name(), cells(py, array)?)?;
        }
        Ok(columns)
    }

    fn text(&self, py: Python<'_>, width: Option<usize>) -> PyResult<String> {
        let options = TextOptions {
            colour: false,
            width,
            bars: true,
            rows: text::Rows::Few,
            columns: text::Columns::default(),
        };
        short(py, || Ok(text::table(&self.inner, &options)))
    }

    fn markdown(&self, py: Python<'_>) -> PyResult<String> {
        short(py, || Ok(markdown::table(&self.inner)))
    }

    /// As CSV; made safe for spreadsheets, or plain.
    fn csv(&self, py: Python<'_>, spreadsheet: bool) -> PyResult<String> {
        let dialect = if spreadsheet {
            Dialect::Spreadsheet
        } else {
            Dialect::Plain
        };
        short(py, || Ok(csv::table(&self.inner, dialect)))
    }

    /// What people read, row by row; columns without any value are left out.
    fn shown(&self, py: Python<'_>) -> PyResult<Shown> {
        short(py, || {
            let rows = 0..self.inner.n_rows();
            let full = |c: &&report::Column| {
                rows.is_empty()
                    || rows
                        .clone()
                        .any(|row| format::cell(&c.cells, row) != format::MISSING)
            };
            let columns: Vec<&report::Column> = self.inner.columns.iter().filter(full).collect();
            let labels = columns.iter().map(|c| c.label.clone()).collect();
            let words = columns.iter().map(|c| format::is_words(&c.cells)).collect();
            let cells = |row| columns.iter().map(|c| shown(&c.cells, row)).collect();
            Ok((labels, words, rows.clone().map(cells).collect()))
        })
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let batch = short(py, || self.batch())?;
        Ok(to_schema_pycapsule(py, batch.schema_ref().as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batch = short(py, || self.batch())?;
        let schema = batch.schema();
        let field = Field::new_struct("", schema.fields().clone(), false)
            .with_metadata(schema.metadata().clone());
        let rows: ArrayRef = Arc::new(StructArray::from(batch));
        let stream = ArrayIterator::new([Ok(rows)].into_iter(), field.into());
        Ok(to_stream_pycapsule(py, Box::new(stream), requested_schema)?)
    }
}

/// A cell for people, its interval apart.
fn shown(cells: &report::Cells, row: usize) -> (String, Option<String>) {
    let estimate = match cells {
        report::Cells::Rate(v) => v.get(row).copied().flatten().and_then(|r| r.estimate),
        report::Cells::Estimate(v) => v.get(row).copied().flatten(),
        _ => None,
    };
    match estimate {
        Some(e) => (format::value(&e), Some(format::interval(&e))),
        None => (format::cell(cells, row), None),
    }
}

/// A column's kind and cells as Python objects.
fn cells<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<(String, Bound<'py, PyAny>)> {
    fn list<'py, T: IntoPyObject<'py>>(
        py: Python<'py>,
        array: &dyn Array,
        get: impl Fn(usize) -> T,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cells = (0..array.len()).map(|i| array.is_valid(i).then(|| get(i)));
        let cells = cells
            .map(|c| c.into_bound_py_any(py))
            .collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, cells)?.into_bound_py_any(py)
    }
    let a = array.as_ref();
    Ok(match a.data_type() {
        DataType::Dictionary(..) => {
            let coded = a.as_dictionary::<Int32Type>();
            let texts = coded.values().as_string::<i32>();
            let code = |i: usize| usize::try_from(coded.keys().value(i)).unwrap_or_default();
            ("text".to_owned(), list(py, a, |i| texts.value(code(i)))?)
        }
        DataType::Boolean => ("flag".to_owned(), list(py, a, |i| a.as_boolean().value(i))?),
        DataType::UInt64 => (
            "count".to_owned(),
            list(py, a, |i| a.as_primitive::<UInt64Type>().value(i))?,
        ),
        DataType::Float64 => (
            "number".to_owned(),
            list(py, a, |i| a.as_primitive::<Float64Type>().value(i))?,
        ),
        DataType::Duration(_) => (
            "duration".to_owned(),
            list(py, a, |i| {
                a.as_primitive::<DurationMicrosecondType>().value(i)
            })?,
        ),
        DataType::Timestamp(..) => (
            "time".to_owned(),
            list(py, a, |i| {
                a.as_primitive::<TimestampMicrosecondType>().value(i)
            })?,
        ),
        DataType::Decimal128(_, scale) => (
            format!("money:{scale}"),
            list(py, a, |i| a.as_primitive::<Decimal128Type>().value(i))?,
        ),
        DataType::List(_) => {
            let lists = a.as_list::<i32>();
            let names = |i: usize| {
                let names = lists.value(i);
                names
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            ("path".to_owned(), list(py, a, names)?)
        }
        other => {
            return Err(Failure::Panic(format!("a table has a column of type {other}")).into());
        }
    })
}
