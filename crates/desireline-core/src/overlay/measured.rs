//! All that can be said of a map at once: what the log says, the KPIs that it watches, what customers say.

use super::kpis::{KpiSources, measure_kpis};
use super::question::Overlay;
use super::report::OverlayReport;
use super::run::{overlay, select};
use super::voice::listen;
use crate::engine::Exec;
use crate::error::Result;
use crate::journey::Journeys;
use crate::map::JourneyMap;

/// The map as [`overlay`] measures it, with its KPIs by [`measure_kpis`] and, where there are answers, feedback and feelings by
/// [`listen`]. This is what pages and pictures show.
///
/// KPIs are about the same segment, window and events as the rest.
///
/// # Errors
/// Those of the three. A KPI that cannot be measured is no error but a hole with its reason.
pub fn measured(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    sources: &KpiSources,
    exec: &Exec,
) -> Result<OverlayReport> {
    let mut report = overlay(map, journeys, how, exec)?;
    if !map.kpis.is_empty() {
        report.kpis = Some(measure_kpis(map, journeys, how, sources, exec)?);
    }
    if let Some(answers) = &sources.answers {
        let selected = select(map, journeys)?;
        let journeys = selected.as_ref().unwrap_or(journeys);
        listen(map, journeys, answers, &sources.listening, exec)?.fill(&mut report);
    }
    Ok(report)
}
