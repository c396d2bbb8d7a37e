//! `desireline._core`: the engine as the Python package sees it.
//!
//! Thin on purpose: one file per module of the core, wrappers that hold the core's own objects, questions and answers as
//! JSON. Types, names and conveniences for people live in the Python files beside it.
#![forbid(unsafe_code)]

mod columns;
mod error;
mod exec;
mod expr;
mod feedback;
mod journeys;
mod kpi;
mod lifecycle;
mod log;
mod map;
mod report;
mod simulate;

use pyo3::prelude::*;

/// The native part of desireline. Use the package `desireline`; this module may change without notice.
#[pymodule(gil_used = false)]
mod _core {
    use super::*;

    #[pymodule_export]
    use crate::exec::fail;
    #[pymodule_export]
    use crate::expr::{Column, Expr, after, event, first, nth};
    #[pymodule_export]
    use crate::feedback::{Feedback, interview, read_feedback_frame, read_feedback_paths};
    #[pymodule_export]
    use crate::journeys::{Journeys, analyses, finish, merge};
    #[pymodule_export]
    use crate::kpi::{External, kpi_catalogue, measure_kpi};
    #[pymodule_export]
    use crate::lifecycle::measure_lifecycle;
    #[pymodule_export]
    use crate::log::{
        Log, SelectedLog, instant, open_snapshot, read_frame, read_paths, read_sources,
    };
    #[pymodule_export]
    use crate::map::{
        JourneyMap, document_text, import_map, map_schema, map_templates, read_map, scenarios,
    };
    #[pymodule_export]
    use crate::report::{Answer, Table, page, restore};
    #[pymodule_export]
    use crate::simulate::{Simulated, simulate};

    #[pymodule_init]
    fn init(m: &Bound<'_, PyModule>) -> PyResult<()> {
        m.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
