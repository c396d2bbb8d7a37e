//! Times until something happens: Kaplan-Meier, Brookmeyer-Crowley, with and without customers who resemble themselves; ranks of plain times.

use desireline_stats::{ClusteredTimes, Distribution, KaplanMeier};

use crate::chance::Chance;
use crate::{Asked, LEVEL, Said, covers, covers_quantile};

/// Exponential times, some of which are cut off.
fn curve(c: &mut Chance, n: u64, cut: f64) -> KaplanMeier {
    let rows: Vec<(i64, u64, u64)> = (0..n)
        .map(|_| {
            let time = c.exponential();
            let end = match cut > 0.0 {
                true => c.exponential() * (1.0 - cut) / cut,
                false => f64::INFINITY,
            };
            let seen = time <= end;
            ((time.min(end) * 1e6) as i64, seen.into(), (!seen).into())
        })
        .collect();
    KaplanMeier::from_counts(&rows, LEVEL).unwrap()
}

#[test]
fn shares_by_a_time() {
    for cut in [0.0, 0.3] {
        for (n, time, asked) in [
            (15, 0.5, Asked::Level),
            (30, 0.5, Asked::Level),
            (30, 2.0, Asked::AtLeast),
            (120, 0.5, Asked::Level),
            (120, 2.0, Asked::Level),
        ] {
            let what = format!("Kaplan-Meier at {time} means, n {n}, {cut} cut off");
            covers(&what, asked, 1_000, |run| {
                let e = curve(&mut Chance::new(600 + n, run), n, cut).at((time * 1e6) as i64)?;
                Some(e.contains(f64::exp(-time)))
            });
        }
    }
}

/// What the curve says of a quantile; nothing where so many have not had the event.
fn said(curve: &KaplanMeier, p: f64, truth: f64, effect: f64) -> Option<Said> {
    let found = curve.quantile_limits_widened(p, effect)?;
    let above = found.lower as f64 <= truth;
    Some(match found.upper {
        Some(upper) => Said::Closed(above && truth <= upper as f64),
        None => Said::Open(above),
    })
}

#[test]
fn medians_and_ninths_of_ten() {
    for cut in [0.0, 0.3] {
        for (n, p, asked) in [
            (8, 0.5, Asked::AtLeast),
            (15, 0.5, Asked::AtLeast),
            (30, 0.5, Asked::Level),
            (120, 0.5, Asked::Level),
            (60, 0.9, Asked::AtLeast),
            (120, 0.9, Asked::AtLeast),
            (300, 0.9, Asked::Level),
        ] {
            let what = format!("Brookmeyer-Crowley, quantile {p}, n {n}, {cut} cut off");
            covers_quantile(&what, asked, 1_000, |run| {
                let curve = curve(&mut Chance::new(700 + n, run), n, cut);
                said(&curve, p, -(1.0 - p).ln() * 1e6, 1.0)
            });
        }
    }
}

#[test]
fn medians_of_customers_who_resemble_themselves() {
    // The time of a journey is exponential around the customer's pace, which is spread evenly over its logarithm.
    for spread in [0.0, 1.0, 2.0] {
        // The distribution of all times, by numbers.
        let below = |t: f64| {
            let steps = 400;
            let each = |i: i32| {
                let pace = (spread * (f64::from(i) + 0.5) / f64::from(steps) - spread / 2.0).exp();
                -(-t / pace).exp_m1()
            };
            (0..steps).map(each).sum::<f64>() / f64::from(steps)
        };
        let at = |p: f64| {
            let (mut low, mut high) = (0.0, 100.0);
            for _ in 0..60 {
                let middle = (low + high) / 2.0;
                if below(middle) < p {
                    low = middle
                } else {
                    high = middle
                }
            }
            low * 1e6
        };
        for (m, p, asked) in [
            (20, 0.5, Asked::AtLeast),
            (60, 0.5, Asked::Level),
            (200, 0.5, Asked::Level),
            (200, 0.9, Asked::Level),
        ] {
            let truth = at(p);
            let what = format!(
                "Brookmeyer-Crowley clustered, quantile {p}, {m} customers, spread {spread}"
            );
            covers_quantile(&what, asked, 400, |run| {
                let c = &mut Chance::new(800 + m, run);
                let mut times = ClusteredTimes::default();
                for _ in 0..m {
                    let pace = (spread * (c.next() - 0.5)).exp();
                    let mut own: Vec<(u64, bool)> = (0..c.size(4.0))
                        .map(|_| {
                            let (time, end) = (c.exponential() * pace, 6.0 * c.exponential());
                            ((time.min(end) * 1e6) as u64, time <= end)
                        })
                        .collect();
                    times.add(&mut own);
                }
                let curve = KaplanMeier::from_counts(&times.counts(), LEVEL).unwrap();
                let effect = curve
                    .quantile_limits(p)
                    .map_or(1.0, |found| times.design_effect(found.time, LEVEL));
                said(&curve, p, truth, effect)
            });
        }
    }
}

#[test]
fn ranks_of_plain_times() {
    for (n, p, asked) in [
        (10, 0.5, Asked::AtLeast),
        (30, 0.5, Asked::AtLeast),
        (100, 0.5, Asked::Level),
        (300, 0.9, Asked::AtLeast),
    ] {
        // Ranks are whole, so it covers more than its level, by less the more there are.
        covers(
            &format!("order statistics, quantile {p}, n {n}"),
            asked,
            1_000,
            |run| {
                let c = &mut Chance::new(900 + n, run);
                let times: Distribution = (0..n).map(|_| (c.exponential() * 1e6) as i64).collect();
                let e = times.quantile_estimate(p, LEVEL)?;
                Some(e.contains(-(1.0 - p).ln() * 1e6))
            },
        );
    }
}
