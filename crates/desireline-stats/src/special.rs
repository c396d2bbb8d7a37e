//! Quantiles and tails, each computed as a tail so that small probabilities keep their digits.

use std::cell::Cell;
use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};
use std::hash::{DefaultHasher, Hash, Hasher};

use statrs::function::{beta::beta_reg, erf, gamma};

/// The last answers of a costly function, each in the place that its question's hash says. A report asks for hundreds of
/// intervals of small and equal sizes; the answers are the same with and without it.
struct Memo<Q, A>([Cell<Option<(Q, A)>>; KEPT]);

const KEPT: usize = 256;

impl<Q: Copy + Hash + PartialEq, A: Copy> Memo<Q, A> {
    const fn new() -> Self {
        Memo([const { Cell::new(None) }; KEPT])
    }

    fn get(&self, question: Q, answer: impl FnOnce() -> A) -> A {
        let mut hash = DefaultHasher::new();
        question.hash(&mut hash);
        let place = &self.0[hash.finish() as usize % KEPT];
        match place.get() {
            Some((asked, known)) if asked == question => known,
            _ => {
                let found = answer();
                place.set(Some((question, found)));
                found
            }
        }
    }
}

/// A p-value as reported: at most 1, and above 0 even where the tail is below what a float can hold.
pub(crate) fn p_value(p: f64) -> f64 {
    p.clamp(f64::MIN_POSITIVE, 1.0)
}

/// Two-sided p of a standard normal statistic.
pub(crate) fn normal_p(z: f64) -> f64 {
    p_value(erf::erfc(z.abs() * FRAC_1_SQRT_2))
}

/// The z that leaves `alpha / 2` in each tail.
pub(crate) fn z_quantile(alpha: f64) -> f64 {
    SQRT_2 * erf::erfc_inv(alpha)
}

/// P(X > x) for a chi-square with `df` degrees of freedom.
pub(crate) fn chi_square_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    gamma::gamma_ur(df / 2.0, x / 2.0)
}

/// P(X > x) for Fisher's F with these degrees of freedom.
pub(crate) fn f_sf(x: f64, above: f64, below: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if below > 1e5 {
        return chi_square_sf(x * above, above);
    }
    beta_reg(below / 2.0, above / 2.0, below / (below + above * x))
}

/// Two-sided p of Student's t.
pub(crate) fn t_p(t: f64, df: f64) -> f64 {
    p_value(t_two_tails(t, df))
}

fn t_two_tails(t: f64, df: f64) -> f64 {
    if t == 0.0 {
        return 1.0;
    }
    if df > 1e5 {
        // Wallace's transform: relative error of z below 1e-10 from here on, where the beta function loses digits.
        let z = (8.0 * df + 1.0) / (8.0 * df + 3.0) * (df * (t * t / df).ln_1p()).sqrt();
        return erf::erfc(z * FRAC_1_SQRT_2);
    }
    beta_reg(df / 2.0, 0.5, df / (df + t * t))
}

/// The t that leaves `alpha / 2` in each tail.
pub(crate) fn t_quantile(alpha: f64, df: f64) -> f64 {
    if df <= 1.0 {
        return 1.0 / (PI * alpha / 2.0).tan();
    }
    thread_local!(static KNOWN: Memo<(u64, u64), f64> = const { Memo::new() });
    KNOWN.with(|known| {
        known.get((alpha.to_bits(), df.to_bits()), || {
            find_t_quantile(alpha, df)
        })
    })
}

fn find_t_quantile(alpha: f64, df: f64) -> f64 {
    let z = z_quantile(alpha);
    // Cornish-Fisher expansion in 1/df.
    let (z2, d) = (z * z, df);
    let g1 = (z2 + 1.0) * z / 4.0;
    let g2 = ((5.0 * z2 + 16.0) * z2 + 3.0) * z / 96.0;
    let g3 = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) * z / 384.0;
    let g4 = ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) * z / 92160.0;
    let start = z + (g1 + (g2 + (g3 + g4 / d) / d) / d) / d;
    if df > 300.0 {
        return start;
    }
    // Halley's steps on the log of the tail, which is nearly straight in log t: they converge from a poor start too.
    let ln_density =
        gamma::ln_gamma((d + 1.0) / 2.0) - gamma::ln_gamma(d / 2.0) - 0.5 * (d * PI).ln();
    let mut t = start.max(1e-3);
    for _ in 0..60 {
        let tail = t_two_tails(t, d);
        let density = 2.0 * (ln_density - (d + 1.0) / 2.0 * (t * t / d).ln_1p()).exp();
        // The slope of the log tail, and by how much of itself it changes, both by log t.
        let slope = density * t / tail;
        let bend = 1.0 - (d + 1.0) * t * t / (d + t * t) + slope;
        let straight = (tail / alpha).ln() / slope;
        let step = straight / (1.0 + straight * bend / 2.0).max(0.5);
        t *= step.clamp(-1.0, 1.0).exp();
        // Each step cubes the error, so the next one could not be seen.
        if step.abs() < 1e-4 {
            break;
        }
    }
    t
}

/// From here on the series for a gamma or beta tail take long, or stop before they have converged.
const LARGE: f64 = 1e4;
/// From here on logarithms of gamma functions are so large that their differences lose digits.
const HUGE: f64 = 1e7;

/// The p at which the regularised incomplete beta function I_p(a, b) equals `tail`, below a half.
///
/// Solved for up to 10^4 beside 10^7. Beyond, with both sides large, by Paulson's formula (Abramowitz and Stegun 26.5.22), off by less than 10^-5
/// standard deviations; with one small and one huge by Wise's, which takes the small one as gamma distributed, off by as little.
pub(crate) fn beta_quantile(tail: f64, a: f64, b: f64) -> f64 {
    if a.min(b) > LARGE {
        return paulson(tail, a, b);
    }
    if a.max(b) <= HUGE {
        return bisect(|p| beta_reg(a, b, p) < tail, 0.0, 1.0);
    }
    // Share of the small side.
    let wise = |y: f64, small: f64, huge: f64| -(-y / (huge + (small - 1.0) / 2.0)).exp_m1();
    if a < b {
        wise(gamma_quantile(tail, false, a), a, b)
    } else {
        1.0 - wise(gamma_quantile(tail, true, b), b, a)
    }
}

fn paulson(tail: f64, a: f64, b: f64) -> f64 {
    let z = z_quantile(2.0 * tail);
    let (a1, b1) = (1.0 / (2.0 * a - 1.0), 1.0 / (2.0 * b - 1.0));
    let (h, lambda) = (2.0 / (a1 + b1), (z * z - 3.0) / 6.0);
    let w = z * (h + lambda).sqrt() / h - (b1 - a1) * (lambda + 5.0 / 6.0 - 2.0 / (3.0 * h));
    a / (a + b * (2.0 * w).exp())
}

/// The x above which (`upper`), or below which, a gamma variable of shape `a` lies with probability `tail`, below a half.
///
/// Solved for up to 10^4; beyond, by the Cornish-Fisher expansion, right to ten digits.
pub(crate) fn gamma_quantile(tail: f64, upper: bool, a: f64) -> f64 {
    if a > LARGE {
        let z = z_quantile(2.0 * tail) * if upper { 1.0 } else { -1.0 };
        let (z2, root) = (z * z, a.sqrt());
        let straight = z * root + (z2 - 1.0) / 3.0;
        let bent = (z2 - 7.0) * z / (36.0 * root) - ((3.0 * z2 + 7.0) * z2 - 16.0) / (810.0 * a);
        return a + straight + bent;
    }
    let above = |x: f64| {
        if upper {
            gamma::gamma_ur(a, x) > tail
        } else {
            gamma::gamma_lr(a, x) < tail
        }
    };
    let mut high = a.max(1.0);
    while above(high) && high < 1e300 {
        high *= 2.0;
    }
    bisect(|x| x <= 0.0 || above(x), 0.0, high)
}

/// The point in `[low, high]` where `below` turns from true to false.
fn bisect(below: impl Fn(f64) -> bool, mut low: f64, mut high: f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if below(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    0.5 * (low + high)
}

/// Ranks `(l, u)`, from 1, such that the `l`-th and `u`-th of `n` ordered values enclose the `q` quantile with at least this level.
/// `l` is 0 when no value is far enough down, `u` is `n + 1` when none is far enough up.
pub(crate) fn quantile_ranks(n: u64, q: f64, alpha: f64) -> (u64, u64) {
    thread_local!(static KNOWN: Memo<(u64, u64, u64), (u64, u64)> = const { Memo::new() });
    KNOWN.with(|known| {
        known.get((n, q.to_bits(), alpha.to_bits()), || {
            find_quantile_ranks(n, q, alpha)
        })
    })
}

fn find_quantile_ranks(n: u64, q: f64, alpha: f64) -> (u64, u64) {
    let mean = n as f64 * q;
    let sd = (mean * (1.0 - q)).sqrt();
    if q <= 0.0 || q >= 1.0 {
        let rank = if q <= 0.0 { 1 } else { n };
        return (rank, rank);
    }
    // Beyond this the normal ranks are off by one or two among millions.
    if sd > 1e3 {
        let reach = z_quantile(alpha) * sd;
        return (
            (mean - reach).floor() as u64,
            ((mean + reach).ceil() as u64)
                .saturating_add(1)
                .min(n.saturating_add(1)),
        );
    }
    // Binomial probabilities by ratios outwards from the mode, over every term that matters, then scaled to sum to 1.
    let mode = (((n as f64 + 1.0) * q) as u64).min(n);
    let (odds, reach) = (q / (1.0 - q), (9.0 * sd) as u64 + 40);
    let (first, last) = (
        mode.saturating_sub(reach),
        mode.saturating_add(reach).min(n),
    );
    // Few numbers have few terms, and a report asks for thousands of such intervals: no memory of the heap for them.
    let (mut few, mut many) = ([0.0; 128], Vec::new());
    let n_terms = (last - first + 1) as usize;
    let terms = match few.get_mut(..n_terms) {
        Some(few) => few,
        None => {
            many.resize(n_terms, 0.0);
            &mut many[..]
        }
    };
    let middle = (mode - first) as usize;
    terms[middle] = 1.0;
    for (i, k) in (0..middle).rev().zip((first..mode).rev()) {
        terms[i] = terms[i + 1] * (k + 1) as f64 / ((n - k) as f64 * odds);
    }
    for (i, k) in (middle..n_terms - 1).zip(mode..) {
        terms[i + 1] = terms[i] * (n - k) as f64 * odds / (k + 1) as f64;
    }
    let half = alpha / 2.0 * terms.iter().sum::<f64>();
    // l: the largest rank with P(B <= l - 1) <= alpha/2; u: the smallest with P(B >= u) <= alpha/2.
    let within = |tail: &mut dyn Iterator<Item = &f64>| {
        let mut sum = 0.0;
        tail.take_while(|term| {
            sum += **term;
            sum <= half
        })
        .count() as u64
    };
    let lower = first + within(&mut terms.iter());
    let upper = last.saturating_add(1) - within(&mut terms.iter().rev());
    (lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, relative: f64) {
        assert!(((a - b) / b).abs() < relative, "{a} is not {b}");
    }

    #[test]
    fn quantiles_have_their_digits() {
        // scipy: norm.ppf and t.ppf at 0.975 (0.995).
        close(z_quantile(0.05), 1.959963984540054, 1e-14);
        close(z_quantile(0.01), 2.5758293035489004, 1e-14);
        for (df, truth) in [
            (1.0, 12.706204736174694),
            (2.0, 4.302652729749462),
            (7.5, 2.333039626864974),
            (30.0, 2.0422724563012378),
            (400.0, 1.9659123432294627),
        ] {
            close(t_quantile(0.05, df), truth, 1e-11);
        }
    }

    #[test]
    fn student_quantiles_hold_for_any_degrees_of_freedom() {
        // scipy: t.isf(alpha / 2, df)
        for (alpha, df, truth) in [
            (0.001, 1.3, 153.265892773503),
            (0.001, 1.9, 36.65717125691258),
            (0.001, 3.0, 12.923978636687481),
            (0.001, 250.0, 3.329867205673119),
            (0.001, 301.0, 3.323141818183968),
            (0.05, 1.3, 7.500529325562036),
            (0.05, 1.9, 4.5271180771003285),
            (0.05, 3.0, 3.1824463052837086),
            (0.05, 250.0, 1.9694983934211538),
            (0.05, 301.0, 1.9678765312856954),
            (0.5, 1.3, 0.9095175281352076),
            (0.5, 1.9, 0.82504695828764),
            (0.5, 3.0, 0.7648923284043444),
            (0.5, 250.0, 0.675472361397439),
            (0.5, 301.0, 0.6753056935631732),
        ] {
            close(t_quantile(alpha, df), truth, 1e-9);
        }
    }

    #[test]
    fn ranks_enclose_with_their_level() {
        // scipy: binom.ppf([.025, .975], 100, .5) is 40 and 60; the upper rank is one more.
        assert_eq!(quantile_ranks(100, 0.5, 0.05), (40, 61));
        assert_eq!(quantile_ranks(6, 0.5, 0.05), (1, 6));
        assert_eq!(quantile_ranks(5, 0.5, 0.05), (0, 6));
        // Where the normal takes over from the binomial, the two agree.
        let (exact, normal) = (
            quantile_ranks(3_999_000, 0.5, 0.05),
            quantile_ranks(4_001_000, 0.5, 0.05),
        );
        assert!((normal.1 - normal.0).abs_diff(exact.1 - exact.0) <= 4);
        for n in [u64::MAX, u64::MAX - 1] {
            for q in [1e-19, 1e-9, 0.5, 0.9, 1.0 - 1e-16] {
                let (lower, upper) = quantile_ranks(n, q, 0.05);
                assert!(lower <= upper, "{n} {q}");
            }
        }
    }
}
