//! What happens at a sink, besides records that take effect.

use crate::batch::{Passage, WriteError};
use crate::engine::time::SimDuration;
use crate::ids::{ProcessorId, ReaderId, ShardIndex};

/// Something that happened at a sink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SinkChange {
    /// A table or a bucket answered a request.
    RequestAnswered {
        /// Records of the request.
        records: u32,
        /// Of these, those that were written.
        written: u32,
        /// Write units that they consumed (DDB-CAP-01); of a bucket zero.
        units: u64,
        /// Bytes of those written.
        bytes: u64,
        /// What became of the others.
        error: Option<WriteError>,
        /// Since the request was sent.
        latency: SimDuration,
    },
    /// A writer was told that its write failed.
    WriteFailed {
        /// Who wrote.
        processor: ProcessorId,
        /// Who had read the records.
        reader: ReaderId,
        /// The shard that they come from.
        shard: ShardIndex,
        /// How they had got here.
        passage: Passage,
        /// Records of the write.
        records: u32,
        /// Of these, those that have not taken effect.
        unwritten: u32,
        /// Why.
        error: WriteError,
    },
}
