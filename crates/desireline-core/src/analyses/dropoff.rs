//! Where do journeys end without their goal, who comes back, and what came before?

mod check;
mod explain;
mod observe;
mod report;

pub use report::{DropoffReport, ExitPath, ExitPoint, OtherExits, OtherPaths};

use desireline_stats::Clusters;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deferred::Deferred;
use super::sequences::{Counts, Width};
use crate::engine::{Analysis, Located, Measure, MeasureData, Partial};
use crate::error::{Result, SpecError};
use crate::expr::{Expr, IntoExpr};
use crate::journey::{Journey, Matcher, Morsel};
use crate::log::{Catalog, Vocabulary};
use crate::time::TimeSpan;

/// The most touchpoints before an exit that can be asked for.
pub const MAX_BEFORE: u32 = 15;

/// Where do journeys end without their goal, who comes back, and what came before?
///
/// **Outcomes.** Every journey has one:
/// - *reached*: some event of it is the goal, wherever the journey ended;
/// - *open*: no goal, and it may still go on: its last event lies less than `alive` before the end of observation, and
///   the customer's next journey has not begun;
/// - *exit*: all others. It dropped off at the touchpoint of its last event.
///
/// **Exit rate** of a touchpoint: exits there, of the visits to it. A visit is a journey with a known outcome (reached or
/// exit) that has the touchpoint at least once.
///
/// **Return**: the customer's next journey begins within `returns_within` of the exit, inclusive. The base are the exits
/// that lie at least that long before the end of observation; of the others it is not yet known.
///
/// **Before the exit**: up to `before` touchpoints and the exit, in order; fewer where the journey began later.
///
/// All intervals are clustered by customer. Lists show the `top` most frequent; the rest is summed exactly in `other`.
/// Cost: one pass over the events; memory grows with the number of event names and of distinct sequences before an exit.
///
/// ```
/// use desireline_core::analyses::dropoff::Dropoff;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::{LogBuilder, LogOptions};
///
/// let mut builder = LogBuilder::new(LogOptions::default());
/// for (customer, minute, event) in [
///     ("ann", 0, "view"), ("ann", 1, "cart"), ("ann", 600, "purchase"),
///     ("bob", 0, "view"), ("bob", 2, "cart"), ("bob", 3, "purchase"),
///     ("cid", 599, "view"),
/// ] {
///     builder.push(customer, minute * 60_000_000, event)?;
/// }
/// let journeys = builder.finish()?.journeys(JourneyRule::gap("30m")?)?;
/// let dropoff = journeys.run(&Dropoff::goal("purchase").alive("30m").returns_within("9h"))?;
/// assert_eq!((dropoff.reached, dropoff.exits, dropoff.open), (2, 1, 1));
/// assert_eq!((dropoff.touchpoints[0].touchpoint.as_str(), dropoff.returned.count), ("cart", 0));
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dropoff {
    /// What journeys are after. Without a goal every journey that has ended is an exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Expr>,
    /// How soon after an exit the customer's next journey begins if they came back, inclusive.
    pub returns_within: TimeSpan,
    /// A journey whose last event lies less than this before the end of observation may still go on. Take the pause
    /// that cuts journeys, or, for whole customers, the longest pause that customers usually make.
    pub alive: TimeSpan,
    /// How many touchpoints and sequences are listed.
    pub top: u32,
    /// How many touchpoints before an exit are shown, at most 15.
    pub before: u32,
    /// The confidence level of all intervals.
    pub level: f64,
    /// What a builder method could not read.
    #[serde(skip)]
    #[doc(hidden)]
    pub deferred: Deferred,
}

impl Default for Dropoff {
    fn default() -> Dropoff {
        Dropoff {
            goal: None,
            returns_within: TimeSpan::from_micros(7 * 86_400_000_000),
            alive: TimeSpan::from_micros(30 * 60_000_000),
            top: 20,
            before: 3,
            level: super::parts::default_level(),
            deferred: Deferred::default(),
        }
    }
}

impl Dropoff {
    /// Drop-off of journeys after `goal`, an expression or its text. A text that cannot be read is reported when the
    /// question is run.
    pub fn goal(goal: impl IntoExpr) -> Dropoff {
        let mut dropoff = Dropoff::default();
        dropoff.goal = dropoff.deferred.expr("goal", goal);
        dropoff
    }

    /// Sets how soon a returning customer is back.
    #[must_use]
    pub fn returns_within<S: TryInto<TimeSpan>>(mut self, span: S) -> Dropoff
    where
        crate::Error: From<S::Error>,
    {
        let read = self.deferred.span("returns_within", span);
        self.returns_within = read.unwrap_or(self.returns_within);
        self
    }

    super::parts::alive_and_level!();

    /// Sets how many touchpoints and sequences are listed.
    #[must_use]
    pub fn top(self, top: u32) -> Dropoff {
        Dropoff { top, ..self }
    }

    /// Sets how many touchpoints before an exit are shown.
    #[must_use]
    pub fn before(self, before: u32) -> Dropoff {
        Dropoff { before, ..self }
    }
}

/// A bound [`Dropoff`].
#[derive(Debug)]
pub struct DropoffPlan {
    goal: Option<Matcher>,
    goal_text: Option<String>,
    events: Vocabulary,
    width: Width,
    observed_until: i64,
    returns_within: i64,
    alive: i64,
    top: usize,
    before: usize,
    level: f64,
}

/// What is known of drop-off so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DropoffPartial {
    n_journeys: u64,
    reached: u64,
    open: u64,
    /// Exits of journeys with a known outcome.
    exits: Clusters,
    /// Returned of exits long enough ago.
    returned: Clusters,
    /// By event code.
    points: Vec<PointPartial>,
    /// How often each sequence of codes led to an exit.
    paths: Counts,
    #[serde(skip)]
    scratch: observe::Scratch,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct PointPartial {
    /// Exits there of visits to it.
    exits: Clusters,
    /// Returned of exits there long enough ago.
    returned: Clusters,
    /// Open journeys that are there now.
    open: u64,
}

impl Partial for DropoffPartial {
    fn merge(&mut self, other: &Self) {
        self.n_journeys += other.n_journeys;
        self.reached += other.reached;
        self.open += other.open;
        self.exits.merge(&other.exits);
        self.returned.merge(&other.returned);
        for (ours, theirs) in self.points.iter_mut().zip(&other.points) {
            ours.exits.merge(&theirs.exits);
            ours.returned.merge(&theirs.returned);
            ours.open += theirs.open;
        }
        self.paths.merge(&other.paths);
    }

    fn heap_bytes(&self) -> usize {
        self.points.capacity() * size_of::<PointPartial>()
            + self.paths.heap_bytes()
            + self.scratch.heap_bytes()
    }
}

impl Analysis for Dropoff {
    const NAME: &'static str = "dropoff";
    const STATE_VERSION: u32 = 2;
    type Plan = DropoffPlan;
    type Partial = DropoffPartial;
    type Report = DropoffReport;

    fn plan(&self, catalog: &Catalog) -> Result<DropoffPlan, SpecError> {
        self.deferred.check(Self::NAME)?;
        super::parts::check_level(Self::NAME, self.level)?;
        if self.before > MAX_BEFORE {
            return Err(SpecError::Field {
                analysis: Self::NAME,
                field: "before",
                problem: format!("{} is too many, the limit is {MAX_BEFORE}", self.before),
            });
        }
        let goal = self.goal.as_ref().map(|goal| Matcher::new(goal, catalog));
        Ok(DropoffPlan {
            goal: goal.transpose().map_err(|source| SpecError::Expr {
                analysis: Self::NAME,
                field: "goal",
                source,
            })?,
            goal_text: self.goal.as_ref().map(ToString::to_string),
            events: catalog.events.clone(),
            width: Width::of(catalog.events.len()),
            observed_until: catalog.observed_until,
            returns_within: self.returns_within.as_micros(),
            alive: self.alive.as_micros(),
            top: self.top as usize,
            before: self.before as usize,
            level: self.level,
        })
    }

    fn start(plan: &DropoffPlan) -> DropoffPartial {
        DropoffPartial {
            n_journeys: 0,
            reached: 0,
            open: 0,
            exits: Clusters::default(),
            returned: Clusters::default(),
            points: vec![PointPartial::default(); plan.events.len()],
            paths: Counts::default(),
            scratch: observe::Scratch::default(),
        }
    }

    fn check(plan: &DropoffPlan, read: &mut DropoffPartial) -> Result<(), String> {
        check::check(plan, read)
    }

    fn observe(plan: &DropoffPlan, partial: &mut DropoffPartial, morsel: &Morsel<'_>) {
        observe::observe(plan, partial, morsel);
    }

    fn finish(plan: &DropoffPlan, partial: &DropoffPartial) -> Result<DropoffReport> {
        Ok(report::finish(plan, partial))
    }

    fn locate(plan: &DropoffPlan, journey: &Journey<'_>) -> Vec<Located> {
        explain::locate(plan, journey)
    }

    fn cells(plan: &DropoffPlan, partial: &DropoffPartial) -> Vec<(String, u64)> {
        let mut cells = vec![
            ("goal".to_owned(), partial.reached),
            ("open".to_owned(), partial.open),
            ("exit".to_owned(), partial.exits.k),
            ("returned".to_owned(), partial.returned.k),
        ];
        for (name, point) in plan.events.names().zip(&partial.points) {
            let known = point.returned;
            cells.extend([
                (format!("visit/{name}"), point.exits.n),
                (format!("exit/{name}"), point.exits.k),
                (format!("open/{name}"), point.open),
                (format!("returned/{name}"), known.k),
                (
                    format!("stayed_away/{name}"),
                    known.n.saturating_sub(known.k),
                ),
            ]);
        }
        cells
    }

    fn measures(plan: &DropoffPlan, partial: &DropoffPartial) -> Vec<Measure> {
        let rate = |kind, key: &[&str], clusters| Measure {
            kind,
            key: key.iter().map(|&k| k.to_owned()).collect(),
            data: MeasureData::Rate(clusters),
        };
        let mut measures = vec![
            rate("dropoff", &[], partial.exits),
            rate("return", &[], partial.returned),
        ];
        let visited = plan.events.names().zip(&partial.points);
        for (name, point) in visited.filter(|(_, p)| !p.exits.is_empty()) {
            measures.push(rate("exit", &[name], point.exits));
        }
        measures
    }
}
