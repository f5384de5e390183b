//! How many user records stand behind the Kinesis records that a reader has not finished.
//!
//! Readers count Kinesis records, effects count user records. What an aggregated record holds beyond one is kept here,
//! by reader and position, until the reader has acknowledged it. What a checkpoint passes unacknowledged is lost.

use super::Ordering;
use crate::directory::Directory;
use crate::engine::index::{Idx, IndexVec, to_u32, to_usize};
use crate::ids::{ReaderId, ShardIndex, StreamId};
use crate::observe::fact::{Fact, MappingChange};
use crate::record::Record;
use std::collections::BTreeMap;

/// Of all readers.
#[derive(Clone, Debug)]
pub(super) struct Aggregates {
    readers: IndexVec<ReaderId, Unfinished>,
}

#[derive(Clone, Debug)]
struct Unfinished {
    stream: StreamId,
    /// By shard and position: user records beyond the first.
    more: BTreeMap<(u32, u64), u64>,
    /// By shard: the first position that it read or lost.
    starts: Vec<u64>,
    /// User records beyond the first in what lies before these positions and was forgotten.
    before_start: u64,
}

impl Aggregates {
    pub(super) fn new(directory: &Directory) -> Self {
        let readers = directory.readers.iter().map(|entry| Unfinished {
            stream: entry.stream,
            more: BTreeMap::new(),
            starts: Vec::new(),
            before_start: 0,
        });
        Self {
            readers: readers.collect(),
        }
    }
    /// An aggregated record was stored.
    pub(super) fn stored(&mut self, stream: StreamId, shard: ShardIndex, position: u64, user_records: u64) {
        for reader in self.readers.iter_mut().filter(|reader| reader.stream == stream) {
            reader.more.insert((shard.0, position), user_records - 1);
        }
    }
    /// A reader has read, or lost, records from a position on.
    #[inline]
    pub(super) fn read(&mut self, reader: ReaderId, shard: ShardIndex, first_position: u64) {
        let starts = &mut self.readers[reader].starts;
        let at = to_usize(shard.0);
        if at >= starts.len() {
            starts.resize(at + 1, u64::MAX);
        }
        starts[at] = starts[at].min(first_position);
    }
    /// A reader is done with a batch.
    #[inline]
    pub(super) fn acknowledged(
        &mut self,
        reader: ReaderId,
        shard: ShardIndex,
        positions: &[u64],
        (first, records): (u64, u32),
    ) {
        let more = &mut self.readers[reader].more;
        if more.is_empty() {
            return;
        }
        for position in positions {
            more.remove(&(shard.0, *position));
        }
        if positions.is_empty() {
            let run = (shard.0, first)..(shard.0, first + u64::from(records));
            let done: Vec<(u32, u64)> = more.range(run).map(|(place, _)| *place).collect();
            for place in done {
                more.remove(&place);
            }
        }
    }
    /// A reader's filters have let records pass by. Where it is alone, nobody waits for their user records.
    pub(super) fn filtered_out(&mut self, reader: ReaderId, shard: ShardIndex, positions: &[u64], alone: bool) {
        let reader = &mut self.readers[reader];
        for position in positions {
            // An aggregated record itself is no effect that anybody waits for, so all of its user records count.
            if let Some(more) = reader.more.remove(&(shard.0, *position)) {
                reader.before_start += if alone { more + 1 } else { 0 };
            }
        }
    }
    /// A reader's checkpoint has moved. Returns how many user records it has lost beyond the Kinesis records.
    #[inline]
    pub(super) fn passed(&mut self, reader: ReaderId, shard: ShardIndex, position: u64) -> u64 {
        let reader = &mut self.readers[reader];
        let mut lost = 0;
        while let Some((&place, &more)) = reader.more.range((shard.0, 0)..(shard.0, position)).next() {
            reader.more.remove(&place);
            if place.1 < reader.starts.get(to_usize(shard.0)).copied().unwrap_or(u64::MAX) {
                reader.before_start += more;
            } else {
                lost += more;
            }
        }
        lost
    }
    /// User records beyond the first in what a reader may still finish, and in what lies before its start.
    pub(super) fn unfinished(&self, reader: ReaderId, shard: ShardIndex, start: u64) -> (u64, u64) {
        let Some(reader) = self.readers.get(reader) else {
            return (0, 0);
        };
        let sum = |from: u64, until: u64| -> u64 {
            let run = reader.more.range((shard.0, from)..(shard.0, until));
            run.map(|(_, more)| more).sum()
        };
        (sum(start, u64::MAX), sum(0, start))
    }
    /// The same in what lay before a reader's start and was forgotten.
    pub(super) fn before_start(&self, reader: ReaderId) -> u64 {
        self.readers.get(reader).map_or(0, |reader| reader.before_start)
    }
}

impl Ordering {
    /// Facts that tell which user records are stored, and which Kinesis records a reader has got and is done with.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`note` has sorted the facts, exhaustively"
    )]
    #[inline]
    pub(super) fn user_records(&mut self, fact: &Fact<'_>) {
        match *fact {
            Fact::UserRecordsStored {
                stream,
                shard,
                position,
                records,
                ..
            } => self.accept_user_records(stream, shard, position, records),
            Fact::GetRecordsHandled {
                reader,
                shard,
                first_position,
                ..
            }
            | Fact::SubscriptionEventPushed {
                reader,
                shard,
                first_position,
                ..
            }
            | Fact::RecordsExpiredUnread {
                reader,
                shard,
                first_position,
                ..
            }
            | Fact::RecordsExpiredInRetry {
                reader,
                shard,
                first_position,
                ..
            } => self.aggregates.read(reader, shard, first_position),
            Fact::BatchAcknowledged {
                reader,
                shard,
                records,
                positions,
                first_position,
                ..
            } => self
                .aggregates
                .acknowledged(reader, shard, positions, (first_position, records)),
            Fact::CheckpointAdvanced {
                reader,
                shard,
                position,
            } => {
                let lost = self.aggregates.passed(reader, shard, position);
                if lost > 0 {
                    self.count_lost(reader, lost);
                }
            }
            _ => {}
        }
    }

    /// What a mapping does not hand over: its filters let it pass by, or Lambda dropped it (LAM-K-22).
    pub(super) fn left_out(&mut self, fact: &Fact<'_>) {
        if let Fact::RecordsFilteredOut {
            reader,
            shard,
            records,
            positions,
        } = *fact
        {
            self.filter_out(reader, shard, records, positions);
        }
        if let Fact::MappingChanged {
            reader,
            change: MappingChange::UserRecordsLeftOut { unwanted, .. },
        } = *fact
        {
            // What was dropped stays expected: its library may have sent it again, to where it belongs.
            self.aggregates.readers[reader].before_start += unwanted;
        }
    }

    /// User records of a stored Kinesis record; where there is only one, the put itself has told of it.
    fn accept_user_records(&mut self, stream: StreamId, shard: ShardIndex, position: u64, records: &[Record]) {
        if records.len() > 1 {
            let identities = records.iter().map(|record| (record.key, record.ordinal));
            self.stored_again += self.accepted.insert_all(identities);
            let user_records = u64::from(to_u32(records.len()));
            self.aggregates.stored(stream, shard, position, user_records);
        }
    }

    /// User records that were lost with a Kinesis record which is counted already.
    #[cold]
    /// Nobody waits at the reader's place for a record that its filters let pass by. Where several readers lead there,
    /// another one may bring it.
    pub(super) fn filter_out(&mut self, reader: ReaderId, shard: ShardIndex, records: &[Record], positions: &[u64]) {
        let Some(processor) = self.directory.readers.get(reader).map(|entry| entry.processor) else {
            return;
        };
        let alone = self.directory.readers_of(processor).count() == 1;
        if let Some(observed) = self.places.get_mut(processor.index()).filter(|_| alone) {
            for record in records {
                observed.point.excuse(record.key, record.ordinal);
            }
        }
        self.aggregates.filtered_out(reader, shard, positions, alone);
    }

    fn count_lost(&mut self, reader: ReaderId, user_records: u64) {
        let processor = self.directory.readers.get(reader).map(|entry| entry.processor.index());
        if let Some(observed) = processor.and_then(|processor| self.places.get_mut(processor)) {
            observed.lost += user_records;
        }
    }
}
