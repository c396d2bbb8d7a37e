//! The text of a value in an Arrow column.

use std::fmt::Write as _;

use arrow::array::{
    Array, AsArray, BooleanArray, LargeStringArray, PrimitiveArray, StringArray, StringViewArray,
};
use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, UInt64Type,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A column whose type is known once, not at every row.
pub(crate) enum Column<'a> {
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
    Coded(UInt32Array, StringArray),
    Integer(PrimitiveArray<Int64Type>),
    Large(&'a PrimitiveArray<UInt64Type>),
    Float(PrimitiveArray<Float64Type>),
    Boolean(&'a BooleanArray),
    Decimal(&'a PrimitiveArray<Decimal128Type>, i8),
    Time(PrimitiveArray<TimestampMicrosecondType>, bool),
    Date(&'a PrimitiveArray<Date32Type>),
    Null,
}

impl<'a> Column<'a> {
    pub(crate) fn of(array: &'a dyn Array) -> Option<Column<'a>> {
        use DataType as D;
        let cast_to =
            |target: &D| -> Option<ArrayRef> { cast(&array.slice(0, array.len()), target).ok() };
        Some(match array.data_type() {
            D::Utf8 => Column::Text(array.as_string()),
            D::LargeUtf8 => Column::LargeText(array.as_string()),
            D::Utf8View => Column::TextView(array.as_string_view()),
            D::Dictionary(_, values)
                if matches!(**values, D::Utf8 | D::LargeUtf8 | D::Utf8View) =>
            {
                let dictionary = array.as_any_dictionary();
                let codes = cast(dictionary.keys(), &D::UInt32).ok()?;
                let values = cast(dictionary.values(), &D::Utf8).ok()?;
                Column::Coded(codes.as_primitive().clone(), values.as_string().clone())
            }
            D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => {
                Column::Integer(cast_to(&D::Int64)?.as_primitive().clone())
            }
            D::UInt64 => Column::Large(array.as_primitive()),
            D::Float16 | D::Float32 | D::Float64 => {
                Column::Float(cast_to(&D::Float64)?.as_primitive().clone())
            }
            D::Boolean => Column::Boolean(array.as_boolean()),
            D::Decimal128(_, scale) => Column::Decimal(array.as_primitive(), *scale),
            D::Timestamp(_, zone) => {
                let micros = cast_to(&D::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                Column::Time(micros.as_primitive().clone(), zone.is_some())
            }
            D::Date32 => Column::Date(array.as_primitive()),
            D::Null => Column::Null,
            _ => return None,
        })
    }

    /// The value's text, in `buffer` where it has to be made; `None` is missing.
    pub(crate) fn text<'b>(&'b self, row: usize, buffer: &'b mut String) -> Option<&'b str> {
        let written = match self {
            Column::Text(array) => return array.is_valid(row).then(|| array.value(row)),
            Column::LargeText(array) => return array.is_valid(row).then(|| array.value(row)),
            Column::TextView(array) => return array.is_valid(row).then(|| array.value(row)),
            Column::Coded(codes, values) => {
                let code = codes.is_valid(row).then(|| codes.value(row) as usize)?;
                return (code < values.len() && values.is_valid(code)).then(|| values.value(code));
            }
            Column::Integer(array) => {
                write!(buffer, "{}", array.is_valid(row).then(|| array.value(row))?)
            }
            Column::Large(array) => {
                write!(buffer, "{}", array.is_valid(row).then(|| array.value(row))?)
            }
            Column::Boolean(array) => {
                write!(buffer, "{}", array.is_valid(row).then(|| array.value(row))?)
            }
            Column::Float(array) => {
                let x = array
                    .is_valid(row)
                    .then(|| array.value(row))
                    .filter(|x| !x.is_nan())?;
                // Whole numbers keep their point, so that the column reads back as one of decimals.
                if x.fract() == 0.0 && x.abs() < 1e15 {
                    write!(buffer, "{x:.1}")
                } else {
                    write!(buffer, "{x}")
                }
            }
            Column::Decimal(array, scale) => decimal(
                array.is_valid(row).then(|| array.value(row))?,
                *scale,
                buffer,
            ),
            Column::Time(array, zoned) => {
                let micros = array.is_valid(row).then(|| array.value(row))?;
                let time = Timestamp::from_microsecond(micros).ok()?;
                if *zoned {
                    write!(buffer, "{time}")
                } else {
                    write!(buffer, "{}", TimeZone::UTC.to_datetime(time))
                }
            }
            Column::Date(array) => {
                let days = i64::from(array.is_valid(row).then(|| array.value(row))?);
                let time = Timestamp::from_second(days * 86_400).ok()?;
                write!(buffer, "{}", TimeZone::UTC.to_datetime(time).date())
            }
            Column::Null => return None,
        };
        written.ok()?;
        Some(buffer)
    }

    /// Whether JSON writes the value without quotes.
    pub(crate) fn is_bare(&self, row: usize) -> bool {
        match self {
            Column::Integer(_) | Column::Large(_) | Column::Boolean(_) | Column::Decimal(..) => {
                true
            }
            Column::Float(array) => array.value(row).is_finite(),
            _ => false,
        }
    }
}

fn decimal(n: i128, scale: i8, buffer: &mut String) -> std::fmt::Result {
    let sign = if n < 0 { "-" } else { "" };
    let digits = n.unsigned_abs();
    match u32::try_from(scale) {
        Ok(0) => write!(buffer, "{sign}{digits}"),
        Ok(places) if places <= 38 => {
            let power = 10_u128.pow(places);
            write!(
                buffer,
                "{sign}{}.{:0width$}",
                digits / power,
                digits % power,
                width = places as usize
            )
        }
        _ => write!(buffer, "{sign}{digits}e{}", -i32::from(scale)),
    }
}
