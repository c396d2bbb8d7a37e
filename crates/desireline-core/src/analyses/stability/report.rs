//! What a person reads of a segment's stability.

use desireline_stats::{Agreement, Estimate, stability_index};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ABSENT, ENTERED, FIRST_IN, FIRST_OUT, LEFT, OUTSIDE, SECOND_IN, SECOND_OUT, STAYED,
    StabilityPartial, StabilityPlan,
};
use crate::report::{Base, Caveat, Cells, Rate, Report, TOO_FEW, Table};

/// Whether the customers of a segment are the same in two periods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StabilityReport {
    /// What puts customers into the segment.
    pub condition: String,
    /// How many events of a period it takes.
    pub at_least: u64,
    /// The first period.
    pub first: StabilityPeriod,
    /// The second period.
    pub second: StabilityPeriod,
    /// All customers.
    pub customers: u64,
    /// Customers present in both periods: stayed, left, entered and outside add up to it.
    pub both: u64,
    /// In the segment in both periods.
    pub stayed: u64,
    /// In the segment in the first period only, though present in the second.
    pub left: u64,
    /// In the segment in the second period only, though present in the first.
    pub entered: u64,
    /// Present in both and in the segment in neither.
    pub outside: u64,
    /// Customers present in the first period only.
    pub first_only: u64,
    /// Customers present in the second period only.
    pub second_only: u64,
    /// Customers with no event in either period.
    pub absent: u64,
    /// Stayed and outside, of those present in both.
    pub agreement: Rate,
    /// Agreement beyond chance, Cohen's kappa; absent with fewer than five customers in both, or where all or none are in
    /// the segment.
    pub kappa: Option<Estimate>,
    /// Stayed, of those ever in the segment: Jaccard's index.
    pub overlap: Rate,
    /// Stayed, of those in the segment in the first period who were there in the second.
    pub stays: Rate,
    /// Left, of the same.
    pub leaves: Rate,
    /// Entered, of those outside of it in the first period who were there in the second.
    pub enters: Rate,
    /// The segment's share in the second period less that in the first, of all customers present in each; absent where
    /// either has too few.
    pub change: Option<Estimate>,
    /// How likely so large a change is by chance alone.
    pub change_p: Option<f64>,
    /// The population stability index of the two shares; absent where one of them is exactly none or all.
    pub stability_index: Option<f64>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One of the periods.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StabilityPeriod {
    /// Its begin, microseconds since 1970 UTC.
    pub from: i64,
    /// Its end, which is no part of it.
    pub until: i64,
    /// Customers in the segment, of those present.
    pub inside: Rate,
}

pub(super) fn finish(plan: &StabilityPlan, partial: &StabilityPartial) -> StabilityReport {
    let n = |at: usize| partial.customers[at];
    let rate = |k: u64, n: u64, base| Rate::simple(k, n, base, plan.level);
    let (stayed, left, entered, outside) = (n(STAYED), n(LEFT), n(ENTERED), n(OUTSIDE));
    let both = stayed + left + entered + outside;
    let shares = partial.shares();
    let period = |at: usize, inside: &desireline_stats::Clusters| StabilityPeriod {
        from: plan.periods[at].0,
        until: plan.periods[at].1,
        inside: rate(inside.k, inside.n, Base::OfPresent),
    };
    let enough = shares.a.n.min(shares.b.n) >= TOO_FEW;
    let agreement = Agreement {
        both: stayed,
        first: left,
        second: entered,
        neither: outside,
    };
    let mut report = StabilityReport {
        condition: plan.text.clone(),
        at_least: plan.at_least,
        first: period(0, &shares.b),
        second: period(1, &shares.a),
        customers: partial.customers.iter().sum(),
        both,
        stayed,
        left,
        entered,
        outside,
        first_only: n(FIRST_IN) + n(FIRST_OUT),
        second_only: n(SECOND_IN) + n(SECOND_OUT),
        absent: n(ABSENT),
        agreement: rate(stayed + outside, both, Base::OfPresent),
        kappa: (both >= TOO_FEW)
            .then(|| agreement.kappa(plan.level))
            .flatten(),
        overlap: rate(stayed, stayed + left + entered, Base::OfMembers),
        stays: rate(stayed, stayed + left, Base::OfMembers),
        leaves: rate(left, stayed + left, Base::OfMembers),
        enters: rate(entered, entered + outside, Base::OfNonMembers),
        change: enough.then(|| shares.difference(plan.level)).flatten(),
        change_p: enough.then(|| shares.test()).flatten().map(|t| t.p),
        stability_index: shares
            .b
            .rate()
            .zip(shares.a.rate())
            .and_then(|(before, after)| stability_index(before, after)),
        caveats: Vec::new(),
    };
    report.caveats = caveats(&report);
    report
}

fn caveats(report: &StabilityReport) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    let rates = report.rates().into_iter().map(|(.., rate)| rate);
    let periods = [report.first.inside, report.second.inside];
    let cells = rates.chain(periods).filter(Rate::too_few).count() as u64;
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "shares".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    caveats
}

impl Report for StabilityReport {
    fn title(&self) -> &'static str {
        "Stability of a segment"
    }

    fn tables(&self) -> Vec<Table> {
        vec![
            self.rate_table(),
            self.measure_table(),
            self.period_table(),
            self.customer_table(),
        ]
    }

    crate::report::held!();
}

impl StabilityReport {
    /// What is measured of the customers present in both periods.
    pub fn rates(&self) -> [(&'static str, &'static str, Rate); 5] {
        [
            ("stays", "stay in the segment", self.stays),
            ("leaves", "leave it", self.leaves),
            ("enters", "enter it", self.enters),
            (
                "overlap",
                "were in it twice, of those ever in it",
                self.overlap,
            ),
            ("agreement", "are the same in both periods", self.agreement),
        ]
    }

    fn rate_table(&self) -> Table {
        let rates = self.rates();
        let text = |cell: fn(&(&str, &str, Rate)) -> String| {
            Cells::Text(rates.iter().map(|r| Some(cell(r))).collect())
        };
        let shares = rates.iter().map(|r| Some(r.2)).collect();
        Table::new("stability", "Customers present in both periods")
            .with("measure", "Measure", text(|r| r.0.to_owned()))
            .with("meaning", "How many", text(|r| r.1.to_owned()))
            .with("rate", "Share", Cells::Rate(shares))
    }

    fn measure_table(&self) -> Table {
        let names = ["kappa", "change", "stability_index"];
        let names = names.iter().map(|n| Some((*n).to_owned())).collect();
        Table::new("measures", "Beyond chance, and from one period to the next")
            .with("measure", "Measure", Cells::Text(names))
            .with(
                "estimate",
                "Estimate",
                Cells::Estimate(vec![self.kappa, self.change, None]),
            )
            .with(
                "p",
                "p",
                Cells::Probability(vec![None, self.change_p, None]),
            )
            .with(
                "index",
                "Index",
                Cells::Number(vec![None, None, self.stability_index]),
            )
    }

    fn period_table(&self) -> Table {
        let periods = [&self.first, &self.second];
        let names = ["first", "second"].map(|n| Some(n.to_owned())).to_vec();
        let times = |time: fn(&StabilityPeriod) -> i64| {
            Cells::Time(periods.iter().map(|p| Some(time(p))).collect())
        };
        let inside = periods.iter().map(|p| Some(p.inside)).collect();
        Table::new("periods", "The segment in each period")
            .with("period", "Period", Cells::Text(names))
            .with("from", "From", times(|p| p.from))
            .with("until", "Until", times(|p| p.until))
            .with("inside", "In the segment", Cells::Rate(inside))
    }

    fn customer_table(&self) -> Table {
        let rows = [
            ("stayed", self.stayed),
            ("left", self.left),
            ("entered", self.entered),
            ("outside", self.outside),
            ("first_only", self.first_only),
            ("second_only", self.second_only),
            ("absent", self.absent),
        ];
        let names = rows.iter().map(|r| Some(r.0.to_owned())).collect();
        let counts = rows.iter().map(|r| Some(r.1)).collect();
        Table::new("customers", "All customers")
            .with("cell", "Customers who", Cells::Text(names))
            .with("customers", "Customers", Cells::Count(counts))
    }
}
