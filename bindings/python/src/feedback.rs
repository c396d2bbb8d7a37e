//! Feedback: read, measured, held against maps.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatchReader;
use desireline_core::feedback::{
    self, Duplicates, FeedbackReport, Measure, Measuring, Question, QuestionKind, ReportOptions,
    Which, survey_template,
};
use desireline_core::overlay::{JoinRule, ListenOptions, Ties, VoiceReport, listen, placed};
use desireline_core::time::TimeSpan;
use desireline_io::{FeedbackColumns, Source};
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;
use serde::Deserialize;

use crate::columns;
use crate::error::Failure;
use crate::exec::{self, Watch};
use crate::journeys::Journeys;
use crate::map::JourneyMap;
use crate::report::{Answer, caveats};

/// The keyword arguments of `Feedback.read`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    #[serde(default)]
    questions: Vec<Asked>,
    voc: Option<String>,
    customer: Option<String>,
    time: Option<String>,
    question: Option<String>,
    score: Option<String>,
    words: Option<String>,
    language: Option<String>,
    touchpoint: Option<String>,
    source: Option<String>,
    anonymous: Option<bool>,
    keep: Option<Duplicates>,
    max_quarantine_share: Option<f64>,
    zone: Option<String>,
    time_unit: Option<String>,
    format: Option<String>,
    delimiter: Option<String>,
    header: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    question: Question,
    column: Option<String>,
    words: Option<String>,
}

impl Reading {
    fn columns(self, watch: &Watch) -> Result<FeedbackColumns, Failure> {
        let mut questions = self.questions;
        let mut columns = match (self.voc, self.score, self.question) {
            (Some(kind), ..) => FeedbackColumns::voc(kind.parse().map_err(failure)?),
            (None, Some(score), Some(question)) => {
                let all = questions.into_iter().map(|a| a.question);
                FeedbackColumns::long(all, question, score)
            }
            (None, Some(score), None) if questions.len() == 1 => {
                FeedbackColumns::one(questions.remove(0).question, score)
            }
            (None, _, _) => {
                questions
                    .into_iter()
                    .fold(FeedbackColumns::wide([]), |columns, asked| {
                        let score = asked.column.unwrap_or_else(|| asked.question.id.clone());
                        columns.question_in(asked.question, score, asked.words)
                    })
            }
        };
        type Set = fn(FeedbackColumns, String) -> FeedbackColumns;
        let roles: [(Option<String>, Set); 7] = [
            (self.customer, |c, name| c.customer(name)),
            (self.time, |c, name| c.time(name)),
            (self.words, |c, name| c.words(name)),
            (self.language, |c, name| c.language(name)),
            (self.touchpoint, |c, name| c.touchpoint(name)),
            (self.source, |c, name| c.source(name)),
            (self.zone, |c, name| c.zone(name)),
        ];
        for (name, set) in roles {
            if let Some(name) = name {
                columns = set(columns, name);
            }
        }
        if let Some(anonymous) = self.anonymous {
            columns = columns.anonymous(anonymous);
        }
        if let Some(keep) = self.keep {
            columns = columns.duplicates(keep);
        }
        if let Some(share) = self.max_quarantine_share {
            columns = columns.max_quarantine_share(share);
        }
        if let Some(unit) = self.time_unit {
            columns = columns.time_unit(columns::time_unit(&unit)?);
        }
        if let Some(format) = self.format {
            columns = columns.format(columns::format(&format)?);
        }
        if let Some(delimiter) = self.delimiter {
            columns = columns.delimiter(columns::delimiter(&delimiter)?);
        }
        if self.header == Some(false) {
            columns = columns.no_header();
        }
        Ok(columns.cancel(watch.flag()))
    }
}

fn failure(error: feedback::FeedbackError) -> Failure {
    Failure::Core(error.into())
}

/// Answers to surveys; immutable.
#[pyclass(frozen, module = "desireline._core")]
pub(crate) struct Feedback {
    inner: Arc<feedback::Feedback>,
}

/// Reads files, folders or patterns. `reading` is the JSON of what the columns are.
#[pyfunction]
pub(crate) fn read_feedback_paths(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    reading: &str,
) -> PyResult<Feedback> {
    let reading: Reading = serde_json::from_str(reading).map_err(Failure::from)?;
    exec::run(py, None, move |watch| {
        let columns = reading.columns(watch)?;
        Ok(Feedback {
            inner: Arc::new(desireline_io::read_feedback(Source::from(paths), &columns)?),
        })
    })
}

/// Reads an object with the Arrow C stream or array interface.
#[pyfunction]
pub(crate) fn read_feedback_frame(
    py: Python<'_>,
    frame: AnyRecordBatch,
    name: String,
    reading: &str,
) -> PyResult<Feedback> {
    let reading: Reading = serde_json::from_str(reading).map_err(Failure::from)?;
    let reader = frame.into_reader()?;
    let schema: SchemaRef = RecordBatchReader::schema(&reader);
    exec::run(py, None, move |watch| {
        let columns = reading.columns(watch)?;
        let read = desireline_io::read_feedback_batches(reader, &schema, &name, &columns)?;
        Ok(Feedback {
            inner: Arc::new(read),
        })
    })
}

/// The questions of a customer interview, as JSON.
#[pyfunction]
pub(crate) fn interview() -> PyResult<String> {
    Ok(serde_json::to_string(&survey_template()).map_err(Failure::from)?)
}

/// How feedback is shown or held against a map.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    #[serde(default)]
    which: Which,
    #[serde(default)]
    measuring: Measuring,
    verbatims: usize,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    customers: bool,
    within: Option<String>,
    after: Option<String>,
    ties: Option<Ties>,
    half_width: Option<f64>,
}

impl Feedback {
    /// The core's own object.
    pub(crate) fn shared(&self) -> Arc<feedback::Feedback> {
        Arc::clone(&self.inner)
    }
}

#[pymethods]
impl Feedback {
    #[getter]
    fn n_answers(&self) -> usize {
        self.inner.len()
    }

    #[getter]
    fn n_customers(&self) -> usize {
        self.inner.n_customers()
    }

    /// The questions as JSON.
    fn questions(&self) -> PyResult<String> {
        Ok(serde_json::to_string(self.inner.questions()).map_err(Failure::from)?)
    }

    /// What became of the answers to each question, as JSON.
    fn counts(&self) -> PyResult<String> {
        Ok(serde_json::to_string(self.inner.counts()).map_err(Failure::from)?)
    }

    /// What was put aside, as JSON.
    fn quarantine(&self) -> PyResult<String> {
        Ok(serde_json::to_string(self.inner.quarantine()).map_err(Failure::from)?)
    }

    #[getter]
    fn caveats(&self) -> PyResult<Vec<(String, String)>> {
        Ok(caveats(&self.inner.caveats())?)
    }

    /// One measure of one kind of question, as JSON.
    fn measure(
        &self,
        py: Python<'_>,
        kind: &str,
        measure: &str,
        which: &str,
        measuring: &str,
    ) -> PyResult<String> {
        exec::short(py, || {
            let kind: QuestionKind = kind.parse().map_err(failure)?;
            let measure: Measure = serde_json::from_value(measure.into())?;
            let which: Which = serde_json::from_str(which)?;
            let measuring: Measuring = serde_json::from_str(measuring)?;
            let found = self.inner.measure(kind, measure, &which, &measuring);
            Ok(serde_json::to_string(&found.map_err(failure)?)?)
        })
    }

    /// Perceived less expected, and the answers without partner, as JSON.
    fn gap(
        &self,
        py: Python<'_>,
        perceived: &str,
        which: &str,
        measuring: &str,
    ) -> PyResult<String> {
        exec::short(py, || {
            let which: Which = serde_json::from_str(which)?;
            let measuring: Measuring = serde_json::from_str(measuring)?;
            let found = self.inner.gap(perceived, &which, &measuring);
            Ok(serde_json::to_string(&found.map_err(failure)?)?)
        })
    }

    /// The table at a glance.
    fn report(&self, py: Python<'_>, asking: &str) -> PyResult<Answer> {
        exec::short(py, || {
            let asking: Asking = serde_json::from_str(asking)?;
            let mut options = ReportOptions::default();
            options.measuring = asking.measuring;
            options.which = asking.which;
            options.verbatims = asking.verbatims;
            options.seed = asking.seed;
            options.customers = asking.customers;
            let report: FeedbackReport = self.inner.report(&options).map_err(failure)?;
            Ok(Answer::of(report.into_answer()))
        })
    }

    /// Held against a map and journeys.
    fn listen(
        &self,
        py: Python<'_>,
        map: &JourneyMap,
        journeys: &Journeys,
        asking: &str,
    ) -> PyResult<Answer> {
        let asking: Asking = serde_json::from_str(asking).map_err(Failure::from)?;
        let (feedback, map) = (Arc::clone(&self.inner), map.shared());
        let journeys = journeys.cloned();
        exec::run(py, None, move |watch| {
            let span = |text: Option<String>| text.map(|t| TimeSpan::parse(&t)).transpose();
            let mut options = ListenOptions::default();
            let usual = JoinRule::default();
            options.rule = JoinRule {
                within: span(asking.within)?.unwrap_or(usual.within),
                after: span(asking.after)?,
                ties: asking.ties.unwrap_or_default(),
            };
            options.measuring = asking.measuring;
            options.half_width = asking.half_width.unwrap_or(options.half_width);
            options.verbatims = asking.verbatims;
            options.seed = asking.seed;
            options.customers = asking.customers;
            let exec = watch.exec(None, None)?;
            let report: VoiceReport = listen(map.map(), &journeys, &feedback, &options, &exec)
                .map_err(|e| placed(&map, journeys.catalog(), e))?;
            Ok(Answer::of(report.into_answer()))
        })
    }
}
