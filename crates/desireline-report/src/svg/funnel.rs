use desireline_stats::Estimate;

use super::canvas::{Canvas, Type};
use super::palette::Ink;
use super::scale::Scale;
use super::{ROOMY, head, sane, told, valued};
use crate::format;

/// A funnel: how many reach each step, and what became of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunnelPicture {
    /// What it shows.
    pub title: String,
    /// Window, base and level, in a line.
    pub note: String,
    /// What is counted, in the plural: `journeys`.
    pub unit: String,
    /// The steps, in order.
    pub steps: Vec<FunnelStep>,
}

/// One step of a funnel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunnelStep {
    /// The step's name.
    pub label: String,
    /// How many reached it.
    pub count: u64,
    /// The share of those that entered, with its interval.
    pub of_entered: Option<Estimate>,
    /// Of those on this step, the share that went on to the next, with its interval.
    pub go_on: Option<Estimate>,
    /// How many left before the next step.
    pub dropped: u64,
    /// How many may still reach the next step.
    pub at_risk: u64,
    /// The median time to the next step, in microseconds.
    pub to_next: Option<i64>,
}

impl FunnelPicture {
    /// The picture at a width.
    pub fn svg(&self, width: f64) -> String {
        let width = sane(width);
        let roomy = width >= ROOMY;
        let mut c = Canvas::new(width);
        let mut y = head(&mut c, width, &self.title, &self.note) + 8.0;
        let numbers = if roomy { 172.0 } else { 0.0 };
        let left = if roomy {
            (width * 0.22).min(190.0)
        } else {
            0.0
        };
        let most = self.steps.iter().map(|s| s.count).max().unwrap_or(0).max(1);
        let bar = Scale::new(
            (0.0, most as f64),
            (left, width - numbers - if roomy { 20.0 } else { 8.0 }),
        );
        let label = Type::new(12.5, Ink::Dark).bold();
        let mut before: Option<&FunnelStep> = None;
        for (i, step) in self.steps.iter().enumerate() {
            let last = i + 1 == self.steps.len();
            let name = format!("{}  {}", i + 1, step.label);
            if roomy {
                c.name(0.0, y + 17.0, &name, left - 12.0, label);
            } else {
                c.name(0.0, y + 11.0, &name, width, label);
                y += 18.0;
            }
            let height = if roomy { 26.0 } else { 20.0 };
            self.bar(&mut c, &bar, (y, height), step, before, most);
            let (value, interval) = told(step.of_entered.as_ref(), step.count);
            let counted = format!("{} {}", format::count(step.count), self.unit);
            let quiet = Type::new(11.0, Ink::Muted);
            if roomy {
                let x = width - numbers + 4.0;
                let shown = if i == 0 {
                    ("100 %".to_owned(), String::new())
                } else {
                    (value, interval)
                };
                valued(&mut c, (x, y + 10.0), &shown.0, &shown.1, Ink::Blue);
                c.text(x, y + 25.0, &counted, quiet);
                y += height;
            } else {
                y += height + 14.0;
                let shown = if i == 0 {
                    ("100 %".to_owned(), String::new())
                } else {
                    (value, interval)
                };
                let x = valued(&mut c, (0.0, y), &shown.0, &shown.1, Ink::Blue);
                c.text(x + 8.0, y, &counted, quiet);
                y += 2.0;
            }
            if !last {
                y = between(&mut c, (left, y + 16.0), width, step, &self.unit);
            }
            before = Some(step);
        }
        c.finish(y + 8.0, &self.title, &self.told())
    }

    /// Reached, still open and left, side by side, so that each row is as long as the one above was blue.
    fn bar(
        &self,
        c: &mut Canvas,
        scale: &Scale,
        (y, height): (f64, f64),
        step: &FunnelStep,
        before: Option<&FunnelStep>,
        most: u64,
    ) {
        let x0 = scale.at(0.0);
        let x1 = scale.at(step.count as f64);
        c.rect_told(
            (x0, y),
            (x1 - x0, height),
            Ink::BlueMid.class(),
            &format!("{} {}", format::count(step.count), self.unit),
        );
        if let Some(before) = before {
            let open = scale.at(step.count.saturating_add(before.at_risk) as f64);
            let lost = scale.at(before.count as f64);
            if open > x1 {
                c.rect_told(
                    (x1, y),
                    (open - x1, height),
                    Ink::GreyPale.class(),
                    &format!("{} still open", format::count(before.at_risk)),
                );
            }
            if lost > open {
                c.rect_told(
                    (open, y),
                    (lost - open, height),
                    Ink::LossPale.class(),
                    &format!("{} left", format::count(before.dropped)),
                );
            }
            if let (Some(e), Some(first)) = (&step.of_entered, self.steps.first()) {
                let base = first.count.min(most) as f64;
                c.whisker(
                    scale.at(e.lower * base),
                    scale.at(e.upper * base),
                    y + height / 2.0,
                    4.0,
                    Ink::Dark,
                );
            }
        }
    }

    fn told(&self) -> String {
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|s| {
                let share = s
                    .of_entered
                    .as_ref()
                    .map(|e| format!(", {} of entered", format::estimate(e)))
                    .unwrap_or_default();
                format!("{}: {}{share}", s.label, format::count(s.count))
            })
            .collect();
        format!(
            "Funnel of {} steps, counted in {}. {}",
            self.steps.len(),
            self.unit,
            steps.join("; ")
        )
    }
}

/// The words between two steps: who leaves, who may still come, how long it takes.
fn between(c: &mut Canvas, (x, y): (f64, f64), width: f64, step: &FunnelStep, unit: &str) -> f64 {
    let strong = Type::new(11.5, Ink::Loss).bold();
    let quiet = Type::new(11.0, Ink::Muted);
    let mut parts = Vec::new();
    let lead = match &step.go_on {
        // While some may still come, those who did not go on have not all left.
        Some(e) if step.at_risk == 0 => {
            let e = e.complement();
            parts.push(format!(
                "{} · {} {unit}",
                format::interval(&e),
                format::count(step.dropped)
            ));
            format!("{} leave", format::value(&e))
        }
        Some(e) => {
            parts.push(format!("{} went on so far", format::estimate(e)));
            format!("{} left", format::count(step.dropped))
        }
        None => format!("{} left", format::count(step.dropped)),
    };
    if step.at_risk > 0 {
        parts.push(format!("{} still open", format::count(step.at_risk)));
    }
    if let Some(t) = step.to_next {
        parts.push(format!("median {} to the next", format::duration(t)));
    }
    c.text(x, y, &lead, strong);
    let rest = parts.join(" · ");
    let after = x + strong.width(&lead) + 6.0;
    if after + quiet.width(&rest) <= width {
        c.text(after, y, &rest, quiet);
        y + 16.0
    } else {
        c.paragraph(x, y + 15.0, &rest, width - x, quiet) + 3.0
    }
}
