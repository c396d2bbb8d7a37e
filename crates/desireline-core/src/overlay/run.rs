//! A map measured against journeys.

use std::sync::Arc;

use super::bind::LenientMatcher;
use super::finish::finish;
use super::plan::Plan;
use super::question::{NAME, Overlay};
use super::report::OverlayReport;
use super::scan;
use crate::engine::{DynReport, Exec, Located, State, Task};
use crate::error::{Error, Result, SpecError};
use crate::expr::{Expr, Node, TextSpan};
use crate::journey::{Journey, Journeys, Morsel};
use crate::log::Catalog;
use crate::map::JourneyMap;
use crate::report::Caveat;

/// What does a log say to each part of a map?
///
/// Each event is given to a touchpoint by the map's bindings, to a stage and step by the touchpoint's places, and to a channel by
/// the log's channel column or, without a value there, by its touchpoint. Then journeys are walked once; what is counted and
/// how stands at [`CellMeasure`](super::report::CellMeasure) and its neighbours. [`journey_rule`](super::journey_rule) cuts
/// journeys as the map wants them; cut otherwise, the numbers are those of that cut.
///
/// The map's `scope` is minded: events outside of its window, events that it excludes and journeys outside of its segment do not
/// count, and the end of the window is the end of observation. A touchpoint in several stages is in the first of them whose
/// `when` holds; else, of those without one, in the last that the journey has come to, or in the first.
///
/// Bindings may name events that the log does not have; they match nothing.
///
/// Cost: one pass over the events; memory grows with the parts of the map and the ways between them that are taken, times
/// the threads. Reports are the same whatever the number of threads.
///
/// ```
/// use desireline_core::engine::Exec;
/// use desireline_core::log::Log;
/// use desireline_core::map::JourneyMap;
/// use desireline_core::overlay::{Overlay, journey_rule, overlay};
///
/// let map = JourneyMap::from_yaml("
/// schema: 1
/// id: shop
/// title: Buying
/// version: 1.0.0
/// kind: actual
/// status: draft
/// as_of: 2026-01-01
/// owner: cx
/// stakeholders: [{id: cx, name: CX}]
/// stages: [{id: look, name: Looks}, {id: buy, name: Buys}]
/// goals: [{id: have, text: Have it, kind: functional, success: purchase}]
/// touchpoints:
///   - {id: product, name: Product page, stages: [look], binding: view}
///   - {id: till, name: Till, stages: [buy], binding: purchase}
/// ")?;
/// let minute = 60_000_000;
/// let log = Log::from_rows([
///     ("ann", 0, "view"), ("ann", minute, "purchase"),
///     ("bob", 0, "view"),
///     ("cid", 0, "view"), ("cid", 90 * minute, "hum"),
/// ])?;
/// let journeys = log.journeys(journey_rule(&map)?)?;
/// let report = overlay(&map, &journeys, &Overlay::new().min_n(1), &Exec::new())?;
/// let look = &report.stage("look").ok_or("no such stage")?.cell;
/// assert_eq!((look.journeys, look.drop_off.count, look.goal.count), (3, 1, 1));
/// // The log ends 90 minutes after bob's only event: he has left. Cid was here just now.
/// assert_eq!((report.base.dropped, report.base.open), (1, 1));
/// assert_eq!(report.coverage.orphans[0].event, "hum");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A question that does not fit the map or the log ([`Error::Spec`]); conditions of the map that do not fit the log's columns, which
/// `map check` names with their places; cancellation; the memory budget of `exec`.
pub fn overlay(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    exec: &Exec,
) -> Result<OverlayReport> {
    let selected = select(map, journeys)?;
    overlay_of(map, selected.as_ref().unwrap_or(journeys), how, exec)
}

/// The same of journeys that were selected.
pub(super) fn overlay_of(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    exec: &Exec,
) -> Result<OverlayReport> {
    let plan = Arc::new(Plan::new(map, journeys.catalog(), how, journeys.rule())?);
    let tasks: [Box<dyn Task>; 1] = [Box::new(OverlayTask {
        plan: Arc::clone(&plan),
    })];
    let states = crate::engine::scan(journeys, &journeys.all_blocks(), &tasks, exec)?;
    let state = states
        .first()
        .and_then(|s| s.downcast_ref::<scan::State>())
        .ok_or_else(foreign)?;
    let mut report = finish(map, journeys, how, &plan, &state.sums)?;
    let caveats = scope_caveats(map, journeys.catalog());
    report.caveats.splice(0..0, caveats);
    Ok(report)
}

/// The map of each persona that has a `member` condition, measured with that persona's customers alone.
///
/// Customers of several personas are in several of them, those of none in none: for parts that make the whole see
/// [`OverlayReport::groups`]. One pass for each persona.
///
/// # Errors
/// Those of [`overlay`].
pub fn split_by_persona(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    exec: &Exec,
) -> Result<Vec<OverlayReport>> {
    let personas = map.personas.iter().filter(|p| p.member.is_some());
    personas
        .map(|persona| {
            let alone = Overlay {
                persona: Some(persona.id.clone()),
                ..how.clone()
            };
            overlay(&map.for_persona(&persona.id), journeys, &alone, exec)
        })
        .collect()
}

/// A condition and its place in the map.
type Placed<'m> = (String, &'m Expr);

/// The conditions of a map's scope, each with its place in the map: those that exclude events, and the segment.
fn scope_of(map: &JourneyMap) -> (Vec<Placed<'_>>, Option<Placed<'_>>) {
    let Some(scope) = &map.scope else {
        return (Vec::new(), None);
    };
    let excluded = scope.exclude.iter().enumerate();
    let excluded =
        excluded.filter_map(|(i, e)| Some((format!("scope.exclude[{i}].when"), e.when.as_ref()?)));
    let segment = scope.segment.as_ref();
    (
        excluded.collect(),
        segment.map(|e| ("scope.segment".to_owned(), e)),
    )
}

/// A condition of the scope, bound as bindings are: names of events that the log does not have match nothing.
fn bound(place: &str, expr: &Expr, catalog: &Catalog) -> Result<LenientMatcher> {
    LenientMatcher::new(expr, catalog).map_err(|source| {
        let told = SpecError::MapCondition {
            map: None,
            part: place.to_owned(),
            at: TextSpan::NONE,
            source,
        };
        told.into()
    })
}

/// The journeys that a map is about, where that is not all of them.
pub(super) fn select(map: &JourneyMap, journeys: &Journeys) -> Result<Option<Journeys>> {
    let mut selected: Option<Journeys> = None;
    let (excluded, segment) = scope_of(map);
    for (place, expr) in excluded {
        let excluded = bound(&place, expr, journeys.catalog())?;
        let is_one = matches!(
            expr.node,
            Node::Name(_) | Node::Compare { .. } | Node::In { .. }
        );
        // All that it asks for is not in the log: nothing is left out, and a caveat says so.
        if is_one && !excluded.unknown.is_empty() {
            continue;
        }
        let kept: Expr = Node::Not(Box::new(expr.clone())).into();
        let matcher = bound(&place, &kept, journeys.catalog())?.matcher;
        let from = selected.as_ref().unwrap_or(journeys);
        selected = Some(from.keep_events_by(kept, &matcher));
    }
    if let Some((place, expr)) = segment {
        let matcher = bound(&place, expr, journeys.catalog())?.matcher;
        let from = selected.as_ref().unwrap_or(journeys);
        selected = Some(from.keep_journeys_by(expr.clone(), &matcher));
    }
    Ok(selected)
}

/// What the map's scope asks for and the log does not have.
pub(super) fn scope_caveats(map: &JourneyMap, catalog: &Catalog) -> Vec<Caveat> {
    let (excluded, segment) = scope_of(map);
    let all = excluded.into_iter().chain(segment);
    let unknown = all.filter_map(|(place, expr)| {
        let unknown = LenientMatcher::new(expr, catalog).ok()?.unknown;
        let names: Vec<String> = unknown.iter().map(|u| format!("`{}`", u.name)).collect();
        (!names.is_empty()).then(|| Caveat::Note {
            text: format!(
                "the log has no event {}, which the map's `{place}` asks for",
                names.join(", ")
            ),
        })
    });
    unknown.collect()
}

struct OverlayTask {
    plan: Arc<Plan>,
}

fn foreign() -> Error {
    Error::Envelope {
        reason: "the partial result belongs to another question".to_owned(),
    }
}

/// The engine's scan brings threads, cancellation, progress and the memory budget; what only sealed partial results and cells
/// need is not there.
impl Task for OverlayTask {
    fn name(&self) -> &'static str {
        NAME
    }
    fn state_version(&self) -> u32 {
        1
    }
    fn start(&self) -> State {
        Box::new(scan::State::new(&self.plan))
    }
    fn observe(&self, state: &mut State, morsel: &Morsel<'_>) {
        if let Some(state) = state.downcast_mut::<scan::State>() {
            state.observe(&self.plan, morsel);
        }
    }
    fn merge(&self, into: &mut State, from: &State) {
        if let (Some(into), Some(from)) = (
            into.downcast_mut::<scan::State>(),
            from.downcast_ref::<scan::State>(),
        ) {
            into.sums.merge(&from.sums);
        }
    }
    fn heap_bytes(&self, state: &State) -> usize {
        let state = state.downcast_ref::<scan::State>();
        state.map_or(0, |s| s.sums.heap_bytes())
    }
    fn to_bytes(&self, _: &State) -> Result<Vec<u8>> {
        Err(foreign())
    }
    fn read(&self, _: &[u8]) -> Result<State> {
        Err(foreign())
    }
    fn finish(&self, _: &State) -> Result<Box<dyn DynReport>> {
        Err(foreign())
    }
    fn locate(&self, _: &Journey<'_>) -> Vec<Located> {
        Vec::new()
    }
    fn cells(&self, _: &State) -> Vec<(String, u64)> {
        Vec::new()
    }
}
