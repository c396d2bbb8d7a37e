//! Events that a map tells a KPI of, because no condition can say which they are.

use std::fmt::Debug;
use std::sync::Arc;

use crate::journey::{Mask, Matcher, Morsel};

/// Which events of a morsel's journeys are meant.
pub(crate) trait Picks: Debug + Send + Sync {
    /// Sets them in `mask`; all others are unset.
    fn fill(&self, morsel: &Morsel<'_>, mask: &mut Mask);
}

impl Picks for Matcher {
    fn fill(&self, morsel: &Morsel<'_>, mask: &mut Mask) {
        Matcher::fill(self, morsel, mask);
    }
}

/// What a map tells a KPI.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// Settings by name that are not written down.
    pub(crate) settings: Vec<(&'static str, Arc<dyn Picks>)>,
    /// Where the units of the KPI begin; anywhere without it. What may follow is not cut by it.
    pub(crate) here: Option<Arc<dyn Picks>>,
    /// Customers with such an event alone count.
    pub(crate) members: Option<Arc<dyn Picks>>,
}

impl Given {
    pub(crate) fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.here.is_none() && self.members.is_none()
    }

    pub(super) fn setting(&self, name: &str) -> Option<Arc<dyn Picks>> {
        let found = self.settings.iter().find(|(n, _)| *n == name);
        found.map(|(_, picks)| Arc::clone(picks))
    }
}

/// Two questions are alike where neither is told anything.
impl PartialEq for Given {
    fn eq(&self, other: &Given) -> bool {
        self.is_empty() && other.is_empty()
    }
}

/// A condition bound to a log, or what a map says.
#[derive(Debug)]
pub(super) enum Pick {
    When(Matcher),
    Told(Arc<dyn Picks>),
}

impl Pick {
    pub(super) fn fill(&self, morsel: &Morsel<'_>, mask: &mut Mask) {
        match self {
            Pick::When(matcher) => matcher.fill(morsel, mask),
            Pick::Told(picks) => picks.fill(morsel, mask),
        }
    }
}
