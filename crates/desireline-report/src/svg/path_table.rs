use std::collections::{BTreeMap, BTreeSet, HashMap};

use desireline_stats::Estimate;

use super::canvas::{Canvas, Type, n, one_line};
use super::measure;
use super::palette::{Ink, TINTS};
use super::scale::{Scale, share_top};
use super::{ROOMY, head, sane, told, valued};
use crate::format;

/// The most frequent paths as rows of coloured chevrons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathTablePicture {
    /// What it shows.
    pub title: String,
    /// Base, rule and level, in a line.
    pub note: String,
    /// The heading over the rates: `goal reached`; empty when there is no goal.
    pub goal: String,
    /// The paths, the most frequent first.
    pub rows: Vec<PathRow>,
    /// All paths that are not listed: how many distinct, and their row.
    pub other: Option<(u64, PathRow)>,
}

/// One path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathRow {
    /// The touchpoints, in order.
    pub path: Vec<String>,
    /// How many journeys took it.
    pub count: u64,
    /// Their share of all journeys.
    pub share: f64,
    /// Of these, the share that reached the goal.
    pub goal: Option<Estimate>,
    /// How many journeys that rate stands on.
    pub goal_n: u64,
    /// Words in place of the rate where it is not an estimate.
    pub note: String,
}

impl PathRow {
    fn goal_words(&self) -> (String, String) {
        if self.goal.is_none() && !self.note.is_empty() {
            (String::new(), self.note.clone())
        } else {
            told(self.goal.as_ref(), self.goal_n)
        }
    }
}

/// A chevron: a name and how often it comes in a row.
struct Link<'a> {
    name: &'a str,
    times: usize,
}

const HEIGHT: f64 = 20.0;
const POINT: f64 = 6.0;
/// A path takes this many lines at most.
const LINES: usize = 3;

impl PathTablePicture {
    /// The picture at a width.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let tints = self.tints();
        let mut c = Canvas::new(width);
        let mut y = head(&mut c, width, &self.title, &self.note) + 10.0;
        let has_goal = !self.goal.is_empty();
        // Columns of the numbers, from the right: interval, goal, share.
        let goal_width = if has_goal { 214.0 } else { 0.0 };
        let numbers = 130.0 + goal_width;
        let room = if roomy { width - numbers - 12.0 } else { width };
        let rows = || self.rows.iter().chain(self.other.as_ref().map(|(_, r)| r));
        let top = self.rows.iter().map(|r| r.share).fold(0.0, f64::max);
        let (x_share, x_goal) = (width - numbers, width - goal_width);
        let quiet = Type::new(10.5, Ink::Muted);
        let goal_top = share_top(
            rows()
                .filter_map(|r| r.goal.map(|e| e.upper))
                .fold(0.0, f64::max),
        );
        if roomy {
            c.text(x_share, y, "journeys", quiet);
            if has_goal {
                c.text(
                    x_goal,
                    y,
                    &measure::cut(&one_line(&self.goal), goal_width, 10.5, false),
                    quiet,
                );
            }
            y += 8.0;
        }
        let line = Scale::new((0.0, goal_top), (x_goal, x_goal + 90.0));
        let draw_numbers = |c: &mut Canvas, y: f64, row: &PathRow, muted: bool| {
            if roomy {
                let bar = Scale::new((0.0, top), (x_share, x_share + 44.0));
                if !muted {
                    c.rect(
                        (x_share, y + 4.0),
                        (bar.at(row.share) - x_share, 12.0),
                        Ink::BlueMid.class(),
                    );
                }
                c.text(
                    x_share + 50.0,
                    y + 10.0,
                    &format::percent(row.share),
                    Type::new(11.0, Ink::Dark).bold(),
                );
                c.text(
                    x_share + 50.0,
                    y + 21.0,
                    &format::count(row.count),
                    Type::new(9.5, Ink::Muted),
                );
                if has_goal {
                    c.line(
                        (x_goal, y + 10.0),
                        (x_goal + 90.0, y + 10.0),
                        Ink::Rule,
                        3.0,
                    );
                    interval(c, &line, y + 10.0, row.goal.as_ref());
                    let (value, interval) = row.goal_words();
                    valued(c, (x_goal + 98.0, y + 14.0), &value, &interval, Ink::Goal);
                }
            } else {
                let bar = Scale::new((0.0, top), (0.0, 40.0));
                if !muted {
                    c.rect(
                        (0.0, y + 3.0),
                        (bar.at(row.share), 9.0),
                        Ink::BlueMid.class(),
                    );
                }
                let strong = Type::new(11.0, Ink::Dark).bold();
                let text = format::percent(row.share);
                c.text(46.0, y + 12.0, &text, strong);
                c.text(
                    52.0 + strong.width(&text),
                    y + 12.0,
                    &format::count(row.count),
                    quiet,
                );
                if has_goal {
                    let (value, interval) = row.goal_words();
                    let mark = Type::new(12.5, Ink::Goal).bold();
                    let x = width
                        - mark.width(&value)
                        - Type::new(11.0, Ink::Muted).width(&interval)
                        - 5.0;
                    valued(c, (x, y + 12.0), &value, &interval, Ink::Goal);
                }
            }
        };
        for row in &self.rows {
            let used = chevrons(&mut c, (0.0, y), room, &row.path, &tints);
            let numbers_y = if roomy { y } else { y + used };
            draw_numbers(&mut c, numbers_y, row, false);
            y += if roomy {
                used.max(24.0) + 6.0
            } else {
                used + 22.0
            };
        }
        if let Some((distinct, row)) = &self.other {
            c.line((0.0, y), (width, y), Ink::Rule, 1.0);
            y += 5.0;
            let text = format!("{} other paths", format::count(*distinct));
            c.text(0.0, y + 14.0, &text, Type::new(12.0, Ink::Muted).italic());
            if !roomy {
                y += 18.0;
            }
            draw_numbers(&mut c, y, row, true);
            y += 26.0;
        }
        c.finish(y + 4.0, &self.title, &self.words())
    }

    /// One tint per name: the names on most journeys get the most distinct tints.
    fn tints(&self) -> HashMap<&str, usize> {
        let mut weights: BTreeMap<&str, u64> = BTreeMap::new();
        for row in &self.rows {
            let names: BTreeSet<&str> = row.path.iter().map(String::as_str).collect();
            for name in names {
                let weight = weights.entry(name).or_default();
                *weight = weight.saturating_add(row.count);
            }
        }
        let mut names: Vec<(&str, u64)> = weights.into_iter().collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        names
            .into_iter()
            .enumerate()
            .map(|(i, (name, _))| (name, i.min(TINTS.len() - 1)))
            .collect()
    }

    fn words(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|r| {
                let goal = r
                    .goal
                    .as_ref()
                    .map(|e| format!(", goal {}", format::estimate(e)))
                    .unwrap_or_default();
                format!(
                    "{}: {} ({}){goal}",
                    r.path.join(format::STEP),
                    format::count(r.count),
                    format::percent(r.share)
                )
            })
            .collect();
        format!("The most frequent paths. {}", rows.join("; "))
    }
}

fn interval(c: &mut Canvas, scale: &Scale, y: f64, e: Option<&Estimate>) {
    if let Some(e) = e {
        let d = format!(
            "M{} {}H{}",
            n(scale.at(e.lower)),
            n(y),
            n(scale.at(e.upper))
        );
        c.path(&d, "dl-gs", " stroke-width=\"3\"", None);
        c.dot(scale.at(e.value), y, 3.5, "dl-g", "");
    }
}

/// The path as chevrons, broken into lines; the height used.
fn chevrons(
    c: &mut Canvas,
    (x0, y0): (f64, f64),
    room: f64,
    path: &[String],
    tints: &HashMap<&str, usize>,
) -> f64 {
    let t = Type::new(11.0, Ink::Dark).class("dl-on");
    let quiet = Type::new(11.0, Ink::Muted);
    let mut links: Vec<Link<'_>> = Vec::new();
    for name in path {
        match links.last_mut() {
            Some(l) if l.name == name => l.times += 1,
            _ => links.push(Link { name, times: 1 }),
        }
    }
    if links.is_empty() {
        c.text(x0, y0 + 14.0, "(no touchpoint)", quiet.italic());
        return HEIGHT;
    }
    let widest = (room * 0.45).min(150.0);
    let (mut x, mut y, mut line) = (x0, y0, 1);
    for (i, link) in links.iter().enumerate() {
        let times = if link.times > 1 {
            format!("×{}", link.times)
        } else {
            String::new()
        };
        let text_room = widest - 2.0 * POINT - 8.0;
        let name = measure::cut(
            &one_line(link.name),
            text_room - t.width(&times) - 3.0,
            t.size,
            false,
        );
        let w = t.width(&name)
            + if times.is_empty() {
                0.0
            } else {
                t.width(&times) + 3.0
            }
            + 2.0 * POINT
            + 8.0;
        let rest = links.len() - i;
        let more = format!("+{rest} more");
        // On the last line the words for what is left out must fit too.
        let needed = if line == LINES && rest > 1 {
            w + quiet.width(&more) + 6.0
        } else {
            w
        };
        if x + needed > x0 + room && x > x0 {
            if line == LINES {
                c.text(x + 8.0, y + 14.0, &more, quiet);
                return y + HEIGHT - y0;
            }
            line += 1;
            x = x0;
            y += HEIGHT + 3.0;
        }
        let tint = tints.get(link.name).copied().unwrap_or(TINTS.len() - 1);
        let (right, mid) = (x + w, y + HEIGHT / 2.0);
        let notch = if i == 0 { x } else { x + POINT };
        let d = format!(
            "M{} {}H{}L{} {}L{} {}H{}L{} {}Z",
            n(x),
            n(y),
            n(right - POINT),
            n(right),
            n(mid),
            n(right - POINT),
            n(y + HEIGHT),
            n(x),
            n(notch),
            n(mid)
        );
        let tip = format!("{} {times}", link.name);
        c.path(&d, &format!("dl-t{tint}"), "", Some(&tip));
        c.name(x + POINT + 4.0, y + 14.0, &name, text_room, t);
        if !times.is_empty() {
            c.text(x + POINT + 7.0 + t.width(&name), y + 14.0, &times, t);
        }
        x = right - POINT + 3.0;
    }
    y + HEIGHT - y0
}
