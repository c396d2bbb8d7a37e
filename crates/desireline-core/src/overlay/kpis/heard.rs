//! What customers said about one part of a map, for the KPIs that are watched there.

use std::sync::Arc;

use desireline_stats::Clusters;

use super::KpiSources;
use crate::engine::Exec;
use crate::error::Result;
use crate::feedback::Feedback;
use crate::feedback::measures::{Measured, Measuring, response_rate};
use crate::journey::Journeys;
use crate::map::{Id, JourneyMap, KpiBinding};
use crate::overlay::feedback::{FeedbackJoin, Place, join_for, stages_of};

/// Whether a KPI's number is in what customers say.
pub(super) fn asks(binding: &KpiBinding) -> bool {
    let known = binding.kpi.known();
    let declared = || {
        let variant = binding.params.as_ref()?.get("variant")?;
        Some(variant.to_string() == "declared")
    };
    known.is_some_and(|k| k.is_voice || k.number == "K14" && declared().unwrap_or(false))
}

/// Answers with their places.
pub(super) struct Heard<'a> {
    map: &'a JourneyMap,
    answers: &'a Arc<Feedback>,
    join: Option<FeedbackJoin>,
}

impl<'a> Heard<'a> {
    /// Finds the places of answers, where a KPI needs them.
    ///
    /// # Errors
    /// Those of [`join_feedback`].
    pub(super) fn new(
        map: &'a JourneyMap,
        journeys: &Journeys,
        sources: &'a KpiSources,
        persona: Option<&Id>,
        exec: &Exec,
    ) -> Result<Option<Heard<'a>>> {
        let Some(answers) = &sources.answers else {
            return Ok(None);
        };
        let placed = map.kpis.iter().any(asks);
        let rule = &sources.listening.rule;
        let join = placed.then(|| join_for(map, journeys, answers, rule, persona, exec));
        Ok(Some(Heard {
            map,
            answers,
            join: join.transpose()?,
        }))
    }

    /// The answers about a stage, touchpoint or channel, or all of them. An answer to a touchpoint is one to each of its stages and to its channel.
    pub(super) fn at(&self, at: Option<&Id>) -> Arc<Feedback> {
        let Some(join) = &self.join else {
            return Arc::clone(self.answers);
        };
        let is_meant = |id: usize| join.outside.get(id) == Some(&false);
        let Some(at) = at else {
            return Arc::new(self.answers.keep(|a| is_meant(a.id)));
        };
        let touchpoints: Vec<bool> = self
            .map
            .touchpoints
            .iter()
            .map(|t| {
                let sits = [t.channel.as_ref(), t.step.as_ref()];
                t.id == *at || t.is_in(at) || sits.contains(&Some(at))
            })
            .collect();
        let stage = self.map.stages.iter().position(|s| s.id == *at);
        let channel = self.map.channels.iter().position(|c| c.id == *at);
        let mut steps = self.map.stages.iter().flat_map(|s| &s.steps);
        let step = steps.position(|s| s.id == *at);
        Arc::new(self.answers.keep(|answer| {
            let joined = join.answers.get(answer.id).and_then(|a| a.ok());
            joined.is_some_and(|joined| match joined.place {
                Place::Touchpoint(t) => touchpoints.get(t).copied().unwrap_or(false),
                Place::Stage(s) => Some(s) == stage,
                Place::Channel(c) => Some(c) == channel,
                Place::Step(s) => {
                    let of = stages_of(self.map, joined.place).first().copied();
                    Some(s) == step || stage.is_some() && of == stage
                }
            })
        }))
    }

    /// How many touches of a touchpoint were answered (K23); `None` for what is no touchpoint.
    pub(super) fn response(&self, at: &Id, measuring: &Measuring) -> Option<Measured> {
        let place = self.map.touchpoints.iter().position(|t| t.id == *at)?;
        let touches: &Clusters = self.join.as_ref()?.touches.get(place)?;
        Some(response_rate(touches, measuring))
    }
}
