//! Personas: facts that nobody is shown, profiles held against each other, weights.
#![allow(clippy::unwrap_used)]

use desireline_core::engine::Exec;
use desireline_core::log::{AttributeType, EventRow, Log, LogBuilder, LogOptions};
use desireline_core::map::check::{CheckOptions, Code, check};
use desireline_core::map::{Form, MapFile};
use desireline_core::overlay::{
    self, FieldChange, Overlay, OverlayReport, PersonaDiffOptions, persona_diff, persona_weights,
};
use desireline_core::report::{Answer, Report};
use desireline_report::exchange::{self, Exchange, ExportOptions};
use desireline_report::html::{self, MapView};
use desireline_report::svg::{MAP_WIDE, MapPicture};
use desireline_report::text::TextOptions;
use desireline_report::{AnswerView, arrow, csv, json, markdown, text};

/// Words that stand nowhere else in the map.
const SECRETS: [&str; 4] = [
    "zwischen-40-und-49",
    "divorced-twice",
    "tree-frogs",
    "kalamazoo",
];
const OPEN: &str = "lives-in-a-town";

const MAP: &str = concat!(
    desireline_tests::map_head!(),
    "\
channels: [{id: web, kind: site_app, name: The web}]
stages: [{id: s, name: Stage}]
goals: [{id: buys, text: Buys <it>, kind: functional, success: buy}]
touchpoints: [{id: home, name: Home, stages: [s], channel: web, binding: home}]
personas:
  - id: thrifty
    name: Thrifty & <b>
    kind: actual
    member: person.plan == \"free\"
    share: 0.45
    value: 12.50 EUR
    quote: \"Why pay?\"
    traits: {age: zwischen-40-und-49, marital_status: divorced-twice, place: lives-in-a-town, products: [tree-frogs, newts], other: {birthplace: kalamazoo}}
    sensitive: [age, marital_status, products, birthplace]
    goals: [buys]
    pains: [Too dear]
    objections: [Registers nowhere]
    preferred_channels: [web]
  - id: born
    name: Born there
    kind: actual
    member: person.birthplace == \"kalamazoo\"
    share: 0.2
    value: 40.00 EUR
    traits: {other: {birthplace: kalamazoo}}
    sensitive: [birthplace]
  - id: wished
    name: Wished for
    kind: ideal
    value: 90.00 EUR
    traits: {place: lives-in-a-town, age: zwischen-40-und-49}
    sensitive: [age]
    goals: [buys]
    pains: [Too slow, Too dear]
"
);

fn file(text: &str) -> MapFile {
    MapFile::read(text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(text)))
}

/// Of every hundred customers sixty are of the free plan and thirty were born there; ten of both.
fn log() -> Log {
    let options = LogOptions::default()
        .attribute("plan", AttributeType::Text)
        .attribute("birthplace", AttributeType::Text);
    let mut builder = LogBuilder::new(options);
    for i in 0..100_i64 {
        let plan = if i < 60 { "free" } else { "paid" };
        let there = if (50..80).contains(&i) {
            "kalamazoo"
        } else {
            "elsewhere"
        };
        for (place, event) in ["home", "buy"].into_iter().enumerate() {
            builder
                .push_row(&EventRow {
                    attributes: &[("plan", plan.into()), ("birthplace", there.into())],
                    ..EventRow::new(format!("c{i}").as_str(), place as i64 * 1_000_000, event)
                })
                .unwrap();
        }
    }
    builder.finish().unwrap()
}

fn measured(file: &MapFile) -> OverlayReport {
    let log = log();
    let journeys = log
        .journeys(overlay::journey_rule(file.map()).unwrap())
        .unwrap();
    overlay::overlay(file.map(), &journeys, &Overlay::new(), &Exec::new()).unwrap()
}

/// A report in every form there is.
fn forms<R: Report>(answer: &Answer<R>, typed: &serde_json::Value) -> Vec<(String, String)> {
    let view = AnswerView::of(answer).with_typed(typed);
    let mut all = vec![
        (
            "text".to_owned(),
            text::render(&view, &TextOptions::default()),
        ),
        ("json".to_owned(), json::render(&view).unwrap()),
        ("md".to_owned(), markdown::render(&view)),
        ("page".to_owned(), html::page("t", None, &[view]).unwrap()),
    ];
    for table in view.report.tables() {
        all.push((
            format!("csv {}", table.name),
            csv::table(&table, csv::Dialect::Plain),
        ));
        let bytes = arrow::ipc_file(&table, Some(&view)).unwrap();
        let name = format!("arrow {}", table.name);
        all.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    all
}

#[test]
fn sensitive_facts_are_in_no_output() {
    let file = file(MAP);
    let map = file.map();
    let report = measured(&file);
    let page = |sensitive| {
        let view = MapView {
            overlay: Some(&report),
            sensitive,
            ..MapView::new(map)
        };
        html::map_page(&view, None, None, &[]).unwrap()
    };
    let mut all: Vec<(String, String)> = vec![
        ("page".to_owned(), page(false)),
        (
            "drawn page".to_owned(),
            html::map_page(&MapView::new(map), None, None, &[]).unwrap(),
        ),
        (
            "svg".to_owned(),
            MapPicture::of(map, Some(&report)).svg(MAP_WIDE),
        ),
        (
            "drawn svg".to_owned(),
            MapPicture::of(map, None).svg(MAP_WIDE),
        ),
    ];
    for format in Exchange::ALL {
        let out = exchange::export(map, *format);
        all.push((format.to_string(), out.text));
        all.push((format!("losses of {format}"), format!("{:?}", out.losses)));
    }
    let weights = persona_weights(map, Some(&report)).into_answer();
    let diff = persona_diff(map, None, &PersonaDiffOptions::default());
    let diff = diff.unwrap().into_answer();
    let overlay = report.clone().into_answer();
    all.extend(forms(
        &weights,
        &serde_json::to_value(&weights.report).unwrap(),
    ));
    all.extend(forms(&diff, &serde_json::to_value(&diff.report).unwrap()));
    all.extend(forms(
        &overlay,
        &serde_json::to_value(&overlay.report).unwrap(),
    ));
    for (name, text) in &all {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {name}");
        }
    }
    let of = |name: &str| &all.iter().find(|(n, _)| n == name).unwrap().1;
    // What is not sensitive is there, and that something is left out is said.
    for name in ["page", "drawn page", "markdown"] {
        assert!(of(name).contains(OPEN), "{name}");
    }
    for told in [
        "Registers nowhere",
        "Too dear",
        "Buys &lt;it&gt;",
        "The web",
        "Why pay?",
        "4 facts called sensitive left out",
    ] {
        assert!(of("page").contains(told), "{told}");
    }
    let lost = of("losses of markdown");
    assert!(
        lost.contains("personas.traits.age") && lost.contains("personas.member"),
        "{lost}"
    );
    // Whoever asks for them gets them.
    let shown = page(true);
    for secret in SECRETS {
        assert!(shown.contains(secret), "{secret}");
    }
    let told = exchange::export_with(
        map,
        Exchange::Markdown,
        &ExportOptions::default().sensitive(true),
    );
    assert!(SECRETS.iter().all(|secret| told.text.contains(secret)));
    // The document itself is whole: it is what is edited.
    assert!(
        SECRETS
            .iter()
            .all(|secret| map.to_yaml().unwrap().contains(secret))
    );
}

#[test]
fn ideal_and_actual_profiles_field_by_field() {
    let one = file(MAP);
    let mut options = PersonaDiffOptions::default();
    let diff = persona_diff(one.map(), None, &options).unwrap();
    let of = |second: &str| -> Vec<(&str, FieldChange)> {
        let rows = diff.fields.iter().filter(|f| f.second == second);
        rows.map(|f| (f.field.as_str(), f.change)).collect()
    };
    use FieldChange::{Different, Equal, MissingInFirst, MissingInSecond};
    assert_eq!(
        of("thrifty"),
        [
            ("name", Different),
            ("member", MissingInFirst),
            ("share", MissingInFirst),
            ("value", Different),
            ("quote", MissingInFirst),
            ("traits.age", Equal),
            ("traits.place", Equal),
            ("traits.marital_status", MissingInFirst),
            ("traits.products", MissingInFirst),
            ("traits.birthplace", MissingInFirst),
            ("goals", Equal),
            ("pains", Different),
            ("objections", MissingInFirst),
            ("preferred_channels", MissingInFirst),
        ]
    );
    assert!(of("born").contains(&("pains", MissingInSecond)));
    // What one of the two calls sensitive is hidden; that it is equal is not.
    let age = diff
        .fields
        .iter()
        .find(|f| f.field == "traits.age" && f.second == "thrifty");
    let age = age.unwrap();
    assert!(age.hidden && age.first_says.is_none() && age.second_says.is_none());
    assert!(!diff.is_equal() && diff.only_first.is_empty());
    // Two maps: the same ids.
    let two = file(&MAP.replace("pains: [Too slow, Too dear]", "pains: [Too dear, Too slow]"));
    let same = persona_diff(one.map(), Some(two.map()), &options).unwrap();
    assert!(same.is_equal() && same.fields.iter().all(|f| f.first == f.second));
    let other = file(&MAP.replace("id: wished", "id: dreamt"));
    let diff = persona_diff(one.map(), Some(other.map()), &options).unwrap();
    assert_eq!(
        (&diff.only_first[..], &diff.only_second[..]),
        (&["wished".to_owned()][..], &["dreamt".to_owned()][..])
    );
    options.first = Some("wished".into());
    let told = persona_diff(one.map(), Some(other.map()), &options)
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("no persona `wished`") && told.contains("dreamt"),
        "{told}"
    );
    options.second = Some("thrifty".into());
    let chosen = persona_diff(one.map(), Some(other.map()), &options).unwrap();
    assert!(
        chosen
            .fields
            .iter()
            .all(|f| f.first == "wished" && f.second == "thrifty")
    );
    // A map without ideal personas has nothing to hold against each other, and says so.
    let none = file(&MAP.replace("kind: ideal", "kind: actual"));
    let none = persona_diff(none.map(), None, &PersonaDiffOptions::default()).unwrap();
    assert!(none.fields.is_empty() && none.caveats.len() == 1 && none.only_first.len() == 3);
}

#[test]
fn weights_are_shares_times_values() {
    let file = file(MAP);
    let drawn = persona_weights(file.map(), None);
    let row = |id: &str| drawn.personas.iter().find(|p| p.persona == id).unwrap();
    // 45 % of 12.50 EUR is 5.625, and the half of a cent is rounded up.
    assert_eq!(row("thrifty").weight.unwrap().to_string(), "5.63 EUR");
    assert_eq!(row("born").weight.unwrap().to_string(), "8.00 EUR");
    assert_eq!(row("wished").weight, None);
    assert!((row("thrifty").part.unwrap() - 563.0 / 1363.0).abs() < 1e-12);
    assert!((drawn.declared.unwrap() - 0.65).abs() < 1e-12);
    assert!((row("(no persona)").declared.unwrap() - 0.35).abs() < 1e-12);
    assert_eq!(drawn.covered, None);

    let report = measured(&file);
    let found = persona_weights(file.map(), Some(&report));
    let row = |id: &str| found.personas.iter().find(|p| p.persona == id).unwrap();
    let share = row("thrifty").measured.unwrap();
    assert_eq!((share.count, share.n), (60, 100));
    assert_eq!(
        row("thrifty").measured_weight.unwrap().to_string(),
        "7.50 EUR"
    );
    let (low, high) = row("thrifty").measured_interval.unwrap();
    let e = share.estimate.unwrap();
    assert_eq!(
        (low.minor(), high.minor()),
        (
            (1250.0 * e.lower).round() as i64,
            (1250.0 * e.upper).round() as i64
        )
    );
    assert_eq!(
        row("born").measured_weight.unwrap().to_string(),
        "12.00 EUR"
    );
    assert!((row("born").part.unwrap() - 12.0 / 19.5).abs() < 1e-12);
    // Sixty and thirty, ten of them in both: eighty have a persona, and twenty are the rest.
    let covered = found.covered.unwrap();
    assert_eq!((covered.count, covered.n), (80, 100));
    assert_eq!(row("(no persona)").measured.unwrap().count, 20);
    // A currency of its own leaves no sum, shares above 1 no rest.
    let mixed = self::file(
        &MAP.replace("40.00 EUR", "40.00 USD")
            .replace("share: 0.2", "share: 0.7"),
    );
    let mixed = persona_weights(mixed.map(), None);
    assert!(
        mixed
            .personas
            .iter()
            .all(|p| p.part.is_none() && p.persona != "(no persona)")
    );
    assert!(mixed.declared_rest.is_none() && mixed.caveats.len() == 1);
}

#[test]
fn shares_of_more_than_all_are_warned_of() {
    let warned = |text: &str| {
        let found = check(&file(text), &CheckOptions::new());
        let codes = found.notices.iter();
        codes
            .filter(|n| n.code == Code::Overlap && n.message.contains('%'))
            .count()
    };
    assert_eq!(warned(MAP), 0);
    let over = MAP.replace("share: 0.2", "share: 0.7");
    assert_eq!(warned(&over), 1);
    assert_eq!(
        warned(&over.replace("    objections:", "    overlaps: [born]\n    objections:")),
        0
    );
}
