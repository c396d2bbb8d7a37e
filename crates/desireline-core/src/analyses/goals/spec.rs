//! The question.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use crate::analyses::Deferred;
use crate::analyses::parts::{check_level, default_level};
use crate::error::SpecError;
use crate::expr::{Expr, IntoExpr};
use crate::time::TimeSpan;

/// Which journeys reach their goals, how fast, how directly, and what they are worth?
///
/// A journey reaches a goal when one of its events matches the goal's expression; the first such event counts for time and steps,
/// all of them for value. Per goal: completion of all journeys and of those that have ended, both with an interval clustered by customer;
/// money at goal events; time from the journey's first event to the goal, as the share of all journeys that have reached it
/// by then (Kaplan–Meier on the time observed); directness, the fewest steps of any
/// journey that got there over the steps of this one; completion by first touchpoint and by channel.
///
/// ```
/// use desireline_core::analyses::Goals;
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::log::{LogBuilder, LogOptions};
///
/// let mut log = LogBuilder::new(LogOptions::default());
/// for (customer, time, event) in [("a", 0, "view"), ("a", 60, "buy"), ("b", 0, "view"), ("c", 0, "buy")] {
///     log.push(customer, time * 1_000_000, event)?;
/// }
/// let journeys = log.finish()?.journeys(JourneyRule::customer())?;
/// let report = journeys.run(&Goals::new(["buy"]).alive("0s"))?;
/// let buy = &report.goals[0];
/// assert_eq!((buy.of_all.count, buy.of_all.n), (2, 3));
/// assert_eq!(buy.directness.as_ref().map(|d| d.shortest), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Goals {
    /// The goals: each an expression, or a name and an expression.
    pub goals: Vec<Goal>,
    /// A journey whose last event is less than this before the end of observation may still go on, unless the customer's next one has begun: it
    /// is open, not lost.
    #[serde(default = "default_alive")]
    pub alive: TimeSpan,
    /// For which lengths of time to tell how many have reached the goal by then.
    #[serde(default = "default_horizons")]
    pub horizons: Vec<TimeSpan>,
    /// How many first touchpoints and channels to list; the rest is one exact row.
    #[serde(default = "default_top")]
    pub top: u32,
    /// The level of the intervals.
    #[serde(default = "default_level")]
    pub level: f64,
    /// What a builder method could not read.
    #[serde(skip)]
    #[doc(hidden)]
    pub deferred: Deferred,
}

/// What the customer came for: a named expression.
///
/// In JSON either the expression's text, which then is the name as well, or `{"name": …, "expr": …}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// The events that reach it.
    pub expr: Expr,
}

fn default_alive() -> TimeSpan {
    TimeSpan::from_micros(30 * 60 * 1_000_000)
}

fn default_horizons() -> Vec<TimeSpan> {
    [600, 3_600, 86_400, 7 * 86_400, 30 * 86_400]
        .map(|seconds| TimeSpan::from_micros(seconds * 1_000_000))
        .to_vec()
}

fn default_top() -> u32 {
    20
}

impl Goals {
    /// These goals: expressions or their texts, each its own name. A text that cannot be read is reported when the question is run.
    pub fn new<E: IntoExpr>(goals: impl IntoIterator<Item = E>) -> Goals {
        let mut deferred = Deferred::default();
        Goals {
            goals: goals
                .into_iter()
                .filter_map(|goal| deferred.expr("goals", goal).map(Goal::from))
                .collect(),
            alive: default_alive(),
            horizons: default_horizons(),
            top: default_top(),
            level: default_level(),
            deferred,
        }
    }

    /// Adds a goal with a name of its own.
    #[must_use]
    pub fn and(mut self, name: impl Into<String>, goal: impl IntoExpr) -> Goals {
        let name = name.into();
        let expr = self.deferred.expr("goals", goal);
        self.goals.extend(expr.map(|expr| Goal { name, expr }));
        self
    }

    crate::analyses::parts::alive_and_level!();

    /// Sets the lengths of time to tell completion for.
    #[must_use]
    pub fn horizons(mut self, horizons: impl IntoIterator<Item = TimeSpan>) -> Goals {
        self.horizons = horizons.into_iter().collect();
        self
    }

    pub(super) fn validate(&self) -> Result<(), SpecError> {
        let problem = |field, problem: String| {
            Err(SpecError::Field {
                analysis: "goals",
                field,
                problem,
            })
        };
        self.deferred.check("goals")?;
        check_level("goals", self.level)?;
        if self.goals.is_empty() {
            return problem("goals", "no goal is given; name at least one".to_owned());
        }
        Ok(())
    }

    /// The goals under names that tell them apart: a name given again gets its number.
    pub(super) fn distinct(&self) -> Vec<Goal> {
        let mut goals: Vec<Goal> = Vec::with_capacity(self.goals.len());
        for goal in &self.goals {
            let taken = |name: &str| goals.iter().any(|g| g.name == name);
            let numbered = (2..).map(|n| format!("{} ({n})", goal.name));
            let mut names = std::iter::once(goal.name.clone()).chain(numbered);
            let name = names.find(|name| !taken(name)).unwrap_or_default();
            let expr = goal.expr.clone();
            goals.push(Goal { name, expr });
        }
        goals
    }
}

impl From<Expr> for Goal {
    fn from(expr: Expr) -> Goal {
        let name = match &expr.node {
            crate::expr::Node::Name(name) => name.clone(),
            _ => expr.to_string(),
        };
        Goal { name, expr }
    }
}

impl<'de> Deserialize<'de> for Goal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Goal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression such as `purchase`, or {\"name\": …, \"expr\": …}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Goal, E> {
                let expr = Expr::parse(text)
                    .map_err(|error| E::custom(format_args!("in an expression, {error}")))?;
                Ok(expr.into())
            }
            fn visit_map<M: serde::de::MapAccess<'de>>(self, map: M) -> Result<Goal, M::Error> {
                let Named { name, expr } = Named::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Goal { name, expr })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A goal with a name of its own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// The goal's name.
    name: String,
    /// The events that reach it.
    expr: Expr,
}

impl JsonSchema for Goal {
    fn schema_name() -> Cow<'static, str> {
        "Goal".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Expr>();
        let named = generator.subschema_for::<Named>();
        schemars::json_schema!({
            "description": "What the customer came for: an expression, or a name and an expression.",
            "anyOf": [text, named],
        })
    }
}
