//! Who comes back, and when: cohorts of customers by the time of their start, period after period.

mod calendar;
mod check;
mod explain;
mod observe;
mod report;
mod spec;

pub use report::{CellState, Cohort, OverallCell, RetentionCell, RetentionReport};
pub use spec::{Birth, PeriodUnit, Retention, RetentionMode, Weekday};

use desireline_stats::Clusters;
use serde::{Deserialize, Serialize};

use crate::engine::{Analysis, Located, Measure, MeasureData, Partial};
use crate::error::{Result, SpecError};
use crate::journey::{Journey, Matcher, Morsel};
use crate::log::Catalog;
use calendar::Calendar;

/// The last period that can be asked for.
pub const MAX_PERIODS: u32 = 1_022;

/// A bound [`Retention`].
#[derive(Debug)]
pub struct RetentionPlan {
    spec: Retention,
    start: Option<Matcher>,
    returns: Option<Matcher>,
    calendar: Calendar,
    /// The length of a period that each customer's own clock counts.
    rolling: Option<i64>,
    /// The last period that is told apart from those after it.
    last: u32,
    /// The periods of each column of the report: from, and up to without the end.
    columns: Vec<(u32, u32)>,
    observed_until: i64,
}

impl RetentionPlan {
    /// Whether cells of a cohort in column `from..until` are known, run, or have not begun. `births` are those of the
    /// earliest and the latest customer.
    fn state(
        &self,
        cohort: usize,
        births: Option<(i64, i64)>,
        (from, until): (u32, u32),
    ) -> CellState {
        let watched = i128::from(self.observed_until) + 1;
        let (begins, ends) = match (self.rolling, births) {
            (Some(unit), Some((earliest, latest))) => {
                let after = |start: i64, periods: u32| {
                    i128::from(start) + i128::from(periods) * i128::from(unit)
                };
                (Some(after(earliest, from)), Some(after(latest, until)))
            }
            _ => {
                let begins = |periods: u32| {
                    let period = cohort.checked_add(periods as usize)?;
                    self.calendar.begins(period).map(i128::from)
                };
                (begins(from), begins(until))
            }
        };
        if ends.is_some_and(|end| end <= watched) {
            CellState::Complete
        } else if begins.is_some_and(|begin| begin < watched) {
            CellState::Incomplete
        } else {
            CellState::NotBegun
        }
    }
}

/// What is known of retention so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetentionPartial {
    n_customers: u64,
    /// By the calendar period of the start, from that of the log's first event.
    cohorts: Vec<CohortPartial>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct CohortPartial {
    customers: u64,
    /// The earliest and the latest start, where each customer has a clock of their own.
    births: Option<(i64, i64)>,
    /// Customers retained, by column; empty before the first customer.
    retained: Vec<u64>,
}

impl CohortPartial {
    fn add_births(&mut self, (earliest, latest): (i64, i64)) {
        let births = self.births.get_or_insert((earliest, latest));
        *births = (births.0.min(earliest), births.1.max(latest));
    }
}

impl Partial for RetentionPartial {
    fn merge(&mut self, other: &Self) {
        self.n_customers += other.n_customers;
        for (ours, theirs) in self.cohorts.iter_mut().zip(&other.cohorts) {
            ours.customers += theirs.customers;
            if let Some(births) = theirs.births {
                ours.add_births(births);
            }
            if ours.retained.is_empty() {
                ours.retained.clone_from(&theirs.retained);
            } else {
                for (ours, theirs) in ours.retained.iter_mut().zip(&theirs.retained) {
                    *ours += theirs;
                }
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        let of_cohort = |c: &CohortPartial| c.retained.capacity() * size_of::<u64>();
        self.cohorts.capacity() * size_of::<CohortPartial>()
            + self.cohorts.iter().map(of_cohort).sum::<usize>()
    }
}

/// Retained and customers of the complete cells of one column, and of how many cohorts.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    retained: u64,
    customers: u64,
    cohorts: u64,
    /// Of the cohorts' rates.
    rates: f64,
}

impl RetentionPartial {
    fn started(&self) -> u64 {
        self.cohorts.iter().map(|c| c.customers).sum()
    }

    /// The cohorts with customers, by place.
    fn known<'a>(&'a self) -> impl Iterator<Item = (usize, &'a CohortPartial)> + 'a {
        self.cohorts
            .iter()
            .enumerate()
            .filter(|(_, cohort)| cohort.customers > 0)
    }

    /// Column by column, over the cohorts whose periods of that column are over.
    fn sums(&self, plan: &RetentionPlan) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); plan.columns.len()];
        for (place, cohort) in self.known() {
            for ((sum, &column), &retained) in
                sums.iter_mut().zip(&plan.columns).zip(&cohort.retained)
            {
                if plan.state(place, cohort.births, column) == CellState::Complete {
                    sum.retained += retained;
                    sum.customers += cohort.customers;
                    sum.cohorts += 1;
                    sum.rates += retained as f64 / cohort.customers as f64;
                }
            }
        }
        sums
    }
}

impl Analysis for Retention {
    const NAME: &'static str = "retention";
    const STATE_VERSION: u32 = 1;
    const COUNTS_CUSTOMERS: bool = true;
    type Plan = RetentionPlan;
    type Partial = RetentionPartial;
    type Report = RetentionReport;

    fn plan(&self, catalog: &Catalog) -> Result<RetentionPlan, SpecError> {
        self.validate()?;
        let bind = |field, expr: &Option<crate::expr::Expr>| {
            let bound = expr.as_ref().map(|e| Matcher::new(e, catalog));
            bound.transpose().map_err(|source| SpecError::Expr {
                analysis: Self::NAME,
                field,
                source,
            })
        };
        let columns: Vec<(u32, u32)> = match self.mode {
            RetentionMode::Bracket => self.brackets.windows(2).map(|w| (w[0], w[1])).collect(),
            _ => (0..=self.periods).map(|k| (k, k + 1)).collect(),
        };
        let last = columns.last().map_or(0, |(_, until)| until - 1);
        Ok(RetentionPlan {
            start: bind("start", &self.start)?,
            returns: bind("returns", &self.returns)?,
            calendar: Calendar::new(self, catalog, last)?,
            rolling: self.rolling.map(crate::time::TimeSpan::as_micros),
            last,
            columns,
            observed_until: catalog.observed_until,
            spec: self.clone(),
        })
    }

    fn start(plan: &RetentionPlan) -> RetentionPartial {
        RetentionPartial {
            n_customers: 0,
            cohorts: vec![CohortPartial::default(); plan.calendar.n_cohorts()],
        }
    }

    fn check(plan: &RetentionPlan, read: &mut RetentionPartial) -> Result<(), String> {
        check::check(plan, read)
    }

    fn observe(plan: &RetentionPlan, partial: &mut RetentionPartial, morsel: &Morsel<'_>) {
        observe::observe(plan, partial, morsel);
    }

    fn finish(plan: &RetentionPlan, partial: &RetentionPartial) -> Result<RetentionReport> {
        Ok(report::finish(plan, partial))
    }

    fn locate(plan: &RetentionPlan, journey: &Journey<'_>) -> Vec<Located> {
        explain::locate(plan, journey)
    }

    fn cells(plan: &RetentionPlan, partial: &RetentionPartial) -> Vec<(String, u64)> {
        let not_started = partial.n_customers.saturating_sub(partial.started());
        let mut cells = vec![("not_started".to_owned(), not_started)];
        for (place, cohort) in partial.known() {
            let name = plan.calendar.name(place);
            cells.push((format!("cohort/{name}"), cohort.customers));
            for (&(from, _), &retained) in plan.columns.iter().zip(&cohort.retained) {
                let rest = cohort.customers.saturating_sub(retained);
                cells.push((format!("retained/{name}/{from}"), retained));
                cells.push((format!("not_retained/{name}/{from}"), rest));
            }
        }
        cells
    }

    fn measures(plan: &RetentionPlan, partial: &RetentionPartial) -> Vec<Measure> {
        let sums = partial.sums(plan);
        let known = plan
            .columns
            .iter()
            .zip(sums)
            .filter(|(_, s)| s.customers > 0);
        known
            .map(|(&column, sum)| {
                let mut clusters = Clusters::default();
                clusters.add_units(sum.retained, sum.customers);
                Measure {
                    kind: "retention",
                    key: vec![report::column_name(&plan.spec, column)],
                    data: MeasureData::Rate(clusters),
                }
            })
            .collect()
    }
}
