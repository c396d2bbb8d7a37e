//! The log that everybody reads.

use std::fs::File;
use std::path::Path;

use desireline_io::RowWriter;
use desireline_io::simulate::{Order as SimulatedOrder, Simulation};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::Outcome;

/// The order of the rows.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Order {
    /// By time, as a tracking system writes them: everybody has to sort.
    Arrival,
    /// By customer and time.
    Customer,
}

/// Rows of a batch.
const ROWS: usize = 1 << 16;

/// Writes about `events` events; a file that is complete has its final name.
pub fn simulate(events: u64, order: Order, out: &Path) -> Outcome<()> {
    let mut simulation = Simulation::with_events(events);
    simulation.order = match order {
        Order::Arrival => SimulatedOrder::Arrival,
        Order::Customer => SimulatedOrder::Customer,
    };
    let simulator = simulation.prepare()?;
    if out.extension().is_some_and(|e| e == "csv") {
        let mut writer = RowWriter::create(out, simulator.schema())?;
        for batch in simulator.batches(ROWS) {
            writer.write(&batch?)?;
        }
        writer.finish()?;
        return Ok(());
    }
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .build();
    let unfinished = out.with_extension("unfinished");
    let file = File::create(&unfinished)?;
    let mut writer = ArrowWriter::try_new(file, simulator.schema(), Some(properties))?;
    for batch in simulator.batches(ROWS) {
        writer.write(&batch?)?;
    }
    writer.close()?;
    std::fs::rename(&unfinished, out)?;
    Ok(())
}
