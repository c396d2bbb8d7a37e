//! A map's bindings compiled against the names of a log.

use crate::error::Result;
use crate::expr::{CompareOp, Expr, ExprError, Field, Literal, Node, TextSpan};
use crate::journey::{Mask, Matcher, Morsel};
use crate::log::Catalog;
use crate::map::{BindingPolicy, Id, JourneyMap};

/// A name of an event that a condition speaks of and the log does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// Where in the condition.
    pub at: TextSpan,
    /// The name.
    pub name: String,
    /// The name of the log that was most likely meant.
    pub nearest: Option<String>,
}

/// A condition bound to a log although it may speak of events that the log does not have: those never match.
///
/// An analysis refuses an unknown name, because a slip of the pen must not look like a finding. A map is checked against
/// many logs, and that a name is gone is what the check is to say.
#[derive(Clone, Debug)]
pub struct LenientMatcher {
    /// What matches.
    pub matcher: Matcher,
    /// The names that the log does not have.
    pub unknown: Vec<UnknownName>,
}

impl LenientMatcher {
    /// Binds `expr` to the names of `catalog`.
    ///
    /// # Errors
    /// An unknown field or a comparison of unlike things.
    pub fn new(expr: &Expr, catalog: &Catalog) -> Result<LenientMatcher, ExprError> {
        let mut unknown = Vec::new();
        let known = without_unknown(expr, catalog, &mut unknown);
        Ok(LenientMatcher {
            matcher: Matcher::new(&known, catalog)?,
            unknown,
        })
    }
}

/// The expression with what asks for unknown events put to `false`.
fn without_unknown(expr: &Expr, catalog: &Catalog, unknown: &mut Vec<UnknownName>) -> Expr {
    let is_known = |name: &str| catalog.events.code(name).is_some();
    let missing = match &expr.node {
        Node::Name(name) => (!is_known(name)).then_some(name),
        Node::Compare {
            field: Field::Event,
            op: CompareOp::Eq,
            value: Literal::Text(name),
        } => (!is_known(name)).then_some(name),
        Node::In {
            field: Field::Event,
            values,
        } => {
            let names = || {
                values.iter().filter_map(|v| match v {
                    Literal::Text(name) => Some(name),
                    _ => None,
                })
            };
            let none = !names().any(|n| is_known(n));
            names().next().filter(|_| none)
        }
        _ => None,
    };
    if let Some(name) = missing {
        unknown.push(UnknownName {
            at: expr.span,
            name: name.clone(),
            nearest: crate::error::nearest(name, catalog.events.names()),
        });
        return Node::Or(Vec::new()).into();
    }
    let mut inner = |e: &Expr| without_unknown(e, catalog, unknown);
    let node = match &expr.node {
        Node::Not(e) => Node::Not(Box::new(inner(e))),
        Node::First(e) => Node::First(Box::new(inner(e))),
        Node::Nth(e, n) => Node::Nth(Box::new(inner(e)), *n),
        Node::After { anchor, within } => Node::After {
            anchor: Box::new(inner(anchor)),
            within: *within,
        },
        Node::And(list) => Node::And(list.iter().map(inner).collect()),
        Node::Or(list) => Node::Or(list.iter().map(inner).collect()),
        node => node.clone(),
    };
    Expr {
        node,
        span: expr.span,
    }
}

/// A touchpoint's binding, bound to a log.
#[derive(Clone, Debug)]
pub struct BoundTouchpoint {
    /// Its place among the map's touchpoints.
    pub touchpoint: usize,
    /// Its id.
    pub id: Id,
    /// Its priority.
    pub priority: i32,
    /// Which events match.
    pub matcher: Matcher,
    /// The names of events that the log does not have.
    pub unknown: Vec<UnknownName>,
}

/// All bindings of a map against one log, ready for one pass.
///
/// Which bindings an event can match at all is looked up by its name; what remains to be asked of its attributes is asked
/// only of those.
#[derive(Clone, Debug)]
pub struct BoundMap {
    /// The bindings, those that take an event first in front: by priority, then in the order of the document.
    pub bindings: Vec<BoundTouchpoint>,
    /// What happens to an event that several match.
    pub policy: BindingPolicy,
    /// For each event code the bindings that can match it, as places in `bindings`.
    candidates: Vec<Vec<Candidate>>,
}

/// A binding that can match events of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// A place in [`BoundMap::bindings`].
    pub binding: usize,
    /// Whether it matches every event of the name, so that nothing else need be asked.
    pub always: bool,
}

impl BoundMap {
    /// Binds a map to the names of a log. Touchpoints without a binding are passed over, and names that the log does not
    /// have match nothing.
    ///
    /// # Errors
    /// An expression with an unknown field or a comparison of unlike things; `map check` says where.
    pub fn new(map: &JourneyMap, catalog: &Catalog) -> Result<BoundMap> {
        let mut bindings = Vec::new();
        let mut possible = Vec::new();
        for (touchpoint, t) in map.touchpoints.iter().enumerate() {
            let Some(binding) = &t.binding else { continue };
            let bound = LenientMatcher::new(&binding.when, catalog)?;
            possible.push((bindings.len(), names_of(&binding.when, catalog)));
            bindings.push(BoundTouchpoint {
                touchpoint,
                id: t.id.clone(),
                priority: binding.rank(),
                matcher: bound.matcher,
                unknown: bound.unknown,
            });
        }
        let mut order: Vec<usize> = (0..bindings.len()).collect();
        order.sort_by_key(|&b| {
            (
                std::cmp::Reverse(bindings[b].priority),
                bindings[b].touchpoint,
            )
        });
        let candidates = (0..catalog.events.len())
            .map(|code| {
                let can = order.iter().enumerate().filter_map(|(rank, &b)| {
                    let always = bindings[b]
                        .matcher
                        .by_event_code()
                        .map(|t| t.get(code) == Some(&true));
                    let candidate = Candidate {
                        binding: rank,
                        always: always == Some(true),
                    };
                    let can = always.unwrap_or_else(|| possible[b].1.get(code) == Some(&true));
                    can.then_some(candidate)
                });
                can.collect()
            })
            .collect();
        let mut slots: Vec<Option<BoundTouchpoint>> = bindings.into_iter().map(Some).collect();
        Ok(BoundMap {
            bindings: order.iter().filter_map(|&b| slots[b].take()).collect(),
            policy: map.policy(),
            candidates,
        })
    }

    /// How many names of events there are.
    pub(super) fn n_codes(&self) -> usize {
        self.candidates.len()
    }

    /// The bindings that can match events of a code, in the order in which they take events.
    pub fn candidates(&self, code: u32) -> &[Candidate] {
        self.candidates
            .get(code as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// Marks the events that bindings match by more than their name; what a name alone decides needs no mask.
    pub(super) fn fill_masks(&self, morsel: &Morsel<'_>, scratch: &mut BindScratch) {
        scratch
            .masks
            .resize_with(self.bindings.len(), Mask::default);
        for (binding, mask) in self.bindings.iter().zip(&mut scratch.masks) {
            if binding.matcher.by_event_code().is_none() {
                binding.matcher.fill(morsel, mask);
            }
        }
    }

    /// The first binding that takes event `i`, which is of this code; after [`fill_masks`](Self::fill_masks).
    #[inline]
    pub(super) fn first(&self, code: u32, i: usize, scratch: &BindScratch) -> Option<usize> {
        let takes = |c: &&Candidate| c.always || self.by_mask(c.binding, i, scratch);
        self.candidates(code).iter().find(takes).map(|c| c.binding)
    }

    fn by_mask(&self, binding: usize, i: usize, scratch: &BindScratch) -> bool {
        self.bindings[binding].matcher.by_event_code().is_none() && scratch.masks[binding].get(i)
    }

    /// Calls `take` with every event of the morsel's journeys and each binding it belongs to: one under
    /// [`BindingPolicy::Priority`], all that match under [`BindingPolicy::Multi`], in the order of
    /// [`bindings`](Self::bindings); and `orphan` with those that belong to none.
    pub fn assign(
        &self,
        morsel: &Morsel<'_>,
        scratch: &mut BindScratch,
        mut take: impl FnMut(usize, usize),
        mut orphan: impl FnMut(usize),
    ) {
        self.fill_masks(morsel, scratch);
        let codes = morsel.codes();
        for span in morsel.spans() {
            for i in span.range() {
                let mut taken = false;
                for candidate in self.candidates(codes.get(i)) {
                    if candidate.always || self.by_mask(candidate.binding, i, scratch) {
                        taken = true;
                        take(i, candidate.binding);
                        if self.policy == BindingPolicy::Priority {
                            break;
                        }
                    }
                }
                if !taken {
                    orphan(i);
                }
            }
        }
    }
}

/// Memory that is used again from morsel to morsel.
#[derive(Debug, Default)]
pub struct BindScratch {
    /// By binding; empty where the name alone decides.
    pub(super) masks: Vec<Mask>,
}

/// For each event code whether an event of that name can match: never too few.
pub(super) fn names_of(expr: &Expr, catalog: &Catalog) -> Vec<bool> {
    let all = |b: bool| vec![b; catalog.events.len()];
    let join = |list: &[Expr], start: bool, with: fn(bool, bool) -> bool| {
        list.iter().fold(all(start), |mut sum, e| {
            for (a, b) in sum.iter_mut().zip(names_of(e, catalog)) {
                *a = with(*a, b);
            }
            sum
        })
    };
    match &expr.node {
        Node::Name(name) => catalog.events.names().map(|n| n == name).collect(),
        Node::First(e) | Node::Nth(e, _) => names_of(e, catalog),
        Node::And(list) => join(list, true, |a, b| a && b),
        Node::Or(list) => join(list, false, |a, b| a || b),
        _ => match LenientMatcher::new(expr, catalog) {
            Ok(bound) => bound
                .matcher
                .by_event_code()
                .map_or_else(|| all(true), <[bool]>::to_vec),
            Err(_) => all(true),
        },
    }
}
