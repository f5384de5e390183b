//! `[queue.NAME]`: AWS::SQS::Queue, and `[worker.NAME]`: whoever receives from it.

use super::{Dimension, Kind, LENGTH, Most, Rows, SPAN, Shape, defaulted, integer, optional, required, word};

/// Where messages go that were received too often.
pub(super) static REDRIVE: Rows = Rows {
    title: "a redrive policy",
    aws: Some("AWS::SQS::Queue RedrivePolicy"),
    properties: &[
        required(
            "deadLetterTargetArn",
            Shape::Reference(&[Kind::Queue]),
            "The dead-letter queue, of the same type.",
        )
        .fact("SQS-A-08, SQS-D-07")
        .refused_as("InvalidParameterValue"),
        required(
            "maxReceiveCount",
            integer(1, 1_000),
            "A message that was received so often is moved by the next receive that meets it.",
        )
        .fact("SQS-A-09, SQS-D-01")
        .refused_as("InvalidParameterValue"),
    ],
    not_modelled: &[],
};

/// Who may name this queue as dead-letter queue.
static REDRIVE_ALLOW: Rows = Rows {
    title: "a redrive allow policy",
    aws: Some("AWS::SQS::Queue RedriveAllowPolicy"),
    properties: &[
        defaulted(
            "redrivePermission",
            word(&["allowAll", "denyAll", "byQueue"]),
            "\"allowAll\"",
            "Which queues may have this one as dead-letter queue: all, none, or those listed.",
        )
        .fact("SQS-A-13, SQS-D-11")
        .refused_as("InvalidAttributeValue"),
        optional(
            "sourceQueueArns",
            Shape::List(&Shape::Reference(&[Kind::Queue])),
            "With byQueue: these, at most ten.",
        )
        .fact("SQS-A-14, SQS-A-15")
        .refused_as("InvalidAttributeValue"),
    ],
    not_modelled: &[],
};

/// Properties of a queue.
pub static QUEUE: Rows = Rows {
    title: "a queue",
    aws: Some("AWS::SQS::Queue"),
    properties: &[
        defaulted(
            "FifoQueue",
            Shape::Flag,
            "false",
            "It keeps the order of each message group, which is the producer's key.",
        )
        .fact("SQS-A-16"),
        defaulted(
            "VisibilityTimeout",
            integer(0, 43_200),
            "30",
            "Seconds for which a receive hides a message.",
        )
        .fact("SQS-A-01")
        .refused_as("InvalidAttributeValue"),
        defaulted(
            "MessageRetentionPeriod",
            integer(60, 1_209_600),
            "345600",
            "Seconds for which a message is kept, counted from its send.",
        )
        .fact("SQS-A-02")
        .refused_as("InvalidAttributeValue"),
        defaulted(
            "DelaySeconds",
            integer(0, 900),
            "0",
            "Seconds for which a new message is held back.",
        )
        .fact("SQS-A-03")
        .refused_as("InvalidAttributeValue"),
        defaulted(
            "ReceiveMessageWaitTimeSeconds",
            integer(0, 20),
            "0",
            "Seconds for which a receive waits for a message; 0: it does not (short polling).",
        )
        .fact("SQS-A-04, SQS-R-05")
        .refused_as("InvalidAttributeValue"),
        defaulted(
            "MaximumMessageSize",
            Shape::Integer {
                least: 1_024,
                most: Most::ByProfile {
                    exam: 262_144,
                    current: 1_048_576,
                },
            },
            "",
            "Largest message in bytes.",
        )
        .by_profile("262144", "1048576")
        .fact("SQS-A-05, SQS-A-06")
        .refused_as("InvalidAttributeValue"),
        defaulted(
            "FifoThroughputLimit",
            word(&["perQueue", "perMessageGroupId"]),
            "\"perQueue\"",
            "Of a FIFO queue: 300 calls a second for each action, or high throughput.",
        )
        .fact("SQS-A-25, SQS-A-28")
        .refused_as("InvalidAttributeValue"),
        defaulted(
            "DeduplicationScope",
            word(&["queue", "messageGroup"]),
            "\"queue\"",
            "Of a FIFO queue: within what a MessageDeduplicationId is known.",
        )
        .fact("SQS-A-24, SQS-U-07, SQS-U-08")
        .refused_as("InvalidAttributeValue"),
        defaulted(
            "ContentBasedDeduplication",
            Shape::Flag,
            "false",
            "Of a FIFO queue: a message without a MessageDeduplicationId gets one from its contents.",
        )
        .fact("SQS-A-23, SQS-B-25"),
        optional(
            "RedriveAllowPolicy",
            Shape::Table(&REDRIVE_ALLOW),
            "Which queues may name this one as dead-letter queue. Without it: all.",
        )
        .fact("SQS-A-13"),
        optional(
            "RedrivePolicy",
            Shape::Table(&REDRIVE),
            "Its dead-letter queue. Without it: a message that fails comes back until it expires.",
        )
        .fact("SQS-A-08"),
    ],
    not_modelled: &[
        "QueueName",
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "SqsManagedSseEnabled",
        "Tags",
    ],
};

/// The error model of workers.
static FAILURE: Rows = Rows::own(
    "the errors of workers",
    &[
        defaulted(
            "rate",
            Shape::Fraction,
            "0",
            "Probability that the code fails with a message, which is then not deleted.",
        ),
        defaulted(
            "poison",
            Shape::Fraction,
            "0",
            "Share of the messages that no attempt ever succeeds with.",
        ),
        defaulted(
            "release",
            Shape::Flag,
            "false",
            "A message that failed is made visible at once, with ChangeMessageVisibility to 0.",
        )
        .fact("SQS-V-07"),
    ],
);

/// Deaths of workers.
static CRASH: Rows = Rows::own(
    "the deaths of workers",
    &[
        required(
            "rate",
            Shape::Fraction,
            "Probability that a worker dies in the middle of a batch.",
        ),
        defaulted("restart", SPAN, "\"30s\"", "Until another worker is in its place."),
    ],
);

/// Properties of workers.
pub static WORKER: Rows = Rows::own(
    "workers of a queue",
    &[
        required(
            "queue",
            Shape::Reference(&[Kind::Queue]),
            "The queue that they receive from.",
        ),
        defaulted(
            "count",
            integer(1, 60_000),
            "1",
            "How many there are. Each has one request or one batch at a time.",
        ),
        defaulted("starts_at", SPAN, "\"0s\"", "When they start, spread over a second."),
        optional(
            "WaitTimeSeconds",
            integer(0, 20),
            "How long a receive waits for a message. Without it: what the queue is set to.",
        )
        .fact("SQS-R-03, SQS-R-04")
        .refused_as("InvalidParameterValue"),
        defaulted(
            "MaxNumberOfMessages",
            integer(1, 10),
            "10",
            "Most messages of a receive.",
        )
        .fact("SQS-R-01, SQS-R-02")
        .refused_as("InvalidParameterValue"),
        optional(
            "VisibilityTimeout",
            integer(0, 43_200),
            "Seconds for which a receive hides its messages. Without it: what the queue is set to.",
        )
        .fact("SQS-V-01, SQS-V-05")
        .refused_as("InvalidParameterValue"),
        defaulted(
            "idle_pause",
            SPAN,
            "\"0s\"",
            "Pause after a receive that brought nothing or failed.",
        )
        .fact("SQS-R-19"),
        defaulted(
            "ReceiveRequestAttemptId",
            Shape::Flag,
            "false",
            "A receive from a FIFO queue that is repeated, since its answer was lost, gets the same messages again.",
        )
        .fact("SQS-X-01, SQS-X-02"),
        defaulted(
            "retry",
            Shape::Table(&super::producer::RETRY),
            "{}",
            "The SDK's retries of calls that were throttled or whose answer was lost.",
        ),
        required(
            "time",
            Shape::Distribution(Dimension::Time),
            "Time that a message takes. The messages of a receive are processed one after the other, and deleted together.",
        ),
        optional("failure", Shape::Table(&FAILURE), "Their errors. Without it: none."),
        optional(
            "heartbeat",
            LENGTH,
            "How often a worker extends the visibility timeout of what it processes. Without it: never.",
        )
        .fact("SQS-V-27"),
        optional("crash", Shape::Table(&CRASH), "Their deaths. Without it: none."),
    ],
);
