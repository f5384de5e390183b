//! Dead-letter queues: what leaves for one, and what arrives.

use super::message::GROUPED;
use super::{Event, Order, Queue};
use crate::batch::{Batch, BatchId, Envelope};
use crate::context::{Cx, Fault};
use crate::engine::index::to_u32;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::QueueId;
use crate::observe::queue_fact::QueueFact;
use crate::profile::Profile;
use crate::world;

/// Beside the receives of a message that moves: whether it has a MessageGroupId on a standard queue.
const GROUPED_BIT: u32 = 16;

impl Queue {
    /// Takes a message out of the queue to be moved, with its receive count, which goes on (SQS-D-06).
    pub(super) fn take_out(&mut self, position: u64, moved: &mut Batch, now: SimTime) {
        let message = self.messages.get(position);
        moved.records.push(message.record());
        let grouped = u64::from(message.has(GROUPED)) << GROUPED_BIT;
        moved.positions.push(u64::from(message.receives) | grouped);
        self.leave(position, now);
    }
    /// Sends messages to the dead-letter queue.
    pub(super) fn dead_letter(&mut self, me: QueueId, mut moved: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let Some(to) = self.dead_letter_queue else {
            return cx.fail(Fault::Broken("a message has no dead-letter queue to go to".to_owned()));
        };
        cx.mix_arrivals(&moved.records);
        self.state_fact(me, cx, || QueueFact::DeadLettered {
            to,
            records: &moved.records,
        });
        moved.envelope = Envelope::Moved(me);
        cx.send(moved, SimDuration::MIN, |batch| {
            world::Event::Queue(to, Event::MovedHere { batch })
        });
    }
    /// Messages arrive from another queue: available at once (SQS-Z-08), in a standard queue with their enqueue
    /// timestamp (SQS-E-05), in a FIFO queue with a new one but in the profile `exam` (SQS-E-06).
    pub(super) fn moved_here(&mut self, me: QueueId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Moved(from) = batch.envelope else {
            let what = format!("a queue received {:?} instead of moved messages", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        let now = cx.now();
        for (record, &receives) in batch.records.iter().zip(&batch.positions) {
            let sent_at = match (&self.order, self.profile) {
                (Order::Standard(_), _) | (Order::Fifo(_), Profile::Exam) => record.arrived_at,
                (Order::Fifo(_), Profile::Current) => now,
            };
            let flags = if receives >> GROUPED_BIT == 0 { 0 } else { GROUPED };
            let receives = u16::try_from(receives & u64::from(u16::MAX)).unwrap_or(u16::MAX);
            self.store(record, sent_at, (receives, flags), SimDuration::ZERO, now);
        }
        self.state_fact(me, cx, || QueueFact::MovedHere {
            from,
            messages: to_u32(batch.records.len()),
        });
        cx.recycle(batch);
        // What is older than this queue keeps messages expires at once (SQS-E-07).
        self.expire(me, cx);
    }
}
