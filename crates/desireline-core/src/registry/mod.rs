//! The one list of analyses. A new analysis is a file in `analyses/` and a line here; the command line, the Python
//! package, the JSON schemas, the reference and the law tests follow.

mod fields;

pub use fields::{FieldInfo, FieldKind, fields};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::compare::{Compare, CompareReport, Comparison};
use crate::engine::{Analysis, Breakdown, By, ByReport, DynAnalysis, DynReport};
use crate::error::{Error, Result, SpecError, nearest};

/// What is known about an analysis without running it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Registry key, CLI word and Python method.
    pub name: &'static str,
    /// The version of its partial results.
    pub state_version: u32,
    /// The analysis that groups are compared by: this one, unless it only counts.
    pub compare_by: &'static str,
    /// The JSON Schema of its question.
    pub spec_schema: fn() -> Value,
    /// The JSON Schema of its report.
    pub report_schema: fn() -> Value,
    make: fn(Value) -> Result<Box<dyn DynAnalysis>>,
    make_by: fn(Value, Breakdown) -> Result<Box<dyn DynAnalysis>>,
    make_compare: fn(Value, Comparison) -> Result<Box<dyn DynAnalysis>>,
    read_report: fn(Value) -> Result<Box<dyn DynReport>>,
    read_report_by: fn(Value) -> Result<Box<dyn DynReport>>,
}

macro_rules! analyses {
    ($($path:path),* $(,)?) => {
        /// Every analysis, in the order in which people meet them.
        pub static ANALYSES: &[Entry] = &[$(Entry::of::<$path>()),*];
    };
}

analyses![
    crate::analyses::Paths,
    crate::analyses::Transitions,
    crate::analyses::DirectlyFollows,
    crate::analyses::Precedence,
    crate::analyses::Patterns,
    crate::analyses::Funnel,
    crate::analyses::Dropoff,
    crate::analyses::Goals,
    crate::analyses::Retention,
    crate::analyses::Calendar,
    crate::analyses::Stability,
    // One line per analysis.
];

impl Entry {
    const fn of<A: Analysis + std::fmt::Debug>() -> Entry {
        Entry {
            name: A::NAME,
            state_version: A::STATE_VERSION,
            compare_by: A::COMPARE_BY,
            spec_schema: || schemars::schema_for!(A).to_value(),
            report_schema: || schemars::schema_for!(A::Report).to_value(),
            make: |spec| Ok(Box::new(read::<A>(spec)?)),
            make_by: |spec, groups| {
                Ok(Box::new(By {
                    of: read::<A>(spec)?,
                    groups,
                }))
            },
            make_compare: |spec, how| {
                Ok(Box::new(Compare {
                    of: read::<A>(spec)?,
                    how,
                }))
            },
            read_report: report::<A::Report>,
            read_report_by: report::<ByReport<A::Report>>,
        }
    }

    /// Whether groups can be compared by it.
    pub fn is_comparable(&self) -> bool {
        self.compare_by == self.name
    }

    /// One sentence on the question it answers.
    pub fn summary(&self) -> String {
        let schema = (self.spec_schema)();
        let doc = schema
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        doc.split("\n\n")
            .next()
            .unwrap_or_default()
            .replace('\n', " ")
    }

    /// The fields of its question.
    pub fn fields(&self) -> Vec<FieldInfo> {
        fields(&(self.spec_schema)())
    }

    /// The entry called `name`.
    pub fn find(name: &str) -> Result<&'static Entry> {
        ANALYSES
            .iter()
            .find(|e| e.name == name)
            .ok_or_else(|| Error::UnknownAnalysis {
                name: name.to_owned(),
                nearest: nearest(name, ANALYSES.iter().map(|e| e.name)),
                known: ANALYSES.iter().map(|e| e.name.to_owned()).collect(),
            })
    }

    /// The analysis of a JSON question.
    pub fn analysis(&self, spec: Value) -> Result<Box<dyn DynAnalysis>> {
        (self.make)(spec)
    }

    /// The analysis of a JSON question, group by group.
    pub fn by(&self, spec: Value, groups: Breakdown) -> Result<Box<dyn DynAnalysis>> {
        (self.make_by)(spec, groups)
    }

    /// The analysis of a JSON question, compared between groups.
    pub fn compare(&self, spec: Value, how: Comparison) -> Result<Box<dyn DynAnalysis>> {
        (self.make_compare)(spec, how)
    }
}

/// The analysis of a JSON question as a report's `spec` has it: plain, broken down or a comparison.
pub fn from_spec(name: &str, spec: Value) -> Result<Box<dyn DynAnalysis>> {
    let entry = Entry::find(name)?;
    let Value::Object(fields) = spec else {
        return entry.analysis(spec);
    };
    let shape = |e: serde_json::Error| SpecError::Shape {
        analysis: entry.name,
        reason: e.to_string(),
    };
    if let (Some(_), Some(other)) = (
        fields.get("of"),
        ["groups", "how"].iter().find(|f| fields.contains_key(**f)),
    ) && let Some(unknown) = fields.keys().find(|f| *f != "of" && f != other)
    {
        let reason = format!("unknown field `{unknown}`, expected `of` or `{other}`");
        return Err(SpecError::Shape {
            analysis: entry.name,
            reason,
        }
        .into());
    }
    if let (Some(of), Some(groups)) = (fields.get("of"), fields.get("groups")) {
        let groups = serde_json::from_value(groups.clone()).map_err(shape)?;
        return entry.by(of.clone(), groups);
    }
    if let (Some(of), Some(how)) = (fields.get("of"), fields.get("how")) {
        let how = serde_json::from_value(how.clone()).map_err(shape)?;
        return entry.compare(of.clone(), how);
    }
    entry.analysis(Value::Object(fields))
}

/// A report of the question `spec` from the JSON that [`DynReport::to_json`] gave: plain, broken down or a comparison.
///
/// # Errors
/// [`Error::UnknownAnalysis`], and [`Error::Envelope`] where the JSON is no such report.
pub fn read_report(name: &str, spec: &Value, json: Value) -> Result<Box<dyn DynReport>> {
    let entry = Entry::find(name)?;
    match (spec.get("of"), spec.get("groups"), spec.get("how")) {
        (Some(_), Some(_), _) => (entry.read_report_by)(json),
        (Some(_), None, Some(_)) => report::<CompareReport>(json),
        _ => (entry.read_report)(json),
    }
}

fn report<R: DynReport + DeserializeOwned + 'static>(json: Value) -> Result<Box<dyn DynReport>> {
    let read: R = serde_json::from_value(json).map_err(|e| Error::Envelope {
        reason: format!("its report cannot be read: {e}"),
    })?;
    Ok(Box::new(read))
}

fn read<A: Analysis>(spec: Value) -> Result<A> {
    serde_json::from_value(spec).map_err(|e| {
        SpecError::Shape {
            analysis: A::NAME,
            reason: e.to_string(),
        }
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ANALYSES.iter().map(|e| e.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ANALYSES.len());
    }
}
