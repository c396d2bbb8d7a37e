//! `--log-source`: inputs of which each has its own columns, clock and ids.

use desireline::io::{IdSpace, IdTable, clock_shift};

use crate::error::CliError;

/// What stands in a source beside its path, each as the option of the same name does.
const KEYS: [&str; 17] = [
    "customer",
    "time",
    "event",
    "every-row",
    "channel",
    "session",
    "value",
    "currency",
    "tie",
    "zone",
    "time-unit",
    "delimiter",
    "format",
    "shift",
    "ids",
    "prefix",
    "call",
];

/// How a source is written, for the help.
pub(crate) const HELP: &str = "PATH,NAME=VALUE,…: an input with columns, clock and ids of its own, such as till.csv,customer=card,time=when,every-row=bought,zone=Europe/Berlin,shift=-1m,ids=cards.csv,prefix=till:. Besides the options above there are session=COLUMN, shift=SPAN (added to every time), ids=CSV (id and customer), prefix=TEXT (before ids that no table has), call=COLUMN:NAME (what an attribute is called in the log) and no-header. What is not said is as the options say; may be given several times";

/// One `--log-source`.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) path: String,
    values: Vec<(&'static str, String)>,
    pub(crate) no_header: bool,
}

impl Own {
    pub(crate) fn read(given: &str) -> Result<Own, CliError> {
        let wrong = |what: String| CliError::Usage(format!("--log-source {given}: {what}"));
        let mut parts = given.split(',');
        let path = parts.next().unwrap_or_default().to_owned();
        if path.is_empty() || path.contains('=') {
            return Err(wrong("begin with the path".to_owned()));
        }
        if path == "-" {
            return Err(wrong(
                "standard input is read without --log-source".to_owned(),
            ));
        }
        let mut own = Own {
            path,
            values: Vec::new(),
            no_header: false,
        };
        for part in parts {
            match part.split_once('=') {
                None if part == "no-header" => own.no_header = true,
                None => {
                    return Err(wrong(format!(
                        "`{part}` is not known; write NAME=VALUE, or no-header"
                    )));
                }
                Some((name, value)) => {
                    let key = KEYS.iter().find(|k| **k == name.trim());
                    let key = key.ok_or_else(|| {
                        wrong(format!(
                            "`{}` is not known; there are {}, no-header",
                            name.trim(),
                            KEYS.join(", ")
                        ))
                    })?;
                    if *key != "call" && own.text(key).is_some() {
                        return Err(wrong(format!("`{key}` is given twice")));
                    }
                    own.values.push((key, value.to_owned()));
                }
            }
        }
        Ok(own)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What columns are called in the log.
    pub(crate) fn called(&self) -> Result<Vec<(&str, &str)>, CliError> {
        let calls = self.values.iter().filter(|(key, _)| *key == "call");
        calls
            .map(|(_, value)| {
                value.split_once(':').ok_or_else(|| {
                    CliError::Usage(format!(
                        "--log-source {}: call={value}: write call=COLUMN:NAME",
                        self.path
                    ))
                })
            })
            .collect()
    }

    /// What is added to every time, in microseconds.
    pub(crate) fn shift(&self) -> Result<i64, CliError> {
        let Some(given) = self.text("shift") else {
            return Ok(0);
        };
        let wrong = |e| CliError::Usage(format!("--log-source {}: shift={given}: {e}", self.path));
        clock_shift(given).map_err(wrong)
    }

    /// Whose ids they are.
    pub(crate) fn ids(&self) -> Result<Option<IdSpace>, CliError> {
        let space = match self.text("ids") {
            Some(path) => IdSpace::mapped(IdTable::read_csv(path)?),
            None => IdSpace::default(),
        };
        let space = match self.text("prefix") {
            Some(prefix) => space.prefix(prefix),
            None => space,
        };
        Ok((space != IdSpace::default()).then_some(space))
    }
}
