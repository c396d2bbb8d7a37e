//! The worked examples: a retailer's map on the simulated shop with its planted effects, and a care pathway on the sepsis log.
//! The pages they give are committed under `tests/golden`; `DESIRELINE_BLESS=1` writes them anew.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use desireline_core::engine::Exec;
use desireline_core::log::Log;
use desireline_core::map::check::CheckOptions;
use desireline_core::map::{Date, Form, MapFile};
use desireline_core::overlay::{self, KpiSources, MapCheck, Overlay, OverlayReport};
use desireline_io::simulate::Simulation;
use desireline_io::{Columns, read};
use desireline_report::html::{self, MapView};
use desireline_report::svg::{MAP_WIDE, MapPicture};
use desireline_tests::data;

fn example(name: &str) -> MapFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/maps")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap();
    MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)))
}

fn shop() -> Log {
    let mut simulation = Simulation::shop(2_000);
    simulation.seed = 1;
    simulation.prepare().unwrap().log().unwrap()
}

fn measured(file: &MapFile, log: &Log, today: Date, threads: usize) -> (OverlayReport, MapCheck) {
    let rule = overlay::journey_rule(file.map()).unwrap();
    let journeys = log.journeys(rule).unwrap();
    let exec = Exec::new().threads(threads).unwrap();
    let options = CheckOptions::new().today(today);
    (
        overlay::measured(
            file.map(),
            &journeys,
            &Overlay::new(),
            &KpiSources::default(),
            &exec,
        )
        .unwrap(),
        overlay::check(file, &journeys, &options, &exec).unwrap(),
    )
}

fn page(file: &MapFile, (report, check): &(OverlayReport, MapCheck)) -> String {
    let view = MapView {
        overlay: Some(report),
        check: Some(check),
        ..MapView::new(file.map())
    };
    html::map_page(&view, None, None, &[]).unwrap()
}

/// Compares with a committed file, or writes it where that is asked for.
fn golden(name: &str, made: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    if std::env::var_os("DESIRELINE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).position(|(a, b)| a != b);
    assert!(
        kept == made,
        "{} differs from what is made now, first in line {:?}; look at it, then write it anew with DESIRELINE_BLESS=1",
        path.display(),
        differs.map(|i| i + 1)
    );
}

fn holds_nothing_live(page: &str) {
    for live in [
        "<script",
        "<link",
        "<img",
        "@import",
        "url(",
        " src=",
        "href=\"http",
    ] {
        assert!(!page.contains(live), "{live}");
    }
}

#[test]
fn a_retailer_on_the_simulated_shop() {
    let file = example("shop.yaml");
    let today = Date::new(2025, 7, 20).unwrap();
    let log = shop();
    let one = measured(&file, &log, today, 1);
    let made = page(&file, &one);
    // The number of threads does not show.
    assert_eq!(made, page(&file, &measured(&file, &log, today, 2)));
    holds_nothing_live(&made);
    for wanted in [
        "The check has nothing to say.",
        "Makes up their mind",
        "still open",
        "Wilson",
    ] {
        assert!(
            made.to_lowercase().contains(&wanted.to_lowercase()),
            "{wanted}"
        );
    }
    golden("shop-map.html", &made);
    golden(
        "shop-map.svg",
        &(MapPicture::of(file.map(), Some(&one.0)).svg(MAP_WIDE) + "\n"),
    );
}

#[test]
fn a_care_pathway_on_the_sepsis_log() {
    let Some(path) = data("careflow/sepsis.csv") else {
        return;
    };
    let file = example("sepsis.yaml");
    let log = read(
        path,
        &Columns::new("Case ID", "Complete Timestamp", "Activity"),
    )
    .unwrap();
    let today = Date::new(2015, 7, 1).unwrap();
    let made = page(&file, &measured(&file, &log, today, 2));
    holds_nothing_live(&made);
    golden("sepsis-map.html", &made);
}
