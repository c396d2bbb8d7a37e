//! Nothing is lost between YAML, JSON and the types.

use proptest::prelude::*;

use super::*;

fn same(map: &JourneyMap) {
    let yaml = map.to_yaml().unwrap();
    let json = map.to_json().unwrap();
    let from_yaml =
        JourneyMap::from_yaml(&yaml).unwrap_or_else(|e| panic!("{}\n{yaml}", e.snippets(&yaml)));
    assert_eq!(&from_yaml, map, "{yaml}");
    assert_eq!(&JourneyMap::from_json(&json).unwrap(), map, "{json}");
    // JSON is YAML too.
    assert_eq!(&JourneyMap::from_yaml(&json).unwrap(), map, "{json}");
    assert_eq!(&serde_json::from_str::<JourneyMap>(&json).unwrap(), map);
    assert_eq!(serde_json::to_string_pretty(map).unwrap() + "\n", json);
    assert_eq!(from_yaml.to_yaml().unwrap(), yaml);
    assert_eq!(from_yaml.fingerprint(), map.fingerprint());
}

#[test]
fn the_base_and_all_templates() {
    same(&JourneyMap::from_yaml(BASE).unwrap());
    for template in templates::TEMPLATES {
        same(&template.map().unwrap());
    }
}

/// Everything that the text holds is in the map: as trees of plain values, before and after, they are equal.
#[test]
fn no_value_of_the_text_is_dropped() {
    let texts = templates::TEMPLATES.iter().map(|t| t.text).chain([BASE]);
    for text in texts {
        let before = super::super::format::read(text, Form::Yaml)
            .unwrap()
            .to_json();
        let yaml = JourneyMap::from_yaml(text).unwrap().to_yaml().unwrap();
        let after = super::super::format::read(&yaml, Form::Yaml)
            .unwrap()
            .to_json();
        assert_eq!(plain(&before), plain(&after));
    }
}

/// A value as far as its notation goes: an expression in its canonical form, `zmot` for `discovery`, 20 EUR for 20.00 EUR.
fn plain(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => {
            let text = text.trim_end().replace(['\n', '\''], " ");
            let text = if text == "zmot" {
                "discovery".to_owned()
            } else {
                text
            };
            Json::String(
                text.replace(" EUR", ".00 EUR")
                    .replace(".50.00 EUR", ".50 EUR")
                    .replace(".00.00", ".00"),
            )
        }
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(entries) => entries.iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
        Json::Number(n) => Json::from(n.as_f64().unwrap()),
        other => other.clone(),
    }
}

#[test]
fn keys_keep_their_order_and_comments_go() {
    let yaml = JourneyMap::from_yaml(BASE).unwrap().to_yaml().unwrap();
    let order: Vec<usize> = [
        "schema:",
        "id:",
        "title:",
        "scope:",
        "stages:",
        "touchpoints:",
        "x-team-page:",
    ]
    .iter()
    .map(|k| yaml.find(&format!("\n{k}")).map_or(0, |i| i + 1))
    .collect();
    assert!(order.is_sorted(), "{yaml}");
    assert!(yaml.contains("    x-icon: house\n"), "{yaml}");
}

#[test]
fn odd_places_of_yaml() {
    let text = BASE
        .replace("name: Home page", "name: &n \"NO: \\u00e9 # no comment\"")
        .replace("name: Product page", "name: *n")
        .replace("age: 25-34", "age: 25")
        .replace("place: town", "place: no");
    let map = JourneyMap::from_yaml(&text).unwrap();
    assert_eq!(map.touchpoints[1].name.first(), "NO: é # no comment");
    assert_eq!(map.touchpoints[2].name, map.touchpoints[1].name);
    let traits = map.personas[0].traits.as_ref().unwrap();
    assert_eq!(
        (traits.age.as_deref(), traits.place.as_deref()),
        (Some("25"), Some("no"))
    );
    same(&map);
    let empty = BASE.replace(
        "assumptions:\n  - {id: honest, text: Answers are honest, owner: cx, about: [survey]}",
        "assumptions:",
    );
    assert!(
        JourneyMap::from_yaml(&empty)
            .unwrap()
            .assumptions
            .is_empty()
    );
}

#[test]
fn what_no_document_can_hold_is_not_written() {
    let map = JourneyMap::from_yaml(BASE).unwrap();
    let mut bad = map.clone();
    bad.id = Id::from("No Id");
    assert!(
        bad.to_yaml()
            .unwrap_err()
            .to_string()
            .contains("did you mean `no-id`?")
    );
    let mut bad = map;
    bad.touchpoints[0].binding = Some(Binding::new(crate::expr::event("")));
    assert!(bad.to_json().is_err());
}

#[test]
fn lifecycles_too() {
    let text = "schema: 1\nid: life\ntitle: Lifecycle\nversion: 1.0.0\nphases:\n  - {phase: impression, enters: home}\n  - {phase: lapsed, silent_for: 180d}\ntransitions: [{from: impression, to: lapsed}]\n";
    assert_eq!(DocumentKind::of(text, Form::Yaml), DocumentKind::Lifecycle);
    assert_eq!(DocumentKind::of(BASE, Form::Yaml), DocumentKind::Map);
    let life = LifecycleDocument::read(text, Form::Yaml).unwrap();
    assert_eq!(
        LifecycleDocument::read(&life.to_yaml().unwrap(), Form::Yaml).unwrap(),
        life
    );
    assert_eq!(
        LifecycleDocument::read(&life.to_json().unwrap(), Form::Json).unwrap(),
        life
    );
    let error = LifecycleDocument::read(&text.replace("enters", "enter"), Form::Yaml).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("line 6, column 25: unknown key `enter`; did you mean `enters`?"),
        "{error}"
    );
}

/// Texts with everything that YAML could take for something else.
fn odd_text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "NO",
        "yes",
        "~",
        "null",
        "1.0",
        "0x10",
        "1e3",
        "- a",
        "a: b",
        "# c",
        "[x]",
        "{y}",
        "'q'",
        "\"d\"",
        "|",
        ">",
        "*a",
        "&b",
        "!t",
        "%",
        "@",
        "`",
        "---",
        "...",
        "=",
        "<<",
        "2026-01-01",
        "1:30",
        ".inf",
        "12_000",
        "é",
        "日本",
        "\u{1F600}",
        "\u{200b}",
        "\t",
        "\n",
        " ",
        ":",
        ",",
        "?",
        "\\",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\r",
        "trailing ",
        "x",
    ]);
    prop::collection::vec(words, 1..5).prop_map(|parts| parts.concat())
}

fn text() -> impl Strategy<Value = LocalizedText> {
    prop_oneof![
        odd_text().prop_map(LocalizedText::from),
        (odd_text(), odd_text())
            .prop_map(|(a, b)| LocalizedText::from([("en", a.as_str()), ("zh-Hant", b.as_str())])),
        "[a-zA-Z ]{1,20}".prop_map(LocalizedText::from),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1.0..1.0f64,
        Just(0.0),
        Just(0.1),
        Just(1e-9),
        (0..10i32).prop_map(f64::from)
    ]
}

prop_compose! {
    fn touchpoint()(
        id in "[a-z][a-z0-9-]{0,8}",
        name in text(),
        tags in prop::collection::vec(odd_text(), 0..3),
        description in prop::option::of(text()),
        event in odd_text(),
        priority in prop::option::of(-3..3i32),
        attribute in prop::option::of(odd_text()),
        own in prop::option::of((odd_text(), -5..5i64)),
    ) -> Touchpoint {
        let mut binding = Binding::new(crate::expr::event(event.clone()) | crate::expr::col("attr.k").eq(event));
        binding.priority = priority;
        binding.dwell = attribute.map(Dwell::Attribute);
        let mut t = Touchpoint::new(format!("t-{id}"), name).binding(binding).tags(tags);
        t.description = description;
        if let Some((text, n)) = own {
            t.own.0.insert("x-note".to_owned(), serde_json::json!({ "text": text, "list": [n, null, true, 0.5] }));
        }
        t
    }
}

prop_compose! {
    fn kpi()(value in number(), span in 0..10_000_000i64, cents in -500..500i64, which in 0..3u8, text in odd_text()) -> KpiBinding {
        let value = match which {
            0 => Quantity::Number(value),
            1 => Quantity::Span(TimeSpan::from_micros(span)),
            _ => Quantity::Money(Money::new(cents, "EUR").unwrap()),
        };
        let params: Params = [("a", Param::Text(text)), ("b", Param::Bool(true)), ("c", Param::Decimal(0.25)), ("d", Param::Integer(-7))]
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v))
            .collect();
        KpiBinding::new("kpi", "nps").target(Target::new(Compare::AtMost, value)).params(params)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_map(
        title in text(),
        touchpoints in prop::collection::vec(touchpoint(), 0..4),
        kpi in kpi(),
        valence in -1.0..1.0f64,
    ) {
        let mut map = JourneyMap::from_yaml(BASE).unwrap();
        map.title = title;
        map.touchpoints = touchpoints;
        map.kpis = vec![kpi];
        map.emotions[0].valence = Valence::new(valence).unwrap();
        same(&map);
    }

    /// Whatever is written, reading says what is wrong and does not fail otherwise.
    #[test]
    fn any_text(text in "[a-z:\\-\\[\\]{}\"'|> \n#&*!0-9]{0,200}") {
        let _ = MapFile::read(&text, Form::Yaml);
        let _ = MapFile::read(&text, Form::Json);
    }

    /// A document with a piece cut out or doubled is read, or its mistakes have places in it.
    #[test]
    fn any_cut(from in 0..4_000usize, length in 0..200usize, twice in any::<bool>()) {
        let from = from.min(BASE.len());
        let to = (from + length).min(BASE.len());
        let middle = if twice { BASE[from..to].repeat(2) } else { String::new() };
        let text = format!("{}{middle}{}", &BASE[..from], &BASE[to..]);
        if let Err(error) = MapFile::read(&text, Form::Yaml) {
            let lines = text.split('\n').count();
            for problem in error.problems() {
                prop_assert!(!problem.at.is_none() && problem.at.line as usize <= lines + 1, "{problem}");
            }
        }
    }
}

use crate::time::TimeSpan;
