//! The patterns of one and two events of a journey: the readable definition, and the counts that it explains.

use std::collections::{BTreeMap, BTreeSet};

use super::PatternsPlan;
use super::base::Base;
use crate::engine::Located;
use crate::journey::Journey;
use crate::time::format_instant;

/// The cells of one journey. Shares no code with the search.
pub(super) fn locate(plan: &PatternsPlan, journey: &Journey<'_>) -> Vec<Located> {
    let start = journey.span().start as usize;
    let goal = plan.goal.as_ref().and_then(|goal| {
        let found = goal.matches_in(journey.morsel(), journey.span());
        found.first().map(|i| i - start)
    });
    let end = match goal {
        Some(goal) if plan.spec.before_goal => goal,
        _ => journey.len(),
    };
    let name = |i: usize| plan.names.name(journey.code(i));
    let told = |i: usize| {
        let at = format_instant(journey.time(i));
        format!("event {} is `{}` at {at}", i + 1, name(i))
    };
    let mut found: BTreeMap<Vec<u32>, String> = BTreeMap::new();
    for a in 0..end {
        found
            .entry(vec![journey.code(a)])
            .or_insert_with(|| told(a));
        for b in a + 1..end {
            let steps = plan
                .spec
                .max_steps
                .is_none_or(|most| b - a <= most as usize);
            let wait = journey.time(b).saturating_sub(journey.time(a));
            if steps
                && plan
                    .spec
                    .max_gap
                    .is_none_or(|most| wait <= most.as_micros())
            {
                let pair = vec![journey.code(a), journey.code(b)];
                let why = || format!("{}, {}", told(a), told(b));
                found.entry(pair).or_insert_with(why);
            }
        }
    }
    let cells = found.into_iter().map(|(codes, why)| Located {
        cell: plan.cell(&codes),
        why,
    });
    cells.collect()
}

/// How many journeys have each pattern of one or two events.
pub(super) fn cells(plan: &PatternsPlan, base: &Base) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<(u32, Option<u32>), u64> = BTreeMap::new();
    for customers in &base.customers {
        let ways = base.journeys.get(customers.start..customers.end);
        for way in ways.unwrap_or_default() {
            let mut has: BTreeSet<(u32, Option<u32>)> = BTreeSet::new();
            // Where each name was last: the nearest to what comes.
            let mut last: BTreeMap<u32, usize> = BTreeMap::new();
            for i in way.start..way.end {
                let Some(&code) = base.codes.get(i) else {
                    continue;
                };
                has.insert((code, None));
                for (&before, &at) in &last {
                    let wait = match (base.times.get(at), base.times.get(i)) {
                        (Some(then), Some(now)) => now.saturating_sub(*then),
                        _ => 0,
                    };
                    if i - at <= plan.reach.steps && plan.reach.gap.is_none_or(|g| wait <= g) {
                        has.insert((before, Some(code)));
                    }
                }
                last.insert(code, i);
            }
            for pattern in has {
                *counts.entry(pattern).or_default() += customers.n;
            }
        }
    }
    let cell = |((a, b), n): ((u32, Option<u32>), u64)| match b {
        None => (plan.cell(&[a]), n),
        Some(b) => (plan.cell(&[a, b]), n),
    };
    counts.into_iter().map(cell).collect()
}
