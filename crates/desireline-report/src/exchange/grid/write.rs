//! A map as a grid.

use desireline_core::map::JourneyMap;

use super::super::header::plain;
use super::super::records;
use super::{GridColumn, Lane, channel_name, channel_of, columns, owner_of};

/// The lanes that name parts, whose ids stand at the bottom.
pub(super) const NAMED: &[Lane] = &[
    Lane::Stage,
    Lane::Step,
    Lane::Touchpoint,
    Lane::Channel,
    Lane::Owner,
    Lane::Goals,
    Lane::Expectations,
    Lane::Emotion,
    Lane::Pains,
    Lane::Opportunities,
    Lane::Moments,
];

/// The lead of the rows that hold ids.
pub(super) const IDS: &str = "ids: ";

pub(in crate::exchange) fn write(map: &JourneyMap) -> String {
    let columns = columns(map);
    let mut out = String::new();
    let title = [Lane::Title.label().to_owned(), plain(map, &map.title)];
    let padding = columns.len().saturating_sub(1);
    records::write(
        &mut out,
        title
            .into_iter()
            .chain(std::iter::repeat_n(String::new(), padding)),
    );
    for lane in Lane::ALL.iter().skip(1) {
        let cells: Vec<String> = columns.iter().map(|c| cell(map, c, *lane, false)).collect();
        // Stages and touchpoints are what a grid is about; other lanes stand where they hold something.
        let always = matches!(lane, Lane::Stage | Lane::Touchpoint);
        if always || cells.iter().any(|c| !c.is_empty()) {
            let label = lane.label().to_owned();
            records::write(&mut out, std::iter::once(label).chain(cells));
        }
    }
    for lane in NAMED {
        let cells: Vec<String> = columns.iter().map(|c| cell(map, c, *lane, true)).collect();
        if cells.iter().any(|c| !c.is_empty()) {
            let label = format!("{IDS}{}", lane.label());
            records::write(&mut out, std::iter::once(label).chain(cells));
        }
    }
    out
}

/// What stands in a lane of a column: the names, or the ids of the parts.
fn cell(map: &JourneyMap, column: &GridColumn<'_>, lane: Lane, ids: bool) -> String {
    let both =
        |id: &desireline_core::map::Id, name: String| if ids { id.to_string() } else { name };
    let of = match lane {
        Lane::Stage => column.stage.map(|s| both(&s.id, plain(map, &s.name))),
        Lane::Step => column.step.map(|s| both(&s.id, plain(map, &s.action))),
        Lane::Thought => column
            .step
            .and_then(|s| s.thought.as_ref())
            .map(|t| plain(map, t)),
        Lane::Touchpoint => column.touchpoint.map(|t| both(&t.id, plain(map, &t.name))),
        Lane::Channel => column
            .touchpoint
            .and_then(|t| channel_of(map, t))
            .map(|c| both(&c.id, channel_name(map, c))),
        Lane::Owner => column
            .touchpoint
            .and_then(|t| owner_of(map, t))
            .map(|o| both(&o.id, plain(map, &o.name))),
        Lane::Description => column
            .touchpoint
            .and_then(|t| t.description.as_ref())
            .map(|d| plain(map, d)),
        lane => {
            let items = column.items.get(&lane).into_iter().flatten();
            let told: Vec<String> = items.map(|i| both(&i.id, i.text.clone())).collect();
            Some(told.join("\n"))
        }
    };
    of.unwrap_or_default()
}
