//! Events in either order, in chunks or as a stream of batches, on all cores.

use std::collections::VecDeque;
use std::ops::Range;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;

use super::columns::{ArrowForm, Columns, Dictionaries};
use super::walk::{DAY, Model};
use super::{CustomerIds, Order, SimulateError, Truth};

/// Customers of one task: enough work to share, little enough to hold a task per thread.
const TASK: u64 = 2_048;

/// A checked [`Simulation`](super::Simulation), ready to make events.
///
/// The same simulation gives the same events whatever the number of threads, the size of batches, and the ranges asked
/// for.
#[derive(Clone, Debug)]
pub struct Simulator {
    pub(super) customers: u64,
    pub(super) model: Model,
    pub(super) names: Dictionaries,
    pub(super) arrow: ArrowForm,
    pub(super) truth: Truth,
    pub(super) order: Order,
    pub(super) ids: CustomerIds,
    /// The most events to sort at once.
    pub(super) window_events: u64,
}

impl Simulator {
    /// What is true of the log.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The columns of the batches.
    pub fn schema(&self) -> SchemaRef {
        self.arrow.schema.clone()
    }

    /// The texts behind the codes of [`Columns`].
    pub fn dictionaries(&self) -> &Dictionaries {
        &self.names
    }

    /// The events of a range of customers, by customer and time, on this thread.
    ///
    /// Customers past the last are ignored. O(events).
    pub fn columns(&self, customers: Range<u64>) -> Columns {
        let mut columns = Columns::default();
        for customer in customers.start..customers.end.min(self.customers) {
            self.model.customer(customer, &mut columns);
        }
        columns
    }

    /// As [`Simulator::columns`], as an Arrow batch.
    ///
    /// # Errors
    /// [`SimulateError::Arrow`] where Arrow refuses the columns, such as more than 2 GiB of text.
    pub fn chunk(&self, customers: Range<u64>) -> Result<RecordBatch, SimulateError> {
        Ok(self.arrow.batch(&self.columns(customers))?)
    }

    /// All events in the simulation's [`Order`] as batches of `rows` events, the last one shorter.
    ///
    /// Made on all threads of the current rayon pool, a few thousand customers each at a time; sorting by arrival holds up to
    /// the simulation's `window_events` events and makes customers anew for each window of days, so that memory stays bounded.
    pub fn batches(&self, rows: usize) -> Batches<'_> {
        let windows = match self.order {
            Order::Customer => VecDeque::new(),
            Order::Arrival => self.windows(),
        };
        Batches {
            simulator: self,
            rows: rows.max(1),
            next_customer: 0,
            windows,
            ready: Columns::default(),
            slices: VecDeque::new(),
        }
    }

    /// Stretches of whole days with at most `window_events` events each, where a day has no more.
    fn windows(&self) -> VecDeque<Range<i64>> {
        let (from, to, days) = (self.model.from, self.model.to, self.model.days as usize);
        if self.expected_events() <= self.window_events as f64 {
            return std::iter::once(from..to).collect();
        }
        let counts = self.tasks(0..self.customers).fold(
            || vec![0u64; days],
            |mut counts, range| {
                for time in self.columns(range).time {
                    if let Some(count) = counts.get_mut(((time - from) / DAY) as usize) {
                        *count += 1;
                    }
                }
                counts
            },
        );
        let counts = counts.reduce(
            || vec![0u64; days],
            |mut a, b| {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                a
            },
        );
        let mut windows = VecDeque::new();
        let (mut start, mut held) = (from, 0);
        for (day, count) in counts.into_iter().enumerate() {
            let begin = from + day as i64 * DAY;
            if held > 0 && held + count > self.window_events {
                windows.push_back(start..begin);
                (start, held) = (begin, 0);
            }
            held += count;
        }
        windows.push_back(start..to);
        windows
    }

    /// About how many events there will be, from a sample of customers.
    pub fn expected_events(&self) -> f64 {
        let sample = self.customers.min(2_000);
        let bots = |below: u64| {
            self.model
                .bots
                .iter()
                .filter(move |b| b.customer < below)
                .map(|b| b.events)
                .sum::<u64>()
        };
        let people = self.columns(0..sample).len() as f64 - bots(sample) as f64;
        people.max(0.0) * self.customers as f64 / sample.max(1) as f64 + bots(self.customers) as f64
    }

    fn tasks(&self, customers: Range<u64>) -> impl IndexedParallelIterator<Item = Range<u64>> {
        let count = (customers.end - customers.start).div_ceil(TASK) as usize;
        (0..count).into_par_iter().map(move |i| {
            let start = customers.start + i as u64 * TASK;
            start..(start + TASK).min(customers.end)
        })
    }

    /// All events between two times, sorted by time, customer and number within the customer.
    fn window(&self, window: &Range<i64>) -> Columns {
        let parts: Vec<Columns> = self
            .tasks(0..self.customers)
            .map(|range| {
                let mut columns = Columns::default();
                for customer in range {
                    let first = columns.len();
                    self.model.customer(customer, &mut columns);
                    columns.keep_between(first, window.start, window.end);
                }
                columns
            })
            .collect();
        let mut all = Columns::default();
        for mut part in parts {
            all.append(&mut part);
        }
        // Places are in order of customer and seq already, so they break ties of time.
        let mut places: Vec<(i64, usize)> = all.time.iter().copied().zip(0..).collect();
        places.par_sort_unstable();
        all.take(&places)
    }
}

/// The batches of a simulated log, in order.
#[derive(Debug)]
pub struct Batches<'a> {
    simulator: &'a Simulator,
    rows: usize,
    next_customer: u64,
    windows: VecDeque<Range<i64>>,
    /// Events that do not fill a batch yet.
    ready: Columns,
    slices: VecDeque<Columns>,
}

impl Batches<'_> {
    /// Makes more events; false when there are none left.
    fn make(&mut self) -> bool {
        let simulator = self.simulator;
        let parts = if let Some(window) = self.windows.pop_front() {
            vec![simulator.window(&window)]
        } else if simulator.order == Order::Customer && self.next_customer < simulator.customers {
            let tasks = rayon::current_num_threads().max(1) as u64 * 2;
            let end = (self.next_customer + tasks * TASK).min(simulator.customers);
            let range = self.next_customer..end;
            self.next_customer = end;
            simulator
                .tasks(range)
                .map(|range| simulator.columns(range))
                .collect()
        } else {
            return false;
        };
        for part in parts {
            let mut from = 0;
            while from < part.len() {
                let to = part.len().min(from + self.rows - self.ready.len());
                self.ready.extend_from(&part, from..to);
                from = to;
                if self.ready.len() == self.rows {
                    self.slices.push_back(std::mem::take(&mut self.ready));
                }
            }
        }
        true
    }

    /// The next events as plain columns.
    pub fn next_columns(&mut self) -> Option<Columns> {
        while self.slices.is_empty() {
            if !self.make() {
                let last = std::mem::take(&mut self.ready);
                return (!last.is_empty()).then_some(last);
            }
        }
        self.slices.pop_front()
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<RecordBatch, SimulateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let columns = self.next_columns()?;
        Some(
            self.simulator
                .arrow
                .batch(&columns)
                .map_err(SimulateError::from),
        )
    }
}
