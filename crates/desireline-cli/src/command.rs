//! The words and options.

use clap::builder::{PossibleValue, PossibleValuesParser, StyledStr};
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use desireline::registry::{ANALYSES, Entry, FieldInfo, FieldKind};

use crate::error::EXIT_CODES;
use crate::question::off;

const EXAMPLES: &str = "\
Examples:
  desireline simulate --customers 5000 -o shop.csv
  desireline summary shop.csv --customer customer_id --time time --event event
  desireline paths shop.csv --customer customer_id --time time --event event --journey gap=30m --goal purchase
  desireline funnel shop.csv --customer customer_id --time time --event event --journey gap=30m \\
      --step product_view --step 'event in [\"add_to_cart\", \"cart\"]' --step purchase --within 7d
  desireline compare shop.csv --customer customer_id --time time --event event --goal purchase --by device
  desireline report shop.csv --customer customer_id --time time --event event --goal purchase -o shop.html
  desireline convert shop.csv --customer customer_id --time time --event event --all-attributes -o shop.arrow
  desireline paths shop.arrow --journey gap=30m --goal purchase
  desireline kpi cart_abandonment shop.arrow --param cart=add_to_cart --param purchase=purchase --per month
  desireline map new --template ten-steps -o shop.yaml
  desireline map check shop.yaml --log shop.arrow
  desireline feedback survey.csv --survey-customer customer_id --question recommend=nps,blank=11
  desireline overlay shop.yaml shop.arrow

A bare event name is an expression; so is `event == \"purchase\" and channel in [\"web\", \"app\"] and value >= 20`.";

/// The whole command line.
pub(crate) fn command() -> Command {
    let mut root = Command::new("desireline")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Lays the event log over the customer journey: paths, funnels, drop-off, goals and comparisons, every number with its interval.")
        .after_help(format!("{EXAMPLES}\n\n{EXIT_CODES}"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(input(output(Command::new("summary").about("What is in the log: customers, events, names, attributes, and what could not be read"), FORMATS)));
    for entry in ANALYSES {
        root = root.subcommand(analysis(entry));
    }
    let root = root
        .subcommand(compare())
        .subcommand(report())
        .subcommand(convert())
        .subcommand(run())
        .subcommand(crate::kpi::command())
        .subcommand(crate::map::command())
        .subcommand(crate::feedback::command())
        .subcommand(overlay())
        .subcommand(journeys(input(output(
            crate::lifecycle::command(),
            TABLE_FORMATS,
        ))))
        .subcommand(crate::simulate::command());
    numbers_may_be_negative(root)
}

/// A number below 0 is a value, and then it is said why it cannot be; else the parser takes `-1` for an option and gives a tip that leads astray.
fn numbers_may_be_negative(command: Command) -> Command {
    let command =
        command.mut_args(
            |arg| match arg.get_action().takes_values() && !arg.is_positional() {
                true => arg.allow_negative_numbers(true),
                false => arg,
            },
        );
    command.mut_subcommands(numbers_may_be_negative)
}

fn analysis(entry: &Entry) -> Command {
    let mut command = Command::new(entry.name).about(entry.summary());
    for field in entry.fields() {
        command = command.args(field_args(&field, true));
    }
    let formats = match entry.name {
        "transitions" => GRAPH_FORMATS,
        "directly_follows" => COUNT_FORMATS,
        _ => FORMATS,
    };
    journeys(input(output(command.arg(by_arg()), formats)))
}

/// A question about the journeys of a log, written in any form.
pub(crate) fn measured(command: Command) -> Command {
    journeys(input(output(command, FORMATS)))
}

fn compare() -> Command {
    let comparable = ANALYSES.iter().filter(|e| e.is_comparable());
    let names: Vec<&str> = comparable.map(|e| e.name).collect();
    let command = Command::new("compare")
        .about("How segments differ: rates, times, paths and transitions, with intervals, p and q")
        .arg(by_arg().conflicts_with("segment"))
        .arg(
            Arg::new("segment")
                .long("segment")
                .value_name("NAME: EXPR")
                .action(ArgAction::Append)
                .allow_hyphen_values(true)
                .help("A segment to compare: a name, a colon and a condition; at least two, or one against the rest")
                .help_heading("Question"),
        )
        .arg(question_arg("baseline", "GROUP", "The group the others are compared with [default: the largest]"))
        .arg(question_arg("stratify", "ATTRIBUTE", "Check whether differences turn round within the values of this attribute"))
        .arg(
            question_arg("on", "ANALYSIS", "What to compare [default: funnel with --step, goals with --goal, else paths]")
                .value_parser(PossibleValuesParser::new(names)),
        );
    journeys(input(output(with_all_fields(command), FORMATS)))
}

fn run() -> Command {
    let command = Command::new("run")
        .about("Any question as JSON: the spec of a report, from Rust, Python or here")
        .after_help("SPEC is a document such as {\"analysis\": \"funnel\", \"spec\": {\"steps\": [\"cart\", \"purchase\"]}}; a report's own JSON is one.\nIt holds the question; how to read the log and to cut journeys is said by options.")
        .arg(
            Arg::new("spec")
                .value_name("SPEC")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .help("The question: a JSON file, `-` for standard input, or the JSON itself"),
        )
        .arg(
            question_arg("analysis", "NAME", "The analysis, where the document does not say")
                .value_parser(PossibleValuesParser::new(ANALYSES.iter().map(|e| e.name))),
        );
    journeys(input(output(command, GRAPH_FORMATS)))
}

fn overlay() -> Command {
    journeys(input(output(crate::overlay::command(), FORMATS)))
}

fn report() -> Command {
    let command = Command::new("report")
        .about("One self-contained HTML page about the whole log, in one pass")
        .arg(by_arg())
        .arg(question_arg(
            "title",
            "TEXT",
            "The page's title [default: the map's, or the file's name]",
        ))
        .arg(
            question_arg(
                "map",
                "MAP",
                "A journey map to measure and put first; its `scope.journeys` cuts journeys unless --journey does",
            )
            .value_hint(ValueHint::FilePath),
        )
        .arg(crate::map::today_arg().help_heading("Question"))
        .arg(crate::map::sensitive_arg().help_heading("Question").requires("map"));
    // How a map is measured and what customers said stand on the map's page, so they need one.
    let command = crate::measuring::options(with_all_fields(command), Some("map"));
    let command = crate::survey::besides(command);
    let command = command.mut_arg("survey", |arg| arg.requires("map"));
    journeys(input(output(command, &[]))).after_help(crate::survey::QUESTIONS)
}

fn convert() -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .help_heading("Output")
    };
    let command = Command::new("convert")
        .about("Write the log as a snapshot: one Arrow file that every command opens without reading the events again, and any Arrow reader reads")
        .after_help("The snapshot keeps customer, time, event, channel, money and the attributes asked for; give --all-attributes to keep all.
A name that ends in .arrow is understood everywhere.");
    input(command)
        .arg(
            arg("output", "FILE", "The file to write, such as shop.arrow")
                .short('o')
                .required(true)
                .value_hint(ValueHint::FilePath),
        )
        .arg(
            arg("no-progress", "", "Show no progress bar")
                .action(ArgAction::SetTrue)
                .num_args(0),
        )
}

/// The options of every analysis, each once.
fn with_all_fields(mut command: Command) -> Command {
    let mut seen: Vec<String> = Vec::new();
    for field in ANALYSES.iter().flat_map(Entry::fields) {
        let word = field.singular().to_owned();
        if !seen.contains(&word) {
            seen.push(word);
            command = command.args(field_args(&field, false));
        }
    }
    command
}

fn by_arg() -> Arg {
    question_arg(
        "by",
        "ATTRIBUTE",
        "Split the journeys by an attribute: one answer for each of its values",
    )
}

fn question_arg(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .allow_hyphen_values(true)
        .help(help)
        .help_heading("Question")
}

/// The options for one field of a question: one, or two for what is on unless switched off.
fn field_args(field: &FieldInfo, may_require: bool) -> Vec<Arg> {
    let on = field_arg(field, may_require);
    if field.kind != FieldKind::Boolean || field.default != Some(serde_json::Value::Bool(true)) {
        return vec![on];
    }
    let word = off(field);
    let off = Arg::new(word.clone())
        .long(word.replace('_', "-"))
        .help(format!("Not: {}", help(field)))
        .help_heading("Question")
        .overrides_with(field.singular().to_owned())
        .action(ArgAction::SetTrue);
    vec![on.hide(true).overrides_with(word), off]
}

/// The option for one field of a question. Values are checked by the engine, which knows the log.
fn field_arg(field: &FieldInfo, may_require: bool) -> Arg {
    let word = field.singular().to_owned();
    let (kind, many) = match &field.kind {
        FieldKind::List(inner) => (inner.as_ref(), true),
        kind => (kind, false),
    };
    let mut arg = Arg::new(word.clone())
        .long(word.replace('_', "-"))
        .help(help(field))
        .help_heading("Question");
    arg = match kind {
        FieldKind::Boolean => return arg.action(ArgAction::SetTrue),
        FieldKind::Expression => arg.value_name("EXPR"),
        FieldKind::TimeSpan => arg.value_name("SPAN"),
        FieldKind::Integer => arg.value_name("N"),
        FieldKind::Number => arg.value_name("X"),
        FieldKind::Choice(words) => arg
            .value_name("WORD")
            .value_parser(PossibleValuesParser::new(words.clone())),
        FieldKind::Text => arg.value_name("TEXT"),
        _ => arg.value_name("JSON"),
    };
    // A value that begins with a hyphen is judged as a value, not as an option that does not exist.
    let arg = arg.allow_hyphen_values(true);
    arg.action(if many {
        ArgAction::Append
    } else {
        ArgAction::Set
    })
    .required(may_require && field.required)
}

fn help(field: &FieldInfo) -> StyledStr {
    let mut text = field
        .doc
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .replace('\n', " ");
    if text.ends_with('.') {
        text.pop();
    }
    if let Some(default) = &field.default {
        let shown = default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned);
        if !matches!(shown.as_str(), "[]" | "false" | "") {
            text.push_str(&format!(" [default: {shown}]"));
        }
    }
    if matches!(field.kind, FieldKind::List(_)) {
        text.push_str("; may be given several times");
    }
    text.into()
}

fn input(command: Command) -> Command {
    reading(
        command.arg(
            Arg::new("files")
                .value_name("FILE")
                .num_args(1..)
                .required_unless_present("log-source")
                .value_hint(ValueHint::AnyPath)
                .help("CSV, TSV, JSON Lines (each also .gz, .zst), Parquet or Arrow IPC: files, folders or globs; `-` for standard input, with --input-format; or one snapshot that `convert` wrote"),
        ),
    )
}

/// How to read tables of events.
pub(crate) fn reading(command: Command) -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .help_heading("Input")
    };
    command
        .arg(arg("customer", "COLUMN", "The column that says who; not for a snapshot, which knows its columns"))
        .arg(arg("time", "COLUMN", "The column that says when; not for a snapshot"))
        .arg(arg("event", "COLUMN", "The column that says what; not for a snapshot").conflicts_with("every-row"))
        .arg(arg("every-row", "NAME", "Instead of --event, where every row is the same event: its name"))
        .arg(arg("channel", "COLUMN", "The column that says through which channel"))
        .arg(arg("value", "COLUMN", "The column that holds money; needs --currency").requires("currency"))
        .arg(arg("currency", "CODE", "The ISO 4217 code of that money, such as EUR"))
        .arg(arg("tie", "COLUMN", "Orders events of one customer at one time [default: the order of the input]"))
        .arg(arg("attribute", "COLUMN", "A further column to keep; those that the question names are kept anyway").action(ArgAction::Append))
        .arg(arg("all-attributes", "", "Keep every column").action(ArgAction::SetTrue).num_args(0))
        .arg(arg("zone", "ZONE", "The time zone of times without one, such as Europe/Berlin [default: UTC, with a caveat]"))
        .arg(arg("time-unit", "UNIT", "The unit of times that are numbers").value_parser(["s", "ms", "us", "ns"]))
        .arg(arg("delimiter", "CHAR", "What stands between fields: a character, `tab` or `blanks` [default: found in the first line]"))
        .arg(arg("no-header", "", "The file has no header line; columns are column_1, column_2, …").action(ArgAction::SetTrue).num_args(0))
        .arg(
            arg("input-format", "FORMAT", "The format, where the file's name does not tell")
                .value_parser(["csv", "tsv", "jsonl", "parquet", "arrow"]),
        )
        .arg(arg("dedupe", "", "Drop rows that repeat the row before in every column").action(ArgAction::SetTrue).num_args(0))
        .arg(
            arg("max-quarantine-share", "SHARE", "The largest share of rows that may be unreadable [default: 0.05]")
                .value_parser(value_parser!(f64)),
        )
        .arg(
            arg("limit", "NAME=N", "Another bound on the input, such as json_depth=100, field_bytes=4MiB or columns=20000; may be given several times")
                .action(ArgAction::Append),
        )
        .arg(
            arg("log-source", "SOURCE", crate::sources::HELP)
                .long("log-source")
                .action(ArgAction::Append),
        )
        .arg(arg("observed-until", "TIME", "Until when customers were observed [default: the last event]"))
}

/// What every answer can be written as.
const FORMATS: &[&str] = &["text", "json", "csv", "arrow", "md", "svg", "html"];
/// What has no picture.
pub(crate) const TABLE_FORMATS: &[&str] = &["text", "json", "csv", "arrow", "md", "html"];
/// And graphs besides.
/// Counts have no interval to draw; their picture is the graph.
const COUNT_FORMATS: &[&str] = &[
    "text", "json", "csv", "arrow", "md", "html", "dot", "mermaid",
];
const GRAPH_FORMATS: &[&str] = &[
    "text", "json", "csv", "arrow", "md", "svg", "html", "dot", "mermaid",
];

/// Words for forms; Markdown has two.
pub(crate) fn forms(words: &'static [&'static str]) -> PossibleValuesParser {
    PossibleValuesParser::new(words.iter().map(|word| match *word {
        "md" => PossibleValue::new("md").alias("markdown"),
        word => PossibleValue::new(word),
    }))
}

pub(crate) fn journeys(command: Command) -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .allow_hyphen_values(true)
            .help(help)
            .help_heading("Journeys")
    };
    command
        .arg(
            arg("journey", "RULE", "How to cut journeys: customer, gap=30m, column=session_id, start=EXPR, end=EXPR, max=7d, calendar=day@ZONE; several cut together [default: customer]")
                .action(ArgAction::Append),
        )
        .arg(arg("where", "EXPR", "Keep the events for which this holds, before journeys are cut").action(ArgAction::Append))
        .arg(arg("keep-events", "EXPR", "Hide other events after journeys are cut").action(ArgAction::Append))
        .arg(arg("keep-journeys", "EXPR", "Keep the journeys with such an event, with all their events").action(ArgAction::Append))
}

pub(crate) fn output(command: Command, formats: &'static [&'static str]) -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .help_heading("Output")
    };
    let command = if !formats.is_empty() {
        command
            .arg(
                arg(
                    "format",
                    "FORMAT",
                    "The form of the result [default: by the name after -o, else text]",
                )
                .value_parser(forms(formats)),
            )
            .arg(
                arg(
                    "rows",
                    "N",
                    "The most rows that text shows of a table; 0 for all [default: 100 of the first table, 20 of others]",
                )
                .value_parser(value_parser!(u32)),
            )
            .arg(arg(
                "table",
                "NAME",
                "Which table text, csv and arrow hold: text shows it with every row and column [default: all in text, else the first]",
            ))
            .arg(
                arg("wide", "", "Show every column of a table beside the others, however long the lines")
                    .action(ArgAction::SetTrue)
                    .num_args(0),
            )
    } else {
        command
    };
    command
        .arg(
            arg("output", "FILE", "Write to a file instead of the terminal")
                .short('o')
                .value_hint(ValueHint::FilePath),
        )
        .arg(
            arg("threads", "N", "Threads to use [default: all cores]")
                .value_parser(value_parser!(u16).range(1..=1024)),
        )
        .arg(arg(
            "memory-budget",
            "SIZE",
            "Fail rather than use more than this for partial results, such as 4GiB",
        ))
        .arg(
            arg(
                "color",
                "WHEN",
                "Colours: auto, always or never [default: auto]",
            )
            .value_parser(["auto", "always", "never"]),
        )
        .arg(
            arg("no-progress", "", "Show no progress bar")
                .action(ArgAction::SetTrue)
                .num_args(0),
        )
}
