//! Each planted effect is found, as large as the truth says.

use super::*;

fn z(a: (f64, f64), b: (f64, f64)) -> f64 {
    (b.0 - a.0) / (a.1 * a.1 + b.1 * b.1).sqrt()
}

fn index(names: &[String], name: &str) -> u8 {
    names.iter().position(|n| n == name).unwrap() as u8
}

#[test]
fn the_step_breaks_for_one_device_on_the_day() {
    let (simulator, columns) = people(&Simulation::shop(20_000));
    let truth = simulator.truth();
    let broken = truth.broken_step.as_ref().unwrap();
    let device = index(&simulator.dictionaries().device, &broken.device);
    // Visits to payment and errors right after them: elsewhere, and where broken.
    let mut counts = [[0u32; 2]; 2];
    for i in 1..columns.len() {
        if columns.event[i - 1] == vocabulary::PAYMENT {
            let here = columns.device[i - 1] == device && columns.time[i - 1] >= broken.from;
            counts[usize::from(here)][0] += 1;
            counts[usize::from(here)][1] +=
                u32::from(columns.event[i] == vocabulary::PAYMENT_ERROR);
        }
    }
    for (found, p) in counts
        .into_iter()
        .zip([truth.payment_error, broken.payment_error])
    {
        let n = f64::from(found[0]);
        close(
            f64::from(found[1]) / n,
            p,
            (p * (1.0 - p) / n).sqrt(),
            "payment errors",
        );
    }
    let visits = visits(&columns, simulator.dictionaries());
    let others = rate(&visits, |v| v.paying && v.device != device, |v| v.bought);
    close(others.0, truth.completion, others.1, "completion elsewhere");
    let here = rate(&visits, |v| v.paying && v.device == device, |v| v.bought);
    assert!(
        z(here, others) > 8.0,
        "the broken step can be found: {here:?} against {others:?}"
    );
}

#[test]
fn one_channel_lifts_and_one_only_seems_to() {
    let (simulator, columns) = people(&Simulation::shop(40_000));
    let (truth, names) = (simulator.truth(), simulator.dictionaries());
    let visits = visits(&columns, names);
    let (lifted, ratio) = truth.channel_lift.clone().unwrap();
    let mix = truth.channel_mix.clone().unwrap();
    let (lifted, mixed) = (
        index(&names.channel, &lifted),
        index(&names.channel, &mix.channel),
    );
    let null = |v: &Visit| v.channel != lifted && v.channel != mixed;
    let base = rate(&visits, null, |v| v.paying);
    let lift = rate(&visits, |v| v.channel == lifted, |v| v.paying);
    assert!(z(base, lift) > 6.0);
    close(lift.0 / base.0, ratio, lift.1 / base.0, "lift");
    let seems = rate(&visits, |v| v.channel == mixed, |v| v.paying);
    assert!(mix.pooled_ratio > 1.2, "{mix:?}");
    assert!(z(base, seems) > 5.0);
    close(
        seems.0 / base.0,
        mix.pooled_ratio,
        seems.1 / base.0,
        "seeming lift",
    );
    for (plan, (_, plan_ratio)) in truth.plan_ratios.iter().enumerate() {
        for campaign in 0..2u8 {
            let within = |v: &Visit| usize::from(v.plan) == plan && v.campaign == campaign;
            let p = truth.reach_payment_base
                * plan_ratio
                * if campaign == 1 {
                    truth.reversal.as_ref().unwrap().within_ratio
                } else {
                    1.0
                };
            let found = rate(&visits, |v| within(v) && null(v), |v| v.paying);
            close(found.0, p, found.1, "rate in a stratum");
            let found = rate(&visits, |v| within(v) && v.channel == mixed, |v| v.paying);
            close(
                found.0,
                p,
                found.1,
                "rate of the seeming channel in a stratum",
            );
        }
    }
}

#[test]
fn the_campaign_reverses() {
    let (simulator, columns) = people(&Simulation::shop(20_000));
    let truth = simulator.truth().reversal.clone().unwrap();
    assert!(
        truth.within_ratio > 1.0 && truth.pooled_ratio < 0.9,
        "{truth:?}"
    );
    let visits = visits(&columns, simulator.dictionaries());
    for plan in 0..3 {
        let [a, b] =
            [0, 1].map(|c| rate(&visits, |v| v.plan == plan && v.campaign == c, |v| v.bought));
        assert!(z(a, b) > 2.0, "plan {plan}: {a:?} {b:?}");
    }
    let [a, b] = [0, 1].map(|c| rate(&visits, |v| v.campaign == c, |v| v.bought));
    assert!(z(a, b) < -3.0, "pooled: {a:?} {b:?}");
    close(
        b.0 / a.0,
        truth.pooled_ratio,
        b.1 / a.0 + a.1 / a.0,
        "pooled ratio",
    );
}

#[test]
fn one_device_loops() {
    let (simulator, columns) = people(&Simulation::shop(20_000));
    let truth = simulator.truth();
    let (device, p) = truth.rework.clone().unwrap();
    let device = index(&simulator.dictionaries().device, &device);
    let mut counts = [[0u32; 2]; 2];
    for i in 1..columns.len() {
        let same = columns.session[i] == columns.session[i - 1]
            && columns.customer[i] == columns.customer[i - 1];
        if same && columns.event[i - 1] == vocabulary::SHIPPING_DETAILS {
            let here = usize::from(columns.device[i] == device);
            counts[here][0] += 1;
            counts[here][1] += u32::from(columns.event[i] == vocabulary::CHECKOUT);
        }
    }
    for (found, p) in counts.into_iter().zip([truth.rework_elsewhere, p]) {
        let n = f64::from(found[0]);
        close(
            f64::from(found[1]) / n,
            p,
            (p * (1.0 - p) / n).sqrt(),
            "going back",
        );
    }
}

#[test]
fn bots_are_few_large_and_in_proportion() {
    for (customers, count) in [(50, 0), (1_000, 1), (20_000, 2), (100_000, 10)] {
        let simulator = Simulation::shop(customers).prepare().unwrap();
        let bots = &simulator.model.bots;
        assert_eq!(bots.len(), count);
        assert_eq!(simulator.truth().bots.len(), count);
        let scale = (customers as f64 / 10_000.0).min(1.0);
        for bot in bots {
            assert!(
                (0.99 * 1e4 * scale..=1e5 * scale).contains(&(bot.events as f64)),
                "{bot:?}"
            );
            let columns = simulator.columns(bot.customer..bot.customer + 1);
            assert_eq!(columns.len() as u64, bot.events);
            assert!(!columns.event.contains(&vocabulary::PURCHASE));
        }
    }
}

#[test]
fn without_effects_only_the_plan_matters() {
    let (simulator, columns) = people(&Simulation {
        effects: Effects::none(),
        ..Simulation::shop(20_000)
    });
    let names = simulator.dictionaries();
    let visits = visits(&columns, names);
    let pooled = rate(&visits, |_| true, |v| v.bought).0;
    let mut checks = 0;
    let mut check = |wanted: &dyn Fn(&Visit) -> bool| {
        let found = rate(&visits, wanted, |v| v.bought);
        close(found.0, pooled, found.1 + 1e-6, "null");
        checks += 1;
    };
    for code in 0..12u8 {
        check(&|v| v.channel == code);
        check(&|v| v.device == code % 4);
        check(&|v| v.campaign == code % 2);
        check(&|v| v.ab == code % 2);
    }
    assert_eq!(checks, 48);
    let halves = visits
        .iter()
        .filter(|v| v.ab == 0)
        .map(|v| v.customer)
        .collect::<std::collections::HashSet<_>>();
    assert!((9_700..10_300).contains(&halves.len()));
}
