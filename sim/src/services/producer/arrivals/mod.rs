//! Everything that comes in: instants, keys and sizes of a producer's records, drawn ahead in blocks.
//!
//! Records are not events. A source keeps the records to come as three columns, sorted by time, and its client takes
//! them from the front. A block of up to 2,048 records is drawn at once; what it holds does not depend on when it is
//! drawn. Where the load may be scaled, the generator's state at the beginning of each block is kept, so that a change
//! of the load that lies before drawn records draws them again.

mod attributes;
mod demand;
mod instants;
mod rate;
mod replay;
#[cfg(test)]
#[expect(clippy::as_conversions, reason = "statistics")]
mod tests;

use crate::blueprint::{Arrivals, ProducerBlueprint};
use crate::engine::discrete::WeightError;
use crate::engine::distribution::DistributionError;
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::random::{DuplicateStream, RandomStreams};
use crate::engine::time::SimTime;
use crate::key::{KeyRange, KeyTable};
use attributes::Attributes;
use core::fmt;
use demand::{Demand, Units};
pub use instants::Instants;
use rate::RateCurve;
use replay::Replay;
use std::collections::VecDeque;

/// Most records that are drawn at once.
pub const BLOCK: usize = 2_048;
/// Records of the first block; the following ones double, so that a quiet producer draws little.
const FIRST_BLOCK: usize = 64;
/// A block that went through more pieces of the rate than this for each record is followed by a smaller one.
const MOST_PIECES_A_RECORD: usize = 4;

/// The records that a producer creates, in order of time.
#[derive(Clone, Debug)]
pub struct Source {
    generator: Generator,
    factors: Vec<(u64, Ratio)>,
    times: Vec<u64>,
    keys: Vec<u32>,
    bytes: Vec<u32>,
    /// Records of the columns that are consumed.
    head: usize,
    /// The blocks that the columns consist of.
    blocks: VecDeque<Block>,
    /// Instant of the last record consumed.
    last_consumed: Option<u64>,
}

#[derive(Clone, Debug)]
struct Block {
    /// Position of its first record in the columns that is not forgotten.
    start: usize,
    /// Records of it that are consumed and forgotten.
    dropped: usize,
    /// The generator before it; `None` where no block is ever drawn again.
    before: Option<Generator>,
}

#[derive(Clone, Debug)]
struct Generator {
    arrivals: Process,
    attributes: Attributes,
    /// Records of the next block.
    block: usize,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a producer has one; a box would cost an allocation for each block"
)]
enum Process {
    Demand(Demand),
    Replay(Replay),
}

/// Why a blueprint does not make a source.
#[derive(Clone, PartialEq, Debug)]
pub enum SourceError {
    /// A random stream's name is taken.
    Stream(DuplicateStream),
    /// The sizes' parameters do not make a distribution.
    Size(DistributionError),
    /// More than a record a nanosecond.
    RateTooHigh(Rate),
    /// Bursts or quiet spells have a mean length of zero.
    SpellWithoutLength,
    /// A profile's points do not begin at zero, do not increase, or reach beyond the period.
    ProfileWithoutOrder,
    /// There is no key.
    NoKeys,
    /// The weights of the keys cannot be drawn from.
    Weights(WeightError),
    /// The trace has no keys, or refers to one that does not exist.
    NoKeysInTrace,
    /// The trace has no sizes.
    NoSizesInTrace,
    /// The trace's rows or bins are not sorted, or reach beyond the trace's end.
    TraceWithoutOrder,
    /// The trace repeats, but a repetition takes no time.
    TraceWithoutLength,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::Size(error) => error.fmt(f),
            Self::RateTooHigh(rate) => write!(f, "a rate of {rate} is more than a record a nanosecond"),
            Self::SpellWithoutLength => f.write_str("bursts and quiet spells need a mean length"),
            Self::ProfileWithoutOrder => {
                f.write_str("the points of a profile must begin at zero and increase, up to its period at most")
            }
            Self::NoKeys => f.write_str("a producer needs at least one partition key"),
            Self::Weights(error) => error.fmt(f),
            Self::NoKeysInTrace => f.write_str("the trace has no partition key for each of its records"),
            Self::NoSizesInTrace => f.write_str("the trace has no size for each of its records"),
            Self::TraceWithoutOrder => f.write_str("the rows of the trace must be sorted and end within its span"),
            Self::TraceWithoutLength => f.write_str("a trace that repeats needs a length"),
        }
    }
}
impl core::error::Error for SourceError {}
impl From<DuplicateStream> for SourceError {
    fn from(error: DuplicateStream) -> Self {
        Self::Stream(error)
    }
}
impl From<DistributionError> for SourceError {
    fn from(error: DistributionError) -> Self {
        Self::Size(error)
    }
}
impl From<WeightError> for SourceError {
    fn from(error: WeightError) -> Self {
        Self::Weights(error)
    }
}

/// The load of a trace cannot be scaled: it is what was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotScalable;

impl fmt::Display for NotScalable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the load of a trace cannot be scaled")
    }
}
impl core::error::Error for NotScalable {}

impl Source {
    /// The source of a producer whose keys are `range` of `table`.
    ///
    /// Draws from the streams `producer.<name>/interarrival`, `/burst`, `/spread`, `/key` and `/size`, as far as the
    /// blueprint needs them.
    pub fn new(
        blueprint: &ProducerBlueprint,
        range: KeyRange,
        table: &KeyTable,
        streams: &mut RandomStreams,
    ) -> Result<Self, SourceError> {
        let generator = Generator {
            arrivals: Process::build(&format!("producer.{}", blueprint.name), &blueprint.arrivals, streams)?,
            attributes: Attributes::build(blueprint, range, table, streams)?,
            block: FIRST_BLOCK,
        };
        Ok(Self {
            generator,
            factors: Vec::new(),
            times: Vec::new(),
            keys: Vec::new(),
            bytes: Vec::new(),
            head: 0,
            blocks: VecDeque::new(),
            last_consumed: None,
        })
    }
    /// Instants of the drawn records that are not consumed, in nanoseconds since the start of the run; sorted.
    #[inline]
    pub fn times(&self) -> &[u64] {
        &self.times[self.head..]
    }
    /// Their keys, as ids of the run's key table.
    #[inline]
    pub fn keys(&self) -> &[u32] {
        &self.keys[self.head..]
    }
    /// Their sizes: data and the key's text (KDS-REC-05).
    #[inline]
    pub fn bytes(&self) -> &[u32] {
        &self.bytes[self.head..]
    }
    /// Draws until at least `count` records are there. False if the source ends before.
    #[inline]
    pub fn ensure(&mut self, count: usize) -> bool {
        while self.times.len() - self.head < count {
            if self.generator.ended() {
                return false;
            }
            self.draw_block();
        }
        true
    }
    /// Takes records from the front. Panics if so many are not there.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        if count > 0 {
            self.head += count;
            self.last_consumed = Some(self.times[self.head - 1]);
        }
    }
    /// True when everything is consumed and nothing more comes: a trace has ended, or the rate is zero for good (a later
    /// change of the load's factor may then wake the source again).
    pub fn exhausted(&self) -> bool {
        self.head == self.times.len() && self.generator.ended()
    }
    /// Multiplies the configured rate by `factor` from `at` on, until the next change. Records before `at` stay as they
    /// are, those after it are the same as if the change had been known from the start.
    ///
    /// If records at or after `at` are consumed already, the change holds from the nanosecond after the last of them.
    pub fn set_factor(&mut self, at: SimTime, factor: Ratio) -> Result<(), NotScalable> {
        if matches!(self.generator.arrivals, Process::Replay(_)) {
            return Err(NotScalable);
        }
        let at = at.as_nanos().max(self.last_consumed.map_or(0, |last| last + 1));
        let place = self.factors.partition_point(|change| change.0 < at);
        if self.factors.get(place).is_some_and(|change| change.0 == at) {
            self.factors[place].1 = factor;
        } else {
            self.factors.insert(place, (at, factor));
        }
        self.forget_from(at);
        Ok(())
    }
    /// Number of random words drawn so far, look-ahead included.
    pub fn draws(&self) -> u64 {
        let arrivals = match &self.generator.arrivals {
            Process::Demand(demand) => demand.draws(),
            Process::Replay(replay) => replay.draws(),
        };
        arrivals + self.generator.attributes.draws()
    }

    /// Goes back to the beginning of the block that has the first record at or after `at`, and draws that block again.
    fn forget_from(&mut self, at: u64) {
        let first = self.times.partition_point(|&time| time < at);
        let affected = if first < self.times.len() {
            self.blocks.partition_point(|block| block.start <= first)
        } else if self.generator.ended() {
            self.blocks.len()
        } else {
            return;
        };
        self.blocks.truncate(affected);
        if let Some(Block {
            start,
            dropped,
            before: Some(before),
        }) = self.blocks.pop_back()
        {
            self.generator = before;
            self.truncate(start);
            self.append_block(dropped);
        }
    }
    fn draw_block(&mut self) {
        self.drop_consumed();
        self.append_block(0);
    }
    /// Draws a block, of which the first `dropped` records are consumed and forgotten already.
    fn append_block(&mut self, dropped: usize) {
        let start = self.times.len();
        let before = match self.generator.arrivals {
            Process::Demand(_) => Some(self.generator.clone()),
            Process::Replay(_) => None,
        };
        self.blocks.push_back(Block { start, dropped, before });
        let end = start + self.generator.block;
        self.times.resize(end, 0);
        self.keys.resize(end, 0);
        self.bytes.resize(end, 0);
        let drawn = self.generator.fill(
            &self.factors,
            &mut self.times[start..],
            &mut self.keys[start..],
            &mut self.bytes[start..],
        );
        self.truncate(start + drawn);
        if dropped > 0 {
            self.times.drain(start..start + dropped);
            self.keys.drain(start..start + dropped);
            self.bytes.drain(start..start + dropped);
        }
    }
    fn truncate(&mut self, length: usize) {
        self.times.truncate(length);
        self.keys.truncate(length);
        self.bytes.truncate(length);
    }
    /// Forgets what is consumed. A block that still has a record to come stays known, since it may have to be drawn again.
    fn drop_consumed(&mut self) {
        let head = self.head;
        if head == 0 {
            return;
        }
        while self.blocks.get(1).is_some_and(|next| next.start <= head) {
            self.blocks.pop_front();
        }
        if head == self.times.len() {
            self.blocks.clear();
        }
        for block in &mut self.blocks {
            block.dropped += head.saturating_sub(block.start);
            block.start = block.start.saturating_sub(head);
        }
        self.times.drain(..head);
        self.keys.drain(..head);
        self.bytes.drain(..head);
        self.head = 0;
    }
}

impl Generator {
    /// Draws a block and returns how many records it has.
    fn fill(&mut self, factors: &demand::Factors, times: &mut [u64], keys: &mut [u32], bytes: &mut [u32]) -> usize {
        let (drawn, pieces) = match &mut self.arrivals {
            Process::Demand(demand) => demand.fill(factors, times),
            Process::Replay(replay) => (replay.fill(times, keys), 0),
        };
        self.attributes.complete(&mut keys[..drawn], &mut bytes[..drawn]);
        self.block = if pieces > MOST_PIECES_A_RECORD * self.block {
            (self.block / 2).max(1)
        } else {
            (self.block * 2).min(BLOCK)
        };
        drawn
    }
    fn ended(&self) -> bool {
        match &self.arrivals {
            Process::Demand(demand) => demand.ended(),
            Process::Replay(replay) => replay.ended(),
        }
    }
}

impl Process {
    fn build(component: &str, arrivals: &Arrivals, streams: &mut RandomStreams) -> Result<Self, SourceError> {
        let curve = match arrivals {
            Arrivals::Trace(trace) => return Ok(Self::Replay(Replay::build(trace, component, streams)?)),
            Arrivals::Constant(rate) | Arrivals::Poisson(rate) => RateCurve::constant(*rate)?,
            Arrivals::Bursts {
                on,
                off,
                mean_on,
                mean_off,
            } => {
                let stream = streams.stream(&format!("{component}/burst"))?;
                RateCurve::bursts((*on, *mean_on), (*off, *mean_off), stream)?
            }
            Arrivals::Profile { points, period } => RateCurve::lines(points, *period)?,
        };
        let units = if matches!(arrivals, Arrivals::Constant(_)) {
            Units::Even { started: false }
        } else {
            Units::Exponential(streams.stream(&format!("{component}/interarrival"))?)
        };
        Ok(Self::Demand(Demand::new(curve, units)))
    }
}
