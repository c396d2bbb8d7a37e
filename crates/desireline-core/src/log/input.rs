//! Columns on their way into a log.

/// A column of texts or integers by row, as a reader has it.
///
/// Readers hand over what they hold: dictionary-coded text stays coded, so that each distinct text is looked at once.
#[derive(Clone, Copy, Debug)]
pub enum KeyColumn<'a> {
    /// Texts; `None` is missing.
    Texts(&'a [Option<&'a str>]),
    /// Integers; read as their decimal text.
    Integers(&'a [Option<i64>]),
    /// Codes into a dictionary; `None`, or a code past its end, is missing.
    Dictionary {
        /// One code per row.
        codes: &'a [Option<u32>],
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
    Integers(&'a [Option<i64>]),
    /// Floating-point numbers.
    Decimals(&'a [Option<f64>]),
    /// Booleans.
    Booleans(&'a [Option<bool>]),
    /// Microseconds since 1970.
    Times(&'a [Option<i64>]),
}

/// Rows as columns, all of one length.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// Who.
    pub customer: KeyColumn<'a>,
    /// When, in microseconds since 1970 UTC. `None` is missing; the reader has already put aside what it could not parse.
    pub time: &'a [Option<i64>],
    /// What.
    pub event: KeyColumn<'a>,
    /// The attributes in the order they were declared to the builder.
    pub attributes: Vec<ValueColumn<'a>>,
    /// Money in minor units.
    pub value: Option<&'a [Option<i64>]>,
    /// Orders events of one customer at one time; without it the order of input does.
    pub tie: Option<&'a [Option<i64>]>,
    /// The input's row number of each row, from 1, for the quarantine; rows are counted on when it is absent.
    pub rows: Option<&'a [u64]>,
    /// The name of the input, for the quarantine.
    pub source: &'a str,
}
