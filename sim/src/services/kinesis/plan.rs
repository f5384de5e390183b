//! How UpdateShardCount gets from the ranges there are to those wanted: which ranges these are, and the splits and merges
//! on the way (KDS-RS-01, KDS-RS-19).

use super::reshard::Step;
use super::shard_map::{HashRange, ShardMap, even_ranges, range_of};

/// The middle at which a shard is halved by SplitShard without a hash key of the caller's (KDS-RS-03).
pub fn midpoint(range: HashRange) -> u128 {
    range.start + (range.end - range.start) / 2
}

/// The ranges after UpdateShardCount (KDS-MOD-11): doubling splits each, halving merges neighbours, anything else leads to
/// the ranges of a new stream.
pub fn target_ranges(present: &[HashRange], target: usize) -> Vec<HashRange> {
    if target == present.len() * 2 && present.iter().all(|range| range.start < range.end) {
        let halves = present.iter().flat_map(|range| {
            let middle = midpoint(*range);
            let lower = HashRange { end: middle, ..*range };
            let start = middle + 1;
            [lower, HashRange { start, ..*range }]
        });
        return halves.collect();
    }
    if target * 2 == present.len() {
        let pairs = present.chunks(2).map(|pair| HashRange {
            start: pair[0].start,
            end: pair[pair.len() - 1].end,
        });
        return pairs.collect();
    }
    even_ranges(u32::try_from(target).unwrap_or(u32::MAX))
}

/// How many shards there are between the splits and the merges: they count against the quota (KDS-RS-19).
pub fn transient_shards(present: &[HashRange], wanted: &[HashRange]) -> usize {
    let new = wanted
        .iter()
        .filter(|range| present[range_of(present, range.start)].start != range.start);
    present.len() + new.count()
}

/// Splits at the starts of wanted ranges, one for each shard at most; none if there is nothing left to split.
pub(super) fn splits(map: &ShardMap, wanted: &[HashRange]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut last = None;
    for range in wanted {
        let place = range_of(map.ranges(), range.start);
        if map.ranges()[place].start != range.start && last != Some(place) {
            last = Some(place);
            let (shard, at) = (map.shards()[place], range.start);
            steps.push(Step::Split { shard, at });
        }
    }
    steps
}

/// Merges of neighbours within wanted ranges; none if every range is one shard.
pub(super) fn merges(map: &ShardMap, wanted: &[HashRange]) -> Vec<Step> {
    let mut steps = Vec::new();
    for range in wanted {
        let (first, end) = (
            range_of(map.ranges(), range.start),
            range_of(map.ranges(), range.end) + 1,
        );
        for pair in map.shards()[first..end].chunks_exact(2) {
            let (lower, upper) = (pair[0], pair[1]);
            steps.push(Step::Merge { lower, upper });
        }
    }
    steps
}
