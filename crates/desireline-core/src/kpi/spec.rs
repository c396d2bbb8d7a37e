//! Which KPI, with what settings: the question as a person or a document writes it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::catalogue::{Definition, Variant, definition};
use super::external::ExternalTable;
use super::given::{Given, Pick};
use super::voice::Answers;
use crate::error::SpecError;
use crate::expr::Expr;
use crate::feedback::Feedback;
use crate::journey::{JourneyRule, Matcher};
use crate::log::Catalog;
use crate::map::{KnownKpi, KpiName, KpiParam, Param, ParamKind, Params, VARIANT};
use crate::report::TOO_FEW;
use crate::time::TimeSpan;

pub(super) const NAME: &str = "kpi";

/// A KPI of the catalogue, measured over journeys.
///
/// What it means, of whom, and with which interval is said by [`definition`](super::definition) and repeated in the report.
/// Units whose outcome is not yet known are left out and counted: a cart put together an hour before the end of the log is not
/// abandoned. Where fewer than `min_n` units remain there is no number.
///
/// With `per` the report is a series: the units are put into the calendar period in which they began; a period that the log
/// covers in part is marked.
///
/// ```
/// use desireline_core::journey::JourneyRule;
/// use desireline_core::kpi::Kpi;
/// use desireline_core::log::{LogBuilder, LogOptions};
///
/// let mut builder = LogBuilder::new(LogOptions::default());
/// for customer in 0..10 {
///     builder.push(&format!("c{customer}"), 0, "add_to_cart")?;
///     if customer < 2 {
///         builder.push(&format!("c{customer}"), 60_000_000, "purchase")?;
///     }
/// }
/// builder.push("late", 172_800_000_000, "add_to_cart")?;
/// let journeys = builder.finish()?.journeys(JourneyRule::customer())?;
/// let abandoned = journeys.run(
///     &Kpi::new("cart_abandonment").with("cart", "add_to_cart").with("purchase", "purchase").with("within", "1d"),
/// )?;
/// let share = abandoned.values[0].estimate.ok_or("too few")?;
/// assert_eq!((share.value, share.n, abandoned.values[0].excluded), (0.8, 10, 1));
/// assert!((share.lower - 0.490).abs() < 5e-4 && (share.upper - 0.943).abs() < 5e-4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kpi {
    /// Its name, such as `cart_abandonment`, or its number, `K02`.
    pub kpi: KpiName,
    /// Which of its variants; the first of the catalogue unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What it needs to know, by name.
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    pub params: Params,
    /// A series: one number for each day, week, month or quarter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<PeriodLength>,
    /// From when to before when, in microseconds since 1970 UTC: nothing else counts, and observation ends there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<(i64, i64)>,
    /// The IANA zone whose midnights divide days and months.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// The confidence level of all intervals.
    #[serde(default = "level")]
    pub level: f64,
    /// Below so many units there is no number.
    #[serde(default = "min_n")]
    pub min_n: u64,
    /// The seed of intervals made by drawing samples.
    #[serde(default)]
    pub seed: u64,
    /// Tables of numbers that no log has: spend, impressions, search rank, population.
    #[serde(skip)]
    pub tables: Vec<Arc<ExternalTable>>,
    /// What customers said.
    #[serde(skip)]
    pub feedback: Option<Answers>,
    /// What a map says of places and customers.
    #[serde(skip)]
    pub(crate) given: Given,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn level() -> f64 {
    0.95
}

fn min_n() -> u64 {
    TOO_FEW
}

/// How long the periods of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodLength {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
}

impl PeriodLength {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            PeriodLength::Day => "day",
            PeriodLength::Week => "week",
            PeriodLength::Month => "month",
            PeriodLength::Quarter => "quarter",
        }
    }
}

impl Kpi {
    /// The KPI of this name or number.
    pub fn new(kpi: &str) -> Kpi {
        Kpi {
            kpi: KpiName::from(kpi),
            variant: None,
            params: Params::new(),
            per: None,
            between: None,
            time_zone: utc(),
            level: level(),
            min_n: min_n(),
            seed: 0,
            tables: Vec::new(),
            feedback: None,
            given: Given::default(),
        }
    }

    /// Chooses a variant.
    #[must_use]
    pub fn variant(mut self, variant: &str) -> Kpi {
        self.variant = Some(variant.to_owned());
        self
    }

    /// Says one of the things that it needs to know.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Param>) -> Kpi {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Makes it a series.
    #[must_use]
    pub fn per(mut self, per: PeriodLength) -> Kpi {
        self.per = Some(per);
        self
    }

    /// Leaves out what lies before `from` or not before `to`, in microseconds since 1970 UTC. Observation ends with `to`: what is younger then is not
    /// yet known, and a customer who comes back later has not come back. Journeys stay as they were cut; one that goes on after it may still go on.
    /// Answers without a time, and rows of tables without a day, are left as they are given.
    #[must_use]
    pub fn between(mut self, from: i64, to: i64) -> Kpi {
        self.between = Some((from, to));
        self
    }

    /// Sets the time zone of days and months.
    #[must_use]
    pub fn time_zone(mut self, zone: &str) -> Kpi {
        self.time_zone = zone.to_owned();
        self
    }

    /// Sets the confidence level.
    #[must_use]
    pub fn level(self, level: f64) -> Kpi {
        Kpi { level, ..self }
    }

    /// Sets how many units a number takes.
    #[must_use]
    pub fn min_n(self, min_n: u64) -> Kpi {
        Kpi { min_n, ..self }
    }

    /// Sets the seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Kpi {
        Kpi { seed, ..self }
    }

    /// Fills in what follows from how journeys were cut: one that ended less than the pause ago which cuts them may still go on.
    #[must_use]
    pub fn cut_by(mut self, rule: &JourneyRule) -> Kpi {
        let takes = self
            .kpi
            .known()
            .is_some_and(|k| k.params.iter().any(|p| p.name == "alive"));
        if let Some(gap) = rule
            .gap
            .filter(|_| takes && !self.params.contains_key("alive"))
        {
            self.params
                .insert("alive".to_owned(), Param::Text(gap.to_string()));
        }
        self
    }

    /// Gives the answers of customers.
    #[must_use]
    pub fn answers(mut self, answers: impl Into<Arc<Feedback>>) -> Kpi {
        self.feedback = Some(Answers(answers.into()));
        self
    }

    /// Gives a table of numbers that no log has.
    #[must_use]
    pub fn table(mut self, table: impl Into<Arc<ExternalTable>>) -> Kpi {
        self.tables.push(table.into());
        self
    }
}

/// The question read: which definition and variant, and its settings by name.
pub(super) struct Asked<'k> {
    pub(super) kpi: &'k Kpi,
    pub(super) definition: &'static Definition,
    pub(super) variant: &'static Variant,
    pub(super) catalog: &'k Catalog,
}

pub(super) fn problem(field: &'static str, problem: String) -> SpecError {
    SpecError::Field {
        analysis: NAME,
        field,
        problem,
    }
}

impl<'k> Asked<'k> {
    pub(super) fn new(kpi: &'k Kpi, catalog: &'k Catalog) -> Result<Asked<'k>, SpecError> {
        let known = kpi.kpi.known().ok_or_else(|| {
            let near = kpi.kpi.nearest();
            let near = near.map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
            problem(
                "kpi",
                format!(
                    "no KPI is called `{}`{near}; `desireline kpi list` names all",
                    kpi.kpi
                ),
            )
        })?;
        if !(kpi.level > 0.0 && kpi.level < 1.0) {
            let told = format!(
                "{} is no confidence level; use a number between 0 and 1, such as 0.95",
                kpi.level
            );
            return Err(problem("level", told));
        }
        let definition = definition(known);
        for (name, value) in &kpi.params {
            check(known, name, value)?;
        }
        for param in known.params.iter().filter(|p| p.required) {
            if !kpi.params.contains_key(param.name) && kpi.given.setting(param.name).is_none() {
                return Err(problem(
                    param.name,
                    format!(
                        "{} cannot be measured without it: {}",
                        known.name, definition.example
                    ),
                ));
            }
        }
        let word = kpi.variant.as_deref().or_else(|| {
            let given = [VARIANT.name, definition.variant_param];
            given.iter().find_map(|name| match kpi.params.get(*name)? {
                Param::Text(text) => Some(text.as_str()),
                _ => None,
            })
        });
        let variant = match word {
            None => definition.variants.first(),
            Some(word) => definition.variants.iter().find(|v| v.name == word),
        };
        let variant = variant.ok_or_else(|| {
            let names: Vec<&str> = definition.variants.iter().map(|v| v.name).collect();
            let told = format!(
                "{} has no variant `{}`; it has {}",
                known.name,
                word.unwrap_or_default(),
                names.join(", ")
            );
            problem("variant", told)
        })?;
        Ok(Asked {
            kpi,
            definition,
            variant,
            catalog,
        })
    }

    fn param(&self, name: &'static str) -> Option<&'k Param> {
        self.kpi.params.get(name)
    }

    /// A condition, bound to the log.
    pub(super) fn matcher(&self, name: &'static str) -> Result<Option<Pick>, SpecError> {
        let Some(Param::Text(text)) = self.param(name) else {
            return Ok(self.kpi.given.setting(name).map(Pick::Told));
        };
        let wrong = |source| SpecError::Expr {
            analysis: NAME,
            field: name,
            source,
        };
        let expr = Expr::parse(text).map_err(wrong)?;
        let matcher = Matcher::new(&expr, self.catalog).map_err(wrong)?;
        Ok(Some(Pick::When(matcher)))
    }

    /// The same where nothing can be said without it.
    pub(super) fn needed(&self, name: &'static str) -> Result<Pick, SpecError> {
        self.matcher(name)?.ok_or_else(|| {
            let told = format!(
                "the variant `{}` of {} cannot be measured without it: {}",
                self.variant.name, self.definition.known.name, self.definition.example
            );
            problem(name, told)
        })
    }

    /// A length of time in microseconds, or the default.
    pub(super) fn span(&self, name: &'static str, default: &str) -> Result<i64, SpecError> {
        let text = match self.param(name) {
            Some(Param::Text(text)) => text.as_str(),
            _ => default,
        };
        TimeSpan::parse(text)
            .map(TimeSpan::as_micros)
            .map_err(|e| problem(name, e.to_string()))
    }

    pub(super) fn number(&self, name: &'static str) -> Option<f64> {
        match self.param(name)? {
            #[allow(clippy::cast_precision_loss)] // settings are no ids
            Param::Integer(n) => Some(*n as f64),
            Param::Decimal(x) => Some(*x),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &'static str) -> Option<&'k str> {
        match self.param(name)? {
            Param::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table that a setting names, or the only one with such a column.
    pub(super) fn table(
        &self,
        param: &'static str,
        number: &str,
    ) -> Option<&'k Arc<ExternalTable>> {
        let mut tables = self.kpi.tables.iter();
        match self.text(param) {
            Some(name) => tables.find(|t| t.name() == name),
            None => tables.find(|t| t.has(number)),
        }
    }

    pub(super) fn needs(&self, data: &'static str, how: &'static str) -> SpecError {
        SpecError::NeedsData {
            kpi: self.definition.known.name,
            data,
            how,
        }
    }
}

/// Refuses a setting that the KPI does not take, or of another kind.
fn check(known: &'static KnownKpi, name: &str, value: &Param) -> Result<(), SpecError> {
    let all = || known.params.iter().chain([&VARIANT]);
    let Some(param) = all().find(|p| p.name == name) else {
        let names: Vec<&str> = all().map(|p| p.name).collect();
        let near = crate::error::nearest(name, names.iter().copied());
        let near = near.map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
        let told = format!(
            "{} takes no `{name}`{near}; it takes {}",
            known.name,
            names.join(", ")
        );
        return Err(problem("params", told));
    };
    let KpiParam { name, kind, .. } = *param;
    match kind.problem(value) {
        None => Ok(()),
        Some(told) if kind == ParamKind::Expression => match value {
            // As an expression's own error, with its place.
            Param::Text(text) => match Expr::parse(text) {
                Err(source) => Err(SpecError::Expr {
                    analysis: NAME,
                    field: name,
                    source,
                }),
                Ok(_) => Ok(()),
            },
            _ => Err(problem(name, told)),
        },
        Some(told) => Err(problem(name, told)),
    }
}
