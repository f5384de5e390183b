//! `[sink.NAME]`: a system that functions and applications write to.

use super::{Dimension, RATE, Rows, Shape, defaulted, optional};

/// Properties of a sink.
pub static SINK: Rows = Rows::own(
    "a sink",
    &[
        optional(
            "capacity",
            RATE,
            "Records that it takes per time. Without it: any number.",
        ),
        defaulted(
            "latency",
            Shape::Distribution(Dimension::Time),
            "\"5ms\"",
            "Latency of a write beyond the time for its records.",
        ),
    ],
);
