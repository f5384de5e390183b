//! How a failed batch gets to the function again: it is read from the stream once more (LAM-K-20).

use super::lane::{LaneBatch, LaneState, Positions};
use super::{Event, Mapping, broken};
use crate::batch::{Batch, GetCall};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::ids::MappingId;
use crate::observe::fact::{DiscardReason, Fact};
use crate::record::Record;
use crate::services::kinesis;
use crate::world;

impl Mapping {
    /// A batch is read from the stream once more, and then sent.
    pub(super) fn read_again(&mut self, me: MappingId, shard: u32, lane: u16, held: LaneBatch, cx: &mut Cx<'_, '_>) {
        if !self.enabled {
            return self.hold(shard, lane, held);
        }
        self.readers[to_usize(shard)].lanes[usize::from(lane)].state = LaneState::Rereading(held);
        self.reread(me, shard, lane, cx);
    }

    /// Asks for the lane's failed batch, from where reading it again has got to, to its end.
    pub(super) fn reread(&mut self, me: MappingId, shard: u32, lane: u16, cx: &mut Cx<'_, '_>) {
        let Some(held) = self.readers[to_usize(shard)].lanes[usize::from(lane)].batch() else {
            return;
        };
        let position = held.read_to;
        let span = u32::try_from(held.positions.end() - position).unwrap_or(u32::MAX);
        let limit = span.min(kinesis::quotas::MAX_GET_RECORDS);
        self.get(me, shard, position, limit, Some(lane), cx);
    }

    /// A part of the failed batch came in, or a refusal.
    pub(super) fn reread_page(
        &mut self,
        me: MappingId,
        call: GetCall,
        lane_number: u16,
        mut page: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) {
        let now = cx.now();
        let shard = call.shard.0;
        let lane = &mut self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
        let LaneState::Rereading(mut held) = core::mem::replace(&mut lane.state, LaneState::Gathering) else {
            return broken(cx, "a page that no lane waits for");
        };
        if call.error.is_some() {
            // The shard's read limit is used up: wait a poll interval and go on where it stopped.
            cx.recycle(page);
            lane.state = LaneState::BackingOff(held);
            return self.wake_lane(me, shard, lane_number, now + self.timing.poll, cx);
        }
        let first = call.position - u64::from(to_u32(page.records.len()));
        let found = held.found.get_or_insert_with(|| cx.fresh());
        let gone = if call.expired > 0 {
            // Everything before this page has expired, what was found there included.
            found.records.clear();
            found.bytes = 0;
            held.positions.split_before(first)
        } else {
            Positions::Run { first, count: 0 }
        };
        for (position, record) in (first..).zip(&page.records) {
            if held.positions.contains(position) {
                found.records.push(*record);
                found.bytes += u64::from(record.bytes);
            }
        }
        held.read_to = call.position;
        let (end, left) = (held.positions.end(), held.positions.count());
        if gone.count() > 0 {
            cx.emit(|| Fact::RecordsExpiredInRetry {
                reader: me.into(),
                shard: call.shard,
                count: gone.count(),
                first_position: gone.first(),
            });
            self.finish(me, shard, &gone, cx);
        }
        if left == 0 {
            // Nothing of the piece is left: the lane goes on (LAM-Z-11).
            cx.recycle(page);
            held.close_run();
            self.readers[to_usize(shard)].lanes[usize::from(lane_number)].window_opened = now;
            return self.go_on(me, shard, lane_number, held, cx);
        }
        if call.position < end {
            cx.recycle(page);
            return self.read_again(me, shard, lane_number, held, cx);
        }
        self.readers[to_usize(shard)].lanes[usize::from(lane_number)].state = LaneState::Rereading(held);
        page.records.clear();
        page.bytes = 0;
        if let Some(batch) = cx.hold(page) {
            cx.wake(
                now + self.timing.dispatch,
                Phase::Act,
                world::Event::Mapping(me, Event::PageReady { batch }),
            );
        }
    }

    /// The failed batch is complete again.
    pub(super) fn invoke_again(&mut self, me: MappingId, shard: u32, lane_number: u16, cx: &mut Cx<'_, '_>) {
        let lane = &mut self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
        let LaneState::Rereading(mut held) = core::mem::replace(&mut lane.state, LaneState::Gathering) else {
            return broken(cx, "a page that no lane waits for");
        };
        let mut batch = held.found.take().unwrap_or_else(|| cx.fresh());
        if !self.enabled {
            cx.recycle(batch);
            held.read_to = held.positions.first();
            return self.hold(shard, lane_number, held);
        }
        let aged = self.too_old(&batch.records, cx.now());
        if aged > 0 {
            let old: Vec<Record> = batch.records.drain(..aged).collect();
            batch.bytes -= old.iter().map(|record| u64::from(record.bytes)).sum::<u64>();
            let positions = held.positions.split_first(u64::from(to_u32(aged)));
            let invocations = held.errors;
            held.add_given_up(positions, old, DiscardReason::RecordAgeExceeded, invocations);
            if held.rest.is_empty() {
                self.discard_given_up(me, shard, lane_number, &mut held, cx);
            }
            if batch.records.is_empty() {
                cx.recycle(batch);
                self.readers[to_usize(shard)].lanes[usize::from(lane_number)].window_opened = cx.now();
                return self.go_on(me, shard, lane_number, held, cx);
            }
        }
        self.invoke(me, shard, lane_number, held, batch, cx);
    }
}
