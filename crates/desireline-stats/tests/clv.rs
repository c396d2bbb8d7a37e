//! Models of purchases: published numbers on CDNOW. How often the intervals hold the truth is in `covers`.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use desireline_stats::clv::{BgNbd, Buyers, GammaGamma, Outlook, lifetime_value, renewals};

/// Days since 1970 of a date written `YYYYMMDD` in 1997 or 1998.
fn day(text: &str) -> i64 {
    let number = |r: std::ops::Range<usize>| text[r].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    (year - 1997) * 365 + before[usize::try_from(month).unwrap() - 1] + day - 1
}

/// The sample until 1997-09-30, in weeks, purchases of one day taken as one; and how many each bought in the 39 weeks after.
fn cdnow() -> Option<(Vec<Buyers>, Vec<u64>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("DESIRELINE_DATA")
        .map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let path = folder.join("cdnow/CDNOW_sample.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is missing",
            path.display()
        );
        eprintln!(
            "skipped: {} is missing; set DESIRELINE_DATA",
            path.display()
        );
        return None;
    };
    let mut customers = BTreeMap::<String, BTreeMap<i64, f64>>::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let money: f64 = cells[4].parse().unwrap();
        *customers
            .entry(cells[1].to_owned())
            .or_default()
            .entry(day(cells[2]))
            .or_default() += money;
    }
    let end = day("19970930");
    let weeks = |days: i64| f64::from(i32::try_from(days).unwrap()) / 7.0;
    let both = customers.values().filter_map(|days| {
        let first = *days.keys().next()?;
        let seen: Vec<(i64, f64)> = days.range(..=end).map(|(d, m)| (*d, *m)).collect();
        let repeats = seen.len().checked_sub(1)?;
        let mean = seen[1..].iter().map(|d| d.1).sum::<f64>() / repeats as f64;
        let row = Buyers {
            n: 1,
            repeats: u32::try_from(repeats).unwrap(),
            last: weeks(seen[repeats].0 - first),
            age: weeks(end - first),
            mean_money: (repeats > 0).then_some(mean),
        };
        Some((row, days.range(end + 1..).count() as u64))
    });
    Some(both.unzip())
}

#[track_caller]
fn near(found: f64, truth: f64, by: f64) {
    assert!((found - truth).abs() <= by, "{found} is not {truth}");
}

#[test]
fn bg_nbd_on_cdnow() {
    let Some((buyers, later)) = cdnow() else {
        return;
    };
    assert_eq!(buyers.len(), 2_357);
    assert_eq!(buyers.iter().map(|b| b.repeats).sum::<u32>(), 2_457);
    let model = BgNbd::fit(&buyers).unwrap();
    // Fader, Hardie and Lee 2005, table 2.
    near(model.r, 0.243, 5e-4);
    near(model.alpha, 4.414, 5e-4);
    near(model.a, 0.793, 5e-4);
    near(model.b, 2.426, 5e-4);
    near(model.log_likelihood, -9_582.43, 5e-3);
    near(model.expected(39.0, 2, 30.43, 38.86), 1.226, 5e-4);
    near(model.p_alive(2, 30.43, 38.86), 0.7266, 5e-5);
    // In the 39 weeks that the model had not seen: within a seventh of what came.
    let told: f64 = buyers
        .iter()
        .map(|b| model.expected(39.0, b.repeats, b.last, b.age))
        .sum();
    let came: u64 = later.iter().sum();
    assert_eq!(came, 1_882);
    near(told / came as f64, 1.0, 0.15);
}

#[test]
fn gamma_gamma_on_cdnow() {
    let Some((buyers, _)) = cdnow() else { return };
    let paying = buyers
        .iter()
        .filter(|b| b.mean_money.is_some_and(|m| m > 0.0))
        .count();
    assert_eq!(paying, 946);
    let model = GammaGamma::fit(&buyers).unwrap();
    // Fader and Hardie 2013.
    near(model.p, 6.25, 5e-3);
    near(model.q, 3.74, 5e-3);
    near(model.gamma, 15.44, 6e-3);
    for (buyer, truth) in buyers.iter().zip([24.66, 18.91, 35.17]) {
        near(model.expected(buyer.repeats, buyer.mean_money), truth, 0.01);
    }
}

#[test]
fn value_of_a_cdnow_customer() {
    let Some((buyers, _)) = cdnow() else { return };
    let year = Outlook {
        horizon: 52.0,
        discount: 0.0,
        margin: 1.0,
    };
    let value = lifetime_value(&buyers, year, 0.95).unwrap();
    let naive: f64 = buyers
        .iter()
        .map(|b| {
            let money = value
                .money
                .expected(b.repeats, b.mean_money.filter(|m| *m > 0.0));
            value.purchases.expected(52.0, b.repeats, b.last, b.age) * money
        })
        .sum();
    near(value.estimate.value, naive / buyers.len() as f64, 1e-9);
    assert!(value.estimate.width() / value.estimate.value < 0.5);
    let later = lifetime_value(
        &buyers,
        Outlook {
            discount: 0.002,
            ..year
        },
        0.95,
    )
    .unwrap();
    assert!(
        later.estimate.value < value.estimate.value
            && later.estimate.value > 0.9 * value.estimate.value
    );
}

#[test]
fn too_little_fits_nothing() {
    let one = Buyers {
        n: 1,
        repeats: 1,
        last: 1.0,
        age: 2.0,
        mean_money: Some(5.0),
    };
    assert!(BgNbd::fit(&[]).is_none() && BgNbd::fit(&[one]).is_none());
    let never = Buyers {
        n: 500,
        repeats: 0,
        last: 0.0,
        ..one
    };
    assert!(BgNbd::fit(&[never]).is_none() && GammaGamma::fit(&[never]).is_none());
    let backwards = Buyers {
        n: 500,
        last: 3.0,
        ..one
    };
    assert!(BgNbd::fit(&[backwards]).is_none());
    let not_a_number = Buyers {
        n: 500,
        age: f64::NAN,
        ..one
    };
    assert!(BgNbd::fit(&[not_a_number]).is_none());
    assert!(renewals(&[0, 0], &[50], 3, 0.0, 0.95).is_none());
}
