use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::search::maximum;
use super::{Buyers, FEWEST};

/// How much money is a purchase of a customer, when few purchases tell little? The gamma-gamma model.
///
/// Purchases of a customer are gamma distributed (shape `p`) around a mean of their own; over customers those means are spread by another gamma (`q`,
/// `gamma`). The mean money of a purchase must not hang together with how often customers buy.
///
/// ```
/// use desireline_stats::clv::GammaGamma;
/// // CDNOW: Fader and Hardie 2013.
/// let cdnow = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44, log_likelihood: 0.0 };
/// assert!((cdnow.expected(2, Some(22.35)) - 24.66).abs() < 0.02);
/// assert!((cdnow.expected(0, None) - 35.22).abs() < 0.02);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GammaGamma {
    /// Shape of a customer's purchases.
    pub p: f64,
    /// Shape of the spread over customers.
    pub q: f64,
    /// Scale of the spread over customers, in money.
    pub gamma: f64,
    /// The log-likelihood of the data that it was fitted to.
    pub log_likelihood: f64,
}

impl GammaGamma {
    /// Fits the model by maximum likelihood to the customers with repeat purchases whose mean money is above 0. `None` with fewer than
    /// [`FEWEST`] of them, or if no maximum is found with `q` above 1, below which no mean exists.
    pub fn fit(buyers: &[Buyers]) -> Option<GammaGamma> {
        let paying = || buyers.iter().filter_map(|b| Some((b, money(b)?)));
        let n: u64 = paying().map(|(b, _)| b.n).sum();
        if n < FEWEST {
            return None;
        }
        let mean = paying().map(|(b, m)| m * b.n as f64).sum::<f64>() / n as f64;
        let starts = [[1.5, 1.2, mean.ln() - 0.8], [0.3, 1.8, mean.ln() + 0.5]];
        let (x, log_likelihood) = maximum(&starts, |x| log_likelihood(buyers, x))?;
        let model = GammaGamma::from_logs(&x, log_likelihood);
        (model.q > 1.0 && x.iter().all(|x| x.abs() < 40.0)).then_some(model)
    }

    pub(super) fn from_logs(x: &[f64; 3], log_likelihood: f64) -> GammaGamma {
        let [p, q, gamma] = x.map(f64::exp);
        GammaGamma {
            p,
            q,
            gamma,
            log_likelihood,
        }
    }

    pub(super) fn logs(&self) -> [f64; 3] {
        [self.p, self.q, self.gamma].map(f64::ln)
    }

    /// The log-likelihood of a customer's mean over so many purchases.
    pub fn log_density(&self, purchases: u32, mean: f64) -> f64 {
        let (GammaGamma { p, q, gamma, .. }, x) = (*self, f64::from(purchases));
        ln_gamma(p * x + q) - ln_gamma(p * x) - ln_gamma(q)
            + q * gamma.ln()
            + (p * x - 1.0) * mean.ln()
            + p * x * x.ln()
            - (p * x + q) * (gamma + x * mean).ln()
    }

    /// The money expected of a purchase, given the mean of so many; of an unknown customer without one.
    pub fn expected(&self, purchases: u32, mean: Option<f64>) -> f64 {
        let GammaGamma { p, q, gamma, .. } = *self;
        let (x, m) = match mean {
            Some(m) if purchases > 0 => (f64::from(purchases), m),
            _ => (0.0, 0.0),
        };
        p * (gamma + x * m) / (p * x + q - 1.0)
    }
}

/// The mean money, where the model can use it.
pub(super) fn money(b: &Buyers) -> Option<f64> {
    b.mean_money
        .filter(|m| *m > 0.0 && m.is_finite() && b.repeats > 0)
}

pub(super) fn log_likelihood(buyers: &[Buyers], x: &[f64; 3]) -> f64 {
    let model = GammaGamma::from_logs(x, 0.0);
    let each = buyers
        .iter()
        .filter_map(|b| Some(b.n as f64 * model.log_density(b.repeats, money(b)?)));
    each.sum()
}
