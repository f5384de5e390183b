//! A downstream system with a capacity and a latency of its own.
//!
//! Writes stand in one line, first come, first served: a write of n records takes n / capacity of it. After that it
//! takes a latency of its own, in which it holds nobody up, and then its records are delivered and the function gets
//! its answer. In an outage everything stands still: what was inside goes on afterwards where it stopped, what arrives
//! meanwhile queues behind it, and nothing is answered. What has been delivered stays delivered.
//!
//! One timer wakes the sink for its next completion; an outage or a change of capacity moves completions, and a timer
//! that comes too early finds nothing to do.

mod capacity;
#[cfg(test)]
mod tests;

use crate::batch::{BatchId, Envelope, Writer};
use crate::blueprint::{ModelParameters, SinkBlueprint};
use crate::context::{Cx, Fault};
use crate::engine::deadlines::Deadlines;
use crate::engine::index::to_u32;
use crate::engine::phase::Phase;
use crate::engine::quantity::Rate;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::SinkId;
use crate::observe::fact::Fact;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;
use crate::services::{ServiceBuildError, application, digest_of_draws, lambda};
use crate::world;
use capacity::{Line, WORK_PER_RECORD};

/// What happens to a sink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A write came in.
    Write {
        /// The request.
        batch: BatchId,
    },
    /// A write is complete, unless an outage or a change of capacity has moved it.
    Done {
        /// The request.
        batch: BatchId,
    },
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Write { .. } => 0,
            Self::Done { .. } => 1,
        }
    }
}

/// A downstream system.
#[derive(Clone, Debug)]
pub struct Sink {
    line: Line,
    latency: RandomSpan,
    link: Link,
    /// The writes inside, by the instant of their completion.
    writes: Deadlines<Write>,
    records: u64,
    /// The end of the latest outage.
    out_until: SimTime,
}

/// A write inside the sink.
#[derive(Clone, Copy, Debug)]
struct Write {
    batch: BatchId,
    received_at: SimTime,
    /// What the line must still do, as of the last change of capacity.
    work: u128,
    /// When it leaves the line.
    served_at: SimTime,
    /// From then to its completion.
    latency: SimDuration,
}

impl Write {
    const fn complete_at(&self) -> SimTime {
        self.served_at.saturating_add(self.latency)
    }
}

impl Sink {
    /// A sink that nothing has been written to. Makes the random streams latency and network.
    pub fn new(
        blueprint: &SinkBlueprint,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("sink.{}", blueprint.name);
        let latency = RandomSpan::new(&component, "latency", &blueprint.latency, streams)?;
        let link = Link::new(&component, model, streams)?;
        Ok(Self {
            line: Line::new(blueprint.capacity),
            latency,
            link,
            writes: Deadlines::new(),
            records: 0,
            out_until: SimTime::ZERO,
        })
    }

    /// Reacts to an event.
    #[inline]
    pub fn handle(&mut self, me: SinkId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Write { batch } => self.write(me, batch, cx),
            Event::Done { .. } => self.complete(me, cx),
        }
    }

    /// Changes the capacity; `None`: unlimited. Writes in line go on at the new one, the first of them with what it
    /// still lacks.
    pub fn set_capacity(&mut self, me: SinkId, capacity: Option<Rate>, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let from = now.max(self.out_until);
        let mut writes: Vec<Write> = self.writes.take_all().into_iter().map(|(_, write)| write).collect();
        let in_line = |write: &&mut Write| write.served_at > now;
        if let Some(first) = writes.iter_mut().find(in_line) {
            first.work = self.line.left(from, first.served_at, first.work);
        }
        self.line.restart(from, capacity);
        for write in writes.iter_mut().filter(in_line) {
            write.served_at = self.line.join(from, write.work);
        }
        self.put_back(writes, me, cx);
    }

    /// Nothing happens inside for a while, from now on or from the end of an outage in progress that ends sooner.
    pub fn break_for(&mut self, me: SinkId, lasts: SimDuration, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let from = now.max(self.out_until);
        let until = now.saturating_add(lasts);
        if until <= from {
            return;
        }
        self.out_until = until;
        self.line.stand_still(from, until);
        let writes = self.writes.take_all().into_iter().map(|(_, mut write)| {
            let longer = until.since(from);
            if write.served_at > now {
                write.served_at = write.served_at.saturating_add(longer);
            } else {
                write.latency = write.latency.saturating_add(longer);
            }
            write
        });
        let writes = writes.collect();
        self.put_back(writes, me, cx);
    }

    /// Records inside.
    pub const fn records(&self) -> u64 {
        self.records
    }
    /// Writes inside.
    pub fn writes(&self) -> usize {
        self.writes.len()
    }
    /// Draws on all streams so far, as one word for the fingerprint.
    pub fn draws(&self) -> u64 {
        digest_of_draws([self.latency.draws(), self.link.draws()])
    }

    fn write(&mut self, me: SinkId, batch: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(request) = cx.take(batch) else { return };
        let records = to_u32(request.records.len());
        let Some(batch) = cx.hold(request) else { return };
        let work = u128::from(records) * WORK_PER_RECORD;
        let write = Write {
            batch,
            received_at: cx.now(),
            work,
            served_at: self.line.join(cx.now(), work),
            latency: self.latency.draw(),
        };
        self.records += u64::from(records);
        let timer = self.add(write, cx.now());
        arm(timer, me, write.batch, cx);
    }

    /// Completes every write that is due. Of an instant, the first that came is the first that goes.
    fn complete(&mut self, me: SinkId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        while let Some(write) = self.writes.pop_due(now) {
            self.deliver(me, write, cx);
        }
        let timer = self.writes.fired(now);
        if let Some(next) = self.writes.first().map(|(_, write)| write.batch) {
            arm(timer, me, next, cx);
        }
    }

    fn deliver(&mut self, me: SinkId, write: Write, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(write.batch) else { return };
        let Envelope::Write(call) = batch.envelope else {
            let what = format!("a sink received {:?} instead of a write", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        self.records -= u64::from(to_u32(batch.records.len()));
        cx.emit(|| Fact::RecordsDelivered {
            sink: me,
            processor: call.processor,
            records: &batch.records,
            received_at: write.received_at,
            capacity: self.line.capacity(),
            reader: call.reader,
            shard: call.shard,
            positions: &batch.positions,
            passage: call.passage,
        });
        cx.mix_arrivals(&batch.records);
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| match call.writer {
            Writer::Function { invoke, .. } => {
                world::Event::Function(invoke.function, lambda::Event::Written { batch })
            }
            Writer::Application { application, .. } => {
                world::Event::Application(application, application::Event::Written { batch })
            }
        });
    }

    /// Files a write that is not yet complete; returns the instant of the timer that it needs, if it needs one.
    fn add(&mut self, write: Write, now: SimTime) -> Option<SimTime> {
        // Even an immediate completion comes after the event in progress.
        let at = write.complete_at().max(now.saturating_add(SimDuration::MIN));
        self.writes.add(at, write)
    }

    /// Files writes again, in the order in which they came, after their completions have moved.
    fn put_back(&mut self, writes: Vec<Write>, me: SinkId, cx: &mut Cx<'_, '_>) {
        let mut timer = None;
        for write in writes {
            timer = self.add(write, cx.now()).or(timer);
        }
        if let Some(first) = self.writes.first().map(|(_, write)| write.batch) {
            arm(timer, me, first, cx);
        }
    }
}

/// Schedules a timer, unless it is for never: a sink without any capacity completes nothing.
fn arm(timer: Option<SimTime>, me: SinkId, batch: BatchId, cx: &mut Cx<'_, '_>) {
    if let Some(at) = timer.filter(|&at| at < SimTime::NEVER) {
        cx.wake(at, Phase::Release, world::Event::Sink(me, Event::Done { batch }));
    }
}
