//! `[stream.NAME]`: AWS::Kinesis::Stream.

use super::{Rows, defaulted, integer, required};

/// Properties of a stream.
pub static STREAM: Rows = Rows {
    title: "a stream",
    aws: Some("AWS::Kinesis::Stream"),
    properties: &[
        required("ShardCount", integer(1, 20_000), "Open shards at the start.").fact("KDS-CAP-14"),
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
    ],
    not_modelled: &[
        "Name",
        "StreamModeDetails",
        "StreamEncryption",
        "DesiredShardLevelMetrics",
        "WarmThroughputMiBps",
        "Tags",
    ],
};
