//! Simulated events as plain columns and as Arrow.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::vocabulary::{AB, CAMPAIGNS, CHANNELS, DEVICES, PLANS, REGIONS, TOUCHPOINTS};
use super::{CustomerIds, Money};

/// Simulated events, column by column, all of one length.
///
/// Codes point into [`Dictionaries`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The customer's number, from 0.
    pub customer: Vec<u64>,
    /// Microseconds since 1970 UTC, whole milliseconds.
    pub time: Vec<i64>,
    /// The touchpoint.
    pub event: Vec<u16>,
    /// The session's number within its customer, from 1.
    pub session: Vec<u32>,
    /// The event's number within its customer, from 0; orders events of one customer at one time.
    pub seq: Vec<u32>,
    /// The session's channel.
    pub channel: Vec<u8>,
    /// The customer's device.
    pub device: Vec<u8>,
    /// The customer's region.
    pub region: Vec<u8>,
    /// The customer's plan.
    pub plan: Vec<u8>,
    /// The customer's campaign.
    pub campaign: Vec<u8>,
    /// The customer's side of the fair coin.
    pub ab: Vec<u8>,
    /// Euro cents; purchases have one.
    pub value: Vec<Option<i64>>,
}

macro_rules! each_column {
    ($columns:expr, $column:ident => $body:expr) => {{
        let c = $columns;
        {
            let $column = &mut c.customer;
            $body;
        }
        {
            let $column = &mut c.time;
            $body;
        }
        {
            let $column = &mut c.event;
            $body;
        }
        {
            let $column = &mut c.session;
            $body;
        }
        {
            let $column = &mut c.seq;
            $body;
        }
        {
            let $column = &mut c.channel;
            $body;
        }
        {
            let $column = &mut c.device;
            $body;
        }
        {
            let $column = &mut c.region;
            $body;
        }
        {
            let $column = &mut c.plan;
            $body;
        }
        {
            let $column = &mut c.campaign;
            $body;
        }
        {
            let $column = &mut c.ab;
            $body;
        }
        {
            let $column = &mut c.value;
            $body;
        }
    }};
}

impl Columns {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    #[inline]
    pub(super) fn push(
        &mut self,
        time: i64,
        event: u16,
        session: u32,
        channel: u8,
        value: Option<i64>,
    ) {
        self.time.push(time);
        self.event.push(event);
        self.session.push(session);
        self.channel.push(channel);
        self.value.push(value);
    }

    /// Fills in what all events of a customer share, from event `first` on.
    pub(super) fn end_customer(&mut self, customer: u64, first: usize, attributes: [u8; 5]) {
        let len = self.len();
        self.customer.resize(len, customer);
        self.seq.extend(0..(len - first) as u32);
        let [device, region, plan, campaign, ab] = attributes;
        self.device.resize(len, device);
        self.region.resize(len, region);
        self.plan.resize(len, plan);
        self.campaign.resize(len, campaign);
        self.ab.resize(len, ab);
    }

    /// Forgets all events and keeps the memory.
    pub(super) fn clear(&mut self) {
        each_column!(self, column => column.clear());
    }

    /// Moves all events of `other` to the end.
    pub(super) fn append(&mut self, other: &mut Columns) {
        macro_rules! append {
            ($($name:ident),*) => { $(self.$name.append(&mut other.$name);)* };
        }
        append!(
            customer, time, event, session, seq, channel, device, region, plan, campaign, ab, value
        );
    }

    /// Adds a stretch of the events of `other`, which must have them.
    pub(super) fn extend_from(&mut self, other: &Columns, range: std::ops::Range<usize>) {
        macro_rules! extend {
            ($($name:ident),*) => { $(self.$name.extend_from_slice(&other.$name[range.clone()]);)* };
        }
        extend!(
            customer, time, event, session, seq, channel, device, region, plan, campaign, ab, value
        );
    }

    /// The events at these places, in this order.
    pub(super) fn take(&self, places: &[(i64, usize)]) -> Columns {
        macro_rules! take {
            ($($name:ident),*) => { Columns { $($name: places.iter().map(|&(_, i)| self.$name[i]).collect()),* } };
        }
        take!(
            customer, time, event, session, seq, channel, device, region, plan, campaign, ab, value
        )
    }

    /// Drops, from event `first` on, events outside `from..to`.
    pub(super) fn keep_between(&mut self, first: usize, from: i64, to: i64) {
        let times: Vec<bool> = self.time[first..]
            .iter()
            .map(|t| (from..to).contains(t))
            .collect();
        if times.iter().all(|&keep| keep) {
            return;
        }
        each_column!(self, column => {
            let mut kept = first;
            for (i, &keep) in times.iter().enumerate() {
                if keep {
                    column[kept] = column[first + i];
                    kept += 1;
                }
            }
            column.truncate(kept);
        });
    }
}

/// The texts behind the codes of [`Columns`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dictionaries {
    /// Touchpoints.
    pub event: Vec<String>,
    /// Channels.
    pub channel: Vec<String>,
    /// Devices.
    pub device: Vec<String>,
    /// Regions.
    pub region: Vec<String>,
    /// Plans.
    pub plan: Vec<String>,
    /// Campaigns.
    pub campaign: Vec<String>,
    /// The sides of the fair coin.
    pub ab: Vec<String>,
}

impl Dictionaries {
    pub(super) fn new(names: usize) -> Dictionaries {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        let mut event = owned(TOUCHPOINTS);
        event
            .extend((event.len()..names).map(|i| format!("page_{:04}", i - TOUCHPOINTS.len() + 1)));
        Dictionaries {
            event,
            channel: owned(&CHANNELS.map(|c| c.0)),
            device: owned(&DEVICES.map(|d| d.0)),
            region: owned(&REGIONS.map(|r| r.0)),
            plan: owned(&PLANS.map(|p| p.0)),
            campaign: owned(&CAMPAIGNS),
            ab: owned(&AB),
        }
    }
}

/// How columns become Arrow: the schema, the dictionaries every batch shares, and the forms of ids and money.
#[derive(Clone, Debug)]
pub(super) struct ArrowForm {
    pub(super) schema: SchemaRef,
    ids: CustomerIds,
    /// Digits of a customer's number.
    width: usize,
    money: Money,
    texts: [Arc<StringArray>; 7],
    currency: Arc<StringArray>,
}

impl ArrowForm {
    pub(super) fn new(
        names: &Dictionaries,
        customers: u64,
        ids: CustomerIds,
        money: Money,
    ) -> ArrowForm {
        let coded = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let value = match money {
            Money::Decimal => DataType::Decimal128(12, 2),
            Money::Minor => DataType::Int64,
        };
        let id = match ids {
            CustomerIds::Text => DataType::Utf8,
            CustomerIds::Integer => DataType::Int64,
        };
        let schema = Schema::new(vec![
            Field::new("customer_id", id, false),
            Field::new("time", time, false),
            Field::new("event", coded(), false),
            Field::new("session_id", DataType::Utf8, false),
            Field::new("channel", coded(), false),
            Field::new("device", coded(), false),
            Field::new("region", coded(), false),
            Field::new("plan", coded(), false),
            Field::new("campaign", coded(), false),
            Field::new("ab", coded(), false),
            Field::new("value", value, true),
            Field::new("currency", coded(), true),
            Field::new("seq", DataType::Int64, false),
        ]);
        let texts = [
            &names.event,
            &names.channel,
            &names.device,
            &names.region,
            &names.plan,
            &names.campaign,
            &names.ab,
        ];
        ArrowForm {
            schema: Arc::new(schema),
            ids,
            width: id_width(customers),
            money,
            texts: texts.map(|names| Arc::new(StringArray::from_iter_values(names))),
            currency: Arc::new(StringArray::from_iter_values(["EUR"])),
        }
    }

    pub(super) fn batch(&self, columns: &Columns) -> Result<RecordBatch, ArrowError> {
        let [event, channel, device, region, plan, campaign, ab] = &self.texts;
        let bytes = |codes: &[u8], texts: &Arc<StringArray>| {
            coded(
                Int32Array::from_iter_values(codes.iter().map(|&c| i32::from(c))),
                texts,
            )
        };
        let events = Int32Array::from_iter_values(columns.event.iter().map(|&c| i32::from(c)));
        let currency: Int32Array = columns.value.iter().map(|v| v.map(|_| 0)).collect();
        let money: ArrayRef = match self.money {
            Money::Minor => Arc::new(Int64Array::from_iter(columns.value.iter().copied())),
            Money::Decimal => {
                let values = columns.value.iter().map(|v| v.map(i128::from));
                Arc::new(Decimal128Array::from_iter(values).with_precision_and_scale(12, 2)?)
            }
        };
        let (customer, session) = self.ids(columns);
        RecordBatch::try_new(
            self.schema.clone(),
            vec![
                customer,
                Arc::new(
                    TimestampMicrosecondArray::from_iter_values(columns.time.iter().copied())
                        .with_timezone("UTC"),
                ),
                coded(events, event)?,
                session,
                bytes(&columns.channel, channel)?,
                bytes(&columns.device, device)?,
                bytes(&columns.region, region)?,
                bytes(&columns.plan, plan)?,
                bytes(&columns.campaign, campaign)?,
                bytes(&columns.ab, ab)?,
                money,
                coded(currency, &self.currency)?,
                Arc::new(Int64Array::from_iter_values(
                    columns.seq.iter().map(|&s| i64::from(s)),
                )),
            ],
        )
    }

    fn ids(&self, columns: &Columns) -> (ArrayRef, ArrayRef) {
        let rows = columns.len();
        let mut texts = StringBuilder::with_capacity(rows, rows * (self.width + 1));
        let mut sessions = StringBuilder::with_capacity(rows, rows * (self.width + 4));
        let (mut id, mut session) = (String::new(), String::new());
        let mut before = None;
        for (&customer, &ordinal) in columns.customer.iter().zip(&columns.session) {
            if before != Some((customer, ordinal)) {
                before = Some((customer, ordinal));
                id = customer_id(customer, self.ids, self.width);
                session = session_id(&id, ordinal);
            }
            if self.ids == CustomerIds::Text {
                texts.append_value(&id);
            }
            sessions.append_value(&session);
        }
        let customers: ArrayRef = match self.ids {
            CustomerIds::Text => Arc::new(texts.finish()),
            CustomerIds::Integer => Arc::new(Int64Array::from_iter_values(
                columns.customer.iter().map(|&c| c as i64),
            )),
        };
        (customers, Arc::new(sessions.finish()))
    }
}

/// Digits so that the order of texts is the order of numbers.
pub(super) fn id_width(customers: u64) -> usize {
    customers.saturating_sub(1).to_string().len().max(7)
}

pub(super) fn customer_id(customer: u64, ids: CustomerIds, width: usize) -> String {
    match ids {
        CustomerIds::Text => format!("c{customer:0width$}"),
        CustomerIds::Integer => customer.to_string(),
    }
}

pub(super) fn session_id(customer: &str, ordinal: u32) -> String {
    format!("{customer}-{ordinal:03}")
}

fn coded(codes: Int32Array, texts: &Arc<StringArray>) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        codes,
        texts.clone(),
    )?))
}
