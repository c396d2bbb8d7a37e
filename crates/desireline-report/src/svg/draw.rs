//! From the reports of the built-in analyses to pictures.

use desireline_core::analyses::calendar::CalendarReport;
use desireline_core::analyses::dropoff::DropoffReport;
use desireline_core::analyses::funnel::FunnelReport;
use desireline_core::analyses::goals::{GoalResult, GoalsReport};
use desireline_core::analyses::paths::{Flow, PathsReport, Place};
use desireline_core::analyses::patterns::PatternsReport;
use desireline_core::analyses::precedence::PrecedenceReport;
use desireline_core::analyses::retention::{self, CellState, RetentionReport};
use desireline_core::analyses::stability::StabilityReport;
use desireline_core::analyses::transitions::TransitionsReport;
use desireline_core::compare::{self, CompareReport};
use desireline_core::engine::ByReport;
use desireline_core::overlay::OverlayReport;
use desireline_core::report::{Rate, Report};

use desireline_stats::Unit;

use super::behaviour;
use super::canvas::stacked;
use super::{
    ComparisonPanel, ComparisonPicture, ComparisonRow, CurveGroup, CurvePicture, CurvePoint,
    DropoffPicture, DropoffRow, FlowLink, FlowPicture, FlowPlace, FunnelPicture, FunnelStep,
    MapPicture, MatrixPicture, PathRow, PathTablePicture, RetentionCell, RetentionPicture,
    RetentionRow, Tone,
};
use crate::format;
use crate::words::level;

/// Differences with q below this are called out.
pub(crate) const SURE: f64 = 0.05;
/// Rows of a picture at most; the table below has them all.
const ROWS: usize = 20;
/// Cohorts of a picture at most, the latest ones.
const COHORTS: usize = 30;
/// Groups of a breakdown that get their own picture.
const GROUPS: usize = 6;

/// The pictures of a report at a width as one: all of [`pictures`], one below the other. None where there is none for
/// its kind.
pub fn picture(report: &dyn Report, width: f64) -> Option<String> {
    let all = pictures(report, width);
    match all.as_slice() {
        [] | [_] => all.into_iter().next(),
        several => Some(stacked(report.title(), several)),
    }
}

/// The pictures of a report at a width, the most important first; of a breakdown, those of its groups.
pub fn pictures(report: &dyn Report, width: f64) -> Vec<String> {
    let draw = |drawing: Drawing| drawing.svg(width);
    drawings(report).into_iter().map(draw).collect()
}

enum Drawing {
    Funnel(FunnelPicture),
    Bars(DropoffPicture),
    Paths(PathTablePicture),
    Flow(FlowPicture),
    Curve(CurvePicture),
    Comparison(ComparisonPicture),
    Retention(RetentionPicture),
    Matrix(MatrixPicture),
    Map(Box<MapPicture>),
}

impl Drawing {
    fn svg(self, width: f64) -> String {
        match self {
            Drawing::Funnel(p) => p.svg(width),
            Drawing::Bars(p) => p.svg(width),
            Drawing::Paths(p) => p.svg(width),
            Drawing::Flow(p) => p.svg(width),
            Drawing::Curve(p) => p.svg(width),
            Drawing::Comparison(p) => p.svg(width),
            Drawing::Retention(p) => p.svg(width),
            Drawing::Matrix(p) => p.svg(width),
            Drawing::Map(p) => p.svg(width),
        }
    }

    fn within(mut self, group: &str) -> Drawing {
        let title = match &mut self {
            Drawing::Funnel(p) => &mut p.title,
            Drawing::Bars(p) => &mut p.title,
            Drawing::Paths(p) => &mut p.title,
            Drawing::Flow(p) => &mut p.title,
            Drawing::Curve(p) => &mut p.title,
            Drawing::Comparison(p) => &mut p.title,
            Drawing::Retention(p) => &mut p.title,
            Drawing::Matrix(p) => &mut p.title,
            Drawing::Map(p) => &mut p.title,
        };
        *title = format!("{group}: {title}");
        self
    }
}

fn drawings(report: &dyn Report) -> Vec<Drawing> {
    let any = report.as_any();
    if let Some(r) = any.downcast_ref::<FunnelReport>() {
        vec![Drawing::Funnel(funnel(r))]
    } else if let Some(r) = any.downcast_ref::<PathsReport>() {
        let flow = r.flow.as_ref().map(|f| Drawing::Flow(flow(r, f)));
        std::iter::once(Drawing::Paths(paths(r)))
            .chain(flow)
            .collect()
    } else if let Some(r) = any.downcast_ref::<TransitionsReport>() {
        vec![Drawing::Bars(transitions(r))]
    } else if let Some(r) = any.downcast_ref::<DropoffReport>() {
        vec![Drawing::Bars(dropoff(r))]
    } else if let Some(r) = any.downcast_ref::<GoalsReport>() {
        let curves = r.goals.iter().map(|g| (g.name.clone(), g));
        vec![Drawing::Curve(goals(
            r,
            "Time to the goal".to_owned(),
            "reached the goal".to_owned(),
            curves,
        ))]
    } else if let Some(r) = any.downcast_ref::<RetentionReport>() {
        vec![Drawing::Retention(triangle(r))]
    } else if let Some(r) = any.downcast_ref::<CalendarReport>() {
        let conversion = behaviour::conversion(r).map(Drawing::Bars);
        std::iter::once(Drawing::Matrix(behaviour::week(r)))
            .chain(conversion)
            .collect()
    } else if let Some(r) = any.downcast_ref::<StabilityReport>() {
        vec![Drawing::Bars(behaviour::stability(r))]
    } else if let Some(r) = any.downcast_ref::<PatternsReport>() {
        vec![Drawing::Paths(behaviour::patterns(r))]
    } else if let Some(r) = any.downcast_ref::<PrecedenceReport>() {
        vec![Drawing::Matrix(behaviour::precedence(r))]
    } else if let Some(r) = any.downcast_ref::<OverlayReport>() {
        vec![Drawing::Map(Box::new(MapPicture::of_report(r)))]
    } else if let Some(r) = any.downcast_ref::<CompareReport>() {
        comparisons(r)
    } else if let Some(r) = any.downcast_ref::<ByReport<GoalsReport>>() {
        by_goal(r)
    } else {
        groups::<FunnelReport>(report)
            .or_else(|| groups::<PathsReport>(report))
            .or_else(|| groups::<DropoffReport>(report))
            .or_else(|| groups::<TransitionsReport>(report))
            .or_else(|| groups::<RetentionReport>(report))
            .or_else(|| groups::<PrecedenceReport>(report))
            .or_else(|| groups::<PatternsReport>(report))
            .or_else(|| groups::<CalendarReport>(report))
            .or_else(|| groups::<StabilityReport>(report))
            .unwrap_or_default()
    }
}

/// The first picture of each group, if the report is a breakdown of `R`.
fn groups<R: Report>(report: &dyn Report) -> Option<Vec<Drawing>> {
    let r = report.as_any().downcast_ref::<ByReport<R>>()?;
    let first = |g: &desireline_core::engine::GroupReport<R>| {
        Some(drawings(&g.report).into_iter().next()?.within(&g.group))
    };
    Some(r.groups.iter().take(GROUPS).filter_map(first).collect())
}

fn funnel(r: &FunnelReport) -> FunnelPicture {
    let name = |s: Option<&desireline_core::analyses::funnel::FunnelStep>| {
        s.map(|s| s.label.clone()).unwrap_or_default()
    };
    let within = r
        .within
        .map(|w| format!("within {w}; "))
        .unwrap_or_default();
    let steps = r.steps.iter().enumerate().map(|(i, s)| {
        let next = r.steps.get(i + 1);
        FunnelStep {
            label: s.label.clone(),
            count: s.reached,
            of_entered: s.of_entered.estimate,
            go_on: next.and_then(|n| n.of_previous).and_then(|p| p.estimate),
            dropped: s.dropped,
            at_risk: s.at_risk,
            to_next: next
                .and_then(|n| n.from_previous.as_ref())
                .and_then(|t| t.median),
        }
    });
    FunnelPicture {
        title: format!("From {} to {}", name(r.steps.first()), name(r.steps.last())),
        note: format!(
            "{within}share of journeys that entered{}",
            level(&r.tables())
        ),
        unit: "journeys".to_owned(),
        steps: steps.collect(),
    }
}

fn paths(r: &PathsReport) -> PathTablePicture {
    let row = |p: &desireline_core::analyses::paths::PathRow| PathRow {
        path: p.path.clone(),
        count: p.journeys,
        share: p
            .share
            .estimate
            .map_or_else(|| part(p.journeys, r.journeys), |e| e.value),
        goal: p.goal.and_then(|g| g.estimate),
        goal_n: p.journeys,
        note: String::new(),
    };
    let unlisted = r.paths.get(ROWS..).unwrap_or_default();
    let count =
        unlisted.iter().map(|p| p.journeys).sum::<u64>() + r.other.map_or(0, |o| o.journeys);
    let distinct = unlisted.len() as u64 + r.other.map_or(0, |o| o.distinct);
    let goals = unlisted
        .iter()
        .filter_map(|p| p.goal)
        .map(|g| g.count)
        .sum::<u64>()
        + r.other.and_then(|o| o.goals).unwrap_or(0);
    let other = PathRow {
        count,
        share: part(count, r.journeys),
        // The rest has exact counts and no interval: a customer can be in it several times.
        note: r
            .goal
            .map(|_| format!("{} reached", format::percent(part(goals, count))))
            .unwrap_or_default(),
        goal_n: count,
        ..PathRow::default()
    };
    PathTablePicture {
        title: "The paths most taken".to_owned(),
        note: format!(
            "{} journeys, {} distinct paths{}",
            format::count(r.journeys),
            format::count(r.distinct),
            level(&r.tables())
        ),
        goal: if r.goal.is_some() {
            "goal reached".to_owned()
        } else {
            String::new()
        },
        rows: r.paths.iter().take(ROWS).map(row).collect(),
        other: (distinct > 0).then_some((distinct, other)),
    }
}

fn flow(r: &PathsReport, flow: &Flow) -> FlowPicture {
    let place = |p: &Place| match p {
        Place::Touchpoint(name) => FlowPlace::Touchpoint(name.clone()),
        Place::Other => FlowPlace::Other,
        Place::Goal => FlowPlace::Goal,
        Place::GoesOn => FlowPlace::GoesOn,
        Place::Exit => FlowPlace::Exit,
    };
    let links = flow.links.iter().map(|l| FlowLink {
        step: l.step as usize,
        from: place(&l.from),
        to: place(&l.to),
        count: l.journeys,
    });
    FlowPicture {
        title: if r.goal.is_some() {
            "First steps, to the goal or out"
        } else {
            "First steps"
        }
        .to_owned(),
        note: format!(
            "all {} journeys; the wider, the more",
            format::count(flow.journeys)
        ),
        goal: "goal".to_owned(),
        links: links.collect(),
        other: 0,
    }
}

fn dropoff(r: &DropoffReport) -> DropoffPicture {
    let row = |p: &desireline_core::analyses::dropoff::ExitPoint| DropoffRow {
        label: p.touchpoint.clone(),
        exits: p.exits,
        visits: p.visits,
        rate: p.exit_rate.estimate,
    };
    let aim = if r.goal.is_some() {
        " without the goal"
    } else {
        ""
    };
    DropoffPicture {
        title: format!("Where journeys end{aim}"),
        note: format!("exits of visits, most exits first{}", level(&r.tables())),
        rows: r
            .touchpoints
            .iter()
            .filter(|p| p.visits > 0)
            .take(ROWS)
            .map(row)
            .collect(),
        overall: None,
        tone: Tone::Loss,
    }
}

fn transitions(r: &TransitionsReport) -> DropoffPicture {
    let row = |t: &desireline_core::analyses::transitions::TransitionRow| DropoffRow {
        label: format!("{}{}{}", t.from, format::STEP, t.to),
        exits: t.probability.count,
        visits: t.probability.n,
        rate: t.probability.estimate,
    };
    DropoffPicture {
        title: "What comes next".to_owned(),
        note: format!(
            "of the times the first was left for another event, how often the second came next{}",
            level(&r.tables())
        ),
        rows: r.transitions.iter().take(ROWS).map(row).collect(),
        overall: None,
        tone: Tone::Onward,
    }
}

/// One curve per group for each goal.
fn by_goal(r: &ByReport<GoalsReport>) -> Vec<Drawing> {
    let Some(first) = r.groups.first().map(|g| &g.report) else {
        return Vec::new();
    };
    let one = |(i, goal): (usize, &GoalResult)| {
        let curves = r
            .groups
            .iter()
            .filter_map(|g| Some((g.group.clone(), g.report.goals.get(i)?)));
        Drawing::Curve(goals(
            first,
            format!("Time to {} by {}", goal.name, r.by),
            format!("reached {}", goal.name),
            curves,
        ))
    };
    first.goals.iter().enumerate().map(one).collect()
}

fn goals<'a>(
    r: &GoalsReport,
    title: String,
    axis: String,
    curves: impl Iterator<Item = (String, &'a GoalResult)>,
) -> CurvePicture {
    let group = |(label, g): (String, &GoalResult)| CurveGroup {
        label,
        n: g.time.n,
        points: g
            .time
            .curve
            .iter()
            .map(|p| CurvePoint {
                time: p.time,
                value: p.reached.value,
                lower: p.reached.lower,
                upper: p.reached.upper,
                at_risk: p.at_risk,
            })
            .collect(),
        median: g.time.median().map(|q| q.time),
    };
    let mut groups: Vec<CurveGroup> = curves.map(group).collect();
    trim(&mut groups);
    CurvePicture {
        title,
        note: format!(
            "since the journey's first event, of all journeys; Kaplan-Meier on the time observed{}",
            level(&r.tables())
        ),
        axis,
        groups,
    }
}

/// Observation can go on long after the last curve has become level: a quarter beyond that is enough to see it.
fn trim(groups: &mut [CurveGroup]) {
    let moved = |g: &CurveGroup| {
        let moves = g.points.windows(2).rev();
        let last = moves.clone().find(|w| w[1].value > w[0].value);
        let only = g.points.first().filter(|p| p.value > 0.0);
        last.map(|w| w[1].time).or(only.map(|p| p.time))
    };
    let Some(last) = groups.iter().filter_map(moved).max() else {
        return;
    };
    let end = last.saturating_add((last / 4).max(1));
    for g in groups {
        let keep = g.points.partition_point(|p| p.time <= end);
        let after = g.points.get(keep).copied();
        g.points.truncate(keep);
        if let (Some(after), Some(&before)) = (after, g.points.last())
            && before.time < end
        {
            g.points.push(CurvePoint {
                time: end,
                at_risk: after.at_risk,
                ..before
            });
        }
    }
}

fn triangle(r: &RetentionReport) -> RetentionPicture {
    let hidden = r.cohorts.len().saturating_sub(COHORTS);
    let column = |o: &retention::OverallCell| match o.until.saturating_sub(1) {
        last if last > o.from => format!("{}–{last}", o.from),
        _ => o.from.to_string(),
    };
    let complete = |rate: &Rate| RetentionCell::Complete {
        retained: rate.count,
        n: rate.n,
        rate: rate.estimate,
    };
    let overall = r.overall.iter().map(|o| match o.cohorts {
        0 => RetentionCell::NotBegun,
        _ => complete(&o.rate),
    });
    let row = |c: &retention::Cohort| RetentionRow {
        label: c.cohort.clone(),
        customers: c.customers,
        cells: c
            .cells
            .iter()
            .map(|cell| match (cell.state, &cell.rate) {
                (CellState::NotBegun, _) => RetentionCell::NotBegun,
                (_, Some(rate)) => complete(rate),
                (_, None) => RetentionCell::Incomplete {
                    retained: cell.retained,
                    n: c.customers,
                },
            })
            .collect(),
    };
    RetentionPicture {
        title: "Who comes back".to_owned(),
        note: format!("{}; share of customers, intervals in the table", r.told()),
        unit: match r.rolling {
            Some(_) => "period".to_owned(),
            None => r.unit.word().to_owned(),
        },
        columns: r.overall.iter().map(column).collect(),
        overall: (!r.cohorts.is_empty()).then(|| RetentionRow {
            label: "all".to_owned(),
            customers: r.started,
            cells: overall.collect(),
        }),
        rows: r.cohorts.iter().skip(hidden).map(row).collect(),
        hidden,
    }
}

/// One picture per pair of groups, in the order of their strongest difference.
fn comparisons(r: &CompareReport) -> Vec<Drawing> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for row in &r.rows {
        let pair = (row.a.group.as_str(), row.b.group.as_str());
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
        .into_iter()
        .take(GROUPS)
        .map(|(a, b)| Drawing::Comparison(comparison(r, a, b)))
        .collect()
}

fn comparison(r: &CompareReport, a: &str, b: &str) -> ComparisonPicture {
    let rows = || {
        r.rows
            .iter()
            .filter(|row| row.a.group == a && row.b.group == b)
            .take(ROWS)
    };
    let is_time = |row: &&compare::ComparisonRow| {
        let unit = row
            .difference
            .or(row.a.estimate)
            .or(row.b.estimate)
            .map(|e| e.unit);
        unit == Some(Unit::Microseconds)
    };
    let panel = |title: &str, rows: Vec<ComparisonRow>| ComparisonPanel {
        title: title.to_owned(),
        rows,
    };
    let shares: Vec<ComparisonRow> = rows().filter(|row| !is_time(row)).map(compared).collect();
    let times: Vec<ComparisonRow> = rows().filter(is_time).map(compared).collect();
    let panels = [panel("Shares", shares), panel("Times", times)];
    ComparisonPicture {
        title: format!("{a} compared with {b}"),
        note: format!(
            "smallest q first; {} intervals; q over all {} tests of the report; associated, not caused",
            format::tick_percent(r.level),
            format::count(r.n_tested)
        ),
        group: a.to_owned(),
        reference: b.to_owned(),
        q_below: SURE,
        panels: panels.into_iter().filter(|p| !p.rows.is_empty()).collect(),
    }
}

fn compared(row: &compare::ComparisonRow) -> ComparisonRow {
    let value = |side: &compare::Side| {
        side.estimate
            .as_ref()
            .map(format::value)
            .unwrap_or_default()
    };
    let (group, reference) = (value(&row.a), value(&row.b));
    let by = row
        .at
        .map(|t| format!(" by {}", format::duration(t)))
        .unwrap_or_default();
    ComparisonRow {
        label: format!("{}{by}", row.label),
        // Half a pair says nothing.
        group: if reference.is_empty() {
            String::new()
        } else {
            group
        },
        reference,
        difference: row.difference,
        q: row.q,
        n: (row.a.n, row.b.n),
    }
}

fn part(count: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        count as f64 / of as f64
    }
}
