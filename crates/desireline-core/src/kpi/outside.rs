//! KPIs whose numbers stand in tables and not in the log.

use std::sync::Arc;

use desireline_stats::bootstrap::FEWEST_CUSTOMERS;
use desireline_stats::{Clusters, Estimate, Unit, bootstrap_t, wilson_clustered};

use super::external::ExternalTable;
use super::finish::{hole, window};
use super::plan::KpiPlan;
use super::report::{KpiPeriod, KpiReport, KpiValue};
use super::spec::Asked;
use super::voice::{self, Voice};
use crate::error::{Result, SpecError};

/// What is read from a table.
#[derive(Clone, Debug)]
pub(super) enum Outside {
    /// Where we stand in search results.
    Rank {
        table: Arc<ExternalTable>,
        best: Option<f64>,
    },
    /// What customers say.
    Voice(Voice),
}

pub(super) fn bind(asked: &Asked<'_>) -> Result<Outside, SpecError> {
    match asked.definition.known.number {
        "K13" => {
            let table = asked.table("source", "position").ok_or_else(|| {
                asked.needs(
                    "where pages stand in search results",
                    "give a table with days and the numbers `position` and `impressions`: `--external FILE`, `external=`",
                )
            })?;
            table.number("position")?;
            table.number("impressions")?;
            Ok(Outside::Rank {
                table: Arc::clone(table),
                best: match asked.variant.name {
                    "top3" => Some(3.0),
                    "top10" => Some(10.0),
                    _ => None,
                },
            })
        }
        _ => voice::bind(asked).map(Outside::Voice),
    }
}

impl Outside {
    pub(super) fn finish(&self, plan: &KpiPlan, report: &mut KpiReport) -> Result<()> {
        let values = |period: Option<usize>| -> Result<Vec<KpiValue>> {
            let mut values = match self {
                Outside::Rank { table, best } => vec![rank(table, *best, plan, period)?],
                Outside::Voice(voice) => {
                    voice.values(plan, period.and_then(|p| plan.periods.bounds(p)))?
                }
            };
            for value in &mut values {
                value.period = period.and_then(|p| {
                    let (from, to) = plan.periods.bounds(p)?;
                    Some(KpiPeriod {
                        name: plan.periods.name(p),
                        from,
                        to,
                        complete: plan.periods.is_complete(p),
                    })
                });
                hole(plan, value);
            }
            Ok(values)
        };
        report.values = values(None)?;
        for period in 0..plan.periods.len() {
            report.series.extend(values(Some(period))?);
        }
        Ok(())
    }
}

/// Days are what would come out differently another time, so days are drawn.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // saturate
fn rank(
    table: &ExternalTable,
    best: Option<f64>,
    plan: &KpiPlan,
    period: Option<usize>,
) -> Result<KpiValue> {
    let (positions, impressions) = (table.number("position")?, table.number("impressions")?);
    let mut days = std::collections::BTreeMap::<_, (i64, u64)>::new();
    let mut excluded = 0;
    for row in table.rows(window(plan, period)) {
        let (Some(Some(position)), Some(Some(n))) = (positions.get(row), impressions.get(row))
        else {
            excluded += 1;
            continue;
        };
        // A page that was never shown has no place.
        if *n <= 0.0 || *position < 1.0 {
            excluded += 1;
            continue;
        }
        // Without days every row is a unit of its own.
        let day = table.days().and_then(|d| d.get(row)).copied();
        let cell = days
            .entry((day, if day.is_none() { row } else { 0 }))
            .or_default();
        let above = match best {
            None => position * n * 1_000.0,
            Some(best) => {
                if *position <= best {
                    n * 1_000.0
                } else {
                    0.0
                }
            }
        };
        cell.0 = cell.0.saturating_add(above.round() as i64);
        cell.1 = cell.1.saturating_add(n.round() as u64);
    }
    let pairs: Vec<(i64, u32)> = days
        .values()
        .map(|(x, n)| (*x, u32::try_from(*n).unwrap_or(u32::MAX)))
        .collect();
    let estimate = match best {
        // A share of impressions, the days being what comes out alike or differently.
        Some(_) => {
            let mut shares = Clusters::default();
            for &(x, n) in &pairs {
                shares.add(
                    (x.unsigned_abs().saturating_add(500) / 1_000).min(n.into()),
                    n.into(),
                );
            }
            (shares.m > 1)
                .then(|| wilson_clustered(&shares, plan.level))
                .flatten()
        }
        None => bootstrap_t(&pairs, plan.seed, plan.level).and_then(|e| {
            let limits = (e.lower / 1_000.0, e.upper / 1_000.0);
            Estimate::new(
                e.value / 1_000.0,
                limits,
                e.level,
                e.n,
                e.method,
                Unit::Ratio,
            )
        }),
    };
    Ok(KpiValue {
        estimate,
        n: days.values().map(|d| d.1).sum(),
        customers: 0,
        excluded,
        hole: (estimate.is_none() && !days.is_empty()).then(|| {
            format!(
                "it takes at least {} days",
                if best.is_some() { 2 } else { FEWEST_CUSTOMERS }
            )
        }),
        ..KpiValue::default()
    })
}
