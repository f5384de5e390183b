//! CloudWatch's metrics of a queue (SQS-C).

use super::series::{Point, Series};
use super::{Group, Metric, Metrics};
use crate::engine::index::to_u32;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::queue_fact::{Depth, QueueFact, Queueing};
use crate::record::Outcome;

pub(super) const QUEUE: &[Metric] = &[
    Metric::NumberOfMessagesSent,
    Metric::SentMessageSize,
    Metric::NumberOfMessagesReceived,
    Metric::NumberOfEmptyReceives,
    Metric::NumberOfMessagesDeleted,
    Metric::ApproximateNumberOfMessagesVisible,
    Metric::ApproximateNumberOfMessagesNotVisible,
    Metric::ApproximateNumberOfMessagesDelayed,
    Metric::ApproximateAgeOfOldestMessage,
    Metric::NumberOfDeduplicatedSentMessages,
    Metric::ApproximateNumberOfGroupsWithInflightMessages,
    Metric::ApproximateNumberOfMessagesVisibleInQuietGroups,
    Metric::ApproximateNumberOfMessagesNotVisibleInQuietGroups,
    Metric::ApproximateNumberOfMessagesDelayedInQuietGroups,
    Metric::ApproximateAgeOfOldestMessageInQuietGroups,
    Metric::ApproximateNumberOfNoisyGroups,
    Metric::MessagesReceivedAgain,
    Metric::MessagesExpired,
    Metric::MessagesDeadLettered,
    Metric::EndToEndLatency,
];

/// For so long after its last call a queue without messages has metrics (SQS-C-02).
const ACTIVE: SimDuration = SimDuration::from_hours(6);

/// Whether a fact tells of a call from outside.
const fn is_call(fact: &QueueFact<'_>) -> bool {
    match fact {
        QueueFact::Sent { .. }
        | QueueFact::SendRefused { .. }
        | QueueFact::Received { .. }
        | QueueFact::ReceiveRefused { .. }
        | QueueFact::Deleted { .. }
        | QueueFact::VisibilityChanged { .. }
        | QueueFact::CallRefused { .. }
        | QueueFact::Redriven { .. }
        | QueueFact::RedrivenHere { .. }
        | QueueFact::Changed { .. } => true,
        QueueFact::BecameAvailable { .. }
        | QueueFact::Expired { .. }
        | QueueFact::DeadLettered { .. }
        | QueueFact::MovedHere { .. }
        | QueueFact::Purged { .. } => false,
    }
}

/// The series of a queue, and how it stood when last heard of.
#[derive(Clone, Debug)]
pub(super) struct QueueMetrics {
    group: Group,
    depth: Depth,
    /// The minute whose gauges have been sampled.
    sampled: u64,
    /// When somebody last called it.
    called: SimTime,
    fifo: bool,
}

impl QueueMetrics {
    pub(super) fn new(fifo: bool) -> Self {
        Self {
            group: Group::new(QUEUE),
            depth: Depth::default(),
            sampled: 0,
            called: SimTime::ZERO,
            fifo,
        }
    }
    pub(super) fn get(&self, metric: Metric) -> Option<&Series> {
        self.group.get(metric)
    }

    /// Gauges are sampled at each full minute (SQS-Z-28): as the queue stood when it was last heard of.
    fn sample(&mut self, now: SimTime) {
        const MINUTE: u64 = 60_000_000_000;
        let minute = now.as_nanos() / MINUTE;
        while self.sampled < minute {
            self.sampled += 1;
            let at = SimTime::from_nanos(self.sampled * MINUTE);
            // A sample belongs to the minute that ends with it.
            let stamp = at.saturating_sub(SimDuration::MIN);
            let depth = self.depth;
            let empty = depth.available + depth.in_flight + depth.delayed == 0;
            if empty && at.since(self.called) >= ACTIVE {
                continue;
            }
            let mut gauge = |metric, value| self.group.add(stamp, metric, Point::of(value));
            gauge(Metric::ApproximateNumberOfMessagesVisible, depth.available);
            gauge(Metric::ApproximateNumberOfMessagesNotVisible, depth.in_flight);
            gauge(Metric::ApproximateNumberOfMessagesDelayed, depth.delayed);
            if self.fifo {
                let groups = u64::from(depth.groups_in_flight);
                gauge(Metric::ApproximateNumberOfGroupsWithInflightMessages, groups);
            }
            if let Some(quiet) = depth.quiet {
                gauge(Metric::ApproximateNumberOfMessagesVisibleInQuietGroups, quiet.available);
                gauge(
                    Metric::ApproximateNumberOfMessagesNotVisibleInQuietGroups,
                    quiet.in_flight,
                );
                gauge(Metric::ApproximateNumberOfMessagesDelayedInQuietGroups, quiet.delayed);
                gauge(Metric::ApproximateNumberOfNoisyGroups, u64::from(quiet.noisy));
                if let Some(oldest) = quiet.oldest {
                    gauge(
                        Metric::ApproximateAgeOfOldestMessageInQuietGroups,
                        at.since(oldest).as_secs(),
                    );
                }
            }
            // Only while there is a message (SQS-C-11).
            if let Some(oldest) = depth.oldest {
                let age = at.since(oldest).as_secs();
                gauge(Metric::ApproximateAgeOfOldestMessage, age);
            }
        }
    }

    pub(super) fn note(&mut self, now: SimTime, depth: Depth, fact: &QueueFact<'_>) {
        self.sample(now);
        self.depth = depth;
        if is_call(fact) {
            self.called = now;
        }
        let mut count = |metric, value| self.group.add(now, metric, Point::of(value));
        match *fact {
            QueueFact::Sent {
                records, deduplicated, ..
            } => {
                let accepted = records.iter().filter(|record| record.outcome() == Outcome::Accepted);
                let stored = u64::from(to_u32(accepted.clone().count())) - u64::from(deduplicated);
                count(Metric::NumberOfMessagesSent, stored);
                if self.fifo {
                    count(Metric::NumberOfDeduplicatedSentMessages, u64::from(deduplicated));
                }
                let sizes = Point::of_all(accepted.map(|record| u64::from(record.bytes)));
                self.group.add(now, Metric::SentMessageSize, sizes);
            }
            QueueFact::Received { records, again, .. } => {
                count(Metric::NumberOfMessagesReceived, u64::from(to_u32(records.len())));
                count(Metric::NumberOfEmptyReceives, u64::from(records.is_empty()));
                count(Metric::MessagesReceivedAgain, u64::from(again));
            }
            QueueFact::Deleted { records, entries, .. } => {
                count(Metric::NumberOfMessagesDeleted, u64::from(entries));
                let spans = records
                    .iter()
                    .map(|record| now.since(record.created_at).as_nanos() / 1_000);
                self.group.add(now, Metric::EndToEndLatency, Point::of_all(spans));
            }
            QueueFact::Expired { messages, .. } => count(Metric::MessagesExpired, u64::from(messages)),
            QueueFact::DeadLettered { records, .. } => {
                count(Metric::MessagesDeadLettered, u64::from(to_u32(records.len())));
            }
            // The redrive is a consumer of the one queue and a producer of the other (SQS-M-18).
            QueueFact::Redriven { records, .. } => {
                let messages = u64::from(to_u32(records.len()));
                count(Metric::NumberOfMessagesReceived, messages);
                count(Metric::NumberOfMessagesDeleted, messages);
            }
            QueueFact::RedrivenHere { messages, .. } => count(Metric::NumberOfMessagesSent, u64::from(messages)),
            QueueFact::SendRefused { .. }
            | QueueFact::ReceiveRefused { .. }
            | QueueFact::VisibilityChanged { .. }
            | QueueFact::CallRefused { .. }
            | QueueFact::BecameAvailable { .. }
            | QueueFact::MovedHere { .. }
            | QueueFact::Changed { .. }
            | QueueFact::Purged { .. } => {}
        }
    }
}

impl Metrics {
    pub(super) fn queueing(&mut self, now: SimTime, fact: &Queueing<'_>) {
        if let Queueing::Queue { queue, depth, ref fact } = *fact {
            self.queues[queue].note(now, depth, fact);
        }
        if let Queueing::Mapping { mapping, ref fact } = *fact {
            self.queue_mapping(now, mapping, fact);
        }
    }
}
