//! `desireline report`: the whole log on one page, in one pass.

use std::path::Path;

use clap::ArgMatches;
use desireline::engine::{Breakdown, DynAnalysis};
use desireline::overlay;
use desireline::registry::{ANALYSES, Entry};
use desireline::render::html::MapView;
use desireline::render::{AnswerView, html};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::input::{self, Wanted, flag, text, texts};
use crate::interrupt;
use crate::map;
use crate::measuring;
use crate::output;
use crate::progress::Bar;
use crate::question::{Question, shown};
use crate::survey;

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    if let Some(path) = text(m, "output")
        && let Some(ending) = Path::new(path).extension()
        && !["html", "htm"]
            .iter()
            .any(|e| ending.eq_ignore_ascii_case(e))
    {
        return Err(CliError::Usage(format!(
            "-o {path}: a report is an HTML page; call the file .html, or ask one question for other formats"
        )));
    }
    let mut columns: Vec<Wanted> = Vec::new();
    let mut asked = Vec::new();
    // What only counts would say again what the analysis beside it says with intervals.
    for entry in ANALYSES.iter().filter(|e| e.is_comparable()) {
        let question = Question::new(entry, m)?;
        // An analysis joins when everything it cannot do without was given.
        let complete = entry
            .fields()
            .iter()
            .all(|f| !f.required || question.spec.get(&f.name).is_some());
        if complete {
            columns.extend(question.columns);
            asked.push((entry, question.spec));
        }
    }
    let by = text(m, "by");
    columns.extend(by.map(Wanted::named));
    let map = text(m, "map").map(map::open).transpose()?;
    let sources = survey::sources(m)?;
    let how = measuring::question(m)?;
    columns.extend(how.handovers.iter().map(|name| Wanted::named(name)));
    let journeys = match &map {
        Some(file) => {
            columns.extend(map::columns(m, &[file])?);
            map::cut(m, file, &input::log(m, &columns)?)?
        }
        None => input::journeys(m, &columns)?,
    };

    let mut analyses: Vec<Box<dyn DynAnalysis>> = Vec::new();
    for (entry, spec) in &asked {
        analyses.push(entry.analysis(spec.clone())?);
        if let Some(by) = by
            && compared(entry)
        {
            let how = json!({ "groups": Breakdown::by(by) });
            let how = serde_json::from_value(how).map_err(|e| CliError::Usage(e.to_string()))?;
            analyses.push(entry.compare(spec.clone(), how)?);
        }
    }
    let bar = Bar::new("counting", m);
    let exec = input::exec(m, &bar)?;
    let answers = journeys.run_dyn(&analyses, &exec)?;
    let measured = match &map {
        Some(file) => Some((
            overlay::measured_and_heard(file.map(), &journeys, &how, &sources, &exec)
                .map_err(|e| overlay::placed(file, journeys.catalog(), e))?,
            overlay::check(file, &journeys, &map::options(m)?, &exec)?,
        )),
        None => None,
    };
    bar.finish();

    let typed: Vec<Value> = answers
        .iter()
        .map(|a| a.report.to_json())
        .collect::<Result<_, _>>()?;
    let views: Vec<AnswerView<'_>> = answers
        .iter()
        .zip(&typed)
        .map(|(a, t)| shown(a, t))
        .collect();
    let summary = journeys.log().summary();
    let page = match (&map, &measured) {
        (Some(file), Some(((measured, voice), check))) => {
            let view = MapView {
                overlay: Some(measured),
                voice: voice.as_ref(),
                check: Some(check),
                sensitive: flag(m, "sensitive"),
                ..MapView::new(file.map())
            };
            html::map_page(&view, text(m, "title"), Some(&summary), &views)?
        }
        _ => html::page(&title(m), Some(&summary), &views)?,
    };
    interrupt::check()?;
    output::put(text(m, "output"), page.as_bytes())
}

/// The analyses whose comparison reads well on a page: those about reaching something.
fn compared(entry: &Entry) -> bool {
    matches!(entry.name, "funnel" | "goals" | "dropoff")
}

fn title(m: &ArgMatches) -> String {
    if let Some(title) = text(m, "title") {
        return title.to_owned();
    }
    let files = texts(m, "files");
    let name = files
        .first()
        .and_then(|f| Path::new(f).file_name()?.to_str());
    match (name, files.len()) {
        (Some("-") | None, _) => "Customer journeys".to_owned(),
        (Some(name), 1) => format!("Customer journeys in {name}"),
        (Some(name), n) => format!("Customer journeys in {name} and {} more", n - 1),
    }
}
