//! The readable definition for one journey, and the counts that it explains.

use super::clock::{CELLS, DAYS, HOURS};
use super::state::Slot;
use super::{CalendarPartial, CalendarPlan, day_name, hour_name};
use crate::engine::Located;
use crate::journey::Journey;
use crate::time::format_instant;

/// `Monday 08:00`.
fn week_hour(cell: usize) -> String {
    format!("{} {}", day_name(cell / HOURS), hour_name(cell % HOURS))
}

/// The cells of one journey.
pub(super) fn locate(plan: &CalendarPlan, journey: &Journey<'_>) -> Vec<Located> {
    let when = |time: i64| plan.clock.cell(time, &mut 0);
    let zone = &plan.zone;
    let start = when(journey.start_time());
    let began = format_instant(journey.start_time());
    let began = format!("it began at {began}, {} in {zone}", week_hour(start));
    let mut cells = vec![Located {
        cell: format!("start/{}", week_hour(start)),
        why: began.clone(),
    }];
    let Some(goal) = &plan.goal else {
        return cells;
    };
    let found = goal.matches_in(journey.morsel(), journey.span());
    let reached = found.first().map(|&i| journey.morsel().time(i));
    let (outcome, why) = match reached {
        Some(time) => {
            let cell = week_hour(when(time));
            let why = format!(
                "it reached the goal at {}, {cell} in {zone}",
                format_instant(time)
            );
            cells.push(Located {
                cell: format!("goal/{cell}"),
                why: why.clone(),
            });
            ("converted", format!("{began}; {why}"))
        }
        None if plan.is_open(journey) => return cells,
        None => (
            "unconverted",
            format!("{began}, and ended without the goal"),
        ),
    };
    for slot in [hour_name(start % HOURS), day_name(start / HOURS).to_owned()] {
        cells.push(Located {
            cell: format!("{outcome}/{slot}"),
            why: why.clone(),
        });
    }
    cells
}

/// The counts of all cells.
pub(super) fn cells(plan: &CalendarPlan, partial: &CalendarPartial) -> Vec<(String, u64)> {
    let mut cells = Vec::new();
    for cell in 0..CELLS {
        let name = week_hour(cell);
        let of = |counts: &[u64]| counts.get(cell).copied().unwrap_or(0);
        cells.push((format!("start/{name}"), of(&partial.starts.cells)));
        if plan.goal.is_some() {
            cells.push((format!("goal/{name}"), of(&partial.goals.cells)));
        }
    }
    if plan.goal.is_some() {
        let hours = (0..HOURS).map(|h| (hour_name(h), Slot::Hour(h)));
        let days = (0..DAYS).map(|d| (day_name(d).to_owned(), Slot::Day(d)));
        for (name, slot) in hours.chain(days) {
            let rate = partial.conversion(slot);
            cells.push((format!("converted/{name}"), rate.k));
            cells.push((format!("unconverted/{name}"), rate.n.saturating_sub(rate.k)));
        }
    }
    cells
}
