//! Frequent sequences: which events do many journeys have in the same order?

mod base;
mod explain;
mod mine;
mod observe;
mod report;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::report::{PatternGoal, PatternRow, PatternsReport};

use super::deferred::Deferred;
use super::sequences::{Counts, Width};
use super::{Paths, label, parts};
use crate::engine::{Analysis, Located, Measure, Partial};
use crate::error::{Result, SpecError};
use crate::expr::{Expr, IntoExpr};
use crate::journey::{Journey, Matcher, Morsel};
use crate::log::{Catalog, Vocabulary};
use crate::time::TimeSpan;

/// The longest pattern that can be asked for.
pub const MAX_LENGTH: u32 = 12;

/// Which events do many journeys have in the same order, whatever lies between?
///
/// A pattern is a sequence of event names. A journey has it if its events hold these names in this order, not
/// necessarily next to each other; each journey counts once, however often it has the pattern.
///
/// * `share` = journeys that have the pattern ÷ all journeys, clustered by customer. Listed are the `top` patterns of
///   `min_length` to `max_length` events that at least `min_support` of all journeys have: by journeys, then by names.
/// * `max_steps` bounds how far on each event may lie from the one before it in the pattern: with 1 it is the next event,
///   so that patterns are stretches of the path (n-grams). `max_gap` bounds the time from each to the next. A journey has
///   the pattern if any of the ways to choose its events keeps to both.
/// * `closed` leaves out a pattern that is part of a longer one, up to `max_length`, which as many journeys have: the
///   longer one says it all.
/// * With a `goal`, `before_goal` looks only at what came before a journey's first goal event, so that patterns do not
///   merely hold the goal; without it they are looked for in whole journeys. `goal` then compares the share that reaches
///   the goal among the journeys with the pattern and among those without it: the difference with its interval, and p and
///   q (Benjamini-Hochberg) over all patterns listed. These are associations: who reaches the goal soon has less time for
///   patterns before it.
///
/// The search goes from the most frequent pattern down and looks at no more than it must; it is exact. `complete` says
/// whether all patterns of that support are listed. It gives up after some seconds of work (counted, not timed, so that
/// every machine stops at the same place) and then says from which number of journeys on its list is whole.
///
/// Cells, for one or two events: `pattern/a` and `pattern/a > b`. Longer patterns without bounds are found by
/// [`Funnel`](super::Funnel), which has the same journeys, their times, and can be compared between groups.
///
/// Memory grows with the distinct sequences of events of customers; with `max_gap` with the events. Finishing takes O(events
/// of distinct sequences) for each pattern looked at.
///
/// Sources: J. Pei and others, *PrefixSpan*, 2001; X. Yan, J. Han and R. Afshar, *CloSpan*, 2003 (closed patterns).
///
/// ```
/// use desireline_core::analyses::Patterns;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
///
/// let mut rows = Vec::new();
/// for (customer, way) in [("ann", "home search help cart"), ("ben", "search cart"), ("eve", "cart home")] {
///     rows.extend(way.split(' ').zip(1..).map(|(event, time)| (customer, time, event)));
/// }
/// let journeys = Log::from_rows(rows)?.journeys(JourneyRule::customer())?;
/// let found = journeys.run(&Patterns::default().min_support(0.5))?;
/// assert_eq!((found.patterns.len(), found.complete), (1, true));
/// assert_eq!(found.patterns[0].pattern.join(" > "), "search > cart");
/// assert_eq!((found.patterns[0].journeys, found.journeys), (2, 3));
/// // Directly after each other only one journey has them.
/// assert!(journeys.run(&Patterns::default().min_support(0.5).contiguous())?.patterns.is_empty());
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Patterns {
    /// What counts as reaching the goal: an event name or an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Expr>,
    /// The least share of all journeys that have a pattern, above 0 and at most 1.
    pub min_support: f64,
    /// The fewest events of a pattern.
    pub min_length: u32,
    /// The most events of a pattern, at most 12.
    pub max_length: u32,
    /// How many events on the next event of a pattern may lie; 1 for directly after each other. As far as it likes unless
    /// set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
    /// How long after an event of a pattern the next one may come, inclusive. As late as it likes unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gap: Option<TimeSpan>,
    /// Whether to leave out patterns that are part of a longer one which as many journeys have.
    pub closed: bool,
    /// With a goal: whether to look only at what came before it.
    pub before_goal: bool,
    /// How many patterns are listed.
    pub top: u32,
    /// The confidence level of all intervals.
    pub level: f64,
    /// What a builder method could not read.
    #[serde(skip)]
    #[doc(hidden)]
    pub deferred: Deferred,
}

impl Default for Patterns {
    fn default() -> Patterns {
        Patterns {
            goal: None,
            min_support: 0.05,
            min_length: 2,
            max_length: 4,
            max_steps: None,
            max_gap: None,
            closed: false,
            before_goal: true,
            top: 20,
            level: parts::default_level(),
            deferred: Deferred::default(),
        }
    }
}

impl Patterns {
    /// The `n` most frequent patterns.
    pub fn top(n: u32) -> Patterns {
        Patterns {
            top: n,
            ..Patterns::default()
        }
    }

    /// Tells for each pattern how many of its journeys reach this goal, an expression or its text. A text that cannot be
    /// read is reported when the question is run.
    #[must_use]
    pub fn goal(mut self, goal: impl IntoExpr) -> Patterns {
        self.goal = self.deferred.expr("goal", goal);
        self
    }

    /// Sets the least share of all journeys.
    #[must_use]
    pub fn min_support(self, min_support: f64) -> Patterns {
        Patterns {
            min_support,
            ..self
        }
    }

    /// Sets the fewest and the most events of a pattern.
    #[must_use]
    pub fn length(self, min_length: u32, max_length: u32) -> Patterns {
        Patterns {
            min_length,
            max_length,
            ..self
        }
    }

    /// Lets the next event of a pattern lie at most so many events on.
    #[must_use]
    pub fn max_steps(self, steps: u32) -> Patterns {
        Patterns {
            max_steps: Some(steps),
            ..self
        }
    }

    /// Finds stretches of paths: events directly after each other.
    #[must_use]
    pub fn contiguous(self) -> Patterns {
        self.max_steps(1)
    }

    /// Lets the next event of a pattern come at most so long after the one before.
    #[must_use]
    pub fn max_gap<S: TryInto<TimeSpan>>(mut self, span: S) -> Patterns
    where
        crate::Error: From<S::Error>,
    {
        self.max_gap = self.deferred.span("max_gap", span);
        self
    }

    /// Leaves out patterns that are part of a longer one which as many journeys have.
    #[must_use]
    pub fn closed(self) -> Patterns {
        Patterns {
            closed: true,
            ..self
        }
    }

    /// Looks at whole journeys also where a goal is given.
    #[must_use]
    pub fn whole_journeys(self) -> Patterns {
        Patterns {
            before_goal: false,
            ..self
        }
    }

    /// Sets the confidence level of all intervals.
    #[must_use]
    pub fn level(self, level: f64) -> Patterns {
        Patterns { level, ..self }
    }

    fn validate(&self) -> Result<(), SpecError> {
        self.deferred.check(Self::NAME)?;
        parts::check_level(Self::NAME, self.level)?;
        let support = self.min_support;
        if !(support > 0.0 && support <= 1.0) {
            let problem = format!(
                "{support} is no share of journeys; use a number above 0 and up to 1, such as 0.05"
            );
            return Err(field("min_support", problem));
        }
        let (least, most) = (self.min_length, self.max_length);
        if most > MAX_LENGTH {
            let problem = format!("{most} is too long, the limit is {MAX_LENGTH}");
            return Err(field("max_length", problem));
        }
        if least == 0 {
            let problem = "a pattern has at least 1 event".to_owned();
            return Err(field("min_length", problem));
        }
        if least > most {
            let problem = format!("{most} is shorter than the shortest, {least}");
            return Err(field("max_length", problem));
        }
        if self.max_steps == Some(0) {
            let problem = "the next event lies at least 1 on".to_owned();
            return Err(field("max_steps", problem));
        }
        if self.top == 0 {
            let problem = "0 patterns cannot be listed; use 1 or more".to_owned();
            return Err(field("top", problem));
        }
        Ok(())
    }
}

fn field(field: &'static str, problem: String) -> SpecError {
    SpecError::Field {
        analysis: Patterns::NAME,
        field,
        problem,
    }
}

/// A bound [`Patterns`].
#[derive(Debug)]
pub struct PatternsPlan {
    spec: Patterns,
    goal: Option<Matcher>,
    names: Vocabulary,
    width: Width,
    reach: Reach,
}

/// How far on the next event of a pattern may lie.
#[derive(Clone, Copy, Debug)]
struct Reach {
    steps: usize,
    /// In microseconds; times are kept only where there is one.
    gap: Option<i64>,
}

impl Reach {
    /// Whether any later event will do.
    fn is_free(self) -> bool {
        self.steps == usize::MAX && self.gap.is_none()
    }
}

impl PatternsPlan {
    /// Whether only events before the first goal count.
    fn stops_at_goal(&self) -> bool {
        self.goal.is_some() && self.spec.before_goal
    }

    fn cell(&self, codes: &[u32]) -> String {
        label::cell("pattern", codes.iter().map(|&c| self.names.name(c)))
    }
}

/// What is known of patterns so far: the journeys of customers, equal ones counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PatternsPartial {
    customers: Counts,
    #[serde(skip)]
    scratch: observe::Scratch,
}

impl Partial for PatternsPartial {
    fn merge(&mut self, other: &Self) {
        self.customers.merge(&other.customers);
    }

    fn heap_bytes(&self) -> usize {
        self.customers.heap_bytes() + self.scratch.heap_bytes()
    }
}

impl Analysis for Patterns {
    const NAME: &'static str = "patterns";
    const STATE_VERSION: u32 = 1;
    const COMPARE_BY: &'static str = Paths::NAME;
    type Plan = PatternsPlan;
    type Partial = PatternsPartial;
    type Report = PatternsReport;

    fn plan(&self, catalog: &Catalog) -> Result<PatternsPlan, SpecError> {
        self.validate()?;
        let goal = self.goal.as_ref().map(|goal| Matcher::new(goal, catalog));
        Ok(PatternsPlan {
            spec: self.clone(),
            goal: goal.transpose().map_err(|source| SpecError::Expr {
                analysis: Self::NAME,
                field: "goal",
                source,
            })?,
            names: catalog.events.clone(),
            width: Width::of(catalog.events.len()),
            reach: Reach {
                steps: self.max_steps.map_or(usize::MAX, |n| n as usize),
                gap: self.max_gap.map(TimeSpan::as_micros),
            },
        })
    }

    fn start(_: &PatternsPlan) -> PatternsPartial {
        PatternsPartial::default()
    }

    fn check(plan: &PatternsPlan, read: &mut PatternsPartial) -> Result<(), String> {
        base::Base::read(plan, read).map(drop)
    }

    fn observe(plan: &PatternsPlan, partial: &mut PatternsPartial, morsel: &Morsel<'_>) {
        observe::observe(plan, partial, morsel);
    }

    fn finish(plan: &PatternsPlan, partial: &PatternsPartial) -> Result<PatternsReport> {
        let base = base::Base::read(plan, partial).unwrap_or_default();
        Ok(report::finish(plan, &base))
    }

    fn locate(plan: &PatternsPlan, journey: &Journey<'_>) -> Vec<Located> {
        explain::locate(plan, journey)
    }

    fn cells(plan: &PatternsPlan, partial: &PatternsPartial) -> Vec<(String, u64)> {
        let base = base::Base::read(plan, partial).unwrap_or_default();
        explain::cells(plan, &base)
    }

    /// Nothing: which patterns are looked at depends on the group.
    fn measures(_: &PatternsPlan, _: &PatternsPartial) -> Vec<Measure> {
        Vec::new()
    }
}
