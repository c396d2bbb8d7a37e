//! Where one journey ends and the next begins.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};
use crate::expr::Expr;
use crate::time::{TimeSpan, TimeSpanError};

/// A calendar unit in which a customer's events form one journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalendarUnit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
}

impl CalendarUnit {
    const ALL: [(CalendarUnit, &'static str); 5] = [
        (CalendarUnit::Day, "day"),
        (CalendarUnit::Week, "week"),
        (CalendarUnit::Month, "month"),
        (CalendarUnit::Quarter, "quarter"),
        (CalendarUnit::Year, "year"),
    ];

    fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(unit, _)| *unit == self)
            .map_or("", |(_, word)| word)
    }
}

/// A calendar unit in a named time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calendar {
    /// The unit.
    pub unit: CalendarUnit,
    /// The IANA name of the zone whose midnight counts; UTC unless another is named, never the machine's.
    pub zone: String,
}

/// How a customer's events are cut into journeys. Every part that is set can cut; with none, each customer is one
/// journey.
///
/// - `column`: a column already says it: events of one customer with one value form one journey, in whatever order they lie.
/// - `gap`: a new journey begins where more than this time passed since the event before. Exactly this long does not cut.
/// - `start`: a matching event begins a journey.
/// - `end`: a matching event ends its journey. To let the goal end a journey, put the goal here.
/// - `max_span`: a new journey begins where the journey would become longer than this.
/// - `calendar`: a new journey begins with each day, week, … of a time zone.
///
/// ```
/// use desireline_core::journey::JourneyRule;
/// let rule = JourneyRule::gap("30m")?.ends_at("purchase")?;
/// assert_eq!(rule.to_string(), "gap=30m end=purchase");
/// assert_eq!(JourneyRule::from_parts(["gap=30m", "end=purchase"])?, rule);
/// # Ok::<(), desireline_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JourneyRule {
    /// The attribute that names the journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The longest pause inside a journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<TimeSpan>,
    /// What begins a journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Expr>,
    /// What ends a journey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Expr>,
    /// The longest journey, from its first event to its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_span: Option<TimeSpan>,
    /// The calendar unit that bounds journeys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
}

impl JourneyRule {
    /// Each customer is one journey.
    pub fn customer() -> JourneyRule {
        JourneyRule::default()
    }

    /// A new journey begins after a pause longer than `span`.
    pub fn gap<S: TryInto<TimeSpan>>(span: S) -> Result<JourneyRule>
    where
        crate::Error: From<S::Error>,
    {
        Ok(JourneyRule {
            gap: Some(span.try_into()?),
            ..JourneyRule::default()
        })
    }

    /// Journeys are named by an attribute, such as a session id.
    pub fn column(name: impl Into<String>) -> JourneyRule {
        JourneyRule {
            column: Some(name.into()),
            ..JourneyRule::default()
        }
    }

    /// Journeys are calendar units in `zone`, an IANA name such as `Europe/Berlin`.
    pub fn calendar(unit: CalendarUnit, zone: impl Into<String>) -> JourneyRule {
        JourneyRule {
            calendar: Some(Calendar {
                unit,
                zone: zone.into(),
            }),
            ..JourneyRule::default()
        }
    }

    /// Lets a matching event begin a journey.
    pub fn starts_at(self, expr: &str) -> Result<JourneyRule> {
        Ok(JourneyRule {
            start: Some(Expr::parse(expr)?),
            ..self
        })
    }

    /// Lets a matching event end its journey.
    pub fn ends_at(self, expr: &str) -> Result<JourneyRule> {
        Ok(JourneyRule {
            end: Some(Expr::parse(expr)?),
            ..self
        })
    }

    /// Bounds the length of a journey.
    pub fn at_most(self, span: TimeSpan) -> JourneyRule {
        JourneyRule {
            max_span: Some(span),
            ..self
        }
    }

    /// Reads the parts that the command line takes: `customer`, `gap=30m`, `column=session_id`, `start=EXPR`,
    /// `end=EXPR` or `goal=EXPR`, `max=7d`, `calendar=day@Europe/Berlin`. A column's name may stand in backticks, with a
    /// `\` before a backtick or backslash in it.
    ///
    /// # Errors
    /// A part that cannot be read, or is given twice.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<JourneyRule> {
        let mut rule = JourneyRule::default();
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let key = key.trim();
            match key {
                "customer" if value.is_empty() => {}
                "gap" => once(&mut rule.gap, key, TimeSpan::parse(value)?)?,
                "column" => once(&mut rule.column, key, parse_column(value)?)?,
                "start" => once(&mut rule.start, key, Expr::parse(value)?)?,
                "end" | "goal" => once(&mut rule.end, key, Expr::parse(value)?)?,
                "max" => once(&mut rule.max_span, key, TimeSpan::parse(value)?)?,
                "calendar" => once(&mut rule.calendar, key, parse_calendar(value)?)?,
                other => return Err(rule_error(unknown_part(other))),
            }
        }
        Ok(rule)
    }
}

/// Sets a part of a rule that is not set yet.
fn once<T>(part: &mut Option<T>, key: &str, value: T) -> Result<()> {
    match part.replace(value) {
        None => Ok(()),
        Some(_) => Err(rule_error(format!(
            "`{key}` is given twice; `goal` is another word for `end`, and each part cuts once"
        ))),
    }
}

/// A column's name, which may be in backticks.
fn parse_column(text: &str) -> Result<String> {
    let Some(quoted) = text.strip_prefix('`') else {
        return Ok(text.to_owned());
    };
    let mut name = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '`' if chars.as_str().is_empty() => return Ok(name),
            '`' => break,
            '\\' => name.extend(chars.next()),
            c => name.push(c),
        }
    }
    Err(rule_error(format!(
        "`column={text}`: a name in backticks ends with one, and has a `\\` before each that is part of it"
    )))
}

/// A column's name in backticks, unless it is plain enough to stand for itself.
fn print_column(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '@');
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

fn unknown_part(part: &str) -> String {
    let words = [
        "customer", "gap", "column", "start", "end", "max", "calendar",
    ];
    let hint = crate::error::nearest(part, words)
        .map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
    format!(
        "`{part}` is no rule{hint}; use customer, gap=30m, column=NAME, start=EXPR, end=EXPR, max=7d or calendar=day@ZONE"
    )
}

fn parse_calendar(text: &str) -> Result<Calendar> {
    let (unit, zone) = text.split_once('@').unwrap_or((text, "UTC"));
    let unit = CalendarUnit::ALL
        .iter()
        .find(|(_, word)| *word == unit.trim())
        .map(|(unit, _)| *unit);
    let unit = unit.ok_or_else(|| {
        rule_error(format!("`{text}` is no calendar rule; use day, week, month, quarter or year, then @ and a zone such as Europe/Berlin"))
    })?;
    Ok(Calendar {
        unit,
        zone: zone.trim().to_owned(),
    })
}

pub(super) fn rule_error(problem: String) -> crate::Error {
    SpecError::Field {
        analysis: "journeys",
        field: "rule",
        problem,
    }
    .into()
}

impl fmt::Display for JourneyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(column) = &self.column {
            parts.push(format!("column={}", print_column(column)));
        }
        if let Some(gap) = self.gap {
            parts.push(format!("gap={gap}"));
        }
        if let Some(start) = &self.start {
            parts.push(format!("start={start}"));
        }
        if let Some(end) = &self.end {
            parts.push(format!("end={end}"));
        }
        if let Some(max) = self.max_span {
            parts.push(format!("max={max}"));
        }
        if let Some(calendar) = &self.calendar {
            parts.push(format!(
                "calendar={}@{}",
                calendar.unit.word(),
                calendar.zone
            ));
        }
        if parts.is_empty() {
            f.write_str("customer")
        } else {
            f.write_str(&parts.join(" "))
        }
    }
}

impl FromStr for JourneyRule {
    type Err = crate::Error;

    /// Reads one part, such as `gap=30m`.
    fn from_str(text: &str) -> Result<JourneyRule> {
        JourneyRule::from_parts([text])
    }
}

impl TryFrom<&str> for TimeSpan {
    type Error = TimeSpanError;
    fn try_from(text: &str) -> Result<TimeSpan, TimeSpanError> {
        TimeSpan::parse(text)
    }
}

impl From<std::convert::Infallible> for crate::Error {
    fn from(never: std::convert::Infallible) -> crate::Error {
        match never {}
    }
}
