//! Puts of a key one after another: `SequenceNumberForOrdering`.
//!
//! The parameter takes the sequence number of the put before, so a client that sets it has to hear that result first. One
//! put of a key is under way at any time, the SDK's retries included, and the next one waits (KDS-SEQ-08); puts of other
//! keys go on (KDS-SEQ-09).

use super::Producer;
use crate::batch::Batch;
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::ids::ProducerId;
use crate::record::KeyId;
use std::collections::{BTreeMap, VecDeque};

/// The keys that have a put under way, and the puts that wait for it.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyOrder {
    under_way: BTreeMap<KeyId, VecDeque<Box<Batch>>>,
    waiting: u64,
}

impl KeyOrder {
    /// Puts that wait for the one before; each has one record.
    pub(super) const fn waiting(&self) -> u64 {
        self.waiting
    }
    /// Bytes of memory that they take.
    pub(super) fn memory(&self) -> u64 {
        self.under_way.values().flatten().map(|batch| batch.memory()).sum()
    }
    /// Returns the put if it is its key's turn; else it waits.
    fn enter(&mut self, put: Box<Batch>) -> Option<Box<Batch>> {
        let Some(record) = put.records.first() else {
            return Some(put);
        };
        if let Some(queue) = self.under_way.get_mut(&record.key) {
            self.waiting += u64::from(to_u32(put.records.len()));
            queue.push_back(put);
            return None;
        }
        self.under_way.insert(record.key, VecDeque::new());
        Some(put)
    }
    /// The put of the key is over: returns the next one.
    fn leave(&mut self, key: KeyId) -> Option<Box<Batch>> {
        let next = self.under_way.get_mut(&key)?.pop_front();
        match &next {
            Some(put) => self.waiting -= u64::from(to_u32(put.records.len())),
            None => {
                self.under_way.remove(&key);
            }
        }
        next
    }
}

impl Producer {
    /// Sends a new put, once the client may.
    pub(super) fn submit_in_order(&mut self, me: ProducerId, put: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let turn = match &mut self.key_order {
            Some(order) => order.enter(put),
            None => Some(put),
        };
        if let Some(put) = turn {
            self.submit(me, put, cx);
        }
    }
    /// A put of the key was answered or given up for good.
    pub(super) fn next_of_key(&mut self, me: ProducerId, key: Option<KeyId>, cx: &mut Cx<'_, '_>) {
        let next = match (&mut self.key_order, key) {
            (Some(order), Some(key)) => order.leave(key),
            (Some(_) | None, _) => None,
        };
        if let Some(put) = next {
            self.submit(me, put, cx);
        }
    }
}
