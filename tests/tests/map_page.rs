//! The worked examples: a retailer's map on the simulated shop with its planted effects and what its customers answered, and a
//! care pathway on the sepsis log. The pages they give are committed under `tests/golden`; `DESIRELINE_BLESS=1` writes them anew.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use desireline_core::engine::Exec;
use desireline_core::feedback::{Feedback, Question};
use desireline_core::log::Log;
use desireline_core::map::check::CheckOptions;
use desireline_core::map::{Date, Form, MapFile};
use desireline_core::overlay::report::{CellKind, KpiMeasure, MeasureKind, PromiseVerdict};
use desireline_core::overlay::{self, KpiSources, MapCheck, Overlay, OverlayReport, VoiceReport};
use desireline_core::report::Caveat;
use desireline_core::time::TimeSpan;
use desireline_io::simulate::{SURVEY, Simulation, Truth};
use desireline_io::{Columns, FeedbackColumns, read, read_feedback_batches};
use desireline_report::html::{self, MapView};
use desireline_report::svg::{FeelingSource, MAP_WIDE, MapPicture};
use desireline_tests::data;

fn example(name: &str) -> MapFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/maps")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap();
    MapFile::read(&text, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(&text)))
}

/// The shop's log, what its customers answered, and what is true of both.
struct Shop {
    log: Log,
    answers: Arc<Feedback>,
    truth: Truth,
}

static SHOP: LazyLock<Shop> = LazyLock::new(|| {
    let mut simulation = Simulation::shop(2_000);
    simulation.seed = 1;
    let shop = simulation.prepare().unwrap();
    let asked = [Question::csat("csat"), Question::nps("nps")];
    let columns = FeedbackColumns::long(asked, "question", "score")
        .customer("customer_id")
        .time("time")
        .words("words");
    let batches = [Ok(shop.answers_batch().unwrap())].into_iter();
    let schema = shop.answers_schema();
    Shop {
        log: shop.log().unwrap(),
        answers: Arc::new(read_feedback_batches(batches, &schema, "answers", &columns).unwrap()),
        truth: shop.truth().clone(),
    }
});

/// A map held against a log: what is measured, what is said, what the check finds.
struct Measured {
    report: OverlayReport,
    voice: Option<VoiceReport>,
    check: MapCheck,
}

fn measured(
    file: &MapFile,
    log: &Log,
    answers: Option<&Arc<Feedback>>,
    today: Date,
    threads: usize,
) -> Measured {
    let rule = overlay::journey_rule(file.map()).unwrap();
    let journeys = log.journeys(rule).unwrap();
    let exec = Exec::new().threads(threads).unwrap();
    let options = CheckOptions::new().today(today);
    let mut sources = KpiSources {
        answers: answers.cloned(),
        ..KpiSources::default()
    };
    // Asked at the touch: a minute is more than enough.
    sources.listening.rule.within = TimeSpan::parse("1m").unwrap();
    let (report, voice) =
        overlay::measured_and_heard(file.map(), &journeys, &Overlay::new(), &sources, &exec)
            .unwrap();
    Measured {
        report,
        voice,
        check: overlay::check(file, &journeys, &options, &exec).unwrap(),
    }
}

fn page(file: &MapFile, measured: &Measured) -> String {
    let view = MapView {
        overlay: Some(&measured.report),
        voice: measured.voice.as_ref(),
        check: Some(&measured.check),
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

fn shop(threads: usize) -> (MapFile, Measured) {
    let file = example("shop.yaml");
    let today = Date::new(2025, 7, 20).unwrap();
    let found = measured(&file, &SHOP.log, Some(&SHOP.answers), today, threads);
    (file, found)
}

static FOUND: LazyLock<(MapFile, Measured)> = LazyLock::new(|| shop(1));

#[test]
fn a_retailer_on_the_simulated_shop() {
    let (file, one) = &*FOUND;
    let made = page(file, one);
    // The number of threads does not show.
    assert_eq!(made, page(file, &shop(2).1));
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
        &(MapPicture::of(file.map(), Some(&one.report)).svg(MAP_WIDE) + "\n"),
    );
}

fn kpi(id: &str) -> &'static KpiMeasure {
    let all = FOUND.1.report.kpis.as_ref().unwrap();
    all.iter().find(|k| k.id == id).unwrap()
}

/// Whether an estimate is about what is true: within two and a half times its interval, for there are many.
fn about(e: &desireline_stats::Estimate, truth: f64) -> bool {
    (e.value - truth).abs() <= 2.5 * (e.upper - e.lower) / 2.0
}

/// Feelings: low where the payment fails, high once it is bought, as the survey was planted; and each kind of source is there.
#[test]
fn the_page_tells_the_planted_feelings() {
    let (file, found) = &*FOUND;
    let felt = |id: &str| {
        let touchpoint = found.report.touchpoint(id).unwrap();
        touchpoint.emotion.as_ref().and_then(|e| e.valence)
    };
    let asked = |name: &str| {
        let mut all = SURVEY.iter();
        all.find(|a| a.touchpoint == name && a.question == "csat" && !a.again)
            .unwrap()
    };
    for (id, event) in [
        ("home", "home"),
        ("finding", "search"),
        ("product", "product_view"),
        ("doubts", "reviews"),
        ("basket", "cart"),
        ("payment", "payment"),
        ("payment-fails", "payment_error"),
        ("bought", "purchase"),
        ("parcel", "delivery"),
        ("answers", "support_chat"),
    ] {
        let valence = felt(id).unwrap_or_else(|| panic!("{id}"));
        let truth = (asked(event).mean() - 3.0) / 2.0;
        assert!(about(&valence, truth), "{id}: {valence:?}, {truth}");
    }
    // Who goes through the checkout again minds it: lower than at the first time alone.
    let first = (asked("checkout").mean() - 3.0) / 2.0;
    assert!(felt("checkout").unwrap().value < first);

    let picture = MapPicture::of(file.map(), Some(&found.report));
    let all = || {
        let stages = picture.stages.iter();
        stages.flat_map(|s| &s.feelings)
    };
    let said = all().filter(|f| f.measured && f.valence.is_some());
    let lowest = said.min_by(|a, b| a.valence.unwrap().total_cmp(&b.valence.unwrap()));
    let lowest = lowest.unwrap();
    assert_eq!(lowest.place, "Payment fails");
    assert!(lowest.interval.unwrap().1 < -0.4);
    for source in [
        FeelingSource::Said,
        FeelingSource::Text,
        FeelingSource::Guess,
    ] {
        assert!(all().any(|f| f.source == source), "{source:?}");
    }
    assert!(all().any(|f| f.valence.is_none()), "a hole");
    // Nobody was asked at these: what stands there is opinion, and is said to be.
    let (guessed, places) = picture.from_opinion();
    assert_eq!(guessed, 4);
    let mut facts = picture.facts.iter();
    let fact = facts.find(|f| f.label == "Emotion from opinion").unwrap();
    assert_eq!(fact.value, format!("4 of {places}"));
    assert!(fact.note.contains(" measured"), "{fact:?}");

    let made = page(file, found);
    for wanted in [
        "Payment fails: −0.",
        "a guess, not measured",
        "read from texts",
        "too few told what they feel",
    ] {
        assert!(made.contains(wanted), "{wanted}");
    }
}

/// The numbers of answers: one target met, one missed, one that cannot be told yet.
#[test]
fn the_page_tells_the_planted_answers() {
    let top = |name: &str, again: bool| {
        let mut all = SURVEY.iter();
        let asked = all.find(|a| a.touchpoint == name && a.question == "csat" && a.again == again);
        asked.unwrap().scores[3..].iter().sum::<f64>()
    };
    let glad = kpi("glad-it-is-done");
    assert!(about(&glad.value.unwrap(), top("purchase", false)));
    assert_eq!(glad.met, Some(true));
    let checkout = kpi("glad-of-checkout");
    let value = checkout.value.unwrap().value;
    assert!(value < top("checkout", false) + 0.1 && value > top("checkout", true));
    assert_eq!(checkout.met, Some(false));
    let nps = kpi("would-tell");
    let asked = SURVEY.iter().find(|a| a.question == "nps").unwrap();
    let share = |scores: &[f64]| scores.iter().sum::<f64>();
    let truth = 100.0 * (share(&asked.scores[9..]) - share(&asked.scores[..7]));
    assert!(about(&nps.value.unwrap(), truth), "{nps:?} {truth}");
    assert_eq!(nps.met, None);
    // A length of time has a number, and holds its target.
    let time = kpi("pays-in");
    assert!(time.value.is_some() && time.met == Some(true), "{time:?}");

    let made = page(&FOUND.0, &FOUND.1);
    for wanted in ["✓ met: target", "✗ missed: target", "undecided: target ≥ 0"] {
        assert!(made.contains(wanted), "{wanted}");
    }
}

/// What is planted in the log: a payment that fails on one device, a loop in the checkout, a channel that helps, a program.
#[test]
fn the_page_tells_the_planted_behaviour() {
    let (file, found) = &*FOUND;
    let report = &found.report;
    // The payment fails more often for those with an iPhone than the shop's payment does at any rate.
    let personas = report.groups.iter().find(|g| g.by == "persona").unwrap();
    let failing = |persona: &str| {
        let group = personas.groups.iter().find(|g| g.id == persona).unwrap();
        let count = |id: &str| {
            let cell = group.cells.iter().find(|c| c.id == id).unwrap();
            cell.journeys as f64
        };
        count("payment-fails") / count("payment")
    };
    assert!(failing("regular-iphone") > 2.0 * failing("regular"));
    let broken = SHOP.truth.broken_step.as_ref().unwrap();
    assert!(failing("regular-iphone") < broken.payment_error);
    let tested = personas.tests.iter().find(|t| {
        t.kind == CellKind::Touchpoint && t.id == "payment-fails" && t.measure == MeasureKind::Reach
    });
    assert!(tested.unwrap().test.unwrap().p < 0.05, "{tested:?}");
    // Back from the address to the checkout, which is rare elsewhere.
    let back = report.edge(CellKind::Touchpoint, "address", "checkout");
    let back = back.unwrap().share.estimate.unwrap();
    assert!(back.lower > SHOP.truth.rework_elsewhere, "{back:?}");
    // The lift of one channel is too small for so few customers: nothing is claimed.
    let friends = report.channel("friends").unwrap().cell.lift.unwrap();
    assert!(friends.q.is_none_or(|q| q > 0.05), "{friends:?}");
    // The program is named.
    let told: Vec<String> = report.caveats.iter().map(Caveat::message).collect();
    assert!(told.iter().any(|c| c.contains("program")), "{told:?}");
    // What was promised holds for most.
    let promise = &report.promises.as_ref().unwrap()[0];
    assert_eq!(promise.verdict, Some(PromiseVerdict::Kept));

    let made = page(file, found);
    for wanted in [
        "Buys often, on an iPhone",
        "it may be a program",
        // What the map says of it, beside what is measured there.
        "The form says that the payment failed, and not why (shown by errors, low mood)",
        "of these leave without a goal; feeling −0.",
    ] {
        assert!(made.contains(wanted), "{wanted}");
    }
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
    let made = page(&file, &measured(&file, &log, None, today, 2));
    holds_nothing_live(&made);
    golden("sepsis-map.html", &made);
}
