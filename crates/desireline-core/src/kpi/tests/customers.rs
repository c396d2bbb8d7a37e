//! KPIs whose unit is the customer.

use super::*;

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
        let keys: BTreeSet<&str> = report
            .values
            .iter()
            .filter_map(|v| v.key.as_deref())
            .collect();
        assert_eq!(keys, by.keys().copied().collect());
        for value in &report.values {
            let key = value.key.as_deref().unwrap();
            let only = by[key]
                .iter()
                .filter(|c| by.iter().all(|(k, set)| *k == key || !set.contains(c)));
            let n = only.count() as u64;
            assert_eq!(
                (value.n, value.customers, value.count),
                (n, n, Some(n as i64)),
                "{key}"
            );
            assert_eq!(value.estimate, desireline_stats::garwood(n, 0.95), "{key}");
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
