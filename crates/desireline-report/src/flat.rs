//! Columns for machines: what a cell for people shows in one place stands in several plain columns.

use desireline_core::report::{Cells, Column};
use desireline_stats::{Estimate, Unit};

/// One plain column.
pub(crate) struct Flat<'a> {
    pub(crate) name: String,
    pub(crate) values: Values<'a>,
}

/// The values of a plain column, never formatted.
pub(crate) enum Values<'a> {
    Text(&'a [Option<String>]),
    Flag(&'a [Option<bool>]),
    Count(Vec<Option<u64>>),
    Float(Vec<Option<f64>>, FloatUnit),
    Duration(&'a [Option<i64>]),
    Time(&'a [Option<i64>]),
    Path(&'a [Option<Vec<String>>]),
    Money {
        amounts: &'a [Option<i64>],
        currency: &'a str,
        exponent: u32,
    },
}

/// What a float measures.
#[derive(Clone, Copy)]
pub(crate) enum FloatUnit {
    Number,
    Share,
    Probability,
    Estimate(Option<Unit>),
}

impl FloatUnit {
    pub(crate) fn label(self) -> Option<&'static str> {
        match self {
            FloatUnit::Number => None,
            FloatUnit::Share => Some("share"),
            FloatUnit::Probability => Some("probability"),
            FloatUnit::Estimate(unit) => unit.map(Unit::label),
        }
    }
}

/// A column as plain columns: `x` of estimates becomes `x`, `x_lower`, `x_upper`, `x_n`; rates add `x_count`.
pub(crate) fn flatten(column: &Column) -> Vec<Flat<'_>> {
    let name = column.name.as_str();
    let one = |values| {
        vec![Flat {
            name: name.to_owned(),
            values,
        }]
    };
    match &column.cells {
        Cells::Text(v) => one(Values::Text(v)),
        Cells::Flag(v) => one(Values::Flag(v)),
        Cells::Count(v) => one(Values::Count(v.clone())),
        Cells::Number(v) => one(Values::Float(v.clone(), FloatUnit::Number)),
        Cells::Share(v) => one(Values::Float(v.clone(), FloatUnit::Share)),
        Cells::Probability(v) => one(Values::Float(v.clone(), FloatUnit::Probability)),
        Cells::Duration(v) => one(Values::Duration(v)),
        Cells::Time(v) => one(Values::Time(v)),
        Cells::Path(v) => one(Values::Path(v)),
        Cells::Money {
            amounts,
            currency,
            exponent,
        } => one(Values::Money {
            amounts,
            currency,
            exponent: *exponent,
        }),
        Cells::Estimate(v) => {
            let unit = v.iter().flatten().map(|e| e.unit).next();
            let mut out = estimate(name, v.clone(), unit);
            out.push(Flat {
                name: format!("{name}_n"),
                values: Values::Count(v.iter().map(|e| e.map(|e| e.n)).collect()),
            });
            out
        }
        Cells::Rate(v) => {
            let estimates = v.iter().map(|r| r.and_then(|r| r.estimate)).collect();
            let mut out = estimate(name, estimates, Some(Unit::Proportion));
            out.push(Flat {
                name: format!("{name}_n"),
                values: Values::Count(v.iter().map(|r| r.map(|r| r.n)).collect()),
            });
            out.push(Flat {
                name: format!("{name}_count"),
                values: Values::Count(v.iter().map(|r| r.map(|r| r.count)).collect()),
            });
            out
        }
        _ => Vec::new(),
    }
}

fn estimate(name: &str, values: Vec<Option<Estimate>>, unit: Option<Unit>) -> Vec<Flat<'static>> {
    let part = |suffix: &str, pick: fn(&Estimate) -> f64| Flat {
        name: format!("{name}{suffix}"),
        values: Values::Float(
            values.iter().map(|e| e.as_ref().map(pick)).collect(),
            FloatUnit::Estimate(unit),
        ),
    };
    vec![
        part("", |e| e.value),
        part("_lower", |e| e.lower),
        part("_upper", |e| e.upper),
    ]
}
