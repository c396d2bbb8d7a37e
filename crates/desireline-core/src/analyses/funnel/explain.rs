//! The readable definition: every start is tried, and from it each step is filled as soon as can be.

use crate::engine::Located;
use crate::journey::Journey;
use crate::time::{TimeSpan, format_instant};

use super::FunnelPlan;

/// The cells of one journey. Shares no code with the kernel.
pub(super) fn locate(plan: &FunnelPlan, journey: &Journey<'_>) -> Vec<Located> {
    let n_steps = plan.steps.len();
    let first_event = journey.span().start as usize;
    let matching: Vec<Vec<usize>> = plan
        .matchers
        .iter()
        .map(|m| {
            let places = m.matches_in(journey.morsel(), journey.span());
            places.into_iter().map(|i| i - first_event).collect()
        })
        .collect();

    let attempts = matching[0].iter().map(|&start| {
        let mut attempt = vec![start];
        for step in &matching[1..] {
            let after = attempt[attempt.len() - 1];
            match step.get(step.partition_point(|&i| i <= after)) {
                Some(&i) if in_window(plan, journey.time(start), journey.time(i)) => {
                    attempt.push(i)
                }
                _ => break,
            }
        }
        attempt
    });
    // Deepest, then ends first, then starts first.
    let best = attempts.min_by_key(|a| (n_steps - a.len(), a[a.len() - 1], a[0]));
    let cell = |cell: String, why: &str| Located {
        cell,
        why: why.to_owned(),
    };
    let Some(best) = best else {
        let why = format!("no event matches step 1 `{}`", plan.steps[0].label);
        return vec![cell("not_entered".to_owned(), &why)];
    };

    let matched: Vec<String> = best
        .iter()
        .zip(&plan.steps)
        .map(|(&i, step)| format!("`{}` at {}", step.label, format_instant(journey.time(i))))
        .collect();
    let matched = matched.join(", then ");
    let mut cells: Vec<Located> = (1..=best.len())
        .map(|number| cell(format!("step/{number}/reached"), &matched))
        .collect();
    if best.len() == n_steps {
        cells.push(cell("converted".to_owned(), &matched));
        return cells;
    }
    let missing = missing(plan, journey, &best, &matching[best.len()]);
    let last_start = matching[0].last().map_or(0, |&i| journey.time(i));
    let (state, reason) = if let Some(next) = journey.next_start() {
        let next = format_instant(next);
        ("dropped", format!("its next journey began at {next}"))
    } else if plan.has_ended(last_start) {
        ("dropped", "no attempt has time left".to_owned())
    } else {
        let until = plan
            .within
            .map_or(i64::MAX, |w| last_start.saturating_add(w));
        let until = format_instant(until);
        (
            "at_risk",
            format!("an attempt has time until {until}, after the end of observation"),
        )
    };
    let why = format!("{matched}; {missing}; {reason}");
    cells.push(cell(format!("step/{}/{state}", best.len()), &why));
    cells
}

fn in_window(plan: &FunnelPlan, start: i64, end: i64) -> bool {
    plan.within.is_none_or(|w| end.saturating_sub(start) <= w)
}

/// Why the best attempt went no further: the candidates for its next step and what was wrong with them.
fn missing(
    plan: &FunnelPlan,
    journey: &Journey<'_>,
    best: &[usize],
    candidates: &[usize],
) -> String {
    let label = &plan.steps[best.len()].label;
    let last = best[best.len() - 1];
    if let Some(&late) = candidates.iter().find(|&&i| i > last) {
        let after = journey.time(late).saturating_sub(journey.time(best[0]));
        let within = plan.within.map_or(TimeSpan::MAX, TimeSpan::from_micros);
        return format!(
            "`{label}` came at {}, {} after the start of the attempt and so outside the window of {within}",
            format_instant(journey.time(late)),
            TimeSpan::from_micros(after),
        );
    }
    match candidates.last() {
        Some(&early) if early == last => {
            format!(
                "the last `{label}`, at {}, already fills a step before",
                format_instant(journey.time(early))
            )
        }
        Some(&early) => format!(
            "`{label}` came only before, last at {}",
            format_instant(journey.time(early))
        ),
        None => format!("no event matches `{label}`"),
    }
}
