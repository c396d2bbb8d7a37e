//! Patterns against a miner that tries every choice of events, planted patterns, and what is refused.

use std::collections::{BTreeMap, BTreeSet};

use desireline_core::analyses::patterns::{Patterns, PatternsReport};
use desireline_core::engine::Exec;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{LogBuilder, LogOptions};
use desireline_core::report::{Base, Caveat, Rate};
use desireline_core::time::TimeSpan;
use desireline_stats::{Clusters, Sides, benjamini_hochberg};
use desireline_tests::random_log::{GAP, Row};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ONE_THREAD, event_names, random};

type Pattern = Vec<String>;

#[derive(Default)]
struct Naive {
    share: Clusters,
    goals: Sides,
}

/// Every pattern that the chosen events of a journey can be, by trying all choices.
fn of_journey(journey: &[Row], asked: &Patterns) -> BTreeSet<Pattern> {
    fn choose(
        journey: &[Row],
        asked: &Patterns,
        chosen: &mut Vec<usize>,
        out: &mut BTreeSet<Pattern>,
    ) {
        if chosen.len() >= asked.min_length as usize {
            out.insert(chosen.iter().map(|&i| journey[i].event.clone()).collect());
        }
        if chosen.len() == asked.max_length as usize {
            return;
        }
        let from = chosen.last().map_or(0, |i| i + 1);
        for i in from..journey.len() {
            if let Some(&last) = chosen.last() {
                let far = asked.max_steps.is_some_and(|most| i - last > most as usize);
                let wait = journey[i].time - journey[last].time;
                let late = asked.max_gap.is_some_and(|most| wait > most.as_micros());
                if far || late {
                    continue;
                }
            }
            chosen.push(i);
            choose(journey, asked, chosen, out);
            chosen.pop();
        }
    }
    let mut out = BTreeSet::new();
    choose(journey, asked, &mut Vec::new(), &mut out);
    out
}

fn is_part(part: &[String], whole: &[String]) -> bool {
    let mut rest = whole.iter();
    part.len() < whole.len() && part.iter().all(|name| rest.any(|other| other == name))
}

/// All patterns that enough journeys have.
fn naive(
    customers: &[Vec<Vec<Row>>],
    asked: &Patterns,
    goal: Option<&str>,
) -> BTreeMap<Pattern, Naive> {
    let is_goal = |row: &Row| goal.is_some_and(|goal| row.event == goal);
    // By customer and journey: its patterns and whether it has the goal.
    let looked: Vec<Vec<(BTreeSet<Pattern>, bool)>> = customers
        .iter()
        .map(|journeys| {
            let look = |journey: &Vec<Row>| {
                let goal = journey.iter().position(is_goal);
                let end = match goal {
                    Some(goal) if asked.before_goal => goal,
                    _ => journey.len(),
                };
                (of_journey(&journey[..end], asked), goal.is_some())
            };
            journeys.iter().map(look).collect()
        })
        .collect();
    let all: BTreeSet<&Pattern> = looked.iter().flatten().flat_map(|l| &l.0).collect();
    let mut found: BTreeMap<Pattern, Naive> = BTreeMap::new();
    for pattern in all {
        let mut sums = Naive::default();
        for customer in &looked {
            let count = |wanted: &dyn Fn(bool, bool) -> bool| {
                let journeys = customer.iter();
                let hits = journeys.filter(|(has, goal)| wanted(has.contains(pattern), *goal));
                hits.count() as u64
            };
            let (with, without) = (count(&|has, _| has), count(&|has, _| !has));
            sums.share.add(with, with + without);
            sums.goals.add(
                (count(&|has, goal| has && goal), with),
                (count(&|has, goal| !has && goal), without),
            );
        }
        if sums.share.k as f64 / sums.share.n as f64 >= asked.min_support {
            found.insert(pattern.clone(), sums);
        }
    }
    if asked.closed {
        let open: Vec<Pattern> = found
            .iter()
            .filter(|(pattern, sums)| {
                found
                    .iter()
                    .any(|(other, o)| o.share.k == sums.share.k && is_part(pattern, other))
            })
            .map(|(pattern, _)| pattern.clone())
            .collect();
        for pattern in open {
            found.remove(&pattern);
        }
    }
    found
}

fn question(rng: &mut impl Rng, goal: Option<&str>) -> Patterns {
    let mut asked = Patterns {
        min_support: [0.01, 0.2, 0.34, 0.5, 1.0][rng.random_range(0..5)],
        min_length: 1,
        max_length: rng.random_range(1..=4),
        max_steps: [None, None, Some(1), Some(2)][rng.random_range(0..4)],
        closed: rng.random(),
        before_goal: rng.random(),
        top: 1_000_000,
        ..Patterns::default()
    };
    asked.min_length = rng.random_range(1..=asked.max_length);
    let gaps = [None, None, Some(0), Some(1), Some(GAP), Some(i64::MAX / 4)];
    asked.max_gap = gaps[rng.random_range(0..gaps.len())].map(TimeSpan::from_micros);
    match goal {
        Some(goal) => asked.goal(format!("event == {goal:?}")),
        None => asked,
    }
}

#[test]
fn agrees_with_a_brute_force_miner_on_random_logs() {
    for seed in 0..1_500 {
        let (journeys, customers) = random(seed);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let names = event_names(&customers);
        let goal = names[rng.random_range(0..names.len())].clone();
        let goal = rng.random::<bool>().then_some(goal.as_str());
        let mut asked = question(rng, goal);
        if asked.closed {
            // What is closed is judged among patterns of any length up to the longest.
            asked.min_length = 1;
        }
        let report = journeys.run_with(&asked, &ONE_THREAD).unwrap();
        let expected = naive(&customers, &asked, goal);
        let found: Vec<&Pattern> = report.patterns.iter().map(|p| &p.pattern).collect();
        let mut order: Vec<(&Pattern, &Naive)> = expected.iter().collect();
        order.sort_by(|a, b| b.1.share.k.cmp(&a.1.share.k).then(a.0.cmp(b.0)));
        let names: Vec<&Pattern> = order.iter().map(|o| o.0).collect();
        assert_eq!(found, names, "seed {seed}: {asked:?}");
        assert!(report.complete && report.gave_up_at.is_none());
        let rate = |sums: &Clusters, base| Rate::clustered(sums, base, 0.95);
        for (row, (_, sums)) in report.patterns.iter().zip(&order) {
            assert_eq!(row.journeys, sums.share.k, "seed {seed}");
            assert_eq!(row.customers, sums.goals.a.m, "seed {seed}");
            assert_eq!(row.share, rate(&sums.share, Base::OfAll), "seed {seed}");
            assert_eq!(row.goal.is_some(), goal.is_some());
            let Some(goal) = row.goal else { continue };
            assert_eq!(goal.with, rate(&sums.goals.a, Base::OfPattern));
            assert_eq!(goal.without, rate(&sums.goals.b, Base::OfOthers));
            let enough = sums.goals.a.n.min(sums.goals.b.n) >= 5;
            let difference = enough.then(|| sums.goals.difference(0.95)).flatten();
            let p = enough.then(|| sums.goals.test()).flatten().map(|t| t.p);
            assert_eq!((goal.difference, goal.p), (difference, p), "seed {seed}");
        }
        let tested = report.patterns.iter().filter_map(|r| r.goal);
        let (p, q): (Vec<f64>, Vec<f64>) = tested.filter_map(|g| g.p.zip(g.q)).unzip();
        assert_eq!(benjamini_hochberg(&p).unwrap(), q);

        // A short list begins like the long one.
        let few = Patterns {
            top: 3,
            ..asked.clone()
        };
        let short = journeys.run_with(&few, &ONE_THREAD).unwrap();
        let begins: Vec<&Pattern> = short.patterns.iter().map(|p| &p.pattern).collect();
        assert_eq!(begins, names[..names.len().min(3)], "seed {seed}");
        assert!(!short.complete || names.len() <= 3, "seed {seed}");

        if seed % 3 == 0 {
            let located = journeys.count_located(&asked).unwrap();
            let counted = journeys.count_cells(&asked, &ONE_THREAD).unwrap();
            assert_eq!(located, counted, "seed {seed}");
            for row in report.patterns.iter().filter(|r| r.pattern.len() == 1) {
                let escaped = row.pattern[0].replace('>', r"\>");
                let cell = format!("pattern/{escaped}");
                assert_eq!(counted[&cell], row.journeys, "seed {seed}");
            }
        }
    }
}

/// Customers of one journey each: random noise over ten names, and in some the planted names with noise between them. And
/// how many those are.
fn planted(share: f64, pattern: &[&str]) -> (Journeys, u64) {
    let rng = &mut ChaCha8Rng::seed_from_u64(72);
    let mut builder = LogBuilder::new(LogOptions::default());
    let mut n = 0;
    for customer in 0..2_000 {
        let mut way: Vec<String> = Vec::new();
        let has = rng.random_bool(share);
        n += u64::from(has);
        for i in 0..pattern.len() + 1 {
            for _ in 0..rng.random_range(0..2) {
                way.push(format!("noise {}", rng.random_range(0..10)));
            }
            way.extend(pattern.get(i).filter(|_| has).map(|p| (*p).to_owned()));
        }
        let wins = rng.random_bool(if has { 0.4 } else { 0.2 });
        way.push(if wins { "goal" } else { "end" }.to_owned());
        for (time, event) in (0..).zip(way) {
            let customer = format!("c{customer}");
            builder.push(&customer, time * 1_000_000, &event).unwrap();
        }
    }
    let journeys = builder.finish().unwrap();
    (journeys.journeys(JourneyRule::customer()).unwrap(), n)
}

#[test]
fn a_planted_pattern_is_found_with_its_lift() {
    let (journeys, n) = planted(0.3, &["browse", "share", "buy"]);
    let asked = Patterns::top(3).length(3, 5).goal("goal").closed();
    let report: PatternsReport = journeys.run(&asked).unwrap().report;
    let first = &report.patterns[0];
    assert_eq!(first.pattern, ["browse", "share", "buy"]);
    assert_eq!((first.journeys, report.journeys), (n, 2_000));
    assert!(first.share.estimate.unwrap().width() < 0.05);
    let goal = first.goal.unwrap();
    let more = goal.difference.unwrap();
    assert!(more.contains(0.2) && more.lower > 0.1, "{more:?}");
    assert!(goal.q.unwrap() < 1e-6);
    assert!(report.caveats.contains(&Caveat::AssociationOnly));
    // The goal itself is in no pattern, unless whole journeys are looked at.
    let whole = journeys
        .run(&Patterns::top(50).goal("goal").whole_journeys())
        .unwrap();
    let holds = |r: &PatternsReport| {
        r.patterns
            .iter()
            .any(|p| p.pattern.contains(&"goal".into()))
    };
    assert!(holds(&whole) && !holds(&report));
    // Directly after each other they come only where no noise came between.
    let near = journeys.run(&asked.clone().contiguous()).unwrap();
    let same = near.patterns.iter().find(|p| p.pattern == first.pattern);
    assert!(same.is_some_and(|p| p.journeys * 3 < first.journeys * 2));
}

#[test]
fn threads_do_not_show_and_bounds_are_inclusive() {
    let (journeys, _) = planted(0.5, &["browse", "share", "buy"]);
    let asked = Patterns::top(40)
        .goal("goal")
        .max_gap("2s")
        .min_support(0.01);
    let mut seen = Vec::new();
    for threads in [1, 2, 8] {
        let exec = Exec::new().threads(threads).unwrap();
        let report = journeys.run_with(&asked, &exec).unwrap().report;
        seen.push(serde_json::to_string(&report).unwrap());
    }
    assert!(seen.windows(2).all(|w| w[0] == w[1]));
    // Events lie a second apart, so two seconds are two steps.
    let steps = Patterns {
        max_gap: None,
        ..asked.clone().max_steps(2)
    };
    let (a, b) = (journeys.run(&asked).unwrap(), journeys.run(&steps).unwrap());
    assert_eq!(a.patterns, b.patterns);
    let less = journeys.run(&asked.max_gap("1999999us")).unwrap();
    assert_eq!(
        less.patterns,
        journeys.run(&steps.contiguous()).unwrap().patterns
    );
}

#[test]
fn a_search_without_end_gives_up_and_says_so() {
    // One way of a hundred different events: 4 million patterns that all journeys have.
    let mut builder = LogBuilder::new(LogOptions::default());
    for customer in 0..6 {
        for i in 0..100 {
            builder
                .push(&format!("c{customer}"), i, &format!("e{i}"))
                .unwrap();
        }
    }
    builder.push("other", 0, "e5").unwrap();
    builder.push("other", 1, "e7").unwrap();
    let journeys = builder.finish().unwrap();
    let journeys = journeys.journeys(JourneyRule::customer()).unwrap();
    let report = journeys.run(&Patterns::default()).unwrap();
    assert_eq!(report.gave_up_at, Some(6));
    // What more journeys have is listed all the same.
    assert_eq!(report.patterns.len(), 1);
    assert_eq!(report.patterns[0].pattern, ["e5", "e7"]);
    assert!(!report.complete);
    assert!(
        report
            .caveats
            .iter()
            .any(|c| c.message().contains("gave up"))
    );
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let (journeys, _) = random(1);
    let error = |asked: Patterns| journeys.run(&asked).unwrap_err().to_string();
    assert_eq!(
        error(Patterns::default().length(2, 13)),
        "`max_length` of patterns: 13 is too long, the limit is 12"
    );
    assert!(error(Patterns::default().length(3, 2)).contains("shorter than the shortest"));
    assert!(error(Patterns::default().length(0, 2)).starts_with("`min_length` of patterns: "));
    assert!(error(Patterns::default().min_support(0.0)).contains("above 0"));
    assert!(error(Patterns::default().min_support(f64::NAN)).contains("no share of journeys"));
    assert!(error(Patterns::default().max_steps(0)).starts_with("`max_steps` of patterns: "));
    assert!(error(Patterns::default().max_gap("soon")).starts_with("`max_gap` of patterns: "));
    assert!(error(Patterns::default().goal("nowhere")).starts_with("`goal` of patterns: "));
    assert!(error(Patterns::top(0)).starts_with("`top` of patterns: "));
    let read = serde_json::from_str::<Patterns>("{}").unwrap();
    assert_eq!(read, Patterns::default());
}
