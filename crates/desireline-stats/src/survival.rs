//! Time until something happens, when for some it has not happened yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError};
use crate::estimate::{Estimate, Method, Unit, is_level};
use crate::interval::clopper_pearson;
use crate::special::z_quantile;

mod clustered;

pub use clustered::ClusteredTimes;

/// One time of a Kaplan-Meier curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The time, in the unit of the input.
    pub time: i64,
    /// How many were still watched, without the event, just before this time.
    pub at_risk: u64,
    /// Events at this time.
    pub events: u64,
    /// Watched up to this time and not beyond, without the event.
    pub censored: u64,
    /// Share without the event just after this time; its `n` is `at_risk`.
    pub survival: Estimate,
}

/// A time by which a given share has had the event, with limits that may lie beyond the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuantileLimits {
    /// The first time by which the share is reached.
    pub time: i64,
    /// Lower limit.
    pub lower: i64,
    /// Upper limit; `None` when the data end before it.
    pub upper: Option<i64>,
}

/// How long until it happens? The Kaplan-Meier curve with log-log intervals.
///
/// `S(t) = Π (1 - d/n)` over event times up to `t`, `d` events among `n` at risk. Those censored at a time count as at risk at it. The interval is
/// `S^exp(±z s)`, `s² = Σ d/(n(n-d)) / ln² S` (Greenwood on the log(-log) scale). Two ends where that is undefined: while no event has happened
/// the lower limit is the exact binomial one for those at risk; once nobody is left (`S` = 0) the last upper limit stays.
///
/// With a competing end (drop-off against goal) it matters when those are counted as censored to whom the other end came. At that end: `1 - S`
/// overstates what will happen, it describes a world without the other end. At the time until which they *would* have been watched, where that is known:
/// `1 - S` is the cumulative incidence, the share of all to whom it has happened by then (the censoring-complete data of Fine and Gray 1999), and
/// without censoring the plain share.
///
/// ```
/// use desireline_stats::KaplanMeier;
/// // (time, events, censored)
/// let curve = KaplanMeier::from_counts(&[(6, 3, 1), (7, 1, 0), (9, 0, 1), (10, 1, 16)], 0.95)?;
/// assert_eq!(curve.n(), 23);
/// let six = curve.at(6).ok_or("before the data")?;
/// assert!((six.value - 20.0 / 23.0).abs() < 1e-12);
/// assert!(curve.quantile(0.5).is_none(), "half of them never got there");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KaplanMeier {
    level: f64,
    n: u64,
    steps: Vec<Step>,
}

impl KaplanMeier {
    /// The curve of counts `(time, events, censored)`, in any order; equal times are added up and times without counts left out.
    ///
    /// `O(k log k)` for `k` entries.
    ///
    /// # Errors
    /// [`StatsError::Level`], or [`StatsError::Overflow`] when the counts exceed `u64`.
    pub fn from_counts(counts: &[(i64, u64, u64)], level: f64) -> Result<Self> {
        if !is_level(level) {
            return Err(StatsError::Level { level });
        }
        let rows = tidy(counts)?;
        let n = rows
            .iter()
            .map(|&(_, events, censored)| events + censored)
            .sum::<u64>();
        let z = z_quantile(1.0 - level);
        let mut steps: Vec<Step> = Vec::with_capacity(rows.len());
        let (mut at_risk, mut survival, mut greenwood) = (n, 1.0, 0.0);
        for (time, events, censored) in rows {
            let (d, r) = (events as f64, at_risk as f64);
            survival *= (at_risk - events) as f64 / r;
            if events < at_risk {
                greenwood += d / (r * (at_risk - events) as f64);
            }
            let last_upper = steps.last().map_or(1.0, |step| step.survival.upper);
            let survival = estimate(survival, greenwood, (at_risk, last_upper), z, level);
            let Some(survival) = survival else { break };
            steps.push(Step {
                time,
                at_risk,
                events,
                censored,
                survival,
            });
            at_risk -= events + censored;
        }
        Ok(Self { level, n, steps })
    }

    /// The curve at each time with an event or a censoring, ascending.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many are in it.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.steps.iter().map(|step| step.events).sum()
    }

    /// How many of those in it are still at risk just after `time`.
    pub fn at_risk_after(&self, time: i64) -> u64 {
        let done = self.steps.partition_point(|step| step.time <= time);
        self.steps.get(done).map_or(0, |step| step.at_risk)
    }

    /// Share without the event by `time`; `None` before the first time of the data, and after the last one unless the curve has come to 0, because
    /// nobody was watched there.
    pub fn at(&self, time: i64) -> Option<Estimate> {
        let done = self.steps.partition_point(|step| step.time <= time);
        let step = self.steps.get(done.checked_sub(1)?)?;
        let beyond = done == self.steps.len() && time > step.time && step.survival.value > 0.0;
        (!beyond).then_some(step.survival)
    }

    /// The time by which a share `p` has had the event (`p` = 0.5: the median), with its interval.
    ///
    /// `None` when the curve, or the upper limit, does not come down far enough; [`quantile_limits`](Self::quantile_limits) tells these apart.
    pub fn quantile(&self, p: f64) -> Option<Estimate> {
        self.estimate_of(self.quantile_limits(p)?)
    }

    /// The same where times of one customer resemble each other, so that the curve's variance is `effect` times as large as it says; see
    /// [`ClusteredTimes::design_effect`]. At 1 and below it is [`quantile`](Self::quantile), and has a limit in a few cases more.
    ///
    /// On the log-log scale the limits of the curve lie `sqrt(effect)` times as far from it.
    pub fn quantile_widened(&self, p: f64, effect: f64) -> Option<Estimate> {
        self.estimate_of(self.quantile_limits_widened(p, effect)?)
    }

    /// The limits of [`quantile_widened`](Self::quantile_widened), keeping a time whose upper limit lies beyond the data.
    ///
    /// Where the curve has come to 0 and no limit has come down yet, the exact bound of a share decides: none of so many lasts longer. They are as
    /// many as those at risk there, over the share that they stand for and over `effect`.
    pub fn quantile_limits_widened(&self, p: f64, effect: f64) -> Option<QuantileLimits> {
        let found = self.limits_widened(p, effect.max(1.0).sqrt())?;
        let upper = found.upper.or_else(|| self.end_below(1.0 - p, effect));
        Some(QuantileLimits { upper, ..found })
    }

    /// The end of the curve, if it is at 0 and the share of those who last longer is surely not above `target`.
    fn end_below(&self, target: f64, effect: f64) -> Option<i64> {
        let mut steps = self.steps.iter().rev().filter(|step| step.events > 0);
        let end = steps.next().filter(|step| step.survival.value <= 0.0)?;
        let stand_for = steps.next().map_or(1.0, |before| before.survival.value);
        let n = (end.at_risk as f64 / stand_for / effect.max(1.0)).max(1.0);
        let upper = 1.0 - (0.5 - 0.5 * self.level).powf(1.0 / n);
        (upper <= target).then_some(end.time)
    }

    fn estimate_of(&self, found: QuantileLimits) -> Option<Estimate> {
        let limits = (found.lower as f64, found.upper? as f64);
        Estimate::new(
            found.time as f64,
            limits,
            self.level,
            self.n,
            Method::BrookmeyerCrowley,
            Unit::Microseconds,
        )
    }

    /// As [`quantile`](Self::quantile), keeping a time whose upper limit lies beyond the data.
    ///
    /// The first time with `S <= 1 - p`; the limits are the first times at which the lower, and the upper, limit of `S` is there (Brookmeyer
    /// and Crowley 1982, on the log-log scale). `None` if `p` is not inside (0, 1) or the share is never reached.
    pub fn quantile_limits(&self, p: f64) -> Option<QuantileLimits> {
        self.limits_widened(p, 1.0)
    }

    fn limits_widened(&self, p: f64, worth: f64) -> Option<QuantileLimits> {
        if !is_level(p) {
            return None;
        }
        // A curve of products can miss 1 - p by rounding where it meets it in truth.
        let target = (1.0 - p) * (1.0 + 1e-12);
        let first = |there: &dyn Fn(&Estimate) -> bool| {
            let mut steps = self.steps.iter().filter(|step| step.events > 0);
            steps.find(|step| there(&step.survival)).map(|s| s.time)
        };
        let time = first(&|s| s.value <= target)?;
        Some(QuantileLimits {
            time,
            lower: first(&|s| widened(s, worth).0 <= target)?.min(time),
            // Where the curve has come to 0 its upper limit is that of the step before.
            upper: first(&|s| (worth <= 1.0 || s.value > 0.0) && widened(s, worth).1 <= target)
                .map(|upper| upper.max(time)),
        })
    }
}

/// The limits of a share, `worth` times as far from it on the log-log scale.
fn widened(s: &Estimate, worth: f64) -> (f64, f64) {
    if worth <= 1.0 || !(s.value > 0.0 && s.value < 1.0) {
        return (s.lower, s.upper);
    }
    let log = s.value.ln();
    let reach = |limit: f64| ((limit.ln() / log).ln() * worth).exp();
    let lower = match s.lower > 0.0 {
        true => s.value.powf(reach(s.lower)),
        false => 0.0,
    };
    let upper = match s.upper < 1.0 {
        true => s.value.powf(reach(s.upper)),
        false => 1.0,
    };
    (lower, upper)
}

fn estimate(
    survival: f64,
    greenwood: f64,
    (at_risk, last_upper): (u64, f64),
    z: f64,
    level: f64,
) -> Option<Estimate> {
    if survival >= 1.0 {
        return clopper_pearson(at_risk, at_risk, level);
    }
    let limits = if survival > 0.0 {
        let reach = (z * greenwood.sqrt() / survival.ln().abs()).exp();
        (
            survival.powf(reach).min(survival),
            survival.powf(1.0 / reach).max(survival),
        )
    } else {
        (0.0, last_upper)
    };
    Estimate::new(
        survival,
        limits,
        level,
        at_risk,
        Method::KaplanMeierLogLog,
        Unit::Proportion,
    )
}

/// Ascending by time, equal times added, empty ones dropped, total checked.
pub(crate) fn tidy(counts: &[(i64, u64, u64)]) -> Result<Vec<(i64, u64, u64)>> {
    let overflow = || StatsError::Overflow {
        what: "events and censored",
        limit: u64::MAX,
    };
    counts
        .iter()
        .try_fold(0_u64, |sum, row| sum.checked_add(row.1)?.checked_add(row.2))
        .ok_or_else(overflow)?;
    let mut rows = counts.to_vec();
    rows.retain(|row| row.1 > 0 || row.2 > 0);
    rows.sort_unstable();
    rows.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
            kept.2 += next.2;
        }
        same
    });
    Ok(rows)
}
