//! What is asked and what comes back.
#![allow(clippy::unwrap_used)]

mod common;

use common::{COLUMNS, ask, bare, csv, piped, shop};
use serde_json::Value;

#[test]
fn a_report_s_own_json_is_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let file = file.to_str().unwrap();
    let asked: [&[&str]; 10] = [
        &["paths", "--goal", "buy", "--top", "3"],
        &["transitions", "--no-times"],
        &[
            "funnel",
            "--step",
            "home",
            "--step",
            "event == \"buy\" and device == \"phone\"",
            "--within",
            "1h",
        ],
        &["goals", "--goal", "buy", "--by", "device"],
        &["dropoff", "--goal", "buy"],
        &["patterns", "--goal", "buy", "--max-gap", "1h", "--closed"],
        &["calendar", "--goal", "buy", "--time-zone", "Asia/Tokyo"],
        &["stability", "--condition", "buy"],
        &["precedence", "--touchpoint", "home", "--touchpoint", "buy"],
        &[
            "compare",
            "--goal",
            "buy",
            "--by",
            "device",
            "--stratify",
            "utm",
        ],
    ];
    for question in asked {
        let args: Vec<&str> = [
            &question[..1],
            &[file],
            &question[1..],
            &COLUMNS,
            &["--format", "json"],
        ]
        .concat();
        let first = bare(&args);
        assert_eq!(first.code, 0, "{question:?}: {}", first.err);
        let json: Value = serde_json::from_str(&first.out).unwrap();
        let named = folder.path().join("question.json");
        std::fs::write(&named, &first.out).unwrap();
        let named = named.to_str().unwrap();

        // The whole report as a document.
        let args = [&["run", named, file][..], &COLUMNS, &["--format", "json"]].concat();
        let again = bare(&args);
        assert_eq!(again.code, 0, "{question:?}: {}", again.err);
        assert_eq!(again.out, first.out, "{question:?}");

        // The spec alone, through a pipe, with the name beside.
        let name = json["analysis"].as_str().unwrap();
        let args = [
            &["run", "-", file, "--analysis", name][..],
            &COLUMNS,
            &["--format", "json"],
        ]
        .concat();
        let spec = json["spec"].to_string();
        let piped_in = piped(&args, spec.as_bytes());
        assert_eq!(piped_in.out, first.out, "{question:?}: {}", piped_in.err);

        // And in place.
        let args = [
            &["run", &spec, file, "--analysis", name][..],
            &COLUMNS,
            &["--format", "json"],
        ]
        .concat();
        assert_eq!(bare(&args).out, first.out);
    }
    let args = [&["run", "{\"top\": 3}", file][..], &COLUMNS].concat();
    let unnamed = bare(&args);
    assert_eq!(unnamed.code, 2);
    assert!(unnamed.err.contains("--analysis NAME"), "{}", unnamed.err);
    // What needs a map says so.
    let of_map = "{\"analysis\": \"overlay\", \"spec\": {}}";
    let refused = bare(&[&["run", of_map, file][..], &COLUMNS].concat());
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("desireline overlay"),
        "{}",
        refused.err
    );
}

#[test]
fn what_is_on_can_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let spec = |args: &[&str]| {
        let done = ask(
            "transitions",
            &file,
            &[args, &["--format", "json"]].concat(),
        );
        assert_eq!(done.code, 0, "{}", done.err);
        serde_json::from_str::<Value>(&done.out).unwrap()["spec"]["times"].clone()
    };
    assert_eq!(spec(&[]), true);
    assert_eq!(spec(&["--no-times"]), false);
    assert_eq!(spec(&["--times"]), true);
    assert_eq!(spec(&["--no-times", "--times"]), true);
}

#[test]
fn a_value_may_begin_with_a_hyphen() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let done = ask(
        "funnel",
        &file,
        &["--step", "home", "--step", "buy", "--within", "-1d"],
    );
    assert_eq!(done.code, 2);
    assert!(
        done.err
            .contains("--within: `-1d` is no length of time: it is negative"),
        "{}",
        done.err
    );
}

#[test]
fn every_group_has_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let steps = ["--step", "home", "--step", "buy", "--format", "svg"];
    let pictures = |args: &[&str]| {
        let done = ask("funnel", &file, &[&steps[..], args].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.out.ends_with("</svg>\n"));
        done.out
    };
    assert_eq!(pictures(&[]).matches("<svg").count(), 1);
    let both = pictures(&["--by", "device"]);
    assert_eq!(both.matches("<svg").count(), 3);
    assert!(both.contains("phone: ") && both.contains("desk: "));
}

#[test]
fn a_breakdown_s_table_is_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let steps = [
        "--step", "home", "--step", "buy", "--by", "device", "--format", "csv",
    ];
    let done = ask("funnel", &file, &steps);
    let head = done.out.lines().next().unwrap();
    assert!(head.starts_with("group,number,step,"), "{head}");
    let groups = ask(
        "funnel",
        &file,
        &[&steps[..], &["--table", "groups"]].concat(),
    );
    assert!(
        groups.out.starts_with("group,journeys,customers\r\n"),
        "{}",
        groups.out
    );
}

#[test]
fn a_column_called_channel_is_not_shadowed() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let asked = |condition: &str| {
        ask(
            "paths",
            &file,
            &["--channel", "utm", "--where", condition, "--format", "json"],
        )
    };
    let events = |condition: &str| {
        let done = asked(condition);
        assert_eq!(done.code, 0, "{}", done.err);
        serde_json::from_str::<Value>(&done.out).unwrap()["provenance"]["n_journeys"].clone()
    };
    assert_eq!(events("attr.channel == \"web\""), 12);
    assert_eq!(events("utm == \"mail\""), 4);
    let unclear = asked("channel == \"mail\"");
    assert_eq!(unclear.code, 4, "{}", unclear.err);
    assert!(
        unclear.err.contains("--where") && unclear.err.contains("attr.channel"),
        "{}",
        unclear.err
    );
    let unclear = ask("paths", &file, &["--channel", "utm", "--by", "channel"]);
    assert_eq!(unclear.code, 4, "{}", unclear.err);
    assert!(
        unclear
            .err
            .contains("both the declared channel and a column"),
        "{}",
        unclear.err
    );
    // Without such a column the word is clear.
    let other = folder.path().join("other.csv");
    std::fs::write(&other, csv().replace("channel", "medium")).unwrap();
    let clear = ask(
        "paths",
        &other,
        &["--channel", "utm", "--where", "channel == \"mail\""],
    );
    assert_eq!(clear.code, 0, "{}", clear.err);
}

#[test]
fn value_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let done = ask("goals", &file, &["--goal", "buy and value >= 10"]);
    assert_eq!(done.code, 4);
    assert!(
        done.err.contains("--value COLUMN --currency CODE"),
        "{}",
        done.err
    );
    assert!(!done.err.contains("did you mean"), "{}", done.err);
    let done = ask(
        "goals",
        &file,
        &[
            "--goal",
            "buy and value >= 10",
            "--value",
            "amount",
            "--currency",
            "EUR",
        ],
    );
    assert_eq!(done.code, 0, "{}", done.err);
}

#[test]
fn transitions_are_graphs_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let dot = ask("transitions", &file, &["--format", "dot"]);
    assert!(
        dot.out.starts_with("digraph transitions {"),
        "{}{}",
        dot.out,
        dot.err
    );
    let target = folder.path().join("graph.mmd");
    let done = ask("transitions", &file, &["-o", target.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        std::fs::read_to_string(target)
            .unwrap()
            .starts_with("flowchart LR")
    );
    let grouped = ask("transitions", &file, &["--format", "dot", "--by", "device"]);
    assert_eq!(grouped.code, 2);
    assert_eq!(ask("paths", &file, &["--format", "dot"]).code, 2);
}

#[test]
fn standard_input_is_an_input() {
    let args = [&["paths", "-", "--format", "csv"][..], &COLUMNS].concat();
    let unknown = piped(&args, csv().as_bytes());
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("--input-format"), "{}", unknown.err);
    let args = [&args[..], &["--input-format", "csv"]].concat();
    let done = piped(&args, csv().as_bytes());
    assert_eq!(done.code, 0, "{}", done.err);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        done.out,
        ask("paths", &shop(folder.path()), &["--format", "csv"]).out
    );
    let broken = piped(&args, b"user,time\n1,2\n");
    assert_eq!(broken.code, 3);
    assert!(
        broken
            .err
            .contains("`standard input` has no column `event`"),
        "{}",
        broken.err
    );
}

#[test]
fn a_table_of_orders_needs_no_event_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.csv");
    std::fs::write(&file, "id,date\n1,2024-01-01\n1,2024-02-01\n2,2024-01-05\n").unwrap();
    let file = file.to_str().unwrap();
    let base = ["paths", file, "--customer", "id", "--time", "date"];
    let done = bare(&[&base[..], &["--every-row", "order", "--format", "csv"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.contains("[\"\"order\"\",\"\"order\"\"]"),
        "{}",
        done.out
    );
    assert_eq!(bare(&base).code, 2);
    assert_eq!(
        bare(&[&base[..], &["--every-row", "order", "--event", "x"]].concat()).code,
        2
    );
}

#[test]
fn deep_json_is_put_aside_and_limits_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep.jsonl");
    let row = |x: &str| {
        format!("{{\"user\":\"ann\",\"time\":\"2024-01-01\",\"event\":\"a\",\"x\":{x}}}\n")
    };
    let deep = format!("{}{}", "[".repeat(90), "]".repeat(90));
    std::fs::write(&file, row("1").repeat(30) + &row(&deep)).unwrap();
    let events = |args: &[&str]| {
        let done = ask("paths", &file, &[args, &["--format", "json"]].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        serde_json::from_str::<Value>(&done.out).unwrap()["provenance"]["n_events"].clone()
    };
    assert_eq!(events(&[]), 30);
    assert_eq!(events(&["--limit", "json_depth=100"]), 31);
    let done = ask("paths", &file, &["--limit", "depth=1"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("json_depth"), "{}", done.err);
}

#[test]
fn text_is_for_reading() {
    let folder = tempfile::tempdir().unwrap();
    let file = shop(folder.path());
    let goals = ask("goals", &file, &["--goal", "buy"]).out;
    assert_eq!(goals.matches("Goals").count(), 1, "{goals}");
    let one = folder.path().join("one.csv");
    std::fs::write(&one, "user,time,event\nann,2024-01-01,home\n").unwrap();
    let paths = ask("paths", &one, &[]).out;
    assert!(
        paths.contains("1 journey of 1 customer, 1 event "),
        "{paths}"
    );
    assert!(paths.contains("(1 row)"), "{paths}");
    let few = ask("paths", &file, &["--rows", "1"]).out;
    assert!(few.contains("more row"), "{few}");
    let all = ask("paths", &file, &["--rows", "0"]).out;
    assert!(!all.contains("more row"), "{all}");
}

#[test]
fn several_sources_with_clocks_and_ids_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let web = write("web.csv", "user,at,what\nann,2024-06-01T08:00:00Z,home\n");
    let till = write(
        "till.csv",
        "card;when\n7001;2024-06-01 10:31\n7009;2024-06-01 11:00\n",
    );
    let cards = write("cards.csv", "card,customer\n7001,ann\n");
    let own = format!(
        "{till},customer=card,time=when,every-row=bought,zone=Europe/Berlin,shift=-1m,ids={cards},prefix=till:"
    );
    let from_web = format!("{web},customer=user,time=at,event=what");
    let asked = |more: &[&str]| {
        let mut all = vec!["paths", "--journey", "gap=1h", "--format", "json"];
        all.extend(more);
        bare(&all)
    };
    let told = asked(&["--log-source", &from_web, "--log-source", &own]);
    assert_eq!(told.code, 0, "{}", told.err);
    let json: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    // 10:31 in Berlin, a minute fast, is half an hour after eight in UTC: one journey of Ann.
    assert_eq!(json["provenance"]["n_customers"], 2, "{json}");
    assert_eq!(json["provenance"]["n_journeys"], 2);
    assert_eq!(json["provenance"]["n_events"], 3);
    // Beside a plain file, read by the options.
    let plain = asked(&[
        &web,
        "--customer",
        "user",
        "--time",
        "at",
        "--event",
        "what",
        "--log-source",
        &own,
    ]);
    assert_eq!(plain.code, 0, "{}", plain.err);
    let plain: serde_json::Value = serde_json::from_str(&plain.out).unwrap();
    assert_eq!(
        plain["provenance"]["fingerprint"],
        json["provenance"]["fingerprint"]
    );
    for (source, said) in [
        (format!("{till},customer=card"), "time= is missing"),
        (format!("{till},custmer=card"), "`custmer` is not known"),
        (format!("{till},zone=UTC,zone=UTC"), "given twice"),
        (format!("{own},no-headr"), "`no-headr` is not known"),
        (own.replace("-1m", "soon"), "shift=soon"),
        ("customer=card".to_owned(), "begin with the path"),
    ] {
        let told = asked(&["--log-source", &source]);
        assert_eq!(told.code, 2, "{source}: {}", told.err);
        assert!(told.err.contains(said), "{source}: {}", told.err);
    }
    let told = asked(&["--log-source", &own.replace("cards.csv", "none.csv")]);
    assert_eq!(told.code, 3, "{}", told.err);
}

#[test]
fn a_lifecycle_over_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = common::shop(folder.path());
    let document = folder.path().join("life.yaml");
    let text = "schema: 1\nid: life\ntitle: Life\nversion: 1.0.0\nphases:\n\
        \x20 - {phase: impression, enters: home, status: lead}\n\
        \x20 - {phase: conversion, enters: buy, status: customer}\n";
    std::fs::write(&document, text).unwrap();
    let asked = |format: &str| {
        let mut command = common::command();
        command
            .arg("lifecycle")
            .arg(&document)
            .arg(&log)
            .args(COLUMNS);
        common::Done::from(command.args(["--format", format]).output().unwrap())
    };
    let told = asked("json");
    assert_eq!(told.code, 0, "{}", told.err);
    let json: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let phases = &json["report"]["phases"];
    // Six of twelve buy.
    assert_eq!(
        (&phases[0]["now"], &phases[1]["now"]),
        (&6.into(), &6.into()),
        "{json}"
    );
    assert!(asked("text").out.contains("customer"));
    std::fs::write(&document, "schema: 1\nid: life\n").unwrap();
    let told = asked("text");
    assert!(
        told.code != 0 && told.err.contains("life.yaml"),
        "{}",
        told.err
    );
}
