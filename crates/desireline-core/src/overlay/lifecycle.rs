//! Where customers are in their life with the company, and which ways they go there.

use desireline_stats::Clusters;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Analysis, Located, Measure, Partial};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Mask, Matcher, Morsel};
use crate::log::Catalog;
use crate::map::{LifecycleDocument, Phase};
use crate::report::{Base, Caveat, Cells, Rate, Report, Table};

/// How many customers are in which phase of their life with the company, and where do they go from there?
///
/// A customer is in one phase at any time, or in none yet. An event for which the `enters` of a phase holds brings them into
/// it; of several phases the last of the document. Silence of `silent_for` since their last event brings them into a phase
/// that has it, such as `lapsed`; whoever comes back from there comes into `reactivated`, where the document has it and the event
/// fits, and else into the phase of the event. A way that the document does not list, where it lists any, is not gone; such
/// events are counted. Phases at the end of observation count as `now`.
///
/// Shares are of the times that customers left a phase, clustered by customer. One pass over the events.
///
/// ```
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
/// use desireline_core::map::{LifecycleDocument, LifecyclePhase, Phase};
/// use desireline_core::overlay::Lifecycle;
///
/// let day = 86_400_000_000;
/// let log = Log::from_rows([("ann", 0, "buy"), ("ann", 400 * day, "buy"), ("bob", 0, "see")])?;
/// let document: LifecycleDocument = serde_json::from_value(serde_json::json!({
///     "schema": 1, "id": "life", "title": "Life", "version": "1.0.0",
///     "phases": [
///         {"phase": "impression", "enters": "see", "status": "lead"},
///         {"phase": "conversion", "enters": "buy", "status": "customer"},
///         {"phase": "lapsed", "silent_for": "365d"},
///         {"phase": "reactivated", "enters": "buy", "status": "repeat"},
///     ],
/// }))?;
/// let life = log.journeys(JourneyRule::customer())?.run(&Lifecycle::new(document))?;
/// assert_eq!(life.phase(Phase::Reactivated).ok_or("not listed")?.now, 1);
/// assert_eq!(life.phase(Phase::Lapsed).ok_or("not listed")?.ever, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// The phases and their rules.
    pub document: LifecycleDocument,
    /// The confidence level of all intervals.
    #[serde(default = "level")]
    pub level: f64,
}

fn level() -> f64 {
    0.95
}

const NAME: &str = "lifecycle";

impl Lifecycle {
    /// Measures this document.
    pub fn new(document: LifecycleDocument) -> Lifecycle {
        Lifecycle {
            document,
            level: level(),
        }
    }
}

/// A bound [`Lifecycle`].
#[derive(Debug)]
pub struct LifecyclePlan {
    phases: Vec<BoundPhase>,
    /// Whether a way from one place to another may be gone.
    allowed: Vec<bool>,
    reactivated: Option<usize>,
    until: i64,
    level: f64,
}

#[derive(Debug)]
struct BoundPhase {
    phase: Phase,
    status: Option<String>,
    enters: Option<Matcher>,
    silent_for: Option<i64>,
}

/// What is known so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LifecyclePartial {
    customers: u64,
    none: u64,
    refused: u64,
    now: Vec<u64>,
    ever: Vec<u64>,
    /// From row to column: times gone of times left.
    ways: Vec<Clusters>,
    #[serde(skip)]
    scratch: Scratch,
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    masks: Vec<Mask>,
    events: Vec<(i64, usize)>,
    gone: Vec<u64>,
    ever: Vec<bool>,
}

impl Partial for LifecyclePartial {
    fn merge(&mut self, other: &Self) {
        self.customers += other.customers;
        self.none += other.none;
        self.refused += other.refused;
        for (ours, theirs) in [(&mut self.now, &other.now), (&mut self.ever, &other.ever)] {
            for (a, b) in ours.iter_mut().zip(theirs) {
                *a += b;
            }
        }
        for (a, b) in self.ways.iter_mut().zip(&other.ways) {
            a.merge(b);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.ways.capacity() * size_of::<Clusters>() + self.scratch.events.capacity() * 16
    }
}

/// Customers by phase, and the ways between phases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LifecycleReport {
    /// Customers.
    pub customers: u64,
    /// Those who have not come into any phase.
    pub none: u64,
    /// The phases, in the order of the document.
    pub phases: Vec<PhaseRow>,
    /// The ways that were gone, in the order of the document.
    pub ways: Vec<WayRow>,
    /// Events that would have led along a way which the document does not list.
    pub refused: u64,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// A phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseRow {
    /// Which.
    pub phase: Phase,
    /// What the company calls such a customer.
    pub status: Option<String>,
    /// Customers who are in it at the end of observation.
    pub now: u64,
    /// Their share of all customers.
    pub share: Rate,
    /// Customers who were in it at some time.
    pub ever: u64,
}

/// A way from one phase to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WayRow {
    /// From.
    pub from: Phase,
    /// To.
    pub to: Phase,
    /// How often it was gone, of the times that the first phase was left.
    pub share: Rate,
}

impl LifecycleReport {
    /// The row of a phase, if the document lists it.
    pub fn phase(&self, phase: Phase) -> Option<&PhaseRow> {
        self.phases.iter().find(|p| p.phase == phase)
    }

    /// The row of a way, if it was gone.
    pub fn way(&self, from: Phase, to: Phase) -> Option<&WayRow> {
        self.ways.iter().find(|w| w.from == from && w.to == to)
    }
}

impl Report for LifecycleReport {
    fn title(&self) -> &'static str {
        "Lifecycle"
    }

    fn tables(&self) -> Vec<Table> {
        let word = |p: Phase| Some(p.word().to_owned());
        let phases = &self.phases;
        let ways = &self.ways;
        vec![
            Table::new("phases", "Phases of customers' lives with the company")
                .with(
                    "phase",
                    "phase",
                    Cells::Text(phases.iter().map(|p| word(p.phase)).collect()),
                )
                .with(
                    "status",
                    "status",
                    Cells::Text(phases.iter().map(|p| p.status.clone()).collect()),
                )
                .with(
                    "now",
                    "now",
                    Cells::Rate(phases.iter().map(|p| Some(p.share)).collect()),
                )
                .with(
                    "ever",
                    "ever",
                    Cells::Count(phases.iter().map(|p| Some(p.ever)).collect()),
                ),
            Table::new("ways", "From one phase to another")
                .with(
                    "from",
                    "from",
                    Cells::Text(ways.iter().map(|w| word(w.from)).collect()),
                )
                .with(
                    "to",
                    "to",
                    Cells::Text(ways.iter().map(|w| word(w.to)).collect()),
                )
                .with(
                    "share",
                    "share of times left",
                    Cells::Rate(ways.iter().map(|w| Some(w.share)).collect()),
                ),
        ]
    }

    crate::report::held!();
}

impl LifecyclePlan {
    /// Where an event leads from a phase, or from none; `None` where it leads nowhere.
    fn enters(&self, masks: &[Mask], i: usize, from: Option<usize>) -> Option<usize> {
        let holds = |place: usize| {
            let bound = self.phases[place].enters.is_some();
            bound && masks.get(place).is_some_and(|m| m.get(i))
        };
        let lapsed = from.is_some_and(|f| self.phases[f].silent_for.is_some());
        if lapsed && let Some(back) = self.reactivated {
            let any = self.phases[back].enters.is_none();
            if any || holds(back) {
                return Some(back);
            }
        }
        let places = (0..self.phases.len()).rev();
        // One comes back only from having been away.
        places
            .filter(|p| Some(*p) != self.reactivated)
            .find(|p| holds(*p))
    }

    fn is_allowed(&self, from: Option<usize>, to: usize) -> bool {
        from.is_none_or(|from| self.allowed[from * self.phases.len() + to])
    }
}

impl Analysis for Lifecycle {
    const NAME: &'static str = NAME;
    const STATE_VERSION: u32 = 1;
    const COUNTS_CUSTOMERS: bool = true;
    type Plan = LifecyclePlan;
    type Partial = LifecyclePartial;
    type Report = LifecycleReport;

    fn plan(&self, catalog: &Catalog) -> Result<LifecyclePlan, SpecError> {
        let problem = |field: &'static str, problem: String| SpecError::Field {
            analysis: NAME,
            field,
            problem,
        };
        if !(self.level > 0.0 && self.level < 1.0) {
            let told = format!(
                "{} is no confidence level; use a number between 0 and 1, such as 0.95",
                self.level
            );
            return Err(problem("level", told));
        }
        let mut phases: Vec<BoundPhase> = Vec::with_capacity(self.document.phases.len());
        for phase in &self.document.phases {
            if phases.iter().any(|p| p.phase == phase.phase) {
                return Err(problem(
                    "document",
                    format!("the phase `{}` is listed twice", phase.phase.word()),
                ));
            }
            let enters = phase
                .enters
                .as_ref()
                .map(|e| Matcher::new(e, catalog))
                .transpose();
            phases.push(BoundPhase {
                phase: phase.phase,
                status: phase.status.clone(),
                enters: enters.map_err(|source| SpecError::Expr {
                    analysis: NAME,
                    field: "enters",
                    source,
                })?,
                silent_for: phase.silent_for.map(|s| s.as_micros().max(1)),
            });
        }
        let n = phases.len();
        let place = |phase: Phase| phases.iter().position(|p| p.phase == phase);
        let mut allowed = vec![self.document.transitions.is_empty(); n * n];
        for way in &self.document.transitions {
            if let (Some(from), Some(to)) = (place(way.from), place(way.to)) {
                allowed[from * n + to] = true;
            }
        }
        Ok(LifecyclePlan {
            reactivated: place(Phase::Reactivated),
            phases,
            allowed,
            until: catalog.observed_until,
            level: self.level,
        })
    }

    fn start(plan: &LifecyclePlan) -> LifecyclePartial {
        let n = plan.phases.len();
        LifecyclePartial {
            customers: 0,
            none: 0,
            refused: 0,
            now: vec![0; n],
            ever: vec![0; n],
            ways: vec![Clusters::default(); n * n],
            scratch: Scratch::default(),
        }
    }

    fn check(plan: &LifecyclePlan, read: &mut LifecyclePartial) -> Result<(), String> {
        let n = plan.phases.len();
        match read.now.len() == n && read.ever.len() == n && read.ways.len() == n * n {
            true => Ok(()),
            false => Err("its phases are not those of the question".to_owned()),
        }
    }

    fn observe(plan: &LifecyclePlan, partial: &mut LifecyclePartial, morsel: &Morsel<'_>) {
        let n = plan.phases.len();
        let mut scratch = std::mem::take(&mut partial.scratch);
        scratch.masks.resize_with(n, Mask::default);
        for (phase, mask) in plan.phases.iter().zip(&mut scratch.masks) {
            if let Some(enters) = &phase.enters {
                enters.fill(morsel, mask);
            }
        }
        // The first phase that silence leads to; a second one would never be reached.
        let silent = plan
            .phases
            .iter()
            .enumerate()
            .filter_map(|(i, p)| Some((i, p.silent_for?)));
        let silent = silent.min_by_key(|(i, after)| (*after, *i));
        for spans in morsel.customers() {
            scratch.events.clear();
            let places = spans.iter().flat_map(|s| s.range());
            scratch.events.extend(places.map(|i| (morsel.time(i), i)));
            if !scratch.events.is_sorted_by_key(|e| e.0) {
                scratch
                    .events
                    .sort_unstable_by_key(|e| (e.0, morsel.row(e.1)));
            }
            scratch.gone.clear();
            scratch.gone.resize(n * n, 0);
            scratch.ever.clear();
            scratch.ever.resize(n, false);
            let (mut here, mut last) = (None, None::<i64>);
            let mut go = |here: &mut Option<usize>, to: usize, refused: &mut u64| {
                if *here == Some(to) {
                    return;
                }
                if !plan.is_allowed(*here, to) {
                    *refused += 1;
                    return;
                }
                if let Some(from) = *here {
                    scratch.gone[from * n + to] += 1;
                }
                scratch.ever[to] = true;
                *here = Some(to);
            };
            let falls_silent = |since: Option<i64>, now: i64| {
                let (to, after) = silent?;
                (now.saturating_sub(since?) >= after).then_some(to)
            };
            for &(time, i) in &scratch.events {
                if let (Some(_), Some(to)) = (here, falls_silent(last, time)) {
                    go(&mut here, to, &mut partial.refused);
                }
                if let Some(to) = plan.enters(&scratch.masks, i, here) {
                    go(&mut here, to, &mut partial.refused);
                }
                last = Some(time);
            }
            if let (Some(_), Some(to)) = (here, falls_silent(last, plan.until)) {
                go(&mut here, to, &mut partial.refused);
            }
            partial.customers += 1;
            match here {
                Some(place) => partial.now[place] += 1,
                None => partial.none += 1,
            }
            for (count, was) in partial.ever.iter_mut().zip(&scratch.ever) {
                *count += u64::from(*was);
            }
            for (row, gone) in partial
                .ways
                .chunks_mut(n.max(1))
                .zip(scratch.gone.chunks(n.max(1)))
            {
                let left = gone.iter().sum();
                for (way, gone) in row.iter_mut().zip(gone) {
                    way.add(*gone, left);
                }
            }
        }
        partial.scratch = scratch;
    }

    fn finish(plan: &LifecyclePlan, partial: &LifecyclePartial) -> Result<LifecycleReport> {
        let n = plan.phases.len();
        let phase = |(i, p): (usize, &BoundPhase)| PhaseRow {
            phase: p.phase,
            status: p.status.clone(),
            now: partial.now[i],
            share: Rate::simple(partial.now[i], partial.customers, Base::OfAll, plan.level),
            ever: partial.ever[i],
        };
        let mut ways = Vec::new();
        for (place, way) in partial.ways.iter().enumerate().filter(|(_, w)| w.k > 0) {
            ways.push(WayRow {
                from: plan.phases[place / n].phase,
                to: plan.phases[place % n].phase,
                share: Rate::clustered(way, Base::OfPrevious, plan.level),
            });
        }
        let mut caveats = Vec::new();
        if partial.refused > 0 {
            caveats.push(Caveat::Note {
                text: format!(
                    "{} would have led along a way that the document does not list",
                    crate::report::counted(partial.refused, "event")
                ),
            });
        }
        Ok(LifecycleReport {
            customers: partial.customers,
            none: partial.none,
            phases: plan.phases.iter().enumerate().map(phase).collect(),
            ways,
            refused: partial.refused,
            caveats,
        })
    }

    /// Phases are a customer's, not a journey's.
    fn locate(_: &LifecyclePlan, _: &Journey<'_>) -> Vec<Located> {
        Vec::new()
    }

    fn cells(_: &LifecyclePlan, _: &LifecyclePartial) -> Vec<(String, u64)> {
        Vec::new()
    }

    fn measures(_: &LifecyclePlan, _: &LifecyclePartial) -> Vec<Measure> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::journey::JourneyRule;
    use crate::log::Log;

    const DAY: i64 = 86_400_000_000;

    fn document(transitions: serde_json::Value) -> LifecycleDocument {
        serde_json::from_value(serde_json::json!({
            "schema": 1, "id": "life", "title": "Life", "version": "1.0.0",
            "phases": [
                {"phase": "impression", "enters": "see", "status": "lead"},
                {"phase": "acquisition", "enters": "sign_up"},
                {"phase": "conversion", "enters": "buy", "status": "customer"},
                {"phase": "advocacy", "enters": "invite", "status": "evangelist"},
                {"phase": "lapsed", "silent_for": "30d"},
                {"phase": "reactivated", "enters": "buy", "status": "repeat"},
            ],
            "transitions": transitions,
        }))
        .unwrap()
    }

    fn run(rows: &[(&str, i64, &str)], transitions: serde_json::Value) -> LifecycleReport {
        let rows = rows.iter().map(|(c, d, e)| (*c, d * DAY, *e));
        let journeys = Log::from_rows(rows)
            .unwrap()
            .journeys(JourneyRule::gap("1d").unwrap())
            .unwrap();
        journeys
            .run(&Lifecycle::new(document(transitions)))
            .unwrap()
            .report
    }

    #[test]
    fn one_phase_at_any_time() {
        let rows = [
            ("lead", 90, "see"),
            ("buyer", 80, "see"),
            ("buyer", 81, "sign_up"),
            ("buyer", 82, "buy"),
            ("buyer", 83, "other"),
            ("fan", 80, "buy"),
            ("fan", 85, "invite"),
            // Bought, was silent for more than a month, bought again.
            ("back", 0, "buy"),
            ("back", 80, "buy"),
            // Silent to the end, exactly as long as it takes.
            ("gone", 40, "buy"),
            ("gone", 70, "other"),
            ("nobody", 95, "other"),
            ("clock", 100, "other"),
        ];
        let life = run(&rows, serde_json::json!([]));
        let now = |p| life.phase(p).unwrap().now;
        assert_eq!((life.customers, life.none), (7, 2));
        assert_eq!(now(Phase::Impression), 1);
        assert_eq!(now(Phase::Conversion), 1);
        assert_eq!(now(Phase::Advocacy), 1);
        assert_eq!(now(Phase::Reactivated), 1);
        assert_eq!(now(Phase::Lapsed), 1);
        assert_eq!(life.phase(Phase::Lapsed).unwrap().ever, 2);
        let way = |from, to| {
            life.way(from, to)
                .map_or((0, 0), |w| (w.share.count, w.share.n))
        };
        assert_eq!(way(Phase::Conversion, Phase::Lapsed), (2, 3));
        assert_eq!(way(Phase::Conversion, Phase::Advocacy), (1, 3));
        assert_eq!(way(Phase::Lapsed, Phase::Reactivated), (1, 1));
        let total: u64 = life.phases.iter().map(|p| p.now).sum();
        assert_eq!(total + life.none, life.customers);
    }

    #[test]
    fn ways_that_are_not_listed_are_not_gone() {
        let rows = [
            ("a", 0, "see"),
            ("a", 1, "buy"),
            ("a", 2, "sign_up"),
            ("a", 3, "buy"),
            ("b", 4, "invite"),
        ];
        let listed = serde_json::json!([
            {"from": "impression", "to": "acquisition"}, {"from": "acquisition", "to": "conversion"}
        ]);
        let life = run(&rows, listed);
        assert_eq!(
            (life.refused, life.phase(Phase::Conversion).unwrap().now),
            (1, 1)
        );
        assert_eq!(life.phase(Phase::Acquisition).unwrap().ever, 1);
    }

    #[test]
    fn unknown_events_and_repeated_phases_are_refused() {
        let log = Log::from_rows([("a", 0, "see")]).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        assert!(
            journeys
                .run(&Lifecycle::new(document(serde_json::json!([]))))
                .is_err()
        );
        let mut twice = document(serde_json::json!([]));
        twice.phases = vec![twice.phases[0].clone(), twice.phases[0].clone()];
        let told = journeys
            .run(&Lifecycle::new(twice))
            .unwrap_err()
            .to_string();
        assert!(told.contains("listed twice"), "{told}");
    }
}
