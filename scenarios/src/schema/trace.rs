//! `arrivals = { trace = .. }`: replay of a recorded workload.

use super::{LENGTH, Rows, Shape, defaulted, optional, required, word};

/// A file among several.
pub static SERIES: Rows = Rows::own(
    "a series of a trace",
    &[
        required("path", Shape::Text, "CSV file with a header line."),
        optional("key", Shape::Text, "Partition key of all its requests.").fact("KDS-REC-02"),
    ],
);

/// A size column.
pub static SIZE: Rows = Rows::own(
    "the sizes of a trace",
    &[
        required("column", Shape::Text, "Column with the size."),
        defaulted(
            "bytes_per_unit",
            Shape::Factor {
                zero: false,
                most: 1_000_000,
            },
            "1",
            "Bytes that one unit of the column stands for.",
        ),
    ],
);

/// Properties of a trace.
pub static TRACE: Rows = Rows::own(
    "a trace",
    &[
        optional(
            "path",
            Shape::Text,
            "CSV file with a header line. Paths are relative to the scenario.",
        ),
        optional(
            "series",
            Shape::List(&Shape::Table(&SERIES)),
            "Several files in place of `path`, each with a partition key of its own if wished.",
        ),
        required("time", Shape::Text, "Column with the timestamp."),
        optional("key", Shape::Text, "Column with the partition key."),
        optional("size", Shape::Table(&SIZE), "Where the size of the data is found."),
        optional(
            "count",
            Shape::Text,
            "Column with a number of requests: rows are then bins of time.",
        ),
        optional(
            "bin",
            LENGTH,
            "Length of a bin. Without it: until the next row, but no longer than the usual distance of rows.",
        ),
        defaulted(
            "spread",
            word(&["even", "uniform", "start"]),
            "\"even\"",
            "Where in their bin requests lie: at equal distances, at random, or all at its start.",
        ),
        defaulted(
            "compression",
            Shape::Factor {
                zero: false,
                most: 1_000_000,
            },
            "1",
            "Recorded time passes this many times faster.",
        ),
        defaulted(
            "repeat",
            Shape::Flag,
            "false",
            "Start again at the end of the recording.",
        ),
    ],
);
