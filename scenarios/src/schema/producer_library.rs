//! `kpl = { .. }` of a producer: the Kinesis Producer Library's settings under its own names.

use super::{Most, Rows, Shape, defaulted, integer};

/// A day, the longest time that is of use.
const DAY_MILLIS: u64 = 86_400_000;
/// Bytes of the largest record of a stream: 1 MiB, or 10 MiB since 2025-10 (KDS-REC-04).
const LARGEST_RECORD: Most = Most::ByProfile {
    exam: 1 << 20,
    current: 10 << 20,
};

/// The library's settings. Times are in milliseconds and sizes in bytes, as in its own properties file.
pub static PRODUCER_LIBRARY: Rows = Rows::own(
    "the Kinesis Producer Library",
    &[
        defaulted(
            "RecordMaxBufferedTime",
            integer(0, DAY_MILLIS),
            "100",
            "How long a user record may be buffered, in milliseconds.",
        )
        .fact("KDS-KPL-02"),
        defaulted(
            "AggregationEnabled",
            Shape::Flag,
            "true",
            "Several user records in one Kinesis record. Without it nothing limits what a shard is sent.",
        )
        .fact("KDS-KPL-01"),
        defaulted(
            "AggregationMaxCount",
            integer(1, u32::MAX as u64),
            "4294967295",
            "Most user records in one Kinesis record.",
        )
        .fact("KDS-KPL-05"),
        defaulted(
            "AggregationMaxSize",
            Shape::Integer {
                least: 64,
                most: LARGEST_RECORD,
            },
            "51200",
            "Most bytes of an aggregated record.",
        )
        .fact("KDS-KPL-04"),
        defaulted(
            "CollectionMaxCount",
            integer(1, 500),
            "500",
            "Most Kinesis records in one PutRecords.",
        )
        .fact("KDS-KPL-06"),
        defaulted(
            "CollectionMaxSize",
            Shape::Integer {
                least: 52_224,
                most: Most::ByProfile {
                    exam: 5 << 20,
                    current: 10 << 20,
                },
            },
            "5242880",
            "Most bytes in one PutRecords, partition keys included; more than a request may have would only fail.",
        )
        .fact("KDS-KPL-07"),
        defaulted(
            "RateLimit",
            integer(1, 100_000),
            "150",
            "What the library sends to one shard at most, in percent of the shard's write limits.",
        )
        .fact("KDS-KPL-09"),
        defaulted(
            "RecordTtl",
            integer(100, DAY_MILLIS),
            "30000",
            "A user record that is not stored by then fails, in milliseconds.",
        )
        .fact("KDS-KPL-03"),
        defaulted(
            "FailIfThrottled",
            Shape::Flag,
            "false",
            "Throttled user records fail at once. Without it they are sent again until RecordTtl is over.",
        )
        .fact("KDS-KPL-11"),
        defaulted(
            "MaxConnections",
            integer(1, 256),
            "24",
            "Most requests in flight, further ones wait.",
        )
        .fact("KDS-KPL-08"),
        defaulted(
            "RequestTimeout",
            integer(100, 600_000),
            "6000",
            "How long the library waits for a response, in milliseconds.",
        )
        .fact("KDS-KPL-10"),
        defaulted(
            "MaxUserRecordSize",
            Shape::Integer {
                least: 64,
                most: LARGEST_RECORD,
            },
            "1048576",
            "Larger data are refused before they are buffered, in bytes.",
        )
        .fact("KDS-KPL-12"),
    ],
);
