//! What is asked of a map and a log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::feedback::JoinRule;
use crate::error::{Result, SpecError, nearest};
use crate::journey::CalendarUnit;
use crate::map::{Id, JourneyMap};
use crate::time::TimeSpan;

/// The name under which overlays are asked for.
pub const NAME: &str = "overlay";

/// How a map is measured against a log. All of it has defaults.
///
/// ```
/// use desireline_core::overlay::Overlay;
/// use desireline_core::journey::CalendarUnit;
/// let how = Overlay::new().by_period(CalendarUnit::Month).min_n(20);
/// let json = serde_json::to_string(&how)?;
/// assert_eq!(serde_json::from_str::<Overlay>(&json)?, how);
/// assert!(serde_json::from_str::<Overlay>(r#"{"levl": 0.9}"#).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Overlay {
    /// The confidence level of all intervals.
    pub level: f64,
    /// Below how many observations there is a hole instead of a number; for groups, below how many customers. What the map's
    /// `checks` say unless it is given, else 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_n: Option<u64>,
    /// The calendar unit of the trend; no trend where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<CalendarUnit>,
    /// The zone whose midnight counts; that of the map's window unless it is named, else UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether each persona is measured.
    pub personas: bool,
    /// Only the customers of this persona.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<Id>,
    /// Only this goal: the lens through which the map is read. Any goal of the map where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Id>,
    /// A journey whose last event lies less than this before the end of observation may still go on. Unless it is named: the
    /// pause that cuts journeys, or 30 minutes where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alive: Option<TimeSpan>,
    /// Who begins another journey no later than this after one that ended without a goal has come back; seven days unless it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns_within: Option<TimeSpan>,
    /// Attributes whose changes are looked at as hand-overs, such as `platform`; owners and channels always are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<String>,
    /// Between which stages, and from what on, a journey is forced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forced: Option<Forced>,
    /// The language of names; the map's own unless it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How answers find their touchpoint, where there are any: seven days before the answer unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinRule>,
}

/// When a journey is brought to a decision too fast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Forced {
    /// The stage of weighing up; `consideration` unless it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Id>,
    /// The stage of deciding; `decision` or `purchase` unless it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Id>,
    /// Fewer events of weighing up than this are too few.
    pub touches: u32,
    /// Less time since the first of them is too short; time does not count where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<TimeSpan>,
}

impl Default for Forced {
    fn default() -> Forced {
        Forced {
            from: None,
            to: None,
            touches: 1,
            within: None,
        }
    }
}

impl Default for Overlay {
    fn default() -> Overlay {
        Overlay {
            level: 0.95,
            min_n: None,
            period: None,
            zone: None,
            personas: true,
            persona: None,
            goal: None,
            alive: None,
            returns_within: None,
            handovers: Vec::new(),
            forced: None,
            language: None,
            join: None,
        }
    }
}

/// A setter for each field that a builder sets.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident => $field:ident: $type:ty = |$value:ident| $with:expr;)*) => {
        impl Overlay {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $value: $type) -> Overlay {
                self.$field = $with;
                self
            })*
        }
    };
}

setters! {
    /// Sets the confidence level of all intervals.
    level => level: f64 = |level| level;
    /// Sets below how many observations there is a hole instead of a number.
    min_n => min_n: u64 = |n| Some(n);
    /// Asks for a trend by a calendar unit.
    by_period => period: CalendarUnit = |unit| Some(unit);
    /// Sets the zone whose midnight counts.
    zone => zone: &str = |zone| Some(zone.to_owned());
    /// Sets whether each persona is measured.
    by_persona => personas: bool = |yes| yes;
    /// Measures only the customers of a persona.
    persona => persona: &str = |id| Some(id.into());
    /// Reads the map through the lens of one goal.
    lens => goal: &str = |id| Some(id.into());
    /// Sets for how long after its last event a journey may still go on.
    alive => alive: TimeSpan = |span| Some(span);
    /// Sets until when after a journey without a goal a customer has come back.
    returns_within => returns_within: TimeSpan = |span| Some(span);
    /// Sets the attributes whose changes are looked at as hand-overs.
    handovers => handovers: &[&str] = |names| names.iter().map(|n| (*n).to_owned()).collect();
    /// Sets when a journey is forced.
    forced => forced: Forced = |forced| Some(forced);
    /// Sets the language of names.
    language => language: &str = |tag| Some(tag.to_owned());
    /// Sets how answers find their touchpoint.
    join => join: JoinRule = |rule| Some(rule);
}

impl Overlay {
    /// The defaults.
    pub fn new() -> Overlay {
        Overlay::default()
    }

    /// Below how many observations there is a hole.
    pub(super) fn least(&self, map: &JourneyMap) -> u64 {
        let checks = map.checks.as_ref().and_then(|c| c.min_n);
        self.min_n.or(checks).unwrap_or(10)
    }

    /// Refuses what no map can be measured by.
    pub(super) fn check(&self, map: &JourneyMap) -> Result<()> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(wrong(
                "level",
                format!(
                    "{} is no confidence level; use a number between 0 and 1, such as 0.95",
                    self.level
                ),
            ));
        }
        let known = |field, id: Option<&Id>, ids: Vec<&Id>, what: &str| match id {
            Some(id) if !ids.contains(&id) => {
                let near = nearest(id.as_str(), ids.iter().map(|i| i.as_str()));
                let help = near.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
                Err(wrong(field, format!("the map has no {what} `{id}`{help}")))
            }
            _ => Ok(()),
        };
        let stages = || map.stages.iter().map(|s| &s.id).collect::<Vec<_>>();
        let personas = map.personas.iter().filter(|p| p.member.is_some());
        let goals = map.goals.iter().filter(|g| g.success.is_some());
        known(
            "persona",
            self.persona.as_ref(),
            personas.map(|p| &p.id).collect(),
            "persona with a `member` condition called",
        )?;
        known(
            "goal",
            self.goal.as_ref(),
            goals.map(|g| &g.id).collect(),
            "goal with a `success` called",
        )?;
        if let Some(forced) = &self.forced {
            known("forced", forced.from.as_ref(), stages(), "stage")?;
            known("forced", forced.to.as_ref(), stages(), "stage")?;
        }
        Ok(())
    }
}

/// A mistake in the question.
pub(super) fn wrong(field: &'static str, problem: String) -> crate::Error {
    SpecError::Field {
        analysis: NAME,
        field,
        problem,
    }
    .into()
}
