//! Texts of a map in the room of a column.

use unicode_segmentation::UnicodeSegmentation;

use super::super::canvas::{Canvas, Type, one_line};
use super::super::measure;

/// A text in lines no wider than `room`: broken at blanks, and inside of words only where one is wider than a line, as those
/// of Chinese and Japanese are, which have no blanks. The last of `most` lines ends in `…` where something is left out.
pub(super) fn lines(text: &str, room: f64, most: usize, t: Type) -> (Vec<String>, bool) {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut()
            && t.width(&format!("{line} {word}")) <= room
        {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        let mut piece = String::new();
        let mut used = 0.0;
        for g in word.graphemes(true) {
            let w = t.width(g);
            if used + w > room && !piece.is_empty() {
                lines.push(std::mem::take(&mut piece));
                used = 0.0;
            }
            piece.push_str(g);
            used += w;
        }
        lines.push(piece);
        if lines.len() > most {
            break;
        }
    }
    let cut = lines.len() > most;
    if cut {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = measure::cut(&format!("{last}………"), room, t.size, t.bold);
            *last = format!("{}…", last.trim_end_matches('…').trim_end());
        }
    }
    (lines, cut)
}

/// Draws a text in at most so many lines, with the whole of it as the tooltip where it is cut; the y below it.
pub(super) fn told(
    c: &mut Canvas,
    (x, y): (f64, f64),
    text: &str,
    room: f64,
    most: usize,
    t: Type,
) -> f64 {
    let text = if text.is_empty() {
        String::new()
    } else {
        one_line(text)
    };
    let (lines, cut) = lines(&text, room, most, t);
    let mut y = y;
    let last = lines.len().saturating_sub(1);
    for (i, line) in lines.iter().enumerate() {
        if cut && i == last {
            c.name_told(x, y, line, &text, t);
        } else {
            c.name(x, y, line, f64::INFINITY, t);
        }
        y += t.size * 1.36;
    }
    y
}
