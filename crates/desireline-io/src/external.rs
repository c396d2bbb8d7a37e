//! Small tables of numbers that no event log has, read from CSV.

use std::io::Read;
use std::path::Path;

use desireline_core::kpi::{ExternalTable, MAX_ROWS};
use desireline_core::map::Date;

use crate::error::IoError;

/// The largest file that is still a small table.
pub const MAX_BYTES: u64 = 64 << 20;

/// Reads a table of spend, impressions, search ranks, visitors or population.
///
/// The first line names the columns. A column called `date` holds days as `2026-03-31`; a column of which every filled cell is a number holds
/// numbers, all others words. An empty cell of a number is missing, not 0. The table is called as the file is, without its ending.
///
/// # Errors
/// [`IoError::Table`] with row and column for what cannot be read, a column named twice, or more than [`MAX_ROWS`] rows.
pub fn read_csv(path: impl AsRef<Path>) -> Result<ExternalTable, IoError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let bytes = slurp(path)?;
    let stem = path
        .file_stem()
        .map_or_else(|| name.clone(), |s| s.to_string_lossy().into_owned());
    parse_csv(&stem, &name, &bytes)
}

/// The bytes of a small file, and one more than allowed where it is too large.
pub(crate) fn slurp(path: &Path) -> Result<Vec<u8>, IoError> {
    let open = |error| IoError::Open {
        source_name: path.display().to_string(),
        error,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(open)?;
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(open)?;
    Ok(bytes)
}

/// The same from bytes; `source_name` stands in messages.
///
/// # Errors
/// See [`read_csv`].
pub fn parse_csv(table: &str, source_name: &str, bytes: &[u8]) -> Result<ExternalTable, IoError> {
    let wrong = |row: Option<u64>, column: Option<&str>, reason: String| IoError::Table {
        source_name: source_name.to_owned(),
        row,
        column: column.map(str::to_owned),
        reason,
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(wrong(
            None,
            None,
            format!("it is larger than {MAX_BYTES} bytes, which is no small table"),
        ));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let broken = |e: csv::Error| {
        let row = e.position().map(csv::Position::record);
        wrong(row, None, e.to_string())
    };
    let names: Vec<String> = reader
        .headers()
        .map_err(broken)?
        .iter()
        .map(str::to_owned)
        .collect();
    for (i, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(wrong(None, None, format!("column {} has no name", i + 1)));
        }
        if names[..i].contains(name) {
            return Err(wrong(
                None,
                Some(name),
                "two columns have this name".to_owned(),
            ));
        }
    }
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(broken)?;
        if row >= MAX_ROWS {
            return Err(wrong(
                None,
                None,
                format!("it has more than {MAX_ROWS} rows"),
            ));
        }
        for (column, cell) in cells.iter_mut().zip(&record) {
            column.push(cell.to_owned());
        }
    }
    let mut out = ExternalTable::new(table);
    for (name, column) in names.iter().zip(cells) {
        if name == "date" {
            let read = |(row, cell): (usize, &String)| {
                cell.parse::<Date>()
                    .map_err(|e| wrong(Some(row as u64 + 1), Some("date"), e))
            };
            let dates = column
                .iter()
                .enumerate()
                .map(read)
                .collect::<Result<Vec<_>, _>>()?;
            out = out.dates(dates);
            continue;
        }
        let number = |cell: &String| cell.parse::<f64>().ok().filter(|x| x.is_finite());
        match column.iter().all(|c| c.is_empty() || number(c).is_some()) {
            true => out = out.numbers(name, column.iter().map(number)),
            false => out = out.keys(name, column),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_words_and_numbers() {
        let text =
            "date,channel,spend\n2026-01-01,\"e,mail\",12.5\n2026-01-02,web,\n2026-02-01,web,7\n";
        let table = parse_csv("ads", "ads.csv", text.as_bytes()).unwrap();
        assert_eq!((table.check().unwrap(), table.name()), (3, "ads"));
        assert_eq!(
            table.number("spend").unwrap(),
            [Some(12.5), None, Some(7.0)]
        );
        assert_eq!(table.key("channel").unwrap(), ["e,mail", "web", "web"]);
        let january = Some(("2026-01-01".parse().unwrap(), "2026-02-01".parse().unwrap()));
        assert_eq!(table.sum("spend", january).unwrap(), Some(12.5));
        assert_eq!(
            table.sums_by("channel", "spend", None).unwrap(),
            [("e,mail".into(), 12.5), ("web".into(), 7.0)]
        );
    }

    #[test]
    fn what_cannot_be_read_has_its_place() {
        for (text, said) in [
            ("date,spend\n2026-1-1,3\n", "row 1, column `date`"),
            ("a,a\n1,2\n", "column `a`: two columns have this name"),
            ("a,\n1,2\n", "column 2 has no name"),
            ("a,b\n1\n", "could not be taken"),
        ] {
            let error = parse_csv("t", "t.csv", text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(said) || said == "could not be taken",
                "{error}"
            );
        }
        let empty = parse_csv("t", "t.csv", b"spend\n").unwrap();
        assert_eq!(
            (empty.check().unwrap(), empty.sum("spend", None).unwrap()),
            (0, None)
        );
    }
}
