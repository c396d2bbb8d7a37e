//! Partial results as sealed bytes, for other processes and machines.
//!
//! A worker that holds some of the blocks scans them and seals what it learnt; a reducer opens the seals, refuses what
//! does not belong together, merges and finishes. Layout: eight bytes of magic and format version, the 128-bit hash of
//! everything after it, then the envelope in postcard.

use serde::{Deserialize, Serialize};

use super::run::DynAnswer;
use super::scan::scan;
use super::{DynAnalysis, Exec};
use crate::error::{Error, Result};
use crate::journey::Journeys;
use crate::log::Catalog;
use crate::report::{Caveat, Provenance};

const MAGIC: [u8; 8] = *b"dslpart\x02";
const HEADER: usize = MAGIC.len() + 16;

#[derive(Serialize, Deserialize)]
struct Envelope {
    analysis: String,
    state_version: u32,
    spec: String,
    /// For people; `rule_spec` is what tells rules apart.
    rule: String,
    rule_spec: String,
    selections: Vec<String>,
    catalog: Catalog,
    /// The fingerprints of the blocks that were scanned, ascending.
    blocks: Vec<u128>,
    /// Those of all blocks of the log, ascending.
    log_blocks: Vec<u128>,
    log_fingerprint: u128,
    n_events: u64,
    n_customers: u64,
    n_journeys: u64,
    caveats: Vec<u8>,
    body: Vec<u8>,
}

/// Makes the analysis that an envelope names from its JSON question; a registry's lookup.
pub type Lookup<'a> = dyn Fn(&str, serde_json::Value) -> Result<Box<dyn DynAnalysis>> + 'a;

fn refused(reason: impl Into<String>) -> Error {
    Error::Envelope {
        reason: reason.into(),
    }
}

impl Journeys {
    /// Scans the blocks at `blocks` (places in [`Journeys::blocks`]) and seals the partial result.
    pub fn seal(
        &self,
        analysis: &dyn DynAnalysis,
        blocks: &[usize],
        exec: &Exec,
    ) -> Result<Vec<u8>> {
        if let Some(beyond) = blocks.iter().find(|b| **b >= self.blocks().len()) {
            return Err(refused(format!(
                "there is no block {beyond}, only {}",
                self.blocks().len()
            )));
        }
        let tasks = [analysis.bind(self.catalog())?.0];
        let states = scan(self, blocks, &tasks, exec)?;
        let fingerprints = |blocks: &[usize]| {
            let blocks = blocks.iter();
            let mut all: Vec<u128> = blocks
                .map(|&b| self.blocks()[b].block().fingerprint)
                .collect();
            all.sort_unstable();
            all
        };
        let log_blocks = fingerprints(&self.all_blocks());
        let fingerprints = fingerprints(blocks);
        if fingerprints.windows(2).any(|w| w[0] == w[1]) {
            return Err(refused("a block is listed twice"));
        }
        let provenance = self.provenance();
        Envelope {
            analysis: analysis.name().to_owned(),
            state_version: tasks[0].state_version(),
            spec: analysis.spec().to_string(),
            rule: provenance.rule,
            rule_spec: serde_json::to_string(self.rule()).map_err(|e| refused(e.to_string()))?,
            selections: provenance.selections,
            catalog: (**self.catalog()).clone(),
            blocks: fingerprints,
            log_blocks,
            log_fingerprint: self.log().fingerprint(),
            n_events: self.n_events(),
            n_customers: self.n_customers(),
            n_journeys: self.n_journeys(),
            caveats: serde_json::to_vec(&self.caveats()).map_err(|e| refused(e.to_string()))?,
            body: tasks[0].to_bytes(&states[0])?,
        }
        .to_bytes()
    }
}

impl Envelope {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        let body = postcard::to_stdvec(self).map_err(|e| refused(e.to_string()))?;
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&xxhash_rust::xxh3::xxh3_128(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Envelope> {
        let Some((header, body)) = bytes.split_at_checked(HEADER) else {
            return Err(refused(format!("{} bytes are too few", bytes.len())));
        };
        if header[..7] != MAGIC[..7] {
            return Err(refused("these bytes are no partial result"));
        }
        if header[7] != MAGIC[7] {
            return Err(refused(format!(
                "its format is version {}, this engine reads version {}",
                header[7], MAGIC[7]
            )));
        }
        if header[8..] != xxhash_rust::xxh3::xxh3_128(body).to_le_bytes() {
            return Err(refused("its checksum does not match; it was damaged"));
        }
        let envelope: Envelope =
            postcard::from_bytes(body).map_err(|e| refused(format!("it cannot be read: {e}")))?;
        envelope
            .catalog
            .check()
            .map_err(|problem| refused(format!("its catalog cannot be: {problem}")))?;
        let ascends = |list: &[u128]| list.windows(2).all(|w| w[0] < w[1]);
        let is_part = |b: &u128| envelope.log_blocks.binary_search(b).is_ok();
        if !ascends(&envelope.blocks)
            || !ascends(&envelope.log_blocks)
            || !envelope.blocks.iter().all(is_part)
        {
            return Err(refused("it covers blocks that its log does not have"));
        }
        Ok(envelope)
    }

    fn bind(
        &self,
        lookup: &Lookup<'_>,
    ) -> Result<(Box<dyn DynAnalysis>, Box<dyn super::task::Task>)> {
        let spec = serde_json::from_str(&self.spec)
            .map_err(|e| refused(format!("its question cannot be read: {e}")))?;
        let analysis = lookup(&self.analysis, spec)?;
        let task = analysis.bind(&self.catalog)?.0;
        if task.state_version() != self.state_version {
            return Err(refused(format!(
                "its state of `{}` is version {}, this engine has version {}",
                self.analysis,
                self.state_version,
                task.state_version()
            )));
        }
        Ok((analysis, task))
    }
}

/// Merges sealed partial results of one question over different blocks of one log.
///
/// # Errors
/// [`Error::Envelope`] when there is none, when they answer different questions, come from different logs, rules or
/// selections, cover a block twice, or are damaged.
pub fn merge_sealed(sealed: &[&[u8]], lookup: &Lookup<'_>) -> Result<Vec<u8>> {
    let mut envelopes = sealed.iter().map(|b| Envelope::from_bytes(b));
    let mut whole = envelopes
        .next()
        .ok_or_else(|| refused("there is nothing to merge"))??;
    let (_, task) = whole.bind(lookup)?;
    let mut state = task.read(&whole.body)?;
    for other in envelopes {
        let other = other?;
        for (what, same) in [
            (
                "analysis",
                other.analysis == whole.analysis && other.state_version == whole.state_version,
            ),
            ("question", other.spec == whole.spec),
            (
                "rule",
                other.rule_spec == whole.rule_spec && other.selections == whole.selections,
            ),
            (
                "log",
                other.log_fingerprint == whole.log_fingerprint
                    && other.log_blocks == whole.log_blocks,
            ),
            ("vocabulary", other.catalog.hash() == whole.catalog.hash()),
        ] {
            if !same {
                return Err(refused(format!("the parts differ in their {what}")));
            }
        }
        if other
            .blocks
            .iter()
            .any(|b| whole.blocks.binary_search(b).is_ok())
        {
            return Err(refused("two parts cover the same block"));
        }
        whole.blocks.extend(&other.blocks);
        whole.blocks.sort_unstable();
        task.merge(&mut state, &task.read(&other.body)?);
    }
    whole.body = task.to_bytes(&state)?;
    whole.to_bytes()
}

/// Turns a sealed partial result that covers its whole log into its report.
///
/// # Errors
/// [`Error::Incomplete`] when blocks of the log are missing: a report of some customers must not pass for one of all.
/// To ask about some, make a log of them. [`Error::Envelope`] when the bytes are damaged or no partial result.
pub fn finish_sealed(sealed: &[u8], lookup: &Lookup<'_>) -> Result<DynAnswer> {
    let envelope = Envelope::from_bytes(sealed)?;
    if envelope.blocks.len() < envelope.log_blocks.len() {
        return Err(Error::Incomplete {
            covered: envelope.blocks.len(),
            blocks: envelope.log_blocks.len(),
        });
    }
    let (analysis, task) = envelope.bind(lookup)?;
    let mut report = task.finish(&task.read(&envelope.body)?)?;
    let caveats: Vec<Caveat> = serde_json::from_slice(&envelope.caveats)
        .map_err(|e| refused(format!("its caveats cannot be read: {e}")))?;
    let own = std::mem::replace(report.as_report_mut().caveats_mut(), caveats);
    report.as_report_mut().caveats_mut().extend(own);
    Ok(DynAnswer {
        analysis: envelope.analysis,
        spec: analysis.spec(),
        provenance: Provenance {
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: format!("{:032x}", envelope.log_fingerprint),
            rule: envelope.rule,
            selections: envelope.selections,
            n_events: envelope.n_events,
            n_customers: envelope.n_customers,
            n_journeys: envelope.n_journeys,
            first_time: envelope.catalog.first_time,
            last_time: envelope.catalog.last_time,
            observed_until: envelope.catalog.observed_until,
            seed: None,
        },
        report,
    })
}
