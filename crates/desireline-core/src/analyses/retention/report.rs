//! What a person reads of retention.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{Base, Caveat, Cells, Rate, Report, TOO_FEW, Table};
use crate::time::TimeSpan;

use super::{
    Birth, CohortPartial, PeriodUnit, Retention, RetentionMode, RetentionPartial, RetentionPlan,
    Weekday,
};

/// Who comes back, and when: cohorts by the time of their start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetentionReport {
    /// What starts a customer's time; absent for any event.
    pub start: Option<String>,
    /// What counts as coming back; absent for any event.
    pub returns: Option<String>,
    /// In which periods a customer has to come back.
    pub mode: RetentionMode,
    /// The calendar unit of cohorts, and of periods unless they are rolling.
    pub unit: PeriodUnit,
    /// The length of periods that begin with each customer's own start; absent for calendar periods.
    pub rolling: Option<TimeSpan>,
    /// The zone whose midnight counts.
    pub time_zone: String,
    /// The day that weeks begin with.
    pub week_start: Weekday,
    /// Which of the customer's matching events is the start.
    pub birth: Birth,
    /// Whether the start event itself can be a return.
    pub include_start: bool,
    /// Customers with a selected journey: started + not started.
    pub customers: u64,
    /// Customers with a start: those of all cohorts.
    pub started: u64,
    /// Customers without.
    pub not_started: u64,
    /// The names of the columns: `week 3`, or `weeks 4 to 7`.
    pub columns: Vec<String>,
    /// Column by column over all cohorts whose cell is complete.
    pub overall: Vec<OverallCell>,
    /// The cohorts with customers, the earliest first.
    pub cohorts: Vec<Cohort>,
    /// Cells whose periods have begun and are not over.
    pub incomplete: u64,
    /// Cells whose periods have not begun.
    pub not_begun: u64,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// One column over all cohorts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverallCell {
    /// The column's first period.
    pub from: u32,
    /// The period after its last.
    pub until: u32,
    /// How many cohorts are complete there.
    pub cohorts: u64,
    /// Retained of the customers of these cohorts.
    pub rate: Rate,
    /// The mean of these cohorts' rates, if it was asked for and there is one.
    pub mean: Option<f64>,
}

/// The customers who started in one calendar period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cohort {
    /// The period's first day; for months, year and month.
    pub cohort: String,
    /// The period's first instant, microseconds since 1970 UTC.
    pub begins: i64,
    /// Customers who started in it.
    pub customers: u64,
    /// Column by column.
    pub cells: Vec<RetentionCell>,
}

/// One cohort in one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetentionCell {
    /// The column's first period.
    pub from: u32,
    /// The period after its last.
    pub until: u32,
    /// Whether the column's periods are over for all of the cohort.
    pub state: CellState,
    /// Customers retained, as far as is known.
    pub retained: u64,
    /// Retained of the cohort; absent unless the cell is complete.
    pub rate: Option<Rate>,
}

/// Whether what a cell counts is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellState {
    /// Its periods are over for all of the cohort.
    Complete,
    /// They have begun, but end after the end of observation.
    Incomplete,
    /// They begin after the end of observation.
    NotBegun,
}

impl CellState {
    fn word(self) -> &'static str {
        match self {
            CellState::Complete => "complete",
            CellState::Incomplete => "incomplete",
            CellState::NotBegun => "not begun",
        }
    }
}

/// What a column is called: `week 3`, `weeks 4 to 7`; `period 3` where periods are rolling.
pub(super) fn column_name(spec: &Retention, (from, until): (u32, u32)) -> String {
    let word = match spec.rolling {
        Some(_) => "period",
        None => spec.unit.word(),
    };
    match until.saturating_sub(1) {
        last if last > from => format!("{word}s {from} to {last}"),
        _ => format!("{word} {from}"),
    }
}

pub(super) fn finish(plan: &RetentionPlan, partial: &RetentionPartial) -> RetentionReport {
    let spec = &plan.spec;
    let rate = |count, n, base| Rate::simple(count, n, base, spec.level);
    let overall = partial.sums(plan).into_iter().zip(&plan.columns);
    let overall = overall.map(|(sum, &(from, until))| OverallCell {
        from,
        until,
        cohorts: sum.cohorts,
        rate: rate(sum.retained, sum.customers, Base::OfStarted),
        mean: (spec.simple_mean && sum.cohorts > 0).then(|| sum.rates / sum.cohorts as f64),
    });
    let cell = |place: usize, cohort: &CohortPartial, i: usize| {
        let (from, until) = plan.columns[i];
        let retained = cohort.retained.get(i).copied().unwrap_or(0);
        let state = plan.state(place, cohort.births, (from, until));
        RetentionCell {
            from,
            until,
            state,
            retained,
            rate: (state == CellState::Complete)
                .then(|| rate(retained, cohort.customers, Base::OfCohort)),
        }
    };
    let cohorts = partial.known().map(|(place, cohort)| Cohort {
        cohort: plan.calendar.name(place),
        begins: plan.calendar.begins(place).unwrap_or(i64::MIN),
        customers: cohort.customers,
        cells: (0..plan.columns.len())
            .map(|i| cell(place, cohort, i))
            .collect(),
    });
    let started = partial.started();
    let mut report = RetentionReport {
        start: spec.start.as_ref().map(ToString::to_string),
        returns: spec.returns.as_ref().map(ToString::to_string),
        mode: spec.mode,
        unit: spec.unit,
        rolling: spec.rolling,
        time_zone: spec.time_zone.clone(),
        week_start: spec.week_start,
        birth: spec.birth,
        include_start: spec.include_start,
        customers: partial.n_customers,
        started,
        not_started: partial.n_customers.saturating_sub(started),
        columns: plan.columns.iter().map(|&c| column_name(spec, c)).collect(),
        overall: overall.collect(),
        cohorts: cohorts.collect(),
        incomplete: 0,
        not_begun: 0,
        caveats: Vec::new(),
    };
    let count = |state| report.cells().filter(|(_, c)| c.state == state).count() as u64;
    (report.incomplete, report.not_begun) =
        (count(CellState::Incomplete), count(CellState::NotBegun));
    report.caveats = caveats(&report);
    report
}

fn caveats(report: &RetentionReport) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if report.incomplete > 0 {
        caveats.push(Caveat::PeriodsIncomplete {
            cells: report.incomplete,
            of: report.cells().count() as u64 - report.not_begun,
        });
    }
    let overall = report.overall.iter().filter(|o| o.cohorts > 0);
    let overall = overall.map(|o| &o.rate);
    let rates = report.cells().filter_map(|(_, c)| c.rate.as_ref());
    let cells = rates.chain(overall).filter(|r| r.too_few()).count() as u64;
    if cells > 0 {
        caveats.push(Caveat::TooFew {
            what: "rates".to_owned(),
            cells,
            least: TOO_FEW,
        });
    }
    caveats
}

impl Report for RetentionReport {
    fn title(&self) -> &'static str {
        "Retention"
    }

    fn tables(&self) -> Vec<Table> {
        vec![self.overall_table(), self.cohort_table()]
    }

    crate::report::held!();
}

impl RetentionReport {
    /// All cells with their cohorts, row by row.
    pub fn cells(&self) -> impl Iterator<Item = (&Cohort, &RetentionCell)> {
        self.cohorts
            .iter()
            .flat_map(|cohort| cohort.cells.iter().map(move |cell| (cohort, cell)))
    }

    /// The question in words: `back on or after the week, Europe/Berlin`.
    pub fn told(&self) -> String {
        let unit = match (self.rolling, self.unit) {
            (Some(length), _) => format!("period of {length} from each customer's start"),
            (None, PeriodUnit::Day) => format!("day ({})", self.time_zone),
            (None, PeriodUnit::Week) => {
                format!("week ({}, from {:?})", self.time_zone, self.week_start)
            }
            (None, PeriodUnit::Month) => format!("month ({})", self.time_zone),
        };
        let mode = match self.mode {
            RetentionMode::On => "back in that",
            RetentionMode::OnOrAfter => "back in that or any later",
            RetentionMode::OnOrBefore => "back in that or any earlier",
            RetentionMode::Bracket => "back in any of the bracket, counted by",
            RetentionMode::Streak => "back in every one from 1 to that",
        };
        let event = |text: &Option<String>| match text {
            Some(text) => text.clone(),
            None => "any event".to_owned(),
        };
        let (start, returns) = (event(&self.start), event(&self.returns));
        format!("{mode} {unit}; start: {start}; return: {returns}")
    }

    fn overall_table(&self) -> Table {
        let all = || self.overall.iter();
        let names = self.columns.iter().map(|n| Some(n.clone())).collect();
        let cohorts = all().map(|o| Some(o.cohorts)).collect();
        let rates = all().map(|o| Some(o.rate)).collect();
        let table = Table::new("overall", "Retained, over all complete cohorts")
            .with("period", "Period", Cells::Text(names))
            .with("cohorts", "Cohorts", Cells::Count(cohorts))
            .with("retained", "Retained", Cells::Rate(rates));
        match all().any(|o| o.mean.is_some()) {
            true => table.with(
                "mean",
                "Mean of the cohorts",
                Cells::Share(all().map(|o| o.mean).collect()),
            ),
            false => table,
        }
    }

    fn cohort_table(&self) -> Table {
        let all = || self.cells();
        let columns = self.columns.iter().cycle().cloned().map(Some);
        Table::new("cells", "Retained by cohort and period")
            .with(
                "cohort",
                "Started",
                Cells::Text(all().map(|(c, _)| Some(c.cohort.clone())).collect()),
            )
            .with(
                "customers",
                "Customers",
                Cells::Count(all().map(|(c, _)| Some(c.customers)).collect()),
            )
            .with(
                "period",
                "Period",
                Cells::Text(columns.take(all().count()).collect()),
            )
            .with(
                "from",
                "From",
                Cells::Count(all().map(|(_, c)| Some(c.from.into())).collect()),
            )
            .with(
                "seen",
                "Retained so far",
                Cells::Count(all().map(|(_, c)| Some(c.retained)).collect()),
            )
            .with(
                "retained",
                "Retained",
                Cells::Rate(all().map(|(_, c)| c.rate).collect()),
            )
            .with(
                "state",
                "State",
                Cells::Text(
                    all()
                        .map(|(_, c)| Some(c.state.word().to_owned()))
                        .collect(),
                ),
            )
    }
}
