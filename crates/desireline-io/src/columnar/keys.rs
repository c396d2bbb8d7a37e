//! Columns of ids and names.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowNativeType, DataType, Decimal128Type, Int32Type, Int64Type, UInt32Type, UInt64Type,
};
use desireline_core::log::{Column, KeyColumn, Reason};

use super::convert::{Bad, Wrong};

/// A column of ids or names in the shape that costs least.
pub(crate) enum Keys<'a> {
    Texts(Vec<Option<&'a str>>),
    Owned(Vec<Option<String>>),
    Integers(Cells<'a, i64>),
    Dictionary {
        codes: Cells<'a, u32>,
        values: Vec<Option<&'a str>>,
    },
}

/// A column of numbers in the shape that costs least.
pub(crate) enum Cells<'a, T> {
    /// As the array holds it, without gaps.
    Borrowed(&'a [T]),
    Full(Vec<T>),
    Gaps(Vec<Option<T>>),
}

impl<'a, T: ArrowNativeType> Cells<'a, T> {
    /// The values of an array; borrowed when none is missing.
    pub(crate) fn of<P: ArrowPrimitiveType<Native = T>>(
        array: &'a PrimitiveArray<P>,
    ) -> Cells<'a, T> {
        if array.null_count() == 0 {
            Cells::Borrowed(array.values())
        } else {
            Cells::Gaps(array.iter().collect())
        }
    }
}

impl<T: Copy> Cells<'_, T> {
    /// The column for the builder.
    pub(crate) fn column(&self) -> Column<'_, T> {
        match self {
            Cells::Borrowed(rows) => Column::Full(rows),
            Cells::Full(rows) => Column::Full(rows),
            Cells::Gaps(rows) => Column::Gaps(rows),
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<T> {
        self.column().get(row)
    }

    /// Whether none is missing.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Cells::Borrowed(_) | Cells::Full(_) => true,
            Cells::Gaps(rows) => rows.iter().all(Option::is_some),
        }
    }

    /// Keeps the places that are marked.
    pub(crate) fn keep(&mut self, keep: &[bool]) {
        match self {
            Cells::Borrowed(rows) => {
                let kept = rows.iter().zip(keep).filter(|(_, keep)| **keep);
                *self = Cells::Full(kept.map(|(row, _)| *row).collect());
            }
            Cells::Full(rows) => retain(rows, keep),
            Cells::Gaps(rows) => retain(rows, keep),
        }
    }
}

/// What a text column must satisfy.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) slot: usize,
    /// An empty text is missing.
    pub(crate) empty_is_missing: bool,
    pub(crate) field_bytes: usize,
}

/// Lays out an array so that [`keys`] can borrow from it: unusual types become usual ones.
pub(crate) fn usual(array: &ArrayRef) -> Result<ArrayRef, Wrong> {
    use DataType as D;
    let target = match array.data_type() {
        D::RunEndEncoded(_, values) => values.data_type().clone(),
        D::Dictionary(_, values) if !is_text(values) => (**values).clone(),
        D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 | D::UInt32 => D::Int64,
        D::Float16 | D::Float32 => D::Float64,
        D::Decimal32(_, s) | D::Decimal64(_, s) => D::Decimal128(38, *s),
        _ => return Ok(ArrayRef::clone(array)),
    };
    let unpacked = cast(array, &target).map_err(|e| Wrong::Damaged(e.to_string()))?;
    if *unpacked.data_type() == *array.data_type() {
        Ok(unpacked)
    } else {
        usual(&unpacked)
    }
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    use DataType as D;
    matches!(
        data_type,
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Binary | D::LargeBinary | D::BinaryView
    )
}

/// The texts of a usual array of text, judged.
pub(crate) fn texts<'a>(
    array: &'a dyn Array,
    rule: Rule,
    bad: &mut dyn FnMut(usize, Reason),
) -> Vec<Option<&'a str>> {
    let mut judge = |(row, text): (usize, Option<Result<&'a str, ()>>)| match text? {
        Err(()) => {
            bad(row, Reason::InvalidUtf8);
            None
        }
        Ok(text) if text.len() > rule.field_bytes => {
            bad(row, Reason::FieldTooLong);
            None
        }
        Ok("") if rule.empty_is_missing => None,
        Ok(text) => Some(text),
    };
    fn utf8(bytes: &[u8]) -> Result<&str, ()> {
        std::str::from_utf8(bytes).map_err(|_| ())
    }
    match array.data_type() {
        DataType::Utf8 => array
            .as_string::<i32>()
            .iter()
            .map(|t| t.map(Ok))
            .enumerate()
            .map(&mut judge)
            .collect(),
        DataType::LargeUtf8 => array
            .as_string::<i64>()
            .iter()
            .map(|t| t.map(Ok))
            .enumerate()
            .map(&mut judge)
            .collect(),
        DataType::Utf8View => array
            .as_string_view()
            .iter()
            .map(|t| t.map(Ok))
            .enumerate()
            .map(&mut judge)
            .collect(),
        DataType::Binary => array
            .as_binary::<i32>()
            .iter()
            .map(|t| t.map(utf8))
            .enumerate()
            .map(&mut judge)
            .collect(),
        DataType::LargeBinary => array
            .as_binary::<i64>()
            .iter()
            .map(|t| t.map(utf8))
            .enumerate()
            .map(&mut judge)
            .collect(),
        DataType::BinaryView => array
            .as_binary_view()
            .iter()
            .map(|t| t.map(utf8))
            .enumerate()
            .map(&mut judge)
            .collect(),
        _ => vec![None; array.len()],
    }
}

/// A usual array as ids or names.
pub(crate) fn keys<'a>(array: &'a dyn Array, rule: Rule, bad: &mut Bad) -> Result<Keys<'a>, Wrong> {
    let n = array.len();
    Ok(match array.data_type() {
        t if is_text(t) => Keys::Texts(texts(array, rule, &mut |row, reason| {
            bad.put(row, rule.slot, reason)
        })),
        DataType::Dictionary(..) => dictionary(array, rule, bad)?,
        DataType::Int64 => Keys::Integers(Cells::of(array.as_primitive::<Int64Type>())),
        DataType::UInt64 => {
            let array = array.as_primitive::<UInt64Type>();
            if array.iter().flatten().all(|n| i64::try_from(n).is_ok()) {
                let signed = |n: Option<u64>| n.and_then(|n| i64::try_from(n).ok());
                Keys::Integers(Cells::Gaps(array.iter().map(signed).collect()))
            } else {
                Keys::Owned(array.iter().map(|n| n.map(|n| n.to_string())).collect())
            }
        }
        DataType::Decimal128(_, 0) => Keys::Owned(
            array
                .as_primitive::<Decimal128Type>()
                .iter()
                .map(|n| n.map(|n| n.to_string()))
                .collect(),
        ),
        DataType::Boolean => Keys::Dictionary {
            codes: Cells::Gaps(
                array
                    .as_boolean()
                    .iter()
                    .map(|b| b.map(u32::from))
                    .collect(),
            ),
            values: vec![Some("false"), Some("true")],
        },
        DataType::Null => Keys::Texts(vec![None; n]),
        _ => return Err(Wrong::Type("text, integers and booleans")),
    })
}

fn dictionary<'a>(array: &'a dyn Array, rule: Rule, bad: &mut Bad) -> Result<Keys<'a>, Wrong> {
    let dictionary = array.as_any_dictionary();
    let mut faults = Vec::new();
    let values = texts(dictionary.values().as_ref(), rule, &mut |value, reason| {
        faults.push((value, reason))
    });
    let keys = dictionary.keys();
    let codes = match keys.as_primitive_opt::<Int32Type>() {
        // A code below zero, which no array has, would be past the end of the values.
        Some(keys) if keys.null_count() == 0 => Cells::Full(
            keys.values()
                .iter()
                .map(|code| code.cast_unsigned())
                .collect(),
        ),
        _ => {
            let keys = cast(keys, &DataType::UInt32).map_err(|e| Wrong::Damaged(e.to_string()))?;
            Cells::Gaps(keys.as_primitive::<UInt32Type>().iter().collect())
        }
    };
    if !faults.is_empty() {
        for row in 0..array.len() {
            let code = codes.get(row);
            let fault = code.and_then(|c| faults.binary_search_by_key(&(c as usize), |f| f.0).ok());
            if let Some(fault) = fault {
                bad.put(row, rule.slot, faults[fault].1);
            }
        }
    }
    Ok(Keys::Dictionary { codes, values })
}

impl Keys<'_> {
    pub(crate) fn is_missing(&self, row: usize) -> bool {
        match self {
            Keys::Texts(texts) => texts.get(row).is_none_or(Option::is_none),
            Keys::Owned(texts) => texts.get(row).is_none_or(Option::is_none),
            Keys::Integers(numbers) => numbers.get(row).is_none(),
            Keys::Dictionary { codes, values } => codes
                .get(row)
                .and_then(|code| values.get(code as usize).copied().flatten())
                .is_none(),
        }
    }

    /// Whether it is quickly seen that none is missing.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Keys::Texts(texts) => texts.iter().all(Option::is_some),
            Keys::Owned(texts) => texts.iter().all(Option::is_some),
            Keys::Integers(numbers) => numbers.is_complete(),
            Keys::Dictionary { codes, values } => {
                codes.is_complete() && values.iter().all(Option::is_some)
            }
        }
    }

    pub(crate) fn keep(&mut self, keep: &[bool]) {
        match self {
            Keys::Texts(column) => retain(column, keep),
            Keys::Owned(column) => retain(column, keep),
            Keys::Integers(column) => column.keep(keep),
            Keys::Dictionary { codes, .. } => codes.keep(keep),
        }
    }

    /// The texts of an owned column; empty for the others.
    pub(crate) fn borrowed(&self) -> Vec<Option<&str>> {
        match self {
            Keys::Owned(texts) => texts.iter().map(Option::as_deref).collect(),
            _ => Vec::new(),
        }
    }

    /// The column for the builder, given its [`Keys::borrowed`].
    pub(crate) fn column<'b>(&'b self, borrowed: &'b [Option<&'b str>]) -> KeyColumn<'b> {
        match self {
            Keys::Texts(texts) => KeyColumn::Texts(texts),
            Keys::Owned(_) => KeyColumn::Texts(borrowed),
            Keys::Integers(numbers) => KeyColumn::Integers(numbers.column()),
            Keys::Dictionary { codes, values } => KeyColumn::Dictionary {
                codes: codes.column(),
                values,
            },
        }
    }
}

/// Keeps the places that are marked.
pub(crate) fn retain<T>(column: &mut Vec<T>, keep: &[bool]) {
    let mut marks = keep.iter();
    column.retain(|_| marks.next().copied().unwrap_or(false));
}
