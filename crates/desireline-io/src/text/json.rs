//! JSON Lines: one object a line. Keys of objects inside are joined by dots: `{"device":{"os":"ios"}}` has `device.os`.

use desireline_core::log::{AttributeType, Reason};
use indexmap::IndexSet;

use super::json_kinds::kinds;
use super::json_row::{Fault, JsonRow, deeper_than};
use super::lines::{Line, Lines};
use super::rows::{Cell, Rows};
use crate::format::Packing;
use crate::plan::Survey;
use crate::sink::Sink;
use crate::source::Input;
use crate::stream::Stream;
use crate::{Columns, IoError};

pub(crate) fn open(input: &Input, packing: Packing, columns: &Columns) -> Result<Lines, IoError> {
    let stream = Stream::open(input, packing, &columns.limits, columns.cancel.as_ref())?;
    Ok(Lines::new(stream, columns.limits.line_bytes))
}

/// One line, judged.
pub(crate) enum Judged<'a> {
    Object(&'a str),
    Bad(Reason),
    Blank,
}

pub(crate) fn judge<'a>(
    line: Line<'a>,
    row: u64,
    input: &Input,
    columns: &Columns,
) -> Result<Judged<'a>, IoError> {
    let Line::Bytes(bytes) = line else {
        return Ok(Judged::Bad(Reason::FieldTooLong));
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(Judged::Bad(Reason::InvalidUtf8));
    };
    let text = text.trim_matches([' ', '\t', '\r']);
    if text.is_empty() {
        return Ok(Judged::Blank);
    }
    let limit = columns.limits.json_depth;
    if deeper_than(text, limit) {
        return Ok(Judged::Bad(Reason::TooDeep));
    }
    if row == 1 && (text.starts_with('[') || text == "{") {
        return Err(IoError::NotJsonLines {
            source_name: input.name.clone(),
        });
    }
    Ok(if text.starts_with('{') {
        Judged::Object(text)
    } else {
        Judged::Bad(Reason::InvalidJson)
    })
}

/// Finds out names and kinds, reading as many lines as that takes: all of them where every column is wanted.
///
/// Lines need not hold all keys, so a wanted column is missed only when no line looked at has it.
pub(crate) fn survey(
    input: &Input,
    packing: Packing,
    survey: &mut Survey<'_>,
) -> Result<(), IoError> {
    let columns = survey.columns;
    let mut lines = open(input, packing, columns)?;
    let mut names: IndexSet<String> = IndexSet::new();
    let wanted: Vec<String> = survey
        .slots()
        .into_iter()
        .filter(|s| s.required)
        .map(|s| s.name)
        .collect();
    let undecided: Vec<String> = survey
        .undecided(&wanted)
        .into_iter()
        .map(|(i, _)| wanted[i].clone())
        .collect();
    let mut text = hashbrown::HashSet::new();
    let mut any = false;
    loop {
        let row = lines.row() + 1;
        let Some(line) = lines.next()? else {
            break;
        };
        let Judged::Object(line) = judge(line, row, input, columns)? else {
            continue;
        };
        let Some(found) = kinds(line) else {
            continue;
        };
        any = true;
        for (name, kind) in found {
            if !names.contains(&name) {
                if names.len() >= columns.limits.columns {
                    return Err(IoError::Limit {
                        source_name: input.name.clone(),
                        what: "more columns",
                        limit: columns.limits.columns as u64,
                        setting: "columns",
                        row: Some(row),
                    });
                }
                if columns.all_attributes {
                    survey.offer_json(&name);
                }
                names.insert(name.clone());
            }
            if let Some(kind) = kind {
                survey.seen_json(&name, kind);
                if kind == AttributeType::Text {
                    text.insert(name);
                }
            }
        }
        let enough =
            wanted.iter().all(|w| names.contains(w)) && undecided.iter().all(|u| text.contains(u));
        if enough && !columns.all_attributes {
            break;
        }
    }
    // A file without a single object is judged by its rows.
    if any {
        let names: Vec<String> = names.into_iter().collect();
        survey.offer(&input.name, &names)?;
    }
    Ok(())
}

/// Reads all rows.
pub(crate) fn read(input: &Input, packing: Packing, sink: &mut Sink<'_>) -> Result<(), IoError> {
    let columns = sink.columns;
    let source = input.name.as_str();
    let mut lines = open(input, packing, columns)?;
    let mut rows = Rows::new(&sink.plan, columns);
    let names: Vec<String> = sink.plan.slots.iter().map(|s| s.name.clone()).collect();
    let mut row = JsonRow::new(names.iter().map(String::as_str), columns.limits.field_bytes);
    let mut since_tick = 0_u32;
    loop {
        since_tick += 1;
        if since_tick == 16_384 {
            since_tick = 0;
            sink.tick(source, lines.stored_bytes())?;
        }
        let number = lines.row() + 1;
        let Some(line) = lines.next()? else {
            break;
        };
        let line = match judge(line, number, input, columns)? {
            Judged::Object(line) => line,
            Judged::Blank => continue,
            Judged::Bad(reason) => {
                sink.put(source, number, None, reason);
                continue;
            }
        };
        let bad = match (row.read(line), row.fault) {
            (Err(_), _) | (Ok(()), Some(Fault::Twice)) => Some(Reason::InvalidJson),
            (Ok(()), Some(Fault::TooLong)) => Some(Reason::FieldTooLong),
            (Ok(()), None) => None,
        };
        if let Some(reason) = bad {
            sink.put(source, number, None, reason);
            continue;
        }
        rows.push(sink, source, number, |slot| -> Cell<'_> { row.cell(slot) })?;
    }
    rows.flush(sink, source)
}
