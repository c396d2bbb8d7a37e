//! The readable definition for one customer.

use crate::engine::Located;
use crate::journey::{Journey, Morsel, Span};
use crate::time::{TimeSpan, format_instant};

use super::{Birth, CellState, RetentionMode, RetentionPlan};

/// The cells of the customer, at their first journey; none at the others. Shares no code with the kernel but the
/// calendar's first instants.
pub(super) fn locate(plan: &RetentionPlan, journey: &Journey<'_>) -> Vec<Located> {
    let (morsel, customer) = (journey.morsel(), journey.span().customer);
    let journeys = morsel.journeys_of(customer);
    if journeys.first() != Some(&journey.span()) {
        return Vec::new();
    }
    let cell = |cell: String, why: &str| Located {
        cell,
        why: why.to_owned(),
    };
    let Some((birth, born)) = birth(plan, morsel, journeys) else {
        let why = "none of the customer's events is a start";
        return vec![cell("not_started".to_owned(), why)];
    };
    let place = plan.calendar.period(born);
    let name = plan.calendar.name(place);
    let started = format!("the start was at {}", format_instant(born));

    // The customer's returns as periods, in the order of time.
    let mut returns: Vec<(usize, u64, i64)> = Vec::new();
    for span in journeys {
        let hits: Vec<usize> = match &plan.returns {
            None => span.range().collect(),
            Some(matcher) => matcher.matches_in(morsel, *span),
        };
        for i in hits {
            let (row, time) = (morsel.row(i), morsel.time(i));
            if row > birth || (row == birth && plan.spec.include_start) {
                returns.push((row, period(plan, born, time), time));
            }
        }
    }
    returns.sort_unstable();

    let mut cells = vec![cell(format!("cohort/{name}"), &started)];
    for &(from, until) in &plan.columns {
        let (k, end) = (u64::from(from), u64::from(until));
        let found = |wanted: &dyn Fn(u64) -> bool| {
            let mut hits = returns.iter().filter(|r| wanted(r.1));
            hits.next().copied()
        };
        let hit = match plan.spec.mode {
            RetentionMode::On => found(&|p| p == k),
            RetentionMode::OnOrAfter => found(&|p| p >= k),
            RetentionMode::OnOrBefore => found(&|p| p <= k),
            RetentionMode::Bracket => found(&|p| (k..end).contains(&p)),
            RetentionMode::Streak if k == 0 => found(&|p| p == 0),
            RetentionMode::Streak => {
                let all = (1..=k).all(|wanted| found(&|p| p == wanted).is_some());
                found(&|p| p == k).filter(|_| all)
            }
        };
        cells.push(match hit {
            Some((_, period, time)) => {
                let why = format!(
                    "{started}; they came back at {}, in period {period}",
                    format_instant(time)
                );
                cell(format!("retained/{name}/{from}"), &why)
            }
            None => {
                let births = plan.rolling.map(|_| (born, born));
                let yet = match plan.state(place, births, (from, until)) {
                    CellState::Complete => "they did not come back in it",
                    CellState::Incomplete => "they did not come back in it so far; it is not over",
                    CellState::NotBegun => "it has not begun",
                };
                let why = format!("{started}; {}: {yet}", told(plan, (from, until)));
                cell(format!("not_retained/{name}/{from}"), &why)
            }
        });
    }
    cells
}

/// The row and time of the customer's start.
fn birth(plan: &RetentionPlan, morsel: &Morsel<'_>, journeys: &[Span]) -> Option<(usize, i64)> {
    let first = |morsel: &Morsel<'_>| {
        let matches = |span: &Span| match &plan.start {
            None => span.range().collect(),
            Some(matcher) => matcher.matches_in(morsel, *span),
        };
        let hits = morsel.spans().iter().flat_map(matches);
        let rows = hits.map(|i| (morsel.row(i), morsel.time(i)));
        rows.min()
    };
    let theirs = morsel.with_spans(journeys);
    match plan.spec.birth {
        Birth::Selected => first(&theirs),
        Birth::Ever => theirs.in_full_log(first),
    }
}

/// The period of a time, counted from that of the start.
fn period(plan: &RetentionPlan, born: i64, time: i64) -> u64 {
    match plan.rolling {
        Some(unit) => {
            let periods = (i128::from(time) - i128::from(born)).div_euclid(i128::from(unit));
            u64::try_from(periods).unwrap_or(u64::MAX)
        }
        None => {
            let (from, to) = (plan.calendar.period(born), plan.calendar.period(time));
            to.saturating_sub(from) as u64
        }
    }
}

fn told(plan: &RetentionPlan, column: (u32, u32)) -> String {
    let name = super::report::column_name(&plan.spec, column);
    match plan.rolling {
        Some(unit) => format!("{name}, {} long each", TimeSpan::from_micros(unit)),
        None => name,
    }
}
