//! A log cut into journeys, with its selections; the thing that analyses run over.

use std::sync::Arc;

use super::cut::Cutter;
use super::{JourneyBlock, JourneyRule, Matcher};
use crate::error::{Error, Result, SpecError};
use crate::expr::Expr;
use crate::log::{Bitmap, Catalog, Log};
use crate::report::Caveat;

/// What was selected, by its scope.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// Events that do not match vanished before journeys were cut.
    EventsBeforeCut(Expr),
    /// Events that do not match vanished from the journeys: their neighbours became adjacent.
    Events(Expr),
    /// Journeys without a matching event were left out; the others keep all their events.
    Journeys(Expr),
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Selection::EventsBeforeCut(e) => write!(f, "keep events where {e}, then cut"),
            Selection::Events(e) => write!(f, "keep events where {e}"),
            Selection::Journeys(e) => write!(f, "keep journeys where {e}"),
        }
    }
}

/// Whether to go on cutting; asked from every worker.
pub(crate) type GoOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// A log cut into journeys. Holds boundaries, not copies; cloning is cheap.
#[derive(Clone, Debug)]
pub struct Journeys {
    log: Log,
    rule: JourneyRule,
    selections: Vec<Selection>,
    blocks: Arc<[JourneyBlock]>,
    n_events: u64,
    n_journeys: u64,
    n_customers: u64,
    missing_ids: u64,
}

/// A log whose journeys are to be cut from some of its events only.
#[derive(Clone, Debug)]
pub struct SelectedLog {
    log: Log,
    expr: Expr,
}

impl SelectedLog {
    /// Cuts the kept events into journeys.
    pub fn journeys(&self, rule: JourneyRule) -> Result<Journeys> {
        self.journeys_while(rule, &|| true)
    }

    /// The same for as long as `go_on` holds.
    pub(crate) fn journeys_while(&self, rule: JourneyRule, go_on: GoOn<'_>) -> Result<Journeys> {
        Journeys::cut(&self.log, rule, Some(&self.expr), go_on)
    }
}

impl Log {
    /// Cuts every customer's events into journeys.
    pub fn journeys(&self, rule: JourneyRule) -> Result<Journeys> {
        self.journeys_while(rule, &|| true)
    }

    /// The same for as long as `go_on` holds.
    pub(crate) fn journeys_while(&self, rule: JourneyRule, go_on: GoOn<'_>) -> Result<Journeys> {
        Journeys::cut(self, rule, None, go_on)
    }

    /// Hides the events for which `expr` does not hold before journeys are cut: gaps are measured between the kept
    /// events. See [`Journeys::keep_events`] and [`Journeys::keep_journeys`] for the other scopes.
    pub fn keep_events(&self, expr: &str) -> Result<SelectedLog> {
        let expr = Expr::parse(expr)?;
        Matcher::new(&expr, self.catalog())?;
        Ok(SelectedLog {
            log: self.clone(),
            expr,
        })
    }
}

impl Journeys {
    fn cut(log: &Log, rule: JourneyRule, only: Option<&Expr>, go_on: GoOn<'_>) -> Result<Journeys> {
        let catalog = log.catalog();
        let cutter = Cutter::new(&rule, catalog)?;
        let only_matcher = only
            .map(|e| Matcher::new(e, catalog))
            .transpose()
            .map_err(|e| selection_error("events", e))?;
        let mut blocks = Vec::with_capacity(log.blocks().len());
        let total = log.blocks().len() as u64;
        let check = |done: usize| match go_on() {
            true => Ok(()),
            false => Err(Error::Cancelled {
                done: done as u64,
                total,
            }),
        };
        for block in log.blocks() {
            check(blocks.len())?;
            let mut jb = match &only_matcher {
                None => JourneyBlock::uncut(Arc::clone(block)),
                Some(matcher) => {
                    let kept = JourneyBlock::whole(Arc::clone(block)).hide(matcher);
                    check(blocks.len())?;
                    kept
                }
            };
            if let Some(column) = cutter.column {
                jb = jb.gather(column);
                check(blocks.len())?;
            }
            let by_gap = cutter.starts_of_block(block).filter(|_| jb.is_in_order());
            let starts = by_gap.unwrap_or_else(|| {
                let of_morsels = jb.per_morsel(|morsel, first| {
                    // What a cancelled cut finds is thrown away below.
                    if !go_on() {
                        return Vec::new();
                    }
                    let starts = cutter.starts(morsel).into_iter();
                    starts.map(|i| i + first).collect::<Vec<u32>>()
                });
                let mut starts = Bitmap::zeros(jb.n_events());
                for start in of_morsels.into_iter().flatten() {
                    starts.set(start as usize);
                }
                starts
            });
            check(blocks.len())?;
            blocks.push(jb.cut_at(starts));
        }
        let missing_ids = match cutter.column {
            Some(column) => blocks.iter().map(|b| b.missing(column)).sum(),
            None => 0,
        };
        let selections = only
            .map(|e| Selection::EventsBeforeCut(e.clone()))
            .into_iter()
            .collect();
        Ok(Journeys::counted(
            log.clone(),
            rule,
            selections,
            blocks,
            missing_ids,
        ))
    }

    fn counted(
        log: Log,
        rule: JourneyRule,
        selections: Vec<Selection>,
        blocks: Vec<JourneyBlock>,
        missing_ids: u64,
    ) -> Journeys {
        let (mut n_events, mut n_journeys, mut n_customers) = (0, 0, 0);
        for block in &blocks {
            let (events, journeys, customers) = block.totals();
            n_events += events;
            n_journeys += journeys;
            n_customers += customers;
        }
        Journeys {
            log,
            rule,
            selections,
            blocks: blocks.into(),
            n_events,
            n_journeys,
            n_customers,
            missing_ids,
        }
    }

    /// Hides the events for which `expr` does not hold. Journeys stay as they were cut; a journey without any event
    /// left is gone, and the neighbours of a hidden event become adjacent.
    ///
    /// Hidden or gone, events still happened: a journey keeps its number among the customer's, and the customer's next
    /// journey, as it was cut, still ends the wait for it, also when none of its events is left. A customer who came
    /// back without an event that is kept came back.
    pub fn keep_events(&self, expr: &str) -> Result<Journeys> {
        let expr = Expr::parse(expr)?;
        let matcher =
            Matcher::new(&expr, self.catalog()).map_err(|e| selection_error("events", e))?;
        let blocks = self
            .blocks
            .iter()
            .map(|b| b.clone().hide(&matcher))
            .collect();
        Ok(self.selected(Selection::Events(expr), blocks))
    }

    /// Keeps the journeys with at least one event for which `expr` holds, with all their events that are not hidden.
    ///
    /// Journeys that are left out still happened: see [`keep_events`](Self::keep_events). The order of selections
    /// matters only where one hides the events that another looks for.
    pub fn keep_journeys(&self, expr: &str) -> Result<Journeys> {
        let expr = Expr::parse(expr)?;
        let matcher =
            Matcher::new(&expr, self.catalog()).map_err(|e| selection_error("journeys", e))?;
        let blocks = self
            .blocks
            .iter()
            .map(|b| b.clone().select(&matcher))
            .collect();
        Ok(self.selected(Selection::Journeys(expr), blocks))
    }

    /// [`keep_events`](Self::keep_events) by a condition that is bound already; `expr` is what is told of it.
    pub(crate) fn keep_events_by(&self, expr: Expr, matcher: &Matcher) -> Journeys {
        let blocks = self.blocks.iter().map(|b| b.clone().hide(matcher));
        self.selected(Selection::Events(expr), blocks.collect())
    }

    /// [`keep_journeys`](Self::keep_journeys) by a condition that is bound already; `expr` is what is told of it.
    pub(crate) fn keep_journeys_by(&self, expr: Expr, matcher: &Matcher) -> Journeys {
        let blocks = self.blocks.iter().map(|b| b.clone().select(matcher));
        self.selected(Selection::Journeys(expr), blocks.collect())
    }

    fn selected(&self, selection: Selection, blocks: Vec<JourneyBlock>) -> Journeys {
        let mut selections = self.selections.clone();
        selections.push(selection);
        Journeys::counted(
            self.log.clone(),
            self.rule.clone(),
            selections,
            blocks,
            self.missing_ids,
        )
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The names and kinds of the log.
    pub fn catalog(&self) -> &Arc<Catalog> {
        self.log.catalog()
    }

    /// The rule that cut the journeys.
    pub fn rule(&self) -> &JourneyRule {
        &self.rule
    }

    /// The selections in force, in order.
    pub fn selections(&self) -> &[Selection] {
        &self.selections
    }

    /// The number of events in the selected journeys.
    pub fn n_events(&self) -> u64 {
        self.n_events
    }

    /// The number of selected journeys.
    pub fn n_journeys(&self) -> u64 {
        self.n_journeys
    }

    /// The number of customers with a selected journey.
    pub fn n_customers(&self) -> u64 {
        self.n_customers
    }

    /// The journeys of each block.
    pub fn blocks(&self) -> &[JourneyBlock] {
        &self.blocks
    }

    /// What a reader must know about the log and the cut, whatever the analysis.
    pub fn caveats(&self) -> Vec<Caveat> {
        let mut caveats = self.log.caveats();
        if self.n_journeys == 0 && !self.selections.is_empty() {
            caveats.push(Caveat::NothingSelected);
        }
        if self.missing_ids > 0 {
            caveats.push(Caveat::MissingJourneyId {
                events: self.missing_ids,
            });
        }
        caveats
    }
}

fn selection_error(field: &'static str, source: crate::expr::ExprError) -> Error {
    SpecError::Expr {
        analysis: "selection",
        field,
        source,
    }
    .into()
}
