//! Which columns of a table stand beside each other.

use desireline_core::report::Table;

use super::{GAP, Laid};
use crate::panels;

/// Columns of words are planned with at most this width; what is wider is cut, or has the space that is left.
const WORDS: usize = 16;

/// The width of columns beside each other.
pub(super) fn total(widths: impl ExactSizeIterator<Item = usize>) -> usize {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    widths.sum::<usize>() + gaps
}

fn planned(column: &Laid) -> usize {
    match column.words {
        true => column.width.min(WORDS),
        false => column.width,
    }
}

/// Whether all columns fit beside each other.
pub(super) fn fits(columns: &[Laid], width: usize) -> bool {
    total(columns.iter().map(planned)) <= width
}

/// Leaves the columns that fit, in the order of the table: the first, those called as in `first`, then others as long as there is
/// space. Gives how many are left out.
pub(super) fn keep(columns: &mut Vec<Laid>, table: &Table, first: &[&str], width: usize) -> usize {
    let all = columns.len();
    if fits(columns, width) {
        return 0;
    }
    let wanted = |place: usize| {
        let column = table.columns.get(place);
        let name = column.map_or("", |c| c.name.as_str());
        first.iter().position(|f| *f == name)
    };
    let mut order: Vec<usize> = (0..all).collect();
    order.sort_by_key(|place| (*place != 0, wanted(*place).unwrap_or(first.len()), *place));
    let mut kept: Vec<usize> = Vec::new();
    let mut used = 0;
    for place in order {
        let Some(column) = columns.get(place) else {
            continue;
        };
        let gap = if kept.is_empty() { 0 } else { GAP.len() };
        if kept.is_empty() || used + gap + planned(column) <= width {
            used += gap + planned(column);
            kept.push(place);
        } else if wanted(place).is_none() {
            break;
        }
    }
    let mut place = 0;
    columns.retain(|_| {
        place += 1;
        kept.contains(&(place - 1))
    });
    all - columns.len()
}

/// The columns in as many tables as are needed.
pub(super) fn panels(columns: &[Laid], table: &Table, width: usize) -> Vec<Vec<Laid>> {
    let widths: Vec<usize> = columns.iter().map(planned).collect();
    let parts = panels::split(&widths, panels::keys(table), GAP.len(), width);
    let of = |part: &Vec<usize>| {
        let places = part.iter();
        places.filter_map(|p| columns.get(*p).cloned()).collect()
    };
    parts.iter().map(of).collect()
}
