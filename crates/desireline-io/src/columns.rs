//! Which column is what.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use desireline_core::log::{AttributeType, Level};
use desireline_core::time::{TimeSpan, TimeSpanError};

use crate::{Format, IdSpace, Limits};

/// The unit of times that are written as numbers since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Millis,
    /// Millionths of a second.
    Micros,
    /// Billionths of a second; floored to microseconds.
    Nanos,
}

/// A correction of a clock in microseconds, from a length of time with or without a sign, such as `-2m`.
///
/// ```
/// assert_eq!(desireline_io::clock_shift("-2m")?, -120_000_000);
/// # Ok::<(), desireline_core::time::TimeSpanError>(())
/// ```
///
/// # Errors
/// The text is no length of time.
pub fn clock_shift(text: &str) -> Result<i64, TimeSpanError> {
    let text = text.trim();
    let (back, span) = match text.strip_prefix('-') {
        Some(span) => (true, span),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let micros = TimeSpan::parse(span)?.as_micros();
    Ok(if back {
        micros.saturating_neg()
    } else {
        micros
    })
}

/// What stands between the fields of a delimited text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delimiter {
    /// One byte, with CSV quoting.
    Byte(u8),
    /// Runs of blanks and tabs, without quoting; blanks at the start of a line are skipped.
    Whitespace,
}

impl From<u8> for Delimiter {
    fn from(byte: u8) -> Delimiter {
        Delimiter::Byte(byte)
    }
}

/// An attribute to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeColumnSpec {
    /// The column's name.
    pub name: String,
    /// What it holds; found out from the data when `None`.
    pub kind: Option<AttributeType>,
    /// Event or customer; found out from the data when `None`.
    pub level: Option<Level>,
}

impl From<&str> for AttributeColumnSpec {
    fn from(name: &str) -> AttributeColumnSpec {
        AttributeColumnSpec {
            name: name.to_owned(),
            kind: None,
            level: None,
        }
    }
}

impl From<String> for AttributeColumnSpec {
    fn from(name: String) -> AttributeColumnSpec {
        AttributeColumnSpec {
            name,
            kind: None,
            level: None,
        }
    }
}

/// How far reading has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The input being read.
    pub source: String,
    /// Inputs finished.
    pub sources_done: usize,
    /// Inputs in all.
    pub sources: usize,
    /// Bytes read so far of all inputs, as stored; 0 for Arrow streams.
    pub bytes_done: u64,
    /// Bytes of all inputs, as stored; 0 for Arrow streams.
    pub bytes_total: u64,
    /// Rows read so far, good and bad.
    pub rows: u64,
}

type ProgressHook = Arc<dyn Fn(Progress) + Send + Sync>;

/// Which columns are the customer, the time, the event and the rest, and how to read them.
///
/// ```
/// use desireline_io::{Columns, TimeUnit};
/// let columns = Columns::new("user_id", "timestamp", "event")
///     .channel("acquisition_channel")
///     .journey("session_id")
///     .value("amount", "EUR")
///     .attributes(["platform"])
///     .time_unit(TimeUnit::Millis);
/// ```
#[derive(Clone)]
pub struct Columns {
    pub(crate) customer: String,
    pub(crate) time: String,
    pub(crate) event: String,
    pub(crate) every_event: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) journey: Option<String>,
    pub(crate) value: Option<(String, String)>,
    pub(crate) tie: Option<String>,
    pub(crate) attributes: Vec<AttributeColumnSpec>,
    pub(crate) all_attributes: bool,
    pub(crate) if_there: Vec<String>,
    pub(crate) zone: Option<String>,
    pub(crate) time_unit: Option<TimeUnit>,
    pub(crate) delimiter: Option<Delimiter>,
    pub(crate) header: bool,
    pub(crate) format: Option<Format>,
    pub(crate) observed_until: Option<i64>,
    /// Added to every time, in microseconds.
    pub(crate) shift: i64,
    pub(crate) ids: Option<IdSpace>,
    /// What columns are called in the log.
    pub(crate) called: Vec<(String, String)>,
    pub(crate) dedupe: bool,
    pub(crate) max_quarantine_share: Option<f64>,
    pub(crate) limits: Limits,
    pub(crate) progress: Option<ProgressHook>,
    pub(crate) cancel: Option<Arc<AtomicBool>>,
}

impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Columns")
            .field("customer", &self.customer)
            .field("time", &self.time)
            .field("event", &self.event)
            .field("channel", &self.channel)
            .field("journey", &self.journey)
            .field("value", &self.value)
            .field("attributes", &self.attributes)
            .field("all_attributes", &self.all_attributes)
            .finish_non_exhaustive()
    }
}

impl Columns {
    /// The three columns that every log has.
    pub fn new(
        customer: impl Into<String>,
        time: impl Into<String>,
        event: impl Into<String>,
    ) -> Columns {
        Columns {
            customer: customer.into(),
            time: time.into(),
            event: event.into(),
            every_event: None,
            channel: None,
            journey: None,
            value: None,
            tie: None,
            attributes: Vec::new(),
            all_attributes: false,
            if_there: Vec::new(),
            zone: None,
            time_unit: None,
            delimiter: None,
            header: true,
            format: None,
            observed_until: None,
            shift: 0,
            ids: None,
            called: Vec::new(),
            dedupe: false,
            max_quarantine_share: None,
            limits: Limits::default(),
            progress: None,
            cancel: None,
        }
    }

    /// For tables of one kind of event, such as orders: there is no event column, every row is this event.
    ///
    /// ```
    /// use desireline_io::Columns;
    /// let orders = Columns::every_row("customer_id", "date", "purchase").value("dollar_value", "USD");
    /// ```
    pub fn every_row(
        customer: impl Into<String>,
        time: impl Into<String>,
        event: impl Into<String>,
    ) -> Columns {
        Columns {
            every_event: Some(event.into()),
            ..Columns::new(customer, time, "")
        }
    }

    /// Whether a column is one of those that are no attributes.
    pub(crate) fn has_role(&self, name: &str) -> bool {
        name == self.customer
            || name == self.time
            || (name == self.event && self.every_event.is_none())
            || self.value.as_ref().is_some_and(|(v, _)| v == name)
            || self.tie.as_ref().is_some_and(|t| t == name)
    }

    /// The column that names the channel; kept as a text attribute.
    #[must_use]
    pub fn channel(mut self, column: impl Into<String>) -> Columns {
        self.channel = Some(column.into());
        self
    }

    /// The column that names the journey or session; kept as a text attribute.
    #[must_use]
    pub fn journey(mut self, column: impl Into<String>) -> Columns {
        self.journey = Some(column.into());
        self
    }

    /// The column of amounts of money, and their ISO 4217 currency.
    ///
    /// Text and decimals are read exactly into minor units; an amount finer than the minor unit is quarantined. Floating-point
    /// columns are rounded to the nearest minor unit.
    #[must_use]
    pub fn value(mut self, column: impl Into<String>, currency: impl Into<String>) -> Columns {
        self.value = Some((column.into(), currency.into()));
        self
    }

    /// The integer column that orders events of one customer at one time.
    #[must_use]
    pub fn tie(mut self, column: impl Into<String>) -> Columns {
        self.tie = Some(column.into());
        self
    }

    /// A further column to keep where an input has it; where none has, nothing is missed.
    #[must_use]
    pub fn attribute_if_there(mut self, name: impl Into<String>) -> Columns {
        self.if_there.push(name.into());
        self
    }

    /// More columns to keep, by name; their kinds are found out from the data.
    #[must_use]
    pub fn attributes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Columns {
        self.attributes.extend(
            names
                .into_iter()
                .map(|n| AttributeColumnSpec::from(n.into())),
        );
        self
    }

    /// One more column to keep, with its kind or level declared.
    #[must_use]
    pub fn attribute(mut self, spec: impl Into<AttributeColumnSpec>) -> Columns {
        self.attributes.push(spec.into());
        self
    }

    /// Keep every column that has no other role.
    #[must_use]
    pub fn all_attributes(mut self) -> Columns {
        self.all_attributes = true;
        self
    }

    /// The IANA zone of times that are written without one. A local time that the zone skips or repeats is quarantined.
    /// Without a zone such times are taken as UTC, and the log says so.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> Columns {
        self.zone = Some(zone.into());
        self
    }

    /// For a clock that is wrong: so many microseconds are added to every time. A till that is two minutes fast has −120,000,000.
    /// Times that leave the calendar are quarantined.
    #[must_use]
    pub fn shift(mut self, micros: i64) -> Columns {
        self.shift = micros;
        self
    }

    /// Whose ids these are, and whom they stand for.
    #[must_use]
    pub fn ids(mut self, ids: IdSpace) -> Columns {
        self.ids = Some(ids);
        self
    }

    /// What a column of attributes is called in the log, where [`read_sources`](crate::read_sources) makes one of several inputs whose
    /// columns have different names.
    #[must_use]
    pub fn call(mut self, column: impl Into<String>, name: impl Into<String>) -> Columns {
        self.called.push((column.into(), name.into()));
        self
    }

    /// The unit of times written as numbers.
    #[must_use]
    pub fn time_unit(mut self, unit: TimeUnit) -> Columns {
        self.time_unit = Some(unit);
        self
    }

    /// What stands between fields. Without it: a tab in `.tsv` files; else whichever of `,` `;` tab `|` makes the header
    /// hold the wanted columns, or occurs most often in it.
    #[must_use]
    pub fn delimiter(mut self, delimiter: impl Into<Delimiter>) -> Columns {
        self.delimiter = Some(delimiter.into());
        self
    }

    /// The text file has no header: its columns are called `column_1`, `column_2`, …
    #[must_use]
    pub fn no_header(mut self) -> Columns {
        self.header = false;
        self
    }

    /// The format, whatever the file is called. Compression is then told from the first bytes.
    #[must_use]
    pub fn format(mut self, format: Format) -> Columns {
        self.format = Some(format);
        self
    }

    /// Until when customers were observed, in microseconds since 1970 UTC; the last event when not set.
    #[must_use]
    pub fn observed_until(mut self, micros: i64) -> Columns {
        self.observed_until = Some(micros);
        self
    }

    /// Drop rows that repeat another in every column kept.
    #[must_use]
    pub fn dedupe(mut self, dedupe: bool) -> Columns {
        self.dedupe = dedupe;
        self
    }

    /// The largest share of rows that may be quarantined (0 to 1); more is an error.
    #[must_use]
    pub fn max_quarantine_share(mut self, share: f64) -> Columns {
        self.max_quarantine_share = Some(share);
        self
    }

    /// Bounds on what the input may demand.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Columns {
        self.limits = limits;
        self
    }

    /// Called from the reading thread about every 16,000 rows of text or 65,000 of columns, and after each input.
    #[must_use]
    pub fn on_progress(mut self, hook: Arc<dyn Fn(Progress) + Send + Sync>) -> Columns {
        self.progress = Some(hook);
        self
    }

    /// Reading stops with [`IoError::Cancelled`](crate::IoError::Cancelled) soon after this becomes true.
    #[must_use]
    pub fn cancel(mut self, token: Arc<AtomicBool>) -> Columns {
        self.cancel = Some(token);
        self
    }
}
