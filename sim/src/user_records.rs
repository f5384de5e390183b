//! User records of the Kinesis Producer Library.
//!
//! With the library one Kinesis record may stand for many records of the producer. Two places keep which: what travels
//! with a request of the library, and, once a stream has stored an aggregated record, a row of its members by the
//! record's identity. A row is kept as long as a reader may still ask for the record. Nothing here is touched for
//! records that are not the library's.

use crate::engine::index::{to_u32, to_usize};
use crate::engine::pool::{Handle, Pool};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use crate::record::{KeyId, Record};
use std::collections::VecDeque;
use std::sync::Arc;

/// What travels with a request of the library.
#[derive(Clone, Debug, Default)]
pub struct LibraryRequest {
    /// By Kinesis record of the request.
    pub entries: Vec<LibraryEntry>,
    /// The user records, those of one Kinesis record after those of the one before. [`Record::attempt`] counts their
    /// attempts, this one included.
    pub records: Vec<Record>,
    /// When each of them was sent for the first time.
    pub first_sent_at: Vec<SimTime>,
}

/// One Kinesis record of a request by the library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LibraryEntry {
    /// How many user records it holds.
    pub members: u32,
    /// The shard that the library expects it to go to; `None`: it has no shard map.
    pub predicted: Option<ShardIndex>,
    /// In a response: the shard that it was stored in.
    pub stored_in: Option<ShardIndex>,
}

/// What a put carries beside its batch if the library makes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LibraryCall {
    /// Its user records.
    pub request: Handle,
    /// How long the library waits for the response (KDS-KPL-10).
    pub timeout: SimDuration,
}

/// User records under way and in logs.
#[derive(Clone, Debug, Default)]
pub struct UserRecords {
    /// Of the requests of the library that are under way.
    pub requests: Pool<LibraryRequest>,
    /// Of the aggregated records that streams have stored.
    pub aggregates: Aggregates,
}

/// The members of stored aggregated records, by key and ordinal of these.
#[derive(Clone, Debug, Default)]
pub struct Aggregates {
    /// Id of the first key that stands for aggregated records.
    first_key: u32,
    /// By key.
    rows: Vec<Rows>,
    /// User records in all rows.
    members: u64,
}

/// The rows of one key: those of ordinals `first ..`, and nothing where none is kept.
#[derive(Clone, Debug, Default)]
struct Rows {
    first: u32,
    kept: VecDeque<Option<Arc<[Record]>>>,
}

impl Rows {
    fn at(&self, ordinal: u32) -> Option<usize> {
        ordinal.checked_sub(self.first).map(to_usize)
    }
}

impl UserRecords {
    /// None yet. `first_aggregate`: id of the first key that stands for aggregated records.
    pub fn new(first_aggregate: u32) -> Self {
        Self {
            requests: Pool::new(),
            aggregates: Aggregates {
                first_key: first_aggregate,
                ..Aggregates::default()
            },
        }
    }
    /// Bytes of memory that they take.
    pub fn memory(&self) -> u64 {
        let under_way: u64 = self.requests.iter().map(|request| count(&request.records)).sum();
        (under_way + self.aggregates.members) * crate::record::RECORD_BYTES
    }
}

impl Aggregates {
    fn rows(&self, key: KeyId) -> Option<&Rows> {
        self.rows.get(to_usize(key.0.checked_sub(self.first_key)?))
    }
    fn rows_mut(&mut self, key: KeyId) -> Option<&mut Rows> {
        let at = to_usize(key.0.checked_sub(self.first_key)?);
        if at >= self.rows.len() {
            self.rows.resize(at + 1, Rows::default());
        }
        self.rows.get_mut(at)
    }
    /// Keeps the members of an aggregated record.
    pub fn keep(&mut self, key: KeyId, ordinal: u32, members: &[Record]) {
        let Some(rows) = self.rows_mut(key) else { return };
        if rows.kept.is_empty() {
            rows.first = ordinal;
        }
        while ordinal < rows.first {
            rows.first -= 1;
            rows.kept.push_front(None);
        }
        let at = to_usize(ordinal - rows.first);
        while rows.kept.len() <= at {
            rows.kept.push_back(None);
        }
        rows.kept[at] = Some(Arc::from(members));
        self.members += count(members);
    }
    /// The members of an aggregated record, in the order of their subsequence numbers (KDS-SEQ-14).
    pub fn members(&self, key: KeyId, ordinal: u32) -> Option<&Arc<[Record]>> {
        let rows = self.rows(key)?;
        rows.kept.get(rows.at(ordinal)?)?.as_ref()
    }
    /// No reader will ask for this record any more.
    pub fn forget(&mut self, key: KeyId, ordinal: u32) {
        let Some(rows) = self.rows_mut(key) else { return };
        let row = rows.at(ordinal).and_then(|at| rows.kept.get_mut(at));
        let gone = row.and_then(Option::take).map_or(0, |members| count(&members));
        while rows.kept.front().is_some_and(Option::is_none) {
            rows.kept.pop_front();
            rows.first += 1;
        }
        self.members -= gone;
    }
    /// User records in all rows.
    pub const fn kept(&self) -> u64 {
        self.members
    }
}

fn count(records: &[Record]) -> u64 {
    u64::from(to_u32(records.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(ordinals: core::ops::Range<u32>) -> Vec<Record> {
        crate::testing::harness::records(ordinals.start, ordinals.end - ordinals.start)
    }

    #[test]
    fn rows_are_found_by_identity_until_they_are_forgotten_in_any_order() {
        let mut aggregates = UserRecords::new(10).aggregates;
        let key = KeyId(12);
        for (ordinal, range) in [(5, 0..3), (3, 3..5), (9, 5..6)] {
            aggregates.keep(key, ordinal, &members(range));
        }
        assert_eq!(aggregates.kept(), 6);
        assert_eq!(aggregates.members(key, 3).map(|row| row.to_vec()), Some(members(3..5)));
        assert!(aggregates.members(key, 4).is_none());
        assert!(aggregates.members(KeyId(11), 3).is_none());
        aggregates.forget(key, 9);
        aggregates.forget(key, 3);
        assert_eq!(aggregates.members(key, 5).map(|row| row.to_vec()), Some(members(0..3)));
        aggregates.forget(key, 5);
        assert_eq!(
            (aggregates.kept(), aggregates.rows(key).map(|rows| rows.kept.len())),
            (0, Some(0))
        );
        aggregates.keep(key, 20, &members(0..2));
        assert_eq!(aggregates.members(key, 20).map(|row| row.len()), Some(2));
    }
}
