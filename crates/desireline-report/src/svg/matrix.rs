use super::canvas::{Canvas, Type, n};
use super::palette::Ink;
use super::{ROOMY, head, sane};

/// Rows by columns, each cell a number and a shade: who comes before whom, or hours by days of the week.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatrixPicture {
    /// What it shows.
    pub title: String,
    /// Base and level, in a line.
    pub note: String,
    /// What the rows are.
    pub corner: String,
    /// The columns' short names.
    pub columns: Vec<String>,
    /// The rows, in the order to show.
    pub rows: Vec<MatrixRow>,
    /// How to read the shades, in a sentence without its full stop.
    pub legend: String,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatrixRow {
    /// Its name.
    pub label: String,
    /// A figure beside the name, such as its total; may be empty.
    pub figure: String,
    /// Column by column.
    pub cells: Vec<MatrixCell>,
}

/// One cell; nothing is drawn where there is neither text nor tip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatrixCell {
    /// The number in it.
    pub text: String,
    /// The whole of what is known, for whoever points at it.
    pub tip: String,
    /// What the shade means.
    pub tone: MatrixTone,
    /// How dark it is, from 0 to 1.
    pub shade: f64,
}

/// What the shade of a cell means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatrixTone {
    /// Many.
    #[default]
    More,
    /// Few, or the other way round.
    Less,
    /// Not sure: grey, and its number in italics.
    Unsure,
}

/// The height of a row.
const PITCH: f64 = 20.0;
/// No column is narrower.
const LEAST: f64 = 8.0;
/// A number has room from here on.
const NUMBER: f64 = 22.0;
/// The strongest shade. Dark text stands on it well, also light text in the dark.
const SHADE: f64 = 0.5;

impl MatrixPicture {
    /// The picture at a width.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let mut c = Canvas::new(width);
        let top = head(&mut c, width, &self.title, &self.note) + 14.0;
        let figures = self.rows.iter().any(|r| !r.figure.is_empty());
        let label = if roomy { 150.0 } else { 78.0 };
        let left = match (figures, roomy) {
            (false, _) => label + 8.0,
            (true, true) => label + 70.0,
            (true, false) => label + 50.0,
        };
        let fits = ((width - left) / LEAST).floor().max(1.0) as usize;
        let shown = self.columns.len().min(fits);
        let pitch = ((width - left) / shown.max(1) as f64).min(38.0);
        let quiet = Type::new(10.0, Ink::Muted);
        c.name(0.0, top, &self.corner, label - 6.0, quiet);
        // Where headings would run into each other, only some are shown.
        let widest = self.columns.iter().take(shown).map(|t| quiet.width(t));
        let every = ((widest.fold(0.0, f64::max) + 4.0) / pitch.max(1.0))
            .ceil()
            .max(1.0);
        for (i, name) in self.columns.iter().take(shown).enumerate() {
            if i % every as usize == 0 {
                let x = left + pitch * (i as f64 + 0.5);
                c.text(x, top, name, quiet.middle());
            }
        }
        let mut y = top + 7.0;
        for row in &self.rows {
            c.name(
                0.0,
                y + 14.0,
                &row.label,
                label - 6.0,
                Type::new(11.5, Ink::Dark),
            );
            let figure = Type::new(10.5, Ink::Muted).end();
            c.text(left - 8.0, y + 14.0, &row.figure, figure);
            for (i, cell) in row.cells.iter().take(shown).enumerate() {
                draw(&mut c, cell, (left + pitch * i as f64, y), pitch);
            }
            y += PITCH;
        }
        if self.rows.is_empty() {
            let quiet = Type::new(12.0, Ink::Muted).italic();
            c.text(0.0, y + 15.0, "nothing to show", quiet);
            y += PITCH;
        }
        y = c.paragraph(0.0, y + 16.0, &self.legend(shown), width, quiet);
        c.finish(y, &self.title, &self.told())
    }

    fn legend(&self, shown: usize) -> String {
        let mut parts = Vec::new();
        if !self.legend.is_empty() {
            parts.push(self.legend.clone());
        }
        if shown < self.columns.len() {
            let all = self.columns.len();
            parts.push(format!("the first {shown} of {all} columns"));
        }
        match parts.is_empty() {
            true => String::new(),
            false => format!("{}.", parts.join("; ")),
        }
    }

    fn told(&self) -> String {
        let row = |r: &MatrixRow| {
            let cells = self.columns.iter().zip(&r.cells);
            let cells: Vec<String> = cells
                .filter(|(_, cell)| !cell.text.is_empty())
                .map(|(column, cell)| format!("{column} {}", cell.text))
                .collect();
            format!("{}: {}", r.label, cells.join(", "))
        };
        let rows: Vec<String> = self.rows.iter().map(row).collect();
        format!("{}. {}", self.title, rows.join("; "))
    }
}

fn draw(c: &mut Canvas, cell: &MatrixCell, (x, y): (f64, f64), pitch: f64) {
    if cell.text.is_empty() && cell.tip.is_empty() {
        return;
    }
    let apart = if pitch < NUMBER { 0.8 } else { 1.5 };
    let (w, h) = (pitch - apart, PITCH - 1.5);
    let boxed = format!("M{} {}h{}v{}h-{}z", n(x), n(y), n(w), n(h), n(w));
    let shade = match cell.shade.is_finite() {
        true => 0.05 + (SHADE - 0.05) * cell.shade.clamp(0.0, 1.0),
        false => 0.05,
    };
    let (ink, shade) = match cell.tone {
        MatrixTone::More => (Ink::Blue, shade),
        MatrixTone::Less => (Ink::Loss, shade),
        MatrixTone::Unsure => (Ink::GreyPale, 0.6),
    };
    let opacity = format!(" fill-opacity=\"{shade:.3}\"");
    c.path(&boxed, ink.class(), &opacity, Some(&cell.tip));
    if pitch >= NUMBER {
        let number = Type::new(10.5, Ink::Dark).middle();
        let number = match cell.tone {
            MatrixTone::Unsure => Type::new(10.5, Ink::Muted).middle().italic(),
            _ => number,
        };
        c.text(x + w / 2.0, y + 13.5, &cell.text, number);
    }
}
