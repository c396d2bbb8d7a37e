//! The simulated shop.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::error::ArrowError;
use desireline_io::simulate::{SimulateError, Simulation, Simulator};
use desireline_io::{IoError, RowWriter, read_batches};
use pyo3::prelude::*;

use crate::columns::Reading;
use crate::error::Failure;
use crate::exec;
use crate::log::Log;

/// Events of one batch: enough to share the work, little enough to stop soon.
const ROWS: usize = 1 << 16;

/// A simulation that was checked.
#[pyclass(frozen, module = "desireline._core")]
pub(crate) struct Simulated {
    inner: Arc<Simulator>,
}

/// Checks a simulation given as JSON; `events` sizes it by about that many events.
#[pyfunction]
#[pyo3(signature = (simulation, events=None))]
pub(crate) fn simulate(
    py: Python<'_>,
    simulation: &str,
    events: Option<u64>,
) -> PyResult<Simulated> {
    let simulation: Simulation = serde_json::from_str(simulation).map_err(Failure::from)?;
    exec::run(py, None, move |_| {
        let sized = match events {
            Some(events) => simulation.resized_to(events),
            None => simulation,
        };
        Ok(Simulated {
            inner: Arc::new(sized.prepare()?),
        })
    })
}

#[pymethods]
impl Simulated {
    /// What is true of it, as JSON.
    #[getter]
    fn truth(&self) -> PyResult<String> {
        Ok(serde_json::to_string(self.inner.truth()).map_err(Failure::from)?)
    }

    /// Writes the events to a file; its ending tells the format.
    #[pyo3(signature = (path, progress=None))]
    fn write(
        &self,
        py: Python<'_>,
        path: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let simulator = Arc::clone(&self.inner);
        exec::run(py, progress, move |watch| {
            let mut rows = 0;
            let mut writer = RowWriter::create(&path, simulator.schema())?;
            for batch in simulator.batches(ROWS) {
                if watch.is_stopped() {
                    return Err(IoError::Cancelled { rows }.into());
                }
                let batch = batch?;
                writer.write(&batch)?;
                rows += batch.num_rows() as u64;
                watch.note(rows, 0);
            }
            writer.finish()?;
            Ok(())
        })
    }

    /// Writes what customers answer to the shop's survey to a file; its ending tells the format.
    fn write_answers(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let simulator = Arc::clone(&self.inner);
        exec::run(py, None, move |_| {
            let mut writer = RowWriter::create(&path, simulator.answers_schema())?;
            writer.write(&simulator.answers_batch()?)?;
            writer.finish()?;
            Ok(())
        })
    }

    /// The log.
    #[pyo3(signature = (reading, progress=None))]
    fn log(
        &self,
        py: Python<'_>,
        reading: &str,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Log> {
        let reading: Reading = serde_json::from_str(reading).map_err(Failure::from)?;
        let simulator = Arc::clone(&self.inner);
        exec::run(py, progress, move |watch| {
            let columns = reading.columns(watch)?;
            let schema = simulator.schema();
            Ok(Log {
                inner: read_batches(
                    simulator.batches(ROWS).map(|b| b.map_err(arrow_error)),
                    &schema,
                    "simulation",
                    &columns,
                )?,
            })
        })
    }
}

fn arrow_error(error: SimulateError) -> ArrowError {
    match error {
        SimulateError::Arrow(error) => error,
        other => ArrowError::ExternalError(Box::new(other)),
    }
}
