//! Whose ids a source uses, and whom they stand for.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use desireline_core::log::KeyColumn;
use hashbrown::HashMap;

use crate::IoError;
use crate::external::{MAX_BYTES, slurp};

/// Ids of one source and the customers that they stand for.
///
/// ```
/// use desireline_io::IdTable;
/// let cards = IdTable::parse_csv("cards.csv", b"card,customer\n7001,ann\n7002,bob\n")?;
/// assert_eq!((cards.len(), cards.get("7001")), (2, Some("ann")));
/// # Ok::<(), desireline_io::IoError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdTable {
    ids: HashMap<String, String>,
}

impl IdTable {
    /// A table of (id, customer).
    ///
    /// # Errors
    /// [`IoError::Table`]: an id stands for two customers, or one of both is empty; the row is the pair's place, from 1.
    pub fn new<I, C>(pairs: impl IntoIterator<Item = (I, C)>) -> Result<IdTable, IoError>
    where
        I: Into<String>,
        C: Into<String>,
    {
        let mut table = IdTable::default();
        for (i, (id, customer)) in pairs.into_iter().enumerate() {
            let added = table.add(id.into(), customer.into());
            added.map_err(|reason| wrong("the table of ids", Some(i as u64 + 1), reason))?;
        }
        Ok(table)
    }

    /// The same from a CSV file of two columns with a header: the id of the source, and the customer. No id is in a message.
    ///
    /// # Errors
    /// [`IoError::Table`] with the row of what is wrong; [`IoError::Open`].
    pub fn read_csv(path: impl AsRef<Path>) -> Result<IdTable, IoError> {
        let path = path.as_ref();
        IdTable::parse_csv(&path.display().to_string(), &slurp(path)?)
    }

    /// The same from bytes; `source_name` stands in messages.
    ///
    /// # Errors
    /// See [`IdTable::read_csv`].
    pub fn parse_csv(source_name: &str, bytes: &[u8]) -> Result<IdTable, IoError> {
        if bytes.len() as u64 > MAX_BYTES {
            let told = format!("it is larger than {MAX_BYTES} bytes, which is no small table");
            return Err(wrong(source_name, None, told));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let columns = reader.headers().map_or(0, csv::StringRecord::len);
        if columns != 2 {
            let told = "a table of ids has a header and two columns: the id of the source, and the customer";
            return Err(wrong(source_name, None, told.to_owned()));
        }
        let mut table = IdTable::default();
        for (i, record) in reader.records().enumerate() {
            let row = Some(i as u64 + 1);
            let record = record.map_err(|e| wrong(source_name, row, csv_reason(&e)))?;
            let (Some(id), Some(customer), None) = (record.get(0), record.get(1), record.get(2))
            else {
                return Err(wrong(source_name, row, "it has not two fields".to_owned()));
            };
            let added = table.add(id.to_owned(), customer.to_owned());
            added.map_err(|reason| wrong(source_name, row, reason))?;
        }
        Ok(table)
    }

    fn add(&mut self, id: String, customer: String) -> Result<(), String> {
        if id.is_empty() || customer.is_empty() {
            return Err("the id or the customer is empty".to_owned());
        }
        match self.ids.get(&id) {
            Some(before) if *before != customer => {
                Err("its id stands for another customer further up".to_owned())
            }
            Some(_) => Ok(()),
            None => {
                self.ids.insert(id, customer);
                Ok(())
            }
        }
    }

    /// Whom an id stands for.
    pub fn get(&self, id: &str) -> Option<&str> {
        self.ids.get(id).map(String::as_str)
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

fn wrong(source_name: &str, row: Option<u64>, reason: String) -> IoError {
    IoError::Table {
        source_name: source_name.to_owned(),
        row,
        column: None,
        reason,
    }
}

/// What is wrong with a line, without its content.
fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => "it cannot be read as CSV".to_owned(),
    }
}

/// How the ids of a source become those of customers: by a table, and with a prefix for what is in no table, so that equal ids of
/// two sources are not taken for one customer.
///
/// ```
/// use desireline_io::{IdSpace, IdTable};
/// let cards = IdTable::new([("7001", "ann")])?;
/// let till = IdSpace::mapped(cards).prefix("till:");
/// assert_eq!((till.customer("7001"), till.customer("7009")), ("ann".into(), "till:7009".into()));
/// # Ok::<(), desireline_io::IoError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdSpace {
    table: Option<Arc<IdTable>>,
    prefix: String,
}

impl IdSpace {
    /// Every id gets this before it.
    pub fn prefixed(prefix: impl Into<String>) -> IdSpace {
        IdSpace::default().prefix(prefix)
    }

    /// Ids of the table become their customers; all others stay as they are, unless there is a [`prefix`](IdSpace::prefix).
    pub fn mapped(table: impl Into<Arc<IdTable>>) -> IdSpace {
        IdSpace {
            table: Some(table.into()),
            prefix: String::new(),
        }
    }

    /// Ids that no table has get this before them.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> IdSpace {
        self.prefix = prefix.into();
        self
    }

    /// The customer of an id.
    pub fn customer<'a>(&'a self, id: &'a str) -> Cow<'a, str> {
        match self.table.as_ref().and_then(|t| t.get(id)) {
            Some(customer) => Cow::Borrowed(customer),
            None if self.prefix.is_empty() => Cow::Borrowed(id),
            None => Cow::Owned(format!("{}{id}", self.prefix)),
        }
    }

    /// The column of customers: each distinct entry of a dictionary is looked at once.
    pub(crate) fn translate(&self, column: &KeyColumn<'_>) -> Translated {
        let own = |id: &str| self.customer(id).into_owned();
        let texts = match column {
            KeyColumn::Texts(ids) => ids.iter().map(|id| id.map(own)).collect(),
            KeyColumn::Dictionary { values, .. } => values.iter().map(|id| id.map(own)).collect(),
            KeyColumn::Integers(ids) => (0..ids.len())
                .map(|i| ids.get(i).map(|id| own(&id.to_string())))
                .collect(),
        };
        Translated(texts)
    }
}

/// Ids as customers, for as long as a batch is taken in.
pub(crate) struct Translated(Vec<Option<String>>);

impl Translated {
    pub(crate) fn borrowed(&self) -> Vec<Option<&str>> {
        self.0.iter().map(Option::as_deref).collect()
    }

    /// The column that takes the place of `before`.
    pub(crate) fn column<'a>(
        before: &KeyColumn<'a>,
        texts: &'a [Option<&'a str>],
    ) -> KeyColumn<'a> {
        match before {
            KeyColumn::Dictionary { codes, .. } => KeyColumn::Dictionary {
                codes: *codes,
                values: texts,
            },
            _ => KeyColumn::Texts(texts),
        }
    }
}
