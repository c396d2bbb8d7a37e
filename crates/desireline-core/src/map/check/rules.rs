//! Rules that the types cannot hold: order, scope, dates, feelings, KPIs.

use super::{Code, Level, Notes};
use crate::map::scope::WEEK_UNITS;
use crate::map::{
    Compare, KnownKpi, KpiName, KpiUnit, MapKind, Param, Params, Quantity, Status, VARIANT,
};

pub(super) fn look(notes: &mut Notes<'_>) {
    order(notes);
    scope(notes);
    dates(notes);
    emotions(notes);
    kpis(notes);
    promises(notes);
}

fn order(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    if map.stage_order().is_none() {
        let place = |i: usize| format!("/stages/{i}/after");
        let first = map.stages.iter().position(|s| !s.after.is_empty());
        let message = "the stages follow each other in a circle".to_owned();
        let help = "`after` names earlier stages; a way back belongs to `framework.loops`";
        notes.say(
            Code::Order,
            &first.map_or_else(|| "/stages".to_owned(), place),
            message,
            Some(help.to_owned()),
        );
    }
}

fn scope(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    let level = match map.status {
        Status::Draft => Level::Warning,
        _ => Level::Error,
    };
    let scope = map.scope.as_ref();
    let mut missing = Vec::new();
    if scope.is_none_or(|s| s.aim.is_none()) {
        missing.push("what it is for (`aim`)");
    }
    if scope.is_none_or(|s| s.unit.is_none()) {
        missing.push("what it counts (`unit`)");
    }
    if map.kind == MapKind::Actual && scope.is_none_or(|s| s.window.is_none()) {
        missing.push("over which time (`window`)");
    }
    if !missing.is_empty() {
        let message = format!("the map does not say {}", missing.join(", "));
        let pointer = if scope.is_some() { "/scope" } else { "" };
        notes.say_as(
            Code::Scope,
            level,
            pointer,
            message,
            Some("say it in `scope`".to_owned()),
        );
    }
    let Some(scope) = scope else { return };
    if let Some(window) = &scope.window {
        if window.from >= window.to {
            let message = format!(
                "the window ends ({}) before it begins ({})",
                window.to, window.from
            );
            let help = "`to` is the day after the last one";
            notes.say(
                Code::Scope,
                "/scope/window/to",
                message,
                Some(help.to_owned()),
            );
        } else if window.micros().is_none() {
            let zone = window.zone.as_deref().unwrap_or_default();
            let message = format!("`{zone}` is no time zone");
            let help = "write an IANA name such as Europe/Berlin";
            notes.say(
                Code::Scope,
                "/scope/window/zone",
                message,
                Some(help.to_owned()),
            );
        }
    }
    if let Some(calendar) = scope.journeys.as_ref().and_then(|j| j.calendar.as_deref()) {
        let (unit, zone) = calendar.split_once('@').unwrap_or((calendar, "UTC"));
        let is_zone =
            crate::map::Date::new(2026, 1, 1).is_some_and(|d| d.micros_in(zone.trim()).is_some());
        if !WEEK_UNITS.contains(&unit.trim()) || !is_zone {
            let message = format!("`{calendar}` is no calendar rule");
            let help =
                "write day, week, month, quarter or year, then @ and a zone such as Europe/Berlin";
            notes.say(
                Code::Scope,
                "/scope/journeys/calendar",
                message,
                Some(help.to_owned()),
            );
        }
    }
    if scope
        .journeys
        .as_ref()
        .and_then(|j| j.gap)
        .is_some_and(|gap| gap.as_micros() == 0)
    {
        let message = "a gap of no time cuts every journey into single events".to_owned();
        notes.say(Code::Scope, "/scope/journeys/gap", message, None);
    }
}

fn dates(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    if let Some(today) = notes.options.today
        && map.as_of > today
    {
        let message = format!(
            "the map shows what is known on {}, which is after today ({today})",
            map.as_of
        );
        notes.say(Code::Date, "/as_of", message, None);
    }
    for (i, e) in map.evidence.iter().enumerate() {
        if let (Some(collected), Some(expires)) = (e.collected_at, e.expires_at)
            && expires < collected
        {
            let message = format!(
                "`{}` expired ({expires}) before it was collected ({collected})",
                e.id
            );
            notes.say(
                Code::Date,
                &format!("/evidence/{i}/expires_at"),
                message,
                None,
            );
        }
    }
}

fn emotions(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, e) in map.emotions.iter().enumerate() {
        let pointer = format!("/emotions/{i}");
        let measured = e.source.is_measured() || e.n.is_some() || e.interval.is_some();
        if map.kind != MapKind::Actual && measured {
            let message = format!(
                "`{}` is measured, on a map of kind {}, which nobody has lived through",
                e.id,
                map.kind.word()
            );
            let help = "use `source: target` or `source: expert_guess` without n and interval";
            notes.say(
                Code::Emotion,
                &format!("{pointer}/source"),
                message,
                Some(help.to_owned()),
            );
        }
        if let Some([low, high]) = e.interval
            && !(low <= e.valence && e.valence <= high)
        {
            let message = format!("the interval of `{}` does not hold its valence", e.id);
            notes.say(Code::Emotion, &format!("{pointer}/interval"), message, None);
        }
    }
}

fn kpis(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, k) in map.kpis.iter().enumerate() {
        let pointer = format!("/kpis/{i}");
        let known = named(
            notes,
            &format!("{pointer}/kpi"),
            &k.kpi,
            k.definition.is_some(),
        );
        let unit = match known {
            Some(known) => {
                if let Some(unit) = k.unit
                    && unit != known.unit
                {
                    let message = format!(
                        "{} is measured as {}, not as {unit}",
                        known.name, known.unit
                    );
                    notes.say(Code::KpiError, &format!("{pointer}/unit"), message, None);
                }
                params(notes, &pointer, known, k.params.as_ref());
                if let Some(told) = k.per.and_then(|per| known.counting(k.variant(), per).err()) {
                    let help = "leave `per` out, or name the KPI or `variant` that counts so";
                    notes.say(
                        Code::KpiError,
                        &format!("{pointer}/per"),
                        told,
                        Some(help.to_owned()),
                    );
                }
                if let Some(at) = &k.at {
                    let is_channel = map.channels.iter().any(|c| c.id == *at);
                    if let Some(told) = known.has_no_place(k.variant(), is_channel) {
                        let message = format!("`{}` cannot be measured at `{at}`", k.id);
                        let help = Some(told.to_owned());
                        notes.say(Code::KpiError, &format!("{pointer}/at"), message, help);
                    }
                }
                Some(known.unit)
            }
            None => k.unit,
        };
        if k.definition.is_some() && known.is_none() && k.unit.is_none() {
            let message = format!("`{}` is a KPI of your own without a unit", k.id);
            let help = "add `unit: share`, count, ratio, score, time or money";
            notes.say(Code::KpiError, &pointer, message, Some(help.to_owned()));
        }
        let target = k.target.as_ref().map(|t| ("target", t.op, t.value));
        let alert = k.alert.as_ref().map(|a| ("alert", a.op, a.value));
        for (word, op, value) in target.into_iter().chain(alert) {
            let pointer = format!("{pointer}/{word}/value");
            fits(notes, &pointer, k.kpi.as_str(), unit, op, value);
        }
    }
}

/// What the catalogue knows of a name; a name that nobody knows and nobody defines is an error.
fn named(
    notes: &mut Notes<'_>,
    pointer: &str,
    name: &KpiName,
    defined: bool,
) -> Option<&'static KnownKpi> {
    let known = name.known();
    if known.is_none() && !defined {
        let help = match name.nearest() {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the catalogue is in docs/maps.md; a KPI of your own needs a `definition` and a `unit`".to_owned(),
        };
        notes.say(
            Code::KpiError,
            pointer,
            format!("no KPI is called `{name}`"),
            Some(help),
        );
    }
    known
}

fn params(notes: &mut Notes<'_>, pointer: &str, known: &KnownKpi, given: Option<&Params>) {
    let names: Vec<&str> = known.params.iter().map(|p| p.name).collect();
    for (name, value) in given.into_iter().flatten() {
        let pointer = format!(
            "{pointer}/params/{}",
            name.replace('~', "~0").replace('/', "~1")
        );
        match known
            .params
            .iter()
            .chain([&VARIANT])
            .find(|p| p.name == name)
        {
            Some(param) => {
                if let Some(problem) = param.kind.problem(value) {
                    expression_or_whole(notes, &pointer, value, problem);
                }
            }
            None => {
                let help = match crate::expr::nearest(name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => "it takes none".to_owned(),
                    None => format!("it takes {}", names.join(", ")),
                };
                let message = format!("{} takes no `{name}`", known.name);
                notes.say(Code::KpiError, &pointer, message, Some(help));
            }
        }
    }
    for param in known.params.iter().filter(|p| p.required) {
        if given.is_none_or(|g| !g.contains_key(param.name)) {
            let message = format!("{} needs `{}` among its params", known.name, param.name);
            let place = if given.is_some() { "/params" } else { "" };
            notes.say(Code::KpiError, &format!("{pointer}{place}"), message, None);
        }
    }
}

/// A mistake in a parameter: at its place within an expression, where it is one.
fn expression_or_whole(notes: &mut Notes<'_>, pointer: &str, value: &Param, problem: String) {
    let inner = match value {
        Param::Text(text) => crate::expr::Expr::parse(text).err().and_then(|e| e.span()),
        _ => None,
    };
    match inner {
        Some(inner) if problem.starts_with("at ") => {
            let at = notes.file.place_in(pointer, inner);
            let message = problem
                .split_once(": ")
                .map_or(problem.clone(), |(_, m)| m.to_owned());
            notes.say_at(Code::KpiError, Level::Error, pointer, at, message, None);
        }
        _ => notes.say(Code::KpiError, pointer, problem, None),
    }
}

fn fits(
    notes: &mut Notes<'_>,
    pointer: &str,
    name: &str,
    unit: Option<KpiUnit>,
    op: Compare,
    value: Quantity,
) {
    let Some(unit) = unit else { return };
    if value.fits(unit) {
        return;
    }
    let example = match unit {
        KpiUnit::Share => "a number from 0 to 1, such as 0.35",
        KpiUnit::Time => "a length of time, such as 2d",
        KpiUnit::Money => "money, such as 20 EUR",
        _ => "a number",
    };
    let message = format!(
        "{name} is measured as {unit} and cannot be {} {value}",
        op.symbol()
    );
    notes.say(
        Code::KpiError,
        pointer,
        message,
        Some(format!("write {example}")),
    );
}

fn promises(notes: &mut Notes<'_>) {
    let map = notes.file.map();
    for (i, e) in map.expectations.iter().enumerate() {
        let Some(promise) = &e.promise else { continue };
        let pointer = format!("/expectations/{i}/promise");
        if let Some(known) = named(notes, &format!("{pointer}/metric"), &promise.metric, false) {
            params(notes, &pointer, known, promise.params.as_ref());
            let at = format!("{pointer}/threshold");
            fits(
                notes,
                &at,
                known.name,
                Some(known.unit),
                promise.op,
                promise.threshold,
            );
        }
    }
}
