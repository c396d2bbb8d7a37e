use super::canvas::{Canvas, Type, n, one_line};
use super::measure;
use super::palette::{Ink, LINES};
use super::scale::{Scale, share_top, ticks, time_ticks};
use super::{ROOMY, head, sane};
use crate::format;

/// How long it takes: the share that reached the goal by each time, one step curve with its band per group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurvePicture {
    /// What it shows.
    pub title: String,
    /// Base, method and level, in a line.
    pub note: String,
    /// The words for the vertical axis: `reached purchase`.
    pub axis: String,
    /// The groups; more than six are not drawn.
    pub groups: Vec<CurveGroup>,
}

/// One group's curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurveGroup {
    /// The group.
    pub label: String,
    /// How many journeys it has.
    pub n: u64,
    /// The steps, in order of time.
    pub points: Vec<CurvePoint>,
    /// The median time, in microseconds, where half reach the goal.
    pub median: Option<i64>,
}

/// From this time on the curve has this value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CurvePoint {
    /// The time since the start, in microseconds.
    pub time: i64,
    /// The share that reached the goal by then.
    pub value: f64,
    /// Lower end of the band.
    pub lower: f64,
    /// Upper end of the band.
    pub upper: f64,
    /// How many were still without the goal and observed just before.
    pub at_risk: u64,
}

impl CurvePicture {
    /// The picture at a width.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let groups: Vec<&CurveGroup> = self.groups.iter().take(LINES.len()).collect();
        let mut c = Canvas::new(width);
        let mut y = head(&mut c, width, &self.title, &self.note) + 6.0;
        let quiet = Type::new(10.5, Ink::Muted);
        c.text(
            0.0,
            y,
            &measure::cut(&one_line(&self.axis), width, 10.5, false),
            quiet,
        );
        y += 8.0;
        let label = Type::new(11.5, Ink::Dark).bold();
        let names: Vec<String> = groups.iter().map(|g| one_line(&g.label)).collect();
        let widest = names
            .iter()
            .map(|t| label.width(t))
            .fold(0.0, f64::max)
            .clamp(96.0, 170.0);
        let (left, right) = (
            40.0,
            if roomy {
                width - widest - 12.0
            } else {
                width - 8.0
            },
        );
        if !roomy {
            y = legend(&mut c, y + 8.0, width, &groups, &names);
        }
        let (top, bottom) = (y + 6.0, y + if roomy { 236.0 } else { 186.0 });
        let last = groups
            .iter()
            .filter_map(|g| g.points.last())
            .map(|p| p.time)
            .max()
            .unwrap_or(0)
            .max(1) as f64;
        let largest = groups
            .iter()
            .flat_map(|g| &g.points)
            .map(|p| p.upper)
            .fold(0.0, f64::max);
        let across = Scale::new((0.0, last), (left, right));
        let up = Scale::new((0.0, share_top(largest)), (bottom, top));
        for t in ticks(0.0, up.upper(), 4) {
            c.line((left, up.at(t)), (right, up.at(t)), Ink::Rule, 1.0);
            c.text(
                left - 6.0,
                up.at(t) + 4.0,
                &format::tick_percent(t),
                quiet.end(),
            );
        }
        let times = time_ticks(last, if roomy { 6 } else { 4 });
        let step = times.get(1).map_or(0, |t| t.round() as i64);
        for t in &times {
            let x = across.at(*t);
            c.line((x, bottom), (x, bottom + 4.0), Ink::Muted, 1.0);
            let held = if x + 20.0 > width {
                quiet.end()
            } else {
                quiet.middle()
            };
            let told = format::tick_duration(t.round() as i64, step);
            c.text(x, bottom + 16.0, &told, held);
        }
        for (i, g) in groups.iter().enumerate() {
            curve(&mut c, &across, &up, last, g, i);
        }
        if roomy {
            labels(
                &mut c,
                (right + 8.0, width),
                (top, bottom),
                &up,
                &groups,
                &names,
            );
        }
        y = at_risk(
            &mut c,
            (left, right),
            bottom + 36.0,
            &across,
            &times,
            &groups,
            &names,
        );
        c.finish(y, &self.title, &self.told(&groups))
    }

    fn told(&self, groups: &[&CurveGroup]) -> String {
        let told: Vec<String> = groups
            .iter()
            .map(|g| {
                let median = g.median.map_or_else(
                    || "not reached by half".to_owned(),
                    |m| format!("median {}", format::duration(m)),
                );
                let end = g
                    .points
                    .last()
                    .map(|p| {
                        format!(
                            ", {} by {}",
                            format::percent(p.value),
                            format::duration(p.time)
                        )
                    })
                    .unwrap_or_default();
                format!("{}: n {}, {median}{end}", g.label, format::count(g.n))
            })
            .collect();
        format!("Share that {} by time. {}", self.axis, told.join("; "))
    }
}

fn curve(c: &mut Canvas, across: &Scale, up: &Scale, last: f64, g: &CurveGroup, i: usize) {
    let Some(end) = g.points.last() else { return };
    let until = across.at((end.time as f64).min(last));
    // The band: forward along the upper ends, back along the lower ones.
    let (mut line, mut upper) = (
        format!("M{} {}", n(across.at(0.0)), n(up.at(0.0))),
        format!("M{} {}", n(across.at(0.0)), n(up.at(0.0))),
    );
    for p in &g.points {
        let x = n(across.at(p.time as f64));
        line.push_str(&format!("H{x}V{}", n(up.at(p.value))));
        upper.push_str(&format!("H{x}V{}", n(up.at(p.upper))));
    }
    upper.push_str(&format!("H{}V{}", n(until), n(up.at(end.lower))));
    for (i, p) in g.points.iter().enumerate().rev() {
        let before = i
            .checked_sub(1)
            .and_then(|i| g.points.get(i))
            .map_or(0.0, |p| p.lower);
        upper.push_str(&format!(
            "H{}V{}",
            n(across.at(p.time as f64)),
            n(up.at(before))
        ));
    }
    upper.push_str(&format!("H{}Z", n(across.at(0.0))));
    line.push_str(&format!("H{}", n(until)));
    c.path(&upper, &format!("dl-c{i}"), " fill-opacity=\"0.14\"", None);
    c.path(
        &line,
        &format!("dl-c{i}s"),
        " stroke-width=\"2\" stroke-linejoin=\"round\"",
        None,
    );
}

/// Names at the ends of their curves, moved apart where they would overlap.
fn labels(
    c: &mut Canvas,
    (x, width): (f64, f64),
    (top, bottom): (f64, f64),
    up: &Scale,
    groups: &[&CurveGroup],
    names: &[String],
) {
    const PITCH: f64 = 30.0;
    let mut places: Vec<(f64, usize)> = groups
        .iter()
        .enumerate()
        .map(|(i, g)| (up.at(g.points.last().map_or(0.0, |p| p.value)), i))
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut least = top;
    for p in &mut places {
        p.0 = p.0.max(least);
        least = p.0 + PITCH;
    }
    let mut most = bottom - 8.0;
    for p in places.iter_mut().rev() {
        p.0 = p.0.min(most);
        most = p.0 - PITCH;
    }
    for (y, i) in places {
        let (Some(g), Some(name)) = (groups.get(i), names.get(i)) else {
            continue;
        };
        c.name(
            x,
            y + 2.0,
            name,
            width - x,
            Type::new(11.5, Ink::Dark)
                .bold()
                .class(LINE_CLASS[i.min(5)]),
        );
        let quiet = Type::new(10.5, Ink::Muted);
        c.text(
            x,
            y + 15.0,
            &measure::cut(&summary(g), width - x, 10.5, false),
            quiet,
        );
    }
}

const LINE_CLASS: [&str; 6] = ["dl-c0", "dl-c1", "dl-c2", "dl-c3", "dl-c4", "dl-c5"];

fn summary(g: &CurveGroup) -> String {
    g.median.map_or_else(
        || "below half".to_owned(),
        |m| format!("median {}", format::duration(m)),
    )
}

fn legend(c: &mut Canvas, y: f64, width: f64, groups: &[&CurveGroup], names: &[String]) -> f64 {
    let mut y = y + 6.0;
    for (i, (g, name)) in groups.iter().zip(names).enumerate() {
        let d = format!("M0 {}H22", n(y - 4.0));
        c.path(&d, &format!("dl-c{i}s"), " stroke-width=\"2\"", None);
        let t = Type::new(11.5, Ink::Dark)
            .bold()
            .class(LINE_CLASS[i.min(5)]);
        let quiet = Type::new(10.5, Ink::Muted);
        let more = summary(g);
        let room = width - 36.0 - quiet.width(&more);
        c.name(28.0, y, name, room, t);
        c.text(width, y, &more, quiet.end());
        y += 17.0;
    }
    y
}

/// How many are still under observation at each tick, per group.
fn at_risk(
    c: &mut Canvas,
    (left, right): (f64, f64),
    y: f64,
    across: &Scale,
    times: &[f64],
    groups: &[&CurveGroup],
    names: &[String],
) -> f64 {
    let quiet = Type::new(10.0, Ink::Muted);
    c.text(0.0, y, "still without the goal and observed", quiet);
    let mut y = y + 14.0;
    // Numbers closer than their own width are left out.
    for (i, (g, name)) in groups.iter().zip(names).enumerate() {
        if groups.len() > 1 {
            c.name(
                0.0,
                y,
                name,
                right,
                Type::new(10.5, Ink::Dark).class(LINE_CLASS[i.min(5)]),
            );
            y += 13.0;
        }
        let mut free = f64::NEG_INFINITY;
        for t in times {
            let last = g.points.last().map_or(0.0, |p| p.time as f64);
            if *t > last {
                break;
            }
            let n = g
                .points
                .iter()
                .find(|p| p.time as f64 >= *t)
                .map_or(0, |p| p.at_risk);
            let text = format::count(n);
            let (x, w) = (across.at(*t).max(left - 20.0), quiet.width(&text));
            if x - w / 2.0 > free + 4.0 {
                c.text(x, y, &text, quiet.middle());
                free = x + w / 2.0;
            }
        }
        y += 15.0;
    }
    y
}
