//! Whether a partial that was read from bytes can be one of this plan's.

use desireline_stats::Clusters;

use crate::analyses::parts::{agree, is_rate, sum};
use crate::engine::MOST;

use super::GoalsPlan;
use super::state::{GoalState, GoalsPartial};

pub(super) fn check(plan: &GoalsPlan, read: &GoalsPartial) -> Result<(), String> {
    agree(read.goals.len() == plan.matchers.len(), "goals")?;
    agree(
        read.n_journeys <= MOST
            && read.n_customers <= read.n_journeys
            && read.n_open <= read.n_journeys,
        "journeys",
    )?;
    for goal in &read.goals {
        check_goal(plan, read, goal)?;
    }
    Ok(())
}

fn check_goal(plan: &GoalsPlan, read: &GoalsPartial, goal: &GoalState) -> Result<(), String> {
    let (all, closed) = (&goal.all, &goal.closed);
    agree(is_rate(all) && is_rate(closed), "rates")?;
    let left = |c: &Clusters| c.n.saturating_sub(c.k);
    agree(
        all.n == read.n_journeys
            && all.m == read.n_customers
            && all.n - closed.n.min(all.n) == read.n_open
            && closed.k <= all.k
            && left(closed) <= left(all),
        "journeys",
    )?;
    let fits = |h: &Clusters| is_rate(h) && h.n <= all.n && h.k <= all.k;
    agree(
        goal.horizons.len() == plan.horizons.len() && goal.horizons.iter().all(fits),
        "horizons",
    )?;
    agree(
        goal.times.n() == all.n && goal.times.events() == all.k,
        "times",
    )?;
    let value = &goal.value;
    let n = u128::from(value.n);
    agree(
        (all.k..=MOST).contains(&goal.events)
            && (value.m == 0) == (value.n == 0)
            && value.m <= value.n
            && value.n <= all.k
            && value.size_square_sum <= n * n
            && (value.n > 0 || (value.sum == 0 && value.square_sum == 0 && value.cross == 0)),
        "values",
    )?;
    agree(
        goal.steps.keys().all(|steps| *steps > 0)
            && goal.steps.values().all(|n| *n > 0)
            && sum(goal.steps.values().copied()) == Some(all.k),
        "steps",
    )?;
    let groups = |groups: &std::collections::BTreeMap<u32, Clusters>, n_codes: usize| {
        groups.keys().all(|code| (*code as usize) < n_codes)
            && groups.values().all(is_rate)
            && sum(groups.values().map(|g| g.k)) == Some(all.k)
            && sum(groups.values().map(|g| g.n)) == Some(all.n)
    };
    agree(
        groups(&goal.touchpoints, plan.names.touchpoints.len()),
        "first touchpoints",
    )?;
    let channels = match plan.channel {
        Some(_) => groups(&goal.channels, plan.names.channels.len() + 1),
        None => goal.channels.is_empty(),
    };
    agree(channels, "channels")
}
