use serde::{Deserialize, Serialize};

use super::FEWEST;
use super::search::maximum;

/// How many renew, period after period, when some kinds of customers leave sooner than others? The shifted beta-geometric model.
///
/// In each period a customer leaves with a probability of their own, beta distributed (`a`, `b`); so those who are left leave less and less.
///
/// ```
/// use desireline_stats::clv::ShiftedBetaGeometric;
/// // "High End" customers of Fader and Hardie 2007: who is left of 1,000 after each year.
/// let left = [1000, 869, 743, 653, 593, 551, 517, 491];
/// let lost: Vec<u64> = left.windows(2).map(|w| w[0] - w[1]).collect();
/// let mut groups = vec![0; 7];
/// groups[6] = 491;
/// let model = ShiftedBetaGeometric::fit(&lost, &groups).ok_or("no fit")?;
/// assert!((model.a - 0.668).abs() < 2e-3 && (model.b - 3.806).abs() < 5e-3);
/// assert!((model.survival(12) - 0.38).abs() < 0.01);
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShiftedBetaGeometric {
    /// First parameter of the probabilities to leave.
    pub a: f64,
    /// Second parameter.
    pub b: f64,
    /// The log-likelihood of the data that it was fitted to.
    pub log_likelihood: f64,
}

impl ShiftedBetaGeometric {
    /// Fits the model: `lost[i]` customers left in period `i + 1`, and `watched[i]` were watched for `i + 1` periods and stayed. `None` with fewer than
    /// [`FEWEST`] customers, nobody lost, or if no maximum is found.
    pub fn fit(lost: &[u64], watched: &[u64]) -> Option<ShiftedBetaGeometric> {
        let n: u64 = lost.iter().chain(watched).sum();
        if n < FEWEST || lost.iter().all(|l| *l == 0) {
            return None;
        }
        let f =
            |x: &[f64; 2]| ShiftedBetaGeometric::from_logs(x, 0.0).log_likelihood_of(lost, watched);
        let (x, log_likelihood) = maximum(&[[0.0, 0.5], [-0.5, 1.5], [1.0, 3.0]], f)?;
        x.iter()
            .all(|x| x.abs() < 25.0)
            .then(|| ShiftedBetaGeometric::from_logs(&x, log_likelihood))
    }

    pub(super) fn from_logs(x: &[f64; 2], log_likelihood: f64) -> ShiftedBetaGeometric {
        let [a, b] = x.map(f64::exp);
        ShiftedBetaGeometric {
            a,
            b,
            log_likelihood,
        }
    }

    pub(super) fn log_likelihood_of(&self, lost: &[u64], watched: &[u64]) -> f64 {
        let (mut sum, mut survival) = (0.0, 0.0_f64);
        for i in 0..lost.len().max(watched.len()) {
            let t = i as f64 + 1.0;
            let leaves = self.a / (self.a + self.b + t - 1.0);
            sum += lost
                .get(i)
                .map_or(0.0, |l| *l as f64 * (survival + leaves.ln()));
            survival += (-leaves).ln_1p();
            sum += watched.get(i).map_or(0.0, |w| *w as f64 * survival);
        }
        sum
    }

    /// The share that renews in the period after `periods`.
    pub fn renewal(&self, periods: u32) -> f64 {
        (self.b + f64::from(periods)) / (self.a + self.b + f64::from(periods))
    }

    /// The share that is left after so many periods.
    pub fn survival(&self, periods: u32) -> f64 {
        (0..periods).map(|t| self.renewal(t)).product()
    }
}
