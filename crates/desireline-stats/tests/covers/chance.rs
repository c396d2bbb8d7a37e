//! Draws that follow from a seed and a run.

use desireline_stats::resample::uniform;

/// A stream of draws for one sample.
pub(crate) struct Chance {
    seed: u64,
    run: u64,
    at: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64, run: u64) -> Self {
        Self { seed, run, at: 0 }
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.at += 1;
        uniform(self.seed, self.run, self.at).max(1e-300)
    }

    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }

    pub(crate) fn is(&mut self, p: f64) -> bool {
        self.next() < p
    }

    pub(crate) fn binomial(&mut self, n: u64, p: f64) -> u64 {
        (0..n).filter(|_| self.is(p)).count() as u64
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -self.next().ln()
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (std::f64::consts::TAU * self.next()).cos()
    }

    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        let (mut time, mut k) = (self.exponential(), 0);
        while time <= mean {
            time += self.exponential();
            k += 1;
        }
        k
    }

    /// Geometric from 1 with this mean: many customers with one journey, few with many.
    pub(crate) fn size(&mut self, mean: f64) -> u64 {
        match mean > 1.0 {
            true => 1 + (self.next().ln() / (1.0 - 1.0 / mean).ln()) as u64,
            false => 1,
        }
    }

    /// Marsaglia and Tsang, with the power trick below 1.
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.next().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.next().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    pub(crate) fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }

    /// An answer by its place among those with these shares.
    pub(crate) fn answer(&mut self, shares: &[f64]) -> usize {
        let (at, mut sum) = (self.next(), 0.0);
        let place = shares.iter().position(|share| {
            sum += share;
            at < sum
        });
        place.unwrap_or(shares.len() - 1)
    }

    /// A customer's leaning: 0 or 1 for a share `alike` of customers, who always do the same, and the common rate for the others.
    pub(crate) fn leaning(&mut self, p: f64, alike: f64) -> f64 {
        match self.is(alike) {
            true => f64::from(u8::from(self.is(p))),
            false => p,
        }
    }

    /// How many answers of each kind a customer gives; a share `alike` of customers always gives the same.
    pub(crate) fn answers(&mut self, shares: &[f64], mean: f64, alike: f64) -> Vec<u64> {
        let n = self.size(mean);
        let habit = self.is(alike).then(|| self.answer(shares));
        let mut given = vec![0; shares.len()];
        for _ in 0..n {
            given[habit.unwrap_or_else(|| self.answer(shares))] += 1;
        }
        given
    }
}
