//! The numbers that a map watches, measured where it watches them.

use std::collections::BTreeMap;
use std::sync::Arc;

use desireline_stats::{Estimate, Unit};

use self::heard::{Heard, asks};
use super::Overlay;
use super::bind::{LenientMatcher, names_of};
use super::finish::least;
use super::place::{AnyOf, Places};
use super::plan::window_of;
use super::report::{KpiMeasure, KpiPart};
use super::run::select;
use super::voice::ListenOptions;
use crate::engine::{Analysis as _, DynAnalysis, Exec};
use crate::error::Result;
use crate::feedback::{Feedback, Measured, Measuring};
use crate::journey::{CalendarUnit, Journeys, Matcher};
use crate::kpi::alert::{Stood, lasted, stands, threshold};
use crate::kpi::{AlertRun, ExternalTable, Kpi, KpiReport, KpiValue, PeriodLength, Picks};
use crate::log::Catalog;
use crate::map::{Compare, CustomerGoal, Id, JourneyMap, KnownKpi, KpiBinding, KpiUnit, Quantity};

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

/// Measures every KPI that a map watches, in one pass over the log.
///
/// A KPI at a stage, step, touchpoint or channel counts what begins there, and looks for what follows anywhere: a cart that was
/// filled there, an entry, an order, a journey that came there. Events belong to places as in [`overlay`](super::overlay): by priority, and by the
/// stages' own conditions. They fill the setting that says where (`entry` of a conversion, `at` of a drop-off, `touch` of reach, `of` of revenue and
/// rework, `enter` of a time on stage, `active` of engagement, `start` of a goal's completion) unless the binding says it itself;
/// `leave` are the stages after it. Goals that a binding does not name are those of its stage, else the map's. With
/// [`persona`](Overlay::persona) only its customers count.
///
/// A KPI with one number for each channel has at a channel that channel's; elsewhere its numbers are [`KpiMeasure::parts`].
///
/// KPIs of answers are measured from the answers about the place: declared ones, and those near in time to a touch of it ([`ListenOptions`]).
///
/// The map's scope is minded as in [`overlay`](super::overlay): events outside of its window, events that it excludes and journeys outside of its segment
/// do not count, the end of the window is the end of observation, and answers and rows of tables with a time or day outside of it are left out.
///
/// A target is met, or missed, where the whole interval is on one side of it; between, it is undecided. A KPI that cannot be
/// measured has a hole with the reason: nothing is skipped. An alert that has to last is held against whole days, weeks or months
/// ([`KpiReport::alert`]); one whose KPI has no series is left open. For how many of those it has rung in a row is told
/// ([`KpiMeasure::alert_run`]), and where the map is measured by [`period`](Overlay::period) also of alerts that need not last.
///
/// What a table says is of everybody: with a persona it has a hole.
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
    kpis_of(
        map,
        selected.as_ref().unwrap_or(journeys),
        how,
        sources,
        exec,
    )
}

/// The same of journeys that were selected.
pub(super) fn kpis_of(
    map: &JourneyMap,
    journeys: &Journeys,
    how: &Overlay,
    sources: &KpiSources,
    exec: &Exec,
) -> Result<Vec<KpiMeasure>> {
    how.check(map)?;
    let catalog = journeys.catalog();
    let asking = Asking {
        map,
        how,
        sources,
        catalog,
        heard: Heard::new(map, journeys, sources, how.persona.as_ref(), exec)?,
        window: window_of(map)?,
        places: Arc::new(Places::new(map, catalog)?),
        members: members(map, how, catalog)?,
    };
    let mut rows: Vec<KpiMeasure> = Vec::with_capacity(map.kpis.len());
    let mut asked: Vec<(usize, Kpi)> = Vec::new();
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
            Ok(kpi) => {
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
                    Ok(kpi) => asked.push((place, kpi)),
                    Err(e) => row.hole = Some(e.to_string()),
                }
            }
            Err(reason) => row.hole = Some(reason),
        }
        rows.push(row);
    }
    let analyses: Vec<Box<dyn DynAnalysis>> = asked
        .iter()
        .map(|(_, kpi)| Box::new(kpi.clone()) as Box<dyn DynAnalysis>)
        .collect();
    if analyses.is_empty() {
        return Ok(rows);
    }
    for ((place, kpi), answer) in asked.iter().zip(journeys.run_dyn(&analyses, exec)?) {
        let report = answer.report.into_any().downcast::<KpiReport>();
        if let (Ok(report), Some(row), Some(binding)) =
            (report, rows.get_mut(*place), map.kpis.get(*place))
        {
            fill(row, *report, map, (binding, kpi.per));
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
    if asking.members.is_some() {
        row.hole = Some(OF_EVERYBODY.to_owned());
        return;
    }
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
            let days = days(table, column, unit, alert.op, value);
            row.alert = match alert.lasting {
                None => Some(alert.op.holds(e.value, value)),
                Some(lasting) => lasted(&days, lasting),
            };
            if alert.lasting.is_some() || how.period == Some(CalendarUnit::Day) {
                row.alert_run = AlertRun::of(&days, alert.lasting, PeriodLength::Day);
            }
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
) -> Vec<Stood> {
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
    let name = binding.label_by(map, language, how.goal.as_ref());
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
        alert_run: None,
        hole: None,
        currency: None,
        parts: Vec::new(),
    }
}

/// Why a number from a table is none of one persona.
const OF_EVERYBODY: &str =
    "its table does not say whose numbers they are: measure it without a persona";

/// Whether a KPI is made of numbers that are of everybody.
fn is_of_everybody(known: &KnownKpi, variant: Option<&str>) -> bool {
    matches!(
        (known.number, variant),
        ("K03", Some("cac")) | ("K13" | "K30", _)
    )
}

/// The setting that says where, and those that name the goal.
fn place_setting(known: &KnownKpi) -> Option<&'static str> {
    let names = ["entry", "at", "touch", "enter", "active", "of", "start"];
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
    places: Arc<Places>,
    /// Whose customers alone count.
    members: Option<Arc<dyn Picks>>,
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

    fn question(&self, binding: &KpiBinding) -> Result<Kpi, String> {
        let Asking {
            map, how, sources, ..
        } = *self;
        let known = binding
            .kpi
            .known()
            .ok_or("a KPI of the map's own: its number is made elsewhere")?;
        if self.members.is_some() && is_of_everybody(known, binding.variant()) {
            return Err(OF_EVERYBODY.to_owned());
        }
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
        let by_trend = || binding.alert.as_ref().and(how.period);
        kpi.per = match lasting {
            Some(lasting) => Some(PeriodLength::for_lasting(lasting)),
            None => by_trend().and_then(PeriodLength::of_unit),
        };
        kpi.tables = match &binding.source {
            Some(name) => sources
                .tables
                .iter()
                .filter(|t| t.name() == name)
                .cloned()
                .collect(),
            None => sources.tables.clone(),
        };
        kpi.given.members.clone_from(&self.members);
        if asks(binding) {
            if let Some(heard) = &self.heard {
                kpi = kpi.answers(heard.at(binding.at.as_ref()));
            }
            return Ok(kpi);
        }
        if let Some(at) = &binding.at {
            self.put_at(&mut kpi, known, binding, at)?;
        }
        let takes_goal = known.params.iter().any(|p| p.name == "goal");
        if takes_goal && !kpi.params.contains_key("goal") {
            let goals = self.goals(binding.at.as_ref());
            if !goals.is_empty() {
                kpi.given.settings.push(("goal", Arc::new(AnyOf(goals))));
            }
        }
        Ok(kpi)
    }

    /// Says where a KPI is watched: what it counts begins there, and may go on anywhere.
    fn put_at(
        &self,
        kpi: &mut Kpi,
        known: &'static KnownKpi,
        binding: &KpiBinding,
        at: &Id,
    ) -> Result<(), String> {
        let map = self.map;
        let is_channel = map.channels.iter().any(|c| c.id == *at);
        let variant = kpi.variant.as_deref().or_else(|| binding.variant());
        if let Some(reason) = known.has_no_place(variant, is_channel) {
            return Err(reason.to_owned());
        }
        // A rank in search results, and what is spent on a channel, come from tables.
        if matches!(known.number, "K13" | "K30") {
            return Ok(());
        }
        // Who says where it begins is taken at their word; the place is where it is shown.
        let setting = place_setting(known);
        if setting.is_none_or(|name| !kpi.params.contains_key(name)) {
            let events: Arc<dyn Picks> = Arc::new(self.places.at(map, at)?);
            if let Some(name) = setting {
                kpi.given.settings.push((name, Arc::clone(&events)));
            }
            // Sessions have no setting that says where.
            if setting.is_none() || known.number == "K06" {
                kpi.given.here = Some(events);
            }
        }
        if known.number == "K17"
            && !kpi.params.contains_key("leave")
            && let Some(after) = self.places.after(map, at)
        {
            kpi.given.settings.push(("leave", Arc::new(after)));
        }
        Ok(())
    }

    /// The goals that a KPI means which names none: those of its stage, else all that the map is read for. Names that the log
    /// does not have match nothing; a goal of nothing else is none.
    fn goals(&self, at: Option<&Id>) -> Vec<Matcher> {
        let of_lens = |g: &&CustomerGoal| self.how.goal.as_ref().is_none_or(|id| g.id == *id);
        let of_stage =
            |g: &&CustomerGoal| at.is_none_or(|at| g.stages.is_empty() || g.stages.contains(at));
        let bound = |g: &CustomerGoal| {
            let success = g.success.as_ref()?;
            let is_seen = names_of(success, self.catalog).contains(&true);
            let matcher = LenientMatcher::new(success, self.catalog).ok()?.matcher;
            is_seen.then_some(matcher)
        };
        let all = || self.map.goals.iter().filter(of_lens);
        let near: Vec<Matcher> = all().filter(of_stage).filter_map(bound).collect();
        match near.is_empty() {
            true => all().filter_map(bound).collect(),
            false => near,
        }
    }
}

/// The customers of the persona that is asked for.
fn members(map: &JourneyMap, how: &Overlay, catalog: &Catalog) -> Result<Option<Arc<dyn Picks>>> {
    let mut personas = map.personas.iter();
    let persona = personas.find(|p| how.persona.as_ref() == Some(&p.id));
    let Some(member) = persona.and_then(|p| p.member.as_ref()) else {
        return Ok(None);
    };
    Ok(Some(Arc::new(
        LenientMatcher::new(member, catalog)?.matcher,
    )))
}

fn fill(
    row: &mut KpiMeasure,
    mut report: KpiReport,
    map: &JourneyMap,
    (binding, per): (&KpiBinding, Option<PeriodLength>),
) {
    row.currency = report.money();
    // The first signal of friction is all of them together.
    let is_keyed = report.number != "K20" && report.values.iter().any(|v| v.key.is_some());
    let own = binding.at.as_ref();
    let own = own.and_then(|at| map.channels.iter().find(|c| c.id == *at));
    if is_keyed {
        let is_own = |v: &KpiValue| match (own, &v.key) {
            (Some(channel), Some(key)) => report.number == "K14" || channel.is_called(key),
            _ => true,
        };
        let (values, series) = (report.values.clone(), report.series.clone());
        let kept = |all: Vec<KpiValue>| all.into_iter().filter(is_own).collect::<Vec<_>>();
        let (values, series) = (kept(values), kept(series));
        (report.values, report.series) = (values, series);
    }
    let alone = own.is_some() && report.values.len() == 1;
    if is_keyed && !alone && !report.values.is_empty() {
        row.parts = report
            .values
            .iter()
            .map(|v| part(v, &report, binding))
            .collect();
        row.hole = Some("it has one number for each of several, not one for all".to_owned());
        return;
    }
    let Some(first) = report.values.first() else {
        row.hole = Some("nothing to measure".to_owned());
        return;
    };
    row.value = first.estimate;
    row.n = first.n;
    row.hole.clone_from(&first.hole);
    if let (Some(at), 0, 0, None) = (&binding.at, first.n, first.excluded, first.estimate) {
        row.hole = Some(format!(
            "nothing to measure: nothing that it counts begins at `{at}`"
        ));
    }
    if let Some(e) = first.estimate {
        judge(row, &e, binding, report.unit, report.currency.as_deref());
    }
    let Some(alert) = &binding.alert else { return };
    let run = per.and_then(|unit| report.alert_run(alert, unit).ok().flatten());
    row.alert_run = run;
    match report.alert(alert) {
        Ok(alert) => row.alert = alert,
        // Why the target cannot be compared was said first, and is no less true.
        Err(reason) if first.estimate.is_some() => match &mut row.hole {
            Some(why) if *why != reason => why.push_str(&format!("; {reason}")),
            hole => *hole = Some(reason),
        },
        Err(_) => {}
    }
}

/// One of a KPI's numbers, by itself held against the target.
fn part(value: &KpiValue, report: &KpiReport, binding: &KpiBinding) -> KpiPart {
    let target = binding.target.as_ref().and_then(|t| {
        let wanted = threshold(t.value, report.unit, report.currency.as_deref()).ok()?;
        Some((t.op, wanted))
    });
    let met = target.zip(value.estimate);
    KpiPart {
        key: value.key.clone().unwrap_or_default(),
        value: value.estimate,
        n: value.n,
        met: met.and_then(|((op, wanted), e)| stands(&e, op, wanted)),
        hole: value.hole.clone(),
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
