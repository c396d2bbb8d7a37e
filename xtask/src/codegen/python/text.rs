//! Python text: documentation strings, calls, lists of names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The width of a line.
const WIDTH: usize = 120;

pub(super) fn or(text: String, other: &str) -> String {
    if text.is_empty() {
        other.to_owned()
    } else {
        text
    }
}

/// A documentation string, its lines broken to the file's width.
pub(super) fn doc(out: &mut String, indent: usize, text: &str) {
    if text.is_empty() {
        return;
    }
    let pad = " ".repeat(indent);
    let raw = if text.contains('\\') { "r" } else { "" };
    let safe = text.replace("\"\"\"", "'''");
    let mut lines: Vec<String> = Vec::new();
    for paragraph in safe.split('\n') {
        let inner = paragraph.len() - paragraph.trim_start().len();
        let hanging = if ["- ", "* "]
            .iter()
            .any(|mark| paragraph.trim_start().starts_with(mark))
        {
            inner + 2
        } else if inner > 0 {
            inner + 4
        } else {
            0
        };
        lines.extend(broken(paragraph, WIDTH.saturating_sub(indent + 4), hanging));
    }
    let many = lines.len() > 1;
    let ends_in_quote = lines.last().is_some_and(|l| l.ends_with('"'));
    let _ = write!(
        out,
        "{pad}{raw}\"\"\"{}",
        lines.first().map_or("", String::as_str)
    );
    for line in lines.iter().skip(1) {
        if line.is_empty() {
            out.push('\n');
        } else {
            let _ = write!(out, "\n{pad}{line}");
        }
    }
    if many {
        let _ = write!(out, "\n{pad}");
    } else if ends_in_quote {
        out.push(' ');
    }
    out.push_str("\"\"\"\n");
}

fn broken(text: &str, width: usize, hanging: usize) -> Vec<String> {
    let lead = &text[..text.len() - text.trim_start().len()];
    // A line of a table stays whole.
    if text.trim_start().starts_with('|') {
        return vec![text.trim_end().to_owned()];
    }
    let (mut lines, mut line) = (Vec::new(), lead.to_owned());
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(hanging)));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// A call or signature on one line where it fits, else one argument a line.
pub(super) fn wrapped(start: &str, arguments: &[String], end: &str) -> String {
    let one = format!("{start}{}{end}", arguments.join(", "));
    if one.lines().all(|l| l.chars().count() <= WIDTH) {
        return one;
    }
    let pad = " ".repeat(start.len() - start.trim_start().len());
    let mut out = format!("{start}\n");
    for argument in arguments {
        let _ = writeln!(out, "{pad}    {argument},");
    }
    let _ = write!(out, "{pad}{end}");
    out
}

pub(super) fn all<'a>(out: &mut String, names: impl Iterator<Item = &'a str>) {
    let names: BTreeSet<&str> = names.collect();
    out.push_str("__all__ = [\n");
    for name in names {
        let _ = writeln!(out, "    \"{name}\",");
    }
    out.push_str("]\n");
}

pub(super) fn import(out: &mut String, module: &str, names: &[String]) {
    let names: BTreeMap<&str, ()> = names.iter().map(|n| (n.as_str(), ())).collect();
    if names.is_empty() {
        return;
    }
    let _ = writeln!(out, "from {module} import (");
    for name in names.keys() {
        let _ = writeln!(out, "    {name},");
    }
    out.push_str(")\n");
}
