//! CloudWatch's metrics of a topic, and what it does not tell of each subscription.

use super::series::{Point, Series};
use super::{Group, Metric, Metrics, len};
use crate::batch::ServiceError;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::{NotificationFact, Notified, Publishing, QueueFact, Queueing, TopicFact};
use crate::observe::topic_fact::{FilterReason, LossReason};
use crate::record::Outcome;

pub(super) const TOPIC: &[Metric] = &[
    Metric::NumberOfMessagesPublished,
    Metric::PublishSize,
    Metric::NumberOfNotificationsDelivered,
    Metric::NumberOfNotificationsFailed,
    Metric::NumberOfNotificationsFilteredOut,
    Metric::NumberOfNotificationsFilteredOutMessageAttributes,
    Metric::NumberOfNotificationsFilteredOutNoMessageAttributes,
    Metric::NumberOfNotificationsFilteredOutMessageBody,
    Metric::NumberOfNotificationsRedrivenToDlq,
    Metric::NumberOfNotificationsFailedToRedriveToDlq,
    Metric::MessagesThrottled,
];

pub(super) const SUBSCRIPTION: &[Metric] = &[
    Metric::CopiesDelivered,
    Metric::CopiesFilteredOut,
    Metric::CopiesRetried,
    Metric::CopiesDeadLettered,
    Metric::CopiesLost,
    Metric::CopiesUndelivered,
    Metric::DeliveryLatency,
];

/// The series of a subscription, and how it stood when last heard of.
#[derive(Clone, Debug)]
pub(super) struct SubscriptionMetrics {
    group: Group,
    undelivered: u64,
    /// The minute whose gauge has been sampled.
    sampled: u64,
}

impl SubscriptionMetrics {
    pub(super) fn new() -> Self {
        Self {
            group: Group::new(SUBSCRIPTION),
            undelivered: 0,
            sampled: 0,
        }
    }
    pub(super) fn get(&self, metric: Metric) -> Option<&Series> {
        self.group.get(metric)
    }

    /// The gauge is sampled at each full minute, like those of queues (SQS-Z-28).
    fn sample(&mut self, now: SimTime) {
        const MINUTE: u64 = 60_000_000_000;
        while self.sampled < now.as_nanos() / MINUTE {
            self.sampled += 1;
            // A sample belongs to the minute that ends with it.
            let stamp = SimTime::from_nanos(self.sampled * MINUTE).saturating_sub(SimDuration::MIN);
            self.group
                .add(stamp, Metric::CopiesUndelivered, Point::of(self.undelivered));
        }
    }
    fn note(&mut self, now: SimTime, undelivered: u64, fact: &NotificationFact<'_>) {
        self.sample(now);
        self.undelivered = undelivered;
        let (metric, copies) = match *fact {
            NotificationFact::FilteredOut { records, .. } => (Metric::CopiesFilteredOut, len(records)),
            NotificationFact::Delivered { records, .. } => (Metric::CopiesDelivered, len(records)),
            NotificationFact::DeadLettered { records, .. } => (Metric::CopiesDeadLettered, len(records)),
            NotificationFact::Lost { records, .. } => (Metric::CopiesLost, len(records)),
            NotificationFact::AttemptFailed {
                records,
                again_at: Some(_),
                ..
            } => (Metric::CopiesRetried, u64::from(records)),
            NotificationFact::AttemptFailed { again_at: None, .. }
            | NotificationFact::Copied { .. }
            | NotificationFact::Duplicated { .. }
            | NotificationFact::PolicyChanged => return,
        };
        self.group.add(now, metric, Point::of(copies));
    }
}

/// What a topic publishes about a copy.
fn of_topic(fact: &NotificationFact<'_>) -> [Option<(Metric, u64)>; 2] {
    match *fact {
        NotificationFact::FilteredOut { records, reason } => {
            let by_reason = match reason {
                FilterReason::MessageAttributes => Metric::NumberOfNotificationsFilteredOutMessageAttributes,
                FilterReason::NoMessageAttributes => Metric::NumberOfNotificationsFilteredOutNoMessageAttributes,
                FilterReason::MessageBody => Metric::NumberOfNotificationsFilteredOutMessageBody,
            };
            let all = (Metric::NumberOfNotificationsFilteredOut, len(records));
            [Some(all), Some((by_reason, len(records)))]
        }
        NotificationFact::Delivered { records, .. } => {
            [Some((Metric::NumberOfNotificationsDelivered, len(records))), None]
        }
        // It counts when the topic stops trying.
        NotificationFact::AttemptFailed {
            records,
            again_at: None,
            ..
        } => [Some((Metric::NumberOfNotificationsFailed, u64::from(records))), None],
        NotificationFact::DeadLettered { records, .. } => {
            [Some((Metric::NumberOfNotificationsRedrivenToDlq, len(records))), None]
        }
        NotificationFact::Lost {
            records,
            reason: LossReason::DeadLetterQueueFailed,
        } => [
            Some((Metric::NumberOfNotificationsFailedToRedriveToDlq, len(records))),
            None,
        ],
        NotificationFact::Lost {
            reason: LossReason::NoDeadLetterQueue,
            ..
        }
        | NotificationFact::AttemptFailed { again_at: Some(_), .. }
        | NotificationFact::Copied { .. }
        | NotificationFact::Duplicated { .. }
        | NotificationFact::PolicyChanged => [None, None],
    }
}

impl Metrics {
    pub(super) fn publishing(&mut self, now: SimTime, fact: &Publishing<'_>) {
        match *fact {
            Publishing::Topic {
                topic,
                fact: TopicFact::Published {
                    records, deduplicated, ..
                },
            } => {
                let group = &mut self.topics[topic];
                let accepted = records.iter().filter(|record| record.outcome() == Outcome::Accepted);
                let sizes = Point::of_all(accepted.map(|record| u64::from(record.bytes)));
                let published = sizes.count - u64::from(deduplicated);
                group.add(now, Metric::NumberOfMessagesPublished, Point::of(published));
                group.add(now, Metric::PublishSize, sizes);
                let throttled = records.iter().filter(|record| record.outcome() == Outcome::Throttled);
                let throttled = u64::try_from(throttled.count()).unwrap_or(u64::MAX);
                group.add(now, Metric::MessagesThrottled, Point::of(throttled));
            }
            Publishing::Topic {
                topic,
                fact: TopicFact::Refused { records, error, .. },
            } => {
                if error == ServiceError::Throttled {
                    self.topics[topic].add(now, Metric::MessagesThrottled, Point::of(len(records)));
                }
            }
            Publishing::Subscription {
                subscription,
                undelivered,
                ref fact,
            } => {
                self.subscriptions[subscription].note(now, undelivered, fact);
                let topic = self.directory.subscriptions[subscription].topic;
                for (metric, copies) in of_topic(fact).into_iter().flatten() {
                    self.topics[topic].add(now, metric, Point::of(copies));
                }
            }
        }
    }

    /// A queue took copies of a topic: from the publish to that.
    pub(super) fn notified(&mut self, now: SimTime, fact: &Queueing<'_>) {
        if let Queueing::Queue {
            fact:
                QueueFact::Sent {
                    notified: Some(notified @ Notified { redriven: false, .. }),
                    ..
                },
            ..
        } = *fact
        {
            let spans = notified
                .each()
                .map(|(published, _)| now.since(published).as_nanos() / 1_000);
            let group = &mut self.subscriptions[notified.subscription].group;
            group.add(now, Metric::DeliveryLatency, Point::of_all(spans));
        }
    }
}
