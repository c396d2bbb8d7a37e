//! Wide tables as several narrower ones below each other, each with the columns that tell its rows apart.

use std::collections::BTreeSet;

use desireline_core::report::Table;

use crate::format;

/// So many columns at most tell rows apart.
const KEYS: usize = 4;
/// Rows that are looked at for it.
const ROWS: usize = 1_000;

/// How many of the first columns tell the rows apart; only columns of words do.
pub(crate) fn keys(table: &Table) -> usize {
    let words = table.columns.iter();
    let words = words.take_while(|c| format::is_words(&c.cells)).count();
    let most = words.min(KEYS);
    let rows = table.n_rows().min(ROWS);
    let differ = |keys: &usize| {
        let mut seen = BTreeSet::new();
        (0..rows).all(|row| {
            let cells = table.columns.iter().take(*keys);
            seen.insert(
                cells
                    .map(|c| format::cell(&c.cells, row))
                    .collect::<Vec<_>>(),
            )
        })
    };
    (1..=most).find(differ).unwrap_or(most).max(1)
}

/// The columns of each part, by their places: the first `keys` in all of them, and as many others as have space in `width` with
/// `gap` between; at least one.
pub(crate) fn split(widths: &[usize], keys: usize, gap: usize, width: usize) -> Vec<Vec<usize>> {
    let total = widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1);
    if total <= width || keys >= widths.len() {
        return vec![(0..widths.len()).collect()];
    }
    let head: Vec<usize> = (0..keys).collect();
    let lead = widths.iter().take(keys).sum::<usize>() + gap * keys.saturating_sub(1);
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut used = usize::MAX;
    for (place, wide) in widths.iter().enumerate().skip(keys) {
        if used.saturating_add(gap + wide) > width {
            parts.push(head.clone());
            used = lead;
        }
        used = used.saturating_add(gap + wide);
        if let Some(part) = parts.last_mut() {
            part.push(place);
        }
    }
    parts
}
