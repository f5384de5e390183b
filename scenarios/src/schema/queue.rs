//! `[queue.NAME]`: AWS::SQS::Queue, and `[worker.NAME]`: whoever receives from it.

use super::{Dimension, Kind, LENGTH, Most, Rows, SPAN, Shape, defaulted, integer, optional, required, word};

/// Where messages go that were received too often.
static REDRIVE: Rows = Rows {
    title: "a redrive policy",
    aws: Some("AWS::SQS::Queue RedrivePolicy"),
    properties: &[
        required(
            "deadLetterTargetArn",
            Shape::Reference(&[Kind::Queue]),
            "The dead-letter queue, of the same type.",
        )
        .fact("SQS-A-08, SQS-D-07"),
        required(
            "maxReceiveCount",
            integer(1, 1_000),
            "A message that was received so often is moved by the next receive that meets it.",
        )
        .fact("SQS-A-09, SQS-D-01"),
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
        .fact("SQS-A-01"),
        defaulted(
            "MessageRetentionPeriod",
            integer(60, 1_209_600),
            "345600",
            "Seconds for which a message is kept, counted from its send.",
        )
        .fact("SQS-A-02"),
        defaulted(
            "DelaySeconds",
            integer(0, 900),
            "0",
            "Seconds for which a new message is held back.",
        )
        .fact("SQS-A-03"),
        defaulted(
            "ReceiveMessageWaitTimeSeconds",
            integer(0, 20),
            "0",
            "Seconds for which a receive waits for a message; 0: it does not (short polling).",
        )
        .fact("SQS-A-04, SQS-R-05"),
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
        .fact("SQS-A-05, SQS-A-06"),
        defaulted(
            "FifoThroughputLimit",
            word(&["perQueue", "perMessageGroupId"]),
            "\"perQueue\"",
            "Of a FIFO queue: 300 calls a second for each action, or high throughput.",
        )
        .fact("SQS-A-25, SQS-A-28"),
        optional(
            "RedrivePolicy",
            Shape::Table(&REDRIVE),
            "Its dead-letter queue. Without it: a message that fails comes back until it expires.",
        )
        .fact("SQS-A-08"),
    ],
    not_modelled: &[
        "QueueName",
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "RedriveAllowPolicy",
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
        .fact("SQS-R-03, SQS-R-04"),
        defaulted(
            "MaxNumberOfMessages",
            integer(1, 10),
            "10",
            "Most messages of a receive.",
        )
        .fact("SQS-R-01"),
        optional(
            "VisibilityTimeout",
            integer(0, 43_200),
            "Seconds for which a receive hides its messages. Without it: what the queue is set to.",
        )
        .fact("SQS-V-01"),
        defaulted(
            "idle_pause",
            SPAN,
            "\"0s\"",
            "Pause after a receive that brought nothing or failed.",
        )
        .fact("SQS-R-19"),
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
