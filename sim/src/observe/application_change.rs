//! What happens to an application itself, beside what it reads and processes.

use crate::ids::ShardIndex;

/// How a worker came to own a lease.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LeaseTaking {
    /// It was new: nobody had owned it.
    New,
    /// Its owner had not renewed it for longer than `failoverTimeMillis` (KDS-KCL-05).
    Expired,
    /// From a worker that lives, to share the load (KDS-KCL-10, KDS-KCL-15).
    Moved,
}

/// A change of an application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApplicationChange {
    /// The stream answered a `GetShardIterator`.
    IteratorAnswered {
        /// Which shard.
        shard: ShardIndex,
        /// It was refused for the number of calls (KDS-R-17).
        throttled: bool,
    },
    /// The stream refused a `GetRecords` whose iterator was too old (KDS-R-05).
    IteratorExpired {
        /// Which shard.
        shard: ShardIndex,
    },
    /// It settled where it begins in a shard: what lies before is none of its business.
    ReadingBegan {
        /// The shard.
        shard: ShardIndex,
        /// The first position of its own.
        position: u64,
    },
    /// A worker came to own a shard's lease (KDS-KCL-01).
    LeaseTaken {
        /// The shard.
        shard: ShardIndex,
        /// Number of the worker.
        worker: u16,
        /// Why it was free, or was taken all the same.
        how: LeaseTaking,
    },
    /// A worker learned that a lease is no longer its own, or gave it up.
    LeaseLost {
        /// The shard.
        shard: ShardIndex,
        /// Number of the worker.
        worker: u16,
    },
    /// It called its lease table (KDS-KCL-39, KDS-KCL-40).
    LeaseTableUsed {
        /// Rows read.
        rows_read: u32,
        /// Rows written.
        rows_written: u32,
    },
    /// Its code threw: the batch is skipped and not tried again (KDS-KCL-34).
    BatchSkipped {
        /// Shard of the batch.
        shard: ShardIndex,
        /// Position of the first record; they are consecutive.
        first_position: u64,
        /// How many.
        records: u32,
    },
    /// A worker died while it processed a batch, which had no effect.
    BatchAbandoned {
        /// Shard of the batch.
        shard: ShardIndex,
        /// Position of the first record; they are consecutive.
        first_position: u64,
        /// How many.
        records: u32,
    },
}
