//! From the reports of the built-in analyses to pictures.

use desireline_core::report::Report;

/// The picture of a report at a width, where there is one for its kind.
pub fn picture(_report: &dyn Report, _width: f64) -> Option<String> {
    None
}
