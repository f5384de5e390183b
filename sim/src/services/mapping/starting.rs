//! Where a mapping begins that is created during the run (LAM-K-16).

use super::lineage::Stage;
use super::progress::Progress;
use super::{Event, Mapping, ShardReader, broken, lane_of};
use crate::batch::{
    BatchId, ChildShard, Envelope, IteratorCall, IteratorType, ListCall, Lister, ReadCaller, ShardFilter,
};
use crate::blueprint::StartingPosition;
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::phase::Phase;
use crate::engine::time::SimTime;
use crate::ids::{MappingId, ShardIndex};
use crate::observe::fact::{Fact, MappingChange};
use crate::services::kinesis;
use crate::world;

impl Mapping {
    /// A mapping that is created at an instant begins some time later (LAM-K-18, LAM-U-32).
    pub(super) fn start_late(&mut self, me: MappingId, cx: &mut Cx<'_, '_>) {
        let at = self.created_at + self.timing.creation;
        cx.wake(at, Phase::Act, world::Event::Mapping(me, Event::Begin));
    }

    /// It asks for the shards that were open where it begins.
    pub(super) fn list(&mut self, me: MappingId, cx: &mut Cx<'_, '_>) {
        let filter = match self.starting_position {
            StartingPosition::TrimHorizon => ShardFilter::AtTrimHorizon,
            StartingPosition::Latest => ShardFilter::AtLatest,
            StartingPosition::AtTimestamp(at) => ShardFilter::AtTimestamp(at),
        };
        let mut batch = cx.fresh();
        batch.envelope = Envelope::List(ListCall {
            lister: Lister::Mapping(me),
            filter,
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::ListReceived { batch })
        });
    }

    pub(super) fn shards_listed(&mut self, me: MappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        for listed in &batch.child_shards {
            self.first_shard(listed, cx);
            if self.fan_out.is_some() {
                // A subscription itself says where it starts (KDS-EFO-14).
                self.first_poll(me, listed.shard.0, cx);
            } else {
                self.ask_for_iterator(me, listed.shard.0, cx);
            }
        }
        cx.recycle(batch);
    }

    /// A shard with which the mapping begins.
    fn first_shard(&mut self, listed: &ChildShard, cx: &Cx<'_, '_>) {
        while self.readers.len() <= to_usize(listed.shard.0) {
            self.readers.push(ShardReader::unread());
        }
        let reader = &mut self.readers[to_usize(listed.shard.0)];
        reader.begin(self.lanes);
        reader.begun = false;
        if self.lanes > 1 {
            for (lane, entry) in self.lanes_of_keys.iter_mut().zip(cx.keys().entries()) {
                if listed.range.contains(entry.hash) {
                    *lane = lane_of(entry.hash, listed.range.start, listed.range.end, self.lanes);
                }
            }
        }
    }

    pub(super) fn ask_for_iterator(&mut self, me: MappingId, shard: u32, cx: &mut Cx<'_, '_>) {
        let kind = starting_at(self.starting_position);
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Iterator(IteratorCall {
            reader: me.into(),
            caller: ReadCaller::Mapping(me),
            shard: ShardIndex(shard),
            kind,
            position: 0,
            issued_at: SimTime::NEVER,
            error: None,
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::IteratorReceived { batch })
        });
    }

    /// The iterator is there, and polls begin, each shard's at a phase of its own (LAM-U-03).
    pub(super) fn iterator_received(&mut self, me: MappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Iterator(call) = batch.envelope else {
            return broken(cx, "an iterator without its call");
        };
        cx.recycle(batch);
        let shard = call.shard.0;
        if call.error.is_some() {
            // Five calls a second and shard are allowed (KDS-R-17).
            let at = cx.now() + self.timing.poll;
            return cx.wake(at, Phase::Act, world::Event::Mapping(me, Event::AskAgain { shard }));
        }
        self.begin_at(me, call.shard, call.position, cx);
        self.first_poll(me, shard, cx);
    }

    /// Reading of a shard begins at a position that the stream has told.
    pub(super) fn begin_at(&mut self, me: MappingId, shard: ShardIndex, position: u64, cx: &mut Cx<'_, '_>) {
        let reader = &mut self.readers[to_usize(shard.0)];
        debug_assert_eq!(reader.stage, Stage::Reading);
        reader.begun = true;
        (reader.start, reader.cursor) = (position, position);
        reader.progress = Progress::starting_at(position);
        cx.emit(|| Fact::MappingChanged {
            reader: me.into(),
            change: MappingChange::ReadingBegan { shard, position },
        });
    }
}

/// A starting position in the words of the stream.
pub(super) const fn starting_at(position: StartingPosition) -> IteratorType {
    match position {
        StartingPosition::TrimHorizon => IteratorType::TrimHorizon,
        StartingPosition::Latest => IteratorType::Latest,
        StartingPosition::AtTimestamp(at) => IteratorType::AtTimestamp(at),
    }
}
