//! What is done about it.

use super::part::{part, words};
use super::{Date, Estimate, Id, KpiName, LocalizedText, Share};
use crate::expr::Expr;

part! {
    /// Something that is done: against a pain point, for an opportunity, or for a customer who is stuck. It is closed only
    /// with a readout.
    pub struct Action {
        /// Its id.
        id: Id,
        /// What for.
        kind: ActionKind,
        /// What is done.
        text: LocalizedText,
        /// The pain points, opportunities or risks that it is about.
        about * Id,
        /// Who does it.
        owner ? Id,
        /// Until when.
        due ? Date,
        /// How far it is.
        status ? ActionStatus,
        /// For a remedy: whom it is for, such as customers with a full cart for a day.
        trigger ? Expr,
        /// What it should bring.
        expected_effect ? Estimate,
        /// The experiment that shows it.
        experiment ? String,
        /// What it brought.
        readout ? Readout,
        + own
    }
}

words! {
    /// What an action is for.
    pub enum ActionKind {
        /// Help prepared for customers who are stuck.
        Remedy = "remedy",
        /// A pain point is mended.
        Fix = "fix",
        /// An opportunity is used.
        Grow = "grow",
    }
}

words! {
    /// How far an action is.
    pub enum ActionStatus {
        /// Somebody had the idea.
        Proposed = "proposed",
        /// It will be done.
        Planned = "planned",
        /// It is being done.
        Running = "running",
        /// It is done and was read out.
        Closed = "closed",
        /// It will not be done.
        Dropped = "dropped",
    }
}

part! {
    /// What an action or experiment brought.
    pub struct Readout {
        /// When it was read.
        date: Date,
        /// What it says.
        text: LocalizedText,
        /// The difference it made.
        effect ? Estimate,
        /// How it was found out: an experiment, or before and after with or without a control group.
        method ? ReadoutMethod,
    }
}

words! {
    /// How an effect was found out, the strongest first.
    pub enum ReadoutMethod {
        /// By chance who got it.
        Experiment = "experiment",
        /// Before and after, against others who did not get it.
        DifferenceInDifferences = "difference_in_differences",
        /// Before and after, without control.
        BeforeAfter = "before_after",
    }
}

part! {
    /// An idea that can be wrong, and how to find out.
    pub struct Hypothesis {
        /// Its id.
        id: Id,
        /// If this, then that, because.
        text: LocalizedText,
        /// The KPI that would show it.
        metric ? KpiName,
        /// By how much it would move.
        expected_effect ? Estimate,
        /// The smallest effect that would matter.
        smallest_effect ? Share,
        /// Who tests it.
        owner ? Id,
        /// Until when.
        due ? Date,
        /// The experiment.
        experiment ? String,
        /// How far it is.
        status ? ActionStatus,
        /// What came out.
        readout ? Readout,
        + own
    }
}
