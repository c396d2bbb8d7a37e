//! Columns on their way into a log.

use super::intern::kept;

/// Values by row, with or without gaps.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a, T> {
    /// One in every row.
    Full(&'a [T]),
    /// `None` is missing.
    Gaps(&'a [Option<T>]),
}

impl<T: Copy> Column<'_, T> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Full(rows) => rows.len(),
            Column::Gaps(rows) => rows.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in row `i`; `None` past the end.
    pub fn get(&self, i: usize) -> Option<T> {
        match self {
            Column::Full(rows) => rows.get(i).copied(),
            Column::Gaps(rows) => rows.get(i).copied().flatten(),
        }
    }

    /// Whether no row is missing and `fits` is true of all.
    pub(super) fn all(&self, mut fits: impl FnMut(T) -> bool) -> bool {
        match self {
            Column::Full(rows) => rows.iter().all(|row| fits(*row)),
            Column::Gaps(rows) => rows.iter().all(|row| row.is_some_and(&mut fits)),
        }
    }

    /// Gives the rows that are not in `skip` (ascending) to `each`, in order.
    #[inline]
    pub(super) fn kept(&self, skip: &[u32], mut each: impl FnMut(Option<T>)) {
        match self {
            Column::Full(rows) => kept(rows, skip, |row| each(Some(row))),
            Column::Gaps(rows) => kept(rows, skip, each),
        }
    }
}

impl<'a, T, const N: usize> From<&'a [Option<T>; N]> for Column<'a, T> {
    fn from(rows: &'a [Option<T>; N]) -> Self {
        Column::Gaps(rows)
    }
}

impl<'a, T> From<&'a [Option<T>]> for Column<'a, T> {
    fn from(rows: &'a [Option<T>]) -> Self {
        Column::Gaps(rows)
    }
}

impl<'a, T> From<&'a Vec<Option<T>>> for Column<'a, T> {
    fn from(rows: &'a Vec<Option<T>>) -> Self {
        Column::Gaps(rows)
    }
}

impl<'a, T> From<&'a [T]> for Column<'a, T> {
    fn from(rows: &'a [T]) -> Self {
        Column::Full(rows)
    }
}

/// A column of texts or integers by row, as a reader has it.
///
/// Readers hand over what they hold: dictionary-coded text stays coded, so that each distinct text is looked at once.
#[derive(Clone, Copy, Debug)]
pub enum KeyColumn<'a> {
    /// Texts; `None` is missing.
    Texts(&'a [Option<&'a str>]),
    /// Integers; read as their decimal text.
    Integers(Column<'a, i64>),
    /// Codes into a dictionary; `None`, or a code past its end, is missing.
    Dictionary {
        /// One code per row.
        codes: Column<'a, u32>,
        /// The texts.
        values: &'a [Option<&'a str>],
    },
}

/// A column of attribute values by row.
#[derive(Clone, Copy, Debug)]
pub enum ValueColumn<'a> {
    /// Text, or integers read as text.
    Key(KeyColumn<'a>),
    /// Whole numbers.
    Integers(Column<'a, i64>),
    /// Floating-point numbers.
    Decimals(Column<'a, f64>),
    /// Booleans.
    Booleans(Column<'a, bool>),
    /// Microseconds since 1970.
    Times(Column<'a, i64>),
}

/// The row numbers of a batch in its input, from 1.
#[derive(Clone, Copy, Debug)]
pub enum RowNumbers<'a> {
    /// Counted on from the rows that the builder has seen.
    Counted,
    /// The first row's number; the others follow.
    From(u64),
    /// Of each row.
    Each(&'a [u64]),
}

/// Rows as columns, all of one length.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// Who.
    pub customer: KeyColumn<'a>,
    /// When, in microseconds since 1970 UTC. `None` is missing; the reader has already put aside what it could not parse.
    pub time: Column<'a, i64>,
    /// What.
    pub event: KeyColumn<'a>,
    /// The attributes in the order they were declared to the builder.
    pub attributes: Vec<ValueColumn<'a>>,
    /// Money in minor units.
    pub value: Option<Column<'a, i64>>,
    /// Orders events of one customer at one time; without it the order of input does.
    pub tie: Option<Column<'a, i64>>,
    /// The input's row numbers, for the quarantine.
    pub rows: RowNumbers<'a>,
    /// The name of the input, for the quarantine.
    pub source: &'a str,
}
