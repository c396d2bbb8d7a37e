//! Feedback along a map: joined by hand and by a naive join, feelings source by source.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use desireline_core::engine::Exec;
use desireline_core::feedback::{
    Direction, Feedback, FeedbackRow, Hole, Question, QuestionKind, Scale,
};
use desireline_core::journey::JourneyRule;
use desireline_core::log::Log;
use desireline_core::map::{Form, MapFile};
use desireline_core::overlay::{
    EmotionOrigin, Joined, KpiSources, ListenOptions, Overlay, Place, PlaceRow, Ties, Unjoined,
    VoiceReport, join_feedback, listen, measured, measured_and_heard, overlay,
};
use desireline_core::time::TimeSpan;
use proptest::prelude::*;

fn map(more: &str) -> MapFile {
    let text = format!(
        "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\n\
         stakeholders: [{{id: o, name: O}}]\nstages: [{{id: find, name: Find}}, {{id: buy, name: Buy}}]\ntouchpoints:\n\
         \x20 - {{id: home, name: Home, stages: [find], binding: home}}\n\
         \x20 - {{id: cart, name: Cart, stages: [find, buy], binding: cart}}\n\
         \x20 - {{id: desk, name: Desk, stages: [buy], observability: survey_only}}\n{more}"
    );
    MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)))
}

fn heard(
    file: &MapFile,
    rows: &[(&str, i64, &str)],
    feedback: &Feedback,
    options: &ListenOptions,
    threads: usize,
) -> VoiceReport {
    let log = Log::from_rows(rows.iter().copied()).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let exec = Exec::new().threads(threads).unwrap();
    listen(file.map(), &journeys, feedback, options, &exec).unwrap()
}

const TOUCHES: [(&str, i64, &str); 8] = [
    ("ann", 0, "home"),
    ("ann", 10, "cart"),
    ("ann", 20, "zoom"),
    ("bob", 0, "home"),
    ("bob", 5, "cart"),
    ("bob", 5, "home"),
    ("cid", 100, "home"),
    ("cid", 200, "home"),
];

/// Customer, question, score, time, declared touchpoint.
type Row<'a> = (&'a str, &'a str, i32, Option<i64>, Option<&'a str>);

fn answers(rows: &[Row<'_>]) -> Feedback {
    let feeling = Scale::new(-2, 2, Direction::HighIsGood).unwrap();
    let questions = [
        Question::csat("csat"),
        Question::nps("nps"),
        Question::csat("desk-csat").about("desk"),
        Question::new("mood", QuestionKind::Feeling).scale(feeling),
    ];
    let mut builder = Feedback::builder(questions).unwrap();
    for (customer, question, score, time, place) in rows {
        let mut row =
            FeedbackRow::new(Some(*customer).filter(|c| !c.is_empty()), question).score(*score);
        row.time = *time;
        row.touchpoint = *place;
        row.text = Some("said");
        builder.push(&row).unwrap();
    }
    builder.finish().unwrap()
}

fn exact(micros: i64) -> ListenOptions {
    let mut options = ListenOptions::default();
    options.rule.within = TimeSpan::from_micros(micros);
    options.measuring.least = 1;
    options
}

#[test]
fn every_answer_has_a_place_or_a_reason() {
    let feedback = answers(&[
        ("ann", "csat", 5, Some(12), None),         // cart, 2 before
        ("ann", "csat", 4, Some(10), None),         // cart, at its time
        ("ann", "csat", 3, Some(500), None),        // nothing within 50
        ("bob", "csat", 2, Some(6), None),          // cart and home at 5
        ("bob", "csat", 1, None, None),             // no time
        ("dan", "csat", 5, Some(3), None),          // not in the log
        ("dan", "nps", 9, None, Some("home")),      // declared, but nobody whom the log knows
        ("cid", "nps", 3, Some(120), Some("home")), // declared, and a touch 20 before
        ("cid", "nps", 3, Some(10), Some("home")),  // declared, no touch before
        ("cid", "nps", 3, Some(10), Some("moon")),  // no such place
        ("cid", "nps", 3, Some(10), Some("buy")),   // a stage
        ("cid", "desk-csat", 4, Some(10), None),    // the question is about the desk
    ]);
    let file = map("");
    let report = heard(&file, &TOUCHES, &feedback, &exact(50), 1);
    assert_eq!((report.answers, report.joined, report.declared), (12, 6, 4));
    let reasons: Vec<_> = report.unjoined.iter().map(|(r, n)| (*r, *n)).collect();
    assert_eq!(
        reasons,
        [
            (Unjoined::UnknownPlace, 1),
            (Unjoined::NoTime, 1),
            (Unjoined::UnknownCustomer, 2),
            (Unjoined::NoTouch, 1),
            (Unjoined::Ambiguous, 1),
        ]
    );
    let row = |rows: &[PlaceRow], place: &str, question: &str| {
        let found = rows
            .iter()
            .find(|r| r.place == place && r.question == question);
        found.map_or(0, |r| r.answers)
    };
    assert_eq!(row(&report.touchpoints, "cart", "csat"), 2);
    assert_eq!(row(&report.touchpoints, "home", "nps"), 2);
    assert_eq!(row(&report.touchpoints, "desk", "desk-csat"), 1);
    // The cart sits in two stages; an answer about a stage has no touchpoint.
    assert_eq!(row(&report.stages, "find", "csat"), 2);
    assert_eq!(row(&report.stages, "buy", "csat"), 2);
    assert_eq!(row(&report.stages, "buy", "nps"), 1);
    // Touches: home has 5, one answered; cart 2, one answered (by two answers).
    let touched: Vec<_> = report
        .heard
        .iter()
        .map(|h| (h.touches, h.answered, h.answers))
        .collect();
    assert_eq!(touched, [(5, 1, 2), (2, 1, 2), (0, 0, 1)]);
    assert_eq!(report.heard[2].response.hole, Some(Hole::NoTouches));
    assert_eq!(report.heard[0].missing, 97 - 2);
    // What customers say whom these journeys do not have is not shown.
    assert_eq!(report.n_verbatims, 10);
    assert!(report.verbatims.iter().all(|v| v.customer.is_none()));
}

#[test]
fn ties_and_both_sides() {
    let feedback = answers(&[
        ("bob", "csat", 2, Some(6), None),
        ("cid", "csat", 4, Some(150), None),
    ]);
    let file = map("");
    let mut options = exact(50);
    options.rule.ties = Ties::LogOrder;
    let report = heard(&file, &TOUCHES, &feedback, &options, 1);
    assert_eq!(
        (
            report.touchpoints[0].place.as_str(),
            report.touchpoints[0].answers
        ),
        ("home", 2)
    );
    // 100 and 200 are equally far from 150: the side before wins, which both are home here; from 160 on the other is nearer.
    options.rule.after = Some(TimeSpan::from_micros(50));
    let log = Log::from_rows(TOUCHES.iter().copied()).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    for (time, touch) in [(150, 100), (151, 200), (149, 100)] {
        let feedback = answers(&[("cid", "csat", 4, Some(time), None)]);
        let join = join_feedback(
            file.map(),
            &journeys,
            &feedback,
            &options.rule,
            &Exec::new(),
        )
        .unwrap();
        assert_eq!(join.answers[0].unwrap().touch, Some(touch), "{time}");
    }
}

#[test]
fn the_maps_feedback_points_say_where_and_how_long() {
    let file = map("feedback:\n  - {id: csat, at: cart, measure: csat}\n");
    let feedback = answers(&[
        ("ann", "csat", 5, Some(9_999), None),
        ("zoe", "csat", 5, None, None),
    ]);
    let report = heard(&file, &TOUCHES, &feedback, &exact(50), 1);
    // Zoe is not in these journeys.
    assert_eq!((report.joined, report.declared), (1, 1));
    assert_eq!(report.unjoined[&Unjoined::UnknownCustomer], 1);
    assert_eq!(report.touchpoints[0].place, "cart");
    assert_eq!(report.touchpoints[0].answers, 1);
}

/// Declared answers of those outside of the segment, the window or the journeys are counted apart.
#[test]
fn a_map_is_told_of_by_those_whom_it_is_about() {
    let rows = [
        ("ann", 0, "home"),
        ("ann", 10, "cart"),
        ("bob", 5, "home"),
        ("cid", 2_000_000_000_000_000, "cart"),
    ];
    let said = [
        ("ann", "nps", 9, Some(20), Some("home")),
        ("bob", "nps", 0, Some(20), Some("home")),
        ("cid", "nps", 0, Some(20), Some("home")),
        ("zoe", "nps", 0, Some(20), Some("home")),
        ("ann", "nps", 0, Some(2_000_000_000_000_000), Some("home")),
    ];
    let kpis = "kpis: [{id: k, kpi: nps}, {id: at-home, kpi: nps, at: home}]\nchecks: {min_n: 1}\n";
    let measure = |scope: &str, persona: Option<&str>| {
        let file = map(&format!(
            "{kpis}personas: [{{id: buyer, name: B, kind: actual, member: cart}}]\n{scope}"
        ));
        let log = Log::from_rows(rows.iter().copied()).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let sources = KpiSources {
            answers: Some(Arc::new(answers(&said))),
            listening: exact(50),
            ..KpiSources::default()
        };
        let mut how = Overlay::new();
        how.persona = persona.map(Into::into);
        let report = measured(file.map(), &journeys, &how, &sources, &Exec::new()).unwrap();
        let kpis = report.kpis.clone().unwrap();
        let told = &report.touchpoint("home").unwrap().feedback;
        let told = told.as_ref().map_or(0, |f| f[0].answers);
        (kpis[0].n, kpis[1].n, told)
    };
    // Zoe is not in the log.
    assert_eq!(measure("", None), (4, 4, 4));
    // In the window there are ann and bob; ann's second answer came later.
    let window = "scope: {window: {from: 1970-01-01, to: 1970-01-02}}\n";
    assert_eq!(measure(window, None), (2, 2, 2));
    // Who bought: ann and cid.
    assert_eq!(measure("scope: {segment: cart}\n", None), (3, 3, 3));
    assert_eq!(measure("", Some("buyer")), (3, 3, 3));
    assert_eq!(measure(window, Some("buyer")), (1, 1, 1));
}

#[test]
fn customers_are_asked_at_steps_and_channels_too() {
    let file = MapFile::read(
        "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-01-01\nowner: o\n\
         stakeholders: [{id: o, name: O}]\nchannels: [{id: web, kind: site_app}]\n\
         stages: [{id: find, name: Find}, {id: buy, name: Buy, steps: [{id: pays, action: pays}]}]\ntouchpoints:\n\
         \x20 - {id: home, name: Home, stages: [find], channel: web, binding: home}\n\
         \x20 - {id: cart, name: Cart, stages: [buy], step: pays, binding: cart}\n\
         feedback: [{id: csat, at: pays, measure: csat}, {id: nps, at: web, measure: nps}]\n",
        Form::Yaml,
    )
    .unwrap();
    let feedback = answers(&[
        ("ann", "csat", 5, Some(20), None),
        ("ann", "nps", 9, Some(20), None),
        ("bob", "desk-csat", 4, Some(20), Some("cart")),
        ("bob", "mood", 1, Some(20), Some("home")),
    ]);
    let report = heard(&file, &TOUCHES, &feedback, &exact(50), 1);
    assert_eq!((report.joined, report.unjoined.len()), (4, 0));
    let rows = |rows: &[PlaceRow]| -> Vec<(String, String)> {
        rows.iter()
            .map(|r| (r.place.clone(), r.question.clone()))
            .collect()
    };
    let own = |place: &str, question: &str| (place.to_owned(), question.to_owned());
    assert_eq!(
        rows(&report.elsewhere),
        [
            own("pays", "csat"),
            own("pays", "desk-csat"),
            own("web", "nps"),
            own("web", "mood")
        ]
    );
    // A step is part of its stage; a channel is of none.
    assert_eq!(
        rows(&report.stages),
        [
            own("find", "mood"),
            own("buy", "csat"),
            own("buy", "desk-csat")
        ]
    );
}

#[test]
fn sources_stay_apart_and_holes_stay_holes() {
    let file = map(
        "emotions:\n  - {id: e1, at: find, valence: 0.9, source: expert_guess, arousal: 0.9}\n\
         \x20 - {id: e2, at: cart, valence: -0.5, source: expert_guess}\n\
         \x20 - {id: e3, at: find -> buy, valence: 0.1, source: self_report}\n",
    );
    let rows = [
        ("ann", "csat", 5, None, Some("home")),
        ("bob", "csat", 4, None, Some("home")),
        ("cid", "csat", 1, None, Some("home")),
        ("ann", "csat", 2, None, Some("desk")),
        ("bob", "csat", 2, None, Some("desk")),
        ("ann", "mood", -2, None, Some("home")),
        ("ann", "nps", 10, None, Some("home")),
    ];
    let mut options = exact(50);
    options.measuring.least = 2;
    let report = heard(&file, &TOUCHES, &answers(&rows), &options, 1);
    let curve = &report.emotion;
    let told: Vec<_> = curve
        .points
        .iter()
        .map(|p| {
            let at = p.touchpoint.clone().unwrap_or_else(|| p.stage.clone());
            (p.source.word(), p.origin, at, p.valence.value(), p.n)
        })
        .collect();
    use EmotionOrigin::{Feedback as Heard, Map};
    let expected = [
        ("self_report", Heard, "find", None, 1),
        ("self_report", Heard, "home", None, 1),
        ("self_report", Heard, "buy", None, 0),
        ("survey", Heard, "find", Some(1.0 / 6.0), 3),
        ("survey", Heard, "home", Some(1.0 / 6.0), 3),
        ("survey", Heard, "buy", Some(-0.5), 2),
        ("survey", Heard, "desk", Some(-0.5), 2),
        ("expert_guess", Map, "find", Some(0.9), 0),
        ("expert_guess", Map, "cart", Some(-0.5), 0),
        ("expert_guess", Map, "cart", Some(-0.5), 0),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, (source, origin, at, value, n)) in told.iter().zip(expected) {
        assert_eq!(
            (told.0, told.1, told.2.as_str(), told.4),
            (source, origin, at, n)
        );
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(
            told.3
                .zip(value)
                .map_or(told.3 == value, |(a, b)| near(a, b)),
            "{told:?}"
        );
    }
    assert_eq!(curve.elsewhere, 1);
    assert_eq!(curve.refused.len(), 1);
    assert!(curve.refused[0].1.contains("not for a feeling"));
    let survey = &curve.summaries[0];
    assert_eq!(
        (survey.peak.0.as_str(), survey.last.0.as_str()),
        ("buy", "buy")
    );
    assert!((survey.peak_end + 0.5).abs() < 1e-9 && (survey.mean + 1.0 / 6.0).abs() < 1e-6);
    // Ann felt 1 and then -0.5, Bob 0.5 and -0.5: means 0.25 and 0, minima -0.5, peak-ends 0.25 and -0.5.
    let people = survey.by_customer.unwrap();
    assert_eq!(people.customers, 2);
    assert!((people.mean.value().unwrap() - 0.125).abs() < 1e-6);
    assert!((people.minimum.value().unwrap() + 0.5).abs() < 1e-6);
    // The guess has no interval, so no strong moment.
    assert!(curve.strong().iter().all(|p| p.origin == Heard));
}

/// Two events of one moment are one touch, whether the answer comes after them or before.
#[test]
fn a_moment_is_answered_once() {
    let touches = [("eve", 10, "home"), ("eve", 10, "home")];
    let feedback = answers(&[
        ("eve", "csat", 4, Some(10), None),
        ("eve", "csat", 4, Some(2), None),
    ]);
    let mut options = exact(0);
    options.rule.after = Some(TimeSpan::from_micros(8));
    let report = heard(&map(""), &touches, &feedback, &options, 1);
    assert_eq!((report.joined, report.heard[0].touches), (2, 2));
    assert_eq!(report.heard[0].answered, 1);
}

/// What the rule says, over all touches, one after the other.
fn naive(
    touches: &[(i64, usize)],
    at: i64,
    within: i64,
    after: Option<i64>,
) -> Result<(usize, i64), Unjoined> {
    let mut best: Option<(u64, bool, i64)> = None;
    for &(time, _) in touches {
        let before = time <= at;
        let fits = if before {
            at - time <= within
        } else {
            after.is_some_and(|a| time - at <= a)
        };
        if fits {
            let rank = (at.abs_diff(time), !before, time);
            best = Some(best.map_or(rank, |b| b.min(rank)));
        }
    }
    let (_, _, time) = best.ok_or(Unjoined::NoTouch)?;
    let mut there: Vec<usize> = touches
        .iter()
        .filter(|t| t.0 == time)
        .map(|t| t.1)
        .collect();
    there.dedup();
    match there.as_slice() {
        [one] => Ok((*one, time)),
        _ => Err(Unjoined::Ambiguous),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_join_is_the_naive_one(
        touches in proptest::collection::vec((0_usize..6, 0_i64..40, 0_usize..3), 1..60),
        asked in proptest::collection::vec((0_usize..8, 0_i64..50), 0..40),
        within in 0_i64..12,
        after in proptest::option::of(0_i64..12),
    ) {
        let names = ["home", "cart", "zoom"];
        let ids: Vec<String> = (0..8).map(|c| format!("c{c}")).collect();
        let rows: Vec<(&str, i64, &str)> =
            touches.iter().map(|(c, t, e)| (ids[*c].as_str(), *t, names[*e])).collect();
        let given: Vec<_> =
            asked.iter().map(|(c, t)| (ids[*c].as_str(), "csat", 4, Some(*t), None)).collect();
        let feedback = answers(&given);
        let mut options = exact(within);
        options.rule.after = after.map(TimeSpan::from_micros);
        let file = map("");
        let log = Log::from_rows(rows.iter().copied()).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let join = join_feedback(file.map(), &journeys, &feedback, &options.rule, &Exec::new()).unwrap();
        let mut answered = std::collections::BTreeSet::new();
        for answer in feedback.answers() {
            let customer = answer.customer_id().unwrap();
            let mine: Vec<(i64, usize)> = rows.iter().filter(|r| r.0 == customer && r.2 != "zoom")
                .map(|r| (r.1, usize::from(r.2 == "cart"))).collect();
            let mut mine = mine;
            mine.sort_unstable();
            let known = rows.iter().any(|r| r.0 == customer);
            let expected = match known {
                false => Err(Unjoined::UnknownCustomer),
                true => naive(&mine, answer.time().unwrap(), within, after),
            };
            let found = join.answers[answer.id].map(|j| match j {
                Joined { place: Place::Touchpoint(t), declared: false, touch: Some(time) } => (t, time),
                other => panic!("{other:?}"),
            });
            prop_assert_eq!(found, expected);
            if let Ok((t, time)) = expected {
                answered.insert((customer.to_owned(), t, time));
            }
        }
        for (t, name) in [(0, "home"), (1, "cart")] {
            let sums = &join.touches[t];
            prop_assert_eq!(sums.n, rows.iter().filter(|r| r.2 == name).count() as u64);
            prop_assert_eq!(sums.k, answered.iter().filter(|a| a.1 == t).count() as u64);
        }
        let one = heard(&file, &rows, &feedback, &options, 1);
        let two = heard(&file, &rows, &feedback, &options, 2);
        prop_assert_eq!(&one, &two);
    }
}

#[test]
fn the_ends_of_time() {
    let file = map("");
    let mut options = exact(i64::MAX);
    options.rule.after = Some(TimeSpan::from_micros(i64::MAX));
    let times = [i64::MIN, -1, 0, i64::MAX];
    let given: Vec<_> = times
        .iter()
        .map(|t| ("ann", "csat", 4, Some(*t), None))
        .collect();
    let report = heard(&file, &TOUCHES, &answers(&given), &options, 1);
    assert_eq!(report.joined + report.unjoined.values().sum::<u64>(), 4);
}

/// What customers say goes into the places that a measured map keeps for it, and nowhere else.
#[test]
fn a_measured_map_is_filled() {
    let feedback = answers(&[
        ("ann", "csat", 5, Some(12), None),
        ("ann", "mood", 2, Some(12), None),
        ("bob", "mood", 1, Some(5), Some("cart")),
        ("bob", "csat", 1, Some(5), Some("cart")),
        ("bob", "nps", 9, None, Some("home")),
        ("cid", "csat", 4, Some(210), None),
        ("cid", "desk-csat", 4, None, None),
    ]);
    let file = map("");
    let voice = heard(&file, &TOUCHES, &feedback, &exact(50), 1);
    let log = Log::from_rows(TOUCHES).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let (how, exec) = (Overlay::new().min_n(1), Exec::new());
    let mut report = overlay(file.map(), &journeys, &how, &exec).unwrap();
    let before = report.clone();
    assert!(
        before
            .touchpoints
            .iter()
            .all(|t| t.feedback.is_none() && t.emotion.is_none())
    );
    voice.fill(&mut report);
    let told = |id: &str| -> Vec<(String, u64, Option<f64>)> {
        let touchpoint = report.touchpoint(id).unwrap();
        let rows = touchpoint.feedback.iter().flatten();
        rows.map(|f| (f.instrument.clone(), f.answers, f.value.map(|v| v.value)))
            .collect()
    };
    // Each row is that of the voice: the usual measure of its kind, with the touches that were answered.
    for touchpoint in &report.touchpoints {
        let rows = voice
            .touchpoints
            .iter()
            .filter(|r| r.place == touchpoint.id);
        let rows: Vec<_> = rows
            .map(|r| {
                (
                    r.kind.word().to_owned(),
                    r.answers,
                    r.measures.usual(r.kind).and_then(|m| m.value()),
                )
            })
            .collect();
        assert_eq!(told(&touchpoint.id), rows, "{}", touchpoint.id);
        let heard = voice
            .heard
            .iter()
            .find(|h| h.touchpoint == touchpoint.id)
            .unwrap();
        for f in touchpoint.feedback.iter().flatten() {
            let response = f.response.unwrap();
            assert_eq!(
                (response.count, response.n),
                (heard.answered, heard.touches)
            );
        }
    }
    assert_eq!(told("cart").iter().map(|r| r.1).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(told("home").len(), 2);
    assert_eq!(told("desk"), [("csat".to_owned(), 1, Some(1.0))]);
    // The feeling that was reported goes before the one that follows from satisfaction; a place nobody felt at has none.
    let felt = |id: &str| report.touchpoint(id).unwrap().emotion.clone();
    assert_eq!(felt("cart").unwrap().source, "self_report");
    assert_eq!(felt("home").unwrap().source, "survey_derived");
    // The cart sits in two stages, so its answers count in both.
    let stage = |id: &str| {
        report
            .stage(id)
            .unwrap()
            .feedback
            .as_ref()
            .map_or(0, Vec::len)
    };
    assert_eq!((stage("find"), stage("buy")), (3, 3));
    // Nothing else has changed.
    let mut rest = report.clone();
    for touchpoint in &mut rest.touchpoints {
        (touchpoint.feedback, touchpoint.emotion) = (None, None);
    }
    for stage in &mut rest.stages {
        (stage.feedback, stage.emotion) = (None, None);
    }
    assert_eq!(rest, before);
    // And the whole of it in one call.
    let sources = KpiSources {
        answers: Some(std::sync::Arc::new(feedback)),
        listening: exact(50),
        ..KpiSources::default()
    };
    let (all, again) = measured_and_heard(file.map(), &journeys, &how, &sources, &exec).unwrap();
    assert_eq!(all.touchpoints, report.touchpoints);
    assert_eq!(again.unwrap(), voice);
}
