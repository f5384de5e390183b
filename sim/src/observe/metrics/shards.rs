//! The metrics of shards (KDS-MET-02, KDS-MET-03). A put may touch hundreds of shards, so the minute in progress of each
//! takes one cache line; it becomes points of its series when the minute is over.

use super::SHARD;
use super::series::{MINUTE, Point, Series};
use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::observe::fact::ShardTally;

/// The series of a shard, in the order of `SHARD`.
type ShardSeries = [Series; SHARD.len()];

/// Metrics of the shards of a stream.
#[derive(Clone, Debug)]
pub(super) struct Shards {
    /// When the minute in progress began, in nanoseconds.
    start: u64,
    newest: Vec<Minute>,
    series: Vec<ShardSeries>,
}

/// What the puts of a minute brought a shard.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Minute {
    puts: u32,
    records: Range,
    throttled: Range,
    /// A shard's limits keep these sums small.
    records_sum: u32,
    throttled_sum: u32,
    bytes_sum: u64,
    bytes_min: u64,
    bytes_max: u64,
}
const _: () = assert!(size_of::<Minute>() == 64, "a shard's minute is one cache line");

/// The least and the greatest of some numbers.
#[derive(Clone, Copy, Debug)]
struct Range {
    min: u32,
    max: u32,
}

impl Range {
    const NONE: Self = Self { min: u32::MAX, max: 0 };

    #[inline]
    fn add(&mut self, value: u32) {
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
    /// As many numbers in this range with this sum.
    fn point(self, sum: u32, count: u32) -> Point {
        Point {
            sum: u64::from(sum),
            count: u64::from(count),
            min: u64::from(self.min),
            max: u64::from(self.max),
        }
    }
}

impl Minute {
    const NONE: Self = Self {
        puts: 0,
        records: Range::NONE,
        throttled: Range::NONE,
        records_sum: 0,
        throttled_sum: 0,
        bytes_sum: 0,
        bytes_min: u64::MAX,
        bytes_max: 0,
    };

    #[inline]
    fn add(&mut self, tally: &ShardTally) {
        if let Some(sizes) = tally.singles {
            return self.add_singles(tally, sizes);
        }
        self.puts += 1;
        self.records.add(tally.accepted);
        self.throttled.add(tally.throttled);
        self.records_sum += tally.accepted;
        self.throttled_sum += tally.throttled;
        self.bytes_sum += tally.bytes;
        self.bytes_min = self.bytes_min.min(tally.bytes);
        self.bytes_max = self.bytes_max.max(tally.bytes);
    }
    /// What it would be to add each put by itself.
    fn add_singles(&mut self, tally: &ShardTally, (least, most): (u32, u32)) {
        self.puts += tally.puts();
        self.records_sum += tally.accepted;
        self.throttled_sum += tally.throttled;
        self.bytes_sum += tally.bytes;
        if tally.accepted > 0 {
            self.records.add(1);
            self.throttled.add(0);
            self.bytes_min = self.bytes_min.min(u64::from(least));
            self.bytes_max = self.bytes_max.max(u64::from(most));
        }
        if tally.throttled > 0 {
            self.records.add(0);
            self.throttled.add(1);
            self.bytes_min = 0;
        }
    }
    /// Its points, in the order of `SHARD`.
    fn points(&self) -> [Point; SHARD.len()] {
        [
            self.records.point(self.records_sum, self.puts),
            Point {
                sum: self.bytes_sum,
                count: u64::from(self.puts),
                min: self.bytes_min,
                max: self.bytes_max,
            },
            self.throttled.point(self.throttled_sum, self.puts),
        ]
    }
    fn add_to(&self, start: u64, series: &mut ShardSeries) {
        if self.puts > 0 {
            for (series, point) in series.iter_mut().zip(self.points()) {
                series.add(SimTime::from_nanos(start), point);
            }
        }
    }
}

impl Shards {
    pub(super) fn new(count: u32) -> Self {
        Self {
            start: 0,
            newest: vec![Minute::NONE; to_usize(count)],
            series: vec![ShardSeries::default(); to_usize(count)],
        }
    }
    /// What a put did. Shards that a stream gets later are added as puts name them.
    pub(super) fn put(&mut self, now: SimTime, tallies: &[ShardTally]) {
        if now.as_nanos().wrapping_sub(self.start) >= MINUTE {
            self.begin(now.as_nanos() - now.as_nanos() % MINUTE);
        }
        for tally in tallies {
            let at = to_usize(tally.shard.0);
            if at >= self.newest.len() {
                self.newest.resize(at + 1, Minute::NONE);
                self.series.resize(at + 1, ShardSeries::default());
            }
            self.newest[at].add(tally);
        }
    }
    #[cold]
    fn begin(&mut self, start: u64) {
        for (minute, series) in self.newest.iter_mut().zip(&mut self.series) {
            minute.add_to(self.start, series);
            *minute = Minute::NONE;
        }
        self.start = start;
    }
    /// The series of a shard's metric, by its place in `SHARD`, up to now.
    pub(super) fn series(&self, shard: usize, place: usize) -> Option<Series> {
        let mut series = self.series.get(shard)?.get(place)?.clone();
        let minute = self.newest.get(shard)?;
        if minute.puts > 0 {
            series.add(SimTime::from_nanos(self.start), *minute.points().get(place)?);
        }
        Some(series)
    }
}
