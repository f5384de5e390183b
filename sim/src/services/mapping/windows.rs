//! Tumbling windows: batches of one window, the state between them, and the invocation that ends it (LAM-W).

use super::lane::{LaneBatch, LaneState, Positions};
use super::lineage::Stage;
use super::{Mapping, quotas};
use crate::batch::WindowEvent;
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{MappingId, ShardIndex};
use crate::observe::fact::{Fact, MappingChange};
use crate::record::Record;

/// A window of a shard that is not over.
#[derive(Clone, Debug)]
pub(super) struct OpenWindow {
    start: SimTime,
    /// Bytes of the state that the function returned last.
    state: u64,
    /// The state has outgrown its limit (LAM-W-04).
    overflown: bool,
    /// Arrival of the last record that the function got.
    last_arrival: SimTime,
    /// Records that are done; the checkpoint follows when the window is over (LAM-W-06).
    done: Vec<Positions>,
}

/// Records of a lane that may go with the next batch.
pub(super) struct InWindow {
    /// So many at most.
    pub(super) most: usize,
}

impl Mapping {
    /// How many of the records that wait belong to the open window. `None`: the lane has something else to do first, or
    /// nothing at all.
    pub(super) fn in_window(
        &mut self,
        me: MappingId,
        shard: u32,
        lane_number: u16,
        cx: &mut Cx<'_, '_>,
    ) -> Option<InWindow> {
        let length = self.tumbling_window;
        let now = cx.now();
        let reader = &mut self.readers[to_usize(shard)];
        let (caught_up, ended) = (
            reader.waiting.records == 0 && !reader.behind,
            matches!(reader.stage, Stage::Ended(_)),
        );
        let lane = &mut reader.lanes[usize::from(lane_number)];
        let first = lane.waiting().first().map(|record| start_of(record.arrived_at, length));
        match (&lane.window, first) {
            (None, None) => return None,
            (None, Some(start)) => {
                lane.window = Some(OpenWindow {
                    start,
                    state: 0,
                    overflown: false,
                    last_arrival: SimTime::ZERO,
                    done: Vec::new(),
                });
            }
            (Some(window), first) => {
                let due = window.start + length + quotas::WINDOW_GRACE;
                let over = match first {
                    Some(start) => start != window.start,
                    None => caught_up && (ended || now >= due),
                };
                if over || window.overflown {
                    self.send_final(me, shard, lane_number, cx);
                    return None;
                }
                if first.is_none() {
                    let at = if due > now { due } else { now + self.timing.poll };
                    self.wake_lane(me, shard, lane_number, at, cx);
                    return None;
                }
            }
        }
        let lane = &self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
        let end = lane
            .window
            .as_ref()
            .map_or(SimTime::NEVER, |window| window.start + length);
        let within = |record: &&Record| record.arrived_at < end;
        Some(InWindow {
            most: lane.waiting().iter().take_while(within).count(),
        })
    }

    /// What an event tells of the lane's window.
    pub(super) fn window_event(&self, shard: u32, lane: u16, is_final: bool) -> Option<WindowEvent> {
        let lane = &self.readers[to_usize(shard)].lanes[usize::from(lane)];
        lane.window.as_ref().map(|window| WindowEvent {
            start: window.start,
            end: window.start + self.tumbling_window,
            state: window.state,
            is_final,
            is_terminated_early: is_final && window.overflown,
        })
    }

    fn send_final(&mut self, me: MappingId, shard: u32, lane: u16, cx: &mut Cx<'_, '_>) {
        let mut held = LaneBatch::new(Positions::Run { first: 0, count: 0 }, false);
        held.is_final = true;
        let batch = cx.fresh();
        self.invoke(me, shard, lane, held, batch, cx);
    }

    /// The final invocation is tried again, unless the window's records are too old by now (LAM-W-10).
    pub(super) fn send_final_again(
        &mut self,
        me: MappingId,
        shard: u32,
        lane_number: u16,
        held: LaneBatch,
        cx: &mut Cx<'_, '_>,
    ) {
        let lane = &self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
        let last = lane.window.as_ref().map_or(SimTime::ZERO, |window| window.last_arrival);
        let age = self.errors.maximum_record_age;
        if age.is_some_and(|age| last.saturating_add(age) < cx.now()) {
            return self.close_window(me, shard, lane_number, true, cx);
        }
        let batch = cx.fresh();
        self.invoke(me, shard, lane_number, held, batch, cx);
    }

    /// Records of the window are done, and the function has returned a state.
    pub(super) fn advance_window(
        &mut self,
        me: MappingId,
        shard: u32,
        lane: u16,
        (done, state): (&Positions, Option<u64>),
        cx: &mut Cx<'_, '_>,
    ) {
        let reader = &mut self.readers[to_usize(shard)];
        let Some(window) = &mut reader.lanes[usize::from(lane)].window else {
            return self.finish(me, shard, done, cx);
        };
        reader.in_flight -= done.count();
        window.state = state.unwrap_or(window.state);
        window.overflown |= window.state > quotas::WINDOW_STATE_BYTES_MAX;
        window.done.push(done.clone());
    }

    pub(super) fn note_arrival(&mut self, shard: u32, lane: u16, records: &[Record]) {
        let lane = &mut self.readers[to_usize(shard)].lanes[usize::from(lane)];
        if let (Some(window), Some(last)) = (&mut lane.window, records.last()) {
            window.last_arrival = last.arrived_at;
        }
    }

    /// The window is over: the state goes, the checkpoint follows, and the lane is free (LAM-W-06).
    pub(super) fn close_window(
        &mut self,
        me: MappingId,
        shard: u32,
        lane_number: u16,
        abandoned: bool,
        cx: &mut Cx<'_, '_>,
    ) {
        let lane = &mut self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
        lane.state = LaneState::Gathering;
        lane.window_opened = cx.now();
        if let Some(window) = lane.window.take() {
            cx.emit(|| Fact::MappingChanged {
                reader: me.into(),
                change: MappingChange::WindowClosed {
                    shard: ShardIndex(shard),
                    start: window.start,
                    early: window.overflown,
                    abandoned,
                },
            });
            for done in &window.done {
                self.advance_checkpoint(me, shard, done, cx);
            }
        }
        self.dispatch(me, shard, lane_number, cx);
        self.lane_freed(me, shard, cx);
    }
}

/// The window of an instant: windows are multiples of their length (LAM-U-11).
fn start_of(at: SimTime, length: SimDuration) -> SimTime {
    SimTime::from_nanos(at.as_nanos() - at.as_nanos() % length.as_nanos().max(1))
}
