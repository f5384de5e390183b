//! Receives of a FIFO queue that are repeated with their ReceiveRequestAttemptId, since the answer was lost (SQS-X).

use super::message::{Held, Receipt, State};
use super::{Order, Queue, quotas};
use crate::batch::{Batch, QueueAction, QueueCall};
use crate::context::Cx;
use crate::engine::time::SimTime;
use crate::ids::{QueueConsumer, QueueId};
use std::collections::BTreeMap;

/// What a receive with an ID returned.
#[derive(Clone, Debug)]
struct Attempt {
    id: u32,
    at: SimTime,
    /// Receipt handles, and until when their messages are hidden.
    held: Vec<(Receipt, SimTime)>,
}

/// The last receive with an ID of each caller.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempts(BTreeMap<(QueueConsumer, u32), Attempt>);

impl Queue {
    /// Remembers what a receive with an ID returns.
    pub(super) fn remember_attempt(&mut self, call: QueueCall, batch: &Batch, now: SimTime) {
        let QueueAction::Receive { attempt: Some(id), .. } = call.action else {
            return;
        };
        if matches!(self.order, Order::Standard(_)) || batch.records.is_empty() {
            return;
        }
        let receipts = batch.positions.iter().map(|&handle| Receipt::unpack(handle));
        let held = receipts.map(|receipt| (receipt, self.messages.get(receipt.position).at));
        let held = held.collect();
        self.attempts
            .0
            .insert((call.consumer, call.worker), Attempt { id, at: now, held });
    }

    /// Answers a repeated receive with the same messages and handles, hidden anew, if none of them has been touched since
    /// (SQS-X-02 to SQS-X-05). It is the same receive: the count of receives stays (SQS-Z-34). Returns the batch if it is
    /// not a repetition, or too late for one; then it is a receive like any other.
    pub(super) fn repeat(
        &mut self,
        me: QueueId,
        mut batch: Box<Batch>,
        call: QueueCall,
        cx: &mut Cx<'_, '_>,
    ) -> Option<Box<Batch>> {
        let QueueAction::Receive {
            attempt: Some(id),
            visibility,
            ..
        } = call.action
        else {
            return Some(batch);
        };
        let now = cx.now();
        let known = self.attempts.0.get(&(call.consumer, call.worker));
        let same = known.filter(|attempt| attempt.id == id && now.since(attempt.at) < quotas::ATTEMPT_WINDOW);
        let Some(attempt) = same.filter(|attempt| attempt.held.iter().all(|held| self.is_untouched(*held))) else {
            return Some(batch);
        };
        let receipts: Vec<Receipt> = attempt.held.iter().map(|held| held.0).collect();
        let service = self.service_time.draw();
        let until = now + service + visibility.unwrap_or(self.visibility_timeout);
        for receipt in receipts {
            let message = self.messages.get_mut(receipt.position);
            message.returned(now + service);
            let record = message.received_record();
            batch.bytes += u64::from(record.bytes);
            batch.records.push(record);
            batch.positions.push(receipt.pack());
            self.hide(receipt.position, until, State::InFlight);
        }
        if let Some(attempt) = self.attempts.0.get_mut(&(call.consumer, call.worker)) {
            for held in &mut attempt.held {
                held.1 = until;
            }
        }
        self.return_messages(me, batch, call, (service, true), cx);
        None
    }
    /// Whether a message is still in flight as that receive left it.
    fn is_untouched(&self, (receipt, until): (Receipt, SimTime)) -> bool {
        self.messages.held(receipt) == Held::Newest && {
            let message = self.messages.get(receipt.position);
            message.state == State::InFlight && message.at == until
        }
    }
}
