//! About queues, their mappings, and topics.

use super::super::{Dimension, LENGTH, Most, Property, SPAN, Shape, defaulted, integer};
use super::DISTRIBUTION;

pub(super) const MESSAGES: &[Property] = &[
    defaulted(
        "queue_servers",
        integer(1, 64),
        "10",
        "Servers that hold the messages of a standard queue, each message on one: enough for sampling to show.",
    )
    .fact("SQS-Z-04"),
    defaulted(
        "short_poll_servers",
        integer(1, 64),
        "3",
        "Servers that a short poll asks, by lot with more chance where there is more.",
    )
    .fact("SQS-Z-05"),
    defaulted(
        "queue_order_jitter",
        Shape::Distribution(Dimension::Time),
        "{ exponential = \"20ms\" }",
        "How far the servers of a standard queue differ about the order of messages.",
    )
    .fact("SQS-Z-01"),
    defaulted(
        "queue_duplicate_rate",
        Shape::Fraction,
        "0.0000001",
        "Probability that a deleted message of a standard queue is delivered once more.",
    )
    .fact("SQS-Z-02"),
    defaulted(
        "outdated_delete_rate",
        Shape::Fraction,
        "0.5",
        "Probability that a delete with an old handle takes effect while a later receive holds the message.",
    )
    .fact("SQS-Z-10"),
    defaulted(
        "queue_service_time",
        Shape::Distribution(Dimension::Time),
        "{ p50 = \"10ms\", p99 = \"100ms\" }",
        "Service time of every call of a queue.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "topic_delivery_time",
        Shape::Distribution(Dimension::Time),
        "{ p50 = \"20ms\", p99 = \"200ms\" }",
        "From a publish to the arrival in a subscribed queue.",
    )
    .fact("SQS-Z-33"),
    defaulted(
        "topic_duplicate_rate",
        Shape::Fraction,
        "0.0000001",
        "Probability that a standard topic delivers a message twice.",
    )
    .fact("SQS-Z-33"),
    defaulted(
        "topic_service_time",
        Shape::Distribution(Dimension::Time),
        "{ p50 = \"10ms\", p99 = \"100ms\" }",
        "Service time of a publish; nobody publishes a figure, so it is a queue's.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "topic_retry_jitter",
        Shape::Fraction,
        "0.1",
        "How far a wait between two attempts to deliver may be off, as a share of it. AWS says that there is jitter.",
    )
    .fact("SQS-S-08"),
    defaulted(
        "topic_envelope",
        Shape::Bytes {
            least: 0,
            most: Most::Always(65_536),
        },
        "\"950B\"",
        "What the JSON envelope adds to a message that is not delivered raw: signature and addresses take most of it.",
    )
    .fact("SQS-S-03"),
    defaulted(
        "topic_filter_change_time",
        Shape::Distribution(Dimension::Time),
        "{ uniform = [\"0s\", \"15min\"] }",
        "Until another filter policy is in effect; AWS says at most 15 minutes.",
    )
    .fact("SQS-S-14"),
    defaulted(
        "queue_poll_time",
        DISTRIBUTION,
        "{ percentiles = { p0 = \"10ms\", p10 = \"12.2ms\", p50 = \"14.7ms\", p90 = \"32.3ms\", p99 = \"103.5ms\", p100 = \"198.5ms\" } }",
        "From the moment at which a standard queue has a message for a poller of Lambda that waits to the answer that \
         brings it: as measured from end to end in 2022, less three ways.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "queue_poll_time_fifo",
        DISTRIBUTION,
        "{ percentiles = { p0 = \"17.5ms\", p10 = \"20.4ms\", p50 = \"26.6ms\", p90 = \"59.7ms\", p99 = \"148.5ms\", p100 = \"248.5ms\" } }",
        "The same of a FIFO queue, without the cold starts in the measured tail.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "queue_error_backoff",
        Shape::Fraction,
        "0.0006",
        "What a function error adds to the reciprocal of the number of pollers: fitted to 25, 16 and 13 of 60 at 1, 5 and \
         10 % errors, as published.",
    )
    .fact("LAM-U-14"),
    defaulted(
        "queue_throttle_backoff",
        Shape::Fraction,
        "0.8",
        "What is left of the number of pollers after ten seconds with throttles.",
    )
    .fact("LAM-U-15"),
    defaulted(
        "queue_scale_in_steps",
        Shape::Flag,
        "false",
        "True: the growth of a minute comes at its end, as tables for exams have it; AWS states a rate.",
    )
    .fact("LAM-U-12"),
    defaulted(
        "queue_scale_down_after",
        SPAN,
        "\"60s\"",
        "So long must less than half of the pollers be busy before their number falls, at the rate at which it grew.",
    )
    .fact("LAM-U-13"),
    defaulted(
        "queue_idle_after",
        SPAN,
        "\"5min\"",
        "So long without a message, and two pollers are left.",
    )
    .fact("LAM-U-13"),
    defaulted(
        "queue_retry_pause",
        LENGTH,
        "\"100ms\"",
        "Pause of a poller of Lambda whose call the queue refuses.",
    )
    .fact("SQS-T-04"),
    defaulted(
        "payload_message_overhead",
        Shape::Bytes {
            least: 0,
            most: Most::Always(65_536),
        },
        "\"810B\"",
        "Metadata and receipt handle of a message in an invocation, beside its body.",
    )
    .fact("LAM-U-30"),
    defaulted(
        "provisioned_scale_down_after",
        SPAN,
        "\"3min\"",
        "So long must provisioned pollers be more than are needed before their number falls.",
    )
    .fact("LAM-U-19"),
    defaulted(
        "provisioned_scale_down",
        Shape::Fraction,
        "0.1",
        "The share of provisioned pollers that then goes each minute.",
    )
    .fact("LAM-U-19"),
    defaulted(
        "lost_receive_rate",
        Shape::Fraction,
        "0",
        "Probability that a queue has returned messages and the answer is lost: the client hears nothing before its timeout.",
    )
    .fact("SQS-R-18"),
    defaulted(
        "queue_attribute_propagation",
        DISTRIBUTION,
        "{ uniform = [\"0s\", \"60s\"] }",
        "After how long a change of a queue's attributes is in effect; AWS states the upper bound.",
    )
    .fact("SQS-A-34, SQS-Z-26"),
    defaulted(
        "queue_retention_propagation",
        DISTRIBUTION,
        "{ uniform = [\"0s\", \"15min\"] }",
        "After how long another MessageRetentionPeriod is in effect; AWS states the upper bound.",
    )
    .fact("SQS-A-35, SQS-Z-26"),
    defaulted(
        "queue_purge_time",
        DISTRIBUTION,
        "{ uniform = [\"0s\", \"60s\"] }",
        "How long a purge takes; until then its messages can be received. AWS states the upper bound.",
    )
    .fact("SQS-P-01, SQS-Z-27"),
    defaulted(
        "queue_purge_late_loss_rate",
        Shape::Fraction,
        "0.5",
        "Probability that a purge takes a message that was sent while it ran; AWS says that it may.",
    )
    .fact("SQS-P-04, SQS-Z-27"),
    defaulted(
        "message_move_rate",
        integer(1, 500),
        "500",
        "Messages a second of a redrive that states no rate, of standard queues; AWS optimises it by itself.",
    )
    .fact("SQS-M-05, SQS-Z-24"),
    defaulted(
        "message_move_rate_fifo",
        integer(1, 500),
        "300",
        "The same of FIFO queues: within the quota of calls.",
    )
    .fact("SQS-M-05, SQS-Z-24"),
    defaulted(
        "fifo_partition_growth_time",
        SPAN,
        "\"60s\"",
        "The partitions of a FIFO queue with high throughput are doubled after a window of this length in which one was used \
         for more than four fifths; 0s: there are at once as many as may be. AWS says only that they grow.",
    )
    .fact("SQS-T-16, SQS-Z-16"),
    defaulted(
        "fifo_partition_shrink_time",
        LENGTH,
        "\"15min\"",
        "They are halved after so long with less than a fifth used.",
    )
    .fact("SQS-T-16, SQS-Z-16"),
];
