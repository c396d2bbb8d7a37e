//! What a map watches, hears and feels, as tables.

use desireline_stats::Estimate;

use super::*;
use crate::kpi::{AlertRun, Currency};
use crate::report::{Cells, Table};

fn text<T>(rows: &[T], of: impl Fn(&T) -> Option<String>) -> Cells {
    Cells::Text(rows.iter().map(of).collect())
}

impl Table {
    /// The columns `value` and, where some are money of a known currency, `currency`: those are in its whole units.
    pub(super) fn with_value<T>(
        self,
        label: &str,
        rows: &[T],
        of: impl Fn(&T) -> (Option<Estimate>, Option<&Currency>),
    ) -> Table {
        let whole = |row: &T| {
            let (value, currency) = of(row);
            currency.map_or(value, |currency| Some(currency.whole(&value?)))
        };
        let table = self.with(
            "value",
            label,
            Cells::Estimate(rows.iter().map(whole).collect()),
        );
        match rows.iter().any(|row| of(row).1.is_some()) {
            true => {
                let code = |row: &T| Some(of(row).1?.code.clone());
                table.with("currency", "Currency", text(rows, code))
            }
            false => table,
        }
    }
}

impl OverlayReport {
    /// The tables `kpis`, `kpi_parts`, `feedback` and `feelings`, as far as there is something in them.
    pub(super) fn watched_tables(&self) -> Vec<Table> {
        [
            self.kpi_table(),
            self.part_table(),
            self.feedback_table(),
            self.feeling_table(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn kpi_table(&self) -> Option<Table> {
        let rows = self.kpis.as_deref().filter(|rows| !rows.is_empty())?;
        let flag = |of: fn(&KpiMeasure) -> Option<bool>| Cells::Flag(rows.iter().map(of).collect());
        let runs = rows.iter().any(|k| k.alert_run.is_some());
        let run = |of: fn(&AlertRun) -> Option<u64>| {
            let of = |k: &KpiMeasure| k.alert_run.as_ref().and_then(of);
            Cells::Count(rows.iter().map(of).collect())
        };
        let table = Table::new("kpis", "KPIs that the map watches")
            .with("id", "Id", text(rows, |k| Some(k.id.clone())))
            .with("kpi", "KPI", text(rows, |k| Some(k.kpi.clone())))
            .with("name", "Name", text(rows, |k| Some(k.name.clone())))
            .with("at", "At", text(rows, |k| k.at.clone()))
            .with_value("Value", rows, |k| (k.value, k.currency.as_ref()))
            .with(
                "n",
                "Of",
                Cells::Count(rows.iter().map(|k| Some(k.n)).collect()),
            )
            .with("target", "Target", text(rows, |k| k.target.clone()))
            .with("met", "Met", flag(|k| k.met))
            .with("alert", "Alert", flag(|k| k.alert));
        let table = match runs {
            true => table
                .with(
                    "alert_periods",
                    "Periods in a row",
                    run(|r| Some(r.periods)),
                )
                .with("alert_wanted", "So many ring", run(|r| r.wanted))
                .with(
                    "alert_unit",
                    "Period",
                    text(rows, |k| Some(k.alert_run?.unit.word().to_owned())),
                ),
            false => table,
        };
        Some(table.with(
            "hole",
            "Why there is no number",
            text(rows, |k| k.hole.clone()),
        ))
    }

    /// The numbers of KPIs that have one for each channel or kind.
    fn part_table(&self) -> Option<Table> {
        let rows = self.kpis.as_deref()?.iter();
        let rows: Vec<(&KpiMeasure, &KpiPart)> = rows
            .flat_map(|k| k.parts.iter().map(move |p| (k, p)))
            .collect();
        let rows = Some(&rows[..]).filter(|rows| !rows.is_empty())?;
        let n = rows.iter().map(|r| Some(r.1.n)).collect();
        let met = rows.iter().map(|r| r.1.met).collect();
        Some(
            Table::new("kpi_parts", "KPIs by channel or kind")
                .with("id", "Id", text(rows, |r| Some(r.0.id.clone())))
                .with("key", "Of", text(rows, |r| Some(r.1.key.clone())))
                .with_value("Value", rows, |r| (r.1.value, r.0.currency.as_ref()))
                .with("n", "n", Cells::Count(n))
                .with("met", "Met", Cells::Flag(met))
                .with(
                    "hole",
                    "Why there is no number",
                    text(rows, |r| r.1.hole.clone()),
                ),
        )
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
