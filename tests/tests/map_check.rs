//! `map check` on the example map and a simulated shop: nothing is said of a sound map, and each planted fault is found.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::LazyLock;

use desireline_core::engine::Exec;
use desireline_core::log::Log;
use desireline_core::map::check::{CheckOptions, Code};
use desireline_core::map::{Date, Form, LifecycleDocument, MapFile};
use desireline_core::overlay::{self, MapCheck};
use desireline_io::simulate::Simulation;

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/maps")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

static MAP: LazyLock<String> = LazyLock::new(|| example("shop.yaml"));

/// Two thousand customers over half a year.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let mut simulation = Simulation::shop(2_000);
    simulation.seed = 1;
    simulation.prepare().unwrap().log().unwrap()
});

fn looked(text: &str, log: &Log) -> MapCheck {
    let file = MapFile::read(text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(text)));
    let journeys = log
        .journeys(overlay::journey_rule(file.map()).unwrap())
        .unwrap();
    let options = CheckOptions::new().today(Date::new(2025, 7, 20).unwrap());
    overlay::check(&file, &journeys, &options, &Exec::new()).unwrap()
}

fn told(check: &MapCheck) -> Vec<String> {
    let line = |n: &desireline_core::map::check::Notice| {
        format!(
            "{} line {}: {}",
            n.code,
            n.at.map_or(0, |at| at.line),
            n.told()
        )
    };
    check.report.notices.iter().map(line).collect()
}

/// What is said once `old` is replaced by `new`, and in which line it was replaced.
fn planted(old: &str, new: &str) -> (Vec<(Code, u32)>, u32) {
    assert_eq!(MAP.matches(old).count(), 1, "{old}");
    let text = MAP.replacen(old, new, 1);
    let line = 1 + MAP[..MAP.find(old).unwrap()].matches('\n').count() as u32;
    let check = looked(&text, &LOG);
    let said = check
        .report
        .notices
        .iter()
        .map(|n| (n.code, n.at.map_or(0, |at| at.line)));
    (said.collect(), line)
}

#[test]
fn nothing_is_said_of_a_sound_map() {
    let check = looked(&MAP, &LOG);
    assert_eq!(told(&check), Vec::<String>::new());
    let coverage = check.coverage.unwrap();
    assert_eq!(coverage.bound_events, coverage.events);
    assert_eq!(coverage.events, LOG.n_events());
    let sum: u64 = coverage.touchpoints.iter().map(|t| t.events).sum();
    assert_eq!(sum, coverage.events, "each event belongs to one touchpoint");
}

#[test]
fn each_planted_fault_is_found_where_it_is() {
    let (said, line) = planted("    binding: promo_page\n", "    binding: promo_pages\n");
    assert_eq!(
        said[..],
        [(Code::Orphan, said[0].1), (Code::Dead, line)][usize::from(said.len() == 1)..]
    );

    let (said, line) = planted(
        "    binding: home\n",
        "    binding: home and event != \"home\"\n",
    );
    assert!(said.contains(&(Code::Dead, line)), "{said:?}");
    assert!(said.iter().any(|(c, _)| *c == Code::Orphan), "{said:?}");

    let (said, _) = planted("      priority: 1\n", "      priority: -1\n");
    assert_eq!(said.iter().map(|s| s.0).collect::<Vec<_>>(), [Code::Shadow]);

    let (said, _) = planted(
        "    binding: product_view\n",
        "    observability: survey_only\n",
    );
    assert_eq!(said.iter().map(|s| s.0).collect::<Vec<_>>(), [Code::Orphan]);

    let (said, _) = planted("    binding: newsletter\n", "");
    assert_eq!(
        said.iter().map(|s| s.0).collect::<Vec<_>>(),
        [Code::Unbound]
    );

    let (said, line) = planted("collected_at: 2025-06-15", "collected_at: 2024-06-15");
    assert_eq!(said, [(Code::Stale, line)]);

    let (said, line) = planted(
        "valence: -0.2, arousal: 0.6, source: survey, n: 140, interval: [-0.3, -0.1], label: impatient, evidence: [survey]",
        "valence: -0.2, arousal: 0.6, source: expert_guess, label: impatient",
    );
    // Then more than three places in five are only guessed.
    assert!(
        said.contains(&(Code::Opinion, line)) && said.iter().all(|s| s.0 == Code::Opinion),
        "{said:?}"
    );

    let (said, _) = planted(
        "  - {id: why-here, at: discover, measure: text, question: \"What brought you here?\"}\n",
        "",
    );
    assert!(
        !said.is_empty() && said.iter().all(|s| s.0 == Code::Blind),
        "{said:?}"
    );

    let (said, line) = planted("values: [store_qr]", "values: [store]");
    assert_eq!(said, [(Code::Channel, said[0].1), (Code::Channel, line)]);

    let (said, line) = planted(
        "    member: person.plan == \"free\"",
        "    member: person.plan in [\"free\", \"plus\"]",
    );
    assert_eq!(
        said,
        [(Code::Overlap, line + 6), (Code::Overlap, line + 11)]
    );

    let (said, line) = planted(
        "from: 2025-01-01, to: 2025-07-01",
        "from: 2025-02-01, to: 2025-07-01",
    );
    assert_eq!(said, [(Code::Clock, line)]);

    let (said, line) = planted("person.plan == \"free\"", "person.plna == \"free\"");
    assert_eq!(said, [(Code::Type, line)]);
}

/// The same log with the event `reviews` lost from April on: what a broken tag looks like.
#[test]
fn a_tag_that_broke_is_drift() {
    let april = 1_743_465_600_000_000_i64;
    let kept = format!(
        "not (event in [\"reviews\", \"size_guide\"] and time >= \"{}\")",
        desireline_core::time::format_instant(april)
    );
    let file = MapFile::read(&MAP, Form::Yaml).unwrap();
    let rule = overlay::journey_rule(file.map()).unwrap();
    let journeys = LOG.keep_events(&kept).unwrap().journeys(rule).unwrap();
    let options = CheckOptions::new().today(Date::new(2025, 7, 20).unwrap());
    let check = overlay::check(&file, &journeys, &options, &Exec::new()).unwrap();
    let drift: Vec<String> = check
        .report
        .with(Code::Drift)
        .map(|n| n.message.clone())
        .collect();
    assert_eq!(drift.len(), 1, "{:#?}", told(&check));
    assert!(
        drift[0].contains("`Reviews and sizes` is met by 0."),
        "{drift:?}"
    );
    assert!(
        drift[0].contains("2025-03-31") || drift[0].contains("2025-04-01"),
        "{drift:?}"
    );
}

/// Where nothing broke, drift is seldom said: 20 shops with 21 bindings each.
#[test]
fn steady_logs_seldom_drift() {
    let mut false_alarms = 0;
    for seed in 100..120 {
        let mut simulation = Simulation::shop(600);
        simulation.seed = seed;
        let log = simulation.prepare().unwrap().log().unwrap();
        false_alarms += looked(&MAP, &log).report.with(Code::Drift).count();
    }
    assert!(false_alarms <= 2, "{false_alarms} of 420");
}

#[test]
fn the_lifecycle_example_is_read() {
    let text = example("lifecycle.yaml");
    let life = LifecycleDocument::read(&text, Form::Yaml).unwrap();
    let map = MapFile::read(&MAP, Form::Yaml).unwrap().into_map();
    assert_eq!(map.lifecycle, Some(life.id.clone()));
    // Stages and phases are linked many to many.
    assert!(map.stages.iter().any(|s| s.lifecycle.len() > 1));
    let of_acquisition = |s: &&desireline_core::map::Stage| {
        s.lifecycle
            .contains(&desireline_core::map::Phase::Acquisition)
    };
    assert!(map.stages.iter().filter(of_acquisition).count() > 1);
    let file = MapFile::read(&MAP, Form::Yaml).unwrap();
    let report = desireline_core::map::check::check(&file, &CheckOptions::new().lifecycles([life]));
    assert_eq!(report.with(Code::Id).count(), 0);
}
