//! The log: all events, sorted by customer, time and order of input, immutable.

mod alias;
mod append;
mod array;
mod assemble;
mod bitmap;
mod block;
mod buffer;
mod build;
mod builder;
mod catalog;
mod chunk;
mod codes;
mod column;
mod customers;
mod gather;
mod hash;
mod input;
mod intern;
#[allow(clippy::module_inception)]
mod log;
mod options;
mod presence;
mod quarantine;
mod scale;
mod sort;
mod stored;
mod summary;
mod threads;
mod times;
mod vocabulary;

pub use alias::{Alias, AliasPolicy};
pub use array::Array;
pub use bitmap::Bitmap;
pub use block::{AttributeColumn, Block};
pub use buffer::AttributeValue;
pub use builder::{EventRow, LogBuilder};
pub use catalog::Catalog;
pub use codes::{CodeSlice, Codes};
pub use column::{AttributeInfo, AttributeType, ColumnData, Level, Value};
pub use customers::{CustomerIds, plain_integer};
pub use input::{Batch, Column, KeyColumn, RowNumbers, ValueColumn};
pub use intern::{AsKey, Key};
pub use log::Log;
pub use options::{AttributeSpec, LogOptions};
pub use presence::Presence;
pub use quarantine::{Quarantine, QuarantinedRow, Reason};
pub use scale::{Grain, TimeScale};
pub use stored::{BlockMeta, LogMeta};
pub use summary::{AttributeSummary, NameCount, PerCustomer, Summary, ValueSummary};
pub use times::{Packed, TimeRest, Times};
pub use vocabulary::Vocabulary;

#[cfg(test)]
mod tests;
