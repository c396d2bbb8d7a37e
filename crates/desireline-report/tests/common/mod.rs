//! Hand-made pictures and reports that the tests share.
#![allow(
    dead_code,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used
)]

pub mod report;

use desireline_report::svg::*;
use desireline_stats::{Estimate, Method, Unit, newcombe, wilson};

/// Names that try to break out of whatever they stand in.
pub const HOSTILE: [&str; 14] = [
    "</script><script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "]]>",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "a\u{1b}[2J\u{7}b",
    "\u{202e}evil\u{2066}",
    "a very long touchpoint name that goes on and on well beyond sixty characters, really",
    "👩‍👩‍👧‍👦 family 🛒🛒🛒",
    "購物車結帳頁面購物車結帳頁面",
    "עגלת קניות",
    "line\nbreak\ttab|pipe`tick`",
    "{{ 7*7 }}",
    "&amp;<b>",
];

pub fn rate(k: u64, n: u64) -> Option<Estimate> {
    if n < 5 { None } else { wilson(k, n, 0.95) }
}

pub fn funnel(labels: &[&str]) -> FunnelPicture {
    let mut steps = Vec::new();
    let mut count = 48_213u64;
    let first = count;
    for (i, label) in labels.iter().enumerate() {
        let last = i + 1 == labels.len();
        let dropped = if last {
            0
        } else {
            count * [38, 61, 25, 12, 7][i % 5] / 100
        };
        let at_risk = if last {
            0
        } else {
            count * [3, 1, 0, 2][i % 4] / 100
        };
        steps.push(FunnelStep {
            label: (*label).to_owned(),
            count,
            of_entered: rate(count, first),
            go_on: rate(count - dropped - at_risk, count),
            dropped,
            at_risk,
            to_next: (!last).then_some([240_000_000, 95_000_000_000, 7_400_000][i % 3]),
        });
        count = count - dropped - at_risk;
    }
    FunnelPicture {
        title: format!("From {} to {}", labels[0], labels[labels.len() - 1]),
        note: "journeys, each counted once; within 7 d; shares with 95 % intervals".into(),
        unit: "journeys".into(),
        steps,
    }
}

pub fn small_funnel() -> FunnelPicture {
    let step = |label: &str, count, dropped, at_risk| FunnelStep {
        label: label.into(),
        count,
        of_entered: rate(count, 21),
        go_on: rate(count - dropped - at_risk, count),
        dropped,
        at_risk,
        to_next: None,
    };
    FunnelPicture {
        title: "A funnel of few".into(),
        note: "95 % intervals".into(),
        unit: "journeys".into(),
        steps: vec![
            step("visit", 21, 10, 2),
            step("cart", 9, 5, 0),
            step("pay", 4, 1, 0),
            step("keep", 3, 0, 0),
        ],
    }
}

pub fn dropoff(labels: &[&str]) -> DropoffPicture {
    DropoffPicture {
        title: "Where journeys end without purchase".into(),
        note: "exits of visits, closed journeys only; 95 % intervals, clustered by customer".into(),
        rows: labels
            .iter()
            .enumerate()
            .map(|(i, l)| {
                let visits = [4_796, 812, 20_344, 96, 31, 4][i % 6];
                let exits = visits * [25, 18, 9, 31, 12, 50][i % 6] / 100;
                DropoffRow {
                    label: (*l).to_owned(),
                    exits,
                    visits,
                    rate: rate(exits, visits),
                }
            })
            .collect(),
        overall: Some(0.124),
        tone: Tone::Loss,
    }
}

pub fn paths(names: &[&str], rows: usize) -> PathTablePicture {
    let total: u64 = 10_000;
    let name = |i: usize| names[i % names.len()].to_owned();
    PathTablePicture {
        title: "The paths most taken".into(),
        note: "3,605 journeys, repeats collapsed; share of all journeys, goal with 95 % interval"
            .into(),
        goal: "purchase reached".into(),
        rows: (0..rows)
            .map(|i| {
                let count = 1_900 / (i as u64 + 1);
                let path = (0..(i * 3 + 2) % 9 + 1)
                    .map(|k| name(if k == 2 { i } else { i + k }))
                    .collect();
                PathRow {
                    path,
                    count,
                    share: count as f64 / total as f64,
                    goal: rate(count * (i as u64 % 4 + 1) / 6, count),
                    goal_n: count,
                    note: String::new(),
                }
            })
            .chain((rows > 2).then(|| PathRow {
                path: (0..24).map(|k| name(k / 2)).collect(),
                count: 3,
                share: 0.0003,
                goal: None,
                goal_n: 3,
                note: String::new(),
            }))
            .collect(),
        other: (rows > 1).then(|| {
            (
                812,
                PathRow {
                    path: vec![],
                    count: 4_210,
                    share: 0.421,
                    goal: rate(700, 4_210),
                    goal_n: 4_210,
                    note: String::new(),
                },
            )
        }),
    }
}

pub fn curve(labels: &[&str], steps: usize) -> CurvePicture {
    let groups = labels
        .iter()
        .enumerate()
        .map(|(g, label)| {
            let n = 1_200u64 / (g as u64 + 1);
            let mut at_risk = n;
            let mut alive = 1.0f64;
            let points = (1..=steps)
                .map(|i| {
                    let time = (i as i64).pow(2) * 86_400_000_000 * 30 / (steps as i64).pow(2);
                    let events = (at_risk as f64 * 0.6 / steps as f64 / (g as f64 + 1.0)) as u64;
                    let before = at_risk;
                    alive *= 1.0 - events as f64 / at_risk as f64;
                    at_risk = at_risk
                        .saturating_sub(events + at_risk / (steps as u64 * 2))
                        .max(1);
                    let value = 1.0 - alive;
                    let half = 1.96 * (value * alive / before as f64).sqrt();
                    CurvePoint {
                        time,
                        value,
                        lower: (value - half).max(0.0),
                        upper: (value + half).min(1.0),
                        at_risk: before,
                    }
                })
                .collect();
            CurveGroup {
                label: (*label).to_owned(),
                n,
                points,
                median: (g == 0).then_some(17 * 86_400_000_000),
            }
        })
        .collect();
    CurvePicture {
        title: "Time to purchase".into(),
        note: "since the journey's first event; Kaplan-Meier with 95 % log-log band; open journeys are censored".into(),
        axis: "reached purchase".into(),
        groups,
    }
}

pub fn comparison(labels: &[&str]) -> ComparisonPicture {
    let row = |i: usize, l: &str| {
        let (n1, n2) = ([1_204, 12_998, 96, 3][i % 4], [998, 23_411, 120, 40][i % 4]);
        let (k1, k2) = (
            n1 * [22, 31, 48, 10][i % 4] / 100,
            n2 * [18, 31, 52, 10][i % 4] / 100,
        );
        ComparisonRow {
            label: l.to_owned(),
            group: rate(k1, n1)
                .map(|e| desireline_report::format::value(&e))
                .unwrap_or_default(),
            reference: rate(k2, n2)
                .map(|e| desireline_report::format::value(&e))
                .unwrap_or_default(),
            difference: if n1 < 5 {
                None
            } else {
                newcombe(k1, n1, k2, n2, 0.95)
            },
            q: (n1 >= 5).then_some([0.0004, 0.71, 0.62, 1.0][i % 4]),
            n: (n1, n2),
        }
    };
    let time = |label: &str, (v, l, u): (f64, f64, f64), q| ComparisonRow {
        label: label.into(),
        group: "2.6 d".into(),
        reference: "1.1 d".into(),
        difference: Estimate::new(
            v * 8.64e10,
            (l * 8.64e10, u * 8.64e10),
            0.95,
            1_204,
            Method::Mover,
            Unit::Microseconds,
        ),
        q: Some(q),
        n: (1_204, 998),
    };
    ComparisonPicture {
        title: "mobile compared with desktop".into(),
        note:
            "95 % intervals; q by Benjamini-Hochberg over everything shown; associated, not caused"
                .into(),
        group: "mobile".into(),
        reference: "desktop".into(),
        q_below: 0.05,
        panels: vec![
            ComparisonPanel {
                title: "Rates".into(),
                rows: labels.iter().enumerate().map(|(i, l)| row(i, l)).collect(),
            },
            ComparisonPanel {
                title: "Times".into(),
                rows: vec![
                    time("time to purchase", (1.5, 0.9, 2.2), 0.0002),
                    time("time to first cart", (-0.1, -0.8, 0.7), 0.81),
                ],
            },
        ],
    }
}

/// As many cohorts as names, each with one period less to look back on; one cell is too small to tell.
pub fn retention(names: &[&str], columns: usize) -> RetentionPicture {
    let rows = names.len();
    let cell = |row: usize, column: usize| {
        let n = 40 + 900 / (row as u64 + 1);
        let retained = n * 45 / (100 + 40 * column as u64 + 3 * row as u64);
        match column + row + 1 {
            k if k > rows.max(columns) => RetentionCell::NotBegun,
            k if k == rows.max(columns) => RetentionCell::Incomplete { retained, n },
            2 => RetentionCell::Complete {
                retained: 1,
                n: 3,
                rate: None,
            },
            _ => RetentionCell::Complete {
                retained,
                n,
                rate: rate(retained, n),
            },
        }
    };
    let row = |(row, name): (usize, &&str)| RetentionRow {
        label: (*name).to_owned(),
        customers: 40 + 900 / (row as u64 + 1),
        cells: (0..columns).map(|column| cell(row, column)).collect(),
    };
    RetentionPicture {
        title: "Who comes back".to_owned(),
        note: "back in that week (Europe/Berlin, from Monday); start: signup; return: any event; share of customers, intervals in the table".to_owned(),
        unit: "week".to_owned(),
        columns: (0..columns).map(|k| k.to_string()).collect(),
        overall: Some(RetentionRow {
            label: "all".to_owned(),
            customers: 12_345,
            cells: (0..columns).map(|column| cell(0, column)).collect(),
        }),
        rows: names.iter().enumerate().map(row).collect(),
        hidden: if rows > 20 { 7 } else { 0 },
    }
}

/// Each name against each other; one cell is unsure and one is not known.
pub fn matrix(names: &[&str], columns: usize) -> MatrixPicture {
    let cell = |row: usize, column: usize| match (row, column) {
        (a, b) if a == b => MatrixCell::default(),
        (row, column) => {
            let value = (37 * row + 61 * column) % 101;
            MatrixCell {
                text: value.to_string(),
                tip: format!("{} before {column}: {value} %", names[row]),
                tone: [MatrixTone::More, MatrixTone::Less, MatrixTone::Unsure][(row + column) % 3],
                shade: value as f64 / 100.0,
            }
        }
    };
    MatrixPicture {
        title: "What comes before what".to_owned(),
        note: "of the journeys with both; with 95 % intervals".to_owned(),
        corner: "in their usual order".to_owned(),
        columns: (1..=columns).map(|n| n.to_string()).collect(),
        rows: (0..names.len())
            .map(|row| MatrixRow {
                label: format!("{} {}", row + 1, names[row]),
                figure: ["", "12,345"][columns % 2].to_owned(),
                cells: (0..columns).map(|column| cell(row, column)).collect(),
            })
            .collect(),
        legend: "Blue: the row comes first".to_owned(),
    }
}

pub fn flow(names: &[&str]) -> FlowPicture {
    let paths: [(&[usize], u64, u64, u64); 13] = [
        (&[0, 1, 2, 3, 4], 1_810, 1_810, 0),
        (&[0], 1_420, 0, 33),
        (&[0, 1], 960, 0, 12),
        (&[5, 1, 2], 720, 0, 44),
        (&[5, 1, 2, 3, 4], 411, 380, 0),
        (&[6, 0, 1, 2, 3, 4], 300, 120, 10),
        (&[6, 7, 0], 260, 0, 0),
        (&[0, 1, 1, 2, 6, 4], 210, 90, 0),
        (&[5, 7], 170, 0, 0),
        (&[8, 0, 2, 4], 140, 140, 0),
        (&[0, 2], 90, 0, 0),
        (&[9, 10, 11], 40, 0, 4),
        (&[3, 12, 8], 30, 2, 0),
    ];
    let mut links = Vec::new();
    for (steps, count, reached, open) in paths {
        let place = |i: usize| FlowPlace::Touchpoint(names[i % names.len()].to_owned());
        for (k, pair) in steps.windows(2).enumerate() {
            links.push(FlowLink {
                step: k + 1,
                from: place(pair[0]),
                to: place(pair[1]),
                count,
            });
        }
        let ends = [
            (FlowPlace::Goal, reached),
            (FlowPlace::Open, open),
            (FlowPlace::Exit, count - reached - open),
        ];
        for (to, count) in ends {
            links.push(FlowLink {
                step: steps.len(),
                from: place(steps[steps.len() - 1]),
                to,
                count,
            });
        }
    }
    FlowPicture {
        title: "First steps, to purchase or out".into(),
        note: "share of all journeys drawn".into(),
        goal: "purchase".into(),
        links,
        other: 912,
    }
}

pub const SHOP: [&str; 13] = [
    "product_view",
    "add_to_cart",
    "checkout",
    "payment",
    "purchase",
    "search_ad",
    "home",
    "size_finder",
    "email_click",
    "store_visit",
    "chat",
    "return_desk",
    "review",
];

pub fn many(n: usize) -> Vec<String> {
    (0..n)
        .map(|i| format!("{} {}", SHOP[i % SHOP.len()], i + 1))
        .collect()
}

pub type Draw = Box<dyn Fn(f64) -> String>;

/// Every picture in every size of input, by name.
pub fn gallery() -> Vec<(String, Draw)> {
    fn add(out: &mut Vec<(String, Draw)>, name: &str, draw: impl Fn(f64) -> String + 'static) {
        out.push((name.to_owned(), Box::new(draw)));
    }
    let mut out = Vec::new();
    let thirty = many(30);
    let thirty: Vec<&'static str> = thirty
        .into_iter()
        .map(|s| &*Box::leak(s.into_boxed_str()))
        .collect();
    for (set, names) in [
        ("plain", &SHOP[..]),
        ("hostile", &HOSTILE[..]),
        ("thirty", &thirty[..]),
    ] {
        let some = if set == "plain" { &names[..5] } else { names };
        let f = funnel(some);
        add(&mut out, &format!("funnel-{set}"), move |w| f.svg(w));
        let d = dropoff(some);
        add(&mut out, &format!("dropoff-{set}"), move |w| d.svg(w));
        let p = paths(names, if set == "thirty" { 30 } else { 8 });
        add(&mut out, &format!("paths-{set}"), move |w| p.svg(w));
        let c = curve(&names[..if set == "plain" { 2 } else { 5 }], 40);
        add(&mut out, &format!("curve-{set}"), move |w| c.svg(w));
        let c = comparison(some);
        add(&mut out, &format!("comparison-{set}"), move |w| c.svg(w));
        let f = flow(names);
        add(&mut out, &format!("flow-{set}"), move |w| f.svg(w));
        let r = retention(names, if set == "thirty" { 27 } else { 13 });
        add(&mut out, &format!("retention-{set}"), move |w| r.svg(w));
        let m = matrix(some, if set == "plain" { 24 } else { some.len() });
        add(&mut out, &format!("matrix-{set}"), move |w| m.svg(w));
    }
    let f = small_funnel();
    add(&mut out, "funnel-small", move |w| f.svg(w));
    let d = dropoff(&["checkout"]);
    add(&mut out, "dropoff-one", move |w| d.svg(w));
    let p = paths(&["a"], 1);
    add(&mut out, "paths-one", move |w| p.svg(w));
    let c = curve(&["all"], 1);
    add(&mut out, "curve-one", move |w| c.svg(w));
    let c = comparison(&["conversion"]);
    add(&mut out, "comparison-one", move |w| c.svg(w));
    let f = FlowPicture {
        links: vec![FlowLink {
            step: 1,
            from: FlowPlace::Touchpoint("visit".into()),
            to: FlowPlace::Exit,
            count: 12,
        }],
        ..FlowPicture::default()
    };
    add(&mut out, "flow-one", move |w| f.svg(w));
    add(&mut out, "funnel-empty", |w| {
        FunnelPicture::default().svg(w)
    });
    add(&mut out, "dropoff-empty", |w| {
        DropoffPicture::default().svg(w)
    });
    add(&mut out, "paths-empty", |w| {
        PathTablePicture::default().svg(w)
    });
    add(&mut out, "curve-empty", |w| CurvePicture::default().svg(w));
    add(&mut out, "flow-empty", |w| FlowPicture::default().svg(w));
    let r = retention(&["2024-05"], 1);
    add(&mut out, "retention-one", move |w| r.svg(w));
    let m = matrix(&["a"], 1);
    add(&mut out, "matrix-one", move |w| m.svg(w));
    add(&mut out, "matrix-empty", |w| {
        MatrixPicture::default().svg(w)
    });
    add(&mut out, "retention-empty", |w| {
        RetentionPicture::default().svg(w)
    });
    out
}
