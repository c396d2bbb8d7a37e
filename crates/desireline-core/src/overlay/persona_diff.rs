//! Two profiles of customers held against each other, field by field: whom one wishes for and whom one has.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::persona_weights::nowhere;
use crate::map::{Id, JourneyMap, LocalizedText, Persona, PersonaKind};
use crate::report::{Answer, Caveat, Cells, Provenance, Report, Table};

/// How a field of two personas compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldChange {
    /// Both say the same; lists in any order.
    Equal,
    /// They say different things.
    Different,
    /// Only the second says something.
    MissingInFirst,
    /// Only the first says something.
    MissingInSecond,
}

impl FieldChange {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            FieldChange::Equal => "equal",
            FieldChange::Different => "different",
            FieldChange::MissingInFirst => "missing in first",
            FieldChange::MissingInSecond => "missing in second",
        }
    }
}

/// One field of two personas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PersonaField {
    /// The first persona.
    pub first: String,
    /// The second.
    pub second: String,
    /// The field's path in the document, such as `traits.age`.
    pub field: String,
    /// What the first says; absent where it says nothing, or where the field is sensitive.
    pub first_says: Option<String>,
    /// What the second says.
    pub second_says: Option<String>,
    /// How they compare.
    pub change: FieldChange,
    /// Whether what they say is left out because one of them calls it sensitive.
    pub hidden: bool,
}

/// Personas held against each other. Tables: `pairs`, `fields`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PersonaDiff {
    /// Each field that one of the two says something in, pair by pair.
    pub fields: Vec<PersonaField>,
    /// Personas of the first map that were held against nobody.
    pub only_first: Vec<String>,
    /// Those of the second.
    pub only_second: Vec<String>,
    /// What to know before trusting the numbers.
    pub caveats: Vec<Caveat>,
    /// Over no log.
    #[serde(skip, default = "nowhere")]
    pub provenance: Provenance,
}

/// What is compared, and what may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonaDiffOptions {
    /// The persona of the first map.
    pub first: Option<Id>,
    /// The persona of the second map, or of the same one.
    pub second: Option<Id>,
    /// Whether facts that a persona calls sensitive are shown.
    pub sensitive: bool,
}

/// Holds personas against each other, field by field.
///
/// Of one map: each ideal persona against each actual one, unless `options` name two. Of two maps, such as an ideal and an actual one:
/// those of the same id; where `options` name only one, the one of the same id in the other map.
///
/// A field that both leave out is not listed. Lists are sets: their order does not count. Whether facts called sensitive are equal is
/// told, what they are is not.
///
/// ```
/// use desireline_core::map::JourneyMap;
/// use desireline_core::overlay::{FieldChange, PersonaDiffOptions, persona_diff};
///
/// let map = JourneyMap::from_yaml("
/// schema: 1
/// id: shop
/// title: Buying
/// version: 1.0.0
/// kind: actual
/// status: draft
/// as_of: 2026-01-01
/// owner: cx
/// stakeholders: [{id: cx, name: CX}]
/// personas:
///   - {id: wished, name: Buys often, kind: ideal, traits: {place: town, age: 25-34}}
///   - {id: there, name: Buys seldom, kind: actual, traits: {place: town}}
/// ")?;
/// let diff = persona_diff(&map, None, &PersonaDiffOptions::default())?;
/// let found: Vec<_> = diff.fields.iter().map(|f| (f.field.as_str(), f.change)).collect();
/// assert_eq!(found, [
///     ("name", FieldChange::Different),
///     ("traits.age", FieldChange::MissingInSecond),
///     ("traits.place", FieldChange::Equal),
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`UnknownPersona`]: a persona that is named is not there.
pub fn persona_diff(
    first: &JourneyMap,
    second: Option<&JourneyMap>,
    options: &PersonaDiffOptions,
) -> Result<PersonaDiff, UnknownPersona> {
    let other = second.unwrap_or(first);
    let pairs = pairs(first, second, options)?;
    let fields = pairs
        .iter()
        .flat_map(|(a, b)| compare((first, a), (other, b), options.sensitive));
    let mut diff = PersonaDiff {
        fields: fields.collect(),
        only_first: Vec::new(),
        only_second: Vec::new(),
        caveats: Vec::new(),
        provenance: nowhere(),
    };
    let named = options.first.is_some() || options.second.is_some();
    if !named {
        let alone = |map: &JourneyMap, seen: &dyn Fn(&Persona) -> bool| -> Vec<String> {
            let rest = map.personas.iter().filter(|p| !seen(p));
            rest.map(|p| p.id.to_string()).collect()
        };
        let left = |p: &Persona| pairs.iter().any(|(a, _)| a.id == p.id);
        let right = |p: &Persona| pairs.iter().any(|(_, b)| b.id == p.id);
        match second {
            Some(second) => {
                diff.only_first = alone(first, &left);
                diff.only_second = alone(second, &right);
            }
            None => diff.only_first = alone(first, &|p| left(p) || right(p)),
        }
        if pairs.is_empty() {
            let text = match second {
                Some(_) => "the two maps have no persona of the same id",
                None => "the map has no pair of an ideal and an actual persona",
            };
            diff.caveats.push(Caveat::Note {
                text: text.to_owned(),
            });
        }
    }
    Ok(diff)
}

/// There is no such persona.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the map `{map}` has no persona `{persona}`; it has {}", listed(known))]
#[non_exhaustive]
pub struct UnknownPersona {
    /// The map's id.
    pub map: String,
    /// The id that was given.
    pub persona: String,
    /// Those that there are.
    pub known: Vec<String>,
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "none".to_owned(),
        known => known.join(", "),
    }
}

fn find<'m>(map: &'m JourneyMap, id: &Id) -> Result<&'m Persona, UnknownPersona> {
    let found = map.personas.iter().find(|p| p.id == *id);
    found.ok_or_else(|| UnknownPersona {
        map: map.id.to_string(),
        persona: id.to_string(),
        known: map.personas.iter().map(|p| p.id.to_string()).collect(),
    })
}

fn pairs<'m>(
    first: &'m JourneyMap,
    second: Option<&'m JourneyMap>,
    options: &PersonaDiffOptions,
) -> Result<Vec<(&'m Persona, &'m Persona)>, UnknownPersona> {
    let is_ideal = |p: &&Persona| p.kind == Some(PersonaKind::Ideal);
    let named = |map: &'m JourneyMap, id: &Option<Id>| -> Result<Option<&'m Persona>, _> {
        id.as_ref().map(|id| find(map, id)).transpose()
    };
    let other = second.unwrap_or(first);
    let chosen = (
        named(first, &options.first)?,
        named(other, &options.second)?,
    );
    Ok(match (chosen, second) {
        ((Some(a), Some(b)), _) => vec![(a, b)],
        ((Some(a), None), Some(second)) => vec![(a, find(second, &a.id)?)],
        ((None, Some(b)), Some(_)) => vec![(find(first, &b.id)?, b)],
        ((None, None), Some(second)) => {
            let same = |a: &'m Persona| {
                let b = second.personas.iter().find(|b| b.id == a.id);
                b.map(|b| (a, b))
            };
            first.personas.iter().filter_map(same).collect()
        }
        ((a, b), None) => {
            // Ideal ones come first; one that is named takes its side whatever its kind.
            let firsts = first.personas.iter().filter(|p| match a {
                Some(a) => p.id == a.id,
                None => is_ideal(p) && b.is_none_or(|b| b.id != p.id),
            });
            let seconds = |x: &'m Persona| {
                first.personas.iter().filter(move |p| match b {
                    Some(b) => p.id == b.id,
                    None => p.id != x.id && p.kind != Some(PersonaKind::Ideal),
                })
            };
            firsts
                .flat_map(|x| seconds(x).map(move |y| (x, y)))
                .collect()
        }
    })
}

/// What a persona says in one field.
enum Said {
    One(String),
    Set(Vec<String>),
}

impl Said {
    fn told(&self) -> String {
        match self {
            Said::One(text) => text.clone(),
            Said::Set(list) => list.join("; "),
        }
    }

    fn is(&self, other: &Said) -> bool {
        let set = |said: &Said| -> BTreeSet<String> {
            match said {
                Said::One(text) => BTreeSet::from([text.clone()]),
                Said::Set(list) => list.iter().cloned().collect(),
            }
        };
        set(self) == set(other)
    }
}

/// All that a persona says, by the paths of the document.
fn said(map: &JourneyMap, persona: &Persona) -> Vec<(String, Said)> {
    let text = |t: &LocalizedText| t.get(map.main_language()).to_owned();
    let ids = |list: &[Id]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let texts = |list: &[LocalizedText]| list.iter().map(text).collect::<Vec<_>>();
    let one = |name: &str, told: Option<String>| Some((name.to_owned(), Said::One(told?)));
    let set = |name: &str, told: Vec<String>| {
        (!told.is_empty()).then(|| (name.to_owned(), Said::Set(told)))
    };
    let mut all: Vec<(String, Said)> = [
        one("name", Some(text(&persona.name))),
        one("member", persona.member.as_ref().map(ToString::to_string)),
        one("share", persona.share.map(|s| s.get().to_string())),
        one("value", persona.value.map(|v| v.to_string())),
        one("quote", persona.quote.as_ref().map(text)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let facts = persona.facts(true).into_iter();
    all.extend(facts.map(|(name, fact)| (format!("traits.{name}"), Said::One(fact))));
    let lists = [
        set("goals", ids(&persona.goals)),
        set("pains", texts(&persona.pains)),
        set("objections", texts(&persona.objections)),
        set("preferred_channels", ids(&persona.preferred_channels)),
    ];
    all.extend(lists.into_iter().flatten());
    all
}

fn compare(
    (first_map, first): (&JourneyMap, &Persona),
    (second_map, second): (&JourneyMap, &Persona),
    sensitive: bool,
) -> Vec<PersonaField> {
    let left = said(first_map, first);
    let right = said(second_map, second);
    let in_first = |name: &str| left.iter().find(|(n, _)| n == name).map(|(_, s)| s);
    let in_second = |name: &str| right.iter().find(|(n, _)| n == name).map(|(_, s)| s);
    // The order of the document, with what only the second has where it would stand.
    let order = [
        "name",
        "member",
        "share",
        "value",
        "quote",
        "traits",
        "goals",
        "pains",
        "objections",
        "preferred_channels",
    ];
    let place = |name: &str| {
        let head = name.split('.').next().unwrap_or_default();
        order.iter().position(|o| *o == head).unwrap_or(order.len())
    };
    let mut names: Vec<&str> = left.iter().map(|(n, _)| n.as_str()).collect();
    let more = right.iter().map(|(n, _)| n.as_str());
    names.extend(more.filter(|n| in_first(n).is_none()));
    names.sort_by_key(|name| place(name));
    let hides = |name: &str| match name.strip_prefix("traits.") {
        Some(fact) => first.is_sensitive(fact) || second.is_sensitive(fact),
        None => name == "member" && (first.has_sensitive_member() || second.has_sensitive_member()),
    };
    let row = |name: &str| {
        let (a, b) = (in_first(name), in_second(name));
        let change = match (a, b) {
            (Some(a), Some(b)) if a.is(b) => FieldChange::Equal,
            (Some(_), Some(_)) => FieldChange::Different,
            (None, _) => FieldChange::MissingInFirst,
            (_, None) => FieldChange::MissingInSecond,
        };
        let hidden = !sensitive && hides(name);
        let shown = |said: Option<&Said>| said.filter(|_| !hidden).map(Said::told);
        PersonaField {
            first: first.id.to_string(),
            second: second.id.to_string(),
            field: name.to_owned(),
            first_says: shown(a),
            second_says: shown(b),
            change,
            hidden,
        }
    };
    names.into_iter().map(row).collect()
}

impl PersonaDiff {
    /// The report as an answer, which every renderer takes.
    pub fn into_answer(self) -> Answer<PersonaDiff> {
        Answer {
            analysis: "persona_diff".to_owned(),
            spec: serde_json::Value::Object(serde_json::Map::new()),
            provenance: self.provenance.clone(),
            report: self,
        }
    }

    /// Whether no field differs.
    pub fn is_equal(&self) -> bool {
        let equal = |f: &PersonaField| f.change == FieldChange::Equal;
        self.fields.iter().all(equal) && self.only_first.is_empty() && self.only_second.is_empty()
    }
}

impl Report for PersonaDiff {
    fn title(&self) -> &'static str {
        "Personas against each other"
    }

    fn tables(&self) -> Vec<Table> {
        let mut pairs: Vec<(&str, &str, [u64; 3])> = Vec::new();
        for f in &self.fields {
            let place = match f.change {
                FieldChange::Equal => 0,
                FieldChange::Different => 1,
                _ => 2,
            };
            let (first, second) = (f.first.as_str(), f.second.as_str());
            if pairs.last().is_none_or(|p| (p.0, p.1) != (first, second)) {
                pairs.push((first, second, [0; 3]));
            }
            if let Some(count) = pairs.last_mut().and_then(|p| p.2.get_mut(place)) {
                *count += 1;
            }
        }
        let text = |words: Vec<Option<String>>| Cells::Text(words);
        let count = |place: usize| {
            let counts = pairs.iter().map(|p| p.2.get(place).copied());
            Cells::Count(counts.collect())
        };
        let f = &self.fields;
        let says = |said: &Option<String>, hidden: bool| match (said, hidden) {
            (_, true) => Some("(sensitive)".to_owned()),
            (said, false) => said.clone(),
        };
        let mut tables = vec![
            Table::new("pairs", "Personas held against each other")
                .with(
                    "first",
                    "Persona",
                    text(pairs.iter().map(|p| Some(p.0.to_owned())).collect()),
                )
                .with(
                    "second",
                    "Against",
                    text(pairs.iter().map(|p| Some(p.1.to_owned())).collect()),
                )
                .with("equal", "Equal", count(0))
                .with("different", "Different", count(1))
                .with("missing", "Missing in one", count(2)),
            Table::new("fields", "Field by field")
                .with(
                    "first",
                    "Persona",
                    text(f.iter().map(|r| Some(r.first.clone())).collect()),
                )
                .with(
                    "second",
                    "Against",
                    text(f.iter().map(|r| Some(r.second.clone())).collect()),
                )
                .with(
                    "field",
                    "Field",
                    text(f.iter().map(|r| Some(r.field.clone())).collect()),
                )
                .with(
                    "change",
                    "How",
                    text(f.iter().map(|r| Some(r.change.word().to_owned())).collect()),
                )
                .with(
                    "first_says",
                    "One says",
                    text(f.iter().map(|r| says(&r.first_says, r.hidden)).collect()),
                )
                .with(
                    "second_says",
                    "The other says",
                    text(f.iter().map(|r| says(&r.second_says, r.hidden)).collect()),
                ),
        ];
        let alone = self.only_first.iter().map(|id| ("first", id));
        let alone: Vec<_> = alone
            .chain(self.only_second.iter().map(|id| ("second", id)))
            .collect();
        if !alone.is_empty() {
            tables.push(
                Table::new("alone", "Personas held against nobody")
                    .with(
                        "map",
                        "Map",
                        text(alone.iter().map(|a| Some(a.0.to_owned())).collect()),
                    )
                    .with(
                        "persona",
                        "Persona",
                        text(alone.iter().map(|a| Some(a.1.clone())).collect()),
                    ),
            );
        }
        tables
    }

    crate::report::held!();
}
