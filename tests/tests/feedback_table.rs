//! The table of feedback: scales, blanks, quarantine, measures, against counts by hand and naive ones.
#![allow(clippy::unwrap_used)]

use desireline_core::Error;
use desireline_core::feedback::*;
use desireline_core::log::Reason;
use desireline_core::report::Report;
use proptest::prelude::*;

fn lenient() -> FeedbackOptions {
    let mut options = FeedbackOptions::default();
    options.max_quarantine_share = 1.0;
    options
}

fn scores(answers: &[i32]) -> Vec<Score> {
    answers.iter().map(|&a| Score::from(a)).collect()
}

#[test]
fn nothing_is_clamped_and_everything_is_counted() {
    let low = Question::csat("c").blank(0).blank(6).blank_text("Blank");
    let mut builder = FeedbackBuilder::new([Question::nps("n").blank(11), low], lenient()).unwrap();
    let nps: [Given<'_>; 9] = [
        10.into(),
        0.into(),
        11.into(),
        12.into(),
        (-1).into(),
        "9".into(),
        "nine".into(),
        7.5.into(),
        f64::NAN.into(),
    ];
    for (i, given) in nps.into_iter().enumerate() {
        let customer = format!("c{i}");
        let row = FeedbackRow::new(customer.as_str(), "n").score(given);
        builder.push(&row).unwrap();
    }
    for given in ["5", "0", "6", " Blank ", "", "7"] {
        let row = FeedbackRow::new("d", "c").score(given);
        builder.push(&row).unwrap();
    }
    builder.push(&FeedbackRow::new(None, "c").score(4)).unwrap();
    builder.push(&FeedbackRow::new("e", "q").score(4)).unwrap();
    let feedback = builder.finish().unwrap();
    let [n, c] = feedback.counts() else { panic!() };
    assert_eq!(
        (n.scores, n.blank, n.unanswered, n.quarantined),
        (3, 1, 1, 4)
    );
    assert_eq!(
        (c.scores, c.blank, c.unanswered, c.quarantined),
        (1, 3, 1, 2)
    );
    let aside = feedback.quarantine();
    assert_eq!(aside.counts[&Reason::OffScale], 4);
    assert_eq!(aside.counts[&Reason::UnparseableScore], 1);
    assert_eq!(aside.counts[&Reason::MissingCustomer], 1);
    assert_eq!(aside.counts[&Reason::UnknownQuestion], 1);
    // Every answer that was read is kept, blank or put aside.
    assert_eq!(aside.rows_read, 4 + 4 + aside.total());
    let first = &aside.examples[0];
    assert_eq!((first.row, first.column.as_deref()), (4, Some("score")));
}

#[test]
fn too_many_bad_answers_are_an_error_that_names_the_first() {
    let mut builder = Feedback::builder([Question::nps("n")]).unwrap();
    builder.push(&FeedbackRow::new("a", "n").score(9)).unwrap();
    builder.push(&FeedbackRow::new("b", "n").score(11)).unwrap();
    let told = builder.finish().unwrap_err();
    assert!(matches!(
        told,
        Error::QuarantineShare { rows: 1, of: 2, .. }
    ));
    assert!(
        told.to_string()
            .contains("row 2 of rows, column `score`: score outside of its scale")
    );
}

#[test]
fn scales_that_a_kind_does_not_allow() {
    let scale = |low, high, direction| Scale::new(low, high, direction).unwrap();
    use Direction::{HighIsGood, LowIsGood};
    let bad = [
        Question::nps("q").scale(scale(1, 10, HighIsGood)),
        Question::nps("q").scale(scale(0, 10, LowIsGood)),
        Question::new("q", QuestionKind::Rating),
        Question::new("q", QuestionKind::Feeling).scale(scale(0, 3, HighIsGood)),
        Question::new("q", QuestionKind::Sentiment).scale(scale(0, 1, HighIsGood)),
        Question::text("q").scale(scale(0, 1, HighIsGood)),
    ];
    for question in bad {
        assert!(question.check().is_err(), "{question:?}");
    }
    assert!(Feedback::builder([Question::nps("q"), Question::csat("q")]).is_err());
    let told = Scale::new(5, 5, HighIsGood).unwrap_err();
    assert_eq!(
        told.to_string(),
        "a scale from 5 to 5 holds nothing; the lowest answer comes first"
    );
    let told = "npss".parse::<QuestionKind>().unwrap_err().to_string();
    assert!(told.contains("did you mean `nps`?"), "{told}");
    for text in [
        "", "e3", "nine", "5 stars", "NaN", "inf", "--1", "1.2.3", "0x5",
    ] {
        assert!(text.parse::<Score>().is_err(), "{text}");
    }
    assert_eq!("-0.5".parse::<Score>().unwrap().millionths(), -500_000);
}

#[test]
fn both_directions_of_effort() {
    let measuring = Measuring::default();
    let mut v1 = Tally::new(
        QuestionKind::CesV1,
        QuestionKind::CesV1.usual_scale().unwrap(),
    );
    let mut v2 = Tally::new(
        QuestionKind::CesV2,
        QuestionKind::CesV2.usual_scale().unwrap(),
    );
    for (effort, ease) in [(1, 7), (2, 6), (3, 4), (5, 1), (2, 5), (1, 7)] {
        v1.add(&scores(&[effort]));
        v2.add(&scores(&[ease]));
    }
    for tally in [&v1, &v2] {
        let easy = tally.measure(Measure::Share, &measuring).unwrap();
        assert_eq!(easy.value(), Some(4.0 / 6.0));
    }
    let mean = v1
        .measure(Measure::Mean, &measuring)
        .unwrap()
        .estimate
        .unwrap();
    assert!((mean.value - 14.0 / 6.0).abs() < 1e-12);
    // Wilson's interval of (mean - 1) / 4, as worked out with scipy's quantiles.
    assert!((mean.lower - 1.353_652).abs() < 1e-6 && (mean.upper - 3.881_943).abs() < 1e-6);
    assert!(v1.measure(Measure::Nps, &measuring).is_err());
    let turned = Scale::new(1, 5, Direction::LowIsGood).unwrap();
    let csat = Question::csat("q").scale(turned);
    assert_eq!(csat.valence(Score::from(1)), Ok(Score::from(1)));
    assert_eq!(csat.valence(Score::from(5)), Ok(Score::from(-1)));
}

#[test]
fn valence_by_scale_and_by_refusal() {
    let valence = |q: &Question, a: i32| q.valence(Score::from(a)).map(Score::get);
    let on = |kind, low, high| {
        Question::new("q", kind).scale(Scale::new(low, high, Direction::HighIsGood).unwrap())
    };
    use QuestionKind::{CesV2, Csat, Feeling, Nps, Rating, YesNo};
    assert_eq!(valence(&on(Csat, 1, 5), 4), Ok(0.5));
    assert_eq!(valence(&on(Csat, 1, 7), 5), Ok(0.333333));
    assert_eq!(valence(&on(Csat, 1, 7), 3), Ok(-0.333333));
    assert_eq!(valence(&on(Feeling, 1, 9), 1), Ok(-1.0));
    assert_eq!(valence(&on(Feeling, -2, 2), 1), Ok(0.5));
    for kind in [Nps, CesV2, YesNo] {
        let told = valence(&Question::new("q", kind), 1);
        assert!(matches!(told, Err(FeedbackError::NoValence { .. })));
    }
    assert!(valence(&on(Rating, 0, 100), 50).is_err());
    let aroused = Question::new("q", QuestionKind::Arousal);
    assert_eq!(aroused.arousal(Score::from(5)).map(Score::get), Some(0.5));
}

#[test]
fn holes_and_the_unanimous() {
    let measuring = Measuring::default();
    let mut tally = Tally::new(
        QuestionKind::Csat,
        QuestionKind::Csat.usual_scale().unwrap(),
    );
    let mean = |t: &Tally| t.measure(Measure::Mean, &measuring).unwrap();
    assert_eq!(mean(&tally).hole, Some(Hole::NoAnswers));
    tally.add(&scores(&[5, 5]));
    assert_eq!(mean(&tally).hole, Some(Hole::TooFew { least: 5 }));
    tally.add(&scores(&[]));
    assert_eq!(tally.customers(), 1);
    tally = Tally::new(QuestionKind::Csat, tally.scale);
    tally.add(&scores(&[5, 5, 5, 5, 5, 4]));
    assert_eq!(mean(&tally).hole, Some(Hole::OneCustomer));
    assert_eq!(
        mean(&tally).hole.unwrap().message(6),
        "one customer only (n=6)"
    );
    // All alike: no spread is seen, and still nobody claims to be sure.
    tally = Tally::new(QuestionKind::Csat, tally.scale);
    (0..9).for_each(|_| tally.add(&scores(&[5])));
    let sure = mean(&tally).estimate.unwrap();
    assert!(sure.value == 5.0 && sure.lower < 4.0 && sure.upper == 5.0);
}

#[test]
fn repeated_answers_as_declared() {
    let rows = [
        ("ann", 1, 3, None),
        ("ann", 9, 10, None),
        ("ann", 9, 8, None),
        ("bob", 5, 9, Some("cart")),
        ("bob", 4, 2, Some("cart")),
        ("bob", 3, 7, Some("home")),
    ];
    for (duplicates, kept, replaced) in [(Duplicates::KeepAll, 6, 0), (Duplicates::KeepLast, 3, 3)]
    {
        let mut options = FeedbackOptions::default();
        options.duplicates = duplicates;
        let mut builder = FeedbackBuilder::new([Question::nps("n")], options).unwrap();
        for (customer, time, score, touchpoint) in rows {
            let mut row = FeedbackRow::new(customer, "n").score(score).time(time);
            row.touchpoint = touchpoint;
            builder.push(&row).unwrap();
        }
        let feedback = builder.finish().unwrap();
        assert_eq!(
            (feedback.len(), feedback.counts()[0].replaced),
            (kept, replaced)
        );
        if duplicates == Duplicates::KeepLast {
            let left: Vec<f64> = feedback
                .answers()
                .map(|a| a.score().unwrap().get())
                .collect();
            assert_eq!(left, [8.0, 7.0, 9.0]);
        }
    }
}

#[test]
fn gaps_pair_by_customer_and_touchpoint() {
    let scale = Scale::new(1, 7, Direction::HighIsGood).unwrap();
    let asked = |id: &str, kind, other: &str| Question::new(id, kind).scale(scale).pair_with(other);
    let questions = [
        asked("before", QuestionKind::Expected, "after"),
        asked("after", QuestionKind::Perceived, "before"),
    ];
    let mut builder = Feedback::builder(questions.clone()).unwrap();
    let pairs = [(6, 5), (7, 4), (5, 5), (6, 3), (7, 6), (4, 5)];
    for (i, (expected, perceived)) in pairs.into_iter().enumerate() {
        let customer = format!("c{i}");
        for (question, score) in [("before", expected), ("after", perceived)] {
            let row = FeedbackRow::new(customer.as_str(), question)
                .score(score)
                .about("t");
            builder.push(&row).unwrap();
        }
    }
    builder
        .push(&FeedbackRow::new("c0", "after").score(7).about("u"))
        .unwrap();
    let feedback = builder.finish().unwrap();
    let which = Which::default();
    let (gap, alone) = feedback
        .gap("after", &which, &Measuring::default())
        .unwrap();
    assert_eq!((gap.n, alone), (6, 1));
    let estimate = gap.estimate.unwrap();
    // Differences -1 -3 0 -3 -1 1: mean -7/6; Wilson's interval of (mean + 6) / 12, with scipy's quantiles.
    assert!((estimate.value + 7.0 / 6.0).abs() < 1e-12);
    assert!(
        (estimate.lower + 2.935_585).abs() < 1e-6,
        "{}",
        estimate.lower
    );
    assert!(
        (estimate.upper - 0.841_545).abs() < 1e-6,
        "{}",
        estimate.upper
    );
    assert!(
        feedback
            .gap("before", &which, &Measuring::default())
            .is_err()
    );
    let other = questions[1].clone().pair_with("nobody");
    assert!(Feedback::builder([questions[0].clone(), other]).is_err());
}

#[test]
fn different_scales_are_not_put_together() {
    let wide = Scale::new(1, 7, Direction::HighIsGood).unwrap();
    let mut builder =
        Feedback::builder([Question::csat("a"), Question::csat("b").scale(wide)]).unwrap();
    builder.push(&FeedbackRow::new("x", "a").score(5)).unwrap();
    let feedback = builder.finish().unwrap();
    let csat = |which: Which| feedback.csat(&which, &Measuring::default());
    let told = csat(Which::default()).unwrap_err();
    assert!(matches!(told, FeedbackError::MixedScales { .. }));
    assert_eq!(csat(Which::question("a")).unwrap().n, 1);
    let told = csat(Which::question("A")).unwrap_err().to_string();
    assert!(told.contains("did you mean `a`?"), "{told}");
    assert!(
        feedback
            .nps(&Which::default(), &Measuring::default())
            .is_err()
    );
}

#[test]
fn words_are_kept_and_never_numbers() {
    let mut builder =
        Feedback::builder([Question::text("why"), Question::nps("n").blank(11)]).unwrap();
    let hostile = "<script>\"quoted\",\nnew line; 10";
    builder
        .push(&FeedbackRow::new("a", "why").score("9"))
        .unwrap();
    builder
        .push(&FeedbackRow::new("b", "why").score(hostile).time(5))
        .unwrap();
    builder
        .push(&FeedbackRow::new("c", "n").score(11).text("no idea"))
        .unwrap();
    let feedback = builder.finish().unwrap();
    assert!(
        feedback
            .measure(
                QuestionKind::Text,
                Measure::Mean,
                &Which::default(),
                &Measuring::default()
            )
            .is_err()
    );
    assert!(feedback.answers().all(|a| a.score().is_none()));
    let report = feedback.report(&ReportOptions::default()).unwrap();
    assert_eq!(report.n_verbatims, 3);
    assert!(report.verbatims.iter().all(|v| v.customer.is_none()));
    assert!(report.verbatims.iter().any(|v| v.text == hostile));
    let tables = report.tables();
    let said = tables.iter().find(|t| t.name == "verbatims").unwrap();
    assert!(said.column("customer").is_none());
    let mut asked = ReportOptions::default();
    asked.customers = true;
    let report = feedback.report(&asked).unwrap();
    assert!(report.verbatims.iter().all(|v| v.customer.is_some()));
}

#[test]
fn an_empty_table_has_holes_everywhere() {
    let feedback = Feedback::builder([Question::nps("n")])
        .unwrap()
        .finish()
        .unwrap();
    assert!(feedback.is_empty());
    let nps = feedback
        .nps(&Which::default(), &Measuring::default())
        .unwrap();
    assert_eq!(
        (nps.n, nps.estimate, nps.hole),
        (0, None, Some(Hole::NoAnswers))
    );
    let report = feedback.report(&ReportOptions::default()).unwrap();
    assert_eq!(report.tables()[0].n_rows(), 1);
}

/// One row: customer, question, score, time, touchpoint.
type Row = (u8, u8, i32, Option<i64>, u8);

fn built(rows: &[Row]) -> Feedback {
    let questions = [
        Question::nps("n").blank(11),
        Question::csat("c").blank_text("none"),
    ];
    let mut builder = FeedbackBuilder::new(questions, lenient()).unwrap();
    for (customer, question, score, time, touchpoint) in rows {
        let customer = format!("c{customer}");
        let touchpoint = format!("t{touchpoint}");
        let question = ["n", "c"][usize::from(*question)];
        let mut row = FeedbackRow::new(customer.as_str(), question).score(*score);
        row.time = *time;
        row.touchpoint = Some(&touchpoint);
        builder.push(&row).unwrap();
    }
    builder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn order_of_input_does_not_matter_and_counts_are_the_naive_ones(
        rows in proptest::collection::vec((0_u8..8, 0_u8..2, -2..14, proptest::option::of(0_i64..5), 0_u8..3), 0..80),
        seed in 0_usize..80,
    ) {
        let feedback = built(&rows);
        let mut turned = rows.clone();
        turned.reverse();
        let at = seed.min(turned.len());
        turned.rotate_left(at);
        let options = ReportOptions::default();
        let report = feedback.report(&options).unwrap();
        prop_assert_eq!(&report, &built(&turned).report(&options).unwrap());

        let nps: Vec<i32> = rows.iter().filter(|r| r.1 == 0 && (0..=10).contains(&r.2)).map(|r| r.2).collect();
        let good = nps.iter().filter(|&&s| s >= 9).count() as f64;
        let bad = nps.iter().filter(|&&s| s <= 6).count() as f64;
        let measured = feedback.nps(&Which::default(), &Measuring { least: 1, ..Measuring::default() }).unwrap();
        prop_assert_eq!(measured.n, nps.len() as u64);
        if let Some(value) = measured.value() {
            prop_assert!((value - 100.0 * (good - bad) / nps.len() as f64).abs() < 1e-9);
        }
        let csat: Vec<i32> = rows.iter().filter(|r| r.1 == 1 && (1..=5).contains(&r.2)).map(|r| r.2).collect();
        let tally = feedback.tally(QuestionKind::Csat, &Which::default()).unwrap();
        prop_assert_eq!(tally.best.k, csat.iter().filter(|&&s| s >= 4).count() as u64);
        prop_assert_eq!(tally.answers.values().sum::<u64>(), csat.len() as u64);
        let declared: u64 = report.touchpoints.iter().map(|t| t.answers).sum();
        prop_assert_eq!(declared, (nps.len() + csat.len()) as u64);
    }
}

#[test]
fn what_is_no_whole_number_is_off_a_scale_of_whole_numbers() {
    let questions = [
        Question::nps("n"),
        Question::new("s", QuestionKind::Sentiment),
    ];
    let mut builder = FeedbackBuilder::new(questions, lenient()).unwrap();
    let nps: [Given<'_>; 6] = [
        "9.0000001".into(),
        9.000_000_1.into(),
        "1e1".into(),
        "9.000".into(),
        "95e-1".into(),
        "1e2".into(),
    ];
    for (i, given) in nps.into_iter().enumerate() {
        let customer = format!("c{i}");
        let row = FeedbackRow::new(customer.as_str(), "n").score(given);
        builder.push(&row).unwrap();
    }
    let row = FeedbackRow::new("d", "s").score("0.12345678");
    builder.push(&row).unwrap();
    let feedback = builder.finish().unwrap();
    let [n, s] = feedback.counts() else { panic!() };
    assert_eq!((n.scores, n.quarantined, s.scores), (2, 4, 1));
    assert_eq!(feedback.quarantine().counts[&Reason::OffScale], 4);
}
