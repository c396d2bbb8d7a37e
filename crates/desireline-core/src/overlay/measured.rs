//! All that can be said of a map at once: what the log says, the KPIs that it watches, what customers say.

use super::health;
use super::kpis::{KpiSources, kpis_of};
use super::promises::promises_of;
use super::question::Overlay;
use super::report::OverlayReport;
use super::responders::responders_of;
use super::returns::returns_of;
use super::run::{overlay_of, select};
use super::voice::{VoiceReport, listen_to};
use crate::engine::Exec;
use crate::error::Result;
use crate::journey::Journeys;
use crate::map::JourneyMap;

/// The map as [`overlay`](super::overlay()) measures it, with its KPIs by [`measure_kpis`](super::measure_kpis), its promises by [`measure_promises`](super::measure_promises) and, where there are
/// answers, feedback and feelings by [`listen`](super::listen) and those who answered by [`measure_responders`](super::measure_responders). This is what pages and pictures show.
///
/// Who leaves without a goal and comes back is told by [`measure_returns`](super::measure_returns).
///
/// KPIs are about the same segment, window and events as the rest.
///
/// Answers are measured at the level of the question and have its holes; [`KpiSources::listening`] says the rest.
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
    Ok(measured_and_heard(map, journeys, how, sources, exec)?.0)
}

/// The same with all that was heard: how well each touchpoint is, feelings by source, how answers found their place, verbatims. Absent
/// where there are no answers.
///
/// # Errors
/// Those of [`measured`].
pub fn measured_and_heard(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    sources: &KpiSources,
    exec: &Exec,
) -> Result<(OverlayReport, Option<VoiceReport>)> {
    let sources = &sources_as_asked(map, how, sources);
    let selected = select(map, journeys)?;
    let journeys = selected.as_ref().unwrap_or(journeys);
    let mut report = overlay_of(map, journeys, how, exec)?;
    report.returns = Some(returns_of(map, journeys, how, exec)?);
    if !map.kpis.is_empty() {
        report.kpis = Some(kpis_of(map, journeys, how, sources, exec)?);
    }
    let voice = match &sources.answers {
        Some(answers) => {
            let (options, persona) = (&sources.listening, how.persona.as_ref());
            Some(listen_to(map, journeys, answers, options, persona, exec)?)
        }
        None => None,
    };
    if let Some(voice) = &voice {
        voice.fill(&mut report);
    }
    if let Some(answers) = &sources.answers {
        let rule = &sources.listening.rule;
        let responders = responders_of(map, journeys, how, answers, rule, exec)?;
        report.caveats.extend(responders.caveat());
        report.responders = Some(responders);
    }
    if map.expectations.iter().any(|e| e.promise.is_some()) {
        let promises = promises_of(map, journeys, how, sources, voice.as_ref(), exec)?;
        report.promises = Some(promises);
        health::with_promises(&mut report);
    }
    Ok((report, voice))
}

/// Feedback and feelings are as sure as the rest of the report, and have its holes.
fn sources_as_asked(map: &JourneyMap, how: &Overlay, sources: &KpiSources) -> KpiSources {
    let mut sources = sources.clone();
    let listening = &mut sources.listening;
    listening.measuring.level = how.level;
    listening.measuring.least = how.least(map);
    listening.rule = how.join.unwrap_or(listening.rule);
    sources
}
