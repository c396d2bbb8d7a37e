//! Takes rows and columns from the readers into the log's builder.

use std::sync::atomic::Ordering;

use desireline_core::log::{Batch, Column, Log, LogBuilder, Reason};

use crate::ids::Translated;
use crate::plan::Plan;
use crate::times::TimeParser;
use crate::{Columns, IoError, Progress};

/// One reading of one or more inputs.
pub(crate) struct Sink<'c> {
    pub(crate) plan: Plan,
    pub(crate) columns: &'c Columns,
    pub(crate) times: TimeParser,
    builder: LogBuilder,
    rows: u64,
    /// Records of the current input, where rows are numbered by them: those of a fork are counted from its begin.
    pub(crate) records: u64,
    progress: Progress,
    bytes_before: u64,
}

impl<'c> Sink<'c> {
    pub(crate) fn new(
        plan: Plan,
        columns: &'c Columns,
        sources: usize,
        bytes_total: u64,
    ) -> Result<Sink<'c>, IoError> {
        let times = TimeParser::new(columns.zone.as_deref(), columns.time_unit)?;
        let builder = LogBuilder::new(plan.options.clone());
        let progress = Progress {
            source: String::new(),
            sources_done: 0,
            sources,
            bytes_done: 0,
            bytes_total,
            rows: 0,
        };
        Ok(Sink {
            plan,
            columns,
            times,
            builder,
            rows: 0,
            records: 0,
            progress,
            bytes_before: 0,
        })
    }

    /// An empty sink for rows that are prepared beside those of this one.
    pub(crate) fn fork(&self) -> Sink<'c> {
        let mut times = self.times.clone();
        times.without_zone = 0;
        Sink {
            plan: self.plan.clone(),
            columns: self.columns,
            times,
            builder: self.builder.fork(),
            rows: 0,
            records: 0,
            progress: self.progress.clone(),
            bytes_before: 0,
        }
    }

    /// Takes in the rows of a fork behind those that are here.
    pub(crate) fn join(&mut self, fork: Result<Sink<'_>, IoError>) -> Result<(), IoError> {
        let mut fork = fork.map_err(|error| match error {
            IoError::UnclosedQuote { source_name, row } => IoError::UnclosedQuote {
                source_name,
                row: row + self.records,
            },
            IoError::Cancelled { .. } => IoError::Cancelled { rows: self.rows },
            error => error,
        })?;
        if fork.records > 0 {
            for example in &mut fork.builder.quarantine_mut().examples {
                example.row += self.records;
            }
            self.records += fork.records;
        }
        self.rows += fork.rows;
        self.times.without_zone += fork.times.without_zone;
        Ok(self.builder.merge(fork.builder)?)
    }

    /// Stops when asked to.
    pub(crate) fn check_cancel(&self) -> Result<(), IoError> {
        let token = self.columns.cancel.as_ref();
        if token.is_some_and(|c| c.load(Ordering::Relaxed)) {
            return Err(IoError::Cancelled { rows: self.rows });
        }
        Ok(())
    }

    pub(crate) fn put(&mut self, source: &str, row: u64, column: Option<&str>, reason: Reason) {
        self.rows += 1;
        self.builder
            .quarantine_mut()
            .put(source, row, column, reason);
    }

    pub(crate) fn push(&mut self, batch: &Batch<'_>) -> Result<(), IoError> {
        self.rows += batch.time.len() as u64;
        let (shift, ids) = (self.columns.shift, &self.columns.ids);
        if shift == 0 && ids.is_none() {
            return Ok(self.builder.push_batch(batch)?);
        }
        // What leaves the calendar is put aside by the builder.
        let moved = |t: i64| t.saturating_add(shift);
        let (mut full, mut gaps) = (Vec::new(), Vec::new());
        let time = match batch.time {
            Column::Full(times) => {
                full.extend(times.iter().map(|t| moved(*t)));
                Column::Full(&full)
            }
            Column::Gaps(times) => {
                gaps.extend(times.iter().map(|t| t.map(moved)));
                Column::Gaps(&gaps)
            }
        };
        let owned = ids.as_ref().map(|ids| ids.translate(&batch.customer));
        let texts = owned.as_ref().map(Translated::borrowed);
        let customer = match &texts {
            Some(texts) => Translated::column(&batch.customer, texts),
            None => batch.customer,
        };
        let batch = Batch {
            time,
            customer,
            ..batch.clone()
        };
        Ok(self.builder.push_batch(&batch)?)
    }

    /// Goes on where other sinks of the same log have come to.
    pub(crate) fn go_on(&mut self, sources_done: usize, bytes_before: u64) {
        self.progress.sources_done = sources_done;
        self.progress.bytes_done = bytes_before.min(self.progress.bytes_total);
        self.bytes_before = bytes_before;
    }

    /// The rows, for the builder of a log of several sinks.
    pub(crate) fn into_builder(mut self) -> LogBuilder {
        self.builder
            .note_times_without_zone(self.times.without_zone);
        self.builder
    }

    /// Tells how far reading has come and stops when asked to.
    pub(crate) fn tick(&mut self, source: &str, bytes_of_source: u64) -> Result<(), IoError> {
        self.check_cancel()?;
        if let Some(hook) = &self.columns.progress {
            if self.progress.source != source {
                source.clone_into(&mut self.progress.source);
            }
            self.progress.bytes_done = (self.bytes_before + bytes_of_source)
                .clamp(self.progress.bytes_done, self.progress.bytes_total);
            self.progress.rows = self.rows;
            hook(self.progress.clone());
        }
        Ok(())
    }

    pub(crate) fn source_done(
        &mut self,
        source: &str,
        bytes_of_source: u64,
    ) -> Result<(), IoError> {
        self.progress.sources_done += 1;
        self.tick(source, bytes_of_source)?;
        self.bytes_before += bytes_of_source;
        Ok(())
    }

    /// The log of all rows, or the one before with these rows added.
    pub(crate) fn finish(mut self, before: Option<&Log>, source: &str) -> Result<Log, IoError> {
        self.builder
            .note_times_without_zone(self.times.without_zone);
        let log = match before {
            None => self.builder.finish()?,
            Some(log) => log.append(self.builder)?,
        };
        check_names(&log, self.columns.limits.names, source)?;
        Ok(log)
    }
}

/// Refuses a log of more distinct event names than allowed.
pub(crate) fn check_names(log: &Log, limit: usize, source: &str) -> Result<(), IoError> {
    if log.catalog().events.len() > limit {
        return Err(IoError::Limit {
            source_name: source.to_owned(),
            what: "more distinct event names",
            limit: limit as u64,
            setting: "names",
            row: None,
        });
    }
    Ok(())
}
