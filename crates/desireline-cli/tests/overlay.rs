//! `desireline overlay`, and a map measured at other doors.
#![allow(clippy::unwrap_used)]

mod common;

use common::{COLUMNS, bare, shop, small};

#[test]
fn a_scope_that_does_not_fit_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = shop(folder.path());
    let file = small(folder.path(), |text| {
        text.replace(
            "unit: person,",
            "unit: person, segment: person.plan == \"pro\",",
        )
    });
    let columns: Vec<&str> = COLUMNS.to_vec();
    for lead in [
        vec!["overlay", &file, log.to_str().unwrap()],
        vec!["map", "draw", &file, "--log", log.to_str().unwrap()],
    ] {
        let done = bare(&[lead.clone(), columns.clone()].concat());
        assert_eq!(done.code, 4, "{lead:?} {}", done.err);
        assert!(
            done.err
                .contains("line 9, column 43 of the map: `scope.segment` does not fit the log"),
            "{lead:?} {}",
            done.err
        );
    }
    let file = small(folder.path(), |text| {
        text.replace(
            "unit: person,",
            "unit: person, journeys: {start: plan == 'pro'},",
        )
    });
    let mut args = vec!["overlay", &file, log.to_str().unwrap()];
    args.extend(COLUMNS);
    let done = bare(&args);
    assert!(
        done.err
            .contains("line 9, column 52 of the map: `scope.journeys.start` does not fit the log"),
        "{}",
        done.err
    );
}

#[test]
fn of_several_scenarios_the_file_is_told_whose_scope_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let log = shop(folder.path());
    let others = tempfile::tempdir().unwrap();
    let first = small(folder.path(), |text| text);
    let second = small(others.path(), |text| {
        text.replace("id: small", "id: pros").replace(
            "unit: person,",
            "unit: person, segment: person.plan == \"pro\",",
        )
    });
    let mut args = vec!["overlay", &first, log.to_str().unwrap()];
    args.extend(["--scenario", &second]);
    args.extend(COLUMNS);
    let done = bare(&args);
    assert_eq!(done.code, 4, "{}", done.err);
    let told =
        format!("line 9, column 43 of the map `{second}`: `scope.segment` does not fit the log");
    assert!(done.err.contains(&told), "{}", done.err);
}

#[test]
fn money_stands_in_its_currency() {
    let folder = tempfile::tempdir().unwrap();
    let log = shop(folder.path());
    let map = small(folder.path(), |text| {
        let text = text.replace("buy and amount > 5", "buy");
        text.replace(
            "kpis: [",
            "kpis: [{id: r, kpi: revenue, at: s, params: {variant: customer}, target: {op: '>=', value: 15 EUR}}, ",
        )
    });
    let in_currency = |code: &str, head: &[&str], args: &[&str]| {
        let mut all = head.to_vec();
        all.extend(COLUMNS);
        all.extend(["--value", "amount", "--currency", code, "--min-n", "1"]);
        all.extend(args);
        let done = bare(&all);
        assert_eq!(done.code, 0, "{head:?}: {}", done.err);
        done.out
    };
    let run = |head: &[&str], args: &[&str]| in_currency("EUR", head, args);
    let log = log.to_str().unwrap();
    // Six of twelve buy for 19.90 each.
    let picture = run(&["map", "draw", &map, "--log", log], &["--format", "svg"]);
    assert!(
        picture.contains("9.95 EUR") && !picture.contains("minor"),
        "{picture}"
    );
    let json = run(&["overlay", &map, log], &["--format", "json"]);
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    let kpi = &read["report"]["kpis"][0];
    assert_eq!(
        kpi["currency"],
        serde_json::json!({"code": "EUR", "exponent": 2})
    );
    let csv = run(
        &["overlay", &map, log],
        &["--format", "csv", "--table", "kpis"],
    );
    let (head, rows) = csv.split_once('\n').unwrap();
    let column = |name: &str| head.split(',').position(|c| c == name).unwrap();
    let cells: Vec<&str> = rows.lines().next().unwrap().split(',').collect();
    assert_eq!(
        (cells[column("value")], cells[column("currency")]),
        ("9.95", "EUR")
    );
    // Dollars are neither more nor less than the euros of the target; without a log nothing is held against it.
    let svg = ["--format", "svg"];
    let dollars = in_currency("USD", &["map", "draw", &map, "--log", log], &svg);
    let plan = bare(&["map", "draw", &map, "--format", "svg"]).out;
    let said = |picture: &str| picture.contains("cannot be compared");
    assert!(plan.contains("15.00 EUR"), "{plan}");
    assert_eq!(
        [&picture, &dollars, &plan].map(|p| said(p)),
        [false, true, false]
    );
}

#[test]
fn a_number_below_nothing_is_told_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let log = shop(folder.path());
    let file = small(folder.path(), |text| text);
    let mut args = vec!["overlay", &file, log.to_str().unwrap(), "--level", "-1"];
    args.extend(COLUMNS);
    let done = bare(&args);
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(
        done.err.contains("--level: -1 is no confidence level") && !done.err.contains("tip"),
        "{}",
        done.err
    );
}

#[test]
fn a_map_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let map = small(folder.path(), |m| {
        m.replace("goals: [{id: g,", "goals: [{id: g, success: buy,")
    });
    let log = shop(folder.path());
    let measured = |args: &[&str]| {
        let mut all = vec!["overlay", map.as_str(), log.to_str().unwrap()];
        all.extend(COLUMNS);
        all.extend(["--attribute", "amount"]);
        all.extend(args);
        bare(&all)
    };
    let text = measured(&[]);
    assert_eq!(text.code, 0, "{}", text.err);
    assert!(
        text.out.contains("Stages") && text.out.contains("Touchpoints"),
        "{}",
        text.out
    );
    let json = measured(&["--format", "json", "--per", "day", "--min-n", "1"]);
    let read: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(read["analysis"], "overlay");
    assert_eq!(read["report"]["map"]["id"], "small");
    assert!(
        read["report"]["trend"]["periods"].as_array().unwrap().len() == 1,
        "{}",
        json.out
    );
    let csv = measured(&["--format", "csv", "--table", "touchpoints"]);
    assert!(csv.out.starts_with("touchpoint,name,"), "{}", csv.out);
    let markdown = measured(&["--format", "md"]);
    assert!(markdown.out.contains("### Stages"), "{}", markdown.out);
    let wrong = measured(&["--goal", "h"]);
    assert_eq!(wrong.code, 4, "{}", wrong.err);
    assert!(
        wrong.err.contains("no goal with a `success` called `h`"),
        "{}",
        wrong.err
    );
    let wrong = measured(&["--table", "stage", "--format", "csv"]);
    assert!(wrong.err.contains("no table `stage`"), "{}", wrong.err);
}

/// One set of options wherever a map is measured, and each does what it does elsewhere.
#[test]
fn a_map_is_measured_alike_at_all_doors() {
    let folder = tempfile::tempdir().unwrap();
    let map = small(folder.path(), |m| {
        m.replace("goals: [{id: g,", "personas: [{id: buyers, name: {en: Buyers, de: Kaufende}, member: buy}]\ngoals: [{id: g, success: buy,")
            .replace("title: Small", "title: {en: Small, de: Klein}")
    });
    let log = shop(folder.path());
    let log = log.to_str().unwrap();
    let question = [
        "--persona",
        "buyers",
        "--per",
        "day",
        "--time-zone",
        "Europe/Berlin",
        "--min-n",
        "1",
        "--level",
        "0.9",
        "--language",
        "de",
        "--returns-within",
        "1h",
        "--alive",
        "1m",
        "--forced-touches",
        "2",
        "--no-personas",
    ];
    let run = |head: &[&str], args: &[&str]| {
        let mut all = head.to_vec();
        all.extend(COLUMNS);
        all.extend(["--attribute", "amount"]);
        all.extend(question);
        all.extend(args);
        let done = bare(&all);
        assert_eq!(done.code, 0, "{head:?}: {}", done.err);
        done.out
    };
    let json = run(
        &["overlay", &map, log],
        &["--goal", "g", "--format", "json"],
    );
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    let spec = &read["spec"];
    assert_eq!(
        (&spec["persona"], &spec["goal"], &spec["zone"]),
        (&"buyers".into(), &"g".into(), &"Europe/Berlin".into())
    );
    assert_eq!(read["report"]["returns"]["within"], 3_600_000_000_i64);
    assert_eq!(read["report"]["map"]["title"], "Klein");
    let customers = read["report"]["base"]["customers"].as_u64().unwrap();
    let page = run(
        &["map", "draw", &map, "--log", log],
        &["--goal", "g", "--format", "html"],
    );
    let report = run(
        &["report", log, "--map", &map],
        &["--map-goal", "g", "--goal", "buy"],
    );
    for (door, page) in [("draw", &page), ("report", &report)] {
        assert!(page.contains("Klein"), "{door}");
        assert!(page.contains("90 %"), "{door}");
        assert!(page.contains(&format!("of {customers} customer")), "{door}");
        assert!(page.contains("Who leaves without a goal"), "{door}");
    }
    let csv = run(
        &["overlay", &map, log],
        &["--format", "csv", "--table", "returns"],
    );
    assert!(csv.starts_with("kind,id,lost,"), "{csv}");

    let wrong = |args: &[&str]| {
        let done = bare(args);
        assert_ne!(done.code, 0, "{args:?}");
        done.err
    };
    let told = wrong(&["map", "draw", &map, "--persona", "buyers"]);
    assert!(told.contains("--persona is about a log"), "{told}");
    let told = wrong(&["map", "draw", &map, "--time-zone", "UTC"]);
    assert!(told.contains("--time-zone is about a log"), "{told}");
    let mut none = vec!["overlay", &map, log, "--persona", "byers"];
    none.extend(COLUMNS);
    let told = wrong(&none);
    assert!(told.contains("did you mean `buyers`?"), "{told}");
    let mut zone = vec![
        "overlay",
        &map,
        log,
        "--per",
        "day",
        "--time-zone",
        "Berlin",
    ];
    zone.extend(COLUMNS);
    let told = wrong(&zone);
    assert!(
        told.contains("--time-zone: `Berlin` is no time zone"),
        "{told}"
    );
    let mut much = vec!["overlay", &map, log, "--level", "much"];
    much.extend(COLUMNS);
    let told = wrong(&much);
    assert!(told.contains("--level: `much` is no number"), "{told}");
}

#[test]
fn an_alert_says_for_how_long_it_has_rung() {
    let folder = tempfile::tempdir().unwrap();
    let map = small(folder.path(), |m| {
        let m = m.replace(", window: {from: 2024-01-01, to: 2024-01-02}", "");
        m.replace("buy and amount > 5", "purchase").replace(
            "kpis: [",
            "kpis: [{id: now, kpi: bounce_rate, alert: {op: '>=', value: 0}}, {id: lasts, kpi: bounce_rate, alert: {op: '>=', value: 0, lasting: 2d}}, ",
        )
    });
    let log = folder.path().join("log.csv");
    let log = log.to_str().unwrap();
    assert_eq!(
        bare(&["simulate", "--customers", "1000", "-o", log]).code,
        0
    );
    let kpis = |args: &[&str]| {
        let mut all = vec![
            "overlay",
            &map,
            log,
            "--customer",
            "customer_id",
            "--time",
            "time",
            "--event",
            "event",
        ];
        all.extend([
            "--all-attributes",
            "--format",
            "json",
            "--journey",
            "gap=30m",
            "--min-n",
            "1",
        ]);
        all.extend(args);
        let done = bare(&all);
        assert_eq!(done.code, 0, "{}", done.err);
        let read: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        read["report"]["kpis"].clone()
    };
    let once = kpis(&[]);
    assert_eq!(
        (&once[0]["alert"], &once[0]["alert_run"]),
        (&true.into(), &serde_json::Value::Null)
    );
    assert_eq!(once[1]["alert_run"]["unit"], "day", "{once}");
    assert_eq!(once[1]["alert_run"]["wanted"], 2, "{once}");
    assert!(
        once[1]["alert_run"]["periods"].as_u64().unwrap() >= 2,
        "{once}"
    );
    let weekly = kpis(&["--per", "week"]);
    assert_eq!(weekly[0]["alert_run"]["unit"], "week", "{weekly}");
    assert_eq!(weekly[1]["alert_run"], once[1]["alert_run"]);
}
