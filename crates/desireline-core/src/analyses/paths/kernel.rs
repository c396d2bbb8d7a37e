//! The scan: each journey's path, its duration, and its first steps.

use super::flow::End;
use super::{Collapse, Part, PathsPartial, PathsPlan};
use crate::journey::{Mask, Morsel, Span};

/// How a kernel finds out whether an event fulfils the goal.
#[derive(Clone, Copy)]
pub(super) enum Goal<'a> {
    None,
    Codes(&'a [bool]),
    Events(&'a Mask),
}

/// A column's codes, which may already be the bytes of a key.
pub(super) trait Code: Copy + Eq {
    fn code(self) -> u32;
    fn as_key(codes: &[Self]) -> Option<&[u8]>;
}

impl Code for u8 {
    #[inline]
    fn code(self) -> u32 {
        self.into()
    }
    #[inline]
    fn as_key(codes: &[u8]) -> Option<&[u8]> {
        Some(codes)
    }
}

impl Code for u16 {
    #[inline]
    fn code(self) -> u32 {
        self.into()
    }
    fn as_key(_: &[u16]) -> Option<&[u8]> {
        None
    }
}

impl Code for u32 {
    #[inline]
    fn code(self) -> u32 {
        self
    }
    fn as_key(_: &[u32]) -> Option<&[u8]> {
        None
    }
}

impl Goal<'_> {
    #[inline]
    fn reached<C: Code>(self, codes: &[C], start: usize, end: usize) -> bool {
        match self {
            Goal::None => false,
            Goal::Codes(table) => codes[start..end]
                .iter()
                .any(|c| table.get(c.code() as usize).copied().unwrap_or(false)),
            Goal::Events(mask) => mask.any_in(start..end),
        }
    }
}

pub(super) fn observe<C: Code>(
    plan: &PathsPlan,
    partial: &mut PathsPartial,
    morsel: &Morsel<'_>,
    codes: &[C],
    goal: Goal<'_>,
) {
    let mut key = Vec::new();
    for spans in morsel.customers() {
        let mut goals = 0;
        for span in spans {
            let (start, end) = (span.start as usize, span.end as usize);
            let reached = goal.reached(codes, start, end);
            goals += u64::from(reached);
            let path = path_of(plan, codes, morsel, span, &mut key);
            partial.shortened += u64::from(path.shortened);
            partial.take(path.key, reached, path.duration);
            if plan.count_flow {
                first_steps(plan, codes, span, goal, &mut key);
                partial.flow.add(&key, 1);
            }
        }
        partial.end_customer();
        partial.all.add(goals, spans.len() as u64);
    }
    partial.settle();
}

struct PathOf<'a> {
    key: &'a [u8],
    duration: i64,
    shortened: bool,
}

#[inline]
fn path_of<'a, C: Code>(
    plan: &PathsPlan,
    codes: &'a [C],
    morsel: &Morsel<'_>,
    span: &Span,
    buffer: &'a mut Vec<u8>,
) -> PathOf<'a> {
    let (first, end) = (span.start as usize, span.end as usize);
    if plan.collapses() {
        let times = &morsel.times()[first..end];
        return collapsed_path(plan, &codes[first..end], times, buffer);
    }
    let (from, to) = match plan.part {
        Part::Whole => (first, end),
        Part::First(n) => (first, end.min(first.saturating_add(n))),
        Part::Last(n) => (first.max(end.saturating_sub(n)), end),
    };
    let key = match C::as_key(&codes[from..to]) {
        Some(key) if plan.width.is_byte() => key,
        _ => {
            buffer.clear();
            for code in &codes[from..to] {
                plan.width.encode(code.code(), buffer);
            }
            buffer
        }
    };
    PathOf {
        key,
        // Two times of a journey: decoding all of them would take longer.
        duration: morsel.time(to - 1).saturating_sub(morsel.time(from)),
        shortened: to - from < end - first,
    }
}

fn run_end<C: Eq>(codes: &[C], start: usize) -> usize {
    let same = codes[start..].iter().take_while(|c| **c == codes[start]);
    start + same.count()
}

fn collapsed_path<'a, C: Code>(
    plan: &PathsPlan,
    codes: &[C],
    times: &[i64],
    buffer: &'a mut Vec<u8>,
) -> PathOf<'a> {
    let (from, most) = match plan.part {
        Part::Whole => (0, usize::MAX),
        Part::First(n) => (0, n),
        Part::Last(n) => {
            let mut from = codes.len();
            for _ in 0..n {
                let Some(&last) = codes[..from].last() else {
                    break;
                };
                from -= codes[..from]
                    .iter()
                    .rev()
                    .take_while(|c| **c == last)
                    .count();
            }
            (from, n)
        }
    };
    buffer.clear();
    let (mut to, mut last_run, mut n_runs) = (from, from, 0);
    while to < codes.len() && n_runs < most {
        plan.width.encode(codes[to].code(), buffer);
        last_run = to;
        to = run_end(codes, to);
        n_runs += 1;
    }
    let duration = if plan.spec.collapse == Collapse::First {
        times[last_run].saturating_sub(times[from])
    } else {
        times[to - 1].saturating_sub(times[run_end(codes, from) - 1])
    };
    PathOf {
        key: buffer,
        duration,
        shortened: from > 0 || to < codes.len(),
    }
}

/// The touchpoints that the flow shows of a journey, and how they end, as a key.
fn first_steps<C: Code>(
    plan: &PathsPlan,
    codes: &[C],
    span: &Span,
    goal: Goal<'_>,
    key: &mut Vec<u8>,
) {
    key.clear();
    let steps = plan.spec.flow_steps as usize;
    let (mut i, end_of_journey) = (span.start as usize, span.end as usize);
    let mut end = End::Exit;
    let mut n = 0;
    while i < end_of_journey {
        let next = if plan.collapses() {
            run_end(&codes[..end_of_journey], i)
        } else {
            i + 1
        };
        if goal.reached(codes, i, next) {
            end = End::Goal;
            break;
        }
        if n == steps {
            end = End::GoesOn;
            break;
        }
        plan.width.encode(codes[i].code(), key);
        n += 1;
        i = next;
    }
    key.push(end.byte());
}
