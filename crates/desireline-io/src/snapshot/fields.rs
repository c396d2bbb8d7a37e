//! Whether a file's columns are those that its description promises.

use arrow::datatypes::{DataType, Fields};
use arrow::ipc::{Field, Int, Precision, Schema, TimeUnit, Type};
use flatbuffers::{ForwardsUOffset, Vector};

/// The ids of the dictionaries in the order of their columns.
pub(super) fn dictionary_ids(schema: Schema<'_>) -> Vec<i64> {
    fn walk(field: Field<'_>, depth: usize, ids: &mut Vec<i64>) {
        ids.extend(field.dictionary().map(|d| d.id()));
        // Ours are three deep.
        if depth < 8 {
            for child in field.children().into_iter().flatten() {
                walk(child, depth + 1, ids);
            }
        }
    }
    let mut ids = Vec::new();
    for field in schema.fields().into_iter().flatten() {
        walk(field, 0, &mut ids);
    }
    ids
}

type FileFields<'a> = Option<Vector<'a, ForwardsUOffset<Field<'a>>>>;

/// Whether the file's columns are the expected ones. The decoder's own translation panics at odd types.
pub(super) fn same_fields(found: FileFields<'_>, expected: &Fields) -> bool {
    found.map_or(0, |f| f.len()) == expected.len()
        && found
            .into_iter()
            .flatten()
            .zip(expected)
            .all(|(found, expected)| {
                found.name() == Some(expected.name())
                    && found.nullable() == expected.is_nullable()
                    && same_type(found, expected.data_type())
            })
}

fn same_type(found: Field<'_>, expected: &DataType) -> bool {
    let is = |int: Option<Int<'_>>, bits: i32, signed: bool| {
        int.is_some_and(|i| (i.bitWidth(), i.is_signed()) == (bits, signed))
    };
    let int = |bits, signed| is(found.type_as_int(), bits, signed);
    let codes = found.dictionary().map(|d| d.indexType());
    if codes.is_some() != matches!(expected, DataType::Dictionary(..)) {
        return false;
    }
    match expected {
        DataType::Dictionary(key, _) => {
            let bits = match **key {
                DataType::UInt8 => 8,
                DataType::UInt16 => 16,
                _ => 32,
            };
            found.type_type() == Type::LargeUtf8 && is(codes.flatten(), bits, false)
        }
        DataType::LargeUtf8 => found.type_type() == Type::LargeUtf8,
        DataType::Int64 => int(64, true),
        DataType::UInt32 => int(32, false),
        DataType::UInt16 => int(16, false),
        DataType::Float64 => found
            .type_as_floating_point()
            .is_some_and(|f| f.precision() == Precision::DOUBLE),
        DataType::Boolean => found.type_type() == Type::Bool,
        DataType::FixedSizeList(item, width) => {
            found
                .type_as_fixed_size_list()
                .is_some_and(|l| l.listSize() == *width)
                && same_fields(found.children(), &Fields::from(vec![item.as_ref().clone()]))
        }
        DataType::Timestamp(..) => found
            .type_as_timestamp()
            .is_some_and(|t| t.unit() == TimeUnit::MICROSECOND && t.timezone() == Some("UTC")),
        DataType::List(item) => {
            found.type_type() == Type::List
                && same_fields(found.children(), &Fields::from(vec![item.as_ref().clone()]))
        }
        DataType::Struct(fields) => {
            found.type_type() == Type::Struct_ && same_fields(found.children(), fields)
        }
        _ => false,
    }
}
