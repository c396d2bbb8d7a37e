//! What can go wrong.

use crate::expr::{ExprError, TextSpan};
use crate::time::TimeSpanError;

/// The result of anything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between a built log and a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The question does not fit the log.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// An expression could not be read or does not fit the log.
    #[error(transparent)]
    Expr(#[from] ExprError),
    /// A length of time could not be read.
    #[error(transparent)]
    TimeSpan(#[from] TimeSpanError),
    /// A map's document cannot be read.
    #[error(transparent)]
    Map(#[from] crate::map::MapError),
    /// Feedback cannot be built, or a measure does not fit it.
    #[error(transparent)]
    Feedback(#[from] crate::feedback::FeedbackError),
    /// No analysis has this name.
    #[error("no analysis is called `{name}`{}; there are {}", did_you_mean(nearest.as_deref()), known.join(", "))]
    UnknownAnalysis {
        /// The name as given.
        name: String,
        /// The nearest known name.
        nearest: Option<String>,
        /// All known names.
        known: Vec<String>,
    },
    /// The report has no such cell.
    #[error("the report has no cell `{cell}`{}; its cells are of the kinds {}", did_you_mean(nearest.as_deref()), list(kinds))]
    UnknownCell {
        /// The cell as given.
        cell: String,
        /// The nearest cell that there is.
        nearest: Option<String>,
        /// What the cells that there are begin with, before the first `/`.
        kinds: Vec<String>,
    },
    /// The log has no such customer. Ids do not appear in messages.
    #[error("the log has no customer with this id")]
    UnknownCustomer,
    /// The work was cancelled through its token.
    #[error("cancelled after {done} of {total} steps")]
    Cancelled {
        /// Morsels of an analysis, blocks of a cut, journeys looked at, or hundredths of a build, that were done.
        done: u64,
        /// Those in all, or 100.
        total: u64,
    },
    /// The partial results outgrew the memory budget.
    #[error(
        "the analysis needs {needed} bytes for its partial results, over the budget of {limit}; raise the budget, shorten the paths or select fewer journeys"
    )]
    MemoryBudget {
        /// Bytes needed so far.
        needed: u64,
        /// The budget.
        limit: u64,
    },
    /// Too large a share of the rows or answers could not be read.
    #[error(
        "{rows} of {of} {what} were put aside, over the allowed share of {allowed}; first: {first}; fix the input or raise the allowed share"
    )]
    QuarantineShare {
        /// What was put aside: `rows`, or `answers`, of which a row may hold several.
        what: &'static str,
        /// How many were put aside.
        rows: u64,
        /// How many were read.
        of: u64,
        /// The allowed share.
        allowed: f64,
        /// Where the first one is and why.
        first: String,
    },
    /// The log has no event at all.
    #[error("the log has no events{}", if *quarantined > 0 { format!("; {quarantined} rows were put aside") } else { String::new() })]
    EmptyLog {
        /// Rows put aside.
        quarantined: u64,
    },
    /// Stored columns that cannot be a log.
    #[error("column `{column}`{}: {problem}", in_block(*block))]
    Inconsistent {
        /// The block, from 0, where one is to blame.
        block: Option<usize>,
        /// The column, or the field of the log's description.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// The columns of a batch differ in length, or in number from what was declared.
    #[error("column `{column}` of `{source_name}` has {found} rows where {expected} were expected")]
    ColumnLength {
        /// The input.
        source_name: String,
        /// The column.
        column: String,
        /// Rows expected.
        expected: usize,
        /// Rows found.
        found: usize,
    },
    /// A batch has another number of attributes than was declared.
    #[error("`{source_name}` has {found} attribute columns where {expected} were declared")]
    AttributeCount {
        /// The input.
        source_name: String,
        /// Attributes declared.
        expected: usize,
        /// Attribute columns found.
        found: usize,
    },
    /// An attribute's values are not of the declared kind.
    #[error(
        "attribute `{attribute}` of `{source_name}` was declared as {declared} but holds {found}"
    )]
    AttributeKind {
        /// The input.
        source_name: String,
        /// The attribute.
        attribute: String,
        /// The kind declared.
        declared: &'static str,
        /// The kind found.
        found: &'static str,
    },
    /// An attribute is used that was not declared.
    #[error("no attribute `{name}` was declared{}; declared are {}", did_you_mean(nearest.as_deref()), list(known))]
    UndeclaredAttribute {
        /// The name as given.
        name: String,
        /// The nearest declared name.
        nearest: Option<String>,
        /// All declared names.
        known: Vec<String>,
    },
    /// An attribute was declared twice.
    #[error("attribute `{name}` was declared twice")]
    RepeatedAttribute {
        /// The name.
        name: String,
    },
    /// Values came without a declared currency.
    #[error("values were given but no currency was declared; declare one, `XXX` if there is none")]
    CurrencyMissing,
    /// A log cannot grow by rows that were declared differently.
    #[error("the new rows do not fit the log: {reason}")]
    AppendMismatch {
        /// What differs.
        reason: String,
    },
    /// Aliases lead in a circle.
    #[error("alias {place} of {of} closes a circle: following it leads back to its own id")]
    AliasCircle {
        /// The alias, counted from 1 in the order given.
        place: usize,
        /// All aliases.
        of: usize,
    },
    /// More of something than the engine can count.
    #[error("too many {what}: {count}, the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// Sealed bytes were refused.
    #[error("the partial result was refused: {reason}")]
    Envelope {
        /// Why.
        reason: String,
    },
    /// A sealed partial result does not cover its whole log.
    #[error(
        "the partial result covers {covered} of the {blocks} blocks of its log; merge the others first"
    )]
    Incomplete {
        /// Blocks covered.
        covered: usize,
        /// Blocks of the log.
        blocks: usize,
    },
    /// A statistic was asked for outside its domain.
    #[error(transparent)]
    Stats(#[from] desireline_stats::StatsError),
    /// The worker threads could not be started.
    #[error("the worker threads could not be started: {reason}")]
    Threads {
        /// What the system said.
        reason: String,
    },
}

/// A question that cannot be put to this log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A field's value is not allowed.
    #[error("`{field}` of {analysis}: {problem}")]
    Field {
        /// The analysis.
        analysis: &'static str,
        /// The field.
        field: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// An expression in a field could not be bound.
    #[error("`{field}` of {analysis}: {source}")]
    Expr {
        /// The analysis.
        analysis: &'static str,
        /// The field.
        field: &'static str,
        /// The expression's own error.
        source: ExprError,
    },
    /// An attribute is not in the log.
    #[error("`{field}` of {analysis}: the log has no attribute `{name}`{}; it has {}", did_you_mean(nearest.as_deref()), list(known))]
    UnknownAttribute {
        /// The analysis.
        analysis: &'static str,
        /// The field.
        field: &'static str,
        /// The name as given.
        name: String,
        /// The nearest known name.
        nearest: Option<String>,
        /// All attributes.
        known: Vec<String>,
    },
    /// A KPI that no log can answer alone.
    #[error("{kpi} needs {data}, which no event log has: {how}")]
    NeedsData {
        /// The KPI.
        kpi: &'static str,
        /// What it needs.
        data: &'static str,
        /// How to give it.
        how: &'static str,
    },
    /// A condition of a map does not fit the log.
    #[error("{}", condition(map.as_deref(), part, *at, source))]
    MapCondition {
        /// Of which map, where there are several; absent until [`overlay::placed_among`](crate::overlay::placed_among) says so.
        map: Option<String>,
        /// Which, such as `scope.segment`.
        part: String,
        /// Where it stands in the map's text; nowhere until [`overlay::placed`](crate::overlay::placed) says so.
        at: TextSpan,
        /// The expression's own error.
        source: ExprError,
    },
    /// The JSON of a question has the wrong shape.
    #[error("the question for {analysis} cannot be read: {reason}")]
    Shape {
        /// The analysis.
        analysis: &'static str,
        /// What serde said, with the place.
        reason: String,
    },
}

/// With a place in the map's text, that within the condition need not be said.
fn condition(map: Option<&str>, part: &str, at: TextSpan, source: &ExprError) -> String {
    let map = map.map_or_else(String::new, |name| format!(" `{name}`"));
    let told = source.to_string();
    if at.is_none() {
        return format!("`{part}` of the map{map} does not fit the log: {told}");
    }
    let rest = match told.split_once(": ") {
        Some((lead, rest)) if lead.starts_with("at ") => rest,
        _ => &told,
    };
    format!(
        "line {}, column {} of the map{map}: `{part}` does not fit the log: {rest}",
        at.line, at.column
    )
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn in_block(block: Option<usize>) -> String {
    block.map_or_else(String::new, |b| format!(" of block {b}"))
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"))
}

/// The name among `known` that `name` was most likely meant to be.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = name.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(&wanted, &k.to_lowercase()), k))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, k)| k.to_owned())
}
