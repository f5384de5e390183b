//! `[sink.NAME]`: a system that functions and applications write to.

use super::producer::RESEND;
use super::{Dimension, Most, RATE, Rows, SPAN, Shape, defaulted, integer, optional, required, word};

const UNITS: Shape = integer(1, 10_000_000);

/// `ProvisionedThroughput` of a table.
static PROVISIONED: Rows = Rows::own(
    "the provisioned throughput of a table",
    &[required("WriteCapacityUnits", UNITS, "Write units that it takes each second.").fact("DDB-CAP-02")],
);

/// `OnDemandThroughput` of a table.
static ON_DEMAND: Rows = Rows::own(
    "the limits of an on-demand table",
    &[required(
        "MaxWriteRequestUnits",
        UNITS,
        "Most write units that it takes each second.",
    )
    .fact("DDB-CAP-09")],
);

/// `WarmThroughput` of a table.
static WARM: Rows = Rows::own(
    "the throughput that a table is ready for",
    &[required("WriteUnitsPerSecond", integer(1, 40_000), "Write units each second.").fact("DDB-CAP-06")],
);

/// A DynamoDB table.
pub static TABLE: Rows = Rows {
    title: "a DynamoDB table, and the code that writes to it",
    aws: Some("AWS::DynamoDB::Table"),
    properties: &[
        defaulted(
            "BillingMode",
            word(&["PROVISIONED", "PAY_PER_REQUEST"]),
            "\"PROVISIONED\"",
            "Whether throughput is provisioned or follows the load.",
        )
        .fact("DDB-CAP-02, DDB-CAP-07"),
        optional(
            "ProvisionedThroughput",
            Shape::Table(&PROVISIONED),
            "What is provisioned, where it is.",
        ),
        optional(
            "OnDemandThroughput",
            Shape::Table(&ON_DEMAND),
            "A limit of an on-demand table. Without it: the quota, 40,000 units a second.",
        )
        .fact("DDB-CAP-08"),
        optional(
            "WarmThroughput",
            Shape::Table(&WARM),
            "What an on-demand table takes at the start. Without it: 4,000 units a second, as a new one.",
        )
        .fact("DDB-CAP-06"),
        defaulted(
            "writes",
            word(&["BatchWriteItem", "PutItem"]),
            "\"BatchWriteItem\"",
            "The API: 25 items a request, or one.",
        )
        .fact("DDB-W-01"),
        optional(
            "item_size",
            Shape::Bytes {
                least: 1,
                most: Most::Always(400 * 1_024),
            },
            "Bytes of an item. Without it: those of its record.",
        )
        .fact("DDB-CAP-01"),
        defaulted(
            "parallel_requests",
            integer(1, 100),
            "1",
            "Requests of a batch that the code has under way at a time.",
        ),
        optional(
            "resend",
            Shape::Table(&RESEND),
            "When the code sends again what the table refused. Without it: the defaults of its properties.",
        )
        .fact("DDB-W-02"),
        defaulted(
            "latency",
            Shape::Distribution(Dimension::Time),
            "\"5ms\"",
            "From a request to its answer.",
        ),
    ],
    not_modelled: &[
        "AttributeDefinitions",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "StreamSpecification",
        "TableName",
        "TimeToLiveSpecification",
    ],
};

/// An S3 bucket.
pub static BUCKET: Rows = Rows {
    title: "an S3 bucket, and the code that writes to it",
    aws: Some("AWS::S3::Bucket"),
    properties: &[
        defaulted(
            "prefixes",
            integer(1, 10_000),
            "1",
            "Partitioned prefixes, each with its own limit; the objects of a shard go to one of them.",
        )
        .fact("S3-PUT-01"),
        defaulted(
            "per_mebibyte",
            SPAN,
            "\"12ms\"",
            "Time to send each MiB of an object: 12 ms is about 85 MiB/s.",
        ),
        optional(
            "resend",
            Shape::Table(&RESEND),
            "When the code sends again an object that S3 refused. Without it: the defaults of its properties.",
        )
        .fact("S3-PUT-01"),
        defaulted(
            "latency",
            Shape::Distribution(Dimension::Time),
            "\"40ms\"",
            "From a request to its answer, beyond the time to send the object.",
        )
        .fact("S3-LAT-01"),
    ],
    not_modelled: &["BucketName", "LifecycleConfiguration", "VersioningConfiguration"],
};

/// A table of a Redshift warehouse.
pub static WAREHOUSE: Rows = Rows::own(
    "a Redshift table that batches are loaded into",
    &[
        defaulted(
            "start_up",
            Shape::Distribution(Dimension::Time),
            "\"2s\"",
            "What a load costs before its first record, however small it is.",
        )
        .fact("RS-LOAD-01"),
        optional(
            "load_rate",
            RATE,
            "Records that a load takes per time. Without it: any number.",
        ),
    ],
);

/// Properties of a sink.
pub static SINK: Rows = Rows::own(
    "a sink",
    &[
        optional(
            "capacity",
            RATE,
            "Records that a database takes per time. Without it: any number.",
        ),
        defaulted(
            "latency",
            Shape::Distribution(Dimension::Time),
            "\"5ms\"",
            "Latency of a write to a database beyond the time for its records.",
        ),
        optional(
            "max_connections",
            integer(1, 1_000_000),
            "Most writes that a database has under way; one beyond them fails. Without it: any number.",
        ),
        defaulted(
            "idempotent",
            Shape::Flag,
            "false",
            "True: a record that is written again replaces itself, as with an upsert, an item under the record's own key, \
             or MERGE. An object replaces one with the same records.",
        )
        .fact("DDB-W-04, S3-PUT-02, RS-LOAD-02"),
        optional("table", Shape::Table(&TABLE), "The sink is a DynamoDB table."),
        optional("bucket", Shape::Table(&BUCKET), "The sink is an S3 bucket."),
        optional(
            "warehouse",
            Shape::Table(&WAREHOUSE),
            "The sink is a table of a Redshift warehouse.",
        ),
    ],
);
