//! `[mapping.NAME]`: AWS::Lambda::EventSourceMapping.

use super::{Kind, Rows, Shape, defaulted, integer, optional, required};

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
        optional(
            "consumer",
            Shape::Reference(&[Kind::Consumer]),
            "The registered consumer that it reads as: records are pushed to it. AWS takes the consumer's ARN as \
             EventSourceArn. Without it: it polls.",
        )
        .fact("LAM-K-04, LAM-K-34"),
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
    ],
    not_modelled: &[
        "AmazonManagedKafkaEventSourceConfig",
        "BisectBatchOnFunctionError",
        "DestinationConfig",
        "DocumentDBEventSourceConfig",
        "Enabled",
        "FilterCriteria",
        "FunctionResponseTypes",
        "KmsKeyArn",
        "LoggingConfig",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "MetricsConfig",
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
