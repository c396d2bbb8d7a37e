//! Maps in other formats: what comes back is what was promised, what is lost is named, and no text makes a reader fail hard.
#![allow(clippy::unwrap_used)]

use desireline_core::map::{
    At, Channel, ChannelKind, Date, Direction, Emotion, EmotionSource, Id, JourneyMap,
    LocalizedText, PainPoint, Persona, StagePlace, Stakeholder, Touchpoint, Valence, templates,
};
use desireline_report::exchange::{
    self, Change, Exchange, ExchangeError, ImportOptions, Lane, MAX_BYTES,
};
use proptest::prelude::*;

const READ: [Exchange; 3] = [Exchange::Mermaid, Exchange::Csv, Exchange::Cjml];

fn today() -> Date {
    Date::new(2026, 3, 31).unwrap()
}

fn options() -> ImportOptions {
    ImportOptions::new(today())
}

fn shop() -> JourneyMap {
    JourneyMap::from_yaml(include_str!("../../../examples/maps/shop.yaml")).unwrap()
}

/// The example and all templates.
fn maps() -> Vec<JourneyMap> {
    let begun = templates::TEMPLATES.iter().map(|t| {
        let text = t.begin("some-map", None, today()).unwrap();
        JourneyMap::from_yaml(&text).unwrap()
    });
    std::iter::once(shop()).chain(begun).collect()
}

fn comes_back(map: &JourneyMap) {
    for format in READ {
        let out = exchange::export(map, format);
        let back = exchange::import(&out.text, format, &options())
            .unwrap_or_else(|e| panic!("{format} of {}: {e}\n{}", map.id, out.text));
        let kept = exchange::kept(map, format, &options()).unwrap();
        assert_eq!(back.map, kept, "{format} of {}\n{}", map.id, out.text);
        assert!(
            back.notes.is_empty(),
            "{format} of {}: {:?}",
            map.id,
            back.notes
        );
        // And what comes back is a document.
        let yaml = back.map.to_yaml().unwrap();
        assert_eq!(JourneyMap::from_yaml(&yaml).unwrap(), back.map);
        // Twice there and back changes nothing more.
        let again = exchange::export(&back.map, format);
        let twice = exchange::import(&again.text, format, &options()).unwrap();
        assert_eq!(twice.map.stages, back.map.stages);
        assert_eq!(twice.map.touchpoints, back.map.touchpoints);
    }
}

#[test]
fn what_was_promised_comes_back() {
    for map in maps() {
        comes_back(&map);
    }
}

#[test]
fn the_example_keeps_what_formats_are_for() {
    let map = shop();
    let mermaid = exchange::kept(&map, Exchange::Mermaid, &options()).unwrap();
    assert_eq!(mermaid.stages.len(), 6);
    assert_eq!(mermaid.touchpoints.len(), map.touchpoints.len());
    assert_eq!(mermaid.emotions.len(), map.emotions.len());
    assert_eq!(mermaid.personas.len(), 3);
    let grid = exchange::kept(&map, Exchange::Csv, &options()).unwrap();
    assert_eq!(grid.emotions[1].valence, map.emotions[1].valence);
    assert_eq!(grid.goals.len(), map.goals.len());
    assert_eq!(grid.touchpoints[0].owner, Some(Id::from("cx")));
    let cjml = exchange::kept(&map, Exchange::Cjml, &options()).unwrap();
    assert_eq!(cjml.touchpoints[0].direction, Some(Direction::Outbound));
    assert_eq!(cjml.touchpoints[0].channel, Some(Id::from("ads")));
    // By the rule of CJML, a planned journey carries no experience.
    assert!(cjml.emotions.is_empty());
    assert!(
        !exchange::export(&map, Exchange::Cjml)
            .text
            .contains("touchpointExperience")
    );
}

/// The document of a map with everything removed that a list of losses names; what is left must be in the other map.
#[test]
fn every_loss_has_a_name() {
    for map in maps() {
        for format in READ {
            let losses = exchange::export(&map, format).losses;
            let kept = exchange::kept(&map, format, &ImportOptions::new(map.as_of)).unwrap();
            let (was, is) = (
                serde_json::to_value(&map).unwrap(),
                serde_json::to_value(&kept).unwrap(),
            );
            // An independent walk: each leaf of the document is in the other one, or below a path that is named.
            for (path, pointer, value) in leaves(&was) {
                let found = find(&was, &is, &pointer);
                let named = losses
                    .iter()
                    .any(|l| path == l.what || path.starts_with(&format!("{}.", l.what)));
                assert!(
                    found == Some(value) || named,
                    "{format} of {}: {pointer} ({path}) is neither kept nor named",
                    map.id
                );
            }
            let total: usize = losses.iter().map(|l| l.count).sum();
            assert!(
                total > 0
                    && losses
                        .iter()
                        .all(|l| l.count > 0 && was.pointer(&l.first).is_some())
            );
        }
    }
}

type Leaf<'v> = (String, String, &'v serde_json::Value);

fn leaves(value: &serde_json::Value) -> Vec<Leaf<'_>> {
    fn walk<'v>(v: &'v serde_json::Value, path: &str, pointer: &str, out: &mut Vec<Leaf<'v>>) {
        match v {
            serde_json::Value::Object(fields) => {
                for (k, v) in fields {
                    let path = if path.is_empty() {
                        k.clone()
                    } else {
                        format!("{path}.{k}")
                    };
                    walk(v, &path, &format!("{pointer}/{k}"), out);
                }
            }
            serde_json::Value::Array(items) => {
                for (i, v) in items.iter().enumerate() {
                    walk(v, path, &format!("{pointer}/{i}"), out);
                }
            }
            leaf => out.push((path.to_owned(), pointer.to_owned(), leaf)),
        }
    }
    let mut out = Vec::new();
    walk(value, "", "", &mut out);
    out
}

/// The same leaf of another document: parts are found by their ids.
fn find<'v>(
    was: &serde_json::Value,
    is: &'v serde_json::Value,
    pointer: &str,
) -> Option<&'v serde_json::Value> {
    let (mut was, mut is) = (was, is);
    for key in pointer.split('/').skip(1) {
        match (was, is) {
            (serde_json::Value::Array(a), serde_json::Value::Array(b)) => {
                was = a.get(key.parse::<usize>().ok()?)?;
                is = match was.get("id") {
                    Some(id) => b.iter().find(|v| v.get("id") == Some(id))?,
                    None => b.iter().find(|v| *v == was)?,
                };
            }
            _ => (was, is) = (was.get(key)?, is.get(key)?),
        }
    }
    Some(is)
}

#[test]
fn losses_are_told_with_counts_and_places() {
    let losses = exchange::export(&shop(), Exchange::Mermaid).losses;
    let of = |what: &str| losses.iter().find(|l| l.what == what).unwrap();
    assert_eq!(of("touchpoints.binding").count, 21);
    assert_eq!(
        of("pains").to_string(),
        "pains: 2 left out, the first at /pains/0"
    );
    assert_eq!(of("emotions.valence").change, Change::Changed);
    assert_eq!(of("emotions.n").count, 4);
    for format in [Exchange::Markdown, Exchange::Dot, Exchange::Stakeholders] {
        let out = exchange::export(&shop(), format);
        assert!(!out.losses.is_empty(), "{format}");
        assert!(matches!(
            exchange::import(&out.text, format, &options()),
            Err(ExchangeError::NotRead { .. })
        ));
    }
    let shown = exchange::export(&shop(), Exchange::Markdown).losses;
    let names: Vec<&str> = shown.iter().map(|l| l.what.as_str()).collect();
    assert!(
        names.contains(&"scope.journeys") && !names.contains(&"pains"),
        "{names:?}"
    );
}

/// Order is meaning: of two bindings the first takes an event.
#[test]
fn an_order_that_a_format_changes_is_named() {
    let map = |first: &str, second: &str| {
        let text = format!(
            "schema: 1\nid: m\ntitle: M\nversion: 1.0.0\nkind: actual\nstatus: draft\nas_of: 2026-03-31\nowner: o\n\
             stages: [{{id: look, name: look}}, {{id: buy, name: buy}}]\n\
             touchpoints:\n  - {{id: {first}, name: {first}, stages: [{}]}}\n  - {{id: {second}, name: {second}, stages: [{}]}}\n",
            if first == "early" { "look" } else { "buy" },
            if second == "early" { "look" } else { "buy" },
        );
        JourneyMap::from_yaml(&text).unwrap()
    };
    let ids = |map: &JourneyMap| -> Vec<String> {
        map.touchpoints.iter().map(|t| t.id.to_string()).collect()
    };
    let turned = map("late", "early");
    for format in [Exchange::Mermaid, Exchange::Csv] {
        let named = |map: &JourneyMap| -> Vec<String> {
            let losses = exchange::export(map, format).losses;
            let order = losses.iter().filter(|l| l.what.ends_with(", their order"));
            order.map(ToString::to_string).collect()
        };
        // Both write stage by stage.
        let kept = exchange::kept(&turned, format, &options()).unwrap();
        assert_eq!(ids(&kept), ["early", "late"], "{format}");
        assert_eq!(
            named(&turned),
            ["touchpoints, their order: 1 changed, the first at /touchpoints"],
            "{format}"
        );
        assert_eq!(
            named(&map("early", "late")),
            Vec::<String>::new(),
            "{format}"
        );
        // The second export is the same as the first.
        let back = exchange::import(&exchange::export(&turned, format).text, format, &options());
        let again = exchange::export(&back.unwrap().map, format);
        assert_eq!(
            again.text,
            exchange::export(&turned, format).text,
            "{format}"
        );
    }
}

#[test]
fn mermaid_of_others_is_read() {
    let text = "---\ntitle: Front\n---\n%%{init: {'theme': 'dark'}}%%\njourney\n  title My working day # a comment\n  \
                section Go to work\n    Make tea: 5: Me\n    Go upstairs: 3: Me\n    Do work: 1: Me, Cat\n  \
                SECTION Go home\n    Go downstairs: 5: Me\n    Sit down: 0: Me\n    Do work: 2.5\n    Rest: seven\n";
    let back = exchange::import(text, Exchange::Mermaid, &options()).unwrap();
    let map = back.map;
    assert_eq!(map.title.first(), "My working day");
    assert_eq!(map.id, "my-working-day");
    let stages: Vec<&str> = map.stages.iter().map(|s| s.name.first()).collect();
    assert_eq!(stages, ["Go to work", "Go home"]);
    // The same task in two sections is one touchpoint in two stages.
    let work = map.touchpoints.iter().find(|t| t.id == "do-work").unwrap();
    assert_eq!(work.stages.len(), 2);
    let felt = |id: &str| {
        let at = At::from(id);
        map.emotions
            .iter()
            .find(|e| e.at == at)
            .map(|e| e.valence.get())
    };
    assert_eq!(
        (felt("make-tea"), felt("sit-down"), felt("rest")),
        (Some(1.0), Some(-1.0), None)
    );
    assert_eq!(map.emotions[0].persona, Some(Id::from("me")));
    assert_eq!(map.emotions[2].persona, None);
    let told: Vec<String> = back.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 13, column 15: the score 0 lies below the scale of 1 to 5; it counts as 1",
            "line 14, column 14: `do-work` has the score 1 above; 2.5 is left out",
            "line 15, column 11: `seven` is no score: a number from 1 to 5; no feeling is made of it",
        ]
    );
}

#[test]
fn grids_of_others_are_read() {
    let text = "\u{feff}Phases;Aware;;Buy\r\nActions;Sees an ad;Reads a test;Orders\r\nTouch points;Ad\nPoster;Site;\r\n\
                \"Feelings (1-5)\";4;2;delighted\r\nPains;;\"Too long\nToo small\";\r\nWeather;;;rain\r\n";
    let text = text.replace("Ad\nPoster", "\"Ad\nPoster\"");
    let back = exchange::import(&text, Exchange::Csv, &options()).unwrap();
    let map = back.map;
    assert_eq!(map.stages.len(), 2);
    assert_eq!(map.stages[0].steps.len(), 2);
    let names: Vec<&str> = map.touchpoints.iter().map(|t| t.name.first()).collect();
    assert_eq!(names, ["Ad", "Poster", "Site"]);
    // Two touchpoints in a column: what is felt there belongs to the step.
    let places: Vec<String> = map.emotions.iter().map(|e| e.at.to_string()).collect();
    assert_eq!(places, ["sees-an-ad", "site", "orders"]);
    let felt: Vec<f64> = map.emotions.iter().map(|e| e.valence.get()).collect();
    assert_eq!(felt, [0.5, -0.5, 0.9]);
    assert_eq!(map.pains.len(), 2);
    assert_eq!(back.notes.len(), 1);
    assert!(
        back.notes[0]
            .to_string()
            .ends_with("no lane is called `Weather`; its cell is left out")
    );
    let read = options().lane("Weather", Lane::Description);
    assert!(
        exchange::import(&text, Exchange::Csv, &read)
            .unwrap()
            .notes
            .is_empty()
    );
}

#[test]
fn actual_journeys_of_cjml_bring_their_experience() {
    let text = "<c:CJML xmlns:c='urn:x' version='2.0'><c:actualJourney><c:journeyTitle>One order</c:journeyTitle>\
        <c:actors><c:endUser actorID='U1'>Kim</c:endUser><c:serviceProvider actorID='P1'><actorName>Shop</actorName>\
        </c:serviceProvider></c:actors><c:touchpoints><c:actual><c:CommunicationPoint><c:touchpointID>T1</c:touchpointID>\
        <c:comment>Late mail</c:comment><c:initiator><c:refersTo actorIDref='P1'/></c:initiator>\
        <c:timestamps><c:timeReceived>2026</c:timeReceived></c:timestamps><c:touchpointExperience>\
        <c:experienceDescription>angry</c:experienceDescription><c:experienceRating>1</c:experienceRating>\
        </c:touchpointExperience><c:belongsTo phaseIDref='none'/></c:CommunicationPoint></c:actual></c:touchpoints>\
        </c:actualJourney></c:CJML>";
    let back = exchange::import(text, Exchange::Cjml, &options()).unwrap();
    let map = back.map;
    assert_eq!(map.kind.word(), "actual");
    assert_eq!(map.touchpoints[0].name.first(), "Late mail");
    assert_eq!(map.touchpoints[0].direction, Some(Direction::Outbound));
    assert_eq!(map.touchpoints[0].owner, Some(Id::from("p1")));
    assert_eq!(map.emotions[0].valence.get(), -1.0);
    assert_eq!(map.emotions[0].label.as_deref(), Some("angry"));
    let told: Vec<&str> = back.notes.iter().map(|n| n.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "the element `timestamps` has no place in a map; this one is left out",
            "there is no phase `none`"
        ]
    );
    assert_eq!(back.notes[0].line, 1);
}

#[test]
fn hostile_texts_give_typed_errors() {
    let deep = format!("<CJML>{}", "<a>".repeat(100_000));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><CJML>&b;</CJML>";
    let long = "x".repeat(MAX_BYTES + 1);
    let wide = "journey\n".to_owned() + &"a: 3\n".repeat(3) + &"é".repeat(3_000_000);
    let many: String = (0..60_000).map(|i| format!("t{i}: 3\n")).collect();
    let many = format!("journey\n{many}");
    let cases: [(&str, Exchange, &str); 14] = [
        ("", Exchange::Mermaid, "line 1, column 1"),
        (
            "graph TD\n a-->b",
            Exchange::Mermaid,
            "begins with the line `journey`, not with `graph TD`",
        ),
        (
            "journey\n  section A\n    no colon",
            Exchange::Mermaid,
            "line 3, column 5: a task is written",
        ),
        (
            "journey\n accDescr {\n never",
            Exchange::Mermaid,
            "line 2, column 2",
        ),
        (&wide, Exchange::Mermaid, "there is no colon"),
        (&many, Exchange::Mermaid, "parts, over the limit of 50000"),
        (&long, Exchange::Csv, "bytes, over the limit"),
        (
            "a,b\nStage,\"x",
            Exchange::Csv,
            "line 2, column 7: this quote is never closed",
        ),
        ("a,b\n1,2", Exchange::Csv, "there is no row called `Stage`"),
        ("", Exchange::Csv, "there is no row called"),
        (&deep, Exchange::Cjml, "levels of nesting"),
        (bomb, Exchange::Cjml, "line 1, column"),
        (
            "<CJML><plannedJourney></CJML>",
            Exchange::Cjml,
            "line 1, column",
        ),
        (
            "<html/>",
            Exchange::Cjml,
            "neither a `plannedJourney` nor an `actualJourney`",
        ),
    ];
    for (text, format, wanted) in cases {
        let told = match exchange::import(text, format, &options()) {
            Err(e) => e.to_string(),
            Ok(_) => "read".to_owned(),
        };
        let shown: String = text.chars().take(40).collect();
        assert!(told.contains(wanted), "{shown:?}: {told}");
        assert!(told.len() < 300, "{shown:?}: a message is short");
    }
    assert!(matches!(
        exchange::import("journey", Exchange::Mermaid, &options().id("No id")),
        Err(ExchangeError::Id { .. })
    ));
    assert_eq!("mmd".parse::<Exchange>().unwrap(), Exchange::Mermaid);
    assert!("docx".parse::<Exchange>().is_err());
}

/// Names that mean something to one of the formats.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("section 1: a; b # c".to_owned()),
        Just("Title page".to_owned()),
        Just("%%{init}%% ---".to_owned()),
        Just("=HYPERLINK(\"x\")".to_owned()),
        Just("'-1,5\n\"two\" lines; \t tab".to_owned()),
        Just("<b>&amp;]]></b>".to_owned()),
        Just("\u{0}\u{1b}[2J\u{202e}abc".to_owned()),
        Just("  ".to_owned()),
        Just("購物車, 結帳: 1".to_owned()),
        Just("سلة \"المشتريات\"".to_owned()),
        Just("ids: Stage".to_owned()),
        Just("discovery: x".to_owned()),
        Just("a\\n\"b\"".to_owned()),
        "\\PC{0,20}",
    ]
}

#[derive(Clone, Debug)]
enum Edit {
    NameStage(usize, String),
    NameTouchpoint(usize, String),
    NamePersona(String),
    Languages(usize, String),
    Move(usize, usize),
    Feel(usize, f64, bool),
    Hurt(usize, usize, String),
    Own(usize, String),
    Through(usize, String, bool),
    Describe(usize, String),
    Drop(usize),
    Lone(String),
    Title(String),
}

fn edit() -> impl Strategy<Value = Edit> {
    let i = 0usize..40;
    prop_oneof![
        (i.clone(), name()).prop_map(|(i, n)| Edit::NameStage(i, n)),
        (i.clone(), name()).prop_map(|(i, n)| Edit::NameTouchpoint(i, n)),
        name().prop_map(Edit::NamePersona),
        (i.clone(), name()).prop_map(|(i, n)| Edit::Languages(i, n)),
        (i.clone(), i.clone()).prop_map(|(a, b)| Edit::Move(a, b)),
        (i.clone(), -1.0..=1.0f64, any::<bool>()).prop_map(|(i, v, p)| Edit::Feel(i, v, p)),
        (i.clone(), i.clone(), name()).prop_map(|(a, b, n)| Edit::Hurt(a, b, n)),
        (i.clone(), name()).prop_map(|(i, n)| Edit::Own(i, n)),
        (i.clone(), name(), any::<bool>()).prop_map(|(i, n, b)| Edit::Through(i, n, b)),
        (i.clone(), name()).prop_map(|(i, n)| Edit::Describe(i, n)),
        i.prop_map(Edit::Drop),
        name().prop_map(Edit::Lone),
        name().prop_map(Edit::Title),
    ]
}

fn edited(mut map: JourneyMap, edits: Vec<Edit>) -> JourneyMap {
    for (k, edit) in edits.into_iter().enumerate() {
        let id = |kind: &str| Id::from(format!("{kind}-made-{k}"));
        let n_stages = map.stages.len().max(1);
        let n = map.touchpoints.len().max(1);
        match edit {
            Edit::NameStage(i, name) => {
                if let Some(s) = map.stages.get_mut(i % n_stages) {
                    s.name = name.into();
                }
            }
            Edit::NameTouchpoint(i, name) => {
                if let Some(t) = map.touchpoints.get_mut(i % n) {
                    t.name = name.into();
                }
            }
            Edit::NamePersona(name) => map.personas.push(Persona::new(id("p"), name)),
            Edit::Languages(i, name) => {
                if let Some(t) = map.touchpoints.get_mut(i % n) {
                    t.name = LocalizedText::from([("de", "Kasse"), ("en", name.as_str())]);
                }
            }
            Edit::Move(i, s) => {
                let stage = map.stages.get(s % n_stages).map(|s| s.id.clone());
                if let (Some(t), Some(stage)) = (map.touchpoints.get_mut(i % n), stage)
                    && !t.is_in(&stage)
                {
                    t.stages.push(StagePlace::from(stage));
                }
            }
            Edit::Feel(i, v, own) => {
                if let Some(t) = map.touchpoints.get(i % n) {
                    let v = Valence::new(v).unwrap();
                    let mut e = Emotion::new(id("e"), t.id.as_str(), v, EmotionSource::SelfReport);
                    e.persona = map.personas.first().filter(|_| own).map(|p| p.id.clone());
                    map.emotions.push(e);
                }
            }
            Edit::Hurt(a, b, text) => {
                let from = map.stages.get(a % n_stages).map(|s| s.id.clone());
                let to = map.stages.get(b % n_stages).map(|s| s.id.clone());
                if let (Some(from), Some(to)) = (from, to) {
                    let at = At::Edge { from, to };
                    map.pains.push(PainPoint::new(id("hurt"), at, text));
                }
            }
            Edit::Own(i, name) => {
                let who = Stakeholder::new(id("s"), name);
                if let Some(t) = map.touchpoints.get_mut(i % n) {
                    t.owner = Some(who.id.clone());
                    t.direction =
                        [None, Some(Direction::Inbound), Some(Direction::Outbound)][k % 3];
                    map.stakeholders.push(who);
                }
            }
            Edit::Through(i, name, named) => {
                let mut c = Channel::new(id("c"), ChannelKind::Store);
                c.name = named.then(|| name.into());
                if let Some(t) = map.touchpoints.get_mut(i % n) {
                    t.channel = Some(c.id.clone());
                    map.channels.push(c);
                }
            }
            Edit::Describe(i, text) => {
                if let Some(t) = map.touchpoints.get_mut(i % n) {
                    t.description = Some(text.into());
                }
            }
            Edit::Drop(i) => {
                if !map.touchpoints.is_empty() {
                    map.touchpoints.remove(i % n);
                }
            }
            Edit::Lone(name) => map.touchpoints.push(Touchpoint::new(id("t"), name)),
            Edit::Title(name) => map.title = name.into(),
        }
    }
    map
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_maps_come_back(which in 0usize..20, edits in prop::collection::vec(edit(), 0..12)) {
        let all = maps();
        let map = all.into_iter().cycle().nth(which).unwrap();
        let map = edited(map, edits);
        comes_back(&map);
        for format in Exchange::ALL {
            let out = exchange::export(&map, *format);
            prop_assert_eq!(&out, &exchange::export(&map, *format));
            let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r');
            prop_assert!(!out.text.contains(control), "{}", format);
        }
    }

    #[test]
    fn no_text_makes_a_reader_fail_hard(text in "[-a-z0-9:;,#%{}<>/&\"'\n\r\t !\\[\\]é\u{0}]{0,200}", lead in 0usize..4) {
        let leads = ["", "journey\n", "Stage,", "<CJML><plannedJourney>"];
        for format in READ {
            let _ = exchange::import(&format!("{}{text}", leads[lead]), format, &options());
        }
    }
}
