//! Expressions bound to a log: each distinct name and text is tested once, then events are looked up.

use rustc_hash::FxHashSet;

use crate::error::nearest;
use crate::expr::{
    CompareOp, Expr, ExprError, Field, FieldType, Literal, Node, Pattern, Schema, Scope, TextSpan,
};
use crate::log::{AttributeInfo, AttributeType, Bitmap, Catalog, ColumnData, Level, Value};

use super::{Morsel, Span};

/// Which events of a morsel match: a bit for each event of its columns.
pub type Mask = Bitmap;

/// An expression bound to a catalog.
///
/// A comparison with a missing value never holds, neither `==` nor `!=`; `exists` asks for it.
/// `first`, `nth` and `after` count within the journey.
#[derive(Clone, Debug)]
pub struct Matcher {
    op: Op,
}

#[derive(Clone, Debug)]
enum Op {
    Constant(bool),
    /// By event code.
    Events(Box<[bool]>),
    /// By an attribute's code; 0 stands for missing.
    Coded {
        attribute: usize,
        level: Level,
        table: Box<[bool]>,
    },
    Number {
        attribute: usize,
        test: NumberTest,
    },
    /// The attribute has a value.
    Present {
        attribute: usize,
    },
    Time(NumberTest),
    Money(NumberTest),
    Customer(TextTest),
    First(Box<Op>),
    Nth(Box<Op>, u32),
    After(Box<Op>, i64),
    Not(Box<Op>),
    And(Vec<Op>),
    Or(Vec<Op>),
}

#[derive(Clone, Debug)]
enum NumberTest {
    Any,
    Compare(CompareOp, Number),
    OneOf(NumberSet),
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Integer(i64),
    Decimal(f64),
}

#[derive(Clone, Debug)]
enum TextTest {
    Compare(CompareOp, String),
    OneOf(FxHashSet<String>),
    Pattern(Pattern),
}

/// Numbers to look a number up in, however many they are.
#[derive(Clone, Debug, Default)]
struct NumberSet {
    /// Whole numbers, also those that were written as decimals.
    whole: FxHashSet<i64>,
    /// All others, as bits.
    decimals: FxHashSet<u64>,
}

impl NumberSet {
    fn contains(&self, number: Number) -> bool {
        match number.whole() {
            Ok(whole) => self.whole.contains(&whole),
            Err(x) => self.decimals.contains(&x.to_bits()),
        }
    }
}

impl FromIterator<Number> for NumberSet {
    fn from_iter<I: IntoIterator<Item = Number>>(numbers: I) -> NumberSet {
        let mut set = NumberSet::default();
        for number in numbers {
            match number.whole() {
                Ok(whole) => _ = set.whole.insert(whole),
                // NaN equals nothing.
                Err(x) if x.is_nan() => {}
                Err(x) => _ = set.decimals.insert(x.to_bits()),
            }
        }
        set
    }
}

impl Number {
    /// The number as a whole one if it is, so that equal numbers look equal.
    fn whole(self) -> Result<i64, f64> {
        match self {
            Number::Integer(n) => Ok(n),
            #[allow(clippy::cast_possible_truncation)] // whole and in range
            Number::Decimal(x)
                if x.trunc() == x
                    && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) =>
            {
                Ok(x as i64)
            }
            Number::Decimal(x) => Err(x),
        }
    }

    fn compare(self, other: Number) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(&b)),
            (Number::Decimal(a), Number::Decimal(b)) => a.partial_cmp(&b),
            (Number::Integer(a), Number::Decimal(b)) => compare_mixed(a, b),
            (Number::Decimal(a), Number::Integer(b)) => {
                compare_mixed(b, a).map(std::cmp::Ordering::reverse)
            }
        }
    }
}

/// Compares exactly, also beyond the 2^53 that a float counts to.
fn compare_mixed(a: i64, b: f64) -> Option<std::cmp::Ordering> {
    if b.is_nan() {
        return None;
    }
    if b >= 9_223_372_036_854_775_808.0 {
        return Some(std::cmp::Ordering::Less);
    }
    if b < -9_223_372_036_854_775_808.0 {
        return Some(std::cmp::Ordering::Greater);
    }
    #[allow(clippy::cast_possible_truncation)] // in range by the checks above
    let whole = b.trunc() as i64;
    Some(
        a.cmp(&whole)
            .then_with(|| 0.0_f64.total_cmp(&(b - b.trunc() + 0.0))),
    )
}

impl NumberTest {
    fn holds(&self, number: Number) -> bool {
        match self {
            NumberTest::Any => true,
            NumberTest::Compare(op, wanted) => number.compare(*wanted).is_some_and(|o| op.holds(o)),
            NumberTest::OneOf(set) => set.contains(number),
        }
    }
}

impl TextTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            TextTest::Compare(op, wanted) => op.holds(text.cmp(wanted.as_str())),
            TextTest::OneOf(set) => set.contains(text),
            TextTest::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

impl Schema for Catalog {
    fn field_type(&self, field: &Field) -> Result<FieldType, Vec<String>> {
        let known = || {
            let mut names = vec!["event".to_owned(), "customer".to_owned(), "time".to_owned()];
            names.extend(self.currency.iter().map(|_| "value".to_owned()));
            names.extend(self.attributes.iter().map(|a| a.name.clone()));
            names
        };
        match field {
            Field::Event | Field::Customer => Ok(FieldType::Text),
            Field::Time => Ok(FieldType::Time),
            Field::Value if self.currency.is_some() => Ok(FieldType::Money),
            Field::Value => Err(known()),
            Field::Attribute { scope, name } => match find(self, *scope, name) {
                Some((_, info)) => Ok(match info.kind {
                    AttributeType::Text => FieldType::Text,
                    AttributeType::Boolean => FieldType::Boolean,
                    AttributeType::Integer => FieldType::Integer,
                    AttributeType::Decimal => FieldType::Decimal,
                    AttributeType::Time => FieldType::Time,
                }),
                None => Err(known()),
            },
        }
    }
}

fn find<'c>(catalog: &'c Catalog, scope: Scope, name: &str) -> Option<(usize, &'c AttributeInfo)> {
    // `attr.channel` is the column of that name and nothing else; a bare `channel` has to be clear.
    let index = match (scope, name) {
        (Scope::Any, "channel") if catalog.channel_is_ambiguous() => return None,
        (Scope::Event | Scope::Customer, "channel") => {
            catalog.attributes.iter().position(|a| a.name == name)?
        }
        _ => catalog.attribute(name)?,
    };
    let info = &catalog.attributes[index];
    match (scope, info.level) {
        (Scope::Customer, Level::Event) => None,
        _ => Some((index, info)),
    }
}

impl Matcher {
    /// Binds `expr` to the names of `catalog`. Unknown fields, unknown event names and type clashes are errors with
    /// their place and a suggestion. A name inside `in [...]` may be unknown as long as one of the list is known.
    pub fn new(expr: &Expr, catalog: &Catalog) -> Result<Matcher, ExprError> {
        expr.check(catalog)?;
        Ok(Matcher {
            op: bind(expr, catalog)?,
        })
    }

    /// For conditions on the event's name alone: whether each code matches.
    pub fn by_event_code(&self) -> Option<&[bool]> {
        match &self.op {
            Op::Events(table) => Some(table),
            _ => None,
        }
    }

    /// Sets in `mask` the events of the morsel's journeys that match; all others are unset.
    pub fn fill(&self, morsel: &Morsel<'_>, mask: &mut Mask) {
        mask.reset(morsel.n_events());
        self.op.fill(morsel, mask);
    }

    /// The matching events of the journey at `span`, ascending, as places in the morsel's columns. Costs no more than
    /// the journey is long.
    pub fn matches_in(&self, morsel: &Morsel<'_>, span: Span) -> Vec<usize> {
        morsel.alone(span, |alone, _| {
            let mut mask = Mask::default();
            self.fill(alone, &mut mask);
            mask.iter_ones().map(|i| i + span.start as usize).collect()
        })
    }
}

impl Op {
    fn fill(&self, morsel: &Morsel<'_>, mask: &mut Mask) {
        match self {
            Op::Constant(false) => {}
            Op::Constant(true) => morsel.fill(mask, |_, _| true),
            Op::Events(table) => morsel.events_in(table, mask),
            Op::Coded {
                attribute,
                level: Level::Customer,
                table,
            } => {
                per_customer(morsel, mask, |customer| {
                    coded(morsel.attribute(*attribute, 0, customer), table)
                });
            }
            Op::Coded {
                attribute, table, ..
            } => {
                if let Some(ColumnData::Coded(codes)) = morsel.column(*attribute) {
                    // Written down is one more than the code, and 0 for none: the place in the table.
                    return crate::with_codes!(codes.as_slice(), codes => {
                        morsel.fill(mask, |i, _| {
                            let place = codes.get(morsel.row(i)).map(|c| *c as usize);
                            place.and_then(|p| table.get(p)).copied().unwrap_or(false)
                        });
                    });
                }
                morsel.fill(mask, |i, _| self.holds(morsel, i));
            }
            Op::Number { attribute, test } => morsel.fill(mask, |i, customer| {
                match morsel.attribute(*attribute, i, customer) {
                    Value::Integer(n) => test.holds(Number::Integer(n)),
                    Value::Decimal(x) => test.holds(Number::Decimal(x)),
                    _ => false,
                }
            }),
            Op::Present { attribute } => {
                morsel.fill(mask, |i, customer| {
                    morsel.attribute(*attribute, i, customer) != Value::Missing
                });
            }
            Op::Time(_) | Op::Money(_) => morsel.fill(mask, |i, _| self.holds(morsel, i)),
            Op::Customer(test) => {
                per_customer(morsel, mask, |customer| {
                    test.holds(&morsel.block.customers.get(customer as usize))
                });
            }
            Op::First(inner) => nth(inner, 1, morsel, mask),
            Op::Nth(inner, n) => nth(inner, *n, morsel, mask),
            Op::After(anchor, within) => after(anchor, *within, morsel, mask),
            Op::Not(inner) => {
                inner.fill(morsel, mask);
                let mut all = Mask::zeros(mask.len());
                morsel.fill(&mut all, |_, _| true);
                mask.not();
                mask.and(&all);
            }
            Op::And(list) => all_of(list, morsel, mask),
            Op::Or(list) => any_of(list, morsel, mask),
        }
    }

    /// Whether it asks for something that each event has of its own.
    fn is_of_event(&self) -> bool {
        match self {
            Op::Coded { level, .. } => *level == Level::Event,
            Op::Time(_) | Op::Money(_) => true,
            _ => false,
        }
    }

    /// Whether it holds for event `i`; for what [is of an event](Self::is_of_event).
    #[inline]
    fn holds(&self, morsel: &Morsel<'_>, i: usize) -> bool {
        match self {
            Op::Coded {
                attribute, table, ..
            } => coded(morsel.attribute(*attribute, i, 0), table),
            Op::Time(test) => test.holds(Number::Integer(morsel.time(i))),
            Op::Money(test) => {
                let money = morsel.value(i);
                money.is_some_and(|v| test.holds(Number::Integer(v)))
            }
            _ => false,
        }
    }
}

fn all_of(list: &[Op], morsel: &Morsel<'_>, mask: &mut Mask) {
    // What is told of an event alone is asked only where all else holds.
    let lead = list.iter().position(|op| !op.is_of_event());
    let Some(first) = list.get(lead.unwrap_or(0)) else {
        return Op::Constant(true).fill(morsel, mask);
    };
    first.fill(morsel, mask);
    let mut other = Mask::default();
    let rest = list.iter().filter(|op| !std::ptr::eq(*op, first));
    let (alone, others): (Vec<&Op>, Vec<&Op>) = rest.partition(|op| op.is_of_event());
    for op in others {
        other.reset(mask.len());
        op.fill(morsel, &mut other);
        mask.and(&other);
    }
    for op in alone {
        mask.retain(|i| op.holds(morsel, i));
    }
}

fn any_of(list: &[Op], morsel: &Morsel<'_>, mask: &mut Mask) {
    let mut other = Mask::default();
    for op in list {
        other.reset(mask.len());
        op.fill(morsel, &mut other);
        mask.or(&other);
    }
}

fn coded(value: Value, table: &[bool]) -> bool {
    let place = match value {
        Value::Code(code) => code as usize + 1,
        _ => 0,
    };
    table.get(place).copied().unwrap_or(false)
}

fn per_customer(morsel: &Morsel<'_>, mask: &mut Mask, test: impl Fn(u32) -> bool) {
    for spans in morsel.customers() {
        if test(spans[0].customer) {
            spans.iter().for_each(|span| mask.set_range(span.range()));
        }
    }
}

fn nth(inner: &Op, n: u32, morsel: &Morsel<'_>, mask: &mut Mask) {
    let mut hits = Mask::zeros(mask.len());
    inner.fill(morsel, &mut hits);
    for span in morsel.spans() {
        let place = (n as usize).saturating_sub(1);
        if let Some(i) = hits.ones_in(span.range()).nth(place) {
            mask.set(i);
        }
    }
}

fn after(anchor: &Op, within: i64, morsel: &Morsel<'_>, mask: &mut Mask) {
    let mut hits = Mask::zeros(mask.len());
    anchor.fill(morsel, &mut hits);
    let times = morsel.times();
    for span in morsel.spans() {
        let mut last = None;
        for i in span.range() {
            if last.is_some_and(|t: i64| times[i].saturating_sub(t) <= within) {
                mask.set(i);
            }
            if hits.get(i) {
                last = Some(times[i]);
            }
        }
    }
}

/// Binds what has others inside; the rest is apart, so that a level of nesting takes little of the stack.
fn bind(expr: &Expr, catalog: &Catalog) -> Result<Op, ExprError> {
    let op = match &expr.node {
        Node::First(e) => Op::First(Box::new(bind(e, catalog)?)),
        Node::Nth(e, n) => Op::Nth(Box::new(bind(e, catalog)?), *n),
        Node::After { anchor, within } => {
            Op::After(Box::new(bind(anchor, catalog)?), within.as_micros())
        }
        Node::Not(e) => negated(bind(e, catalog)?),
        Node::And(list) => join(bind_all(list, catalog)?, true),
        Node::Or(list) => join(bind_all(list, catalog)?, false),
        _ => return bind_alone(expr, catalog),
    };
    Ok(op)
}

fn bind_all(list: &[Expr], catalog: &Catalog) -> Result<Vec<Op>, ExprError> {
    let mut bound = Vec::with_capacity(list.len());
    for expr in list {
        bound.push(bind(expr, catalog)?);
    }
    Ok(bound)
}

fn negated(op: Op) -> Op {
    match op {
        // Not of a test by name stays a test by name, so that kernels can use its table.
        Op::Events(table) => Op::Events(table.iter().map(|b| !b).collect()),
        op => Op::Not(Box::new(op)),
    }
}

/// Binds a condition without others inside.
fn bind_alone(expr: &Expr, catalog: &Catalog) -> Result<Op, ExprError> {
    let broken = |reason| ExprError::Pattern {
        at: expr.span,
        pattern: expr.to_string(),
        reason,
    };
    Ok(match &expr.node {
        Node::All => Op::Constant(true),
        Node::Name(name) => {
            known_event(name, expr.span, catalog)?;
            text(
                &Field::Event,
                &TextTest::Compare(CompareOp::Eq, name.clone()),
                catalog,
            )
        }
        Node::Compare { field, op, value } => {
            if let (Field::Event, CompareOp::Eq, Literal::Text(name)) = (field, op, value) {
                known_event(name, expr.span, catalog)?;
            }
            compare(field, *op, value, catalog)
        }
        Node::In { field, values } => {
            if *field == Field::Event
                && let Some(Literal::Text(first)) = values.first()
                && !values
                    .iter()
                    .any(|v| matches!(v, Literal::Text(n) if catalog.events.code(n).is_some()))
            {
                known_event(first, expr.span, catalog)?;
            }
            one_of(field, values, catalog)
        }
        Node::Like { field, pattern } => text(
            field,
            &TextTest::Pattern(Pattern::glob(pattern).map_err(broken)?),
            catalog,
        ),
        Node::Matches { field, pattern } => text(
            field,
            &TextTest::Pattern(Pattern::regex(pattern).map_err(broken)?),
            catalog,
        ),
        Node::Exists(field) => match field {
            Field::Event | Field::Customer | Field::Time => Op::Constant(true),
            Field::Value => Op::Money(NumberTest::Any),
            Field::Attribute { scope, name } => match find(catalog, *scope, name) {
                Some((attribute, _)) => Op::Present { attribute },
                None => Op::Constant(false),
            },
        },
        // Those with others inside, which `bind` has dealt with.
        _ => Op::Constant(false),
    })
}

/// Tests by event name alone fold into one table.
fn join(list: Vec<Op>, conjunction: bool) -> Op {
    let tables: Option<Vec<&[bool]>> = list
        .iter()
        .map(|op| {
            if let Op::Events(table) = op {
                Some(&**table)
            } else {
                None
            }
        })
        .collect();
    match tables {
        Some(tables) if !tables.is_empty() => Op::Events(
            (0..tables[0].len())
                .map(|code| {
                    if conjunction {
                        tables.iter().all(|t| t[code])
                    } else {
                        tables.iter().any(|t| t[code])
                    }
                })
                .collect(),
        ),
        _ if conjunction => Op::And(list),
        _ => Op::Or(list),
    }
}

fn known_event(name: &str, at: TextSpan, catalog: &Catalog) -> Result<(), ExprError> {
    if catalog.events.code(name).is_some() {
        return Ok(());
    }
    let help = nearest(name, catalog.events.names()).map(|n| format!("did you mean `{n}`?"));
    Err(ExprError::UnknownEvent {
        at,
        name: name.to_owned(),
        known: catalog.events.names().map(str::to_owned).collect(),
        help,
    })
}

fn compare(field: &Field, op: CompareOp, value: &Literal, catalog: &Catalog) -> Op {
    if let (Field::Event | Field::Customer | Field::Attribute { .. }, Literal::Text(wanted)) =
        (field, value)
        && !is_time(field, catalog)
    {
        return text(field, &TextTest::Compare(op, wanted.clone()), catalog);
    }
    if let (Field::Attribute { scope, name }, Literal::Boolean(wanted)) = (field, value) {
        let word = if *wanted { "true" } else { "false" };
        return attribute_text(
            *scope,
            name,
            &TextTest::Compare(op, word.to_owned()),
            catalog,
        );
    }
    match number(field, value, catalog) {
        Some(wanted) => numbers(field, NumberTest::Compare(op, wanted), catalog),
        None => Op::Constant(false),
    }
}

fn one_of(field: &Field, values: &[Literal], catalog: &Catalog) -> Op {
    let texts = values.iter().filter_map(|v| match v {
        Literal::Text(t) => Some(t.clone()),
        Literal::Boolean(b) => Some(b.to_string()),
        _ => None,
    });
    if texts.clone().count() == values.len() && !is_time(field, catalog) {
        return text(field, &TextTest::OneOf(texts.collect()), catalog);
    }
    numbers(
        field,
        NumberTest::OneOf(
            values
                .iter()
                .filter_map(|v| number(field, v, catalog))
                .collect(),
        ),
        catalog,
    )
}

fn is_time(field: &Field, catalog: &Catalog) -> bool {
    catalog.field_type(field) == Ok(FieldType::Time)
}

/// The number that a field of this kind holds for a literal: microseconds for times, minor units for money.
fn number(field: &Field, value: &Literal, catalog: &Catalog) -> Option<Number> {
    match (value, catalog.field_type(field)) {
        (Literal::Text(t), Ok(FieldType::Time)) => {
            crate::time::parse_instant(t).map(Number::Integer)
        }
        (Literal::Integer(n), Ok(FieldType::Money)) => {
            match 10_i64
                .checked_pow(catalog.currency_exponent)
                .and_then(|unit| n.checked_mul(unit))
            {
                Some(minor) => Some(Number::Integer(minor)),
                None => Some(Number::Decimal(*n as f64 * 10f64.powi(exponent(catalog)))),
            }
        }
        (Literal::Decimal(x), Ok(FieldType::Money)) => {
            // 19.99 in major units must meet 1999 exactly, whatever the float of 19.99 times 100 is.
            let minor = x * 10f64.powi(exponent(catalog));
            let whole = minor.round();
            Some(Number::Decimal(if (minor - whole).abs() < 1e-6 {
                whole
            } else {
                minor
            }))
        }
        (Literal::Integer(n), _) => Some(Number::Integer(*n)),
        (Literal::Decimal(x), _) => Some(Number::Decimal(*x)),
        _ => None,
    }
}

fn exponent(catalog: &Catalog) -> i32 {
    i32::try_from(catalog.currency_exponent).unwrap_or(0)
}

fn numbers(field: &Field, test: NumberTest, catalog: &Catalog) -> Op {
    match field {
        Field::Time => Op::Time(test),
        Field::Value => Op::Money(test),
        Field::Attribute { scope, name } => match find(catalog, *scope, name) {
            Some((attribute, _)) => Op::Number { attribute, test },
            None => Op::Constant(false),
        },
        Field::Event | Field::Customer => Op::Constant(false),
    }
}

fn text(field: &Field, test: &TextTest, catalog: &Catalog) -> Op {
    match field {
        Field::Event => Op::Events(catalog.events.names().map(|n| test.holds(n)).collect()),
        Field::Customer => Op::Customer(test.clone()),
        Field::Attribute { scope, name } => attribute_text(*scope, name, test, catalog),
        Field::Time | Field::Value => Op::Constant(false),
    }
}

fn attribute_text(scope: Scope, name: &str, test: &TextTest, catalog: &Catalog) -> Op {
    match find(catalog, scope, name) {
        Some((attribute, info)) => {
            let known = info.dictionary.names().map(|n| test.holds(n));
            Op::Coded {
                attribute,
                level: info.level,
                table: std::iter::once(false).chain(known).collect(),
            }
        }
        None => Op::Constant(false),
    }
}
