//! Aggregation: user records become Kinesis records.
//!
//! User records are grouped by the shard that they are expected to go to, one container a shard (KDS-KPL-13). A
//! container is flushed when it has enough records or bytes, or when the earliest of its deadlines has come
//! (KDS-KPL-15). Then what it holds is sorted by deadline, as many as fit become one Kinesis record, and the rest stays
//! (KDS-KPL-16).

use super::size::{KeySizes, Measure, count};
use crate::blueprint::ProducerLibrary;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use crate::record::Record;
use std::collections::BTreeSet;

/// A user record that the library has in hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Buffered {
    /// The record; [`Record::attempt`] counts the attempts that were made.
    pub(super) record: Record,
    /// When it must leave its container.
    pub(super) deadline: SimTime,
    /// When its `RecordTtl` is over.
    pub(super) expires_at: SimTime,
    /// When it was sent for the first time; `NEVER` before that.
    pub(super) first_sent_at: SimTime,
    /// Its creation, or the end of its last attempt.
    pub(super) waits_since: SimTime,
}

/// A Kinesis record to be: one user record, or several that travel aggregated.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    /// Its user records; there is one at least.
    pub(super) members: Vec<Buffered>,
    /// The shard that they are expected to go to; `None`: the library has no shard map, or does not aggregate.
    pub(super) shard: Option<ShardIndex>,
    /// Bytes of data.
    pub(super) data: u64,
    /// Bytes of the partition key.
    pub(super) key: u64,
    /// The earliest of its user records' deadlines.
    pub(super) deadline: SimTime,
    /// The earliest instant at which one of them expires.
    pub(super) expires_at: SimTime,
}

impl Composed {
    /// A user record by itself, which travels plain (KDS-KPL-17).
    pub(super) fn single(member: Buffered, shard: Option<ShardIndex>, sizes: &KeySizes) -> Self {
        let data = sizes.data(&member.record);
        Self {
            shard,
            data,
            key: u64::from(member.record.bytes) - data,
            deadline: member.deadline,
            expires_at: member.expires_at,
            members: vec![member],
        }
    }
}

#[derive(Clone, Debug)]
struct Container {
    records: Vec<Buffered>,
    /// The library's estimate of its bytes.
    estimated: u64,
    deadline: SimTime,
    /// Marks the keys that it holds.
    mark: u64,
}

/// The containers.
#[derive(Clone, Debug)]
pub(super) struct Aggregation {
    most_records: u64,
    most_bytes: u64,
    /// By number of the shard.
    containers: Vec<Container>,
    deadlines: BTreeSet<(SimTime, u32)>,
    /// By key of the producer: the mark of the container that holds it.
    holders: Vec<u64>,
    first_key: u32,
    marks: u64,
    measure: Measure,
    ahead: LookAhead,
}

/// What containers would hold with the records that are to come.
#[derive(Clone, Debug)]
struct LookAhead {
    number: u64,
    /// By key: the number of the look-ahead that met it.
    keys: Vec<u64>,
    /// By shard: the number of the look-ahead that met it, records, estimated bytes.
    shards: Vec<(u64, u64, u64)>,
}

/// The estimate of a container with so many records: a single one travels plain.
const fn estimate(records: u64, sum: u64, last_data: u64) -> u64 {
    if records < 2 { last_data } else { sum }
}

impl Aggregation {
    pub(super) fn new(settings: &ProducerLibrary, first_key: u32, keys: u32) -> Self {
        Self {
            most_records: u64::from(settings.aggregation_max_count),
            most_bytes: settings.aggregation_max_size,
            containers: Vec::new(),
            deadlines: BTreeSet::new(),
            holders: vec![0; to_usize(keys)],
            first_key,
            marks: 0,
            measure: Measure::new(keys),
            ahead: LookAhead {
                number: 0,
                keys: vec![0; to_usize(keys)],
                shards: Vec::new(),
            },
        }
    }

    /// Adds a user record to its shard's container; returns what is flushed by that.
    pub(super) fn put(&mut self, shard: ShardIndex, record: Buffered, sizes: &KeySizes) -> Option<Composed> {
        while self.containers.len() <= to_usize(shard.0) {
            self.marks += 1;
            self.containers.push(Container {
                records: Vec::new(),
                estimated: 0,
                deadline: SimTime::NEVER,
                mark: self.marks,
            });
        }
        self.hold(shard, record, sizes);
        let container = &self.containers[to_usize(shard.0)];
        let records = count(&container.records);
        let bytes = estimate(records, container.estimated, sizes.data(&record.record));
        (records >= self.most_records || bytes >= self.most_bytes).then(|| self.flush(shard, sizes))
    }

    fn hold(&mut self, shard: ShardIndex, record: Buffered, sizes: &KeySizes) {
        let container = &mut self.containers[to_usize(shard.0)];
        let holder = &mut self.holders[to_usize(record.record.key.0 - self.first_key)];
        container.estimated += sizes.estimated(&record.record, *holder != container.mark);
        *holder = container.mark;
        if record.deadline < container.deadline {
            self.deadlines.remove(&(container.deadline, shard.0));
            self.deadlines.insert((record.deadline, shard.0));
            container.deadline = record.deadline;
        }
        container.records.push(record);
    }

    fn flush(&mut self, shard: ShardIndex, sizes: &KeySizes) -> Composed {
        let container = &mut self.containers[to_usize(shard.0)];
        self.deadlines.remove(&(container.deadline, shard.0));
        self.marks += 1;
        (container.estimated, container.deadline, container.mark) = (0, SimTime::NEVER, self.marks);
        let mut members = core::mem::take(&mut container.records);
        members.sort_by_key(|member| member.deadline);
        self.measure.begin();
        let (mut fitting, mut data) = (0, 0);
        for member in &members {
            let bytes = self.measure.add(&member.record, sizes);
            if fitting > 0 && (count(&members[..=fitting]) > self.most_records || bytes > self.most_bytes) {
                break;
            }
            fitting += 1;
            data = bytes;
        }
        for left in members.split_off(fitting) {
            self.hold(shard, left, sizes);
        }
        if let [member] = members.as_slice() {
            return Composed::single(*member, Some(shard), sizes);
        }
        let expires_at = members.iter().map(|member| member.expires_at).min();
        Composed {
            shard: Some(shard),
            data,
            key: u64::from(super::size::AGGREGATE_KEY_BYTES),
            deadline: members.first().map_or(SimTime::NEVER, |member| member.deadline),
            expires_at: expires_at.unwrap_or(SimTime::NEVER),
            members,
        }
    }

    /// Flushes the next container whose deadline has come.
    pub(super) fn pop_due(&mut self, now: SimTime, sizes: &KeySizes) -> Option<Composed> {
        let &(at, shard) = self.deadlines.first()?;
        (at <= now).then(|| self.flush(ShardIndex(shard), sizes))
    }
    /// The earliest deadline of a container.
    pub(super) fn next_deadline(&self) -> SimTime {
        self.deadlines.first().map_or(SimTime::NEVER, |&(at, _)| at)
    }

    /// Begins to look ahead at records that are to come.
    pub(super) const fn look_ahead(&mut self) {
        self.ahead.number += 1;
    }
    /// Whether a record to come, after those looked at before, flushes its container.
    pub(super) fn would_flush(&mut self, shard: ShardIndex, record: &Record, sizes: &KeySizes) -> bool {
        let (at, number) = (to_usize(shard.0), self.ahead.number);
        if at >= self.ahead.shards.len() {
            self.ahead.shards.resize(at + 1, (0, 0, 0));
        }
        let container = self.containers.get(at);
        let (met, records, bytes) = &mut self.ahead.shards[at];
        if *met != number {
            let held = container.map_or((0, 0), |container| (count(&container.records), container.estimated));
            (*met, (*records, *bytes)) = (number, held);
        }
        let key = to_usize(record.key.0 - self.first_key);
        let held = container.is_some_and(|container| self.holders[key] == container.mark);
        let new = !held && self.ahead.keys[key] != number;
        self.ahead.keys[key] = number;
        *records += 1;
        *bytes += sizes.estimated(record, new);
        *records >= self.most_records || estimate(*records, *bytes, sizes.data(record)) >= self.most_bytes
    }
}

/// The deadline of a user record: never after it expires.
pub(super) fn deadline(from: SimTime, buffered: SimDuration, expires_at: SimTime) -> SimTime {
    from.saturating_add(buffered).min(expires_at)
}

/// How many of them there are, for a fact.
pub(super) fn length<T>(items: &[T]) -> u32 {
    to_u32(items.len())
}
