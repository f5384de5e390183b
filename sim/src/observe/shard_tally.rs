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
    /// Requests whose entries these are; means nothing where each entry was one of its own.
    pub requests: u32,
    /// Each entry was a put of its own, as in a cohort; and bytes of the smallest and the largest that was stored.
    pub singles: Option<(u32, u32)>,
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
            requests: 1,
            singles: None,
        }
    }
    /// Nothing stored or refused yet, of entries that are puts of their own.
    pub const fn no_singles(shard: ShardIndex, next_position: u64) -> Self {
        let mut tally = Self::none(shard, next_position);
        tally.singles = Some((u32::MAX, 0));
        tally
    }
    /// Notes the size of a stored entry that is a put of its own.
    #[inline]
    pub fn note_single(&mut self, bytes: u32) {
        let (least, most) = self.singles.unwrap_or((u32::MAX, 0));
        self.singles = Some((least.min(bytes), most.max(bytes)));
    }
    /// Puts that it counts.
    #[inline]
    pub fn puts(&self) -> u32 {
        self.singles.map_or(self.requests, |_| self.accepted + self.throttled)
    }
}
