//! What all readers and writers need: the head of an imported map, ids that are free, texts on one line.

use std::collections::{HashMap, HashSet};

use desireline_core::map::{Id, JourneyMap, LocalizedText, MapKind, Stakeholder, Status, Version};

use super::{ExchangeError, ImportOptions, MAX_PARTS};
use crate::names::visible;

/// The ids of a map in the making: one namespace for all its parts.
#[derive(Default)]
pub(super) struct Ids {
    taken: HashSet<Id>,
    next: HashMap<Id, usize>,
}

impl Ids {
    /// Takes an id that a text names; false if it is taken already or is none.
    pub(super) fn take(&mut self, id: &Id) -> bool {
        id.is_valid() && self.taken.insert(id.clone())
    }

    /// A free id like a text, or like `kind` where the text has no letter for one.
    pub(super) fn fresh(&mut self, text: &str, kind: &str) -> Id {
        let base = Id::suggest(text).unwrap_or_else(|| Id::from(kind));
        if self.taken.insert(base.clone()) {
            return base;
        }
        let next = self.next.entry(base.clone()).or_insert(2);
        loop {
            let ending = format!("-{next}");
            *next += 1;
            let room = desireline_core::map::MAX_ID - ending.len();
            let lead = base.as_str().get(..room).unwrap_or(base.as_str());
            let id = Id::from(format!("{}{ending}", lead.trim_end_matches('-')));
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }

    /// How many there are, as an error if they are too many.
    pub(super) fn within_limit(&self) -> Result<(), ExchangeError> {
        let found = self.taken.len();
        (found <= MAX_PARTS)
            .then_some(())
            .ok_or(ExchangeError::Limit {
                what: "parts",
                found,
                limit: MAX_PARTS,
            })
    }
}

/// A draft with a title and somebody to be named as its owner.
pub(super) fn begin(
    title: &str,
    id: Option<&str>,
    kind: MapKind,
    ids: &mut Ids,
    options: &ImportOptions,
) -> JourneyMap {
    let named = options.id.as_deref().or(id).map(Id::from);
    let id = named
        .filter(Id::is_valid)
        .or_else(|| Id::suggest(title))
        .unwrap_or_else(|| Id::from("imported-map"));
    let owner = ids.fresh("owner", "owner");
    JourneyMap::new(
        id,
        title,
        Version::new(0, 1, 0),
        kind,
        Status::Draft,
        options.as_of,
        owner.clone(),
    )
    .stakeholders([Stakeholder::new(owner, "Owner, to be named")])
}

/// A text of the map's language on one line, without what cannot be seen; never empty.
pub(super) fn plain(map: &JourneyMap, text: &LocalizedText) -> String {
    line(text.get(map.main_language()))
}

/// A text on one line, without what cannot be seen; never empty.
pub(super) fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = visible(&words.join(" ")).into_owned();
    if line.is_empty() {
        "(empty)".to_owned()
    } else {
        line
    }
}
