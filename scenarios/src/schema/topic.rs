//! `[topic.NAME]`: AWS::SNS::Topic, `[subscription.NAME]`: AWS::SNS::Subscription, and what published messages carry.

use super::{Kind, Most, Rows, SPAN, Shape, defaulted, integer, optional, required, word};

/// Properties of a topic.
pub static TOPIC: Rows = Rows {
    title: "a topic",
    aws: Some("AWS::SNS::Topic"),
    properties: &[
        defaulted(
            "FifoTopic",
            Shape::Flag,
            "false",
            "It keeps the order of each message group, which is the producer's key, and swallows repeated messages.",
        )
        .fact("SQS-S-28, SQS-S-29"),
        defaulted(
            "ContentBasedDeduplication",
            Shape::Flag,
            "false",
            "Of a FIFO topic. A message's identity stands for its deduplication ID, stated or computed, so nothing changes.",
        )
        .fact("SQS-S-30"),
        defaulted(
            "FifoThroughputScope",
            word(&["Topic", "MessageGroup"]),
            "\"Topic\"",
            "Of a FIFO topic: one limit for all messages, or one for each message group.",
        )
        .fact("SQS-S-26, SQS-S-27"),
        defaulted(
            "MaximumMessageSize",
            Shape::Integer {
                least: 1_024,
                most: Most::ByProfile {
                    exam: 262_144,
                    current: 1_048_576,
                },
            },
            "262144",
            "Largest message in bytes, body and attributes together.",
        )
        .fact("SQS-S-18"),
    ],
    not_modelled: &[
        "TopicName",
        "DisplayName",
        "KmsMasterKeyId",
        "Subscription",
        "SignatureVersion",
        "TracingConfig",
        "DataProtectionPolicy",
        "DeliveryStatusLogging",
        "ArchivePolicy",
        "Tags",
    ],
};

/// Where copies go that could not be delivered.
static REDRIVE: Rows = Rows {
    title: "a redrive policy",
    aws: Some("AWS::SNS::Subscription RedrivePolicy"),
    properties: &[required(
        "deadLetterTargetArn",
        Shape::Reference(&[Kind::Queue]),
        "The subscription's dead-letter queue; that of a FIFO topic needs a FIFO queue.",
    )
    .fact("SQS-S-11, SQS-S-34")],
    not_modelled: &[],
};

/// Properties of a subscription.
pub static SUBSCRIPTION: Rows = Rows {
    title: "a subscription",
    aws: Some("AWS::SNS::Subscription"),
    properties: &[
        required("TopicArn", Shape::Reference(&[Kind::Topic]), "The topic."),
        required(
            "Endpoint",
            Shape::Reference(&[Kind::Queue]),
            "The queue that gets the messages.",
        )
        .fact("SQS-S-01, SQS-S-33"),
        defaulted(
            "RawMessageDelivery",
            Shape::Flag,
            "false",
            "False: the body is a JSON envelope around the message. True: it is the message, with at most ten attributes.",
        )
        .fact("SQS-S-03, SQS-S-04, SQS-S-05"),
        optional(
            "FilterPolicy",
            Shape::Prose,
            "Which messages it gets, in AWS's JSON: '{\"event\": [\"order\"]}'. Without it: all.",
        )
        .fact("SQS-S-12, SQS-S-15"),
        defaulted(
            "FilterPolicyScope",
            word(&["MessageAttributes", "MessageBody"]),
            "\"MessageAttributes\"",
            "What the filter policy looks at.",
        )
        .fact("SQS-S-13"),
        optional(
            "RedrivePolicy",
            Shape::Table(&REDRIVE),
            "Its dead-letter queue. Without it: what cannot be delivered is lost.",
        )
        .fact("SQS-S-10"),
        defaulted(
            "created_at",
            SPAN,
            "\"0s\"",
            "Since when it exists. It gets nothing that was published before.",
        )
        .fact("SQS-S-36"),
    ],
    not_modelled: &[
        "DeliveryPolicy",
        "Protocol",
        "Region",
        "ReplayPolicy",
        "SubscriptionRoleArn",
    ],
};

/// A value of an attribute.
static VALUE: Rows = Rows::own(
    "a value",
    &[
        optional("text", Shape::Text, "A string."),
        optional(
            "number",
            Shape::Number { least: -1e9, most: 1e9 },
            "A number, of which five digits after the point count.",
        ),
        optional("absent", Shape::Flag, "True: the message does not have it."),
        defaulted(
            "weight",
            integer(0, 1_000_000),
            "1",
            "How many of the messages have this value, relative to the others.",
        ),
    ],
);

/// An attribute of a producer's messages, or a field of their bodies.
pub static ATTRIBUTE: Rows = Rows::own(
    "an attribute",
    &[
        required(
            "name",
            Shape::Text,
            "Its name; of a nested field of the body the path, with dots.",
        ),
        required(
            "values",
            Shape::List(&Shape::Table(&VALUE)),
            "Each message has one of these.",
        ),
    ],
);

/// Another filter policy.
pub static FILTER_POLICY: Rows = Rows::own(
    "a change of a filter policy",
    &[
        required("of", Shape::Reference(&[Kind::Subscription]), "The subscription."),
        optional(
            "policy",
            Shape::Prose,
            "The new FilterPolicy, with the scope of the old one. Without it: everything passes.",
        )
        .fact("SQS-S-14"),
    ],
);
/// A queue whose policy refuses a topic.
pub static DENY_SUBSCRIPTION: Rows = Rows::own(
    "a refusal of deliveries",
    &[
        required("of", Shape::Reference(&[Kind::Subscription]), "The subscription."),
        required("lasts", super::LENGTH, "For how long.").fact("SQS-S-09"),
    ],
);
/// A queue out of order.
pub static BREAK_QUEUE: Rows = Rows::own(
    "an outage of a queue",
    &[
        required(
            "queue",
            Shape::Reference(&[Kind::Queue]),
            "The queue that fails whatever is asked of it.",
        ),
        required("lasts", super::LENGTH, "For how long.").fact("SQS-S-06"),
    ],
);
