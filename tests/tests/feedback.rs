//! Feedback on real answers: San Francisco airport, 2017.
#![allow(clippy::unwrap_used)]

use desireline_core::feedback::measures::nps_wald;
use desireline_core::feedback::{Measure, Measuring, Question, QuestionKind, Which};
use desireline_core::log::Reason;
use desireline_io::{FeedbackColumns, read_feedback};
use desireline_tests::data;

const SURVEY: &str = "sfo-survey/2017_SFO_Customer_Survey.csv";

#[test]
fn the_airport_survey_of_2017() {
    let Some(path) = data(SURVEY) else { return };
    let questions = [
        Question::nps("NETPRO").blank(11),
        Question::csat("Q7ALL")
            .blank(0)
            .blank(6)
            .blank_text("Blank"),
    ];
    let columns = FeedbackColumns::wide(questions).customer("RESPNUM");
    let feedback = read_feedback(path.as_path(), &columns).unwrap();
    let (which, how) = (Which::default(), Measuring::default());
    let tally = feedback.tally(QuestionKind::Nps, &which).unwrap();
    assert_eq!(
        (tally.net.plus, tally.net.minus, tally.n()),
        (1436, 342, 2746)
    );
    let nps = feedback.nps(&which, &how).unwrap().estimate.unwrap();
    assert!((nps.value - 39.8398).abs() < 5e-5, "{nps:?}");
    let plain = nps_wald(&tally.net, &how).estimate.unwrap();
    assert!((plain.width() / 2.0 / 1.959_964 - 1.3341).abs() < 5e-5);
    assert!((plain.lower - 37.225).abs() < 5e-4 && (plain.upper - 42.455).abs() < 5e-4);
    let [asked, satisfied] = feedback.counts() else {
        panic!()
    };
    assert_eq!(
        (asked.blank, asked.unanswered, asked.quarantined),
        (84, 1, 0)
    );
    let csat = feedback.csat(&which, &how).unwrap();
    assert_eq!((csat.n, satisfied.quarantined), (2688, 0));
    assert!((100.0 * csat.value().unwrap() - 82.0685).abs() < 5e-5);
    let mean = feedback
        .measure(QuestionKind::Csat, Measure::Mean, &which, &how)
        .unwrap();
    assert!((mean.value().unwrap() - 4.06436).abs() < 5e-6);
}

#[test]
fn a_code_that_nobody_declared_is_put_aside_and_not_clamped() {
    let Some(path) = data(SURVEY) else { return };
    let columns = FeedbackColumns::wide([Question::nps("NETPRO")])
        .customer("RESPNUM")
        .max_quarantine_share(0.1);
    let feedback = read_feedback(path.as_path(), &columns).unwrap();
    let (which, how) = (Which::default(), Measuring::default());
    let nps = feedback.nps(&which, &how).unwrap();
    assert_eq!(nps.n, 2746);
    assert_eq!(feedback.quarantine().counts[&Reason::OffScale], 84);
    let first = &feedback.quarantine().examples[0];
    // The 96th respondent; the header is the first line.
    assert_eq!((first.row, first.column.as_deref()), (97, Some("NETPRO")));
}
