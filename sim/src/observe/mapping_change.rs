//! What happens to an event source mapping itself.

use super::reason::DiscardReason;
use crate::engine::time::SimTime;
use crate::ids::ShardIndex;

/// What happened to a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MappingChange {
    /// It began with a shard, elsewhere than at its first record (LAM-K-16).
    ReadingBegan {
        /// The shard.
        shard: ShardIndex,
        /// Where.
        position: u64,
    },
    /// It wrote a document about records that it gave up.
    DocumentWritten(FailureDocument),
    /// A tumbling window of a shard is over (LAM-W-06).
    WindowClosed {
        /// The shard.
        shard: ShardIndex,
        /// When it had begun.
        start: SimTime,
        /// Its state had outgrown the limit (LAM-W-04).
        early: bool,
        /// The final invocation was given up, and the state is lost (LAM-W-07).
        abandoned: bool,
    },
}

/// A document for the on-failure destination (LAM-X-24, LAM-X-25).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FailureDocument {
    /// `condition`.
    pub condition: DiscardReason,
    /// `approximateInvokeCount`: how often the function got them, in this batch.
    pub invocations: u32,
    /// `shardId`.
    pub shard: ShardIndex,
    /// `startSequenceNumber`.
    pub start: u64,
    /// `endSequenceNumber`.
    pub end: u64,
    /// `approximateArrivalOfFirstRecord`.
    pub first_arrival: SimTime,
    /// `approximateArrivalOfLastRecord`.
    pub last_arrival: SimTime,
    /// `batchSize`: records that it stands for.
    pub records: u32,
    /// Bytes of the records' data that it carries with it: an S3 bucket gets them, a queue or topic gets none
    /// (LAM-X-22, LAM-X-23).
    pub payload_bytes: u64,
    /// It reached the destination (LAM-X-29).
    pub delivered: bool,
}
