//! Rates within the strata of an attribute: does the mix make the difference?

use std::collections::BTreeMap;

use desireline_stats::stratified::{SimpsonVerdict, Stratum};
use desireline_stats::{Clusters, Estimate, difference, mantel_haenszel};

use super::finish::{Key, Known};
use super::report::{ComparisonRow, Side, SimpsonRow, StratumRow};
use super::rows::Judge;
use crate::engine::{Grouping, MeasureData};

/// The measures of each stratum of each group.
type Within = BTreeMap<usize, Vec<BTreeMap<Key, MeasureData>>>;

/// The tested rates again, stratified; the most turned round first.
pub(super) fn check(
    judge: &Judge,
    strata: &Grouping,
    found: &[((usize, usize), Key, ComparisonRow)],
    within: &Within,
) -> Vec<SimpsonRow> {
    let mut rows: Vec<SimpsonRow> = found
        .iter()
        .filter(|r| r.2.untested.is_none())
        .filter_map(|(pair, key, row)| one(judge, strata, *pair, key, row, within))
        .collect();
    let moved = |row: &SimpsonRow| (row.pooled.value - row.stratified.value).abs();
    rows.sort_by(|a, b| {
        rank(a.verdict)
            .cmp(&rank(b.verdict))
            .then_with(|| moved(b).total_cmp(&moved(a)))
            .then_with(|| (&a.kind, &a.key, &a.a, &a.b).cmp(&(&b.kind, &b.key, &b.a, &b.b)))
    });
    rows
}

fn rank(verdict: SimpsonVerdict) -> u8 {
    match verdict {
        SimpsonVerdict::Reversed => 0,
        SimpsonVerdict::PossiblyReversed => 1,
        SimpsonVerdict::Vanishes => 2,
        SimpsonVerdict::Appears => 3,
        SimpsonVerdict::Heterogeneous => 4,
        _ => 5,
    }
}

fn one(
    judge: &Judge,
    strata: &Grouping,
    (a, b): (usize, usize),
    key: &Key,
    row: &ComparisonRow,
    within: &Within,
) -> Option<SimpsonRow> {
    let pooled = row.difference?;
    // A path that nobody took in a stratum is a rate of 0 there, as it is in a whole group.
    let of = |group: usize, stratum: usize| match Known::new(within.get(&group)?.get(stratum)?)
        .get(key)?
    {
        MeasureData::Rate(clusters) if clusters.n > 0 => Some(clusters),
        _ => None,
    };
    let mut shared: Vec<(&str, Clusters, Clusters)> = (0..strata.n_groups())
        .filter_map(|s| Some((strata.name(s), of(a, s)?, of(b, s)?)))
        .collect();
    shared.sort_by(|x, y| {
        (y.1.n + y.2.n)
            .cmp(&(x.1.n + x.2.n))
            .then_with(|| x.0.cmp(y.0))
    });

    let tables: Vec<Stratum> = shared
        .iter()
        .map(|(_, a, b)| {
            [
                [a.k, a.n.saturating_sub(a.k)],
                [b.k, b.n.saturating_sub(b.k)],
            ]
        })
        .collect();
    let inflation = inflation(&shared);
    let plain = mantel_haenszel(&tables, judge.level)?;
    let stratified = widened(plain.risk_difference, inflation)?;
    // For the test that strata agree, observations count for what they are worth.
    let worth = |n: u64| (n as f64 / inflation).round() as u64;
    let shrunk: Vec<Stratum> = tables.iter().map(|t| t.map(|row| row.map(worth))).collect();
    let homogeneity = mantel_haenszel(&shrunk, judge.level).and_then(|m| m.homogeneity);

    let (mut higher, mut lower, mut equal) = (0, 0, 0);
    for (_, a, b) in &shared {
        // Cross products, so that no rounding decides on a sign.
        let (left, right) = (
            u128::from(a.k) * u128::from(b.n),
            u128::from(b.k) * u128::from(a.n),
        );
        match left.cmp(&right) {
            std::cmp::Ordering::Greater => higher += 1,
            std::cmp::Ordering::Less => lower += 1,
            std::cmp::Ordering::Equal => equal += 1,
        }
    }
    let verdict = SimpsonVerdict::of(
        &pooled,
        &stratified,
        homogeneity.as_ref(),
        (higher, lower, equal),
    );
    let side = |group: &str, clusters: &Clusters| Side {
        group: group.to_owned(),
        n: clusters.n,
        count: Some(clusters.k),
        estimate: judge.rate(clusters).filter(|_| clusters.n >= judge.min_n),
    };
    let rows = shared.iter().map(|(name, a, b)| {
        let (a, b) = (side(&row.a.group, a), side(&row.b.group, b));
        StratumRow {
            stratum: (*name).to_owned(),
            difference: a
                .estimate
                .zip(b.estimate)
                .and_then(|(a, b)| difference(&a, &b)),
            a,
            b,
        }
    });
    Some(SimpsonRow {
        kind: row.kind.clone(),
        key: row.key.clone(),
        label: row.label.clone(),
        a: row.a.group.clone(),
        b: row.b.group.clone(),
        verdict,
        pooled,
        stratified,
        homogeneity_p: homogeneity.map(|t| t.p),
        strata: rows.collect(),
    })
}

/// Observations over what they are worth, all strata together; 1 when every customer has one.
fn inflation(shared: &[(&str, Clusters, Clusters)]) -> f64 {
    let all = || shared.iter().flat_map(|(_, a, b)| [a, b]);
    let n: f64 = all().map(|c| c.n as f64).sum();
    let worth: f64 = all().filter_map(Clusters::effective_n).sum();
    if worth > 0.0 {
        (n / worth).max(1.0)
    } else {
        1.0
    }
}

fn widened(estimate: Estimate, inflation: f64) -> Option<Estimate> {
    let factor = inflation.sqrt();
    let value = estimate.value;
    let limits = (
        (value - (value - estimate.lower) * factor).max(-1.0),
        (value + (estimate.upper - value) * factor).min(1.0),
    );
    Estimate::new(
        value,
        limits,
        estimate.level,
        estimate.n,
        estimate.method,
        estimate.unit,
    )
}
