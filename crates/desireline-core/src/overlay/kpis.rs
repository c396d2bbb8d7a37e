//! The numbers that a map watches, measured where it watches them.

use std::collections::BTreeMap;
use std::sync::Arc;

use desireline_stats::{Estimate, Unit};

use super::Overlay;
use super::finish::least;
use super::report::KpiMeasure;
use super::voice::ListenOptions;
use crate::engine::{Analysis as _, DynAnalysis, Exec};
use crate::error::Result;
use crate::expr::Expr;
use crate::feedback::Feedback;
use crate::journey::{Journeys, Matcher};
use crate::kpi::{ExternalTable, Kpi, KpiReport};
use crate::log::Catalog;
use crate::map::{Compare, Id, JourneyMap, KnownKpi, KpiBinding, KpiUnit, Param, Quantity};

/// What besides the log KPIs are made of.
#[derive(Clone, Debug, Default)]
pub struct KpiSources {
    /// Tables of numbers that no log has; a binding's `source` names one.
    pub tables: Vec<Arc<ExternalTable>>,
    /// What customers said. KPIs of the whole map are measured from it; at a place it is the place's feedback and feelings that tell.
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
/// A target is met, or missed, where the whole interval is on one side of it; between, it is undecided. A KPI that cannot be
/// measured has a hole with the reason: nothing is skipped.
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
    let catalog = journeys.catalog();
    let mut rows: Vec<KpiMeasure> = Vec::with_capacity(map.kpis.len());
    // What is asked of which journeys, so that those alike share a pass.
    let mut asked: BTreeMap<Option<String>, Vec<(usize, Kpi)>> = BTreeMap::new();
    for (place, binding) in map.kpis.iter().enumerate() {
        let mut row = empty(map, binding, how);
        if binding.kpi.known().is_none() {
            from_table(&mut row, binding, how, least(map, how), sources);
            rows.push(row);
            continue;
        }
        match question(map, binding, how, sources, catalog) {
            Ok((only, kpi)) => match kpi.clone().cut_by(journeys.rule()).plan(catalog) {
                Ok(_) => asked
                    .entry(only)
                    .or_default()
                    .push((place, kpi.cut_by(journeys.rule()))),
                Err(e) => row.hole = Some(e.to_string()),
            },
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
fn from_table(
    row: &mut KpiMeasure,
    binding: &KpiBinding,
    how: &Overlay,
    least: u64,
    sources: &KpiSources,
) {
    let wanted = |t: &&Arc<ExternalTable>| binding.source.as_deref() == Some(t.name());
    let Some(table) = sources.tables.iter().find(wanted) else {
        row.hole = Some(match &binding.source {
            Some(name) => format!("the table `{name}` was not given"),
            None => "a KPI of the map's own without a table as its `source`".to_owned(),
        });
        return;
    };
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
            let mut sums = desireline_stats::mean::ClusteredMoments::default();
            numbers
                .iter()
                .for_each(|x| sums.add((x * 1e6).round() as i128, 1));
            sums.mean(how.level).and_then(|e| {
                Estimate::new(
                    e.value / 1e6,
                    (e.lower / 1e6, e.upper / 1e6),
                    e.level,
                    e.n,
                    e.method,
                    Unit::Ratio,
                )
            })
        }
    };
    match row.value {
        Some(e) => judge(row, &e, binding, unit, None),
        None => row.hole = Some(format!("too few (n={})", row.n)),
    }
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

fn question(
    map: &JourneyMap,
    binding: &KpiBinding,
    how: &Overlay,
    sources: &KpiSources,
    catalog: &Catalog,
) -> Result<(Option<String>, Kpi), String> {
    let known = binding
        .kpi
        .known()
        .ok_or("a KPI of the map's own: its number is made elsewhere")?;
    let mut kpi = Kpi::new(known.name).level(how.level).min_n(least(map, how));
    kpi.params = binding.params.clone().unwrap_or_default();
    if let Some(per) = binding.per {
        kpi = kpi.variant(known.counting(binding.variant(), per)?);
    }
    if let Some(zone) = &how.zone {
        kpi.time_zone.clone_from(zone);
    }
    kpi.tables = match &binding.source {
        Some(name) => sources
            .tables
            .iter()
            .filter(|t| t.name() == name)
            .cloned()
            .collect(),
        None => sources.tables.clone(),
    };
    if binding.at.is_none()
        && let Some(answers) = &sources.answers
    {
        kpi = kpi.answers(Arc::clone(answers));
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
}

/// Holds a value against target and alert.
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
    if let Some(alert) = &binding.alert {
        match threshold(alert.value, unit, currency) {
            // Told too late is worse than told once too often: the value alone decides.
            Ok(value) => row.alert = Some(alert.op.holds(e.value, value)),
            Err(reason) => row.hole = Some(reason),
        }
    }
}

/// A threshold in the unit of the estimate.
#[allow(clippy::cast_precision_loss)] // money and times far below 2^53
pub(super) fn threshold(
    value: Quantity,
    unit: KpiUnit,
    currency: Option<&str>,
) -> Result<f64, String> {
    match value {
        Quantity::Number(x) if !matches!(unit, KpiUnit::Time | KpiUnit::Money) => Ok(x),
        Quantity::Span(span) if unit == KpiUnit::Time => Ok(span.as_micros() as f64),
        Quantity::Money(money) if unit == KpiUnit::Money => match currency {
            Some(c) if c == money.currency() => Ok(money.minor() as f64),
            Some(c) => Err(format!("`{value}` cannot be compared with money in {c}")),
            None => Err(format!(
                "`{value}` cannot be compared: the log has no money"
            )),
        },
        _ => Err(format!(
            "`{value}` cannot be compared with a {}",
            unit.word()
        )),
    }
}

/// Whether the whole interval stands so; `None` where only a part of it does.
pub(super) fn stands(e: &Estimate, op: Compare, value: f64) -> Option<bool> {
    debug_assert!(e.unit != Unit::ProportionDifference);
    match (op.holds(e.lower, value), op.holds(e.upper, value)) {
        (true, true) => Some(true),
        (false, false) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::journey::JourneyRule;
    use crate::log::Log;
    use crate::map::{Form, MapFile};

    const MAP: &str = "\
schema: 1
id: m
title: M
version: 1.0.0
kind: actual
status: draft
as_of: 2026-01-01
owner: o
stakeholders: [{id: o, name: O}]
stages: [{id: look, name: Look}, {id: buy, name: Buy}]
touchpoints:
  - {id: page, name: Page, stages: [look], binding: view}
  - {id: basket, name: Basket, stages: [buy], binding: cart}
  - {id: pay, name: Pay, stages: [buy], binding: purchase}
  - {id: gone, name: Gone, stages: [look], binding: zoom}
goals: [{id: g, text: G, kind: functional, success: purchase}]
kpis:
  - {id: a, kpi: cart_abandonment, params: {cart: cart, purchase: purchase, within: 1d}, target: {op: '<=', value: 0.3}, alert: {op: '>', value: 0.7}}
  - {id: b, kpi: conversion, at: page, params: {within: 1d}, target: {op: '>=', value: 0.05}}
  - {id: c, kpi: reach, at: basket}
  - {id: d, kpi: K17, at: look, target: {op: '<', value: 1h}}
  - {id: e, kpi: nps}
  - {id: f, kpi: reach, at: gone}
  - {id: h, kpi: happiness, definition: Own, unit: score}
  - {id: i, kpi: dropoff, at: basket, params: {returns_within: 1h}, target: {op: '<', value: 0.5}}
  - {id: j, kpi: revenue, target: {op: '>', value: 5 EUR}}
  - {id: k, kpi: door, at: page, source: store, definition: Visitors, unit: count, target: {op: '>=', value: 100}}
";

    #[test]
    fn every_binding_has_a_number_or_a_reason() {
        const HOUR: i64 = 3_600_000_000;
        let file = MapFile::read(MAP, Form::Yaml).unwrap_or_else(|e| panic!("{}", e.snippets(MAP)));
        let mut rows: Vec<(String, i64, &str)> = Vec::new();
        for c in 0..200 {
            let id = format!("c{c}");
            rows.push((id.clone(), 0, "view"));
            if c < 100 {
                rows.push((id.clone(), HOUR / 2, "cart"));
            }
            if c < 20 {
                rows.push((id, HOUR, "purchase"));
            }
        }
        rows.push(("last".to_owned(), 100 * HOUR, "other"));
        let log = Log::from_rows(rows.iter().map(|(c, t, e)| (c.as_str(), *t, *e))).unwrap();
        let journeys = log.journeys(JourneyRule::customer()).unwrap();
        let how = Overlay::new();
        let store = ExternalTable::new("store").numbers("door", [Some(120.0), None, Some(80.0)]);
        let sources = KpiSources {
            tables: vec![Arc::new(store)],
            ..KpiSources::default()
        };
        let all = measure_kpis(file.map(), &journeys, &how, &sources, &Exec::new()).unwrap();
        let by: BTreeMap<&str, &KpiMeasure> = file
            .map()
            .kpis
            .iter()
            .zip(&all)
            .map(|(k, row)| (k.id.as_str(), row))
            .collect();
        let value = |id: &str| by[id].value.unwrap().value;
        assert_eq!(
            (value("a"), by["a"].met, by["a"].alert),
            (0.8, Some(false), Some(true))
        );
        assert_eq!(by["a"].target.as_deref(), Some("<= 0.3"));
        // One in ten of those who saw the page; the interval lies above the target.
        assert_eq!((value("b"), by["b"].met), (0.1, Some(true)));
        assert_eq!(value("c"), 100.0);
        // Half moved on after half an hour, and how many do is known too little to say when half of all have.
        assert!(by["d"].value.is_some() || by["d"].hole.is_some());
        assert!(by["e"].hole.as_deref().unwrap().contains("feedback"));
        assert_eq!(
            by["f"].hole.as_deref(),
            Some("no event of this log is bound to `gone`")
        );
        assert!(by["h"].hole.is_some());
        assert_eq!((value("i"), by["i"].met), (0.8, Some(false)));
        assert!(by["j"].hole.as_deref().unwrap().contains("money"));
        assert_eq!((value("k"), by["k"].met), (200.0, Some(true)));
        assert!(
            all.iter()
                .all(|row| row.value.is_some() != row.hole.is_some())
        );
    }
}
