//! What a person reads of when people come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock::{DAYS, HOURS};
use super::state::Slot;
use super::{CalendarPartial, CalendarPlan, day_name, hour_name};
use crate::report::{Base, Caveat, Cells, Rate, Report, TOO_FEW, Table};

/// When people come, begin journeys and reach the goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarReport {
    /// The zone whose clocks count.
    pub time_zone: String,
    /// What counts as reaching the goal, if one was given.
    pub goal: Option<String>,
    /// All events; the hours, the days and the hours of the week add up to it.
    pub events: u64,
    /// All journeys; so do their starts.
    pub journeys: u64,
    /// All customers.
    pub customers: u64,
    /// Journeys that reached the goal, if one was given.
    pub goals: Option<u64>,
    /// Journeys that may still go on and count in no conversion, if a goal was given.
    pub open: Option<u64>,
    /// The 24 hours of the day, from midnight.
    pub hours: Vec<CalendarSlot>,
    /// The seven days, from the first of the week.
    pub weekdays: Vec<CalendarSlot>,
    /// The 168 hours of the week, in the same order.
    pub week: Vec<CalendarCell>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// An hour of the day or a day of the week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarSlot {
    /// Which one: `08:00` for the hour from eight, or `Monday`.
    pub slot: String,
    /// Events in it, of all events.
    pub events: Rate,
    /// Journeys that begin in it, of all journeys.
    pub starts: Rate,
    /// Journeys that reach the goal in it, of all that do, if one was given.
    pub goals: Option<Rate>,
    /// Of the journeys that begin in it, those that reach the goal at any time, if one was given.
    pub conversion: Option<Rate>,
}

/// An hour of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarCell {
    /// The day.
    pub weekday: String,
    /// The hour, from 0 to 23.
    pub hour: u32,
    /// Events in it.
    pub events: u64,
    /// Journeys that begin in it.
    pub starts: u64,
    /// Journeys that reach the goal in it, if one was given.
    pub goals: Option<u64>,
}

pub(super) fn finish(plan: &CalendarPlan, partial: &CalendarPartial) -> CalendarReport {
    let has_goal = plan.goal.is_some();
    let slot = |name: String, slot: Slot| CalendarSlot {
        slot: name,
        events: Rate::clustered(&partial.events.share(slot), Base::OfAll, plan.level),
        starts: Rate::clustered(&partial.starts.share(slot), Base::OfAll, plan.level),
        goals: has_goal
            .then(|| Rate::clustered(&partial.goals.share(slot), Base::OfAll, plan.level)),
        conversion: has_goal
            .then(|| Rate::clustered(&partial.conversion(slot), Base::OfKnown, plan.level)),
    };
    let days = || (0..DAYS).map(|d| (d + plan.first_day) % DAYS);
    let week = days().flat_map(|day| (0..HOURS).map(move |hour| (day, hour)));
    let cells = week.map(|(day, hour)| {
        let of = |counts: &[u64]| counts.get(day * HOURS + hour).copied().unwrap_or(0);
        CalendarCell {
            weekday: day_name(day).to_owned(),
            hour: hour as u32,
            events: of(&partial.events.cells),
            starts: of(&partial.starts.cells),
            goals: has_goal.then(|| of(&partial.goals.cells)),
        }
    });
    let mut report = CalendarReport {
        time_zone: plan.zone.clone(),
        goal: plan.goal_text.clone(),
        events: partial.events.all.n,
        journeys: partial.starts.all.n,
        customers: partial.starts.all.m,
        goals: has_goal.then_some(partial.goals.all.n),
        open: has_goal.then_some(partial.open),
        hours: (0..HOURS)
            .map(|h| slot(hour_name(h), Slot::Hour(h)))
            .collect(),
        weekdays: days()
            .map(|d| slot(day_name(d).to_owned(), Slot::Day(d)))
            .collect(),
        week: cells.collect(),
        caveats: Vec::new(),
    };
    report.caveats = caveats(&report);
    report
}

fn caveats(report: &CalendarReport) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if let Some(open) = report.open.filter(|open| *open > 0) {
        caveats.push(Caveat::JourneysOpen {
            journeys: open,
            of: report.journeys,
        });
    }
    let slots = report.hours.iter().chain(&report.weekdays);
    let rates = slots.flat_map(|s| [Some(s.events), Some(s.starts), s.goals, s.conversion]);
    let cells = rates.flatten().filter(Rate::too_few).count() as u64;
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "shares".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    caveats
}

impl Report for CalendarReport {
    fn title(&self) -> &'static str {
        "When people come"
    }

    fn tables(&self) -> Vec<Table> {
        vec![
            self.slots("hours", "By hour of the day", "hour", "Hour", &self.hours),
            self.slots(
                "weekdays",
                "By day of the week",
                "weekday",
                "Day",
                &self.weekdays,
            ),
            self.week_table(),
        ]
    }

    crate::report::held!();
}

impl CalendarReport {
    fn slots(
        &self,
        name: &'static str,
        title: &str,
        column: &str,
        label: &str,
        slots: &[CalendarSlot],
    ) -> Table {
        let rates =
            |cell: fn(&CalendarSlot) -> Option<Rate>| Cells::Rate(slots.iter().map(cell).collect());
        let names = slots.iter().map(|s| Some(s.slot.clone())).collect();
        let table = Table::new(name, format!("{title}, {}", self.time_zone))
            .with(column, label, Cells::Text(names))
            .with("events", "Events", rates(|s| Some(s.events)))
            .with("starts", "Journeys begun", rates(|s| Some(s.starts)));
        match self.goals {
            None => table,
            Some(_) => table
                .with("goals", "Goals reached", rates(|s| s.goals))
                .with(
                    "conversion",
                    "Reach the goal of those begun",
                    rates(|s| s.conversion),
                ),
        }
    }

    fn week_table(&self) -> Table {
        let count = |cell: fn(&CalendarCell) -> Option<u64>| {
            Cells::Count(self.week.iter().map(cell).collect())
        };
        let days = self.week.iter().map(|c| Some(c.weekday.clone()));
        let table = Table::new("week", format!("By hour of the week, {}", self.time_zone))
            .with("weekday", "Day", Cells::Text(days.collect()))
            .with("hour", "Hour", count(|c| Some(c.hour.into())))
            .with("events", "Events", count(|c| Some(c.events)))
            .with("starts", "Journeys begun", count(|c| Some(c.starts)));
        match self.goals {
            None => table,
            Some(_) => table.with("goals", "Goals reached", count(|c| c.goals)),
        }
    }
}
