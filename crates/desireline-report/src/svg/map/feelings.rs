//! The curve of feelings: each source with a line and dots of its own, a band where there is an interval, holes where
//! too few told. Below the curve every point stands with its value and place, for paper and phones have no tooltips.

use super::super::canvas::{Canvas, Type, n};
use super::super::palette::Ink;
use super::super::scale::Scale;
use super::{Band, FeelingSource, MapFeeling, fold, lanes};
use crate::format;

/// Feelings of a stage that are listed below the curve; the tables have them all.
const LISTED: usize = 7;

impl FeelingSource {
    pub(super) const ALL: [FeelingSource; 5] = [
        FeelingSource::Said,
        FeelingSource::Text,
        FeelingSource::Proxy,
        FeelingSource::Guess,
        FeelingSource::Target,
    ];

    /// What it is called in the legend.
    pub(super) fn told(self) -> &'static str {
        match self {
            FeelingSource::Said => "feeling as customers said it, with its interval",
            FeelingSource::Text => "read from texts",
            FeelingSource::Proxy => "inferred from what they did",
            FeelingSource::Guess => "a guess, not measured",
            FeelingSource::Target => "as it should be",
        }
    }

    fn line(self) -> (&'static str, &'static str) {
        match self {
            FeelingSource::Said => ("dl-bs", " stroke-width=\"2\""),
            FeelingSource::Text => ("dl-bs", " stroke-width=\"1.6\" stroke-dasharray=\"7 4\""),
            FeelingSource::Proxy => (
                "dl-ms",
                " stroke-width=\"1.6\" stroke-dasharray=\"7 3 2 3\"",
            ),
            FeelingSource::Guess => (
                "dl-ms",
                " stroke-width=\"1.6\" stroke-dasharray=\"1.5 3.5\"",
            ),
            FeelingSource::Target => ("dl-gs", " stroke-width=\"1.4\" stroke-dasharray=\"4 3\""),
        }
    }
}

/// A circle as a path.
fn ring((x, y): (f64, f64), r: f64) -> String {
    let d = n(2.0 * r);
    format!(
        "M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z",
        n(x - r),
        n(y)
    )
}

/// Where too few told.
pub(super) fn hole(c: &mut Canvas, at: (f64, f64), tip: Option<&str>) {
    c.path(&ring(at, 4.0), "dl-w", "", None);
    let extra = " stroke-width=\"1.3\" stroke-dasharray=\"1.6 1.8\"";
    c.path(&ring(at, 4.0), "dl-ms", extra, tip);
}

/// A dot of a source.
fn dot(c: &mut Canvas, (x, y): (f64, f64), source: FeelingSource, tip: Option<&str>) {
    let square = |r: f64| format!("M{} {}h{s}v{s}h-{s}Z", n(x - r), n(y - r), s = n(2.0 * r));
    let round = |r: f64| ring((x, y), r);
    match source {
        FeelingSource::Said => c.path(&round(4.0), "dl-b", "", tip),
        FeelingSource::Text => {
            c.path(&round(4.0), "dl-w", "", None);
            c.path(&round(4.0), "dl-bs", " stroke-width=\"1.8\"", tip);
        }
        FeelingSource::Proxy => c.path(&square(3.6), "dl-m", "", tip),
        FeelingSource::Guess => {
            // Hatched: nobody takes it for a measured one, in print neither.
            c.path(&round(4.6), "dl-w", "", None);
            c.path(&round(4.6), "dl-ms", " stroke-width=\"1.3\"", tip);
            let d = format!(
                "M{} {}l5 -5M{} {}l7 -7M{} {}l5 -5",
                n(x - 4.0),
                n(y + 1.0),
                n(x - 3.5),
                n(y + 3.5),
                n(x - 1.0),
                n(y + 4.0)
            );
            c.path(&d, "dl-ms", " stroke-width=\"0.9\"", None);
        }
        FeelingSource::Target => {
            let d = format!("M{} {}l4.6 8h-9.2Z", n(x), n(y - 4.8));
            c.path(&d, "dl-w", "", None);
            c.path(&d, "dl-gs", " stroke-width=\"1.5\"", tip);
        }
    }
}

/// A short line with a dot, for the legend.
pub(super) fn sample(c: &mut Canvas, (x, y): (f64, f64), source: FeelingSource) {
    let (class, extra) = source.line();
    c.path(&format!("M{} {}h26", n(x), n(y)), class, extra, None);
    dot(c, (x + 13.0, y), source, None);
}

fn told(f: &MapFeeling) -> String {
    let Some(v) = f.valence else {
        return format!("{}: {}", f.place, format::too_few(f.n.unwrap_or(0)));
    };
    let interval = f
        .interval
        .map(|(a, b)| format!(" ({} to {})", number(a), number(b)));
    let n = f.n.map(|n| format!(", n {}", format::count(n)));
    format!(
        "{}: {}{}{}",
        f.place,
        number(v),
        interval.unwrap_or_default(),
        n.unwrap_or_default()
    )
}

fn number(x: f64) -> String {
    format::number((x * 100.0).round() / 100.0)
}

/// A valence with its sign, all of one width.
fn signed(v: f64) -> String {
    match (v * 100.0).round() / 100.0 {
        0.0 => "0.00".to_owned(),
        v => format!("{v:+.2}").replace('-', "−"),
    }
}

/// The lane from its top; the y below.
pub(super) fn lane(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    if band.picture.stages.iter().all(|s| s.feelings.is_empty()) {
        let quiet = Type::new(11.0, Ink::Muted).italic();
        for (x, _) in band.columns() {
            c.text(x, top + 20.0, "nothing is known", quiet);
        }
        return top + 32.0;
    }
    let (high, low) = (top + 20.0, top + 108.0);
    let up = Scale::new((-1.0, 1.0), (low, high));
    let quiet = Type::new(9.5, Ink::Muted);
    let end = band.x(band.stages.len().saturating_sub(1)) + band.column;
    for (v, word) in [(1.0, "glad"), (0.0, ""), (-1.0, "upset")] {
        let y = up.at(v);
        let dash = if v == 0.0 {
            ""
        } else {
            " stroke-dasharray=\"1 4\""
        };
        let d = format!("M{} {}H{}", n(band.left), n(y), n(end));
        c.path(&d, "dl-rs", &format!(" stroke-width=\"1\"{dash}"), None);
        if !word.is_empty() {
            c.text(band.left + 1.0, y - 3.0, word, quiet);
        }
    }
    // Places side by side in their stage; sources share a place.
    let mut points: Vec<(usize, f64, &MapFeeling)> = Vec::new();
    for (i, (x, stage)) in band.columns().enumerate() {
        let mut places: Vec<&str> = Vec::new();
        for f in &stage.feelings {
            if !places.contains(&f.place.as_str()) {
                places.push(&f.place);
            }
        }
        let step = band.column / places.len().max(1) as f64;
        for (k, f) in stage.feelings.iter().enumerate() {
            let at = places.iter().position(|p| *p == f.place).unwrap_or(0);
            // Sources of one place side by side, or one dot would hide the other.
            let same = |g: &&MapFeeling| g.place == f.place;
            let of = stage.feelings.iter().filter(same).count() as f64;
            let before = stage.feelings.iter().take(k).filter(same).count() as f64;
            let aside = (before - (of - 1.0) / 2.0) * 10f64.min(step / of);
            points.push((i, x + (at as f64 + 0.5) * step + aside, f));
        }
        if stage.feelings.is_empty() {
            let t = Type::new(10.5, Ink::Muted).italic().middle();
            let at = (x + band.column / 2.0, up.at(0.0) - 5.0);
            c.text(at.0, at.1, "nothing is known", t);
        }
    }
    for (_, x, f) in points.iter().filter(|(_, _, f)| f.valence.is_none()) {
        hole(c, (*x, up.at(0.0)), Some(&told(f)));
    }
    let mut lowest: Option<(f64, f64, &MapFeeling)> = None;
    for source in FeelingSource::ALL {
        let mine: Vec<(usize, f64, &MapFeeling)> = points
            .iter()
            .copied()
            .filter(|(_, _, f)| f.source == source)
            .collect();
        curve(c, &up, source, &mine);
        for (_, x, f) in &mine {
            let Some(v) = f.valence else { continue };
            let y = up.at(v);
            let deeper = lowest.as_ref().is_none_or(|(_, y0, _)| y > *y0);
            if matches!(source, FeelingSource::Said | FeelingSource::Text) && deeper {
                lowest = Some((*x, y, f));
            }
        }
    }
    if let Some((x, _, f)) = lowest.filter(|(_, y, _)| *y > up.at(0.0)) {
        let t = Type::new(10.5, Ink::Loss).bold();
        let text = told(f);
        let wide = t.width(&text);
        // Below all points, or it would stand on those of other sources.
        let y = low + 13.0;
        let x = (x - wide / 2.0).clamp(band.left, (band.width - wide).max(band.left));
        fold::told(c, (x, y), &text, band.width - x, 1, t);
    }
    listed(c, band, low + 29.0)
}

/// Every point with its value and place, stage by stage, from left to right; the y below.
fn listed(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    let mut low = top;
    for (x, stage) in band.columns() {
        let mut y = top;
        for f in stage.feelings.iter().take(LISTED) {
            let quiet = Type::new(10.0, Ink::Muted);
            let at = (x + 5.0, y - 3.5);
            match f.valence {
                Some(v) => {
                    dot(c, at, f.source, None);
                    let strong = Type::new(10.0, Ink::Dark).bold();
                    c.text(x + 46.0, y, &signed(v), strong.end());
                    c.name(x + 51.0, y, &f.place, band.column - 51.0, quiet);
                }
                None => {
                    hole(c, at, None);
                    let text = format!("{}: {}", format::too_few(f.n.unwrap_or(0)), f.place);
                    c.name(x + 14.0, y, &text, band.column - 14.0, quiet.italic());
                }
            }
            y += 14.0;
        }
        let more = stage.feelings.len().saturating_sub(LISTED);
        low = low.max(lanes::more(c, (x, y), more, "feeling"));
    }
    low - 3.0
}

/// A line with its band through the places of one source, broken where a stage has none.
fn curve(c: &mut Canvas, up: &Scale, source: FeelingSource, points: &[(usize, f64, &MapFeeling)]) {
    let mut runs: Vec<Vec<(usize, f64, &MapFeeling)>> = Vec::new();
    for point in points {
        let joins = |last: &(usize, f64, &MapFeeling)| {
            let known = last.2.valence.is_some() && point.2.valence.is_some();
            // What somebody typed in goes on from nothing that was measured.
            known && last.0 + 1 >= point.0 && last.2.measured == point.2.measured
        };
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(joins) => run.push(*point),
            _ => runs.push(vec![*point]),
        }
    }
    let (class, extra) = source.line();
    for run in &runs {
        let ends = |f: &MapFeeling| f.interval.or(f.valence.map(|v| (v, v)));
        let edge: Vec<(f64, f64, f64)> = run
            .iter()
            .filter_map(|(_, x, f)| ends(f).map(|(a, b)| (*x, a, b)))
            .collect();
        if edge.len() > 1 && run.iter().any(|(_, _, f)| f.interval.is_some()) {
            let mut d = String::new();
            for (i, (x, _, b)) in edge.iter().enumerate() {
                d.push_str(&format!(
                    "{}{} {}",
                    if i == 0 { "M" } else { "L" },
                    n(*x),
                    n(up.at(*b))
                ));
            }
            for (x, a, _) in edge.iter().rev() {
                d.push_str(&format!("L{} {}", n(*x), n(up.at(*a))));
            }
            d.push('Z');
            c.path(&d, "dl-bp", "", None);
        }
        let mut d = String::new();
        for (_, x, f) in run {
            if let Some(v) = f.valence {
                let lead = if d.is_empty() { "M" } else { "L" };
                d.push_str(&format!("{lead}{} {}", n(*x), n(up.at(v))));
            }
        }
        if run.len() > 1 {
            c.path(
                &d,
                class,
                &format!("{extra} stroke-linejoin=\"round\""),
                None,
            );
        }
        for (_, x, f) in run {
            let Some(v) = f.valence else { continue };
            if let Some((a, b)) = f.interval {
                let d = format!("M{} {}V{}", n(*x), n(up.at(a)), n(up.at(b)));
                c.path(&d, class, " stroke-width=\"1.2\"", None);
            }
            dot(c, (*x, up.at(v)), source, Some(&told(f)));
        }
    }
}

/// The feelings of a stage in words.
pub(super) fn words(f: &MapFeeling) -> String {
    let is_opinion = matches!(f.source, FeelingSource::Guess | FeelingSource::Target);
    let typed = match f.measured || is_opinion {
        true => "",
        false => ", typed into the map",
    };
    format!("{} ({}{typed})", told(f), f.source.told())
}
