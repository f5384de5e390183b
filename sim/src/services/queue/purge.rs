//! PurgeQueue: takes a while, and may take what comes meanwhile (SQS-P, SQS-Z-27).

use super::{Order, Queue, quotas};
use crate::batch::ServiceError;
use crate::context::Cx;
use crate::engine::time::SimTime;
use crate::ids::QueueId;
use crate::observe::queue_fact::{QueueChange, QueueFact};

/// A purge that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purge {
    pub(super) until: SimTime,
    /// What stands before this position was there when it was called.
    boundary: u64,
}

impl Queue {
    /// Begins to remove everything (SQS-L-13). Returns whether it was accepted: a second purge within a minute is not
    /// (SQS-P-02). What is there can be received until the purge is done (SQS-P-03).
    pub fn purge(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) -> bool {
        let now = cx.now();
        let last = self.control.last_purge;
        if last.is_some_and(|last| now.since(last) < quotas::PURGE_INTERVAL) {
            self.refuse_operation(me, ServiceError::PurgeQueueInProgress, cx);
            return false;
        }
        self.control.last_purge = Some(now);
        let until = now + self.control.purge_time.draw();
        let boundary = self.messages.end();
        self.control.purge = Some(Purge { until, boundary });
        if let Order::Fifo(groups) = &mut self.order {
            groups.deduplication.forget();
        }
        let change = QueueChange::PurgeStarted;
        self.state_fact(me, cx, || QueueFact::Changed { change });
        if until == now {
            self.finish_purge(me, cx);
        }
        true
    }
    /// Everything that was there goes, and some of what has come since (SQS-P-04).
    pub(super) fn finish_purge(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let Some(purge) = self.control.purge.take() else { return };
        let (mut from, mut messages) = (0, 0);
        while let Some(position) = self.messages.next_here(from) {
            from = position + 1;
            if position < purge.boundary || self.control.late_losses.chance(self.purge_late_loss_rate) {
                messages += 1;
                self.leave(position, cx.now());
            }
        }
        self.state_fact(me, cx, || QueueFact::Purged { messages });
    }
}
