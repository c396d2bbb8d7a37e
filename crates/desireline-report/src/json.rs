//! An answer as versioned JSON, at full precision.
//!
//! ```json
//! {"desireline": "0.1.0", "analysis": "funnel", "spec": {}, "provenance": {}, "caveats": [{"kind": "…", "message": "…"}], "report": {}}
//! ```
//! `report` holds the typed fields where the caller has them ([`answer`], [`AnswerView::with_typed`]), else the tables.

use desireline_core::report::{Answer, Caveat, Provenance, Report, Table};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::view::AnswerView;

#[derive(Serialize)]
struct Document<'a, R: Serialize> {
    desireline: &'static str,
    analysis: &'a str,
    spec: &'a Value,
    provenance: &'a Provenance,
    caveats: Vec<Told<'a>>,
    report: R,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    caveat: &'a Caveat,
    message: String,
}

#[derive(Serialize)]
struct Tables {
    tables: Vec<Table>,
}

fn told(caveats: &[Caveat]) -> Vec<Told<'_>> {
    caveats
        .iter()
        .map(|caveat| Told {
            caveat,
            message: caveat.message(),
        })
        .collect()
}

fn write<R: Serialize>(analysis: &str, document: &Document<'_, R>) -> Result<String> {
    serde_json::to_string_pretty(document).map_err(|source| Error::Json {
        analysis: analysis.to_owned(),
        source,
    })
}

/// An answer seen without its type.
pub fn render(view: &AnswerView<'_>) -> Result<String> {
    let (analysis, spec, provenance) = (view.analysis, view.spec, view.provenance);
    let desireline = env!("CARGO_PKG_VERSION");
    let caveats = told(view.report.caveats());
    match view.typed {
        Some(report) => write(
            analysis,
            &Document {
                desireline,
                analysis,
                spec,
                provenance,
                caveats,
                report,
            },
        ),
        None => {
            let report = Tables {
                tables: view.report.tables(),
            };
            write(
                analysis,
                &Document {
                    desireline,
                    analysis,
                    spec,
                    provenance,
                    caveats,
                    report,
                },
            )
        }
    }
}

/// A typed answer.
pub fn answer<R: Report + Serialize>(answer: &Answer<R>) -> Result<String> {
    write(
        &answer.analysis,
        &Document {
            desireline: env!("CARGO_PKG_VERSION"),
            analysis: &answer.analysis,
            spec: &answer.spec,
            provenance: &answer.provenance,
            caveats: told(answer.report.caveats()),
            report: &answer.report,
        },
    )
}
