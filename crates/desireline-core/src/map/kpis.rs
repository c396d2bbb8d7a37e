//! Which numbers a map watches, where, and against what target.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::part::{part, words};
use super::{Id, LocalizedText, Money};
use crate::expr::{Expr, nearest};
use crate::time::TimeSpan;

part! {
    /// A number that is watched somewhere on the map.
    pub struct KpiBinding {
        /// Its id on this map.
        id: Id,
        /// Which: a name of the catalogue, such as `cart_abandonment`, or its number, `K02`; or a name of your own with a
        /// `definition`.
        kpi: KpiName,
        /// Where: a stage, touchpoint or channel; the whole map where nothing is said.
        at ? Id,
        /// What it is called here.
        name ? LocalizedText,
        /// What a number of your own means and how it is made.
        definition ? LocalizedText,
        /// In which unit a number of your own is.
        unit ? KpiUnit,
        /// What is counted: of the KPI's variants that which counts so. A KPI that counts something else is refused.
        per ? CountedUnit,
        /// What the number needs to know.
        params ? Params,
        /// What it should be.
        target ? Target,
        /// When somebody should be told.
        alert ? Alert,
        /// The table that holds it, for numbers that no event log has.
        source ? String,
        /// Who answers for it.
        owner ? Id,
        + own
    }
}

words! {
    /// What a KPI counts.
    pub enum CountedUnit {
        /// Single events.
        Event = "event",
        /// Sessions.
        Session = "session",
        /// Customers.
        Person = "person",
        /// Journeys.
        Journey = "journey",
        /// Orders.
        Order = "order",
        /// Tickets of support.
        Ticket = "ticket",
    }
}

part! {
    /// What a number should be.
    pub struct Target {
        /// How it should stand to `value`.
        op: Compare,
        /// A number, a length of time or money, as the KPI is; a share as `0.35`.
        value: Quantity,
        /// Until when.
        by ? super::Date,
    }
}

part! {
    /// When somebody should be told.
    pub struct Alert {
        /// How the number stands to `value` when it is time.
        op: Compare,
        /// A number, a length of time or money, as the KPI is.
        value: Quantity,
        /// For how long it has to stand so.
        lasting ? TimeSpan,
        /// Who is told.
        tell * Id,
    }
}

/// How a number stands to a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Compare {
    /// Below.
    #[serde(rename = "<")]
    Below,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// Above.
    #[serde(rename = ">")]
    Above,
}

impl Compare {
    /// Whether `number` stands so to `threshold`.
    pub fn holds(self, number: f64, threshold: f64) -> bool {
        match self {
            Compare::Below => number < threshold,
            Compare::AtMost => number <= threshold,
            Compare::AtLeast => number >= threshold,
            Compare::Above => number > threshold,
        }
    }

    /// The sign.
    pub fn symbol(self) -> &'static str {
        match self {
            Compare::Below => "<",
            Compare::AtMost => "<=",
            Compare::AtLeast => ">=",
            Compare::Above => ">",
        }
    }
}

/// A number, a length of time or money.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A bare number: shares as `0.35`, scores, counts.
    Number(f64),
    /// A length of time, `2d`.
    Span(TimeSpan),
    /// Money, `20.00 EUR`.
    Money(Money),
}

impl Quantity {
    /// Whether it can be compared with numbers of a unit.
    pub fn fits(self, unit: KpiUnit) -> bool {
        match self {
            Quantity::Number(x) if unit == KpiUnit::Share => (0.0..=1.0).contains(&x),
            Quantity::Number(_) => !matches!(unit, KpiUnit::Time | KpiUnit::Money),
            Quantity::Span(_) => unit == KpiUnit::Time,
            Quantity::Money(_) => unit == KpiUnit::Money,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Number(x) => x.fmt(f),
            Quantity::Span(span) => span.fmt(f),
            Quantity::Money(money) => money.fmt(f),
        }
    }
}

impl From<f64> for Quantity {
    fn from(x: f64) -> Quantity {
        Quantity::Number(x)
    }
}

impl From<TimeSpan> for Quantity {
    fn from(span: TimeSpan) -> Quantity {
        Quantity::Span(span)
    }
}

impl From<Money> for Quantity {
    fn from(money: Money) -> Quantity {
        Quantity::Money(money)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Quantity::Number(x) => number(*x, serializer),
            Quantity::Span(span) => span.serialize(serializer),
            Quantity::Money(money) => money.serialize(serializer),
        }
    }
}

/// A number as people write it: 40 and not 40.0.
fn number<S: Serializer>(x: f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[allow(clippy::cast_possible_truncation)] // whole and far inside of the range
    if x.fract() == 0.0 && x.abs() < 9e15 && x != 0.0 {
        serializer.serialize_i64(x as i64)
    } else if x == 0.0 {
        serializer.serialize_i64(0)
    } else {
        serializer.serialize_f64(x)
    }
}

struct QuantityVisitor;

impl serde::de::Visitor<'_> for QuantityVisitor {
    type Value = Quantity;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a length of time such as `2d`, or money such as `20 EUR`")
    }
    fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Quantity, E> {
        #[allow(clippy::cast_precision_loss)] // thresholds are no ids
        Ok(Quantity::Number(n as f64))
    }
    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Quantity, E> {
        #[allow(clippy::cast_precision_loss)] // thresholds are no ids
        Ok(Quantity::Number(n as f64))
    }
    fn visit_f64<E: serde::de::Error>(self, x: f64) -> Result<Quantity, E> {
        Ok(Quantity::Number(x))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quantity, E> {
        let is_money = text.trim_end().ends_with(|c: char| c.is_ascii_uppercase());
        if is_money {
            return text.parse().map(Quantity::Money).map_err(E::custom);
        }
        if let Some(percent) = text.trim().strip_suffix('%') {
            let share = percent.trim().parse::<f64>().map(|p| p / 100.0);
            let help = share.map_or_else(|_| "0.35".to_owned(), |s| s.to_string());
            return Err(E::custom(format!(
                "`{text}` is no number; write shares as {help}"
            )));
        }
        TimeSpan::parse(text).map(Quantity::Span).map_err(|e| {
            E::custom(format!(
                "`{text}` is no number, length of time or money: {}; write for example 0.35, 2d or 20 EUR",
                e.reason
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["number", "string"],
            "description": "A number (shares as 0.35), a length of time (2d) or money (20.00 EUR).",
        })
    }
}

/// What a KPI needs to know, by name, in the order written.
pub type Params = IndexMap<String, Param>;

/// One thing that a KPI needs to know, as a document writes it; what it is depends on the KPI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Param {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Decimal(f64),
    /// A text, an expression or a length of time.
    Text(String),
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Param::Bool(b) => b.fmt(f),
            Param::Integer(n) => n.fmt(f),
            Param::Decimal(x) => x.fmt(f),
            Param::Text(t) => t.fmt(f),
        }
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Param {
        Param::Text(text.to_owned())
    }
}

/// The name of a KPI: of the catalogue, or of your own.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct KpiName(String);

impl KpiName {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the catalogue has under this name, number or other word.
    pub fn known(&self) -> Option<&'static KnownKpi> {
        KPIS.iter().find(|k| {
            k.name == self.0
                || k.number.eq_ignore_ascii_case(&self.0)
                || k.aliases.contains(&self.0.as_str())
        })
    }

    /// The name of the catalogue that it was most likely meant to be.
    pub fn nearest(&self) -> Option<&'static str> {
        nearest(
            &self.0.replace([' ', '-'], "_"),
            KPIS.iter().map(|k| k.name),
        )
    }
}

impl From<&str> for KpiName {
    fn from(name: &str) -> KpiName {
        KpiName(name.to_owned())
    }
}

impl fmt::Display for KpiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

words! {
    /// In what a KPI is measured.
    pub enum KpiUnit {
        /// From 0 to 1.
        Share = "share",
        /// A number of things.
        Count = "count",
        /// A quotient that may be above 1.
        Ratio = "ratio",
        /// An average answer or index on its own scale.
        Score = "score",
        /// A length of time.
        Time = "time",
        /// Money.
        Money = "money",
    }
}

/// What a KPI of the catalogue is called, measured in and has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKpi {
    /// Its number, such as `K02`.
    pub number: &'static str,
    /// Its name, such as `cart_abandonment`.
    pub name: &'static str,
    /// Other words that people use for it.
    pub aliases: &'static [&'static str],
    /// Its unit.
    pub unit: KpiUnit,
    /// Whether customers have to be asked for it.
    pub is_voice: bool,
    /// Whether more is better; `None` where it depends.
    pub higher_is_better: Option<bool>,
    /// What it takes.
    pub params: &'static [KpiParam],
}

/// Something that a KPI takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KpiParam {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: ParamKind,
    /// Whether the KPI means nothing without it.
    pub required: bool,
}

/// What something that a KPI takes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A condition on events.
    Expression,
    /// A length of time.
    Span,
    /// A number.
    Number,
    /// A word or a name.
    Text,
}

impl ParamKind {
    /// What is wrong with a value of this kind.
    pub fn problem(self, value: &Param) -> Option<String> {
        match (self, value) {
            (ParamKind::Expression, Param::Text(t)) => Expr::parse(t).err().map(|e| e.to_string()),
            (ParamKind::Span, Param::Text(t)) => TimeSpan::parse(t).err().map(|e| e.to_string()),
            (ParamKind::Number, Param::Integer(_) | Param::Decimal(_))
            | (ParamKind::Text, Param::Text(_)) => None,
            (ParamKind::Expression, _) => Some(format!("`{value}` is no expression")),
            (ParamKind::Span, _) => Some(format!("`{value}` has no unit; write for example 7d")),
            (ParamKind::Number, _) => Some(format!("`{value}` is no number")),
            (ParamKind::Text, _) => Some(format!("`{value}` is no text; put it in quotes")),
        }
    }
}

const fn needs(name: &'static str, kind: ParamKind) -> KpiParam {
    KpiParam {
        name,
        kind,
        required: true,
    }
}

const fn takes(name: &'static str, kind: ParamKind) -> KpiParam {
    KpiParam {
        name,
        kind,
        required: false,
    }
}

const fn kpi(
    number: &'static str,
    name: &'static str,
    unit: KpiUnit,
    higher_is_better: Option<bool>,
    params: &'static [KpiParam],
) -> KnownKpi {
    KnownKpi {
        number,
        name,
        aliases: &[],
        unit,
        is_voice: false,
        higher_is_better,
        params,
    }
}

const fn also(known: KnownKpi, aliases: &'static [&'static str]) -> KnownKpi {
    KnownKpi { aliases, ..known }
}

const fn voice(known: KnownKpi) -> KnownKpi {
    KnownKpi {
        is_voice: true,
        ..known
    }
}

const MORE: Option<bool> = Some(true);
const LESS: Option<bool> = Some(false);
const SURVEY: &[KpiParam] = &[takes("survey", ParamKind::Text)];

/// What every KPI takes besides its own: which of its variants is meant.
pub const VARIANT: KpiParam = takes("variant", ParamKind::Text);

/// The catalogue: which KPIs a map can name. A map says which it watches; how each is computed is said elsewhere.
#[rustfmt::skip]
pub const KPIS: &[KnownKpi] = &[
    kpi("K01", "bounce_rate", KpiUnit::Share, LESS, &[takes("rule", ParamKind::Text), takes("key", ParamKind::Expression), takes("view", ParamKind::Expression), takes("engaged_after", ParamKind::Span), takes("alive", ParamKind::Span)]),
    kpi("K02", "cart_abandonment", KpiUnit::Share, LESS, &[needs("cart", ParamKind::Expression), needs("purchase", ParamKind::Expression), takes("within", ParamKind::Span)]),
    kpi("K03", "acquisition", KpiUnit::Count, MORE, &[needs("purchase", ParamKind::Expression), takes("history", ParamKind::Span), takes("spend", ParamKind::Text)]),
    kpi("K04", "conversion", KpiUnit::Share, MORE, &[takes("entry", ParamKind::Expression), takes("goal", ParamKind::Expression), takes("within", ParamKind::Span)]),
    voice(also(kpi("K05", "customer_effort", KpiUnit::Score, None, &[takes("survey", ParamKind::Text), takes("version", ParamKind::Number)]), &["ces"])),
    kpi("K06", "engagement", KpiUnit::Ratio, MORE, &[takes("active", ParamKind::Expression), takes("key", ParamKind::Expression), takes("view", ParamKind::Expression), takes("engaged_after", ParamKind::Span), takes("alive", ParamKind::Span)]),
    also(kpi("K07", "lifetime_value", KpiUnit::Money, MORE, &[takes("purchase", ParamKind::Expression), takes("horizon", ParamKind::Span), takes("discount", ParamKind::Number), takes("margin", ParamKind::Number), takes("period", ParamKind::Span)]), &["clv", "ltv"]),
    also(kpi("K08", "repeat_rate", KpiUnit::Share, MORE, &[needs("purchase", ParamKind::Expression), takes("within", ParamKind::Span)]), &["loyalty"]),
    kpi("K09", "reach", KpiUnit::Count, MORE, &[takes("touch", ParamKind::Expression), takes("population", ParamKind::Number), takes("source", ParamKind::Text)]),
    kpi("K10", "retention", KpiUnit::Share, MORE, &[takes("active", ParamKind::Expression), takes("after", ParamKind::Span), takes("clock", ParamKind::Text)]),
    voice(kpi("K11", "csat", KpiUnit::Share, MORE, SURVEY)),
    voice(kpi("K12", "nps", KpiUnit::Score, MORE, SURVEY)),
    also(kpi("K13", "search_rank", KpiUnit::Score, LESS, &[takes("source", ParamKind::Text)]), &["seo_rank"]),
    kpi("K14", "visitor_intent", KpiUnit::Share, None, &[takes("survey", ParamKind::Text), takes("buying", ParamKind::Expression), takes("searching", ParamKind::Expression), takes("knowledge", ParamKind::Expression)]),
    also(kpi("K15", "click_through", KpiUnit::Share, MORE, &[needs("impression", ParamKind::Expression), needs("click", ParamKind::Expression)]), &["ctr", "click_through_rate"]),
    kpi("K16", "churn", KpiUnit::Share, LESS, &[takes("active", ParamKind::Expression), takes("within", ParamKind::Span)]),
    kpi("K17", "time_on_stage", KpiUnit::Time, LESS, &[takes("enter", ParamKind::Expression), takes("leave", ParamKind::Expression), takes("alive", ParamKind::Span)]),
    also(kpi("K18", "dropoff", KpiUnit::Share, LESS, &[takes("at", ParamKind::Expression), takes("goal", ParamKind::Expression), takes("returns_within", ParamKind::Span)]), &["drop_off"]),
    kpi("K19", "goal_completion", KpiUnit::Share, MORE, &[takes("goal", ParamKind::Expression), takes("start", ParamKind::Expression), takes("alive", ParamKind::Span)]),
    also(kpi("K20", "friction", KpiUnit::Score, LESS, &[takes("goal", ParamKind::Expression), takes("error", ParamKind::Expression), takes("support", ParamKind::Expression), takes("slow", ParamKind::Span), takes("within", ParamKind::Span)]), &["friction_index"]),
    voice(kpi("K21", "satisfaction_gap", KpiUnit::Score, MORE, SURVEY)),
    also(kpi("K22", "rework", KpiUnit::Share, LESS, &[takes("of", ParamKind::Expression)]), &["loop", "loops"]),
    voice(kpi("K23", "feedback_coverage", KpiUnit::Share, MORE, SURVEY)),
    also(kpi("K24", "goods_return", KpiUnit::Share, LESS, &[needs("order", ParamKind::Expression), needs("return", ParamKind::Expression), takes("within", ParamKind::Span)]), &["returns", "refunds"]),
    kpi("K25", "revenue", KpiUnit::Money, MORE, &[takes("mean", ParamKind::Text), takes("of", ParamKind::Expression)]),
    kpi("K26", "first_contact_resolution", KpiUnit::Share, MORE, &[takes("contact", ParamKind::Expression), takes("resolved", ParamKind::Expression), takes("within", ParamKind::Span)]),
    kpi("K27", "advocacy", KpiUnit::Ratio, MORE, &[takes("referral", ParamKind::Expression), takes("referred", ParamKind::Expression)]),
    voice(kpi("K28", "sentiment", KpiUnit::Score, MORE, &[takes("model", ParamKind::Text)])),
    voice(kpi("K29", "peak_end", KpiUnit::Score, MORE, SURVEY)),
    also(kpi("K30", "ad_efficiency", KpiUnit::Ratio, MORE, &[takes("costs", ParamKind::Text), takes("attribution", ParamKind::Text), takes("goal", ParamKind::Expression), takes("within", ParamKind::Span)]), &["spend_efficiency", "roas"]),
];

part! {
    /// Where customers are asked, and what.
    pub struct FeedbackPoint {
        /// Its id.
        id: Id,
        /// Where: a stage or touchpoint.
        at: Id,
        /// What is asked for.
        measure: FeedbackMeasure,
        /// The question as it is put.
        question ? LocalizedText,
        /// The lowest and the highest answer.
        scale ? [i32; 2],
        /// Whether low answers are the good ones.
        low_is_good ? bool,
        /// How long after the touch an answer still belongs to it.
        within ? TimeSpan,
        + own
    }
}

words! {
    /// What customers are asked for.
    pub enum FeedbackMeasure {
        /// Would you recommend us? 0 to 10.
        Nps = "nps",
        /// The same of employees.
        Enps = "enps",
        /// How satisfied are you?
        Csat = "csat",
        /// How much effort was it?
        Ces = "ces",
        /// What a model reads from texts.
        Sentiment = "sentiment",
        /// Stars and marks.
        Rating = "rating",
        /// Free text.
        Text = "text",
    }
}
