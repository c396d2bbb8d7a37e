use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::search::maximum;
use super::{Buyers, FEWEST};

/// How many more purchases will customers make who may leave without a word? The BG/NBD model.
///
/// While a customer stays, purchases come at random with a rate of their own, which over customers is gamma distributed (shape `r`, rate `alpha`). After
/// each purchase they leave with a probability of their own, beta distributed (`a`, `b`). What it needs of a customer are the repeat purchases `x`, the
/// time `t_x` of the last one and the time `T` watched, all since the first purchase.
///
/// ```
/// use desireline_stats::clv::BgNbd;
/// // CDNOW, in weeks: Fader, Hardie and Lee 2005.
/// let cdnow = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, log_likelihood: -9582.4 };
/// let more = cdnow.expected(39.0, 2, 30.43, 38.86);
/// assert!((more - 1.226).abs() < 2e-3 && (cdnow.p_alive(2, 30.43, 38.86) - 0.7266).abs() < 2e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BgNbd {
    /// Shape of the purchase rates.
    pub r: f64,
    /// Rate of the purchase rates, in units of time.
    pub alpha: f64,
    /// First parameter of the probabilities to leave.
    pub a: f64,
    /// Second parameter of the probabilities to leave.
    pub b: f64,
    /// The log-likelihood of the data that it was fitted to.
    pub log_likelihood: f64,
}

impl BgNbd {
    /// Fits the model by maximum likelihood. `None` with fewer than [`FEWEST`] customers, without any repeat purchase, with times that are not
    /// finite or that run backwards, or if no maximum is found.
    pub fn fit(buyers: &[Buyers]) -> Option<BgNbd> {
        let n: u64 = buyers.iter().map(|b| b.n).sum();
        let repeats = buyers.iter().any(|b| b.repeats > 0 && b.n > 0);
        let sound = |b: &Buyers| b.age.is_finite() && 0.0 <= b.last && b.last <= b.age;
        if n < FEWEST || !repeats || !buyers.iter().all(sound) {
            return None;
        }
        let age = buyers.iter().map(|b| b.age * b.n as f64).sum::<f64>() / n as f64;
        let scale = (age / 8.0).max(1e-6).ln();
        let starts = [[-1.0, scale, -0.2, 0.9], [0.0, scale + 1.0, -1.0, 1.5]];
        let table = Table::new(buyers);
        let (x, log_likelihood) = maximum(&starts, |x| table.log_likelihood(buyers, x))?;
        // A parameter at the end of the world was not found.
        let found = x.iter().all(|x| x.abs() < 25.0);
        found.then(|| BgNbd::from_logs(&x, log_likelihood))
    }

    pub(super) fn from_logs(x: &[f64; 4], log_likelihood: f64) -> BgNbd {
        let [r, alpha, a, b] = x.map(f64::exp);
        BgNbd {
            r,
            alpha,
            a,
            b,
            log_likelihood,
        }
    }

    pub(super) fn logs(&self) -> [f64; 4] {
        [self.r, self.alpha, self.a, self.b].map(f64::ln)
    }

    /// The log-likelihood of one customer.
    pub fn log_density(&self, repeats: u32, last: f64, age: f64) -> f64 {
        self.of_repeats(repeats) + self.of_times(repeats, last, age)
    }

    /// The part that depends on the number of repeats alone.
    fn of_repeats(&self, repeats: u32) -> f64 {
        let (BgNbd { r, alpha, a, b, .. }, x) = (*self, f64::from(repeats));
        ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + ln_gamma(a + b) + ln_gamma(b + x)
            - ln_gamma(b)
            - ln_gamma(a + b + x)
    }

    fn of_times(&self, repeats: u32, last: f64, age: f64) -> f64 {
        let (BgNbd { r, alpha, a, b, .. }, x) = (*self, f64::from(repeats));
        let stays = -(r + x) * (alpha + age).ln();
        if repeats == 0 {
            return stays;
        }
        let left = a.ln() - (b + x - 1.0).ln() - (r + x) * (alpha + last).ln();
        let (high, low) = if stays > left {
            (stays, left)
        } else {
            (left, stays)
        };
        high + (low - high).exp().ln_1p()
    }

    /// The probability that a customer has not left.
    pub fn p_alive(&self, repeats: u32, last: f64, age: f64) -> f64 {
        if repeats == 0 {
            return 1.0;
        }
        let (BgNbd { r, alpha, a, b, .. }, x) = (*self, f64::from(repeats));
        let odds =
            a.ln() - (b + x - 1.0).ln() + (r + x) * ((alpha + age).ln() - (alpha + last).ln());
        1.0 / (1.0 + odds.exp())
    }

    /// How many purchases are expected in the next `ahead`, given what is known of the customer.
    pub fn expected(&self, ahead: f64, repeats: u32, last: f64, age: f64) -> f64 {
        let (BgNbd { r, alpha, b, .. }, x) = (*self, f64::from(repeats));
        // At 1 the formula is 0/0; beside it it is right to nine digits.
        let a = if (self.a - 1.0).abs() < 1e-9 {
            1.0 + 1e-9
        } else {
            self.a
        };
        if ahead <= 0.0 {
            return 0.0;
        }
        let z = ahead / (alpha + age + ahead);
        // Euler's transformation: (1-z)^(r+x) 2F1(r+x, b+x; a+b+x-1; z) = (1-z)^(a-1) 2F1(a+b-1-r, a-1; a+b+x-1; z).
        let f = hypergeometric(a + b - 1.0 - r, a - 1.0, a + b + x - 1.0, z);
        let bracket = 1.0 - (1.0 - z).powf(a - 1.0) * f;
        ((a + b + x - 1.0) / (a - 1.0) * bracket * self.p_alive(repeats, last, age)).max(0.0)
    }

    /// The same with later purchases counting less: by `1 / (1 + discount)` for each unit of time. The time ahead is cut into at most 60 steps, and
    /// what falls into one counts as in its middle.
    pub fn discounted(&self, ahead: f64, discount: f64, repeats: u32, last: f64, age: f64) -> f64 {
        if discount == 0.0 {
            return self.expected(ahead, repeats, last, age);
        }
        let steps = ahead.ceil().clamp(1.0, 60.0);
        let length = ahead / steps;
        let (mut sum, mut before, mut step) = (0.0, 0.0, 0.0);
        while step < steps {
            let until = self.expected((step + 1.0) * length, repeats, last, age);
            sum += (until - before) / (1.0 + discount).powf((step + 0.5) * length);
            before = until;
            step += 1.0;
        }
        sum
    }
}

/// The distinct numbers of repeats, so that their gamma functions are computed once.
pub(super) struct Table {
    /// Distinct numbers, ascending, each with how many customers have it.
    repeats: Vec<(u32, f64)>,
}

impl Table {
    pub(super) fn new(buyers: &[Buyers]) -> Table {
        let mut counts = std::collections::BTreeMap::<u32, u64>::new();
        for b in buyers {
            *counts.entry(b.repeats).or_default() += b.n;
        }
        Table {
            repeats: counts.into_iter().map(|(x, n)| (x, n as f64)).collect(),
        }
    }

    pub(super) fn log_likelihood(&self, buyers: &[Buyers], x: &[f64; 4]) -> f64 {
        let model = BgNbd::from_logs(x, 0.0);
        let alike: f64 = self
            .repeats
            .iter()
            .map(|&(x, n)| n * model.of_repeats(x))
            .sum();
        let each: f64 = buyers
            .iter()
            .map(|b| b.n as f64 * model.of_times(b.repeats, b.last, b.age))
            .sum();
        alike + each
    }
}

/// Gauss' hypergeometric series for `0 <= z < 1`.
fn hypergeometric(a: f64, b: f64, c: f64, z: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 0..20_000 {
        let n = f64::from(n);
        term *= (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
        sum += term;
        if term.abs() <= 1e-15 * f64::abs(sum) {
            break;
        }
    }
    sum
}
