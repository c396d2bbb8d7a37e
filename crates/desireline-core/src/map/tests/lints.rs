//! What is said of maps that can be read: each fault planted alone is found, and nothing else.

use super::check::{Code, Level};
use super::*;

/// The codes said of the base with something changed.
fn codes(old: &str, new: &str) -> Vec<Code> {
    assert!(BASE.contains(old), "{old}");
    let report = checked(&BASE.replacen(old, new, 1));
    let mut codes: Vec<Code> = report.notices.iter().map(|n| n.code).collect();
    codes.dedup();
    codes
}

#[test]
fn each_planted_fault_is_found_alone() {
    let cases: &[(Code, &str, &str)] = &[
        (Code::Unbound, "    binding: home\n", ""),
        (Code::Stale, "as_of: 2026-03-31", "as_of: 2026-01-10"),
        (
            Code::Stale,
            "collected_at: 2026-03-01",
            "collected_at: 2025-03-01",
        ),
        (
            Code::Stale,
            "owner: cx, about: [survey]",
            "owner: cx, due: 2026-04-01, about: [survey]",
        ),
        (
            Code::Opinion,
            "source: {text_model: {name: mood, version: \"3\"}}\n    n: 120\n    interval: [-0.5, -0.3]",
            "source: expert_guess",
        ),
        (
            Code::Blind,
            "  - {id: after-looking, at: look, measure: text}\n",
            "",
        ),
        (
            Code::Owner,
            "    owner: shop-crew\n    binding: |",
            "    binding: |",
        ),
        (
            Code::Goal,
            "stages: [look, compare]\n    importance",
            "stages: [compare]\n    importance",
        ),
        (Code::Small, "n: 120", "n: 12"),
        (Code::Small, "n: 400, method", "n: 4, method"),
        (Code::Overlap, "    overlaps: [gifts]\n", ""),
        (Code::Department, "name: Looks around", "name: Marketing"),
        (Code::Department, "name: Compares", "name: Shop crew"),
        (
            Code::Department,
            "name: Compares",
            "name: Purchasing Department",
        ),
        (
            Code::Evidence,
            "    owner: shop-crew\n    evidence: [survey]\nkpis",
            "    owner: shop-crew\nkpis",
        ),
        (Code::Readout, "status: planned", "status: closed"),
        (
            Code::Emotion,
            "kind: actual\nstatus",
            "kind: hypothesis\nstatus",
        ),
        (Code::Date, "as_of: 2026-03-31", "as_of: 2026-05-01"),
        (Code::Order, "after: [compare]", "after: [buy]"),
        (Code::Scope, "  unit: person\n", ""),
        (
            Code::KpiError,
            "kpi: cart_abandonment",
            "kpi: cart_abandoned",
        ),
        (
            Code::Touchpoint,
            "stages: [look]\n    channel",
            "stages: []\n    channel",
        ),
        (
            Code::Channel,
            "channels:\n",
            "channels:\n  - {id: fax, kind: other}\n",
        ),
    ];
    for (code, old, new) in cases {
        let found = codes(old, new);
        match code {
            // Then the stage has lost what sat at its touchpoint, too.
            Code::Touchpoint => assert!(found.contains(code), "{found:?}"),
            _ => assert_eq!(found, [*code], "{old} -> {new}"),
        }
    }
}

#[test]
fn lints_of_the_whole_map() {
    let strict = BASE.replace("allow: [W-MOT], ", "");
    assert_eq!(checked(&strict).with(Code::Moment).count(), 2);
    let after = BASE.replace("stages: [use]\n    owner", "stages: [look]\n    owner");
    let report = checked(&after);
    assert_eq!(report.with(Code::Post).count(), 1, "{:#?}", told(&report));
    let bias = BASE
        .replace("text: Find one that fits", "text: Order one that fits")
        .replace("text: Enjoy it", "text: Buy again");
    assert_eq!(checked(&bias).with(Code::Bias).count(), 1);
    for other in ["Know where my order is", "Send an order back"] {
        let other = bias.replace("text: Buy again", &format!("text: {other}"));
        assert_eq!(checked(&other).with(Code::Bias).count(), 0);
    }
    let phases = BASE
        .replace("name: Looks around", "name: Impression")
        .replace("name: Compares", "name: Acquisition")
        .replace("name: Buys\n", "name: Conversion\n")
        .replace("name: Uses it", "name: Loyalty");
    assert_eq!(checked(&phases).with(Code::Phase).count(), 1);
    let content = BASE.to_owned() + "content: [{id: film, name: Film, stages: [look]}]\n";
    assert_eq!(checked(&content).with(Code::Content).count(), 3);
    let one = "{id: r1, at: checkout, heuristic: 5, severity: 3, rater: Ann}";
    let two = "{id: r2, at: checkout, heuristic: 5, severity: 2, rater: Bob}";
    let rated = |list: &str| {
        checked(&format!("{BASE}reviews: [{list}]\n"))
            .with(Code::Rater)
            .count()
    };
    assert_eq!((rated(one), rated(&format!("{one}, {two}"))), (1, 0));
}

#[test]
fn levels_are_set_by_option_before_document() {
    let text = BASE.replace(
        "allow: [W-MOT]",
        "allow: [W-MOT, W-OWNER], deny: [W-UNBOUND]",
    );
    let text = text
        .replace("    binding: home\n", "")
        .replacen("    owner: cx\n", "", 1);
    let file = MapFile::read(&text, Form::Yaml).unwrap();
    let levels = |options: CheckOptions| {
        let report = check(&file, &options);
        let mut said: Vec<(Code, Level)> =
            report.notices.iter().map(|n| (n.code, n.level)).collect();
        said.sort();
        said
    };
    let (unbound, owner) = (Code::Unbound, Code::Owner);
    assert_eq!(levels(CheckOptions::new()), [(unbound, Level::Error)]);
    assert_eq!(levels(CheckOptions::new().allow([unbound])), []);
    assert_eq!(
        levels(CheckOptions::new().deny([owner])),
        [(unbound, Level::Error), (owner, Level::Error)]
    );
    let all = text.replace("deny: [W-UNBOUND]", "deny: [warnings]");
    let file = MapFile::read(&all, Form::Yaml).unwrap();
    let said: Vec<(Code, Level)> = check(&file, &CheckOptions::new())
        .notices
        .iter()
        .map(|n| (n.code, n.level))
        .collect();
    assert_eq!(said, [(unbound, Level::Error)]);
    let draft = BASE
        .replace("status: published", "status: draft")
        .replace("  unit: person\n", "");
    let file = MapFile::read(&draft, Form::Yaml).unwrap();
    let level = |options: &CheckOptions| check(&file, options).notices[0].level;
    assert_eq!(level(&CheckOptions::new()), Level::Warning);
    assert_eq!(level(&CheckOptions::new().deny_warnings()), Level::Error);
    assert_eq!(
        level(&CheckOptions::new().allow([Code::Scope])),
        Level::Warning
    );
}

#[test]
fn maps_are_linked_to_their_lifecycle() {
    let life = |id: &str, phases: &str| {
        let text = format!("schema: 1\nid: {id}\ntitle: L\nversion: 1.0.0\nphases: [{phases}]\n");
        LifecycleDocument::read(&text, Form::Yaml).unwrap()
    };
    let all = "{phase: impression}, {phase: acquisition}, {phase: conversion}, {phase: loyalty}, {phase: advocacy}";
    let text = BASE.replace("language: en\n", "language: en\nlifecycle: ours\n");
    let file = MapFile::read(&text, Form::Yaml).unwrap();
    let said = |documents: Vec<LifecycleDocument>| {
        told(&check(&file, &CheckOptions::new().lifecycles(documents)))
    };
    assert_eq!(said(vec![]), Vec::<String>::new());
    assert_eq!(said(vec![life("ours", all)]), Vec::<String>::new());
    assert_eq!(
        said(vec![life("hours", all)]),
        ["E-ID 12:1 there is no lifecycle `ours`; did you mean `hours`?"]
    );
    let fewer = all.replace(", {phase: advocacy}", "");
    assert_eq!(
        said(vec![life("other", ""), life("ours", &fewer)]),
        ["E-ID 58:26 the lifecycle `ours` has no phase `advocacy`"]
    );
}

#[test]
fn codes_are_read_and_unlike() {
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        let lead = match code.level() {
            Level::Error => "E-",
            Level::Warning => "W-",
            Level::Info => "I-",
        };
        assert!(code.as_str().starts_with(lead));
    }
    assert_eq!("w-dead".parse(), Ok(Code::Dead));
    assert_eq!(
        "W-DAED".parse::<Code>(),
        Err("`W-DAED` is no code; did you mean W-DEAD?".to_owned())
    );
}

#[test]
fn every_template_is_valid() {
    for template in templates::TEMPLATES {
        let file = MapFile::read(template.text, Form::Yaml)
            .unwrap_or_else(|e| panic!("{}: {}", template.name, e.snippets(template.text)));
        let report = check(&file, &CheckOptions::new().today(day("2026-01-02")));
        let errors: Vec<String> = report.errors().map(check::Notice::told).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", template.name);
        let map = file.into_map();
        assert_eq!(map.status, Status::Draft);
        let begun = template
            .begin("mine", Some("It's: mine"), day("2026-02-03"))
            .unwrap();
        let begun = JourneyMap::from_yaml(&begun).unwrap();
        assert_eq!(
            (begun.id, begun.title, begun.as_of),
            ("mine".into(), "It's: mine".into(), day("2026-02-03"))
        );
        assert!(
            template
                .begin("Not An Id", None, day("2026-02-03"))
                .is_err()
        );
    }
    assert_eq!(templates::nearest("hubspot-churns"), Some("hubspot-churn"));
}

/// W-POST both ways: what sits after the purchase is looked for in the order of stages, and only where the map tells which stage that is.
#[test]
fn what_comes_after_the_purchase() {
    let post = |text: &str| {
        let report = checked(text);
        let found = report.with(Code::Post).map(|n| n.pointer.clone());
        found.collect::<Vec<_>>()
    };
    let told: [&str; 0] = [];
    // Sound: the parcel comes after buying.
    assert_eq!(post(BASE), told);
    let before = BASE.replace("stages: [use]\n    owner", "stages: [look]\n    owner");
    assert_eq!(post(&before), ["/stages/2"]);
    // A touchpoint in several stages counts in each.
    let both = BASE.replace("stages: [use]\n    owner", "stages: [look, use]\n    owner");
    assert_eq!(post(&both), told);
    // Nothing says where it is bought: nothing can be said.
    let nowhere = before.replace("    lifecycle: [conversion]\n", "");
    assert_eq!(post(&nowhere), told);
    // A purchase moment says it as well, at a touchpoint or step of the stage too.
    for at in ["buy", "checkout", "fills-form"] {
        let moment = format!(
            "moments:\n  - {{id: pays, at: {at}, kind: purchase, basis: declared, evidence: [survey]}}\n"
        );
        let moment = nowhere.replace("moments:\n", &moment);
        assert_eq!(post(&moment), ["/stages/2"], "{at}");
    }
    // Order is that of `after:`, not of the document: here using comes before buying.
    let turned = BASE
        .replace("    after: [compare]\n", "    after: [use]\n")
        .replace(
            "    lifecycle: [loyalty, advocacy]\n",
            "    lifecycle: [loyalty, advocacy]\n    after: [compare]\n",
        );
    assert_eq!(post(&turned), ["/stages/2"]);
}
