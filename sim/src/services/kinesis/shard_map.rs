//! Which shards are open, what part of the hash space each has, and which of them a key goes to.
//!
//! The route of every key of the run stands in a table, so that no hashing happens while it runs; a reshard computes it
//! anew for the keys of the shards that it closes.

use crate::engine::index::{to_u32, to_usize};
use crate::ids::ShardIndex;
pub use crate::key::HashRange;
use crate::key::KeyTable;
use crate::record::KeyId;

/// The open shards of a stream.
#[derive(Clone, Debug)]
pub struct ShardMap {
    /// In order of their start; together they cover the hash space exactly once (KDS-REC-11).
    ranges: Vec<HashRange>,
    /// The shard of each range.
    shards: Vec<ShardIndex>,
    /// Number of the shard of each key of the run.
    pub(super) route: Vec<u32>,
}

impl ShardMap {
    /// The map of a new stream: even ranges, numbered from zero (KDS-REC-13, KDS-REC-14).
    pub(super) fn new(count: u32, keys: &KeyTable) -> Self {
        let ranges = even_ranges(count);
        Self {
            shards: (0..count).map(ShardIndex).collect(),
            route: keys
                .entries()
                .iter()
                .map(|entry| to_u32(range_of(&ranges, entry.hash)))
                .collect(),
            ranges,
        }
    }
    /// Ranges of the open shards, in order.
    pub fn ranges(&self) -> &[HashRange] {
        &self.ranges
    }
    /// The open shards, in order of their ranges.
    pub fn shards(&self) -> &[ShardIndex] {
        &self.shards
    }
    /// Which shard the key goes to.
    pub fn shard_of(&self, key: KeyId) -> ShardIndex {
        ShardIndex(self.route[to_usize(key.0)])
    }
    /// The place of an open shard among the others.
    pub fn place_of(&self, shard: ShardIndex) -> Option<usize> {
        self.shards.iter().position(|&open| open == shard)
    }

    /// Some shards close, others open in their place; together they have the same hash keys. Keys keep their route unless
    /// their shard has closed.
    pub(super) fn replace(&mut self, closed: &[ShardIndex], opened: &[(ShardIndex, HashRange)], keys: &KeyTable) {
        let mut gone = closed.to_vec();
        gone.sort_unstable();
        let gone = |shard: ShardIndex| gone.binary_search(&shard).is_ok();
        let mut all: Vec<(HashRange, ShardIndex)> = self
            .ranges
            .drain(..)
            .zip(self.shards.drain(..))
            .filter(|(_, shard)| !gone(*shard))
            .chain(opened.iter().map(|&(shard, range)| (range, shard)))
            .collect();
        all.sort_unstable_by_key(|(range, _)| range.start);
        (self.ranges, self.shards) = all.into_iter().unzip();
        for (route, entry) in self.route.iter_mut().zip(keys.entries()) {
            if gone(ShardIndex(*route)) {
                *route = self.shards[range_of(&self.ranges, entry.hash)].0;
            }
        }
    }
}

/// Ranges of a new stream of `count` shards: shard i starts at i x floor(2^128 / count), the last one takes the rest
/// (KDS-REC-13, KDS-MOD-21).
pub fn even_ranges(count: u32) -> Vec<HashRange> {
    let count_wide = u128::from(count.max(1));
    // floor(2^128 / count) without 129 bits: 2^128 - 1 = q x count + r, and one more only matters if r is count - 1.
    let (q, r) = (u128::MAX / count_wide, u128::MAX % count_wide);
    // For one shard the width is 2^128 itself; its start is never multiplied by anything but zero.
    let width = if r == count_wide - 1 { q.wrapping_add(1) } else { q };
    (0..count_wide)
        .map(|i| HashRange {
            start: width.wrapping_mul(i),
            end: if i + 1 == count_wide {
                u128::MAX
            } else {
                width.wrapping_mul(i + 1) - 1
            },
        })
        .collect()
}

/// Index of the range that contains a hash key (KDS-REC-12). Ranges are sorted and cover everything.
pub fn range_of(ranges: &[HashRange], hash: u128) -> usize {
    ranges.partition_point(|range| range.end < hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kds_rec_13_ranges_of_a_new_stream() {
        assert_eq!(
            even_ranges(1),
            [HashRange {
                start: 0,
                end: u128::MAX
            }]
        );
        let four = even_ranges(4);
        assert_eq!(
            four[1],
            HashRange {
                start: 1 << 126,
                end: (1 << 127) - 1
            }
        );
        assert_eq!(four[3].end, u128::MAX);
        let three = even_ranges(3);
        assert_eq!(three[1].start, 113_427_455_640_312_821_154_458_202_477_256_070_485);
    }

    /// KDS-REC-11, KDS-MOD-21: whatever the count, the ranges cover everything once and differ by less than the count.
    #[test]
    fn kds_rec_11_ranges_cover_the_hash_space_exactly_once() {
        for count in 1..=300 {
            let ranges = even_ranges(count);
            assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, u128::MAX));
            let mut widths = Vec::new();
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].end + 1, pair[1].start);
            }
            for range in &ranges {
                widths.push(range.end - range.start);
                assert_eq!(ranges[range_of(&ranges, range.start)], *range);
                assert_eq!(ranges[range_of(&ranges, range.end)], *range);
            }
            let spread = widths.iter().max().expect("some") - widths.iter().min().expect("some");
            assert!(spread < u128::from(count), "{count} shards: widths differ by {spread}");
        }
    }
}
