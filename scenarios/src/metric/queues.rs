//! Metrics of queues and their workers.

use super::publisher::{simulator, sqs};
use super::{Metric, Sort, Unit};
use crate::schema::Kind;
use Sort::{Counter, Gauge, Timing};
use Unit::{Bytes, Count};

/// One row a metric.
pub(super) const QUEUES: &[Metric] = &[
    sqs(
        "NumberOfMessagesSent",
        Count,
        Counter,
        "Messages added by sends (SQS-C-15).",
    ),
    sqs(
        "SentMessageSize",
        Bytes,
        Timing,
        "Size of the messages added by sends (SQS-C-19).",
    ),
    sqs(
        "NumberOfMessagesReceived",
        Count,
        Counter,
        "Messages returned by receives, each time counted (SQS-C-16).",
    ),
    sqs(
        "NumberOfEmptyReceives",
        Count,
        Counter,
        "Receives that returned nothing (SQS-C-18).",
    ),
    sqs(
        "NumberOfMessagesDeleted",
        Count,
        Counter,
        "Deletes with a valid handle, repeated ones included (SQS-C-17).",
    ),
    sqs(
        "ApproximateNumberOfMessagesVisible",
        Count,
        Gauge,
        "Messages available for receive, at each full minute (SQS-C-12).",
    ),
    sqs(
        "ApproximateNumberOfMessagesNotVisible",
        Count,
        Gauge,
        "Messages in flight, at each full minute (SQS-C-13).",
    ),
    sqs(
        "ApproximateNumberOfMessagesDelayed",
        Count,
        Gauge,
        "Messages delayed, at each full minute (SQS-C-14).",
    ),
    sqs(
        "ApproximateAgeOfOldestMessage",
        Count,
        Gauge,
        "Age of the oldest message in seconds, at each full minute (SQS-C-06).",
    ),
    sqs(
        "NumberOfDeduplicatedSentMessages",
        Count,
        Counter,
        "Sends that were answered as success and stored nothing (SQS-C-21).",
    ),
    sqs(
        "ApproximateNumberOfGroupsWithInflightMessages",
        Count,
        Gauge,
        "Message groups with a message in flight, at each full minute (SQS-C-20).",
    ),
    sqs(
        "ApproximateNumberOfMessagesVisibleInQuietGroups",
        Count,
        Gauge,
        "Of a fair queue: messages available, without those of noisy tenants (SQS-Q-17).",
    ),
    sqs(
        "ApproximateNumberOfMessagesNotVisibleInQuietGroups",
        Count,
        Gauge,
        "Of a fair queue: messages in flight, without those of noisy tenants (SQS-Q-17).",
    ),
    sqs(
        "ApproximateNumberOfMessagesDelayedInQuietGroups",
        Count,
        Gauge,
        "Of a fair queue: messages delayed, without those of noisy tenants (SQS-Q-17).",
    ),
    sqs(
        "ApproximateAgeOfOldestMessageInQuietGroups",
        Count,
        Gauge,
        "Of a fair queue: age of the next available message of a quiet tenant in seconds, at each full minute (SQS-Q-17).",
    ),
    sqs(
        "ApproximateNumberOfNoisyGroups",
        Count,
        Gauge,
        "Of a fair queue: tenants that are noisy, at each full minute (SQS-Q-17).",
    ),
    simulator(
        "MessagesReceivedAgain",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages returned by a receive though an earlier one had returned them, too.",
    ),
    simulator(
        "MessagesExpired",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages lost by retention (SQS-L-12).",
    ),
    simulator(
        "MessagesDeadLettered",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages moved to the dead-letter queue (SQS-D-01).",
    ),
    simulator(
        "MessagesRedriven",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages that a redrive moved out of this dead-letter queue (SQS-M-21).",
    ),
    simulator(
        "MessagesPurged",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages removed by PurgeQueue (SQS-P-05).",
    ),
    simulator(
        "MessagesRefused",
        Count,
        Counter,
        &[Kind::Queue],
        "Entries of sends that were refused one by one, and sends that were refused whole.",
    ),
    simulator(
        "ReceivesRefused",
        Count,
        Counter,
        &[Kind::Queue],
        "Receives refused with an error: OverLimit or RequestThrottled (SQS-I-03, SQS-T-04).",
    ),
    simulator(
        "Requests",
        Count,
        Counter,
        &[Kind::Queue],
        "Requests as a bill counts them: calls, and each further 64 KB of payload (SQS-G-01 to SQS-G-06).",
    ),
    simulator(
        "MessagesProcessed",
        Count,
        Counter,
        &[Kind::Worker],
        "Messages processed well, each time counted.",
    ),
    simulator(
        "MessagesFailed",
        Count,
        Counter,
        &[Kind::Worker],
        "Messages that the code failed with, each time counted.",
    ),
    simulator(
        "Crashes",
        Count,
        Counter,
        &[Kind::Worker],
        "Workers that died in the middle of a batch.",
    ),
];
