//! `desireline feedback`: surveys by themselves and along a map.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{Done, bare};

const SURVEY: &str = "who,when,NETPRO,Q7,said\n\
    ann,2024-01-01 10:02,10,5,\"quick, \"\"easy\"\"\"\n\
    bob,2024-01-01 11:01,9,Blank,\n\
    cid,2024-01-03 00:00,11,4,\n\
    dan,2024-01-01 10:00,3,1,<b>slow</b>\n\
    eve,2024-01-01 10:00,9,3,\n\
    fay,2024-01-01 10:00,10,4,\n";

const EVENTS: &str = "customer,time,event\n\
    ann,2024-01-01 10:00,home\n\
    ann,2024-01-01 10:01,cart\n\
    bob,2024-01-01 11:00,home\n\
    cid,2024-01-01 12:00,home\n";

const MAP: &str = "\
schema: 1
id: small
title: Small
version: 0.1.0
kind: actual
status: draft
as_of: 2024-01-01
owner: o
stakeholders: [{id: o, name: O}]
stages: [{id: s, name: Somewhere}]
touchpoints:
  - {id: home, name: Home, stages: [s], owner: o, binding: home}
  - {id: cart, name: Cart, stages: [s], owner: o, binding: cart}
";

const OF_LOG: [&str; 6] = [
    "--customer",
    "customer",
    "--time",
    "time",
    "--event",
    "event",
];

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn ask(folder: &Path, more: &[&str]) -> Done {
    let survey = written(folder, "survey.csv", SURVEY);
    let mut all = vec![
        "feedback",
        &survey,
        "--survey-customer",
        "who",
        "--words",
        "said",
    ];
    all.extend(["--question", "NETPRO=nps,blank=11"]);
    all.extend(["--question", "Q7=csat,blank-text=Blank"]);
    all.extend(more);
    bare(&all)
}

#[test]
fn a_survey_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let told = ask(folder.path(), &[]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out.contains("NETPRO") && told.out.contains("60"),
        "{}",
        told.out
    );
    assert!(
        told.out.contains("<b>slow</b>") && !told.out.contains("ann"),
        "{}",
        told.out
    );
    let json = ask(folder.path(), &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let rows = &json["report"]["questions"];
    assert_eq!(rows[0]["measures"]["nps"]["estimate"]["value"], 60.0);
    assert_eq!(rows[0]["counts"]["blank"], 1);
    assert_eq!(rows[1]["measures"]["share"]["estimate"]["value"], 0.6);
    let csv = ask(folder.path(), &["--format", "csv", "--table", "answers"]);
    assert!(
        csv.out.starts_with("question,answer,count,share"),
        "{}",
        csv.out
    );
}

#[test]
fn along_a_map() {
    let folder = tempfile::tempdir().unwrap();
    let map = written(folder.path(), "map.yaml", MAP);
    let log = written(folder.path(), "log.csv", EVENTS);
    let more = [
        "--survey-time",
        "when",
        "--map",
        &map,
        "--log",
        &log,
        "--within",
        "5m",
        "--min-n",
        "1",
        "--format",
        "json",
    ];
    let more = [&more[..], &OF_LOG].concat();
    let told = ask(folder.path(), &more);
    assert_eq!(told.code, 0, "{}", told.err);
    let json: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let report = &json["report"];
    // Two answers of Ann at the cart, one of Bob at home; Cid's are two days late, the others are in no log.
    assert_eq!(
        (&report["joined"], &report["unjoined"]["no_touch"]),
        (&3.into(), &1.into())
    );
    assert_eq!(report["unjoined"]["unknown_customer"], 6);
    let places: Vec<&str> = report["touchpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["place"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["home", "cart", "cart"]);
    let missing = ask(folder.path(), &["--map", &map]);
    assert_eq!(missing.code, 2, "{}", missing.err);
    // A number below 0 is a number, and none that can be.
    let below = ask(
        folder.path(),
        &[&more[..], &["--half-width", "-1"]].concat(),
    );
    assert!(
        below.code != 0 && below.err.contains("a number above 0") && !below.err.contains("tip"),
        "{}",
        below.err
    );
}

#[test]
fn a_binding_that_does_not_fit_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let broken = MAP.replace("binding: cart", "binding: device == 'phone'");
    let map = written(folder.path(), "map.yaml", &broken);
    let log = written(folder.path(), "log.csv", EVENTS);
    let more = ["--survey-time", "when", "--map", &map, "--log", &log];
    let told = ask(folder.path(), &[&more[..], &OF_LOG].concat());
    assert_eq!(told.code, 4, "{}", told.err);
    let lead = "line 13, column 60 of the map: `touchpoints[1].binding` does not fit the log: unknown field `device`";
    assert!(told.err.contains(lead), "{}", told.err);
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let survey = written(folder.path(), "survey.csv", SURVEY);
    let wrong = |question: &str| bare(&["feedback", &survey, "--question", question]);
    for (question, told) in [
        ("NETPRO", "write NAME=KIND"),
        ("NETPRO=npss", "did you mean `nps`"),
        ("NETPRO=nps,scale=1..10", "0 to 10, high is good"),
        ("NETPRO=rating", "needs its scale"),
        ("NETPRO=nps,blanc=11", "`blanc` is not known"),
    ] {
        let done = wrong(question);
        assert_eq!(done.code, 2, "{question}: {}", done.err);
        assert!(done.err.contains(told), "{question}: {}", done.err);
    }
    assert!(wrong("NETPO=nps").err.contains("did you mean `NETPRO`"));
    // 11 is put aside, not taken for a 10, and one of six is too many.
    let done = wrong("NETPRO=nps");
    assert_eq!(done.code, 3);
    assert!(
        done.err.contains("row 4") && done.err.contains("outside of its scale"),
        "{}",
        done.err
    );
    assert!(
        bare(&["feedback", &survey])
            .err
            .contains("--question is missing")
    );
    let done = bare(&[
        "feedback",
        &survey,
        "--question",
        "Q7=csat,blank-text=Blank",
        "--customer",
        "who",
    ]);
    assert!(
        done.err.contains("--customer is about a log"),
        "{}",
        done.err
    );
}

/// The options that read [`SURVEY`] beside a log, and those that read [`EVENTS`].
fn beside<'a>(survey: &'a str, log: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let said = vec![
        "--feedback",
        survey,
        "--survey-customer",
        "who",
        "--survey-time",
        "when",
        "--words",
        "said",
        "--question",
        "NETPRO=nps,blank=11",
        "--question",
        "Q7=csat,blank-text=Blank",
        "--feedback-within",
        "5m",
    ];
    let read = std::iter::once(log).chain(OF_LOG).collect();
    (said, read)
}

#[test]
fn beside_a_measured_map() {
    let folder = tempfile::tempdir().unwrap();
    let survey = written(folder.path(), "survey.csv", SURVEY);
    let map = written(
        folder.path(),
        "map.yaml",
        &format!(
            "{MAP}kpis: [{{id: liked, kpi: nps}}, {{id: door, kpi: people, source: door, unit: count}}]\n"
        ),
    );
    let log = written(folder.path(), "log.csv", EVENTS);
    let door = written(
        folder.path(),
        "door.csv",
        "date,people\n2024-01-01,7\n2024-01-02,5\n",
    );
    let (said, read) = beside(&survey, &log);
    let overlay = |more: &[&str]| {
        let mut all = vec!["overlay", &map];
        all.extend(read.iter().copied());
        all.extend(more);
        bare(&all)
    };
    let mut all = said.clone();
    all.extend(["--external", &door, "--min-n", "1", "--format", "json"]);
    let told = overlay(&all);
    assert_eq!(told.code, 0, "{}", told.err);
    let json: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let report = &json["report"];
    assert_eq!(
        report["touchpoints"][1]["feedback"][0]["answers"], 1,
        "{report}"
    );
    // Of those who answered only ann and bob were seen, and both recommend it.
    assert_eq!(
        report["kpis"][0]["value"]["value"], 100.0,
        "{}",
        report["kpis"]
    );
    assert_eq!(
        report["kpis"][1]["value"]["value"], 12.0,
        "{}",
        report["kpis"]
    );
    // As text it is no wider than paper, one table is shown whole, and answers have tables of their own.
    let told = overlay(&said);
    let widest = told.out.lines().map(|l| l.chars().count()).max();
    assert!(widest.unwrap() <= 120, "{}", told.out);
    assert!(told.out.contains("What customers say"), "{}", told.out);
    assert!(told.out.contains("more columns"), "{}", told.out);
    let whole = overlay(&["--table", "touchpoints"]).out;
    assert!(
        whole.contains("Leaves") && !whole.contains("more columns"),
        "{whole}"
    );
    assert!(!whole.contains("Stages as a funnel"), "{whole}");
    let wide = overlay(&["--wide"]).out;
    assert!(wide.lines().any(|l| l.chars().count() > 200) && !wide.contains("more columns"));
    // Without a survey its options mean nothing.
    let lost = overlay(&["--question", "Q7=csat"]);
    assert_eq!(lost.code, 2, "{}", lost.err);
    assert!(lost.err.contains("--feedback"), "{}", lost.err);
}

#[test]
fn on_the_page_of_a_map() {
    let folder = tempfile::tempdir().unwrap();
    let survey = written(folder.path(), "survey.csv", SURVEY);
    let map = written(folder.path(), "map.yaml", MAP);
    let events = format!("{EVENTS}dan,2024-01-01 09:00,home\n");
    let log = written(folder.path(), "log.csv", &events);
    let (said, read) = beside(&survey, &log);
    let mut draw = vec![
        "map",
        "draw",
        &map,
        "--format",
        "html",
        "--today",
        "2024-01-02",
        "--log",
    ];
    draw.extend(read.iter().copied());
    let mut report = vec!["report", "--map", &map, "--today", "2024-01-02"];
    report.extend(read.iter().copied());
    for args in [&mut draw, &mut report] {
        assert!(!bare(args).out.contains("id=\"voice\""));
        args.extend(said.iter().copied());
        let told = bare(args);
        assert_eq!(told.code, 0, "{}", told.err);
        assert!(told.out.contains("id=\"voice\""), "{}", told.out);
        assert!(
            told.out.contains("3 of 10 answers found a place"),
            "{}",
            told.out
        );
        assert!(
            told.out.contains("&lt;b&gt;slow&lt;&#x2f;b&gt;"),
            "{}",
            told.out
        );
        assert!(!told.out.contains("<bdi>ann</bdi>"));
    }
    // Answers without a log have nowhere to go.
    let mut alone = vec!["map", "draw", &map];
    alone.extend(said.iter().copied());
    let told = bare(&alone);
    assert_eq!(told.code, 2, "{}", told.err);
    assert!(
        told.err.contains("--feedback is about a log"),
        "{}",
        told.err
    );
}
