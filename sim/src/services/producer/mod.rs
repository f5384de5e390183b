//! A source of records and its client.
//!
//! Arrivals are drawn ahead, so a batch costs one event however many records it gathers: when the previous batch
//! leaves, the instant at which the next one is complete (linger over, count or size reached) is already known. The
//! client sends requests, as many at a time as its concurrency allows, repeats failed ones as the SDK does (KDS-SDK),
//! and, if the application is told to, sends refused entries again (KDS-W-14).

pub mod arrivals;
mod client;
mod key_order;
mod library;
mod response;
pub mod retry;
#[cfg(test)]
mod tests;
mod window;

pub use client::Client;
pub use library::{Library, LibrarySetting};

use crate::batch::{Batch, BatchId, Envelope, PutCall};
use crate::blueprint::{ModelParameters, ProducerBlueprint, PutApi, Resend};
use crate::context::{Cx, Fault};
use crate::engine::deadlines::Deadlines;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{Destination, ProducerId};
use crate::key::{KeyRange, KeyTable};
use crate::observe::fact::Fact;
use crate::record::{KeyId, Record};
use crate::services::ServiceBuildError;
use crate::services::network::Link;
use crate::world;
use arrivals::Source;
use key_order::KeyOrder;
use retry::RetryPolicy;
use std::collections::VecDeque;
use window::Window;

/// Stands in the `sent_at` of a request whose attempt the SDK has already made wait: it must not wait twice.
const WAITED_FOR: SimTime = SimTime::NEVER;

/// What happens to a producer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The batch that gathers is complete: linger is over, or a limit is reached. Stale if the generation has moved on.
    Flush {
        /// Marks the armed timer.
        generation: u32,
    },
    /// A window of single-record calls begins.
    CallWindow {
        /// Marks the armed timer.
        generation: u32,
    },
    /// A response came in.
    Responded {
        /// The response.
        batch: BatchId,
    },
    /// A wait before sending again is over.
    RetryDue,
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Flush { .. } => 0,
            Self::CallWindow { .. } => 1,
            Self::Responded { .. } => 2,
            Self::RetryDue => 3,
        }
    }
}

/// A producer.
#[derive(Clone, Debug)]
pub struct Producer {
    target: Destination,
    api: PutApi,
    source: Source,
    keys: KeyRange,
    /// The next ordinal of each of the producer's keys.
    ordinals: Vec<u32>,
    linger: SimDuration,
    max_records: usize,
    max_bytes: u64,
    /// Records of the batch that gathers, once its completion is known.
    planned: usize,
    planned_bytes: u64,
    generation: u32,
    concurrency: u32,
    /// Requests that hold a connection: sent, or waiting for the SDK's next attempt.
    busy: u32,
    in_flight: u64,
    /// Requests that wait for a connection.
    ready: VecDeque<Box<Batch>>,
    /// Requests that wait to be sent again.
    later: Deadlines<Box<Batch>>,
    retry: RetryPolicy,
    resend: Option<Resend>,
    resend_stream: Random,
    link: Link,
    /// Set when puts of a key wait for each other.
    key_order: Option<KeyOrder>,
    /// Set when single-record calls are handled by window.
    window: Option<Window>,
}

/// What the client holds, for the conservation check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientHoldings {
    /// Records created by now that gather in the client and have not been stated yet.
    pub gathering: u64,
    /// Records that wait for a connection or for another attempt.
    pub waiting: u64,
    /// Records sent, with no response handled yet.
    pub in_flight: u64,
}

impl Producer {
    /// A producer at the start of its life. `window` is the width of the call window, if its calls are so frequent.
    pub fn new(
        blueprint: &ProducerBlueprint,
        target: Destination,
        keys: &KeyTable,
        range: KeyRange,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("producer.{}", blueprint.name);
        let single = blueprint.api.is_single();
        let cohort = blueprint.api == PutApi::PutRecord && blueprint.uses_call_window();
        Ok(Self {
            target,
            api: blueprint.api,
            source: Source::new(blueprint, range, keys, streams).map_err(|error| ServiceBuildError::Invalid {
                component: component.clone(),
                reason: error.to_string(),
            })?,
            keys: range,
            ordinals: vec![0; to_usize(range.count)],
            linger: if single { SimDuration::ZERO } else { blueprint.linger },
            max_records: if single {
                1
            } else {
                to_usize(blueprint.max_batch_records.max(1))
            },
            max_bytes: blueprint.max_batch_bytes,
            planned: 0,
            planned_bytes: 0,
            generation: 0,
            concurrency: blueprint.concurrency.max(1),
            busy: 0,
            in_flight: 0,
            ready: VecDeque::new(),
            later: Deadlines::new(),
            retry: RetryPolicy::new(
                &format!("producer.{}", blueprint.name),
                blueprint.retry,
                model.retry_after,
                streams,
            )?,
            resend: blueprint.resend_failed,
            resend_stream: streams.stream(&format!("{component}/resend-jitter"))?,
            link: Link::new(&component, model, streams)?,
            key_order: (single && blueprint.sequence_number_for_ordering).then(KeyOrder::default),
            window: cohort.then(|| Window::new(blueprint.call_window)),
        })
    }

    /// Schedules the first flush, or the first call window.
    pub fn start(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        if self.window.is_some() {
            self.arm_window(me, cx);
        } else {
            self.plan(me, cx);
        }
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: ProducerId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Flush { generation } => self.flush(me, generation, cx),
            Event::CallWindow { generation } => self.call_window(me, generation, cx),
            Event::Responded { batch } => self.responded(me, batch, cx),
            Event::RetryDue => self.retry_due(me, cx),
        }
    }

    /// Multiplies the configured rate from now on ([`ScaleLoad`](crate::command::Command::ScaleLoad)). Look-ahead beyond now is drawn again.
    pub fn scale_load(&mut self, me: ProducerId, factor: Ratio, cx: &mut Cx<'_, '_>) {
        if let Err(error) = self.source.set_factor(cx.now(), factor) {
            return cx.fail(Fault::Broken(error.to_string()));
        }
        self.start(me, cx);
    }

    /// What the client holds at `now`.
    pub fn holdings(&self, now: SimTime) -> ClientHoldings {
        let size = |batch: &Batch| u64::from(to_u32(batch.records.len()));
        let gathering = self.source.times().partition_point(|&at| at <= now.as_nanos());
        let windowed = self.window.as_ref().map_or(0, Window::waiting);
        let ordered = self.key_order.as_ref().map_or(0, KeyOrder::waiting);
        ClientHoldings {
            gathering: u64::from(to_u32(gathering)),
            waiting: self.ready.iter().map(|batch| size(batch)).sum::<u64>()
                + self.later.iter().map(|batch| size(batch)).sum::<u64>()
                + windowed
                + ordered,
            in_flight: self.in_flight,
        }
    }
    /// Bytes of memory that waiting records take.
    pub fn memory(&self) -> u64 {
        let batches = self.ready.iter().chain(self.later.iter()).map(|batch| batch.memory());
        let ordered = self.key_order.as_ref().map_or(0, KeyOrder::memory);
        batches.sum::<u64>() + self.window.as_ref().map_or(0, Window::memory) + ordered
    }
    /// Draws on the producer's random streams, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> {
        [
            self.source.draws(),
            self.retry.draws(),
            self.resend_stream.draws(),
            self.link.draws(),
        ]
        .into_iter()
    }

    /// Finds out when the next batch is complete, and arms the timer for that instant.
    fn plan(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        self.generation = self.generation.wrapping_add(1);
        self.source.ensure(self.max_records + 1);
        let times = self.source.times();
        let Some(&first) = times.first() else { return };
        let deadline = first.saturating_add(self.linger.as_nanos());
        let mut count = times.len().min(self.max_records);
        // Complete with the record that fills it, or when the linger time of its first record is over.
        let mut at = if count == self.max_records && times[count - 1] <= deadline {
            times[count - 1]
        } else {
            count = times.partition_point(|&at| at <= deadline).min(count);
            deadline
        };
        let bytes = &self.source.bytes()[..count];
        let mut sum = sum_of(bytes);
        if sum > self.max_bytes {
            // Complete when the record comes that does not fit any more; a batch has one record at least.
            sum = 0;
            let fits = bytes.iter().take_while(|&&bytes| {
                sum += u64::from(bytes);
                sum <= self.max_bytes
            });
            count = fits.count().max(1);
            sum = sum_of(&bytes[..count]);
            at = times.get(count).copied().unwrap_or(at).min(at);
        }
        (self.planned, self.planned_bytes) = (count, sum);
        let event = Event::Flush {
            generation: self.generation,
        };
        let at = SimTime::from_nanos(at).max(cx.now());
        cx.wake(at, Phase::Act, world::Event::Producer(me, event));
    }

    fn flush(&mut self, me: ProducerId, generation: u32, cx: &mut Cx<'_, '_>) {
        if generation != self.generation {
            return;
        }
        let mut batch = cx.fresh();
        let count = self.planned;
        batch.bytes = self.planned_bytes;
        create(&mut self.ordinals, self.keys, &self.source, count, &mut batch.records);
        self.source.consume(count);
        cx.emit(|| Fact::RecordsProduced {
            producer: me,
            records: &batch.records,
        });
        batch.envelope = self.envelope(me, 1, 0, cx.now());
        self.submit_in_order(me, batch, cx);
        self.plan(me, cx);
    }

    fn envelope(&self, me: ProducerId, attempt: u32, resends: u32, sent_at: SimTime) -> Envelope {
        Envelope::Put(PutCall {
            producer: me,
            target: self.target,
            api: self.api,
            cohort: self.window.is_some(),
            attempt,
            resends,
            retry_cost: 0,
            first_sent_at: SimTime::NEVER,
            sent_at,
            received_at: SimTime::ZERO,
            refused: 0,
            error: None,
            library: None,
        })
    }

    /// Sends a request, or queues it behind those that wait for a connection.
    fn submit(&mut self, me: ProducerId, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        if self.busy < self.concurrency && self.ready.is_empty() {
            self.busy += 1;
            self.send(me, batch, cx);
        } else {
            self.ready.push_back(batch);
        }
    }

    /// Sends a request that holds a connection. In adaptive mode the SDK may make it wait first (KDS-SDK-14).
    fn send(&mut self, me: ProducerId, mut batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let Envelope::Put(mut call) = batch.envelope else {
            return broken(cx, "a request without its call");
        };
        let now = cx.now();
        if call.sent_at != WAITED_FOR {
            let wait = self.retry.before_send(now);
            if !wait.is_zero() {
                call.sent_at = WAITED_FOR;
                batch.envelope = Envelope::Put(call);
                return self.postpone(me, batch, now + wait, cx);
            }
        }
        call.sent_at = now;
        call.first_sent_at = call.first_sent_at.min(now);
        batch.envelope = Envelope::Put(call);
        cx.emit(|| Fact::RequestSent {
            producer: me,
            target: self.target,
            api: self.api,
            records: &batch.records,
            bytes: batch.bytes,
            attempt: call.attempt,
            resends: call.resends,
        });
        self.in_flight += u64::from(to_u32(batch.records.len()));
        self.transmit(batch, cx);
    }

    /// Lets a request travel to where it belongs.
    fn transmit(&mut self, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let (target, delay) = (self.target, self.link.delay());
        cx.send(batch, delay, |batch| match target {
            Destination::Stream(stream) => {
                world::Event::Stream(stream, crate::services::kinesis::Event::PutReceived { batch })
            }
            Destination::Queue(queue) => {
                world::Event::Queue(queue, crate::services::queue::Event::SendReceived { batch })
            }
            Destination::Topic(topic) => {
                world::Event::Topic(topic, crate::services::topic::Event::PublishReceived { batch })
            }
        });
    }

    fn postpone(&mut self, me: ProducerId, batch: Box<Batch>, at: SimTime, cx: &mut Cx<'_, '_>) {
        if let Some(timer) = self.later.add(at, batch) {
            cx.wake(timer, Phase::Act, world::Event::Producer(me, Event::RetryDue));
        }
    }
}

/// Makes records of the next `count` arrivals.
fn create(ordinals: &mut [u32], range: KeyRange, source: &Source, count: usize, records: &mut Vec<Record>) {
    let columns = source.times()[..count]
        .iter()
        .zip(&source.keys()[..count])
        .zip(&source.bytes()[..count]);
    records.extend(columns.map(|((&at, &key), &bytes)| {
        let ordinal = &mut ordinals[to_usize(key - range.first)];
        let number = *ordinal;
        *ordinal += 1;
        Record {
            created_at: SimTime::from_nanos(at),
            arrived_at: SimTime::ZERO,
            key: KeyId(key),
            ordinal: number,
            bytes,
            flags: 0,
        }
    }));
}

fn sum_of(bytes: &[u32]) -> u64 {
    bytes.iter().map(|&bytes| u64::from(bytes)).sum()
}

#[cold]
fn broken(cx: &mut Cx<'_, '_>, what: &str) {
    cx.fail(Fault::Broken(format!("a producer received {what}")));
}
