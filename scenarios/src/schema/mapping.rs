//! `[mapping.NAME]`: AWS::Lambda::EventSourceMapping.

use super::{Kind, Rows, Shape, defaulted, integer, optional, required, word};

/// Where documents about discarded batches go.
pub static ON_FAILURE: Rows = Rows::own(
    "an on-failure destination",
    &[
        required(
            "Destination",
            Shape::Text,
            "A standard SQS queue, a standard SNS topic or an S3 bucket outside of the model: queue.NAME, topic.NAME or \
             bucket.NAME.",
        )
        .fact("LAM-X-21"),
        defaulted(
            "failure_rate",
            Shape::Fraction,
            "0",
            "Probability that a document cannot be delivered; then its records are dropped.",
        )
        .fact("LAM-X-29"),
    ],
);

/// `MetricsConfig`.
pub static METRICS_CONFIG: Rows = Rows::own(
    "metrics of an event source mapping",
    &[required("Metrics", Shape::List(&word(&["EventCount"])), "Groups of metrics.").fact("LAM-M-22")],
);

/// `DestinationConfig`.
pub static DESTINATION: Rows = Rows::own(
    "the destination of discarded batches",
    &[required(
        "OnFailure",
        Shape::Table(&ON_FAILURE),
        "What gets a document about each batch that is given up.",
    )
    .fact("LAM-E-18")],
);

/// Properties of an event source mapping.
pub static MAPPING: Rows = Rows {
    title: "an event source mapping",
    aws: Some("AWS::Lambda::EventSourceMapping"),
    properties: &[
        required(
            "EventSourceArn",
            Shape::Reference(&[Kind::Stream]),
            "The stream that it reads.",
        ),
        required(
            "FunctionName",
            Shape::Reference(&[Kind::Function]),
            "The function that it invokes.",
        ),
        required(
            "StartingPosition",
            Shape::Word {
                words: &["TRIM_HORIZON", "LATEST"],
                not_modelled: &["AT_TIMESTAMP"],
            },
            "Where reading starts: at the oldest record or after the newest.",
        )
        .fact("LAM-K-16"),
        defaulted(
            "BatchSize",
            integer(1, 10_000),
            "100",
            "Most records in one invocation.",
        )
        .fact("LAM-K-11"),
        defaulted(
            "MaximumBatchingWindowInSeconds",
            integer(0, 300),
            "0",
            "How long a batch may gather before the function is invoked.",
        )
        .fact("LAM-E-04"),
        defaulted(
            "ParallelizationFactor",
            integer(1, 10),
            "1",
            "Concurrent batches of one shard.",
        )
        .fact("LAM-K-06"),
        defaulted(
            "MaximumRetryAttempts",
            Shape::Limit { least: 0, most: 10_000 },
            "-1",
            "How often a batch that ends in a function error is tried again. -1: until its records expire.",
        )
        .fact("LAM-X-04"),
        defaulted(
            "MaximumRecordAgeInSeconds",
            Shape::Limit {
                least: 60,
                most: 604_800,
            },
            "-1",
            "Records that are older are given up before the function gets them. -1: at any age.",
        )
        .fact("LAM-X-06"),
        defaulted(
            "BisectBatchOnFunctionError",
            Shape::Flag,
            "false",
            "True: a batch that ends in a function error is cut in two, and its halves are tried one by one.",
        )
        .fact("LAM-X-11"),
        optional(
            "FunctionResponseTypes",
            Shape::List(&word(&["ReportBatchItemFailures"])),
            "With ReportBatchItemFailures the function's response says which records failed. Without: it is ignored.",
        )
        .fact("LAM-E-15, LAM-X-17"),
        optional(
            "DestinationConfig",
            Shape::Table(&DESTINATION),
            "Who is told about records that are given up. Without it: nobody.",
        )
        .fact("LAM-X-21"),
        optional(
            "MetricsConfig",
            Shape::Table(&METRICS_CONFIG),
            "With EventCount the mapping publishes metrics of its own. Without it: none.",
        )
        .fact("LAM-M-20"),
    ],
    not_modelled: &[
        "AmazonManagedKafkaEventSourceConfig",
        "DocumentDBEventSourceConfig",
        "Enabled",
        "FilterCriteria",
        "FunctionResponseTypes",
        "KmsKeyArn",
        "LoggingConfig",
        "ProvisionedPollerConfig",
        "Queues",
        "ScalingConfig",
        "SelfManagedEventSource",
        "SelfManagedKafkaEventSourceConfig",
        "SourceAccessConfigurations",
        "StartingPositionTimestamp",
        "Tags",
        "Topics",
        "TumblingWindowInSeconds",
    ],
};
