//! The readable definition for one journey.

use std::collections::BTreeMap;

use crate::engine::Located;
use crate::journey::Journey;
use crate::time::{TimeSpan, format_instant};

use super::DropoffPlan;

/// The cells of one journey. Shares no code with the kernel.
pub(super) fn locate(plan: &DropoffPlan, journey: &Journey<'_>) -> Vec<Located> {
    let cell = |cell: String, why: &str| Located {
        cell,
        why: why.to_owned(),
    };
    let name = |code| plan.events.name(code);
    let last = name(journey.code(journey.len() - 1));
    let (end, until) = (journey.end_time(), plan.observed_until);
    let next = journey.next_start();
    let goal = plan.goal.as_ref().and_then(|goal| {
        let found = goal.matches_in(journey.morsel(), journey.span());
        found.first().map(|&i| journey.morsel().times()[i])
    });

    let mut cells = Vec::new();
    if let Some(time) = goal {
        let why = format!("it reached the goal at {}", format_instant(time));
        cells.push(cell("goal".to_owned(), &why));
    } else if next.is_none() && until.saturating_sub(end) < plan.alive {
        let why = format!(
            "no goal yet; its last event, `{last}` at {}, lies less than {} before the end of observation, {}",
            format_instant(end),
            TimeSpan::from_micros(plan.alive),
            format_instant(until),
        );
        cells.push(cell("open".to_owned(), &why));
        cells.push(cell(format!("open/{last}"), &why));
        return cells;
    } else {
        let over = match next {
            Some(next) => format!(
                "the customer's next journey began at {}",
                format_instant(next)
            ),
            None => format!(
                "nothing followed until the end of observation, {}",
                format_instant(until)
            ),
        };
        let why = format!(
            "it ended with `{last}` at {} without the goal; {over}",
            format_instant(end)
        );
        cells.push(cell("exit".to_owned(), &why));
        cells.push(cell(format!("exit/{last}"), &why));
        let span = TimeSpan::from_micros(plan.returns_within);
        let came_back = next.is_some_and(|next| next.saturating_sub(end) <= plan.returns_within);
        if until.saturating_sub(end) < plan.returns_within {
            // Not yet known, whatever came since: counting early returns alone would make the rate too high.
        } else if came_back {
            let why = format!("{why}, within {span}");
            cells.push(cell("returned".to_owned(), &why));
            cells.push(cell(format!("returned/{last}"), &why));
        } else {
            let why = format!("{why}, not within {span}");
            cells.push(cell(format!("stayed_away/{last}"), &why));
        }
    }
    let mut visited: BTreeMap<u32, usize> = BTreeMap::new();
    for code in journey.codes() {
        *visited.entry(code).or_default() += 1;
    }
    for (code, times) in visited {
        let why = format!(
            "`{}` is {times} of its {} events",
            name(code),
            journey.len()
        );
        cells.push(cell(format!("visit/{}", name(code)), &why));
    }
    cells
}
