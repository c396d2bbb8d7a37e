//! Whom a map is about: its window, and the customers of a persona.

use super::bind::LenientMatcher;
use super::plan::window_of;
use crate::error::Result;
use crate::journey::{Journeys, Mask, Matcher, Morsel, Span};
use crate::map::{Id, JourneyMap};

/// Whom a map is about, and when; its segment and what it excludes are left out of the journeys before.
#[derive(Debug)]
pub(super) struct Who {
    window: Option<(i64, i64)>,
    members: Option<Matcher>,
    /// Whether not everybody is meant, so that nothing can be said of answers without a customer.
    pub(super) is_narrow: bool,
}

impl Who {
    pub(super) fn new(map: &JourneyMap, journeys: &Journeys, persona: Option<&Id>) -> Result<Who> {
        let mut personas = map.personas.iter().filter(|p| persona == Some(&p.id));
        let member = personas.find_map(|p| p.member.as_ref());
        let bind = |e| LenientMatcher::new(e, journeys.catalog());
        let members = member.map(bind).transpose()?.map(|bound| bound.matcher);
        let scope = map.scope.as_ref();
        Ok(Who {
            window: window_of(map)?.map(|(from, to, _)| (from, to)),
            is_narrow: members.is_some() || scope.is_some_and(|s| s.segment.is_some()),
            members,
        })
    }

    /// From when, and to before when.
    pub(super) fn window(&self) -> (i64, i64) {
        self.window.unwrap_or((i64::MIN, i64::MAX))
    }

    /// Whether only some customers are meant.
    pub(super) fn is_persona(&self) -> bool {
        self.members.is_some()
    }

    pub(super) fn is_within(&self, time: i64) -> bool {
        self.window
            .is_none_or(|(from, to)| (from..to).contains(&time))
    }

    /// The journeys of a morsel as far as they are meant; `goes_on` says which of them go on after the window.
    pub(super) fn narrow(&self, morsel: &Morsel<'_>, goes_on: &mut Vec<bool>) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::with_capacity(morsel.spans().len());
        goes_on.clear();
        for span in morsel.spans() {
            let (inside, after) = match self.window {
                Some(window) => {
                    let (_, inside, after) = span.parts(morsel.times(), window);
                    (inside, after)
                }
                None => (span.start..span.end, 0),
            };
            if !inside.is_empty() {
                let (start, end) = (inside.start, inside.end);
                spans.push(Span {
                    start,
                    end,
                    ..*span
                });
                goes_on.push(after > 0);
            }
        }
        let Some(members) = &self.members else {
            return spans;
        };
        let mut mask = Mask::default();
        members.fill(&morsel.with_spans(&spans), &mut mask);
        let mut kept = Vec::with_capacity(spans.len());
        let mut kept_on = Vec::with_capacity(spans.len());
        let mut rest = goes_on.as_slice();
        for own in spans.chunk_by(|a, b| a.customer == b.customer) {
            let (here, others) = rest.split_at(own.len().min(rest.len()));
            rest = others;
            if own.iter().any(|s| mask.any_in(s.range())) {
                kept.extend_from_slice(own);
                kept_on.extend_from_slice(here);
            }
        }
        *goes_on = kept_on;
        kept
    }
}
