//! What customers say and feel along a map, as tables.

use super::*;
use crate::report::{Cells, Table};

fn text<T>(rows: &[T], of: impl Fn(&T) -> Option<String>) -> Cells {
    Cells::Text(rows.iter().map(of).collect())
}

impl OverlayReport {
    /// The tables `feedback` and `feelings`, as far as there is something in them.
    pub(super) fn heard_tables(&self) -> Vec<Table> {
        let all = [self.feedback_table(), self.feeling_table()];
        all.into_iter().flatten().collect()
    }

    /// Stages and touchpoints with their ids, in the order of the map.
    fn places<T>(
        &self,
        of_stage: impl Fn(&StageMeasure) -> Vec<T>,
        of_touchpoint: impl Fn(&TouchpointMeasure) -> Vec<T>,
    ) -> Vec<(&'static str, &str, T)> {
        let stages = self.stages.iter().flat_map(|s| {
            let found = of_stage(s).into_iter();
            found.map(|t| ("stage", s.id.as_str(), t))
        });
        let touchpoints = self.touchpoints.iter().flat_map(|s| {
            let found = of_touchpoint(s).into_iter();
            found.map(|t| ("touchpoint", s.id.as_str(), t))
        });
        stages.chain(touchpoints).collect()
    }

    fn feedback_table(&self) -> Option<Table> {
        let rows = self.places(
            |s| s.feedback.clone().unwrap_or_default(),
            |t| t.feedback.clone().unwrap_or_default(),
        );
        let rows = Some(&rows[..]).filter(|rows| !rows.is_empty())?;
        let value = rows.iter().map(|r| r.2.value).collect();
        let response = rows.iter().map(|r| r.2.response).collect();
        let answers = rows.iter().map(|r| Some(r.2.answers)).collect();
        Some(
            Table::new("feedback", "What customers say")
                .with("kind", "Part", text(rows, |r| Some(r.0.to_owned())))
                .with("id", "Id", text(rows, |r| Some(r.1.to_owned())))
                .with(
                    "instrument",
                    "Asked as",
                    text(rows, |r| Some(r.2.instrument.clone())),
                )
                .with("value", "Value", Cells::Estimate(value))
                .with("answers", "Answers", Cells::Count(answers))
                .with("response", "Answered", Cells::Rate(response)),
        )
    }

    fn feeling_table(&self) -> Option<Table> {
        let rows = self.places(
            |s| s.emotion.clone().into_iter().collect(),
            |t| t.emotion.clone().into_iter().collect(),
        );
        let rows = Some(&rows[..]).filter(|rows| !rows.is_empty())?;
        Some(
            Table::new("feelings", "What customers feel")
                .with("kind", "Part", text(rows, |r| Some(r.0.to_owned())))
                .with("id", "Id", text(rows, |r| Some(r.1.to_owned())))
                .with(
                    "source",
                    "Source",
                    text(rows, |r| Some(r.2.source.replace('_', " "))),
                )
                .with(
                    "valence",
                    "How pleasant, -1 to 1",
                    Cells::Estimate(rows.iter().map(|r| r.2.valence).collect()),
                )
                .with(
                    "arousal",
                    "How stirring, 0 to 1",
                    Cells::Estimate(rows.iter().map(|r| r.2.arousal).collect()),
                )
                .with(
                    "n",
                    "Answers",
                    Cells::Count(rows.iter().map(|r| Some(r.2.n)).collect()),
                ),
        )
    }
}
