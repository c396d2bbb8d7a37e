//! How to read an input, as the Python side says it.

use desireline_core::log::{AttributeType, Level};
use desireline_core::time::parse_instant;
use desireline_io::{
    AttributeColumnSpec, Columns, Delimiter, Format, IdSpace, IdTable, IoError, Limits, TimeUnit,
    clock_shift,
};
use serde::Deserialize;

use crate::error::Failure;
use crate::exec::Watch;

/// The keyword arguments of `desireline.read`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    customer: String,
    time: String,
    /// The event's column, or nothing where every row is one kind of event.
    event: Option<String>,
    every_row: Option<String>,
    channel: Option<String>,
    session: Option<String>,
    value: Option<String>,
    currency: Option<String>,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    all_attributes: bool,
    tie: Option<String>,
    zone: Option<String>,
    shift: Option<String>,
    ids: Option<Ids>,
    id_prefix: Option<String>,
    #[serde(default)]
    call: Vec<(String, String)>,
    time_unit: Option<String>,
    observed_until: Option<String>,
    #[serde(default)]
    dedupe: bool,
    max_quarantine_share: Option<f64>,
    format: Option<String>,
    delimiter: Option<String>,
    header: Option<bool>,
    #[serde(default)]
    limits: Bounds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    name: String,
    kind: Option<AttributeType>,
    level: Option<Level>,
}

/// A table of ids: a CSV file, or pairs of id and customer.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ids {
    Path(String),
    Pairs(Vec<(String, String)>),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    field_bytes: Option<usize>,
    line_bytes: Option<usize>,
    block_bytes: Option<usize>,
    columns: Option<usize>,
    decompressed_bytes: Option<u64>,
    decompressed_ratio: Option<u64>,
    names: Option<usize>,
    json_depth: Option<usize>,
}

impl Reading {
    /// The engine's own form, tied to the caller's watch.
    pub(crate) fn columns(self, watch: &Watch) -> Result<Columns, Failure> {
        let mut columns = match (self.event, self.every_row) {
            (Some(column), None) => Columns::new(self.customer, self.time, column),
            (None, Some(name)) => Columns::every_row(self.customer, self.time, name),
            _ => {
                return Err(setting(
                    "event",
                    "give either `event`, a column, or `every_row`, the name of every row's event",
                ));
            }
        };
        if let Some(name) = self.channel {
            columns = columns.channel(name);
        }
        if let Some(name) = self.session {
            columns = columns.journey(name);
        }
        columns = match (self.value, self.currency) {
            (Some(name), Some(currency)) => columns.value(name, currency),
            (None, None) => columns,
            (Some(_), None) => {
                return Err(setting(
                    "currency",
                    "amounts need their currency, an ISO 4217 code such as `EUR`",
                ));
            }
            (None, Some(_)) => {
                return Err(setting(
                    "value",
                    "a currency was given but no column of amounts",
                ));
            }
        };
        for Attribute { name, kind, level } in self.attributes {
            columns = columns.attribute(AttributeColumnSpec { name, kind, level });
        }
        if self.all_attributes {
            columns = columns.all_attributes();
        }
        if let Some(name) = self.tie {
            columns = columns.tie(name);
        }
        if let Some(zone) = self.zone {
            columns = columns.zone(zone);
        }
        if let Some(shift) = self.shift {
            columns = columns.shift(clock_shift(&shift)?);
        }
        if self.ids.is_some() || self.id_prefix.is_some() {
            let ids = match self.ids {
                Some(Ids::Path(path)) => IdSpace::mapped(IdTable::read_csv(path)?),
                Some(Ids::Pairs(pairs)) => IdSpace::mapped(IdTable::new(pairs)?),
                None => IdSpace::default(),
            };
            columns = columns.ids(ids.prefix(self.id_prefix.unwrap_or_default()));
        }
        for (column, name) in self.call {
            columns = columns.call(column, name);
        }
        if let Some(unit) = self.time_unit {
            columns = columns.time_unit(time_unit(&unit)?);
        }
        if let Some(text) = self.observed_until {
            let instant = parse_instant(&text).ok_or_else(|| {
                setting(
                    "observed_until",
                    format!("`{text}` is no time such as 2025-06-30T23:59:59Z"),
                )
            })?;
            columns = columns.observed_until(instant);
        }
        if let Some(share) = self.max_quarantine_share {
            columns = columns.max_quarantine_share(share);
        }
        if let Some(format) = self.format {
            columns = columns.format(self::format(&format)?);
        }
        if let Some(text) = self.delimiter {
            columns = columns.delimiter(delimiter(&text)?);
        }
        if self.header == Some(false) {
            columns = columns.no_header();
        }
        let told = watch.clone();
        Ok(columns
            .dedupe(self.dedupe)
            .limits(self.limits.limits())
            .cancel(watch.flag())
            .on_progress(std::sync::Arc::new(move |p| {
                // Streams do not know their length: then rows are counted, of none.
                if p.bytes_total > 0 {
                    told.note(p.bytes_done, p.bytes_total)
                } else {
                    told.note(p.rows, 0)
                }
            })))
    }
}

impl Bounds {
    fn limits(self) -> Limits {
        let all = Limits::default();
        Limits {
            field_bytes: self.field_bytes.unwrap_or(all.field_bytes),
            line_bytes: self.line_bytes.unwrap_or(all.line_bytes),
            block_bytes: self.block_bytes.unwrap_or(all.block_bytes),
            columns: self.columns.unwrap_or(all.columns),
            decompressed_bytes: self.decompressed_bytes.unwrap_or(all.decompressed_bytes),
            decompressed_ratio: self.decompressed_ratio.unwrap_or(all.decompressed_ratio),
            names: self.names.unwrap_or(all.names),
            json_depth: self.json_depth.unwrap_or(all.json_depth),
        }
    }
}

pub(crate) fn time_unit(word: &str) -> Result<TimeUnit, Failure> {
    match word {
        "s" => Ok(TimeUnit::Seconds),
        "ms" => Ok(TimeUnit::Millis),
        "us" => Ok(TimeUnit::Micros),
        "ns" => Ok(TimeUnit::Nanos),
        other => Err(setting(
            "time_unit",
            format!("`{other}` is no unit; use s, ms, us or ns"),
        )),
    }
}

pub(crate) fn format(word: &str) -> Result<Format, Failure> {
    match word {
        "csv" => Ok(Format::Csv),
        "tsv" => Ok(Format::Tsv),
        "jsonl" => Ok(Format::JsonLines),
        "parquet" => Ok(Format::Parquet),
        "arrow" => Ok(Format::ArrowIpc),
        other => Err(setting(
            "format",
            format!("`{other}` is no format; use csv, tsv, jsonl, parquet or arrow"),
        )),
    }
}

pub(crate) fn delimiter(text: &str) -> Result<Delimiter, Failure> {
    match text.as_bytes() {
        [byte] => Ok(Delimiter::Byte(*byte)),
        _ if text == "whitespace" => Ok(Delimiter::Whitespace),
        _ => Err(setting(
            "delimiter",
            "give one character, or `whitespace` for runs of blanks",
        )),
    }
}

fn setting(setting: &'static str, problem: impl Into<String>) -> Failure {
    IoError::Setting {
        setting,
        problem: problem.into(),
    }
    .into()
}
