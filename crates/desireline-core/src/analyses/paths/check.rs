//! Whether a partial that was read from bytes can be one of this plan's.

use crate::analyses::parts::{agree, is_rate, sum};

use super::flow::End;
use super::{PathsPartial, PathsPlan};

pub(super) fn check(plan: &PathsPlan, read: &PathsPartial) -> Result<(), String> {
    let all = &read.all;
    agree(is_rate(all) && read.shortened <= all.n, "journeys")?;
    agree(read.times.n() == all.n, "times")?;
    let len = |key: &[u8]| plan.width.checked_len(key, plan.names.len());
    let places: Vec<usize> = (0..read.variants.len()).collect();
    let durations = read.variants.durations(&places);
    for ((key, variant), times) in read.variants.iter().zip(&durations) {
        agree(len(key).is_some_and(|n| n > 0), "paths")?;
        agree(
            variant.journeys > 0
                && (1..=variant.journeys).contains(&variant.customers)
                && is_rate(&variant.share(all))
                && is_rate(&variant.goal())
                && times.n() == variant.journeys,
            "paths",
        )?;
    }
    let variants = || read.variants.iter().map(|(_, variant)| variant);
    agree(
        sum(variants().map(|v| v.journeys)) == Some(all.n)
            && sum(variants().map(|v| v.goals)) == Some(all.k),
        "paths",
    )?;
    let is_flow = |key: &[u8]| match key.split_last() {
        Some((end, path)) => {
            [End::Goal, End::GoesOn, End::Exit]
                .iter()
                .any(|e| e.byte() == *end)
                && len(path).is_some_and(|n| n <= plan.spec.flow_steps as usize)
        }
        None => false,
    };
    let flow = match plan.count_flow {
        true => {
            read.flow.iter().all(|(key, _)| is_flow(key))
                && sum(read.flow.iter().map(|(_, n)| n)) == Some(all.n)
        }
        false => read.flow.iter().next().is_none(),
    };
    agree(flow, "first steps")
}
