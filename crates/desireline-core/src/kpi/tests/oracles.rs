//! Variants of the catalogue against references that can be read in a minute; docs/kpis.md says which test stands behind which KPI.

use super::*;
use crate::feedback::{Direction, Feedback, FeedbackRow, Question, QuestionKind, Scale};

/// What a report has to say.
#[derive(Debug, PartialEq)]
enum Said {
    /// (above, below, left out).
    Counts(i64, u64, u64),
    /// The value alone.
    Value(f64),
    /// Rows by key: (above, below).
    Rows(BTreeMap<String, (i64, u64)>),
}

struct Oracle {
    kpi: &'static str,
    variant: &'static str,
    params: &'static [(&'static str, &'static str)],
    says: fn(&World) -> Said,
}

const TABLE: &[Oracle] = &[
    Oracle {
        kpi: "K02",
        variant: "checkout",
        params: &[
            ("cart", "search"),
            ("purchase", "purchase"),
            ("within", "1d"),
        ],
        says: checkouts,
    },
    Oracle {
        kpi: "K03",
        variant: "cac",
        params: &[("purchase", "purchase"), ("history", "10d")],
        says: |w| Said::Value(36_000.0 / new_customers(w) as f64),
    },
    Oracle {
        kpi: "K04",
        variant: "eventual",
        params: &[("entry", "view"), ("goal", "purchase"), ("within", "10d")],
        says: eventually,
    },
    Oracle {
        kpi: "K04",
        variant: "journeys",
        params: &[("entry", "view"), ("goal", "purchase"), ("within", "30m")],
        says: journeys_that_convert,
    },
    Oracle {
        kpi: "K06",
        variant: "by_channel",
        params: &[],
        says: events_by_channel,
    },
    Oracle {
        kpi: "K07",
        variant: "historic",
        params: &[("purchase", "purchase")],
        says: |w| Said::Value(historic(w)),
    },
    Oracle {
        kpi: "K14",
        variant: "inferred",
        params: &[
            ("buying", "cart"),
            ("searching", "search"),
            ("knowledge", "view"),
        ],
        says: kinds_of_visits,
    },
    Oracle {
        kpi: "K17",
        variant: "p90",
        params: &[("enter", "view"), ("leave", "search")],
        says: |w| Said::Value(ninth_of_ten(w)),
    },
    Oracle {
        kpi: "K26",
        variant: "switches",
        params: &[
            ("contact", "support"),
            ("resolved", "solved"),
            ("within", "4d"),
        ],
        says: switches,
    },
];

#[test]
fn variants_say_what_their_references_say() {
    let spend = ExternalTable::new("ads").numbers("spend", [Some(300.0), None, Some(60.0)]);
    for seed in 0..12 {
        let world = World::new(seed, 90);
        let journeys = world.journeys();
        for o in TABLE {
            let mut kpi = ask(o.kpi, o.variant, o.params)
                .min_n(1)
                .table(spend.clone());
            if o.variant == "historic" {
                kpi = kpi
                    .with("margin", Param::Decimal(0.4))
                    .with("discount", Param::Decimal(0.5));
            }
            let report = journeys.run(&kpi).unwrap();
            let first = &report.values[0];
            let what = format!("{} {} in world {seed}", o.kpi, o.variant);
            match (o.says)(&world) {
                Said::Counts(k, n, left) => {
                    let said = (first.count, first.n, first.excluded);
                    assert_eq!(said, (Some(k), n, left), "{what}");
                }
                Said::Value(x) => {
                    // A hole is no wrong number; what it hides is in the tests of holes.
                    let Some(e) = first.estimate else { continue };
                    assert!(
                        (e.value - x).abs() <= 1e-9 * x.abs().max(1.0),
                        "{what}: {e:?} {x}"
                    );
                    assert!(e.lower <= e.value && e.value <= e.upper, "{what}");
                }
                Said::Rows(rows) => {
                    let said = report.values.iter().filter(|v| v.n > 0).map(|v| {
                        let key = v.key.clone().unwrap_or_default();
                        (key, (v.count.unwrap(), v.n))
                    });
                    assert_eq!(said.collect::<BTreeMap<_, _>>(), rows, "{what}");
                }
            }
        }
    }
}

fn checkouts(world: &World) -> Said {
    let (mut k, mut n, mut left) = (0, 0, 0);
    for events in &world.customers {
        let mut open: Option<i64> = None;
        let mut end = |begun: i64, bought: bool| match world.until - begun < DAY {
            true => left += 1,
            false => (k, n) = (k + i64::from(!bought), n + 1),
        };
        for e in events {
            if let Some(begun) = open.filter(|b| e.time - b > DAY || e.name == "purchase") {
                end(begun, e.time - begun <= DAY);
                open = None;
            }
            if open.is_none() && e.name == "search" {
                open = Some(e.time);
            }
        }
        open.into_iter().for_each(|begun| end(begun, false));
    }
    Said::Counts(k, n, left)
}

fn new_customers(world: &World) -> usize {
    let begin = world
        .customers
        .iter()
        .flatten()
        .map(|e| e.time)
        .min()
        .unwrap();
    let firsts = world.customers.iter().filter_map(|events| {
        let mut bought = events.iter().filter(|e| e.name == "purchase");
        bought.next().map(|e| e.time)
    });
    firsts.filter(|t| *t >= begin + 10 * DAY).count()
}

/// One less the product of the shares that stay, over times in order.
fn kaplan_meier(times: &[(i64, bool)], by: i64) -> f64 {
    let mut at: Vec<i64> = times
        .iter()
        .filter(|t| t.1 && t.0 <= by)
        .map(|t| t.0)
        .collect();
    at.sort_unstable();
    at.dedup();
    let stays = at.iter().map(|t| {
        let risk = times.iter().filter(|x| x.0 >= *t).count() as f64;
        let events = times.iter().filter(|x| x.1 && x.0 == *t).count() as f64;
        1.0 - events / risk
    });
    1.0 - stays.product::<f64>()
}

fn eventually(world: &World) -> Said {
    let times = world.customers.iter().filter_map(|events| {
        let i = events.iter().position(|e| e.name == "view")?;
        let then = events[i + 1..].iter().find(|e| e.name == "purchase");
        Some(match then {
            Some(e) => (e.time - events[i].time, true),
            None => (world.until - events[i].time, false),
        })
    });
    Said::Value(kaplan_meier(&times.collect::<Vec<_>>(), 10 * DAY))
}

fn journeys_that_convert(world: &World) -> Said {
    let (mut k, mut n, mut left) = (0, 0, 0);
    for of in world.sessions() {
        for (i, s) in of.iter().enumerate() {
            let Some(at) = s.iter().position(|e| e.name == "view") else {
                continue;
            };
            let reached = s[at..].iter().any(|e| e.name == "purchase");
            let open = i + 1 == of.len() && world.until - s[s.len() - 1].time < 30 * MINUTE;
            match (reached, open) {
                (false, true) => left += 1,
                _ => (k, n) = (k + i64::from(reached), n + 1),
            }
        }
    }
    Said::Counts(k, n, left)
}

fn events_by_channel(world: &World) -> Said {
    let mut rows = BTreeMap::<String, (i64, u64)>::new();
    for s in world.sessions().iter().flatten() {
        let names = s.iter().map(|e| e.channel.unwrap_or("(none)"));
        for name in names.clone() {
            rows.entry(name.to_owned()).or_default().0 += 1;
        }
        for name in names.collect::<BTreeSet<_>>() {
            rows.entry(name.to_owned()).or_default().1 += 1;
        }
    }
    Said::Rows(rows)
}

/// Forty per cent of the money of each customer's purchases, a year later counting two thirds; days are whole.
fn historic(world: &World) -> f64 {
    let day = |t: i64| t.div_euclid(DAY) as f64;
    let of = |events: &Vec<Event>| {
        let bought: Vec<&Event> = events.iter().filter(|e| e.name == "purchase").collect();
        let first = bought.first()?;
        let worth = bought.iter().map(|e| {
            let years = (day(e.time) - day(first.time)) / 365.25;
            let money = 0.4 * e.money.unwrap() as f64 / 1.5_f64.powf(years);
            // Thousandths of a cent are rounded.
            (money * 1_000.0).round() / 1_000.0
        });
        Some(worth.sum::<f64>())
    };
    let all: Vec<f64> = world.customers.iter().filter_map(of).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

fn kinds_of_visits(world: &World) -> Said {
    let mut rows = BTreeMap::new();
    let sessions: Vec<Vec<Event>> = world.sessions().into_iter().flatten().collect();
    for kind in ["buying", "searching", "knowledge_building", "browsing"] {
        rows.insert(kind.to_owned(), (0, sessions.len() as u64));
    }
    for s in &sessions {
        let has = |name: &str| s.iter().any(|e| e.name == name);
        let kind = if has("cart") {
            "buying"
        } else if has("search") {
            "searching"
        } else if has("view") {
            "knowledge_building"
        } else {
            "browsing"
        };
        rows.get_mut(kind).unwrap().0 += 1;
    }
    Said::Rows(rows)
}

/// The first time by which nine of ten have moved on; no number where they never have.
fn ninth_of_ten(world: &World) -> f64 {
    let mut times = Vec::new();
    for of in world.sessions() {
        for (i, s) in of.iter().enumerate() {
            let Some(at) = s.iter().position(|e| e.name == "view") else {
                continue;
            };
            let (t, last) = (s[at].time, s[s.len() - 1].time);
            let open = i + 1 == of.len() && world.until - last < 30 * MINUTE;
            times.push(match s[at + 1..].iter().find(|e| e.name == "search") {
                Some(e) => (e.time - t, true),
                None if open => (last - t, false),
                None => (world.until - t, false),
            });
        }
    }
    let mut at: Vec<i64> = times.iter().filter(|t| t.1).map(|t| t.0).collect();
    at.sort_unstable();
    let by = at.iter().find(|t| kaplan_meier(&times, **t) >= 0.9 - 1e-12);
    by.map_or(f64::NAN, |t| *t as f64)
}

fn switches(world: &World) -> Said {
    let (mut k, mut n, mut left) = (0, 0, 0);
    for events in &world.customers {
        let mut i = 0;
        while i < events.len() {
            if events[i].name != "support" {
                i += 1;
                continue;
            }
            let need: Vec<&Event> = events[i..]
                .iter()
                .take_while(|e| e.time - events[i].time <= 4 * DAY)
                .collect();
            let solved = need.iter().position(|e| e.name == "solved");
            if world.until - events[i].time < 4 * DAY {
                left += 1;
            } else if let Some(at) = solved {
                let channels: Vec<&str> = need[..=at].iter().filter_map(|e| e.channel).collect();
                k += channels.windows(2).filter(|w| w[0] != w[1]).count() as i64;
                n += 1;
            }
            i += need.len();
        }
    }
    Said::Counts(k, n, left)
}

/// Answers of forty customers, one to three each, and what they were.
type Given = Vec<(usize, &'static str, i64)>;

fn questionnaire() -> (Feedback, Given) {
    let low = Scale::new(1, 5, Direction::LowIsGood).unwrap();
    let five = Scale::new(1, 5, Direction::HighIsGood).unwrap();
    let paired = |id: &str, kind, with: &str| Question::new(id, kind).scale(five).pair_with(with);
    let mut builder = Feedback::builder([
        Question::new("effort", QuestionKind::CesV1).scale(low),
        Question::new("easy", QuestionKind::CesV2),
        Question::csat("satisfied"),
        paired("before", QuestionKind::Expected, "after"),
        paired("after", QuestionKind::Perceived, "before"),
        Question::new("tone", QuestionKind::Sentiment).model("m", "1"),
        Question::text("purpose"),
    ])
    .unwrap();
    let mut given = Given::new();
    for c in 0..40 {
        for round in 0..1 + c % 3 {
            let code = |factor: usize, n: usize| ((c * factor + round * 5) % n) as i64;
            let all = [
                ("effort", 1 + code(3, 5)),
                ("easy", 1 + code(5, 7)),
                ("satisfied", 1 + code(7, 5)),
                ("tone", code(11, 3) - 1),
                ("purpose", code(13, 4)),
            ];
            given.extend(all.map(|(q, x)| (c, q, x)));
            if round == 0 {
                given.extend([(c, "before", 1 + code(2, 5)), (c, "after", 1 + code(9, 5))]);
            }
        }
    }
    const PURPOSES: [&str; 4] = ["buy", "compare", "get help", "Zeit \"totschlagen\" <b>"];
    for (order, (c, question, x)) in given.iter().enumerate() {
        let id = format!("c{c}");
        let row = FeedbackRow::new(id.as_str(), question).time(order as i64 * HOUR);
        let row = match *question {
            "purpose" => row.text(PURPOSES[*x as usize]),
            _ => row.score(i32::try_from(*x).unwrap()),
        };
        builder.push(&row).unwrap();
    }
    (builder.finish().unwrap(), given)
}

#[test]
fn answers_say_what_plain_means_say() {
    let (feedback, given) = questionnaire();
    let feedback = std::sync::Arc::new(feedback);
    let journeys = World::new(1, 40).journeys();
    let to = |question: &'static str| given.iter().filter(move |g| g.1 == question);
    let mean = |numbers: Vec<f64>| numbers.iter().sum::<f64>() / numbers.len() as f64;
    let mean_of = |question| mean(to(question).map(|g| g.2 as f64).collect());
    let share_of = |question, best: i64| {
        let hits = to(question).filter(|g| g.2 >= best).count();
        hits as f64 / to(question).count() as f64
    };
    let answer = |c: usize, question| to(question).find(|g| g.0 == c).unwrap().2;
    let gap = mean(
        (0..40)
            .map(|c| (answer(c, "after") - answer(c, "before")) as f64)
            .collect(),
    );
    // A feeling from −1 to 1: the middle of five grades is 0, sentiment is one already.
    let felt = |c: usize| -> Vec<f64> {
        let of = given.iter().filter(|g| g.0 == c);
        of.filter_map(|g| match g.1 {
            "satisfied" => Some((g.2 as f64 - 3.0) / 2.0),
            "tone" => Some(g.2 as f64),
            _ => None,
        })
        .collect()
    };
    // The strongest of equals is the last of them, as it is the nearest to now.
    let strongest = |all: &[f64]| {
        let mut best = all[0];
        all.iter()
            .for_each(|x| best = if x.abs() >= best.abs() { *x } else { best });
        best
    };
    let people = |f: &dyn Fn(&[f64]) -> f64| mean((0..40).map(|c| f(&felt(c))).collect());
    let minimum = people(&|all| all.iter().copied().fold(f64::INFINITY, f64::min));
    let peak_end = people(&|all| (strongest(all) + all[all.len() - 1]) / 2.0);
    for (kpi, variant, survey, truth) in [
        ("K05", "v1", None, mean_of("effort")),
        ("K05", "v2", None, mean_of("easy")),
        ("K05", "v2_easy", None, share_of("easy", 5)),
        ("K11", "top2", None, share_of("satisfied", 4)),
        ("K11", "mean", None, mean_of("satisfied")),
        ("K21", "gap", Some("after"), gap),
        ("K28", "mean", None, mean_of("tone")),
        ("K29", "minimum", None, minimum),
        ("K29", "peak_end", None, peak_end),
    ] {
        let mut kpi = Kpi::new(kpi).variant(variant).answers(feedback.clone());
        if let Some(survey) = survey {
            kpi = kpi.with("survey", survey);
        }
        let e = journeys.run(&kpi).unwrap().values[0].estimate.unwrap();
        // Answers are whole millionths.
        assert!(
            (e.value - truth).abs() < 2e-6,
            "{} {variant}: {e:?} {truth}",
            kpi.kpi
        );
        assert!(e.lower < e.value && e.value < e.upper);
    }
}

#[test]
fn declared_purposes_are_counted() {
    let (feedback, given) = questionnaire();
    let feedback = std::sync::Arc::new(feedback);
    let journeys = World::new(1, 40).journeys();
    let kpi = Kpi::new("visitor_intent")
        .variant("declared")
        .answers(feedback.clone());
    let report = journeys.run(&kpi).unwrap();
    let mut counts = [0_i64; 4];
    let purposes = given.iter().filter(|g| g.1 == "purpose");
    purposes.clone().for_each(|g| counts[g.2 as usize] += 1);
    let mut said: Vec<i64> = report.values.iter().map(|v| v.count.unwrap()).collect();
    assert!(said.is_sorted_by(|a, b| a >= b));
    said.sort_unstable();
    counts.sort_unstable();
    assert_eq!(said, counts);
    let n = purposes.count() as u64;
    assert!(report.values.iter().all(|v| (v.n, v.customers) == (n, 40)));
    assert!(
        report
            .values
            .iter()
            .any(|v| v.key.as_deref() == Some("Zeit \"totschlagen\" <b>"))
    );
    let sum: f64 = report
        .values
        .iter()
        .map(|v| v.estimate.unwrap().value)
        .sum();
    assert!((sum - 1.0).abs() < 1e-12);
    // Every period has the same rows.
    let series = journeys.run(&kpi.clone().per(PeriodLength::Day)).unwrap();
    let begin = series.series[0].period.as_ref().unwrap().from;
    let answers = feedback.answers().filter(|a| a.text().is_some());
    let in_time = answers.filter(|a| a.time() >= Some(begin)).count() as u64;
    assert_eq!(series.series.iter().map(|v| v.n).sum::<u64>(), 4 * in_time);
    assert_eq!(series.series.len() % 4, 0);
    let told = |survey: &str| {
        let kpi = kpi.clone().with("survey", survey);
        journeys.run(&kpi).unwrap_err().to_string()
    };
    assert!(
        told("tone").contains("not answered in words"),
        "{}",
        told("tone")
    );
    assert!(told("purpos").contains("purpose"), "{}", told("purpos"));
}

/// Payments of 10.00 every thirty days of the "High End" customers of Fader and Hardie 2007, of whom so many are left after each period.
fn subscriptions() -> Journeys {
    let left = [1_000, 869, 743, 653, 593, 551, 517, 491];
    let period = 30 * DAY;
    let mut options = LogOptions::default().currency("EUR", 2);
    options.observed_until = Some(7 * period + period / 2 + DAY);
    let mut builder = LogBuilder::new(options);
    for c in 0..1_000 {
        for (paid, _) in left.iter().enumerate().filter(|(_, left)| c < **left) {
            let id = format!("c{c}");
            let row = EventRow {
                value: Some(1_000),
                ..EventRow::new(id.as_str(), paid as i64 * period, "pay")
            };
            builder.push_row(&row).unwrap();
        }
    }
    builder
        .finish()
        .unwrap()
        .journeys(JourneyRule::customer())
        .unwrap()
}

#[test]
fn subscriptions_have_the_model_of_the_paper() {
    let kpi = ask(
        "clv",
        "contractual",
        &[("purchase", "pay"), ("period", "30d"), ("horizon", "300d")],
    )
    .with("margin", Param::Decimal(0.5));
    let report = subscriptions().run(&kpi).unwrap();
    let model = |name: &str| report.model.iter().find(|p| p.name == name).unwrap().value;
    let (a, b) = (model("leaving a"), model("leaving b"));
    assert!(
        (a - 0.668).abs() < 1e-3 && (b - 3.806).abs() < 5e-3,
        "{a} {b}"
    );
    // Ten more payments after the first, each by those who are left.
    let (mut payments, mut left) = (0.0, 1.0);
    for t in 0..=10 {
        payments += left;
        left *= (3.806 + f64::from(t)) / (0.668 + 3.806 + f64::from(t));
    }
    let e = report.values[0].estimate.unwrap();
    assert!(
        (e.value / (0.5 * 1_000.0 * payments) - 1.0).abs() < 1e-3,
        "{e:?}"
    );
    assert!(e.lower < e.value && e.value < e.upper);
}

#[test]
fn search_rank_by_days() {
    let days = (1..=20).map(|d| crate::map::Date::new(1970, 1, d).unwrap());
    let positions: Vec<f64> = (0..20).map(|i| 1.0 + f64::from(i * 5 % 13)).collect();
    let shown: Vec<f64> = (0..20).map(|i| 100.0 + f64::from(i)).collect();
    let table = ExternalTable::new("search")
        .dates(days)
        .numbers("position", positions.iter().map(|p| Some(*p)))
        .numbers("impressions", shown.iter().map(|n| Some(*n)));
    for (variant, best) in [("top3", 3.0), ("top10", 10.0)] {
        let kpi = Kpi::new("seo_rank").variant(variant).table(table.clone());
        let e = World::new(1, 5).journeys().run(&kpi).unwrap().values[0]
            .estimate
            .unwrap();
        let above: f64 = positions
            .iter()
            .zip(&shown)
            .filter(|(p, _)| **p <= best)
            .map(|(_, n)| n)
            .sum();
        assert!(
            (e.value - above / shown.iter().sum::<f64>()).abs() < 1e-12,
            "{variant}"
        );
        assert!(e.lower < e.value && e.value < e.upper && e.upper <= 1.0);
    }
}
