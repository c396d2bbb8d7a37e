//! One table as CSV (RFC 4180), at full precision.
//!
//! An estimate `x` takes the columns `x`, `x_lower`, `x_upper`, `x_n`; a rate adds `x_count`. Durations are whole microseconds,
//! times RFC 3339 in UTC, money exact decimals with the currency in `x_currency`, paths JSON lists. A missing cell is
//! empty, an empty text is `""`.

use desireline_core::report::Table;
use desireline_core::time::format_instant;

use crate::flat::{Flat, Values, flatten};
use crate::format::decimal;

/// For whom the CSV is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// For programs: every cell reads back as it was.
    #[default]
    Plain,
    /// For spreadsheets: a text that a spreadsheet would run as a formula gets an apostrophe in front. Numbers stay numbers.
    Spreadsheet,
}

/// The table as CSV with one heading line.
pub fn table(table: &Table, dialect: Dialect) -> String {
    let columns: Vec<Flat<'_>> = table.columns.iter().flat_map(flatten).collect();
    let mut heads: Vec<String> = Vec::new();
    for c in &columns {
        heads.push(field(&c.name, dialect));
        if matches!(c.values, Values::Money { .. }) {
            heads.push(field(&format!("{}_currency", c.name), dialect));
        }
    }
    let mut out = heads.join(",");
    out.push_str("\r\n");
    for row in 0..table.n_rows() {
        let mut cells: Vec<String> = Vec::with_capacity(heads.len());
        for c in &columns {
            push_cell(&mut cells, &c.values, row, dialect);
        }
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

fn push_cell(cells: &mut Vec<String>, values: &Values<'_>, row: usize, dialect: Dialect) {
    let text = match values {
        Values::Text(v) => at(v, row).map(|s| field(s, dialect)),
        Values::Path(v) => {
            at(v, row).map(|p| field(&serde_json::Value::from(p.as_slice()).to_string(), dialect))
        }
        Values::Flag(v) => at(v, row).map(bool::to_string),
        Values::Count(v) => at(v, row).map(u64::to_string),
        Values::Float(v, _) => at(v, row).filter(|x| x.is_finite()).map(f64::to_string),
        Values::Duration(v) => at(v, row).map(i64::to_string),
        Values::Time(v) => at(v, row).map(|t| format_instant(*t)),
        Values::Money {
            amounts,
            currency,
            exponent,
        } => {
            let amount = at(amounts, row);
            cells.push(amount.map(|m| decimal(*m, *exponent)).unwrap_or_default());
            amount.map(|_| field(currency, dialect))
        }
    };
    cells.push(text.unwrap_or_default());
}

fn at<T>(values: &[Option<T>], row: usize) -> Option<&T> {
    values.get(row).and_then(Option::as_ref)
}

/// A text cell, quoted where needed.
fn field(text: &str, dialect: Dialect) -> String {
    let text = match dialect {
        Dialect::Plain => text.to_owned(),
        Dialect::Spreadsheet => disarm(text),
    };
    let quote = text.is_empty()
        || text.contains(['"', ',', '\n', '\r', ';', '\t'])
        || text.starts_with(' ')
        || text.ends_with(' ');
    if quote {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Puts an apostrophe before whatever a spreadsheet could take for a formula: at the start of the text and of each of
/// its lines, also after blanks.
fn disarm(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut rest = text;
    let mut first = true;
    while first || !rest.is_empty() {
        let end = rest.find('\n').map_or(rest.len(), |i| i + 1);
        let (line, after) = rest.split_at(end);
        if is_formula(line) {
            out.push('\'');
        }
        out.push_str(line);
        rest = after;
        first = false;
    }
    out
}

fn is_formula(line: &str) -> bool {
    if line.starts_with(['\t', '\r']) {
        return true;
    }
    let invisible = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\'' | '"'
            )
    };
    // Full-width signs are taken for the plain ones by some spreadsheets.
    line.trim_start_matches(invisible)
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || line
            .split('\r')
            .skip(1)
            .any(|part| !part.is_empty() && is_formula(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_wherever_they_start() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            " =1",
            "\u{a0}=1",
            "\n=1",
            "a\n=1",
            "a\n \u{a0}+1",
            "\u{feff}=1",
            "＝1",
            "a\r=1",
        ] {
            let safe = disarm(text);
            assert_ne!(safe, text, "{text:?}");
            assert!(!safe.lines().any(is_formula_start), "{text:?} -> {safe:?}");
        }
        for text in ["checkout", "a=b", "sign-up", "", "5", "mail@example.org"] {
            assert_eq!(disarm(text), text);
        }
    }

    fn is_formula_start(line: &str) -> bool {
        line.trim_start().starts_with(['=', '+', '-', '@'])
    }
}
