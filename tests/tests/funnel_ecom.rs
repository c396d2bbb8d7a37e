//! The funnel of a shop's log against levels that ClickHouse's `windowFunnel` found (chdb 4.4.0, engine 26.9.2.1, UTC).
#![allow(clippy::unwrap_used)]

use desireline_core::analyses::funnel::{Funnel, FunnelReport};
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::Log;
use desireline_io::{Columns, read};

/// The log of the shop; `None`, said aloud, where there is none.
fn ecom() -> Option<Log> {
    let file = desireline_tests::data("ecom/ecom.csv.gz")?;
    let columns = Columns::new("user_id", "timestamp", "event").journey("session_id");
    Some(read(file, &columns).unwrap())
}

fn funnel() -> Funnel {
    Funnel::steps(["product_view", "add_to_cart", "cart", "purchase"]).within("3600s")
}

/// Journeys by the deepest step they reached: none, the first, …, the last.
fn levels(report: &FunnelReport) -> Vec<u64> {
    let mut levels = vec![report.n_journeys - report.entered];
    let stopped = report.steps.iter().map(|s| s.dropped + s.at_risk);
    levels.extend(stopped.take(report.steps.len() - 1));
    levels.push(report.converted);
    levels
}

fn by_user(log: &Log) -> Journeys {
    log.journeys(JourneyRule::customer()).unwrap()
}

fn by_session(log: &Log) -> Journeys {
    log.journeys(JourneyRule::column("session_id")).unwrap()
}

/// Whole customers: the same levels as `windowFunnel` by default and with `strict_increase`. The log has events at one
/// time, but no customer's best attempt hangs on their order (D2). Nothing else can differ: the four steps are different
/// events, so none fills two steps (D5); the window is inclusive in both (D3); and both count the best attempt, not the
/// first (D4).
#[test]
fn customers_reach_the_levels_of_the_peer() {
    let Some(log) = ecom() else { return };
    let report = by_user(&log).run(&funnel()).unwrap();
    assert_eq!(levels(&report), [2, 118, 159, 215, 106]);
}

/// Sessions: the same levels as `windowFunnel` by default. With `strict_increase` it has one session more at level 1 and
/// one less at level 3: `sess_002522`, whose only add_to_cart comes at the time of its first product_view and after it
/// in the file. The log's order makes that a step (D2); a rule that wants a later time stops there. No other session
/// hangs on a tie.
#[test]
fn sessions_reach_the_levels_of_the_peer() {
    let Some(log) = ecom() else { return };
    let journeys = by_session(&log);
    let report = journeys.run(&funnel()).unwrap();
    assert_eq!(report.n_journeys, 3_605);
    assert_eq!(levels(&report), [737, 1924, 467, 349, 128]);
    assert_eq!(report.n_journeys, levels(&report).iter().sum::<u64>());

    // The one session whose level hangs on a tie: the second step comes at the time of the first.
    let tied = journeys
        .keep_journeys(r#"session_id == "sess_002522""#)
        .unwrap();
    let one = tied.run(&funnel()).unwrap();
    assert_eq!(levels(&one), [0, 0, 0, 1, 0]);
    // A median of one is not given; that no time passed stands in the reason below.
    let time = one.steps[1].from_previous.as_ref().unwrap();
    assert_eq!((time.n, time.median), (1, None));
    let member = &tied.members(&funnel(), "step/3/dropped", 9).unwrap()[0];
    let start =
        "`product_view` at 2024-04-13T09:07:40Z, then `add_to_cart` at 2024-04-13T09:07:40Z";
    assert!(member.why.starts_with(start), "{}", member.why);
}
