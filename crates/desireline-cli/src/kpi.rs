//! `desireline kpi`: what the KPIs of the catalogue mean, and what they are.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use desireline::engine::DynAnalysis;
use desireline::kpi::{
    DEFINITIONS, Definition, ExternalTable, Kpi, PeriodLength, definition, kind,
};
use desireline::map::{KpiName, Param, ParamKind, VARIANT};
use serde_json::Value;

use crate::command;
use crate::error::CliError;
use crate::input::{self, columns_of, parse, text, texts};
use crate::output;
use crate::progress::Bar;
use crate::question::shown;

const EXAMPLES: &str = "\
Examples:
  desireline kpi list
  desireline kpi show cart_abandonment
  desireline kpi cart_abandonment shop.arrow --param cart=add_to_cart --param purchase=purchase --param within=7d
  desireline kpi conversion shop.arrow --param goal=purchase --per week --time-zone Europe/Berlin
  desireline kpi roas shop.arrow --param goal=purchase --external spend.csv";

pub(crate) fn command() -> Command {
    let format = |forms: &'static [&'static str]| {
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(command::forms(forms))
            .default_value("text")
            .help("The form of the answer")
    };
    let list = Command::new("list")
        .about("The KPIs of the catalogue, K01 to K30")
        .arg(format(&["text", "json", "md"]));
    let show = Command::new("show")
        .about("What a KPI means: question, formula, population, unit, interval, data, source")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required(true)
                .help("Its name or number"),
        )
        .arg(format(&["text", "json"]));
    let mut root = Command::new("kpi")
        .about("KPIs of the catalogue: what they mean, and their values with intervals, over all of a log or by calendar period")
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list)
        .subcommand(show);
    for definition in DEFINITIONS {
        let known = definition.known;
        let measure = Command::new(known.name)
            .alias(known.number)
            .aliases(known.aliases)
            .about(definition.question)
            .after_help(format!(
                "{}\nExample: desireline kpi {}",
                told(definition),
                definition.example
            ))
            .hide(true);
        root = root.subcommand(command::measured(options(measure)));
    }
    root
}

fn options(command: Command) -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help)
            .help_heading("Question")
    };
    command
        .arg(arg("variant", "NAME", "Which of its variants [default: the first]"))
        .arg(
            arg("param", "NAME=VALUE", "What it needs to know, such as purchase=order_placed or within=7d; may be given several times")
                .action(ArgAction::Append)
                .allow_hyphen_values(true),
        )
        .arg(arg("per", "PERIOD", "A series: a number for each period").value_parser(["day", "week", "month", "quarter"]))
        .arg(arg("time-zone", "ZONE", "The zone whose midnights divide periods [default: UTC]"))
        .arg(arg("level", "X", "The confidence level [default: 0.95]").value_parser(value_parser!(f64)))
        .arg(arg("min-n", "N", "Below so many units there is no number [default: 5]").value_parser(value_parser!(u64)))
        .arg(arg("seed", "N", "The seed of intervals made by drawing samples [default: 0]").value_parser(value_parser!(u64)))
        .arg(external_arg())
}

/// Tables of numbers that no log has.
pub(crate) fn external_arg() -> Arg {
    Arg::new("external")
        .long("external")
        .value_name("FILE")
        .action(ArgAction::Append)
        .value_hint(ValueHint::FilePath)
        .help("A CSV table of numbers that no log has (spend, impressions, position, population), with a column `date` where it has days; its name is the file's; may be given several times")
        .help_heading("Question")
}

/// Those that were given.
pub(crate) fn tables(m: &ArgMatches) -> Result<Vec<Arc<ExternalTable>>, CliError> {
    let files = texts(m, "external");
    output::spare_inputs(
        text(m, "output"),
        &files.iter().map(|f| (*f).into()).collect::<Vec<_>>(),
    )?;
    let read = |file: &&str| desireline::io::external::read_csv(file).map(Arc::new);
    Ok(files.iter().map(read).collect::<Result<_, _>>()?)
}

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    match m.subcommand() {
        Some(("list", m)) => list(m),
        Some(("show", m)) => show(m),
        Some((name, m)) => measure(name, m),
        None => Ok(()),
    }
}

fn list(m: &ArgMatches) -> Result<(), CliError> {
    if text(m, "format") == Some("json") {
        let all: Vec<Value> = DEFINITIONS.iter().map(Definition::describe).collect();
        return output::put(None, format!("{:#}\n", Value::Array(all)).as_bytes());
    }
    let mut out = String::new();
    if matches!(text(m, "format"), Some("md" | "markdown")) {
        return output::put(None, as_markdown().as_bytes());
    }
    for d in DEFINITIONS {
        let variants: Vec<&str> = d.variants.iter().map(|v| v.name).collect();
        let _ = writeln!(
            out,
            "{}  {:<26}{}\n     {:<26}{}",
            d.known.number,
            d.known.name,
            d.question,
            "",
            variants.join(", ")
        );
    }
    output::put(None, out.as_bytes())
}

fn show(m: &ArgMatches) -> Result<(), CliError> {
    let name = KpiName::from(text(m, "name").unwrap_or_default());
    let Some(known) = name.known() else {
        let near = name
            .nearest()
            .map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
        return Err(CliError::Usage(format!(
            "no KPI is called `{name}`{near}; `desireline kpi list` names all"
        )));
    };
    let definition = definition(known);
    let out = match text(m, "format") {
        Some("json") => format!("{:#}\n", definition.describe()),
        _ => format!(
            "{} {}\n\n{}\n{}\nExample: desireline kpi {}\n",
            known.number,
            known.name,
            definition.question,
            told(definition),
            definition.example
        ),
    };
    output::put(None, out.as_bytes())
}

/// The catalogue as a document; docs/kpis.md holds it.
fn as_markdown() -> String {
    let mut out = String::from(
        "| | KPI | variant | formula | of | unit | interval |\n|---|---|---|---|---|---|---|\n",
    );
    for d in DEFINITIONS {
        for (i, v) in d.variants.iter().enumerate() {
            let (number, name) = match i {
                0 => (d.known.number, format!("`{}`", d.known.name)),
                _ => ("", String::new()),
            };
            let _ = writeln!(
                out,
                "| {number} | {name} | `{}` | {} | {} | {} | {} |",
                v.name,
                v.formula,
                v.population,
                v.unit.word(),
                v.interval
            );
        }
    }
    out
}

/// What a KPI means, in lines.
fn told(d: &Definition) -> String {
    let mut out = String::new();
    if !d.known.aliases.is_empty() {
        let _ = writeln!(out, "Also called: {}", d.known.aliases.join(", "));
    }
    for v in d.variants {
        let unit = v.unit.word();
        let _ = write!(
            out,
            "\nVariant {} ({unit})\n  formula     {}\n  population  {}\n  interval    {}\n",
            v.name, v.formula, v.population, v.interval
        );
    }
    let params: Vec<String> = d
        .known
        .params
        .iter()
        .map(|p| {
            format!(
                "{} ({}{})",
                p.name,
                kind(p.kind),
                if p.required { ", needed" } else { "" }
            )
        })
        .collect();
    let params = if params.is_empty() {
        "none".to_owned()
    } else {
        params.join(", ")
    };
    let _ = write!(
        out,
        "\nSettings: {params}\nData: {}\nSource: {}\n",
        d.data, d.source
    );
    out
}

fn measure(name: &str, m: &ArgMatches) -> Result<(), CliError> {
    let known = KpiName::from(name);
    let known = known
        .known()
        .ok_or_else(|| CliError::Usage(format!("no KPI is called `{name}`")))?;
    let mut kpi = Kpi::new(known.name);
    let mut columns = Vec::new();
    for given in texts(m, "param") {
        let (name, value) = given.split_once('=').ok_or_else(|| {
            CliError::Usage(format!(
                "--param `{given}` has no value; write NAME=VALUE, such as within=7d"
            ))
        })?;
        let (name, value) = (name.trim(), value.trim());
        let param = known
            .params
            .iter()
            .chain([&VARIANT])
            .find(|p| p.name == name);
        let value = match param.map(|p| p.kind) {
            Some(ParamKind::Expression) => {
                columns_of(&parse(&format!("--param {name}"), value)?, &mut columns);
                Param::from(value)
            }
            Some(ParamKind::Number) => match (value.parse::<i64>(), value.parse::<f64>()) {
                (Ok(n), _) => Param::Integer(n),
                (_, Ok(x)) => Param::Decimal(x),
                _ => {
                    return Err(CliError::Usage(format!(
                        "--param {name}=`{value}` is no number"
                    )));
                }
            },
            _ => Param::from(value),
        };
        kpi.params.insert(name.to_owned(), value);
    }
    kpi.variant = text(m, "variant").map(str::to_owned);
    kpi.per = text(m, "per").map(|per| match per {
        "day" => PeriodLength::Day,
        "week" => PeriodLength::Week,
        "month" => PeriodLength::Month,
        _ => PeriodLength::Quarter,
    });
    if let Some(zone) = text(m, "time-zone") {
        kpi.time_zone = zone.to_owned();
    }
    kpi.level = m.get_one("level").copied().unwrap_or(kpi.level);
    kpi.min_n = m.get_one("min-n").copied().unwrap_or(kpi.min_n);
    kpi.seed = m.get_one("seed").copied().unwrap_or(kpi.seed);
    kpi.tables = tables(m)?;
    let journeys = input::journeys(m, &columns)?;
    let bar = Bar::new("counting", m);
    let asked: Vec<Box<dyn DynAnalysis>> = vec![Box::new(kpi.cut_by(journeys.rule()))];
    let answers = journeys.run_dyn(&asked, &input::exec(m, &bar)?)?;
    bar.finish();
    answers
        .iter()
        .try_for_each(|a| output::write(m, &shown(a, &a.report.to_json()?)))
}
