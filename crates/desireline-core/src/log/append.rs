//! Logs that grow: old blocks shared where their customers have no new events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::assemble::{
    Group, Part, Rebuild, Segment, Slot, Translation, assemble, settle, sort_groups,
};
use super::log::{Extent, Log, tally};
use super::{Catalog, LogBuilder, LogOptions, Vocabulary};
use crate::error::{Error, Result};

impl Log {
    /// A builder for rows to [`append`](Log::append): its options are this log's.
    pub fn builder(&self) -> LogBuilder {
        LogBuilder::new(self.inner.options.clone())
    }

    /// A new log with the rows of `new` added; this one stays as it is.
    ///
    /// Blocks whose customers have no new events are shared between both. At equal times the old events come
    /// first, whatever their tie keys. The share of rows put aside is checked for the new rows alone. Event names
    /// and dictionaries only grow, so that a code keeps its meaning. The result says the same, with the same
    /// [`fingerprint`](Log::fingerprint), as a log built from the old rows followed by the new ones (without tie
    /// keys). Where an attribute is declared to belong to customers and a customer has several values, the value
    /// of the part with the customer's latest event is kept. O(events of the touched blocks).
    ///
    /// ```
    /// use desireline_core::log::Log;
    ///
    /// let old = Log::from_rows([("ann", 0, "home")])?;
    /// let mut new = old.builder();
    /// new.push("ann", 5_000_000, "buy")?;
    /// let grown = old.append(new)?;
    /// assert_eq!((old.n_events(), grown.n_events()), (1, 2));
    /// # Ok::<(), desireline_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::AppendMismatch`] when `new` declares other attributes, roles or another currency, and those of
    /// [`LogBuilder::finish`]; a builder without rows is fine.
    pub fn append(&self, mut new: LogBuilder) -> Result<Log> {
        fits(&self.inner.options, &new.options)?;
        let mut options = self.inner.options.clone();
        options.observed_until = new.options.observed_until.or(options.observed_until);
        new.options = options.clone();
        new.options.observed_until = None;

        let mut extent = self.inner.extent.clone();
        let mut catalog = Catalog::clone(&self.inner.catalog);
        let new = match new.finish() {
            Ok(log) => log,
            Err(Error::EmptyLog { quarantined: 0 }) => return Ok(self.clone()),
            Err(other) => return Err(other),
        };
        extent.add(&new.inner.extent);
        let translation = extend(&mut catalog, new.catalog());
        catalog.first_time = catalog.first_time.min(new.catalog().first_time);
        catalog.last_time = catalog.last_time.max(new.catalog().last_time);
        catalog.observed_until = options
            .observed_until
            .map_or(catalog.last_time, |until| until.max(catalog.last_time));

        // Old blocks first, each under its own number; then the new ones.
        let n_old = self.blocks().len();
        let parts: Vec<Part<'_>> = self
            .blocks()
            .iter()
            .map(|block| Part {
                block,
                translation: None,
            })
            .chain(new.blocks().iter().map(|block| Part {
                block,
                translation: Some(&translation),
            }))
            .collect();
        let mut touched: BTreeMap<usize, BTreeMap<usize, Segment>> = BTreeMap::new();
        let mut added = Vec::new();
        for (b, block) in new.blocks().iter().enumerate() {
            for c in 0..block.n_customers() {
                let id = block.customers.get(c);
                let segment = Segment::all(&parts, n_old + b, c);
                match self.customer(&id) {
                    Some((old_block, old_customer)) => {
                        touched
                            .entry(old_block)
                            .or_default()
                            .insert(old_customer, segment);
                    }
                    None => added.push(Group {
                        id,
                        segments: vec![segment],
                    }),
                }
            }
        }
        let rewritten = touched
            .into_iter()
            .map(|(b, mut more)| {
                let block = &self.blocks()[b];
                let groups = (0..block.n_customers())
                    .map(|c| Group {
                        id: block.customers.get(c),
                        segments: [Segment::all(&parts, b, c)]
                            .into_iter()
                            .chain(more.remove(&c))
                            .collect(),
                    })
                    .collect();
                (b, groups)
            })
            .collect();
        let ties = new.ties();
        self.rewrite(
            &parts,
            Change {
                catalog,
                options,
                extent,
                rewritten,
                added,
                ties,
            },
        )
    }

    fn ties(&self) -> u64 {
        self.inner.tallies.iter().map(|t| t.ties).sum()
    }

    /// This log with some blocks' customers replaced and some customers added.
    pub(super) fn rewrite(&self, parts: &[Part<'_>], change: Change<'_>) -> Result<Log> {
        let Change {
            mut catalog,
            options,
            mut extent,
            mut rewritten,
            mut added,
            ties,
        } = change;
        let most = options.block_events;
        let mut blocks = Vec::new();
        for (b, block) in self.blocks().iter().enumerate() {
            match rewritten.remove(&b) {
                Some(mut groups) => {
                    sort_groups(&mut groups);
                    blocks.extend(
                        assemble(parts, &groups, &catalog, most)?
                            .into_iter()
                            .map(Slot::fresh),
                    );
                }
                None => {
                    let tally = self.inner.tallies.get(b).copied().unwrap_or_default();
                    blocks.push(Slot {
                        block: Arc::clone(block),
                        fresh: false,
                        tally,
                    });
                }
            }
        }
        sort_groups(&mut added);
        blocks.extend(
            assemble(parts, &added, &catalog, most)?
                .into_iter()
                .map(Slot::fresh),
        );

        let prior = catalog.attributes.iter().map(|a| a.level).collect();
        let mut rebuild = Rebuild {
            blocks,
            prior: Some(prior),
            conflicts: BTreeMap::new(),
        };
        extent.dropped += tally(&mut rebuild, &catalog, &options)?;
        let now: u64 = rebuild.blocks.iter().map(|s| s.tally.ties).sum();
        extent.unresolved_ties += now.saturating_sub(self.ties() + ties);
        settle(&mut catalog, &mut rebuild, &options);
        for (attribute, customers) in &rebuild.conflicts {
            *extent.conflicts.entry(attribute.clone()).or_default() += customers;
        }
        Log::seal(catalog, rebuild, options, extent)
    }
}

/// What makes one log into another.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) catalog: Catalog,
    pub(super) options: LogOptions,
    pub(super) extent: Extent,
    /// The customers of the old blocks that change; none at all when a block goes.
    pub(super) rewritten: BTreeMap<usize, Vec<Group<'a>>>,
    /// Customers that were in no block.
    pub(super) added: Vec<Group<'a>>,
    /// Ties among what is added.
    pub(super) ties: u64,
}

impl Segment {
    /// All events of one customer of one part.
    pub(super) fn all(parts: &[Part<'_>], part: usize, customer: usize) -> Segment {
        let offsets = &parts[part].block.offsets;
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Segment {
            part: small(part),
            customer: small(customer),
            from: offsets[customer],
            to: offsets[customer + 1],
        }
    }
}

impl Extent {
    fn add(&mut self, other: &Extent) {
        self.quarantine.merge(&other.quarantine);
        self.times_without_zone = self
            .times_without_zone
            .saturating_add(other.times_without_zone);
        self.unresolved_ties += other.unresolved_ties;
        self.dropped += other.dropped;
        for (attribute, customers) in &other.conflicts {
            *self.conflicts.entry(attribute.clone()).or_default() += customers;
        }
    }
}

/// Adds the names of `new` that `catalog` lacks and gives the codes of `new` their place there.
fn extend(catalog: &mut Catalog, new: &Catalog) -> Translation {
    let add =
        |to: &mut Vocabulary, from: &Vocabulary| from.names().map(|name| to.intern(name)).collect();
    let events = add(&mut catalog.events, &new.events);
    let dictionaries = catalog
        .attributes
        .iter_mut()
        .zip(&new.attributes)
        .map(|(to, from)| add(&mut to.dictionary, &from.dictionary))
        .collect();
    Translation {
        events,
        dictionaries,
    }
}

fn fits(old: &LogOptions, new: &LogOptions) -> Result<()> {
    let mismatch = |reason: String| Err(Error::AppendMismatch { reason });
    for (place, (a, b)) in old.attributes.iter().zip(&new.attributes).enumerate() {
        if a != b {
            let (a, b) = (Cow::from(&a.name), &b.name);
            return mismatch(format!(
                "attribute {} is `{b}` where the log has `{a}`, or differs in kind or level",
                place + 1
            ));
        }
    }
    if old.attributes.len() != new.attributes.len() {
        return mismatch(format!(
            "{} attributes where the log has {}",
            new.attributes.len(),
            old.attributes.len()
        ));
    }
    if old.currency != new.currency {
        return mismatch("another currency".to_owned());
    }
    if (&old.channel, &old.journey) != (&new.channel, &new.journey) {
        return mismatch("another channel or journey attribute".to_owned());
    }
    Ok(())
}
