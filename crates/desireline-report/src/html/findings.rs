//! The part of a page that lists what a map says hurts, counts most and could be better, each beside what is measured at its
//! place.

use desireline_core::map::{At, Estimate, Id, LocalizedText, MoneyRate};
use desireline_core::overlay::report::{CellKind, CellMeasure, EmotionMeasure};

use super::Grid;
use super::map::{MapView, grid};
use crate::format;

/// Tables of pain points, moments of truth, opportunities and risks, as far as the map has them.
pub(super) fn findings(view: &MapView<'_>) -> Vec<Grid> {
    let all = [pains(view), moments(view), opportunities(view), risks(view)];
    all.into_iter().flatten().collect()
}

fn pains(view: &MapView<'_>) -> Option<Grid> {
    let mut pains: Vec<_> = view.map.pains.iter().collect();
    pains.sort_by_key(|p| std::cmp::Reverse(p.severity));
    let rows = pains.into_iter().map(|p| {
        let signs: Vec<String> = p.signals.iter().map(|s| words(s.kind.word())).collect();
        let mut what = view.text(&p.text);
        if !signs.is_empty() {
            what.push_str(&format!(" (shown by {})", signs.join(", ")));
        }
        vec![
            place(view, &p.at),
            what,
            p.severity
                .map(|s| format!("{} of 4", s.get()))
                .unwrap_or_default(),
            measured(view, &p.at),
            money(p.loss.as_ref()),
            done(view, &p.id),
            owner(view, p.owner.as_ref()),
        ]
    });
    let heads = [
        "where",
        "what hurts",
        "severity",
        "measured there",
        "costs",
        "what is done",
        "who answers",
    ];
    table("Pain points", &heads, rows.collect())
}

fn moments(view: &MapView<'_>) -> Option<Grid> {
    let rows = view.map.moments.iter().map(|m| {
        let cell = cell(view, &m.at).map(|(cell, _)| cell);
        let lift = cell.and_then(|c| c.lift);
        let swing = lift.and_then(|l| l.difference);
        vec![
            place(view, &m.at),
            optional(view, m.text.as_ref()),
            words(&m.kind.to_string()),
            words(&m.basis.to_string()),
            estimate(m.swing.as_ref()),
            swing.as_ref().map(format::difference).unwrap_or_default(),
            lift.and_then(|l| l.q)
                .map(format::probability)
                .unwrap_or_default(),
        ]
    });
    let heads = [
        "where",
        "what happens",
        "what is decided",
        "basis",
        "swing as written",
        "goal rate with less without",
        "q",
    ];
    table("Moments of truth", &heads, rows.collect())
}

fn opportunities(view: &MapView<'_>) -> Option<Grid> {
    let rows = view.map.opportunities.iter().map(|o| {
        let eased: Vec<String> = o.solves.iter().map(|pain| view.named(pain)).collect();
        let value = match (estimate(o.uplift.as_ref()), money(o.value.as_ref())) {
            (uplift, value) if uplift.is_empty() || value.is_empty() => uplift + &value,
            (uplift, value) => format!("{uplift}; {value}"),
        };
        vec![
            place(view, &o.at),
            optional(view, o.text.as_ref()),
            words(o.kind.word()),
            eased.join("; "),
            value,
            o.effort
                .map(|e| format!("{} of 10", format::number(e.get())))
                .unwrap_or_default(),
            done(view, &o.id),
            owner(view, o.owner.as_ref()),
        ]
    });
    let heads = [
        "where",
        "what could be better",
        "how",
        "would ease",
        "would bring",
        "effort",
        "what is done",
        "who answers",
    ];
    table("Opportunities", &heads, rows.collect())
}

fn risks(view: &MapView<'_>) -> Option<Grid> {
    let rows = view.map.risks.iter().map(|r| {
        vec![
            r.driver
                .as_ref()
                .map(|d| place(view, d))
                .unwrap_or_default(),
            view.text(&r.text),
            r.probability
                .map(|p| format::percent(p.get()))
                .unwrap_or_default(),
            money(r.loss.as_ref()),
            done(view, &r.id),
            owner(view, r.owner.as_ref()),
        ]
    });
    let heads = [
        "where",
        "what could happen",
        "how likely",
        "would cost",
        "what is done",
        "who answers",
    ];
    table("Risks", &heads, rows.collect())
}

fn table(title: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Option<Grid> {
    (!rows.is_empty()).then(|| grid(title, heads, &rows))
}

/// A word of the document as people read it.
fn words(word: &str) -> String {
    word.replace('_', " ")
}

fn optional(view: &MapView<'_>, text: Option<&LocalizedText>) -> String {
    text.map(|t| view.text(t)).unwrap_or_default()
}

fn owner(view: &MapView<'_>, id: Option<&Id>) -> String {
    id.map(|id| view.owner(id)).unwrap_or_default()
}

fn money(rate: Option<&MoneyRate>) -> String {
    rate.map(|r| format!("{} in {}", r.amount, r.per))
        .unwrap_or_default()
}

/// A number as the map writes it.
fn estimate(e: Option<&Estimate>) -> String {
    let Some((e, value)) = e.and_then(|e| Some((e, e.value?))) else {
        return String::new();
    };
    let unit = e.unit.as_ref().map(|u| format!(" {u}"));
    let ends = match (e.lower, e.upper) {
        (Some(a), Some(b)) => format!(" ({} to {})", format::number(a), format::number(b)),
        _ => String::new(),
    };
    format!(
        "{}{}{ends}",
        format::number(value),
        unit.unwrap_or_default()
    )
}

/// Where something is, by name.
fn place(view: &MapView<'_>, at: &At) -> String {
    match at {
        At::Part(id) => view.named(id),
        At::Edge { from, to } => format!("{} → {}", view.named(from), view.named(to)),
    }
}

/// What is measured at a part of the map.
fn cell<'v>(view: &MapView<'v>, at: &At) -> Option<(&'v CellMeasure, Option<&'v EmotionMeasure>)> {
    let o = view.overlay?;
    let id = at.part()?.as_str();
    let stage = o.stage(id).map(|s| (&s.cell, s.emotion.as_ref()));
    let step = || o.step(id).map(|s| (&s.cell, None));
    let channel = || o.channel(id).map(|c| (&c.cell, None));
    let touchpoint = || {
        let t = o.touchpoint(id)?;
        Some((t.cell.as_ref()?, t.emotion.as_ref()))
    };
    stage.or_else(step).or_else(touchpoint).or_else(channel)
}

/// What is measured at a place, in words.
fn measured(view: &MapView<'_>, at: &At) -> String {
    if let (At::Edge { from, to }, Some(o)) = (at, view.overlay) {
        let kinds = [CellKind::Stage, CellKind::Touchpoint];
        let mut taken = kinds
            .into_iter()
            .filter_map(|kind| o.edge(kind, from.as_str(), to.as_str()));
        return taken.next().map_or_else(String::new, |e| {
            format!("{} of journeys go this way", format::rate(&e.reach))
        });
    }
    let Some((cell, felt)) = cell(view, at) else {
        return String::new();
    };
    let mut told = Vec::new();
    if cell.reach.n > 0 {
        told.push(format!(
            "{} of journeys come here",
            format::rate(&cell.reach)
        ));
    }
    if cell.drop_off.n > 0 {
        told.push(format!(
            "{} of these leave without a goal",
            format::rate(&cell.drop_off)
        ));
    }
    if let Some(valence) = felt.and_then(|f| f.valence) {
        told.push(format!("feeling {}", format::estimate(&valence)));
    }
    told.join("; ")
}

/// What is done about a finding.
fn done(view: &MapView<'_>, id: &Id) -> String {
    let about = view.map.actions.iter().filter(|a| a.about.contains(id));
    let told: Vec<String> = about
        .map(|a| {
            let status = a.status.map(|s| words(s.word()));
            let due = a.due.map(|d| format!("due {d}"));
            let more: Vec<String> = status.into_iter().chain(due).collect();
            match more.is_empty() {
                true => view.text(&a.text),
                false => format!("{} ({})", view.text(&a.text), more.join(", ")),
            }
        })
        .collect();
    told.join("; ")
}
