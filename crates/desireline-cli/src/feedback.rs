//! `desireline feedback`: surveys by themselves, and along a map.

use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use desireline::feedback::{
    Direction, Duplicates, Feedback, FeedbackError, Measuring, Question, QuestionKind,
    ReportOptions, Scale, Score, Which,
};
use desireline::io::{self, FeedbackColumns};
use desireline::map::{Form, MapFile};
use desireline::overlay::{JoinRule, ListenOptions, Ties, listen};
use desireline::render::AnswerView;
use desireline::report::{Answer, Report};
use serde::Serialize;

use crate::command::{journeys, reading};
use crate::error::CliError;
use crate::input::{self, flag, text, texts};
use crate::progress::Bar;
use crate::{interrupt, output, stdin};

const HELP: &str = "\
A question is NAME=KIND, followed by what else there is to say, with commas between:
  scale=1..7       the lowest and the highest answer        blank=11         a code for no answer (several: give it again)
  low-is-good      the lowest answer is the best            blank-text=NA    a text for no answer
  column=COL       where the answers are [default: NAME]    words=COL        where the words beside them are
  about=ID         the touchpoint that it asks about        pair=NAME        the other of expected and perceived
  model=NAME@1.0   the model that read the sentiment
Kinds: nps, enps, csat, ces_v1 (effort, 1 to 5, low is good), ces_v2 (ease, 1 to 7), sentiment, rating, yes_no, expected, perceived, feeling, arousal, text.

Wide, a row for each respondent:
  desireline feedback survey.csv --who RESPNUM --question NETPRO=nps,blank=11 --question Q7ALL=csat,blank-text=Blank
Long, a row for each answer:
  desireline feedback answers.jsonl --who customer --when time --question-column question --score score --question nps=nps --question csat=csat
Along a map:
  desireline feedback answers.csv --who customer --when time --question csat=csat --map shop.yaml --log shop.arrow --within 2d";

pub(crate) fn command() -> Command {
    let arg =
        |heading: &'static str, name: &'static str, value: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .value_name(value)
                .help(help)
                .help_heading(heading)
        };
    let survey = |name, value, help| arg("Survey", name, value, help);
    let map = |name, value, help| arg("Along a map", name, value, help);
    let kinds = || PossibleValuesParser::new(QuestionKind::ALL.iter().map(|k| k.word()));
    let command = Command::new("feedback")
        .about("What customers say: NPS, CSAT, CES, sentiment and words from surveys, with intervals; along a map with --map and --log")
        .after_help(HELP)
        .arg(
            Arg::new("survey")
                .value_name("FILE")
                .num_args(1..)
                .required(true)
                .value_hint(ValueHint::AnyPath)
                .help("Surveys: CSV, TSV, JSON Lines, Parquet or Arrow IPC; `-` for standard input, with --survey-format"),
        )
        .arg(survey("question", "NAME=KIND", "A question, see below; may be given several times").action(ArgAction::Append))
        .arg(survey("voc", "KIND", "Instead of --question: a table of the columns date, score, verbatim and stage, all of one kind").value_parser(kinds()).conflicts_with("question"))
        .arg(survey("who", "COLUMN", "The column of customers [default: every row is somebody else]"))
        .arg(survey("when", "COLUMN", "The column of times [default: answers have none]"))
        .arg(survey("question-column", "COLUMN", "The column that names the question, where each row is one answer"))
        .arg(survey("score", "COLUMN", "The column of answers, where each row is one answer"))
        .arg(survey("words", "COLUMN", "The column of what was said"))
        .arg(survey("language", "COLUMN", "The column of its language"))
        .arg(survey("about", "COLUMN", "The column of the touchpoint or stage that an answer is about"))
        .arg(survey("source", "COLUMN", "The column of where it comes from"))
        .arg(survey("anonymous", "", "Count rows without a customer, each as somebody else").action(ArgAction::SetTrue).num_args(0))
        .arg(survey("repeated", "WHICH", "Which of several answers of a customer to one question about one touchpoint count [default: all]").value_parser(["all", "last"]))
        .arg(survey("max-put-aside", "SHARE", "The largest share of answers that may be unreadable [default: 0.05]").value_parser(value_parser!(f64)))
        .arg(survey("survey-zone", "ZONE", "The time zone of times without one [default: UTC, with a caveat]"))
        .arg(survey("survey-time-unit", "UNIT", "The unit of times that are numbers").value_parser(["s", "ms", "us", "ns"]))
        .arg(survey("survey-delimiter", "CHAR", "What stands between fields [default: found in the first line]"))
        .arg(survey("survey-no-header", "", "The file has no header line").action(ArgAction::SetTrue).num_args(0))
        .arg(survey("survey-format", "FORMAT", "The format, where the file's name does not tell").value_parser(["csv", "tsv", "jsonl", "parquet", "arrow"]))
        .arg(survey("only", "NAME", "Only the answers to one question"))
        .arg(survey("level", "X", "The confidence level of intervals [default: 0.95]").value_parser(value_parser!(f64)))
        .arg(survey("min-n", "N", "Below how many answers there is a hole instead of a number [default: 5]").value_parser(value_parser!(u64)))
        .arg(survey("verbatims", "N", "How many verbatims are shown; the same ones every time [default: 20]").value_parser(value_parser!(usize)))
        .arg(survey("show-customers", "", "Show who said a verbatim").action(ArgAction::SetTrue).num_args(0))
        .arg(map("map", "MAP", "The map whose touchpoints and stages answers belong to").value_hint(ValueHint::FilePath).requires("files"))
        .arg(
            map("files", "FILE", "The log of those touchpoints: event files, folders or globs, or one snapshot; may be given several times")
                .long("log")
                .action(ArgAction::Append)
                .value_hint(ValueHint::AnyPath)
                .requires("map"),
        )
        .arg(map("within", "SPAN", "How long before an answer its touch may lie [default: 7d]").requires("map"))
        .arg(map("after", "SPAN", "How long after it, too [default: not at all]").requires("map"))
        .arg(map("ties", "RULE", "Where touches of several touchpoints are equally near: ambiguous (not joined), or log-order [default: ambiguous]").value_parser(["ambiguous", "log-order"]).requires("map"))
        .arg(map("half-width", "X", "How well a share should be known at a touchpoint, for the missing answers [default: 0.1]").value_parser(value_parser!(f64)).requires("map"));
    journeys(reading(crate::command::output(
        command,
        crate::command::TABLE_FORMATS,
    )))
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let feedback = read(m)?;
    let measuring = Measuring {
        level: number(m, "level").unwrap_or(0.95),
        least: number(m, "min-n").unwrap_or(Measuring::default().least),
    };
    let Some(path) = text(m, "map") else {
        if let Some(name) = given_of_log(m) {
            return Err(CliError::Usage(format!(
                "--{name} is about a log; give one with --map and --log"
            )));
        }
        let mut options = ReportOptions::default();
        options.measuring = measuring;
        options.which = Which {
            question: text(m, "only").map(str::to_owned),
            ..Which::default()
        };
        options.verbatims = number(m, "verbatims").unwrap_or(options.verbatims);
        options.customers = flag(m, "show-customers");
        let report = feedback.report(&options).map_err(wrong)?;
        return write(m, &report.into_answer());
    };
    if text(m, "only").is_some() {
        return Err(CliError::Usage(
            "--only chooses for a survey by itself; along a map every question is shown".to_owned(),
        ));
    }
    let map = map(path)?;
    let mut rule = JoinRule::default();
    if let Some(within) = span(m, "within")? {
        rule.within = within;
    }
    rule.after = span(m, "after")?;
    if text(m, "ties") == Some("log-order") {
        rule.ties = Ties::LogOrder;
    }
    let mut options = ListenOptions::default();
    options.rule = rule;
    options.measuring = measuring;
    options.half_width = number(m, "half-width").unwrap_or(options.half_width);
    options.verbatims = number(m, "verbatims").unwrap_or(options.verbatims);
    options.customers = flag(m, "show-customers");
    let wanted = crate::map::columns(m, &[&map])?;
    let log = input::log(m, &wanted)?;
    let journeys = crate::map::cut(m, &map, &log)?;
    let bar = Bar::new("joining", m);
    let report = listen(
        map.map(),
        &journeys,
        &feedback,
        &options,
        &input::exec(m, &bar)?,
    )?;
    bar.finish();
    write(m, &report.into_answer())
}

fn wrong(error: FeedbackError) -> CliError {
    CliError::Engine(error.into())
}

fn number<T: Clone + Send + Sync + 'static>(m: &ArgMatches, name: &str) -> Option<T> {
    m.try_get_one::<T>(name).ok().flatten().cloned()
}

fn span(m: &ArgMatches, name: &str) -> Result<Option<desireline::time::TimeSpan>, CliError> {
    let wrong = |e| CliError::Usage(format!("--{name}: {e}"));
    text(m, name)
        .map(|given| desireline::time::TimeSpan::parse(given).map_err(wrong))
        .transpose()
}

fn given_of_log(m: &ArgMatches) -> Option<&'static str> {
    input::READING
        .into_iter()
        .chain(["journey", "where", "keep-events", "keep-journeys"])
        .find(|name| {
            m.try_contains_id(name).is_ok()
                && m.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
        })
}

fn map(path: &str) -> Result<MapFile, CliError> {
    let told = |told: String| CliError::Map {
        path: path.to_owned(),
        told,
    };
    let document = std::fs::read_to_string(path).map_err(|e| told(e.to_string()))?;
    let form = match Path::new(path).extension().and_then(|e| e.to_str()) {
        Some("json") => Form::Json,
        Some("yaml" | "yml") => Form::Yaml,
        _ => Form::guess(&document),
    };
    MapFile::read(&document, form).map_err(|e| told(e.snippets(&document)))
}

fn read(m: &ArgMatches) -> Result<Feedback, CliError> {
    let mut columns = match text(m, "voc") {
        Some(kind) => FeedbackColumns::voc(kind.parse().map_err(wrong)?),
        None => asked(m)?,
    };
    let set = |columns: FeedbackColumns,
               name: &str,
               with: fn(FeedbackColumns, String) -> FeedbackColumns| {
        match text(m, name) {
            Some(column) => with(columns, column.to_owned()),
            None => columns,
        }
    };
    columns = set(columns, "who", |c, name| c.customer(name));
    columns = set(columns, "when", |c, name| c.time(name));
    columns = set(columns, "words", |c, name| c.words(name));
    columns = set(columns, "language", |c, name| c.language(name));
    columns = set(columns, "about", |c, name| c.touchpoint(name));
    columns = set(columns, "source", |c, name| c.source(name));
    columns = set(columns, "survey-zone", |c, name| c.zone(name));
    if flag(m, "anonymous") {
        columns = columns.anonymous(true);
    }
    if text(m, "repeated") == Some("last") {
        columns = columns.duplicates(Duplicates::KeepLast);
    }
    if let Some(share) = number(m, "max-put-aside") {
        columns = columns.max_quarantine_share(share);
    }
    if let Some(unit) = text(m, "survey-time-unit") {
        columns = columns.time_unit(input::time_unit(unit));
    }
    if let Some(delimiter) = text(m, "survey-delimiter") {
        columns = columns.delimiter(input::delimiter(delimiter)?);
    }
    if flag(m, "survey-no-header") {
        columns = columns.no_header();
    }
    if let Some(format) = text(m, "survey-format") {
        columns = columns.format(input::format(format));
    }
    let files = texts(m, "survey");
    let (source, _piped) = stdin::source(&files, text(m, "survey-format").is_some())?;
    output::spare_inputs(text(m, "output"), &source.files()?)?;
    Ok(io::read_feedback(
        source,
        &columns.cancel(interrupt::flag()),
    )?)
}

/// The questions of the options, wide or long.
fn asked(m: &ArgMatches) -> Result<FeedbackColumns, CliError> {
    let given = texts(m, "question");
    if given.is_empty() {
        return Err(CliError::Usage(
            "--question is missing: say what was asked, such as --question NETPRO=nps,blank=11"
                .to_owned(),
        ));
    }
    let asked = given
        .iter()
        .map(|text| Asked::read(text))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(score) = text(m, "score") else {
        if text(m, "question-column").is_some() {
            return Err(CliError::Usage(
                "--score is missing: say which column holds the answers".to_owned(),
            ));
        }
        let columns = FeedbackColumns::wide([]);
        return Ok(asked.into_iter().fold(columns, |columns, asked| {
            let score = asked.column.unwrap_or_else(|| asked.question.id.clone());
            columns.question_in(asked.question, score, asked.words)
        }));
    };
    if asked
        .iter()
        .any(|a| a.column.is_some() || a.words.is_some())
    {
        return Err(CliError::Usage(
            "--question: column= and words= are for files with a column for each question; with --score every row is one answer"
                .to_owned(),
        ));
    }
    let mut questions: Vec<Question> = asked.into_iter().map(|a| a.question).collect();
    match (text(m, "question-column"), questions.len()) {
        (Some(column), _) => Ok(FeedbackColumns::long(questions, column, score)),
        (None, 1) => Ok(FeedbackColumns::one(questions.remove(0), score)),
        (None, n) => Err(CliError::Usage(format!(
            "--question-column is missing: it says which of the {n} questions a row answers"
        ))),
    }
}

/// One `--question`.
struct Asked {
    question: Question,
    column: Option<String>,
    words: Option<String>,
}

impl Asked {
    fn read(given: &str) -> Result<Asked, CliError> {
        let wrong = |what: String| CliError::Usage(format!("--question {given}: {what}"));
        let mut parts = given.split(',');
        let head = parts.next().unwrap_or_default();
        let (name, kind) = head
            .split_once('=')
            .ok_or_else(|| wrong("write NAME=KIND, such as NETPRO=nps".to_owned()))?;
        let kind: QuestionKind = kind
            .parse()
            .map_err(|e: FeedbackError| wrong(e.to_string()))?;
        let score = |text: &str| {
            let parsed = text.trim().parse::<Score>();
            parsed.map_err(|e| wrong(e.to_string()))
        };
        let mut question = Question::new(name, kind);
        let (mut column, mut words) = (None, None);
        let (mut ends, mut low_is_good) = (None, None);
        for part in parts {
            let (word, value) = part.split_once('=').unwrap_or((part, ""));
            match (word.trim(), value) {
                ("low-is-good", "") => low_is_good = Some(Direction::LowIsGood),
                ("high-is-good", "") => low_is_good = Some(Direction::HighIsGood),
                (word, "") => {
                    return Err(wrong(format!("`{word}` needs a value, or is not known")));
                }
                ("scale", value) => {
                    let (low, high) = value
                        .split_once("..")
                        .ok_or_else(|| wrong(format!("`{value}` is no scale; write 1..7")))?;
                    ends = Some((score(low)?, score(high)?));
                }
                ("blank", value) => question = question.blank(score(value)?),
                ("blank-text", value) => question = question.blank_text(value),
                ("column", value) => column = Some(value.to_owned()),
                ("words", value) => words = Some(value.to_owned()),
                ("about", value) => question = question.about(value),
                ("pair", value) => question = question.pair_with(value),
                ("model", value) => {
                    let (model, version) = value.split_once('@').unwrap_or((value, "0"));
                    question = question.model(model, version);
                }
                (word, _) => {
                    return Err(wrong(format!(
                        "`{word}` is not known; there are scale, low-is-good, high-is-good, blank, blank-text, column, words, about, pair, model"
                    )));
                }
            }
        }
        if ends.is_some() || low_is_good.is_some() {
            let usual = kind.usual_scale();
            let (lowest, highest) = ends
                .or_else(|| usual.map(|s| (s.lowest, s.highest)))
                .ok_or_else(|| wrong("scale= is missing".to_owned()))?;
            let direction = low_is_good
                .or_else(|| usual.map(|s| s.direction))
                .unwrap_or(Direction::HighIsGood);
            let scale = Scale::new(lowest, highest, direction);
            question = question.scale(scale.map_err(|e| wrong(e.to_string()))?);
        }
        question.check().map_err(|e| wrong(e.to_string()))?;
        Ok(Asked {
            question,
            column,
            words,
        })
    }
}

fn write<R: Report + Serialize>(m: &ArgMatches, answer: &Answer<R>) -> Result<(), CliError> {
    let typed = serde_json::to_value(&answer.report).unwrap_or_default();
    output::write(m, &AnswerView::of(answer).with_typed(&typed))
}
