//! From numbers to places: linear scales with round ticks.

/// A linear scale from a domain to a range of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    pub(crate) fn new(from: (f64, f64), to: (f64, f64)) -> Scale {
        let from = if from.1 > from.0 {
            from
        } else {
            (from.0, from.0 + 1.0)
        };
        Scale { from, to }
    }

    /// The place of a number; what lies outside stands at the edge.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let share = ((x - self.from.0) / (self.from.1 - self.from.0)).clamp(0.0, 1.0);
        self.to.0 + share * (self.to.1 - self.to.0)
    }

    pub(crate) fn upper(&self) -> f64 {
        self.from.1
    }
}

/// The least of 1, 2 or 5 times a power of ten that is not below `x`.
pub(crate) fn round_up(x: f64) -> f64 {
    if !(x.is_finite() && x > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(x.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|v| *v >= x * (1.0 - 1e-12))
        .unwrap_or(x)
}

/// Round ticks within a domain, about `n` of them.
pub(crate) fn ticks(from: f64, to: f64, n: usize) -> Vec<f64> {
    let step = round_up((to - from) / n.max(1) as f64);
    let (first, last) = (
        (from / step).ceil() as i64,
        (to / step + 1e-9).floor() as i64,
    );
    if last.saturating_sub(first) > 50 {
        return vec![from, to];
    }
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Round ticks of a time axis in microseconds, from 0.
pub(crate) fn time_ticks(to: f64, n: usize) -> Vec<f64> {
    const SECOND: f64 = 1e6;
    const STEPS: [f64; 24] = [
        1.0,
        2.0,
        5.0,
        10.0,
        15.0,
        30.0,
        60.0,
        120.0,
        300.0,
        600.0,
        900.0,
        1_800.0,
        3_600.0,
        7_200.0,
        10_800.0,
        21_600.0,
        43_200.0,
        86_400.0,
        172_800.0,
        432_000.0,
        864_000.0,
        1_728_000.0,
        4_320_000.0,
        8_640_000.0,
    ];
    let least = to / n.max(1) as f64;
    let longest = STEPS.last().copied().unwrap_or(1.0) * SECOND;
    let step = if least < SECOND || least > longest {
        round_up(least)
    } else {
        STEPS
            .iter()
            .map(|s| s * SECOND)
            .find(|s| *s >= least)
            .unwrap_or(longest)
    };
    (0..=(to / step + 1e-9).floor() as i64)
        .take(50)
        .map(|i| i as f64 * step)
        .collect()
}

/// The upper end of an axis of shares: round, and not above 1.
pub(crate) fn share_top(x: f64) -> f64 {
    const TOPS: [f64; 13] = [
        0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0,
    ];
    TOPS.into_iter().find(|t| *t >= x).unwrap_or(1.0)
}
