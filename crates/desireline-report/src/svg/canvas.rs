//! A small SVG writer: the same calls give the same bytes, and every name is escaped.

use std::fmt::Write as _;

use super::measure;
use super::palette::{Ink, style};
use crate::names::escape_xml;

const FONT: &str = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif";

/// Empty room left and right of the drawing.
pub(crate) const PAD: f64 = 8.0;

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) anchor: Anchor,
    pub(crate) class: &'static str,
}

impl Type {
    pub(crate) fn new(size: f64, ink: Ink) -> Type {
        Type {
            size,
            bold: false,
            italic: false,
            anchor: Anchor::Start,
            class: ink.class(),
        }
    }
    pub(crate) fn bold(self) -> Type {
        Type { bold: true, ..self }
    }
    pub(crate) fn italic(self) -> Type {
        Type {
            italic: true,
            ..self
        }
    }
    pub(crate) fn end(self) -> Type {
        Type {
            anchor: Anchor::End,
            ..self
        }
    }
    pub(crate) fn middle(self) -> Type {
        Type {
            anchor: Anchor::Middle,
            ..self
        }
    }
    pub(crate) fn class(self, class: &'static str) -> Type {
        Type { class, ..self }
    }
    fn anchor_attribute(&self) -> &'static str {
        match self.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        }
    }
    fn slope(&self) -> &'static str {
        match self.italic {
            true => " font-style=\"italic\"",
            false => "",
        }
    }
    pub(crate) fn width(&self, text: &str) -> f64 {
        measure::width(text, self.size, self.bold)
    }
}

/// A picture in the making. The origin is top left; y grows downwards.
pub(crate) struct Canvas {
    width: f64,
    body: String,
}

impl Canvas {
    pub(crate) fn new(width: f64) -> Canvas {
        Canvas {
            width,
            body: String::new(),
        }
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, text: &str, t: Type) {
        if text.is_empty() {
            return;
        }
        let anchor = t.anchor_attribute();
        let weight = if t.bold { " font-weight=\"650\"" } else { "" };
        let slope = t.slope();
        let _ = write!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" class=\"{}\"{anchor}{weight}{slope}>{}</text>",
            n(x),
            n(y),
            n(t.size),
            t.class,
            escape_xml(text)
        );
    }

    /// A name from the log: cut to its room, with the whole name as its tooltip, and its own direction of writing.
    pub(crate) fn name(&mut self, x: f64, y: f64, name: &str, room: f64, t: Type) {
        let shown = one_line(name);
        let short = measure::cut(&shown, room, t.size, t.bold);
        let whole = (short != shown).then_some(name);
        let anchor = t.anchor_attribute();
        let weight = if t.bold { " font-weight=\"650\"" } else { "" };
        let slope = t.slope();
        let tip = whole
            .map(|w| format!("<title>{}</title>", escape_xml(w)))
            .unwrap_or_default();
        let _ = write!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" class=\"{} dl-n\"{anchor}{weight}{slope}>{tip}{}</text>",
            n(x),
            n(y),
            n(t.size),
            t.class,
            escape_xml(&short)
        );
    }

    /// A part of a name as it is, with the whole name as its tooltip.
    pub(crate) fn name_told(&mut self, x: f64, y: f64, shown: &str, whole: &str, t: Type) {
        let anchor = t.anchor_attribute();
        let weight = if t.bold { " font-weight=\"650\"" } else { "" };
        let slope = t.slope();
        let _ = write!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" class=\"{} dl-n\"{anchor}{weight}{slope}><title>{}</title>{}</text>",
            n(x),
            n(y),
            n(t.size),
            t.class,
            escape_xml(whole),
            escape_xml(shown)
        );
    }

    /// Words broken into lines of at most `room`; the y below the last line.
    pub(crate) fn paragraph(&mut self, x: f64, y: f64, text: &str, room: f64, t: Type) -> f64 {
        let mut y = y;
        for line in wrap(text, room, t) {
            self.text(x, y, &line, t);
            y += t.size * 1.4;
        }
        y
    }

    pub(crate) fn rect(&mut self, (x, y): (f64, f64), (w, h): (f64, f64), class: &str) {
        let _ = write!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{class}\"/>",
            n(x),
            n(y),
            n(w.max(0.0)),
            n(h.max(0.0))
        );
    }

    /// A rectangle with a tooltip.
    pub(crate) fn rect_told(&mut self, at: (f64, f64), (w, h): (f64, f64), class: &str, tip: &str) {
        let _ = write!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{class}\"><title>{}</title></rect>",
            n(at.0),
            n(at.1),
            n(w.max(0.0)),
            n(h.max(0.0)),
            escape_xml(tip)
        );
    }

    pub(crate) fn line(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        ink: Ink,
        stroke: f64,
    ) {
        let _ = write!(
            self.body,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}s\" stroke-width=\"{}\"/>",
            n(x1),
            n(y1),
            n(x2),
            n(y2),
            ink.class(),
            n(stroke)
        );
    }

    /// A path by its commands; `extra` are further attributes, written as they are.
    pub(crate) fn path(&mut self, d: &str, class: &str, extra: &str, tip: Option<&str>) {
        let _ = match tip {
            Some(tip) => write!(
                self.body,
                "<path d=\"{d}\" class=\"{class}\"{extra}><title>{}</title></path>",
                escape_xml(tip)
            ),
            None => write!(self.body, "<path d=\"{d}\" class=\"{class}\"{extra}/>"),
        };
    }

    pub(crate) fn dot(&mut self, x: f64, y: f64, r: f64, class: &str, extra: &str) {
        let _ = write!(
            self.body,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" class=\"{class}\"{extra}/>",
            n(x),
            n(y),
            n(r)
        );
    }

    /// A whisker: an interval as a line with short ends.
    pub(crate) fn whisker(&mut self, from: f64, to: f64, y: f64, cap: f64, ink: Ink) {
        let d = format!(
            "M{} {}V{}M{} {}H{}M{} {}V{}",
            n(from),
            n(y - cap),
            n(y + cap),
            n(from),
            n(y),
            n(to),
            n(to),
            n(y - cap),
            n(y + cap)
        );
        self.path(
            &d,
            &format!("{}s", ink.class()),
            " stroke-width=\"1.3\"",
            None,
        );
    }

    /// The finished document. `title` says what it is, `told` the same in words for those who do not see it.
    pub(crate) fn finish(self, height: f64, title: &str, told: &str) -> String {
        let (w, h) = (n(self.width + 2.0 * PAD), n(height.ceil()));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-{PAD} 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
             aria-label=\"{label}\" font-family=\"{FONT}\"{FIT}><title>{label}</title><desc>{told}</desc>\
             <style>{style}</style><rect x=\"-{PAD}\" width=\"{w}\" height=\"{h}\" class=\"dl-w\"/>{body}</svg>",
            label = escape_xml(&one_line(title)),
            told = escape_xml(told),
            style = style(),
            body = self.body
        )
    }
}

/// How far finished pictures stand apart in a stack.
const APART: f64 = 20.0;
/// What makes a picture fit where it stands. Inside another picture it would stretch it instead.
const FIT: &str = " style=\"max-width:100%;height:auto\"";

/// Finished pictures, one below the other, in one document called `title`.
pub(crate) fn stacked(title: &str, pictures: &[String]) -> String {
    let mut body = String::new();
    let (mut width, mut y) = (0_f64, 0.0);
    for picture in pictures {
        if y > 0.0 {
            y += APART;
        }
        let place = format!(" x=\"0\" y=\"{}\"", n(y));
        body.push_str(&picture.replacen(FIT, &place, 1));
        let (w, h) = size(picture);
        width = width.max(w);
        y += h;
    }
    let (w, h) = (n(width), n(y));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"group\" \
         aria-label=\"{label}\"{FIT}><title>{label}</title><style>{style}</style>\
         <rect width=\"{w}\" height=\"{h}\" class=\"dl-w\"/>{body}</svg>",
        label = escape_xml(&one_line(title)),
        style = style(),
    )
}

/// Width and height of a finished picture, as its first element says them.
fn size(picture: &str) -> (f64, f64) {
    let number = |key: &str| {
        let from = picture.find(key)? + key.len();
        picture.get(from..)?.split('"').next()?.parse().ok()
    };
    let of = |key| number(key).unwrap_or(0.0);
    (of(" width=\""), of(" height=\""))
}

/// A coordinate: two decimals at most, no trailing zeros, never `-0`, never anything that is not a number.
pub(crate) fn n(x: f64) -> String {
    if !x.is_finite() {
        return "0".to_owned();
    }
    let rounded = (x * 100.0).round() / 100.0;
    let rounded = if rounded == 0.0 { 0.0 } else { rounded };
    format!("{rounded}")
}

/// Line breaks and tabs of a name as blanks: a label has one line.
pub(crate) fn one_line(name: &str) -> String {
    if name.is_empty() {
        return "(empty)".to_owned();
    }
    name.replace(['\n', '\r', '\t'], " ")
}

/// The text in lines no wider than `room`, broken at blanks; a word too wide for a line is cut.
pub(crate) fn wrap(text: &str, room: f64, t: Type) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if t.width(&format!("{line} {word}")) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(measure::cut(word, room, t.size, t.bold)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: f64, height: f64) -> String {
        let mut canvas = Canvas::new(width);
        canvas.rect((0.0, 0.0), (10.0, 10.0), "dl-k");
        canvas.finish(height, "A <picture>", "told")
    }

    #[test]
    fn pictures_stack_without_loss() {
        let all = [picture(300.0, 100.0), picture(300.0, 50.5)];
        let stack = stacked("Both & more", &all);
        assert_eq!(stack.matches("<svg").count(), 3);
        assert!(
            stack.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 316 171\"")
        );
        // The second begins below the first; neither is stretched by the rule for whole pictures.
        assert!(stack.contains(" x=\"0\" y=\"120\""));
        assert_eq!(stack.matches(FIT).count(), 1);
        assert!(stack.contains("Both &amp; more"));
    }
}
