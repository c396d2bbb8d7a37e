//! Small tables of numbers that no event log has: spend, impressions, search rank, population, visitors counted at a door.

use desireline_stats::ExactSum;
use indexmap::IndexMap;

use crate::error::{SpecError, nearest};
use crate::map::Date;

use super::spec::problem;

/// More rows than this are no small table.
pub const MAX_ROWS: usize = 1_000_000;

/// A table of numbers by day and key, such as spend by day and channel.
///
/// Columns have names; a number may be missing and stays so. What the columns mean is said by the KPI that reads them: `spend`
/// and `channel` for [K30 and K03](super), `position`, `impressions` and `clicks` for K13, `population` for K09, `visitors`
/// or any other for a series joined to a touchpoint.
///
/// ```
/// use desireline_core::kpi::ExternalTable;
/// let spend = ExternalTable::new("ads")
///     .dates(["2026-01-01".parse()?, "2026-01-02".parse()?])
///     .keys("channel", ["email", "social"])
///     .numbers("spend", [Some(120.0), None]);
/// assert_eq!(spend.check()?, 2);
/// assert_eq!(spend.sum("spend", None)?, Some(120.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalTable {
    name: String,
    dates: Option<Vec<Date>>,
    keys: IndexMap<String, Vec<String>>,
    numbers: IndexMap<String, Vec<Option<f64>>>,
}

impl ExternalTable {
    /// A table without columns.
    pub fn new(name: impl Into<String>) -> ExternalTable {
        ExternalTable {
            name: name.into(),
            dates: None,
            keys: IndexMap::new(),
            numbers: IndexMap::new(),
        }
    }

    /// The days of the rows.
    #[must_use]
    pub fn dates(mut self, dates: impl IntoIterator<Item = Date>) -> ExternalTable {
        self.dates = Some(dates.into_iter().collect());
        self
    }

    /// A column of words.
    #[must_use]
    pub fn keys<T: Into<String>>(
        mut self,
        name: impl Into<String>,
        keys: impl IntoIterator<Item = T>,
    ) -> ExternalTable {
        self.keys
            .insert(name.into(), keys.into_iter().map(Into::into).collect());
        self
    }

    /// A column of numbers; what is not finite is missing.
    #[must_use]
    pub fn numbers(
        mut self,
        name: impl Into<String>,
        numbers: impl IntoIterator<Item = Option<f64>>,
    ) -> ExternalTable {
        let finite = |x: Option<f64>| x.filter(|x| x.is_finite());
        self.numbers
            .insert(name.into(), numbers.into_iter().map(finite).collect());
        self
    }

    /// Its name, by which settings such as `spend: ads` mean it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has a column of numbers of this name.
    pub fn has(&self, number: &str) -> bool {
        self.numbers.contains_key(number)
    }

    /// The names of the columns of numbers.
    pub fn number_names(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }

    /// How many rows it has, if its columns agree.
    ///
    /// # Errors
    /// Columns of different lengths, or too many rows.
    pub fn check(&self) -> Result<usize, SpecError> {
        let lengths = self.keys.iter().map(|(k, v)| (k.as_str(), v.len()));
        let lengths = lengths.chain(self.numbers.iter().map(|(k, v)| (k.as_str(), v.len())));
        let dated = self.dates.iter().map(|d| ("date", d.len()));
        let mut all = lengths.chain(dated);
        let Some((first, rows)) = all.next() else {
            return Ok(0);
        };
        if let Some((name, n)) = all.find(|(_, n)| *n != rows) {
            let told = format!(
                "column `{name}` of `{}` has {n} rows where `{first}` has {rows}",
                self.name
            );
            return Err(problem("tables", told));
        }
        if rows > MAX_ROWS {
            let told = format!("`{}` has {rows} rows, the limit is {MAX_ROWS}", self.name);
            return Err(problem("tables", told));
        }
        Ok(rows)
    }

    /// The days, where it has them.
    pub fn days(&self) -> Option<&[Date]> {
        self.dates.as_deref()
    }

    /// A column of words.
    pub fn key(&self, name: &str) -> Option<&[String]> {
        self.keys.get(name).map(Vec::as_slice)
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn number(&self, name: &str) -> Result<&[Option<f64>], SpecError> {
        self.numbers.get(name).map(Vec::as_slice).ok_or_else(|| {
            let names: Vec<&str> = self.number_names().collect();
            let near = nearest(name, names.iter().copied());
            let near = near.map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
            let told = format!(
                "`{}` has no numbers called `{name}`{near}; it has {}",
                self.name,
                names.join(", ")
            );
            problem("tables", told)
        })
    }

    /// The rows whose day lies in the half-open range, or all.
    pub(super) fn rows(&self, window: Option<(Date, Date)>) -> Vec<usize> {
        let n = self.check().unwrap_or(0);
        let inside = |i: &usize| match (window, &self.dates) {
            (Some((from, to)), Some(dates)) => {
                dates.get(*i).is_some_and(|d| (from..to).contains(d))
            }
            // Rows without a day belong to no period.
            (Some(_), None) => false,
            (None, _) => true,
        };
        (0..n).filter(inside).collect()
    }

    /// The rows of the days that are wanted; a table without days stays as it is.
    #[must_use]
    pub fn on_days(&self, wanted: impl Fn(Date) -> bool) -> ExternalTable {
        let Some(dates) = &self.dates else {
            return self.clone();
        };
        let kept: Vec<bool> = dates.iter().map(|d| wanted(*d)).collect();
        fn only<T: Clone>(all: &[T], kept: &[bool]) -> Vec<T> {
            let all = all.iter().zip(kept);
            all.filter(|(_, k)| **k).map(|(x, _)| x.clone()).collect()
        }
        ExternalTable {
            name: self.name.clone(),
            dates: Some(only(dates, &kept)),
            keys: self
                .keys
                .iter()
                .map(|(name, keys)| (name.clone(), only(keys, &kept)))
                .collect(),
            numbers: self
                .numbers
                .iter()
                .map(|(name, numbers)| (name.clone(), only(numbers, &kept)))
                .collect(),
        }
    }

    /// The sum of a column over the days of a half-open range, or over all; `None` where no row has a number.
    ///
    /// # Errors
    /// There is no such column.
    pub fn sum(&self, name: &str, window: Option<(Date, Date)>) -> Result<Option<f64>, SpecError> {
        let numbers = self.number(name)?;
        let mut sum = ExactSum::new();
        for row in self.rows(window) {
            if let Some(Some(x)) = numbers.get(row) {
                sum.add(*x);
            }
        }
        Ok(if sum.n() == 0 { None } else { sum.value() })
    }

    /// The sum of a column for each word of a key column, in alphabetical order.
    ///
    /// # Errors
    /// There is no such column.
    pub fn sums_by(
        &self,
        key: &str,
        name: &str,
        window: Option<(Date, Date)>,
    ) -> Result<Vec<(String, f64)>, SpecError> {
        let numbers = self.number(name)?;
        let Some(keys) = self.key(key) else {
            let names: Vec<&str> = self.keys.keys().map(String::as_str).collect();
            let told = format!(
                "`{}` has no words called `{key}`; it has {}",
                self.name,
                if names.is_empty() {
                    "none".into()
                } else {
                    names.join(", ")
                }
            );
            return Err(problem("tables", told));
        };
        let mut sums = std::collections::BTreeMap::<&str, ExactSum>::new();
        for row in self.rows(window) {
            if let (Some(key), Some(Some(x))) = (keys.get(row), numbers.get(row)) {
                sums.entry(key).or_default().add(*x);
            }
        }
        Ok(sums
            .into_iter()
            .filter_map(|(k, sum)| Some((k.to_owned(), sum.value()?)))
            .collect())
    }
}
