//! What an overlay alone says of its map.

use desireline_core::map::{
    Channel, ChannelKind, Date, Id, JourneyMap, KpiBinding, KpiName, MapKind, Observability, Stage,
    Status, Step, Touchpoint, Version,
};
use desireline_core::overlay::report::OverlayReport;
use desireline_core::time::TimeSpan;

/// What an overlay says of its map.
pub(super) fn map_of(report: &OverlayReport) -> Option<JourneyMap> {
    let told = &report.map;
    let kind = match told.kind.as_str() {
        "actual" => MapKind::Actual,
        "ideal" => MapKind::Ideal,
        _ => MapKind::Hypothesis,
    };
    let status = Status::ALL
        .iter()
        .copied()
        .find(|s| s.word() == told.status);
    let version: Version = told.version.parse().ok()?;
    let as_of: Date = told.as_of.parse().ok()?;
    let status = status.unwrap_or(Status::Draft);
    let title = told.title.as_str();
    let mut map = JourneyMap::new(
        told.id.as_str(),
        title,
        version,
        kind,
        status,
        as_of,
        "owner",
    )
    .channels(
        report
            .channels
            .iter()
            .map(|c| Channel::new(c.id.as_str(), ChannelKind::Other).name(c.name.as_str())),
    )
    .stages(report.stages.iter().map(|s| {
        let mut stage = Stage::new(s.id.as_str(), s.name.as_str());
        stage.target_duration = s.target_duration.map(TimeSpan::from_micros);
        let steps = report.steps.iter().filter(|step| step.stage == s.id);
        stage.steps(steps.map(|step| Step::new(step.id.as_str(), step.name.as_str())))
    }));
    for t in &report.touchpoints {
        let stages = t.stages.iter().map(|s| Id::from(s.as_str()));
        let mut made = Touchpoint::new(t.id.as_str(), t.name.as_str()).stages(stages);
        made.channel = t.channel.as_deref().map(Id::from);
        made.observability = Observability::ALL
            .iter()
            .copied()
            .find(|o| o.word() == t.observability);
        map.touchpoints.push(made);
    }
    for k in report.kpis.iter().flatten() {
        let name = KpiName::from(k.kpi.as_str());
        let mut made = KpiBinding::new(k.id.as_str(), name).name(k.name.as_str());
        made.at = k.at.as_deref().map(Id::from);
        map.kpis.push(made);
    }
    Some(map)
}
