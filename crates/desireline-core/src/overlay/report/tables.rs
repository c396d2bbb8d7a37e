//! The report as tables.

use desireline_stats::Estimate;

use super::verdict_tables::{health_table, promise_table, responder_table, satisfaction_table};
use super::*;
use crate::report::{Cells, Report, Table};
use crate::time::TimeSpan;

impl Report for OverlayReport {
    fn title(&self) -> &'static str {
        "Measured map"
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.stage_table(), self.touchpoint_table()];
        tables.extend(self.watched_tables());
        let more = [
            (!self.steps.is_empty()).then(|| self.step_table()),
            (!self.channels.is_empty()).then(|| self.channel_table()),
            (!self.personas.is_empty()).then(|| self.persona_table()),
            Some(self.goal_table()),
            Some(self.edge_table()),
            Some(self.conversion_table()),
            Some(self.furthest_table()),
            Some(self.order_table()),
            (!self.handovers.is_empty()).then(|| self.handover_table()),
            self.trend.as_ref().map(trend_table),
        ];
        tables.extend(more.into_iter().flatten());
        for maps in &self.groups {
            tables.push(group_table(maps));
            tables.push(test_table(maps));
        }
        tables.extend(self.promises.as_deref().map(promise_table));
        tables.push(health_table(&self.health));
        tables.extend(self.returns.as_ref().map(Returns::table));
        if let Some(told) = &self.responders {
            tables.push(responder_table(&told.questions));
            tables.push(satisfaction_table(&told.goals));
        }
        tables.push(self.placement_table());
        tables.push(self.stage_channel_table());
        tables.push(self.orphan_table());
        tables.push(self.base_table());
        tables
    }

    crate::report::held!();
}

pub(super) fn text<T>(rows: &[T], of: impl Fn(&T) -> String) -> Cells {
    Cells::Text(rows.iter().map(|r| Some(of(r))).collect())
}

pub(super) fn maybe<T>(rows: &[T], of: impl Fn(&T) -> Option<String>) -> Cells {
    Cells::Text(rows.iter().map(of).collect())
}

pub(super) fn count<T>(rows: &[T], of: impl Fn(&T) -> u64) -> Cells {
    Cells::Count(rows.iter().map(|r| Some(of(r))).collect())
}

pub(super) fn rate<T>(rows: &[T], of: impl Fn(&T) -> Rate) -> Cells {
    Cells::Rate(rows.iter().map(|r| Some(of(r))).collect())
}

pub(super) fn estimate<T>(rows: &[T], of: impl Fn(&T) -> Option<Estimate>) -> Cells {
    Cells::Estimate(rows.iter().map(of).collect())
}

pub(super) fn chance<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> Cells {
    Cells::Probability(rows.iter().map(of).collect())
}

/// Why there is no time, with the value where only its upper limit is missing.
fn hole<T>(rows: &[T], of: impl Fn(&T) -> Option<TimeHole>) -> Cells {
    const SECOND: i64 = 1_000_000;
    // As many units as people read.
    let length = |micros: i64| {
        let step = match micros / SECOND {
            0..10 => SECOND / 1_000,
            10..3_600 => SECOND,
            3_600..172_800 => 60 * SECOND,
            _ => 3_600 * SECOND,
        };
        let rounded = micros.saturating_add(step / 2) / step * step;
        TimeSpan::from_micros(rounded)
    };
    let told = |hole: TimeHole| match hole {
        TimeHole::NoUpperLimit { value, lower } => {
            format!("{}: {}, from {}", hole.word(), length(value), length(lower))
        }
        _ => hole.word().to_owned(),
    };
    maybe(rows, |r| of(r).map(told))
}

/// The columns of what is measured of a part.
fn cells<T>(table: Table, rows: &[T], of: impl Fn(&T) -> Option<&CellMeasure>) -> Table {
    let number =
        |f: fn(&CellMeasure) -> u64| Cells::Count(rows.iter().map(|r| of(r).map(f)).collect());
    let share =
        |f: fn(&CellMeasure) -> Rate| Cells::Rate(rows.iter().map(|r| of(r).map(f)).collect());
    let time = |f: fn(&CellMeasure) -> Option<Estimate>| estimate(rows, |r| of(r).and_then(f));
    table
        .with("reach", "Journeys here", share(|c| c.reach))
        .with(
            "customer_reach",
            "Customers here",
            share(|c| c.customer_reach),
        )
        .with("drop_off", "End here without a goal", share(|c| c.drop_off))
        .with("goal", "Reach a goal", share(|c| c.goal))
        .with(
            "goal_after",
            "Reach it here or after",
            share(|c| c.goal_after),
        )
        .with(
            "dwell_median",
            "Time here, median",
            time(|c| c.dwell.median),
        )
        .with("dwell_p90", "Time here, 90 %", time(|c| c.dwell.p90))
        .with(
            "dwell_median_hole",
            "Why no median",
            hole(rows, |r| of(r)?.dwell.median_hole),
        )
        .with(
            "dwell_p90_hole",
            "Why no 90 %",
            hole(rows, |r| of(r)?.dwell.p90_hole),
        )
        .with("entries", "Begin here", share(|c| c.entries))
        .with("forward", "Go on to a later stage", share(|c| c.forward))
        .with("skipping", "Pass a stage over", share(|c| c.skipping))
        .with("backward", "Go back", share(|c| c.backward))
        .with(
            "lift",
            "Goal rate with less without",
            time(|c| c.lift.and_then(|l| l.difference)),
        )
        .with("lift_q", "q", chance(rows, |r| of(r)?.lift?.q))
        .with("events", "Events", number(|c| c.events))
        .with("visits", "Visits", number(|c| c.visits))
        .with("arrivals", "From elsewhere", number(|c| c.arrivals))
        .with("departures", "To elsewhere", number(|c| c.departures))
        .with("exits", "End here", number(|c| c.exits))
        .with("exits_open", "Here now", number(|c| c.exits_open))
        .with("at_risk", "May still go on", number(|c| c.at_risk))
        .with("goal_before", "Goal only before", number(|c| c.goal_before))
        .with("dwell_n", "Times measured", number(|c| c.dwell.n))
        .with(
            "dwell_censored",
            "Times cut off",
            number(|c| c.dwell.censored),
        )
}

impl OverlayReport {
    fn stage_table(&self) -> Table {
        let rows = &self.stages[..];
        let table = Table::new("stages", "Stages")
            .with("stage", "Stage", text(rows, |s| s.id.clone()))
            .with("name", "Name", text(rows, |s| s.name.clone()))
            .with("level", "Place", count(rows, |s| s.level.into()));
        cells(table, rows, |s| Some(&s.cell))
            .with(
                "events_without_step",
                "Events without a step",
                count(rows, |s| s.events_without_step),
            )
            .with(
                "target",
                "Should take",
                Cells::Duration(rows.iter().map(|s| s.target_duration).collect()),
            )
    }

    fn touchpoint_table(&self) -> Table {
        let rows = &self.touchpoints[..];
        let table = Table::new("touchpoints", "Touchpoints")
            .with("touchpoint", "Touchpoint", text(rows, |t| t.id.clone()))
            .with("name", "Name", text(rows, |t| t.name.clone()))
            .with("stages", "Stages", text(rows, |t| t.stages.join(", ")))
            .with("channel", "Channel", maybe(rows, |t| t.channel.clone()))
            .with("owner", "Owner", maybe(rows, |t| t.owner.clone()));
        cells(table, rows, |t| t.cell.as_ref())
            .with(
                "matched",
                "Events that match",
                Cells::Count(rows.iter().map(|t| t.matched).collect()),
            )
            .with(
                "outcome",
                "Went well",
                Cells::Rate(rows.iter().map(|t| t.outcome).collect()),
            )
            .with(
                "observability",
                "Leaves traces",
                text(rows, |t| t.observability.clone()),
            )
    }

    fn step_table(&self) -> Table {
        let rows = &self.steps[..];
        let table = Table::new("steps", "Steps")
            .with("step", "Step", text(rows, |s| s.id.clone()))
            .with("name", "Name", text(rows, |s| s.name.clone()))
            .with("stage", "Stage", text(rows, |s| s.stage.clone()));
        cells(table, rows, |s| Some(&s.cell))
    }

    fn channel_table(&self) -> Table {
        let rows = &self.channels[..];
        let table = Table::new("channels", "Channels")
            .with("channel", "Channel", text(rows, |c| c.id.clone()))
            .with("name", "Name", text(rows, |c| c.name.clone()))
            .with("kind", "Kind", text(rows, |c| c.kind.clone()));
        cells(table, rows, |c| Some(&c.cell))
    }

    fn persona_table(&self) -> Table {
        let rows = &self.personas[..];
        Table::new("personas", "Personas")
            .with("persona", "Persona", text(rows, |p| p.id.clone()))
            .with("name", "Name", text(rows, |p| p.name.clone()))
            .with("share", "Customers", rate(rows, |p| p.share))
            .with(
                "declared_share",
                "Share on the map",
                Cells::Share(rows.iter().map(|p| p.declared_share).collect()),
            )
            .with("journeys", "Journeys", count(rows, |p| p.journeys))
            .with("events", "Events", count(rows, |p| p.events))
            .with("reach", "Journeys on the map", rate(rows, |p| p.reach))
            .with("drop_off", "End without a goal", rate(rows, |p| p.drop_off))
            .with("goal", "Reach a goal", rate(rows, |p| p.goal))
            .with("open", "May still go on", count(rows, |p| p.open))
    }

    fn goal_table(&self) -> Table {
        let rows = &self.goals[..];
        Table::new("goals", "Goals")
            .with("goal", "Goal", text(rows, |g| g.id.clone()))
            .with("text", "What is wanted", text(rows, |g| g.text.clone()))
            .with("rate", "Journeys that reach it", rate(rows, |g| g.rate))
            .with("events", "Events", count(rows, |g| g.events))
    }

    fn edge_table(&self) -> Table {
        let rows = &self.edges[..];
        Table::new("edges", "Ways from one to the next")
            .with("kind", "Between", text(rows, |e| e.kind.word().to_owned()))
            .with("from", "From", text(rows, |e| e.from.clone()))
            .with("to", "To", text(rows, |e| e.to.clone()))
            .with(
                "direction",
                "Direction",
                maybe(rows, |e| e.direction.map(|d| d.word().to_owned())),
            )
            .with("share", "Of ways away", rate(rows, |e| e.share))
            .with("reach", "Journeys", rate(rows, |e| e.reach))
            .with(
                "goal_after",
                "Reach a goal after",
                rate(rows, |e| e.goal_after),
            )
            .with(
                "between_median",
                "Time between, median",
                estimate(rows, |e| e.between.median),
            )
            .with(
                "between_p90",
                "Time between, 90 %",
                estimate(rows, |e| e.between.p90),
            )
            .with("customers", "Customers", count(rows, |e| e.customers))
    }

    fn conversion_table(&self) -> Table {
        let rows = &self.order.conversion[..];
        Table::new("conversion", "Stages as a funnel")
            .with("level", "Place", count(rows, |s| s.level.into()))
            .with("stages", "Stages", text(rows, |s| s.stages.join(", ")))
            .with("of_all", "Of all", rate(rows, |s| s.of_all))
            .with("of_entered", "Of entered", rate(rows, |s| s.of_entered))
            .with("of_previous", "Of previous", rate(rows, |s| s.of_previous))
    }

    fn furthest_table(&self) -> Table {
        let rows = &self.order.furthest[..];
        Table::new("furthest", "How far journeys come")
            .with("stage", "Stage", text(rows, |s| s.stage.clone()))
            .with("rate", "Furthest stage of", rate(rows, |s| s.rate))
    }

    fn order_table(&self) -> Table {
        let mut rows = vec![
            ("begin later than the first stage", self.order.late_starts),
            ("pass a stage over", self.order.skips),
            ("go back", self.order.regressions),
            ("use several channels", self.channel_use.fragmented),
        ];
        rows.extend(
            self.order
                .forced
                .as_ref()
                .map(|f| ("are brought to a decision too fast", f.rate)),
        );
        Table::new("order", "In which order")
            .with("what", "Journeys that", text(&rows, |r| r.0.to_owned()))
            .with("rate", "Share", rate(&rows, |r| r.1))
    }

    fn handover_table(&self) -> Table {
        let rows = &self.handovers[..];
        Table::new("handovers", "Hand-overs")
            .with("by", "Between", text(rows, |h| h.by.clone()))
            .with("from", "From", maybe(rows, |h| h.from.clone()))
            .with("to", "To", maybe(rows, |h| h.to.clone()))
            .with("count", "How often", count(rows, |h| h.count))
            .with("journeys", "Journeys", count(rows, |h| h.journeys))
            .with(
                "changed",
                "Goal after the change",
                rate(rows, |h| h.goal.with),
            )
            .with(
                "stayed",
                "Goal after staying",
                rate(rows, |h| h.goal.without),
            )
            .with(
                "difference",
                "Difference",
                estimate(rows, |h| h.goal.difference),
            )
            .with("p", "p", chance(rows, |h| h.goal.p))
            .with("q", "q", chance(rows, |h| h.goal.q))
    }

    fn placement_table(&self) -> Table {
        let rows = &self.placements[..];
        Table::new("placements", "Events of touchpoints by stage and step")
            .with(
                "touchpoint",
                "Touchpoint",
                text(rows, |p| p.touchpoint.clone()),
            )
            .with("stage", "Stage", maybe(rows, |p| p.stage.clone()))
            .with("step", "Step", maybe(rows, |p| p.step.clone()))
            .with("events", "Events", count(rows, |p| p.events))
    }

    fn stage_channel_table(&self) -> Table {
        let rows = &self.stage_channels[..];
        Table::new("stage_channels", "Events of stages by channel")
            .with("stage", "Stage", text(rows, |c| c.stage.clone()))
            .with("channel", "Channel", maybe(rows, |c| c.channel.clone()))
            .with("events", "Events", count(rows, |c| c.events))
    }

    fn orphan_table(&self) -> Table {
        let rows = &self.coverage.orphans[..];
        Table::new("unmapped", "Events that belong to no touchpoint")
            .with("event", "Event", text(rows, |o| o.event.clone()))
            .with("events", "Events", count(rows, |o| o.events))
    }

    fn base_table(&self) -> Table {
        let base = &self.base;
        let rows = [
            ("customers", base.customers),
            ("journeys", base.journeys),
            ("journeys that reached a goal", base.reached),
            ("journeys that ended without one", base.dropped),
            ("journeys that may still go on", base.open),
            ("journeys off the map", base.off_map),
            ("events", base.events),
            ("events that belong to a touchpoint", base.bound_events),
            (
                "events outside of the window",
                base.outside_window.0.saturating_add(base.outside_window.1),
            ),
        ];
        Table::new("base", "Over what")
            .with("what", "What", text(&rows, |r| r.0.to_owned()))
            .with("count", "Count", count(&rows, |r| r.1))
    }
}

fn trend_table(trend: &Trend) -> Table {
    let rows: Vec<(&TrendRow, usize)> = trend
        .rows
        .iter()
        .flat_map(|row| (0..trend.periods.len()).map(move |p| (row, p)))
        .collect();
    let rate = |of: fn(&TrendRow) -> &Vec<Rate>| {
        Cells::Rate(rows.iter().map(|(r, p)| of(r).get(*p).copied()).collect())
    };
    Table::new("trend", format!("By {}", trend.unit))
        .with("kind", "Part", text(&rows, |r| r.0.kind.word().to_owned()))
        .with("id", "Id", text(&rows, |r| r.0.id.clone()))
        .with(
            "period",
            "Period",
            text(&rows, |r| trend.periods[r.1].name.clone()),
        )
        .with(
            "complete",
            "Complete",
            Cells::Flag(
                rows.iter()
                    .map(|r| Some(trend.periods[r.1].complete))
                    .collect(),
            ),
        )
        .with("reach", "Journeys here", rate(|r| &r.reach))
        .with("goal", "Reach a goal", rate(|r| &r.goal))
}

/// The name of a table by what its groups are.
fn named(by: &str, persona: &'static str, period: &'static str) -> &'static str {
    if by == "period" { period } else { persona }
}

fn group_table(maps: &GroupMaps) -> Table {
    let rows: Vec<(&GroupMap, &GroupCell)> = maps
        .groups
        .iter()
        .flat_map(|group| group.cells.iter().map(move |cell| (group, cell)))
        .collect();
    let name = named(&maps.by, "by_persona", "by_period");
    let mut table = Table::new(name, format!("By {}", maps.by))
        .with("group", maps.by.clone(), text(&rows, |r| r.0.id.clone()))
        .with("kind", "Part", text(&rows, |r| r.1.kind.word().to_owned()))
        .with("id", "Id", text(&rows, |r| r.1.id.clone()))
        .with("customers", "Customers", count(&rows, |r| r.1.customers));
    let labels = ["Journeys here", "End here without a goal", "Reach a goal"];
    for (kind, label) in MeasureKind::ALL.into_iter().zip(labels) {
        let shrunk = format!("{}_shrunk", kind.word());
        table = table
            .with(kind.word(), label, rate(&rows, |r| r.1.rate(kind).raw))
            .with(
                shrunk,
                format!("{label}, shrunk"),
                estimate(&rows, |r| r.1.rate(kind).shrunk),
            );
    }
    table
}

fn test_table(maps: &GroupMaps) -> Table {
    let rows = &maps.tests[..];
    let number = |of: fn(&GroupTest) -> Option<f64>| Cells::Number(rows.iter().map(of).collect());
    let name = named(&maps.by, "persona_tests", "period_tests");
    Table::new(name, format!("Whether each {} differs", maps.by))
        .with("kind", "Part", text(rows, |t| t.kind.word().to_owned()))
        .with("id", "Id", text(rows, |t| t.id.clone()))
        .with("measure", "Of", text(rows, |t| t.measure.word().to_owned()))
        .with("groups", "Groups", count(rows, |t| t.groups))
        .with(
            "statistic",
            "Chi-square",
            number(|t| t.test.map(|t| t.statistic)),
        )
        .with("df", "Degrees of freedom", number(|t| t.test?.df))
        .with("p", "p", chance(rows, |t| t.test.map(|t| t.p)))
        .with("q", "q", chance(rows, |t| t.q))
        .with(
            "prior_alpha",
            "Prior, alpha",
            number(|t| t.prior.map(|p| p.alpha)),
        )
        .with(
            "prior_beta",
            "Prior, beta",
            number(|t| t.prior.map(|p| p.beta)),
        )
}
