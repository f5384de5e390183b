//! `[stream.NAME]`: AWS::Kinesis::Stream.

use super::{Rows, Shape, defaulted, integer, optional, required, required_without, word};

/// Who provides the capacity.
static MODE: Rows = Rows {
    title: "a stream's capacity mode",
    aws: Some("AWS::Kinesis::Stream StreamModeDetails"),
    properties: &[required(
        "StreamMode",
        word(&["PROVISIONED", "ON_DEMAND"]),
        "Shards as asked for, or as the load has shown to be needed.",
    )
    .fact("KDS-CAP-01")],
    not_modelled: &[],
};

/// A metric of a shard.
static SHARD_LEVEL_METRIC: Shape = word(&[
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
    "ALL",
]);

/// Properties of a stream.
pub static STREAM: Rows = Rows {
    title: "a stream",
    aws: Some("AWS::Kinesis::Stream"),
    properties: &[
        required_without(
            "StreamModeDetails",
            "ShardCount",
            integer(1, 20_000),
            "Open shards at the start. Not in on-demand mode, which starts with four (KDS-CAP-02).",
        )
        .fact("KDS-CAP-14"),
        optional(
            "StreamModeDetails",
            Shape::Table(&MODE),
            "The capacity mode. Without it: PROVISIONED.",
        )
        .fact("KDS-CAP-01"),
        optional(
            "WarmThroughputMiBps",
            integer(1, 10_240),
            "Write capacity of an on-demand stream from the start on. Only with on-demand Advantage.",
        )
        .fact("KDS-CAP-17, KDS-CAP-18"),
        defaulted(
            "RetentionPeriodHours",
            integer(24, 8_760),
            "24",
            "How long a record stays readable, counted from its arrival.",
        )
        .fact("KDS-RET-01, KDS-RET-02"),
        defaulted(
            "MaxRecordSizeInKiB",
            integer(1_024, 10_240),
            "1024",
            "Largest record, data and partition key together. Only in the profile `current`.",
        )
        .fact("KDS-REC-04"),
        optional(
            "DesiredShardLevelMetrics",
            Shape::List(&SHARD_LEVEL_METRIC),
            "Metrics that CloudWatch has for each shard, each at a price. Without it: none.",
        )
        .fact("KDS-MET-02, KDS-MET-03"),
    ],
    not_modelled: &["Name", "StreamEncryption", "Tags"],
};
