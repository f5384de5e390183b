//! The copies of one message group for one subscription of a FIFO topic: they are delivered in the order of their publish,
//! so one call is on its way at a time and a failure holds up what follows (SQS-S-28).

use super::delivery::Delivery;
use super::{Topic, Work, quotas};
use crate::batch::Batch;
use crate::context::Cx;
use crate::engine::time::SimTime;
use crate::ids::TopicId;
use crate::notification_call::NotificationCall;
use std::collections::VecDeque;

/// A message group's line. While there is one, either a call is on its way or the lane stands in the topic's line.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    /// Since when each copy is ready, never before the one ahead of it.
    waiting: VecDeque<(SimTime, Delivery)>,
    busy: bool,
}

impl Lane {
    pub(super) fn memory(&self) -> u64 {
        u64::try_from(self.waiting.capacity() * size_of::<(SimTime, Delivery)>()).unwrap_or(u64::MAX)
    }
}

impl Topic {
    /// A copy joins the line of its group.
    pub(super) fn join_lane(&mut self, at: usize, group: u32, ready: SimTime, delivery: Delivery) {
        let lanes = &mut self.subscriptions[at].lanes;
        let is_new = !lanes.contains_key(&group);
        let lane = lanes.entry(group).or_default();
        let ready = lane.waiting.back().map_or(ready, |(last, _)| ready.max(*last));
        lane.waiting.push_back((ready, delivery));
        if is_new {
            self.put_in_line(ready, Work::Lane { at, group });
        }
    }

    /// Sends the first copies of a group that are ready: as many as a call takes.
    pub(super) fn try_lane(&mut self, me: TopicId, at: usize, group: u32, cx: &mut Cx<'_, '_>) {
        let Some(lane) = self.subscriptions[at].lanes.get_mut(&group) else {
            return;
        };
        let Some((_, first)) = lane.waiting.front() else { return };
        let (producer, attempts) = (first.producer, first.attempts);
        lane.busy = true;
        let mut batch = cx.fresh();
        while let Some((ready, next)) = lane.waiting.front()
            && *ready <= cx.now()
            && (next.producer, next.attempts) == (producer, attempts)
            && batch.records.len() < quotas::MAX_ENTRIES
            && (batch.records.is_empty() || batch.bytes + u64::from(next.record.bytes) <= self.maximum_batch_size)
        {
            next.put_into(&mut batch, cx.now());
            lane.waiting.pop_front();
        }
        let call = NotificationCall {
            topic: me,
            subscription: self.subscriptions[at].id,
            producer,
            group: Some(group),
            redriven: false,
            attempt: attempts + 1,
            error: None,
        };
        self.attempt(at, batch, call, cx);
    }

    /// The copies of a call are ahead of all others again.
    pub(super) fn back_to_lane(
        &mut self,
        at: usize,
        group: u32,
        ready: SimTime,
        batch: &Batch,
        call: &NotificationCall,
    ) {
        let Some(lane) = self.subscriptions[at].lanes.get_mut(&group) else {
            return;
        };
        lane.busy = false;
        for delivery in Delivery::all_of(batch, call).rev() {
            lane.waiting.push_front((ready, delivery));
        }
        self.put_in_line(ready, Work::Lane { at, group });
    }
    /// The topic is done with the copies of a call: those that follow are next.
    pub(super) fn go_on_with_lane(&mut self, at: usize, group: u32, now: SimTime) {
        let lanes = &mut self.subscriptions[at].lanes;
        let Some(lane) = lanes.get_mut(&group).filter(|lane| lane.busy) else {
            return;
        };
        lane.busy = false;
        match lane.waiting.front() {
            None => drop(lanes.remove(&group)),
            Some((ready, _)) => {
                let next = (*ready).max(now);
                self.put_in_line(next, Work::Lane { at, group });
            }
        }
    }
}
