//! One function: its environments, the invocations in progress, and how they run.

use super::Event;
use super::admission::Admission;
use super::asynchronous::{EventQueue, QueuedEvent};
use super::config::{Handler, Parts};
use super::environment::{ColdStartTime, Environment, Environments, Occupied};
use super::poison::{Poisoned, Unprocessed};
use super::provisioning::Provisioning;
use crate::batch::{
    Batch, BatchResponse, DirectAnswer, DirectCall, Envelope, EventSource, InvocationOutcome, InvokeCall, Passage,
    WriteCall, WriteOutcome, Writer,
};
use crate::context::{Cx, Fault};
use crate::engine::deadlines::Deadlines;
use crate::engine::index::to_u32;
use crate::engine::phase::Phase;
use crate::engine::pool::{Handle, Pool};
use crate::engine::quantity::Ratio;
use crate::engine::random::Stream;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, ShardIndex, SinkId};
use crate::observe::fact::{Caller, Fact, ProvisionedUse};
use crate::services::deaggregation::deaggregate;
use crate::services::network::Link;
use crate::services::{invoker, mapping, queue_mapping, sink};
use crate::world;

/// One function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) sink: Option<SinkId>,
    pub(super) link: Link,
    pub(super) handler: Handler,
    pub(super) environments: Environments,
    pub(super) provisioning: Provisioning,
    /// Provisioned concurrency that is asked for when the run begins.
    pub(super) provision_from_start: Option<u32>,
    /// Asynchronous events.
    pub(super) queue: EventQueue,
    /// How often an asynchronous event comes into being twice, and what decides it (LAM-A-08).
    pub(super) duplicates: Option<(Ratio, Stream)>,
    pub(super) invocations: Pool<Invocation>,
    /// When invocations that wait for the sink time out. One timer serves all of them.
    pub(super) timeouts: Deadlines<Handle>,
}

/// An invocation in progress.
#[derive(Clone, Debug)]
pub(super) struct Invocation {
    pub(super) source: Source,
    /// The caller's batch; `None` while the sink has it.
    pub(super) batch: Option<Box<Batch>>,
    pub(super) records: u32,
    pub(super) environment: Environment,
    pub(super) cold_start: Option<ColdStartTime>,
    pub(super) init_within: SimDuration,
    pub(super) handler_started_at: SimTime,
    pub(super) fails: bool,
    pub(super) crashes: bool,
    /// What the handler returns.
    pub(super) response: BatchResponse,
    /// Records that it does not process.
    pub(super) unprocessed: Unprocessed,
}

impl Invocation {
    /// It has results for a sink: it works for a mapping, and poison has left it something to process.
    pub(super) fn writes(&self) -> bool {
        let processes = |batch: &Batch| !batch.records.is_empty();
        matches!(self.source, Source::Mapping(_)) && self.batch.as_deref().is_some_and(processes)
    }
}

/// What an invocation answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A mapping's call.
    Mapping(InvokeCall),
    /// A direct call that waits for the outcome.
    Direct(DirectCall),
    /// Nobody: an event from the queue.
    Queue(QueuedEvent),
}

impl Source {
    /// For whom.
    pub(super) fn caller(self) -> Caller {
        match self {
            Self::Mapping(call) => match call.source {
                EventSource::Stream(_) => Caller::Reader(call.reader),
                EventSource::Queue(mapping, _) => Caller::QueueMapping(mapping),
            },
            Self::Direct(call) => Caller::Invoker(call.invoker),
            Self::Queue(_) => Caller::Queue,
        }
    }
    /// Shard and passage of the batch; they mean nothing without a mapping.
    pub(super) fn origin(self) -> (ShardIndex, Passage) {
        match self {
            Self::Mapping(call) => (call.shard, call.passage),
            Self::Direct(_) | Self::Queue(_) => (ShardIndex(0), Passage::default()),
        }
    }
}

impl Function {
    pub(super) fn new(parts: Parts, sink: Option<SinkId>) -> Self {
        Self {
            sink,
            link: parts.link,
            handler: parts.handler,
            environments: parts.environments,
            provisioning: Provisioning::new(),
            provision_from_start: None,
            queue: parts.queue,
            duplicates: parts.duplicates,
            invocations: Pool::new(),
            timeouts: Deadlines::new(),
        }
    }

    /// Starts an invocation that has been admitted.
    pub(super) fn start(
        &mut self,
        me: FunctionId,
        mut batch: Box<Batch>,
        mut source: Source,
        occupied: Occupied,
        admission: &Admission,
        cx: &mut Cx<'_, '_>,
    ) {
        let records = to_u32(batch.records.len());
        let cold_start = occupied.cold_start;
        let waits = cold_start.map_or(SimDuration::ZERO, ColdStartTime::total);
        let handler_started_at = cx.now().saturating_add(waits);
        if let Source::Mapping(call) = &mut source {
            (call.passage.started_at, call.passage.cold_start) = (cx.now(), waits);
        }
        cx.emit(|| Fact::InvocationStarted {
            function: me,
            caller: source.caller(),
            records: &batch.records,
            cold_start: cold_start.map(ColdStartTime::total),
            concurrent: admission.in_progress(me),
            concurrency: admission.usage(me),
            provisioned: self.provisioned_use(occupied.environment.provisioned),
        });
        if let Source::Mapping(call) = source {
            // Lambda hands aggregated records on; the handler takes them apart, and its work is by user record.
            deaggregate(&mut batch, call.passage.first_position, None, cx);
        }
        let run = self
            .handler
            .run(handler_started_at, to_u32(batch.records.len()), occupied.first);
        let poisoned = match (source, &mut self.handler.poison) {
            (Source::Mapping(call), Some(poison)) => poison.look(&mut batch, &call, cx.keys()),
            _ => Poisoned::default(),
        };
        let running = Invocation {
            source,
            batch: Some(batch),
            records,
            environment: occupied.environment,
            cold_start,
            init_within: occupied.init_within,
            handler_started_at,
            fails: run.fails || poisoned.throws,
            crashes: run.crashes,
            response: poisoned.response,
            unprocessed: poisoned.unprocessed,
        };
        let invocation = match self.invocations.insert(running) {
            Ok(invocation) => invocation,
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        let timeout = self.handler.timeout;
        let takes = run.duration.saturating_add(occupied.init_within);
        let (span, event) = if takes < timeout {
            (takes, Event::HandlerDone { invocation })
        } else {
            // A timeout of zero, which no scenario can have, would end before it began.
            (timeout.max(SimDuration::MIN), Event::TimedOut { invocation })
        };
        let at = handler_started_at.saturating_add(span);
        cx.wake(at, Phase::Release, world::Event::Function(me, event));
    }

    /// A function without a sink has processed records.
    pub(super) fn processed(me: FunctionId, batch: &Batch, source: Source, cx: &mut Cx<'_, '_>) {
        let Source::Mapping(call) = source else { return };
        cx.emit(|| Fact::RecordsProcessed {
            processor: me.into(),
            records: &batch.records,
            reader: call.reader,
            shard: call.shard,
            positions: &batch.positions,
            passage: call.passage,
        });
        cx.mix_arrivals(&batch.records);
    }

    /// The provisioned environments, of which an invocation has one or not.
    pub(super) const fn provisioned_use(&self, on: bool) -> ProvisionedUse {
        ProvisionedUse {
            on,
            busy: self.environments.busy_provisioned(),
            allocated: self.environments.provisioned(),
        }
    }

    /// Sends an invocation's results to the sink. From here on it may time out.
    pub(super) fn write(&mut self, invocation: Handle, sink: SinkId, cx: &mut Cx<'_, '_>) {
        let Ok(running) = self.invocations.get_mut(invocation) else {
            return cx.fail(Fault::Broken("an invocation that has ended writes".to_owned()));
        };
        let Source::Mapping(call) = running.source else {
            return cx.fail(Fault::Broken("an invocation writes that has no records".to_owned()));
        };
        let Some(mut batch) = running.batch.take() else {
            return cx.fail(Fault::Broken("an invocation writes its batch twice".to_owned()));
        };
        let (function, deadline) = (
            call.function,
            running.handler_started_at.saturating_add(self.handler.timeout),
        );
        batch.envelope = Envelope::Write(WriteCall {
            processor: function.into(),
            sink,
            reader: call.reader,
            shard: call.shard,
            passage: call.passage,
            writer: Writer::Function {
                invocation,
                invoke: call,
            },
            outcome: WriteOutcome::Written,
        });
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Sink(sink, sink::Event::Write { batch })
        });
        self.forget_ended();
        if let Some(at) = self.timeouts.add(deadline, invocation) {
            let event = world::Event::Function(function, Event::TimedOut { invocation });
            cx.wake(at, Phase::Release, event);
        }
    }

    /// A timeout's timer has fired: sets it for the next invocation that waits for the sink.
    pub(super) fn await_next_timeout(&mut self, cx: &mut Cx<'_, '_>) {
        self.forget_ended();
        if self.timeouts.fired(cx.now()).is_none() {
            return;
        }
        let next = self.timeouts.first().map(|(at, &invocation)| (at, invocation));
        if let Some((at, invocation)) = next
            && let Ok(waiting) = self.invocations.get(invocation)
            && let Source::Mapping(call) = waiting.source
        {
            let event = world::Event::Function(call.function, Event::TimedOut { invocation });
            cx.wake(at, Phase::Release, event);
        }
    }

    /// Drops the deadlines of invocations that have ended, which is the fate of nearly all of them: so their number
    /// follows that of the invocations in progress, however long the timeout is.
    fn forget_ended(&mut self) {
        let invocations = &self.invocations;
        self.timeouts
            .discard_leading(|&invocation| invocations.get(invocation).is_err());
    }

    /// What a handler that has ended returns: of a mapping's batch the records that it did not process, its response, and
    /// the state of a tumbling window.
    pub(super) fn answer_of(
        &self,
        mut batch: Box<Batch>,
        ended: &mut Invocation,
        outcome: InvocationOutcome,
    ) -> (Box<Batch>, Source) {
        let Source::Mapping(call) = ended.source else {
            return (batch, ended.source);
        };
        if outcome == InvocationOutcome::Succeeded && !ended.unprocessed.records.is_empty() {
            let unprocessed = core::mem::take(&mut ended.unprocessed);
            (batch.records, batch.positions) = (unprocessed.records, unprocessed.positions);
        }
        let call = InvokeCall {
            response: ended.response,
            state: self.handler.state_after(call.window, ended.records),
            ..call
        };
        (batch, Source::Mapping(call))
    }

    /// Answers the caller. Only a success carries the records back: a mapping reads the others again (LAM-K-20).
    pub(super) fn reply(
        &mut self,
        mut batch: Box<Batch>,
        source: Source,
        outcome: InvocationOutcome,
        cx: &mut Cx<'_, '_>,
    ) {
        match source {
            Source::Mapping(call) => {
                if outcome != InvocationOutcome::Succeeded {
                    batch.records.clear();
                    batch.positions.clear();
                    batch.bytes = 0;
                }
                batch.envelope = Envelope::Invoke(InvokeCall { outcome, ..call });
                let delay = self.link.delay();
                cx.send(batch, delay, |batch| match call.source {
                    EventSource::Stream(mapping) => world::Event::Mapping(mapping, mapping::Event::Invoked { batch }),
                    EventSource::Queue(mapping, _) => {
                        world::Event::QueueMapping(mapping, queue_mapping::Event::Invoked { batch })
                    }
                });
            }
            Source::Direct(call) => self.answer(batch, call, DirectAnswer::Ended(outcome), cx),
            Source::Queue(_) => cx.recycle(batch),
        }
    }

    /// Answers a direct caller.
    pub(super) fn answer(
        &mut self,
        mut batch: Box<Batch>,
        call: DirectCall,
        answer: DirectAnswer,
        cx: &mut Cx<'_, '_>,
    ) {
        batch.envelope = Envelope::InvokeDirect(DirectCall {
            answer: Some(answer),
            ..call
        });
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Invoker(call.invoker, invoker::Event::Answered { batch })
        });
    }

    /// Draws so far, for the fingerprint.
    pub(super) fn draws(&self) -> impl Iterator<Item = u64> {
        let destinations = [&self.queue.dead_letter, &self.queue.on_failure, &self.queue.on_success];
        let duplicates = self.duplicates.as_ref().map(|(_, stream)| stream.draws());
        core::iter::once(self.link.draws())
            .chain(self.handler.draws())
            .chain([
                self.environments.placement.draws(),
                self.environments.init.draws(),
                self.environments.idle_lifetime.draws(),
                self.environments.lifetime.draws(),
            ])
            .chain(duplicates)
            .chain(
                destinations
                    .into_iter()
                    .flatten()
                    .map(super::destination::Destination::draws),
            )
    }
}
