//! Is this period unlike those before it? Limits for a series of numbers.

use crate::estimate::is_level;
use crate::special::{t_p, t_quantile};

/// Fewer earlier periods than this tell nothing of how far periods usually lie apart.
pub const FEWEST: usize = 4;

/// Where a period of a series was to be expected from those before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlLimit {
    /// The mean of the periods before.
    pub centre: f64,
    /// Below this a period is unlike them.
    pub lower: f64,
    /// Above this a period is unlike them.
    pub upper: f64,
    /// How often a period as far out, or farther, comes by chance, with all periods of the series in mind.
    pub p: f64,
    /// Whether it lies outside of the limits.
    pub out: bool,
}

/// Which periods of a series are unlike those before them? Limits by prediction, one for each period that has [`FEWEST`] before it.
///
/// A period is held against all earlier ones: `x̄ ± t s sqrt(1 + 1/k)` with `k - 1` degrees of freedom, where the next of `k + 1` exchangeable normal
/// numbers lies with the level asked for. All `m` periods that are tested share one rate of false alarms: each is tested at `alarm / m` (Bonferroni), so that
/// a series without any change sounds an alarm at all with a probability of at most `alarm`. A trend or season that the earlier periods do not show is a
/// change to it; periods that were out stay among the earlier ones.
///
/// `None` for the first periods, and for all if `alarm` is not inside (0, 1) or a number is not finite.
///
/// ```
/// use desireline_stats::control::control_limits;
/// let limits = control_limits(&[0.70, 0.71, 0.69, 0.705, 0.70, 0.88], 0.05);
/// assert!(limits[3].is_none() && !limits[4].ok_or("few")?.out && limits[5].ok_or("few")?.out);
/// # Ok::<(), &'static str>(())
/// ```
pub fn control_limits(values: &[f64], alarm: f64) -> Vec<Option<ControlLimit>> {
    let tested = values.len().saturating_sub(FEWEST);
    if tested == 0 || !is_level(alarm) || values.iter().any(|x| !x.is_finite()) {
        return vec![None; values.len()];
    }
    let each = alarm / tested as f64;
    let limit = |place: usize| {
        let (earlier, x) = (values.get(..place)?, *values.get(place)?);
        if earlier.len() < FEWEST {
            return None;
        }
        let k = earlier.len() as f64;
        let centre = earlier.iter().sum::<f64>() / k;
        let spread = earlier.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (k - 1.0);
        let error = (spread * (1.0 + 1.0 / k)).sqrt();
        let reach = t_quantile(each, k - 1.0) * error;
        // Equal periods have no spread to measure by: rounding alone is no change.
        let off = (x - centre).abs();
        let same = off <= 1e-12 * centre.abs().max(1e-300);
        let p = match (same, error > 0.0) {
            (true, _) => 1.0,
            (false, true) => (t_p(off / error, k - 1.0) * tested as f64).min(1.0),
            (false, false) => f64::MIN_POSITIVE,
        };
        Some(ControlLimit {
            centre,
            lower: centre - reach,
            upper: centre + reach,
            p,
            out: p <= alarm,
        })
    };
    (0..values.len()).map(limit).collect()
}
