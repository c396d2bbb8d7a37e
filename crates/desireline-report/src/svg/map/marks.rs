//! Marks with shapes of their own, and what they mean.

use super::super::canvas::{Canvas, Type, n};
use super::super::palette::Ink;
use super::{FeelingSource, MapPicture, MarkKind, feelings};

impl MarkKind {
    const ALL: [MarkKind; 6] = [
        MarkKind::Pain,
        MarkKind::Moment,
        MarkKind::Opportunity,
        MarkKind::Promise,
        MarkKind::Risk,
        MarkKind::Blind,
    ];

    /// What it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            MarkKind::Pain => "pain point",
            MarkKind::Moment => "moment of truth",
            MarkKind::Opportunity => "opportunity",
            MarkKind::Promise => "promise",
            MarkKind::Risk => "risk",
            MarkKind::Blind => "not measured",
        }
    }

    /// The class that fills it; an `s` at its end strokes.
    pub(super) fn class(self) -> &'static str {
        match self {
            MarkKind::Pain => "dl-l",
            MarkKind::Moment => "dl-c3",
            MarkKind::Opportunity => "dl-c4",
            MarkKind::Promise => "dl-b",
            MarkKind::Risk | MarkKind::Blind => "dl-m",
        }
    }
}

/// A mark in the middle of a place.
pub(super) fn mark(c: &mut Canvas, (x, y): (f64, f64), kind: MarkKind, tip: Option<&str>) {
    let r = 4.6;
    let class = kind.class();
    let d = match kind {
        MarkKind::Pain => format!(
            "M{} {}a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 {} 0Z",
            n(x - r),
            n(y),
            n(2.0 * r),
            n(-2.0 * r)
        ),
        MarkKind::Moment => {
            let r = r + 1.0;
            format!("M{} {}l{r} {r}l-{r} {r}l-{r} -{r}Z", n(x), n(y - r))
        }
        MarkKind::Opportunity => {
            let r = r + 0.6;
            format!(
                "M{} {}l{r} {h}h{w}Z",
                n(x),
                n(y - r),
                h = n(1.8 * r),
                w = n(-2.0 * r)
            )
        }
        MarkKind::Promise => format!(
            "M{} {}h{w}v{w}h-{w}Z",
            n(x - r + 0.4),
            n(y - r + 0.4),
            w = n(2.0 * r - 0.8)
        ),
        MarkKind::Risk => {
            let r = r + 0.6;
            format!(
                "M{} {}l{r} -{h}h{w}Z",
                n(x),
                n(y + r),
                h = n(1.8 * r),
                w = n(-2.0 * r)
            )
        }
        MarkKind::Blind => {
            let d = format!(
                "M{} {}a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 {} 0Z",
                n(x - r),
                n(y),
                n(2.0 * r),
                n(-2.0 * r)
            );
            let extra = " stroke-width=\"1.4\" stroke-dasharray=\"1.6 1.8\"";
            c.path(&d, &format!("{class}s"), extra, tip);
            return;
        }
    };
    c.path(&d, class, "", tip);
}

/// What the marks and lines of this picture mean; the y below.
pub(super) fn legend(c: &mut Canvas, p: &MapPicture, width: f64, y: f64) -> f64 {
    let quiet = Type::new(10.5, Ink::Muted);
    let (mut x, mut y) = (0.0, y + 12.0);
    let mut place = |c: &mut Canvas, lead: f64, word: &str| {
        let wide = lead + quiet.width(word) + 22.0;
        if x > 0.0 && x + wide > width {
            x = 0.0;
            y += 19.0;
        }
        let at = (x, y);
        c.text(x + lead, y, word, quiet);
        x += wide;
        at
    };
    for kind in MarkKind::ALL {
        let used = p.stages.iter().any(|s| {
            s.marks.iter().any(|m| m.kind == kind)
                || s.touchpoints.iter().any(|t| t.marks.contains(&kind))
        });
        if used {
            let (x, y) = place(c, 13.0, kind.word());
            mark(c, (x + 5.0, y - 3.5), kind, None);
        }
    }
    for source in FeelingSource::ALL {
        let used = p.stages.iter().flat_map(|s| &s.feelings);
        if used.into_iter().any(|f| f.source == source) {
            let (x, y) = place(c, 32.0, source.told());
            feelings::sample(c, (x, y - 3.5), source);
        }
    }
    let mut felt = p.stages.iter().flat_map(|s| &s.feelings);
    if felt.any(|f| f.valence.is_none()) {
        let (x, y) = place(c, 13.0, "too few told what they feel");
        feelings::hole(c, (x + 5.0, y - 3.5), None);
    }
    y + 12.0
}
