//! The page over answers of the real analyses.
#![allow(clippy::unwrap_used)]

use desireline_core::analyses::{Dropoff, Funnel, Goals, Paths, Transitions};
use desireline_core::engine::{Breakdown, By};
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::{AttributeType, EventRow, LogBuilder, LogOptions};
use desireline_core::report::Report;
use desireline_report::svg::{NARROW, WIDE, pictures};
use desireline_report::{AnswerView, html};

const HOUR: i64 = 3_600_000_000;

/// A small shop: every customer walks a few steps of a fixed pattern, most of them not to the end.
fn shop(names: [&str; 6]) -> Journeys {
    let mut builder =
        LogBuilder::new(LogOptions::default().attribute("device", AttributeType::Text));
    for customer in 0..900i64 {
        let id = format!("c{customer}");
        for visit in 0..1 + customer % 3 {
            let mut time =
                1_780_000_000_000_000 + (customer * 7 % 500) * 3 * HOUR + visit * 90 * HOUR;
            let far = (customer * 31 + visit * 17) % 11;
            let walk: &[usize] = match far {
                0..=2 => &[0],
                3..=4 => &[0, 1, 0],
                5..=6 => &[5, 1, 2],
                7 => &[0, 1, 1, 2, 4],
                8 => &[5, 0, 1, 2, 3],
                9 if customer % 5 < 2 => &[0, 1, 2],
                _ => &[0, 1, 2, 3, 4],
            };
            for step in walk {
                builder
                    .push_row(&EventRow {
                        attributes: &[(
                            "device",
                            if customer % 5 < 2 {
                                names[5].into()
                            } else {
                                "desktop".into()
                            },
                        )],
                        ..EventRow::new(id.as_str(), time, names[*step])
                    })
                    .unwrap();
                time += HOUR / (1 + customer % 9);
            }
        }
    }
    builder
        .finish()
        .unwrap()
        .journeys(JourneyRule::gap("24h").unwrap())
        .unwrap()
}

#[test]
fn a_page_of_real_answers() {
    for (file, names) in [
        (
            "page.html",
            [
                "product_view",
                "add_to_cart",
                "checkout",
                "payment",
                "purchase",
                "search_ad",
            ],
        ),
        (
            "page-odd.html",
            [
                "<b>view</b>",
                "\"><svg onload=alert(1)>",
                "a\u{1b}[2J",
                "{{ 7*7 }}",
                "]]>",
                "\u{202e}drab",
            ],
        ),
    ] {
        let journeys = shop(names);
        let quoted = |name: &str| {
            let text: String = name.chars().flat_map(char::escape_default).collect();
            format!("event == \"{text}\"")
        };
        let steps = [
            quoted(names[0]),
            quoted(names[1]),
            quoted(names[2]),
            quoted(names[4]),
        ];
        let goal = quoted(names[4]);
        let paths = journeys
            .run(&Paths::top(10).goal(goal.as_str()).unwrap())
            .unwrap();
        let funnel = journeys
            .run(&Funnel::steps(steps.iter().map(String::as_str)).within("7d"))
            .unwrap();
        let transitions = journeys.run(&Transitions::top(12)).unwrap();
        let goals_asked = Goals::new([] as [&str; 0]).and(names[4], goal.as_str());
        let goals = journeys.run(&goals_asked).unwrap();
        let dropoff = journeys.run(&Dropoff::goal(goal.as_str())).unwrap();
        let by_device = journeys
            .run(&By {
                of: goals_asked.clone(),
                groups: Breakdown::by("device"),
            })
            .unwrap();
        let compared = journeys.compare(&goals_asked, "device").unwrap();
        let answers = [
            AnswerView::of(&goals),
            AnswerView::of(&dropoff),
            AnswerView::of(&paths),
            AnswerView::of(&funnel),
            AnswerView::of(&transitions),
            AnswerView::of(&compared),
            AnswerView::of(&by_device),
        ];
        for a in &answers {
            for width in [WIDE, NARROW] {
                let drawn = pictures(a.report, width);
                assert!(!drawn.is_empty(), "{}", a.analysis);
                for svg in drawn {
                    roxmltree::Document::parse(&svg).unwrap();
                }
            }
        }
        assert_eq!(pictures(&paths.report as &dyn Report, WIDE).len(), 2);
        let page = html::page("A shop in September", None, &answers).unwrap();
        assert!(
            !page.contains("<b>view") && !page.contains("<svg onload") && !page.contains('\u{1b}')
        );
        if let Some(folder) = std::env::var_os("DESIRELINE_GALLERY") {
            std::fs::write(std::path::Path::new(&folder).join(file), &page).unwrap();
        }
    }
}
