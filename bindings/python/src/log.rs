//! The log: read, looked at, cut into journeys.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatchReader;
use desireline_core::journey::JourneyRule;
use desireline_core::log::{self, Alias, AliasPolicy};
use desireline_core::time::{TimeSpan, parse_instant};
use desireline_io::snapshot::{self, Saving};
use desireline_io::{IoError, Source};
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;

use crate::columns::Reading;
use crate::error::Failure;
use crate::exec;
use crate::journeys::Journeys;
use crate::report::Answer;

/// All events, by customer and time; immutable.
#[pyclass(frozen, module = "desireline._core")]
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) inner: log::Log,
}

/// Reads files, folders or patterns. `reading` is the JSON of what the columns are.
#[pyfunction]
#[pyo3(signature = (paths, reading, progress=None))]
pub(crate) fn read_paths(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    reading: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Log> {
    let reading: Reading = serde_json::from_str(reading).map_err(Failure::from)?;
    exec::run(py, progress, move |watch| {
        let columns = reading.columns(watch)?;
        Ok(Log {
            inner: desireline_io::read(Source::from(paths), &columns)?,
        })
    })
}

/// Reads several sources, each of paths with a reading of its own, into one log.
#[pyfunction]
#[pyo3(signature = (sources, progress=None))]
pub(crate) fn read_sources(
    py: Python<'_>,
    sources: Vec<(Vec<PathBuf>, String)>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Log> {
    let readings = sources
        .into_iter()
        .map(|(paths, reading)| Ok((paths, serde_json::from_str(&reading)?)))
        .collect::<Result<Vec<(Vec<PathBuf>, Reading)>, serde_json::Error>>()
        .map_err(Failure::from)?;
    exec::run(py, progress, move |watch| {
        let mut sources = Vec::with_capacity(readings.len());
        for (paths, reading) in readings {
            sources.push((Source::from(paths), reading.columns(watch)?));
        }
        Ok(Log {
            inner: desireline_io::read_sources(sources)?,
        })
    })
}

/// Reads an object with the Arrow C stream or array interface.
#[pyfunction]
#[pyo3(signature = (frame, name, reading, progress=None))]
pub(crate) fn read_frame(
    py: Python<'_>,
    frame: AnyRecordBatch,
    name: String,
    reading: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Log> {
    let reading: Reading = serde_json::from_str(reading).map_err(Failure::from)?;
    let reader = frame.into_reader()?;
    let schema: SchemaRef = RecordBatchReader::schema(&reader);
    exec::run(py, progress, move |watch| {
        let columns = reading.columns(watch)?;
        Ok(Log {
            inner: desireline_io::read_batches(reader, &schema, &name, &columns)?,
        })
    })
}

/// Opens a snapshot.
#[pyfunction]
pub(crate) fn open_snapshot(py: Python<'_>, path: PathBuf) -> PyResult<Log> {
    exec::run(py, None, move |_| {
        Ok(Log {
            inner: desireline_io::open(path)?,
        })
    })
}

#[pymethods]
impl Log {
    /// Saves the log as a snapshot.
    #[pyo3(signature = (path, progress=None))]
    fn save(
        &self,
        py: Python<'_>,
        path: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let log = self.inner.clone();
        exec::run(py, progress, move |watch| {
            let told = watch.clone();
            let saving = Saving::new()
                .cancel(watch.flag())
                .on_progress(Arc::new(move |done, total| told.note(done, total)));
            Ok(snapshot::save_with(&log, path, &saving)?)
        })
    }

    /// A new log with the rows of files added.
    #[pyo3(signature = (paths, reading, progress=None))]
    fn append_paths(
        &self,
        py: Python<'_>,
        paths: Vec<PathBuf>,
        reading: &str,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Log> {
        let reading: Reading = serde_json::from_str(reading).map_err(Failure::from)?;
        let log = self.inner.clone();
        exec::run(py, progress, move |watch| {
            let columns = reading.columns(watch)?;
            Ok(Log {
                inner: desireline_io::append(&log, Source::from(paths), &columns)?,
            })
        })
    }

    /// A new log with the rows of a frame added.
    #[pyo3(signature = (frame, name, reading, progress=None))]
    fn append_frame(
        &self,
        py: Python<'_>,
        frame: AnyRecordBatch,
        name: String,
        reading: &str,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Log> {
        let reading: Reading = serde_json::from_str(reading).map_err(Failure::from)?;
        let reader = frame.into_reader()?;
        let schema: SchemaRef = RecordBatchReader::schema(&reader);
        let log = self.inner.clone();
        exec::run(py, progress, move |watch| {
            let columns = reading.columns(watch)?;
            Ok(Log {
                inner: desireline_io::append_batches(&log, reader, &schema, &name, &columns)?,
            })
        })
    }

    /// The log with every event under the person it belongs to. `aliases` are id, person and time in microseconds;
    /// `policy` is `backward`, `forward` or a length of time to look back.
    fn with_aliases(
        &self,
        py: Python<'_>,
        aliases: Vec<(String, String, i64)>,
        policy: &str,
    ) -> PyResult<Log> {
        let policy = match policy {
            "backward" => AliasPolicy::Backward,
            "forward" => AliasPolicy::Forward,
            span => AliasPolicy::Lookback(TimeSpan::parse(span).map_err(Failure::from)?),
        };
        let log = self.inner.clone();
        exec::run(py, None, move |_| {
            let aliases: Vec<Alias> = aliases
                .into_iter()
                .map(|(id, person, time)| Alias::new(id, person, time))
                .collect();
            Ok(Log {
                inner: log.with_aliases(&aliases, policy)?,
            })
        })
    }

    #[getter]
    fn n_events(&self) -> u64 {
        self.inner.n_events()
    }

    #[getter]
    fn n_customers(&self) -> u64 {
        self.inner.n_customers()
    }

    #[getter]
    fn fingerprint(&self) -> String {
        format!("{:032x}", self.inner.fingerprint())
    }

    /// The names of the events.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.inner
            .catalog()
            .events
            .names()
            .map(str::to_owned)
            .collect()
    }

    /// The names of the attributes.
    #[getter]
    fn attributes(&self) -> Vec<String> {
        self.inner
            .catalog()
            .attributes
            .iter()
            .map(|a| a.name.clone())
            .collect()
    }

    /// First event, last event and until when customers were observed, microseconds since 1970 UTC.
    #[getter]
    fn times(&self) -> (i64, i64, i64) {
        let catalog = self.inner.catalog();
        (
            catalog.first_time,
            catalog.last_time,
            catalog.observed_until,
        )
    }

    /// What is in the log, shown like an answer.
    fn summary(&self, py: Python<'_>) -> PyResult<Answer> {
        let log = self.inner.clone();
        exec::run(py, None, move |_| Answer::of_log(&log))
    }

    /// Cuts journeys by a rule given as JSON.
    fn journeys(&self, py: Python<'_>, rule: &str) -> PyResult<Journeys> {
        let rule: JourneyRule = serde_json::from_str(rule).map_err(Failure::from)?;
        let log = self.inner.clone();
        exec::run(py, None, move |watch| {
            let exec = watch.exec(None, None)?;
            Ok(Journeys::new(log.journeys_with(rule, &exec)?))
        })
    }

    fn keep_events(&self, condition: &str) -> PyResult<SelectedLog> {
        Ok(SelectedLog {
            inner: self.inner.keep_events(condition).map_err(Failure::from)?,
        })
    }
}

/// A log of which only some events are to be cut into journeys.
#[pyclass(frozen, module = "desireline._core")]
pub(crate) struct SelectedLog {
    inner: desireline_core::journey::SelectedLog,
}

#[pymethods]
impl SelectedLog {
    /// Cuts journeys from the kept events.
    fn journeys(&self, py: Python<'_>, rule: &str) -> PyResult<Journeys> {
        let rule: JourneyRule = serde_json::from_str(rule).map_err(Failure::from)?;
        let log = self.inner.clone();
        exec::run(py, None, move |watch| {
            let exec = watch.exec(None, None)?;
            Ok(Journeys::new(log.journeys_with(rule, &exec)?))
        })
    }
}

/// A point in time in microseconds since 1970 UTC.
#[pyfunction]
pub(crate) fn instant(text: &str) -> PyResult<i64> {
    Ok(parse_instant(text).ok_or_else(|| {
        Failure::from(IoError::Setting {
            setting: "time",
            problem: format!("`{text}` is no time such as 2025-06-30T23:59:59Z"),
        })
    })?)
}
