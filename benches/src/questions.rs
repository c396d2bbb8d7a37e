//! The questions, as a user of the crate asks them.

use desireline_core::analyses::directly_follows::DirectlyFollowsReport;
use desireline_core::analyses::dropoff::DropoffReport;
use desireline_core::analyses::funnel::{FunnelReport, StepTime};
use desireline_core::analyses::paths::PathsReport;
use desireline_core::analyses::retention::RetentionReport;
use desireline_core::analyses::{DirectlyFollows, Dropoff, Funnel, Paths, Retention, Transitions};
use desireline_core::engine::{AnalysisSet, Breakdown, By, Exec};
use desireline_core::journey::{JourneyRule, Journeys};
use desireline_core::log::Log;
use desireline_core::report::Answer;
use serde_json::{Map, Value, json};

use crate::Outcome;

pub const GAP: &str = "30m";
const WITHIN: &str = "7d";
pub const COMMON: [&str; 4] = ["product_view", "add_to_cart", "checkout", "purchase"];
pub const RARE: [&str; 4] = ["order_tracking", "delivery", "help", "support_chat"];
const FILTER: &str = r#"device == "mobile_ios" and region in ["DE", "ES", "FR"]"#;

/// A log that questions are asked of.
pub struct Ready {
    pub log: Log,
    pub sessions: Journeys,
    customers: Journeys,
    exec: Exec,
}

/// A question and its answer in the form that all contestants give.
///
/// Turning a report into that form is part of no question, but is timed with ours; it is small beside any of them.
pub type Question = (&'static str, fn(&Ready) -> Outcome<Value>);

/// Every question, in the order they are asked in.
pub const QUESTIONS: [Question; 12] = [
    ("paths", |r| {
        Ok(paths(&r.sessions.run_with(&top_paths(), &r.exec)?))
    }),
    ("transitions", |r| {
        Ok(transitions(&r.sessions.run_with(&counts(), &r.exec)?))
    }),
    ("transition_times", transition_times),
    ("funnel_common", |r| {
        Ok(funnel(&r.customers.run_with(&steps(COMMON), &r.exec)?))
    }),
    ("funnel_rare", |r| {
        Ok(funnel(&r.customers.run_with(&steps(RARE), &r.exec)?))
    }),
    ("funnel_times", funnel_times),
    ("funnel_by_channel", funnel_by_channel),
    ("funnel_filtered", |r| {
        let kept = r.customers.keep_journeys(FILTER)?;
        let report = kept.run_with(&steps(COMMON), &r.exec)?;
        Ok(json!({"reached": reached(&report)}))
    }),
    ("dropoff", |r| {
        Ok(dropoff(&r.sessions.run_with(&exits(), &r.exec)?))
    }),
    ("sessions", gap_sessions),
    ("retention", |r| {
        Ok(retention(&r.customers.run_with(&weeks(), &r.exec)?))
    }),
    ("dashboard", dashboard),
];

impl Ready {
    /// Cuts the log into the journeys that the questions are about.
    pub fn new(log: Log, exec: Exec) -> Outcome<Ready> {
        Ready::cut(log, JourneyRule::column("session_id"), exec)
    }

    /// The same for a log whose sessions are pauses: no column names them.
    pub fn by_gap(log: Log, exec: Exec) -> Outcome<Ready> {
        Ready::cut(log, JourneyRule::gap(GAP)?, exec)
    }

    fn cut(log: Log, sessions: JourneyRule, exec: Exec) -> Outcome<Ready> {
        Ok(Ready {
            sessions: log.journeys_with(sessions, &exec)?,
            customers: log.journeys_with(JourneyRule::customer(), &exec)?,
            log,
            exec,
        })
    }
}

/// The first answer of a cold start, from nothing but the columns that it needs.
pub fn first_answer(log: &Log, exec: &Exec) -> Outcome<Value> {
    let customers = log.journeys_with(JourneyRule::customer(), exec)?;
    Ok(funnel(&customers.run_with(&steps(COMMON), exec)?))
}

fn steps(steps: [&str; 4]) -> Funnel {
    Funnel::steps(steps).within(WITHIN)
}

fn top_paths() -> Paths {
    Paths::top(100).first(8).flow_steps(0)
}

fn counts() -> DirectlyFollows {
    DirectlyFollows::default()
}

fn exits() -> Dropoff {
    Dropoff::goal("purchase")
        .alive(GAP)
        .returns_within(WITHIN)
        .top(1_000)
        .before(3)
}

fn weeks() -> Retention {
    Retention::default().periods(26)
}

fn paths(report: &Answer<PathsReport>) -> Value {
    let top: Vec<Value> = report
        .paths
        .iter()
        .map(|p| json!([p.path.join(" > "), p.journeys]))
        .collect();
    json!({"journeys": report.journeys, "distinct": report.distinct, "top": top})
}

fn transitions(report: &Answer<DirectlyFollowsReport>) -> Value {
    let pairs: Map<String, Value> = report
        .pairs
        .iter()
        .map(|t| (format!("{} > {}", t.from, t.to), t.count.into()))
        .collect();
    json!({"count": report.count, "pairs": pairs})
}

fn transition_times(r: &Ready) -> Outcome<Value> {
    let report = r.sessions.run_with(&Transitions::default(), &r.exec)?;
    let pairs: Map<String, Value> = report
        .transitions
        .iter()
        .map(|t| {
            let numbers = json!([t.count, t.customers, t.between.median]);
            (format!("{} > {}", t.from, t.to), numbers)
        })
        .collect();
    Ok(json!({"pairs": pairs}))
}

fn reached(report: &FunnelReport) -> Vec<u64> {
    report.steps.iter().map(|s| s.reached).collect()
}

fn funnel(report: &Answer<FunnelReport>) -> Value {
    json!({"journeys": report.n_journeys, "reached": reached(report)})
}

fn funnel_times(r: &Ready) -> Outcome<Value> {
    let report = r.customers.run_with(&steps(COMMON), &r.exec)?;
    let times = report.time_to_convert.as_ref();
    let of = |part: fn(&StepTime) -> Option<i64>| times.and_then(part);
    Ok(json!({
        "reached": reached(&report),
        "n": times.map_or(0, |t| t.n),
        "median": of(|t| t.median),
        "p90": of(|t| t.p90),
    }))
}

fn funnel_by_channel(r: &Ready) -> Outcome<Value> {
    let question = By {
        of: steps(COMMON),
        groups: Breakdown::by("channel"),
    };
    let report = r.customers.run_with(&question, &r.exec)?;
    let groups: Map<String, Value> = report
        .groups
        .iter()
        .map(|g| (g.group.clone(), reached(&g.report).into()))
        .collect();
    Ok(json!({"reached": groups}))
}

fn dropoff(report: &Answer<DropoffReport>) -> Value {
    let points: Map<String, Value> = report
        .touchpoints
        .iter()
        .map(|t| (t.touchpoint.clone(), json!([t.visits, t.exits])))
        .collect();
    let top: Vec<Value> = report
        .paths
        .iter()
        .take(20)
        .map(|p| json!([p.path.join(" > "), p.exits]))
        .collect();
    json!({
        "reached": report.reached,
        "exits": report.exits,
        "open": report.open,
        "returned": report.returned.count,
        "return_known": report.returned.n,
        "points": points,
        "before": top,
    })
}

/// Without period 0, in which our answer leaves the first event itself out.
fn retention(report: &Answer<RetentionReport>) -> Value {
    let cohorts: Map<String, Value> = report
        .cohorts
        .iter()
        .map(|c| {
            let cells = c.cells.iter().skip(1).map(|cell| cell.retained);
            let row: Vec<u64> = std::iter::once(c.customers).chain(cells).collect();
            (c.cohort.clone(), row.into())
        })
        .collect();
    json!({"customers": report.customers, "cohorts": cohorts})
}

fn gap_sessions(r: &Ready) -> Outcome<Value> {
    let cut = r.log.journeys_with(JourneyRule::gap(GAP)?, &r.exec)?;
    Ok(json!({"sessions": cut.n_journeys()}))
}

/// Five questions at once: those about sessions share one pass.
fn dashboard(r: &Ready) -> Outcome<Value> {
    let set = (top_paths(), counts(), exits());
    let (a, b, c) = set.run(&r.sessions, &r.exec)?;
    let common = r.customers.run_with(&steps(COMMON), &r.exec)?;
    Ok(json!({
        "paths": paths(&a),
        "transitions": transitions(&b),
        "dropoff": dropoff(&c),
        "funnel_common": funnel(&common),
        "sessions": gap_sessions(r)?,
    }))
}
