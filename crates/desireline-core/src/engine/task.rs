//! Analyses without their types, so that one scan can run several.

use std::any::Any;
use std::fmt::Debug;
use std::marker::PhantomData;

use serde::Serialize;

use super::{Analysis, Located, Partial};
use crate::error::{Error, Result, SpecError};
use crate::journey::{Journey, Morsel};
use crate::log::Catalog;
use crate::report::Report;

/// A partial result whose type only its task knows.
pub(crate) type State = Box<dyn Any + Send>;

/// A planned analysis without its type. Calls are virtual per morsel, never per event.
pub(crate) trait Task: Send + Sync {
    fn name(&self) -> &'static str;
    fn state_version(&self) -> u32;
    fn start(&self) -> State;
    fn observe(&self, state: &mut State, morsel: &Morsel<'_>);
    fn merge(&self, into: &mut State, from: &State);
    fn heap_bytes(&self, state: &State) -> usize;
    fn to_bytes(&self, state: &State) -> Result<Vec<u8>>;
    fn read(&self, bytes: &[u8]) -> Result<State>;
    fn finish(&self, state: &State) -> Result<Box<dyn DynReport>>;
    fn locate(&self, journey: &Journey<'_>) -> Vec<Located>;
    fn cells(&self, state: &State) -> Vec<(String, u64)>;
}

/// A finished report without its type.
pub trait DynReport: Report {
    /// The report as JSON.
    fn to_json(&self) -> Result<serde_json::Value>;
    /// The report for the renderers.
    fn as_report(&self) -> &dyn Report;
    /// The report for the engine's own caveats.
    fn as_report_mut(&mut self) -> &mut dyn Report;
    /// The report for those who know its type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<R: Report + Serialize> DynReport for R {
    fn to_json(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self).map_err(|e| Error::Envelope {
            reason: e.to_string(),
        })
    }
    fn as_report(&self) -> &dyn Report {
        self
    }
    fn as_report_mut(&mut self) -> &mut dyn Report {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// An analysis without its type: what a registry hands out for a name and a JSON question.
pub trait DynAnalysis: Debug + Send + Sync {
    /// The analysis' name.
    fn name(&self) -> &'static str;
    /// The question as JSON.
    fn spec(&self) -> serde_json::Value;
    /// Binds the question to a catalog.
    #[doc(hidden)]
    fn bind(&self, catalog: &Catalog) -> Result<Bound, SpecError>;
}

/// A question bound to a catalog.
#[doc(hidden)]
pub struct Bound(pub(crate) Box<dyn Task>);

impl Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bound").field(&self.0.name()).finish()
    }
}

impl<A: Analysis + Debug> DynAnalysis for A {
    fn name(&self) -> &'static str {
        A::NAME
    }
    fn spec(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
    fn bind(&self, catalog: &Catalog) -> Result<Bound, SpecError> {
        Ok(Bound(Box::new(Planned::<A> {
            plan: self.plan(catalog)?,
            analysis: PhantomData,
        })))
    }
}

pub(crate) struct Planned<A: Analysis> {
    pub(crate) plan: A::Plan,
    pub(crate) analysis: PhantomData<fn() -> A>,
}

impl<A: Analysis> Planned<A> {
    // A state comes back only to the task that made it; another type would be a bug of the engine.
    fn partial(state: &State) -> Option<&A::Partial> {
        state.downcast_ref()
    }
}

impl<A: Analysis> Task for Planned<A> {
    fn name(&self) -> &'static str {
        A::NAME
    }
    fn state_version(&self) -> u32 {
        A::STATE_VERSION
    }
    fn start(&self) -> State {
        Box::new(A::start(&self.plan))
    }
    fn observe(&self, state: &mut State, morsel: &Morsel<'_>) {
        if let Some(partial) = state.downcast_mut() {
            A::observe(&self.plan, partial, morsel);
        }
    }
    fn merge(&self, into: &mut State, from: &State) {
        if let (Some(into), Some(from)) = (into.downcast_mut::<A::Partial>(), Self::partial(from)) {
            into.merge(from);
        }
    }
    fn heap_bytes(&self, state: &State) -> usize {
        Self::partial(state).map_or(0, Partial::heap_bytes)
    }
    fn to_bytes(&self, state: &State) -> Result<Vec<u8>> {
        let partial = Self::partial(state).ok_or_else(wrong_state)?;
        postcard::to_stdvec(partial).map_err(|e| Error::Envelope {
            reason: e.to_string(),
        })
    }
    fn read(&self, bytes: &[u8]) -> Result<State> {
        let (mut partial, rest): (A::Partial, _) =
            postcard::take_from_bytes(bytes).map_err(|e| Error::Envelope {
                reason: format!("its body cannot be read: {e}"),
            })?;
        if !rest.is_empty() {
            return Err(Error::Envelope {
                reason: format!("{} bytes follow its body", rest.len()),
            });
        }
        A::check(&self.plan, &mut partial).map_err(|problem| Error::Envelope {
            reason: format!("its body does not fit its question: {problem}"),
        })?;
        Ok(Box::new(partial))
    }
    fn finish(&self, state: &State) -> Result<Box<dyn DynReport>> {
        Ok(Box::new(A::finish(
            &self.plan,
            Self::partial(state).ok_or_else(wrong_state)?,
        )?))
    }
    fn locate(&self, journey: &Journey<'_>) -> Vec<Located> {
        A::locate(&self.plan, journey)
    }
    fn cells(&self, state: &State) -> Vec<(String, u64)> {
        Self::partial(state).map_or_else(Vec::new, |p| A::cells(&self.plan, p))
    }
}

fn wrong_state() -> Error {
    Error::Envelope {
        reason: "the partial result belongs to another analysis".to_owned(),
    }
}
