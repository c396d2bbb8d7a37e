//! Whether a partial that was read from bytes can be one of this plan's.

use crate::analyses::parts::{agree, sum};
use crate::engine::MOST;

use super::{CohortPartial, RetentionMode, RetentionPartial, RetentionPlan};

pub(super) fn check(plan: &RetentionPlan, read: &RetentionPartial) -> Result<(), String> {
    agree(
        read.cohorts.len() == plan.calendar.n_cohorts(),
        "calendar periods",
    )?;
    let started = sum(read.cohorts.iter().map(|c| c.customers));
    agree(
        read.n_customers <= MOST && started.is_some_and(|n| n <= read.n_customers),
        "customers",
    )?;
    let agrees = |(place, cohort): (usize, &CohortPartial)| match cohort.customers {
        0 => *cohort == CohortPartial::default(),
        _ => has_births(plan, place, cohort) && has_columns(plan, cohort),
    };
    agree(read.cohorts.iter().enumerate().all(agrees), "cohorts")
}

/// Starts are kept where each customer has a clock of their own, and lie in the cohort's period.
fn has_births(plan: &RetentionPlan, place: usize, cohort: &CohortPartial) -> bool {
    match (plan.rolling, cohort.births) {
        (None, None) => true,
        (Some(_), Some((earliest, latest))) => {
            let inside = |time| plan.calendar.period(time) == place;
            earliest <= latest
                && inside(earliest)
                && inside(latest)
                && plan.calendar.begins(0).is_some_and(|b| b <= earliest)
                && latest <= plan.observed_until
        }
        _ => false,
    }
}

fn has_columns(plan: &RetentionPlan, cohort: &CohortPartial) -> bool {
    let retained = &cohort.retained;
    let falls = |list: &[u64]| list.windows(2).all(|w| w[0] >= w[1]);
    retained.len() == plan.columns.len()
        && retained.iter().all(|n| *n <= cohort.customers)
        && match plan.spec.mode {
            RetentionMode::OnOrAfter => falls(retained),
            RetentionMode::Streak => retained.get(1..).is_none_or(falls),
            RetentionMode::OnOrBefore => retained.windows(2).all(|w| w[0] <= w[1]),
            RetentionMode::On | RetentionMode::Bracket => true,
        }
}
