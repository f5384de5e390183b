//! DeleteMessage, ChangeMessageVisibility, and their batches.

use super::message::{COPY, Held, Receipt, State};
use super::partitions::Action;
use super::{Order, Queue, quotas};
use crate::batch::{Batch, QueueCall, ServiceError};
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::QueueId;
use crate::observe::queue_fact::QueueFact;
use crate::record::Outcome;

/// What becomes of an entry of a delete.
enum Deletion {
    /// The message leaves the queue.
    Now(u64),
    /// Success without an effect.
    Nothing,
    Refused,
}

impl Queue {
    pub(super) fn delete(&mut self, me: QueueId, mut batch: Box<Batch>, call: QueueCall, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        if !self.admits_parts(&mut batch.records, Action::Delete, now) {
            let error = Some(ServiceError::RequestThrottled);
            self.state_fact(me, cx, || QueueFact::CallRefused {
                consumer: call.consumer,
                error: ServiceError::RequestThrottled,
            });
            return self.answer(batch, QueueCall { error, ..call }, cx);
        }
        let parted = self.is_parted();
        let mut deleted = cx.fresh();
        let (mut entries, mut refused, mut copies) = (0, 0, 0);
        for (record, &handle) in batch.records.iter_mut().zip(&batch.positions) {
            if parted && record.outcome() == Outcome::Throttled {
                refused += 1;
                continue;
            }
            record.set_outcome(Outcome::Accepted);
            match self.deletion(Receipt::unpack(handle)) {
                Deletion::Now(position) => {
                    entries += 1;
                    deleted.records.push(self.messages.get(position).record());
                    if self.comes_back(position, now) {
                        copies += 1;
                    } else {
                        self.leave(position, now);
                    }
                }
                Deletion::Nothing => entries += 1,
                Deletion::Refused => {
                    refused += 1;
                    record.set_outcome(Outcome::Failed);
                }
            }
        }
        cx.mix_arrivals(&deleted.records);
        self.state_fact(me, cx, || QueueFact::Deleted {
            consumer: call.consumer,
            records: &deleted.records,
            entries,
            refused,
            copies,
        });
        cx.recycle(deleted);
        let error = self.error_of_single(&batch);
        self.answer(batch, QueueCall { error, ..call }, cx);
    }
    /// A call about one message has no entries of its own to fail: it fails itself (SQS-V-11, SQS-V-14, SQS-V-18, SQS-V-19).
    fn error_of_single(&self, batch: &Batch) -> Option<ServiceError> {
        let (&[record], &[handle]) = (batch.records.as_slice(), batch.positions.as_slice()) else {
            return None;
        };
        (record.outcome() == Outcome::Failed).then(|| match self.messages.held(Receipt::unpack(handle)) {
            Held::Malformed => ServiceError::ReceiptHandleIsInvalid,
            Held::Gone | Held::Newest | Held::Outdated => ServiceError::InvalidParameterValue,
        })
    }

    fn deletion(&mut self, receipt: Receipt) -> Deletion {
        let held = self.messages.held(receipt);
        let Receipt { position, .. } = receipt;
        match (held, &self.order) {
            (Held::Gone, _) => Deletion::Nothing,
            // A FIFO queue takes a handle for as long as its visibility timeout runs (SQS-V-14, SQS-Z-11).
            (Held::Newest, Order::Fifo(_)) if self.messages.get(position).state == State::InFlight => {
                Deletion::Now(position)
            }
            (Held::Newest | Held::Outdated, Order::Fifo(_)) | (Held::Malformed, _) => Deletion::Refused,
            (Held::Newest, Order::Standard(_)) => Deletion::Now(position),
            (Held::Outdated, Order::Standard(_)) => {
                let taken_again = self.messages.get(position).state == State::InFlight;
                if taken_again && !self.faults.chance(self.outdated_delete_rate) {
                    Deletion::Nothing
                } else {
                    Deletion::Now(position)
                }
            }
        }
    }

    /// Now and then a server misses the delete, and its copy of the message is delivered once more (SQS-O-04): a second
    /// to a visibility timeout later. Its old handles are void.
    fn comes_back(&mut self, position: u64, now: SimTime) -> bool {
        if matches!(self.order, Order::Fifo(_)) || self.duplicate_rate.is_zero() {
            return false;
        }
        let message = *self.messages.get(position);
        if message.has(COPY) || !self.faults.chance(self.duplicate_rate) {
            return false;
        }
        let span = self
            .visibility_timeout
            .max(SimDuration::from_secs(2))
            .saturating_sub(SimDuration::SECOND);
        let after = SimDuration::SECOND + SimDuration::from_nanos(self.faults.below(span.as_nanos()));
        match message.state {
            State::InFlight => self.landed(position, now),
            State::Available => self.withdraw(position),
            State::Delayed => self.delay(position, false),
            State::Taken | State::Gone => return false,
        }
        self.delay(position, true);
        let message = self.messages.get_mut(position);
        message.flags |= COPY;
        message.void = message.receipt;
        self.hide(position, now + after, State::Delayed);
        true
    }

    pub(super) fn change_visibility(
        &mut self,
        me: QueueId,
        mut batch: Box<Batch>,
        call: QueueCall,
        timeout: SimDuration,
        cx: &mut Cx<'_, '_>,
    ) {
        let (mut entries, mut refused) = (0, 0);
        for (record, &handle) in batch.records.iter_mut().zip(&batch.positions) {
            let changed = self.change(Receipt::unpack(handle), timeout, cx.now());
            record.set_outcome(if changed { Outcome::Accepted } else { Outcome::Failed });
            entries += u32::from(changed);
            refused += u32::from(!changed);
        }
        cx.mix(u64::from(entries) << 32 | u64::from(refused));
        self.state_fact(me, cx, || QueueFact::VisibilityChanged {
            consumer: call.consumer,
            entries,
            refused,
        });
        let error = self.error_of_single(&batch);
        self.answer(batch, QueueCall { error, ..call }, cx);
    }

    /// Replaces what is left of a message's visibility timeout (SQS-V-06). Returns whether it did.
    fn change(&mut self, receipt: Receipt, timeout: SimDuration, now: SimTime) -> bool {
        if timeout > quotas::VISIBILITY_CAP {
            return false;
        }
        let held = self.messages.held(receipt);
        let Receipt { position, .. } = receipt;
        let usable = match held {
            Held::Malformed | Held::Gone => false,
            Held::Newest => true,
            // A standard queue lets an old handle change what a later receive holds (SQS-V-21).
            Held::Outdated => matches!(self.order, Order::Standard(_)),
        };
        if !usable {
            return false;
        }
        let message = *self.messages.get(position);
        if now.since(message.returned_at()) + timeout > quotas::VISIBILITY_CAP {
            return false;
        }
        match message.state {
            State::InFlight if timeout.is_zero() => {
                self.show(position, now);
                true
            }
            State::InFlight => {
                self.hide(position, now + timeout, State::InFlight);
                true
            }
            // Its timeout is over and nobody has received it since (SQS-V-20). A FIFO handle has expired (SQS-V-14).
            State::Available if matches!(self.order, Order::Standard(_)) => {
                if !timeout.is_zero() {
                    self.withdraw(position);
                    self.takes_off(position);
                    self.hide(position, now + timeout, State::InFlight);
                }
                true
            }
            State::Available | State::Delayed | State::Taken | State::Gone => false,
        }
    }

    /// Messages that the queue holds, in any state.
    pub fn len(&self) -> usize {
        to_usize(u32::try_from(self.messages.count()).unwrap_or(u32::MAX))
    }
    /// True when it holds none.
    pub fn is_empty(&self) -> bool {
        self.messages.count() == 0
    }
}
