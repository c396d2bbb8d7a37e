//! `desireline convert`: a log as one file that opens at once.

use clap::ArgMatches;
use desireline::io::snapshot::{self, Saving};

use crate::error::CliError;
use crate::input::{self, text};
use crate::interrupt;
use crate::progress::Bar;

pub(crate) fn run(m: &ArgMatches) -> Result<(), CliError> {
    let log = input::log(m, &[])?;
    let bar = Bar::new("writing", m);
    let saving = Saving::new()
        .cancel(interrupt::flag())
        .on_progress(bar.writing());
    snapshot::save_with(&log, text(m, "output").unwrap_or_default(), &saving)?;
    bar.finish();
    Ok(())
}
