//! Rows of text fields, gathered into columns.

use std::fmt::Write as _;

use desireline_core::log::{
    AttributeType, Batch, Column as Cells, KeyColumn, Reason, RowNumbers, ValueColumn,
};

use crate::kinds::{boolean, finite};
use crate::plan::{Plan, Role};
use crate::sink::Sink;
use crate::{Columns, IoError, money};

/// Rows and bytes after which columns are handed on.
const ROWS: usize = 8192;
const BYTES: usize = 8 << 20;

/// One field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Text(&'a str),
    Integer(i64),
    /// A whole number beyond `i64`.
    Large(u64),
    Float(f64),
    Boolean(bool),
    /// An object where a single value was expected.
    Object,
}

/// Where a text lies in the arena; `MISSING` where there is none.
type Place = (u32, u32);
const MISSING: Place = (u32::MAX, 0);

enum Column {
    Texts(Vec<Place>),
    Integers(Vec<Option<i64>>),
    Decimals(Vec<Option<f64>>),
    Booleans(Vec<Option<bool>>),
    Times(Vec<Option<i64>>),
}

enum Parsed {
    Text,
    Integer(Option<i64>),
    Decimal(Option<f64>),
    Boolean(Option<bool>),
}

/// Columns that grow by rows and are handed to a [`Sink`] when they are many.
pub(crate) struct Rows {
    arena: String,
    customers: Vec<Place>,
    times: Vec<i64>,
    events: Vec<Place>,
    values: Option<Vec<Option<i64>>>,
    ties: Option<Vec<Option<i64>>>,
    attributes: Vec<Column>,
    numbers: Vec<u64>,
    parsed: Vec<Parsed>,
    first_attribute: usize,
    /// The event of every row, where there is no column of events.
    every_event: Option<String>,
    /// Whether a time was read already: numbers without a unit are then bad rows, not a bad call.
    time_read: bool,
}

impl Rows {
    pub(crate) fn new(plan: &Plan, columns: &Columns) -> Rows {
        let has = |role| plan.slots.iter().any(|s| s.role == role);
        let column = |kind| match kind {
            AttributeType::Text => Column::Texts(Vec::new()),
            AttributeType::Integer => Column::Integers(Vec::new()),
            AttributeType::Decimal => Column::Decimals(Vec::new()),
            AttributeType::Boolean => Column::Booleans(Vec::new()),
            AttributeType::Time => Column::Times(Vec::new()),
        };
        Rows {
            arena: String::new(),
            customers: Vec::new(),
            times: Vec::new(),
            events: Vec::new(),
            values: has(Role::Value).then(Vec::new),
            ties: has(Role::Tie).then(Vec::new),
            attributes: plan
                .options
                .attributes
                .iter()
                .map(|a| column(a.kind))
                .collect(),
            numbers: Vec::new(),
            parsed: Vec::new(),
            first_attribute: plan.slots.len() - plan.options.attributes.len(),
            every_event: columns.every_event.clone(),
            time_read: false,
        }
    }

    /// Whether a time was read.
    pub(crate) fn time_read(&self) -> bool {
        self.time_read
    }

    /// Goes on from rows among which a time was read.
    pub(crate) fn assume_time_read(&mut self) {
        self.time_read = true;
    }

    /// Takes in one row; `cell` gives the field of each slot of the plan.
    pub(crate) fn push<'a>(
        &mut self,
        sink: &mut Sink<'_>,
        source: &str,
        number: u64,
        cell: impl Fn(usize) -> Cell<'a>,
    ) -> Result<(), IoError> {
        let without_zone = sink.times.without_zone;
        match self.parse(sink, source, number, &cell)? {
            Ok((time, value, tie)) => {
                self.times.push(time);
                if let Some(values) = &mut self.values {
                    values.push(value);
                }
                if let Some(ties) = &mut self.ties {
                    ties.push(tie);
                }
            }
            Err((slot, reason)) => {
                sink.times.without_zone = without_zone;
                let column = sink.plan.slots.get(slot).map(|s| s.name.clone());
                sink.put(source, number, column.as_deref(), reason);
                return Ok(());
            }
        }
        self.customers.push(keep(&mut self.arena, cell(0)));
        if self.every_event.is_none() {
            self.events.push(keep(&mut self.arena, cell(2)));
        }
        self.numbers.push(number);
        for (i, (column, parsed)) in self
            .attributes
            .iter_mut()
            .zip(self.parsed.drain(..))
            .enumerate()
        {
            match (column, parsed) {
                (Column::Texts(column), _) => {
                    column.push(keep(&mut self.arena, cell(self.first_attribute + i)))
                }
                (Column::Integers(column) | Column::Times(column), Parsed::Integer(x)) => {
                    column.push(x)
                }
                (Column::Decimals(column), Parsed::Decimal(x)) => column.push(x),
                (Column::Booleans(column), Parsed::Boolean(x)) => column.push(x),
                (Column::Integers(column) | Column::Times(column), _) => column.push(None),
                (Column::Decimals(column), _) => column.push(None),
                (Column::Booleans(column), _) => column.push(None),
            }
        }
        if self.numbers.len() >= ROWS || self.arena.len() >= BYTES {
            self.flush(sink, source)?;
        }
        Ok(())
    }

    /// Parses all that is not text. The outer error stops reading, the inner one puts the row aside.
    #[allow(clippy::type_complexity)]
    fn parse<'a>(
        &mut self,
        sink: &mut Sink<'_>,
        source: &str,
        number: u64,
        cell: &impl Fn(usize) -> Cell<'a>,
    ) -> Result<Result<(i64, Option<i64>, Option<i64>), (usize, Reason)>, IoError> {
        for (slot, missing) in [(0, Reason::MissingCustomer), (2, Reason::MissingEvent)] {
            if slot == 2 && self.every_event.is_some() {
                continue;
            }
            match cell(slot) {
                Cell::Missing | Cell::Text("") => return Ok(Err((slot, missing))),
                // A rounded number is no name for anybody.
                Cell::Float(_) | Cell::Object => {
                    return Ok(Err((slot, Reason::UnparseableAttribute)));
                }
                _ => {}
            }
        }
        let time = match cell(1) {
            Cell::Missing | Cell::Text("") => return Ok(Err((1, Reason::MissingTime))),
            Cell::Text(text) => {
                if !self.time_read && sink.times.unit().is_none() && is_bare_number(text) {
                    return Err(unit_needed(sink, source, number));
                }
                sink.times.text(text)
            }
            Cell::Integer(_) | Cell::Large(_) | Cell::Float(_) if sink.times.unit().is_none() => {
                if !self.time_read {
                    return Err(unit_needed(sink, source, number));
                }
                Err(Reason::UnparseableTime)
            }
            Cell::Integer(n) => sink.times.number(n),
            Cell::Large(_) => Err(Reason::TimeOutOfRange),
            Cell::Float(x) => sink.times.float(x),
            Cell::Boolean(_) | Cell::Object => Err(Reason::UnparseableTime),
        };
        let time = match time {
            Ok(time) => time,
            Err(reason) => return Ok(Err((1, reason))),
        };
        self.time_read = true;

        let mut slot = 3;
        let mut value = None;
        if self.values.is_some() {
            match amount(cell(slot), sink.plan.exponent) {
                Ok(amount) => value = amount,
                Err(reason) => return Ok(Err((slot, reason))),
            }
            slot += 1;
        }
        let mut tie = None;
        if self.ties.is_some() {
            match integer(cell(slot)) {
                Ok(n) => tie = n,
                Err(reason) => return Ok(Err((slot, reason))),
            }
        }
        self.parsed.clear();
        for (i, column) in self.attributes.iter().enumerate() {
            let slot = self.first_attribute + i;
            let parsed = match column {
                Column::Texts(_) if cell(slot) == Cell::Object => Err(Reason::UnparseableAttribute),
                Column::Texts(_) => Ok(Parsed::Text),
                Column::Integers(_) => integer(cell(slot)).map(Parsed::Integer),
                Column::Decimals(_) => decimal(cell(slot)).map(Parsed::Decimal),
                Column::Booleans(_) => truth(cell(slot)).map(Parsed::Boolean),
                Column::Times(_) => {
                    // Only the event's own time counts among the times without zone.
                    let without_zone = sink.times.without_zone;
                    let parsed = instant(sink, cell(slot)).map(Parsed::Integer);
                    sink.times.without_zone = without_zone;
                    parsed
                }
            };
            match parsed {
                Ok(parsed) => self.parsed.push(parsed),
                Err(reason) => return Ok(Err((slot, reason))),
            }
        }
        Ok(Ok((time, value, tie)))
    }

    /// Hands the gathered columns on.
    pub(crate) fn flush(&mut self, sink: &mut Sink<'_>, source: &str) -> Result<(), IoError> {
        if self.numbers.is_empty() {
            return Ok(());
        }
        let arena = self.arena.as_str();
        let texts = |places: &[Place]| -> Vec<Option<&str>> {
            places.iter().map(|p| text(arena, *p)).collect()
        };
        let customers = texts(&self.customers);
        let events = texts(&self.events);
        let name = [self.every_event.as_deref()];
        let codes: Vec<u32> = if self.every_event.is_some() {
            vec![0; customers.len()]
        } else {
            Vec::new()
        };
        let event = match self.every_event {
            None => KeyColumn::Texts(&events),
            Some(_) => KeyColumn::Dictionary {
                codes: Cells::Full(&codes),
                values: &name,
            },
        };
        let attribute_texts: Vec<Vec<Option<&str>>> = self
            .attributes
            .iter()
            .map(|column| match column {
                Column::Texts(places) => texts(places),
                _ => Vec::new(),
            })
            .collect();
        let attributes = self
            .attributes
            .iter()
            .zip(&attribute_texts)
            .map(|(column, texts)| match column {
                Column::Texts(_) => ValueColumn::Key(KeyColumn::Texts(texts)),
                Column::Integers(x) => ValueColumn::Integers(x.into()),
                Column::Decimals(x) => ValueColumn::Decimals(x.into()),
                Column::Booleans(x) => ValueColumn::Booleans(x.into()),
                Column::Times(x) => ValueColumn::Times(x.into()),
            })
            .collect();
        sink.push(&Batch {
            customer: KeyColumn::Texts(&customers),
            time: Cells::Full(&self.times),
            event,
            attributes,
            value: self.values.as_ref().map(Into::into),
            tie: self.ties.as_ref().map(Into::into),
            rows: RowNumbers::Each(&self.numbers),
            source,
        })?;
        self.clear();
        Ok(())
    }

    fn clear(&mut self) {
        self.arena.clear();
        self.customers.clear();
        self.times.clear();
        self.events.clear();
        self.numbers.clear();
        for column in self.values.iter_mut().chain(&mut self.ties) {
            column.clear();
        }
        for column in &mut self.attributes {
            match column {
                Column::Texts(x) => x.clear(),
                Column::Integers(x) | Column::Times(x) => x.clear(),
                Column::Decimals(x) => x.clear(),
                Column::Booleans(x) => x.clear(),
            }
        }
    }
}

fn text(arena: &str, (from, length): Place) -> Option<&str> {
    if from == u32::MAX {
        None
    } else {
        arena.get(from as usize..from as usize + length as usize)
    }
}

/// Puts a cell's text into the arena. Rows are handed on long before the arena outgrows `u32`.
fn keep(arena: &mut String, cell: Cell<'_>) -> Place {
    let from = arena.len();
    let written = match cell {
        Cell::Missing | Cell::Object => return MISSING,
        Cell::Text(text) => {
            arena.push_str(text);
            Ok(())
        }
        Cell::Integer(n) => write!(arena, "{n}"),
        Cell::Large(n) => write!(arena, "{n}"),
        Cell::Float(x) => write!(arena, "{x:?}"),
        Cell::Boolean(b) => write!(arena, "{b}"),
    };
    debug_assert!(written.is_ok());
    match (u32::try_from(from), u32::try_from(arena.len() - from)) {
        (Ok(from), Ok(length)) => (from, length),
        _ => MISSING,
    }
}

/// A number that is no `YYYYMMDD`.
fn is_bare_number(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain && text.len() != 8 && text.bytes().filter(|b| *b == b'.').count() <= 1
}

fn unit_needed(sink: &Sink<'_>, source: &str, row: u64) -> IoError {
    IoError::TimeUnitNeeded {
        source_name: source.to_owned(),
        column: sink.columns.time.clone(),
        row: Some(row),
    }
}

fn amount(cell: Cell<'_>, exponent: u32) -> Result<Option<i64>, Reason> {
    let minor = match cell {
        Cell::Missing | Cell::Text("") => return Ok(None),
        Cell::Text(text) => money::parse(text, exponent),
        Cell::Integer(n) => money::from_integer(n, exponent),
        Cell::Float(x) => money::from_json_float(x, exponent),
        Cell::Large(_) | Cell::Boolean(_) | Cell::Object => None,
    };
    minor.map(Some).ok_or(Reason::UnparseableValue)
}

fn integer(cell: Cell<'_>) -> Result<Option<i64>, Reason> {
    let n = match cell {
        Cell::Missing | Cell::Text("") => return Ok(None),
        Cell::Text(text) => text.trim().parse().ok(),
        Cell::Integer(n) => Some(n),
        Cell::Float(x) => whole(x),
        Cell::Large(_) | Cell::Boolean(_) | Cell::Object => None,
    };
    n.map(Some).ok_or(Reason::UnparseableAttribute)
}

/// A binary number that is exactly a whole one.
pub(crate) fn whole(x: f64) -> Option<i64> {
    (x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0).then_some(x as i64)
}

fn decimal(cell: Cell<'_>) -> Result<Option<f64>, Reason> {
    let x = match cell {
        Cell::Missing | Cell::Text("") => return Ok(None),
        Cell::Text(text) => text.trim().parse().ok().and_then(finite),
        Cell::Integer(n) => Some(n as f64),
        Cell::Large(n) => Some(n as f64),
        Cell::Float(x) => finite(x),
        Cell::Boolean(_) | Cell::Object => None,
    };
    x.map(Some).ok_or(Reason::UnparseableAttribute)
}

fn truth(cell: Cell<'_>) -> Result<Option<bool>, Reason> {
    let b = match cell {
        Cell::Missing | Cell::Text("") => return Ok(None),
        Cell::Text(text) => boolean(text.trim()),
        Cell::Integer(0) => Some(false),
        Cell::Integer(1) => Some(true),
        Cell::Boolean(b) => Some(b),
        _ => None,
    };
    b.map(Some).ok_or(Reason::UnparseableAttribute)
}

fn instant(sink: &mut Sink<'_>, cell: Cell<'_>) -> Result<Option<i64>, Reason> {
    let micros = match cell {
        Cell::Missing | Cell::Text("") => return Ok(None),
        Cell::Text(text) => sink.times.text(text),
        Cell::Integer(n) => sink.times.number(n),
        Cell::Float(x) => sink.times.float(x),
        Cell::Large(_) | Cell::Boolean(_) | Cell::Object => Err(Reason::UnparseableAttribute),
    };
    micros.map(Some).map_err(|_| Reason::UnparseableAttribute)
}
