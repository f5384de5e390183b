//! Replay of recorded workloads, faster by the trace's compression, once or again and again.

use super::SourceError;
use super::rate::HORIZON;
use crate::blueprint::{CountSeries, Spread, Trace, TraceRows};
use crate::engine::distribution::UnitExponential;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream};
use core::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

/// A trace under replay.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a producer has one; a box would cost an allocation for each block"
)]
pub(super) enum Replay {
    Requests(RequestReplay),
    Counts(CountReplay),
}

/// When repetitions of a trace begin, in simulated time.
#[derive(Clone, Copy, Debug)]
struct Repetition {
    /// From one to the next; `None`: there is only one.
    every: Option<u64>,
}

/// Replay of a row for each request.
#[derive(Clone, Debug)]
pub(super) struct RequestReplay {
    /// Instants of the rows in simulated time, since the beginning of a repetition.
    times: Arc<[u64]>,
    repetition: Repetition,
    began: u64,
    row: usize,
}

/// Replay of counts per bin: the next request of each series waits in a queue ordered by time, then series.
#[derive(Clone, Debug)]
pub(super) struct CountReplay {
    next: BinaryHeap<Reverse<(u64, u32)>>,
    cursors: Vec<Cursor>,
    bins: Bins,
}

/// What all series share.
#[derive(Clone, Debug)]
struct Bins {
    trace: Arc<Trace>,
    repetition: Repetition,
    spread: Spread,
    /// For [`Spread::Uniform`].
    stream: Option<Stream>,
}

/// Where the replay of a series stands.
#[derive(Clone, Debug)]
struct Cursor {
    series: usize,
    /// The next bin to open.
    bin: usize,
    /// When the present repetition began.
    began: u64,
    /// Requests of the open bin that are still to come.
    left: u32,
    steps: Steps,
}

/// The instants of an open bin, in order.
#[derive(Clone, Debug)]
enum Steps {
    Even(EvenSteps),
    Uniform(Box<UniformSteps>),
}

/// Instants `origin + (2 i + 1) length / (2 n)`, by whole steps and a carried remainder.
#[derive(Clone, Debug)]
struct EvenSteps {
    at: u64,
    remainder: u64,
    step: u64,
    step_remainder: u64,
    parts: u64,
}

/// The order statistics of `n` uniform instants, without sorting or storing them: running sums of `n + 1` exponential
/// numbers, divided by their total. The total comes from a first pass over the numbers.
#[derive(Clone, Debug)]
struct UniformSteps {
    origin: u64,
    latest: u64,
    sum: u128,
    /// Nanoseconds for a unit of the sum, with `shift` fraction bits.
    scale: u128,
    shift: u32,
    stream: Stream,
    words: [u32; CHUNK],
    used: usize,
    left: u64,
}

/// Words that a bin draws at once.
const CHUNK: usize = 64;

impl Repetition {
    /// When the next one begins after that which began at `began`, if there is one.
    fn after(self, began: u64) -> Option<u64> {
        self.every
            .and_then(|every| began.checked_add(every))
            .filter(|&next| next < HORIZON)
    }
}

/// Recorded time at the trace's compression, rounded down.
fn compressed(at: u64, compression: Ratio) -> u64 {
    let scaled = u128::from(at) * u128::from(compression.denominator) / u128::from(compression.numerator.max(1));
    u64::try_from(scaled).unwrap_or(HORIZON).min(HORIZON)
}

impl Replay {
    pub(super) fn build(trace: &Arc<Trace>, producer: &str, streams: &mut RandomStreams) -> Result<Self, SourceError> {
        let span = trace.span.as_nanos();
        let every = compressed(span, trace.compression);
        if trace.repeat && every == 0 {
            return Err(SourceError::TraceWithoutLength);
        }
        let repetition = Repetition {
            every: trace.repeat.then_some(every),
        };
        match &trace.rows {
            TraceRows::Requests { at, .. } => {
                if !at.is_sorted() || at.last().is_some_and(|last| *last > span) {
                    return Err(SourceError::TraceWithoutOrder);
                }
                Ok(Self::Requests(RequestReplay {
                    times: at.iter().map(|at| compressed(*at, trace.compression)).collect(),
                    repetition,
                    began: 0,
                    row: 0,
                }))
            }
            TraceRows::Counts { series, spread } => {
                if !series.iter().all(|series| is_in_order(series, span)) {
                    return Err(SourceError::TraceWithoutOrder);
                }
                let stream = match spread {
                    Spread::Uniform => Some(streams.stream(&format!("{producer}/spread"))?),
                    Spread::Even | Spread::Start => None,
                };
                let bins = Bins {
                    trace: Arc::clone(trace),
                    repetition,
                    spread: *spread,
                    stream,
                };
                Ok(Self::Counts(CountReplay::new(series, bins)))
            }
        }
    }
    /// Writes the next records into `times`, and the row or series of each into `rows`; returns how many there are.
    /// Fewer than there is room for: the trace has ended.
    pub(super) fn fill(&mut self, times: &mut [u64], rows: &mut [u32]) -> usize {
        match self {
            Self::Requests(replay) => replay.fill(times, rows),
            Self::Counts(replay) => replay.fill(times, rows),
        }
    }
    /// True when no further record comes.
    pub(super) fn ended(&self) -> bool {
        match self {
            Self::Requests(replay) => replay.ended(),
            Self::Counts(replay) => replay.next.is_empty(),
        }
    }
    /// Random words drawn so far.
    pub(super) fn draws(&self) -> u64 {
        match self {
            Self::Requests(_) => 0,
            Self::Counts(replay) => replay.bins.stream.as_ref().map_or(0, Stream::draws),
        }
    }
}

/// True when the bins are sorted and disjoint and end within the span.
fn is_in_order(series: &CountSeries, span: u64) -> bool {
    let ends = |bin: &(u64, u64, u32)| bin.0.checked_add(bin.1).filter(|end| *end <= span);
    series.bins.iter().all(|bin| ends(bin).is_some())
        && series
            .bins
            .windows(2)
            .all(|pair| ends(&pair[0]).is_some_and(|end| end <= pair[1].0))
}

impl RequestReplay {
    fn fill(&mut self, times: &mut [u64], rows: &mut [u32]) -> usize {
        let mut done = 0;
        while done < times.len() && !self.ended() {
            let here = (self.times.len() - self.row).min(times.len() - done);
            let recorded = &self.times[self.row..self.row + here];
            let columns = times[done..].iter_mut().zip(&mut rows[done..]);
            for ((time, row), (at, number)) in columns.zip(recorded.iter().zip(to_u32(self.row)..)) {
                *time = self.began + at;
                *row = number;
            }
            done += here;
            self.row += here;
            if self.row == self.times.len()
                && let Some(next) = self.repetition.after(self.began)
            {
                self.row = 0;
                self.began = next;
            }
        }
        done
    }
    fn ended(&self) -> bool {
        self.row == self.times.len()
    }
}

impl CountReplay {
    fn new(series: &[CountSeries], mut bins: Bins) -> Self {
        let nothing = Steps::Even(EvenSteps::new(0, 0, 1));
        let mut cursors: Vec<Cursor> = (0..series.len())
            .map(|series| Cursor {
                series,
                bin: 0,
                began: 0,
                left: 0,
                steps: nothing.clone(),
            })
            .collect();
        let mut next = BinaryHeap::with_capacity(cursors.len());
        for (cursor, number) in cursors.iter_mut().zip(0..) {
            if series[cursor.series].bins.iter().any(|bin| bin.2 > 0)
                && let Some(time) = cursor.next(&mut bins)
            {
                next.push(Reverse((time, number)));
            }
        }
        Self { next, cursors, bins }
    }
    fn fill(&mut self, times: &mut [u64], rows: &mut [u32]) -> usize {
        for (done, (time, row)) in times.iter_mut().zip(rows.iter_mut()).enumerate() {
            let Some(mut first) = self.next.peek_mut() else {
                return done;
            };
            let Reverse((at, number)) = *first;
            *time = at;
            *row = number;
            match self.cursors[to_usize(number)].next(&mut self.bins) {
                Some(at) => *first = Reverse((at, number)),
                None => {
                    PeekMut::pop(first);
                }
            }
        }
        times.len()
    }
}

impl Cursor {
    /// The next instant of the series; `None` at its end. The series has a bin that is not empty.
    #[inline]
    fn next(&mut self, shared: &mut Bins) -> Option<u64> {
        if self.left == 0 {
            self.open(shared)?;
        }
        self.left -= 1;
        Some(match &mut self.steps {
            Steps::Even(steps) => steps.next(),
            Steps::Uniform(steps) => steps.next(),
        })
    }
    /// Opens the next bin that is not empty.
    #[cold]
    fn open(&mut self, shared: &mut Bins) -> Option<()> {
        let trace = &shared.trace;
        let TraceRows::Counts { series, .. } = &trace.rows else {
            return None;
        };
        let bins = &series[self.series].bins;
        let (start, length, count) = loop {
            let Some(bin) = bins.get(self.bin) else {
                self.began = shared.repetition.after(self.began)?;
                self.bin = 0;
                continue;
            };
            self.bin += 1;
            if bin.2 > 0 {
                break *bin;
            }
        };
        let from = compressed(start, trace.compression);
        let length = compressed(start + length, trace.compression) - from;
        let origin = self.began + from;
        self.left = count;
        self.steps = match (shared.spread, &mut shared.stream) {
            (Spread::Uniform, Some(stream)) => {
                Steps::Uniform(Box::new(UniformSteps::new(origin, length, count, stream)))
            }
            (Spread::Even, _) => Steps::Even(EvenSteps::new(origin, length, count)),
            (Spread::Start | Spread::Uniform, _) => Steps::Even(EvenSteps::new(origin, 0, count)),
        };
        Some(())
    }
}

impl EvenSteps {
    fn new(origin: u64, length: u64, count: u32) -> Self {
        let parts = u64::from(count) * 2;
        let doubled = length * 2;
        Self {
            at: origin + length / parts,
            remainder: length % parts,
            step: doubled / parts,
            step_remainder: doubled % parts,
            parts,
        }
    }
    #[inline]
    const fn next(&mut self) -> u64 {
        let at = self.at;
        self.at += self.step;
        self.remainder += self.step_remainder;
        if self.remainder >= self.parts {
            self.remainder -= self.parts;
            self.at += 1;
        }
        at
    }
}

impl UniformSteps {
    fn new(origin: u64, length: u64, count: u32, stream: &mut Stream) -> Self {
        let before = stream.clone();
        let numbers = u64::from(count) + 1;
        let mut words = [0; CHUNK];
        let (mut left, mut total) = (numbers, 0_u128);
        while left > 0 {
            let here = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            stream.fill(&mut words[..here]);
            total += words[..here]
                .iter()
                .map(|word| u128::from(UnitExponential::sample(*word)))
                .sum::<u128>();
            left -= u64::from(to_u32(here));
        }
        // The sum stays below 2^70 and the scale below 2^58: their product fits.
        let total = total.max(1);
        let mut shift = 64;
        while shift > 0 && (u128::from(length) << shift) / total >= 1 << 58 {
            shift -= 1;
        }
        Self {
            origin,
            latest: origin + length.saturating_sub(1),
            sum: 0,
            scale: (u128::from(length) << shift) / total,
            shift,
            stream: before,
            words,
            used: CHUNK,
            left: numbers,
        }
    }
    fn next(&mut self) -> u64 {
        if self.used == CHUNK {
            let here = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
            self.stream.fill(&mut self.words[..here]);
            self.left -= u64::from(to_u32(here));
            self.used = 0;
        }
        self.sum += u128::from(UnitExponential::sample(self.words[self.used]));
        self.used += 1;
        let span = u64::try_from((self.sum * self.scale) >> self.shift).unwrap_or(u64::MAX);
        self.origin.saturating_add(span).min(self.latest)
    }
}
