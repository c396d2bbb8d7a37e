//! `desireline report`: the whole log on one page, in one pass.

use std::path::Path;

use clap::ArgMatches;
use desireline::engine::{Breakdown, DynAnalysis};
use desireline::registry::{ANALYSES, Entry};
use desireline::render::{AnswerView, html};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::input::{self, text, texts};
use crate::output;
use crate::progress::Bar;
use crate::question::{Question, shown};

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let mut columns: Vec<String> = Vec::new();
    let mut asked = Vec::new();
    for entry in ANALYSES {
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
    columns.extend(by.map(str::to_owned));
    columns.sort();
    columns.dedup();
    let journeys = input::journeys(m, &columns)?;

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
    let answers = journeys.run_dyn(&analyses, &input::exec(m, &bar)?)?;
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
    let page = html::page(&title(m), Some(&journeys.log().summary()), &views)?;
    output::put(text(m, "output"), page.as_bytes())
}

/// The analyses whose comparison reads well on a page: those about reaching something.
fn compared(entry: &Entry) -> bool {
    matches!(entry.name, "funnel" | "goals" | "dropoff")
}

fn title(m: &ArgMatches) -> String {
    let name = || {
        let file = Path::new(texts(m, "files").first().copied().unwrap_or_default())
            .file_name()?
            .to_str()?;
        Some(file.split('.').next().unwrap_or(file).to_owned())
    };
    text(m, "title")
        .map(str::to_owned)
        .or_else(name)
        .unwrap_or_else(|| "Customer journeys".to_owned())
}
