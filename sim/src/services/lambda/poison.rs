//! Records that the handler can never process.

use crate::batch::{Batch, BatchResponse, EventSource, InvokeCall};
use crate::blueprint::{Poison, PoisonResponse};
use crate::engine::quantity::Ratio;
use crate::key::KeyTable;
use crate::record::{KeyId, Outcome, Record};

/// A function's poison records: the same ones at each attempt.
#[derive(Clone, Debug)]
pub(super) struct PoisonRecords {
    texts: Vec<String>,
    /// The keys with these texts, in order; `None` until the first invocation.
    keys: Option<Vec<KeyId>>,
    ordinals: Vec<u32>,
    share: Ratio,
    /// Makes the share of each function another one.
    salt: u64,
    response: PoisonResponse,
}

/// Records that an invocation does not process, with their positions.
#[derive(Clone, Debug, Default)]
pub(super) struct Unprocessed {
    pub(super) records: Vec<Record>,
    pub(super) positions: Vec<u64>,
}

/// What poison makes of a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Poisoned {
    /// The handler throws.
    pub(super) throws: bool,
    /// What it returns otherwise.
    pub(super) response: BatchResponse,
    /// Records that it fails to process, or leaves alone.
    pub(super) unprocessed: Unprocessed,
}

impl PoisonRecords {
    pub(super) fn new(blueprint: &Poison, salt: u64) -> Self {
        Self {
            texts: blueprint.keys.clone(),
            keys: None,
            ordinals: blueprint.ordinals.clone(),
            share: blueprint.share,
            salt,
            response: blueprint.response,
        }
    }

    /// Looks for poison in a batch. If the handler goes on without it, what it does not process is taken out.
    pub(super) fn look(&mut self, batch: &mut Batch, call: &InvokeCall, keys: &KeyTable) -> Poisoned {
        let first_position = call.passage.first_position;
        // Of a queue the handler must report whatever it leaves undone, or it is deleted (LAM-Q-09).
        let reports_all = matches!(call.source, EventSource::Queue(..));
        let mut poisoned = Poisoned::default();
        let Some(first) = batch.records.iter().position(|record| self.is_poison(record, keys)) else {
            return poisoned;
        };
        let PoisonResponse::Returns { response, stops } = self.response else {
            poisoned.throws = true;
            return poisoned;
        };
        poisoned.response = response;
        if batch.positions.is_empty() {
            let count = u64::try_from(batch.records.len()).unwrap_or(u64::MAX);
            batch.positions.extend(first_position..first_position + count);
        }
        let mut kept = first;
        for index in first..batch.records.len() {
            let (mut record, position) = (batch.records[index], batch.positions[index]);
            let fails = self.is_poison(&record, keys);
            if fails || (stops && reports_all) {
                record.set_outcome(Outcome::Failed);
            }
            if fails || stops {
                poisoned.unprocessed.records.push(record);
                poisoned.unprocessed.positions.push(position);
            } else {
                (batch.records[kept], batch.positions[kept]) = (record, position);
                kept += 1;
            }
        }
        batch.records.truncate(kept);
        batch.positions.truncate(kept);
        batch.bytes = batch.records.iter().map(|record| u64::from(record.bytes)).sum();
        poisoned
    }

    fn is_poison(&mut self, record: &Record, keys: &KeyTable) -> bool {
        let texts = &self.texts;
        let poisoned = self.keys.get_or_insert_with(|| {
            let named = |key: &KeyId| texts.contains(&keys.text(*key));
            let all = (0..u32::try_from(keys.entries().len()).unwrap_or(u32::MAX)).map(KeyId);
            if texts.is_empty() {
                Vec::new()
            } else {
                all.filter(named).collect()
            }
        });
        let listed = if self.ordinals.is_empty() {
            poisoned.binary_search(&record.key).is_ok()
        } else {
            self.ordinals.contains(&record.ordinal) && (texts.is_empty() || poisoned.binary_search(&record.key).is_ok())
        };
        listed || record.lot(self.salt).falls_within(self.share)
    }
}
