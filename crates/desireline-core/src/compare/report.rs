//! The report.

use desireline_stats::stratified::SimpsonVerdict;
use desireline_stats::{Estimate, TestMethod};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{Caveat, Cells, Report, Table};

/// The answer to [`Compare`](super::Compare).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompareReport {
    /// The analysis that was compared.
    pub of: String,
    /// What the groups are: the attribute's name, or `segment`.
    pub by: String,
    /// The groups, most journeys first.
    pub groups: Vec<ComparedGroup>,
    /// The level of the intervals.
    pub level: f64,
    /// The differences: smallest q first, then the largest.
    pub rows: Vec<ComparisonRow>,
    /// How many differences there are, listed or not.
    pub n_rows: u64,
    /// How many of them were tested; q counts all of these.
    pub n_tested: u64,
    /// The attribute within whose values rates were compared as well.
    pub stratified_by: Option<String>,
    /// What that changes, from reversed to nothing.
    pub simpson: Vec<SimpsonRow>,
    /// Pairs of groups that share customers.
    pub overlap: Vec<PairOverlap>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedGroup {
    /// The attribute's value or the segment's name.
    pub name: String,
    /// Its journeys.
    pub n_journeys: u64,
    /// Its customers.
    pub n_customers: u64,
    /// Whether it took part.
    pub compared: bool,
    /// Whether others were compared with it.
    pub baseline: bool,
}

/// One measure in two groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonRow {
    /// What is measured: `goal`, `step`, `path`, …
    pub kind: String,
    /// Which one.
    pub key: Vec<String>,
    /// Kind and key for people.
    pub label: String,
    /// The first group.
    pub a: Side,
    /// The second group, or the baseline.
    pub b: Side,
    /// First minus second: of rates, of median times, or of the shares that got there by `at`.
    pub difference: Option<Estimate>,
    /// The size of the difference between -1 and 1, whatever the unit: the difference of shares, or Cliff's delta of times.
    pub effect: Option<Estimate>,
    /// For shares that got there by a time: that time in microseconds, the last at which both groups still have enough under watch.
    pub at: Option<i64>,
    /// Two-sided p.
    pub p: Option<f64>,
    /// Benjamini and Hochberg's q over all tests of the report.
    pub q: Option<f64>,
    /// The test.
    pub test: Option<TestMethod>,
    /// Why there is no test.
    pub untested: Option<Untested>,
}

/// One group's part in a difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The group.
    pub group: String,
    /// Observations.
    pub n: u64,
    /// Successes of a rate, or ends seen of times with censoring.
    pub count: Option<u64>,
    /// The rate, the median time or the share that got there.
    pub estimate: Option<Estimate>,
}

/// Why a difference was not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Untested {
    /// One group has too few observations; no difference is given either.
    TooFew,
    /// Successes or failures of both groups together are too few to tell them apart; of times with censoring, customers who got there.
    Rare,
    /// Some customers have several times each. No test here allows for that, and one that takes them as independent finds differences where there
    /// are none.
    Repeated,
}

/// One rate with and without the strata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimpsonRow {
    /// What is measured.
    pub kind: String,
    /// Which one.
    pub key: Vec<String>,
    /// Kind and key for people.
    pub label: String,
    /// The first group.
    pub a: String,
    /// The second group, or the baseline.
    pub b: String,
    /// What to make of it.
    pub verdict: SimpsonVerdict,
    /// The difference with all strata thrown together.
    pub pooled: Estimate,
    /// The difference within strata, Mantel–Haenszel, its interval widened by the design effect of the pooled rates.
    pub stratified: Estimate,
    /// p that the strata agree, as if observations were as many as they are worth.
    pub homogeneity_p: Option<f64>,
    /// The strata in which both groups occur, by name.
    pub strata: Vec<StratumRow>,
}

/// One rate within one stratum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StratumRow {
    /// The attribute's value.
    pub stratum: String,
    /// The first group.
    pub a: Side,
    /// The second group.
    pub b: Side,
    /// First minus second.
    pub difference: Option<Estimate>,
}

/// Two groups that share customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PairOverlap {
    /// One group.
    pub a: String,
    /// The other.
    pub b: String,
    /// Customers with journeys in both.
    pub customers: u64,
    /// Journeys that are in both.
    pub journeys: u64,
}

impl Report for CompareReport {
    fn title(&self) -> &'static str {
        "Comparison"
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.differences(), self.groups_table()];
        if self.stratified_by.is_some() {
            tables.push(self.simpson_table());
            tables.push(self.strata_table());
        }
        if !self.overlap.is_empty() {
            tables.push(self.overlap_table());
        }
        tables
    }

    crate::report::held!();
}

/// A column made of one cell per row.
fn texts<T>(rows: &[T], f: impl Fn(&T) -> &str) -> Cells {
    Cells::Text(rows.iter().map(|r| Some(f(r).to_owned())).collect())
}

fn counts<T>(rows: &[T], f: impl Fn(&T) -> Option<u64>) -> Cells {
    Cells::Count(rows.iter().map(f).collect())
}

fn estimates<T>(rows: &[T], f: impl Fn(&T) -> Option<Estimate>) -> Cells {
    Cells::Estimate(rows.iter().map(f).collect())
}

fn probabilities<T>(rows: &[T], f: impl Fn(&T) -> Option<f64>) -> Cells {
    Cells::Probability(rows.iter().map(f).collect())
}

fn why(row: &ComparisonRow) -> Option<String> {
    let word = match (row.test, row.untested) {
        (Some(test), _) => test.label(),
        (None, Some(Untested::TooFew)) => "too few",
        (None, Some(Untested::Rare)) => "too rare to test",
        (None, Some(Untested::Repeated)) => "customers repeat",
        (None, None) => return None,
    };
    Some(word.to_owned())
}

impl CompareReport {
    fn differences(&self) -> Table {
        let rows = &self.rows;
        Table::new("differences", format!("Differences by {}", self.by))
            .with("measure", "Measure", texts(rows, |r| &r.label))
            .with("group_a", "Group", texts(rows, |r| &r.a.group))
            .with("group_b", "Compared with", texts(rows, |r| &r.b.group))
            .with("a", "Value", estimates(rows, |r| r.a.estimate))
            .with("b", "Compared value", estimates(rows, |r| r.b.estimate))
            .with("n_a", "n", counts(rows, |r| Some(r.a.n)))
            .with("n_b", "n compared", counts(rows, |r| Some(r.b.n)))
            .with(
                "difference",
                "Difference",
                estimates(rows, |r| r.difference),
            )
            .with("effect", "Effect size", estimates(rows, |r| r.effect))
            .with(
                "at",
                "By",
                Cells::Duration(rows.iter().map(|r| r.at).collect()),
            )
            .with("p", "p", probabilities(rows, |r| r.p))
            .with("q", "q", probabilities(rows, |r| r.q))
            .with("test", "Test", Cells::Text(rows.iter().map(why).collect()))
    }

    fn groups_table(&self) -> Table {
        let rows = &self.groups;
        let flags =
            |f: fn(&ComparedGroup) -> bool| Cells::Flag(rows.iter().map(|r| Some(f(r))).collect());
        Table::new("groups", format!("Groups by {}", self.by))
            .with("group", self.by.clone(), texts(rows, |r| &r.name))
            .with("journeys", "Journeys", counts(rows, |r| Some(r.n_journeys)))
            .with(
                "customers",
                "Customers",
                counts(rows, |r| Some(r.n_customers)),
            )
            .with("compared", "Compared", flags(|r| r.compared))
            .with("baseline", "Baseline", flags(|r| r.baseline))
    }

    fn simpson_table(&self) -> Table {
        let rows = &self.simpson;
        let by = self.stratified_by.as_deref().unwrap_or_default();
        let turned = |row: &SimpsonRow| {
            let sign = row.pooled.value;
            let names: Vec<&str> = row
                .strata
                .iter()
                .filter(|s| s.difference.is_some_and(|d| d.value * sign < 0.0))
                .map(|s| s.stratum.as_str())
                .collect();
            Some(names.join(", "))
        };
        Table::new("simpson", format!("Rates within {by}"))
            .with("measure", "Measure", texts(rows, |r| &r.label))
            .with("group_a", "Group", texts(rows, |r| &r.a))
            .with("group_b", "Compared with", texts(rows, |r| &r.b))
            .with("verdict", "Verdict", texts(rows, |r| verdict(r.verdict)))
            .with("pooled", "Difference", estimates(rows, |r| Some(r.pooled)))
            .with(
                "stratified",
                format!("Difference within {by}"),
                estimates(rows, |r| Some(r.stratified)),
            )
            .with(
                "strata",
                "Strata",
                counts(rows, |r| Some(r.strata.len() as u64)),
            )
            .with(
                "turned",
                "Turned round in",
                Cells::Text(rows.iter().map(turned).collect()),
            )
            .with(
                "homogeneity_p",
                "p that strata agree",
                probabilities(rows, |r| r.homogeneity_p),
            )
    }

    fn strata_table(&self) -> Table {
        let rows: Vec<(&SimpsonRow, &StratumRow)> = self
            .simpson
            .iter()
            .flat_map(|r| r.strata.iter().map(move |s| (r, s)))
            .collect();
        let by = self.stratified_by.clone().unwrap_or_default();
        Table::new("strata", format!("Rates in each {by}"))
            .with("measure", "Measure", texts(&rows, |r| &r.0.label))
            .with("stratum", by, texts(&rows, |r| &r.1.stratum))
            .with("group_a", "Group", texts(&rows, |r| &r.1.a.group))
            .with("group_b", "Compared with", texts(&rows, |r| &r.1.b.group))
            .with("a", "Value", estimates(&rows, |r| r.1.a.estimate))
            .with("b", "Compared value", estimates(&rows, |r| r.1.b.estimate))
            .with("n_a", "n", counts(&rows, |r| Some(r.1.a.n)))
            .with("n_b", "n compared", counts(&rows, |r| Some(r.1.b.n)))
            .with(
                "difference",
                "Difference",
                estimates(&rows, |r| r.1.difference),
            )
    }

    fn overlap_table(&self) -> Table {
        let rows = &self.overlap;
        Table::new("overlap", "Groups that share customers")
            .with("group_a", "Group", texts(rows, |r| &r.a))
            .with("group_b", "And", texts(rows, |r| &r.b))
            .with(
                "customers",
                "Customers in both",
                counts(rows, |r| Some(r.customers)),
            )
            .with(
                "journeys",
                "Journeys in both",
                counts(rows, |r| Some(r.journeys)),
            )
    }
}

fn verdict(verdict: SimpsonVerdict) -> &'static str {
    match verdict {
        SimpsonVerdict::Reversed => "reversed",
        SimpsonVerdict::PossiblyReversed => "possibly reversed",
        SimpsonVerdict::Vanishes => "vanishes within strata",
        SimpsonVerdict::Appears => "appears within strata",
        SimpsonVerdict::Heterogeneous => "strata differ",
        _ => "consistent",
    }
}
