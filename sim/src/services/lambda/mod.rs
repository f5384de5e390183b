//! Lambda in one account and Region: its functions and the concurrency that they share.

use crate::batch::BatchId;
use crate::engine::pool::Handle;

/// What happens to a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// An invocation request came in.
    Invoke {
        /// The request.
        batch: BatchId,
    },
    /// The handler has done its own work: it fails, writes to its sink, or returns.
    HandlerDone {
        /// The invocation. Stale if it has timed out.
        invocation: Handle,
    },
    /// The function's timeout is over. Stale if the invocation has ended.
    TimedOut {
        /// The invocation.
        invocation: Handle,
    },
    /// The sink answered.
    Written {
        /// The response.
        batch: BatchId,
    },
}
