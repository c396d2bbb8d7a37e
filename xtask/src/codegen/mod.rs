//! Everything that follows from the registry of analyses and from the types of maps: JSON Schemas, the Python package's
//! questions and reports, and the reference pages. The files are committed; `--check` says which are stale.

mod python;
mod reference;
mod schema;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use desireline_core::compare::{CompareReport, Comparison};
use desireline_core::log::Summary;
use desireline_core::registry::ANALYSES;
use serde_json::Value;

use schema::{Class, Classes};

/// Why nothing was written.
pub(crate) type Problem = Box<dyn Error>;

/// An analysis as its schemas describe it.
pub(crate) struct Model {
    name: &'static str,
    spec_schema: Value,
    report_schema: Value,
    spec: Class,
    spec_classes: Classes,
    report: Class,
    report_classes: Classes,
}

/// A question or report beside the registry: how groups are compared, what is in a log.
pub(crate) type Beside = (Class, Classes);

/// Where whole folders belong to the generator: what it does not write there is a leftover.
const OWN_FOLDERS: &[&str] = &["schemas", "docs/reference"];

/// Writes all generated files below `root`, or only looks whether they are as they should be.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), Problem> {
    let files = files()?;
    let stale: Vec<&PathBuf> = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
        .map(|(p, _)| p)
        .collect();
    let leftovers = leftovers(root, &files)?;
    if check {
        if stale.is_empty() && leftovers.is_empty() {
            return Ok(());
        }
        let list = |paths: Vec<String>| paths.join("\n  ");
        let named = stale
            .iter()
            .map(|p| p.display().to_string())
            .chain(leftovers.iter().map(|p| p.display().to_string()));
        return Err(format!(
            "stale; run `cargo run -p xtask -- codegen`:\n  {}",
            list(named.collect())
        )
        .into());
    }
    for (path, text) in files.iter().filter(|(p, _)| stale.contains(&p)) {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text)?;
    }
    for path in leftovers {
        fs::remove_file(root.join(path))?;
    }
    Ok(())
}

/// Every generated file with its text, by its path below the root.
fn files() -> Result<Vec<(PathBuf, String)>, Problem> {
    let mut models: Vec<Model> = ANALYSES.iter().map(model).collect();
    tell_apart(&mut models);
    let summary_schema = schemars::schema_for!(Summary).to_value();
    let how_schema = schemars::schema_for!(Comparison).to_value();
    let compared_schema = schemars::schema_for!(CompareReport).to_value();
    let summary = schema::read("Summary", &summary_schema);
    let how = schema::read("Comparison", &how_schema);
    let compared = schema::read("CompareReport", &compared_schema);
    let package = Path::new("bindings/python/python/desireline");
    let mut files = vec![
        (
            package.join("_analyses.py"),
            python::analyses(&models, &how)?,
        ),
        (
            package.join("_reports.py"),
            python::reports(&models, &compared, &summary)?,
        ),
        (
            PathBuf::from("schemas/summary.report.json"),
            pretty(&summary_schema)?,
        ),
        (
            PathBuf::from("schemas/compare.spec.json"),
            pretty(&how_schema)?,
        ),
        (
            PathBuf::from("schemas/compare.report.json"),
            pretty(&compared_schema)?,
        ),
        (
            PathBuf::from("schemas/journey-map.json"),
            pretty(&desireline_core::map::map_schema())?,
        ),
        (
            PathBuf::from("schemas/lifecycle.json"),
            pretty(&desireline_core::map::lifecycle_schema())?,
        ),
        (
            PathBuf::from("docs/reference/compare.md"),
            reference::compare(&how, &compared),
        ),
        (
            PathBuf::from("docs/reference/README.md"),
            reference::index(&models),
        ),
    ];
    for (model, page) in models.iter().zip(reference::pages(&models)?) {
        files.push((
            PathBuf::from(format!("schemas/{}.spec.json", model.name)),
            pretty(&model.spec_schema)?,
        ));
        files.push((
            PathBuf::from(format!("schemas/{}.report.json", model.name)),
            pretty(&model.report_schema)?,
        ));
        files.push((
            PathBuf::from(format!("docs/reference/{}.md", model.name)),
            page,
        ));
    }
    Ok(files)
}

fn model(entry: &desireline_core::registry::Entry) -> Model {
    let (spec_schema, report_schema) = ((entry.spec_schema)(), (entry.report_schema)());
    let title = |schema: &Value| {
        schema
            .get("title")
            .and_then(Value::as_str)
            .unwrap_or(entry.name)
            .to_owned()
    };
    let (spec, spec_classes) = schema::read(&title(&spec_schema), &spec_schema);
    let (report, report_classes) = schema::read(&title(&report_schema), &report_schema);
    Model {
        name: entry.name,
        spec_schema,
        report_schema,
        spec,
        spec_classes,
        report,
        report_classes,
    }
}

/// Parts of two analyses that share a name but not their fields take the analysis' name in front, from the second on.
fn tell_apart(models: &mut [Model]) {
    let (mut specs, mut reports) = (Classes::new(), Classes::new());
    for model in models {
        let prefix = schema::pascal(model.name);
        for (class, classes, known) in [
            (&mut model.spec, &mut model.spec_classes, &mut specs),
            (&mut model.report, &mut model.report_classes, &mut reports),
        ] {
            let clashing: Vec<String> = classes
                .iter()
                .filter(|(name, c)| known.get(*name).is_some_and(|k| k != *c))
                .map(|(n, _)| n.clone())
                .collect();
            for name in clashing {
                schema::rename(class, classes, &name, &format!("{prefix}{name}"));
            }
            known.extend(classes.clone());
        }
    }
}

fn pretty(schema: &Value) -> Result<String, Problem> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}

fn leftovers(root: &Path, files: &[(PathBuf, String)]) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    for folder in OWN_FOLDERS {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        for entry in entries {
            let path = Path::new(folder).join(entry?.file_name());
            if !files.iter().any(|(p, _)| *p == path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
