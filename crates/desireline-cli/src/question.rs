//! From options to a question, and its answer.

use clap::ArgMatches;
use desireline::JourneyRule;
use desireline::compare::Comparison;
use desireline::engine::{Breakdown, DynAnalysis, DynAnswer, Segment};
use desireline::registry::{self, Entry, FieldInfo, FieldKind};
use desireline::render::AnswerView;
use desireline::time::TimeSpan;
use serde_json::{Map, Value, json};

use crate::error::{CliError, option_of};
use crate::input::{self, Wanted, columns_of, flag, parse, text, texts};
use crate::progress::Bar;
use crate::{document, output};

/// A question as the command line has it, before the log is read.
pub(crate) struct Question {
    pub(crate) entry: &'static Entry,
    pub(crate) spec: Value,
    /// The columns it needs.
    pub(crate) columns: Vec<Wanted>,
}

impl Question {
    /// The question of one analysis. Options of other analyses are passed over.
    pub(crate) fn new(entry: &'static Entry, m: &ArgMatches) -> Result<Question, CliError> {
        let mut spec = Map::new();
        let mut columns = Vec::new();
        for field in entry.fields() {
            if let Some(value) = value(&field, m, &mut columns)? {
                spec.insert(field.name.clone(), value);
            }
        }
        Ok(Question {
            entry,
            spec: Value::Object(spec),
            columns,
        })
    }
}

/// The option that switches a field off which is on unless told.
pub(crate) fn off(field: &FieldInfo) -> String {
    format!("no_{}", field.singular())
}

fn value(
    field: &FieldInfo,
    m: &ArgMatches,
    columns: &mut Vec<Wanted>,
) -> Result<Option<Value>, CliError> {
    let word = field.singular();
    match &field.kind {
        FieldKind::Boolean => Ok(match (flag(m, word), flag(m, &off(field))) {
            (_, true) => Some(Value::Bool(false)),
            (true, _) => Some(Value::Bool(true)),
            _ => None,
        }),
        FieldKind::List(kind) => {
            let given = texts(m, word);
            if given.is_empty() {
                return Ok(None);
            }
            let values = given
                .into_iter()
                .map(|t| one(kind, word, t, columns))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Some(Value::Array(values)))
        }
        kind => text(m, word)
            .map(|t| one(kind, word, t, columns))
            .transpose(),
    }
}

fn one(
    kind: &FieldKind,
    word: &str,
    text: &str,
    columns: &mut Vec<Wanted>,
) -> Result<Value, CliError> {
    let option = format!("--{}", word.replace('_', "-"));
    let wrong = |what: &str| CliError::Usage(format!("{option} `{text}` is no {what}"));
    match kind {
        FieldKind::Expression => {
            columns_of(&parse(&option, text)?, columns);
            Ok(Value::String(text.to_owned()))
        }
        FieldKind::TimeSpan => match TimeSpan::parse(text) {
            Ok(_) => Ok(Value::String(text.to_owned())),
            Err(e) => Err(CliError::Usage(format!("{option}: {e}"))),
        },
        FieldKind::Integer => text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| wrong("whole number")),
        FieldKind::Number => text
            .parse::<f64>()
            .map(Value::from)
            .map_err(|_| wrong("number")),
        FieldKind::Json => serde_json::from_str(text).map_err(|e| wrong(&format!("JSON: {e}"))),
        _ => Ok(Value::String(text.to_owned())),
    }
}

pub(crate) fn summary(m: &ArgMatches) -> Result<(), CliError> {
    let log = input::log(m, &[])?;
    let summary = log.summary();
    let provenance = log.journeys(JourneyRule::customer())?.provenance();
    let typed = serde_json::to_value(&summary).unwrap_or_default();
    let spec = json!({});
    let view = AnswerView {
        analysis: "summary",
        spec: &spec,
        provenance: &provenance,
        report: &summary,
        typed: Some(&typed),
    };
    output::write(m, &view)
}

pub(crate) fn analysis(name: &str, m: &ArgMatches) -> Result<(), CliError> {
    let entry = Entry::find(name)?;
    let mut question = Question::new(entry, m)?;
    let analysis = match text(m, "by") {
        Some(by) => {
            question.columns.push(Wanted::named(by));
            entry.by(question.spec, Breakdown::by(by))?
        }
        None => entry.analysis(question.spec)?,
    };
    answer(m, &question.columns, analysis)
}

pub(crate) fn compare(m: &ArgMatches) -> Result<(), CliError> {
    let (question, how) = comparison(m)?;
    let analysis = question.entry.compare(question.spec, how)?;
    answer(m, &question.columns, analysis)
}

/// What to compare and how.
fn comparison(m: &ArgMatches) -> Result<(Question, Comparison), CliError> {
    let on = text(m, "on").unwrap_or(
        match (texts(m, "step").is_empty(), texts(m, "goal").is_empty()) {
            (false, _) => "funnel",
            (true, false) => "goals",
            _ => "paths",
        },
    );
    let mut question = Question::new(Entry::find(on)?, m)?;
    let missing = question
        .entry
        .fields()
        .into_iter()
        .find(|f| f.required && question.spec.get(&f.name).is_none());
    if let Some(field) = missing {
        return Err(CliError::Usage(format!(
            "comparing by {on} needs {}; `desireline {on} --help` says what it takes",
            option_of(on, &field.name)
        )));
    }
    let groups = match (text(m, "by"), texts(m, "segment")) {
        (Some(by), _) => {
            question.columns.push(Wanted::named(by));
            Breakdown::by(by)
        }
        (None, segments) if !segments.is_empty() => {
            let mut list = Vec::with_capacity(segments.len());
            for segment in segments {
                let (name, condition) = segment.split_once(':').ok_or_else(|| {
                    CliError::Usage(format!(
                        "--segment `{segment}` has no name; write 'mobile: device == \"mobile\"'"
                    ))
                })?;
                if name.trim().is_empty() {
                    return Err(CliError::Usage(format!(
                        "--segment `{segment}` has an empty name; write 'mobile: device == \"mobile\"'"
                    )));
                }
                let expr = parse("--segment", condition.trim())?;
                columns_of(&expr, &mut question.columns);
                list.push(Segment::new(name.trim(), expr));
            }
            Breakdown::Segments { segments: list }
        }
        _ => {
            let remedy =
                "say what to compare: --by ATTRIBUTE, or --segment 'NAME: EXPR' at least once";
            return Err(CliError::Usage(remedy.to_owned()));
        }
    };
    let mut how = json!({ "groups": groups });
    for name in ["baseline", "stratify"] {
        if let Some(given) = text(m, name) {
            how[name] = json!(given);
        }
    }
    question
        .columns
        .extend(text(m, "stratify").map(Wanted::named));
    let how = serde_json::from_value(how).map_err(|e| CliError::Usage(e.to_string()))?;
    Ok((question, how))
}

/// The question of a JSON document, such as a report's own.
pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let (name, spec) = document::question(m)?;
    let analysis = registry::from_spec(&name, spec)?;
    let mut columns = Vec::new();
    document::columns(&name, &analysis.spec(), &mut columns);
    answer(m, &columns, analysis)
}

fn answer(
    m: &ArgMatches,
    columns: &[Wanted],
    analysis: Box<dyn DynAnalysis>,
) -> Result<(), CliError> {
    let journeys = input::journeys(m, columns)?;
    let bar = Bar::new("counting", m);
    let answers = journeys.run_dyn(&[analysis], &input::exec(m, &bar)?)?;
    bar.finish();
    answers
        .iter()
        .try_for_each(|a| output::write(m, &shown(a, &a.report.to_json()?)))
}

/// The answer as renderers take it, with its typed fields.
pub(crate) fn shown<'a>(answer: &'a DynAnswer, typed: &'a Value) -> AnswerView<'a> {
    AnswerView {
        analysis: &answer.analysis,
        spec: &answer.spec,
        provenance: &answer.provenance,
        report: answer.report.as_report(),
        typed: Some(typed),
    }
}
