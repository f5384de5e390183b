//! The top of a file.

use super::{
    Kind, LENGTH, Property, Rows, Shape, defaulted, expect, integer, intervention, model, optional, required, word,
};

/// The version of the scenario language.
pub const FORMAT: u64 = 1;

/// The account: `[account]`.
pub static ACCOUNT: Rows = Rows::own(
    "the account",
    &[
        defaulted(
            "ConcurrentExecutions",
            integer(1, 100_000),
            "1000",
            "Concurrency quota of the account in its Region, shared by all functions.",
        )
        .fact("LAM-C-04"),
        defaulted(
            "Region",
            Shape::Text,
            "\"us-east-1\"",
            "The Region, on which the quotas of streams depend, and in the profile `exam` how many environments functions get at once.",
        )
        .fact("KDS-CAP-09, KDS-CAP-10, KDS-CAP-14, LAM-C-16"),
        optional(
            "shard_quota",
            integer(1, 1_000_000),
            "Open shards of all provisioned streams together. Without it: the default of the Region.",
        )
        .fact("KDS-CAP-14"),
        defaulted(
            "on_demand_advantage",
            Shape::Flag,
            "false",
            "On-demand Advantage is on, which warm throughput needs. Only in the profile `current`.",
        )
        .fact("KDS-CAP-01, KDS-CAP-17"),
    ],
);

/// What a file holds at its top.
pub static TOP: Rows = Rows {
    title: "a scenario",
    aws: None,
    properties: PROPERTIES,
    not_modelled: &["firehose", "lesson", "variant", "sweep"],
};

static PROPERTIES: &[Property] = &[
    required("format", integer(0, u64::MAX), "Version of the scenario language: 1."),
    optional("title", Shape::Text, "What the scenario shows, in a line."),
    optional("question", Shape::Prose, "The question that the run answers."),
    defaulted(
        "profile",
        word(&["exam", "current"]),
        "\"current\"",
        "Which quotas hold: the long-standing ones that exams ask for, or the newest documented ones.",
    ),
    defaulted("seed", integer(0, u64::MAX), "1", "Seed of all random streams."),
    required("duration", LENGTH, "How long the simulated run lasts."),
    defaulted(
        "model",
        Shape::Table(&model::MODEL),
        "{}",
        "Choices that AWS does not document.",
    ),
    defaulted("account", Shape::Table(&ACCOUNT), "{}", "Quotas of the account."),
    optional("producer", Shape::Components(Kind::Producer), "Sources of records."),
    optional("stream", Shape::Components(Kind::Stream), "Kinesis data streams."),
    optional("queue", Shape::Components(Kind::Queue), "SQS queues."),
    optional(
        "worker",
        Shape::Components(Kind::Worker),
        "Workers that receive from queues.",
    ),
    optional("topic", Shape::Components(Kind::Topic), "SNS topics."),
    optional(
        "subscription",
        Shape::Components(Kind::Subscription),
        "Subscriptions of queues to topics.",
    ),
    optional(
        "consumer",
        Shape::Components(Kind::Consumer),
        "Registered consumers of streams, for enhanced fan-out.",
    ),
    optional("mapping", Shape::Components(Kind::Mapping), "Event source mappings."),
    optional(
        "application",
        Shape::Components(Kind::Application),
        "Consumer applications that read with the Kinesis Client Library.",
    ),
    optional("function", Shape::Components(Kind::Function), "Lambda functions."),
    optional(
        "invoker",
        Shape::Components(Kind::Invoker),
        "Direct callers of functions.",
    ),
    optional(
        "sink",
        Shape::Components(Kind::Sink),
        "Systems that functions and applications write to.",
    ),
    optional(
        "intervention",
        Shape::List(&Shape::Table(&intervention::INTERVENTION)),
        "What changes during the run.",
    ),
    optional(
        "expect",
        Shape::List(&Shape::Table(&expect::EXPECT)),
        "What must come out, by metrics.",
    ),
    optional(
        "guarantee",
        Shape::List(&Shape::Table(&expect::GUARANTEE)),
        "What must come out, by promises about order, duplicates and loss.",
    ),
];
