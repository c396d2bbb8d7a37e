//! Cells of a CSV text (RFC 4180), each with its place, and cells written so that no spreadsheet runs them.

use super::ExchangeError;

/// A cell and where it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) at: (u32, u32),
}

/// The delimiter of a text: the one that its first row has most of outside of quotes.
fn delimiter(text: &str) -> char {
    let mut counts = [(',', 0usize), (';', 0), ('\t', 0)];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            c if !quoted => {
                for (d, n) in &mut counts {
                    *n += usize::from(*d == c);
                }
            }
            _ => {}
        }
    }
    // The first of equals: a comma where nothing tells.
    let most = counts.iter().rev().max_by_key(|(_, n)| *n);
    most.map_or(',', |(d, _)| *d)
}

/// The rows of a text. Unlike readers that guess, this one refuses a quote that is never closed: all that follows it would
/// be one cell.
pub(super) fn read(text: &str) -> Result<Vec<Vec<Cell>>, ExchangeError> {
    let delimiter = delimiter(text);
    let mut rows = Vec::new();
    let mut row: Vec<Cell> = Vec::new();
    let mut cell = Cell {
        at: (1, 1),
        ..Cell::default()
    };
    let (mut line, mut column) = (1u32, 1u32);
    // Where the open quote is.
    let mut quote: Option<(u32, u32)> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let here = (line, column);
        column = column.saturating_add(1);
        let ends_line = c == '\n' || c == '\r';
        if ends_line {
            if c == '\r' && chars.peek() == Some(&'\n') {
                chars.next();
            }
            (line, column) = (line.saturating_add(1), 1);
        }
        match (c, quote) {
            ('"', Some(_)) if chars.peek() == Some(&'"') => {
                chars.next();
                column = column.saturating_add(1);
                cell.text.push('"');
            }
            ('"', Some(_)) => quote = None,
            (_, Some(_)) if ends_line => cell.text.push('\n'),
            (c, Some(_)) => cell.text.push(c),
            ('"', None) if cell.text.is_empty() => quote = Some(here),
            (_, None) if ends_line => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
                cell.at = (line, column);
            }
            (c, None) if c == delimiter => {
                row.push(std::mem::take(&mut cell));
                cell.at = (line, column);
            }
            (c, None) => cell.text.push(c),
        }
    }
    if let Some(at) = quote {
        return Err(ExchangeError::syntax(at, "this quote is never closed"));
    }
    if !cell.text.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    for cell in rows.iter_mut().flatten() {
        cell.text = disarmed(&cell.text).to_owned();
    }
    Ok(rows)
}

/// Whether a spreadsheet would run the cell, apart from apostrophes before it.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        && text.parse::<f64>().is_err()
}

/// The cell as it was before [`write`] put an apostrophe in front.
fn disarmed(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => text,
    }
}

/// Adds a row. A cell that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.
pub(super) fn write(out: &mut String, cells: impl IntoIterator<Item = String>) {
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let lead = if is_formula(&cell) { "'" } else { "" };
        if cell.contains(['"', ',', '\n', '\r', ';', '\t']) || cell.trim() != cell {
            out.push_str(&format!("\"{lead}{}\"", cell.replace('"', "\"\"")));
        } else {
            out.push_str(lead);
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cells_have_places_and_come_back() {
        let rows = read("a,\"b\"\"c\r\nd\"\r\n,x\n").unwrap();
        let text: Vec<Vec<&str>> = rows
            .iter()
            .map(|r| r.iter().map(|c| c.text.as_str()).collect())
            .collect();
        assert_eq!(text, [vec!["a", "b\"c\nd"], vec!["", "x"]]);
        assert_eq!((rows[0][1].at, rows[1][1].at), ((1, 3), (3, 2)));
        let mut out = String::new();
        let cells = ["=1+1", "'=1", "-0.5", "-0.5\n1", "é;,\"", "", "'quoted'"];
        write(&mut out, cells.map(str::to_owned));
        let back = read(&out).unwrap();
        let back: Vec<&str> = back[0].iter().map(|c| c.text.as_str()).collect();
        assert_eq!(back, cells);
        assert!(out.starts_with("'=1+1,''=1,-0.5,"));
    }

    #[test]
    fn open_quotes_are_refused_at_their_place() {
        let error = read("a,b\nc,\"d").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2, column 3: this quote is never closed"
        );
    }

    #[test]
    fn the_delimiter_is_found() {
        for (text, n) in [
            ("a;b;c\n", 3),
            ("a\tb\n", 2),
            ("a\n", 1),
            ("\"a;b\",c\n", 2),
        ] {
            assert_eq!(read(text).unwrap()[0].len(), n, "{text:?}");
        }
    }
}
