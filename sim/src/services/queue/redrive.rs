//! Dead-letter queues: what leaves for one, and what arrives.

use super::message::GROUPED;
use super::{Event, Order, Queue};
use crate::batch::{Batch, Envelope};
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
    pub(super) fn dead_lettered_here(
        &mut self,
        me: QueueId,
        (batch, from): (Box<Batch>, QueueId),
        cx: &mut Cx<'_, '_>,
    ) {
        let now = cx.now();
        let origin = self.number_of_origin(from);
        for (record, &receives) in batch.records.iter().zip(&batch.positions) {
            let sent_at = match (&self.order, self.profile) {
                (Order::Standard(_), _) | (Order::Fifo(_), Profile::Exam) => record.arrived_at,
                (Order::Fifo(_), Profile::Current) => now,
            };
            let flags = if receives >> GROUPED_BIT == 0 { 0 } else { GROUPED };
            let receives = u16::try_from(receives & u64::from(u16::MAX)).unwrap_or(u16::MAX);
            let position = self.store(record, sent_at, (receives, flags), SimDuration::ZERO, now);
            self.messages.get_mut(position).origin = origin;
        }
        self.state_fact(me, cx, || QueueFact::MovedHere {
            from,
            messages: to_u32(batch.records.len()),
        });
        cx.recycle(batch);
        // What is older than this queue keeps messages expires at once (SQS-E-07).
        self.expire(me, cx);
    }
    /// The number under which a queue is noted as the origin of messages (SQS-L-20).
    fn number_of_origin(&mut self, from: QueueId) -> u8 {
        let place = self.origins.iter().position(|&known| known == from);
        let place = place.unwrap_or_else(|| {
            self.origins.push(from);
            self.origins.len() - 1
        });
        u8::try_from(place + 1).unwrap_or(0)
    }
    /// The queue that a message came from, if it came from one.
    pub(super) fn origin(&self, position: u64) -> Option<QueueId> {
        let number = usize::from(self.messages.get(position).origin);
        self.origins.get(number.checked_sub(1)?).copied()
    }
}
