//! KPIs whose unit is a cart, an order, a contact, money, a day.

use super::*;

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
