//! Which columns a snapshot has: decided once from the log, and again, alike, from the file's own description.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit as ArrowUnit};
use desireline_core::log::{
    AttributeType, Codes, ColumnData, CustomerIds, Grain, Level, Log, LogMeta, TimeScale,
};
use serde::{Deserialize, Serialize};

use super::{MARK, VERSION};

/// What the file says of itself, under `desireline.log`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) log: LogMeta,
    pub(super) shape: Shape,
}

/// What of the columns' types the log's description leaves open.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) time: TimeScale,
    /// Whether each block's ids are integers. The column holds texts unless all are.
    pub(super) integer_ids: Vec<bool>,
    /// Bytes of an event's code.
    pub(super) event_width: u8,
    /// Bytes of each attribute's codes; 0 for those without a dictionary.
    pub(super) attribute_widths: Vec<u8>,
    /// Whether there is money.
    pub(super) value: bool,
}

/// A place in a record batch, in the order of Arrow's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Customer,
    CustomerAttribute(usize),
    Events,
    Event,
    /// The times' ticks.
    Tick,
    /// What the ticks leave.
    Rest,
    EventAttribute(usize),
    Value,
}

/// What a column is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Dictionary codes of so many bytes.
    Codes(u8),
    Text,
    Int64,
    Float64,
    Time,
    UInt32,
    UInt16,
    /// So many bits.
    Bits(u8),
    /// The list of events and the struct in it.
    List,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) slot: Slot,
    pub(super) kind: Kind,
    pub(super) name: String,
}

/// The columns in the order of the file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
}

/// Whose names a dictionary holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dictionary {
    Events,
    /// Place 0 is null: it stands for missing.
    Attribute(usize),
}

impl Header {
    pub(super) fn of(log: &Log) -> Header {
        let blocks = log.blocks();
        let width = |codes: &Codes| match codes {
            Codes::U8(_) => 1,
            Codes::U16(_) => 2,
            Codes::U32(_) => 4,
        };
        let widest = |a: usize| {
            let of_block = |b: &Arc<desireline_core::log::Block>| match &b.attributes.get(a)?.data {
                ColumnData::Coded(codes) => Some(width(codes)),
                _ => None,
            };
            blocks.iter().filter_map(of_block).max().unwrap_or(0)
        };
        Header {
            log: log.meta(),
            shape: Shape {
                time: scale_of(log),
                integer_ids: blocks
                    .iter()
                    .map(|b| matches!(b.customers, CustomerIds::Integers(_)))
                    .collect(),
                event_width: blocks.iter().map(|b| width(&b.codes)).max().unwrap_or(1),
                attribute_widths: (0..log.catalog().attributes.len()).map(widest).collect(),
                value: blocks.iter().any(|b| b.value.is_some()),
            },
        }
    }
}

/// The scale that every block can be told in without a loss; that of the blocks where they agree.
fn scale_of(log: &Log) -> TimeScale {
    let mut scales = log.blocks().iter().map(|b| b.times.scale());
    let Some(first) = scales.next() else {
        return TimeScale::default();
    };
    if scales.all(|s| s == first) {
        return first;
    }
    let blocks = log.blocks().iter();
    let finest = blocks.map(|b| b.times.scale().grain).max();
    let catalog = log.catalog();
    TimeScale::over(
        finest.unwrap_or(first.grain),
        catalog.first_time,
        catalog.last_time,
    )
}

impl Layout {
    /// The columns of a log so described; `None` where the description belies itself.
    pub(super) fn of(header: &Header) -> Option<Layout> {
        let (log, shape) = (&header.log, &header.shape);
        let attributes = &log.options.attributes;
        if attributes.len() != log.levels.len() || attributes.len() != shape.attribute_widths.len()
        {
            return None;
        }
        let mut columns = Vec::new();
        let mut add = |slot, kind, name: String| columns.push(Column { slot, kind, name });
        let integers = shape.integer_ids.iter().all(|i| *i);
        add(
            Slot::Customer,
            if integers { Kind::Int64 } else { Kind::Text },
            "customer".to_owned(),
        );
        let kind = |a: usize| match (attributes[a].kind, shape.attribute_widths[a]) {
            (AttributeType::Text | AttributeType::Boolean, w @ (1 | 2 | 4)) => Some(Kind::Codes(w)),
            (AttributeType::Integer, 0) => Some(Kind::Int64),
            (AttributeType::Time, 0) => Some(Kind::Time),
            (AttributeType::Decimal, 0) => Some(Kind::Float64),
            _ => None,
        };
        let mut taken: Vec<String> = ["customer", "events"].map(str::to_owned).to_vec();
        for a in (0..attributes.len()).filter(|a| log.levels[*a] == Level::Customer) {
            let name = free(&attributes[a].name, &mut taken);
            add(Slot::CustomerAttribute(a), kind(a)?, name);
        }
        add(Slot::Events, Kind::List, "events".to_owned());
        let width @ (1 | 2 | 4) = shape.event_width else {
            return None;
        };
        add(Slot::Event, Kind::Codes(width), "event".to_owned());
        // Ticks that count seconds since 1970 or the base say so by their name.
        let (tick, rest) = match (shape.time.shift, shape.time.grain) {
            (0, Grain::Seconds) => ("time_s", None),
            (0, Grain::Millis) => ("time_ms", None),
            (0, Grain::Micros) => ("time_us", None),
            (bits @ 1..=8, _) => ("time_tick", Some(Kind::Bits(bits.next_power_of_two()))),
            (9..=16, _) => ("time_tick", Some(Kind::UInt16)),
            (17..=32, _) => ("time_tick", Some(Kind::UInt32)),
            _ => return None,
        };
        add(Slot::Tick, Kind::UInt32, tick.to_owned());
        if let Some(kind) = rest {
            add(Slot::Rest, kind, "time_rest".to_owned());
        }
        let reserved = [
            "event",
            "time",
            "time_s",
            "time_ms",
            "time_us",
            "time_tick",
            "time_rest",
            "value_minor",
        ];
        let mut taken: Vec<String> = reserved.map(str::to_owned).to_vec();
        for a in (0..attributes.len()).filter(|a| log.levels[*a] == Level::Event) {
            let name = free(&attributes[a].name, &mut taken);
            add(Slot::EventAttribute(a), kind(a)?, name);
        }
        if shape.value {
            add(Slot::Value, Kind::Int64, "value_minor".to_owned());
        }
        Some(Layout { columns })
    }

    /// The dictionaries in the order of their columns.
    pub(super) fn dictionaries(&self) -> impl Iterator<Item = Dictionary> + '_ {
        self.columns.iter().filter_map(|c| match (c.kind, c.slot) {
            (Kind::Codes(_), Slot::CustomerAttribute(a) | Slot::EventAttribute(a)) => {
                Some(Dictionary::Attribute(a))
            }
            (Kind::Codes(_), _) => Some(Dictionary::Events),
            _ => None,
        })
    }

    /// The Arrow fields.
    pub(super) fn fields(&self) -> Fields {
        let inside = |c: &&Column| !matches!(c.slot, Slot::Customer | Slot::CustomerAttribute(_));
        let field = |c: &Column| {
            let nullable = matches!(
                c.slot,
                Slot::CustomerAttribute(_) | Slot::EventAttribute(_) | Slot::Value
            );
            Field::new(&c.name, data_type(c.kind), nullable)
        };
        let mut fields: Vec<Field> = self
            .columns
            .iter()
            .filter(|c| !inside(c))
            .map(field)
            .collect();
        let of_events: Fields = self
            .columns
            .iter()
            .filter(|c| inside(c) && c.slot != Slot::Events)
            .map(field)
            .collect();
        let item = Field::new("item", DataType::Struct(of_events), false);
        fields.push(Field::new("events", DataType::List(Arc::new(item)), false));
        fields.into()
    }

    /// The whole schema with what it says to people and to [`open`](super::open).
    pub(super) fn schema(&self, header: &Header, json: String) -> Schema {
        let time = header.shape.time;
        let times = match time.shift {
            0 => "events.time_s, time_ms or time_us: seconds, milliseconds or microseconds since the base".to_owned(),
            shift => format!(
                "base + (events.time_tick * 2^{shift} + events.time_rest) * unit; where the rest is a list, it is of bits, \
                 the lowest first"
            ),
        };
        let mut metadata: HashMap<String, String> = [
            (MARK, VERSION.to_string()),
            (
                "desireline.engine",
                env!("CARGO_PKG_VERSION").to_owned(),
            ),
            (
                "desireline.sort_order",
                "customer ascending within a batch; events by time, then tie key, then order of input".to_owned(),
            ),
            (
                "desireline.tie_rule",
                "events of one customer and time are in the order of their rows".to_owned(),
            ),
            ("desireline.time", times),
            ("desireline.time_base_us", time.base.to_string()),
            ("desireline.time_unit_us", time.grain.micros().to_string()),
            ("desireline.time_shift", time.shift.to_string()),
            (
                "desireline.fingerprint",
                format!("{:032x}", header.log.fingerprint),
            ),
            ("desireline.columns", self.meanings(header)),
            ("desireline.log", json),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect();
        if let Some((code, places)) = &header.log.options.currency {
            metadata.insert("desireline.currency".to_owned(), code.clone());
            metadata.insert(
                "desireline.currency_exponent".to_owned(),
                places.to_string(),
            );
        }
        Schema::new_with_metadata(self.fields(), metadata)
    }

    /// What each column means, as a JSON object from path to words.
    fn meanings(&self, header: &Header) -> String {
        let options = &header.log.options;
        let mut meanings = serde_json::Map::new();
        for column in &self.columns {
            let attribute = |a: usize, of: &str| {
                let name = &options.attributes[a].name;
                let role = |role: &Option<String>| role.as_ref() == Some(name);
                let as_what = match (role(&options.channel), role(&options.journey)) {
                    (true, _) => ", which names the channel",
                    (_, true) => ", which names the journey",
                    _ => "",
                };
                format!("attribute `{name}` of the {of}{as_what}")
            };
            let meaning = match column.slot {
                Slot::Customer => "the customer's id, as it was written".to_owned(),
                Slot::CustomerAttribute(a) => attribute(a, "customer"),
                Slot::Events => "the customer's events in order".to_owned(),
                Slot::Event => "the event's name".to_owned(),
                Slot::Tick if header.shape.time.shift == 0 => "when, since the base".to_owned(),
                Slot::Tick => "when: the upper 32 bits of the units since the base".to_owned(),
                Slot::Rest => "when: the bits below those of the tick".to_owned(),
                Slot::EventAttribute(a) => attribute(a, "event"),
                Slot::Value => "money in minor units of the currency".to_owned(),
            };
            meanings.insert(column.path(), meaning.into());
        }
        serde_json::Value::Object(meanings).to_string()
    }
}

impl Column {
    /// The name as people write it, for messages.
    pub(super) fn path(&self) -> String {
        match self.slot {
            Slot::Customer | Slot::CustomerAttribute(_) | Slot::Events => self.name.clone(),
            _ => format!("events.{}", self.name),
        }
    }
}

/// The name, or the first of `name_2`, `name_3`, … that is not taken.
fn free(name: &str, taken: &mut Vec<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2;
    while taken.contains(&candidate) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    taken.push(candidate.clone());
    candidate
}

fn data_type(kind: Kind) -> DataType {
    let codes = |key| DataType::Dictionary(Box::new(key), Box::new(DataType::LargeUtf8));
    match kind {
        Kind::Codes(1) => codes(DataType::UInt8),
        Kind::Codes(2) => codes(DataType::UInt16),
        Kind::Codes(_) => codes(DataType::UInt32),
        Kind::Text => DataType::LargeUtf8,
        Kind::Int64 => DataType::Int64,
        Kind::Float64 => DataType::Float64,
        Kind::Time => DataType::Timestamp(ArrowUnit::Microsecond, Some("UTC".into())),
        Kind::UInt32 => DataType::UInt32,
        Kind::UInt16 => DataType::UInt16,
        Kind::Bits(width) => {
            let bit = Field::new("item", DataType::Boolean, false);
            DataType::FixedSizeList(Arc::new(bit), width.into())
        }
        // The caller puts the list together.
        Kind::List => DataType::Null,
    }
}
