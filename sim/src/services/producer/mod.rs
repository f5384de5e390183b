//! A source of records and its client.

pub mod arrivals;

use crate::batch::BatchId;

/// What happens to a producer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The batch that gathers is complete: linger is over, or a limit is reached. Stale if the generation has moved on.
    Flush {
        /// Generation of the timer.
        generation: u32,
    },
    /// A window of single-record calls begins.
    CallWindow {
        /// Generation of the timer.
        generation: u32,
    },
    /// A response came in.
    Responded {
        /// The response.
        batch: BatchId,
    },
    /// A wait before sending again is over.
    RetryDue,
}
