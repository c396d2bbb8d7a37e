//! What will be read from every input: found out by a survey before the first row is taken in.

use desireline_core::error::nearest;
use desireline_core::log::{AttributeSpec, AttributeType, Level, LogOptions};
use indexmap::IndexMap;

use crate::kinds::{Guess, words};
use crate::{Columns, IoError, money};

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Customer,
    Time,
    Event,
    Value,
    Tie,
    Attribute(usize),
}

impl Role {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Role::Customer => "the customer",
            Role::Time => "the time",
            Role::Event => "the event name",
            Role::Value => "the value",
            Role::Tie => "the tie key",
            Role::Attribute(_) => "an attribute",
        }
    }
}

/// A wanted column.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Whether every input must have it.
    pub(crate) required: bool,
}

#[derive(Clone, Debug)]
struct Wanted {
    declared: Option<AttributeType>,
    level: Option<Level>,
    required: bool,
    found: Option<AttributeType>,
    guess: Guess,
}

impl Wanted {
    fn optional() -> Wanted {
        Wanted {
            declared: None,
            level: None,
            required: false,
            found: None,
            guess: Guess::default(),
        }
    }
}

/// Looks at every input's columns.
#[derive(Debug)]
pub(crate) struct Survey<'c> {
    pub(crate) columns: &'c Columns,
    exponent: u32,
    attributes: IndexMap<String, Wanted>,
}

impl<'c> Survey<'c> {
    pub(crate) fn new(columns: &'c Columns) -> Result<Survey<'c>, IoError> {
        check_settings(columns)?;
        let exponent = match &columns.value {
            Some((_, currency)) => money::exponent(currency)?,
            None => 0,
        };
        let mut attributes: IndexMap<String, Wanted> = IndexMap::new();
        let named = |declared, level, required| Wanted {
            declared,
            level,
            required,
            found: None,
            guess: Guess::default(),
        };
        for spec in &columns.attributes {
            attributes.insert(spec.name.clone(), named(spec.kind, spec.level, true));
        }
        for name in [&columns.channel, &columns.journey].into_iter().flatten() {
            let wanted = attributes
                .entry(name.clone())
                .or_insert_with(|| named(None, None, true));
            wanted.declared = Some(AttributeType::Text);
        }
        Ok(Survey {
            columns,
            exponent,
            attributes,
        })
    }

    /// Takes in the column names of one input; the wanted ones must be among them.
    pub(crate) fn offer(&mut self, source_name: &str, available: &[String]) -> Result<(), IoError> {
        if self.columns.all_attributes {
            for name in available.iter().filter(|n| !self.columns.has_role(n)) {
                self.attributes
                    .entry(name.clone())
                    .or_insert_with(Wanted::optional);
            }
        }
        for name in &self.columns.if_there {
            if available.contains(name) && !self.columns.has_role(name) {
                self.attributes
                    .entry(name.clone())
                    .or_insert_with(Wanted::optional);
            }
        }
        for slot in self.slots() {
            if slot.required && !available.contains(&slot.name) {
                return Err(unknown_column(source_name, &slot, available));
            }
        }
        Ok(())
    }

    /// The attribute columns among `names` whose kind is to be found out, as (place in `names`, place here).
    pub(crate) fn undecided(&self, names: &[String]) -> Vec<(usize, usize)> {
        let open = |name: &String| {
            self.attributes
                .get_full(name)
                .filter(|(_, _, w)| w.declared.is_none() && !w.guess.settled())
        };
        names
            .iter()
            .enumerate()
            .filter_map(|(i, n)| open(n).map(|(at, ..)| (i, at)))
            .collect()
    }

    /// Shows one text of an attribute; true when more texts can no longer change its kind.
    pub(crate) fn observe(&mut self, attribute: usize, text: &str) -> bool {
        let Some((_, wanted)) = self.attributes.get_index_mut(attribute) else {
            return true;
        };
        wanted.guess.observe(text);
        wanted.guess.settled()
    }

    /// Takes in the kind an input declares for a column.
    pub(crate) fn typed(
        &mut self,
        source_name: &str,
        name: &str,
        kind: AttributeType,
    ) -> Result<(), IoError> {
        let Some(wanted) = self.attributes.get_mut(name) else {
            return Ok(());
        };
        if wanted.declared.is_some() {
            return Ok(());
        }
        wanted.found = match wanted.found {
            None => Some(kind),
            Some(before) => Some(merge(before, kind).ok_or_else(|| IoError::KindClash {
                source_name: source_name.to_owned(),
                column: name.to_owned(),
                first: words(before).to_owned(),
                second: words(kind).to_owned(),
            })?),
        };
        Ok(())
    }

    /// Takes in a key of a JSON line when every column is wanted.
    pub(crate) fn offer_json(&mut self, name: &str) {
        if !self.columns.has_role(name) && !self.attributes.contains_key(name) {
            self.attributes.insert(name.to_owned(), Wanted::optional());
        }
    }

    /// Takes in the kind of one value of a JSON line; values of unlike kinds make a text column.
    pub(crate) fn seen_json(&mut self, name: &str, kind: AttributeType) {
        if let Some(wanted) = self.attributes.get_mut(name)
            && wanted.declared.is_none()
        {
            wanted.found = match wanted.found {
                None => Some(kind),
                Some(before) => Some(merge(before, kind).unwrap_or(AttributeType::Text)),
            };
        }
    }

    pub(crate) fn slots(&self) -> Vec<Slot> {
        let c = self.columns;
        let slot = |name: &String, role| Slot {
            name: name.clone(),
            role,
            required: true,
        };
        let mut slots = vec![
            slot(&c.customer, Role::Customer),
            slot(&c.time, Role::Time),
            slot(&c.event, Role::Event),
        ];
        slots[2].required = c.every_event.is_none();
        slots.extend(c.value.iter().map(|(name, _)| slot(name, Role::Value)));
        slots.extend(c.tie.iter().map(|name| slot(name, Role::Tie)));
        slots.extend(
            self.attributes
                .iter()
                .enumerate()
                .map(|(i, (name, wanted))| Slot {
                    name: name.clone(),
                    role: Role::Attribute(i),
                    required: wanted.required,
                }),
        );
        slots
    }

    /// Settles the kinds.
    pub(crate) fn plan(self) -> Result<Plan, IoError> {
        let slots = self.slots();
        let c = self.columns;
        let mut attributes = Vec::with_capacity(self.attributes.len());
        for (name, wanted) in self.attributes {
            let kind = match (wanted.declared, wanted.found) {
                (Some(kind), _) => kind,
                (None, None) => wanted.guess.kind(),
                (None, Some(found)) if !wanted.guess.seen() => found,
                (None, Some(found)) => {
                    let guessed = wanted.guess.kind();
                    merge(found, guessed).ok_or_else(|| IoError::KindClash {
                        source_name: "the text inputs".to_owned(),
                        column: name.clone(),
                        first: words(found).to_owned(),
                        second: words(guessed).to_owned(),
                    })?
                }
            };
            attributes.push(AttributeSpec {
                name,
                kind,
                level: wanted.level,
            });
        }
        let mut options = LogOptions {
            attributes,
            channel: c.channel.clone(),
            journey: c.journey.clone(),
            currency: c
                .value
                .as_ref()
                .map(|(_, code)| (code.to_ascii_uppercase(), self.exponent)),
            observed_until: c.observed_until,
            dedupe: c.dedupe,
            ..LogOptions::default()
        };
        if let Some(share) = c.max_quarantine_share {
            options.max_quarantine_share = share;
        }
        Ok(Plan {
            slots,
            options,
            exponent: self.exponent,
        })
    }
}

/// What every input is read by.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Customer, time, event; then value and tie where wanted; then the attributes.
    pub(crate) slots: Vec<Slot>,
    pub(crate) options: LogOptions,
    pub(crate) exponent: u32,
}

impl Plan {
    pub(crate) fn kind(&self, attribute: usize) -> AttributeType {
        self.options
            .attributes
            .get(attribute)
            .map_or(AttributeType::Text, |a| a.kind)
    }

    /// Where each slot stands among `names`.
    pub(crate) fn places(
        &self,
        source_name: &str,
        names: &[String],
    ) -> Result<Vec<Option<usize>>, IoError> {
        let place = |slot: &Slot| {
            let at = names.iter().position(|n| *n == slot.name);
            if at.is_none() && slot.required {
                Err(unknown_column(source_name, slot, names))
            } else {
                Ok(at)
            }
        };
        self.slots.iter().map(place).collect()
    }
}

/// The kind that holds both, if there is one that loses nothing.
pub(crate) fn merge(a: AttributeType, b: AttributeType) -> Option<AttributeType> {
    use AttributeType::{Boolean, Decimal, Integer, Text};
    match (a, b) {
        (a, b) if a == b => Some(a),
        (Integer, Decimal) | (Decimal, Integer) => Some(Decimal),
        (Text | Integer | Boolean, Text | Integer | Boolean) => Some(Text),
        _ => None,
    }
}

fn unknown_column(source_name: &str, slot: &Slot, available: &[String]) -> IoError {
    IoError::UnknownColumn {
        source_name: source_name.to_owned(),
        role: slot.role.words(),
        column: slot.name.clone(),
        nearest: nearest(&slot.name, available.iter().map(String::as_str)),
        available: available.to_vec(),
    }
}

fn check_settings(columns: &Columns) -> Result<(), IoError> {
    let refuse = |setting, problem: &str| {
        Err(IoError::Setting {
            setting,
            problem: problem.to_owned(),
        })
    };
    if columns
        .max_quarantine_share
        .is_some_and(|s| !(0.0..=1.0).contains(&s))
    {
        return refuse("max_quarantine_share", "it is a share from 0 to 1");
    }
    if let Some(crate::Delimiter::Byte(byte)) = columns.delimiter
        && (matches!(byte, b'"' | b'\r' | b'\n') || !byte.is_ascii())
    {
        return refuse(
            "delimiter",
            "it is one ASCII character other than a quote or a line end",
        );
    }
    if columns.limits.json_depth > 120 {
        return refuse("limits.json_depth", "it is at most 120");
    }
    let in_range = |bytes: usize| (1..=1 << 30).contains(&bytes);
    if !in_range(columns.limits.line_bytes)
        || !in_range(columns.limits.block_bytes)
        || columns.limits.columns == 0
    {
        return refuse(
            "limits",
            "line_bytes and block_bytes are from 1 to 2^30 and columns at least 1",
        );
    }
    Ok(())
}

/// Refuses two columns of one name; gives nameless columns the name `column_N`.
pub(crate) fn check_names(source_name: &str, names: &mut [String]) -> Result<(), IoError> {
    for (i, name) in names.iter_mut().enumerate() {
        if name.is_empty() {
            *name = format!("column_{}", i + 1);
        }
    }
    let mut seen = hashbrown::HashMap::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_str(), i) {
            return Err(IoError::DuplicateColumn {
                source_name: source_name.to_owned(),
                column: name.clone(),
                first: first + 1,
                second: i + 1,
            });
        }
    }
    Ok(())
}
