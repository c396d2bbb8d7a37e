//! From journeys and a question to a report.

use std::marker::PhantomData;

use super::scan::scan;
use super::task::{DynAnalysis, DynReport, Planned, Task};
use super::{Analysis, Exec, Located};
use crate::error::{Error, Result, nearest};
use crate::journey::{Journey, JourneyRule, Journeys, SelectedLog};
use crate::log::Log;
use crate::report::{Answer, Provenance, Report};

/// An answer whose report's type is not known at compile time.
#[derive(Debug)]
pub struct DynAnswer {
    /// The analysis, by its registry name.
    pub analysis: String,
    /// The question as JSON.
    pub spec: serde_json::Value,
    /// Where it came from.
    pub provenance: Provenance,
    /// The report.
    pub report: Box<dyn DynReport>,
}

impl Log {
    /// Cuts every customer's events into journeys with the threads of `exec`; its memory budget does not apply.
    ///
    /// # Errors
    /// Those of the rule; [`Error::Cancelled`] soon after the token of `exec` is cancelled.
    pub fn journeys_with(&self, rule: JourneyRule, exec: &Exec) -> Result<Journeys> {
        exec.install(|| self.journeys_while(rule, &|| !exec.is_cancelled()))
    }
}

impl SelectedLog {
    /// Cuts the kept events into journeys with the threads of `exec`. See [`Log::journeys_with`].
    pub fn journeys_with(&self, rule: JourneyRule, exec: &Exec) -> Result<Journeys> {
        exec.install(|| self.journeys_while(rule, &|| !exec.is_cancelled()))
    }
}

/// One journey found in a cell.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Member {
    /// The customer's id. Ids appear only here and in [`Journeys::explain`], where they are asked for.
    pub customer: String,
    /// Which of the customer's journeys, from 0.
    pub journey: u32,
    /// When it began, microseconds since 1970 UTC.
    pub start: i64,
    /// Why it is in the cell.
    pub why: String,
}

/// One journey of a customer and all cells it is counted in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Explained {
    /// Which of the customer's journeys, from 0.
    pub journey: u32,
    /// When it began.
    pub start: i64,
    /// Its events in order: time and name.
    pub events: Vec<(i64, String)>,
    /// The cells and the reasons.
    pub cells: Vec<Located>,
}

/// Several questions of known types that share one pass: a tuple of up to four analyses.
pub trait AnalysisSet {
    /// Their answers, in the same order.
    type Answers;
    /// Runs them.
    fn run(&self, journeys: &Journeys, exec: &Exec) -> Result<Self::Answers>;
}

impl Journeys {
    /// Answers one question with every core.
    pub fn run<A: Analysis>(&self, analysis: &A) -> Result<Answer<A::Report>> {
        self.run_with(analysis, &Exec::default())
    }

    /// Answers one question.
    pub fn run_with<A: Analysis>(&self, analysis: &A, exec: &Exec) -> Result<Answer<A::Report>> {
        let tasks = [planned(analysis, self)?];
        let states = scan(self, &self.all_blocks(), &tasks, exec)?;
        let report = tasks[0].finish(&states[0])?;
        typed::<A>(self, analysis, report)
    }

    /// Answers several questions in one pass over the log: `journeys.run_all(&(paths, funnel))`.
    pub fn run_all<S: AnalysisSet>(&self, set: &S) -> Result<S::Answers> {
        set.run(self, &Exec::default())
    }

    /// Answers several questions, known by name, in one pass over the log.
    pub fn run_dyn(
        &self,
        analyses: &[Box<dyn DynAnalysis>],
        exec: &Exec,
    ) -> Result<Vec<DynAnswer>> {
        let tasks = analyses
            .iter()
            .map(|a| Ok(a.bind(self.catalog())?.0))
            .collect::<Result<Vec<_>>>()?;
        let states = scan(self, &self.all_blocks(), &tasks, exec)?;
        let mut answers = Vec::with_capacity(analyses.len());
        for ((analysis, task), state) in analyses.iter().zip(&tasks).zip(&states) {
            let mut report = task.finish(state)?;
            self.add_caveats(report.as_report_mut());
            answers.push(DynAnswer {
                analysis: analysis.name().to_owned(),
                spec: analysis.spec(),
                provenance: self.provenance(),
                report,
            });
        }
        Ok(answers)
    }

    /// The journeys counted in `cell` of the analysis' report, at most `limit`, in the order of the log.
    ///
    /// # Errors
    /// [`Error::UnknownCell`] for a cell that the report does not have; those of the analysis.
    pub fn members(
        &self,
        analysis: &dyn DynAnalysis,
        cell: &str,
        limit: usize,
    ) -> Result<Vec<Member>> {
        self.members_with(analysis, cell, limit, &Exec::default())
    }

    /// The same with a token to cancel it.
    ///
    /// # Errors
    /// Also [`Error::Cancelled`].
    pub fn members_with(
        &self,
        analysis: &dyn DynAnalysis,
        cell: &str,
        limit: usize,
        exec: &Exec,
    ) -> Result<Vec<Member>> {
        let task = analysis.bind(self.catalog())?.0;
        let mut members = Vec::new();
        if limit > 0 {
            self.each_journey(exec, |block, journey| {
                if let Some(located) = task.locate(journey).into_iter().find(|l| l.cell == cell) {
                    members.push(Member {
                        customer: self
                            .log()
                            .customer_id(block, journey.span().customer as usize)
                            .into_owned(),
                        journey: journey.span().ordinal,
                        start: journey.start_time(),
                        why: located.why,
                    });
                }
                members.len() < limit
            })?;
        }
        if members.is_empty() {
            self.check_cell(task, cell, exec)?;
        }
        Ok(members)
    }

    /// Refuses a cell that the report does not have.
    fn check_cell(&self, task: Box<dyn Task>, cell: &str, exec: &Exec) -> Result<()> {
        let tasks = [task];
        let states = scan(self, &self.all_blocks(), &tasks, exec)?;
        let cells = tasks[0].cells(&states[0]);
        if cells.iter().any(|(known, _)| known == cell) {
            return Ok(());
        }
        let mut kinds: Vec<&str> = cells
            .iter()
            .map(|(known, _)| known.split('/').next().unwrap_or_default())
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        Err(Error::UnknownCell {
            cell: cell.to_owned(),
            nearest: nearest(cell, cells.iter().map(|(known, _)| known.as_str())),
            kinds: kinds.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Every journey of one customer with the cells it is counted in and why; none if no journey of theirs is selected.
    ///
    /// # Errors
    /// [`Error::UnknownCustomer`] for a customer whom the log does not have; those of the analysis.
    pub fn explain(&self, analysis: &dyn DynAnalysis, customer: &str) -> Result<Vec<Explained>> {
        self.explain_with(analysis, customer, &Exec::default())
    }

    /// The same with a token to cancel it.
    ///
    /// # Errors
    /// Also [`Error::Cancelled`].
    pub fn explain_with(
        &self,
        analysis: &dyn DynAnalysis,
        customer: &str,
        exec: &Exec,
    ) -> Result<Vec<Explained>> {
        let task = analysis.bind(self.catalog())?.0;
        let Some((block, index)) = self.log().customer(customer) else {
            return Err(Error::UnknownCustomer);
        };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.blocks()[block].with_customer(index, |_, journeys| {
            let total = journeys.len() as u64;
            let explain = |(done, j): (u64, &Journey<'_>)| {
                if exec.is_cancelled() {
                    return Err(Error::Cancelled { done, total });
                }
                Ok(Explained {
                    journey: j.span().ordinal,
                    start: j.start_time(),
                    events: j
                        .times()
                        .iter()
                        .copied()
                        .zip(j.codes().map(|c| self.catalog().events.name(c).to_owned()))
                        .collect(),
                    cells: task.locate(j),
                })
            };
            (0..).zip(journeys).map(explain).collect()
        })
    }

    /// Counts [`Analysis::locate`] over all journeys, by cell. Slow and plain: the reference that the law tests hold
    /// [`Analysis::cells`] against.
    pub fn count_located(
        &self,
        analysis: &dyn DynAnalysis,
    ) -> Result<std::collections::BTreeMap<String, u64>> {
        let task = analysis.bind(self.catalog())?.0;
        let mut counts = std::collections::BTreeMap::new();
        self.each_journey(&Exec::default(), |_, journey| {
            for located in task.locate(journey) {
                *counts.entry(located.cell).or_default() += 1;
            }
            true
        })?;
        Ok(counts)
    }

    /// The counts of [`Analysis::cells`] after a scan, by cell, zeros left out.
    pub fn count_cells(
        &self,
        analysis: &dyn DynAnalysis,
        exec: &Exec,
    ) -> Result<std::collections::BTreeMap<String, u64>> {
        let tasks = [analysis.bind(self.catalog())?.0];
        let states = scan(self, &self.all_blocks(), &tasks, exec)?;
        Ok(tasks[0]
            .cells(&states[0])
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect())
    }

    fn each_journey(
        &self,
        exec: &Exec,
        mut work: impl FnMut(usize, &Journey<'_>) -> bool,
    ) -> Result<()> {
        let total = self.n_journeys();
        let mut done = 0;
        let mut scratch = crate::journey::Scratch::default();
        for (b, block) in self.blocks().iter().enumerate() {
            for &range in block.morsels() {
                let morsel = block.morsel(range, &mut scratch);
                for journey in morsel.journeys() {
                    if exec.is_cancelled() {
                        return Err(Error::Cancelled { done, total });
                    }
                    if !work(b, &journey) {
                        return Ok(());
                    }
                    done += 1;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn all_blocks(&self) -> Vec<usize> {
        (0..self.blocks().len()).collect()
    }

    pub(crate) fn add_caveats(&self, report: &mut dyn Report) {
        let own = std::mem::take(report.caveats_mut());
        let all = report.caveats_mut();
        *all = self.caveats();
        all.extend(own);
    }

    /// Where a report over these journeys comes from.
    pub fn provenance(&self) -> Provenance {
        let catalog = self.catalog();
        Provenance {
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: format!("{:032x}", self.log().fingerprint()),
            rule: self.rule().to_string(),
            selections: self.selections().iter().map(ToString::to_string).collect(),
            n_events: self.n_events(),
            n_customers: self.n_customers(),
            n_journeys: self.n_journeys(),
            first_time: catalog.first_time,
            last_time: catalog.last_time,
            observed_until: catalog.observed_until,
            seed: None,
        }
    }
}

fn planned<A: Analysis>(analysis: &A, journeys: &Journeys) -> Result<Box<dyn Task>> {
    Ok(Box::new(Planned::<A> {
        plan: analysis.plan(journeys.catalog())?,
        analysis: PhantomData,
    }))
}

fn typed<A: Analysis>(
    journeys: &Journeys,
    analysis: &A,
    report: Box<dyn DynReport>,
) -> Result<Answer<A::Report>> {
    let mut report = *report
        .into_any()
        .downcast::<A::Report>()
        .map_err(|_| Error::Envelope {
            reason: "the report belongs to another analysis".to_owned(),
        })?;
    journeys.add_caveats(&mut report);
    let spec = serde_json::to_value(analysis).unwrap_or_default();
    Ok(Answer {
        analysis: A::NAME.to_owned(),
        spec,
        provenance: journeys.provenance(),
        report,
    })
}

macro_rules! analysis_set {
    ($($name:ident $place:tt),+) => {
        impl<$($name: Analysis),+> AnalysisSet for ($($name,)+) {
            type Answers = ($(Answer<$name::Report>,)+);

            fn run(&self, journeys: &Journeys, exec: &Exec) -> Result<Self::Answers> {
                let tasks = [$(planned(&self.$place, journeys)?),+];
                let states = scan(journeys, &journeys.all_blocks(), &tasks, exec)?;
                Ok(($(typed::<$name>(journeys, &self.$place, tasks[$place].finish(&states[$place])?)?,)+))
            }
        }
    };
}

analysis_set!(A 0);
analysis_set!(A 0, B 1);
analysis_set!(A 0, B 1, C 2);
analysis_set!(A 0, B 1, C 2, D 3);
