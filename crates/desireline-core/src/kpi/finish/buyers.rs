//! What customers are worth, and how many are left, by models of their purchases.

use desireline_stats::clv::{BgNbd, Buyers, Outlook, lifetime_value, mean_alive, renewals};
use desireline_stats::{Estimate, Method, Unit, bootstrap_t};

use super::hole;
use crate::error::Result;
use crate::kpi::plan::{Buying, BuyingOf, KpiPlan};
use crate::kpi::report::{KpiParameter, KpiReport, KpiValue};
use crate::kpi::tally::{Buyer, KpiPartial};
use crate::report::Caveat;

/// Where repeat purchases and their money hang together more than this, the model of money does not hold.
const MOST_CORRELATION: f64 = 0.3;

pub(super) fn finish(
    plan: &KpiPlan,
    buying: Buying,
    partial: &KpiPartial,
    report: &mut KpiReport,
) -> Result<()> {
    let mut all = partial.buyers.clone();
    // Whatever order customers came in: sums of floats below follow this one.
    all.sort_unstable();
    let n = all.len() as u64;
    let mut value = KpiValue {
        n,
        customers: n,
        ..KpiValue::default()
    };
    let rows = grouped(&all, |b| row(b, buying.period));
    match buying.what {
        BuyingOf::Historic => {
            let pairs: Vec<(i64, u32)> = all.iter().map(|b| (b.money, 1)).collect();
            value.estimate = bootstrap_t(&pairs, plan.seed, plan.level)
                .and_then(|e| scaled(&e, 1e-3, Unit::MoneyMinor));
        }
        BuyingOf::Expected => {
            let outlook = Outlook {
                horizon: buying.horizon,
                discount: buying.discount,
                margin: buying.margin,
            };
            match lifetime_value(&rows, outlook, plan.level) {
                Some(found) => {
                    value.estimate = Some(found.estimate.with_unit(Unit::MoneyMinor));
                    purchases(report, &found.purchases);
                    for (name, number) in [
                        ("money p", found.money.p),
                        ("money q", found.money.q),
                        ("money gamma, minor units", found.money.gamma),
                        ("money log-likelihood", found.money.log_likelihood),
                    ] {
                        report.model.push(parameter(name, number));
                    }
                    correlation(report, &rows);
                    held_out(report, &all, buying.period);
                }
                None => value.hole = Some(unfitted(n)),
            }
        }
        BuyingOf::Lost => match mean_alive(&rows, plan.level) {
            Some((alive, model)) => {
                value.estimate = Some(alive.complement());
                purchases(report, &model);
                held_out(report, &all, buying.period);
            }
            None => value.hole = Some(unfitted(n)),
        },
        BuyingOf::Contractual => contractual(plan, buying, &all, report, &mut value),
    }
    hole(plan, &mut value);
    report.values.push(value);
    Ok(())
}

fn unfitted(n: u64) -> String {
    format!("no model can be fitted: too few repeat purchases, or none that tell ({n} customers)")
}

#[allow(clippy::cast_precision_loss)] // lengths of time and money far below 2^53
fn row(b: &Buyer, period: i64) -> Buyers {
    let period = period as f64;
    Buyers {
        n: 1,
        repeats: b.repeats,
        last: b.last as f64 / period,
        age: b.age as f64 / period,
        mean_money: (b.repeats > 0).then(|| b.repeat_money as f64 / f64::from(b.repeats)),
    }
}

/// Customers who are alike in one row, in the order of the list.
fn grouped<T: Copy>(all: &[T], row: impl Fn(&T) -> Buyers) -> Vec<Buyers> {
    let mut rows: Vec<Buyers> = Vec::new();
    for one in all.iter().map(row) {
        match rows.last_mut() {
            Some(last) if (Buyers { n: 1, ..*last }) == one => last.n += 1,
            _ => rows.push(one),
        }
    }
    rows
}

fn scaled(e: &Estimate, by: f64, unit: Unit) -> Option<Estimate> {
    Estimate::new(
        e.value * by,
        (e.lower * by, e.upper * by),
        e.level,
        e.n,
        e.method,
        unit,
    )
}

fn parameter(name: &str, value: f64) -> KpiParameter {
    KpiParameter {
        name: name.to_owned(),
        value,
        lower: None,
        upper: None,
    }
}

fn purchases(report: &mut KpiReport, model: &BgNbd) {
    for (name, number) in [
        ("purchases r", model.r),
        ("purchases alpha, periods", model.alpha),
        ("leaving a", model.a),
        ("leaving b", model.b),
        ("purchases log-likelihood", model.log_likelihood),
    ] {
        report.model.push(parameter(name, number));
    }
}

/// The model of money takes it as independent of how often customers buy.
#[allow(clippy::cast_precision_loss)] // counts of customers
fn correlation(report: &mut KpiReport, rows: &[Buyers]) {
    let repeaters = || {
        rows.iter()
            .filter_map(|b| Some((b.n as f64, f64::from(b.repeats), b.mean_money?)))
    };
    let n: f64 = repeaters().map(|r| r.0).sum();
    let mean = |f: fn((f64, f64, f64)) -> f64| repeaters().map(|r| r.0 * f(r)).sum::<f64>() / n;
    let (x, y) = (mean(|r| r.1), mean(|r| r.2));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (n, a, b) in repeaters() {
        xx += n * (a - x).powi(2);
        yy += n * (b - y).powi(2);
        xy += n * (a - x) * (b - y);
    }
    if xx <= 0.0 || yy <= 0.0 {
        return;
    }
    let r = xy / (xx * yy).sqrt();
    report
        .model
        .push(parameter("correlation of repeats and money", r));
    if r.abs() > MOST_CORRELATION {
        report.caveats.push(Caveat::Note {
            text: format!("customers who buy more often spend {} a time (correlation {r:.2}); the model of money takes the two as independent", if r > 0.0 { "more" } else { "less" }),
        });
    }
}

/// Fitted to the first half of the time, the model is held against what came in the second.
#[allow(clippy::cast_precision_loss)] // lengths of time far below 2^53
fn held_out(report: &mut KpiReport, all: &[Buyer], period: i64) {
    let early: Vec<_> = all.iter().filter_map(|b| b.early).collect();
    let rows = grouped(&early, |e| {
        let b = Buyer {
            repeats: e.repeats,
            last: e.last,
            age: e.age,
            ..Buyer::default()
        };
        row(&b, period)
    });
    let Some(model) = BgNbd::fit(&rows) else {
        return;
    };
    let came: u64 = early.iter().map(|e| u64::from(e.later)).sum();
    let told: f64 = early
        .iter()
        .map(|e| {
            let of = |micros: i64| micros as f64 / period as f64;
            model.expected(of(e.ahead), e.repeats, of(e.last), of(e.age))
        })
        .sum();
    report.model.push(parameter(
        "second half of the time: purchases expected from the first",
        told,
    ));
    report.model.push(parameter(
        "second half of the time: purchases seen",
        came as f64,
    ));
}

/// Customers pay in every period until they leave; one whose next payment is overdue by half a period has left.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // small whole numbers
fn contractual(
    plan: &KpiPlan,
    buying: Buying,
    all: &[Buyer],
    report: &mut KpiReport,
    value: &mut KpiValue,
) {
    const MOST: usize = 1_200;
    let half = buying.period / 2;
    let (mut lost, mut watched) = (vec![0_u64; MOST + 1], vec![0_u64; MOST + 1]);
    let mut money: Vec<(i64, u32)> = Vec::with_capacity(all.len());
    for b in all {
        let paid = b.last.saturating_add(half) / buying.period;
        let place = usize::try_from(paid).unwrap_or(MOST).min(MOST);
        let due = (paid + 1).saturating_mul(buying.period);
        if b.age >= due.saturating_add(half) {
            lost[place] += 1;
        } else if place > 0 {
            watched[place - 1] += 1;
        }
        money.push((b.total_money, b.repeats.saturating_add(1)));
    }
    let used = lost
        .iter()
        .zip(&watched)
        .rposition(|(l, w)| *l > 0 || *w > 0)
        .map_or(0, |p| p + 1);
    let (lost, watched) = (&lost[..used], &watched[..used]);
    let periods = buying.horizon.floor().clamp(0.0, 10_000.0) as u32;
    let found = renewals(lost, watched, periods, buying.discount, plan.level);
    let (Some((payments, model)), Some(each)) = (found, bootstrap_t(&money, plan.seed, plan.level))
    else {
        value.hole = Some(unfitted(all.len() as u64));
        return;
    };
    // Of two factors with log-scale intervals: their squared half widths add up.
    let width = |e: &Estimate| (e.upper / e.value).ln();
    let reach = if each.value > 0.0 {
        width(&payments).hypot(width(&each))
    } else {
        f64::NAN
    };
    let mean = payments.value * each.value * buying.margin;
    value.estimate = Estimate::new(
        mean,
        (mean * (-reach).exp(), mean * reach.exp()),
        plan.level,
        value.n,
        Method::Sandwich,
        Unit::MoneyMinor,
    );
    for (name, number) in [
        ("leaving a", model.a),
        ("leaving b", model.b),
        ("log-likelihood", model.log_likelihood),
        ("payments of a customer, discounted", payments.value),
        ("money of a payment, minor units", each.value),
    ] {
        report.model.push(parameter(name, number));
    }
}
