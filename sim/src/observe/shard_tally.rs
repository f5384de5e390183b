//! What a shard did with the entries of one put, counted while it decided them.

use crate::ids::ShardIndex;

/// What a shard did with the entries of one put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShardTally {
    /// The shard.
    pub shard: ShardIndex,
    /// Entries stored.
    pub accepted: u32,
    /// Entries refused for throughput.
    pub throttled: u32,
    /// Bytes of the stored entries (data + key).
    pub bytes: u64,
    /// What they took from the limit in bytes, rounded up (KDS-W-16, KDS-MOD-03).
    pub bytes_charged: u64,
    /// Position of the first stored entry in the shard's log; meaningless if none was stored.
    pub first_position: u64,
    /// An entry was refused because the limit in records was used up (KDS-W-01).
    pub out_of_records: bool,
    /// An entry was refused because the limit in bytes was used up (KDS-W-02).
    pub out_of_bytes: bool,
}

impl ShardTally {
    /// Nothing stored or refused yet.
    pub const fn none(shard: ShardIndex, next_position: u64) -> Self {
        Self {
            shard,
            accepted: 0,
            throttled: 0,
            bytes: 0,
            bytes_charged: 0,
            first_position: next_position,
            out_of_records: false,
            out_of_bytes: false,
        }
    }
}
