//! `[[expect]]` and `[[guarantee]]`: what must come out.

use super::{Kind, Rows, SPAN, Shape, defaulted, optional, required, word};

/// Properties of an expectation.
pub static EXPECT: Rows = Rows::own(
    "an expectation",
    &[
        required("metric", Shape::Text, "Name of the metric, as CloudWatch spells it."),
        optional(
            "of",
            Shape::Reference(Kind::ALL),
            "The component. May be left out when only one component has the metric.",
        ),
        required(
            "statistic",
            Shape::Text,
            "Sum, Average, Minimum, Maximum, SampleCount, or a percentile such as p99.",
        ),
        defaulted(
            "from",
            SPAN,
            "\"0s\"",
            "Start of the period looked at, since the start of the run.",
        ),
        optional(
            "until",
            SPAN,
            "End of the period looked at. Without it: the end of the run.",
        ),
        optional("above", Shape::Measure, "The value lies above this."),
        optional("below", Shape::Measure, "The value lies below this."),
        optional("at_least", Shape::Measure, "The value is this or more."),
        optional("at_most", Shape::Measure, "The value is this or less."),
        optional("equals", Shape::Measure, "The value is exactly this."),
    ],
);

/// Properties of a guarantee.
pub static GUARANTEE: Rows = Rows::own(
    "a guarantee",
    &[
        optional(
            "order",
            word(&["per-key"]),
            "Records of a key arrive in the order in which they were created.",
        ),
        optional("no_duplicates", Shape::Flag, "No record arrives twice."),
        optional(
            "no_loss",
            Shape::Flag,
            "Every record that the stream accepted arrives, unless it is still on its way.",
        ),
        optional(
            "at",
            Shape::Reference(&[Kind::Sink, Kind::Function, Kind::Application, Kind::Stream]),
            "The component where arrivals are watched. Without it: at every end of the pipeline.",
        ),
        optional(
            "of",
            Shape::Reference(&[Kind::Sink, Kind::Function, Kind::Application, Kind::Stream]),
            "The same as `at`, for promises that read better with it.",
        ),
        defaulted(
            "expected",
            word(&["holds", "violated"]),
            "\"holds\"",
            "What the checker is to find.",
        ),
    ],
);
