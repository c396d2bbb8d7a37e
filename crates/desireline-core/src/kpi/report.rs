//! What a KPI's report holds.

use desireline_stats::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::money::whole;
use crate::map::KpiUnit;
use crate::report::{Caveat, Cells, Report, Table};

/// A KPI, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KpiReport {
    /// Its number, such as `K02`.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Which variant.
    pub variant: String,
    /// What is asked.
    pub question: String,
    /// How it is computed.
    pub formula: String,
    /// Of whom or what.
    pub population: String,
    /// In what it is measured.
    pub unit: KpiUnit,
    /// Whether more is better; absent where it depends.
    pub higher_is_better: Option<bool>,
    /// The ISO 4217 code, for money.
    pub currency: Option<String>,
    /// Decimal places of that currency; amounts are in minor units.
    pub currency_exponent: u32,
    /// The settings that were in force, by name.
    pub settings: Vec<KpiSetting>,
    /// The number over all of the log, by key where there are several.
    pub values: Vec<KpiValue>,
    /// The number by calendar period, for a series.
    pub series: Vec<KpiValue>,
    /// What was fitted on the way.
    pub model: Vec<KpiParameter>,
    /// What a reader must know.
    pub caveats: Vec<Caveat>,
}

/// A setting that was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KpiSetting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A number of a fitted model, or of its test against time that it had not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KpiParameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Lower end of its interval.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
}

/// One number of a KPI.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KpiValue {
    /// The calendar period, in a series.
    pub period: Option<KpiPeriod>,
    /// Which, where there are several: a channel, a kind of visit.
    pub key: Option<String>,
    /// The number; absent where there is too little to say.
    pub estimate: Option<Estimate>,
    /// What is counted above the line.
    pub count: Option<i64>,
    /// The units below it.
    pub n: u64,
    /// The customers that they belong to.
    pub customers: u64,
    /// Units left out because it is not yet known how they end.
    pub excluded: u64,
    /// Why there is no number.
    pub hole: Option<String>,
    /// Where the period was to be expected from those before it.
    pub limits: Option<KpiLimits>,
}

/// A calendar period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KpiPeriod {
    /// What people call it.
    pub name: String,
    /// Its first instant, microseconds since 1970 UTC.
    pub from: i64,
    /// The first instant after it.
    pub to: i64,
    /// Whether the log covers all of it.
    pub complete: bool,
}

/// Where a period was to be expected from those before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KpiLimits {
    /// Below this it is unlike them.
    pub lower: f64,
    /// Above this it is unlike them.
    pub upper: f64,
    /// How often one as far out comes by chance, with all periods of the series in mind.
    pub p: f64,
    /// Whether it lies outside.
    pub out: bool,
}

impl KpiReport {
    /// The number over all of the log, where there is one.
    pub fn estimate(&self) -> Option<&Estimate> {
        self.values.first()?.estimate.as_ref()
    }

    fn table(&self, name: &'static str, title: String, values: &[KpiValue]) -> Table {
        let text = |f: fn(&KpiValue) -> Option<String>| Cells::Text(values.iter().map(f).collect());
        let count = |f: fn(&KpiValue) -> Option<u64>| Cells::Count(values.iter().map(f).collect());
        let mut table = Table::new(name, title);
        if values.iter().any(|v| v.period.is_some()) {
            table = table.with(
                "period",
                "period",
                text(|v| v.period.as_ref().map(|p| p.name.clone())),
            );
            let whole = values
                .iter()
                .map(|v| v.period.as_ref().map(|p| p.complete))
                .collect();
            table = table.with("complete", "complete", Cells::Flag(whole));
        }
        if values.iter().any(|v| v.key.is_some()) {
            table = table.with("key", "of", text(|v| v.key.clone()));
        }
        let label = match self.money() {
            Some(currency) => format!("{}, {}", self.name, currency.code),
            None => self.name.clone(),
        };
        let shown = values
            .iter()
            .map(|v| Some(whole(v.estimate.as_ref()?, self.currency_exponent)))
            .collect();
        table = table.with("value", label, Cells::Estimate(shown));
        if values.iter().any(|v| v.count.is_some())
            && self.unit != KpiUnit::Money
            && self.unit != KpiUnit::Time
        {
            table = table.with("count", "count", count(|v| u64::try_from(v.count?).ok()));
        }
        table = table
            .with("n", "n", count(|v| Some(v.n)))
            .with("customers", "customers", count(|v| Some(v.customers)))
            .with("excluded", "left out", count(|v| Some(v.excluded)));
        if values.iter().any(|v| v.limits.is_some()) {
            let out = values.iter().map(|v| v.limits.map(|l| l.out)).collect();
            let p = values.iter().map(|v| v.limits.map(|l| l.p)).collect();
            table = table.with("alarm", "unlike before", Cells::Flag(out)).with(
                "alarm_p",
                "p",
                Cells::Probability(p),
            );
        }
        if values.iter().any(|v| v.hole.is_some()) {
            table = table.with("hole", "why no number", text(|v| v.hole.clone()));
        }
        table
    }
}

impl Report for KpiReport {
    fn title(&self) -> &'static str {
        "KPI"
    }

    fn tables(&self) -> Vec<Table> {
        let name = self.name.replace('_', " ");
        let title = format!(
            "{} {name} ({}): {}",
            self.number, self.variant, self.formula
        );
        let mut tables = Vec::new();
        if !self.series.is_empty() {
            tables.push(self.table("series", title.clone(), &self.series));
        }
        tables.push(self.table(
            "kpi",
            if tables.is_empty() {
                title
            } else {
                "Over all of the log".to_owned()
            },
            &self.values,
        ));
        if !self.model.is_empty() {
            let number = |f: fn(&KpiParameter) -> Option<f64>| {
                Cells::Number(self.model.iter().map(f).collect())
            };
            let names = self.model.iter().map(|p| Some(p.name.clone())).collect();
            tables.push(
                Table::new("model", "The fitted model".to_owned())
                    .with("parameter", "parameter", Cells::Text(names))
                    .with("value", "value", number(|p| Some(p.value)))
                    .with("lower", "lower", number(|p| p.lower))
                    .with("upper", "upper", number(|p| p.upper)),
            );
        }
        let settings: Vec<_> = self.settings.iter().collect();
        if !settings.is_empty() {
            let of = |f: fn(&KpiSetting) -> &String| {
                Cells::Text(settings.iter().map(|s| Some(f(s).clone())).collect())
            };
            tables.push(
                Table::new("settings", "What was asked".to_owned())
                    .with("setting", "setting", of(|s| &s.name))
                    .with("value", "value", of(|s| &s.value)),
            );
        }
        tables
    }

    crate::report::held!();
}
