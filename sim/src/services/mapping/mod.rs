//! An event source mapping: Lambda's own poller of a stream.

use crate::batch::BatchId;

/// What happens to a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A shard's poll is due.
    Poll {
        /// Number of the shard.
        shard: u32,
        /// Generation of the shard's poll timer.
        generation: u32,
    },
    /// A page of records came in.
    PageReceived {
        /// The response.
        batch: BatchId,
    },
    /// A page has reached the lanes, the dispatch delay being over (LAM-U-04).
    PageReady {
        /// The page.
        batch: BatchId,
    },
    /// A lane's batching window is over, or its wait before a retry.
    LaneDue {
        /// Number of the shard.
        shard: u32,
        /// Number of the lane.
        lane: u16,
        /// Generation of the lane's timer, truncated.
        generation: u16,
    },
    /// The function answered.
    Invoked {
        /// The response.
        batch: BatchId,
    },
}
