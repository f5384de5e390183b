//! The ways of messages: when they were sent, received and gathered, of queues that a mapping polls.

use super::cause::{Cause, Parts};
use super::effect::Effect;
use crate::directory::{Directory, QueueMappingEntry};
use crate::engine::index::IndexVec;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{Destination, QueueId, QueueMappingId};
use crate::observe::fact::{Fact, QueueFact, QueueMappingFact, Queueing};
use crate::record::{KeyId, Record};
use std::collections::BTreeMap;

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
struct Way {
    first_sent_at: SimTime,
    sent_at: SimTime,
    stored: bool,
    first_received_at: Option<SimTime>,
    received_at: SimTime,
    gathered_at: SimTime,
    /// Its last delivery ended with throttles (LAM-Q-02).
    let_go: bool,
    /// So much of the time from the first receive to the last is due to such deliveries.
    throttled_for: SimDuration,
}

impl Way {
    const fn sent(now: SimTime) -> Self {
        Self {
            first_sent_at: now,
            sent_at: now,
            stored: false,
            first_received_at: None,
            received_at: SimTime::ZERO,
            gathered_at: SimTime::ZERO,
            let_go: false,
            throttled_for: SimDuration::ZERO,
        }
    }
    fn received(&mut self, now: SimTime) {
        if self.first_received_at.is_none() {
            self.first_received_at = Some(now);
        } else if core::mem::take(&mut self.let_go) {
            self.throttled_for = self.throttled_for + now.since(self.received_at);
        }
        (self.received_at, self.gathered_at) = (now, now);
    }
}

type Ways = BTreeMap<(KeyId, u32), Way>;

/// The ways of all messages that are on one.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    /// By queue; `None` where no mapping polls.
    queues: IndexVec<QueueId, Option<Ways>>,
    /// By mapping of a queue.
    polled: IndexVec<QueueMappingId, QueueId>,
}

const fn identity(record: &Record) -> (KeyId, u32) {
    (record.key, record.ordinal)
}

impl Messages {
    pub(super) fn new(directory: &Directory) -> Self {
        let mappings = &directory.queue_mappings;
        // A message that a mapping polls from a dead-letter queue has been sent to another one.
        let followed = |id: QueueId| {
            let polled = |mapping: &QueueMappingEntry| {
                mapping.queue == id || directory.queues[id].dead_letter_queue == Some(mapping.queue)
            };
            mappings.iter().any(polled)
        };
        Self {
            queues: directory.queues.ids().map(|id| followed(id).then(Ways::new)).collect(),
            polled: mappings.iter().map(|mapping| mapping.queue).collect(),
        }
    }

    fn of(&mut self, queue: QueueId) -> Option<&mut Ways> {
        self.queues.get_mut(queue)?.as_mut()
    }

    /// A client sent a request.
    pub(super) fn sent(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::RequestSent {
            target: Destination::Queue(queue),
            records,
            ..
        } = *fact
            && let Some(ways) = self.of(queue)
        {
            for record in records {
                let way = ways.entry(identity(record)).or_insert(Way::sent(now));
                if !way.stored {
                    way.sent_at = now;
                }
            }
        }
    }

    pub(super) fn queueing(&mut self, now: SimTime, fact: &Queueing<'_>) {
        match *fact {
            Queueing::Queue { queue, ref fact, .. } => self.in_queue(now, queue, fact),
            Queueing::Mapping { mapping, ref fact } => self.in_mapping(now, mapping, fact),
            Queueing::Fleet { .. } => {}
        }
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others move no message")]
    fn in_queue(&mut self, now: SimTime, queue: QueueId, fact: &QueueFact<'_>) {
        if let QueueFact::DeadLettered { to, records } = *fact {
            return self.moved(queue, to, records);
        }
        let Some(ways) = self.of(queue) else { return };
        match *fact {
            QueueFact::Sent { records, .. } => each(ways, records, |way| way.stored = true),
            QueueFact::Received { records, .. } => each(ways, records, |way| way.received(now)),
            QueueFact::Deleted { records, .. } => {
                for record in records {
                    ways.remove(&identity(record));
                }
            }
            QueueFact::Purged { .. } => ways.clear(),
            _ => {}
        }
    }
    fn moved(&mut self, from: QueueId, to: QueueId, records: &[Record]) {
        for record in records {
            let found = self.of(from).and_then(|ways| ways.remove(&identity(record)));
            if let (Some(way), Some(ways)) = (found, self.of(to)) {
                ways.insert(identity(record), way);
            }
        }
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others tell nothing of time")]
    fn in_mapping(&mut self, now: SimTime, mapping: QueueMappingId, fact: &QueueMappingFact<'_>) {
        let Some(ways) = self.polled.get(mapping).copied().and_then(|queue| self.of(queue)) else {
            return;
        };
        match *fact {
            QueueMappingFact::Polled { records } => each(ways, records, |way| way.gathered_at = now),
            QueueMappingFact::LetGo { records } => each(ways, records, |way| way.let_go = true),
            _ => {}
        }
    }

    /// The parts of a message's time. They sum to it whatever is known of its way: no part begins before the one ahead
    /// of it, and none ends after the batch was sent.
    pub(super) fn parts(&self, mapping: QueueMappingId, effect: &Effect<'_>, record: &Record) -> Parts {
        let way =
            (self.polled.get(mapping)).and_then(|&queue| self.queues.get(queue)?.as_ref()?.get(&identity(record)));
        let (created, arrived) = (record.created_at, record.arrived_at);
        let dispatched = effect.dispatched_first_at();
        let within = |at: SimTime, from: SimTime, to: SimTime| at.max(from).min(to.max(from));
        let known = |at: fn(&Way) -> SimTime, otherwise| way.map_or(otherwise, at);
        let first_sent = within(known(|way| way.first_sent_at, created), created, arrived);
        let sent = within(known(|way| way.sent_at, created), first_sent, arrived);
        let first_received = way.and_then(|way| way.first_received_at).unwrap_or(dispatched);
        let first_received = within(first_received, arrived, dispatched);
        let received = within(known(|way| way.received_at, dispatched), first_received, dispatched);
        let gathered = within(known(|way| way.gathered_at, dispatched), received, dispatched);
        let again = received.since(first_received);
        let throttled = way.map_or(SimDuration::ZERO, |way| way.throttled_for).min(again);
        let mut parts = effect.shared();
        let more = |parts: &Parts, cause, span| parts.of(cause) + span;
        let concurrency = more(&parts, Cause::WaitingForConcurrency, throttled);
        let redelivery = more(&parts, Cause::Redelivery, again.saturating_sub(throttled));
        parts.set(Cause::WaitingForConcurrency, concurrency);
        parts.set(Cause::Redelivery, redelivery);
        parts.set(Cause::Gathering, first_sent.since(created));
        parts.set(Cause::PutRetries, sent.since(first_sent));
        parts.set(Cause::Put, arrived.since(sent));
        parts.set(Cause::WaitingForPoll, first_received.since(arrived));
        parts.set(Cause::Transfer, gathered.since(received) + effect.way());
        parts.set(Cause::WaitingForBatch, dispatched.since(gathered));
        parts
    }
}

fn each(ways: &mut Ways, records: &[Record], change: impl Fn(&mut Way)) {
    for record in records {
        if let Some(way) = ways.get_mut(&identity(record)) {
            change(way);
        }
    }
}
