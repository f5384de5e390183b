//! Points of many values.

use super::Point;
use super::len;
use crate::engine::time::SimTime;
use crate::observe::sums::{Spans, Sums};
use crate::record::{Outcome, Record};

/// From creation to now, in microseconds.
pub(super) fn latencies(now: SimTime, records: &[Record], sums: &Sums) -> Point {
    if records.is_empty() {
        return Point::EMPTY;
    }
    let spans = sums.spans.unwrap_or_else(|| Spans::of(now, records));
    Point {
        sum: u64::try_from(spans.sum / 1_000).unwrap_or(u64::MAX),
        count: spans.count,
        min: spans.min / 1_000,
        max: spans.max / 1_000,
    }
}

/// Bytes of each entry that was stored: `stored` of them.
pub(super) fn stored_bytes(entries: &[Record], stored: u64) -> Point {
    let bytes = |entry: &Record| u64::from(entry.bytes);
    if stored == len(entries) {
        // Nearly always: one plain pass.
        let (mut sum, mut min, mut max) = (0, u64::MAX, 0);
        for bytes in entries.iter().map(bytes) {
            sum += bytes;
            min = bytes.min(min);
            max = bytes.max(max);
        }
        return Point {
            sum,
            count: stored,
            min,
            max,
        };
    }
    let accepted = entries.iter().filter(|entry| entry.outcome() == Outcome::Accepted);
    Point::of_all(accepted.map(bytes))
}
