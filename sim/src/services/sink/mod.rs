//! A downstream system with a capacity and a latency of its own.

use crate::batch::BatchId;

/// What happens to a sink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A write came in.
    Write {
        /// The request.
        batch: BatchId,
    },
    /// A write is complete.
    Done {
        /// The request.
        batch: BatchId,
    },
}
