//! What a stream does for the Kinesis Producer Library: it keeps the user records of aggregated records.

use super::Stream;
use crate::batch::{Batch, PutCall};
use crate::context::{Cx, Fault};
use crate::engine::index::to_usize;
use crate::ids::{ShardIndex, StreamId};
use crate::observe::fact::Fact;
use crate::record::{KeyId, Outcome, Record};
use crate::user_records::{LibraryCall, LibraryRequest};
use std::collections::VecDeque;

/// Where aggregated records lie whose user records are kept, by shard and in order of position.
#[derive(Clone, Debug, Default)]
pub(super) struct AggregatedRecords {
    shards: Vec<VecDeque<(u64, KeyId, u32)>>,
    /// The shard whose turn it is to be looked at.
    turn: usize,
    /// Room for the positions at which the shards of a put go on.
    next: Vec<u64>,
}

impl AggregatedRecords {
    fn at(&mut self, shard: usize) -> &mut VecDeque<(u64, KeyId, u32)> {
        if shard >= self.shards.len() {
            self.shards.resize(shard + 1, VecDeque::new());
        }
        &mut self.shards[shard]
    }
}

impl Stream {
    /// A put of the library was stored: keeps the user records of what was, tells the library which shards that went to,
    /// and forgets the user records that all readers have passed.
    pub(super) fn keep_user_records(
        &mut self,
        me: StreamId,
        batch: &Batch,
        call: &PutCall,
        library: LibraryCall,
        cx: &mut Cx<'_, '_>,
    ) {
        self.forget_user_records(cx);
        let mut request = match cx.user_records.requests.get_mut(library.request) {
            Ok(request) => core::mem::take(request),
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        self.aggregated.next.resize(self.shards.len(), 0);
        for tally in &self.tallies {
            self.aggregated.next[to_usize(tally.shard.0)] = tally.first_position;
        }
        let mut first = 0;
        for (record, index) in batch.records.iter().zip(0..) {
            let members = first..first + to_usize(request.entries[index].members);
            first = members.end;
            if record.outcome() != Outcome::Accepted {
                continue;
            }
            let shard = self.shard_of(record.key);
            request.entries[index].stored_in = Some(shard);
            let next = &mut self.aggregated.next[to_usize(shard.0)];
            let position = *next;
            *next += 1;
            if members.len() > 1 {
                let place = (position, record.key, record.ordinal);
                self.aggregated.at(to_usize(shard.0)).push_back(place);
                let aggregates = &mut cx.user_records.aggregates;
                aggregates.keep(record.key, record.ordinal, &request.records[members.clone()]);
                cx.mix_entries(&request.records[members.clone()]);
            }
            state(me, call, (shard, position), record, (&request, members), cx);
        }
        match cx.user_records.requests.get_mut(library.request) {
            Ok(place) => *place = request,
            Err(error) => cx.fail(Fault::Pool(error)),
        }
    }

    /// Forgets what all readers have passed of the shards just written, and of one other in its turn: nothing is written
    /// any more to a shard that is closed.
    fn forget_user_records(&mut self, cx: &mut Cx<'_, '_>) {
        let turn = self.aggregated.turn % self.shards.len().max(1);
        self.aggregated.turn = turn + 1;
        let written = self.tallies.iter().map(|tally| to_usize(tally.shard.0));
        for at in written.chain([turn]) {
            let passed = self.readers.iter().map(|reader| reader.checkpoints[at]).min();
            let floor = passed.unwrap_or_else(|| self.shards[at].log.next_position());
            let places = self.aggregated.at(at);
            while let Some(&(position, key, ordinal)) = places.front()
                && position < floor
            {
                places.pop_front();
                cx.user_records.aggregates.forget(key, ordinal);
            }
        }
    }
}

/// States the user records of a stored Kinesis record, unless they say no more than the record itself.
fn state(
    me: StreamId,
    call: &PutCall,
    (shard, position): (ShardIndex, u64),
    stored: &Record,
    (request, members): (&LibraryRequest, core::ops::Range<usize>),
    cx: &mut Cx<'_, '_>,
) {
    let records = &request.records[members.clone()];
    let first_sent_at = &request.first_sent_at[members];
    let sent_before = first_sent_at.iter().any(|&at| at != call.sent_at);
    if !cx.is_watched() || (records.len() == 1 && !sent_before) {
        return;
    }
    let mut arrived = cx.fresh();
    arrived.records.extend(records.iter().map(|record| Record {
        arrived_at: stored.arrived_at,
        ..*record
    }));
    cx.emit(|| Fact::UserRecordsStored {
        stream: me,
        producer: call.producer,
        shard,
        position,
        records: &arrived.records,
        first_sent_at,
    });
    cx.recycle(arrived);
}
