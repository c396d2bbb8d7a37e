//! The question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MAX_PERIODS;
use crate::analyses::Deferred;
use crate::analyses::parts::{check_level, default_level};
use crate::error::SpecError;
use crate::expr::{Expr, IntoExpr};
use crate::time::TimeSpan;

/// How many customers come back, how long after they started, cohort by cohort?
///
/// **Start.** A customer's first event that matches `start`: the first ever in the full log, also where selections hide it,
/// or the first within the selection. It puts the customer into a cohort, the calendar period (`unit` in `time_zone`) that it
/// lies in. Each customer starts once.
///
/// **Return.** A later event of the selected journeys that matches `returns`, all journeys of the customer taken
/// together. Later is later in the log's order; the start event itself counts in period 0 only with `include_start`.
///
/// **Periods** are numbered from 0, the one of the start. By the calendar, period k is the k-th day, week or month after
/// the one of the start: days of 23 and 25 hours and months of every length are one period each. With `rolling` each
/// customer has a clock of their own, and period k begins k times `rolling` after the start.
///
/// **Retained** in column k: a return in period k (`on`), in k or any later one as far as was observed (`on_or_after`),
/// in any of 0 to k (`on_or_before`), in each of 1 to k (`streak`; column 0 as `on`), or in some period of the column's
/// bracket (`bracket`).
///
/// **Incomplete cells.** A cell counts as complete once its last period is over for every customer of the cohort. The
/// others show what was seen so far but no rate, and take no part in the overall rate: retained over customers, summed
/// over the complete cells of a column. The unit is the customer, so intervals are Wilson's, without clusters.
///
/// Cells, counted in customers: `not_started`, `cohort/2024-05-06`, `retained/2024-05-06/3` and
/// `not_retained/2024-05-06/3`, a bracket by its first period. A customer of several journeys is found at the first.
///
/// Customers of the first cohorts may be older than the log. Cost: one pass over the times, and one over what `start` and
/// `returns` look at; memory grows with cohorts times periods.
///
/// ```
/// use desireline_core::analyses::retention::{PeriodUnit, Retention};
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::{LogBuilder, LogOptions};
///
/// let mut log = LogBuilder::new(LogOptions::default());
/// for (customer, day, event) in [
///     ("ann", 0, "signup"), ("ann", 1, "view"), ("ann", 3, "view"),
///     ("bob", 0, "signup"), ("bob", 3, "view"),
///     ("cid", 2, "signup"), ("cid", 3, "view"),
/// ] {
///     log.push(customer, day * 86_400_000_000, event)?;
/// }
/// let journeys = log.finish()?.journeys(JourneyRule::customer())?;
/// let report = journeys.run(&Retention::every(PeriodUnit::Day).start("signup").periods(2))?;
/// let first = &report.cohorts[0];
/// assert_eq!((first.cohort.as_str(), first.customers), ("1970-01-01", 2));
/// let day_1 = first.cells[1].rate.as_ref().ok_or("complete")?;
/// assert_eq!((day_1.count, day_1.n), (1, 2));
/// // Day 3 is not over: what was seen on it counts in no rate.
/// assert!(report.cohorts[1].cells[1].rate.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// What starts a customer's time; any event unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Expr>,
    /// What counts as coming back; any event unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns: Option<Expr>,
    /// In which periods a customer has to come back.
    pub mode: RetentionMode,
    /// The calendar unit of cohorts, and of periods unless they are rolling.
    pub unit: PeriodUnit,
    /// The last period to tell of, at most 1,022; period 0 is that of the start. Brackets bring their own.
    pub periods: u32,
    /// The length of periods that begin with each customer's own start, such as 24h or 7d; by the calendar unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling: Option<TimeSpan>,
    /// For mode `bracket`: the periods where brackets begin and the last one ends. 1, 4 and 8 make periods 1 to 3 and 4 to 7.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brackets: Vec<u32>,
    /// The IANA name of the zone whose midnight counts; UTC unless another is named, never the machine's.
    pub time_zone: String,
    /// The day that weeks begin with.
    pub week_start: Weekday,
    /// Which of the customer's matching events is the start.
    pub birth: Birth,
    /// Whether the start event itself can be a return, in period 0.
    pub include_start: bool,
    /// Whether to give the mean of the cohorts' rates too, each cohort counting alike.
    pub simple_mean: bool,
    /// The confidence level of all intervals.
    pub level: f64,
    /// What a builder method could not read.
    #[serde(skip)]
    #[doc(hidden)]
    pub deferred: Deferred,
}

/// In which periods a customer has to come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetentionMode {
    /// In that period.
    #[default]
    On,
    /// In that period or any later one.
    OnOrAfter,
    /// In that period or any earlier one, period 0 included.
    OnOrBefore,
    /// In some period of the bracket.
    Bracket,
    /// In every period from 1 to that one.
    Streak,
}

/// A calendar unit for cohorts and periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// From midnight to midnight.
    Day,
    /// Seven days from the first day of the week.
    #[default]
    Week,
    /// A calendar month.
    Month,
}

impl PeriodUnit {
    /// `day`, `week` or `month`.
    pub fn word(self) -> &'static str {
        match self {
            PeriodUnit::Day => "day",
            PeriodUnit::Week => "week",
            PeriodUnit::Month => "month",
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // they say it themselves
pub enum Weekday {
    #[default]
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Which of a customer's matching events is the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Birth {
    /// The first ever in the full log, whatever was selected or hidden. `first`, `nth` and `after` count within all of
    /// the customer's events.
    #[default]
    Ever,
    /// The first among the events of the selected journeys.
    Selected,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            start: None,
            returns: None,
            mode: RetentionMode::On,
            unit: PeriodUnit::Week,
            periods: 12,
            rolling: None,
            brackets: Vec::new(),
            time_zone: "UTC".to_owned(),
            week_start: Weekday::Monday,
            birth: Birth::Ever,
            include_start: false,
            simple_mean: false,
            level: default_level(),
            deferred: Deferred::default(),
        }
    }
}

impl Retention {
    /// Retention by calendar days, weeks or months.
    pub fn every(unit: PeriodUnit) -> Retention {
        Retention {
            unit,
            ..Retention::default()
        }
    }

    /// Sets what starts a customer's time, an expression or its text. A text that cannot be read is reported when the
    /// question is run.
    #[must_use]
    pub fn start(mut self, start: impl IntoExpr) -> Retention {
        self.start = self.deferred.expr("start", start);
        self
    }

    /// Sets what counts as coming back.
    #[must_use]
    pub fn returns(mut self, returns: impl IntoExpr) -> Retention {
        self.returns = self.deferred.expr("returns", returns);
        self
    }

    /// Sets in which periods a customer has to come back; for brackets see [`brackets`](Retention::brackets).
    #[must_use]
    pub fn mode(self, mode: RetentionMode) -> Retention {
        Retention { mode, ..self }
    }

    /// Sets the last period to tell of.
    #[must_use]
    pub fn periods(self, periods: u32) -> Retention {
        Retention { periods, ..self }
    }

    /// Counts periods of this length from each customer's own start.
    #[must_use]
    pub fn rolling<S: TryInto<TimeSpan>>(mut self, length: S) -> Retention
    where
        crate::Error: From<S::Error>,
    {
        self.rolling = self.deferred.span("rolling", length);
        self
    }

    /// Takes periods together: from each of these up to the next, without it.
    #[must_use]
    pub fn brackets(self, brackets: impl IntoIterator<Item = u32>) -> Retention {
        Retention {
            mode: RetentionMode::Bracket,
            brackets: brackets.into_iter().collect(),
            ..self
        }
    }

    /// Sets the zone whose midnight counts, by its IANA name.
    #[must_use]
    pub fn time_zone(self, zone: impl Into<String>) -> Retention {
        Retention {
            time_zone: zone.into(),
            ..self
        }
    }

    /// Sets the day that weeks begin with.
    #[must_use]
    pub fn week_start(self, week_start: Weekday) -> Retention {
        Retention { week_start, ..self }
    }

    /// Sets which of a customer's matching events is the start.
    #[must_use]
    pub fn birth(self, birth: Birth) -> Retention {
        Retention { birth, ..self }
    }

    /// Lets the start event itself be a return, in period 0.
    #[must_use]
    pub fn include_start(self) -> Retention {
        Retention {
            include_start: true,
            ..self
        }
    }

    /// Gives the mean of the cohorts' rates too.
    #[must_use]
    pub fn simple_mean(self) -> Retention {
        Retention {
            simple_mean: true,
            ..self
        }
    }

    /// Sets the confidence level of all intervals.
    #[must_use]
    pub fn level(self, level: f64) -> Retention {
        Retention { level, ..self }
    }

    pub(super) fn validate(&self) -> Result<(), SpecError> {
        self.deferred.check("retention")?;
        check_level("retention", self.level)?;
        if self.periods > MAX_PERIODS {
            let problem = format!("{} is too many, the limit is {MAX_PERIODS}", self.periods);
            return Err(problem_of("periods", problem));
        }
        let brackets = &self.brackets;
        match (self.mode, brackets.is_empty()) {
            (RetentionMode::Bracket, true) => {
                let problem = "mode `bracket` needs them; give the periods where brackets begin and the last one ends, such as 1, 4, 8";
                return Err(problem_of("brackets", problem.to_owned()));
            }
            (RetentionMode::Bracket, false) | (_, true) => {}
            (_, false) => {
                let problem = "they are given, but the mode is not `bracket`";
                return Err(problem_of("brackets", problem.to_owned()));
            }
        }
        if brackets.len() == 1 || brackets.windows(2).any(|w| w[0] >= w[1]) {
            let problem = "they need at least two periods that ascend, such as 1, 4, 8";
            return Err(problem_of("brackets", problem.to_owned()));
        }
        if let Some(end) = brackets.last().filter(|end| **end > MAX_PERIODS + 1) {
            let most = MAX_PERIODS + 1;
            let problem = format!("they end with period {end}, the limit is {most}");
            return Err(problem_of("brackets", problem));
        }
        if self.rolling == Some(TimeSpan::ZERO) {
            let problem = "a period of no length; give one such as 24h or 7d".to_owned();
            return Err(problem_of("rolling", problem));
        }
        Ok(())
    }
}

pub(super) fn problem_of(field: &'static str, problem: String) -> SpecError {
    SpecError::Field {
        analysis: "retention",
        field,
        problem,
    }
}
