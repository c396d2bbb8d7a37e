//! Pictures of what people do in which order and when.

use desireline_core::analyses::calendar::{CalendarReport, CalendarSlot};
use desireline_core::analyses::patterns::PatternsReport;
use desireline_core::analyses::precedence::{PrecedencePair, PrecedenceReport, Verdict};
use desireline_core::analyses::stability::StabilityReport;
use desireline_core::report::Report;

use super::{
    DropoffPicture, DropoffRow, MatrixCell, MatrixPicture, MatrixRow, MatrixTone, PathRow,
    PathTablePicture, Tone,
};
use crate::format;
use crate::words::level;

/// Rows of a picture at most; the table below has them all.
const ROWS: usize = 20;

/// Patterns as rows of chevrons, with their share and that of the goal.
pub(super) fn patterns(r: &PatternsReport) -> PathTablePicture {
    let row = |p: &desireline_core::analyses::patterns::PatternRow| PathRow {
        path: p.pattern.clone(),
        count: p.journeys,
        share: match &p.share.estimate {
            Some(e) => e.value,
            None => p.journeys as f64 / r.journeys.max(1) as f64,
        },
        goal: p.goal.and_then(|g| g.with.estimate),
        goal_n: p.journeys,
        note: String::new(),
    };
    PathTablePicture {
        title: "What many journeys have in this order".to_owned(),
        note: format!(
            "share of {}; other events may lie between{}",
            format::counted(r.journeys, "journey"),
            level(&r.tables())
        ),
        goal: match r.goal {
            Some(_) => "goal reached".to_owned(),
            None => String::new(),
        },
        rows: r.patterns.iter().take(ROWS).map(row).collect(),
        other: None,
    }
}

/// Touchpoints in their usual order, each against each: how often the row comes before the column.
pub(super) fn precedence(r: &PrecedenceReport) -> MatrixPicture {
    let names: Vec<&str> = r
        .touchpoints
        .iter()
        .map(|t| t.touchpoint.as_str())
        .collect();
    let place = |name: &str| names.iter().position(|n| *n == name);
    let mut rows: Vec<MatrixRow> = (1..)
        .zip(&r.touchpoints)
        .map(|(place, t)| MatrixRow {
            label: format!("{place} {}", t.touchpoint),
            figure: String::new(),
            cells: vec![MatrixCell::default(); names.len()],
        })
        .collect();
    for pair in &r.pairs {
        let (Some(i), Some(j)) = (place(&pair.first), place(&pair.then)) else {
            continue;
        };
        for (row, column, turned) in [(i, j, false), (j, i, true)] {
            let cell = rows.get_mut(row).and_then(|r| r.cells.get_mut(column));
            if let Some(cell) = cell {
                *cell = before(pair, turned);
            }
        }
    }
    MatrixPicture {
        title: "What comes before what".to_owned(),
        note: format!(
            "of the journeys with both, per cent in which the row comes first{}",
            level(&r.tables())
        ),
        corner: "in their usual order".to_owned(),
        columns: (1..=names.len()).map(|n| n.to_string()).collect(),
        rows,
        legend:
            "Blue: the row surely comes first; brown: the column does; grey: it cannot be said; \
                 blank: no journey has both"
                .to_owned(),
    }
}

/// How often the first comes before the other, or the other way round.
fn before(pair: &PrecedencePair, turned: bool) -> MatrixCell {
    let (a, b) = match turned {
        false => (&pair.first, &pair.then),
        true => (&pair.then, &pair.first),
    };
    let n = format::counted(pair.before.n, "journey");
    let Some(e) = &pair.before.estimate else {
        return MatrixCell {
            text: "–".to_owned(),
            tip: format!("{a} before {b}: {}", format::too_few(pair.before.n)),
            tone: MatrixTone::Unsure,
            shade: 0.0,
        };
    };
    let e = if turned { e.complement() } else { *e };
    let sure = matches!(pair.verdict, Verdict::Follows | Verdict::Against);
    MatrixCell {
        text: format!("{:.0}", e.value * 100.0),
        tip: format!("{a} before {b}: {} of {n}", format::estimate(&e)),
        tone: match (sure, e.value > 0.5) {
            (false, _) => MatrixTone::Unsure,
            (true, true) => MatrixTone::More,
            (true, false) => MatrixTone::Less,
        },
        shade: (e.value - 0.5).abs() * 2.0,
    }
}

/// Events by hour of the week.
pub(super) fn week(r: &CalendarReport) -> MatrixPicture {
    let most = r.week.iter().map(|c| c.events).max().unwrap_or(0).max(1);
    let row = |day: &CalendarSlot| {
        let hours = r.week.iter().filter(|c| c.weekday == day.slot);
        let cell = |c: &desireline_core::analyses::calendar::CalendarCell| MatrixCell {
            text: short(c.events),
            tip: format!(
                "{} {:02}:00: {}, {} begun",
                c.weekday,
                c.hour,
                format::counted(c.events, "event"),
                format::counted(c.starts, "journey")
            ),
            tone: MatrixTone::More,
            shade: c.events as f64 / most as f64,
        };
        MatrixRow {
            label: day.slot.clone(),
            figure: format::count(day.events.count),
            cells: hours.map(cell).collect(),
        }
    };
    MatrixPicture {
        title: "When people come".to_owned(),
        note: format!(
            "{} by hour of the week, {}; shares and intervals in the table",
            format::counted(r.events, "event"),
            r.time_zone
        ),
        corner: "hour".to_owned(),
        columns: (0..24).map(|hour: u32| hour.to_string()).collect(),
        rows: r.weekdays.iter().map(row).collect(),
        legend: "The darker, the more events; numbers beside the days are their events".to_owned(),
    }
}

/// A count that fits into a cell.
fn short(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..10_000 => format!("{:.1}k", n as f64 / 1e3),
        10_000..1_000_000 => format!("{}k", n / 1_000),
        1_000_000..10_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{}M", n / 1_000_000),
    }
}

/// Who reaches the goal, by the hour in which the journey began; none without a goal.
pub(super) fn conversion(r: &CalendarReport) -> Option<DropoffPicture> {
    r.goals?;
    let row = |slot: &CalendarSlot| {
        let rate = slot.conversion?;
        Some(DropoffRow {
            label: slot.slot.clone(),
            exits: rate.count,
            visits: rate.n,
            rate: rate.estimate,
        })
    };
    Some(DropoffPicture {
        title: "Who reaches the goal, by the hour of the start".to_owned(),
        note: format!(
            "of the journeys that began in that hour, {}{}",
            r.time_zone,
            level(&r.tables())
        ),
        rows: r.hours.iter().filter_map(row).collect(),
        overall: None,
        tone: Tone::Onward,
    })
}

/// Who stays in a segment, leaves and enters it.
pub(super) fn stability(r: &StabilityReport) -> DropoffPicture {
    let rates = r.rates().into_iter();
    let kappa = r.kappa.map_or(String::new(), |k| {
        format!("; beyond chance: kappa {}", format::estimate(&k))
    });
    DropoffPicture {
        title: "Do they stay the same?".to_owned(),
        note: format!(
            "{} present in both periods{}{kappa}",
            format::counted(r.both, "customer"),
            level(&r.tables())
        ),
        rows: rates
            .map(|(_, meaning, rate)| DropoffRow {
                label: meaning.to_owned(),
                exits: rate.count,
                visits: rate.n,
                rate: rate.estimate,
            })
            .collect(),
        overall: None,
        tone: Tone::Onward,
    }
}
