//! The lanes of a map, from top to bottom.

use desireline_core::overlay::report::TimeHole;
use desireline_stats::{Estimate, Unit};

use super::super::canvas::{Canvas, Type, n};
use super::super::palette::{Ink, TINTS};
use super::super::scale::Scale;
use super::{
    Band, MapKpi, MapPicture, MapStage, MapTouchpoint, Presence, Verdict, feelings, flow, fold,
    marks,
};
use crate::format;

/// Goals, numbers and marks of a stage that are drawn; the tables have them all.
const GOALS: usize = 3;
const KPIS: usize = 5;
const MARKS: usize = 6;
/// The part of a column that a value may take beside the name of its KPI.
const LONG: f64 = 0.6;
/// Lines that the name of a number has room for.
const NAME_LINES: usize = 4;

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Names,
    Wants,
    Journeys,
    Touchpoints,
    Channels,
    Feelings,
    Time,
    Kpis,
    Marks,
}

/// The lanes that hold something anywhere; those of a measured map stand in an unmeasured one only where they say why.
pub(super) fn used(p: &MapPicture) -> Vec<Lane> {
    let any = |has: fn(&MapStage) -> bool| p.stages.iter().any(has);
    let all = [
        (Lane::Names, true),
        (Lane::Wants, any(|s| !s.goals.is_empty())),
        (Lane::Journeys, true),
        (Lane::Touchpoints, any(|s| !s.touchpoints.is_empty())),
        (Lane::Channels, any(|s| !s.channels.is_empty())),
        (Lane::Feelings, true),
        (
            Lane::Time,
            any(|s| s.dwell.is_some() || s.target_duration.is_some()),
        ),
        (Lane::Kpis, any(|s| !s.kpis.is_empty())),
        (Lane::Marks, any(|s| !s.marks.is_empty())),
    ];
    all.into_iter()
        .filter(|(_, used)| *used)
        .map(|(lane, _)| lane)
        .collect()
}

impl Lane {
    fn label(self) -> (&'static str, &'static str) {
        match self {
            Lane::Names => ("", ""),
            Lane::Wants => ("Customers want", ""),
            Lane::Journeys => ("Journeys", "reach and drop-off"),
            Lane::Touchpoints => ("Touchpoints", "share of journeys"),
            Lane::Channels => ("Channels", "share of events"),
            Lane::Feelings => ("Emotion", "valence, −1 to 1"),
            Lane::Time => ("Time in stage", "median and P90"),
            Lane::Kpis => ("KPIs", "interval and target"),
            Lane::Marks => ("Marks", "as the map says"),
        }
    }

    /// Whether its note holds for a map without a log too.
    fn is_said(self) -> bool {
        matches!(self, Lane::Feelings | Lane::Marks)
    }

    /// Whether a stage says anything in it.
    pub(super) fn is_in(self, s: &MapStage) -> bool {
        match self {
            Lane::Wants => !s.goals.is_empty(),
            Lane::Channels => !s.channels.is_empty(),
            Lane::Feelings => !s.feelings.is_empty(),
            Lane::Time => s.dwell.is_some() || s.target_duration.is_some(),
            Lane::Kpis => !s.kpis.is_empty(),
            Lane::Marks => !s.marks.is_empty(),
            Lane::Names | Lane::Journeys | Lane::Touchpoints => true,
        }
    }

    /// Draws the lane from its top; the y below it.
    pub(super) fn draw(self, c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
        let (label, note) = self.label();
        let note = if band.picture.measured || self.is_said() {
            note
        } else {
            ""
        };
        let mut top = top;
        if !label.is_empty() {
            if band.labels_beside() {
                let x = band.left - 18.0;
                c.text(
                    x,
                    top + 18.0,
                    label,
                    Type::new(12.0, Ink::Dark).bold().end(),
                );
                c.text(x, top + 32.0, note, Type::new(10.0, Ink::Muted).end());
            } else {
                let strong = Type::new(11.0, Ink::Muted).bold();
                c.text(0.0, top + 15.0, label, strong);
                let x = strong.width(label) + 8.0;
                c.text(x, top + 15.0, note, Type::new(10.0, Ink::Muted));
                top += 13.0;
            }
        }
        let end = match self {
            Lane::Names => names(c, band, top),
            Lane::Wants => wants(c, band, top),
            Lane::Journeys => flow::lane(c, band, top),
            Lane::Touchpoints => touchpoints(c, band, top),
            Lane::Channels => channels(c, band, top),
            Lane::Feelings => feelings::lane(c, band, top),
            Lane::Time => time(c, band, top),
            Lane::Kpis => kpis(c, band, top),
            Lane::Marks => told(c, band, top),
        };
        // Room for the lane's own name, where nothing else needs any.
        end.max(match (label.is_empty(), band.labels_beside()) {
            (false, true) => top + 40.0,
            _ => top + 16.0,
        })
    }
}

fn names(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let t = Type::new(14.5, Ink::Dark).bold();
    let mut low = top;
    for (i, (x, stage)) in band.columns().enumerate() {
        let mut x = x;
        let mut room = band.column;
        if !band.labels_beside() {
            let number = format!("{}.", band.first + i + 1);
            c.text(x, top + 22.0, &number, t);
            let lead = t.width(&number) + 6.0;
            (x, room) = (x + lead, room - lead);
        }
        low = low.max(fold::told(c, (x, top + 22.0), &stage.name, room, 3, t));
    }
    low - 6.0
}

fn wants(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let t = Type::new(11.5, Ink::Dark);
    let quiet = Type::new(11.0, Ink::Muted).italic();
    let mut low = top;
    for (x, stage) in band.columns() {
        let mut y = top + 18.0;
        if stage.goals.is_empty() {
            c.text(x, y, "nothing said", quiet);
            y += 16.0;
        }
        for goal in stage.goals.iter().take(GOALS) {
            y = fold::told(c, (x, y), goal, band.column, 3, t) + 2.0;
        }
        y = more(c, (x, y), stage.goals.len().saturating_sub(GOALS), "goal");
        low = low.max(y);
    }
    low - 4.0
}

/// How many things are not drawn; the y below.
pub(super) fn more(c: &mut Canvas, (x, y): (f64, f64), n: usize, thing: &str) -> f64 {
    if n == 0 {
        return y;
    }
    let told = format!("{} more", format::counted(n as u64, thing));
    c.text(x, y, &told, Type::new(10.5, Ink::Muted).italic());
    y + 15.0
}

fn touchpoints(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let mut low = top;
    let quiet = Type::new(11.0, Ink::Muted).italic();
    for (x, stage) in band.columns() {
        let mut y = top + 18.0;
        if stage.touchpoints.is_empty() {
            c.text(x, y, "none drawn", quiet);
            y += 16.0;
        }
        for t in &stage.touchpoints {
            y = touchpoint(c, (x, y), band.column, t);
        }
        if let Some((n, events)) = stage.more {
            let events = events.map(|e| format!(", {} together", format::counted(e, "event")));
            let told = format!(
                "{} more{}",
                format::counted(n as u64, "touchpoint"),
                events.unwrap_or_default()
            );
            y = fold::told(
                c,
                (x, y),
                &told,
                band.column,
                2,
                Type::new(10.5, Ink::Muted).italic(),
            );
        }
        low = low.max(y);
    }
    low - 6.0
}

fn touchpoint(c: &mut Canvas, (x, y): (f64, f64), room: f64, t: &MapTouchpoint) -> f64 {
    let dark = Type::new(11.5, Ink::Dark);
    let quiet = Type::new(10.5, Ink::Muted);
    let marks_room = t.marks.len() as f64 * 13.0;
    let below = fold::told(c, (x, y), &t.name, room - marks_room - 2.0, 2, dark) - dark.size * 1.36;
    for (i, kind) in t.marks.iter().rev().enumerate() {
        let at = (x + room - 6.0 - 13.0 * i as f64, y - 4.0);
        marks::mark(c, at, *kind, Some(&format!("{}: {}", t.name, kind.word())));
    }
    let y = below + 14.0;
    let bar = room * 0.34;
    let mut after = x;
    match &t.presence {
        Presence::Measured(rate) => {
            c.rect((x, y - 7.5), (bar, 7.0), "dl-gr");
            if let Some(e) = rate.estimate {
                let at = Scale::new((0.0, 1.0), (x, x + bar));
                let tip = format!("{}: {} of journeys", t.name, format::estimate(&e));
                c.rect_told((x, y - 7.5), (at.at(e.value) - x, 7.0), "dl-bm", &tip);
                let text = format::value(&e);
                c.text(x + bar + 6.0, y, &text, Type::new(10.5, Ink::Blue).bold());
                after = x + bar + 6.0 + Type::new(10.5, Ink::Blue).bold().width(&text);
            } else {
                let text = match rate.count {
                    0 => "never seen".to_owned(),
                    _ => format::too_few(rate.n),
                };
                c.text(x + bar + 6.0, y, &text, quiet.italic());
                after = x + bar + 6.0 + quiet.width(&text);
            }
        }
        Presence::Unknown(why) => {
            c.text(x, y, why, quiet.italic());
            after = x + quiet.width(why);
        }
        Presence::NoLog => {}
    }
    if !t.channel.is_empty() {
        let lead = if after > x { 8.0 } else { 0.0 };
        let room = x + room - after - lead;
        if room > 24.0 {
            c.name(after + lead, y, &t.channel, room, quiet);
        }
    } else if after <= x {
        return y + 5.0;
    }
    y + 19.0
}

/// The tint of a channel: the same in every stage.
fn tint(p: &MapPicture, channel: &str) -> usize {
    let mut seen: Vec<&str> = Vec::new();
    for (name, _) in p.stages.iter().flat_map(|s| &s.channels) {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
        }
    }
    let last = TINTS.len() - 1;
    seen.iter()
        .position(|n| *n == channel)
        .unwrap_or(last)
        .min(last)
}

fn channels(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let quiet = Type::new(10.0, Ink::Muted);
    let mut low = top;
    for (x, stage) in band.columns() {
        let total: u64 = stage.channels.iter().map(|(_, n)| n).sum();
        let mut y = top + 20.0;
        if total == 0 {
            c.text(x, y - 2.0, "no event", quiet.italic());
            low = low.max(y);
            continue;
        }
        let across = Scale::new((0.0, total as f64), (x, x + band.column));
        let (mut from, mut told) = (0u64, Vec::new());
        for (name, events) in &stage.channels {
            let (a, b) = (across.at(from as f64), across.at((from + events) as f64));
            let share = format::percent(*events as f64 / total as f64);
            let tip = format!("{name}: {share}, {}", format::counted(*events, "event"));
            let class = format!("dl-t{}", tint(band.picture, name));
            // A gap of paper between colours, for those who cannot tell them apart.
            c.rect_told((a, y - 11.0), ((b - a - 1.0).max(0.6), 11.0), &class, &tip);
            from += events;
            if told.len() < 3 {
                told.push((share, name.as_str(), class));
            }
        }
        y += 14.0;
        for (share, name, class) in told {
            c.rect((x, y - 7.0), (7.0, 7.0), &class);
            c.text(x + 11.0, y, &share, quiet);
            let lead = 11.0 + quiet.width(&share) + 5.0;
            c.name(x + lead, y, name, band.column - lead, quiet);
            y += 13.5;
        }
        y = more(c, (x, y), stage.channels.len().saturating_sub(3), "channel");
        low = low.max(y);
    }
    low - 3.0
}

/// A length of time that was seen, whether or not it has an upper limit.
fn shown(estimate: Option<Estimate>, hole: Option<TimeHole>) -> Option<f64> {
    let seen = || hole?.value().map(|v| v as f64);
    estimate.map(|e| e.value).or_else(seen)
}

fn time(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let quiet = Type::new(10.5, Ink::Muted);
    // One scale for all stages of the map, by powers: minutes and weeks stand side by side.
    let ends = band.picture.stages.iter().flat_map(|s| {
        let d = s.dwell.as_ref();
        let all = [
            d.and_then(|d| shown(d.median, d.median_hole)),
            d.and_then(|d| shown(d.p90, d.p90_hole)),
        ];
        let target = s.target_duration.map(|t| t as f64);
        all.into_iter()
            .flatten()
            .chain(target)
            .collect::<Vec<f64>>()
    });
    let logs: Vec<f64> = ends.map(|v| v.max(1e6).log10()).collect();
    let low_end = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high_end = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut low = top;
    for (x, stage) in band.columns() {
        let Some(dwell) = &stage.dwell else {
            let told = stage
                .target_duration
                .map_or("not measured".to_owned(), |t| {
                    format!("not measured, should take {}", format::duration(t))
                });
            low = low.max(fold::told(
                c,
                (x, top + 20.0),
                &told,
                band.column,
                2,
                quiet.italic(),
            ));
            continue;
        };
        let mut y = top + 34.0;
        if let Some(median) = shown(dwell.median, dwell.median_hole) {
            let p90 = shown(dwell.p90, dwell.p90_hole);
            let across = Scale::new((low_end - 0.2, high_end + 0.2), (x, x + band.column));
            let at = |v: f64| across.at(v.max(1e6).log10());
            c.rect((x, top + 12.5), (band.column, 3.0), "dl-gr");
            let end = p90.or_else(|| dwell.median.map(|m| m.upper));
            if let Some(end) = end {
                let wide = (at(end) - at(median)).max(0.0);
                c.rect((at(median), top + 12.5), (wide, 3.0), "dl-bm");
            }
            c.dot(at(median), top + 14.0, 4.0, "dl-b", "");
            if let Some(target) = stage.target_duration {
                let d = format!("M{} {}v12", n(at(target as f64)), n(top + 8.0));
                c.path(
                    &d,
                    "dl-ks",
                    " stroke-width=\"1.6\"",
                    Some("how long it should take"),
                );
            }
            let value = format::duration(median.round() as i64);
            let strong = Type::new(11.5, Ink::Dark).bold();
            c.text(x, y, &value, strong);
            let lead = strong.width(&value) + 6.0;
            let p90 = p90.map_or_else(
                || "P90 not seen to end".to_owned(),
                |p| format!("P90 {}", format::duration(p.round() as i64)),
            );
            c.name(x + lead, y, &p90, band.column - lead, quiet);
            let open = match (dwell.median_hole, dwell.p90_hole) {
                (Some(_), Some(hole)) if hole.value().is_some() => "no upper limit to either",
                (Some(_), _) => "no upper limit to the median",
                (None, Some(hole)) if hole.value().is_some() => "no upper limit to P90",
                _ => "",
            };
            if !open.is_empty() {
                y += 13.0;
                c.name(x, y, open, band.column, quiet.italic());
            }
        } else {
            let told = match (dwell.n, dwell.median_hole) {
                (0, _) => "no visit".to_owned(),
                (n, Some(TimeHole::NotEnded)) => {
                    format!("half were not seen to end, n={}", format::count(n))
                }
                (n, _) => format::too_few(n),
            };
            y = top + 20.0;
            y = fold::told(c, (x, y), &told, band.column, 2, quiet.italic()) - 14.0;
        }
        if let Some(target) = stage.target_duration {
            y += 14.0;
            c.text(
                x,
                y,
                &format!("should take {}", format::duration(target)),
                quiet,
            );
        }
        low = low.max(y + 8.0);
    }
    low
}

fn kpis(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let mut low = top;
    for (x, stage) in band.columns() {
        let mut y = top + 18.0;
        for kpi in stage.kpis.iter().take(KPIS) {
            y = kpi_at(c, (x, y), band.column, kpi);
        }
        y = more(c, (x, y), stage.kpis.len().saturating_sub(KPIS), "KPI");
        low = low.max(y);
    }
    low - 4.0
}

fn kpi_at(c: &mut Canvas, (x, y): (f64, f64), room: f64, kpi: &MapKpi) -> f64 {
    let quiet = Type::new(10.5, Ink::Muted);
    let ink = match kpi.verdict {
        Verdict::Missed => Ink::Loss,
        _ => Ink::Dark,
    };
    let strong = Type::new(12.0, ink).bold();
    let (value, interval) = kpi.shown().unwrap_or_default();
    let lead = strong.width(&value);
    // A long amount has a line of its own below the name, which would be cut beside it.
    let is_long = lead > room * LONG;
    let name_room = if is_long { room } else { room - lead - 8.0 };
    let mut below = fold::told(
        c,
        (x, y),
        &kpi.name,
        name_room,
        NAME_LINES,
        Type::new(11.5, Ink::Dark),
    );
    let at = if is_long { below } else { y };
    if is_long {
        below += strong.size * 1.36;
    }
    c.text(x + room, at, &value, strong.end());
    let mut y = below - 2.0;
    if let Some(e) = &kpi.value {
        let ends = [e.lower, e.upper].into_iter().chain(kpi.target);
        let (low, high) = ends.fold((e.value, e.value), |(a, b), v| (a.min(v), b.max(v)));
        let pad = ((high - low) * 0.25).max(1e-9);
        let from = match e.unit {
            Unit::Proportion => (0.0, 1.0),
            _ => (low - pad, high + pad),
        };
        let at = Scale::new(from, (x, x + room));
        c.rect((x, y - 4.0), (room, 3.5), "dl-gr");
        let class = if kpi.verdict == Verdict::Missed {
            "dl-l"
        } else {
            "dl-b"
        };
        let tip = format!(
            "{}: {}, n {}",
            kpi.name,
            format_args!("{value} ({interval})"),
            format::count(e.n)
        );
        let wide = (at.at(e.upper) - at.at(e.lower)).max(2.5);
        c.rect_told((at.at(e.lower), y - 4.5), (wide, 4.5), class, &tip);
        if let Some(target) = kpi.target {
            let d = format!("M{} {}v11", n(at.at(target)), n(y - 8.0));
            c.path(&d, "dl-ks", " stroke-width=\"1.6\"", Some("target"));
        }
        y += 13.0;
        c.name(x, y, &interval, room, quiet);
        y += 13.0;
    } else {
        let why = kpi.without_value();
        y = fold::told(c, (x, y + 6.0), &why, room, 3, quiet.italic());
    }
    if !kpi.wanted.is_empty() {
        let word = kpi.verdict.word();
        let sign = match kpi.verdict {
            Verdict::Met => "✓ ",
            Verdict::Missed => "✗ ",
            _ => "",
        };
        let told = match (kpi.value.is_some(), word) {
            (true, word) if !word.is_empty() => format!("{sign}{word}: target {}", kpi.wanted),
            _ => format!("target {}", kpi.wanted),
        };
        y = fold::told(c, (x, y), &told, room, 2, Type::new(10.5, ink));
    }
    y + 6.0
}

fn told(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let mut low = top;
    let dark = Type::new(10.8, Ink::Dark);
    for (x, stage) in band.columns() {
        let mut y = top + 18.0;
        for m in stage.marks.iter().take(MARKS) {
            marks::mark(c, (x + 5.0, y - 3.8), m.kind, Some(m.kind.word()));
            let text = match (m.place.is_empty(), m.text.is_empty()) {
                (true, _) => m.text.clone(),
                (false, true) => m.place.clone(),
                (false, false) => format!("{}: {}", m.place, m.text),
            };
            y = fold::told(c, (x + 15.0, y), &text, band.column - 15.0, 4, dark) + 4.0;
        }
        y = more(c, (x, y), stage.marks.len().saturating_sub(MARKS), "mark");
        low = low.max(y);
    }
    low - 4.0
}
