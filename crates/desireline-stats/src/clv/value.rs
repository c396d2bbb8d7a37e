use super::bg_nbd::Table;
use super::gamma_gamma::money;
use super::search::{gradient, information_inverse};
use super::{BgNbd, Buyers, GammaGamma, ShiftedBetaGeometric, gamma_gamma};
use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::special::z_quantile;

/// For how long ahead, and how much less later money counts, both in the unit of the data's times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// For how long ahead.
    pub horizon: f64,
    /// Money one unit of time later counts `1 / (1 + discount)`.
    pub discount: f64,
    /// The share of the money that is kept.
    pub margin: f64,
}

/// What customers are worth, and the two models that say so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Mean over customers, in the unit of the money.
    pub estimate: Estimate,
    /// How often they buy.
    pub purchases: BgNbd,
    /// How much money a purchase is.
    pub money: GammaGamma,
}

/// What is a customer worth in the time ahead? The mean over customers of expected discounted purchases times the expected money of a purchase.
///
/// The interval is `v exp(±z s / v)`. `s²` sums, over customers, the square of what each contributes: to the mean itself, and to the models' parameters
/// (`G' J⁻¹ s_i`, with the gradient `G` of the mean, the information `J` and the customer's score `s_i`). That is the variance which a bootstrap over customers
/// comes to when it is drawn without end, at the price of some forty evaluations, and it holds where the model is wrong, too (White 1982). Money is taken as
/// independent of how often customers buy, as the model does.
///
/// `None` if a model cannot be fitted, a parameter is not determined by the data, or `level` is not inside (0, 1).
pub fn lifetime_value(buyers: &[Buyers], outlook: Outlook, level: f64) -> Option<Value> {
    let (purchases, amount) = (BgNbd::fit(buyers)?, GammaGamma::fit(buyers)?);
    let often = |model: &BgNbd| -> Vec<f64> {
        let of = |b: &Buyers| {
            model.discounted(outlook.horizon, outlook.discount, b.repeats, b.last, b.age)
        };
        buyers.iter().map(of).collect()
    };
    let dear = |model: &GammaGamma| -> Vec<f64> {
        let of = |b: &Buyers| outlook.margin * model.expected(b.repeats, money(b));
        buyers.iter().map(of).collect()
    };
    let (often_now, dear_now) = (often(&purchases), dear(&amount));
    let each: Vec<f64> = often_now
        .iter()
        .zip(&dear_now)
        .map(|(o, d)| o * d)
        .collect();
    let mean_with = |o: &[f64], d: &[f64]| mean(buyers, o.iter().zip(d).map(|(o, d)| o * d));
    let of_often = gradient(&purchases.logs(), |x| {
        mean_with(&often(&BgNbd::from_logs(x, 0.0)), &dear_now)
    });
    let of_dear = gradient(&amount.logs(), |x| {
        mean_with(&often_now, &dear(&GammaGamma::from_logs(x, 0.0)))
    });

    let table = Table::new(buyers);
    let often_inverse =
        information_inverse(&purchases.logs(), |x| table.log_likelihood(buyers, x))?;
    let dear_inverse =
        information_inverse(&amount.logs(), |x| gamma_gamma::log_likelihood(buyers, x))?;
    let often_weight = times(&often_inverse, &of_often);
    let dear_weight = times(&dear_inverse, &of_dear);
    let through_models = buyers.iter().map(|b| {
        let score = gradient(&purchases.logs(), |x| {
            BgNbd::from_logs(x, 0.0).log_density(b.repeats, b.last, b.age)
        });
        let paid = money(b).map(|m| {
            gradient(&amount.logs(), |x| {
                GammaGamma::from_logs(x, 0.0).log_density(b.repeats, m)
            })
        });
        dot(&often_weight, &score) + paid.map_or(0.0, |p| dot(&dear_weight, &p))
    });
    let estimate = averaged(buyers, &each, through_models, level)?;
    Some(Value {
        estimate: estimate.with_unit(Unit::Ratio),
        purchases,
        money: amount,
    })
}

/// How many customers have not left? The mean of P(alive) over customers, with its interval as in [`lifetime_value`].
pub fn mean_alive(buyers: &[Buyers], level: f64) -> Option<(Estimate, BgNbd)> {
    let model = BgNbd::fit(buyers)?;
    let alive = |model: &BgNbd| -> Vec<f64> {
        buyers
            .iter()
            .map(|b| model.p_alive(b.repeats, b.last, b.age))
            .collect()
    };
    let each = alive(&model);
    let slope = gradient(&model.logs(), |x| {
        mean(buyers, alive(&BgNbd::from_logs(x, 0.0)).into_iter())
    });
    let table = Table::new(buyers);
    let inverse = information_inverse(&model.logs(), |x| table.log_likelihood(buyers, x))?;
    let weight = times(&inverse, &slope);
    let through = buyers.iter().map(|b| {
        dot(
            &weight,
            &gradient(&model.logs(), |x| {
                BgNbd::from_logs(x, 0.0).log_density(b.repeats, b.last, b.age)
            }),
        )
    });
    let e = averaged(buyers, &each, through, level)?;
    let (lower, upper) = (e.lower.clamp(0.0, e.value), e.upper.clamp(e.value, 1.0));
    Some((
        Estimate {
            lower,
            upper,
            unit: Unit::Proportion,
            ..e
        },
        model,
    ))
}

fn mean(buyers: &[Buyers], each: impl Iterator<Item = f64>) -> f64 {
    let n: u64 = buyers.iter().map(|b| b.n).sum();
    buyers
        .iter()
        .zip(each)
        .map(|(b, x)| b.n as f64 * x)
        .sum::<f64>()
        / n as f64
}

/// The mean of what each customer has, with the variance of what each contributes to it.
fn averaged(
    buyers: &[Buyers],
    each: &[f64],
    through: impl Iterator<Item = f64>,
    level: f64,
) -> Option<Estimate> {
    if !is_level(level) {
        return None;
    }
    let n: u64 = buyers.iter().map(|b| b.n).sum();
    let value = mean(buyers, each.iter().copied());
    let size = n as f64;
    let squares: f64 = buyers
        .iter()
        .zip(each.iter().zip(through))
        .map(|(b, (x, model))| b.n as f64 * ((x - value) / size + model).powi(2))
        .sum();
    let error = (squares * size / (size - 1.0)).sqrt();
    let reach = z_quantile(1.0 - level) * error / value;
    let limits = (value * (-reach).exp(), value * reach.exp());
    Estimate::new(value, limits, level, n, Method::Sandwich, Unit::Ratio)
}

fn times<const K: usize>(matrix: &[[f64; K]; K], vector: &[f64; K]) -> [f64; K] {
    let mut out = [0.0; K];
    for (out, row) in out.iter_mut().zip(matrix) {
        *out = dot(row, vector);
    }
    out
}

fn dot<const K: usize>(a: &[f64; K], b: &[f64; K]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// How many payments does a new customer make who renews each period until they leave? `Σ S(t) / (1 + discount)^t` over `t` = 0, 1, …, `periods`, with
/// `S` of the shifted beta-geometric fitted to `lost` and `watched` (see [`ShiftedBetaGeometric::fit`]).
///
/// The interval is the delta method's on a log scale, from the robust variance of the fit. `None` as for the fit, or where it is not determined by the data.
pub fn renewals(
    lost: &[u64],
    watched: &[u64],
    periods: u32,
    discount: f64,
    level: f64,
) -> Option<(Estimate, ShiftedBetaGeometric)> {
    if !is_level(level) {
        return None;
    }
    let model = ShiftedBetaGeometric::fit(lost, watched)?;
    let at = [model.a.ln(), model.b.ln()];
    let payments = |x: &[f64; 2]| {
        let model = ShiftedBetaGeometric::from_logs(x, 0.0);
        let (mut sum, mut survival, mut worth) = (0.0, 1.0, 1.0);
        for t in 0..=periods {
            sum += survival * worth;
            survival *= model.renewal(t);
            worth /= 1.0 + discount;
        }
        sum
    };
    // One customer's likelihood: who left in period i + 1, or stayed for so many.
    let of = |x: &[f64; 2], i: usize, left: bool| {
        let mut one = vec![0; i + 1];
        one[i] = 1;
        let model = ShiftedBetaGeometric::from_logs(x, 0.0);
        if left {
            model.log_likelihood_of(&one, &[])
        } else {
            model.log_likelihood_of(&[], &one)
        }
    };
    let all =
        |x: &[f64; 2]| ShiftedBetaGeometric::from_logs(x, 0.0).log_likelihood_of(lost, watched);
    let weight = times(&information_inverse(&at, all)?, &gradient(&at, payments));
    let mut squares = 0.0;
    for (counts, left) in [(lost, true), (watched, false)] {
        for (i, n) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            squares += *n as f64 * dot(&weight, &gradient(&at, |x| of(x, i, left))).powi(2);
        }
    }
    let value = payments(&at);
    let reach = z_quantile(1.0 - level) * squares.sqrt() / value;
    let n: u64 = lost.iter().chain(watched).sum();
    let limits = (value * (-reach).exp(), value * reach.exp());
    let estimate = Estimate::new(value, limits, level, n, Method::Sandwich, Unit::Ratio)?;
    Some((estimate, model))
}
