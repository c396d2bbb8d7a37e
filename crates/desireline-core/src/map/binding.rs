//! Which events are a touchpoint.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::part::{part, text_or_struct, words};
use crate::expr::Expr;
use crate::time::TimeSpan;

words! {
    /// What happens to an event that several bindings match.
    pub enum BindingPolicy {
        /// It belongs to the first: that of the highest priority, and among equals the one written first.
        Priority = "priority",
        /// It belongs to all of them.
        Multi = "multi",
    }
}

/// How a touchpoint is found in a log.
///
/// The short form is the condition alone, `binding: product_view`; the long form adds the rest.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Binding {
    /// The events that are the touchpoint.
    pub when: Expr,
    /// Bindings of a higher priority take an event first; 0 where nothing is said.
    pub priority: Option<i32>,
    /// What the customer does here.
    pub behaviour: Option<Behaviour>,
    /// How long a visit lasts.
    pub dwell: Option<Dwell>,
    /// How it is told whether a visit went well.
    pub outcome: Option<Outcome>,
}

impl Binding {
    /// The events for which `when` holds.
    pub fn new(when: Expr) -> Binding {
        Binding {
            when,
            priority: None,
            behaviour: None,
            dwell: None,
            outcome: None,
        }
    }

    /// The priority, 0 where nothing is said.
    pub fn rank(&self) -> i32 {
        self.priority.unwrap_or(0)
    }

    /// Whether a document writes the condition alone.
    pub(super) fn is_bare(&self) -> bool {
        *self == Binding::new(self.when.clone())
    }
}

impl From<Expr> for Binding {
    fn from(when: Expr) -> Binding {
        Binding::new(when)
    }
}

part! {
    /// A binding with more than its condition.
    pub struct FullBinding {
        /// The events that are the touchpoint.
        when: Expr,
        /// Bindings of a higher priority take an event first; 0 where nothing is said.
        priority ? i32,
        /// What the customer does here.
        behaviour ? Behaviour,
        /// How long a visit lasts.
        dwell ? Dwell,
        /// How it is told whether a visit went well.
        outcome ? Outcome,
    }
}

text_or_struct! {
    Binding: Expr | FullBinding, "the events as an expression, or `when: …` with more below it",
    from_text: |when| Binding::new(when),
    from_form: |b| Binding {
        when: b.when,
        priority: b.priority,
        behaviour: b.behaviour,
        dwell: b.dwell,
        outcome: b.outcome,
    },
    to_form: |b| (!b.is_bare()).then(|| FullBinding {
        when: b.when.clone(),
        priority: b.priority,
        behaviour: b.behaviour,
        dwell: b.dwell.clone(),
        outcome: b.outcome.clone(),
    }),
    to_text: |b| &b.when
}

words! {
    /// What a customer does at a touchpoint.
    pub enum Behaviour {
        /// Looks around.
        Browse = "browse",
        /// Searches.
        Search = "search",
        /// Compares.
        Compare = "compare",
        /// Puts together what to buy.
        Collect = "collect",
        /// Buys or signs.
        Buy = "buy",
        /// Pays.
        Pay = "pay",
        /// Uses what was bought.
        Use = "use",
        /// Asks for help.
        AskForHelp = "ask_for_help",
        /// Complains.
        Complain = "complain",
        /// Gives something back.
        Return = "return",
        /// Says what they think.
        Rate = "rate",
        /// Tells others.
        Share = "share",
        /// Gives notice.
        Leave = "leave",
        /// Something else.
        Other = "other",
    }
}

/// How long a visit to a touchpoint lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dwell {
    /// Until the journey's next event. After the last one it is unknown, not 0.
    NextEvent,
    /// From an event to the first of another kind after it.
    Pair(Pair),
    /// An attribute holds it, in seconds.
    Attribute(String),
}

/// The two ends of a visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// What begins it.
    pub start: Expr,
    /// What ends it.
    pub end: Expr,
}

/// Whether a visit went well, looked up in the customer's events after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What shows that it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Expr>,
    /// What shows that it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Expr>,
    /// How long after the visit to look.
    pub within: TimeSpan,
}
