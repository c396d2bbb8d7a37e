//! Each KPI of the log against a naive loop over plain lists, written from the definition in words.
#![allow(clippy::unwrap_used, clippy::cast_possible_wrap)]

mod more;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::engine::Exec;
use crate::journey::{JourneyRule, Journeys};
use crate::log::{AttributeType, AttributeValue, EventRow, Log, LogBuilder, LogOptions};
use crate::map::Param;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const NAMES: [&str; 8] = [
    "view", "cart", "purchase", "search", "support", "refund", "solved", "invite",
];
const CHANNELS: [&str; 3] = ["web", "app", "store"];

#[derive(Clone, Copy, Debug)]
struct Event {
    time: i64,
    name: &'static str,
    channel: Option<&'static str>,
    money: Option<i64>,
}

struct World {
    customers: Vec<Vec<Event>>,
    until: i64,
}

impl World {
    fn new(seed: u64, customers: usize) -> World {
        let mut state = seed;
        let mut draw = |n: usize| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut x = state;
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((x ^ (x >> 31)) % n as u64) as usize
        };
        let until = 60 * DAY;
        let customers = (0..customers)
            .map(|_| {
                let mut time = draw(50 * 24) as i64 * HOUR;
                let mut events = Vec::new();
                for _ in 0..=draw(12) {
                    if time > until {
                        break;
                    }
                    let name = NAMES[draw(NAMES.len() * 2) % NAMES.len()];
                    events.push(Event {
                        time,
                        name,
                        channel: CHANNELS.get(draw(4)).copied(),
                        money: (name == "purchase").then(|| 100 + draw(5_000) as i64),
                    });
                    time += [0, 4, 20, 45, 600, 3_000, 9_000][draw(7)] * MINUTE;
                }
                events
            })
            .collect();
        World { customers, until }
    }

    fn log(&self) -> Log {
        let mut options = LogOptions::default()
            .attribute("channel", AttributeType::Text)
            .currency("EUR", 2);
        options.channel = Some("channel".to_owned());
        options.observed_until = Some(self.until);
        options.block_events = 200;
        let mut builder = LogBuilder::new(options);
        for (c, events) in self.customers.iter().enumerate() {
            for e in events {
                let attributes: Vec<(&str, AttributeValue<'_>)> = e
                    .channel
                    .map(|c| ("channel", c.into()))
                    .into_iter()
                    .collect();
                let id = format!("c{c}");
                builder
                    .push_row(&EventRow {
                        value: e.money,
                        attributes: &attributes,
                        ..EventRow::new(id.as_str(), e.time, e.name)
                    })
                    .unwrap();
            }
        }
        builder.finish().unwrap()
    }

    fn journeys(&self) -> Journeys {
        self.log()
            .journeys(JourneyRule::gap("30m").unwrap())
            .unwrap()
    }

    /// Each customer's sessions.
    fn sessions(&self) -> Vec<Vec<Vec<Event>>> {
        let cut = |events: &Vec<Event>| {
            let mut sessions: Vec<Vec<Event>> = Vec::new();
            for e in events {
                match sessions.last_mut() {
                    Some(s) if e.time - s[s.len() - 1].time <= 30 * MINUTE => s.push(*e),
                    _ => sessions.push(vec![*e]),
                }
            }
            sessions
        };
        self.customers.iter().map(cut).collect()
    }
}

fn ask(kpi: &str, variant: &str, params: &[(&str, &str)]) -> Kpi {
    params
        .iter()
        .fold(Kpi::new(kpi).variant(variant), |kpi, (name, value)| {
            kpi.with(name, Param::Text((*value).to_owned()))
        })
}

/// (above, below, left out) of the first row.
fn counted(world: &World, kpi: &Kpi) -> (i64, u64, u64) {
    let report = world.journeys().run(kpi).unwrap();
    let value = &report.values[0];
    (value.count.unwrap(), value.n, value.excluded)
}

fn each_world(check: impl Fn(&World)) {
    for seed in 0..12 {
        check(&World::new(seed, 60));
    }
}

fn begun(times: &[i64], ended: impl Fn(i64) -> bool, until: i64, within: i64) -> (i64, u64, u64) {
    let (mut k, mut n, mut left) = (0, 0, 0);
    for &t in times {
        if until - t < within {
            left += 1;
        } else {
            n += 1;
            k += i64::from(ended(t));
        }
    }
    (k, n, left)
}

fn sum(parts: impl Iterator<Item = (i64, u64, u64)>) -> (i64, u64, u64) {
    parts.fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
}

#[test]
fn carts_left_behind() {
    each_world(|world| {
        let within = 2 * DAY;
        let naive = sum(world.customers.iter().map(|events| {
            // One cart after another, each looked at from its beginning.
            let mut carts = Vec::new();
            let mut i = 0;
            while i < events.len() {
                if events[i].name != "cart" {
                    i += 1;
                    continue;
                }
                let t = events[i].time;
                let bought = (i + 1..events.len())
                    .find(|&j| events[j].name == "purchase" && events[j].time - t <= within);
                carts.push((t, bought.is_some()));
                i = match bought {
                    Some(j) => j + 1,
                    None => (i + 1..events.len())
                        .find(|&j| events[j].time - t > within)
                        .unwrap_or(events.len()),
                };
            }
            let times: Vec<i64> = carts.iter().map(|c| c.0).collect();
            let mut outcome = carts.iter();
            let mut abandoned = (0, 0, 0);
            for _ in &times {
                let (t, bought) = *outcome.next().unwrap();
                let one = begun(&[t], |_| !bought, world.until, within);
                abandoned = (
                    abandoned.0 + one.0,
                    abandoned.1 + one.1,
                    abandoned.2 + one.2,
                );
            }
            abandoned
        }));
        let kpi = ask(
            "K02",
            "cart",
            &[("cart", "cart"), ("purchase", "purchase"), ("within", "2d")],
        );
        assert_eq!(counted(world, &kpi), naive);
    });
}

#[test]
fn conversion_repeat_purchase_and_retention() {
    each_world(|world| {
        let first_then =
            |first: &dyn Fn(&Event) -> bool, then: &dyn Fn(&Event) -> bool, within: i64| {
                sum(world.customers.iter().map(|events| {
                    let Some(i) = events.iter().position(first) else {
                        return (0, 0, 0);
                    };
                    let t = events[i].time;
                    begun(
                        &[t],
                        |t| {
                            events[i + 1..]
                                .iter()
                                .any(|e| then(e) && e.time - t <= within)
                        },
                        world.until,
                        within,
                    )
                }))
            };
        let naive = first_then(&|e| e.name == "view", &|e| e.name == "purchase", 3 * DAY);
        let kpi = ask(
            "conversion",
            "persons",
            &[("entry", "view"), ("goal", "purchase"), ("within", "3d")],
        );
        assert_eq!(counted(world, &kpi), naive);
        // Without an entry the first event is one, and may be the goal itself.
        let any = sum(world.customers.iter().map(|events| {
            let t = events[0].time;
            begun(
                &[t],
                |t| {
                    events
                        .iter()
                        .any(|e| e.name == "purchase" && e.time - t <= 3 * DAY)
                },
                world.until,
                3 * DAY,
            )
        }));
        let kpi = ask(
            "conversion",
            "persons",
            &[("goal", "purchase"), ("within", "3d")],
        );
        assert_eq!(counted(world, &kpi), any);
        let naive = first_then(
            &|e| e.name == "purchase",
            &|e| e.name == "purchase",
            20 * DAY,
        );
        let kpi = ask(
            "loyalty",
            "rate",
            &[("purchase", "purchase"), ("within", "20d")],
        );
        assert_eq!(counted(world, &kpi), naive);

        let again = |from: i64, to: Option<i64>| {
            sum(world.customers.iter().map(|events| {
                let t = events[0].time;
                let back = events
                    .iter()
                    .any(|e| e.time - t >= from && to.is_none_or(|to| e.time - t <= to));
                begun(&[t], |_| back, world.until, to.unwrap_or(from))
            }))
        };
        for (variant, from, to) in [
            ("rolling", 5 * DAY, None),
            ("exact", 5 * DAY, Some(6 * DAY - 1)),
            ("bounded", 1, Some(5 * DAY)),
        ] {
            assert_eq!(
                counted(world, &ask("K10", variant, &[("after", "5d")])),
                again(from, to),
                "{variant}"
            );
        }
        let both = sum(world.customers.iter().map(|events| {
            let ago = |e: &Event| world.until - e.time;
            let before = events
                .iter()
                .any(|e| (20 * DAY..40 * DAY).contains(&ago(e)));
            let after = events.iter().any(|e| ago(e) < 20 * DAY);
            if before {
                (i64::from(after), 1, 0)
            } else {
                (0, 0, 0)
            }
        }));
        assert_eq!(
            counted(world, &ask("K10", "period", &[("after", "20d")])),
            both
        );
        let lost = (both.1 as i64 - both.0, both.1, both.2);
        assert_eq!(
            counted(world, &ask("K16", "period", &[("within", "20d")])),
            lost
        );
    });
}

#[test]
fn sessions_that_bounce() {
    each_world(|world| {
        let count = |bounced: &dyn Fn(&[Event]) -> bool| {
            sum(world.sessions().iter().map(|sessions| {
                let mut sums = (0, 0, 0);
                for (i, s) in sessions.iter().enumerate() {
                    let open =
                        i + 1 == sessions.len() && world.until - s[s.len() - 1].time < 30 * MINUTE;
                    match open {
                        true => sums.2 += 1,
                        false => {
                            sums.1 += 1;
                            sums.0 += i64::from(bounced(s));
                        }
                    }
                }
                sums
            }))
        };
        assert_eq!(
            counted(world, &ask("K01", "ua", &[])),
            count(&|s| s.len() == 1)
        );
        let views = |s: &[Event]| s.iter().filter(|e| e.name == "view").count();
        let ga4 = count(&|s| {
            let long = s[s.len() - 1].time - s[0].time >= 10_000_000;
            !(long || views(s) >= 2 || s.iter().any(|e| e.name == "purchase"))
        });
        let kpi = ask(
            "bounce_rate",
            "ga4",
            &[("view", "view"), ("key", "purchase")],
        );
        assert_eq!(counted(world, &kpi), ga4);
        let engaged = (ga4.1 as i64 - ga4.0, ga4.1, ga4.2);
        let kpi = ask(
            "engagement",
            "engaged",
            &[("view", "view"), ("key", "purchase")],
        );
        assert_eq!(counted(world, &kpi), engaged);
    });
}

#[test]
fn new_customers_reach_and_referrals() {
    each_world(|world| {
        let firsts: Vec<Option<i64>> = world
            .customers
            .iter()
            .map(|e| e.iter().find(|e| e.name == "purchase").map(|e| e.time))
            .collect();
        let begin = world
            .customers
            .iter()
            .flatten()
            .map(|e| e.time)
            .min()
            .unwrap();
        let known = |t: &i64| *t >= begin + 10 * DAY;
        let new = firsts.iter().flatten().filter(|t| known(t)).count();
        let old = firsts.iter().flatten().count() - new;
        let params = [("purchase", "purchase"), ("history", "10d")];
        assert_eq!(
            counted(world, &ask("K03", "new", &params)),
            (new as i64, new as u64, old as u64)
        );
        let prospects = firsts
            .iter()
            .filter(|f| f.as_ref().is_none_or(known))
            .count();
        assert_eq!(
            counted(world, &ask("K03", "rate", &params)),
            (new as i64, prospects as u64, old as u64)
        );

        let touched = world
            .customers
            .iter()
            .filter(|c| c.iter().any(|e| e.name == "search"))
            .count();
        assert_eq!(
            counted(world, &ask("K09", "persons", &[("touch", "search")])).1,
            touched as u64
        );
        let report = world
            .journeys()
            .run(
                &Kpi::new("reach")
                    .variant("share")
                    .with("touch", "search")
                    .with("population", Param::Integer(1_000)),
            )
            .unwrap();
        let wilson = desireline_stats::wilson(touched as u64, 1_000, 0.95).unwrap();
        assert_eq!(report.values[0].estimate.unwrap(), wilson);

        let mut by = BTreeMap::<&str, BTreeSet<usize>>::new();
        for (c, events) in world.customers.iter().enumerate() {
            for e in events {
                by.entry(e.channel.unwrap_or("(none)"))
                    .or_default()
                    .insert(c);
            }
        }
        let report = world
            .journeys()
            .run(&ask("K09", "by_channel", &[]))
            .unwrap();
        for value in &report.values {
            assert_eq!(value.n, by[value.key.as_deref().unwrap()].len() as u64);
        }
        let report = world
            .journeys()
            .run(&ask("K09", "incremental", &[]))
            .unwrap();
        for value in report.values.iter().filter(|v| v.n > 0) {
            let key = value.key.as_deref().unwrap();
            let only = by[key]
                .iter()
                .filter(|c| by.iter().all(|(k, set)| *k == key || !set.contains(c)));
            assert_eq!(value.n, only.count() as u64, "{key}");
        }

        let invites = world
            .customers
            .iter()
            .flatten()
            .filter(|e| e.name == "invite")
            .count();
        let n = world.customers.len();
        assert_eq!(
            counted(
                world,
                &ask("K27", "per_customer", &[("referral", "invite")])
            ),
            (invites as i64, n as u64, 0)
        );
        let referred = world
            .customers
            .iter()
            .filter(|c| c[0].channel == Some("app"))
            .count();
        assert_eq!(
            counted(
                world,
                &ask("K27", "share", &[("referred", "channel == \"app\"")])
            ),
            (referred as i64, n as u64, 0)
        );
    });
}

#[test]
fn ends_goals_and_detours() {
    each_world(|world| {
        let sessions = world.sessions();
        let naive = sum(sessions.iter().map(|of| {
            let mut sums = (0, 0, 0);
            for (i, s) in of.iter().enumerate() {
                if !s.iter().any(|e| e.name == "cart") {
                    continue;
                }
                let last = s[s.len() - 1];
                if world.until - last.time < 2 * DAY {
                    sums.2 += 1;
                    continue;
                }
                let back = of
                    .get(i + 1)
                    .is_some_and(|next| next[0].time - last.time <= 2 * DAY);
                let goal = s.iter().any(|e| e.name == "purchase");
                sums.1 += 1;
                sums.0 += i64::from(last.name == "cart" && !goal && !back);
            }
            sums
        }));
        let kpi = ask(
            "K18",
            "journeys",
            &[
                ("at", "cart"),
                ("goal", "purchase"),
                ("returns_within", "2d"),
            ],
        );
        assert_eq!(counted(world, &kpi), naive);

        let (mut reached, mut n, mut open, mut steps, mut least) = (0, 0, 0, 0, u64::MAX);
        for of in &sessions {
            for (i, s) in of.iter().enumerate() {
                let Some(start) = s.iter().position(|e| e.name == "view") else {
                    continue;
                };
                match s[start..].iter().position(|e| e.name == "purchase") {
                    Some(at) => {
                        reached += 1;
                        n += 1;
                        steps += at as u64 + 1;
                        least = least.min(at as u64 + 1);
                    }
                    None if i + 1 == of.len()
                        && world.until - s[s.len() - 1].time < 30 * MINUTE =>
                    {
                        open += 1
                    }
                    None => n += 1,
                }
            }
        }
        let params = [("goal", "purchase"), ("start", "view")];
        assert_eq!(
            counted(world, &ask("K19", "completion", &params)),
            (reached, n, open)
        );
        let report = world
            .journeys()
            .run(&ask("K19", "directness", &params))
            .unwrap();
        if reached >= 5 {
            let expected = least as f64 / (steps as f64 / reached as f64);
            assert!((report.values[0].estimate.unwrap().value - expected).abs() < 1e-12);
        }

        let (mut revisit, mut reload, mut pong) = ((0, 0), (0, 0), (0, 0));
        for s in sessions.iter().flatten() {
            for i in 1..s.len() {
                let seen = s[..i].iter().any(|e| e.name == s[i].name);
                revisit = (
                    revisit.0 + i64::from(seen && s[i - 1].name != s[i].name),
                    revisit.1 + 1,
                );
                reload = (
                    reload.0 + i64::from(s[i - 1].name == s[i].name),
                    reload.1 + 1,
                );
                if i > 1 {
                    let back = s[i - 2].name == s[i].name && s[i - 1].name != s[i].name;
                    pong = (pong.0 + i64::from(back), pong.1 + 1);
                }
            }
        }
        for (variant, (k, n)) in [
            ("revisits", revisit),
            ("reloads", reload),
            ("ping_pong", pong),
        ] {
            assert_eq!(
                counted(world, &ask("K22", variant, &[])),
                (k, n, 0),
                "{variant}"
            );
        }
    });
}

#[test]
fn returns_contacts_and_clicks() {
    each_world(|world| {
        let within = 4 * DAY;
        let returned = sum(world.customers.iter().map(|events| {
            // Each return goes to the oldest order that still waits for one.
            let mut orders: Vec<(i64, bool)> = Vec::new();
            for e in events {
                if e.name == "refund" {
                    let waiting = orders.iter_mut().find(|o| !o.1 && e.time - o.0 <= within);
                    if let Some(order) = waiting {
                        order.1 = true;
                    }
                }
                if e.name == "purchase" {
                    orders.push((e.time, false));
                }
            }
            sum(orders
                .iter()
                .map(|&(t, back)| begun(&[t], |_| back, world.until, within)))
        }));
        let kpi = ask(
            "returns",
            "orders",
            &[
                ("order", "purchase"),
                ("return", "refund"),
                ("within", "4d"),
            ],
        );
        assert_eq!(counted(world, &kpi), returned);

        let needs = |resolved: bool| {
            sum(world.customers.iter().map(|events| {
                let mut sums = (0, 0, 0);
                let mut free_from = i64::MIN;
                for (i, e) in events.iter().enumerate() {
                    if e.name != "support" || e.time <= free_from {
                        continue;
                    }
                    free_from = e.time + within;
                    let rest = || events[i + 1..].iter().filter(|x| x.time <= free_from);
                    let again = rest().any(|x| x.name == "support");
                    let solved = !resolved || rest().any(|x| x.name == "solved");
                    let one = begun(&[e.time], |_| solved && !again, world.until, within);
                    sums = (sums.0 + one.0, sums.1 + one.1, sums.2 + one.2);
                }
                sums
            }))
        };
        let kpi = ask(
            "K26",
            "resolved",
            &[("contact", "support"), ("within", "4d")],
        );
        assert_eq!(counted(world, &kpi), needs(false));
        let kpi = kpi.with("resolved", "solved");
        assert_eq!(counted(world, &kpi), needs(true));

        let of = |name: &str, of: &[Event]| of.iter().filter(|e| e.name == name).count();
        let clicks = sum(world.customers.iter().map(|c| match of("view", c) {
            0 => (0, 0, 0),
            n => (of("search", c) as i64, n as u64, 0),
        }));
        assert_eq!(
            counted(
                world,
                &ask(
                    "ctr",
                    "events",
                    &[("impression", "view"), ("click", "search")]
                )
            ),
            clicks
        );
    });
}

#[test]
fn money_and_activity() {
    each_world(|world| {
        let journeys = world.journeys();
        let all: Vec<&Event> = world.customers.iter().flatten().collect();
        let total: i64 = all.iter().filter_map(|e| e.money).sum();
        let orders = all.iter().filter(|e| e.money.is_some()).count();
        let sessions: Vec<Vec<Event>> = world.sessions().into_iter().flatten().collect();
        for (variant, n) in [
            ("order", orders),
            ("journey", sessions.len()),
            ("customer", world.customers.len()),
            ("total", world.customers.len()),
        ] {
            let report = journeys.run(&ask("K25", variant, &[])).unwrap();
            let value = &report.values[0];
            assert_eq!((value.count, value.n), (Some(total), n as u64), "{variant}");
            let e = value.estimate.unwrap();
            let expected = if variant == "total" {
                total as f64
            } else {
                total as f64 / n as f64
            };
            assert!(
                (e.value - expected).abs() < 1e-6 && e.lower < e.value && e.value < e.upper,
                "{variant}"
            );
        }
        let n = sessions.len() as u64;
        assert_eq!(
            counted(world, &ask("K06", "sessions", &[])),
            (n as i64, world.customers.len() as u64, 0)
        );
        assert_eq!(
            counted(world, &ask("K06", "touchpoints", &[])),
            (all.len() as i64, n, 0)
        );
        let time: i64 = sessions
            .iter()
            .map(|s| s[s.len() - 1].time - s[0].time)
            .sum();
        assert_eq!(counted(world, &ask("K06", "minutes", &[])), (time, n, 0));

        // The last thirty whole days end with day 59, since observation ends with the first instant of day 60.
        let days: Vec<BTreeSet<i64>> = world
            .customers
            .iter()
            .map(|c| {
                c.iter()
                    .map(|e| e.time / DAY)
                    .filter(|d| (30..60).contains(d))
                    .collect()
            })
            .collect();
        let sum: usize = days.iter().map(BTreeSet::len).sum();
        let active = days.iter().filter(|d| !d.is_empty()).count();
        assert_eq!(
            counted(world, &ask("K06", "stickiness", &[])),
            (sum as i64, active as u64 * 30, 0)
        );

        let buying = sessions
            .iter()
            .filter(|s| s.iter().any(|e| e.name == "cart"))
            .count();
        let report = journeys
            .run(&ask(
                "K14",
                "inferred",
                &[("buying", "cart"), ("searching", "search")],
            ))
            .unwrap();
        assert_eq!(report.values[0].count, Some(buying as i64));
        let shares: i64 = report.values.iter().filter_map(|v| v.count).sum();
        assert_eq!((shares, report.values.len()), (n as i64, 4));
    });
}

#[test]
fn times_are_those_of_kaplan_and_meier() {
    each_world(|world| {
        let rows: Vec<(i64, u64, u64)> = world
            .customers
            .iter()
            .filter_map(|events| {
                let i = events.iter().position(|e| e.name == "purchase")?;
                let t = events[i].time;
                Some(
                    match events[i + 1..].iter().find(|e| e.name == "purchase") {
                        Some(e) => (e.time - t, 1, 0),
                        None => (world.until - t, 0, 1),
                    },
                )
            })
            .collect();
        let curve = desireline_stats::KaplanMeier::from_counts(&rows, 0.95).unwrap();
        let report = world
            .journeys()
            .run(&ask("K08", "time", &[("purchase", "purchase")]))
            .unwrap();
        assert_eq!(
            (report.values[0].estimate, report.values[0].n),
            (curve.quantile(0.5), curve.n())
        );

        // A stage: one who drops out stays in it for ever.
        let mut rows = Vec::new();
        for of in world.sessions() {
            for (i, s) in of.iter().enumerate() {
                let Some(at) = s.iter().position(|e| e.name == "view") else {
                    continue;
                };
                let (t, last) = (s[at].time, s[s.len() - 1].time);
                let open = i + 1 == of.len() && world.until - last < 30 * MINUTE;
                rows.push(match s[at + 1..].iter().find(|e| e.name == "cart") {
                    Some(e) => (e.time - t, 1, 0),
                    None if open => (last - t, 0, 1),
                    None => (world.until - t, 0, 1),
                });
            }
        }
        let curve = desireline_stats::KaplanMeier::from_counts(&rows, 0.95).unwrap();
        let report = world
            .journeys()
            .run(&ask(
                "K17",
                "median",
                &[("enter", "view"), ("leave", "cart")],
            ))
            .unwrap();
        assert_eq!(
            (report.values[0].estimate, report.values[0].n),
            (curve.quantile(0.5), curve.n())
        );
    });
}
