//! The numbers that a map watches, measured where it watches them.

use std::collections::BTreeMap;
use std::sync::Arc;

use desireline_stats::{Estimate, Unit};

use self::heard::{Heard, asks};
use super::Overlay;
use super::finish::least;
use super::plan::window_of;
use super::report::KpiMeasure;
use super::run::select;
use super::voice::ListenOptions;
use crate::engine::{Analysis as _, DynAnalysis, Exec};
use crate::error::Result;
use crate::expr::Expr;
use crate::feedback::{Feedback, Measured, Measuring};
use crate::journey::{Journeys, Matcher};
use crate::kpi::alert::{lasted, stands, threshold};
use crate::kpi::{ExternalTable, Kpi, KpiReport, PeriodLength};
use crate::log::Catalog;
use crate::map::{Compare, Id, JourneyMap, KnownKpi, KpiBinding, KpiUnit, Param, Quantity};

mod heard;
#[cfg(test)]
mod tests;

/// What besides the log KPIs are made of.
#[derive(Clone, Debug, Default)]
pub struct KpiSources {
    /// Tables of numbers that no log has; a binding's `source` names one.
    pub tables: Vec<Arc<ExternalTable>>,
    /// What customers said. A KPI of the whole map is measured from all of it, one at a stage, touchpoint or channel from what was said about that.
    pub answers: Option<Arc<Feedback>>,
    /// How answers belong to touchpoints.
    pub listening: ListenOptions,
}

/// Measures every KPI that a map watches, in one pass over the log for each part of the map that needs its own journeys.
///
/// A KPI at a stage, touchpoint or channel is about the events bound to it: they fill the setting that says where (`entry` of a
/// conversion, `at` of a drop-off, `touch` of reach, `of` of revenue and rework, `enter` of a time on stage; `leave` are the
/// stages after it). A KPI without such a setting is measured over the journeys that have such an event. Goals that a binding
/// does not name are the map's.
///
/// KPIs of answers are measured from the answers about the place: declared ones, and those near in time to a touch of it ([`ListenOptions`]).
///
/// The map's scope is minded as in [`overlay`](super::overlay): events outside of its window, events that it excludes and journeys outside of its segment
/// do not count, the end of the window is the end of observation, and answers and rows of tables with a time or day outside of it are left out.
///
/// A target is met, or missed, where the whole interval is on one side of it; between, it is undecided. A KPI that cannot be
/// measured has a hole with the reason: nothing is skipped. An alert that has to last is held against whole days, weeks or months
/// ([`KpiReport::alert`]); one whose KPI has no series is left open.
///
/// # Errors
/// Those of running: cancelled, or over the memory budget.
pub fn measure_kpis(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    sources: &KpiSources,
    exec: &Exec,
) -> Result<Vec<KpiMeasure>> {
    let selected = select(map, journeys)?;
    let journeys = selected.as_ref().unwrap_or(journeys);
    let catalog = journeys.catalog();
    let asking = Asking {
        map,
        how,
        sources,
        catalog,
        heard: Heard::new(map, journeys, sources, exec)?,
        window: window_of(map)?,
    };
    let mut rows: Vec<KpiMeasure> = Vec::with_capacity(map.kpis.len());
    // What is asked of which journeys, so that those alike share a pass.
    let mut asked: BTreeMap<Option<String>, Vec<(usize, Kpi)>> = BTreeMap::new();
    for (place, binding) in map.kpis.iter().enumerate() {
        let mut row = empty(map, binding, how);
        if binding.kpi.known().is_none() {
            from_table(&mut row, binding, &asking);
            rows.push(row);
            continue;
        }
        if let Some(response) = asking.response(binding) {
            (row.value, row.n) = (response.estimate, response.n);
            row.hole = response.hole.map(|h| h.message(response.n));
            if let Some(e) = response.estimate {
                judge(&mut row, &e, binding, KpiUnit::Share, None);
            }
            rows.push(row);
            continue;
        }
        let counts_answers = binding.kpi.known().is_some_and(|k| k.number == "K23");
        if counts_answers && asking.heard.is_some() {
            row.hole = Some("how much is heard is measured at a touchpoint".to_owned());
            rows.push(row);
            continue;
        }
        match asking.question(binding) {
            Ok((only, kpi)) => {
                let kpi = kpi.cut_by(journeys.rule());
                // What has to last is a series, unless the KPI has none.
                let series = Kpi {
                    per: None,
                    ..kpi.clone()
                };
                let fits = kpi
                    .plan(catalog)
                    .map(|_| kpi)
                    .or_else(|e| match series.plan(catalog) {
                        Ok(_) => Ok(series),
                        Err(_) => Err(e),
                    });
                match fits {
                    Ok(kpi) => asked.entry(only).or_default().push((place, kpi)),
                    Err(e) => row.hole = Some(e.to_string()),
                }
            }
            Err(reason) => row.hole = Some(reason),
        }
        rows.push(row);
    }
    for (only, kpis) in asked {
        let kept = match &only {
            Some(expr) => journeys.keep_journeys(expr)?,
            None => journeys.clone(),
        };
        let analyses: Vec<Box<dyn DynAnalysis>> = kpis
            .iter()
            .map(|(_, kpi)| Box::new(kpi.clone()) as Box<dyn DynAnalysis>)
            .collect();
        for ((place, _), answer) in kpis.iter().zip(kept.run_dyn(&analyses, exec)?) {
            let report = answer.report.into_any().downcast::<KpiReport>();
            if let (Ok(report), Some(row), Some(binding)) =
                (report, rows.get_mut(*place), map.kpis.get(*place))
            {
                fill(row, &report, binding);
            }
        }
    }
    Ok(rows)
}

/// A KPI of the map's own whose numbers stand in a table, such as visitors counted at a door: their sum where it counts, their
/// mean over the rows otherwise.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // saturate
fn from_table(row: &mut KpiMeasure, binding: &KpiBinding, asking: &Asking<'_>) {
    let (how, sources) = (asking.how, asking.sources);
    let least = least(asking.map, how);
    let wanted = |t: &&Arc<ExternalTable>| binding.source.as_deref() == Some(t.name());
    let Some(table) = sources.tables.iter().find(wanted) else {
        row.hole = Some(match &binding.source {
            Some(name) => format!("the table `{name}` was not given"),
            None => "a KPI of the map's own without a table as its `source`".to_owned(),
        });
        return;
    };
    let of_window = asking.window.as_ref().map(|(from, to, zone)| {
        let here = |t: i64| (*from..*to).contains(&t);
        table.on_days(|day| day.micros_in(zone).is_none_or(here))
    });
    let table = of_window.as_ref().unwrap_or(table);
    let mut names = table.number_names();
    let own = binding.kpi.as_str();
    let column = match (table.has(own), names.next(), names.next()) {
        (true, _, _) => own,
        (false, Some(only), None) => only,
        _ => {
            row.hole = Some(format!(
                "the table `{}` has no numbers called `{own}`",
                table.name()
            ));
            return;
        }
    };
    let numbers: Vec<f64> = table
        .number(column)
        .unwrap_or_default()
        .iter()
        .flatten()
        .copied()
        .collect();
    row.n = numbers.len() as u64;
    let unit = binding.unit.unwrap_or(KpiUnit::Count);
    row.value = match unit {
        KpiUnit::Count => {
            let sum = table.sum(column, None).ok().flatten();
            sum.filter(|s| *s >= 0.0)
                .and_then(|s| desireline_stats::garwood(s.round() as u64, how.level))
        }
        _ if row.n < least => None,
        _ => {
            let each: Vec<(i64, u32)> = numbers
                .iter()
                .map(|x| ((x * 1e6).round() as i64, 1))
                .collect();
            desireline_stats::bootstrap_t(&each, 0, how.level).and_then(|e| {
                let limits = (e.lower / 1e6, e.upper / 1e6);
                Estimate::new(e.value / 1e6, limits, e.level, e.n, e.method, Unit::Ratio)
            })
        }
    };
    match row.value {
        Some(e) => judge(row, &e, binding, unit, None),
        None => row.hole = Some(format!("too few (n={})", row.n)),
    }
    let (Some(e), Some(alert)) = (row.value, &binding.alert) else {
        return;
    };
    match threshold(alert.value, unit, None) {
        Ok(value) => {
            row.alert = match alert.lasting {
                None => Some(alert.op.holds(e.value, value)),
                Some(lasting) => lasted(&days(table, column, unit, alert.op, value), lasting),
            };
        }
        Err(reason) => row.hole = Some(reason),
    }
}

/// The days of a table, each with whether its number stands so: the sum of a count, the mean of anything else.
#[allow(clippy::cast_precision_loss)] // rows of a small table
fn days(
    table: &ExternalTable,
    column: &str,
    unit: KpiUnit,
    op: Compare,
    threshold: f64,
) -> Vec<((i64, i64), Option<bool>)> {
    const DAY: i64 = 86_400_000_000;
    let numbers = table.number(column).unwrap_or_default();
    let mut sums = BTreeMap::<i64, (f64, u64)>::new();
    for (day, number) in table.days().unwrap_or_default().iter().zip(numbers) {
        let Some(day) = day.micros_in("UTC") else {
            continue;
        };
        let sum = sums.entry(day).or_default();
        if let Some(x) = number {
            *sum = (sum.0 + x, sum.1 + 1);
        }
    }
    let stands = |(sum, n): (f64, u64)| match (n, unit) {
        (0, _) => None,
        (_, KpiUnit::Count) => Some(op.holds(sum, threshold)),
        (n, _) => Some(op.holds(sum / n as f64, threshold)),
    };
    sums.into_iter()
        .map(|(day, sum)| ((day, day + DAY), stands(sum)))
        .collect()
}

fn empty(map: &JourneyMap, binding: &KpiBinding, how: &Overlay) -> KpiMeasure {
    let language = how
        .language
        .as_deref()
        .unwrap_or_else(|| map.main_language());
    let name = binding.name.as_ref().map_or_else(
        || {
            binding
                .kpi
                .known()
                .map_or_else(|| binding.kpi.to_string(), |k| k.name.replace('_', " "))
        },
        |n| n.get(language).to_owned(),
    );
    let sign = |op: Compare, value: Quantity| format!("{} {value}", op.symbol());
    KpiMeasure {
        id: binding.id.to_string(),
        kpi: binding
            .kpi
            .known()
            .map_or_else(|| binding.kpi.to_string(), |k| k.name.to_owned()),
        name,
        at: binding.at.as_ref().map(ToString::to_string),
        value: None,
        n: 0,
        target: binding.target.as_ref().map(|t| {
            let by = t.by.map_or_else(String::new, |day| format!(" by {day}"));
            sign(t.op, t.value) + &by
        }),
        met: None,
        alert: None,
        hole: None,
    }
}

/// The setting that says where, and those that name the goal.
fn place_setting(known: &KnownKpi) -> Option<&'static str> {
    let names = ["entry", "at", "touch", "enter", "active", "of"];
    let place = names
        .into_iter()
        .find(|name| known.params.iter().any(|p| p.name == *name));
    // What is active is asked of the customer, not of the place.
    place.filter(|name| *name != "active" || known.number == "K06")
}

/// A map's questions to a log.
struct Asking<'a> {
    map: &'a JourneyMap,
    how: &'a Overlay,
    sources: &'a KpiSources,
    catalog: &'a Catalog,
    heard: Option<Heard<'a>>,
    /// From when to before when, and the zone of the days.
    window: Option<(i64, i64, String)>,
}

impl Asking<'_> {
    /// How many touches of a place were answered, where that is what is watched.
    fn response(&self, binding: &KpiBinding) -> Option<Measured> {
        let known = binding.kpi.known().filter(|k| k.number == "K23")?;
        debug_assert!(known.is_voice);
        let measuring = Measuring {
            level: self.how.level,
            least: least(self.map, self.how),
        };
        self.heard
            .as_ref()?
            .response(binding.at.as_ref()?, &measuring)
    }

    fn question(&self, binding: &KpiBinding) -> Result<(Option<String>, Kpi), String> {
        let Asking {
            map,
            how,
            sources,
            catalog,
            ..
        } = *self;
        let known = binding
            .kpi
            .known()
            .ok_or("a KPI of the map's own: its number is made elsewhere")?;
        let mut kpi = Kpi::new(known.name).level(how.level).min_n(least(map, how));
        kpi.params = binding.params.clone().unwrap_or_default();
        if let Some(per) = binding.per {
            kpi = kpi.variant(known.counting(binding.variant(), per)?);
        }
        let of_window = self.window.as_ref().map(|w| &w.2);
        if let Some(zone) = how.zone.as_ref().or(of_window) {
            kpi.time_zone.clone_from(zone);
        }
        kpi.between = self.window.as_ref().map(|w| (w.0, w.1));
        let lasting = binding.alert.as_ref().and_then(|a| a.lasting);
        kpi.per = lasting.map(PeriodLength::for_lasting);
        kpi.tables = match &binding.source {
            Some(name) => sources
                .tables
                .iter()
                .filter(|t| t.name() == name)
                .cloned()
                .collect(),
            None => sources.tables.clone(),
        };
        if asks(binding) {
            if let Some(heard) = &self.heard {
                kpi = kpi.answers(heard.at(binding.at.as_ref()));
            }
            return Ok((None, kpi));
        }
        let takes = |name: &str| known.params.iter().any(|p| p.name == name);
        let mut only = None;
        if let Some(at) = &binding.at {
            let here = events_at(map, at, catalog)?;
            match place_setting(known).filter(|name| !kpi.params.contains_key(*name)) {
                Some(name) => _ = kpi.params.insert(name.to_owned(), Param::Text(here)),
                None if place_setting(known).is_none() => only = Some(here),
                None => {}
            }
            if takes("leave")
                && !kpi.params.contains_key("leave")
                && let Some(after) = events_after(map, at, catalog)
            {
                kpi.params.insert("leave".to_owned(), Param::Text(after));
            }
        }
        if takes("goal") && !kpi.params.contains_key("goal") {
            let of_stage = |g: &&crate::map::CustomerGoal| {
                binding
                    .at
                    .as_ref()
                    .is_none_or(|at| g.stages.is_empty() || g.stages.contains(at))
            };
            let of_lens =
                |g: &&crate::map::CustomerGoal| how.goal.as_ref().is_none_or(|id| g.id == *id);
            let goals: Vec<&crate::map::CustomerGoal> = map.goals.iter().filter(of_lens).collect();
            let near = any_of(
                goals
                    .iter()
                    .copied()
                    .filter(of_stage)
                    .filter_map(|g| g.success.as_ref()),
                catalog,
            );
            let goals =
                near.or_else(|| any_of(goals.iter().filter_map(|g| g.success.as_ref()), catalog));
            if let Some(goals) = goals {
                kpi.params.insert("goal".to_owned(), Param::Text(goals));
            }
        }
        Ok((only, kpi))
    }
}

/// The events of a part of the map, those that the log has.
fn events_at(map: &JourneyMap, at: &Id, catalog: &Catalog) -> Result<String, String> {
    if let Some(channel) = map.channels.iter().find(|c| c.id == *at) {
        let quoted = |v: &str| format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""));
        let values: Vec<String> = match channel.values.is_empty() {
            true => vec![quoted(&channel.id.to_string())],
            false => channel.values.iter().map(|v| quoted(v)).collect(),
        };
        let text = format!("channel in [{}]", values.join(", "));
        let expr = Expr::parse(&text).map_err(|e| e.to_string())?;
        return match Matcher::new(&expr, catalog) {
            Ok(_) => Ok(text),
            Err(e) => Err(format!(
                "the log does not say what came through channel `{at}`: {e}"
            )),
        };
    }
    let here = map
        .touchpoints
        .iter()
        .filter(|t| t.id == *at || t.is_in(at) || t.step.as_ref() == Some(at));
    let bindings = here.filter_map(|t| t.binding.as_ref()).map(|b| &b.when);
    any_of(bindings, catalog).ok_or_else(|| format!("no event of this log is bound to `{at}`"))
}

/// The events of all stages after this one.
fn events_after(map: &JourneyMap, at: &Id, catalog: &Catalog) -> Option<String> {
    let place = map.stages.iter().position(|s| s.id == *at)?;
    let after = map.stages.get(place + 1..)?;
    let later = |t: &&crate::map::Touchpoint| !t.is_in(at) && after.iter().any(|s| t.is_in(&s.id));
    let bindings = map
        .touchpoints
        .iter()
        .filter(later)
        .filter_map(|t| t.binding.as_ref());
    any_of(bindings.map(|b| &b.when), catalog)
}

/// One condition for several, leaving out those that speak of what the log does not have.
fn any_of<'e>(all: impl Iterator<Item = &'e Expr>, catalog: &Catalog) -> Option<String> {
    let known: Vec<String> = all
        .filter(|e| Matcher::new(e, catalog).is_ok())
        .map(|e| format!("({e})"))
        .collect();
    (!known.is_empty()).then(|| known.join(" or "))
}

fn fill(row: &mut KpiMeasure, report: &KpiReport, binding: &KpiBinding) {
    let Some(first) = report.values.first() else {
        return;
    };
    row.value = first.estimate;
    row.n = first.n;
    row.hole.clone_from(&first.hole);
    if let Some(e) = first.estimate {
        judge(row, &e, binding, report.unit, report.currency.as_deref());
    }
    let Some(alert) = &binding.alert else { return };
    match report.alert(alert) {
        Ok(alert) => row.alert = alert,
        Err(reason) if first.estimate.is_some() => row.hole = Some(reason),
        Err(_) => {}
    }
}

/// Holds a value against a target.
fn judge(
    row: &mut KpiMeasure,
    e: &Estimate,
    binding: &KpiBinding,
    unit: KpiUnit,
    currency: Option<&str>,
) {
    if let Some(target) = &binding.target {
        match threshold(target.value, unit, currency) {
            Ok(value) => row.met = stands(e, target.op, value),
            Err(reason) => row.hole = Some(reason),
        }
    }
}
