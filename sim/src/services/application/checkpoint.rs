//! Checkpoints: how far the lease table knows a shard to be done, and what happens at a shard's end.

use super::consumer::Standing;
use super::lease::Checkpoint;
use super::timing::CLEANUP_INTERVAL;
use super::worker::CHILD_POSITION;
use super::{Application, Event, broken, wake};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::SimDuration;
use crate::ids::{ApplicationId, ShardIndex};
use crate::observe::fact::{DiscardReason, Fact, Remains};
use crate::services::kinesis;
use crate::world;

impl Application {
    /// The record processor checkpoints what it has finished, and waits for the table (KDS-KCL-30).
    pub(super) fn checkpoint(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let Some(consumer) = self.worker(number).consumers.get_mut(&shard) else {
            return;
        };
        let position = consumer.finished;
        if !consumer.accepts_checkpoint(position) {
            return broken(cx, "a checkpoint outside of what was delivered");
        }
        consumer.checkpointing = Some(position);
        let event = Event::Checkpointed {
            shard,
            worker: number,
            tenure: consumer.tenure,
        };
        let span = self.table_write.draw().max(SimDuration::MIN);
        wake(me, event, cx.now() + span, cx);
    }

    /// The table has answered: it refuses the checkpoint of a worker that does not own the lease (KDS-KCL-31).
    pub(super) fn checkpointed(
        &mut self,
        me: ApplicationId,
        number: u16,
        shard: u32,
        tenure: u16,
        cx: &mut Cx<'_, '_>,
    ) {
        let now = cx.now();
        self.use_table(0, 1, cx);
        let accepted = self.table.get(shard).is_some_and(|lease| lease.may_checkpoint(number));
        let Some(consumer) = self.consumer(number, shard, tenure) else {
            return;
        };
        let Some(position) = consumer.checkpointing.take() else {
            return broken(cx, "an answer to a checkpoint that it has not written");
        };
        // A zombie that has lost the lease and got it back is no owner of what it had, but it is of what it has got.
        if consumer.is_lost() {
            return self.retire(me, number, shard, cx);
        }
        if !accepted {
            return self.lose(me, number, shard, cx);
        }
        consumer.checkpoint = position;
        consumer.checkpoint_at = now;
        if let Some(lease) = self.table.get_mut(shard) {
            lease.checkpoint = Checkpoint::At(position);
        }
        self.pass(shard, position, cx);
        self.go_on(me, number, shard, cx);
    }

    /// The table says that everything before `position` is done: what was skipped there is given up for good.
    fn pass(&mut self, shard: u32, position: u64, cx: &mut Cx<'_, '_>) {
        let reader = self.reader;
        let (given_up, moves) = self.progress(shard).pass(position);
        for skipped in given_up {
            cx.emit(|| Fact::RecordsDiscarded {
                reader,
                shard: ShardIndex(shard),
                reason: DiscardReason::ProcessingFailed,
                remains: Remains::Dropped,
                positions: &[],
                records: &skipped.records,
                first_position: skipped.first,
            });
        }
        if moves {
            cx.emit(|| Fact::CheckpointAdvanced {
                reader,
                shard: ShardIndex(shard),
                position,
            });
        }
    }

    /// A record processor that was asked to stop and is idle: it checkpoints once more, then it goes.
    pub(super) fn stop_if_idle(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let Some(consumer) = self.worker(number).consumers.get(&shard) else {
            return;
        };
        if !consumer.is_idle() {
            return;
        }
        if consumer.finished > consumer.checkpoint {
            return self.checkpoint(me, number, shard, cx);
        }
        if self.table.get(shard).is_some_and(|lease| lease.handing_over.is_some()) {
            return self.hand_over(me, number, shard, cx);
        }
        // The lease stays in its name until it expires.
        if let Some(consumer) = self.worker(number).consumers.get_mut(&shard) {
            consumer.standing = Standing::Lost;
            for waiting in consumer.drain() {
                cx.recycle(waiting.batch);
            }
        }
        self.retire(me, number, shard, cx);
    }

    /// The old owner lets go: the new one may begin (KDS-KCL-17).
    pub(super) fn hand_over(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        if let Some(lease) = self.table.get_mut(shard) {
            lease.handing_over = None;
            lease.counter += 1;
        }
        self.use_table(0, 1, cx);
        self.lose(me, number, shard, cx);
    }

    /// A closed shard is done: `SHARD_END` is written, and its children get leases (KDS-KCL-26, KDS-KCL-27).
    pub(super) fn end_shard(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let Some(consumer) = self.worker(number).consumers.get(&shard) else {
            return;
        };
        let (end, children) = (consumer.finished, consumer.shard_end.clone().unwrap_or_default());
        let accepted = self.table.get(shard).is_some_and(|lease| lease.may_checkpoint(number));
        self.use_table(0, 1, cx);
        if !accepted {
            return self.lose(me, number, shard, cx);
        }
        if let Some(lease) = self.table.get_mut(shard) {
            lease.checkpoint = Checkpoint::ShardEnd;
            lease.ended_at = now;
            lease.children = children.iter().map(|child| child.shard.0).collect();
        }
        let mut written = 0;
        for child in children {
            // Where shards merge, whoever ends last creates the lease, unless all of them have leases already.
            if child
                .parents
                .iter()
                .flatten()
                .any(|parent| self.table.get(parent.0).is_none())
            {
                continue;
            }
            let parents = child.parents.map(|parent| parent.map(|parent| parent.0));
            written += u32::from(
                self.table
                    .create(child.shard.0, Checkpoint::Initial(CHILD_POSITION), parents),
            );
        }
        self.use_table(0, written, cx);
        self.pass(shard, end, cx);
        self.lose(me, number, shard, cx);
        self.leave(shard, cx);
    }

    /// Tells the stream that nobody reads a shard any more. A worker that does not know yet that it has lost the lease may
    /// still read: then the stream keeps the records.
    fn leave(&mut self, shard: u32, cx: &mut Cx<'_, '_>) {
        if self.lowest_needed(shard) == u64::MAX {
            let event = kinesis::Event::ShardLeft {
                reader: self.reader,
                shard: ShardIndex(shard),
            };
            cx.wake(cx.now(), Phase::Act, world::Event::Stream(self.stream, event));
        }
    }

    /// Deletes the leases of shards that are done once their children have begun to be processed (KDS-KCL-28).
    pub(super) fn clean_up(&mut self, number: u16, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        // Whoever lives first does it; the library lets each worker look after the leases that it has ended.
        let first = self.workers.iter().position(|worker| worker.alive);
        if first != Some(usize::from(number)) {
            return;
        }
        // A child may have no lease yet: that of a merge waits for those of both its parents.
        let begun = |child: &u32| {
            let progress = self.progress.get(to_usize(*child));
            progress.is_some_and(|progress| progress.start.is_some())
        };
        let ended = self.table.iter().filter(|(_, lease)| {
            lease.is_done() && now.since(lease.ended_at) >= CLEANUP_INTERVAL && lease.children.iter().all(begun)
        });
        let gone: Vec<u32> = ended.map(|(shard, _)| shard).collect();
        for &shard in &gone {
            self.table.remove(shard);
            // A worker may have read it still when it ended.
            self.leave(shard, cx);
        }
        self.use_table(0, to_u32(gone.len()), cx);
    }
}
