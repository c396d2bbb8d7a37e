//! The numbers that a map watches, as a table: one row for each of the map's `kpis`, named by its id.

use super::KpiMeasure;
use crate::report::{Cells, Table};

pub(super) fn kpi_table(rows: &[KpiMeasure]) -> Table {
    let text = |of: fn(&KpiMeasure) -> Option<String>| Cells::Text(rows.iter().map(of).collect());
    let flag = |of: fn(&KpiMeasure) -> Option<bool>| Cells::Flag(rows.iter().map(of).collect());
    Table::new("kpis", "KPIs that the map watches")
        .with("id", "Id", text(|k| Some(k.id.clone())))
        .with("kpi", "KPI", text(|k| Some(k.kpi.clone())))
        .with("name", "Name", text(|k| Some(k.name.clone())))
        .with("at", "Where", text(|k| k.at.clone()))
        .with(
            "value",
            "Value",
            Cells::Estimate(rows.iter().map(|k| k.value).collect()),
        )
        .with(
            "n",
            "n",
            Cells::Count(rows.iter().map(|k| Some(k.n)).collect()),
        )
        .with("target", "Target", text(|k| k.target.clone()))
        .with("met", "Met", flag(|k| k.met))
        .with("alert", "Alert", flag(|k| k.alert))
        .with("hole", "Why no number", text(|k| k.hole.clone()))
}
