//! What a person reads of drop-off.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analyses::parts::ByName;
use crate::report::{Base, Caveat, Cells, Rate, Report, TOO_FEW, Table};
use crate::time::TimeSpan;

use super::{DropoffPartial, DropoffPlan, PointPartial};

/// Where journeys end without their goal, who comes back, and what came before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DropoffReport {
    /// What journeys are after; absent when every end is an exit.
    pub goal: Option<String>,
    /// All journeys: reached + exits + open.
    pub n_journeys: u64,
    /// Journeys with the goal, wherever they ended.
    pub reached: u64,
    /// Journeys that ended without the goal.
    pub exits: u64,
    /// Journeys without the goal that may still go on.
    pub open: u64,
    /// Exits of journeys with a known outcome.
    pub drop_rate: Rate,
    /// How soon after an exit the customer's next journey begins if they came back.
    pub returns_within: TimeSpan,
    /// Customers back in time, of the exits of which that is known.
    pub returned: Rate,
    /// Exits so late that a return may still come in time.
    pub return_unknown: u64,
    /// The touchpoints with the most exits; then by visits, then by name.
    pub touchpoints: Vec<ExitPoint>,
    /// The touchpoints not listed, summed; absent when all are.
    pub other: Option<OtherExits>,
    /// The most frequent sequences before an exit.
    pub paths: Vec<ExitPath>,
    /// The sequences not listed, summed; absent when all are.
    pub other_paths: Option<OtherPaths>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One touchpoint as a place to leave from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExitPoint {
    /// The touchpoint.
    pub touchpoint: String,
    /// Journeys with a known outcome that visited it.
    pub visits: u64,
    /// Journeys that ended here without the goal.
    pub exits: u64,
    /// Exits of visits.
    pub exit_rate: Rate,
    /// Its share of all exits.
    pub share: f64,
    /// Customers back in time, of the exits here of which that is known.
    pub returned: Rate,
    /// Exits here so late that a return may still come in time.
    pub return_unknown: u64,
    /// Journeys that are here now and may still go on.
    pub open: u64,
}

/// The touchpoints that are not listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherExits {
    /// How many touchpoints.
    pub distinct: u64,
    /// Visits to them; a journey counts once for each.
    pub visits: u64,
    /// Exits at them.
    pub exits: u64,
    /// Their share of all exits.
    pub share: f64,
    /// Exits at them of which a return in time is known, and those that came back.
    pub return_known: u64,
    /// Customers back in time.
    pub returned: u64,
    /// Journeys that are there now and may still go on.
    pub open: u64,
}

/// A sequence of touchpoints that led to an exit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExitPath {
    /// The touchpoints in order; the exit is the last.
    pub path: Vec<String>,
    /// Exits after it.
    pub exits: u64,
    /// Its share of all exits.
    pub share: f64,
}

/// The sequences that are not listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherPaths {
    /// How many sequences.
    pub distinct: u64,
    /// Exits after them.
    pub exits: u64,
    /// Their share of all exits.
    pub share: f64,
}

pub(super) fn finish(plan: &DropoffPlan, partial: &DropoffPartial) -> DropoffReport {
    let share = |exits: u64| exits as f64 / partial.exits.k.max(1) as f64;
    let rate = |clusters, base| Rate::clustered(clusters, base, plan.level);
    let mut points: Vec<(&str, &PointPartial)> = plan
        .events
        .names()
        .zip(&partial.points)
        .filter(|(_, p)| p.exits.n > 0 || p.open > 0)
        .collect();
    points.sort_by(|(a, x), (b, y)| (y.exits.k, y.exits.n, a).cmp(&(x.exits.k, x.exits.n, b)));
    let rest = points.split_off(plan.top.min(points.len()));
    let n_points = (points.len() + rest.len()) as u64;
    let touchpoints: Vec<ExitPoint> = points
        .into_iter()
        .map(|(name, p)| ExitPoint {
            touchpoint: name.to_owned(),
            visits: p.exits.n,
            exits: p.exits.k,
            exit_rate: rate(&p.exits, Base::OfVisits),
            share: share(p.exits.k),
            returned: rate(&p.returned, Base::OfKnown),
            return_unknown: p.exits.k.saturating_sub(p.returned.n),
            open: p.open,
        })
        .collect();
    let sum = |f: fn(&PointPartial) -> u64| rest.iter().map(|(_, p)| f(p)).sum::<u64>();
    let other = (!rest.is_empty()).then(|| OtherExits {
        distinct: rest.len() as u64,
        visits: sum(|p| p.exits.n),
        exits: sum(|p| p.exits.k),
        share: share(sum(|p| p.exits.k)),
        return_known: sum(|p| p.returned.n),
        returned: sum(|p| p.returned.k),
        open: sum(|p| p.open),
    });

    let (paths, other_paths) = paths(plan, partial);
    let mut report = DropoffReport {
        goal: plan.goal_text.clone(),
        n_journeys: partial.n_journeys,
        reached: partial.reached,
        exits: partial.exits.k,
        open: partial.open,
        drop_rate: rate(&partial.exits, Base::OfKnown),
        returns_within: TimeSpan::from_micros(plan.returns_within),
        returned: rate(&partial.returned, Base::OfKnown),
        return_unknown: partial.exits.k.saturating_sub(partial.returned.n),
        touchpoints,
        other,
        paths,
        other_paths,
        caveats: Vec::new(),
    };
    report.caveats = caveats(&report, n_points);
    report
}

fn paths(plan: &DropoffPlan, partial: &DropoffPartial) -> (Vec<ExitPath>, Option<OtherPaths>) {
    let share = |exits: u64| exits as f64 / partial.exits.k.max(1) as f64;
    let name = |c| plan.events.name(c);
    let mut all: Vec<(&[u8], u64)> = partial.paths.iter().collect();
    let by_name = ByName::new(&plan.events);
    let by_meaning = |a: &(&[u8], u64), b: &(&[u8], u64)| {
        let ranks = |key| plan.width.decode(key).map(|code| by_name.rank(code));
        b.1.cmp(&a.1).then_with(|| ranks(a.0).cmp(ranks(b.0)))
    };
    // Only what is listed is put in order: there may be many more.
    if plan.top > 0 && plan.top < all.len() {
        all.select_nth_unstable_by(plan.top - 1, by_meaning);
    }
    let rest = all.split_off(plan.top.min(all.len()));
    all.sort_unstable_by(by_meaning);
    let listed = all
        .into_iter()
        .map(|(key, exits)| ExitPath {
            path: plan.width.decode(key).map(|c| name(c).to_owned()).collect(),
            exits,
            share: share(exits),
        })
        .collect();
    let exits = rest.iter().map(|(_, n)| n).sum();
    let other = (!rest.is_empty()).then(|| OtherPaths {
        distinct: rest.len() as u64,
        exits,
        share: share(exits),
    });
    (listed, other)
}

fn caveats(report: &DropoffReport, n_points: u64) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if report.open > 0 {
        caveats.push(Caveat::JourneysOpen {
            journeys: report.open,
            of: report.n_journeys,
        });
    }
    if report.other.is_some() {
        caveats.push(Caveat::Truncated {
            what: "touchpoints".to_owned(),
            shown: report.touchpoints.len() as u64,
            distinct: n_points,
        });
    }
    if let Some(other) = &report.other_paths {
        let shown = report.paths.len() as u64;
        caveats.push(Caveat::Truncated {
            what: "sequences before the exit".to_owned(),
            shown,
            distinct: shown + other.distinct,
        });
    }
    let rates = report
        .touchpoints
        .iter()
        .flat_map(|p| [&p.exit_rate, &p.returned]);
    let all = rates.chain([&report.drop_rate, &report.returned]);
    let cells = all.filter(|r| r.too_few()).count() as u64;
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "rates".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    caveats
}

impl Report for DropoffReport {
    fn title(&self) -> &'static str {
        "Drop-off"
    }

    fn tables(&self) -> Vec<Table> {
        vec![self.exit_table(), self.path_table(), self.outcome_table()]
    }

    crate::report::held!();
}

/// A cell for each item listed and one for the rest.
fn column<I, O, C>(
    items: &[I],
    item: impl Fn(&I) -> Option<C>,
    other: Option<&O>,
    rest: impl Fn(&O) -> Option<C>,
) -> Vec<Option<C>> {
    let rest = other.map(rest);
    items.iter().map(item).chain(rest).collect()
}

fn other_name(distinct: u64) -> Option<String> {
    Some(format!("other ({distinct})"))
}

impl DropoffReport {
    fn exit_table(&self) -> Table {
        let (points, other) = (&self.touchpoints[..], self.other.as_ref());
        let count = |item: fn(&ExitPoint) -> u64, rest: fn(&OtherExits) -> u64| {
            Cells::Count(column(points, |p| Some(item(p)), other, |o| Some(rest(o))))
        };
        let rate = |item: fn(&ExitPoint) -> Rate| {
            Cells::Rate(column(points, |p| Some(item(p)), other, |_| None))
        };
        let names = column(
            points,
            |p| Some(p.touchpoint.clone()),
            other,
            |o| other_name(o.distinct),
        );
        let shares = column(points, |p| Some(p.share), other, |o| Some(o.share));
        Table::new("exits", "Where journeys end without the goal")
            .with("touchpoint", "Touchpoint", Cells::Text(names))
            .with("visits", "Visits", count(|p| p.visits, |o| o.visits))
            .with("exits", "Exits", count(|p| p.exits, |o| o.exits))
            .with("exit_rate", "Exits of visits", rate(|p| p.exit_rate))
            .with("share", "Share of all exits", Cells::Share(shares))
            .with("returned", "Returned in time", rate(|p| p.returned))
            .with(
                "return_unknown",
                "Return not yet known",
                count(
                    |p| p.return_unknown,
                    |o| o.exits.saturating_sub(o.return_known),
                ),
            )
            .with("open", "Here now", count(|p| p.open, |o| o.open))
    }

    fn path_table(&self) -> Table {
        let (paths, other) = (&self.paths[..], self.other_paths.as_ref());
        let names = column(
            paths,
            |p| Some(p.path.clone()),
            other,
            |o| other_name(o.distinct).map(|n| vec![n]),
        );
        let exits = column(paths, |p| Some(p.exits), other, |o| Some(o.exits));
        let shares = column(paths, |p| Some(p.share), other, |o| Some(o.share));
        Table::new("before_exit", "What came before the exit")
            .with("path", "Touchpoints before the exit", Cells::Path(names))
            .with("exits", "Exits", Cells::Count(exits))
            .with("share", "Share of all exits", Cells::Share(shares))
    }

    fn outcome_table(&self) -> Table {
        let rows = [
            ("reached the goal", self.reached),
            ("ended without it", self.exits),
            ("may still go on", self.open),
        ];
        let names = rows.iter().map(|r| Some(r.0.to_owned())).collect();
        let counts = rows.iter().map(|r| Some(r.1)).collect();
        Table::new("outcomes", "All journeys by outcome")
            .with("outcome", "Outcome", Cells::Text(names))
            .with("journeys", "Journeys", Cells::Count(counts))
    }
}
