//! Survey files of text: delimited, and JSON Lines.

use desireline_core::log::Reason;

use super::rows::{Field, Taker};
use crate::format::Packing;
use crate::source::Input;
use crate::stream::Stream;
use crate::text::delimited::{field, header, sniff};
use crate::text::json::{Judged, judge, open};
use crate::text::{Cell, Fault, JsonRow, Record, Records};
use crate::{Delimiter, Format, IoError};

pub(super) fn delimited(
    input: &Input,
    format: Format,
    packing: Packing,
    taker: &mut Taker<'_>,
) -> Result<(), IoError> {
    let reading = taker.reading.clone();
    let open = || Stream::open(input, packing, &reading.limits, reading.cancel.as_ref());
    let mut stream = open()?;
    let delimiter = match (reading.delimiter, format) {
        (Some(delimiter), _) => delimiter,
        (None, Format::Tsv) => Delimiter::Byte(b'\t'),
        (None, _) => sniff(stream.peek_line()?, &reading),
    };
    let mut records = Records::new(stream, delimiter, &reading.limits);
    let names = header(&mut records, input, &reading)?;
    // Without a header the first record holds values.
    if !reading.header {
        records = Records::new(open()?, delimiter, &reading.limits);
    }
    let places = taker.places(&input.name, &names)?;
    loop {
        let number = records.row() + 1;
        if number.is_multiple_of(16_384) {
            taker.check_cancel()?;
        }
        let Some(record) = records.next()? else {
            return Ok(());
        };
        let (bytes, ends) = match record {
            Record::Fields { bytes, ends } => (bytes, ends),
            Record::TooLong => {
                taker.bad(&input.name, number, Reason::FieldTooLong);
                continue;
            }
            Record::TooManyFields => {
                taker.bad(&input.name, number, Reason::WrongFieldCount);
                continue;
            }
        };
        if ends.len() != names.len() {
            taker.bad(&input.name, number, Reason::WrongFieldCount);
            continue;
        }
        let whole = std::str::from_utf8(bytes)
            .ok()
            .filter(|t| ends.iter().all(|&e| t.is_char_boundary(e)));
        let Some(text) = whole else {
            taker.bad(&input.name, number, Reason::InvalidUtf8);
            continue;
        };
        taker.row(&input.name, number, |slot| {
            let place = places.get(slot).copied().flatten();
            match place.and_then(|p| field(text, ends, p)) {
                None | Some("") => Field::Missing,
                Some(field) => Field::Text(field),
            }
        })?;
    }
}

/// Lines need not hold all keys: a wanted one is missed where no line has it, which is said once all are read.
pub(super) fn json(input: &Input, packing: Packing, taker: &mut Taker<'_>) -> Result<(), IoError> {
    let reading = taker.reading.clone();
    let mut lines = open(input, packing, &reading)?;
    let names: Vec<String> = taker.slots.iter().map(|s| s.column.clone()).collect();
    let mut seen = vec![false; names.len()];
    let limit = reading.limits.field_bytes;
    let mut row = JsonRow::new(names.iter().map(String::as_str), limit);
    let mut any = false;
    loop {
        let number = lines.row() + 1;
        if number.is_multiple_of(16_384) {
            taker.check_cancel()?;
        }
        let Some(line) = lines.next()? else { break };
        let line = match judge(line, number, input, &reading)? {
            Judged::Object(line) => line,
            Judged::Blank => continue,
            Judged::Bad(reason) => {
                taker.bad(&input.name, number, reason);
                continue;
            }
        };
        let bad = match (row.read(line), row.fault) {
            (Err(_), _) | (Ok(()), Some(Fault::Twice)) => Some(Reason::InvalidJson),
            (Ok(()), Some(Fault::TooLong)) => Some(Reason::FieldTooLong),
            (Ok(()), None) => None,
        };
        if let Some(reason) = bad {
            taker.bad(&input.name, number, reason);
            continue;
        }
        any = true;
        for (slot, seen) in seen.iter_mut().enumerate() {
            *seen |= row.cell(slot) != Cell::Missing;
        }
        taker.row(&input.name, number, |slot| match row.cell(slot) {
            Cell::Missing => Field::Missing,
            Cell::Text(text) => Field::Text(text),
            Cell::Integer(n) => Field::Integer(n),
            Cell::Large(n) => Field::Float(n as f64),
            Cell::Float(x) => Field::Float(x),
            Cell::Boolean(b) => Field::Boolean(b),
            Cell::Object => Field::Other,
        })?;
    }
    if any {
        let had = names.into_iter().zip(seen);
        let there: Vec<String> = had
            .filter_map(|(name, seen)| seen.then_some(name))
            .collect();
        taker.places(&input.name, &there)?;
    }
    Ok(())
}
