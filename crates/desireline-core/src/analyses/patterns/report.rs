//! What a person reads of patterns.

use desireline_stats::{Estimate, benjamini_hochberg};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PatternsPlan;
use super::base::Base;
use super::mine::{Found, Wanted, mine};
use crate::analyses::parts::ByName;
use crate::report::{Base as Of, Caveat, Cells, Rate, Report, TOO_FEW, Table};

/// The sequences of events that most journeys have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatternsReport {
    /// All journeys.
    pub journeys: u64,
    /// All customers.
    pub customers: u64,
    /// Journeys that have a pattern, at least, to be listed.
    pub min_journeys: u64,
    /// The patterns: by journeys, then by names.
    pub patterns: Vec<PatternRow>,
    /// Whether these are all patterns that so many journeys have.
    pub complete: bool,
    /// Where the search gave up for too much work: of patterns that no more journeys than these have, none is listed.
    /// Absent where it came to its end.
    pub gave_up_at: Option<u64>,
    /// The share of all journeys that reached the goal, if one was given.
    pub goal: Option<Rate>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatternRow {
    /// Its events in order.
    pub pattern: Vec<String>,
    /// Journeys that have it.
    pub journeys: u64,
    /// Customers with at least one such journey.
    pub customers: u64,
    /// Its share of all journeys.
    pub share: Rate,
    /// What it has to do with the goal, if one was given.
    pub goal: Option<PatternGoal>,
}

/// The goal among the journeys with a pattern, against those without it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatternGoal {
    /// The share that reached the goal, of the journeys with the pattern.
    pub with: Rate,
    /// The share that reached the goal, of the journeys without it.
    pub without: Rate,
    /// With the pattern less without it; absent where either has too few journeys. Customers can be on both sides.
    pub difference: Option<Estimate>,
    /// How likely so large a difference is by chance alone.
    pub p: Option<f64>,
    /// The same, corrected for all patterns listed.
    pub q: Option<f64>,
}

/// The fewest journeys that are at least this share of all.
fn fewest(share: f64, all: u64) -> u64 {
    let is_enough = |n: u64| n as f64 / all.max(1) as f64 >= share;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and `all`
    let mut n = (share * all as f64).floor().max(0.0) as u64;
    while n > 0 && is_enough(n - 1) {
        n -= 1;
    }
    while n < all && !is_enough(n) {
        n += 1;
    }
    n.max(1)
}

pub(super) fn finish(plan: &PatternsPlan, base: &Base) -> PatternsReport {
    let (spec, level) = (&plan.spec, plan.spec.level);
    let by_name = ByName::new(&plan.names);
    let wanted = Wanted {
        support: fewest(spec.min_support, base.all.n),
        min_length: spec.min_length as usize,
        max_length: spec.max_length as usize,
        closed: spec.closed,
        top: spec.top as usize,
    };
    let mined = mine(base, plan.names.len(), plan.reach, wanted, |code| {
        by_name.rank(code)
    });
    let row = |found: &Found| {
        let name = |&code: &u32| plan.names.name(code).to_owned();
        let goal = || PatternGoal {
            with: Rate::clustered(&found.goals.a, Of::OfPattern, level),
            without: Rate::clustered(&found.goals.b, Of::OfOthers, level),
            difference: None,
            p: None,
            q: None,
        };
        let tested = |goal: PatternGoal| match goal.with.too_few() || goal.without.too_few() {
            true => goal,
            false => PatternGoal {
                difference: found.goals.difference(level),
                p: found.goals.test().map(|test| test.p),
                ..goal
            },
        };
        PatternRow {
            pattern: found.codes.iter().map(name).collect(),
            journeys: found.support,
            // Those whose journeys have it, of customers with any.
            customers: found.goals.a.m,
            share: Rate::clustered(&found.share, Of::OfAll, level),
            goal: plan.goal.as_ref().map(|_| tested(goal())),
        }
    };
    let mut report = PatternsReport {
        journeys: base.all.n,
        customers: base.all.m,
        min_journeys: wanted.support,
        patterns: mined.patterns.iter().map(row).collect(),
        complete: mined.complete,
        gave_up_at: mined.gave_up,
        goal: (plan.goal.is_some()).then(|| Rate::clustered(&base.all, Of::OfAll, level)),
        caveats: Vec::new(),
    };
    adjust(&mut report);
    report.caveats = caveats(&report);
    report
}

/// Corrects the p values for how many there are.
fn adjust(report: &mut PatternsReport) {
    let p: Vec<f64> = report
        .patterns
        .iter()
        .filter_map(|row| row.goal?.p)
        .collect();
    let Ok(q) = benjamini_hochberg(&p) else {
        return;
    };
    let tested = report.patterns.iter_mut().filter_map(|r| r.goal.as_mut());
    for (goal, q) in tested.filter(|g| g.p.is_some()).zip(q) {
        goal.q = Some(q);
    }
}

fn caveats(report: &PatternsReport) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    let mut note = |text: String| caveats.push(Caveat::Note { text });
    match report.gave_up_at {
        Some(at) => note(format!(
            "the search gave up for too much work; patterns that {at} journeys or fewer have are not listed; ask for a higher min_support or a lower max_length"
        )),
        None if !report.complete => {
            note("more patterns are frequent enough than are listed".to_owned());
        }
        None => {}
    }
    if report.goal.is_some() {
        caveats.push(Caveat::AssociationOnly);
    }
    let few = |row: &PatternRow| {
        let goal = row.goal.iter().flat_map(|g| [g.with, g.without]);
        goal.chain([row.share]).filter(Rate::too_few).count() as u64
    };
    let cells = report.patterns.iter().map(few).sum();
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "shares".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    caveats
}

impl Report for PatternsReport {
    fn title(&self) -> &'static str {
        "Patterns"
    }

    fn tables(&self) -> Vec<Table> {
        let rows = &self.patterns;
        let count = |cell: fn(&PatternRow) -> u64| {
            Cells::Count(rows.iter().map(|r| Some(cell(r))).collect())
        };
        let ranks = (1..=rows.len() as u64).map(Some).collect();
        let names = rows.iter().map(|r| Some(r.pattern.clone())).collect();
        let shares = rows.iter().map(|r| Some(r.share)).collect();
        let mut table = Table::new("patterns", "Events that many journeys have in this order")
            .with("rank", "Rank", Cells::Count(ranks))
            .with("pattern", "Pattern", Cells::Path(names))
            .with("length", "Events", count(|r| r.pattern.len() as u64))
            .with("journeys", "Journeys", count(|r| r.journeys))
            .with("customers", "Customers", count(|r| r.customers))
            .with("share", "Of all journeys", Cells::Rate(shares));
        if self.goal.is_some() {
            let goals = || rows.iter().map(|r| r.goal);
            let chance = |cell: fn(PatternGoal) -> Option<f64>| {
                Cells::Probability(goals().map(|g| g.and_then(cell)).collect())
            };
            let with = goals().map(|g| g.map(|g| g.with)).collect();
            let without = goals().map(|g| g.map(|g| g.without)).collect();
            let difference = goals().map(|g| g?.difference).collect();
            table = table
                .with("goal_with", "Goal with it", Cells::Rate(with))
                .with("goal_without", "Goal without it", Cells::Rate(without))
                .with("difference", "Difference", Cells::Estimate(difference))
                .with("p", "p", chance(|g| g.p))
                .with("q", "q", chance(|g| g.q));
        }
        vec![table]
    }

    crate::report::held!();
}

#[cfg(test)]
mod tests {
    use super::fewest;

    #[test]
    fn the_fewest_are_just_enough() {
        assert_eq!((fewest(0.07, 100), fewest(0.05, 0)), (7, 1));
        for all in 1..300_u64 {
            for share in [0.001, 0.05, 0.07, 1.0 / 3.0, 0.5, 0.999, 1.0] {
                let n = fewest(share, all);
                assert!(n as f64 / all as f64 >= share || n == all);
                assert!(n == 1 || ((n - 1) as f64 / all as f64) < share);
            }
        }
    }
}
