//! Metrics of topics and their subscriptions.

use super::publisher::{simulator, sns};
use super::{Metric, Sort, Unit};
use crate::schema::Kind;
use Sort::{Counter, Distribution, Gauge, Timing};
use Unit::{Bytes, Count, Milliseconds};

/// One row a metric.
pub(super) const TOPICS: &[Metric] = &[
    sns(
        "NumberOfMessagesPublished",
        Count,
        Counter,
        "Messages published, without those that a FIFO topic knew (SNS-MET-01).",
    ),
    sns(
        "PublishSize",
        Bytes,
        Timing,
        "Size of the messages published (SNS-MET-01).",
    ),
    sns(
        "NumberOfNotificationsDelivered",
        Count,
        Counter,
        "Copies that subscribed queues took (SNS-MET-01).",
    ),
    sns(
        "NumberOfNotificationsFailed",
        Count,
        Counter,
        "Copies that the topic stopped trying to deliver (SNS-MET-01).",
    ),
    sns(
        "NumberOfNotificationsFilteredOut",
        Count,
        Counter,
        "Copies that filter policies did not accept (SQS-S-17).",
    ),
    sns(
        "NumberOfNotificationsFilteredOut-MessageAttributes",
        Count,
        Counter,
        "Of these: the attributes of the message have other values (SNS-MET-01).",
    ),
    sns(
        "NumberOfNotificationsFilteredOut-NoMessageAttributes",
        Count,
        Counter,
        "Of these: the message has no attributes (SNS-MET-01).",
    ),
    sns(
        "NumberOfNotificationsFilteredOut-MessageBody",
        Count,
        Counter,
        "Of these: the fields of the body have other values (SNS-MET-01).",
    ),
    sns(
        "NumberOfNotificationsRedrivenToDlq",
        Count,
        Counter,
        "Copies moved to the dead-letter queue of their subscription (SNS-MET-01).",
    ),
    sns(
        "NumberOfNotificationsFailedToRedriveToDlq",
        Count,
        Counter,
        "Copies that the dead-letter queue of their subscription did not take (SNS-MET-01).",
    ),
    simulator(
        "MessagesThrottled",
        Count,
        Counter,
        &[Kind::Topic],
        "Messages refused for throughput (SQS-S-21 to SQS-S-27).",
    ),
    simulator(
        "CopiesDelivered",
        Count,
        Counter,
        &[Kind::Subscription],
        "Copies that its queue took.",
    ),
    simulator(
        "CopiesFilteredOut",
        Count,
        Counter,
        &[Kind::Subscription],
        "Copies that its filter policy did not accept (SQS-S-17).",
    ),
    simulator(
        "CopiesRetried",
        Count,
        Counter,
        &[Kind::Subscription],
        "Attempts that failed and were to be repeated, each copy counted (SQS-S-06).",
    ),
    simulator(
        "CopiesDeadLettered",
        Count,
        Counter,
        &[Kind::Subscription],
        "Copies moved to its dead-letter queue (SQS-S-10).",
    ),
    simulator(
        "CopiesLost",
        Count,
        Counter,
        &[Kind::Subscription],
        "Copies that are lost (SQS-S-10).",
    ),
    simulator(
        "CopiesOutOfOrder",
        Count,
        Counter,
        &[Kind::Subscription],
        "Copies that came into its queue after a later one of their key (SQS-S-02, SQS-S-28).",
    ),
    simulator(
        "CopiesUndelivered",
        Count,
        Gauge,
        &[Kind::Subscription],
        "Copies that it has to deliver, at each full minute.",
    ),
    simulator(
        "DeliveryLatency",
        Milliseconds,
        Distribution,
        &[Kind::Subscription],
        "From the publish of a message to its arrival in the queue (SQS-Z-33).",
    ),
];
