//! Whether customers who behave in some way go on behaving so.

mod report;

use desireline_stats::Sides;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::report::{StabilityPeriod, StabilityReport};

use super::deferred::Deferred;
use super::parts;
use crate::engine::{Analysis, Located, MOST, Measure, MeasureData, Partial};
use crate::error::{Result, SpecError};
use crate::expr::{Expr, IntoExpr};
use crate::journey::{Journey, Mask, Matcher, Morsel};
use crate::log::Catalog;
use crate::time::{format_instant, parse_instant};

/// Do customers who behave in some way go on behaving so, or is it others each time?
///
/// **The segment.** A customer is in it in a period if at least `at_least` events of theirs in that period match
/// `condition`, and present in a period with any event in it; all selected journeys of a customer taken together. Someone
/// whose behaviour says so once need not be a kind of person: this question holds the segment of one period against that of
/// another.
///
/// **The periods** are two halves of the time of observation, unless given: from `first_from` up to `first_until`, and
/// from `second_from` up to `second_until`, each without its end. A later one begins where the first ends, unless given.
///
/// Of the customers present in both periods:
/// - `stayed` were in the segment in both, `left` only in the first, `entered` only in the second, `outside` in neither;
/// - `agreement` = (stayed + outside) ÷ all; `kappa` says how far that goes beyond chance (Cohen): 1 is the same people,
///   0 what two independent draws of the same sizes would give;
/// - `overlap` = stayed ÷ (stayed + left + entered), Jaccard's index: of those ever in it, who was in it twice;
/// - `stays` = stayed ÷ (stayed + left), and `enters` = entered ÷ (entered + outside).
///
/// Of all customers present in either: the segment's share in each period, its `change` with interval and p (customers in
/// both count as pairs), and `stability_index`, the population stability index of the two shares: by custom below 0.1
/// hardly moved, above 0.25 much. It has no interval; `change` has.
///
/// Rates have Wilson's intervals, a customer counting once; for kappa see
/// [`Agreement`](desireline_stats::Agreement::kappa). Cells, counted in customers: `stayed`, `left`, `entered`, `outside`,
/// `first_only`, `second_only` and `absent` (no event in either). Takes O(events) time and no memory.
///
/// Sources: J. Cohen, *A coefficient of agreement for nominal scales*, 1960; P. Jaccard, 1912.
///
/// ```
/// use desireline_core::analyses::Stability;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::Log;
///
/// let rows = (0..20).flat_map(|i| {
///     let customer = ["a", "b", "c", "d"][i % 4];
///     let loyal = if i % 4 < 2 { "buy" } else { "browse" };
///     [(customer, 1 + i as i64, loyal), (customer, 101 + i as i64, if i % 4 == 0 { "buy" } else { "browse" })]
/// });
/// let found = Log::from_rows(rows)?.journeys(JourneyRule::customer())?.run(&Stability::of("buy"))?;
/// assert_eq!((found.both, found.stayed, found.left, found.entered, found.outside), (4, 1, 1, 0, 2));
/// // Four customers are too few for a rate.
/// assert!(found.agreement.too_few() && found.kappa.is_none());
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stability {
    /// The events that put a customer into the segment in the period that they lie in.
    pub condition: Expr,
    /// How many of them it takes.
    #[serde(default = "one")]
    pub at_least: u32,
    /// When the first period begins, such as 2024-01-01 or 2024-01-01T06:00:00+01:00; with the log unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_from: Option<String>,
    /// When it is over; unless given half way between its begin and the end of the second, or where the second begins if that
    /// is earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_until: Option<String>,
    /// When the second period begins; when the first is over unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_from: Option<String>,
    /// When it is over; after the end of observation unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_until: Option<String>,
    /// The confidence level of all intervals.
    #[serde(default = "parts::default_level")]
    pub level: f64,
    /// What a builder method could not read.
    #[serde(skip)]
    #[doc(hidden)]
    pub deferred: Deferred,
}

fn one() -> u32 {
    1
}

impl Stability {
    /// The segment of this behaviour, an expression or its text. A text that cannot be read is reported when the question
    /// is run.
    pub fn of(condition: impl IntoExpr) -> Stability {
        let mut deferred = Deferred::default();
        Stability {
            condition: deferred
                .expr("condition", condition)
                .unwrap_or_else(Expr::all),
            at_least: one(),
            first_from: None,
            first_until: None,
            second_from: None,
            second_until: None,
            level: parts::default_level(),
            deferred,
        }
    }

    /// Sets how many events it takes.
    #[must_use]
    pub fn at_least(self, at_least: u32) -> Stability {
        Stability { at_least, ..self }
    }

    /// Sets the first period, from the first of these times up to the second.
    #[must_use]
    pub fn first(self, from: impl Into<String>, until: impl Into<String>) -> Stability {
        Stability {
            first_from: Some(from.into()),
            first_until: Some(until.into()),
            ..self
        }
    }

    /// Sets the second period.
    #[must_use]
    pub fn second(self, from: impl Into<String>, until: impl Into<String>) -> Stability {
        Stability {
            second_from: Some(from.into()),
            second_until: Some(until.into()),
            ..self
        }
    }

    /// Sets the confidence level of all intervals.
    #[must_use]
    pub fn level(self, level: f64) -> Stability {
        Stability { level, ..self }
    }

    /// The periods in microseconds.
    fn periods(&self, catalog: &Catalog) -> Result<[(i64, i64); 2], SpecError> {
        let read = |field_name, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match parse_instant(text) {
                Some(time) => Ok(Some(time)),
                None => {
                    let problem = format!(
                        "`{text}` is no time; write it as 2024-01-31 or 2024-01-31T06:00:00Z"
                    );
                    Err(field(field_name, problem))
                }
            },
        };
        let first_from = read("first_from", &self.first_from)?;
        let first_until = read("first_until", &self.first_until)?;
        let second_from = read("second_from", &self.second_from)?;
        let second_until = read("second_until", &self.second_until)?;
        let begin = first_from.unwrap_or(catalog.first_time);
        let end = second_until.unwrap_or(catalog.observed_until.saturating_add(1));
        let middle =
            || second_from.map_or(begin.midpoint(end), |from| from.min(begin.midpoint(end)));
        let over = first_until.unwrap_or_else(middle);
        let again = second_from.unwrap_or(over);
        let named = [
            ("first_until", begin, over),
            ("second_from", over, again),
            ("second_until", again, end),
        ];
        for (name, before, time) in named {
            if time < before {
                let (time, before) = (format_instant(time), format_instant(before));
                let problem = format!("{time} lies before {before}, where the time before it ends");
                return Err(field(name, problem));
            }
        }
        Ok([(begin, over), (again, end)])
    }
}

fn field(field: &'static str, problem: String) -> SpecError {
    SpecError::Field {
        analysis: Stability::NAME,
        field,
        problem,
    }
}

/// A bound [`Stability`].
#[derive(Debug)]
pub struct StabilityPlan {
    condition: Matcher,
    text: String,
    at_least: u64,
    /// From, and up to without the end.
    periods: [(i64, i64); 2],
    level: f64,
}

impl StabilityPlan {
    fn is_in(&self, period: usize, time: i64) -> bool {
        let (from, until) = self.periods[period];
        from <= time && time < until
    }
}

/// What a customer was in a period: absent, there but not in the segment, or in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    Absent,
    Outside,
    Inside,
}

impl Was {
    fn new(events: u64, matching: u64, at_least: u64) -> Was {
        match (events, matching >= at_least) {
            (0, _) => Was::Absent,
            (_, false) => Was::Outside,
            (_, true) => Was::Inside,
        }
    }
}

/// The cell of what a customer was in the first and in the second period.
fn cell(first: Was, second: Was) -> usize {
    match (first, second) {
        (Was::Inside, Was::Inside) => STAYED,
        (Was::Inside, Was::Outside) => LEFT,
        (Was::Outside, Was::Inside) => ENTERED,
        (Was::Outside, Was::Outside) => OUTSIDE,
        (Was::Inside, Was::Absent) => FIRST_IN,
        (Was::Outside, Was::Absent) => FIRST_OUT,
        (Was::Absent, Was::Inside) => SECOND_IN,
        (Was::Absent, Was::Outside) => SECOND_OUT,
        (Was::Absent, Was::Absent) => ABSENT,
    }
}

const STAYED: usize = 0;
const LEFT: usize = 1;
const ENTERED: usize = 2;
const OUTSIDE: usize = 3;
const FIRST_IN: usize = 4;
const FIRST_OUT: usize = 5;
const SECOND_IN: usize = 6;
const SECOND_OUT: usize = 7;
const ABSENT: usize = 8;

/// The names of cells; customers present in one period only are told by that alone.
const NAMES: [&str; 9] = [
    "stayed",
    "left",
    "entered",
    "outside",
    "first_only",
    "first_only",
    "second_only",
    "second_only",
    "absent",
];

/// What is known of customers so far: how many were what in the two periods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StabilityPartial {
    customers: [u64; 9],
}

impl StabilityPartial {
    /// Inside, of those present, in the second period against the first.
    fn shares(&self) -> Sides {
        let mut shares = Sides::default();
        let mut add = |at: usize, second: (u64, u64), first: (u64, u64)| {
            let mut one = Sides::default();
            one.add(second, first);
            shares.merge(&parts::repeated_sides(&one, self.customers[at]));
        };
        add(STAYED, (1, 1), (1, 1));
        add(LEFT, (0, 1), (1, 1));
        add(ENTERED, (1, 1), (0, 1));
        add(OUTSIDE, (0, 1), (0, 1));
        add(FIRST_IN, (0, 0), (1, 1));
        add(FIRST_OUT, (0, 0), (0, 1));
        add(SECOND_IN, (1, 1), (0, 0));
        add(SECOND_OUT, (0, 1), (0, 0));
        shares
    }
}

impl Partial for StabilityPartial {
    fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.customers.iter_mut().zip(other.customers) {
            *ours += theirs;
        }
    }

    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Analysis for Stability {
    const NAME: &'static str = "stability";
    const STATE_VERSION: u32 = 1;
    const COUNTS_CUSTOMERS: bool = true;
    type Plan = StabilityPlan;
    type Partial = StabilityPartial;
    type Report = StabilityReport;

    fn plan(&self, catalog: &Catalog) -> Result<StabilityPlan, SpecError> {
        self.deferred.check(Self::NAME)?;
        parts::check_level(Self::NAME, self.level)?;
        if self.at_least == 0 {
            let problem = "0 events make everybody a member; use 1 or more".to_owned();
            return Err(field("at_least", problem));
        }
        let condition = Matcher::new(&self.condition, catalog);
        Ok(StabilityPlan {
            condition: condition.map_err(|source| SpecError::Expr {
                analysis: Self::NAME,
                field: "condition",
                source,
            })?,
            text: self.condition.to_string(),
            at_least: self.at_least.into(),
            periods: self.periods(catalog)?,
            level: self.level,
        })
    }

    fn start(_: &StabilityPlan) -> StabilityPartial {
        StabilityPartial::default()
    }

    fn check(_: &StabilityPlan, read: &mut StabilityPartial) -> Result<(), String> {
        let all = parts::sum(read.customers);
        parts::agree(all.is_some_and(|n| n <= MOST), "customers")
    }

    fn observe(plan: &StabilityPlan, partial: &mut StabilityPartial, morsel: &Morsel<'_>) {
        let mut matching = Mask::default();
        plan.condition.fill(morsel, &mut matching);
        let times = morsel.times();
        for spans in morsel.customers() {
            let mut seen = [(0_u64, 0_u64); 2];
            for i in spans.iter().flat_map(crate::journey::Span::range) {
                let time = times[i];
                for (period, (events, hits)) in seen.iter_mut().enumerate() {
                    let here = u64::from(plan.is_in(period, time));
                    *events += here;
                    *hits += here & u64::from(matching.get(i));
                }
            }
            let was = seen.map(|(events, hits)| Was::new(events, hits, plan.at_least));
            partial.customers[cell(was[0], was[1])] += 1;
        }
    }

    fn finish(plan: &StabilityPlan, partial: &StabilityPartial) -> Result<StabilityReport> {
        Ok(report::finish(plan, partial))
    }

    fn locate(plan: &StabilityPlan, journey: &Journey<'_>) -> Vec<Located> {
        let (morsel, customer) = (journey.morsel(), journey.span().customer);
        let journeys = morsel.journeys_of(customer);
        if journeys.first() != Some(&journey.span()) {
            return Vec::new();
        }
        let told = |period: usize, name: &str| {
            let inside = |i: &usize| plan.is_in(period, morsel.time(*i));
            let all = journeys.iter().flat_map(|span| span.range());
            let events = all.filter(inside).count() as u64;
            let hits = journeys
                .iter()
                .flat_map(|span| plan.condition.matches_in(morsel, *span));
            let hits = hits.filter(inside).count() as u64;
            let was = Was::new(events, hits, plan.at_least);
            (
                was,
                format!("in the {name} period {hits} of {events} events match"),
            )
        };
        let ((first, why), (second, then)) = (told(0, "first"), told(1, "second"));
        vec![Located {
            cell: NAMES[cell(first, second)].to_owned(),
            why: format!("{why}, {then}"),
        }]
    }

    fn cells(_: &StabilityPlan, partial: &StabilityPartial) -> Vec<(String, u64)> {
        let mut cells: Vec<(String, u64)> = Vec::new();
        for (name, n) in NAMES.iter().zip(partial.customers) {
            match cells.last_mut() {
                Some((last, sum)) if last == name => *sum += n,
                _ => cells.push(((*name).to_owned(), n)),
            }
        }
        cells
    }

    /// `stays`, `enters` and `agreement`, of customers.
    fn measures(_: &StabilityPlan, partial: &StabilityPartial) -> Vec<Measure> {
        let n = |at: usize| partial.customers[at];
        let rates = [
            ("stays", n(STAYED), n(STAYED) + n(LEFT)),
            ("enters", n(ENTERED), n(ENTERED) + n(OUTSIDE)),
            (
                "agreement",
                n(STAYED) + n(OUTSIDE),
                n(STAYED) + n(LEFT) + n(ENTERED) + n(OUTSIDE),
            ),
        ];
        let measure = |(kind, k, n): (&'static str, u64, u64)| {
            let mut rate = desireline_stats::Clusters::default();
            rate.add_units(k, n);
            Measure {
                kind,
                key: Vec::new(),
                data: MeasureData::Rate(rate),
            }
        };
        rates.into_iter().map(measure).collect()
    }
}
