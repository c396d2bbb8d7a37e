//! Paths and transitions of real logs: numbers that a few lines of another language give too.
#![allow(clippy::unwrap_used)]

use desireline_core::analyses::{Paths, Transitions};
use desireline_core::engine::Exec;
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_io::{Columns, read};
use desireline_tests::data;

fn check_cells(journeys: &Journeys, paths: &Paths) {
    let transitions = Transitions::default();
    for analysis in [
        paths as &dyn desireline_core::engine::DynAnalysis,
        &transitions,
    ] {
        assert_eq!(
            journeys.count_cells(analysis, &Exec::default()).unwrap(),
            journeys.count_located(analysis).unwrap()
        );
    }
}

#[test]
fn ecom() {
    let Some(file) = data("ecom/ecom.csv.gz") else {
        return;
    };
    let columns = Columns::new("user_id", "timestamp", "event").journey("session_id");
    let log = read(file, &columns).unwrap();
    let journeys = log.journeys(JourneyRule::column("session_id")).unwrap();
    let spec = Paths::top(3).goal("purchase").unwrap();
    let (paths, transitions) = journeys
        .run_all(&(spec.clone(), Transitions::default()))
        .unwrap();

    assert_eq!((paths.journeys, paths.customers), (3_605, 600));
    assert_eq!((paths.distinct, paths.singletons), (3_003, 2_888));
    let top: Vec<_> = paths
        .paths
        .iter()
        .map(|r| (r.path.concat(), r.journeys))
        .collect();
    let expected = [("home", 70), ("catalog", 67), ("search", 57)];
    assert_eq!(top, expected.map(|(name, n)| (name.to_owned(), n)));
    let goal = paths.goal.unwrap();
    assert_eq!((goal.count, goal.n), (470, 3_605));
    assert_eq!(paths.other.unwrap().journeys, 3_605 - 194);

    assert_eq!((transitions.events, transitions.journeys), (31_106, 3_605));
    assert_eq!(
        (transitions.count, transitions.distinct),
        (31_106 - 3_605, 336)
    );
    let sum: u64 = transitions.transitions.iter().map(|t| t.count).sum();
    assert_eq!(sum, 31_106 - 3_605);
    let top: Vec<_> = transitions.transitions[..3]
        .iter()
        .map(|t| (&*t.from, &*t.to, t.count))
        .collect();
    let expected = [
        ("catalog", "product_view", 1_679),
        ("product_view", "catalog", 1_403),
        ("product_view", "product_view", 1_321),
    ];
    assert_eq!(top, expected);
    check_cells(&journeys, &spec);
}

#[test]
fn sepsis() {
    let Some(file) = data("careflow/sepsis.csv") else {
        return;
    };
    let columns = Columns::new("Case ID", "Complete Timestamp", "Activity");
    let log = read(file, &columns).unwrap();
    let journeys = log.journeys(JourneyRule::customer()).unwrap();
    let paths = journeys.run(&Paths::top(2)).unwrap();
    assert_eq!((paths.journeys, paths.distinct), (1_050, 846));
    let top: Vec<_> = paths
        .paths
        .iter()
        .map(|r| (r.path.join(" > "), r.journeys))
        .collect();
    let first = "ER Registration > ER Triage > ER Sepsis Triage";
    let second = format!("{first} > Leucocytes > CRP");
    assert_eq!(top, [(first.to_owned(), 35), (second, 24)]);

    let transitions = journeys.run(&Transitions::default()).unwrap();
    assert_eq!((transitions.count, transitions.distinct), (14_164, 115));
    let first = &transitions.transitions[0];
    assert_eq!(
        (&*first.from, &*first.to, first.count),
        ("Leucocytes", "CRP", 1_778)
    );
    check_cells(&journeys, &Paths::default());
}
