use desireline_stats::Estimate;

use super::canvas::{Canvas, Type, n};
use super::palette::Ink;
use super::{ROOMY, head, sane};
use crate::format;

/// Cohorts as a triangle: a row for each, a column for each period, the share retained as number and shade.
///
/// Cells of periods that are not over are hatched, those not begun are blank: neither has a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetentionPicture {
    /// What it shows.
    pub title: String,
    /// The question and the level, in a line.
    pub note: String,
    /// What the columns count: `week`.
    pub unit: String,
    /// The columns' short names: `3`, or `4–7`.
    pub columns: Vec<String>,
    /// All cohorts together, above the others.
    pub overall: Option<RetentionRow>,
    /// The cohorts, in the order to show.
    pub rows: Vec<RetentionRow>,
    /// How many earlier cohorts are left out.
    pub hidden: usize,
}

/// One cohort.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetentionRow {
    /// When it started.
    pub label: String,
    /// How many customers.
    pub customers: u64,
    /// Column by column.
    pub cells: Vec<RetentionCell>,
}

/// One cohort in one period.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RetentionCell {
    /// The periods have not begun.
    #[default]
    NotBegun,
    /// They have begun and are not over.
    Incomplete {
        /// Customers retained so far.
        retained: u64,
        /// Customers of the cohort.
        n: u64,
    },
    /// They are over.
    Complete {
        /// Customers retained.
        retained: u64,
        /// Customers of the cohort.
        n: u64,
        /// The share with its interval; absent where they are too few.
        rate: Option<Estimate>,
    },
}

/// The height of a row.
const PITCH: f64 = 22.0;
/// No column is narrower: a number has to fit.
const COLUMN: f64 = 21.0;
/// The strongest shade. Dark text stands on it well, also light text in the dark.
const SHADE: f64 = 0.5;

impl RetentionPicture {
    /// The picture at a width.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let mut c = Canvas::new(width);
        let top = head(&mut c, width, &self.title, &self.note) + 14.0;
        let (label, left) = if roomy { (84.0, 150.0) } else { (66.0, 108.0) };
        let fits = ((width - left) / COLUMN).floor().max(1.0) as usize;
        let shown = self.columns.len().min(fits);
        let pitch = ((width - left) / shown.max(1) as f64).min(56.0);
        // The period of the start stands far above the others, which shades have to tell apart.
        let from = usize::from(shown > 1 && self.columns.first().is_some_and(|c| c == "0"));
        let cells = self
            .all()
            .flat_map(|r| r.cells.iter().take(shown).skip(from));
        let highest = cells.filter_map(share).fold(0.0, f64::max);
        let scale = Shades {
            highest,
            decimals: highest < 0.195 && pitch >= 24.0,
        };
        let quiet = Type::new(10.0, Ink::Muted);
        c.text(0.0, top, "started", quiet);
        c.text(left - 10.0, top, "customers", quiet.end());
        for (i, name) in self.columns.iter().take(shown).enumerate() {
            let x = left + pitch * (i as f64 + 0.5);
            c.text(x, top, name, quiet.middle());
        }
        let mut y = top + 7.0;
        if let Some(all) = &self.overall {
            self.row(&mut c, all, y, (label, left), (pitch, shown), &scale, true);
            y += PITCH + 5.0;
        }
        for row in &self.rows {
            self.row(&mut c, row, y, (label, left), (pitch, shown), &scale, false);
            y += PITCH;
        }
        if self.rows.is_empty() {
            let quiet = Type::new(12.0, Ink::Muted).italic();
            c.text(0.0, y + 15.0, "nobody started", quiet);
            y += PITCH;
        }
        y = c.paragraph(0.0, y + 16.0, &self.legend(shown), width, quiet);
        c.finish(y, &self.title, &self.told())
    }

    fn all(&self) -> impl Iterator<Item = &RetentionRow> {
        self.overall.iter().chain(&self.rows)
    }

    #[allow(clippy::too_many_arguments)] // places, all of them
    fn row(
        &self,
        c: &mut Canvas,
        row: &RetentionRow,
        y: f64,
        (label, left): (f64, f64),
        (pitch, shown): (f64, usize),
        scale: &Shades,
        strong: bool,
    ) {
        let name = Type::new(11.5, Ink::Dark);
        let name = if strong { name.bold() } else { name };
        c.name(0.0, y + 15.0, &row.label, label - 6.0, name);
        let count = Type::new(10.5, Ink::Muted).end();
        let customers = if row.customers > 0 {
            format::count(row.customers)
        } else {
            String::new()
        };
        c.text(left - 10.0, y + 15.0, &customers, count);
        for (i, cell) in row.cells.iter().take(shown).enumerate() {
            let x = left + pitch * i as f64;
            let (w, h) = (pitch - 1.5, PITCH - 1.5);
            let column = self.columns.get(i).map_or("", String::as_str);
            let place = format!("{}, {} {column}", row.label, self.unit);
            let boxed = format!("M{} {}h{}v{}h-{}z", n(x), n(y), n(w), n(h), n(w));
            match cell {
                RetentionCell::NotBegun => {}
                RetentionCell::Incomplete { retained, n } => {
                    let tip = format!(
                        "{place}: {} of {} so far, not over",
                        format::count(*retained),
                        format::count(*n)
                    );
                    c.path(
                        &boxed,
                        Ink::GreyPale.class(),
                        " fill-opacity=\"0.35\"",
                        Some(&tip),
                    );
                    let lines = hatch((x, y), (w, h));
                    c.path(
                        &lines,
                        "dl-ms",
                        " stroke-width=\"0.7\" stroke-opacity=\"0.55\"",
                        None,
                    );
                }
                RetentionCell::Complete { retained, n, rate } => {
                    let counted = format!("{} of {}", format::count(*retained), format::count(*n));
                    let middle = Type::new(10.5, Ink::Dark).middle();
                    let middle = if strong { middle.bold() } else { middle };
                    let at = (x + w / 2.0, y + 14.5);
                    match rate {
                        Some(rate) => {
                            let tip = format!("{place}: {}, {counted}", format::estimate(rate));
                            let shade =
                                format!(" fill-opacity=\"{:.3}\"", scale.opacity(rate.value));
                            c.path(&boxed, Ink::Blue.class(), &shade, Some(&tip));
                            c.text(at.0, at.1, &scale.number(rate.value), middle);
                        }
                        None => {
                            let tip = format!("{place}: {}", format::too_few(*n));
                            c.path(
                                &boxed,
                                Ink::GreyPale.class(),
                                " fill-opacity=\"0.6\"",
                                Some(&tip),
                            );
                            let quiet = Type::new(10.5, Ink::Muted).middle();
                            c.text(at.0, at.1, "–", quiet);
                        }
                    }
                }
            }
        }
    }

    fn legend(&self, shown: usize) -> String {
        let any =
            |wanted: fn(&RetentionCell) -> bool| self.all().flat_map(|r| &r.cells).any(wanted);
        let mut parts = vec![format!(
            "Numbers are per cent; {}s run from left to right",
            self.unit
        )];
        if any(|c| matches!(c, RetentionCell::Incomplete { .. })) {
            parts.push("hatched: not over, in no rate".to_owned());
        }
        if any(|c| *c == RetentionCell::NotBegun) {
            parts.push("blank: not begun".to_owned());
        }
        if any(|c| matches!(c, RetentionCell::Complete { rate: None, .. })) {
            parts.push("–: too few".to_owned());
        }
        if shown < self.columns.len() {
            parts.push(format!(
                "the first {shown} of {} columns",
                self.columns.len()
            ));
        }
        if self.hidden > 0 {
            let all = self.hidden + self.rows.len();
            parts.push(format!("the last {} of {all} cohorts", self.rows.len()));
        }
        format!("{}.", parts.join("; "))
    }

    fn told(&self) -> String {
        let cell = |(column, cell): (&String, &RetentionCell)| match cell {
            RetentionCell::Complete {
                rate: Some(rate), ..
            } => Some(format!("{} {column} {}", self.unit, format::value(rate))),
            RetentionCell::Complete { n, .. } => {
                Some(format!("{} {column} {}", self.unit, format::too_few(*n)))
            }
            RetentionCell::Incomplete { .. } => Some(format!("{} {column} not over", self.unit)),
            RetentionCell::NotBegun => None,
        };
        let row = |r: &RetentionRow| {
            let cells: Vec<String> = self.columns.iter().zip(&r.cells).filter_map(cell).collect();
            format!(
                "{}, {}: {}",
                r.label,
                format::counted(r.customers, "customer"),
                cells.join(", ")
            )
        };
        let rows: Vec<String> = self.all().map(row).collect();
        format!("{}. {}", self.title, rows.join("; "))
    }
}

/// From shares to shades and numbers.
struct Shades {
    highest: f64,
    /// Small shares differ only after the point.
    decimals: bool,
}

impl Shades {
    fn opacity(&self, share: f64) -> f64 {
        0.04 + (SHADE - 0.04) * (share / self.highest.max(1e-9)).min(1.0)
    }

    fn number(&self, share: f64) -> String {
        let percent = share * 100.0;
        if self.decimals {
            format!("{percent:.1}")
        } else {
            format!("{percent:.0}")
        }
    }
}

fn share(cell: &RetentionCell) -> Option<f64> {
    match cell {
        RetentionCell::Complete { rate, .. } => rate.map(|r| r.value),
        _ => None,
    }
}

/// Slanted lines inside a box.
fn hatch((x, y): (f64, f64), (w, h): (f64, f64)) -> String {
    const APART: f64 = 6.0;
    let mut lines = String::new();
    let mut at = APART - h;
    while at < w {
        // From the lower edge up to the right; cut at the box's sides.
        let (from, to) = (at.max(0.0), (at + h).min(w));
        let up = |along: f64| y + h - (along - at);
        lines.push_str(&format!(
            "M{} {}L{} {}",
            n(x + from),
            n(up(from)),
            n(x + to),
            n(up(to))
        ));
        at += APART;
    }
    lines
}
