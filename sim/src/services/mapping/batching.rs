//! How records of a page become batches of the lanes (LAM-E-03).

use super::lane::{Lane, LaneBatch, LaneState};
use super::{Event, Mapping, broken};
use crate::batch::{BatchId, Envelope};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::SimTime;
use crate::ids::MappingId;
use crate::observe::fact::{DiscardReason, Fact};
use crate::world;

impl Mapping {
    pub(super) fn page_ready(&mut self, me: MappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut page) = cx.take(id) else { return };
        let Envelope::Get(call) = page.envelope else {
            return broken(cx, "a page without its call");
        };
        let now = cx.now();
        let shard = call.shard.0;
        if let Some(lane) = call.retry_lane {
            cx.recycle(page);
            return self.invoke_again(me, shard, lane, cx);
        }
        let first = call.position - u64::from(to_u32(page.records.len()));
        cx.emit(|| Fact::RecordsGathered {
            reader: me.into(),
            shard: call.shard,
            first_position: first,
            records: to_u32(page.records.len()),
            served_at: call.served_at,
        });
        let wanted = match &self.filters {
            Some(_) => Some(self.filter(me, shard, &mut page, first, cx)),
            None => None,
        };
        let window = self.window;
        let reader = &mut self.readers[to_usize(shard)];
        let open = |lane: &mut Lane| {
            // A window that ran out with nothing gathered opens again at the first record (LAM-E-06).
            if lane.waiting().is_empty() && lane.window_opened.saturating_add(window) < now {
                lane.window_opened = now;
            }
        };
        if let Some(positions) = &wanted {
            for (position, record) in positions.iter().zip(&page.records) {
                let number = self.lanes_of_keys.get(to_usize(record.key.0)).copied().unwrap_or(0);
                let lane = &mut reader.lanes[usize::from(number)];
                open(lane);
                lane.gather(*record, *position);
            }
        } else if self.lanes_of_keys.is_empty() {
            let lane = &mut reader.lanes[0];
            open(lane);
            lane.gather_page(&mut page, first);
        } else {
            for (position, record) in (first..).zip(&page.records) {
                let lane = &mut reader.lanes[usize::from(self.lanes_of_keys[to_usize(record.key.0)])];
                open(lane);
                lane.gather(*record, position);
            }
        }
        cx.recycle(page);
        for lane in 0..to_u32(self.readers[to_usize(shard)].lanes.len()) {
            self.dispatch(me, shard, u16::try_from(lane).unwrap_or(0), cx);
        }
        if wanted.is_some() {
            self.lane_freed(me, shard, cx);
        }
    }

    /// Sends the lane's next batch if the lane is free and a batch is complete; else arms the window's timer.
    pub(super) fn dispatch(&mut self, me: MappingId, shard: u32, lane_number: u16, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let (window, batch_size) = (self.window, self.batch_size);
        loop {
            let lane = &mut self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
            let idle = lane.waiting().is_empty() && lane.window.is_none();
            if !matches!(lane.state, LaneState::Gathering) || idle {
                return;
            }
            if self.errors.maximum_record_age.is_some() && self.discard_aged(me, shard, lane_number, cx) {
                continue;
            }
            let mut most = batch_size;
            if !self.tumbling_window.is_zero() {
                let Some(within) = self.in_window(me, shard, lane_number, cx) else {
                    return;
                };
                most = most.min(within.most);
            }
            let lane = &mut self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
            let waiting = lane.waiting();
            let wanted = waiting.len().min(most);
            let records = &waiting[..wanted];
            let bytes = if wanted == waiting.len() {
                lane.waiting_bytes()
            } else {
                records.iter().map(|record| u64::from(record.bytes)).sum()
            };
            let fitting = self.payload.fitting(records, bytes, cx.keys());
            if fitting == 0 {
                self.discard_oversized(me, shard, lane_number, cx);
                continue;
            }
            let due = lane.window_opened.saturating_add(window);
            if fitting < batch_size && fitting == waiting.len() && now < due {
                return self.wake_lane(me, shard, lane_number, due, cx);
            }
            let mut batch = cx.fresh();
            let positions = lane.take(fitting, &mut batch);
            self.readers[to_usize(shard)].waiting.take_away(&batch);
            let held = LaneBatch::new(positions, fitting < wanted);
            return self.invoke(me, shard, lane_number, held, batch, cx);
        }
    }

    /// A record that no invocation can carry never blocks the shard (LAM-K-25).
    fn discard_oversized(&mut self, me: MappingId, shard: u32, lane_number: u16, cx: &mut Cx<'_, '_>) {
        debug_assert!({
            let lane = &self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
            lane.waiting()
                .first()
                .is_some_and(|record| self.payload.oversized(record, cx.keys()))
        });
        self.discard_waiting(me, shard, lane_number, 1, DiscardReason::PayloadTooLarge, cx);
    }

    /// Wakes a lane at an instant, and not at any other. A timer for that instant, if there is one, will do.
    pub(super) fn wake_lane(&mut self, me: MappingId, shard: u32, lane_number: u16, at: SimTime, cx: &mut Cx<'_, '_>) {
        let lane = &mut self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
        if lane.timer == Some(at) {
            return;
        }
        lane.timer = Some(at);
        lane.generation = lane.generation.wrapping_add(1);
        let event = Event::LaneDue {
            shard,
            lane: lane_number,
            generation: lane.generation,
        };
        cx.wake(at, Phase::Act, world::Event::Mapping(me, event));
    }
}
