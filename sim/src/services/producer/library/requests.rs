//! What the library sends: requests, and the user records that travel with them.

use super::Library;
use super::aggregation::{Composed, length};
use super::size::{aggregate_bytes, count};
use crate::batch::{Batch, Envelope, ListCaller, ListShardsCall, PutCall, ShardFilter};
use crate::blueprint::PutApi;
use crate::context::{Cx, Fault};
use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::ids::{Destination, ProducerId};
use crate::observe::fact::Fact;
use crate::record::{KeyId, Record};
use crate::user_records::{LibraryCall, LibraryEntry, LibraryRequest};
use crate::world;

impl Library {
    /// Sends a request, or queues it behind those that wait for a connection (KDS-KPL-08).
    pub(super) fn submit(&mut self, me: ProducerId, request: Vec<Composed>, cx: &mut Cx<'_, '_>) {
        if request.is_empty() {
            return;
        }
        if self.busy < self.settings.max_connections && self.ready.is_empty() {
            self.send(me, &request, cx.now(), cx);
        } else {
            self.ready.push_back((cx.now(), request));
        }
    }

    /// Lets waiting requests have the connections that have become free.
    pub(super) fn serve_waiting(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        while self.busy < self.settings.max_connections
            && let Some((since, request)) = self.ready.pop_front()
        {
            self.send(me, &request, since, cx);
        }
    }

    /// Sends a request that the library was done with at `since`.
    fn send(&mut self, me: ProducerId, composed: &[Composed], since: SimTime, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let mut batch = cx.fresh();
        let (request, waited_since) = self.pack(composed, now, &mut batch);
        cx.emit(|| Fact::RequestSent {
            producer: me,
            target: Destination::Stream(self.target),
            api: PutApi::PutRecords,
            records: &batch.records,
            bytes: batch.bytes,
            attempt: 1,
            resends: 0,
        });
        // A connection that is waited for is no buffering of the library's.
        let waited = now.since(since);
        cx.emit(|| Fact::UserRecordsSent {
            producer: me,
            stream: self.target,
            kinesis_records: length(&batch.records),
            records: &request.records,
            waited_since: &waited_since,
        });
        cx.mix(waited.as_nanos());
        let members = count(&request.records);
        self.busy += 1;
        self.waiting -= members;
        self.in_flight += members;
        let request = match cx.user_records.requests.insert(request) {
            Ok(request) => request,
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        batch.envelope = Envelope::Put(PutCall {
            producer: me,
            target: Destination::Stream(self.target),
            api: PutApi::PutRecords,
            cohort: false,
            attempt: 1,
            resends: 0,
            retry_cost: 0,
            first_sent_at: now,
            sent_at: now,
            received_at: SimTime::ZERO,
            refused: 0,
            error: None,
            library: Some(LibraryCall {
                request,
                timeout: self.settings.request_timeout,
            }),
        });
        let (target, delay) = (self.target, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(target, crate::services::kinesis::Event::PutReceived { batch })
        });
    }

    /// Asks for the stream's open shards.
    pub(super) fn list_shards(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        let mut batch = cx.fresh();
        batch.envelope = Envelope::ListShards(ListShardsCall {
            caller: ListCaller::Producer(me),
            filter: ShardFilter::AtLatest,
            failed: false,
        });
        let (target, delay) = (self.target, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(target, crate::services::kinesis::Event::ListShards { batch })
        });
    }

    /// The open shards have come.
    pub(super) fn shards_listed(
        &mut self,
        me: ProducerId,
        call: ListShardsCall,
        batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) {
        // What has arrived by now was not predicted by this map.
        self.take_arrivals(me, cx);
        if call.failed {
            self.refresh_at = self.shard_map.refresh_failed(cx.now());
        } else {
            let open = batch.child_shards.iter().map(|listed| (listed.shard, listed.range));
            self.shard_map.refreshed(cx.now(), &open.collect::<Vec<_>>());
        }
        cx.recycle(batch);
        self.plan(me, cx);
    }

    /// Fills the batch with the Kinesis records; returns their user records, and since when each of these has waited.
    fn pack(&mut self, composed: &[Composed], now: SimTime, batch: &mut Batch) -> (LibraryRequest, Vec<SimTime>) {
        let mut request = LibraryRequest::default();
        let mut waited_since = Vec::new();
        for composed in composed {
            let record = self.kinesis_record(composed);
            batch.bytes += u64::from(record.bytes);
            batch.records.push(record);
            request.entries.push(LibraryEntry {
                members: length(&composed.members),
                predicted: composed.shard,
                stored_in: None,
            });
            for member in &composed.members {
                let mut record = member.record;
                record.begin_attempt();
                request.records.push(record);
                request.first_sent_at.push(member.first_sent_at.min(now));
                waited_since.push(member.waits_since);
            }
        }
        (request, waited_since)
    }

    /// The record that the stream sees: a single user record travels plain (KDS-KPL-17), several under the key "a" with
    /// the hash key of the first (KDS-KPL-19).
    fn kinesis_record(&mut self, composed: &Composed) -> Record {
        let first = composed.members[0].record;
        if composed.members.len() == 1 {
            return Record { flags: 0, ..first };
        }
        let place = first.key.0 - self.keys.first;
        let ordinal = &mut self.aggregate_ordinals[to_usize(place)];
        let number = *ordinal;
        *ordinal += 1;
        let created_at = composed.members.iter().map(|member| member.record.created_at).min();
        Record {
            created_at: created_at.unwrap_or(first.created_at),
            arrived_at: SimTime::ZERO,
            key: KeyId(self.aggregates.first + place),
            ordinal: number,
            bytes: aggregate_bytes(composed.data),
            flags: 0,
        }
    }
}
