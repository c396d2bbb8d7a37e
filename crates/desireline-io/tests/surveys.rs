//! Surveys: a table of the voice of the customer, and the same answers as CSV, JSON Lines, Parquet and Arrow.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use desireline_core::feedback::{Feedback, Measuring, Question, QuestionKind, Which};
use desireline_core::log::Reason;
use desireline_io::{FeedbackColumns, Source, read_feedback, read_feedback_batches, write_log};

/// All that a table says, for comparison.
fn told(feedback: &Feedback) -> Vec<String> {
    let answers = feedback.answers();
    answers
        .map(|a| {
            format!(
                "{:?} {:?} {} {:?} {:?} {:?} {:?}",
                a.customer_id(),
                a.time(),
                a.question().id,
                a.score(),
                a.text(),
                a.language(),
                a.touchpoint(),
            )
        })
        .collect()
}

#[test]
fn the_voice_of_the_customer() {
    // The columns of the exchange format, and those that it may have besides.
    let text = "date,score,verbatim,stage,lang,question\n\
        2024-01-01,10,\"quick, \"\"easy\"\"\",buy,en,nps\n\
        2024-01-02,3,zu langsam,buy,de,nps\n\
        2024-01-03,9,,use,en,nps\n\
        2024-01-04,,nothing to add,use,en,nps\n\
        2024-01-05,11,,use,en,nps\n";
    let columns = FeedbackColumns::voc(QuestionKind::Nps).max_quarantine_share(0.5);
    let feedback = read_feedback(Source::memory("voc.csv", text), &columns).unwrap();
    assert_eq!(feedback.quarantine().counts[&Reason::OffScale], 1);
    assert_eq!(feedback.n_customers(), feedback.len());
    let rows = told(&feedback);
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(
        rows[0].contains("quick, \\\"easy\\\"") && rows[0].contains("\"buy\""),
        "{rows:?}"
    );
    assert!(
        rows[1].contains("zu langsam") && rows[1].contains("\"de\""),
        "{rows:?}"
    );
    let how = Measuring {
        least: 1,
        ..Measuring::default()
    };
    let nps = feedback.nps(&Which::default(), &how).unwrap();
    assert_eq!((nps.n, nps.value().map(f64::round)), (3, Some(33.0)));
    let buy = Which {
        touchpoint: Some("buy".to_owned()),
        ..Which::default()
    };
    assert_eq!(feedback.nps(&buy, &how).unwrap().value(), Some(0.0));
    // The four columns alone are enough, and a kind of another scale is another question.
    let bare = "date,score,verbatim,stage\n2024-01-01,-0.5,meh,buy\n2024-01-01,1,,buy\n";
    let columns = FeedbackColumns::voc(QuestionKind::Sentiment);
    let feedback = read_feedback(Source::memory("voc.csv", bare), &columns).unwrap();
    assert_eq!(feedback.len(), 2);
    let sentiment = feedback.sentiment(&Which::default(), &how).unwrap();
    assert_eq!(sentiment.value(), Some(0.25));
}

/// Eight answers as columns, of the types that files have.
fn batch(coded: bool) -> RecordBatch {
    let who = ["ann", "bob", "cid", "dan", "", "eve", "fay", "ann"];
    let who = || who.iter().map(|w| (!w.is_empty()).then_some(*w));
    let who: ArrayRef = match coded {
        true => Arc::new(who().collect::<DictionaryArray<Int32Type>>()),
        false => Arc::new(who().collect::<StringArray>()),
    };
    let day = 86_400_000_000;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("who", who),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values((0..8).map(|i| i * day))
                    .with_timezone("UTC"),
            ),
        ),
        (
            "recommend",
            Arc::new(Int64Array::from(vec![
                Some(10),
                Some(9),
                Some(6),
                Some(11),
                Some(3),
                None,
                Some(8),
                Some(10),
            ])),
        ),
        (
            "ease",
            Arc::new(Float64Array::from(vec![
                Some(7.0),
                Some(1.5),
                None,
                Some(6.0),
                Some(5.0),
                Some(4.0),
                Some(9.0),
                Some(2.0),
            ])),
        ),
        (
            "said",
            Arc::new(StringArray::from(vec![
                Some("Åh, <b>"),
                None,
                Some(""),
                Some("slow"),
                Some("x"),
                None,
                None,
                Some("again"),
            ])),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn columns() -> FeedbackColumns {
    FeedbackColumns::wide([
        Question::nps("recommend").blank(11),
        Question::new("ease", QuestionKind::CesV2),
    ])
    .customer("who")
    .time("at")
    .words("said")
    .max_quarantine_share(1.0)
}

#[test]
fn every_format_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let schema = batch(false).schema();
    let frame = |coded: bool| {
        let batch = batch(coded);
        let schema = batch.schema();
        read_feedback_batches([Ok(batch)].into_iter(), &schema, "frame", &columns()).unwrap()
    };
    let expected = frame(false);
    // Ease 9 is off its scale, and so is 1.5, which nobody could tick; the fifth row is nobody's, 11 was declared to be blank.
    assert_eq!(expected.quarantine().counts[&Reason::OffScale], 2);
    let [recommend, ease] = expected.counts() else {
        panic!()
    };
    assert_eq!((recommend.blank, recommend.unanswered), (1, 1));
    assert_eq!(ease.quarantined, 3);
    assert_eq!(told(&frame(true)), told(&expected));
    for name in [
        "survey.csv",
        "survey.jsonl",
        "survey.parquet",
        "survey.arrow",
    ] {
        let path = folder.path().join(name);
        let rows: [Result<RecordBatch, ArrowError>; 1] = [Ok(batch(false))];
        write_log(&path, schema.clone(), rows).unwrap();
        let found = read_feedback(path.as_path(), &columns()).unwrap();
        assert_eq!(told(&found), told(&expected), "{name}");
        assert_eq!(found.counts(), expected.counts(), "{name}");
        assert_eq!(
            found.quarantine().counts,
            expected.quarantine().counts,
            "{name}"
        );
    }
}

#[test]
fn columns_that_hold_no_answers_are_refused() {
    let list =
        arrow::array::ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>([Some(
            vec![Some(1)],
        )]);
    let batch = RecordBatch::try_from_iter([
        ("who", Arc::new(StringArray::from(vec!["ann"])) as ArrayRef),
        ("recommend", Arc::new(list) as ArrayRef),
    ])
    .unwrap();
    let schema = batch.schema();
    let columns = FeedbackColumns::wide([Question::nps("recommend")]).customer("who");
    let failed = read_feedback_batches([Ok(batch)].into_iter(), &schema, "frame", &columns);
    let told = failed.unwrap_err().to_string();
    assert!(
        told.contains("recommend") && told.contains("List"),
        "{told}"
    );
    let missing = FeedbackColumns::wide([Question::nps("recomend")]).customer("who");
    let none = RecordBatch::new_empty(schema.clone());
    let failed = read_feedback_batches([Ok(none)].into_iter(), &schema, "frame", &missing);
    assert!(failed.unwrap_err().to_string().contains("recommend"));
}
