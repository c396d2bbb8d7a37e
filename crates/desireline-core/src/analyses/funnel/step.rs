use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::analyses::deferred::Deferred;
use crate::expr::{Expr, IntoExpr, Node};

/// One step of a funnel: the events that fill it. In JSON either an expression, or an object with more to say.
///
/// ```
/// use desireline_core::analyses::funnel::Step;
/// let step: Step = serde_json::from_str(r#""purchase""#)?;
/// assert_eq!(serde_json::to_string(&step)?, r#""purchase""#);
/// let step: Step = serde_json::from_str(r#"{"expr": "event in [\"cart\", \"basket\"]", "label": "Cart"}"#)?;
/// assert_eq!(step.label.as_deref(), Some("Cart"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which events fill the step.
    pub expr: Expr,
    /// What people read; the expression's text unless set.
    pub label: Option<String>,
    /// What could not be read when the step was made from a text.
    #[doc(hidden)]
    pub deferred: Deferred,
}

/// A step with more to say than its expression.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StepObject {
    /// Which events fill the step.
    expr: Expr,
    /// What people read; the expression's text unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl Step {
    /// The step filled by events for which `expr` (an expression or its text) holds.
    pub fn new(expr: impl IntoExpr) -> Step {
        let mut deferred = Deferred::default();
        let expr = deferred.expr("steps", expr);
        Step {
            expr: expr.unwrap_or_else(|| Node::All.into()),
            label: None,
            deferred,
        }
    }

    /// The same step under another name for people.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Step {
        Step {
            label: Some(label.into()),
            ..self
        }
    }
}

impl From<&str> for Step {
    fn from(text: &str) -> Step {
        Step::new(text)
    }
}

impl From<String> for Step {
    fn from(text: String) -> Step {
        Step::new(text)
    }
}

impl From<Expr> for Step {
    fn from(expr: Expr) -> Step {
        Step::new(expr)
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.label {
            None => self.expr.serialize(serializer),
            Some(label) => StepObject {
                expr: self.expr.clone(),
                label: Some(label.clone()),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Step;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an expression, or an object with `expr` and `label`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Step, E> {
                Expr::parse(text).map(Step::new).map_err(E::custom)
            }
            fn visit_map<M: serde::de::MapAccess<'de>>(self, map: M) -> Result<Step, M::Error> {
                let object = StepObject::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Step {
                    label: object.label,
                    ..Step::new(object.expr)
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let expr = generator.subschema_for::<Expr>();
        let object = generator.subschema_for::<StepObject>();
        json_schema!({
            "anyOf": [expr, object],
            "description": "The events that fill the step: an expression, or an object with `expr` and `label`.",
        })
    }
}
