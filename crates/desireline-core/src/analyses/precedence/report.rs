//! What a person reads of the usual order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::order::copeland;
use super::state::turned;
use super::{PrecedencePartial, PrecedencePlan};
use crate::report::{Base, Caveat, Cells, Rate, Report, TOO_FEW, Table};

/// The usual order of touchpoints, and how sure it is for each pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecedenceReport {
    /// All journeys.
    pub journeys: u64,
    /// All customers.
    pub customers: u64,
    /// The touchpoints in their usual order.
    pub touchpoints: Vec<OrderedTouchpoint>,
    /// The touchpoints that are in no pair; absent when all are.
    pub other: Option<OtherTouchpoints>,
    /// Every pair of the listed touchpoints that some journey has, in the usual order: by the first one, then by the
    /// second.
    pub pairs: Vec<PrecedencePair>,
    /// How well one order fits all: of the pairs in all journeys, the share that follows the usual order. Exact for what
    /// was observed; absent without pairs.
    pub agreement: Option<f64>,
    /// Pairs that surely follow the order.
    pub follows: u64,
    /// Pairs that surely run against it.
    pub against: u64,
    /// Pairs whose order cannot be said, the too few among them.
    pub unclear: u64,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One touchpoint in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderedTouchpoint {
    /// The touchpoint.
    pub touchpoint: String,
    /// Journeys that have it, of all journeys.
    pub reach: Rate,
    /// Listed touchpoints that it comes before in more than half of the journeys with both.
    pub wins: u64,
    /// Listed touchpoints that come before it.
    pub losses: u64,
}

/// The touchpoints that are not listed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherTouchpoints {
    /// How many touchpoints.
    pub distinct: u64,
    /// Journeys that have one of them; a journey counts once for each.
    pub visits: u64,
}

/// Two touchpoints, in the usual order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecedencePair {
    /// The one that usually comes first.
    pub first: String,
    /// The one that usually comes later.
    pub then: String,
    /// Journeys in which they come in this order, of the journeys that have both.
    pub before: Rate,
    /// Journeys in which both have one time, so that the order of the log decided.
    pub ties: u64,
    /// What can be said of their order.
    pub verdict: Verdict,
}

/// What can be said of the order of two touchpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval lies above one half.
    Follows,
    /// The interval lies below one half: the two run against the order that fits all.
    Against,
    /// The interval holds one half.
    Unclear,
    /// Too few journeys have both.
    TooFew,
}

impl Verdict {
    fn of(before: &Rate) -> Verdict {
        match &before.estimate {
            None => Verdict::TooFew,
            Some(e) if e.lower > 0.5 => Verdict::Follows,
            Some(e) if e.upper < 0.5 => Verdict::Against,
            Some(_) => Verdict::Unclear,
        }
    }

    /// The words people read.
    pub fn label(self) -> &'static str {
        match self {
            Verdict::Follows => "follows the order",
            Verdict::Against => "runs against it",
            Verdict::Unclear => "cannot be said",
            Verdict::TooFew => "too few",
        }
    }
}

impl PrecedenceReport {
    /// What is known of two touchpoints, whichever is named first; none if no journey has both.
    pub fn pair(&self, a: &str, b: &str) -> Option<&PrecedencePair> {
        let mut pairs = self.pairs.iter();
        pairs.find(|p| (p.first == a && p.then == b) || (p.first == b && p.then == a))
    }
}

pub(super) fn finish(plan: &PrecedencePlan, partial: &PrecedencePartial) -> PrecedenceReport {
    let code = |place: usize| plan.chosen.get(place).copied().unwrap_or(u32::MAX);
    let visits = |place: usize| partial.visits(code(place));
    let mut listed: Vec<usize> = (0..plan.chosen.len()).filter(|p| visits(*p) > 0).collect();
    listed.sort_by(|&a, &b| {
        let most = visits(b).cmp(&visits(a));
        most.then_with(|| plan.name(a).cmp(plan.name(b)))
    });
    listed.truncate(plan.top);
    // Journeys in which the place a comes before the place b.
    let first = |a: usize, b: usize| {
        let pair = partial.pair(a, b).first;
        if a < b { pair } else { turned(&pair) }
    };
    let order = copeland(listed.len(), |a, b| first(listed[a], listed[b]).k);
    let touchpoints = order.iter().map(|&(at, standing)| OrderedTouchpoint {
        touchpoint: plan.name(listed[at]).to_owned(),
        reach: Rate::clustered(&partial.reach(code(listed[at])), Base::OfAll, plan.level),
        wins: standing.wins,
        losses: standing.losses,
    });
    let touchpoints: Vec<OrderedTouchpoint> = touchpoints.collect();

    let mut pairs = Vec::new();
    for (i, &(a, _)) in order.iter().enumerate() {
        for &(b, _) in &order[i + 1..] {
            let before = first(listed[a], listed[b]);
            if before.n == 0 {
                continue;
            }
            let before = Rate::clustered(&before, Base::OfBoth, plan.level);
            pairs.push(PrecedencePair {
                first: plan.name(listed[a]).to_owned(),
                then: plan.name(listed[b]).to_owned(),
                before,
                ties: partial.pair(listed[a], listed[b]).ties,
                verdict: Verdict::of(&before),
            });
        }
    }
    let count = |wanted: &[Verdict]| {
        let found = pairs.iter().filter(|p| wanted.contains(&p.verdict));
        found.count() as u64
    };
    let (distinct, all) = partial
        .visited()
        .fold((0, 0), |(n, sum), (_, k)| (n + 1, sum + k));
    let hidden: u64 = distinct - listed.len() as u64;
    let shown: u64 = touchpoints.iter().map(|t| t.reach.count).sum();
    let (held, met) = pairs
        .iter()
        .fold((0, 0), |(k, n), p| (k + p.before.count, n + p.before.n));
    let mut report = PrecedenceReport {
        journeys: partial.all.n,
        customers: partial.all.m,
        other: (hidden > 0).then_some(OtherTouchpoints {
            distinct: hidden,
            visits: all - shown,
        }),
        agreement: (met > 0).then(|| held as f64 / met as f64),
        follows: count(&[Verdict::Follows]),
        against: count(&[Verdict::Against]),
        unclear: count(&[Verdict::Unclear, Verdict::TooFew]),
        touchpoints,
        pairs,
        caveats: Vec::new(),
    };
    report.caveats = caveats(&report, distinct);
    report
}

fn caveats(report: &PrecedenceReport, distinct: u64) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if report.other.is_some() {
        caveats.push(Caveat::Truncated {
            what: "touchpoints".to_owned(),
            shown: report.touchpoints.len() as u64,
            distinct,
        });
    }
    let few = report.pairs.iter().filter(|p| p.before.too_few());
    let reach = report.touchpoints.iter().filter(|t| t.reach.too_few());
    let cells = (few.count() + reach.count()) as u64;
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "shares".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    caveats
}

impl Report for PrecedenceReport {
    fn title(&self) -> &'static str {
        "Usual order"
    }

    fn tables(&self) -> Vec<Table> {
        vec![self.order_table(), self.pair_table()]
    }

    crate::report::held!();
}

impl PrecedenceReport {
    fn order_table(&self) -> Table {
        let (rows, other) = (&self.touchpoints, self.other.as_ref());
        let count = |cell: fn(&OrderedTouchpoint) -> u64| {
            let cells = rows.iter().map(|r| Some(cell(r)));
            Cells::Count(cells.chain(other.map(|_| None)).collect())
        };
        let places = (1..=rows.len() as u64).map(Some);
        let names = rows.iter().map(|r| Some(r.touchpoint.clone()));
        let rest = other.map(|o| Some(format!("other ({})", o.distinct)));
        let visits = rows.iter().map(|r| Some(r.reach.count));
        let reach = rows.iter().map(|r| Some(r.reach));
        Table::new("order", "The usual order")
            .with(
                "place",
                "Place",
                Cells::Count(places.chain(other.map(|_| None)).collect()),
            )
            .with(
                "touchpoint",
                "Touchpoint",
                Cells::Text(names.chain(rest).collect()),
            )
            .with(
                "journeys",
                "Journeys",
                Cells::Count(visits.chain(other.map(|o| Some(o.visits))).collect()),
            )
            .with(
                "reach",
                "Of all journeys",
                Cells::Rate(reach.chain(other.map(|_| None)).collect()),
            )
            .with("wins", "Comes before", count(|r| r.wins))
            .with("losses", "Comes after", count(|r| r.losses))
    }

    fn pair_table(&self) -> Table {
        let rows = &self.pairs;
        let text = |cell: fn(&PrecedencePair) -> String| {
            Cells::Text(rows.iter().map(|r| Some(cell(r))).collect())
        };
        let count = |cell: fn(&PrecedencePair) -> u64| {
            Cells::Count(rows.iter().map(|r| Some(cell(r))).collect())
        };
        let before = rows.iter().map(|r| Some(r.before)).collect();
        Table::new("pairs", "Which comes before which")
            .with("first", "First", text(|r| r.first.clone()))
            .with("then", "Then", text(|r| r.then.clone()))
            .with("both", "Journeys with both", count(|r| r.before.n))
            .with("before", "In this order", Cells::Rate(before))
            .with("ties", "At one time", count(|r| r.ties))
            .with("verdict", "Order", text(|r| r.verdict.label().to_owned()))
    }
}
