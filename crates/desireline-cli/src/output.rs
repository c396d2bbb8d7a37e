//! Where results and complaints go.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use desireline::io::WholeFile;
use desireline::overlay;
use desireline::render::text::Columns;
use desireline::render::{self, AnswerView, arrow, csv, html, json, markdown, svg};
use desireline::report::Table;

use crate::error::CliError;
use crate::input::{flag, text};
use crate::interrupt;

/// Writes an answer in the wanted form to the wanted place.
pub(crate) fn write(m: &ArgMatches, view: &AnswerView<'_>) -> Result<(), CliError> {
    interrupt::check()?;
    let path = text(m, "output");
    let bytes = match form(m, path)? {
        form @ ("dot" | "mermaid") => with_newline(graph(view, form)?),
        "json" => with_newline(json::render(view)?),
        "csv" => csv::table(&table(m, view)?, csv::Dialect::Plain).into_bytes(),
        "arrow" => arrow::ipc_file(&table(m, view)?, Some(view))?,
        "md" => with_newline(markdown::render(view)),
        "svg" => with_newline(
            svg::picture(view.report, svg::WIDE).ok_or_else(|| no_picture(view.analysis))?,
        ),
        "html" if view.analysis == "summary" => {
            html::page(view.report.title(), Some(view.report), &[])?.into_bytes()
        }
        "html" => html::page(view.report.title(), None, &[*view])?.into_bytes(),
        _ if text(m, "table").is_some() => {
            let options = text_options(m, path.is_none(), view.analysis);
            render::text::table(&table(m, view)?, &options).into_bytes()
        }
        _ => {
            let options = text_options(m, path.is_none(), view.analysis);
            let mut told = render::text::render(view, &options);
            if matches!(options.columns, Columns::Fitting(_)) {
                told.push_str("One table whole: --table NAME; all columns of all: --wide.\n");
            }
            told.into_bytes()
        }
    };
    put(path, &bytes)
}

fn form<'m>(m: &'m ArgMatches, path: Option<&'m str>) -> Result<&'m str, CliError> {
    match text(m, "format") {
        Some("markdown") => return Ok("md"),
        Some(format) => return Ok(format),
        None => {}
    }
    let Some(path) = path else { return Ok("text") };
    match Path::new(path).extension().and_then(|e| e.to_str()) {
        Some("json") => Ok("json"),
        Some("csv") => Ok("csv"),
        Some("arrow" | "ipc" | "feather") => Ok("arrow"),
        Some("md" | "markdown") => Ok("md"),
        Some("svg") => Ok("svg"),
        Some("html" | "htm") => Ok("html"),
        Some("dot" | "gv") => Ok("dot"),
        Some("mmd" | "mermaid") => Ok("mermaid"),
        Some("txt") | None => Ok("text"),
        Some(other) => Err(CliError::Usage(format!(
            "-o {path}: `.{other}` tells no format; give --format text, json, csv, arrow, md, svg or html"
        ))),
    }
}

/// The transitions as a graph for other programs.
fn graph(view: &AnswerView<'_>, form: &str) -> Result<String, CliError> {
    let graph = desireline::graph(view.report).ok_or_else(|| {
        CliError::Usage(format!(
            "--format {form} draws the transitions of all journeys: ask `transitions` or `directly_follows`, and choose one group by --keep-journeys instead of --by"
        ))
    })?;
    Ok(match form {
        "dot" => graph.to_dot(),
        _ => graph.to_mermaid(),
    })
}

fn no_picture(analysis: &str) -> CliError {
    CliError::Usage(format!(
        "{analysis} has no picture; use --format text, html or json"
    ))
}

fn table(m: &ArgMatches, view: &AnswerView<'_>) -> Result<Table, CliError> {
    let mut tables = view.report.tables();
    let place = match text(m, "table") {
        None => 0,
        Some(name) => tables.iter().position(|t| t.name == name).ok_or_else(|| {
            let names: Vec<&str> = tables.iter().map(|t| t.name).collect();
            CliError::Usage(format!(
                "{} has no table `{name}`; it has {}",
                view.analysis,
                names.join(", ")
            ))
        })?,
    };
    if place >= tables.len() {
        return Err(CliError::Usage(format!("{} has no table", view.analysis)));
    }
    Ok(tables.swap_remove(place))
}

/// Of the many columns of a measured map, those that one looks at first.
const OF_MAPS: &[&str] = &[
    "name",
    "kind",
    "id",
    "from",
    "to",
    "share",
    "value",
    "reach",
    "drop_off",
    "goal",
    "dwell_median",
    "between_median",
    "goal_after",
];
/// The lines of a measured map that is not written to a terminal.
const PAPER: usize = 120;

fn text_options(m: &ArgMatches, to_stdout: bool, analysis: &str) -> render::text::TextOptions {
    let terminal = to_stdout && std::io::stdout().is_terminal();
    let colour = match text(m, "color") {
        Some("always") => true,
        Some("never") => false,
        // The NO_COLOR convention.
        _ => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    };
    let width = if terminal { terminal_width() } else { None };
    let rows = m.try_get_one::<u32>("rows").ok().flatten().copied();
    let one = text(m, "table").is_some();
    let map = analysis == overlay::NAME;
    let (width, columns) = match flag(m, "wide") {
        true => (None, Columns::default()),
        false if one => (width.or(Some(PAPER)), Columns::Panels),
        false if map => (width.or(Some(PAPER)), Columns::Fitting(OF_MAPS)),
        false => (width, Columns::default()),
    };
    render::text::TextOptions {
        colour,
        width,
        rows: match rows {
            Some(0) => render::text::Rows::All,
            Some(n) => render::text::Rows::Most(n as usize),
            None if one => render::text::Rows::All,
            None => render::text::Rows::Few,
        },
        columns,
        ..render::text::TextOptions::default()
    }
}

/// The terminal's columns: asked of the terminal, else what the shell says.
fn terminal_width() -> Option<usize> {
    let (_, columns) = console::Term::stdout().size_checked()?;
    Some(usize::from(columns))
}

fn with_newline(mut text: String) -> Vec<u8> {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.into_bytes()
}

/// Writes to a file, whole or not at all, or to the terminal.
pub(crate) fn put(path: Option<&str>, bytes: &[u8]) -> Result<(), CliError> {
    match path {
        None | Some("-") => match std::io::stdout().lock().write_all(bytes) {
            // Whoever read us has read enough.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|source| CliError::Write {
                path: "to the terminal".to_owned(),
                source,
            }),
        },
        Some(path) => {
            let write = || {
                let mut file = WholeFile::create(path)?;
                file.write_all(bytes)?;
                file.finish()
            };
            write().map_err(|source| CliError::Write {
                path: path.to_owned(),
                source,
            })
        }
    }
}

/// Refuses to write over what is read.
pub(crate) fn spare_inputs(path: Option<&str>, inputs: &[PathBuf]) -> Result<(), CliError> {
    let Some(path) = path.filter(|p| *p != "-") else {
        return Ok(());
    };
    match inputs
        .iter()
        .find(|input| same_file(Path::new(path), input))
    {
        None => Ok(()),
        Some(input) => Err(CliError::Usage(format!(
            "-o {path} is the input `{}`, which would be lost; write to another file",
            input.display()
        ))),
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (std::fs::metadata(a), std::fs::metadata(b)) {
        use std::os::unix::fs::MetadataExt;
        return (a.dev(), a.ino()) == (b.dev(), b.ino());
    }
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Says on standard error what a reader of the result should know, a line each; nothing where there is nothing.
pub(crate) fn remark(lead: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "note: {lead}:");
    for line in lines {
        let _ = writeln!(err, "  {}", render::names::for_terminal(&line));
    }
}

/// Says on standard error what went wrong.
pub(crate) fn complain(error: &CliError) {
    let mut err = std::io::stderr().lock();
    let painted = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let lead = if painted {
        "\u{1b}[1;31merror:\u{1b}[0m"
    } else {
        "error:"
    };
    // Names from the data stand in messages and must not drive the terminal; the lines are ours.
    let told = error.to_string();
    let safe: Vec<_> = told.split('\n').map(render::names::for_terminal).collect();
    // Nothing is left to do if even that cannot be written.
    let _ = writeln!(err, "{lead} {}", safe.join("\n"));
}
