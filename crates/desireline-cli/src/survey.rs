//! Surveys as options: what `desireline feedback` reads, and what pages of a map show beside the log.

use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use desireline::feedback::{
    Direction, Duplicates, Feedback, FeedbackError, Measuring, Question, QuestionKind, Scale, Score,
};
use desireline::io::{self, FeedbackColumns};
use desireline::overlay::{JoinRule, KpiSources, ListenOptions, Ties};

use crate::error::CliError;
use crate::input::{self, flag, text, texts};
use crate::{interrupt, kpi, output, stdin};

/// How a question is written, for the help.
pub(crate) const QUESTIONS: &str = "\
A question is NAME=KIND, followed by what else there is to say, with commas between:
  scale=1..7       the lowest and the highest answer        blank=11         a code for no answer (several: give it again)
  low-is-good      the lowest answer is the best            blank-text=NA    a text for no answer
  column=COL       where the answers are [default: NAME]    words=COL        where the words beside them are
  about=ID         the touchpoint that it asks about        pair=NAME        the other of expected and perceived
  model=NAME@1.0   the model that read the sentiment
Kinds: nps, enps, csat, ces_v1 (effort, 1 to 5, low is good), ces_v2 (ease, 1 to 7), sentiment, rating, yes_no, expected, perceived, feeling, arousal, text.";

/// What other options of a command are called already, where surveys are read beside a log.
const BESIDE: [(&str, &str); 3] = [
    ("within", "feedback-within"),
    ("after", "feedback-after"),
    ("ties", "feedback-ties"),
];

/// The name of an option that is read beside a log.
fn beside(name: &str) -> Option<&'static str> {
    let other = BESIDE.iter().find(|(own, _)| *own == name);
    other.map(|(_, other)| *other)
}

/// How surveys are read: the same options wherever answers are taken.
fn reading() -> Vec<Arg> {
    let survey = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).value_name(value).help(help)
    };
    let kinds = PossibleValuesParser::new(QuestionKind::ALL.iter().map(|k| k.word()));
    let switch = |arg: Arg| arg.action(ArgAction::SetTrue).num_args(0);
    vec![
        survey("question", "NAME=KIND", "A question, see below; may be given several times").action(ArgAction::Append),
        survey("voc", "KIND", "Instead of --question: a table of the columns date, score, verbatim and stage, all of one kind")
            .value_parser(kinds)
            .conflicts_with("question"),
        survey("survey-customer", "COLUMN", "The column of customers [default: every row is somebody else]"),
        survey("survey-time", "COLUMN", "The column of times [default: answers have none]"),
        survey("question-column", "COLUMN", "The column that names the question, where each row is one answer"),
        survey("score", "COLUMN", "The column of answers, where each row is one answer"),
        survey("words", "COLUMN", "The column of what was said"),
        survey("survey-language", "COLUMN", "The column of its language"),
        survey("survey-touchpoint", "COLUMN", "The column of the touchpoint or stage that an answer is about"),
        survey("source-column", "COLUMN", "The column of where it comes from"),
        switch(survey("anonymous", "", "Count rows without a customer, each as somebody else")),
        survey("repeated", "WHICH", "Which of several answers of a customer to one question about one touchpoint count [default: all]")
            .value_parser(["all", "last"]),
        survey("survey-max-quarantine-share", "SHARE", "The largest share of answers that may be unreadable [default: 0.05]")
            .value_parser(value_parser!(f64)),
        survey("survey-zone", "ZONE", "The time zone of times without one [default: UTC, with a caveat]"),
        survey("survey-time-unit", "UNIT", "The unit of times that are numbers").value_parser(["s", "ms", "us", "ns"]),
        survey("survey-delimiter", "CHAR", "What stands between fields [default: found in the first line]"),
        switch(survey("survey-no-header", "", "The file has no header line")),
        survey("survey-format", "FORMAT", "The format, where the file's name does not tell")
            .value_parser(["csv", "tsv", "jsonl", "parquet", "arrow"]),
    ]
}

/// How answers find their touchpoint.
fn joining() -> Vec<Arg> {
    let map = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).value_name(value).help(help)
    };
    vec![
        map("within", "SPAN", "How long before an answer its touch may lie [default: 7d]"),
        map("after", "SPAN", "How long after it, too [default: not at all]"),
        map("ties", "RULE", "Where touches of several touchpoints are equally near: ambiguous (not joined), or log-order [default: ambiguous]")
            .value_parser(["ambiguous", "log-order"]),
        map("half-width", "X", "How well a share should be known at a touchpoint, for the missing answers [default: 0.1]")
            .value_parser(value_parser!(f64)),
    ]
}

/// The options of `desireline feedback` about reading and joining.
pub(crate) fn own(command: Command) -> Command {
    let named = |arg: Arg, heading: &'static str| {
        let name = arg.get_id().to_string();
        arg.long(name).help_heading(heading)
    };
    let read = reading().into_iter().map(|a| named(a, "Survey"));
    let join = joining().into_iter();
    let join = join.map(|a| named(a, "Along a map").requires("map"));
    command.args(read).args(join)
}

/// The options of a command that shows a map and may show answers beside it: `--feedback`, those of `desireline feedback`, and
/// `--external` for KPIs of numbers that no log has.
pub(crate) fn besides(command: Command) -> Command {
    const HEADING: &str = "Answers";
    let files = Arg::new("survey")
        .long("feedback")
        .value_name("FILE")
        .action(ArgAction::Append)
        .value_hint(ValueHint::AnyPath)
        .help("What customers said: surveys as CSV, TSV, JSON Lines, Parquet or Arrow IPC, read by --question or --voc; may be given several times")
        .help_heading(HEADING);
    let rest = reading().into_iter().chain(joining()).map(|arg| {
        let name = arg.get_id().to_string();
        match beside(&name) {
            Some(other) => arg.id(other).long(other),
            None => arg.long(name),
        }
        .requires("survey")
        .help_heading(HEADING)
    });
    command
        .arg(files)
        .args(rest)
        .arg(kpi::external_arg().help_heading(HEADING))
}

/// What was said with options that [`besides`] added.
pub(crate) fn sources(m: &ArgMatches) -> Result<KpiSources, CliError> {
    let mut sources = KpiSources {
        tables: kpi::tables(m)?,
        ..KpiSources::default()
    };
    if !texts(m, "survey").is_empty() {
        let survey = Survey { m, beside: true };
        sources.answers = Some(Arc::new(survey.read()?));
        // At the overlay's level and with its holes, which it fills in.
        sources.listening = survey.listening(Measuring::default())?;
    }
    Ok(sources)
}

/// The options of one call.
pub(crate) struct Survey<'m> {
    pub(crate) m: &'m ArgMatches,
    /// Whether they stand beside those of a log.
    pub(crate) beside: bool,
}

impl<'m> Survey<'m> {
    fn text(&self, name: &'static str) -> Option<&'m str> {
        text(self.m, self.named(name))
    }

    fn named(&self, name: &'static str) -> &'static str {
        let other = self.beside.then(|| beside(name)).flatten();
        other.unwrap_or(name)
    }

    /// How answers are held against a map.
    pub(crate) fn listening(&self, measuring: Measuring) -> Result<ListenOptions, CliError> {
        let mut rule = JoinRule::default();
        if let Some(within) = self.span("within")? {
            rule.within = within;
        }
        rule.after = self.span("after")?;
        if self.text("ties") == Some("log-order") {
            rule.ties = Ties::LogOrder;
        }
        let mut options = ListenOptions::default();
        options.rule = rule;
        options.measuring = measuring;
        options.half_width = number(self.m, "half-width").unwrap_or(options.half_width);
        Ok(options)
    }

    fn span(&self, name: &'static str) -> Result<Option<desireline::time::TimeSpan>, CliError> {
        let told = self.named(name);
        let wrong = |e| CliError::Usage(format!("--{told}: {e}"));
        self.text(name)
            .map(|given| desireline::time::TimeSpan::parse(given).map_err(wrong))
            .transpose()
    }

    /// Reads the answers.
    pub(crate) fn read(&self) -> Result<Feedback, CliError> {
        let m = self.m;
        let mut columns = match text(m, "voc") {
            Some(kind) => FeedbackColumns::voc(kind.parse().map_err(wrong)?),
            None => asked(m)?,
        };
        let set = |columns: FeedbackColumns,
                   name: &'static str,
                   with: fn(FeedbackColumns, String) -> FeedbackColumns| {
            match self.text(name) {
                Some(column) => with(columns, column.to_owned()),
                None => columns,
            }
        };
        columns = set(columns, "survey-customer", |c, name| c.customer(name));
        columns = set(columns, "survey-time", |c, name| c.time(name));
        columns = set(columns, "words", |c, name| c.words(name));
        columns = set(columns, "survey-language", |c, name| c.language(name));
        columns = set(columns, "survey-touchpoint", |c, name| c.touchpoint(name));
        columns = set(columns, "source-column", |c, name| c.source(name));
        columns = set(columns, "survey-zone", |c, name| c.zone(name));
        if flag(m, "anonymous") {
            columns = columns.anonymous(true);
        }
        if text(m, "repeated") == Some("last") {
            columns = columns.duplicates(Duplicates::KeepLast);
        }
        if let Some(share) = number(m, "survey-max-quarantine-share") {
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
}

pub(crate) fn wrong(error: FeedbackError) -> CliError {
    CliError::Engine(error.into())
}

pub(crate) fn number<T: Clone + Send + Sync + 'static>(m: &ArgMatches, name: &str) -> Option<T> {
    m.try_get_one::<T>(name).ok().flatten().cloned()
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
