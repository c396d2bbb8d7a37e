//! The one palette, safe for colour-blind readers, in light and dark. Colours are classes; `dl-` keeps them apart from a host page.
//!
//! Blues mean "went on", browns "left", greys "not known". The categorical tints follow Paul Tol's *light* scheme, made to
//! carry dark text.

/// How a shape or a text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text and strong marks.
    Dark,
    /// Secondary text.
    Muted,
    /// Hair lines.
    Rule,
    /// Strong blue: numbers and marks of those who went on.
    Blue,
    /// Middle blue: bars.
    BlueMid,
    /// Pale blue: areas.
    BluePale,
    /// Strong brown: numbers and marks of those who left.
    Loss,
    /// Middle brown: bars of loss.
    LossMid,
    /// Pale brown: areas of loss.
    LossPale,
    /// Green: the goal.
    Goal,
    /// Pale green: areas that reach the goal.
    GoalPale,
    /// Pale grey: not known, still open.
    GreyPale,
    /// The background.
    Paper,
}

impl Ink {
    const ALL: [(Ink, &'static str, &'static str, &'static str); 13] = [
        (Ink::Dark, "dl-k", "#1b1f24", "#e8ebef"),
        (Ink::Muted, "dl-m", "#5c6773", "#9aa7b4"),
        (Ink::Rule, "dl-r", "#d9dee4", "#353e48"),
        (Ink::Blue, "dl-b", "#2b6cb0", "#7fb4ea"),
        (Ink::BlueMid, "dl-bm", "#8fb8e0", "#4577a8"),
        (Ink::BluePale, "dl-bp", "#dbe8f5", "#21374e"),
        (Ink::Loss, "dl-l", "#a8481f", "#f0a078"),
        (Ink::LossMid, "dl-lm", "#dfa484", "#94593c"),
        (Ink::LossPale, "dl-lp", "#f6e3d9", "#452c20"),
        (Ink::Goal, "dl-g", "#1d7349", "#6fcf9f"),
        (Ink::GoalPale, "dl-gp", "#cfe9db", "#1e4533"),
        (Ink::GreyPale, "dl-gr", "#e6e9ed", "#2c343d"),
        (Ink::Paper, "dl-w", "#ffffff", "#15191e"),
    ];

    /// The class that fills with this colour; with an `s` at its end, the class that strokes.
    pub(crate) fn class(self) -> &'static str {
        Ink::ALL
            .iter()
            .find(|(ink, ..)| *ink == self)
            .map_or("dl-k", |(_, class, ..)| class)
    }
}

/// Tints for names, in order of first use; the last is for everything beyond.
pub(crate) const TINTS: [&str; 9] = [
    "#77aadd", "#eedd88", "#44bb99", "#ffaabb", "#99ddff", "#ee8866", "#bbcc33", "#c9b3e0",
    "#d5d9de",
];

/// Strong colours for lines, light and dark, with a pattern of dashes so that colour is not the only difference.
pub(crate) const LINES: [(&str, &str, &str); 6] = [
    ("#2b6cb0", "#7fb4ea", ""),
    ("#b4532a", "#f0a078", "7 3"),
    ("#1d7349", "#6fcf9f", "2 3"),
    ("#7a4aa0", "#c3a1e6", "9 3 2 3"),
    ("#8a6d00", "#dcc05a", "4 2"),
    ("#5c6773", "#9aa7b4", "1 2"),
];

/// The style sheet inside every picture.
pub(crate) fn style() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    for (_, class, day, night) in Ink::ALL {
        light.push_str(&format!(
            ".{class}{{fill:{day}}}.{class}s{{stroke:{day};fill:none}}"
        ));
        dark.push_str(&format!(
            ".{class}{{fill:{night}}}.{class}s{{stroke:{night}}}"
        ));
    }
    for (i, (day, night, dash)) in LINES.iter().enumerate() {
        let dash = if dash.is_empty() {
            String::new()
        } else {
            format!(";stroke-dasharray:{dash}")
        };
        light.push_str(&format!(
            ".dl-c{i}{{fill:{day}}}.dl-c{i}s{{stroke:{day};fill:none{dash}}}"
        ));
        dark.push_str(&format!(
            ".dl-c{i}{{fill:{night}}}.dl-c{i}s{{stroke:{night}}}"
        ));
    }
    for (i, tint) in TINTS.iter().enumerate() {
        light.push_str(&format!(".dl-t{i}{{fill:{tint}}}"));
    }
    // Text on tints is dark in both modes, since the tints are light in both.
    light.push_str(".dl-on{fill:#1b1f24}.dl-n{unicode-bidi:plaintext}");
    format!("{light}@media (prefers-color-scheme:dark){{{dark}}}@media print{{{light}}}")
}
