//! A simulated log without a file in between.

use desireline_core::log::{
    AttributeType, Batch, Column, KeyColumn, Level, Log, LogBuilder, LogOptions, RowNumbers,
    ValueColumn,
};

use super::columns::{Columns, customer_id, id_width, session_id};
use super::{CustomerIds, SimulateError, Simulator};

/// Rows handed to the builder at once.
const ROWS: usize = 1 << 16;

/// The attributes after `session_id`: name, level, codes.
type Attribute = (&'static str, Level, fn(&Columns) -> &[u8]);
const ATTRIBUTES: [Attribute; 6] = [
    ("channel", Level::Event, |c| &c.channel),
    ("device", Level::Customer, |c| &c.device),
    ("region", Level::Customer, |c| &c.region),
    ("plan", Level::Customer, |c| &c.plan),
    ("campaign", Level::Customer, |c| &c.campaign),
    ("ab", Level::Customer, |c| &c.ab),
];

impl Simulator {
    /// The whole log in memory: every column of [`Simulator::schema`], with `session_id` as the journey column, `channel` as
    /// the channel, `value` in euro cents and `seq` to order events at one time.
    ///
    /// ```
    /// use desireline_io::simulate::Simulation;
    ///
    /// let log = Simulation::shop(500).prepare()?.log()?;
    /// assert_eq!(log.n_customers(), 500);
    /// # Ok::<(), desireline_io::simulate::SimulateError>(())
    /// ```
    ///
    /// # Errors
    /// [`SimulateError::Log`] for more events than a log can hold.
    pub fn log(&self) -> Result<Log, SimulateError> {
        let mut options = LogOptions::default()
            .attribute_at("session_id", AttributeType::Text, Level::Event)
            .currency("EUR", 2);
        for (name, level, _) in ATTRIBUTES {
            options = options.attribute_at(name, AttributeType::Text, level);
        }
        options.channel = Some("channel".to_owned());
        options.journey = Some("session_id".to_owned());
        let mut builder = LogBuilder::new(options);
        let mut batches = self.batches(ROWS);
        while let Some(columns) = batches.next_columns() {
            self.push(&columns, &mut builder)?;
        }
        Ok(builder.finish()?)
    }

    fn push(&self, columns: &Columns, builder: &mut LogBuilder) -> Result<(), SimulateError> {
        let width = id_width(self.customers);
        // Ids and sessions of this batch, each once per stretch of rows.
        let (mut ids, mut sessions) = (Vec::new(), Vec::new());
        let (mut id_codes, mut session_codes) = (Vec::new(), Vec::new());
        let mut before = None;
        for (&customer, &session) in columns.customer.iter().zip(&columns.session) {
            if before.is_none_or(|(c, _)| c != customer) {
                ids.push(customer_id(customer, self.ids, width));
            }
            if before != Some((customer, session)) {
                sessions.push(session_id(ids.last().map_or("", String::as_str), session));
            }
            before = Some((customer, session));
            id_codes.push(ids.len() as u32 - 1);
            session_codes.push(sessions.len() as u32 - 1);
        }
        let ids = texts(&ids);
        let sessions = texts(&sessions);
        let numbers: Vec<Option<i64>> = match self.ids {
            CustomerIds::Text => Vec::new(),
            CustomerIds::Integer => columns
                .customer
                .iter()
                .map(|&c| i64::try_from(c).ok())
                .collect(),
        };
        let customer = match self.ids {
            CustomerIds::Text => KeyColumn::Dictionary {
                codes: Column::Full(&id_codes),
                values: &ids,
            },
            CustomerIds::Integer => KeyColumn::Integers((&numbers).into()),
        };

        let names = &self.names;
        let dictionaries = [
            &names.channel,
            &names.device,
            &names.region,
            &names.plan,
            &names.campaign,
            &names.ab,
        ]
        .map(|d| texts(d));
        let codes = ATTRIBUTES.map(|(_, _, codes)| {
            codes(columns)
                .iter()
                .map(|&c| u32::from(c))
                .collect::<Vec<u32>>()
        });
        let mut attributes = vec![ValueColumn::Key(KeyColumn::Dictionary {
            codes: Column::Full(&session_codes),
            values: &sessions,
        })];
        for (codes, values) in codes.iter().zip(&dictionaries) {
            let codes = Column::Full(codes);
            attributes.push(ValueColumn::Key(KeyColumn::Dictionary { codes, values }));
        }

        let events: Vec<u32> = columns.event.iter().map(|&e| u32::from(e)).collect();
        let tie: Vec<i64> = columns.seq.iter().map(|&s| i64::from(s)).collect();
        builder.push_batch(&Batch {
            customer,
            time: Column::Full(&columns.time),
            event: KeyColumn::Dictionary {
                codes: Column::Full(&events),
                values: &texts(&names.event),
            },
            attributes,
            value: Some((&columns.value).into()),
            tie: Some(Column::Full(&tie)),
            rows: RowNumbers::Counted,
            source: "simulation",
        })?;
        Ok(())
    }
}

fn texts(names: &[String]) -> Vec<Option<&str>> {
    names.iter().map(|n| Some(n.as_str())).collect()
}
