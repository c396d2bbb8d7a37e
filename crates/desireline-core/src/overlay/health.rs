//! How each touchpoint is doing: missing, underdeveloped, underperforming, healthy, or unknown.

use desireline_stats::{benjamini_hochberg, cautious_p};

use super::report::{
    CellMeasure, Health, HealthReason, OverlayReport, PromiseVerdict, TouchpointHealth,
    TouchpointMeasure,
};
use crate::map::{At, ContentStatus, Id, JourneyMap, Observability, Touchpoint};
use crate::report::Rate;

/// Up to which q something counts as found.
const FOUND: f64 = 0.05;
/// Below which part of the others' reach a touchpoint's is far below it.
const FAR_BELOW: f64 = 0.25;
/// From which part of all events on a name without a touchpoint is told.
const ORPHAN: u64 = 100;

/// The verdict on every touchpoint, in the order of the map; then events that no touchpoint takes, the most frequent first.
pub(super) fn assess(map: &JourneyMap, report: &OverlayReport) -> Vec<TouchpointHealth> {
    let drawn = Drawn::new(map);
    let has_goal = report.goals.iter().any(|g| g.measured);
    let all = map.touchpoints.iter().zip(&report.touchpoints);
    let mut rows: Vec<TouchpointHealth> = all
        .map(|(t, measured)| row(map, report, &drawn, t, measured, has_goal))
        .collect();
    let p: Vec<f64> = rows.iter().filter_map(|r| r.p).collect();
    let mut q = benjamini_hochberg(&p).unwrap_or_default().into_iter();
    for row in rows.iter_mut().filter(|r| r.p.is_some()) {
        row.q = q.next();
        let value = |rate: Option<Rate>| rate.and_then(|r| r.estimate).map(|e| e.value);
        let above = value(row.drop_off) > value(row.others_drop_off);
        if above && row.q.is_some_and(|q| q < FOUND) {
            row.reasons.push(HealthReason::DropOff);
        }
    }
    let known: u64 = report.coverage.events;
    let orphans = report.coverage.orphans.iter();
    let orphans = orphans.filter(|o| o.events.saturating_mul(ORPHAN) >= known);
    rows.extend(orphans.map(|o| TouchpointHealth {
        reasons: vec![HealthReason::NotDrawn],
        ..empty(None, o.event.clone())
    }));
    rows.iter_mut().for_each(judge);
    rows
}

/// Brings in promises that were held against the log: those for a touchpoint, and for a way that leads to it.
pub(super) fn with_promises(report: &mut OverlayReport) {
    let broken = |p: &&super::report::PromiseMeasure| p.verdict == Some(PromiseVerdict::Broken);
    let places: Vec<At> = report
        .promises
        .iter()
        .flatten()
        .filter(broken)
        .map(|p| At::from(p.at.as_str()))
        .collect();
    for row in &mut report.health {
        let Some(id) = row.touchpoint.as_deref().map(Id::from) else {
            continue;
        };
        let is_here = |at: &At| match at {
            At::Part(part) => *part == id,
            At::Edge { to, .. } => *to == id,
        };
        if places.iter().any(is_here) {
            row.reasons.push(HealthReason::BrokenPromise);
            judge(row);
        }
    }
}

fn judge(row: &mut TouchpointHealth) {
    row.reasons.sort_unstable();
    row.reasons.dedup();
    row.verdict = Health::of(&row.reasons);
}

fn empty(touchpoint: Option<String>, name: String) -> TouchpointHealth {
    TouchpointHealth {
        touchpoint,
        name,
        verdict: Health::Unknown,
        reasons: Vec::new(),
        drop_off: None,
        others_drop_off: None,
        p: None,
        q: None,
        reach: None,
        others_reach: None,
        lift: None,
        lift_q: None,
    }
}

/// What the map draws anywhere: only then is it missed where it is not.
struct Drawn {
    owners: bool,
    content: bool,
    goals: bool,
}

impl Drawn {
    fn new(map: &JourneyMap) -> Drawn {
        Drawn {
            owners: map.touchpoints.iter().any(|t| t.owner.is_some()),
            content: map.content.iter().any(|c| c.touchpoint.is_some()),
            goals: map.goals.iter().any(|g| !g.stages.is_empty()),
        }
    }

    fn lacks(&self, map: &JourneyMap, t: &Touchpoint) -> Vec<HealthReason> {
        let is_there = |c: &&crate::map::ContentAsset| c.status != Some(ContentStatus::Missing);
        let mut content = map.content.iter().filter(is_there);
        // A goal without a stage is one everywhere.
        let wanted = |g: &crate::map::CustomerGoal| {
            g.stages.is_empty() || g.stages.iter().any(|s| t.is_in(s))
        };
        let lacks = [
            (HealthReason::NoOwner, self.owners && t.owner.is_none()),
            (
                HealthReason::NoContent,
                self.content && !content.any(|c| c.touchpoint.as_ref() == Some(&t.id)),
            ),
            (
                HealthReason::NoCustomerGoal,
                self.goals && !map.goals.iter().any(wanted),
            ),
        ];
        let lacks = lacks.into_iter().filter(|(_, lacks)| *lacks);
        lacks.map(|(reason, _)| reason).collect()
    }
}

fn row(
    map: &JourneyMap,
    report: &OverlayReport,
    drawn: &Drawn,
    t: &Touchpoint,
    measured: &TouchpointMeasure,
    has_goal: bool,
) -> TouchpointHealth {
    let mut row = empty(Some(measured.id.clone()), measured.name.clone());
    row.reasons = drawn.lacks(map, t);
    let Some(cell) = &measured.cell else {
        row.reasons.push(match t.traces() {
            Observability::Observed => HealthReason::NotBound,
            _ => HealthReason::NoTrace,
        });
        return row;
    };
    row.reach = Some(cell.reach);
    if cell.events == 0 {
        // Nobody looks for traces of what leaves none.
        row.reasons.push(match t.traces() {
            Observability::Observed => HealthReason::NeverSeen,
            _ => HealthReason::NoTrace,
        });
        return row;
    }
    let others: Vec<&CellMeasure> = map
        .touchpoints
        .iter()
        .zip(&report.touchpoints)
        .filter(|(other, _)| other.id != t.id && t.stages.iter().any(|p| other.is_in(&p.stage)))
        .filter_map(|(_, m)| m.cell.as_ref())
        .filter(|c| c.events > 0)
        .collect();
    row.others_reach = middle(others.iter().map(|c| c.reach));
    let limits = (
        cell.reach.estimate,
        row.others_reach.and_then(|r| r.estimate),
    );
    if let (Some(here), Some(there)) = limits
        && here.upper < FAR_BELOW * there.lower
    {
        row.reasons.push(HealthReason::LowReach);
    }
    if !has_goal {
        row.reasons.push(HealthReason::NoGoalSeen);
        return row;
    }
    row.drop_off = Some(cell.drop_off);
    // Where everybody reaches a goal nobody can leave without one: that is no yardstick.
    let yardsticks = others.iter().filter(|c| c.goal.count < c.goal.n);
    row.others_drop_off = middle(yardsticks.map(|c| c.drop_off));
    let rates = (
        cell.drop_off.estimate,
        row.others_drop_off.and_then(|r| r.estimate),
    );
    if let (Some(here), Some(there)) = rates {
        row.p = cautious_p(&here, &there);
    }
    let lift = cell.lift.as_ref();
    row.lift = lift.and_then(|l| l.difference);
    row.lift_q = lift.and_then(|l| l.q);
    if row.lift.is_some_and(|l| l.value < 0.0) && row.lift_q.is_some_and(|q| q < FOUND) {
        row.reasons.push(HealthReason::FewerGoals);
    }
    if cell.drop_off.estimate.is_none() {
        row.reasons.push(HealthReason::TooFew);
    }
    row
}

/// The rate in the middle, of those that have a number; of two the higher.
fn middle(rates: impl Iterator<Item = Rate>) -> Option<Rate> {
    let value = |r: &Rate| r.estimate.map(|e| e.value);
    let mut rates: Vec<Rate> = rates.filter(|r| r.estimate.is_some()).collect();
    let by_value = |a: &Rate, b: &Rate| {
        let (a_value, b_value) = (value(a).unwrap_or(0.0), value(b).unwrap_or(0.0));
        a_value.total_cmp(&b_value).then(a.n.cmp(&b.n))
    };
    rates.sort_by(by_value);
    rates.get(rates.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::engine::Exec;
    use crate::overlay::tests::{log, map_head};
    use crate::overlay::{Overlay, journey_rule, overlay};

    #[test]
    fn the_rule_table() {
        use HealthReason as R;
        let table: [(&[R], Health); 17] = [
            (&[], Health::Healthy),
            (&[R::NeverSeen], Health::Missing),
            (&[R::NotDrawn], Health::Missing),
            (&[R::DropOff], Health::Underperforming),
            (&[R::FewerGoals], Health::Underperforming),
            (&[R::BrokenPromise], Health::Underperforming),
            (&[R::LowReach], Health::Underdeveloped),
            (&[R::NoOwner], Health::Underdeveloped),
            (&[R::NoContent], Health::Underdeveloped),
            (&[R::NoCustomerGoal], Health::Underdeveloped),
            (&[R::TooFew], Health::Unknown),
            (&[R::NotBound], Health::Unknown),
            (&[R::NoTrace], Health::Unknown),
            (&[R::NoGoalSeen], Health::Unknown),
            // The gravest decides, whatever the order.
            (&[R::NoOwner, R::NeverSeen], Health::Missing),
            (
                &[R::LowReach, R::BrokenPromise, R::TooFew],
                Health::Underperforming,
            ),
            (&[R::TooFew, R::NoOwner], Health::Underdeveloped),
        ];
        for (reasons, verdict) in table {
            assert_eq!(Health::of(reasons), verdict, "{reasons:?}");
        }
    }

    const MAP: &str = concat!(
        map_head!(),
        "\
stages: [{id: look, name: Look}, {id: buy, name: Buy}, {id: after, name: After}]
goals: [{id: g, text: G, kind: functional, success: pay, stages: [look, buy]}]
touchpoints:
  - {id: page, name: Page, stages: [look], owner: o, binding: page}
  - {id: list, name: List, stages: [look], owner: o, binding: list}
  - {id: trap, name: Trap, stages: [look], owner: o, binding: trap}
  - {id: nook, name: Nook, stages: [look], owner: o, binding: nook}
  - {id: gone, name: Gone, stages: [look], owner: o, binding: gone}
  - {id: talk, name: Talk, stages: [look], owner: o, observability: survey_only}
  - {id: bare, name: Bare, stages: [look], owner: o}
  - {id: till, name: Till, stages: [buy], binding: till}
  - {id: pay, name: Pay, stages: [buy], owner: o, binding: pay}
  - {id: rest, name: Rest, stages: [after], owner: o, binding: rest}
"
    );

    /// 600 customers see page and list; 200 of them then fall into the trap, where two in three stay; of the others all but a tenth pay.
    #[test]
    fn planted_faults_are_found_and_nothing_else() {
        let map = JourneyMap::from_yaml(MAP).unwrap();
        let mut rows: Vec<(String, i64, &str)> = Vec::new();
        for c in 0..600_i64 {
            let id = format!("c{c:03}");
            let mut path = vec!["page", "list"];
            // Whether the last page seen is the one or the other is chance.
            if c / 10 % 2 == 0 {
                path.reverse();
            }
            if c % 60 == 5 {
                path.push("nook");
            }
            let trapped = c % 3 == 1;
            if trapped {
                path.push("trap");
            }
            let pays = match trapped {
                true => c % 9 == 1,
                false => c % 10 > 0,
            };
            if pays {
                path.extend(["till", "pay"]);
            }
            if c % 10 == 3 {
                path.push("hum");
            }
            if c % 300 == 1 && pays {
                path.push("rest");
            }
            let steps = path.iter().zip(0..);
            rows.extend(steps.map(|(event, step)| (id.clone(), step * 60_000_000, *event)));
        }
        rows.push(("zz".to_owned(), 9_000_000_000, "page"));
        let log = log(&rows);
        let journeys = log.journeys(journey_rule(&map).unwrap()).unwrap();
        let mut report = overlay(&map, &journeys, &Overlay::new(), &Exec::new()).unwrap();
        let verdict = |report: &OverlayReport, id: &str| {
            let row = report
                .health
                .iter()
                .find(|r| r.touchpoint.as_deref() == Some(id));
            let row = row.unwrap();
            (row.verdict, row.reasons.clone())
        };
        use HealthReason as R;
        for (id, expected, reasons) in [
            ("page", Health::Healthy, vec![]),
            ("list", Health::Healthy, vec![]),
            (
                "trap",
                Health::Underperforming,
                vec![R::DropOff, R::FewerGoals],
            ),
            ("nook", Health::Underdeveloped, vec![R::LowReach]),
            ("gone", Health::Missing, vec![R::NeverSeen]),
            ("talk", Health::Unknown, vec![R::NoTrace]),
            ("bare", Health::Unknown, vec![R::NotBound]),
            ("till", Health::Underdeveloped, vec![R::NoOwner]),
            ("pay", Health::Healthy, vec![]),
            (
                "rest",
                Health::Underdeveloped,
                vec![R::NoCustomerGoal, R::TooFew],
            ),
        ] {
            assert_eq!(verdict(&report, id), (expected, reasons), "{id}");
        }
        let trap = report.health.iter().find(|r| r.name == "Trap").unwrap();
        assert!(trap.q.unwrap() < 1e-6 && trap.drop_off.unwrap().estimate.unwrap().value > 0.5);
        // The till's only neighbour is where everybody reaches the goal: no yardstick.
        let till = report.health.iter().find(|r| r.name == "Till").unwrap();
        assert!(till.p.is_none() && till.others_drop_off.is_none());
        let orphans: Vec<_> = report
            .health
            .iter()
            .filter(|r| r.touchpoint.is_none())
            .collect();
        assert_eq!(orphans.len(), 1);
        assert_eq!(
            (orphans[0].name.as_str(), orphans[0].verdict),
            ("hum", Health::Missing)
        );

        // A broken promise makes the best of them underperform; at a way it is the place that the way leads to.
        let broken = |at: &str, verdict| super::super::report::PromiseMeasure {
            id: "e".to_owned(),
            text: String::new(),
            at: at.to_owned(),
            metric: String::new(),
            promise: String::new(),
            kept: None,
            never: 0,
            open: 0,
            wanted: None,
            value: None,
            currency: None,
            n: 0,
            verdict: Some(verdict),
            hole: None,
        };
        report.promises = Some(vec![
            broken("list -> page", PromiseVerdict::Broken),
            broken("pay", PromiseVerdict::Undecided),
        ]);
        with_promises(&mut report);
        assert_eq!(
            verdict(&report, "page"),
            (Health::Underperforming, vec![R::BrokenPromise])
        );
        assert_eq!(verdict(&report, "list").0, Health::Healthy);
        assert_eq!(verdict(&report, "pay").0, Health::Healthy);
    }
}
