//! Models of purchases and renewals: the robust variance of what they say of all customers.

use desireline_stats::clv::{
    BgNbd, Buyers, GammaGamma, Outlook, lifetime_value, mean_alive, renewals,
};

use crate::chance::Chance;
use crate::{Asked, LEVEL, covers};

const PURCHASES: BgNbd = BgNbd {
    r: 0.8,
    alpha: 6.0,
    a: 0.9,
    b: 3.0,
    log_likelihood: 0.0,
};
const MONEY: GammaGamma = GammaGamma {
    p: 6.0,
    q: 4.0,
    gamma: 16.0,
    log_likelihood: 0.0,
};

/// A customer of the two models, watched for a while; and whether they are still there.
fn buyer(c: &mut Chance) -> (Buyers, bool) {
    let age = c.within(10.0, 40.0);
    let rate = c.gamma(PURCHASES.r) / PURCHASES.alpha;
    let leaves = c.beta(PURCHASES.a, PURCHASES.b);
    let (mut time, mut last, mut repeats, mut alive) = (0.0, 0.0, 0, true);
    // They may leave only after a repeat purchase: as in the model.
    while alive && repeats < 10_000 {
        time += c.exponential() / rate;
        if time > age {
            break;
        }
        (last, repeats) = (time, repeats + 1);
        alive = !c.is(leaves);
    }
    let scale = c.gamma(MONEY.q) / MONEY.gamma;
    let times = f64::from(repeats.max(1));
    let mean = c.gamma(MONEY.p * times) / scale / times;
    let row = Buyers {
        n: 1,
        repeats,
        last,
        age,
        mean_money: (repeats > 0).then_some(mean),
    };
    (row, alive)
}

#[test]
fn value_and_those_left() {
    // What customers of this kind are worth: by the models themselves, over very many.
    let c = &mut Chance::new(77, 0);
    let (mut worth, mut left) = (0.0, 0.0);
    let many = 60_000;
    for _ in 0..many {
        let (b, alive) = buyer(c);
        worth += PURCHASES.expected(20.0, b.repeats, b.last, b.age)
            * MONEY.expected(b.repeats, b.mean_money);
        left += f64::from(u8::from(alive));
    }
    let (worth, left) = (worth / f64::from(many), left / f64::from(many));
    let outlook = Outlook {
        horizon: 20.0,
        discount: 0.0,
        margin: 1.0,
    };
    for m in [100, 300] {
        let buyers = |run| -> Vec<Buyers> {
            let c = &mut Chance::new(1_000 + m, run);
            (0..m).map(|_| buyer(c).0).collect()
        };
        covers(
            &format!("lifetime value, {m} customers"),
            Asked::Level,
            120,
            |run| {
                Some(
                    lifetime_value(&buyers(run), outlook, LEVEL)?
                        .estimate
                        .contains(worth),
                )
            },
        );
        covers(
            &format!("share of customers left, {m} customers"),
            Asked::Level,
            120,
            |run| Some(mean_alive(&buyers(run), LEVEL)?.0.contains(left)),
        );
    }
}

#[test]
fn payments_until_they_leave() {
    let (a, b) = (0.7, 2.0);
    let (mut truth, mut survival) = (0.0, 1.0);
    for t in 0..=8 {
        truth += survival;
        survival *= (b + f64::from(t)) / (a + b + f64::from(t));
    }
    for m in [100, 400] {
        covers(
            &format!("renewals, {m} customers"),
            Asked::Level,
            600,
            |run| {
                let c = &mut Chance::new(5_000 + m, run);
                let (mut lost, mut watched) = ([0; 6], [0; 6]);
                for _ in 0..m {
                    let leaves = c.beta(a, b);
                    let until = 3 + usize::from(c.is(0.5)) * 3;
                    match (0..until).find(|_| c.is(leaves)) {
                        Some(period) => lost[period] += 1,
                        None => watched[until - 1] += 1,
                    }
                }
                Some(renewals(&lost, &watched, 8, 0.0, LEVEL)?.0.contains(truth))
            },
        );
    }
}
