use desireline_stats::Estimate;
use serde::Serialize;

use super::Rate;

/// Named, typed columns of one length.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// A name for programs, snake case.
    pub name: &'static str,
    /// A title for people.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// A name for programs, snake case; unique in its table.
    pub name: String,
    /// A heading for people.
    pub label: String,
    /// The cells.
    pub cells: Cells,
}

/// The cells of a column. The kind says the unit; `None` is missing, never zero.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "cells", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cells {
    /// Words.
    Text(Vec<Option<String>>),
    /// Yes or no.
    Flag(Vec<Option<bool>>),
    /// Counts.
    Count(Vec<Option<u64>>),
    /// Numbers without a unit of their own.
    Number(Vec<Option<f64>>),
    /// Shares without an interval because they are exact (a share of what was observed), between 0 and 1.
    Share(Vec<Option<f64>>),
    /// Counts over a base, with interval; `None` where the rate has no meaning in that row.
    Rate(Vec<Option<Rate>>),
    /// Estimates with interval; the estimate carries its unit.
    Estimate(Vec<Option<Estimate>>),
    /// Lengths of time in microseconds.
    Duration(Vec<Option<i64>>),
    /// Points in time, microseconds since 1970 UTC.
    Time(Vec<Option<i64>>),
    /// p or q values.
    Probability(Vec<Option<f64>>),
    /// Touchpoints in order.
    Path(Vec<Option<Vec<String>>>),
    /// Money in minor units; the currency and its decimal places stand beside.
    Money {
        /// The amounts.
        amounts: Vec<Option<i64>>,
        /// The ISO 4217 code.
        currency: String,
        /// Decimal places of the minor unit.
        exponent: u32,
    },
}

impl Cells {
    /// How many cells there are.
    pub fn len(&self) -> usize {
        match self {
            Cells::Text(v) => v.len(),
            Cells::Flag(v) => v.len(),
            Cells::Count(v) => v.len(),
            Cells::Number(v) | Cells::Share(v) | Cells::Probability(v) => v.len(),
            Cells::Rate(v) => v.len(),
            Cells::Estimate(v) => v.len(),
            Cells::Duration(v) | Cells::Time(v) => v.len(),
            Cells::Path(v) => v.len(),
            Cells::Money { amounts, .. } => amounts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends cells of the same kind; cells of another kind are left out.
    fn extend(&mut self, other: &Cells) {
        match (self, other) {
            (Cells::Text(a), Cells::Text(b)) => a.extend(b.iter().cloned()),
            (Cells::Flag(a), Cells::Flag(b)) => a.extend(b),
            (Cells::Count(a), Cells::Count(b)) => a.extend(b),
            (Cells::Number(a), Cells::Number(b))
            | (Cells::Share(a), Cells::Share(b))
            | (Cells::Probability(a), Cells::Probability(b)) => a.extend(b),
            (Cells::Rate(a), Cells::Rate(b)) => a.extend(b),
            (Cells::Estimate(a), Cells::Estimate(b)) => a.extend(b),
            (Cells::Duration(a), Cells::Duration(b)) | (Cells::Time(a), Cells::Time(b)) => {
                a.extend(b)
            }
            (Cells::Path(a), Cells::Path(b)) => a.extend(b.iter().cloned()),
            (Cells::Money { amounts: a, .. }, Cells::Money { amounts: b, .. }) => a.extend(b),
            _ => {}
        }
    }
}

fn same_columns(a: &[Column], b: &[Column]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a.name == b.name && std::mem::discriminant(&a.cells) == std::mem::discriminant(&b.cells)
        })
}

impl Table {
    /// An empty table.
    pub fn new(name: &'static str, title: impl Into<String>) -> Table {
        Table {
            name,
            title: title.into(),
            columns: Vec::new(),
        }
    }

    /// Adds a column.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        label: impl Into<String>,
        cells: Cells,
    ) -> Table {
        self.columns.push(Column {
            name: name.into(),
            label: label.into(),
            cells,
        });
        self
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.cells.len())
    }

    /// One table under the other, with a first column that says whose rows they are. Tables of other columns than the
    /// first one's are left out; `None` when there is nothing to stack.
    pub fn stack(name: &str, label: &str, parts: Vec<(String, Table)>) -> Option<Table> {
        let (_, first) = parts.first()?;
        let mut whole = Table {
            columns: Vec::new(),
            ..first.clone()
        };
        let mut owners = Vec::new();
        let mut columns: Vec<Column> = Vec::new();
        for (owner, part) in &parts {
            if !columns.is_empty() && !same_columns(&columns, &part.columns) {
                continue;
            }
            owners.extend(std::iter::repeat_n(Some(owner.clone()), part.n_rows()));
            if columns.is_empty() {
                columns = part.columns.clone();
            } else {
                for (into, from) in columns.iter_mut().zip(&part.columns) {
                    into.cells.extend(&from.cells);
                }
            }
        }
        whole.columns.push(Column {
            name: name.to_owned(),
            label: label.to_owned(),
            cells: Cells::Text(owners),
        });
        whole.columns.extend(columns);
        Some(whole)
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}
