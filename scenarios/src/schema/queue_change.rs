//! `[[intervention]]`: what is asked of queues during a run.

use super::queue::REDRIVE;
use super::{Kind, Most, Rows, Shape, defaulted, integer, optional, required, word};

const QUEUE: Shape = Shape::Reference(&[Kind::Queue]);

/// Other attributes.
pub static QUEUE_ATTRIBUTES: Rows = Rows::own(
    "a change of a queue's attributes",
    &[
        required("of", QUEUE, "The queue."),
        optional(
            "VisibilityTimeout",
            integer(0, 43_200),
            "Seconds, of receives from then on.",
        )
        .fact("SQS-A-01, SQS-A-34")
        .refused_as("InvalidAttributeValue"),
        optional(
            "MessageRetentionPeriod",
            integer(60, 1_209_600),
            "Seconds, of messages that are stored already too.",
        )
        .fact("SQS-A-02, SQS-A-35, SQS-A-36")
        .refused_as("InvalidAttributeValue"),
        optional(
            "DelaySeconds",
            integer(0, 900),
            "Seconds; of messages that are delayed already in a FIFO queue only.",
        )
        .fact("SQS-A-03, SQS-A-37, SQS-A-38")
        .refused_as("InvalidAttributeValue"),
        optional("ReceiveMessageWaitTimeSeconds", integer(0, 20), "Seconds.")
            .fact("SQS-A-04")
            .refused_as("InvalidAttributeValue"),
        optional(
            "MaximumMessageSize",
            Shape::Integer {
                least: 1_024,
                most: Most::ByProfile {
                    exam: 262_144,
                    current: 1_048_576,
                },
            },
            "Bytes.",
        )
        .fact("SQS-A-05, SQS-A-06")
        .refused_as("InvalidAttributeValue"),
        optional(
            "FifoQueue",
            Shape::Flag,
            "A queue never changes its type: only what it is may be stated.",
        )
        .fact("SQS-A-16, SQS-A-17"),
        optional(
            "DeduplicationScope",
            word(&["queue", "messageGroup"]),
            "Of a FIFO queue.",
        )
        .fact("SQS-A-24, SQS-U-09")
        .refused_as("InvalidAttributeValue"),
        optional(
            "FifoThroughputLimit",
            word(&["perQueue", "perMessageGroupId"]),
            "Of a FIFO queue.",
        )
        .fact("SQS-A-25, SQS-T-18")
        .refused_as("InvalidAttributeValue"),
        optional(
            "RedrivePolicy",
            Shape::Table(&REDRIVE),
            "Another dead-letter queue, or another count.",
        )
        .fact("SQS-A-08"),
        defaulted(
            "remove_redrive_policy",
            Shape::Flag,
            "false",
            "RedrivePolicy is set to the empty string: the queue has no dead-letter queue any more.",
        )
        .fact("SQS-A-12"),
    ],
);

/// A purge.
pub static PURGE: Rows = Rows::own(
    "a purge",
    &[required("of", QUEUE, "The queue.").fact("SQS-P-01, SQS-P-04")],
);

/// A redrive.
pub static START_MESSAGE_MOVE_TASK: Rows = Rows::own(
    "a redrive",
    &[
        required("SourceArn", QUEUE, "The dead-letter queue that is emptied.").fact("SQS-M-01"),
        optional(
            "DestinationArn",
            QUEUE,
            "Where all messages go. Without it: each to the queue that it came from.",
        )
        .fact("SQS-M-02, SQS-M-03"),
        optional(
            "MaxNumberOfMessagesPerSecond",
            integer(1, 500),
            "Messages a second. Without it: the model's message_move_rate.",
        )
        .fact("SQS-M-05")
        .refused_as("InvalidParameterValue"),
    ],
);

/// The end of a redrive.
pub static CANCEL_MESSAGE_MOVE_TASK: Rows = Rows::own(
    "the cancellation of a redrive",
    &[required("SourceArn", QUEUE, "The dead-letter queue.").fact("SQS-M-12, SQS-M-13")],
);
