//! Several sources, each with its own clock, ids and columns, as one log.

use desireline_core::error::Error;
use desireline_core::log::{AttributeSpec, Log, LogBuilder, LogOptions};
use indexmap::IndexMap;

use crate::kinds::words;
use crate::plan::{Plan, Role, Slot, merge};
use crate::read::{bytes, look, take};
use crate::sink::{Sink, check_names};
use crate::{Columns, IoError, Source};

/// Reads several sources into one log: a till's CSV in local time beside the web's Parquet in UTC, each with its own names of
/// columns, zone and clock, and with its own ids of customers.
///
/// What is written of [`read`](crate::read()) holds for each source by itself. A time is read in its source's
/// [`zone`](Columns::zone) and then [`shift`](Columns::shift)ed; an id becomes a customer by its source's [`ids`](Columns::ids). The log
/// has the attributes of all sources, in the order in which they are first named; where a source has none, its events miss it.
/// The columns of channel and journey are one attribute each, called as in the first source that has one; other columns that mean the
/// same have to be [`call`](Columns::call)ed the same. Events of one customer at one time are ordered by tie keys, and else by the
/// order of the sources.
///
/// All sources share the largest of their [`max_quarantine_share`](Columns::max_quarantine_share)s and of their
/// [`observed_until`](Columns::observed_until)s; rows are looked at for repetition where one source wants it.
///
/// ```
/// use desireline_io::{Columns, IdSpace, IdTable, Source, read_sources};
///
/// let web = Source::memory("web.csv", "user,at,what\nann,2024-06-01T08:00:00Z,home\n");
/// let till = Source::memory("till.csv", "card;when\n7001;2024-06-01 10:31\n7009;2024-06-01 11:00\n");
/// let cards = IdTable::new([("7001", "ann")])?;
/// let log = read_sources([
///     (web, Columns::new("user", "at", "what")),
///     (till, Columns::every_row("card", "when", "bought_in_store")
///         .zone("Europe/Berlin")      // 10:31 in Berlin is 8:31 UTC
///         .shift(-60_000_000)         // and this till is a minute fast
///         .ids(IdSpace::mapped(cards).prefix("till:"))),
/// ])?;
/// assert_eq!((log.n_customers(), log.n_events()), (2, 3));
/// // From ann's 8:00 to the till's 11:00, which was 8:59 UTC.
/// let catalog = log.catalog();
/// assert_eq!(catalog.last_time - catalog.first_time, 59 * 60_000_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`](crate::read()); [`IoError::KindClash`] where an attribute is of irreconcilable kinds in two sources, and
/// [`IoError::Setting`] where they have money of two currencies, or two columns of one source would be called the same.
pub fn read_sources(sources: impl IntoIterator<Item = (Source, Columns)>) -> Result<Log, IoError> {
    let sources: Vec<(Source, Columns)> = sources.into_iter().collect();
    let mut outlines = Vec::with_capacity(sources.len());
    let mut plans = Vec::with_capacity(sources.len());
    for (source, columns) in &sources {
        let (outlined, survey) = look(source, columns)?;
        let name = outlined
            .first()
            .map_or("", |(input, _)| input.name.as_str());
        plans.push((name.to_owned(), survey.plan()?));
        outlines.push(outlined);
    }
    let columns: Vec<&Columns> = sources.iter().map(|(_, columns)| columns).collect();
    let Some(united) = unite(&plans, &columns)? else {
        return Err(IoError::NoInput {
            pattern: String::new(),
            reason: "no source was given".to_owned(),
        });
    };
    let inputs = outlines.iter().map(Vec::len).sum();
    let total = outlines.iter().map(bytes).sum();
    let mut builder: Option<LogBuilder> = None;
    let (mut done, mut before) = (0, 0);
    for ((plan, columns), outlined) in united.into_iter().zip(columns).zip(&outlines) {
        let mut sink = Sink::new(plan, columns, inputs, total)?;
        sink.go_on(done, before);
        take(outlined, &mut sink)?;
        (done, before) = (done + outlined.len(), before + bytes(outlined));
        let rows = sink.into_builder();
        match &mut builder {
            None => builder = Some(rows),
            Some(all) => all.merge(rows)?,
        }
    }
    let Some(builder) = builder else {
        return Err(Error::EmptyLog { quarantined: 0 }.into());
    };
    let log = builder.finish()?;
    let limit = sources.iter().map(|(_, c)| c.limits.names).max();
    let name = plans.first().map_or("", |(name, _)| name.as_str());
    check_names(&log, limit.unwrap_or(0), name)?;
    Ok(log)
}

/// The plans of the sources with one list of attributes, in which each finds its own columns.
fn unite(plans: &[(String, Plan)], columns: &[&Columns]) -> Result<Option<Vec<Plan>>, IoError> {
    let channel = columns.iter().find_map(|c| c.channel.clone());
    let journey = columns.iter().find_map(|c| c.journey.clone());
    let named = |c: &Columns, column: &str| -> String {
        let is = |own: &Option<String>| own.as_deref() == Some(column);
        let called = c.called.iter().find(|(own, _)| own == column);
        match (is(&c.channel), is(&c.journey), called) {
            (true, _, _) => channel.clone().unwrap_or_default(),
            (_, true, _) => journey.clone().unwrap_or_default(),
            (_, _, Some((_, name))) => name.clone(),
            _ => column.to_owned(),
        }
    };
    let mut attributes: IndexMap<String, AttributeSpec> = IndexMap::new();
    let mut currency: Option<(String, u32)> = None;
    // Of each source: which of its columns is which attribute.
    let mut own: Vec<IndexMap<String, String>> = Vec::with_capacity(plans.len());
    for ((source_name, plan), c) in plans.iter().zip(columns) {
        let mut mine: IndexMap<String, String> = IndexMap::new();
        for spec in &plan.options.attributes {
            let name = named(c, &spec.name);
            if let Some(other) = mine.insert(name.clone(), spec.name.clone()) {
                return Err(IoError::Setting {
                    setting: "call",
                    problem: format!(
                        "the columns `{other}` and `{}` of `{source_name}` would both be called `{name}`",
                        spec.name
                    ),
                });
            }
            match attributes.get_mut(&name) {
                None => {
                    let spec = AttributeSpec {
                        name: name.clone(),
                        ..spec.clone()
                    };
                    attributes.insert(name, spec);
                }
                Some(before) => {
                    before.level = before.level.or(spec.level);
                    before.kind =
                        merge(before.kind, spec.kind).ok_or_else(|| IoError::KindClash {
                            source_name: source_name.clone(),
                            column: name.clone(),
                            first: words(before.kind).to_owned(),
                            second: words(spec.kind).to_owned(),
                        })?;
                }
            }
        }
        if let Some(found) = &plan.options.currency {
            let known = currency.get_or_insert_with(|| found.clone());
            if known.0 != found.0 {
                return Err(IoError::Setting {
                    setting: "currency",
                    problem: format!(
                        "`{source_name}` has money in {}, a source before it in {}; one log has one currency",
                        found.0, known.0
                    ),
                });
            }
        }
        own.push(mine);
    }
    let Some((_, first)) = plans.first() else {
        return Ok(None);
    };
    let all = || plans.iter().map(|(_, plan)| &plan.options);
    let share = all().map(|o| o.max_quarantine_share).fold(0.0, f64::max);
    let options = LogOptions {
        attributes: attributes.values().cloned().collect(),
        channel,
        journey,
        currency,
        observed_until: all().filter_map(|o| o.observed_until).max(),
        dedupe: all().any(|o| o.dedupe),
        max_quarantine_share: share,
        ..first.options.clone()
    };
    let united = plans.iter().zip(&own).map(|((_, plan), mine)| {
        let roles = plan.slots.iter();
        let roles = roles.filter(|slot| !matches!(slot.role, Role::Attribute(_)));
        let mut slots: Vec<Slot> = roles.cloned().collect();
        for (i, name) in attributes.keys().enumerate() {
            let column = mine.get(name);
            let before = plan
                .slots
                .iter()
                .find(|slot| matches!(slot.role, Role::Attribute(_)) && Some(&slot.name) == column);
            slots.push(Slot {
                // No column is called so: this source does not have it.
                name: column.map_or_else(|| format!("\0{name}"), Clone::clone),
                role: Role::Attribute(i),
                required: before.is_some_and(|slot| slot.required),
            });
        }
        Plan {
            slots,
            options: options.clone(),
            exponent: plan.exponent,
        }
    });
    Ok(Some(united.collect()))
}
