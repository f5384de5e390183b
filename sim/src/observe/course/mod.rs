//! The course of a run: what each component did over time, in at most 400 steps, fine enough to draw.
//!
//! CloudWatch's minutes are too coarse for a run of five minutes. Here a step lasts a second in a short run and hours in a
//! long one. Nothing is counted twice: at the end of a step the growth of the totals that other observers keep is noted,
//! so a record costs nothing; only maxima are followed fact by fact.

mod growth;
pub mod spread;
pub mod steps;
#[cfg(test)]
mod tests;

pub use growth::{EffectStep, FunctionStep, ProducerStep, ReaderStep, ShardStep};
pub use spread::{Bar, Spread};
pub use steps::{Grid, STEPS_MAX, Step, Steps};

use crate::directory::Directory;
use crate::engine::index::{Idx, IndexVec, to_usize};
use crate::engine::time::SimTime;
use crate::ids::{ProcessorId, ProducerId, ReaderId, StreamId};
use crate::observe::counts::Counts;
use crate::observe::fact::Fact;
use crate::observe::latency::{Histogram, Latency};
use crate::observe::ordering::{Ordering, Place};
use crate::record::Record;
use growth::Growth;
use steps::Advance;

/// Shards of a stream that are followed one by one; those beyond are in the totals only.
pub const SHARDS_MAX: usize = 512;

/// A function or application and the place where its effects complete. Only a function has invocations.
#[derive(Clone, PartialEq, Eq, Debug)]
struct ProcessorCourse {
    invocations: Growth<FunctionStep>,
    effects: Growth<EffectStep>,
    latency: Steps<Spread>,
    latency_before: Histogram,
    /// Invocations in progress.
    concurrent: u64,
}

/// What other observers know at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Totals<'o> {
    /// Totals by component.
    pub counts: Option<&'o Counts>,
    /// Order and duplicates.
    pub ordering: Option<&'o Ordering>,
    /// Latencies.
    pub latency: Option<&'o Latency>,
}

/// The course of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Course {
    grid: Grid,
    /// End of the open step.
    end: SimTime,
    producers: IndexVec<ProducerId, Growth<ProducerStep>>,
    streams: IndexVec<StreamId, Vec<Growth<ShardStep>>>,
    readers: IndexVec<ReaderId, Growth<ReaderStep>>,
    processors: IndexVec<ProcessorId, ProcessorCourse>,
    /// So many of them are functions; applications follow.
    functions: usize,
}

impl ProcessorCourse {
    /// An invocation has begun, so that there are so many.
    #[inline]
    fn begun(&mut self, concurrent: u64) {
        self.concurrent = concurrent;
        let step = self.invocations.steps.open();
        step.concurrent_max = step.concurrent_max.max(concurrent);
    }
}

impl Course {
    /// The start of a run.
    pub fn new(directory: &Directory) -> Self {
        fn growths<I: Idx, E, S: Step>(like: &IndexVec<I, E>, grid: Grid) -> IndexVec<I, Growth<S>> {
            like.iter().map(|_| Growth::new(grid)).collect()
        }
        let grid = Grid::new();
        Self {
            grid,
            end: grid.end(),
            producers: growths(&directory.producers, grid),
            streams: directory
                .streams
                .iter()
                .map(|stream| vec![Growth::new(grid); to_usize(stream.shards).min(SHARDS_MAX)])
                .collect(),
            readers: growths(&directory.readers, grid),
            functions: directory.functions.len(),
            processors: directory
                .processors
                .iter()
                .map(|_| ProcessorCourse {
                    invocations: Growth::new(grid),
                    effects: Growth::new(grid),
                    latency: Steps::new(grid),
                    latency_before: Histogram::new(),
                    concurrent: 0,
                })
                .collect(),
        }
    }

    fn is_application(&self, processor: ProcessorId) -> bool {
        processor.index() >= self.functions
    }

    /// Bytes of memory that the distributions take that it compares with.
    pub fn memory(&self) -> u64 {
        let before = self.processors.iter().map(|processor| &processor.latency_before);
        before.map(Histogram::memory).sum()
    }

    /// Takes note of a fact. The totals are those before it.
    #[inline]
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>, totals: Totals<'_>) {
        if now >= self.end {
            self.move_to(now, totals);
        }
        match *fact {
            Fact::GetRecordsHandled {
                reader, millis_behind, ..
            }
            | Fact::SubscriptionEventPushed {
                reader, millis_behind, ..
            } => {
                let step = self.readers[reader].steps.open();
                step.millis_behind_max = step.millis_behind_max.max(Some(millis_behind));
            }
            // An application processes what it reads without an invocation.
            Fact::BatchDispatched { processor, records, .. } if self.is_application(processor) => {
                self.got(now, processor, records);
            }
            Fact::InvocationStarted {
                function,
                records,
                concurrent,
                ..
            } => {
                self.got(now, function.into(), records);
                self.processors[function.into()].begun(u64::from(concurrent));
            }
            Fact::InvocationEnded {
                function, concurrent, ..
            } => self.processors[function.into()].concurrent = u64::from(concurrent),
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
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::RecordsGathered { .. }
            | Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::BatchDispatched { .. }
            | Fact::BatchFailed { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::CheckpointAdvanced { .. }
            | Fact::InvocationThrottled { .. }
            | Fact::RecordsProcessed { .. }
            | Fact::RecordsDelivered { .. }
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
            | Fact::Intervened { .. } => {}
        }
    }

    /// Records reached what processes them.
    fn got(&mut self, now: SimTime, processor: ProcessorId, records: &[Record]) {
        let age = records.last().map(|last| now.since(last.arrived_at));
        let most = &mut self.processors[processor].invocations.steps.open().iterator_age_max;
        *most = (*most).max(age);
    }

    /// The course up to now, with everything that has happened in the step in progress.
    #[must_use]
    pub fn until(&self, now: SimTime, totals: Totals<'_>) -> Self {
        let mut course = self.clone();
        course.settle(totals);
        let began = course.end.saturating_sub(course.grid.length());
        // What happens at the very end of a run belongs to its last step.
        if now == began && course.grid.steps() > 1 {
            course.grid = course.grid.shorter();
            course.each(|steps| steps.fold_last());
        }
        course
    }

    /// Where the steps lie.
    pub const fn grid(&self) -> Grid {
        self.grid
    }
    /// Steps of a producer.
    pub fn producer(&self, id: ProducerId) -> &[ProducerStep] {
        self.producers[id].steps.all()
    }
    /// Steps of a stream's shards, in order of their number, up to [`SHARDS_MAX`].
    pub fn shards(&self, id: StreamId) -> impl Iterator<Item = &[ShardStep]> {
        self.streams[id].iter().map(|shard| shard.steps.all())
    }
    /// Steps of a reader.
    pub fn reader(&self, id: ReaderId) -> &[ReaderStep] {
        self.readers[id].steps.all()
    }
    /// What the processor did in each step. An application has no invocations, only the age of what it gets.
    pub fn processor(&self, id: ProcessorId) -> &[FunctionStep] {
        self.processors[id].invocations.steps.all()
    }
    /// What became of records where the processor's effects complete.
    pub fn effects(&self, id: ProcessorId) -> &[EffectStep] {
        self.processors[id].effects.steps.all()
    }
    /// Latencies of these, from the record's creation.
    pub fn latency(&self, id: ProcessorId) -> &[Spread] {
        self.processors[id].latency.all()
    }

    #[cold]
    fn move_to(&mut self, now: SimTime, totals: Totals<'_>) {
        self.settle(totals);
        while let Some(advance) = self.grid.advance(now) {
            self.each(|steps| steps.advance(advance));
            for function in &mut self.processors {
                let step = function.invocations.steps.open();
                step.concurrent_max = step.concurrent_max.max(function.concurrent);
            }
        }
        self.end = self.grid.end();
    }

    fn each(&mut self, mut change: impl FnMut(&mut dyn Follow)) {
        for one in &mut self.producers {
            change(&mut one.steps);
        }
        for one in self.streams.iter_mut().flatten() {
            change(&mut one.steps);
        }
        for one in &mut self.readers {
            change(&mut one.steps);
        }
        for one in &mut self.processors {
            change(&mut one.invocations.steps);
            change(&mut one.effects.steps);
            change(&mut one.latency);
        }
    }

    /// Adds what the totals have grown by to the open step.
    fn settle(&mut self, totals: Totals<'_>) {
        let Self {
            grid,
            producers,
            streams,
            readers,
            processors,
            ..
        } = self;
        if let Some(counts) = totals.counts {
            for (one, total) in producers.iter_mut().zip(counts.producers.iter()) {
                one.settle(growth::producer(total));
            }
            for (shards, stream) in streams.iter_mut().zip(counts.streams.iter()) {
                let followed = stream.shards.len().min(SHARDS_MAX);
                if shards.len() < followed {
                    shards.resize(followed, Growth::new(*grid));
                }
                for (one, total) in shards.iter_mut().zip(&stream.shards) {
                    one.settle(growth::shard(total));
                }
            }
            for (one, total) in readers.iter_mut().zip(counts.readers.iter()) {
                one.settle(ReaderStep {
                    acknowledged: total.acknowledged,
                    millis_behind_max: None,
                });
            }
            for (course, total) in processors.iter_mut().zip(counts.functions.iter()) {
                course.invocations.settle(growth::function(total));
            }
        }
        for (number, course) in processors.iter_mut().enumerate() {
            let id = ProcessorId::from_index(number);
            if let Some(ordering) = totals.ordering {
                course.effects.settle(growth::effects(ordering, Place::Processor(id)));
            }
            if let Some(place) = totals.latency.and_then(|latency| latency.of(id)) {
                let grown = Spread::between(Some(&course.latency_before), &place.end_to_end);
                if !grown.bars().is_empty() {
                    course.latency.open().add(&grown);
                    course.latency_before.clone_from(&place.end_to_end);
                }
            }
        }
    }
}

/// Steps of any kind, for what is done with all of them alike.
trait Follow {
    fn advance(&mut self, advance: Advance);
    fn fold_last(&mut self);
}
impl<S: Step> Follow for Steps<S> {
    fn advance(&mut self, advance: Advance) {
        Self::advance(self, advance);
    }
    fn fold_last(&mut self) {
        Self::fold_last(self);
    }
}
