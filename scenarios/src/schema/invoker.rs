//! `[invoker.NAME]`: someone who invokes a function directly.

use super::{Kind, Most, Rows, Shape, defaulted, required, word};
use crate::schema::producer::ARRIVALS;

/// Most bytes of an event that a caller waits for (LAM-C-30).
pub const MOST_SYNCHRONOUS_BYTES: u64 = 6 * 1_024 * 1_024;

/// Properties of an invoker.
pub static INVOKER: Rows = Rows::own(
    "a direct caller of a function",
    &[
        required(
            "FunctionName",
            Shape::Reference(&[Kind::Function]),
            "The function that it invokes, with an event of its own for each request.",
        ),
        required("arrivals", Shape::OneOf(&ARRIVALS), "When requests are sent."),
        defaulted(
            "InvocationType",
            word(&["RequestResponse", "Event"]),
            "\"RequestResponse\"",
            "Whether it waits for the outcome, or Lambda queues the event and answers at once.",
        )
        .fact("LAM-A-01"),
        defaulted(
            "payload",
            Shape::Bytes {
                least: 0,
                most: Most::Always(MOST_SYNCHRONOUS_BYTES),
            },
            "\"1KB\"",
            "Size of an event. With Event at most 256 KiB in the profile `exam` and 1 MiB in `current`.",
        )
        .fact("LAM-C-30, LAM-C-31"),
    ],
);
