//! A mapping that is switched off and on again (LAM-E-13).
//!
//! Switched off it neither reads nor invokes; what the function works on ends as it would. Switched on it goes on behind
//! the last record that is done: what it had read before and not sent is read once more, so that nothing survives in it
//! that has expired in the stream.

use super::lane::{LaneBatch, LaneState};
use super::lineage::Stage;
use super::{Event, Mapping};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::ids::MappingId;
use crate::observe::fact::{Fact, MappingChange};
use crate::world;

impl Mapping {
    /// Asks for Enabled to be changed, which takes as long as the creation of a mapping (LAM-K-18).
    pub fn set_enabled(&self, me: MappingId, enabled: bool, cx: &mut Cx<'_, '_>) {
        let at = cx.now().saturating_add(self.timing.creation);
        cx.wake(at, Phase::Act, world::Event::Mapping(me, Event::Switch { enabled }));
    }

    pub(super) fn switch(&mut self, me: MappingId, enabled: bool, cx: &mut Cx<'_, '_>) {
        if self.enabled == enabled {
            return;
        }
        self.enabled = enabled;
        cx.emit(|| Fact::MappingChanged {
            reader: me.into(),
            change: MappingChange::Switched { enabled },
        });
        if !enabled {
            return;
        }
        if core::mem::take(&mut self.begins_when_enabled) {
            return self.list(me, cx);
        }
        for shard in 0..to_u32(self.readers.len()) {
            self.resume(me, shard, cx);
        }
    }

    fn resume(&mut self, me: MappingId, shard: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        for number in 0..self.readers[to_usize(shard)].lanes.len() {
            let lane = &mut self.readers[to_usize(shard)].lanes[number];
            lane.read_before_pause = lane.waiting().len();
            let (timer, number) = (lane.timer, u16::try_from(number).unwrap_or(u16::MAX));
            match lane.state {
                LaneState::Gathering => self.dispatch(me, shard, number, cx),
                // A wait that has ended meanwhile has lost its timer.
                LaneState::BackingOff(_) if timer.is_none() => self.wake_lane(me, shard, number, now, cx),
                LaneState::BackingOff(_) | LaneState::InFlight(_) | LaneState::Rereading(_) => {}
            }
        }
        let reader = &self.readers[to_usize(shard)];
        let knows_where = reader.begun || self.fan_out.is_some();
        if reader.stage == Stage::Reading && !reader.reading && knows_where {
            self.poll_at(me, shard, now, cx);
        }
        self.acknowledge(me, shard, cx);
    }

    /// A batch stays in its lane until the mapping is switched on.
    pub(super) fn hold(&mut self, shard: u32, lane: u16, held: LaneBatch) {
        self.readers[to_usize(shard)].lanes[usize::from(lane)].state = LaneState::BackingOff(held);
    }
}
