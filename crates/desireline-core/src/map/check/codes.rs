//! What can be said of a map, by code.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::expr::nearest;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The map is wrong: nothing can be measured with it before it is mended.
    Error,
    /// Something is missing, old or doubtful.
    Warning,
    /// Worth a look.
    Info,
}

impl Level {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $level:ident $summary:literal,)*) => {
        /// What is said of a map. `E-` is an error, `W-` a warning, `I-` worth a look.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $summary] $(#[$doc])* $variant,)*
        }

        impl Code {
            /// All codes: errors, warnings, then the rest.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code, such as `W-DEAD`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// How bad it is unless somebody says otherwise.
            pub fn level(self) -> Level {
                match self { $(Code::$variant => Level::$level,)* }
            }

            /// What it means, in a few words.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$variant => $summary,)* }
            }
        }
    };
}

codes! {
    Read = "E-READ" Error "the document cannot be read: syntax, unknown keys, missing keys, values that are none",
    Id = "E-ID" Error "an id is given twice, or names nothing",
    Type = "E-TYPE" Error "an expression does not fit the log: an unknown field, or a comparison of unlike things",
    Order = "E-ORDER" Error "stages follow each other in a circle",
    Scope = "E-SCOPE" Error "the map does not say what it is for, what it counts, or over which time (in a draft a warning)",
    Emotion = "E-EMO" Error "measured feelings on a map of a journey that nobody had: ideal, competitor or hypothesis",
    Date = "E-DATE" Error "dates that cannot be: a map of the future, evidence that expired before it was collected",
    KpiError = "E-KPI" Error "a KPI that nobody knows, or whose parameters, target or alert do not fit it",

    Unbound = "W-UNBOUND" Warning "a touchpoint that leaves traces has no binding",
    Dead = "W-DEAD" Warning "a binding matches no event of the log",
    Shadow = "W-SHADOW" Warning "all events of a binding are taken by bindings of a higher priority",
    Orphan = "W-ORPHAN" Warning "events of the log belong to no touchpoint",
    Channel = "W-CHAN" Warning "a channel is used by no touchpoint, is not in the log, or is in the log and not on the map",
    Goal = "W-GOAL" Warning "a stage without a customer's goal",
    Touchpoint = "W-TOUCH" Warning "a stage without a touchpoint, or a touchpoint without a stage",
    Kpi = "W-KPI" Warning "a stage without a KPI",
    Moment = "W-MOT" Warning "a stage without a moment of truth",
    Post = "W-POST" Warning "no touchpoint after the purchase",
    Bias = "W-BIAS" Warning "every goal is a purchase",
    Department = "W-DEPT" Warning "a stage is named like a department: the map shows the company, not the customer",
    Phase = "W-PHASE" Warning "the stages are phases of the company's lifecycle, not of the customer's journey",
    Blind = "W-BLIND" Warning "a stage or a much used touchpoint about which nobody asks customers",
    Stale = "W-STALE" Warning "the map, a piece of evidence or an assumption is past its date",
    Opinion = "W-OPINION" Warning "a feeling that is known from guesses only",
    Small = "W-SMALL" Warning "a number from too few observations",
    Overlap = "W-OVERLAP" Warning "customers belong to two personas that are not said to overlap",
    Owner = "W-OWNER" Warning "nobody answers for it",
    Evidence = "W-EVID" Warning "a finding without evidence, or a gain without its method and horizon",
    Readout = "W-READOUT" Warning "an action or hypothesis was closed without saying what came of it",
    Content = "W-CONTENT" Warning "a stage without content, on a map that lists content",
    Rater = "W-RATER" Warning "a place that only one expert rated, so that agreement cannot be told",
    Clock = "W-CLOCK" Warning "events lie outside of the map's window",
    Censor = "W-CENSOR" Warning "many journeys are still open at the end of the log",

    Drift = "I-DRIFT" Info "the share of customers at a touchpoint changed at once: tracking may have broken",
}

impl Code {
    /// What an unknown code most likely was meant to be.
    pub fn nearest(text: &str) -> Option<&'static str> {
        nearest(text, Code::ALL.iter().map(|c| c.as_str()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = String;
    fn from_str(text: &str) -> Result<Code, String> {
        let wanted = text.trim().to_ascii_uppercase();
        let found = Code::ALL.iter().find(|c| c.as_str() == wanted);
        found.copied().ok_or_else(|| match Code::nearest(&wanted) {
            Some(near) => format!("`{text}` is no code; did you mean {near}?"),
            None => format!("`{text}` is no code; codes look like W-DEAD"),
        })
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl schemars::JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let all: Vec<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": all })
    }
}
