//! Distributions of durations and sizes: the same forms with different units.

use super::{Dimension, Rows, Shape, optional, required};

macro_rules! forms {
    ($dimension:path) => {
        /// `{ p50 = .., p99 = .. }`: log-normal through two percentiles.
        pub static SHORT: Rows = Rows::own(
            "a log-normal distribution",
            &[
                required("p50", Shape::Quantity($dimension), "Median."),
                required("p99", Shape::Quantity($dimension), "99th percentile."),
            ],
        );
        /// `{ median = .., sigma = .. }` or two percentiles.
        pub static LOG_NORMAL: Rows = Rows::own(
            "a log-normal distribution",
            &[
                optional("p50", Shape::Quantity($dimension), "Median."),
                optional("p99", Shape::Quantity($dimension), "99th percentile."),
                optional("median", Shape::Quantity($dimension), "Median."),
                optional(
                    "sigma",
                    Shape::Number {
                        least: 0.0,
                        most: 5.0,
                    },
                    "Standard deviation of the logarithm.",
                ),
            ],
        );
        /// Gamma.
        pub static GAMMA: Rows = Rows::own(
            "a gamma distribution",
            &[
                required(
                    "shape",
                    Shape::Number {
                        least: 0.01,
                        most: 1e4,
                    },
                    "Shape; 1 is exponential, more is steadier.",
                ),
                required("mean", Shape::Quantity($dimension), "Mean."),
            ],
        );
        /// Pareto.
        pub static PARETO: Rows = Rows::own(
            "a Pareto distribution",
            &[
                required("scale", Shape::Quantity($dimension), "Least value."),
                required(
                    "shape",
                    Shape::Number {
                        least: 1.01,
                        most: 1e6,
                    },
                    "Tail index; the smaller, the heavier the tail.",
                ),
            ],
        );
        /// A part of a mixture.
        pub static PART: Rows = Rows::own(
            "a part of a mixture",
            &[
                required(
                    "weight",
                    Shape::Number {
                        least: 0.0,
                        most: 1e12,
                    },
                    "Relative weight.",
                ),
                required("of", Shape::Distribution($dimension), "The part."),
            ],
        );
        /// All forms but the short ones.
        pub static FORMS: Rows = Rows::own(
            "a distribution",
            &[
                optional(
                    "lognormal",
                    Shape::Table(&LOG_NORMAL),
                    "Log-normal: latencies of most services.",
                ),
                optional(
                    "exponential",
                    Shape::Quantity($dimension),
                    "Exponential with this mean.",
                ),
                optional(
                    "uniform",
                    Shape::Pair(&Shape::Quantity($dimension), &Shape::Quantity($dimension)),
                    "Equally likely between two values.",
                ),
                optional("gamma", Shape::Table(&GAMMA), "Gamma."),
                optional("pareto", Shape::Table(&PARETO), "Pareto: a heavy tail."),
                optional(
                    "percentiles",
                    Shape::Percentiles($dimension),
                    "Measured percentiles, joined by straight lines.",
                ),
                optional(
                    "mixture",
                    Shape::List(&Shape::Table(&PART)),
                    "One of several distributions, by weight.",
                ),
            ],
        );
    };
}

/// Distributions of durations.
pub mod time {
    use super::{Dimension, Rows, Shape, optional, required};
    forms!(Dimension::Time);
}

/// Distributions of sizes.
pub mod bytes {
    use super::{Dimension, Rows, Shape, optional, required};
    forms!(Dimension::Bytes);
}

impl Dimension {
    /// The forms of a distribution that are tables with one property.
    pub fn form_shape(self) -> &'static Shape {
        static TIME: Shape = Shape::OneOf(&time::FORMS);
        static BYTES: Shape = Shape::OneOf(&bytes::FORMS);
        match self {
            Self::Time => &TIME,
            Self::Bytes => &BYTES,
        }
    }
    /// The short form: two percentiles.
    pub fn short_form(self) -> &'static Rows {
        match self {
            Self::Time => &time::SHORT,
            Self::Bytes => &bytes::SHORT,
        }
    }
}
