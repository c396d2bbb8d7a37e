//! Journeys through the stages: how many come, how many go on, how many leave, and who jumps or turns back.

use desireline_core::report::Rate;

use super::super::canvas::{Canvas, Type, n};
use super::super::palette::Ink;
use super::super::{told as split, valued};
use super::{Band, MapPicture, MapWay, fold};
use crate::format;

/// Heights of a stage that all journeys reach.
const FULL: f64 = 74.0;
/// Ways that are drawn; the table has them all.
const WAYS: usize = 2;

fn value(rate: &Rate) -> f64 {
    rate.estimate.map_or_else(
        || {
            if rate.n == 0 {
                0.0
            } else {
                rate.count as f64 / rate.n as f64
            }
        },
        |e| e.value,
    )
}

/// Short ways inside of long ones, so that they do not cross.
fn nested<'p>(ways: impl Iterator<Item = &'p MapWay>) -> Vec<&'p MapWay> {
    let mut list: Vec<&MapWay> = ways.take(WAYS).collect();
    list.sort_by_key(|w| (w.from.abs_diff(w.to), w.from));
    list
}

/// The lane from its top; the y below.
pub(super) fn lane(c: &mut Canvas, band: &Band<'_>, top: f64) -> f64 {
    if !band.picture.measured {
        let quiet = Type::new(11.0, Ink::Muted).italic();
        for (x, _) in band.columns() {
            c.text(x, top + 20.0, "not measured", quiet);
        }
        return top + 32.0;
    }
    let inside = |w: &&MapWay| {
        let here = band.first..band.first + band.stages.len();
        here.contains(&w.from) && here.contains(&w.to)
    };
    let ways = || band.picture.ways.iter().filter(inside);
    let ahead = nested(ways().filter(|w| w.to > w.from));
    let back = nested(ways().filter(|w| w.to < w.from));
    let up = if ahead.is_empty() {
        8.0
    } else {
        16.0 + 15.0 * ahead.len() as f64
    };
    let base = top + up;
    for (i, way) in ahead.iter().enumerate() {
        arc(c, band, way, (base - 3.0, base - 14.0 - 15.0 * i as f64));
    }
    // Bands between stages first, the stages over them.
    let height = |rate: Option<&Rate>| rate.map_or(0.0, |r| (value(r) * FULL).max(1.0));
    for (i, (x, stage)) in band.columns().enumerate() {
        let h = height(stage.onward.as_ref());
        if h > 0.0 && i + 1 < band.stages.len() {
            let from = x + band.column * 0.82;
            let tip = stage
                .onward
                .as_ref()
                .map(|r| format!("{} go on to the next stage", format::rate(r)));
            c.rect_told(
                (from, base),
                (band.x(i + 1) - from, h),
                "dl-bp",
                &tip.unwrap_or_default(),
            );
        }
    }
    let mut lowest = base + 24.0;
    for (i, (x, stage)) in band.columns().enumerate() {
        let Some(reach) = &stage.reach else { continue };
        let h = height(Some(reach)).max(3.0);
        let wide = band.column * 0.82;
        let tip = format!("{}: {} journeys", stage.name, format::rate(reach));
        c.rect_told((x, base), (wide, h), "dl-bm", &tip);
        let (told, interval) = split(reach.estimate.as_ref(), reach.n);
        let below = base + h + 15.0;
        valued(c, (x, below), &told, &interval, Ink::Blue);
        let mut y = below + 15.0;
        if let Some(drop) = &stage.drop_off {
            let lost = value(drop) * h;
            if lost > 0.0 {
                // What leaves bends down from the lower edge of the stage.
                let (a, b) = (x + wide, base + h);
                let lost = lost.max(1.5);
                let tip = format!("{} of these end here without a goal", format::rate(drop));
                let d = format!(
                    "M{} {}C{} {} {} {} {} {}L{} {}C{} {} {} {} {} {}Z",
                    n(a),
                    n(b - lost),
                    n(a + 13.0),
                    n(b - lost),
                    n(a + 15.0),
                    n(b - lost / 2.0),
                    n(a + 13.0),
                    n(b + 9.0),
                    n(a + 5.0),
                    n(b + 9.0),
                    n(a + 7.0),
                    n(b + 3.0),
                    n(a + 5.0),
                    n(b),
                    n(a),
                    n(b),
                );
                c.path(&d, "dl-lm", "", Some(&tip));
            }
            let (told, interval) = split(drop.estimate.as_ref(), drop.n);
            let told = if told.is_empty() {
                told
            } else {
                format!("{told} leave")
            };
            valued(c, (x, y), &told, &interval, Ink::Loss);
            y += 15.0;
        }
        // Ways out of this band have no arc.
        let stage_at = band.first + i;
        let leads_out = |w: &&MapWay| w.from == stage_at && !inside(w);
        for way in band.picture.ways.iter().filter(leads_out).take(WAYS) {
            let name = band.picture.stages.get(way.to).map(|s| s.name.as_str());
            let how = if way.to > way.from {
                "skip ahead to"
            } else {
                "turn back to"
            };
            let text = format!(
                "{} {how} {}",
                format::rate(&way.reach),
                name.unwrap_or_default()
            );
            y = fold::told(
                c,
                (x, y),
                &text,
                band.column,
                2,
                Type::new(10.5, Ink::Muted),
            );
        }
        lowest = lowest.max(y);
    }
    for (i, way) in back.iter().enumerate() {
        arc(
            c,
            band,
            way,
            (lowest - 6.0, lowest + 12.0 + 16.0 * i as f64),
        );
    }
    if back.is_empty() {
        lowest - 4.0
    } else {
        lowest + 10.0 + 16.0 * back.len() as f64
    }
}

/// A way that jumps or turns back, as a dashed arc with an arrow and its share.
fn arc(c: &mut Canvas, band: &Band<'_>, way: &MapWay, (near, far): (f64, f64)) {
    let middle = |stage: usize| band.x(stage - band.first) + band.column * 0.41;
    let (from, to) = (middle(way.from), middle(way.to));
    let text = format!(
        "{} {}",
        format::rate(&way.reach),
        if way.to > way.from {
            "skip ahead"
        } else {
            "turn back"
        }
    );
    let bend = 24f64.min((to - from).abs() / 3.0) * (to - from).signum();
    let d = format!(
        "M{} {}Q{} {} {} {}H{}Q{} {} {} {}",
        n(from),
        n(near),
        n(from),
        n(far),
        n(from + bend),
        n(far),
        n(to - bend),
        n(to),
        n(far),
        n(to),
        n(near)
    );
    let extra = " stroke-width=\"1.3\" stroke-dasharray=\"3 3\"";
    c.path(&d, "dl-ms", extra, Some(&told(band.picture, way)));
    let tip = if far < near { -5.0 } else { 5.0 };
    let d = format!("M{} {}l-3.5 {t}h7Z", n(to), n(near), t = n(tip));
    c.path(&d, "dl-m", "", None);
    // Paper behind the words, so that the line does not run through them.
    let t = Type::new(10.0, Ink::Muted).middle();
    let wide = t.width(&text) + 8.0;
    let x = f64::midpoint(from, to).clamp(wide / 2.0, (band.width - wide / 2.0).max(wide / 2.0));
    c.rect((x - wide / 2.0, far - 6.0), (wide, 12.0), "dl-w");
    c.text(x, far + 3.5, &text, t);
}

/// A way in words.
pub(super) fn told(p: &MapPicture, way: &MapWay) -> String {
    let name = |i: usize| p.stages.get(i).map(|s| s.name.as_str()).unwrap_or_default();
    let how = if way.to > way.from {
        "straight to"
    } else {
        "back to"
    };
    format!(
        "{} of journeys go from {} {how} {}",
        format::rate(&way.reach),
        name(way.from),
        name(way.to)
    )
}
