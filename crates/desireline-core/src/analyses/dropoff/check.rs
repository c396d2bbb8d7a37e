//! Whether a partial that was read from bytes can be one of this plan's.

use crate::analyses::parts::{agree, is_rate, sum};
use crate::engine::MOST;

use super::{DropoffPartial, DropoffPlan};

pub(super) fn check(plan: &DropoffPlan, read: &DropoffPartial) -> Result<(), String> {
    agree(read.points.len() == plan.events.len(), "touchpoints")?;
    agree(is_rate(&read.exits) && is_rate(&read.returned), "rates")?;
    let rates = read.points.iter().flat_map(|p| [&p.exits, &p.returned]);
    agree(rates.into_iter().all(is_rate), "rates of touchpoints")?;
    let (exits, open) = (read.exits.k, read.open);
    let outcomes = sum([read.reached, open, exits]);
    agree(
        outcomes == Some(read.n_journeys)
            && read.n_journeys <= MOST
            && sum([read.exits.n, open]) == outcomes
            && read.returned.n <= exits,
        "outcomes",
    )?;
    let points = || read.points.iter();
    agree(
        sum(points().map(|p| p.exits.k)) == Some(exits)
            && sum(points().map(|p| p.open)) == Some(open)
            && sum(points().map(|p| p.returned.k)) == Some(read.returned.k)
            && sum(points().map(|p| p.returned.n)) == Some(read.returned.n)
            && points().all(|p| p.returned.n <= p.exits.k && p.exits.n <= read.exits.n),
        "touchpoints",
    )?;
    let fits = |path: &[u8]| {
        let len = plan.width.checked_len(path, plan.events.len());
        len.is_some_and(|n| (1..=plan.before + 1).contains(&n))
    };
    agree(
        read.paths.iter().all(|(path, n)| fits(path) && n > 0)
            && sum(read.paths.iter().map(|(_, n)| n)) == Some(exits),
        "paths",
    )
}
