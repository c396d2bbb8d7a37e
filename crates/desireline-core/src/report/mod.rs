//! What every report is made of: tables with units, estimates, caveats and where it came from.

mod caveat;
mod provenance;
mod rate;
mod table;

pub use caveat::Caveat;
pub(crate) use caveat::counted;
pub use provenance::{Answer, Provenance};
pub use rate::{Base, Rate, TOO_FEW};
pub use table::{Cells, Column, Table};

use std::any::Any;
use std::fmt::Debug;

/// What every [`Report`] has alike that keeps its caveats in a field of that name, for its `impl`.
macro_rules! held {
    () => {
        fn caveats(&self) -> &[$crate::report::Caveat] {
            &self.caveats
        }

        fn caveats_mut(&mut self) -> &mut Vec<$crate::report::Caveat> {
            &mut self.caveats
        }

        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    };
}
pub(crate) use held;

/// A finished result: typed fields for programs, tables for everything else.
pub trait Report: Debug + Send + Sync + Any {
    /// A short title for people, such as `Funnel`.
    fn title(&self) -> &'static str;

    /// The report's numbers as tables, the most important first. Names and order are part of the interface.
    fn tables(&self) -> Vec<Table>;

    /// What a reader must know before trusting the numbers.
    fn caveats(&self) -> &[Caveat];

    /// The caveats, for the engine to add those that concern every analysis.
    fn caveats_mut(&mut self) -> &mut Vec<Caveat>;

    /// For the renderers that draw this kind of report.
    fn as_any(&self) -> &dyn Any;

    /// The reports that a breakdown is made of, with the names of their groups, in the order of the report.
    fn parts(&self) -> Vec<(&str, &dyn Report)> {
        Vec::new()
    }
}
