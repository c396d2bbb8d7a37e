use desireline_stats::Estimate;

use super::canvas::{Canvas, Type, n};
use super::palette::Ink;
use super::scale::{Scale, ticks};
use super::{EDGE, ROOMY, head, sane, told, valued};
use crate::format;

/// One rate per row as a bar with its interval: where journeys end without their goal, or where they go on to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DropoffPicture {
    /// What it shows.
    pub title: String,
    /// Base and level, in a line.
    pub note: String,
    /// The touchpoints, in the order to show.
    pub rows: Vec<DropoffRow>,
    /// The rate over all touchpoints, drawn as a line.
    pub overall: Option<f64>,
    /// Whether the bars are losses.
    pub tone: Tone,
}

/// What a bar means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Who left.
    #[default]
    Loss,
    /// Who went on.
    Onward,
}

/// One touchpoint's exits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DropoffRow {
    /// The touchpoint.
    pub label: String,
    /// How many ended here.
    pub exits: u64,
    /// Out of how many.
    pub visits: u64,
    /// The exit rate with its interval.
    pub rate: Option<Estimate>,
}

impl DropoffPicture {
    /// The picture at a width.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let (bar_ink, strong) = match self.tone {
            Tone::Loss => (Ink::LossMid, Ink::Loss),
            Tone::Onward => (Ink::BlueMid, Ink::Blue),
        };
        let mut c = Canvas::new(width);
        let top = head(&mut c, width, &self.title, &self.note) + 22.0;
        // Long names get more room than usual, as far as bars stay readable.
        let label = Type::new(12.0, Ink::Dark);
        let names = self.rows.iter().map(|r| label.width(&r.label));
        let longest = names.fold(0.0, f64::max) + 14.0;
        let usual = (width * 0.24).min(210.0);
        let (left, right) = if roomy {
            (longest.clamp(usual, width * 0.36), width - 250.0)
        } else {
            (0.0, width - EDGE)
        };
        let largest = self
            .rows
            .iter()
            .filter_map(|r| r.rate.map(|e| e.upper))
            .chain(self.overall)
            .fold(0.0, f64::max);
        let scale = Scale::new((0.0, (largest * 1.02).clamp(0.01, 1.0)), (left, right));
        let pitch = if roomy { 25.0 } else { 50.0 };
        let bottom = top + pitch * self.rows.len() as f64;
        let quiet = Type::new(10.5, Ink::Muted);
        for t in ticks(0.0, scale.upper(), 4) {
            let x = scale.at(t);
            if roomy {
                c.line((x, top - 4.0), (x, bottom), Ink::Rule, 1.0);
            } else {
                for i in 0..self.rows.len() {
                    let y = top + pitch * i as f64;
                    c.line((x, y + 16.0), (x, y + 32.0), Ink::Rule, 1.0);
                }
            }
            let tick = if t == 0.0 && !roomy {
                quiet
            } else {
                quiet.middle()
            };
            let tick = if t > 0.0 && x + 16.0 > width {
                quiet.end()
            } else {
                tick
            };
            c.text(
                if t > 0.0 && x + 16.0 > width {
                    width
                } else {
                    x
                },
                top - 9.0,
                &format::tick_percent(t),
                tick,
            );
        }
        let mut y = top;
        for row in &self.rows {
            let (bar_y, h) = if roomy {
                (y + 5.0, 14.0)
            } else {
                (y + 18.0, 12.0)
            };
            if roomy {
                c.name(0.0, y + 16.0, &row.label, left - 12.0, label);
            } else {
                c.name(0.0, y + 13.0, &row.label, width, label);
            }
            let counted = format!(
                "{} of {}",
                format::count(row.exits),
                format::count(row.visits)
            );
            if let Some(e) = &row.rate {
                let x = scale.at(e.value);
                c.rect_told((left, bar_y), (x - left, h), bar_ink.class(), &counted);
                c.whisker(
                    scale.at(e.lower),
                    scale.at(e.upper),
                    bar_y + h / 2.0,
                    3.5,
                    Ink::Dark,
                );
            }
            let (value, interval) = told(row.rate.as_ref(), row.visits);
            if roomy {
                valued(&mut c, (right + 18.0, y + 16.0), &value, &interval, strong);
                c.text(width, y + 16.0, &counted, Type::new(11.0, Ink::Muted).end());
            } else {
                valued(&mut c, (0.0, y + 43.0), &value, &interval, strong);
                c.text(width, y + 43.0, &counted, Type::new(11.0, Ink::Muted).end());
            }
            y += pitch;
        }
        if let Some(all) = self.overall.filter(|o| o.is_finite()) {
            let x = scale.at(all);
            let d = if roomy {
                format!("M{} {}V{}", n(x), n(top - 4.0), n(bottom))
            } else {
                let part = |i: usize| {
                    let y = top + pitch * i as f64;
                    format!("M{} {}V{}", n(x), n(y + 16.0), n(y + 32.0))
                };
                (0..self.rows.len()).map(part).collect()
            };
            c.path(
                &d,
                "dl-ms",
                " stroke-width=\"1.2\" stroke-dasharray=\"3 3\"",
                None,
            );
            let text = format!("all: {}", format::percent(all));
            let room = quiet.width(&text) + 4.0;
            let (x, t) = if x + room > width {
                (x - 4.0, quiet.end())
            } else {
                (x + 4.0, quiet)
            };
            c.text(x, bottom + 12.0, &text, t);
            y += 14.0;
        }
        if self.rows.is_empty() {
            c.text(
                0.0,
                y + 4.0,
                "nothing to show",
                Type::new(12.0, Ink::Muted).italic(),
            );
            y += 12.0;
        }
        c.finish(y + 6.0, &self.title, &self.told())
    }

    fn told(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|r| {
                let rate = r
                    .rate
                    .as_ref()
                    .map_or_else(|| format::too_few(r.visits), format::estimate);
                format!(
                    "{}: {rate}, {} of {}",
                    r.label,
                    format::count(r.exits),
                    format::count(r.visits)
                )
            })
            .collect();
        format!("{}. {}", self.title, rows.join("; "))
    }
}
