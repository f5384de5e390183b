//! Totals of topics and of their subscriptions.

use super::{Counts, bytes, len};
use crate::observe::fact::{NotificationFact, Notified, Publishing, QueueFact, Queueing, TopicFact};
use crate::observe::topic_fact::{DeliveryError, FilterReason, LossReason};
use crate::record::{Outcome, Record};
use std::collections::BTreeMap;

/// Totals of a topic, in messages unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TopicCounts {
    /// Publishes answered, batches counted once.
    pub publishes: u64,
    /// Taken, without those that were known.
    pub published: u64,
    /// Bytes of these.
    pub bytes_published: u64,
    /// Answered as success and gone nowhere, since they were known (SQS-S-29).
    pub deduplicated: u64,
    /// Refused for their size, one by one.
    pub entries_refused: u64,
    /// Refused for the throughput of their group, one by one (SQS-S-27).
    pub entries_throttled: u64,
    /// Publishes refused whole for throughput (SQS-S-21 to SQS-S-26).
    pub publishes_throttled: u64,
    /// Messages of these.
    pub throttled: u64,
    /// Publishes refused whole for other reasons.
    pub publishes_refused: u64,
}

impl TopicCounts {
    fn note(&mut self, fact: &TopicFact<'_>) {
        match *fact {
            TopicFact::Published {
                records, deduplicated, ..
            } => {
                let of = |outcome| records.iter().filter(move |record| record.outcome() == outcome);
                self.publishes += 1;
                self.published += count(of(Outcome::Accepted)) - u64::from(deduplicated);
                self.bytes_published += of(Outcome::Accepted).map(|record| u64::from(record.bytes)).sum::<u64>();
                self.deduplicated += u64::from(deduplicated);
                self.entries_refused += count(of(Outcome::Failed));
                self.entries_throttled += count(of(Outcome::Throttled));
            }
            TopicFact::Refused { records, error, .. } => {
                if error == crate::batch::ServiceError::Throttled {
                    self.publishes_throttled += 1;
                    self.throttled += len(records);
                } else {
                    self.publishes_refused += 1;
                }
            }
        }
    }
}

fn count<'r>(records: impl Iterator<Item = &'r Record>) -> u64 {
    u64::try_from(records.count()).unwrap_or(u64::MAX)
}

/// Totals of a subscription, in copies of messages.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SubscriptionCounts {
    /// Accepted by its filter policy.
    pub copied: u64,
    /// Not accepted, since their attributes have other values (SQS-S-17).
    pub filtered_by_attributes: u64,
    /// Not accepted, since they have no attributes.
    pub filtered_without_attributes: u64,
    /// Not accepted, since their bodies have other fields.
    pub filtered_by_body: u64,
    /// Made once more by a standard topic (SQS-S-02).
    pub duplicated: u64,
    /// The queue answered that it took them.
    pub delivered: u64,
    /// Bytes of these.
    pub bytes_delivered: u64,
    /// Delivered by another attempt than the first.
    pub delivered_late: u64,
    /// Attempts that failed and were repeated (SQS-S-06), each copy counted.
    pub retried: u64,
    /// Given up, since the queue's policy refuses the topic (SQS-S-09).
    pub denied: u64,
    /// Given up, since the queue does not take so large a message.
    pub too_large: u64,
    /// Given up, since raw delivery does not carry so many attributes (SQS-S-05).
    pub too_many_attributes: u64,
    /// Given up at the end of the delivery policy (SQS-S-07).
    pub exhausted: u64,
    /// Now in the subscription's dead-letter queue (SQS-S-10).
    pub dead_lettered: u64,
    /// Lost without a dead-letter queue (SQS-S-10).
    pub lost: u64,
    /// Lost since the dead-letter queue did not take them either.
    pub lost_to_dead_letter_queue: u64,
    /// Came into the queue, acknowledged or not; what a FIFO queue swallowed included.
    pub entered: u64,
    /// Of these, those that came after a later one of their key.
    pub out_of_order: u64,
    /// Most copies undelivered at one time.
    pub max_undelivered: u64,
    /// By key: the greatest ordinal that has come.
    newest: BTreeMap<u32, u32>,
}

impl SubscriptionCounts {
    /// Copies that the filter policy did not accept.
    pub const fn filtered_out(&self) -> u64 {
        self.filtered_by_attributes + self.filtered_without_attributes + self.filtered_by_body
    }
    /// Copies that the topic stopped trying to deliver to the queue.
    pub const fn given_up(&self) -> u64 {
        self.denied + self.too_large + self.too_many_attributes + self.exhausted
    }
    /// Copies that are lost.
    pub const fn lost_in_all(&self) -> u64 {
        self.lost + self.lost_to_dead_letter_queue
    }

    pub(in crate::observe) fn note(&mut self, undelivered: u64, fact: &NotificationFact<'_>) {
        self.max_undelivered = self.max_undelivered.max(undelivered);
        match *fact {
            NotificationFact::Copied { records } => self.copied += len(records),
            NotificationFact::FilteredOut { records, reason } => {
                *match reason {
                    FilterReason::MessageAttributes => &mut self.filtered_by_attributes,
                    FilterReason::NoMessageAttributes => &mut self.filtered_without_attributes,
                    FilterReason::MessageBody => &mut self.filtered_by_body,
                } += len(records);
            }
            NotificationFact::Duplicated { records } => self.duplicated += u64::from(records),
            NotificationFact::AttemptFailed {
                records,
                error,
                again_at,
            } => {
                *match error {
                    DeliveryError::Server(_) if again_at.is_some() => &mut self.retried,
                    DeliveryError::Server(_) => &mut self.exhausted,
                    DeliveryError::AccessDenied => &mut self.denied,
                    DeliveryError::MessageTooLarge => &mut self.too_large,
                    DeliveryError::TooManyAttributes => &mut self.too_many_attributes,
                } += u64::from(records);
            }
            NotificationFact::Delivered { records, attempt } => {
                self.delivered += len(records);
                self.bytes_delivered += bytes(records);
                self.delivered_late += if attempt > 1 { len(records) } else { 0 };
            }
            NotificationFact::DeadLettered { records, .. } => self.dead_lettered += len(records),
            NotificationFact::Lost { records, reason } => match reason {
                LossReason::NoDeadLetterQueue => self.lost += len(records),
                LossReason::DeadLetterQueueFailed => self.lost_to_dead_letter_queue += len(records),
            },
            NotificationFact::PolicyChanged => {}
        }
    }

    fn entered(&mut self, records: &[Record]) {
        for record in records.iter().filter(|record| record.outcome() == Outcome::Accepted) {
            self.entered += 1;
            let newest = self.newest.entry(record.key.0).or_insert(record.ordinal);
            self.out_of_order += u64::from(record.ordinal < *newest);
            *newest = (*newest).max(record.ordinal);
        }
    }
}

impl Counts {
    pub(super) fn publishing(&mut self, fact: &Publishing<'_>) {
        match *fact {
            Publishing::Topic { topic, ref fact } => self.topics[topic].note(fact),
            Publishing::Subscription {
                subscription,
                undelivered,
                ref fact,
            } => self.subscriptions[subscription].note(undelivered, fact),
        }
    }
    /// What a queue took of a topic.
    pub(super) fn notified(&mut self, fact: &Queueing<'_>) {
        if let Queueing::Queue {
            fact:
                QueueFact::Sent {
                    records,
                    notified:
                        Some(Notified {
                            subscription,
                            redriven: false,
                            ..
                        }),
                    ..
                },
            ..
        } = *fact
        {
            self.subscriptions[subscription].entered(records);
        }
    }
}
