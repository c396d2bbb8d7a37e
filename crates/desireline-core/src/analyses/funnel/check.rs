//! Whether a partial that was read from bytes can be one of this plan's.

use crate::analyses::parts::{agree, is_rate};
use crate::engine::MOST;

use super::{FunnelPartial, FunnelPlan};

pub(super) fn check(plan: &FunnelPlan, read: &FunnelPartial) -> Result<(), String> {
    let n_steps = plan.steps.len();
    agree(read.steps.len() == n_steps, "steps")?;
    agree(read.n_journeys <= MOST, "journeys")?;
    let entered = read.reached(0);
    let within = read.steps.first().map_or(0, |s| s.of_all.n);
    agree(
        is_rate(&read.outside)
            && read.outside.k == 0
            && read.outside.n.checked_add(within) == Some(read.n_journeys),
        "journeys",
    )?;
    let mut previous = entered;
    for (place, step) in read.steps.iter().enumerate() {
        let reached = step.of_entered.k;
        let on = read.reached(place + 1);
        let rates = [
            &step.of_all,
            &step.of_entered,
            &step.of_previous,
            &step.of_known,
        ];
        agree(rates.into_iter().all(is_rate), "rates")?;
        agree(
            step.of_all.k == reached
                && step.of_all.n == within
                && step.of_entered.n == entered
                && step.of_previous.k == reached
                && step.of_previous.n == previous
                && step.of_known.k <= reached
                && reached <= previous,
            "rates",
        )?;
        let stopped = match place + 1 == n_steps {
            true => Some(0),
            false => reached.checked_sub(on),
        };
        agree(
            step.dropped.checked_add(step.at_risk) == stopped,
            "drop-offs",
        )?;
        let times = match place {
            0 => 0,
            _ => reached,
        };
        let n = [step.from_previous.n(), step.from_first.n()];
        agree(n == [times; 2], "times")?;
        previous = reached;
    }
    Ok(())
}
