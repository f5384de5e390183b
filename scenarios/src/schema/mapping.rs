//! `[mapping.NAME]`: AWS::Lambda::EventSourceMapping.

use super::{Kind, Rows, SPAN, Shape, defaulted, integer, optional, required, word};

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

/// A filter. AWS has a JSON pattern on the data; without data there are patterns on what stands for them.
pub static FILTER: Rows = Rows {
    title: "a filter",
    aws: None,
    properties: &[
        optional("equals", Shape::List(&Shape::Text), "Records of these partition keys.").fact("LAM-E-24"),
        optional(
            "anything_but",
            Shape::List(&Shape::Text),
            "Records of other keys than these.",
        )
        .fact("LAM-E-24"),
        optional("prefix", Shape::Text, "Records whose key begins so.").fact("LAM-E-24"),
        optional("suffix", Shape::Text, "Records whose key ends so.").fact("LAM-E-24"),
        defaulted(
            "share_from",
            Shape::Fraction,
            "0",
            "Each record has a number from 0 to 1 that stands for a field of its data: records from this one on.",
        ),
        defaulted("share_to", Shape::Fraction, "1", "Records below this number."),
        optional("at_least", FILTER_BYTES, "Records of this size or larger."),
        optional("below", FILTER_BYTES, "Records smaller than this."),
    ],
    not_modelled: &["Pattern"],
};
const FILTER_BYTES: Shape = Shape::Bytes {
    least: 0,
    most: super::Most::Always(1 << 30),
};

/// `FilterCriteria`.
pub static FILTER_CRITERIA: Rows = Rows::own(
    "filter criteria",
    &[required(
        "Filters",
        Shape::List(&Shape::Table(&FILTER)),
        "A record that one of them matches reaches the function.",
    )
    .fact("LAM-E-21, LAM-E-22")],
);

/// `MetricsConfig`.
pub static METRICS_CONFIG: Rows = Rows::own(
    "metrics of an event source mapping",
    &[required("Metrics", Shape::List(&word(&["EventCount"])), "Groups of metrics.").fact("LAM-M-22")],
);

/// `ScalingConfig`.
pub static SCALING_CONFIG: Rows = Rows::own(
    "the scaling of a mapping of a queue",
    &[required(
        "MaximumConcurrency",
        integer(2, 1_000),
        "Most batches that the function has at the same time.",
    )
    .fact("LAM-Q-14")],
);

/// `ProvisionedPollerConfig`.
pub static PROVISIONED_POLLERS: Rows = Rows::own(
    "provisioned pollers",
    &[
        optional("MinimumPollers", integer(2, 200), "Least pollers. Without it: 2.").fact("LAM-P-01"),
        optional(
            "MaximumPollers",
            integer(2, 10_000),
            "Most pollers, each with up to ten batches. Without it: 200.",
        )
        .fact("LAM-P-02"),
    ],
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
            Shape::Reference(&[Kind::Stream, Kind::Queue]),
            "The stream that it reads, or the queue that it polls.",
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
        optional(
            "StartingPosition",
            word(&["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]),
            "Where reading starts: at the oldest record, after the newest, or at the first one of a time. A stream needs \
             it, a queue has none.",
        )
        .fact("LAM-K-16"),
        optional(
            "StartingPositionTimestamp",
            integer(0, 4_000_000_000),
            "With AT_TIMESTAMP: at the first record stored then or later, in seconds from the start of the run.",
        )
        .fact("LAM-K-17"),
        defaulted(
            "created_at",
            SPAN,
            "\"0s\"",
            "When the mapping is created; it begins to poll `mapping_creation_delay` later. 0s: long before the run.",
        )
        .fact("LAM-K-18"),
        defaulted(
            "Enabled",
            Shape::Flag,
            "true",
            "False: it neither reads nor invokes until an intervention switches it on.",
        )
        .fact("LAM-E-13"),
        optional(
            "BatchSize",
            integer(1, 10_000),
            "Most records in one invocation. Without it: 100 of a stream, 10 of a queue. A FIFO queue has 10 at most, and \
             more than 10 of a standard queue need a window.",
        )
        .fact("LAM-K-11, LAM-S-10, LAM-S-11, LAM-S-12"),
        defaulted(
            "MaximumBatchingWindowInSeconds",
            integer(0, 300),
            "0",
            "How long a batch may gather before the function is invoked; not of a FIFO queue.",
        )
        .fact("LAM-E-04, LAM-S-13"),
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
            "FilterCriteria",
            Shape::Table(&FILTER_CRITERIA),
            "Which records the function gets; the others pass by. Without it: all.",
        )
        .fact("LAM-E-22"),
        defaulted(
            "TumblingWindowInSeconds",
            integer(0, 900),
            "0",
            "Length of the windows in which the function aggregates each shard. 0: no windows.",
        )
        .fact("LAM-W-01"),
        optional(
            "ScalingConfig",
            Shape::Table(&SCALING_CONFIG),
            "Of a queue: how many batches the function may have at the same time. Without it: as many as a mapping may.",
        )
        .fact("LAM-Q-14"),
        optional(
            "ProvisionedPollerConfig",
            Shape::Table(&PROVISIONED_POLLERS),
            "Of a queue, in the profile `current`: pollers that are there whether there is work or not. An empty table \
             means none.",
        )
        .fact("LAM-P-01, LAM-P-13, LAM-H-04"),
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
        "KmsKeyArn",
        "LoggingConfig",
        "Queues",
        "SelfManagedEventSource",
        "SelfManagedKafkaEventSourceConfig",
        "SourceAccessConfigurations",
        "Tags",
        "Topics",
    ],
};
