//! From a closed shard to those that took its place: parents first, so that every key stays in order (LAM-U-09).

use super::lane::Lane;
use super::polling::ReadAhead;
use super::progress::Progress;
use super::{Mapping, ShardReader, lane_of};
use crate::batch::ChildShard;
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{MappingId, ShardIndex};
use crate::services::kinesis;
use crate::world;

/// How far a mapping is with a shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// A child whose parents are not done, or of which the mapping has not heard.
    Unread,
    /// It is read.
    Reading,
    /// It is closed and has been read to its end; some of its records are still in hand. These shards follow.
    Ended(Vec<ChildShard>),
    /// Every record of it is done.
    Left,
}

impl ShardReader {
    /// A reader of a shard that nothing has been read of.
    pub(super) fn unread() -> Self {
        Self {
            stage: Stage::Unread,
            begun: true,
            start: 0,
            cursor: 0,
            progress: Progress::starting_at(0),
            lanes: Vec::new(),
            reading: false,
            behind: false,
            last_poll: SimTime::ZERO,
            poll_generation: 0,
            waiting: ReadAhead::default(),
            in_flight: 0,
        }
    }
    /// Reading begins, at TRIM_HORIZON (LAM-U-09).
    pub(super) fn begin(&mut self, lanes: u32) {
        self.stage = Stage::Reading;
        self.lanes = (0..lanes).map(|_| Lane::new()).collect();
    }
}

impl Mapping {
    /// Leaves the closed shards of which nothing is in hand any more, and begins with those that follow them.
    pub(super) fn leave_ended(&mut self, me: MappingId, cx: &mut Cx<'_, '_>) {
        let readers = &self.readers;
        let done = |shard: &u32| {
            let reader = &readers[to_usize(*shard)];
            // The end of a shard ends its window, too, and its final invocation is waited for (LAM-W-09).
            reader.in_flight == 0 && reader.lanes.iter().all(|lane| lane.window.is_none())
        };
        let left: Vec<u32> = self.ending.iter().copied().filter(done).collect();
        self.ending.retain(|shard| !left.contains(shard));
        for shard in left {
            let reader = &mut self.readers[to_usize(shard)];
            // Its lanes go, and with them the memory of its last batches.
            reader.lanes = Vec::new();
            let stage = core::mem::replace(&mut reader.stage, Stage::Left);
            let (stream, shard) = (self.stream, ShardIndex(shard));
            let event = kinesis::Event::ShardLeft {
                reader: me.into(),
                shard,
            };
            cx.wake(cx.now(), Phase::Act, world::Event::Stream(stream, event));
            if let Stage::Ended(children) = stage {
                for child in children {
                    self.begin_child(me, &child, cx);
                }
            }
        }
    }

    /// Begins with a child as soon as all its parents are done and the mapping has heard of it.
    fn begin_child(&mut self, me: MappingId, child: &ChildShard, cx: &mut Cx<'_, '_>) {
        let left = |parent: &ShardIndex| {
            let reader = self.readers.get(to_usize(parent.0));
            reader.is_some_and(|reader| reader.stage == Stage::Left)
        };
        if !child.parents.iter().flatten().all(left) {
            return;
        }
        while self.readers.len() <= to_usize(child.shard.0) {
            self.readers.push(ShardReader::unread());
        }
        let reader = &mut self.readers[to_usize(child.shard.0)];
        if reader.stage != Stage::Unread {
            return;
        }
        reader.begin(self.lanes);
        if self.lanes > 1 {
            // Nothing of these keys is in hand any more, so their lanes may change.
            let range = child.range;
            for (lane, entry) in self.lanes_of_keys.iter_mut().zip(cx.keys().entries()) {
                if range.contains(entry.hash) {
                    *lane = lane_of(entry.hash, range.start, range.end, self.lanes);
                }
            }
        }
        let at = self.heard_of(child.opened_at).max(cx.now());
        self.poll_at(me, child.shard.0, at, cx);
    }

    /// When the mapping lists the shards for the first time after a shard was opened.
    fn heard_of(&mut self, opened_at: SimTime) -> SimTime {
        let interval = self.timing.discovery.as_nanos().max(1);
        let phase = *self
            .discovery_phase
            .get_or_insert_with(|| SimDuration::from_nanos(self.phase.below(interval)));
        let listings = opened_at.as_nanos().saturating_sub(phase.as_nanos()).div_ceil(interval);
        SimTime::from_nanos(phase.as_nanos() + listings * interval)
    }
}
