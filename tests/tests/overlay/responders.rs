//! Those who answered: against plain loops, and where a bias was planted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use desireline_core::engine::Exec;
use desireline_core::expr::Expr;
use desireline_core::feedback::{Direction, Feedback, FeedbackRow, Question, QuestionKind, Scale};
use desireline_core::journey::JourneyRule;
use desireline_core::log::Log;
use desireline_core::map::{
    Binding, CustomerGoal, Date, GoalKind, JourneyMap, MapKind, MapScope, Stage, StagePlace,
    Touchpoint, Window,
};
use desireline_core::overlay::report::Responders;
use desireline_core::overlay::{JoinRule, KpiSources, Overlay, measure_responders, measured};
use desireline_core::report::{Caveat, Rate};
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, Sides, wilson_clustered};
use desireline_tests::random_log::{GAP, Row, build_until, naive_journeys, rows};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::empty;

fn when(name: &str) -> Expr {
    Expr::parse(&format!("event == \"{}\"", name.replace('"', "\\\""))).unwrap()
}

/// Touchpoint `t<i>` takes the events of one name, in stage `s<i mod 3>` and every second one in the stage after it, too; the first names are goals.
fn map(names: &[String], goals: usize) -> JourneyMap {
    let touchpoints = names.iter().enumerate().map(|(i, name)| {
        let mut t = Touchpoint::new(format!("t{i}"), "T").binding(Binding::new(when(name)));
        for stage in stages(i).into_iter().rev() {
            t.stages.push(StagePlace {
                stage: format!("s{stage}").into(),
                when: None,
            });
        }
        t
    });
    let goals = names.iter().take(goals).enumerate().map(|(i, name)| {
        CustomerGoal::new(format!("g{i}"), "G", GoalKind::Functional).success(when(name))
    });
    empty(MapKind::Actual)
        .stages((0..3).map(|i| Stage::new(format!("s{i}"), "S")))
        .touchpoints(touchpoints.collect::<Vec<_>>())
        .goals(goals.collect::<Vec<_>>())
}

fn stages(name: usize) -> Vec<usize> {
    match name % 2 {
        0 => vec![name % 3],
        _ => (name % 3..=(name % 3 + 1).min(2)).collect(),
    }
}

/// Customer, question, score, time.
type Said = (String, &'static str, i32, Option<i64>);

fn table(said: &[Said]) -> Feedback {
    let stars = Scale::new(1, 5, Direction::HighIsGood).unwrap();
    let questions = [
        Question::csat("csat"),
        Question::nps("nps"),
        Question::new("stars", QuestionKind::Rating).scale(stars),
        Question::new("want", QuestionKind::Arousal),
    ];
    let mut builder = Feedback::builder(questions).unwrap();
    for (customer, question, score, time) in said {
        let mut row = FeedbackRow::new(customer.as_str(), question).score(*score);
        row.time = *time;
        builder.push(&row).unwrap();
    }
    builder.finish().unwrap()
}

/// What became of a journey.
struct Journey {
    customer: String,
    rows: Vec<Row>,
    alive: bool,
    goals: Vec<Option<i64>>,
    furthest: usize,
}

impl Journey {
    fn reached(&self) -> bool {
        self.goals.iter().any(Option::is_some)
    }
    fn known(&self) -> bool {
        self.reached() || !self.alive
    }
}

fn cut(
    rows: &[Row],
    names: &[String],
    goals: usize,
    (until, alive): (i64, i64),
    (from, to): (i64, i64),
) -> Vec<Journey> {
    let until = until.min(to);
    let all = naive_journeys(rows, Some(GAP));
    let mut found = Vec::new();
    for (at, whole) in all.iter().enumerate() {
        let inside: Vec<Row> = whole
            .iter()
            .filter(|r| from <= r.time && r.time < to)
            .cloned()
            .collect();
        let Some(last) = inside.last().map(|r| r.time) else {
            continue;
        };
        let goes_on = whole.iter().any(|r| r.time >= to);
        let next = all
            .get(at + 1)
            .filter(|j| j[0].customer == whole[0].customer);
        let back = next.is_some_and(|j| j[0].time < to);
        let place = |r: &Row| names.iter().position(|n| *n == r.event).unwrap();
        let first = |goal: usize| {
            let hit = inside.iter().find(|r| place(r) == goal);
            hit.map(|r| r.time)
        };
        found.push(Journey {
            customer: whole[0].customer.clone(),
            alive: goes_on || !back && until - last < alive,
            goals: (0..goals).map(first).collect(),
            furthest: inside
                .iter()
                .map(|r| stages(place(r))[0] + 1)
                .max()
                .unwrap(),
            rows: inside,
        });
    }
    found
}

/// The journey of an answer: a place in the list.
fn journey_of(journeys: &[Journey], said: &Said, within: i64) -> Option<usize> {
    let own: Vec<usize> = (0..journeys.len())
        .filter(|i| journeys[*i].customer == said.0)
        .collect();
    match said.3 {
        None => (own.len() == 1).then(|| own[0]),
        Some(time) => {
            let begun = own
                .into_iter()
                .rfind(|i| journeys[*i].rows[0].time <= time)?;
            let last = journeys[begun].rows.last().unwrap().time;
            (time - last <= within).then_some(begun)
        }
    }
}

fn is_good(question: &str, score: i32) -> Option<bool> {
    match question {
        "nps" => Some(score >= 9),
        "csat" | "stars" => Some(score >= 4),
        _ => None,
    }
}

fn same(told: &str, found: &Rate, expected: &Clusters) {
    assert_eq!((found.count, found.n), (expected.k, expected.n), "{told}");
    assert_eq!(found.estimate, wilson_clustered(expected, 0.95), "{told}");
}

#[test]
#[allow(clippy::cast_precision_loss)]
fn responders_are_those_of_plain_loops() {
    for seed in 0..500 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let rows = rows(seed % 400);
        let mut names: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
        names.sort();
        names.dedup();
        let n_goals = rng.random_range(0..3).min(names.len());
        let mut map = map(&names, n_goals);
        let day = |d| Date::new(1970, 1, d).unwrap();
        let mut bounds = (i64::MIN, i64::MAX);
        if rng.random_range(0..5) == 0 {
            let window = Window::new(day(1), day(2));
            bounds = window.micros().unwrap();
            map = map.scope(MapScope::new().window(window));
        }
        let mut how = Overlay::new().min_n(1);
        let alive = [0, GAP, 10 * GAP][rng.random_range(0..3)];
        how.alive = Some(TimeSpan::from_micros(alive));
        let rule = JoinRule {
            within: TimeSpan::from_micros([0, GAP / 2, 20 * GAP][rng.random_range(0..3)]),
            ..JoinRule::default()
        };
        let times: Vec<i64> = rows.iter().map(|r| r.time).collect();
        let questions = ["csat", "nps", "stars", "want"];
        let said: Vec<Said> = (0..rng.random_range(0..25))
            .map(|_| {
                let time = times[rng.random_range(0..times.len())]
                    + [-1, 0, 0, 1, GAP / 2, GAP][rng.random_range(0..6)];
                (
                    format!("c{}", rng.random_range(0..6)),
                    questions[rng.random_range(0..4)],
                    rng.random_range(1..6),
                    (rng.random_range(0..6) > 0).then_some(time),
                )
            })
            .map(|(c, q, s, t)| (c, q, if q == "nps" { 2 * s } else { s }, t))
            .collect();
        let until = times.iter().max().unwrap() + [0, 1, 5 * GAP][rng.random_range(0..3)];
        let log = build_until(&rows, Some(until)).unwrap();
        let cutting = JourneyRule {
            gap: Some(TimeSpan::from_micros(GAP)),
            ..JourneyRule::default()
        };
        let journeys = log.journeys(cutting).unwrap();
        let feedback = table(&said);
        // One customer's answer twice at one time to one question is one answer; the table keeps what it keeps.
        let kept: Vec<Said> = feedback
            .answers()
            .map(|a| {
                let question = questions.iter().find(|q| **q == a.question().id).unwrap();
                #[allow(clippy::cast_possible_truncation)]
                let score = a.score().unwrap().get() as i32;
                (
                    a.customer_id().unwrap().to_owned(),
                    *question,
                    score,
                    a.time(),
                )
            })
            .collect();
        let found = |threads| -> Responders {
            let exec = Exec::new().threads(threads).unwrap();
            measure_responders(&map, &journeys, &how, &feedback, &rule, &exec).unwrap()
        };
        let one = found(1);
        assert_eq!(one, found(2), "seed {seed}");

        let naive = cut(&rows, &names, n_goals, (until, alive), bounds);
        let of: Vec<Option<usize>> = kept
            .iter()
            .map(|s| {
                let inside = s.3.is_none_or(|t| bounds.0 <= t && t < bounds.1);
                journey_of(&naive, s, rule.within.as_micros()).filter(|_| inside)
            })
            .collect();
        let told = format!("seed {seed}, {kept:?}, {one:#?}");
        assert_eq!(one.joined, of.iter().flatten().count() as u64, "{told}");
        let customers: BTreeSet<&str> = naive.iter().map(|j| j.customer.as_str()).collect();
        let mut all = Clusters::default();
        for customer in &customers {
            let own = || {
                naive
                    .iter()
                    .filter(|j| j.customer == *customer && j.known())
            };
            all.add(
                own().filter(|j| j.reached()).count() as u64,
                own().count() as u64,
            );
        }
        for row in &one.questions {
            let answered: Vec<(&Said, usize)> = kept
                .iter()
                .zip(&of)
                .filter(|(s, j)| s.1 == row.question && j.is_some_and(|j| naive[j].known()))
                .map(|(s, j)| (s, j.unwrap()))
                .collect();
            let (mut sides, mut raw) = (Sides::default(), Clusters::default());
            for customer in &customers {
                let own: BTreeSet<usize> = answered
                    .iter()
                    .filter(|(s, _)| s.0 == *customer)
                    .map(|(_, j)| *j)
                    .collect();
                let reached = own.iter().filter(|j| naive[**j].reached()).count() as u64;
                let whole = || {
                    naive
                        .iter()
                        .filter(|j| j.customer == *customer && j.known())
                };
                let goals = whole().filter(|j| j.reached()).count() as u64;
                sides.add((reached, own.len() as u64), (goals, whole().count() as u64));
                let scores: Vec<bool> = answered
                    .iter()
                    .filter(|(s, _)| s.0 == *customer)
                    .filter_map(|(s, _)| is_good(s.1, s.2))
                    .collect();
                raw.add(
                    scores.iter().filter(|g| **g).count() as u64,
                    scores.len() as u64,
                );
            }
            same(&told, &row.goal_answered, &sides.a);
            same(&told, &row.goal_all, &all);
            assert_eq!(
                (row.answered.count, row.answered.n),
                (sides.a.n, all.n),
                "{told}"
            );
            let given = row.goal_answered.estimate.is_some();
            let difference = given.then(|| sides.difference(0.95)).flatten();
            assert_eq!(row.difference, difference, "{told}");
            let is_scored = row.question != "want";
            assert_eq!(row.raw.is_some(), is_scored);
            if let Some(found) = &row.raw {
                same(&told, found, &raw);
            }
            // Strata: how far, and whether a goal was reached.
            let mut strata: BTreeMap<(usize, bool), (u64, u64, u64)> = BTreeMap::new();
            for j in naive.iter().filter(|j| j.known()) {
                strata.entry((j.furthest, j.reached())).or_default().0 += 1;
            }
            for (s, j) in &answered {
                if let Some(good) = is_good(s.1, s.2) {
                    let sums = strata
                        .get_mut(&(naive[*j].furthest, naive[*j].reached()))
                        .unwrap();
                    sums.1 += 1;
                    sums.2 += u64::from(good);
                }
            }
            let heard: Vec<&(u64, u64, u64)> = strata.values().filter(|s| s.1 > 0).collect();
            assert_eq!(
                row.strata,
                (strata.len() as u64, heard.len() as u64),
                "{told}"
            );
            let weight: u64 = heard.iter().map(|s| s.0).sum();
            if is_scored && all.n > 0 {
                let unheard = (all.n - weight) as f64 / all.n as f64;
                assert!((row.unheard.unwrap() - unheard).abs() < 1e-12, "{told}");
            }
            match &row.weighted {
                Some(found) => {
                    let good: f64 = heard
                        .iter()
                        .map(|s| s.0 as f64 * s.2 as f64 / s.1 as f64)
                        .sum();
                    assert!((found.value - good / weight as f64).abs() < 1e-4, "{told}");
                    assert!(found.lower <= found.value && found.value <= found.upper);
                    assert_eq!(found.n, raw.n);
                }
                None => assert!(heard.is_empty() || !is_scored, "{told}"),
            }
        }
        for row in &one.goals {
            let goal: usize = row.goal[1..].parse().unwrap();
            let (mut sides, mut before, mut open) = (Sides::default(), 0, 0);
            for customer in &customers {
                let (mut with, mut without) = ((0, 0), (0, 0));
                for (s, j) in kept.iter().zip(&of) {
                    let Some(j) = j.filter(|_| s.0 == *customer && s.1 == row.question) else {
                        continue;
                    };
                    let good = u64::from(is_good(s.1, s.2).unwrap());
                    match naive[j].goals[goal] {
                        Some(at) if s.3.is_none_or(|t| at <= t) => {
                            with = (with.0 + good, with.1 + 1);
                        }
                        Some(_) => before += 1,
                        None if naive[j].alive => open += 1,
                        None => without = (without.0 + good, without.1 + 1),
                    }
                }
                sides.add(with, without);
            }
            same(&told, &row.satisfied.with, &sides.a);
            same(&told, &row.satisfied.without, &sides.b);
            assert_eq!((row.before, row.open), (before, open), "{told}");
            let both = sides.a.n > 0 && sides.b.n > 0;
            let difference = both.then(|| sides.difference(0.95)).flatten();
            assert_eq!(row.satisfied.difference, difference, "{told}");
        }
        let scored = one
            .questions
            .iter()
            .filter(|q| q.question != "want")
            .count();
        assert_eq!(one.goals.len(), scored * n_goals, "{told}");
    }
}

/// Half of all reach the goal; of them four in five answer and nine in ten are satisfied, of the others one in ten answers and three in
/// ten are.
#[test]
fn a_planted_bias_is_seen_and_mended() {
    let names = ["look".to_owned(), "buy".to_owned()];
    let map = map(&["buy".to_owned(), "look".to_owned()], 1);
    let mut events: Vec<(String, i64, &str)> = Vec::new();
    let mut said: Vec<Said> = Vec::new();
    for c in 0..4_000_i64 {
        let customer = format!("c{c:04}");
        events.push((customer.clone(), 0, "look"));
        let buys = c % 2 == 0;
        if buys {
            events.push((customer.clone(), 60_000_000, "buy"));
        }
        // Two of the ways to count to ten that have nothing to do with each other.
        let (answers, glad) = ((c / 2) % 10, (c / 20) % 10);
        if answers < if buys { 8 } else { 1 } {
            let is_glad = glad < if buys { 9 } else { 3 };
            said.push((
                customer,
                "csat",
                if is_glad { 5 } else { 2 },
                Some(120_000_000),
            ));
        }
    }
    events.push(("zz".to_owned(), 86_400_000_000, "look"));
    let log = Log::from_rows(events.iter().map(|(c, t, e)| (c.as_str(), *t, *e))).unwrap();
    let journeys = log.journeys(JourneyRule::gap("30m").unwrap()).unwrap();
    let sources = KpiSources {
        answers: Some(Arc::new(table(&said))),
        ..KpiSources::default()
    };
    let report = measured(&map, &journeys, &Overlay::new(), &sources, &Exec::new()).unwrap();
    assert_eq!(names.len(), report.touchpoints.len());
    let told = report.responders.as_ref().unwrap();
    let csat = &told.questions[0];
    assert_eq!((csat.answered.count, csat.answered.n), (1_800, 4_000));
    assert_eq!(
        (csat.goal_all.count, csat.goal_answered.count),
        (2_000, 1_600)
    );
    // 8/9 against 1/2.
    let expected = (8.0 / 9.0 - 0.5) / ((8.0 / 81.0 + 0.25) / 2.0_f64).sqrt();
    assert!((csat.standardised.unwrap() - expected).abs() < 1e-9);
    assert_eq!(csat.biased, Some(true));
    let (raw, weighted) = (csat.raw.unwrap().estimate.unwrap(), csat.weighted.unwrap());
    assert!((raw.value - 1_500.0 / 1_800.0).abs() < 1e-9, "{raw:?}");
    // Of all, had they been asked: (0.9 + 0.3) / 2.
    assert!((weighted.value - 0.6).abs() < 1e-4, "{weighted:?}");
    assert!(weighted.lower < 0.6 && 0.6 < weighted.upper && weighted.width() > raw.width());
    assert_eq!((csat.strata, csat.unheard), ((2, 2), Some(0.0)));
    let noted = |c: &Caveat| matches!(c, Caveat::Note { text } if text.contains("`csat`"));
    assert!(report.caveats.iter().any(noted));

    let goal = &told.goals[0];
    let contrast = &goal.satisfied;
    assert_eq!((contrast.with.count, contrast.with.n), (1_440, 1_600));
    assert_eq!((contrast.without.count, contrast.without.n), (60, 200));
    assert!((contrast.difference.unwrap().value - 0.6).abs() < 1e-9 && contrast.q.unwrap() < 1e-9);
    // Everybody takes the shortest way.
    assert!((goal.directness.unwrap().value - 1.0).abs() < 1e-12);
    let tables: Vec<&str> = desireline_core::report::Report::tables(&report)
        .iter()
        .map(|t| t.name)
        .collect();
    assert!(tables.contains(&"responders") && tables.contains(&"satisfaction"));
}

#[test]
fn those_who_are_like_all_others_are_not_said_to_differ() {
    let map = map(&["buy".to_owned(), "look".to_owned()], 1);
    let mut events: Vec<(String, i64, &str)> = Vec::new();
    let mut said: Vec<Said> = Vec::new();
    for c in 0..1_000_i64 {
        let customer = format!("c{c:04}");
        events.push((customer.clone(), 0, "look"));
        if c % 4 == 0 {
            events.push((customer.clone(), 60_000_000, "buy"));
        }
        if c % 3 == 0 {
            said.push((customer, "csat", 1 + (c % 5) as i32, Some(120_000_000)));
        }
    }
    events.push(("zz".to_owned(), 86_400_000_000, "look"));
    let log = Log::from_rows(events.iter().map(|(c, t, e)| (c.as_str(), *t, *e))).unwrap();
    let journeys = log.journeys(JourneyRule::gap("30m").unwrap()).unwrap();
    let (how, exec) = (Overlay::new(), Exec::new());
    let feedback = table(&said);
    let told = measure_responders(
        &map,
        &journeys,
        &how,
        &feedback,
        &JoinRule::default(),
        &exec,
    );
    let told = told.unwrap();
    let csat = &told.questions[0];
    assert_eq!(csat.biased, Some(false));
    assert!(csat.standardised.unwrap().abs() < 0.05);
    let (raw, weighted) = (csat.raw.unwrap().estimate.unwrap(), csat.weighted.unwrap());
    assert!((raw.value - weighted.value).abs() < 0.01);
    assert!(told.caveat().is_none());
}
