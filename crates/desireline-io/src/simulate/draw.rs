//! Random draws that give the same bits on every machine.
//!
//! The system's `exp` and `ln` differ in the last bit between platforms, so the two needed here are made of additions,
//! multiplications, divisions and square roots only, which IEEE 754 rounds the same everywhere.

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random numbers of one customer.
pub(super) struct Draw {
    rng: ChaCha8Rng,
}

/// Where every customer's stream starts.
#[derive(Clone, Debug)]
pub(super) struct Source {
    rng: ChaCha8Rng,
}

impl Source {
    pub(super) fn new(seed: u64) -> Source {
        Source {
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// The stream with this number; streams do not depend on each other.
    pub(super) fn stream(&self, number: u64) -> Draw {
        let mut rng = self.rng.clone();
        rng.set_stream(number);
        Draw { rng }
    }
}

impl Draw {
    #[inline]
    pub(super) fn bits(&mut self) -> u32 {
        self.rng.next_u32()
    }

    /// Uniform, above 0 and below 1.
    #[inline]
    pub(super) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 52) as f64;
        ((self.rng.next_u64() >> 12) as f64 + 0.5) * STEP
    }

    /// Uniform whole number below `n`; 0 when `n` is 0.
    #[inline]
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.rng.next_u64()) * u128::from(n)) >> 64) as u64
    }

    #[inline]
    pub(super) fn chance(&mut self, p: f64) -> bool {
        // 32 bits: probabilities here are no finer than 1e-4.
        f64::from(self.rng.next_u32()) < p * 4_294_967_296.0
    }

    #[inline]
    pub(super) fn log_normal(&mut self, shape: LogNormal) -> f64 {
        shape.median * exp(shape.sigma * normal_quantile(self.unit()))
    }
}

/// A log-normal distribution by its median and the standard deviation of the logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogNormal {
    pub(super) median: f64,
    pub(super) sigma: f64,
}

/// Weights to draw from, as rising thresholds of a 32-bit number.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    thresholds: Vec<u32>,
}

impl Weights {
    pub(super) fn new(weights: &[f64]) -> Weights {
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let thresholds = weights
            .iter()
            .map(|w| {
                sum += w;
                // Saturates: the last threshold is the largest number.
                (sum / total * 4_294_967_296.0) as u32
            })
            .collect();
        Weights { thresholds }
    }

    /// For a few weights: looks at one after the other.
    #[inline]
    pub(super) fn pick(&self, draw: &mut Draw) -> usize {
        let x = draw.bits();
        self.thresholds
            .iter()
            .position(|&t| x < t)
            .unwrap_or(self.thresholds.len() - 1)
    }

    /// For many weights: halves the range.
    #[inline]
    pub(super) fn pick_of_many(&self, draw: &mut Draw) -> usize {
        let x = draw.bits();
        self.thresholds
            .partition_point(|&t| t <= x)
            .min(self.thresholds.len() - 1)
    }
}

/// Weights of a negative binomial distribution with this shape and mean, up to `most`.
pub(super) fn negative_binomial(shape: f64, mean: f64, most: usize) -> Vec<f64> {
    let fail = mean / (mean + shape);
    let mut weight = 1.0;
    (0..=most)
        .map(|k| {
            let now = weight;
            weight *= fail * (k as f64 + shape) / (k as f64 + 1.0);
            now
        })
        .collect()
}

/// e^x for moderate x, within 1e-15 of its size.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let k = (x * LOG2_E + if x < 0.0 { -0.5 } else { 0.5 }) as i64;
    let r = x - k as f64 * LN_2;
    let mut sum = 1.0;
    for n in (1..=13).rev() {
        sum = 1.0 + sum * r / f64::from(n);
    }
    sum * f64::from_bits(((k + 1023) as u64) << 52)
}

/// The natural logarithm of a normal positive number.
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) as i64) - 1023;
    let mut m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if m > SQRT_2 {
        m /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh((m − 1)/(m + 1))
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for n in (0..=12).rev() {
        sum = sum * square + 1.0 / f64::from(2 * n + 1);
    }
    2.0 * s * sum + exponent as f64 * LN_2
}

/// The standard normal quantile by Acklam's rational approximation, relative error below 1.2e-9.
#[inline]
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.38357751867269e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 5] = [
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 4] = [
        7.784695709041462e-03,
        3.224671290700398e-01,
        2.445134137142996e+00,
        3.754408661907416e+00,
    ];
    const LOW: f64 = 0.02425;
    let tail = |p: f64| {
        let q = (-2.0 * ln(p)).sqrt();
        let top = C.iter().fold(0.0, |sum, c| sum * q + c);
        top / (D.iter().fold(0.0, |sum, d| sum * q + d) * q + 1.0)
    };
    if p < LOW {
        tail(p)
    } else if p > 1.0 - LOW {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        let r = q * q;
        let top = A.iter().fold(0.0, |sum, a| sum * r + a);
        top * q / (B.iter().fold(0.0, |sum, b| sum * r + b) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_ln_agree_with_the_system() {
        for i in -400..400 {
            let x = f64::from(i) * 0.05;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp {x}");
            let y = x.exp();
            assert!((ln(y) - x).abs() < 1e-13, "ln {y}");
        }
    }

    #[test]
    fn quantiles_of_the_normal_distribution() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959963984540054),
            (0.001, -3.090232306167813),
            (0.999_999, 4.753424308823798),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
        }
    }

    #[test]
    fn weights_are_drawn_in_proportion() {
        let weights = Weights::new(&[1.0, 0.0, 3.0]);
        let mut draw = Source::new(1).stream(7);
        let mut counts = [0u32; 3];
        for _ in 0..40_000 {
            counts[weights.pick(&mut draw)] += 1;
            counts[weights.pick_of_many(&mut draw)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!(
            (f64::from(counts[0]) - 20_000.0).abs() < 600.0,
            "{counts:?}"
        );
    }

    #[test]
    fn a_stream_does_not_depend_on_another() {
        let source = Source::new(3);
        let mut other = source.stream(1);
        other.bits();
        let a: Vec<u32> = {
            let mut d = source.stream(2);
            (0..4).map(|_| d.bits()).collect()
        };
        let b: Vec<u32> = {
            let mut d = source.stream(2);
            (0..4).map(|_| d.bits()).collect()
        };
        assert_eq!(a, b);
        assert_ne!(source.stream(1).bits(), source.stream(2).bits());
    }
}
