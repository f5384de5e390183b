//! A downstream system that functions and applications write their results to: a database, a data warehouse, a
//! DynamoDB table or an S3 bucket.
//!
//! A database and a warehouse make writers wait in line; a table and a bucket refuse what is too much, and the writer's
//! code sends it again. A write succeeds whole, or the writer is told that it failed, and then part of it may have been
//! written. What has taken effect stays.

mod bucket;
mod database;
mod line;
mod store;
mod table;
#[cfg(test)]
mod tests;

use crate::batch::{Batch, BatchId, Envelope, WriteCall, WriteOutcome, Writer};
use crate::blueprint::{ModelParameters, SinkBlueprint, SinkService};
use crate::context::{Cx, Fault};
use crate::engine::index::to_u32;
use crate::engine::phase::Phase;
use crate::engine::quantity::Rate;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::SinkId;
use crate::observe::fact::{Fact, SinkChange};
use crate::record::Record;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;
use crate::services::{ServiceBuildError, application, digest_of_draws, lambda};
use crate::world;
use database::Database;
use store::Store;

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
    /// A request to a table or bucket is answered, or is to be sent again.
    RequestDue,
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Write { .. } => 0,
            Self::Done { .. } => 1,
            Self::RequestDue => 2,
        }
    }
}

/// A downstream system.
#[derive(Clone, Debug)]
pub struct Sink {
    link: Link,
    service: Service,
}

#[derive(Clone, Debug)]
enum Service {
    Database(Box<Database>),
    Store(Box<Store>),
}

impl Sink {
    /// A sink that nothing has been written to. Makes the random streams latency and network; for a table or a bucket
    /// also backoff.
    pub fn new(
        blueprint: &SinkBlueprint,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("sink.{}", blueprint.name);
        let latency = RandomSpan::new(&component, "latency", &blueprint.latency, streams)?;
        let link = Link::new(&component, model, streams)?;
        let service = match &blueprint.service {
            SinkService::Database => Service::Database(Box::new(Database::new(blueprint, latency, false))),
            SinkService::Warehouse => Service::Database(Box::new(Database::new(blueprint, latency, true))),
            SinkService::Table(_) | SinkService::Bucket(_) => {
                let backoff = streams.stream(&format!("{component}/backoff"))?;
                Service::Store(Box::new(Store::new(blueprint, latency, backoff)))
            }
        };
        Ok(Self { link, service })
    }

    /// Reacts to an event.
    #[inline]
    pub fn handle(&mut self, me: SinkId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Write { batch } => self.write(me, batch, cx),
            Event::Done { .. } | Event::RequestDue => self.complete(me, cx),
        }
    }

    /// Changes the capacity; `None`: unlimited. Of a table: its write capacity units.
    pub fn set_capacity(&mut self, me: SinkId, capacity: Option<Rate>, cx: &mut Cx<'_, '_>) {
        match &mut self.service {
            Service::Database(database) => database.set_capacity(me, capacity, cx),
            Service::Store(store) => store.set_capacity(capacity, cx.now()),
        }
    }

    /// An outage: a database does nothing for a while, a table or bucket answers each request with an error.
    pub fn break_for(&mut self, me: SinkId, lasts: SimDuration, cx: &mut Cx<'_, '_>) {
        match &mut self.service {
            Service::Database(database) => database.break_for(me, lasts, cx),
            Service::Store(store) => store.break_until(cx.now().saturating_add(lasts)),
        }
    }

    /// Records inside.
    pub fn records(&self) -> u64 {
        match &self.service {
            Service::Database(database) => database.records(),
            Service::Store(store) => store.records(),
        }
    }
    /// Writes inside.
    pub fn writes(&self) -> usize {
        match &self.service {
            Service::Database(database) => database.writes(),
            Service::Store(store) => store.writes(),
        }
    }
    /// Draws on all streams so far, as one word for the fingerprint.
    pub fn draws(&self) -> u64 {
        match &self.service {
            Service::Database(database) => digest_of_draws([database.draws(), self.link.draws()]),
            Service::Store(store) => {
                let [latency, backoff] = store.draws();
                digest_of_draws([latency, backoff, self.link.draws()])
            }
        }
    }

    fn write(&mut self, me: SinkId, batch: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(batch) else { return };
        let answered = match &mut self.service {
            Service::Database(database) => database.write(me, batch, cx),
            Service::Store(store) => store.write(me, batch, cx),
        };
        if let Some((batch, outcome)) = answered {
            self.answer(me, batch, outcome, cx);
        }
    }

    /// Goes on with whatever is due, and answers the writes that end with it.
    fn complete(&mut self, me: SinkId, cx: &mut Cx<'_, '_>) {
        while let Some((batch, outcome)) = match &mut self.service {
            Service::Database(database) => database.complete(me, cx),
            Service::Store(store) => store.go_on(me, cx),
        } {
            self.answer(me, batch, outcome, cx);
        }
        match &mut self.service {
            Service::Database(database) => database.await_next(me, cx),
            Service::Store(store) => store.await_next(me, cx),
        }
    }

    fn answer(&mut self, me: SinkId, mut batch: Box<Batch>, outcome: WriteOutcome, cx: &mut Cx<'_, '_>) {
        let Some(call) = write_call(&batch, cx) else { return };
        if let WriteOutcome::Failed { error, unwritten } = outcome {
            let change = SinkChange::WriteFailed {
                processor: call.processor,
                reader: call.reader,
                shard: call.shard,
                passage: call.passage,
                records: to_u32(batch.records.len()),
                unwritten,
                error,
            };
            cx.emit(|| Fact::SinkChanged { sink: me, change });
        }
        batch.envelope = Envelope::Write(WriteCall { outcome, ..call });
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
}

/// The call in a batch's envelope; anything else ends the run.
fn write_call(batch: &Batch, cx: &mut Cx<'_, '_>) -> Option<WriteCall> {
    if let Envelope::Write(call) = batch.envelope {
        return Some(call);
    }
    let what = format!("a sink received {:?} instead of a write", batch.envelope);
    cx.fail(Fault::Broken(what));
    None
}

/// Records that take effect in a sink.
struct Effect<'r> {
    sink: SinkId,
    call: WriteCall,
    records: &'r [Record],
    positions: &'r [u64],
    received_at: SimTime,
    capacity: Option<Rate>,
    rewrites: bool,
    more: bool,
}

impl Effect<'_> {
    fn take_effect(&self, cx: &mut Cx<'_, '_>) {
        cx.emit(|| Fact::RecordsDelivered {
            sink: self.sink,
            processor: self.call.processor,
            records: self.records,
            received_at: self.received_at,
            capacity: self.capacity,
            rewrites: self.rewrites,
            more: self.more,
            reader: self.call.reader,
            shard: self.call.shard,
            positions: self.positions,
            passage: self.call.passage,
        });
        cx.mix_arrivals(self.records);
    }
}

/// Schedules a timer, unless it is for never: a sink without any capacity completes nothing.
fn arm(timer: Option<SimTime>, me: SinkId, event: Event, cx: &mut Cx<'_, '_>) {
    if let Some(at) = timer.filter(|&at| at < SimTime::NEVER) {
        cx.wake(at, Phase::Release, world::Event::Sink(me, event));
    }
}
