//! Reads: admission by the shard's read limits, and the page cut from its log.

use super::{Event, Stream, broken, iterators, quotas};
use crate::batch::{Batch, BatchId, Envelope, GetCall, ReadCaller, ServiceError};
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::phase::Phase;
use crate::engine::time::SimDuration;
use crate::ids::{ReaderId, ShardIndex, StreamId};
use crate::observe::fact::Fact;
use crate::world;

impl Stream {
    pub(super) fn get_received(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Get(mut call) = batch.envelope else {
            return broken(cx, "a read without its call");
        };
        let now = cx.now();
        if iterators::is_expired(&call, now) {
            return self.refuse_expired(batch, call, cx);
        }
        self.note_checkpoint(call.reader, call.shard, call.checkpoint);
        if let Err(limit) = self.shards[to_usize(call.shard.0)].admit_read(now) {
            cx.emit(|| Fact::GetRecordsThrottled {
                stream: me,
                shard: call.shard,
                reader: call.reader,
                limit,
            });
            call.error = Some(ServiceError::ProvisionedThroughputExceeded);
            batch.envelope = Envelope::Get(call);
            return self.answer_read(batch, call, cx);
        }
        call.received_at = now;
        batch.envelope = Envelope::Get(call);
        // Two reads may be in service at a time; the page's cost is not known before it is cut, so the allowance is
        // charged at that instant.
        let at = now + self.get_service.draw().max(SimDuration::MIN);
        if let Some(batch) = cx.hold(batch) {
            cx.wake(at, Phase::Arrive, world::Event::Stream(me, Event::GetServed { batch }));
        }
    }

    pub(super) fn get_served(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Get(mut call) = batch.envelope else {
            return broken(cx, "a read without its call");
        };
        let now = cx.now();
        self.tell_shard(me, call.shard, cx);
        let shard = &mut self.shards[to_usize(call.shard.0)];
        shard.expire(now, self.retention);
        let limit = call.limit.min(quotas::MAX_GET_RECORDS);
        let page = shard
            .log
            .read(call.position, limit, quotas::MAX_GET_BYTES, now, &mut batch);
        shard.charge_read(now, page.bytes);
        call.served_at = now;
        iterators::renew(&mut call, now);
        call.position = page.next;
        call.expired = page.expired;
        // The tip is the present; what is left unread tells how far behind it the response is (KDS-R-15).
        call.millis_behind = page
            .oldest_left
            .map_or(0, |arrived| (now.since(arrived).as_millis()).max(1));
        if self.shards[to_usize(call.shard.0)].ends_at(page.next) {
            self.end_of_shard(&mut call, &mut batch, cx);
        }
        cx.emit(|| Fact::GetRecordsHandled {
            stream: me,
            shard: call.shard,
            reader: call.reader,
            first_position: page.first,
            records: &batch.records,
            bytes: page.bytes,
            millis_behind: call.millis_behind,
            again: call.retry_lane.is_some(),
            received_at: call.received_at,
        });
        // Positions stand for the records, which were mixed in when they were stored.
        cx.mix(page.first);
        cx.mix(page.next);
        batch.envelope = Envelope::Get(call);
        self.answer_read(batch, call, cx);
    }

    pub(super) fn answer_read(&mut self, batch: Box<Batch>, call: GetCall, cx: &mut Cx<'_, '_>) {
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| match call.caller {
            ReadCaller::Mapping(mapping) => {
                world::Event::Mapping(mapping, crate::services::mapping::Event::PageReceived { batch })
            }
            ReadCaller::Application { application, .. } => {
                let event = crate::services::application::Event::PageReceived { batch };
                world::Event::Application(application, event)
            }
        });
    }

    /// A read tells its reader's checkpoint; what every declared reader has passed is forgotten.
    pub(super) fn note_checkpoint(&mut self, id: ReaderId, shard: ShardIndex, checkpoint: u64) {
        let index = to_usize(shard.0);
        for reader in &mut self.readers {
            if reader.id == id {
                reader.checkpoints[index] = reader.checkpoints[index].max(checkpoint);
            }
        }
        if let Some(passed) = self.readers.iter().map(|reader| reader.checkpoints[index]).min() {
            self.shards[index].forget(passed);
        }
    }
}
