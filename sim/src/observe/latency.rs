//! Latency distributions: a log-linear integer histogram, and how long records take to where effects complete.

#[cfg(test)]
mod tests;

use crate::directory::Directory;
use crate::engine::index::{Idx, to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProcessorId, QueueId};
use crate::observe::course::Bar;
use crate::observe::fact::{Fact, QueueFact, Queueing};
use crate::observe::sums::Spans;
use crate::record::Record;

/// Buckets for each power of two.
const LINEAR: usize = 128;
/// Bits of a value that select the bucket within its power of two.
const LINEAR_BITS: u32 = 7;
/// One linear range below 128 ns, and 57 powers of two above.
const BUCKETS: usize = LINEAR * 58;
/// Buckets of a [`Bar`], which all have one width: they divide `LINEAR`.
const BAR: usize = 8;
/// The same, as a factor.
const BAR_WIDTH: u64 = 8;

/// A histogram of spans of time, in nanoseconds. Count, sum, least and greatest value are exact; a quantile is at most
/// 1/256 (0.4 %) away from the exact one. Memory: 58 KiB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

/// The bucket of a value: exact below 256, then 128 buckets for each power of two.
#[inline]
#[expect(
    clippy::as_conversions,
    reason = "the result is below BUCKETS; a cast costs nothing on the hot path"
)]
const fn bucket(value: u64) -> usize {
    let shift = shift(value);
    (shift as usize) * LINEAR + (value >> shift) as usize
}

/// By how many bits a value is shortened to find its bucket.
#[inline]
const fn shift(value: u64) -> u32 {
    (u64::BITS - LINEAR_BITS - 1).saturating_sub((value | 1).leading_zeros())
}

/// By how many bits values of the same power of two are shortened, the least of them when shortened, and their buckets.
#[inline]
fn power(counts: &mut [u64], value: u64) -> (u32, u64, &mut [u64]) {
    match shift(value) {
        0 => (0, 0, &mut counts[..2 * LINEAR]),
        shift => {
            let first = (to_usize(shift) + 1) * LINEAR;
            (shift, 1 << LINEAR_BITS, &mut counts[first..first + LINEAR])
        }
    }
}
/// Where a shortened value stands among the buckets that begin with `lowest`; beyond all of them if it is less.
#[inline]
fn place(shortened: u64, lowest: u64) -> usize {
    usize::try_from(shortened.wrapping_sub(lowest)).unwrap_or(usize::MAX)
}

/// The least value of a bucket, and how many it holds.
#[inline]
#[expect(
    clippy::as_conversions,
    reason = "an index below BUCKETS; a cast costs nothing on the hot path"
)]
const fn range(index: usize) -> (u64, u64) {
    let power = (index / LINEAR).saturating_sub(1);
    (((index - power * LINEAR) as u64) << power, 1 << power)
}

/// The middle of a bucket.
const fn middle(index: usize) -> u64 {
    let (lowest, width) = range(index);
    lowest + (width - 1) / 2
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }
    /// Bytes of memory that it takes.
    pub fn memory(&self) -> u64 {
        u64::try_from(size_of_val(self.counts.as_slice())).unwrap_or(u64::MAX)
    }
    /// Adds a value.
    #[inline]
    pub fn record(&mut self, value: SimDuration) {
        let value = value.as_nanos();
        self.counts[bucket(value)] += 1;
        self.count += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
    /// Adds a value so many times.
    #[inline]
    pub fn record_many(&mut self, value: SimDuration, times: u64) {
        if times == 0 {
            return;
        }
        let value = value.as_nanos();
        self.counts[bucket(value)] += times;
        self.count += times;
        self.sum += u128::from(value) * u128::from(times);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
    /// Adds, for each record, the time from `start` of it to `end`; zero if it starts later.
    #[inline]
    pub fn record_batch(&mut self, end: SimTime, records: &[Record], start: impl Fn(&Record) -> SimTime) {
        self.record_spans(end, records, start);
    }
    /// Adds values that are known to differ: each is counted by itself.
    #[inline]
    pub fn record_spread(&mut self, values: impl ExactSizeIterator<Item = SimDuration>) {
        let number = values.len();
        let (mut sum, mut min, mut max) = (0_u128, self.min, self.max);
        for value in values {
            let value = value.as_nanos();
            self.counts[bucket(value)] += 1;
            sum += u128::from(value);
            min = min.min(value);
            max = max.max(value);
        }
        self.count += u64::from(to_u32(number));
        self.sum += sum;
        self.min = min;
        self.max = max;
    }
    /// As [`Self::record_batch`]; returns what it has added.
    ///
    /// Most of a batch lies within a power of two or two. How values are shortened, and the buckets of such values, stay
    /// as they are until a value does not fit, so that no branch depends on the bucket.
    #[inline]
    fn record_spans(&mut self, end: SimTime, records: &[Record], start: impl Fn(&Record) -> SimTime) -> Spans {
        let (mut sum, mut min, mut max) = (0_u128, u64::MAX, 0);
        let (mut shift, mut lowest, mut buckets) = power(&mut self.counts, 0);
        for record in records {
            let value = end.since(start(record)).as_nanos();
            if let Some(count) = buckets.get_mut(place(value >> shift, lowest)) {
                *count += 1;
            } else {
                (shift, lowest, buckets) = power(&mut self.counts, value);
                buckets[place(value >> shift, lowest)] += 1;
            }
            sum += u128::from(value);
            min = min.min(value);
            max = max.max(value);
        }
        let count = u64::from(to_u32(records.len()));
        self.count += count;
        self.sum += sum;
        self.min = self.min.min(min);
        self.max = self.max.max(max);
        Spans { count, sum, min, max }
    }
    /// Adds everything that another histogram holds.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
    /// Number of values.
    pub const fn count(&self) -> u64 {
        self.count
    }
    /// Sum of the values, in nanoseconds.
    pub const fn sum(&self) -> u128 {
        self.sum
    }
    /// The least value.
    pub fn min(&self) -> Option<SimDuration> {
        (self.count > 0).then(|| SimDuration::from_nanos(self.min))
    }
    /// The greatest value.
    pub fn max(&self) -> Option<SimDuration> {
        (self.count > 0).then(|| SimDuration::from_nanos(self.max))
    }
    /// The mean, rounded down to a nanosecond.
    pub fn mean(&self) -> Option<SimDuration> {
        let mean = self.sum.checked_div(u128::from(self.count))?;
        u64::try_from(mean).ok().map(SimDuration::from_nanos)
    }
    /// The value below or at which `per_million` millionths of the values lie (500,000: the median; 999,000: p99.9):
    /// the ceil(n q)-th value in order, at most 1/256 off, never outside the least and greatest value.
    pub fn quantile(&self, per_million: u32) -> Option<SimDuration> {
        if self.count == 0 {
            return None;
        }
        let rank = (u128::from(self.count) * u128::from(per_million))
            .div_ceil(1_000_000)
            .max(1);
        let mut seen = 0_u128;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return Some(SimDuration::from_nanos(middle(index).clamp(self.min, self.max)));
            }
        }
        self.max()
    }
    /// Buckets that hold values: the middle of each, with its count, ascending.
    pub fn buckets(&self) -> impl Iterator<Item = (SimDuration, u64)> {
        self.counts
            .iter()
            .enumerate()
            .filter(|&(_, count)| *count > 0)
            .map(|(index, count)| (SimDuration::from_nanos(middle(index)), *count))
    }
    /// What this histogram holds beyond an earlier state of it, in coarser buckets of 3 to 6 % width.
    pub fn bars_since(&self, earlier: Option<&Self>) -> Vec<Bar> {
        let mut bars = Vec::new();
        if earlier.is_some_and(|earlier| earlier.count == self.count) {
            return bars;
        }
        for start in (0..BUCKETS).step_by(BAR) {
            let within = start..start + BAR;
            let all = |histogram: &Self| histogram.counts[within.clone()].iter().sum::<u64>();
            let records = all(self) - earlier.map_or(0, all);
            if records > 0 {
                let (from, width) = range(start);
                bars.push(Bar {
                    from: SimDuration::from_nanos(from),
                    width: SimDuration::from_nanos(width).saturating_mul(BAR_WIDTH),
                    records,
                });
            }
        }
        bars
    }
}
impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// Latencies at the place where a processor's effects complete: its sink, or, without one, itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceLatency {
    /// From the record's creation by its producer.
    pub end_to_end: Histogram,
    /// From its arrival in the stream (ApproximateArrivalTimestamp, KDS-REC-16).
    pub since_arrival: Histogram,
}

/// Latencies by processor. A record that takes effect twice counts twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Latency {
    places: Vec<PlaceLatency>,
    queues: Vec<PlaceLatency>,
}

/// Neighbours of a batch that are looked at to see whether most of them arrived together.
const LOOKED_AT: usize = 16;

impl PlaceLatency {
    /// Records take effect now; returns the spans from their creation.
    fn complete(&mut self, now: SimTime, records: &[Record]) -> Spans {
        let alike = records.windows(2).take(LOOKED_AT);
        let alike = alike.filter(|pair| pair[0].arrived_at == pair[1].arrived_at).count();
        if 2 * alike > records.len().min(LOOKED_AT) {
            // The records of a put arrive together and stay neighbours in their shard, if it is not one of very many.
            for run in records.chunk_by(|one, next| one.arrived_at == next.arrived_at) {
                let number = u64::from(to_u32(run.len()));
                self.since_arrival.record_many(now.since(run[0].arrived_at), number);
            }
        } else {
            self.since_arrival
                .record_batch(now, records, |record| record.arrived_at);
        }
        self.end_to_end.record_spans(now, records, |record| record.created_at)
    }
}

impl Latency {
    /// An observer for the processors of a run.
    pub fn new(directory: &Directory) -> Self {
        Self {
            places: directory
                .processors
                .iter()
                .map(|_| PlaceLatency {
                    end_to_end: Histogram::new(),
                    since_arrival: Histogram::new(),
                })
                .collect(),
            queues: directory
                .queues
                .iter()
                .map(|_| PlaceLatency {
                    end_to_end: Histogram::new(),
                    since_arrival: Histogram::new(),
                })
                .collect(),
        }
    }
    /// Takes note of a fact.
    #[inline]
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.note(now, fact);
    }
    /// Takes note of a fact; returns the spans from creation of records that have taken effect.
    #[inline]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact<'_>) -> Option<Spans> {
        match *fact {
            Fact::RecordsProcessed { processor, records, .. } | Fact::RecordsDelivered { processor, records, .. } => {
                let place = self.places.get_mut(processor.index())?;
                Some(place.complete(now, records))
            }
            Fact::Queueing {
                fact:
                    Queueing::Queue {
                        queue,
                        fact: QueueFact::Deleted { records, .. },
                        ..
                    },
            } => {
                self.queues.get_mut(queue.index())?.complete(now, records);
                None
            }
            Fact::RecordsProduced { .. }
            | Fact::RequestSent { .. }
            | Fact::UserRecordsSent { .. }
            | Fact::RequestAnswered { .. }
            | Fact::UserRecordsStored { .. }
            | Fact::RecordsAcknowledged { .. }
            | Fact::RequestFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::RecordsGivenUp { .. }
            | Fact::PutHandled { .. }
            | Fact::PutRefused { .. }
            | Fact::ShardsWritten { .. }
            | Fact::AcknowledgementLost { .. }
            | Fact::GetRecordsHandled { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::SubscriptionEventPushed { .. }
            | Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::RecordsGathered { .. }
            | Fact::BatchDispatched { .. }
            | Fact::BatchFailed { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::CheckpointAdvanced { .. }
            | Fact::InvocationStarted { .. }
            | Fact::InvocationThrottled { .. }
            | Fact::InvocationEnded { .. }
            | Fact::StreamChanged { .. }
            | Fact::ApplicationChanged { .. }
            | Fact::Queueing { .. }
            | Fact::Publishing { .. }
            | Fact::MappingChanged { .. }
            | Fact::RecordsFilteredOut { .. }
            | Fact::FunctionChanged { .. }
            | Fact::AsynchronousEvent { .. }
            | Fact::SinkChanged { .. }
            | Fact::InvokerActed { .. }
            | Fact::Intervened { .. } => None,
        }
    }
    /// Latencies where the processor's effects complete.
    pub fn of(&self, processor: ProcessorId) -> Option<&PlaceLatency> {
        self.places.get(processor.index())
    }
    /// Latencies to the delete of a queue's messages.
    pub fn of_queue(&self, queue: QueueId) -> Option<&PlaceLatency> {
        self.queues.get(queue.index())
    }
    /// Bytes of memory that the distributions take.
    pub fn memory(&self) -> u64 {
        let of = |place: &PlaceLatency| place.end_to_end.memory() + place.since_arrival.memory();
        self.places.iter().chain(&self.queues).map(of).sum()
    }
    /// End-to-end latency over all places.
    pub fn end_to_end(&self) -> Histogram {
        let mut all = Histogram::new();
        for place in &self.places {
            all.merge(&place.end_to_end);
        }
        all
    }
}
