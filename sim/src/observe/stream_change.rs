//! What happens to a stream itself, beside what is put and read.

use crate::ids::ShardIndex;
use crate::services::kinesis::operation::{ConsumerStatus, Operation, Refusal};

/// A change of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamChange {
    /// A shard was closed: nothing is stored in it any more, what it holds stays until it expires (KDS-RS-09, KDS-RS-10).
    ShardClosed {
        /// Which.
        shard: ShardIndex,
    },
    /// A shard was opened in the place of closed ones.
    ShardOpened {
        /// Which.
        shard: ShardIndex,
        /// The shards that it comes from: one after a split, two after a merge (KDS-RS-05).
        parents: [Option<ShardIndex>; 2],
    },
    /// A stream in on-demand mode splits a shard by itself (KDS-CAP-05).
    ScaledOut {
        /// Which.
        shard: ShardIndex,
    },
    /// A closed shard has expired with all that it held (KDS-RET-11).
    ShardExpired {
        /// Which.
        shard: ShardIndex,
    },
    /// A change was asked for and accepted. Unless it takes effect at once, the stream is UPDATING (KDS-RS-07).
    Accepted {
        /// Which.
        operation: Operation,
    },
    /// A change took effect; the stream is ACTIVE.
    Completed {
        /// Which.
        operation: Operation,
    },
    /// A change was asked for and refused.
    Refused {
        /// Which.
        operation: Operation,
        /// How.
        refusal: Refusal,
    },
    /// A registered consumer has come to another state (KDS-EFO-05).
    ConsumerChanged {
        /// Its number among those of the stream.
        consumer: u16,
        /// The state; `None`: it is gone.
        status: Option<ConsumerStatus>,
    },
    /// A consumer was to be registered or deregistered, and that was refused.
    ConsumerRefused {
        /// Its number among those of the stream.
        consumer: u16,
        /// How.
        refusal: Refusal,
    },
}
