//! When people come: by hour of the day and day of the week.

mod clock;
mod explain;
mod report;
mod state;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::report::{CalendarCell, CalendarReport, CalendarSlot};
pub use self::state::CalendarPartial;

use self::clock::{Clock, DAYS, HOURS};
use super::deferred::Deferred;
use super::parts;
use super::retention::Weekday;
use crate::engine::{Analysis, Located, Measure, MeasureData};
use crate::error::{Result, SpecError};
use crate::expr::{Expr, IntoExpr};
use crate::journey::{Journey, Matcher, Morsel};
use crate::log::Catalog;
use crate::time::TimeSpan;

/// When do people come, begin a journey and reach their goal: at which hour of the day, on which day of the week?
///
/// * `events`: all events by their time; `starts`: journeys by the time of their first event; `goals`: journeys that
///   reached the goal, by the time of their first goal event. Each hour's and day's share of all, clustered by customer:
///   the hours add up to the whole exactly, as do the days, and the 168 hours of the `week` to both.
/// * `conversion`: of the journeys that began in that hour or on that day, the share that reached the goal, whenever that
///   was. Journeys that may still go on, without the goal and with their last event less than `alive` before the end of
///   observation, count in no conversion.
///
/// Times are local to `time_zone` by the rules of the IANA database: where clocks are put forward an hour of that day has
/// no events, where they are put back one has those of two. No zone is guessed; UTC unless another is named.
///
/// An hour with many events need not be a good hour: zones, opening hours and campaigns show here too. Cells, counted in
/// journeys: `start/Monday 08:00`, `goal/Monday 08:00`, and by start `converted/08:00`, `unconverted/08:00`,
/// `converted/Monday`, `unconverted/Monday`. Takes O(events) time and little memory.
///
/// ```
/// use desireline_core::analyses::Calendar;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::{LogBuilder, LogOptions};
/// use desireline_core::time::parse_instant;
///
/// let mut log = LogBuilder::new(LogOptions::default());
/// for (customer, at, event) in [
///     ("ann", "2024-03-29T23:30:00Z", "view"), ("ann", "2024-03-30T08:00:00Z", "purchase"),
///     ("ben", "2024-07-01T08:00:00Z", "view"),
/// ] {
///     log.push(customer, parse_instant(at).ok_or("no time")?, event)?;
/// }
/// let journeys = log.finish()?.journeys(JourneyRule::customer())?;
/// let when = journeys.run(&Calendar::zone("Europe/Berlin").goal("purchase").alive("0s"))?;
/// // Half past midnight on Saturday, nine in winter, ten in summer.
/// assert_eq!((when.hours[0].events.count, when.hours[9].events.count, when.hours[10].events.count), (1, 1, 1));
/// assert_eq!((when.weekdays[5].slot.as_str(), when.weekdays[5].events.count), ("Saturday", 2));
/// let conversion = when.hours[0].conversion.ok_or("a goal was given")?;
/// assert_eq!((conversion.count, conversion.n), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// What counts as reaching the goal: an event name or an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Expr>,
    /// The IANA name of the zone whose clocks count; UTC unless another is named, never the machine's.
    pub time_zone: String,
    /// The day that weeks begin with.
    pub week_start: Weekday,
    /// A journey without the goal whose last event lies less than this before the end of observation may still go on.
    pub alive: TimeSpan,
    /// The confidence level of all intervals.
    pub level: f64,
    /// What a builder method could not read.
    #[serde(skip)]
    #[doc(hidden)]
    pub deferred: Deferred,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar {
            goal: None,
            time_zone: "UTC".to_owned(),
            week_start: Weekday::Monday,
            alive: TimeSpan::from_micros(30 * 60_000_000),
            level: parts::default_level(),
            deferred: Deferred::default(),
        }
    }
}

impl Calendar {
    /// By the clocks of this zone, an IANA name such as `Europe/Berlin`.
    pub fn zone(name: impl Into<String>) -> Calendar {
        Calendar {
            time_zone: name.into(),
            ..Calendar::default()
        }
    }

    /// Tells when this goal is reached, and how many journeys of each hour reach it: an expression or its text. A text that
    /// cannot be read is reported when the question is run.
    #[must_use]
    pub fn goal(mut self, goal: impl IntoExpr) -> Calendar {
        self.goal = self.deferred.expr("goal", goal);
        self
    }

    /// Sets the day that weeks begin with.
    #[must_use]
    pub fn week_start(self, week_start: Weekday) -> Calendar {
        Calendar { week_start, ..self }
    }

    parts::alive_and_level!();
}

/// A bound [`Calendar`].
#[derive(Debug)]
pub struct CalendarPlan {
    goal: Option<Matcher>,
    goal_text: Option<String>,
    zone: String,
    clock: Clock,
    /// The place of the day that weeks begin with, from Monday.
    first_day: usize,
    observed_until: i64,
    alive: i64,
    level: f64,
}

impl CalendarPlan {
    /// Whether a journey without the goal may still go on.
    fn is_open(&self, journey: &Journey<'_>) -> bool {
        let idle = self.observed_until.saturating_sub(journey.end_time());
        journey.next_start().is_none() && idle < self.alive
    }
}

/// `08:00`.
fn hour_name(hour: usize) -> String {
    format!("{hour:02}:00")
}

/// The name of a day, from Monday.
fn day_name(day: usize) -> &'static str {
    const NAMES: [&str; DAYS] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    NAMES.get(day).copied().unwrap_or_default()
}

impl Analysis for Calendar {
    const NAME: &'static str = "calendar";
    const STATE_VERSION: u32 = 1;
    type Plan = CalendarPlan;
    type Partial = CalendarPartial;
    type Report = CalendarReport;

    fn plan(&self, catalog: &Catalog) -> Result<CalendarPlan, SpecError> {
        self.deferred.check(Self::NAME)?;
        parts::check_level(Self::NAME, self.level)?;
        let goal = self.goal.as_ref().map(|goal| Matcher::new(goal, catalog));
        Ok(CalendarPlan {
            goal: goal.transpose().map_err(|source| SpecError::Expr {
                analysis: Self::NAME,
                field: "goal",
                source,
            })?,
            goal_text: self.goal.as_ref().map(ToString::to_string),
            zone: self.time_zone.clone(),
            clock: Clock::new(&self.time_zone, catalog)?,
            first_day: match self.week_start {
                Weekday::Monday => 0,
                Weekday::Tuesday => 1,
                Weekday::Wednesday => 2,
                Weekday::Thursday => 3,
                Weekday::Friday => 4,
                Weekday::Saturday => 5,
                Weekday::Sunday => 6,
            },
            observed_until: catalog.observed_until,
            alive: self.alive.as_micros(),
            level: self.level,
        })
    }

    fn start(_: &CalendarPlan) -> CalendarPartial {
        CalendarPartial::default()
    }

    fn check(plan: &CalendarPlan, read: &mut CalendarPartial) -> Result<(), String> {
        read.check(plan.goal.is_some())
    }

    fn observe(plan: &CalendarPlan, partial: &mut CalendarPartial, morsel: &Morsel<'_>) {
        state::observe(plan, partial, morsel);
    }

    fn finish(plan: &CalendarPlan, partial: &CalendarPartial) -> Result<CalendarReport> {
        Ok(report::finish(plan, partial))
    }

    fn locate(plan: &CalendarPlan, journey: &Journey<'_>) -> Vec<Located> {
        explain::locate(plan, journey)
    }

    fn cells(plan: &CalendarPlan, partial: &CalendarPartial) -> Vec<(String, u64)> {
        explain::cells(plan, partial)
    }

    /// `events`, `starts`, `goals` and `conversion` by hour, such as `08:00`, and by day, such as `Monday`.
    fn measures(plan: &CalendarPlan, partial: &CalendarPartial) -> Vec<Measure> {
        let hours = (0..HOURS).map(|h| (hour_name(h), state::Slot::Hour(h)));
        let days = (0..DAYS).map(|d| (day_name(d).to_owned(), state::Slot::Day(d)));
        let mut measures = Vec::new();
        for (name, slot) in hours.chain(days) {
            let mut rates = vec![
                ("events", partial.events.share(slot)),
                ("starts", partial.starts.share(slot)),
            ];
            if plan.goal.is_some() {
                rates.push(("goals", partial.goals.share(slot)));
                rates.push(("conversion", partial.conversion(slot)));
            }
            measures.extend(rates.into_iter().map(|(kind, rate)| Measure {
                kind,
                key: vec![name.clone()],
                data: MeasureData::Rate(rate),
            }));
        }
        measures
    }
}
