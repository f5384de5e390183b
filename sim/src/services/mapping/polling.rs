//! When a shard is read: at the base rate, and faster while behind.

use super::lane::Positions;
use super::lineage::Stage;
use super::{Event, Mapping, broken};
use crate::batch::{Batch, BatchId, Envelope, GetCall, ReadCaller};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{MappingId, ShardIndex};
use crate::observe::fact::Fact;
use crate::services::kinesis;
use crate::world;

/// Records of one shard that were read ahead of the function, or the most that may be (LAM-U-02).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadAhead {
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl ReadAhead {
    pub(super) fn below(self, limit: Self) -> bool {
        self.records < limit.records && self.bytes < limit.bytes
    }
    fn add(&mut self, batch: &Batch) {
        self.records += u64::from(to_u32(batch.records.len()));
        self.bytes += batch.bytes;
    }
    pub(super) fn take_away(&mut self, batch: &Batch) {
        self.records -= u64::from(to_u32(batch.records.len()));
        self.bytes -= batch.bytes;
    }
}

impl Mapping {
    pub(super) fn poll_at(&mut self, me: MappingId, shard: u32, at: SimTime, cx: &mut Cx<'_, '_>) {
        let reader = &mut self.readers[to_usize(shard)];
        reader.poll_generation += 1;
        let event = Event::Poll {
            shard,
            generation: reader.poll_generation,
        };
        cx.wake(at, Phase::Act, world::Event::Mapping(me, event));
    }

    pub(super) fn poll(&mut self, me: MappingId, shard: u32, generation: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let reader = &mut self.readers[to_usize(shard)];
        if !self.enabled {
            return;
        }
        if reader.poll_generation != generation || reader.reading || reader.stage != Stage::Reading {
            return;
        }
        if self.fan_out.is_some() {
            return self.subscribe(me, shard, cx);
        }
        if !reader.waiting.below(self.read_ahead) {
            // Enough waits already; the next free lane asks again. The base rate goes on.
            reader.behind = true;
            return self.poll_at(me, shard, now + self.timing.poll, cx);
        }
        reader.reading = true;
        reader.last_poll = now;
        let position = reader.cursor;
        self.get(me, shard, position, self.timing.page_records, None, cx);
    }

    pub(super) fn get(
        &mut self,
        me: MappingId,
        shard: u32,
        position: u64,
        limit: u32,
        retry_lane: Option<u16>,
        cx: &mut Cx<'_, '_>,
    ) {
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Get(GetCall {
            reader: me.into(),
            caller: ReadCaller::Mapping(me),
            stream: self.stream,
            shard: ShardIndex(shard),
            position,
            limit,
            checkpoint: self.readers[to_usize(shard)].progress.checkpoint(),
            retry_lane,
            iterator_issued_at: SimTime::NEVER,
            received_at: SimTime::ZERO,
            served_at: SimTime::ZERO,
            millis_behind: 0,
            expired: 0,
            shard_end: false,
            error: None,
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::GetReceived { batch })
        });
    }

    pub(super) fn page_received(&mut self, me: MappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Get(call) = batch.envelope else {
            return broken(cx, "a page without its call");
        };
        if let Some(lane) = call.retry_lane {
            return self.reread_page(me, call, lane, batch, cx);
        }
        let now = cx.now();
        let shard = call.shard.0;
        let reader = &mut self.readers[to_usize(shard)];
        reader.reading = false;
        if call.error.is_some() {
            // Refused: no data, the iterator stays usable (KDS-R-13), and the base rate goes on.
            cx.recycle(batch);
            let at = (reader.last_poll + self.timing.poll).max(now);
            return self.poll_at(me, shard, at, cx);
        }
        self.take_page(me, call, batch, self.timing.dispatch, cx);
        self.plan_poll(me, shard, cx);
    }

    /// Takes what was read for the first time, which reaches the lanes after a while.
    pub(super) fn take_page(
        &mut self,
        me: MappingId,
        call: GetCall,
        mut batch: Box<Batch>,
        dispatch: SimDuration,
        cx: &mut Cx<'_, '_>,
    ) {
        let (now, shard) = (cx.now(), call.shard.0);
        if call.expired > 0 {
            let reader = &self.readers[to_usize(shard)];
            let first_position = reader.cursor;
            cx.emit(|| Fact::RecordsExpiredUnread {
                reader: me.into(),
                shard: call.shard,
                first_position,
                count: call.expired,
            });
            let gone = Positions::Run {
                first: first_position,
                count: call.expired,
            };
            self.advance_checkpoint(me, shard, &gone, cx);
        }
        let reader = &mut self.readers[to_usize(shard)];
        reader.cursor = call.position;
        reader.behind = call.millis_behind > 0;
        if call.shard_end {
            reader.stage = Stage::Ended(core::mem::take(&mut batch.child_shards));
            self.ending.push(shard);
        }
        reader.waiting.add(&batch);
        reader.in_flight += u64::from(to_u32(batch.records.len()));
        if batch.records.is_empty() {
            cx.recycle(batch);
            if !self.tumbling_window.is_zero() {
                self.dispatch(me, shard, 0, cx);
            }
        } else if let Some(batch) = cx.hold(batch) {
            cx.wake(
                now + dispatch,
                Phase::Act,
                world::Event::Mapping(me, Event::PageReady { batch }),
            );
        }
    }

    /// The next poll: at the base rate, or as soon as allowed while behind and a lane has room (LAM-U-03).
    fn plan_poll(&mut self, me: MappingId, shard: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let reader = &self.readers[to_usize(shard)];
        if reader.reading || reader.stage != Stage::Reading {
            return;
        }
        let wait = if reader.behind && reader.waiting.below(self.read_ahead) {
            self.timing.poll_min
        } else {
            self.timing.poll
        };
        let at = (reader.last_poll + wait).max(now);
        self.poll_at(me, shard, at, cx);
    }

    /// While behind, a free lane lets the shard be read again at once.
    pub(super) fn lane_freed(&mut self, me: MappingId, shard: u32, cx: &mut Cx<'_, '_>) {
        if self.fan_out.is_some() {
            return self.acknowledge(me, shard, cx);
        }
        let reader = &self.readers[to_usize(shard)];
        if reader.behind && !reader.reading && reader.waiting.below(self.read_ahead) {
            self.plan_poll(me, shard, cx);
        }
    }
}
