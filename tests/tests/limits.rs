//! What is refused, and how it is said: names that are not there, limits, budgets, and cancelled work.
#![allow(clippy::unwrap_used)]

use desireline_core::Error;
use desireline_core::analyses::{Dropoff, Funnel, Paths};
use desireline_core::engine::{
    Breakdown, By, CancelToken, Exec, MAX_THREADS, MISSING, NO_SEGMENT, Segment,
};
use desireline_core::expr::{Expr, ExprError, event, first};
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{
    Alias, AliasPolicy, AttributeType, EventRow, Log, LogBuilder, LogOptions,
};
use desireline_core::registry::from_spec;
use desireline_core::time::TimeSpan;
use serde_json::json;

/// One event a customer, with the attribute `group`.
fn grouped<'r>(rows: impl IntoIterator<Item = (&'r str, &'r str, Option<&'r str>)>) -> Journeys {
    let options = LogOptions::default().attribute("group", AttributeType::Text);
    let mut builder = LogBuilder::new(options);
    for (customer, name, group) in rows {
        let group = group.map(|g| ("group", g.into()));
        builder
            .push_row(&EventRow {
                attributes: group.as_slice(),
                ..EventRow::new(customer, 0, name)
            })
            .unwrap();
    }
    let log = builder.finish().unwrap();
    log.journeys(JourneyRule::customer()).unwrap()
}

#[test]
fn groups_and_their_cells_are_told_apart_whatever_they_are_called() {
    let journeys = grouped([
        ("a", "x", Some("(missing)")),
        ("b", "x", None),
        ("c", "x", None),
        ("d", "exit/x", Some("a")),
        ("e", "x", Some("a/exit")),
        ("f", "x", Some("\\(missing)")),
    ]);
    let by = |groups| By {
        of: Dropoff::default().alive("0s"),
        groups,
    };
    let segments = Breakdown::Segments {
        segments: [NO_SEGMENT, "x/y", "x"]
            .map(|name| Segment::new(name, event("x")))
            .into(),
    };
    for by in [by(Breakdown::by("group")), by(segments)] {
        let located = journeys.count_located(&by).unwrap();
        let counted = journeys.count_cells(&by, &Exec::default()).unwrap();
        assert_eq!(located, counted);
        let report = journeys.run(&by).unwrap();
        let mut names: Vec<&str> = report.groups.iter().map(|g| g.group.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), report.groups.len());
        let cells = counted.keys().filter(|c| c.ends_with("/exit")).count();
        assert_eq!(cells, report.groups.len());
    }
    let report = journeys.run(&by(Breakdown::by("group"))).unwrap();
    let n = |name: &str| {
        let group = report.groups.iter().find(|g| g.group == name);
        group.unwrap().n_journeys
    };
    assert_eq!(
        (n(MISSING), n("\\(missing)"), n("\\\\(missing)")),
        (2, 1, 1)
    );
}

fn two_steps() -> Journeys {
    let log = Log::from_rows([("ann", 1, "view"), ("ann", 2, "buy"), ("ben", 1, "view")]);
    log.unwrap().journeys(JourneyRule::customer()).unwrap()
}

#[test]
fn cells_and_customers_that_are_not_there_are_errors() {
    let (journeys, funnel) = (two_steps(), Funnel::steps(["view", "buy"]));
    let error = journeys.members(&funnel, "convertd", 9).unwrap_err();
    let Error::UnknownCell { nearest, kinds, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(nearest.as_deref(), Some("converted"));
    assert_eq!(kinds, &["converted", "not_entered", "step"]);
    // A cell that is there with nobody in it is no error.
    assert!(
        journeys
            .members(&funnel, "not_entered", 9)
            .unwrap()
            .is_empty()
    );
    assert!(
        journeys
            .members(&funnel, "converted", 0)
            .unwrap()
            .is_empty()
    );
    assert_eq!(journeys.members(&funnel, "converted", 1).unwrap().len(), 1);
    let error = journeys.explain(&funnel, "nosuch").unwrap_err();
    assert!(matches!(error, Error::UnknownCustomer));
    assert!(!error.to_string().contains("nosuch"));
    let buyers = journeys.keep_journeys("buy").unwrap();
    assert!(buyers.explain(&funnel, "ben").unwrap().is_empty());

    let error = Funnel::steps(["vew"]);
    let error = journeys.run(&error).unwrap_err().to_string();
    assert!(error.contains("did you mean `view`"), "{error}");
    match journeys.log().keep_events("vew").unwrap_err() {
        Error::Expr(ExprError::UnknownEvent { known, .. }) => assert_eq!(known, ["view", "buy"]),
        other => panic!("{other}"),
    }
}

#[test]
fn questions_with_unknown_fields_are_refused() {
    for spec in [
        json!({ "of": {}, "groups": { "by": "x" }, "level": 0.9 }),
        json!({ "of": {}, "how": { "groups": { "by": "x" } }, "top": 3 }),
        json!({ "of": {}, "groups": { "by": "x" }, "how": {} }),
    ] {
        let error = from_spec("paths", spec).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
}

#[test]
fn parts_of_a_rule_are_given_once() {
    for parts in [
        ["gap=30m", "gap=1h"],
        ["column=a", "column=b"],
        ["max=1d", "max=2d"],
        ["calendar=day", "calendar=week"],
        ["end=a", "goal=b"],
        ["start=a", "start=a"],
    ] {
        let error = JourneyRule::from_parts(parts).unwrap_err().to_string();
        assert!(error.contains("given twice"), "{error}");
    }
    for name in ["s", "s gap=1s", "a`b", "\\", "", "`", "Case ID", "é/1"] {
        let rule = JourneyRule::column(name);
        let text = rule.to_string();
        assert_eq!(JourneyRule::from_parts([text.as_str()]).unwrap(), rule);
    }
    assert!(JourneyRule::from_parts(["column=`a"]).is_err());
    assert!(JourneyRule::from_parts(["column=`a`b`"]).is_err());
}

#[test]
fn lengths_of_time_beyond_the_longest_are_refused() {
    assert_eq!(TimeSpan::parse("7304484d").unwrap(), TimeSpan::MAX);
    for text in ["7304484d 24h", "7304484d 1us", "7304485d"] {
        assert!(TimeSpan::parse(text).is_err(), "{text}");
    }
    let error = TimeSpan::parse("7304484d 24h").unwrap_err().to_string();
    assert!(error.contains("longer than 7304484d"), "{error}");
}

#[test]
fn options_are_checked() {
    for share in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let mut builder = LogBuilder::new(LogOptions {
            max_quarantine_share: share,
            ..LogOptions::default()
        });
        builder.push("ann", 0, "a").unwrap();
        let error = builder.finish().unwrap_err().to_string();
        assert!(error.contains("max_quarantine_share"), "{error}");
    }
    // Refused before any thread is started.
    let error = Exec::new().threads(MAX_THREADS + 1).unwrap_err();
    assert!(matches!(
        error,
        Error::TooMany {
            what: "threads",
            ..
        }
    ));
}

#[test]
fn expressions_nested_without_end_are_refused_and_dropped() {
    let mut deep = event("view");
    let mut mixed = event("view");
    for _ in 0..200_000 {
        deep = first(deep);
        mixed = (mixed & event("buy")) | event("view");
    }
    for expr in [deep, mixed] {
        let again: Expr = expr.clone();
        assert!(again.validate().is_err());
        let error = two_steps().run(&Paths::default().goal(expr).unwrap());
        assert!(error.is_err());
    }
}

#[test]
fn long_lists_are_looked_up() {
    let journeys = two_steps();
    let ids: Vec<String> = (0..5_000).map(|i| format!("\"c{i}\"")).collect();
    let none = journeys.keep_journeys(&format!("customer in [{}]", ids.join(", ")));
    assert_eq!(none.unwrap().n_journeys(), 0);
    let one = journeys
        .keep_journeys("customer in [\"x\", \"ben\"]")
        .unwrap();
    assert_eq!(one.n_journeys(), 1);
}

#[test]
fn a_breakdown_stops_at_its_budget() {
    let names: Vec<String> = (0..5_000).map(|i| format!("n{i}")).collect();
    let groups: Vec<String> = (0..900).map(|i| format!("g{i}")).collect();
    let customers: Vec<String> = (0..10_000).map(|i| format!("c{i}")).collect();
    let rows = customers.iter().enumerate().map(|(i, customer)| {
        let (name, group) = (&names[i % names.len()], &groups[i * 7 % groups.len()]);
        (customer.as_str(), name.as_str(), Some(group.as_str()))
    });
    let journeys = grouped(rows);
    let by = By {
        of: Dropoff::default(),
        groups: Breakdown::by("group"),
    };
    for threads in [1, 2] {
        let exec = Exec::new().threads(threads).unwrap().memory_budget(1 << 20);
        match journeys.run_with(&by, &exec).unwrap_err() {
            Error::MemoryBudget { needed, limit } => {
                assert!(needed < 16 * limit, "{needed}");
            }
            other => panic!("{other}"),
        }
    }
    let how = desireline_core::compare::Comparison::from("group");
    let compare = desireline_core::compare::Compare {
        of: Dropoff::default(),
        how,
    };
    let exec = Exec::new().memory_budget(1 << 20);
    match journeys.run_with(&compare, &exec).unwrap_err() {
        Error::MemoryBudget { needed, limit } => assert!(needed < 16 * limit, "{needed}"),
        other => panic!("{other}"),
    }
}

#[test]
fn cuts_members_and_reasons_can_be_cancelled() {
    let journeys = two_steps();
    let token = CancelToken::new();
    token.cancel();
    let exec = Exec::new().cancel_with(token);
    let funnel = Funnel::steps(["view"]);
    let rule = JourneyRule::gap("30m").unwrap();
    for error in [
        journeys.log().journeys_with(rule, &exec).unwrap_err(),
        journeys
            .members_with(&funnel, "converted", 9, &exec)
            .unwrap_err(),
        journeys.explain_with(&funnel, "ann", &exec).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Cancelled { .. }), "{error}");
    }
}

#[test]
fn long_chains_of_aliases_are_followed() {
    let n = 3_000;
    let ids: Vec<String> = (0..=n).map(|i| format!("id{i}")).collect();
    let log = Log::from_rows(ids.iter().map(|id| (id.as_str(), 10, "a"))).unwrap();
    let chain: Vec<Alias> = (0..n)
        .map(|i| Alias::new(&ids[i], &ids[i + 1], 0))
        .collect();
    for policy in [AliasPolicy::Backward, AliasPolicy::Forward] {
        let joined = log.with_aliases(&chain, policy).unwrap();
        assert_eq!(joined.n_customers(), 1);
    }
}
