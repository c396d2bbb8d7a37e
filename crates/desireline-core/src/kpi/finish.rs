//! From sums to numbers with their intervals.

use desireline_stats::bootstrap::MOST_CUSTOMERS;
use desireline_stats::mean::ClusteredMoments;
use desireline_stats::{
    Estimate, KaplanMeier, Unit, bootstrap_t, control, garwood, goodman_clustered, ratio_estimate,
    wilson, wilson_clustered,
};

use super::plan::{Finish, Kernel, KpiPlan, SpendOf};
use super::report::{KpiLimits, KpiPeriod, KpiReport, KpiSetting, KpiValue};
use super::tally::KpiPartial;
use crate::error::Result;
use crate::map::Date;
use crate::report::Caveat;

mod buyers;

/// How often a series without any change sounds an alarm.
pub(super) const FALSE_ALARMS: f64 = 0.05;

pub(super) fn finish(plan: &KpiPlan, partial: &KpiPartial) -> Result<KpiReport> {
    let known = plan.definition.known;
    let mut report = KpiReport {
        number: known.number.to_owned(),
        name: known.name.to_owned(),
        variant: plan.variant.name.to_owned(),
        question: plan.definition.question.to_owned(),
        formula: plan.variant.formula.to_owned(),
        population: plan.variant.population.to_owned(),
        unit: plan.variant.unit,
        higher_is_better: plan.variant.higher_is_better(known),
        currency: plan.currency.as_ref().map(|c| c.0.clone()),
        currency_exponent: plan.currency.as_ref().map_or(0, |c| c.1),
        settings: plan
            .settings
            .iter()
            .map(|(name, value)| KpiSetting {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
        values: Vec::new(),
        series: Vec::new(),
        model: Vec::new(),
        caveats: plan
            .notes
            .iter()
            .map(|text| Caveat::Note { text: text.clone() })
            .collect(),
    };
    match &plan.finish {
        Finish::Buyers(buying) => buyers::finish(plan, *buying, partial, &mut report)?,
        Finish::Outside(outside) => outside.finish(plan, &mut report)?,
        _ => {
            report.values = values(plan, partial, None)?;
            for period in 0..plan.periods.len() {
                report.series.extend(values(plan, partial, Some(period))?);
            }
        }
    }
    watch(&mut report);
    let excluded: u64 = report.values.iter().map(|v| v.excluded).max().unwrap_or(0);
    if excluded > 0 {
        report.caveats.push(Caveat::Note {
            text: format!(
                "{} left out because it is not yet known how they end",
                crate::report::counted(excluded, "unit")
            ),
        });
    }
    let partly = report
        .series
        .iter()
        .filter(|v| v.period.as_ref().is_some_and(|p| !p.complete))
        .count();
    if partly > 0 {
        report.caveats.push(Caveat::Note {
            text: format!(
                "the log covers {} of the series in part",
                crate::report::counted(partly as u64, "period")
            ),
        });
    }
    Ok(report)
}

/// Holds every whole period against those before it.
fn watch(report: &mut KpiReport) {
    let keys: std::collections::BTreeSet<Option<String>> =
        report.series.iter().map(|v| v.key.clone()).collect();
    let mut tested = 0;
    for key in &keys {
        let whole = |v: &KpiValue| {
            v.key == *key && v.period.as_ref().is_some_and(|p| p.complete) && v.estimate.is_some()
        };
        let numbers: Vec<f64> = report
            .series
            .iter()
            .filter(|v| whole(v))
            .filter_map(|v| Some(v.estimate?.value))
            .collect();
        // All keys of a report share one rate of false alarms.
        #[allow(clippy::cast_precision_loss)] // few
        let limits = control::control_limits(&numbers, FALSE_ALARMS / keys.len() as f64);
        for (value, limit) in report.series.iter_mut().filter(|v| whole(v)).zip(limits) {
            value.limits = limit.map(|l| KpiLimits {
                lower: l.lower,
                upper: l.upper,
                p: l.p,
                out: l.out,
            });
            tested += usize::from(limit.is_some());
        }
    }
    if tested > 0 {
        report.caveats.push(Caveat::Note {
            text: format!(
                "periods are held against all whole ones before them; a series without any change sounds an alarm in {} % of cases",
                FALSE_ALARMS * 100.0
            ),
        });
    }
}

/// The days of a period, or none for all of the log.
pub(super) fn window(plan: &KpiPlan, period: Option<usize>) -> Option<(Date, Date)> {
    plan.periods.dates(period?)
}

fn values(plan: &KpiPlan, partial: &KpiPartial, period: Option<usize>) -> Result<Vec<KpiValue>> {
    let n_keys = plan.n_keys();
    let base = period.map_or(0, |p| (1 + p) * n_keys);
    let named = period.and_then(|p| {
        let (from, to) = plan.periods.bounds(p)?;
        Some(KpiPeriod {
            name: plan.periods.name(p),
            from,
            to,
            complete: plan.periods.is_complete(p),
        })
    });
    let mut values: Vec<KpiValue> = (0..n_keys)
        .map(|key| {
            let bucket = partial.buckets.get(base + key).copied().unwrap_or_default();
            let times = partial.times.get(base + key);
            KpiValue {
                period: named.clone(),
                key: plan.keys.get(key).cloned(),
                count: i64::try_from(bucket.sums.sum).ok(),
                n: times.map_or(bucket.sums.n, desireline_stats::ClusteredTimes::n),
                customers: bucket.sums.m,
                excluded: bucket.excluded,
                ..KpiValue::default()
            }
        })
        .collect();
    if let Finish::Shares = plan.finish {
        let sums: Option<Vec<_>> = (0..n_keys)
            .map(|k| partial.buckets.get(base + k)?.sums.to_clusters())
            .collect();
        let all = sums.and_then(|s| goodman_clustered(&s, plan.level));
        for (value, estimate) in values.iter_mut().zip(all.into_iter().flatten()) {
            value.estimate = Some(estimate);
        }
    } else if let Finish::Spend { table, what } = &plan.finish {
        return spend(plan, partial, (period, base), table, *what, values);
    } else {
        for (key, value) in values.iter_mut().enumerate() {
            let place = base + key;
            if plan.kernel_hides(key) {
                continue;
            }
            value.estimate = estimate(plan, partial, place, period, value)?;
        }
    }
    for value in &mut values {
        hole(plan, value);
    }
    if n_keys > 1 {
        let mut key = 0;
        values.retain(|v| {
            let bucket = partial.buckets.get(base + key);
            key += 1;
            // A channel that was used and reaches nobody alone is a 0, not nothing.
            let is_used = bucket.is_some_and(|b| b.sums.n > 0);
            (v.n > 0 || v.excluded > 0 || is_used) && !plan.kernel_hides(key - 1)
        });
        // Kinds stand in the order in which they are asked for; names by size.
        if !matches!(plan.kernel, Kernel::Visits { .. } | Kernel::Friction { .. }) {
            values.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.key.cmp(&b.key)));
        }
    }
    Ok(values)
}

/// Too few units have no number.
pub(super) fn hole(plan: &KpiPlan, value: &mut KpiValue) {
    let counts = matches!(plan.finish, Finish::Count | Finish::Population(_));
    if value.n < plan.min_n && !counts {
        value.estimate = None;
    }
    if value.estimate.is_none() && value.hole.is_none() {
        value.hole = Some(match (value.n, value.excluded) {
            (0, 0) => "nothing to measure".to_owned(),
            (0, left) => format!("of {left} none is old enough"),
            (n, _) if n < plan.min_n => format!("too few (n={n})"),
            _ => "the data leave it open".to_owned(),
        });
    }
}

#[allow(clippy::cast_precision_loss)] // counts of customers
fn estimate(
    plan: &KpiPlan,
    partial: &KpiPartial,
    place: usize,
    period: Option<usize>,
    value: &mut KpiValue,
) -> Result<Option<Estimate>> {
    let Some(bucket) = partial.buckets.get(place) else {
        return Ok(None);
    };
    let (sums, level) = (&bucket.sums, plan.level);
    Ok(match &plan.finish {
        Finish::Share { complement } => {
            let share = share(sums, level);
            value.count = match complement {
                true => value.count.map(|c| value.n as i64 - c),
                false => value.count,
            };
            if *complement {
                share.map(Estimate::complement)
            } else {
                share
            }
        }
        Finish::Friction => share(sums, level).map(|e| match value.key.as_deref() {
            Some("index") => Estimate {
                value: e.value * 100.0,
                lower: e.lower * 100.0,
                upper: e.upper * 100.0,
                unit: Unit::Ratio,
                ..e
            },
            _ => e,
        }),
        Finish::Ratio => sums.to_clusters().and_then(|c| match c.k {
            // Nobody did: so many customers without a single one.
            0 if c.n > 0 => Estimate::new(
                0.0,
                (0.0, garwood(0, level)?.upper / c.n as f64),
                level,
                c.n,
                desireline_stats::Method::Garwood,
                Unit::Ratio,
            ),
            _ => ratio_estimate(&c, level),
        }),
        Finish::Mean { unit } => {
            bootstrap_t(pairs(partial, place), plan.seed, level).map(|e| e.with_unit(*unit))
        }
        Finish::Count => {
            if let Kernel::Reach { only: true, .. } = plan.kernel {
                // Who came through another channel, too, only says that this one was used at all.
                value.n = u64::try_from(sums.sum).unwrap_or(0);
                value.customers = value.n;
            }
            garwood(value.n, level)
        }
        Finish::Total => total(pairs(partial, place), sums.m, plan.seed, level),
        Finish::Quantile(q) => {
            let Some(times) = partial.times.get(place).filter(|t| t.n() > 0) else {
                return Ok(None);
            };
            value.customers = times.customers();
            let curve = KaplanMeier::from_counts(&times.counts(), level)?;
            let limits = curve.quantile_limits(*q);
            let effect = limits.map_or(1.0, |found| times.design_effect(found.time, level));
            let found = curve.quantile_widened(*q, effect);
            if found.is_none() && value.n >= plan.min_n {
                let share = if *q > 0.5 { "nine in ten" } else { "half" };
                let n = value.n;
                value.hole = Some(match limits {
                    None => format!("fewer than {share} of {n} moved on, so there is no such time"),
                    Some(_) => format!(
                        "hardly more than {share} of {n} moved on: when {share} had cannot be told"
                    ),
                });
            }
            found
        }
        Finish::By(time) => {
            let Some(counts) = partial
                .times
                .get(place)
                .map(|t| t.counts())
                .filter(|c| !c.is_empty())
            else {
                return Ok(None);
            };
            value.customers = value.n;
            let curve = KaplanMeier::from_counts(&counts, level)?;
            value.count = i64::try_from(curve.events()).ok();
            match curve.steps().first() {
                // Before the first time nobody has, and all are watched.
                Some(first) if *time < first.time => wilson(0, value.n, level),
                _ => curve
                    .at(*time)
                    .map(|e| Estimate { n: value.n, ..e }.complement()),
            }
        }
        Finish::Direct => partial.least.and_then(|least| {
            let e = ratio_estimate(&sums.to_clusters()?, level)?;
            let least = least as f64;
            Estimate::new(
                least / e.value,
                (
                    least / e.upper,
                    (least / e.lower).min(1.0).max(least / e.value),
                ),
                level,
                e.n,
                e.method,
                Unit::Proportion,
            )
        }),
        Finish::Population(size) => {
            let reached = sums.m;
            value.n = *size as u64;
            value.count = i64::try_from(reached).ok();
            if reached > value.n {
                value.hole = Some(format!(
                    "{reached} were reached of a population of {}",
                    value.n
                ));
                None
            } else {
                wilson(reached, value.n, level)
            }
        }
        Finish::Cost(table) => {
            let spent = table.sum("spend", window(plan, period))?;
            let count = garwood(sums.n, level);
            match (spent, count) {
                (Some(spent), Some(count)) if count.value > 0.0 => {
                    let scale = 10_f64.powi(
                        plan.currency
                            .as_ref()
                            .map_or(2, |c| i32::try_from(c.1).unwrap_or(0)),
                    );
                    let per = |n: f64| spent * scale / n;
                    Estimate::new(
                        per(count.value),
                        (per(count.upper), per(count.lower)),
                        level,
                        sums.n,
                        count.method,
                        Unit::MoneyMinor,
                    )
                }
                (None, _) => {
                    value.hole = Some("the table has no spend for this time".to_owned());
                    None
                }
                _ => None,
            }
        }
        Finish::Shares | Finish::Spend { .. } | Finish::Buyers(_) | Finish::Outside(_) => None,
    })
}

/// Wilson's interval, clustered where one customer gives several units.
fn share(sums: &ClusteredMoments, level: f64) -> Option<Estimate> {
    let clusters = sums.to_clusters()?;
    match clusters.nn == u128::from(clusters.n) && clusters.k <= clusters.n {
        true => wilson(clusters.k, clusters.n, level),
        // More above than below the line: a ratio then.
        false if clusters.k > clusters.n => ratio_estimate(&clusters, level),
        false => wilson_clustered(&clusters, level),
    }
}

/// What each customer has above and below the line.
fn pairs(partial: &KpiPartial, place: usize) -> &[(i64, u32)] {
    partial.pairs.get(place).map_or(&[], Vec::as_slice)
}

/// A sum over so many customers, as far as other customers like these would have given another one; those who are not among the pairs have nothing.
fn total(pairs: &[(i64, u32)], customers: u64, seed: u64, level: f64) -> Option<Estimate> {
    let all = customers.max(pairs.len() as u64);
    let mean = if all > MOST_CUSTOMERS as u64 {
        let mut sums = ClusteredMoments::default();
        pairs.iter().for_each(|p| sums.add(p.0.into(), 1));
        (sums.m, sums.n, sums.size_square_sum) = (all, all, all.into());
        sums.mean(level)?
    } else {
        let mut each: Vec<(i64, u32)> = pairs.iter().map(|p| (p.0, 1)).collect();
        each.resize(usize::try_from(all).ok()?, (0, 1));
        bootstrap_t(&each, seed, level)?
    };
    #[allow(clippy::cast_precision_loss)] // counts of customers
    let of = |x: f64| x * all as f64;
    let limits = (of(mean.lower), of(mean.upper));
    let value = of(mean.value).clamp(limits.0, limits.1);
    Estimate::new(
        value,
        limits,
        level,
        customers,
        mean.method,
        Unit::MoneyMinor,
    )
}

/// What goals are worth, or cost, by the channel that they are owed to.
#[allow(clippy::cast_precision_loss)] // counts and money far below 2^53
fn spend(
    plan: &KpiPlan,
    partial: &KpiPartial,
    (period, base): (Option<usize>, usize),
    table: &super::external::ExternalTable,
    what: SpendOf,
    values: Vec<KpiValue>,
) -> Result<Vec<KpiValue>> {
    let scale = 10_f64.powi(
        plan.currency
            .as_ref()
            .map_or(0, |c| i32::try_from(c.1).unwrap_or(0)),
    );
    let costs = table.sums_by("channel", "spend", window(plan, period))?;
    let template = values.first().cloned().unwrap_or_default();
    let mut rows = Vec::with_capacity(costs.len());
    for (channel, cost) in costs {
        let place = plan.keys.iter().position(|k| *k == channel);
        let bucket = place
            .and_then(|p| partial.buckets.get(base + p))
            .copied()
            .unwrap_or_default();
        let mut row = KpiValue {
            key: Some(channel),
            count: i64::try_from(bucket.sums.n).ok(),
            n: bucket.sums.n,
            customers: bucket.sums.m,
            excluded: 0,
            ..template.clone()
        };
        if cost <= 0.0 {
            row.hole = Some("nothing was spent on it".to_owned());
        } else {
            row.estimate = match what {
                SpendOf::Roas => total(
                    place.map_or(&[], |p| pairs(partial, base + p)),
                    partial.customers,
                    plan.seed,
                    plan.level,
                )
                .and_then(|t| {
                    let of = |x: f64| x / scale / cost;
                    Estimate::new(
                        of(t.value),
                        (of(t.lower), of(t.upper)),
                        t.level,
                        row.n,
                        t.method,
                        Unit::Ratio,
                    )
                }),
                SpendOf::CostPerGoal => garwood(row.n, plan.level)
                    .filter(|g| g.value > 0.0)
                    .and_then(|g| {
                        let of = |x: f64| cost * scale / x;
                        Estimate::new(
                            of(g.value),
                            (of(g.upper), of(g.lower)),
                            g.level,
                            row.n,
                            g.method,
                            Unit::MoneyMinor,
                        )
                    }),
                SpendOf::Idle => garwood(row.n, plan.level)
                    .filter(|_| row.n == 0)
                    .and_then(|g| {
                        // All of it, as far as no goal at all was seen.
                        Estimate::new(
                            cost * scale,
                            (cost * scale, cost * scale),
                            g.level,
                            0,
                            g.method,
                            Unit::MoneyMinor,
                        )
                    }),
            };
            if row.estimate.is_none() {
                row.hole = Some(match what {
                    SpendOf::Idle => format!("{} goals are owed to it", row.n),
                    _ => "no goal is owed to it".to_owned(),
                });
            }
        }
        rows.push(row);
    }
    Ok(rows)
}
