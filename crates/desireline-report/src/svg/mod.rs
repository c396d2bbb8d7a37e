//! Pictures as static SVG: deterministic, without script, for light and dark, readable without colour.
//!
//! Each picture is a plain struct that anyone can fill; `svg(width)` lays it out for that many pixels, so a page can carry one for
//! wide and one for narrow screens.

mod behaviour;
mod canvas;
mod comparison;
mod curve;
mod draw;
mod dropoff;
mod flow;
mod funnel;
mod map;
mod matrix;
mod measure;
mod palette;
mod path_table;
mod retention;
mod sankey;
mod scale;

pub use comparison::{ComparisonPanel, ComparisonPicture, ComparisonRow};
pub use curve::{CurveGroup, CurvePicture, CurvePoint};
pub(crate) use draw::SURE;
pub use draw::{picture, pictures};
pub use dropoff::{DropoffPicture, DropoffRow, Tone};
pub use flow::{FlowLink, FlowPicture, FlowPlace};
pub use funnel::{FunnelPicture, FunnelStep};
pub use map::{
    FeelingSource, MAP_WIDE, MapFact, MapFeeling, MapKpi, MapMark, MapPicture, MapStage,
    MapTouchpoint, MapWay, MarkKind, Presence, Verdict,
};
pub use matrix::{MatrixCell, MatrixPicture, MatrixRow, MatrixTone};
pub use path_table::{PathRow, PathTablePicture};
pub use retention::{RetentionCell, RetentionPicture, RetentionRow};

use canvas::{Canvas, Type};
use palette::Ink;

/// The width of a picture on a wide screen, in pixels.
pub const WIDE: f64 = 840.0;
/// The width of a picture on a phone.
pub const NARROW: f64 = 350.0;

/// Below this width labels stand above their bars.
const ROOMY: f64 = 560.0;
/// Room that a whisker or a dot needs at an edge.
const EDGE: f64 = 6.0;
/// No picture is narrower.
const LEAST: f64 = 260.0;

fn sane(width: f64) -> f64 {
    if width.is_finite() {
        (width - 2.0 * canvas::PAD).clamp(LEAST, 4_000.0)
    } else {
        WIDE - 2.0 * canvas::PAD
    }
}

/// Title and note at the top of a picture; the y where it goes on.
fn head(canvas: &mut Canvas, width: f64, title: &str, note: &str) -> f64 {
    let mut y = 20.0;
    if !title.is_empty() {
        y = canvas.paragraph(
            0.0,
            y,
            &canvas::one_line(title),
            width,
            Type::new(15.0, Ink::Dark).bold(),
        );
    }
    if !note.is_empty() {
        y = canvas.paragraph(
            0.0,
            y - 2.0,
            &canvas::one_line(note),
            width,
            Type::new(11.0, Ink::Muted),
        );
    }
    y
}

/// A value in strong type with its interval beside it in quiet type, held at `x` on the left; the x after it.
fn valued(canvas: &mut Canvas, (x, y): (f64, f64), value: &str, interval: &str, ink: Ink) -> f64 {
    let strong = Type::new(12.5, ink).bold();
    let quiet = Type::new(11.0, Ink::Muted);
    canvas.text(x, y, value, strong);
    let after = if value.is_empty() {
        x
    } else {
        x + strong.width(value) + 5.0
    };
    canvas.text(after, y, interval, quiet);
    after + quiet.width(interval)
}

/// An estimate split for [`valued`]; what is withheld says so.
fn told(estimate: Option<&desireline_stats::Estimate>, n: u64) -> (String, String) {
    match estimate {
        Some(e) => (crate::format::value(e), crate::format::interval(e)),
        None => (String::new(), crate::format::too_few(n)),
    }
}
