//! One measure in two groups.

use desireline_stats::hypothesis::cliffs_delta;
use desireline_stats::{
    ClusteredTimes, Clusters, Distribution, Estimate, KaplanMeier, TestMethod, clopper_pearson,
    clustered_difference, difference, log_rank_clustered, mann_whitney_grouped, wilson,
    wilson_clustered,
};

use super::finish::Key;
use super::report::{ComparisonRow, Side, Untested};
use crate::engine::MeasureData;
use crate::error::Result;

/// What decides over a difference.
pub(super) struct Judge {
    pub(super) level: f64,
    pub(super) min_n: u64,
}

/// What is known of one difference; the rest of a row is names.
#[derive(Default)]
struct Found {
    estimates: (Option<Estimate>, Option<Estimate>),
    difference: Option<Estimate>,
    effect: Option<Estimate>,
    at: Option<i64>,
    test: Option<(f64, TestMethod)>,
    untested: Option<Untested>,
}

/// Kind and key for people.
pub(super) fn label(kind: &str, key: &[String]) -> String {
    let kind = kind.replace('_', " ");
    match key.is_empty() {
        true => kind,
        false => format!("{kind}: {}", key.join(" › ")),
    }
}

impl Judge {
    /// The row; `None` where neither group knows the measure, or they know it as different things.
    pub(super) fn row(
        &self,
        (kind, key): &Key,
        (name_a, a): (&str, Option<MeasureData>),
        (name_b, b): (&str, Option<MeasureData>),
    ) -> Result<Option<ComparisonRow>> {
        let (n_a, n_b) = (a.as_ref().map_or(0, n_of), b.as_ref().map_or(0, n_of));
        if n_a == 0 && n_b == 0 {
            return Ok(None);
        }
        let least = self.min_n.max(1);
        let found = match (&a, &b) {
            (Some(MeasureData::Rate(a)), Some(MeasureData::Rate(b))) if n_a.min(n_b) >= least => {
                self.rates(a, b)
            }
            (
                Some(MeasureData::Times {
                    times: a,
                    one_each: x,
                }),
                Some(MeasureData::Times {
                    times: b,
                    one_each: y,
                }),
            ) if n_a.min(n_b) >= least => self.times(a, b, *x && *y)?,
            (Some(MeasureData::Survival(a)), Some(MeasureData::Survival(b)))
                if n_a.min(n_b) >= least =>
            {
                self.survival(a, b)?
            }
            _ => Found {
                untested: Some(Untested::TooFew),
                ..Found::default()
            },
        };
        let side = |name: &str, n, data: &Option<MeasureData>, estimate| Side {
            group: name.to_owned(),
            n,
            count: data.as_ref().and_then(count_of),
            estimate,
        };
        Ok(Some(ComparisonRow {
            kind: (*kind).to_owned(),
            key: key.clone(),
            label: label(kind, key),
            a: side(name_a, n_a, &a, found.estimates.0),
            b: side(name_b, n_b, &b, found.estimates.1),
            difference: found.difference,
            effect: found.effect,
            at: found.at,
            p: found.test.map(|t| t.0),
            q: None,
            test: found.test.map(|t| t.1),
            untested: found.untested,
        }))
    }

    /// The interval of a rate: plain Wilson where every customer has one observation, so that differences are Newcombe's.
    pub(super) fn rate(&self, clusters: &Clusters) -> Option<Estimate> {
        if clusters.nn == u128::from(clusters.n) {
            wilson(clusters.k, clusters.n, self.level)
        } else {
            wilson_clustered(clusters, self.level)
        }
    }

    fn rates(&self, a: &Clusters, b: &Clusters) -> Found {
        let (of_a, of_b) = (self.rate(a), self.rate(b));
        let apart = of_a.zip(of_b).and_then(|(a, b)| difference(&a, &b));
        let successes = a.k.saturating_add(b.k);
        let failures = a.n.saturating_add(b.n).saturating_sub(successes);
        let rare = successes.min(failures) < self.min_n;
        let test = clustered_difference(a, b).filter(|_| !rare);
        Found {
            estimates: (of_a, of_b),
            difference: apart,
            effect: apart,
            test: test.map(|t| (t.p, t.method)),
            untested: rare.then_some(Untested::Rare),
            at: None,
        }
    }

    /// Without a test unless no customer has several times.
    fn times(&self, a: &Distribution, b: &Distribution, one_each: bool) -> Result<Found> {
        let (of_a, of_b) = (
            a.quantile_estimate(0.5, self.level),
            b.quantile_estimate(0.5, self.level),
        );
        let counts = |times: &Distribution| {
            if a.is_exact() && b.is_exact() {
                times.counts().collect()
            } else {
                times.bin_counts()
            }
        };
        let (counts_a, counts_b) = (counts(a), counts(b));
        let test = match one_each {
            true => mann_whitney_grouped(&counts_a, &counts_b)?,
            false => None,
        };
        Ok(Found {
            estimates: (of_a, of_b),
            difference: of_a.zip(of_b).and_then(|(a, b)| difference(&a, &b)),
            effect: cliffs_delta(&counts_a, &counts_b, self.level)?,
            test: test.map(|t| (t.test.p, t.test.method)),
            untested: (!one_each).then_some(Untested::Repeated),
            at: None,
        })
    }

    fn survival(&self, a: &ClusteredTimes, b: &ClusteredTimes) -> Result<Found> {
        let got_there = a.customers_with_event() + b.customers_with_event();
        let test = match got_there < self.min_n {
            true => None,
            false => log_rank_clustered(a, b)?.map(|t| (t.p, t.method)),
        };
        let (a, b) = (
            KaplanMeier::from_counts(&a.counts(), self.level)?,
            KaplanMeier::from_counts(&b.counts(), self.level)?,
        );
        let at = self
            .watched(&a)
            .zip(self.watched(&b))
            .map(|(a, b)| a.min(b));
        let by = |curve: &KaplanMeier| at.and_then(|at| reached(curve, at, self.level));
        let shares = (by(&a), by(&b));
        let effect = shares.0.zip(shares.1).and_then(|(a, b)| difference(&a, &b));
        let medians = (a.quantile(0.5), b.quantile(0.5));
        let apart = medians
            .0
            .zip(medians.1)
            .and_then(|(a, b)| difference(&a, &b));
        let in_time = apart.is_some();
        Ok(Found {
            estimates: if in_time { medians } else { shares },
            difference: apart.or(effect),
            effect,
            at: at.filter(|_| !in_time),
            untested: test.is_none().then_some(Untested::Rare),
            test,
        })
    }

    /// The last time at which enough are still under watch.
    fn watched(&self, curve: &KaplanMeier) -> Option<i64> {
        let least = self.min_n.max(1);
        let steps = curve.steps();
        let enough = steps.partition_point(|step| step.at_risk >= least);
        Some(steps.get(enough.checked_sub(1)?)?.time)
    }
}

/// The share that got there by `time`.
fn reached(curve: &KaplanMeier, time: i64, level: f64) -> Option<Estimate> {
    match curve.steps().first() {
        Some(first) if time < first.time => clopper_pearson(0, curve.n(), level),
        _ => curve.at(time).map(Estimate::complement),
    }
}

fn n_of(data: &MeasureData) -> u64 {
    match data {
        MeasureData::Rate(clusters) => clusters.n,
        MeasureData::Times { times, .. } => times.n(),
        MeasureData::Survival(times) => times.n(),
    }
}

fn count_of(data: &MeasureData) -> Option<u64> {
    match data {
        MeasureData::Rate(clusters) => Some(clusters.k),
        MeasureData::Times { .. } => None,
        MeasureData::Survival(times) => Some(times.events()),
    }
}
