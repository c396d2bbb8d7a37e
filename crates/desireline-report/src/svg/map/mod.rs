//! The measured map: stages across, lanes down.
//!
//! [`MapPicture`] holds what is drawn, [`MapPicture::of`] fills it from a map and, where there is one, from its overlay. Stages
//! that do not fit side by side go on in further bands below; on a phone each band is one stage, with the name of each lane
//! above its content. Nothing is told by colour alone: marks have shapes, sources of feelings have lines of their own, targets
//! have words.

mod feelings;
mod flow;
mod fold;
mod lanes;
mod marks;
mod view;

use desireline_core::kpi::Currency;
use desireline_core::overlay::report::DwellMeasure;
use desireline_core::report::Rate;
use desireline_stats::Estimate;

use self::lanes::Lane;
use super::canvas::{Canvas, Type};
use super::palette::Ink;
use super::{ROOMY, head, sane};

/// The width of a map on a wide screen, and on paper across.
pub const MAP_WIDE: f64 = 1240.0;

/// A map as it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapPicture {
    /// The title.
    pub title: String,
    /// What it is a map of, in a line.
    pub subtitle: String,
    /// Whether a log stands behind it.
    pub measured: bool,
    /// The numbers at the top; six fit well.
    pub facts: Vec<MapFact>,
    /// The stages in their order.
    pub stages: Vec<MapStage>,
    /// Ways between stages that are not next to each other in this order, and ways back; most taken first.
    pub ways: Vec<MapWay>,
    /// What stands at the bottom.
    pub footer: String,
}

/// A number at the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapFact {
    /// What it is.
    pub label: String,
    /// The number.
    pub value: String,
    /// Its interval, or what else belongs to it.
    pub note: String,
}

/// A stage with all that is said of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapStage {
    /// Its name.
    pub name: String,
    /// What customers want here.
    pub goals: Vec<String>,
    /// Journeys that come here, of all; absent where it was not measured.
    pub reach: Option<Rate>,
    /// Journeys that end here without a goal.
    pub drop_off: Option<Rate>,
    /// Journeys that go on to the next stage of the picture, of all.
    pub onward: Option<Rate>,
    /// Its touchpoints, those of the highest reach first.
    pub touchpoints: Vec<MapTouchpoint>,
    /// Touchpoints that are not drawn, and how many events they have together.
    pub more: Option<(usize, Option<u64>)>,
    /// Events by channel, most first.
    pub channels: Vec<(String, u64)>,
    /// What customers feel, place by place.
    pub feelings: Vec<MapFeeling>,
    /// How long visits last; absent where it was not measured.
    pub dwell: Option<DwellMeasure>,
    /// How long it should take, in microseconds.
    pub target_duration: Option<i64>,
    /// The numbers that are watched.
    pub kpis: Vec<MapKpi>,
    /// Pain points, moments of truth, opportunities.
    pub marks: Vec<MapMark>,
}

/// A way between two stages, by their places in the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct MapWay {
    /// Where it begins.
    pub from: usize,
    /// Where it leads.
    pub to: usize,
    /// Journeys that take it, of all.
    pub reach: Rate,
}

/// A touchpoint in a stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapTouchpoint {
    /// Its name.
    pub name: String,
    /// Its channel.
    pub channel: String,
    /// How many journeys it reaches.
    pub presence: Presence,
    /// What is said of it, once each.
    pub marks: Vec<MarkKind>,
}

/// What is known of how many a touchpoint reaches.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Presence {
    /// Nothing, for a reason in a few words.
    Unknown(&'static str),
    /// Nothing: there is no log.
    #[default]
    NoLog,
    /// Journeys with a visit, of all.
    Measured(Rate),
}

/// Where a feeling comes from; those of different sources are never joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeelingSource {
    /// Customers said it, or answered a survey.
    Said,
    /// A model read it from texts.
    Text,
    /// It was inferred from what they did.
    Proxy,
    /// Somebody guesses.
    Guess,
    /// It should be so.
    Target,
}

/// What customers feel at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct MapFeeling {
    /// The place: a touchpoint, or the stage as a whole.
    pub place: String,
    /// Where it comes from.
    pub source: FeelingSource,
    /// Whether it was measured now, from answers; otherwise somebody typed it into the map.
    pub measured: bool,
    /// How pleasant, from -1 to 1; absent where too few told.
    pub valence: Option<f64>,
    /// Both ends of its interval.
    pub interval: Option<(f64, f64)>,
    /// How many told.
    pub n: Option<u64>,
}

/// A number that is watched.
#[derive(Clone, Debug, PartialEq)]
pub struct MapKpi {
    /// Its name.
    pub name: String,
    /// Its value; absent where it was not measured, or on too few.
    pub value: Option<Estimate>,
    /// The currency that it is in minor units of; absent where it is no money.
    pub currency: Option<Currency>,
    /// Of how many; absent where it was not measured.
    pub n: Option<u64>,
    /// Why it has no value, where that is known.
    pub hole: Option<String>,
    /// The target as a number on the scale of the value.
    pub target: Option<f64>,
    /// The target in words, such as `≤ 70 %`.
    pub wanted: String,
    /// How the value stands to it.
    pub verdict: Verdict,
}

impl MapKpi {
    /// Its value and the interval of it, where it has one.
    pub(crate) fn shown(&self) -> Option<(String, String)> {
        let value = self.value.as_ref()?;
        Some(crate::format::watched(value, self.currency.as_ref()))
    }

    /// What is said in place of a value.
    pub(crate) fn without_value(&self) -> String {
        match (&self.hole, self.n) {
            (Some(why), _) => why.clone(),
            (None, Some(n)) => crate::format::too_few(n),
            (None, None) => "not measured".to_owned(),
        }
    }
}

/// How a value stands to its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// There is no target, or no value.
    #[default]
    None,
    /// The whole interval is on the good side.
    Met,
    /// The whole interval is on the bad side.
    Missed,
    /// The target lies within the interval.
    Undecided,
    /// The target is of another kind than the value, such as money of another currency.
    Incomparable,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::None => "",
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Undecided => "undecided",
            Verdict::Incomparable => "cannot be compared",
        }
    }
}

/// Kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// Something hurts.
    Pain,
    /// It counts most here.
    Moment,
    /// Something could be better.
    Opportunity,
    /// Something was promised.
    Promise,
    /// Something could become worse.
    Risk,
    /// Nobody can see what happens here.
    Blind,
}

/// Something that is said of a stage, of one of its touchpoints, or of the way out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapMark {
    /// What it is.
    pub kind: MarkKind,
    /// Where: a touchpoint or a way; empty for the stage itself.
    pub place: String,
    /// What is said.
    pub text: String,
}

/// A stretch of stages side by side.
struct Band<'p> {
    picture: &'p MapPicture,
    stages: &'p [MapStage],
    /// The place of the first in the picture.
    first: usize,
    /// Where the columns begin; 0 where lanes have their names above them.
    left: f64,
    column: f64,
    width: f64,
}

impl Band<'_> {
    const GAP: f64 = 20.0;

    fn x(&self, i: usize) -> f64 {
        self.left + i as f64 * (self.column + Band::GAP)
    }

    fn labels_beside(&self) -> bool {
        self.left > 0.0
    }

    /// Stages with their left edges.
    fn columns(&self) -> impl Iterator<Item = (f64, &MapStage)> {
        self.stages.iter().enumerate().map(|(i, s)| (self.x(i), s))
    }
}

/// A column is not narrower than this on a wide picture.
const LEAST_COLUMN: f64 = 158.0;

impl MapPicture {
    /// The picture at a width in pixels.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let mut c = Canvas::new(width);
        let mut y = head(&mut c, width, &self.title, &self.subtitle);
        y = self.facts(&mut c, width, y + 6.0);
        let used = lanes::used(self);
        let (left, per_band) = self.layout(width);
        for (i, stages) in self.stages.chunks(per_band).enumerate() {
            let band = self.band(stages, i * per_band, (left, width, per_band));
            y = draw(&mut c, &band, &used, y) + 14.0;
        }
        if self.stages.is_empty() {
            y += 12.0;
            let quiet = Type::new(12.0, Ink::Muted).italic();
            c.text(0.0, y, "The map has no stages yet.", quiet);
            y += 20.0;
        }
        y = marks::legend(&mut c, self, width, y + 4.0);
        y = c.paragraph(
            0.0,
            y + 4.0,
            &self.footer,
            width,
            Type::new(10.5, Ink::Muted),
        );
        c.finish(y + 4.0, &self.title, &self.told())
    }

    /// The same as a picture for each band of stages, without the numbers at the top: for pages that break between them. The
    /// last has the legend.
    pub fn sheets(&self, width: f64) -> Vec<String> {
        let width = sane(width);
        let used = lanes::used(self);
        let (left, per_band) = self.layout(width);
        let n = self.stages.len();
        let mut sheets = Vec::new();
        for (i, stages) in self.stages.chunks(per_band).enumerate() {
            let first = i * per_band;
            let mut c = Canvas::new(width);
            let band = self.band(stages, first, (left, width, per_band));
            let mut y = draw(&mut c, &band, &used, 1.0) + 8.0;
            let until = first + stages.len();
            if until == n {
                y = marks::legend(&mut c, self, width, y);
                y = c.paragraph(
                    0.0,
                    y + 4.0,
                    &self.footer,
                    width,
                    Type::new(10.5, Ink::Muted),
                );
            }
            let title = match stages {
                [one] => format!("{}, stage {until} of {n}: {}", self.title, one.name),
                _ => format!("{}, stages {} to {until} of {n}", self.title, first + 1),
            };
            let told: Vec<String> = stages.iter().map(view::told).collect();
            sheets.push(c.finish(y + 2.0, &title, &told.join(". ")));
        }
        sheets
    }

    /// Where columns begin, and how many stages stand side by side.
    fn layout(&self, width: f64) -> (f64, usize) {
        let left = if width >= ROOMY + 100.0 { 128.0 } else { 0.0 };
        let fit = ((width - left + Band::GAP) / (LEAST_COLUMN + Band::GAP)).floor();
        let fit = if left > 0.0 { fit.max(1.0) as usize } else { 1 };
        let n = self.stages.len().max(1);
        // Bands of the same length: 8 stages on room for 7 are two bands of 4.
        (left, n.div_ceil(n.div_ceil(fit)))
    }

    fn band<'p>(
        &'p self,
        stages: &'p [MapStage],
        first: usize,
        (left, width, per_band): (f64, f64, usize),
    ) -> Band<'p> {
        let columns = per_band as f64;
        Band {
            picture: self,
            stages,
            first,
            left,
            column: (width - left - Band::GAP * (columns - 1.0)) / columns,
            width,
        }
    }

    fn facts(&self, c: &mut Canvas, width: f64, y: f64) -> f64 {
        if self.facts.is_empty() {
            return y;
        }
        let across = if width >= 900.0 {
            6
        } else if width >= ROOMY {
            3
        } else {
            2
        };
        let across = across.min(self.facts.len()).max(1);
        let column = width / across as f64;
        let mut y = y;
        for row in self.facts.chunks(across) {
            let mut lowest = y;
            for (i, fact) in row.iter().enumerate() {
                let x = i as f64 * column;
                let room = column - 12.0;
                c.name(x, y + 8.0, &fact.label, room, Type::new(10.5, Ink::Muted));
                c.name(
                    x,
                    y + 28.0,
                    &fact.value,
                    room,
                    Type::new(17.0, Ink::Dark).bold(),
                );
                let quiet = Type::new(10.5, Ink::Muted);
                let end = fold::told(c, (x, y + 43.0), &fact.note, room, 2, quiet);
                lowest = lowest.max(end);
            }
            y = lowest + 8.0;
        }
        y + 2.0
    }

    /// The picture in words.
    fn told(&self) -> String {
        let mut told = vec![self.subtitle.clone()];
        told.extend(self.facts.iter().map(|f| {
            format!("{}: {} {}", f.label, f.value, f.note)
                .trim()
                .to_owned()
        }));
        for s in &self.stages {
            told.push(view::told(s));
        }
        for way in &self.ways {
            told.push(flow::told(self, way));
        }
        told.retain(|t| !t.is_empty());
        told.join(". ")
    }
}

/// A band from its top; the y below it.
fn draw(c: &mut Canvas, band: &Band<'_>, used: &[Lane], top: f64) -> f64 {
    c.line((0.0, top), (band.width, top), Ink::Rule, 1.0);
    let mut y = top;
    // With the names beside them, lanes are the same in all bands; alone, a stage says only what it has to say.
    let shown = |lane: &&Lane| band.labels_beside() || band.stages.iter().any(|s| lane.is_in(s));
    for (i, lane) in used.iter().filter(shown).enumerate() {
        if i > 1 {
            let from = if band.labels_beside() { 0.0 } else { band.left };
            c.line((from, y), (band.width, y), Ink::Rule, 1.0);
        }
        y = lane.draw(c, band, y);
    }
    if band.labels_beside() {
        for i in 1..band.stages.len() {
            let x = band.x(i) - Band::GAP / 2.0;
            c.line((x, top), (x, y), Ink::Rule, 1.0);
        }
    }
    y
}
