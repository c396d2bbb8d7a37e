//! KPIs whose unit is the journey, and times along it.

use super::*;

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
        // Journeys of one customer resemble each other, so the interval is at least as wide.
        let (e, alone) = (report.values[0].estimate, curve.quantile(0.5));
        assert_eq!(report.values[0].n, curve.n());
        if let (Some(e), Some(alone)) = (e, alone) {
            assert_eq!(e.value, alone.value);
            assert!(e.lower <= alone.lower && e.upper >= alone.upper);
        }
        assert!(alone.is_some() || e.is_none());
    });
}
