//! What stands in words around the numbers: headings that state the finding, how to read, what the method can and cannot say.

use std::collections::BTreeSet;

use desireline_core::analyses::calendar::CalendarReport;
use desireline_core::analyses::dropoff::DropoffReport;
use desireline_core::analyses::funnel::FunnelReport;
use desireline_core::analyses::goals::GoalsReport;
use desireline_core::analyses::paths::PathsReport;
use desireline_core::analyses::patterns::PatternsReport;
use desireline_core::analyses::precedence::PrecedenceReport;
use desireline_core::analyses::retention::RetentionReport;
use desireline_core::analyses::stability::StabilityReport;
use desireline_core::analyses::transitions::TransitionsReport;
use desireline_core::compare::CompareReport;
use desireline_core::report::{Cells, Report, Table};
use desireline_stats::Estimate;

use crate::format;
use crate::svg::SURE;

/// Fixed words about an analysis.
pub(crate) struct Words {
    pub(crate) question: &'static str,
    pub(crate) read: &'static str,
    pub(crate) limits: &'static [&'static str],
}

/// The words about a report of the analysis called `name`. A comparison keeps the name of what it compares.
pub(crate) fn of(name: &str, report: &dyn Report) -> Words {
    match if report.as_any().is::<CompareReport>() {
        "compare"
    } else {
        name
    } {
        "paths" => Words {
            question: "Which paths do journeys take?",
            read: "Each row is one path, first touchpoint on the left; ×n means n times in a row. The bar is the path's share of all journeys, the dot and line the share of it that reached the goal.",
            limits: &[
                "The rows and `other` add up to all journeys exactly. A high goal rate on a path does not show that the path causes it.",
            ],
        },
        "transitions" => Words {
            question: "What comes after what?",
            read: "Each row is a step from one touchpoint to the next. Of the times the first was left, the share says how often the second came next.",
            limits: &[
                "Only neighbouring events count as a step; a loop counts each time it is taken.",
            ],
        },
        "directly_follows" => Words {
            question: "How often does what come after what?",
            read: "Each row is a pair of touchpoints, the second directly after the first in a journey, and how often that happened.",
            limits: &[
                "Counts only. How sure a share is, how many customers stand behind it and how long it took: ask for transitions.",
            ],
        },
        "precedence" => Words {
            question: "In which order do people meet the touchpoints?",
            read: "Each row and column is a touchpoint, in the usual order. A cell says in how many per cent of the journeys that have both the row comes before the column.",
            limits: &[
                "First meetings count, not repeats. That one thing comes first does not show that it leads to the other.",
            ],
        },
        "patterns" => Words {
            question: "Which events do many journeys have in the same order?",
            read: "Each row is a pattern, first event on the left. The bar is the share of journeys that have these events in this order; with a goal, the dot and line are the share of those that reached it.",
            limits: &[
                "Patterns overlap: a journey counts for each that it has. That those with a pattern reach the goal more often does not show that the pattern causes it.",
            ],
        },
        "calendar" => Words {
            question: "When do people come?",
            read: "Each row is a day, each column an hour of it; the darker, the more events. Below, with a goal: of the journeys begun in each hour, the share that reached it.",
            limits: &[
                "Where customers live in several zones, one clock mixes their days. A good hour need not make good journeys: others come at other hours.",
            ],
        },
        "stability" => Words {
            question: "Do the same customers stay in the segment?",
            read: "Each bar is a share of the customers present in both periods; the whisker is the interval.",
            limits: &[
                "Who is present in one period only takes no part but in the shares of each period. Behaviour close to the bound changes sides by chance.",
            ],
        },
        "funnel" => Words {
            question: "How many reach each step?",
            read: "Blue reached the step, grey may still reach it, pale brown left before it. Each row is as long as the blue of the row above. The whisker is the interval of the share of entered.",
            limits: &[
                "Steps count in the given order; other events may lie between. Journeys still inside the window are not counted as lost.",
            ],
        },
        "dropoff" => Words {
            question: "Where do journeys end without their goal?",
            read: "Each bar is the share of visits to a touchpoint after which the journey ended without its goal; the whisker is the interval.",
            limits: &[
                "The last touchpoint seen need not be the reason for leaving. Journeys that may still go on are apart.",
            ],
        },
        "goals" => Words {
            question: "How many reach the goal, and how long does it take?",
            read: "Each curve is the share of all journeys that has reached the goal by that time; the band is its interval, and the numbers below say how many were observed that long without the goal.",
            limits: &[
                "A journey counts as long as it was observed, also after it has ended; the curve levels off at the share that reaches the goal at all.",
            ],
        },
        "retention" => Words {
            question: "Who comes back, and when?",
            read: "Each row is the customers who started in one calendar period; going right, the share of them who came back. The darker, the more. Hatched cells are of periods that are not over.",
            limits: &[
                "Customers of the first cohorts may be older than the log. Cohorts differ in more than the time of their start.",
            ],
        },
        "compare" => Words {
            question: "Where do the groups differ?",
            read: "Each dot is a difference, first group minus second; the line is its interval. Filled dots stay below the q limit after correction for everything shown; hollow ones could be chance.",
            limits: &[
                "Differences are associations. Groups may differ in more than the attribute they were cut by.",
            ],
        },
        _ => Words {
            question: "Results",
            read: "",
            limits: &[],
        },
    }
}

/// How the intervals in the tables were made.
pub(crate) fn methods(tables: &[Table]) -> String {
    let mut seen: BTreeSet<(String, &'static str)> = BTreeSet::new();
    let mut note = |e: &Estimate| {
        seen.insert((format::percent(e.level), e.method.label()));
    };
    for cells in tables.iter().flat_map(|t| &t.columns).map(|c| &c.cells) {
        match cells {
            Cells::Rate(v) => v
                .iter()
                .flatten()
                .filter_map(|r| r.estimate.as_ref())
                .for_each(&mut note),
            Cells::Estimate(v) => v.iter().flatten().for_each(&mut note),
            _ => {}
        }
    }
    if seen.is_empty() {
        return String::new();
    }
    let told: Vec<String> = seen
        .into_iter()
        .map(|(level, method)| format!("{method} ({level})"))
        .collect();
    format!("Intervals: {}.", told.join("; "))
}

/// The level of the intervals as a clause for a note, such as `, with 95 % intervals`.
pub(crate) fn level(tables: &[Table]) -> String {
    let first = tables
        .iter()
        .flat_map(|t| &t.columns)
        .find_map(|c| match &c.cells {
            Cells::Rate(v) => v.iter().flatten().find_map(|r| r.estimate).map(|e| e.level),
            Cells::Estimate(v) => v.iter().flatten().next().map(|e| e.level),
            _ => None,
        });
    first
        .map(|l| format!(", with {} intervals", format::tick_percent(l)))
        .unwrap_or_default()
}

/// The most important thing that a report says, in a sentence.
pub(crate) fn finding(report: &dyn Report) -> Option<String> {
    let any = report.as_any();
    if let Some(r) = any.downcast_ref::<FunnelReport>() {
        return funnel(r);
    }
    if let Some(r) = any.downcast_ref::<DropoffReport>() {
        let rate = r.drop_rate.estimate?;
        let most = r.touchpoints.first().filter(|p| p.exits > 0)?;
        let aim = if r.goal.is_some() {
            " without the goal"
        } else {
            ""
        };
        let share = format::percent(most.share);
        return Some(format!(
            "{} of journeys end{aim}, {share} of these at {}",
            format::value(&rate),
            most.touchpoint
        ));
    }
    if let Some(r) = any.downcast_ref::<RetentionReport>() {
        return retention(r);
    }
    if let Some(r) = any.downcast_ref::<CompareReport>() {
        return compare(r);
    }
    if let Some(r) = any.downcast_ref::<GoalsReport>() {
        return goals(r);
    }
    if let Some(r) = any.downcast_ref::<PathsReport>() {
        let top = r.paths.first()?;
        let share = top.share.estimate?;
        let path = if top.path.is_empty() {
            "nothing".to_owned()
        } else {
            shorten(&top.path)
        };
        return Some(format!(
            "{} of journeys take one path: {path}",
            format::value(&share)
        ));
    }
    if let Some(r) = any.downcast_ref::<CalendarReport>() {
        return calendar(r);
    }
    if let Some(r) = any.downcast_ref::<StabilityReport>() {
        let stays = format::value(&r.stays.estimate?);
        let enters = format::value(&r.enters.estimate?);
        return Some(format!(
            "{stays} of the segment stay in it, {enters} of the others enter it"
        ));
    }
    if let Some(r) = any.downcast_ref::<PatternsReport>() {
        let top = r.patterns.first()?;
        let share = format::value(&top.share.estimate?);
        return Some(format!(
            "{share} of journeys have {}",
            shorten(&top.pattern)
        ));
    }
    if let Some(r) = any.downcast_ref::<PrecedenceReport>() {
        return precedence(r);
    }
    if let Some(r) = any.downcast_ref::<TransitionsReport>() {
        let top = r.transitions.first()?;
        let p = top.probability.estimate?;
        return Some(format!(
            "The most frequent step goes from {} to {}: {} of the steps out of {}",
            top.from,
            top.to,
            format::value(&p),
            top.from
        ));
    }
    None
}

/// The first period after that of the start, and the last one that some cohort has seen the end of.
fn retention(r: &RetentionReport) -> Option<String> {
    let known = || {
        let columns = r.columns.iter().zip(&r.overall);
        columns.filter_map(|(name, o)| Some((name, o.rate.estimate?)))
    };
    let (first, rate) = known().find(|(name, _)| !name.ends_with(" 0"))?;
    let lead = format!(
        "{} of customers are retained in {first}",
        format::value(&rate)
    );
    let last = known().next_back().filter(|(name, _)| *name != first);
    let then = last
        .map(|(name, rate)| format!(", {} in {name}", format::value(&rate)))
        .unwrap_or_default();
    Some(format!("{lead}{then}"))
}

fn calendar(r: &CalendarReport) -> Option<String> {
    let most = |slots: &[desireline_core::analyses::calendar::CalendarSlot]| {
        let rates = slots.iter().rev();
        let top = rates.max_by_key(|s| s.events.count)?;
        Some((top.slot.clone(), format::value(&top.events.estimate?)))
    };
    let (day, on) = most(&r.weekdays)?;
    let (hour, at) = most(&r.hours)?;
    Some(format!(
        "Most events come on {day} ({on}) and in the hour from {hour} ({at}), {}",
        r.time_zone
    ))
}

fn precedence(r: &PrecedenceReport) -> Option<String> {
    let names: Vec<String> = r.touchpoints.iter().map(|t| t.touchpoint.clone()).collect();
    let held = format::percent(r.agreement?);
    let pairs = format::counted(r.pairs.len() as u64, "pair");
    let order = shorten(&names);
    Some(match r.unclear + r.against {
        0 => format!("The usual order is {order}; {held} of all pairs in journeys follow it"),
        _ => format!(
            "The usual order is {order}; {held} of all pairs in journeys follow it, {} of {pairs} surely",
            format::count(r.follows)
        ),
    })
}

/// A path for a sentence: its first touchpoints.
fn shorten(path: &[String]) -> String {
    const MOST: usize = 4;
    let shown = path
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join(format::STEP);
    if path.len() > MOST {
        format!("{shown}{}…", format::STEP)
    } else {
        shown
    }
}

fn funnel(r: &FunnelReport) -> Option<String> {
    let (first, last) = (r.steps.first()?, r.steps.last()?);
    let rate = r.conversion.estimate?;
    let lead = format!(
        "{} of the journeys that reach {} get to {}",
        format::value(&rate),
        first.label,
        last.label
    );
    let worst = r
        .steps
        .iter()
        .max_by_key(|s| s.dropped)
        .filter(|s| s.dropped > 0);
    let after = worst
        .map(|s| format!("; most leave after {}", s.label))
        .unwrap_or_default();
    Some(format!("{lead}{after}"))
}

/// Figures of a report that belong on the cover: label, value, note.
pub(crate) fn facts(report: &dyn Report) -> Vec<(String, String, String)> {
    let any = report.as_any();
    let mut out = Vec::new();
    let mut rate = |label: &str, e: Option<Estimate>| {
        if let Some(e) = e {
            out.push((label.to_owned(), format::value(&e), format::interval(&e)));
        }
    };
    if let Some(r) = any.downcast_ref::<FunnelReport>() {
        rate("Funnel done", r.conversion.estimate);
    }
    if let Some(r) = any.downcast_ref::<PathsReport>() {
        rate("Goal reached", r.goal.and_then(|g| g.estimate));
    }
    if let Some(g) = any
        .downcast_ref::<GoalsReport>()
        .and_then(|r| r.goals.first())
    {
        rate("Goal reached", g.of_all.estimate);
        rate("Time to goal, median", g.time.median_reached);
    }
    out
}

fn compare(r: &CompareReport) -> Option<String> {
    let sure = r
        .rows
        .iter()
        .filter(|row| row.q.is_some_and(|q| q < SURE))
        .count();
    let tested = format::count(r.n_tested);
    let first = r.rows.first()?;
    if r.n_tested == 0 {
        return Some(format!(
            "Too few journeys to test any difference by {}",
            r.by
        ));
    }
    if sure == 0 {
        return Some(format!(
            "No difference by {} stands out among {tested} tested",
            r.by
        ));
    }
    let e = first.difference?;
    let (a, b) = (&first.a.group, &first.b.group);
    // Only the rows listed are counted, so the count is a least one where rows are left out.
    let least = if (r.rows.len() as u64) < r.n_rows {
        "At least "
    } else {
        ""
    };
    Some(format!(
        "{least}{sure} of {tested} differences stand out; the clearest: {}, {} for {a} against {b}",
        first.label,
        format::difference(&e)
    ))
}

fn goals(r: &GoalsReport) -> Option<String> {
    let g = r.goals.first()?;
    let rate = g.of_all.estimate?;
    let time = g
        .time
        .median_reached
        .map(|t| format!("; half of those within {}", format::value(&t)))
        .unwrap_or_default();
    Some(format!(
        "{} of journeys reach {}{time}",
        format::value(&rate),
        g.name
    ))
}
