//! `[application.NAME]`: a consumer application that reads with the Kinesis Client Library.
//!
//! The library has no CloudFormation resource. Its own settings keep their names; the rest are knobs of ours.

use super::lambda::HANDLER_TIME;
use super::{Kind, LENGTH, Rows, SPAN, Shape, defaulted, integer, optional, required, word};

/// When a record processor checkpoints.
pub static CHECKPOINT: Rows = Rows::own(
    "when an application checkpoints",
    &[required(
        "every",
        LENGTH,
        "After the first batch that ends so long or longer after the last checkpoint.",
    )],
);

/// The error model.
pub static FAILURE: Rows = Rows::own(
    "the errors of an application",
    &[required(
        "rate",
        Shape::Fraction,
        "Probability that the code throws. The library goes on with the next batch: this one is skipped.",
    )
    .fact("KDS-KCL-34")],
);

/// Properties of an application.
pub static APPLICATION: Rows = Rows::own(
    "a consumer application",
    &[
        required("stream", Shape::Reference(&[Kind::Stream]), "The stream that it reads."),
        defaulted("workers", integer(1, 1_000), "1", "Workers at the start."),
        defaulted("starts_at", SPAN, "\"0s\"", "When its first workers start."),
        defaulted(
            "kcl",
            word(&["1.x", "2.x", "3.x"]),
            "",
            "Generation of the library: in 1.x and 2.x workers take and steal leases, in 3.x a leader assigns them.",
        )
        .by_profile("\"2.x\"", "\"3.x\"")
        .fact("KDS-KCL-07, KDS-KCL-12"),
        optional(
            "retrieval",
            word(&["polling", "fan_out"]),
            "How records come to the workers: they call GetRecords, or a consumer with the application's name is registered \
             and records are pushed to it. Without it: pushed, in 1.x polled.",
        )
        .fact("KDS-EFO-19"),
        defaulted(
            "initial_position",
            word(&["LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"]),
            "\"LATEST\"",
            "Where the application begins in each shard.",
        )
        .fact("KDS-KCL-25"),
        optional(
            "initial_timestamp",
            SPAN,
            "With AT_TIMESTAMP: at the first record that was stored so long after the start of the run.",
        )
        .fact("KDS-R-04"),
        defaulted(
            "failoverTimeMillis",
            integer(1_000, 3_600_000),
            "10000",
            "A lease that is not renewed for longer counts as expired.",
        )
        .fact("KDS-KCL-05"),
        optional(
            "idleTimeBetweenReadsInMillis",
            integer(0, 3_600_000),
            "From a read of a shard to the next, 200 at least. Without it: 1,500, in 1.x 1,000.",
        )
        .fact("KDS-KCL-20"),
        defaulted(
            "maxRecords",
            integer(1, 10_000),
            "10000",
            "Most records of a GetRecords.",
        )
        .fact("KDS-KCL-22"),
        optional(
            "maxLeasesForWorker",
            integer(1, 1_000_000),
            "Leases that a worker holds at most. Without it: any number.",
        )
        .fact("KDS-KCL-09"),
        defaulted(
            "maxLeasesToStealAtOneTime",
            integer(1, 1_000_000),
            "1",
            "Leases that a worker steals in a round at most. 3.x ignores it.",
        )
        .fact("KDS-KCL-10, KDS-KCL-18"),
        defaulted(
            "enablePriorityLeaseAssignment",
            Shape::Flag,
            "true",
            "Leases not renewed for three failover times are taken whatever the fair share. 3.x ignores it.",
        )
        .fact("KDS-KCL-11, KDS-KCL-18"),
        optional(
            "maxPendingProcessRecordsInput",
            integer(1, 1_000),
            "Batches that wait for a record processor at most. Without it: 4, in 1.x and 2.x 3.",
        )
        .fact("KDS-KCL-23"),
        defaulted(
            "isGracefulLeaseHandoffEnabled",
            Shape::Flag,
            "true",
            "In 3.x the old owner of a lease that moves may checkpoint first.",
        )
        .fact("KDS-KCL-17"),
        required(
            "time",
            Shape::Table(&HANDLER_TIME),
            "Time of the record processor for a batch.",
        ),
        optional("failure", Shape::Table(&FAILURE), "Its errors. Without it: none."),
        defaulted(
            "checkpoint",
            Shape::WordOr("every-batch", &Shape::Table(&CHECKPOINT)),
            "\"every-batch\"",
            "When the record processor checkpoints.",
        )
        .fact("KDS-KCL-30"),
        optional(
            "sink",
            Shape::Reference(&[Kind::Sink]),
            "Where it writes. Without it: nowhere.",
        ),
    ],
);
