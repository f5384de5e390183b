//! Shards that close and others that open in their place.
//!
//! The switch happens at one instant (KDS-MOD-10): what is put from then on goes to the new shards, what was stored before
//! stays where it is and is read there until it expires (KDS-RS-09, KDS-R-23). A put is routed and stored at the same
//! instant, so none can meet a shard that has closed meanwhile (KDS-MOD-24).

use super::shard::{Origin, Shard, ShardState};
use super::shard_map::HashRange;
use super::{Stream, StreamId};
use crate::batch::{Batch, ChildShard, GetCall};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::ids::{ReaderId, ShardIndex};
use crate::observe::fact::{Fact, StreamChange};

/// Shards that close, and what opens in their place: one that is split, or two that are merged (KDS-RS-01).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The shard is split: the hash key and everything above it goes to the second child (KDS-RS-02).
    Split {
        /// The shard.
        shard: ShardIndex,
        /// `NewStartingHashKey`.
        at: u128,
    },
    /// Two neighbours become one shard (KDS-RS-04).
    Merge {
        /// The one with the lower hash keys.
        lower: ShardIndex,
        /// The other one.
        upper: ShardIndex,
    },
}

impl Stream {
    /// All steps take effect at this instant. They name open shards, no shard twice, and hash keys within these.
    pub(super) fn switch(&mut self, me: StreamId, steps: &[Step], cx: &mut Cx<'_, '_>) {
        let (mut closed, mut opened) = (Vec::new(), Vec::new());
        for step in steps {
            match *step {
                Step::Split { shard, at } => {
                    let HashRange { start, end } = self.shards[to_usize(shard.0)].origin.range;
                    let parents = [Some(shard), None];
                    let lower = self.open_shard(HashRange { start, end: at - 1 }, parents, cx);
                    let upper = self.open_shard(HashRange { start: at, end }, parents, cx);
                    self.close_shard(shard, [Some(lower), Some(upper)], cx);
                    closed.push(shard);
                    opened.extend([lower, upper]);
                }
                Step::Merge { lower, upper } => {
                    let range = HashRange {
                        start: self.shards[to_usize(lower.0)].origin.range.start,
                        end: self.shards[to_usize(upper.0)].origin.range.end,
                    };
                    let child = self.open_shard(range, [Some(lower), Some(upper)], cx);
                    self.close_shard(lower, [Some(child), None], cx);
                    self.close_shard(upper, [Some(child), None], cx);
                    closed.extend([lower, upper]);
                    opened.push(child);
                }
            }
        }
        let ranges: Vec<(ShardIndex, HashRange)> = opened
            .iter()
            .map(|&shard| (shard, self.shards[to_usize(shard.0)].origin.range))
            .collect();
        self.map.replace(&closed, &ranges, cx.keys());
        for &shard in &closed {
            let change = StreamChange::ShardClosed { shard };
            cx.emit(|| Fact::StreamChanged { stream: me, change });
            self.expire_shard(me, shard, cx);
            self.push_end(me, shard, cx);
        }
        for &shard in &opened {
            let parents = self.shards[to_usize(shard.0)].origin.parents;
            let change = StreamChange::ShardOpened { shard, parents };
            cx.emit(|| Fact::StreamChanged { stream: me, change });
        }
    }

    fn open_shard(&mut self, range: HashRange, parents: [Option<ShardIndex>; 2], cx: &mut Cx<'_, '_>) -> ShardIndex {
        let index = ShardIndex(to_u32(self.shards.len()));
        let origin = Origin {
            range,
            parents,
            opened_at: cx.now(),
        };
        self.shards.push(Shard::new(index, origin, self.write_burst));
        self.touched.marks.push((0, 0));
        for reader in &mut self.readers {
            reader.checkpoints.push(0);
        }
        let high = |hash: u128| u64::try_from(hash >> 64).unwrap_or(u64::MAX);
        cx.mix(u64::from(index.0) << 32 | parents.iter().flatten().map(|parent| u64::from(parent.0)).sum::<u64>());
        cx.mix(high(range.start) ^ high(range.end).rotate_left(1));
        index
    }

    fn close_shard(&mut self, shard: ShardIndex, children: [Option<ShardIndex>; 2], cx: &Cx<'_, '_>) {
        let closing = &mut self.shards[to_usize(shard.0)];
        closing.state = ShardState::Closed { at: cx.now() };
        closing.children = children;
        closing.log.close();
        if self.readers.is_empty() {
            closing.forget(closing.log.next_position());
        }
    }

    /// The response tells that nothing follows in this shard, and what follows it (KDS-R-06, KDS-R-16).
    pub(super) fn end_of_shard(&self, call: &mut GetCall, response: &mut Batch, cx: &mut Cx<'_, '_>) {
        call.shard_end = true;
        self.children_of(call.shard, response, cx);
    }
    /// The shards that took this one's place go with a response.
    pub(super) fn children_of(&self, shard: ShardIndex, response: &mut Batch, cx: &mut Cx<'_, '_>) {
        for &child in self.shards[to_usize(shard.0)].children.iter().flatten() {
            let Origin {
                range,
                parents,
                opened_at,
            } = self.shards[to_usize(child.0)].origin;
            response.child_shards.push(ChildShard {
                shard: child,
                range,
                parents,
                opened_at,
            });
            cx.mix(u64::from(child.0));
        }
    }

    /// A reader needs nothing of a closed shard any more.
    pub(super) fn shard_left(&mut self, reader: ReaderId, shard: ShardIndex) {
        let end = self.shards[to_usize(shard.0)].log.next_position();
        self.note_checkpoint(reader, shard, end);
    }
}
