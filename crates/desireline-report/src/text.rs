//! Reports on a terminal: aligned columns, bars for the first rate, what to know, where it came from.

mod columns;

use desireline_core::report::{Cells, Column, Table};

use crate::format;
use crate::names::{cut_for_terminal, for_terminal, terminal_width};
use crate::view::{AnswerView, origin};

/// How the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether to use ANSI colours; ask for them only on a terminal.
    pub colour: bool,
    /// The terminal's columns; `None` cuts nothing but texts of several hundred columns.
    pub width: Option<usize>,
    /// Whether the first rate of a table gets an inline bar.
    pub bars: bool,
    /// How many rows of a table are shown; below them it says how many more there are.
    pub rows: Rows,
    /// What becomes of a table that is wider than the terminal.
    pub columns: Columns,
}

/// What becomes of a table that is wider than the lines may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// A block for each row, with a line for each column.
    #[default]
    Stacked,
    /// The columns that fit: the first one, those of these names, then the others in their order. Below them it says how many more
    /// there are.
    Fitting(&'static [&'static str]),
    /// All of them, in several tables below each other; each begins with the columns that tell the rows apart.
    Panels,
}

/// How many rows of a table are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    /// As many as one reads: 100 of an answer's first table, 20 of the others.
    #[default]
    Few,
    /// At most so many of each.
    Most(usize),
    /// All.
    All,
}

impl Rows {
    fn of_table(self, place: usize) -> usize {
        match (self, place) {
            (Rows::Few, 0) => 100,
            (Rows::Few, _) => 20,
            (Rows::Most(n), _) => n,
            (Rows::All, _) => usize::MAX,
        }
    }
}

impl Default for TextOptions {
    fn default() -> Self {
        TextOptions {
            colour: false,
            width: Some(100),
            bars: true,
            rows: Rows::Few,
            columns: Columns::Stacked,
        }
    }
}

/// Without a terminal there is nothing to cut for, but a line of thousands of columns helps nobody.
const WIDEST: usize = 240;
const BAR: usize = 10;
const GAP: &str = "  ";
/// No column of words is cut below this width.
const LEAST: usize = 8;

/// An answer as text: its tables, then caveats and origin. Control characters of names are written out.
pub fn render(view: &AnswerView<'_>, options: &TextOptions) -> String {
    let paint = Paint(options.colour);
    let tables = view.report.tables();
    let title = view.report.title();
    let mut out = String::new();
    // Where the first table is called the same, its own heading says it.
    if tables.first().is_none_or(|t| t.title != title) {
        out = format!("{}\n\n", paint.bold(title));
    }
    for (place, t) in tables.iter().enumerate() {
        if place > 0 {
            out.push('\n');
        }
        out.push_str(&laid(t, options, options.rows.of_table(place)));
    }
    let caveats = view.report.caveats();
    if !caveats.is_empty() {
        out.push('\n');
        for caveat in caveats {
            wrap_into(
                &mut out,
                &for_terminal(&caveat.message()),
                "! ",
                options.width,
                |s| paint.warn(s),
            );
        }
    }
    out.push('\n');
    wrap_into(
        &mut out,
        &for_terminal(&origin(view.provenance)),
        "",
        options.width,
        |s| paint.faint(s),
    );
    out
}

/// One table as text, with its title.
pub fn table(table: &Table, options: &TextOptions) -> String {
    laid(table, options, options.rows.of_table(0))
}

/// A table whose rows beyond the first `most` are only counted.
fn laid(table: &Table, options: &TextOptions, most: usize) -> String {
    let paint = Paint(options.colour);
    let title = for_terminal(&table.title);
    let all = table.n_rows();
    // One or two rows more are no longer than the line that counts them.
    let rows = if all > most.saturating_add(2) {
        most
    } else {
        all
    };
    let mut out = format!(
        "{} {}\n",
        paint.bold(&title),
        paint.faint(&format!("({})", format::counted(all as u64, "row")))
    );
    let more = |left_out: usize| {
        let hidden: Vec<String> = [(all - rows, "more row"), (left_out, "more column")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format::counted(n as u64, what))
            .collect();
        match hidden.is_empty() {
            true => String::new(),
            false => format!("{}\n", paint.faint(&format!("… and {}", hidden.join(", ")))),
        }
    };
    let bar = table
        .columns
        .iter()
        .position(|c| options.bars && matches!(c.cells, Cells::Rate(_) | Cells::Share(_)));
    let lay = |bar: Option<usize>| -> Vec<Laid> {
        let columns = table.columns.iter().enumerate();
        columns
            .map(|(i, c)| Laid::new(c, rows, bar == Some(i)))
            .collect()
    };
    if all == 0 {
        out.push_str(&paint.faint("nothing to show\n"));
        return out;
    }
    let mut columns = lay(bar);
    let Some(width) = options.width else {
        let widest = columns.iter_mut().filter(|c| c.words);
        widest.for_each(|c| c.width = c.width.min(WIDEST));
        return out + &grid(&columns, rows, &paint) + &more(0);
    };
    match options.columns {
        Columns::Stacked if shrink(&mut columns, width) => {
            out + &grid(&columns, rows, &paint) + &more(0)
        }
        Columns::Stacked => stacked(out, &columns, rows, width, &paint) + &more(0),
        Columns::Fitting(first) => {
            if !columns::fits(&columns, width) {
                columns = lay(None);
            }
            let left_out = columns::keep(&mut columns, table, first, width);
            shrink(&mut columns, width);
            out + &grid(&columns, rows, &paint) + &more(left_out)
        }
        Columns::Panels => {
            let panels = columns::panels(&columns, table, width);
            for (place, mut panel) in panels.into_iter().enumerate() {
                if place > 0 {
                    out.push('\n');
                }
                shrink(&mut panel, width);
                out += &grid(&panel, rows, &paint);
            }
            out + &more(0)
        }
    }
}

/// Columns beside each other, with their headings.
fn grid(columns: &[Laid], rows: usize, paint: &Paint) -> String {
    let mut out = String::new();
    let heads: Vec<Vec<String>> = columns.iter().map(|c| wrap(&c.label, c.width)).collect();
    let deep = heads.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..deep {
        let cells = columns.iter().zip(&heads).map(|(c, head)| {
            // Headings stand on the rule, so short ones are pushed down.
            let text = (line + head.len())
                .checked_sub(deep)
                .and_then(|i| head.get(i))
                .map_or("", String::as_str);
            c.pad(text, &paint.faint(text))
        });
        push_line(&mut out, cells);
    }
    push_line(
        &mut out,
        columns.iter().map(|c| paint.faint(&"─".repeat(c.width))),
    );
    for row in 0..rows {
        let cells = columns.iter().map(|c| {
            let text = c.cells.get(row).map_or("", String::as_str);
            let text = if c.bars.is_empty() {
                cut_for_terminal(text, c.width)
            } else {
                text.into()
            };
            let padded = c.pad(&text, &paint.cell(&text));
            match c.bars.get(row) {
                Some(bar) => {
                    let plain = c.width - BAR - 1;
                    let fill = " ".repeat(plain.saturating_sub(terminal_width(&text)));
                    format!("{fill}{} {}", paint.cell(&text), paint.bar(bar))
                }
                None => padded,
            }
        });
        push_line(&mut out, cells);
    }
    out
}

#[derive(Clone)]
struct Laid {
    label: String,
    words: bool,
    width: usize,
    cells: Vec<String>,
    bars: Vec<String>,
}

impl Laid {
    fn new(column: &Column, rows: usize, bar: bool) -> Laid {
        let cells: Vec<String> = (0..rows)
            .map(|r| for_terminal(&format::cell(&column.cells, r)).into_owned())
            .collect();
        let label = for_terminal(&column.label).into_owned();
        let bars: Vec<String> = if bar {
            (0..rows)
                .map(|r| draw_bar(share(&column.cells, r)))
                .collect()
        } else {
            Vec::new()
        };
        let widest = cells.iter().map(|c| terminal_width(c)).max().unwrap_or(0)
            + if bar { BAR + 1 } else { 0 };
        let word = label.split(' ').map(terminal_width).max().unwrap_or(0);
        // A long heading over short cells is set in up to three lines.
        let head = word.max(terminal_width(&label).div_ceil(3)).min(24);
        Laid {
            label,
            words: format::is_words(&column.cells),
            width: widest.max(head).max(1),
            cells,
            bars,
        }
    }

    fn pad(&self, plain: &str, painted: &str) -> String {
        let fill = " ".repeat(self.width.saturating_sub(terminal_width(plain)));
        if self.words {
            format!("{painted}{fill}")
        } else {
            format!("{fill}{painted}")
        }
    }
}

/// Narrows columns of words until the table fits; false when it cannot.
fn shrink(columns: &mut [Laid], width: usize) -> bool {
    let total = |columns: &[Laid]| columns::total(columns.iter().map(|c| c.width));
    while total(columns) > width {
        let Some(widest) = columns
            .iter_mut()
            .filter(|c| c.words && c.width > LEAST)
            .max_by_key(|c| c.width)
        else {
            return false;
        };
        widest.width -= 1;
    }
    true
}

/// One block per row, for terminals narrower than the numbers.
fn stacked(mut out: String, columns: &[Laid], rows: usize, width: usize, paint: &Paint) -> String {
    let label = columns
        .iter()
        .map(|c| terminal_width(&c.label))
        .max()
        .unwrap_or(0)
        .min(width / 2);
    for row in 0..rows {
        out.push_str(&paint.faint(&"─".repeat(width.min(40))));
        out.push('\n');
        for c in columns {
            let head = cut_for_terminal(&c.label, label).into_owned();
            let fill = " ".repeat(label.saturating_sub(terminal_width(&head)));
            let text = c.cells.get(row).map_or("", String::as_str);
            let text = cut_for_terminal(text, width.saturating_sub(label + GAP.len()).max(LEAST));
            out.push_str(&format!(
                "{}{fill}{GAP}{}\n",
                paint.faint(&head),
                paint.cell(&text)
            ));
        }
    }
    out
}

fn push_line(out: &mut String, cells: impl Iterator<Item = String>) {
    let line: Vec<String> = cells.collect();
    out.push_str(line.join(GAP).trim_end());
    out.push('\n');
}

fn share(cells: &Cells, row: usize) -> Option<f64> {
    match cells {
        Cells::Rate(v) => v
            .get(row)
            .copied()
            .flatten()
            .and_then(|r| r.estimate)
            .map(|e| e.value),
        Cells::Share(v) => v.get(row).copied().flatten(),
        _ => None,
    }
}

fn draw_bar(share: Option<f64>) -> String {
    const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let Some(share) = share.filter(|s| s.is_finite()) else {
        return " ".repeat(BAR);
    };
    let eighths = (share.clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1).and_then(|i| EIGHTHS.get(i)) {
        bar.push(*part);
    }
    let fill = BAR - bar.chars().count().min(BAR);
    bar + &" ".repeat(fill)
}

/// Lines of at most `width` columns, broken at blanks; a longer word stands alone and is cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if terminal_width(line) + 1 + terminal_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut_for_terminal(word, width).into_owned()),
        }
    }
    lines
}

fn wrap_into(
    out: &mut String,
    text: &str,
    mark: &str,
    width: Option<usize>,
    paint: impl Fn(&str) -> String,
) {
    let lines = match width {
        Some(w) => wrap(text, w.saturating_sub(mark.len()).max(20)),
        None => vec![text.to_owned()],
    };
    for (i, line) in lines.iter().enumerate() {
        let lead = if i == 0 {
            mark.to_owned()
        } else {
            " ".repeat(mark.len())
        };
        out.push_str(&paint(&format!("{lead}{line}")));
        out.push('\n');
    }
}

struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }
    fn faint(&self, text: &str) -> String {
        self.with("2", text)
    }
    fn warn(&self, text: &str) -> String {
        self.with("33", text)
    }
    fn bar(&self, text: &str) -> String {
        self.with("34", text)
    }
    fn cell(&self, text: &str) -> String {
        let quiet = text == format::MISSING || text.starts_with("too few, n=");
        if quiet {
            self.faint(text)
        } else {
            text.to_owned()
        }
    }
}
