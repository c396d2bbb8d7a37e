//! The picture of a map: well-formed, without script, deterministic, whatever the map is; with `DESIRELINE_GALLERY=folder` the
//! pictures are written out to look at.
#![allow(clippy::unwrap_used)]

use desireline_core::kpi::Currency;
use desireline_core::map::{
    Channel, ChannelKind, CustomerGoal, Date, Emotion, EmotionSource, GoalKind, Id, JourneyMap,
    MapKind, Stage, Status, Touchpoint, Valence, Version, templates,
};
use desireline_core::overlay::report::{DwellMeasure, TimeHole};
use desireline_core::report::{Base, Rate};
use desireline_report::html::{self, MapView};
use desireline_report::svg::{
    FeelingSource, MAP_WIDE, MapFact, MapFeeling, MapKpi, MapMark, MapPicture, MapStage,
    MapTouchpoint, MapWay, MarkKind, NARROW, Presence, Verdict, WIDE,
};
use desireline_stats::{Estimate, Method, Unit, wilson};

fn rate(count: u64, n: u64) -> Rate {
    Rate {
        count,
        n,
        base: Base::OfAll,
        estimate: wilson(count, n, 0.95).filter(|_| n >= 10),
    }
}

fn estimate(value: f64, half: f64, unit: Unit) -> Option<Estimate> {
    let ends = (value - half, value + half);
    Estimate::new(value, ends, 0.95, 1_204, Method::BrookmeyerCrowley, unit)
}

const HOUR: f64 = 3.6e9;

/// Invented numbers with everything that a picture can show.
fn sample() -> MapPicture {
    let names = [
        "Awareness",
        "Consideration",
        "Decision",
        "Retention",
        "Advocacy",
    ];
    let reach = [48_213, 29_940, 11_716, 8_775, 31];
    let touchpoints = [
        &[
            "Search ad",
            "Guide article",
            "Friend’s link",
            "Store window",
        ][..],
        &["Product page", "Size finder", "Reviews", "Chat"],
        &["Cart", "Checkout form", "Payment", "Order mail"],
        &["Delivery", "Return desk", "Care mail"],
        &["Review request", "Refer a friend"],
    ];
    let felt = [
        [0.1, 0.2],
        [0.3, 0.15],
        [-0.05, -0.52],
        [-0.2, 0.45],
        [0.6, 0.5],
    ];
    let kpi = |name: &str, value: f64, target: Option<f64>, verdict| MapKpi {
        name: name.to_owned(),
        value: estimate(value, 0.02, Unit::Proportion),
        currency: None,
        n: Some(900),
        hole: None,
        target,
        wanted: target
            .map(|t| format!("≤ {} %", t * 100.0))
            .unwrap_or_default(),
        verdict,
    };
    let mark = |kind, place: &str, text: &str| MapMark {
        kind,
        place: place.to_owned(),
        text: text.to_owned(),
    };
    let stage = |i: usize| MapStage {
        name: names[i].to_owned(),
        goals: vec!["to know a tent that survives wind exists".to_owned()],
        reach: Some(rate(reach[i], 48_213)),
        drop_off: Some(rate([18_273, 18_224, 2_941, 5_879, 3][i], reach[i])),
        onward: (i < 4).then(|| rate(reach[i + 1] * 9 / 10, 48_213)),
        touchpoints: touchpoints[i]
            .iter()
            .enumerate()
            .map(|(k, name)| MapTouchpoint {
                name: (*name).to_owned(),
                channel: ["web", "app", "email", "store"][k].to_owned(),
                presence: match *name {
                    "Store window" => Presence::Unknown("only customers can tell"),
                    _ => Presence::Measured(rate(reach[i] / (k as u64 + 1), 48_213)),
                },
                marks: match *name {
                    "Checkout form" => vec![MarkKind::Opportunity, MarkKind::Pain],
                    "Payment" | "Size finder" => vec![MarkKind::Moment],
                    "Store window" => vec![MarkKind::Blind],
                    _ => vec![],
                },
            })
            .collect(),
        more: (i == 1).then_some((12, Some(4_321))),
        channels: vec![
            ("web".to_owned(), 5_400),
            ("app".to_owned(), 2_000 + 900 * i as u64),
            ("email".to_owned(), 300 * i as u64 + 1),
            ("store".to_owned(), 250),
        ],
        feelings: (0..2)
            .map(|k| MapFeeling {
                place: touchpoints[i][k].to_owned(),
                source: match (i, k) {
                    (4, 1) => FeelingSource::Guess,
                    (3, 0) => FeelingSource::Text,
                    _ => FeelingSource::Said,
                },
                measured: (i, k) != (4, 1),
                valence: Some(felt[i][k]).filter(|_| (i, k) != (0, 1)),
                interval: (!matches!((i, k), (4, 1) | (0, 1)))
                    .then(|| (felt[i][k] - 0.07, felt[i][k] + 0.07)),
                n: Some(if (i, k) == (0, 1) { 3 } else { 1_204 }),
            })
            .filter(|_| i != 1)
            .collect(),
        dwell: Some(DwellMeasure {
            n: if i == 4 { 8 } else { 900 },
            censored: 40,
            unknown: 0,
            median: estimate(
                [26.0, 31.0, 0.07, 144.0, 0.0][i] * HOUR,
                0.01 * HOUR,
                Unit::Microseconds,
            )
            .filter(|_| i != 4),
            p90: estimate(
                [144.0, 290.0, 0.5, 456.0, 0.0][i] * HOUR,
                0.01 * HOUR,
                Unit::Microseconds,
            )
            .filter(|_| i != 4 && i != 3),
            median_hole: (i == 4).then_some(TimeHole::TooFew),
            p90_hole: match i {
                3 => Some(TimeHole::NotEnded),
                4 => Some(TimeHole::TooFew),
                _ => None,
            },
        }),
        target_duration: (i == 2).then_some(600_000_000),
        kpis: match i {
            0 => vec![
                kpi("Bounce rate", 0.382, Some(0.35), Verdict::Undecided),
                kpi("CTR", 0.019, None, Verdict::None),
            ],
            2 => vec![
                kpi("Cart abandonment", 0.749, Some(0.7), Verdict::Missed),
                MapKpi {
                    name: "Customer effort score".to_owned(),
                    value: None,
                    currency: None,
                    n: Some(4),
                    hole: None,
                    target: Some(5.0),
                    wanted: "≥ 5".to_owned(),
                    verdict: Verdict::Undecided,
                },
            ],
            3 => vec![kpi("On-time delivery", 0.913, Some(0.97), Verdict::Met)],
            _ => vec![],
        },
        marks: match i {
            0 => vec![mark(
                MarkKind::Opportunity,
                "Guide article",
                "reaches few and those who read it go on",
            )],
            2 => vec![
                mark(
                    MarkKind::Pain,
                    "Checkout form",
                    "asks for more than it needs (severity 3 of 4)",
                ),
                mark(MarkKind::Moment, "Payment", "purchase, declared"),
                mark(MarkKind::Risk, "", "the new provider is slower"),
            ],
            _ => vec![],
        },
    };
    let fact = |label: &str, value: &str, note: &str| MapFact {
        label: label.to_owned(),
        value: value.to_owned(),
        note: note.to_owned(),
    };
    MapPicture {
        title: "Outdoor shop: first purchase".to_owned(),
        subtitle: "actual map 1.4.0 · published, as of 2026-10-02 · invented numbers".to_owned(),
        measured: true,
        facts: vec![
            fact("Journeys", "48,213", "31,906 customers"),
            fact("Goal reached", "18.2 %", "17.7–18.7"),
            fact("Still open", "3.1 %", "not counted as lost"),
            fact("Events on the map", "97.4 %", "of 402,113"),
            fact("Emotion from opinion", "1 of 8", "drawn hatched"),
        ],
        stages: (0..5).map(stage).collect(),
        ways: vec![
            MapWay {
                from: 0,
                to: 2,
                reach: rate(4_050, 48_213),
            },
            MapWay {
                from: 2,
                to: 1,
                reach: rate(2_900, 48_213),
            },
            MapWay {
                from: 3,
                to: 1,
                reach: rate(700, 48_213),
            },
        ],
        footer: "every number is an estimate with its 95 % interval".to_owned(),
    }
}

fn blank() -> JourneyMap {
    let today = Date::new(2026, 3, 31).unwrap();
    JourneyMap::new(
        "m",
        "A map",
        Version::new(1, 0, 0),
        MapKind::Hypothesis,
        Status::Draft,
        today,
        "cx",
    )
}

const NAMES: [&str; 8] = [
    "A name that is much too long to stand in one line of a narrow column of any picture whatsoever",
    "購物車結帳頁面的地址和電話號碼表單非常長的名字沒有空格",
    "سلة المشتريات وصفحة الدفع",
    "<script>alert(1)</script>",
    "\"quotes\" & 'more' ]]>",
    "\u{202e}drab\u{1b}[2J\nnew line",
    "",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
];

/// Many stages, many touchpoints, hostile names.
fn crowded(stages: usize, touchpoints: usize) -> JourneyMap {
    let name = |i: usize| NAMES[i % NAMES.len()];
    let stage = |i: usize| Stage::new(format!("s{i}"), name(i));
    let touchpoint = |i: usize| {
        Touchpoint::new(format!("t{i}"), name(i + 3))
            .stages([Id::from(format!("s{}", i * 7 % stages.max(1)))])
            .channel("c")
    };
    let felt = |i: usize| {
        let v = Valence::new((i as f64 * 0.37).sin()).unwrap();
        let source = match i % 3 {
            0 => EmotionSource::SelfReport,
            1 => EmotionSource::BehaviourProxy,
            _ => EmotionSource::ExpertGuess,
        };
        Emotion::new(format!("e{i}"), format!("t{i}").as_str(), v, source)
    };
    let goal = |i: usize| {
        CustomerGoal::new(format!("g{i}"), name(i), GoalKind::Social).stages([Id::from("s0")])
    };
    blank()
        .channels([Channel::new("c", ChannelKind::Other).name(NAMES[3])])
        .stages((0..stages).map(stage))
        .touchpoints((0..touchpoints).map(touchpoint))
        .emotions((0..touchpoints).map(felt))
        .goals((0..8).map(goal))
}

fn maps() -> Vec<(String, JourneyMap)> {
    let shop = include_str!("../../../examples/maps/shop.yaml");
    let mut all = vec![
        ("shop".to_owned(), JourneyMap::from_yaml(shop).unwrap()),
        ("blank".to_owned(), blank()),
        ("one".to_owned(), crowded(1, 3)),
        ("twelve".to_owned(), crowded(12, 60)),
        ("flood".to_owned(), crowded(2, 300)),
    ];
    for t in templates::TEMPLATES {
        let text = t
            .begin("some-map", None, Date::new(2026, 3, 31).unwrap())
            .unwrap();
        all.push((t.name.to_owned(), JourneyMap::from_yaml(&text).unwrap()));
    }
    all
}

fn pictures() -> Vec<(String, MapPicture)> {
    let drawn = maps()
        .into_iter()
        .map(|(name, m)| (name, MapPicture::of(&m, None)));
    std::iter::once(("sample".to_owned(), sample()))
        .chain(drawn)
        .collect()
}

fn sound(name: &str, svg: &str) {
    let doc = roxmltree::Document::parse(svg).unwrap_or_else(|e| panic!("{name}: {e}\n{svg}"));
    let root = doc.root_element();
    assert_eq!(root.attribute("role"), Some("img"), "{name}");
    let width: f64 = root.attribute("width").unwrap().parse().unwrap();
    for tag in ["title", "desc"] {
        let text = root.children().find(|n| n.tag_name().name() == tag);
        assert!(
            text.and_then(|n| n.text()).is_some_and(|t| !t.is_empty()),
            "{name}: <{tag}>"
        );
    }
    for node in doc.descendants().filter(roxmltree::Node::is_element) {
        let tag = node.tag_name().name();
        let known = [
            "svg", "title", "desc", "style", "rect", "text", "line", "path", "circle",
        ];
        assert!(known.contains(&tag), "{name}: <{tag}>");
        for a in node.attributes() {
            assert!(
                !a.name().starts_with("on") && a.name() != "href",
                "{name}: {}",
                a.name()
            );
            assert!(
                !a.value().contains("NaN") && !a.value().contains("inf"),
                "{name}: {}",
                a.value()
            );
        }
        // Nothing begins outside of the picture.
        if tag == "text" {
            let x: f64 = node.attribute("x").unwrap().parse().unwrap();
            assert!(
                (-8.0..=width).contains(&x),
                "{name}: text at {x} of {width}: {:?}",
                node.text()
            );
        }
    }
    assert!(!svg.contains('\u{1b}'), "{name}");
}

#[test]
fn every_map_is_drawn() {
    for (name, p) in pictures() {
        for width in [MAP_WIDE, WIDE, NARROW, 0.0, f64::NAN, 1e9] {
            sound(&format!("{name} at {width}"), &p.svg(width));
            let sheets = p.sheets(width);
            assert!(sheets.len() <= p.stages.len(), "{name}");
            for sheet in sheets {
                sound(&format!("a sheet of {name} at {width}"), &sheet);
            }
        }
        // A phone has a card for each stage.
        assert_eq!(p.sheets(NARROW).len(), p.stages.len(), "{name}");
        assert_eq!(p.svg(MAP_WIDE), p.svg(MAP_WIDE), "{name}");
    }
}

#[test]
fn the_text_alternative_says_what_the_picture_shows() {
    let svg = sample().svg(MAP_WIDE);
    let doc = roxmltree::Document::parse(&svg).unwrap();
    let told = doc
        .descendants()
        .find(|n| n.tag_name().name() == "desc")
        .unwrap();
    let told = told.text().unwrap();
    for wanted in [
        "Journeys: 48,213 31,906 customers",
        "Decision: customers want",
        "Checkout form",
        "[opportunity, pain point]",
        "checkout form",
        "Cart abandonment 74.9 % (72.9–76.9), target ≤ 70 % missed",
        "Refer a friend: 0.5, n 1,204 (a guess, not measured)",
        "go from Awareness straight to Decision",
        "Store window (only customers can tell) [not measured]",
    ] {
        let found = told.to_lowercase().contains(&wanted.to_lowercase());
        assert!(found, "{wanted}\n{told}");
    }
    // Targets are judged in words, few observations are told.
    for wanted in [
        "✗ missed: target ≤ 70 %",
        "✓ met",
        "undecided",
        "too few, n=8",
        "too few, n=4",
        "too few, n=3: Guide article",
        "too few told what they feel",
        "−0.52",
    ] {
        assert!(svg.contains(wanted), "{wanted}");
    }
    // A place of which too few told has no feeling.
    assert_eq!(sample().from_opinion(), (1, 7));
}

#[test]
fn what_was_typed_in_is_not_called_measured() {
    let felt = |id: &str, at: &str, source| {
        Emotion::new(id, at, Valence::new(0.25).unwrap(), source).n(40_u64)
    };
    let fact = |emotions: Vec<Emotion>| {
        let map = blank()
            .stages([Stage::new("a", "A"), Stage::new("b", "B")])
            .emotions(emotions);
        let picture = MapPicture::of(&map, None);
        let mut facts = picture.facts.into_iter();
        let fact = facts.find(|f| f.label.starts_with("Emotion")).unwrap();
        format!("{}: {}, {}", fact.label, fact.value, fact.note)
    };
    let survey = || felt("s", "a", EmotionSource::Survey);
    let guess = || felt("g", "b", EmotionSource::ExpertGuess);
    assert_eq!(
        fact(vec![survey()]),
        "Emotion from opinion: 0 of 1, 1 typed in, none measured"
    );
    assert_eq!(
        fact(vec![survey(), guess()]),
        "Emotion from opinion: 1 of 2, 1 typed in, none measured, opinion hatched"
    );
    assert_eq!(
        fact(vec![guess()]),
        "Emotion from opinion: 1 of 1, opinion hatched"
    );
    assert_eq!(fact(vec![]), "Emotion: unknown, no feeling on the map");
}

#[test]
fn a_large_amount_leaves_the_name_whole() {
    let spent = |minor: f64| MapKpi {
        name: "Revenue per returning customer".to_owned(),
        value: estimate(minor, minor / 10.0, Unit::MoneyMinor),
        currency: Some(Currency {
            code: "EUR".to_owned(),
            exponent: 2,
        }),
        n: Some(900),
        hole: None,
        target: None,
        wanted: String::new(),
        verdict: Verdict::None,
    };
    for (minor, shown) in [(1_250.0, "12.50 EUR"), (9.9e13, "990,000,000,000 EUR")] {
        let mut picture = sample();
        picture.stages[1].kpis = vec![spent(minor)];
        let svg = picture.svg(MAP_WIDE);
        assert!(svg.contains(&format!(">{shown}<")), "{shown}");
        // What is drawn: neither tooltips nor the text for those who do not see it.
        let pieces: Vec<&str> = svg.split('>').collect();
        let drawn = pieces.windows(2).filter(|w| !w[0].ends_with("<title"));
        let drawn = drawn.map(|w| w[1].split('<').next().unwrap());
        let drawn: Vec<&str> = drawn.filter(|t| t.len() < 40).collect();
        for word in ["Revenue", "returning", "customer"] {
            let whole = |text: &&str| text.split(' ').any(|w| w == word);
            assert!(drawn.iter().any(whole), "{shown}: {word}");
        }
    }
}

#[test]
fn a_crowded_stage_counts_what_it_leaves_out() {
    let p = MapPicture::of(&crowded(2, 300), None);
    assert_eq!(p.stages[0].touchpoints.len(), 8);
    assert_eq!(
        p.stages
            .iter()
            .filter_map(|s| s.more)
            .map(|m| m.0)
            .sum::<usize>(),
        300 - 16
    );
    assert!(p.svg(MAP_WIDE).contains("touchpoints more"));
}

#[test]
fn pages_hold_no_markup_from_names() {
    for (name, map) in maps() {
        let view = MapView::new(&map);
        let page = html::map_page(&view, None, None, &[]).unwrap();
        assert!(
            !page.contains("<script") && !page.contains("\u{1b}"),
            "{name}"
        );
        assert!(page.contains("Nothing here was measured"), "{name}");
        if let Some(folder) = std::env::var_os("DESIRELINE_GALLERY") {
            let folder = std::path::PathBuf::from(folder);
            std::fs::write(folder.join(format!("map-{name}.html")), &page).unwrap();
        }
    }
}

#[test]
fn write_the_gallery_when_asked() {
    let Some(folder) = std::env::var_os("DESIRELINE_GALLERY").map(std::path::PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (name, p) in pictures() {
        std::fs::write(folder.join(format!("map-{name}-wide.svg")), p.svg(MAP_WIDE)).unwrap();
        std::fs::write(folder.join(format!("map-{name}-middle.svg")), p.svg(WIDE)).unwrap();
        std::fs::write(folder.join(format!("map-{name}-narrow.svg")), p.svg(NARROW)).unwrap();
    }
}
