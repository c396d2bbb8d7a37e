use desireline_stats::{Estimate, Unit};

use super::canvas::{Canvas, Type, n};
use super::palette::Ink;
use super::scale::{Scale, round_up, ticks, time_ticks};
use super::{ROOMY, head, sane};
use crate::format;

/// Differences between two groups: a dot with its interval per measure, around zero.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonPicture {
    /// What it shows.
    pub title: String,
    /// Level and correction, in a line.
    pub note: String,
    /// The first group: differences are this one minus the second.
    pub group: String,
    /// The group it is compared with.
    pub reference: String,
    /// Differences with q below this are marked.
    pub q_below: f64,
    /// Measures of one unit each.
    pub panels: Vec<ComparisonPanel>,
}

/// Measures that share a scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComparisonPanel {
    /// What they measure.
    pub title: String,
    /// The measures.
    pub rows: Vec<ComparisonRow>,
}

/// One measure's difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComparisonRow {
    /// What is measured.
    pub label: String,
    /// The first group's value as text.
    pub group: String,
    /// The other group's value as text.
    pub reference: String,
    /// First minus other, with its interval.
    pub difference: Option<Estimate>,
    /// The p-value corrected for everything shown.
    pub q: Option<f64>,
    /// Observations in the first group and in the other.
    pub n: (u64, u64),
}

impl ComparisonPicture {
    /// The picture at a width.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let mut c = Canvas::new(width);
        let mut y = head(&mut c, width, &self.title, &self.note) + 6.0;
        let strong = Type::new(11.0, Ink::Dark).bold();
        let quiet = Type::new(11.0, Ink::Muted);
        let half = (width - 20.0) / 2.0;
        y += 4.0;
        c.name(
            0.0,
            y,
            &format!(
                "{} − {}",
                super::canvas::one_line(&self.group),
                super::canvas::one_line(&self.reference)
            ),
            half * 2.0,
            strong,
        );
        y += 8.0;
        for panel in &self.panels {
            y = self.panel(&mut c, y, width, roomy, panel);
        }
        y += 12.0;
        c.dot(5.0, y - 4.0, 4.0, Ink::Blue.class(), "");
        let first = format!("q < {}", format::number(self.q_below));
        c.text(14.0, y, &first, quiet);
        let x = 14.0 + quiet.width(&first) + 16.0;
        c.dot(
            x,
            y - 4.0,
            3.5,
            "dl-ms",
            " fill=\"none\" stroke-width=\"1.4\"",
        );
        c.text(x + 9.0, y, "could be chance", quiet);
        c.finish(y + 8.0, &self.title, &self.told())
    }

    fn panel(
        &self,
        c: &mut Canvas,
        y: f64,
        width: f64,
        roomy: bool,
        panel: &ComparisonPanel,
    ) -> f64 {
        let quiet = Type::new(10.5, Ink::Muted);
        let differences = || panel.rows.iter().filter_map(|r| r.difference.as_ref());
        let unit = differences().next().map(|e| e.unit);
        let (left, right) = if roomy {
            ((width * 0.24).min(210.0), width - 345.0)
        } else {
            (8.0, width - 8.0)
        };
        // One very wide interval must not flatten the others: whiskers beyond the axis end in an arrow.
        let reach = reach(differences());
        let time = unit == Some(Unit::Microseconds);
        let marks = if time {
            time_ticks(reach, if roomy { 2 } else { 1 })
        } else {
            Vec::new()
        };
        let scale = Scale::new((-reach, reach), (left, right));
        let mut y = y + 16.0;
        if !panel.title.is_empty() {
            c.text(0.0, y, &panel.title, Type::new(12.5, Ink::Dark).bold());
            if !roomy {
                y += 16.0;
            }
        }
        let pitch = if roomy { 32.0 } else { 64.0 };
        let top = y + 8.0;
        let bottom = top + pitch * panel.rows.len() as f64;
        let marks = if time {
            marks
                .iter()
                .flat_map(|t| if *t > 0.0 { vec![-t, *t] } else { vec![0.0] })
                .collect()
        } else {
            ticks(-reach, reach, if roomy { 4 } else { 2 })
        };
        for t in marks {
            let x = scale.at(t);
            let (ink, stroke) = if t == 0.0 {
                (Ink::Muted, 1.2)
            } else {
                (Ink::Rule, 1.0)
            };
            c.line((x, top), (x, bottom), ink, stroke);
            let held = if !roomy && x > right - 20.0 {
                quiet.end()
            } else if !roomy && x < left + 20.0 {
                quiet
            } else {
                quiet.middle()
            };
            c.text(x, y + 3.0, &tick(t, unit), held);
        }
        if roomy {
            let x = width - 306.0;
            c.text(x, y + 3.0, "difference", quiet);
            c.text(width - 98.0, y + 3.0, "q", quiet.end());
            c.text(width, y + 3.0, "n", quiet.end());
        }
        for (i, row) in panel.rows.iter().enumerate() {
            let row_y = top + pitch * i as f64;
            self.row(c, (row_y, width, roomy), (&scale, reach), row);
        }
        bottom + 6.0
    }

    fn row(
        &self,
        c: &mut Canvas,
        (y, width, roomy): (f64, f64, bool),
        (scale, reach): (&Scale, f64),
        row: &ComparisonRow,
    ) {
        let quiet = Type::new(10.5, Ink::Muted);
        let sure = row.q.is_some_and(|q| q < self.q_below);
        let ink = if sure { Ink::Blue } else { Ink::Muted };
        let label = Type::new(12.0, Ink::Dark);
        let line = if roomy { y + 16.0 } else { y + 31.0 };
        let pair = format!("{} − {}", row.group, row.reference);
        if roomy {
            c.name(0.0, y + 15.0, &row.label, scale.at(-reach) - 14.0, label);
            if !row.group.is_empty() {
                c.name(
                    0.0,
                    y + 26.5,
                    &pair,
                    scale.at(-reach) - 14.0,
                    Type::new(9.5, Ink::Muted),
                );
            }
        } else {
            let room = width
                - if row.group.is_empty() {
                    0.0
                } else {
                    quiet.width(&pair) + 10.0
                };
            c.name(0.0, y + 15.0, &row.label, room.max(width * 0.4), label);
            if !row.group.is_empty() && room >= width * 0.4 {
                c.text(width, y + 15.0, &pair, quiet.end());
            }
        }
        let n = format!("{} / {}", format::count(row.n.0), format::count(row.n.1));
        let q = row.q.map_or_else(String::new, format::probability);
        let told = match &row.difference {
            Some(e) => {
                draw(c, scale, reach, line, e, sure, ink);
                format::difference(e)
            }
            None => format!(
                "too few, n={} / {}",
                format::count(row.n.0),
                format::count(row.n.1)
            ),
        };
        let number = Type::new(11.0, if sure { Ink::Blue } else { Ink::Dark });
        let number = if sure { number.bold() } else { number };
        if roomy {
            c.text(width - 306.0, y + 20.0, &told, number);
            c.text(width - 98.0, y + 20.0, &q, Type::new(11.0, Ink::Dark).end());
            if row.difference.is_some() {
                let (a, b) = (
                    format!("{} /", format::count(row.n.0)),
                    format::count(row.n.1),
                );
                if quiet.width(&n) <= 92.0 {
                    c.text(width, y + 20.0, &n, quiet.end());
                } else {
                    c.text(width, y + 14.0, &a, quiet.end());
                    c.text(width, y + 26.5, &b, quiet.end());
                }
            }
        } else {
            c.text(0.0, y + 51.0, &told, number);
            let more = if q.is_empty() {
                format!("n {n}")
            } else {
                format!("q {q} · n {n}")
            };
            if row.difference.is_some() && number.width(&told) + quiet.width(&more) + 8.0 <= width {
                c.text(width, y + 51.0, &more, quiet.end());
            }
        }
    }

    fn told(&self) -> String {
        let rows: Vec<String> = self
            .panels
            .iter()
            .flat_map(|p| &p.rows)
            .map(|r| {
                let difference = r
                    .difference
                    .as_ref()
                    .map_or_else(|| "too few".to_owned(), format::difference);
                let q =
                    r.q.map(|q| format!(", q {}", format::probability(q)))
                        .unwrap_or_default();
                format!("{}: {difference}{q}", r.label)
            })
            .collect();
        format!(
            "Differences, {} minus {}. {}",
            self.group,
            self.reference,
            rows.join("; ")
        )
    }
}

fn draw(c: &mut Canvas, scale: &Scale, reach: f64, y: f64, e: &Estimate, sure: bool, ink: Ink) {
    let class = format!("{}s", ink.class());
    let d = format!(
        "M{} {}H{}",
        n(scale.at(e.lower)),
        n(y),
        n(scale.at(e.upper))
    );
    c.path(
        &d,
        &class,
        if sure {
            " stroke-width=\"2.4\""
        } else {
            " stroke-width=\"1.6\""
        },
        None,
    );
    for (beyond, x, way) in [
        (e.lower < -reach, scale.at(-reach), 1.0),
        (e.upper > reach, scale.at(reach), -1.0),
    ] {
        if beyond {
            let d = format!(
                "M{} {}L{} {}L{} {}",
                n(x + 5.0 * way),
                n(y - 4.0),
                n(x),
                n(y),
                n(x + 5.0 * way),
                n(y + 4.0)
            );
            c.path(&d, &class, " stroke-width=\"1.4\"", None);
        }
    }
    if e.value.abs() <= reach {
        if sure {
            c.dot(scale.at(e.value), y, 4.5, ink.class(), "");
        } else {
            c.dot(scale.at(e.value), y, 4.0, Ink::Paper.class(), "");
            c.dot(scale.at(e.value), y, 4.0, &class, " stroke-width=\"1.6\"");
        }
    }
}

/// How far the axis goes on either side: all values, and the whiskers unless they are far longer than the values.
fn reach<'a>(estimates: impl Iterator<Item = &'a Estimate>) -> f64 {
    let mut values: Vec<(f64, f64)> = estimates
        .map(|e| (e.value.abs(), e.lower.abs().max(e.upper.abs())))
        .collect();
    values.sort_by(|a, b| a.1.total_cmp(&b.1));
    let largest = values.iter().map(|v| v.0).fold(0.0, f64::max);
    let middle = values.get(values.len() / 2).map_or(1.0, |v| v.1);
    let ends = values.last().map_or(1.0, |v| v.1);
    round_up(ends.min((largest * 1.15).max(middle * 2.5)))
}

fn tick(x: f64, unit: Option<Unit>) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    let sign = if x > 0.0 { "+" } else { "−" };
    match unit {
        Some(Unit::Microseconds) => format!("{sign}{}", format::duration(x.abs().round() as i64)),
        Some(Unit::ProportionDifference | Unit::Proportion) => {
            format!("{sign}{} pts", format::number(x.abs() * 100.0))
        }
        _ => format!("{sign}{}", format::number(x.abs())),
    }
}
