//! Stages, their order, and the steps in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::{part, text_or_struct, words};
use super::{Id, LocalizedText, Phase};
use crate::expr::Expr;
use crate::time::TimeSpan;

part! {
    /// Into which kind of stages a journey is divided. How many stages there are is a matter of the map; the framework says
    /// which known one it follows and which ways back are meant.
    pub struct StageFramework {
        /// The framework that the stages follow.
        preset: Preset,
        /// Its name, where it is one of your own.
        name ? LocalizedText,
        /// Ways back that belong to the journey, such as from use to comparison.
        loops * Loop,
    }
}

words! {
    /// Known frameworks of stages.
    pub enum Preset {
        /// Awareness, consideration, decision.
        Three = "three",
        /// Awareness, consideration, purchase, loyalty.
        Four = "four",
        /// Awareness, consideration, purchase, service, loyalty.
        Five = "five",
        /// Early, middle, late.
        EarlyMiddleLate = "early_middle_late",
        /// Any other.
        Custom = "custom",
    }
}

impl Preset {
    /// The ids and names of its stages; none for a custom one.
    pub fn stages(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Preset::Three => &[
                ("awareness", "Awareness"),
                ("consideration", "Consideration"),
                ("decision", "Decision"),
            ],
            Preset::Four => &[
                ("awareness", "Awareness"),
                ("consideration", "Consideration"),
                ("purchase", "Purchase"),
                ("loyalty", "Loyalty"),
            ],
            Preset::Five => &[
                ("awareness", "Awareness"),
                ("consideration", "Consideration"),
                ("purchase", "Purchase"),
                ("service", "Service"),
                ("loyalty", "Loyalty"),
            ],
            Preset::EarlyMiddleLate => {
                &[("early", "Early"), ("middle", "Middle"), ("late", "Late")]
            }
            Preset::Custom => &[],
        }
    }
}

/// A way back between two stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loop {
    /// Where it begins.
    pub from: Id,
    /// The earlier stage it leads to.
    pub to: Id,
}

part! {
    /// A part of the journey as the customer lives it. Stages follow each other as they are listed, unless `after` says
    /// otherwise.
    pub struct Stage {
        /// Its id.
        id: Id,
        /// What customers would call it.
        name: LocalizedText,
        /// The stages that it follows, where that is not the one listed before it.
        after * Id,
        /// What a customer does and wants here, in a sentence or two.
        description ? LocalizedText,
        /// The lifecycle phases that customers can be in here.
        lifecycle * Phase,
        /// How long it should take.
        target_duration ? TimeSpan,
        /// What the customer does here, one after the other.
        steps * Step,
        /// Another map that shows this stage in detail: its id.
        submap ? Id,
        /// What the stage's description rests on.
        evidence * Id,
        + own
    }
}

part! {
    /// Something that the customer does in a stage.
    pub struct Step {
        /// Its id.
        id: Id,
        /// What is done.
        action: LocalizedText,
        /// Who does it; the customer where nobody is named.
        actor ? LocalizedText,
        /// What they think.
        thought ? LocalizedText,
        /// What happens around it, for a service blueprint.
        layers ? Layers,
        /// What it rests on.
        evidence * Id,
        + own
    }
}

part! {
    /// The layers of a service blueprint at a step.
    pub struct Layers {
        /// What can be seen and touched.
        physical ? LocalizedText,
        /// What the customer does.
        customer ? LocalizedText,
        /// What people and systems do in front of the customer.
        frontstage ? LocalizedText,
        /// What they do out of sight.
        backstage ? LocalizedText,
        /// What supports them.
        support ? LocalizedText,
    }
}

/// A stage that a touchpoint sits in; where it sits in several, `when` says which events belong to this one.
///
/// Without `when`, an event belongs to the stage that its customer has come furthest to among those of the touchpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct StagePlace {
    /// The stage.
    pub stage: Id,
    /// The events that belong to it; the first place whose condition holds takes the event.
    pub when: Option<Expr>,
}

impl From<&str> for StagePlace {
    fn from(stage: &str) -> StagePlace {
        StagePlace {
            stage: stage.into(),
            when: None,
        }
    }
}

impl From<Id> for StagePlace {
    fn from(stage: Id) -> StagePlace {
        StagePlace { stage, when: None }
    }
}

/// `consider`, or `{stage: consider, when: "value < 20"}`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConditionalPlace {
    /// The stage.
    stage: Id,
    /// The events of the touchpoint that belong to it.
    when: Expr,
}

text_or_struct! {
    StagePlace: Id | ConditionalPlace, "the id of a stage, or `stage: …` with `when: …`",
    from_text: |stage| StagePlace { stage, when: None },
    from_form: |place| StagePlace { stage: place.stage, when: Some(place.when) },
    to_form: |place| {
        let when = place.when.clone()?;
        Some(ConditionalPlace { stage: place.stage.clone(), when })
    },
    to_text: |place| &place.stage
}
