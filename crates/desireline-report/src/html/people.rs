//! The part of a page that shows whom a map is about.

use desireline_core::map::{Id, LocalizedText, Persona, PersonaKind};
use desireline_core::overlay::persona_weights;
use minijinja::context;
use minijinja::value::{Serde, Value};

use super::map::{MapView, shown};
use super::tables;
use crate::format;

/// Personas with their facts, what they want, what hurts them and what speaks against buying; and what they weigh. Facts that they
/// call sensitive only where the view shows them.
pub(super) fn people(view: &MapView<'_>) -> Option<Value> {
    let map = view.map;
    if map.personas.is_empty() {
        return None;
    }
    let personas: Vec<Value> = map.personas.iter().map(|p| persona(view, p)).collect();
    let weights = persona_weights(map, view.overlay);
    let covered = weights.covered.and_then(|r| r.estimate);
    let heading = match (covered, weights.declared) {
        (Some(e), _) => format!("{} of customers belong to a persona", format::estimate(&e)),
        (None, Some(sum)) if weights.declared_rest.is_some() => {
            format!("Personas stand for {} of customers", format::percent(sum))
        }
        _ => "Whom the map is about".to_owned(),
    };
    Some(context! {
        heading => heading,
        personas => personas,
        tables => Serde(tables(&weights)),
    })
}

fn persona(view: &MapView<'_>, p: &Persona) -> Value {
    let text = |t: &LocalizedText| shown(t.get(view.language()));
    let texts = |list: &[LocalizedText]| list.iter().map(text).collect::<Vec<_>>();
    let named = |id: &Id| shown(&view.named(id));
    let facts = p.facts(view.sensitive).into_iter();
    let mut rows: Vec<(String, Vec<String>)> = facts
        .map(|(name, fact)| (sentence(name), vec![shown(&fact)]))
        .collect();
    let lists = [
        ("Wants", p.goals.iter().map(named).collect()),
        ("What hurts", texts(&p.pains)),
        ("Speaks against it", texts(&p.objections)),
        ("Likes", p.preferred_channels.iter().map(named).collect()),
    ];
    let lists = lists.into_iter().filter(|(_, told)| !told.is_empty());
    rows.extend(lists.map(|(what, told)| (what.to_owned(), told)));
    let hidden = p.facts(true).len() - p.facts(view.sensitive).len();
    let kind = match p.kind {
        Some(PersonaKind::Ideal) => "wished for",
        Some(PersonaKind::Actual) => "there already",
        None => "",
    };
    context! {
        name => text(&p.name),
        kind => kind,
        quote => p.quote.as_ref().map(text),
        rows => rows.into_iter().map(|(label, values)| context! { label => label, values => values }).collect::<Vec<_>>(),
        hidden => (hidden > 0).then(|| format::counted(hidden as u64, "fact")),
    }
}

/// A name of the document as a label.
fn sentence(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    let told = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    };
    shown(&told)
}
