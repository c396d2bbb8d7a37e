//! Reports as GitHub-flavoured Markdown: one table after another, names escaped.

use desireline_core::report::Table;

use crate::format;
use crate::names::for_terminal;
use crate::view::{AnswerView, origin};

/// An answer as Markdown: heading, tables, caveats, origin and the question as JSON.
pub fn render(view: &AnswerView<'_>) -> String {
    let mut out = format!("## {}\n", escape(view.report.title()));
    for t in view.report.tables() {
        out.push('\n');
        out.push_str(&table(&t));
    }
    if !view.report.caveats().is_empty() {
        out.push_str("\n**To know**\n\n");
        for caveat in view.report.caveats() {
            out.push_str(&format!("- {}\n", escape(&caveat.message())));
        }
    }
    out.push_str(&format!("\n{}\n", escape(&origin(view.provenance))));
    // A fence longer than any run of backticks inside cannot be closed by a name.
    let spec = for_terminal(&view.spec.to_string()).into_owned();
    let longest = spec.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    out.push_str(&format!("\n{fence}json\n{spec}\n{fence}\n"));
    out
}

/// One table as Markdown, with its title as a heading.
pub fn table(table: &Table) -> String {
    let mut out = format!("### {}\n\n", escape(&table.title));
    if table.columns.is_empty() || table.n_rows() == 0 {
        out.push_str("nothing to show\n");
        return out;
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(
        table.columns.iter().map(|c| escape(&c.label)).collect(),
    ));
    let rule = |c: &desireline_core::report::Column| {
        if format::is_words(&c.cells) {
            ":--"
        } else {
            "--:"
        }
    };
    out.push_str(&line(
        table.columns.iter().map(|c| rule(c).to_owned()).collect(),
    ));
    for row in 0..table.n_rows() {
        out.push_str(&line(
            table
                .columns
                .iter()
                .map(|c| escape(&format::cell(&c.cells, row)))
                .collect(),
        ));
    }
    out
}

/// The text with everything escaped that Markdown or HTML would take for markup.
pub(crate) fn escape(text: &str) -> String {
    let text = for_terminal(text);
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // Bare links must not become live.
    out.replace("://", ":&#47;/").replace("www.", "www&#46;")
}
