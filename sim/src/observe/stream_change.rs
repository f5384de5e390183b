//! What happens to a stream itself, beside what is put and read.

use crate::ids::ShardIndex;

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
}
