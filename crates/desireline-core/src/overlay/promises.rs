//! Promises held against the log: what customers were led to expect, and whether they got it.

use std::sync::Arc;

use desireline_stats::{Clusters, Estimate, wilson_clustered};

use super::bind::LenientMatcher;
use super::finish::least;
use super::kpis::{KpiSources, kpis_of};
use super::pass::pass;
use super::place::{PlaceEvents, Places};
use super::question::Overlay;
use super::report::{PromiseMeasure, PromiseVerdict};
use super::run::select;
use super::voice::{PlaceRow, VoiceReport};
use super::who::Who;
use crate::engine::Exec;
use crate::error::Result;
use crate::expr::{Expr, Node};
use crate::feedback::{Measured, QuestionKind};
use crate::journey::{Journeys, Mask, Morsel, Span};
use crate::kpi::Picks;
use crate::kpi::alert::{stands, threshold};
use crate::log::Catalog;
use crate::map::{
    At, Compare, Expectation, JourneyMap, KnownKpi, KpiBinding, KpiUnit, Param, Promise, Quantity,
    Target, VARIANT,
};
use crate::report::{Base, Rate};

/// Is what customers were promised kept? Every [`Expectation`] with a `promise`, held against the log.
///
/// **Lengths of time** (`time_on_stage`) are kept or broken by each journey. The time begins with the journey's first event at the place
/// and ends with the customer's first event after it that ends the time, in this or a later journey: of a stage the events of all later
/// stages, of a touchpoint or step those of all other touchpoints, of a way `a -> b` those at `b`; `params: {enter: …, leave: …}` say otherwise.
/// Events are at a place as in [`overlay`](super::overlay()): by priority, and by the stages' own conditions.
/// A journey that began less than the threshold before the end of observation is not in the base, however it went: those that ended
/// soon are known early, and counting them alone would flatter the rate. A customer who never comes to the end has taken longer than
/// any threshold.
///
/// **Other numbers** are those of [`measure_kpis`](super::measure_kpis), and kept or broken as a whole. **What customers say** at a stage or touchpoint (`csat`,
/// `nps`, `customer_effort`, `feedback_coverage`) is taken from `voice`, and the satisfaction gap, sentiment and feelings from the answers of
/// `sources`.
///
/// The map's window, segment and exclusions are minded, and with [`persona`](Overlay::persona) only its customers count.
///
/// Intervals are those of rates of journeys, clustered by customer. Nothing is skipped: what cannot be measured has a hole with its reason.
/// A map without promises costs nothing; lengths of time cost one pass over the events together.
///
/// # Errors
/// A persona that the map does not have; a binding that does not fit the log; cancelled, or over the memory budget.
pub fn measure_promises(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    sources: &KpiSources,
    voice: Option<&VoiceReport>,
    exec: &Exec,
) -> Result<Vec<PromiseMeasure>> {
    let selected = select(map, journeys)?;
    let journeys = selected.as_ref().unwrap_or(journeys);
    promises_of(map, journeys, how, sources, voice, exec)
}

/// The same of journeys that were selected.
pub(super) fn promises_of(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    sources: &KpiSources,
    voice: Option<&VoiceReport>,
    exec: &Exec,
) -> Result<Vec<PromiseMeasure>> {
    how.check(map)?;
    let catalog = journeys.catalog();
    let places = Arc::new(Places::new(map, catalog)?);
    let mut rows = Vec::new();
    let (mut timed, mut whole) = (Vec::new(), Vec::new());
    for expectation in &map.expectations {
        let Some(promise) = &expectation.promise else {
            continue;
        };
        let mut row = empty(map, expectation, promise, how);
        let place = rows.len();
        let told = match promise.metric.known() {
            None => Err(format!("no KPI is called `{}`", promise.metric)),
            Some(known) if known.unit == KpiUnit::Time => {
                let ends = Ends {
                    map,
                    places: &places,
                    catalog,
                };
                Timed::new(&ends, &expectation.at, promise, place).map(|t| timed.push(t))
            }
            Some(known) if of_answers(known) => match &sources.answers {
                None => Err(NOT_ASKED.to_owned()),
                Some(_) => binding(expectation, known, promise).map(|b| whole.push((place, b))),
            },
            Some(known) if known.is_voice => said(&expectation.at, known, promise, voice)
                .and_then(|m| fill_said(&mut row, &m, known, promise)),
            Some(known) => binding(expectation, known, promise).map(|b| whole.push((place, b))),
        };
        row.hole = told.err();
        rows.push(row);
    }
    let least = least(map, how);
    for (promise, sums) in timed.iter().zip(measure(map, journeys, how, &timed, exec)?) {
        if let Some(row) = rows.get_mut(promise.row) {
            promise.fill(row, &sums, how.level, least);
        }
    }
    if !whole.is_empty() {
        let watched = JourneyMap {
            kpis: whole.iter().map(|(_, b)| b.clone()).collect(),
            ..map.clone()
        };
        let numbers = kpis_of(&watched, journeys, how, sources, exec)?;
        for ((place, _), number) in whole.iter().zip(numbers) {
            if let Some(row) = rows.get_mut(*place) {
                row.value = number.value;
                row.currency = number.currency;
                row.n = number.n;
                row.hole = number.hole;
                row.verdict = match (&number.value, &row.hole) {
                    (Some(_), None) => Some(verdict(number.met)),
                    _ => None,
                };
            }
        }
    }
    Ok(rows)
}

/// Why nothing is known of what only customers can say.
const NOT_ASKED: &str = "customers have to be asked for it, and no answers were given";

/// What is measured over customers' answers together and not question by question: the satisfaction gap, sentiment, feelings.
fn of_answers(known: &KnownKpi) -> bool {
    matches!(known.number, "K21" | "K28" | "K29")
}

fn verdict(met: Option<bool>) -> PromiseVerdict {
    match met {
        Some(true) => PromiseVerdict::Kept,
        Some(false) => PromiseVerdict::Broken,
        None => PromiseVerdict::Undecided,
    }
}

fn empty(
    map: &JourneyMap,
    expectation: &Expectation,
    promise: &Promise,
    how: &Overlay,
) -> PromiseMeasure {
    let language = how.language.as_deref();
    let language = language.unwrap_or_else(|| map.main_language());
    let metric = promise.metric.known();
    let metric = metric.map_or_else(|| promise.metric.to_string(), |k| k.name.to_owned());
    PromiseMeasure {
        id: expectation.id.to_string(),
        text: expectation.text.get(language).to_owned(),
        at: expectation.at.to_string(),
        promise: format!("{metric} {} {}", promise.op.symbol(), promise.threshold),
        metric,
        kept: None,
        never: 0,
        open: 0,
        wanted: None,
        value: None,
        currency: None,
        n: 0,
        verdict: None,
        hole: None,
    }
}

/// The promise as a number that a map watches.
fn binding(
    expectation: &Expectation,
    known: &KnownKpi,
    promise: &Promise,
) -> Result<KpiBinding, String> {
    let at = expectation.at.part().ok_or_else(|| {
        format!(
            "{} is not measured on the way from one part to another",
            known.name
        )
    })?;
    let mut binding = KpiBinding::new(expectation.id.clone(), promise.metric.clone())
        .at(at.clone())
        .target(Target::new(promise.op, promise.threshold));
    binding.params.clone_from(&promise.params);
    Ok(binding)
}

/// What customers say at the place.
fn said(
    at: &At,
    known: &KnownKpi,
    promise: &Promise,
    voice: Option<&VoiceReport>,
) -> Result<Measured, String> {
    let voice = voice.ok_or(NOT_ASKED)?;
    let at = at
        .part()
        .ok_or("customers are asked at a stage or touchpoint, not on the way between two")?;
    let rows = || {
        voice
            .touchpoints
            .iter()
            .chain(&voice.stages)
            .chain(&voice.elsewhere)
            .filter(|r| r.place == at.as_str())
    };
    let first = |kinds: &[QuestionKind], of: fn(&PlaceRow) -> Option<Measured>| {
        rows().find(|r| kinds.contains(&r.kind)).and_then(of)
    };
    let variant = match promise.params.as_ref().and_then(|p| p.get(VARIANT.name)) {
        Some(Param::Text(word)) => word.as_str(),
        _ => "",
    };
    let found = match (known.number, variant) {
        ("K05", "v1") => first(&[QuestionKind::CesV1], |r| r.measures.mean),
        ("K05", "v2_easy") => first(&[QuestionKind::CesV2], |r| r.measures.share),
        ("K05", _) => first(&[QuestionKind::CesV2, QuestionKind::CesV1], |r| {
            r.measures.mean
        }),
        ("K11", "mean") => first(&[QuestionKind::Csat], |r| r.measures.mean),
        ("K11", _) => first(&[QuestionKind::Csat], |r| r.measures.share),
        ("K12", _) => first(&[QuestionKind::Nps], |r| r.measures.nps),
        ("K23", _) => {
            let heard = voice.heard.iter().find(|h| h.touchpoint == at.as_str());
            heard.map(|h| h.response)
        }
        _ => {
            return Err(format!(
                "{} is measured for the whole map only, not at one place",
                known.name
            ));
        }
    };
    found.ok_or_else(|| {
        format!(
            "nobody was asked for {} at `{at}`",
            known.name.to_uppercase()
        )
    })
}

fn fill_said(
    row: &mut PromiseMeasure,
    told: &Measured,
    known: &KnownKpi,
    promise: &Promise,
) -> Result<(), String> {
    row.n = told.n;
    let Some(e) = told.estimate else {
        return Err(told
            .hole
            .map_or_else(|| "no number".to_owned(), |h| h.message(told.n)));
    };
    row.value = Some(e);
    let wanted = threshold(promise.threshold, known.unit, None)?;
    row.verdict = Some(verdict(stands(&e, promise.op, wanted)));
    Ok(())
}

/// A promise about a length of time.
struct Timed {
    row: usize,
    enter: Arc<dyn Picks>,
    leave: Arc<dyn Picks>,
    op: Compare,
    /// In microseconds.
    limit: i64,
    /// The share of journeys that has to keep it.
    wanted: f64,
}

/// What is known of it; customers are clusters.
#[derive(Clone, Debug, Default)]
struct Sums {
    kept: Clusters,
    never: u64,
    open: u64,
}

impl Timed {
    fn new(ends: &Ends<'_>, at: &At, promise: &Promise, row: usize) -> Result<Timed, String> {
        let Quantity::Span(limit) = promise.threshold else {
            return Err(format!(
                "`{}` cannot be compared with a length of time",
                promise.threshold
            ));
        };
        let param = |name: &str| match promise.params.as_ref()?.get(name)? {
            Param::Text(text) => Some(text.as_str()),
            _ => None,
        };
        let quantile = match param(VARIANT.name) {
            None | Some("median") => 0.5,
            Some("p90") => 0.9,
            Some(other) => return Err(format!("time_on_stage has no variant `{other}`")),
        };
        let given = |name: &str| {
            let read = param(name).map(Expr::parse).transpose();
            read.map_err(|e| format!("`{name}`: {e}"))
        };
        Ok(Timed {
            row,
            enter: match given("enter")? {
                Some(expr) => ends.said(&expr, "begins")?,
                None => Arc::new(ends.begins(at)?),
            },
            leave: match given("leave")? {
                Some(expr) => ends.said(&expr, "ends")?,
                None => Arc::new(ends.ends(at)?),
            },
            op: promise.op,
            limit: limit.as_micros(),
            wanted: match promise.op {
                Compare::Below | Compare::AtMost => quantile,
                Compare::AtLeast | Compare::Above => 1.0 - quantile,
            },
        })
    }

    #[allow(clippy::cast_precision_loss)] // lengths of time far below 2^53 microseconds
    fn holds(&self, elapsed: i64) -> bool {
        self.op.holds(elapsed as f64, self.limit as f64)
    }

    fn fill(&self, row: &mut PromiseMeasure, sums: &Sums, level: f64, least: u64) {
        let enough = sums.kept.n >= least.max(1);
        let estimate = enough
            .then(|| wilson_clustered(&sums.kept, level))
            .flatten();
        row.kept = Some(Rate {
            count: sums.kept.k,
            n: sums.kept.n,
            base: Base::OfKnown,
            estimate,
        });
        row.n = sums.kept.n;
        row.never = sums.never;
        row.open = sums.open;
        row.wanted = Some(self.wanted);
        row.verdict = estimate.map(|e: Estimate| {
            verdict(match (e.lower >= self.wanted, e.upper < self.wanted) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            })
        });
        if estimate.is_none() {
            row.hole = Some(match (sums.kept.n, sums.open) {
                (0, 0) => "no journey comes here".to_owned(),
                (0, open) => format!("of {open} journeys none began long enough ago to know"),
                (n, _) => format!("too few (n={n})"),
            });
        }
    }
}

/// Whether a condition asks for events that the log does not have, and for nothing else.
fn never_holds(expr: &Expr, catalog: &Catalog) -> bool {
    let never = |e: &Expr| never_holds(e, catalog);
    match &expr.node {
        Node::Or(list) => list.iter().all(never),
        Node::And(list) => list.iter().any(never),
        Node::First(e) | Node::Nth(e, _) => never(e),
        Node::Not(_) | Node::After { .. } => false,
        _ => LenientMatcher::new(expr, catalog).is_ok_and(|bound| !bound.unknown.is_empty()),
    }
}

/// What begins and ends a time.
struct Ends<'a> {
    map: &'a JourneyMap,
    places: &'a Arc<Places>,
    catalog: &'a Catalog,
}

impl Ends<'_> {
    /// The events that the promise itself names.
    fn said(&self, expr: &Expr, what: &str) -> Result<Arc<dyn Picks>, String> {
        let bound = LenientMatcher::new(expr, self.catalog).map_err(|e| e.to_string())?;
        match never_holds(expr, self.catalog) {
            true => Err(format!("the log has no event that {what} the time")),
            false => Ok(Arc::new(bound.matcher)),
        }
    }

    fn begins(&self, at: &At) -> Result<PlaceEvents, String> {
        let id = match at {
            At::Part(id) | At::Edge { from: id, .. } => id,
        };
        let events = self.places.at(self.map, id);
        events.map_err(|e| format!("{e}; say in `params` what begins the time (`enter`)"))
    }

    fn ends(&self, at: &At) -> Result<PlaceEvents, String> {
        let help = "say in `params` what ends the time (`leave`)";
        let id = match at {
            At::Edge { to, .. } => {
                let events = self.places.at(self.map, to);
                return events.map_err(|e| format!("{e}; {help}"));
            }
            At::Part(id) => id,
        };
        let after = self.places.after(self.map, id);
        let after = after.or_else(|| self.places.others(self.map, id));
        after.ok_or_else(|| {
            format!("nothing on the map comes after `{id}` that this log has; {help}")
        })
    }
}

/// A worker's memory.
#[derive(Default)]
struct Part {
    sums: Vec<Sums>,
    enter: Vec<Mask>,
    leave: Vec<Mask>,
    goes_on: Vec<bool>,
    ends: Vec<(i64, usize)>,
}

fn measure(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    promises: &[Timed],
    exec: &Exec,
) -> Result<Vec<Sums>> {
    let none = vec![Sums::default(); promises.len()];
    if promises.is_empty() {
        return Ok(none);
    }
    let who = Who::new(map, journeys, how.persona.as_ref())?;
    // The last instant that was observed.
    let (_, to) = who.window();
    let until = journeys.catalog().observed_until.min(to.saturating_sub(1));
    let start = |_| Part {
        sums: none.clone(),
        ..Part::default()
    };
    let parts = pass(journeys, exec, start, |part: &mut Part, morsel| {
        part.observe(promises, &who, until, morsel);
    })?;
    let mut all = none.clone();
    for part in &parts {
        for (into, from) in all.iter_mut().zip(&part.sums) {
            into.kept.merge(&from.kept);
            into.never += from.never;
            into.open += from.open;
        }
    }
    Ok(all)
}

impl Part {
    fn observe(&mut self, promises: &[Timed], who: &Who, until: i64, morsel: &Morsel<'_>) {
        let spans = who.narrow(morsel, &mut self.goes_on);
        let morsel = &morsel.with_spans(&spans);
        self.enter.resize_with(promises.len(), Mask::default);
        self.leave.resize_with(promises.len(), Mask::default);
        for (i, promise) in promises.iter().enumerate() {
            promise.enter.fill(morsel, &mut self.enter[i]);
            promise.leave.fill(morsel, &mut self.leave[i]);
        }
        for spans in morsel.customers() {
            for (i, promise) in promises.iter().enumerate() {
                self.customer(i, promise, until, morsel, spans);
            }
        }
    }

    fn customer(
        &mut self,
        which: usize,
        promise: &Timed,
        until: i64,
        morsel: &Morsel<'_>,
        spans: &[Span],
    ) {
        let (enter, leave) = (&self.enter[which], &self.leave[which]);
        let (sums, ends) = (&mut self.sums[which], &mut self.ends);
        let place = |i: usize| (morsel.time(i), morsel.row(i));
        ends.clear();
        let (mut kept, mut n) = (0, 0);
        let mut is_listed = false;
        for span in spans {
            let Some(begun) = enter.ones_in(span.range()).next().map(place) else {
                continue;
            };
            if until.saturating_sub(begun.0) < promise.limit {
                sums.open += 1;
                continue;
            }
            if !is_listed {
                ends.extend(
                    spans
                        .iter()
                        .flat_map(|s| leave.ones_in(s.range()))
                        .map(place),
                );
                // Journeys named by a column can overlap.
                ends.sort_unstable();
                is_listed = true;
            }
            let end = ends.get(ends.partition_point(|e| *e <= begun));
            n += 1;
            sums.never += u64::from(end.is_none());
            let elapsed = end.map_or(i64::MAX, |e| e.0.saturating_sub(begun.0));
            kept += u64::from(promise.holds(elapsed));
        }
        sums.kept.add(kept, n);
    }
}
