//! `[[intervention]]`: what changes during a run.

use super::{Kind, LENGTH, RATE, Rows, SPAN, Shape, integer, optional, required};

/// More or less load.
pub static SCALE_LOAD: Rows = Rows::own(
    "a change of load",
    &[
        required(
            "producer",
            Shape::Reference(&[Kind::Producer]),
            "The producer. Not one that replays a trace.",
        ),
        required(
            "factor",
            Shape::Factor {
                zero: true,
                most: 1_000_000,
            },
            "Multiple of the configured rate from now on.",
        ),
    ],
);
/// Another reserved concurrency.
pub static CONCURRENCY: Rows = Rows::own(
    "a change of concurrency",
    &[
        required("function", Shape::Reference(&[Kind::Function]), "The function."),
        optional(
            "limit",
            integer(0, 100_000),
            "The new reserved concurrency. Without it: back to the account's rest.",
        )
        .fact("LAM-C-06"),
    ],
);
/// Another error rate.
pub static FAILURE_RATE: Rows = Rows::own(
    "a change of the error rate",
    &[
        required("function", Shape::Reference(&[Kind::Function]), "The function."),
        required("rate", Shape::Fraction, "The new probability of a function error."),
    ],
);
/// Another capacity.
pub static SINK_CAPACITY: Rows = Rows::own(
    "a change of a sink's capacity",
    &[
        required("sink", Shape::Reference(&[Kind::Sink]), "The sink."),
        optional("capacity", RATE, "The new capacity. Without it: any number."),
    ],
);
/// An outage.
pub static BREAK_SINK: Rows = Rows::own(
    "an outage",
    &[
        required(
            "sink",
            Shape::Reference(&[Kind::Sink]),
            "The sink that stops answering.",
        ),
        required("lasts", LENGTH, "For how long."),
    ],
);

/// Properties of an intervention: a time and one change.
pub static INTERVENTION: Rows = Rows::own(
    "an intervention",
    &[
        required("at", SPAN, "When, since the start of the run."),
        optional(
            "scale_load",
            Shape::Table(&SCALE_LOAD),
            "Multiplies a producer's configured rate.",
        ),
        optional(
            "concurrency",
            Shape::Table(&CONCURRENCY),
            "Changes a function's reserved concurrency.",
        ),
        optional(
            "failure_rate",
            Shape::Table(&FAILURE_RATE),
            "Changes how often a function fails.",
        ),
        optional(
            "sink_capacity",
            Shape::Table(&SINK_CAPACITY),
            "Changes a sink's capacity.",
        ),
        optional(
            "break_sink",
            Shape::Table(&BREAK_SINK),
            "A sink stops answering for a while.",
        ),
    ],
);
