//! One comparison in several strata: is the difference real, or made by the mix?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::hypothesis::{TestMethod, TestResult};
use crate::interval::newcombe;
use crate::special::{chi_square_sf, p_value, z_quantile};

/// One stratum: `[[successes, failures] of the first group, [successes, failures] of the second]`.
pub type Stratum = [[u64; 2]; 2];

/// Two groups compared within strata.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MantelHaenszel {
    /// Pooled difference of rates, first minus second group, with Sato's variance.
    pub risk_difference: Estimate,
    /// Pooled odds ratio with the variance of Robins, Breslow and Greenland; `None` when a needed cell is empty in all strata.
    pub odds_ratio: Option<Estimate>,
    /// Cochran-Mantel-Haenszel test of no association in any stratum (no continuity correction).
    pub test: TestResult,
    /// Breslow-Day test, with Tarone's correction, that the odds ratio is the same in all strata; `None` with fewer than two usable strata.
    pub homogeneity: Option<TestResult>,
    /// Strata in which both groups occur; only these count.
    pub strata: u64,
}

/// How far apart are two groups once the mix of strata is taken out? Mantel-Haenszel pooling.
///
/// Risk difference `Σ (a n2 - c n1)/N ÷ Σ n1 n2/N`; odds ratio `Σ ad/N ÷ Σ bc/N`. Strata that lack one of the groups say nothing and are left out.
/// Observations must be independent. `None` if no stratum has both groups or the level is not inside (0, 1).
///
/// Sources: Greenland and Robins 1985; Sato 1989; Robins, Breslow and Greenland 1986; Tarone 1985.
///
/// ```
/// use desireline_stats::mantel_haenszel;
/// let strata = [[[12, 16], [8, 34]], [[56, 44], [24, 77]], [[5, 30], [9, 26]]];
/// let pooled = mantel_haenszel(&strata, 0.95).ok_or("no stratum with both groups")?;
/// let odds = pooled.odds_ratio.ok_or("empty cells")?;
/// assert!((odds.value - 2.6636130926857158).abs() < 1e-12);
/// assert!(pooled.homogeneity.ok_or("too few strata")?.p < 0.01, "the third stratum goes the other way");
/// # Ok::<(), &'static str>(())
/// ```
pub fn mantel_haenszel(strata: &[Stratum], level: f64) -> Option<MantelHaenszel> {
    if !is_level(level) {
        return None;
    }
    let z = z_quantile(1.0 - level);
    let usable: Vec<Cells> = strata.iter().filter_map(Cells::new).collect();
    let n: u64 = strata
        .iter()
        .flatten()
        .flatten()
        .fold(0, |sum, &x| sum.saturating_add(x));
    let sum = |f: &dyn Fn(&Cells) -> f64| usable.iter().map(f).sum::<f64>();

    let weight = sum(&|s| s.n1 * s.n2 / s.n);
    if weight <= 0.0 {
        return None;
    }
    let difference = sum(&|s| (s.a * s.n2 - s.c * s.n1) / s.n) / weight;
    let skew = sum(&|s| {
        (s.n1 * s.n1 * s.c - s.n2 * s.n2 * s.a + s.n1 * s.n2 * (s.n2 - s.n1) / 2.0) / (s.n * s.n)
    });
    let spread = sum(&|s| (s.a * s.d + s.c * s.b) / (2.0 * s.n));
    let reach = z * ((difference * skew + spread).max(0.0) / (weight * weight)).sqrt();
    let limits = (
        (difference - reach).max(-1.0),
        (difference + reach).min(1.0),
    );
    let difference = difference.clamp(-1.0, 1.0);
    let risk_difference = Estimate::new(
        difference,
        limits,
        level,
        n,
        Method::MantelHaenszel,
        Unit::ProportionDifference,
    )?;

    let (r, s) = (sum(&|s| s.a * s.d / s.n), sum(&|s| s.b * s.c / s.n));
    let odds = (r > 0.0 && s > 0.0).then(|| r / s);
    let odds_ratio = odds.and_then(|odds| {
        let pr = sum(&|c| (c.a + c.d) * c.a * c.d / (c.n * c.n));
        let mixed = sum(&|c| ((c.a + c.d) * c.b * c.c + (c.b + c.c) * c.a * c.d) / (c.n * c.n));
        let qs = sum(&|c| (c.b + c.c) * c.b * c.c / (c.n * c.n));
        let error = (pr / (2.0 * r * r) + mixed / (2.0 * r * s) + qs / (2.0 * s * s)).sqrt();
        let limits = (odds * (-z * error).exp(), odds * (z * error).exp());
        Estimate::new(
            odds,
            limits,
            level,
            n,
            Method::MantelHaenszel,
            Unit::OddsRatio,
        )
    });

    let off = sum(&|s| s.a - s.n1 * s.m1 / s.n);
    let variance = sum(&|s| {
        if s.n > 1.0 {
            s.n1 * s.n2 * s.m1 * (s.n - s.m1) / (s.n * s.n * (s.n - 1.0))
        } else {
            0.0
        }
    });
    let statistic = if variance > 0.0 {
        off * off / variance
    } else {
        0.0
    };
    let test = TestResult {
        p: p_value(chi_square_sf(statistic, 1.0)),
        statistic,
        df: Some(1.0),
        method: TestMethod::MantelHaenszel,
    };
    let homogeneity = odds.and_then(|odds| breslow_day(&usable, odds));
    Some(MantelHaenszel {
        risk_difference,
        odds_ratio,
        test,
        homogeneity,
        strata: usable.len() as u64,
    })
}

/// Compares every stratum's first cell with the one it would have at the common odds ratio.
fn breslow_day(strata: &[Cells], odds: f64) -> Option<TestResult> {
    let (mut statistic, mut off, mut total, mut used) = (0.0, 0.0, 0.0, 0_u32);
    for s in strata.iter().filter(|s| s.m1 > 0.0 && s.m1 < s.n) {
        let a = s.expected_at(odds);
        let variance =
            1.0 / (1.0 / a + 1.0 / (s.n1 - a) + 1.0 / (s.m1 - a) + 1.0 / (s.n2 - s.m1 + a));
        if !variance.is_finite() || variance <= 0.0 {
            continue;
        }
        statistic += (s.a - a).powi(2) / variance;
        off += s.a - a;
        total += variance;
        used += 1;
    }
    if used < 2 {
        return None;
    }
    let statistic = (statistic - off * off / total).max(0.0);
    let df = f64::from(used - 1);
    Some(TestResult {
        p: p_value(chi_square_sf(statistic, df)),
        statistic,
        df: Some(df),
        method: TestMethod::BreslowDay,
    })
}

/// The cells of a usable stratum and their margins.
struct Cells {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    n1: f64,
    n2: f64,
    m1: f64,
    n: f64,
}

impl Cells {
    fn new(&[[a, b], [c, d]]: &Stratum) -> Option<Self> {
        let (a, b, c, d) = (a as f64, b as f64, c as f64, d as f64);
        let (n1, n2) = (a + b, c + d);
        (n1 > 0.0 && n2 > 0.0).then_some(Self {
            a,
            b,
            c,
            d,
            n1,
            n2,
            m1: a + c,
            n: n1 + n2,
        })
    }

    /// The first cell at which this stratum, margins kept, has these odds.
    fn expected_at(&self, odds: f64) -> f64 {
        // (1 - odds) A² + (n2 - m1 + odds (n1 + m1)) A - odds n1 m1 = 0, its root by the form that does not cancel.
        let (two, one, none) = (
            1.0 - odds,
            self.n2 - self.m1 + odds * (self.n1 + self.m1),
            -odds * self.n1 * self.m1,
        );
        let root = (one * one - 4.0 * two * none).max(0.0).sqrt();
        let (low, high) = ((self.m1 - self.n2).max(0.0), self.n1.min(self.m1));
        let candidates = if one >= 0.0 {
            let q = -0.5 * (one + root);
            (none / q, q / two)
        } else {
            let q = -0.5 * (one - root);
            (q / two, none / q)
        };
        let inside = |x: f64| x.is_finite() && low <= x && x <= high;
        if inside(candidates.0) {
            candidates.0
        } else {
            candidates.1.clamp(low, high)
        }
    }
}

/// What stratifying does to a comparison.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SimpsonVerdict {
    /// Pooled and stratified answer agree.
    Consistent,
    /// Their signs are opposite and both intervals exclude 0: Simpson's paradox. Believe the strata.
    Reversed,
    /// Their signs are opposite, but at least one of the two could be 0; if both could, all strata must point the same way.
    PossiblyReversed,
    /// The pooled interval excludes 0, the stratified one does not: the mix alone can have made the difference.
    Vanishes,
    /// The pooled interval holds 0, the stratified one does not: the mix hid a difference.
    Appears,
    /// Same sign over all, but the strata differ among themselves in direction, beyond chance: one number does not tell it.
    Heterogeneous,
}

impl SimpsonVerdict {
    /// The verdict on a pooled difference and the one within strata, both first minus second group; `strata` counts those in which the first
    /// group's rate is higher, lower and equal. For estimates that were made elsewhere, such as with clustered intervals.
    pub fn of(
        pooled: &Estimate,
        stratified: &Estimate,
        homogeneity: Option<&TestResult>,
        strata: (u64, u64, u64),
    ) -> Self {
        let (higher, lower, equal) = strata;
        let (sure_pooled, sure_within) = (!pooled.contains(0.0), !stratified.contains(0.0));
        let opposite = pooled.value * stratified.value < 0.0;
        let mixed =
            higher > 0 && lower > 0 && homogeneity.is_some_and(|test| test.p < 1.0 - pooled.level);
        let unanimous = equal == 0 && (higher == 0 || lower == 0) && higher + lower >= 2;
        match (opposite, sure_pooled, sure_within) {
            (true, true, true) => Self::Reversed,
            (true, true, false) | (true, false, true) => Self::PossiblyReversed,
            (true, false, false) if unanimous => Self::PossiblyReversed,
            _ if mixed => Self::Heterogeneous,
            (false, true, false) => Self::Vanishes,
            (false, false, true) => Self::Appears,
            _ => Self::Consistent,
        }
    }
}

/// A comparison with and without its strata.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Simpson {
    /// What to make of it.
    pub verdict: SimpsonVerdict,
    /// Difference with the strata thrown together.
    pub pooled: Estimate,
    /// Difference within strata, Mantel-Haenszel.
    pub stratified: Estimate,
    /// Test that the strata agree, if there is one.
    pub homogeneity: Option<TestResult>,
    /// Strata in which the first group has the higher rate.
    pub higher: u64,
    /// Strata in which it has the lower rate.
    pub lower: u64,
    /// Strata in which both rates are equal.
    pub equal: u64,
}

/// Does a third factor turn a comparison round? Compares the pooled difference of two rates with the one within the factor's strata.
///
/// Tables are added up over *all* strata for the pooled view; strata that lack a group count there, but not in the stratified one.
/// `None` if no stratum has both groups or the level is not inside (0, 1).
///
/// ```
/// use desireline_stats::stratified::{SimpsonVerdict, simpson};
/// // Kidney stones (Charig 1986): open surgery against the newer way, by size of stone.
/// let seen = simpson(&[[[81, 6], [234, 36]], [[192, 71], [55, 25]]], 0.95).ok_or("no data")?;
/// assert!(seen.pooled.value < 0.0 && seen.stratified.value > 0.0);
/// assert_eq!((seen.verdict, seen.higher), (SimpsonVerdict::PossiblyReversed, 2));
/// # Ok::<(), &'static str>(())
/// ```
pub fn simpson(strata: &[Stratum], level: f64) -> Option<Simpson> {
    let within = mantel_haenszel(strata, level)?;
    let stratified = within.risk_difference;
    let cell = |group: usize, outcome: usize| {
        strata
            .iter()
            .map(|s| s[group][outcome])
            .fold(0_u64, u64::saturating_add)
    };
    let n_of = |group| cell(group, 0).saturating_add(cell(group, 1));
    let pooled = newcombe(cell(0, 0), n_of(0), cell(1, 0), n_of(1), level)?;

    let (mut higher, mut lower, mut equal) = (0, 0, 0);
    for [[a, b], [c, d]] in strata.iter().filter(|s| Cells::new(s).is_some()) {
        // a/(a+b) against c/(c+d) is a d against b c.
        match (u128::from(*a) * u128::from(*d)).cmp(&(u128::from(*b) * u128::from(*c))) {
            std::cmp::Ordering::Greater => higher += 1,
            std::cmp::Ordering::Less => lower += 1,
            std::cmp::Ordering::Equal => equal += 1,
        }
    }
    let verdict = SimpsonVerdict::of(
        &pooled,
        &stratified,
        within.homogeneity.as_ref(),
        (higher, lower, equal),
    );
    Some(Simpson {
        verdict,
        pooled,
        stratified,
        homogeneity: within.homogeneity,
        higher,
        lower,
        equal,
    })
}
