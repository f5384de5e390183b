//! Lambda in one account and Region: its functions and the concurrency that they share.
//!
//! An invocation is admitted or refused when it comes in; nothing waits here. An admitted one gets an execution
//! environment, warm or cold, and occupies concurrency from then on. The handler takes its time, then either fails,
//! or returns, or writes to its sink and returns when the sink has answered. Its timeout runs from the end of Init
//! (LAM-R-05). What a caller gets back is its own batch: whole if the invocation succeeded, emptied if not.
//!
//! Simplified: an environment in which a handler timed out is given up, and the next invocation that needs one starts
//! cold. Lambda resets it instead and runs Init within the next invocation's duration (LAM-R-06). Either way that
//! invocation waits for an Init; here it is placed anew as well, and Init does not count towards its duration or
//! timeout. There is no provisioned concurrency, and neither the scaling rate nor the request rate is limited
//! (LAM-C-11, LAM-C-18).

pub mod cold_start;
mod concurrency;
mod config;
mod environment;
#[cfg(test)]
mod tests;

pub use concurrency::{MINIMUM_UNRESERVED_CONCURRENCY, ReservationRefused};

use crate::batch::{Batch, BatchId, Envelope, InvocationOutcome, InvokeCall, WriteCall, Writer};
use crate::blueprint::{FunctionBlueprint, ModelParameters};
use crate::context::{Cx, Fault};
use crate::engine::deadlines::Deadlines;
use crate::engine::index::{IndexVec, to_u32};
use crate::engine::phase::Phase;
use crate::engine::pool::{Handle, Pool};
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, MappingId, SinkId};
use crate::observe::fact::Fact;
use crate::services::deaggregation::deaggregate;
use crate::services::network::Link;
use crate::services::{ServiceBuildError, digest_of_draws, mapping, sink};
use crate::world;
use concurrency::AccountConcurrency;
use config::{Handler, Parts};
use environment::{ColdStartTime, Environment, Environments};

/// What happens to a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// An invocation request came in.
    Invoke {
        /// The request.
        batch: BatchId,
    },
    /// The handler has done its own work: it fails, writes to its sink, or returns.
    HandlerDone {
        /// The invocation. Stale if it has timed out.
        invocation: Handle,
    },
    /// The function's timeout is over. Stale if the invocation has ended.
    TimedOut {
        /// The invocation.
        invocation: Handle,
    },
    /// The sink answered.
    Written {
        /// The response.
        batch: BatchId,
    },
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Invoke { .. } => 0,
            Self::HandlerDone { .. } => 1,
            Self::TimedOut { .. } => 2,
            Self::Written { .. } => 3,
        }
    }
}

/// The functions of one account and Region.
#[derive(Clone, Debug)]
pub struct Lambda {
    functions: IndexVec<FunctionId, Function>,
    concurrency: AccountConcurrency,
}

/// One function.
#[derive(Clone, Debug)]
struct Function {
    sink: Option<SinkId>,
    link: Link,
    handler: Handler,
    environments: Environments,
    invocations: Pool<Invocation>,
    /// When invocations that wait for the sink time out. One timer serves all of them.
    timeouts: Deadlines<Handle>,
}

/// An invocation in progress.
#[derive(Clone, Debug)]
struct Invocation {
    call: InvokeCall,
    /// The caller's batch; `None` while the sink has it.
    batch: Option<Batch>,
    records: u32,
    environment: Environment,
    cold_start: Option<ColdStartTime>,
    handler_started_at: SimTime,
    fails: bool,
}

/// An invocation in progress, for a check that no record is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Which function runs.
    pub function: FunctionId,
    /// For whom.
    pub mapping: MappingId,
    /// Records of its event.
    pub records: u32,
    /// The records are with the sink or on the way to or from it; otherwise they are in the function.
    pub at_sink: bool,
}

impl Lambda {
    /// Functions in order of id, each with its sink, under the account's concurrency quota (LAM-C-04).
    pub fn new(
        blueprints: &[&FunctionBlueprint],
        sinks: &[Option<SinkId>],
        account_concurrency: u32,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let mut concurrency = AccountConcurrency::new(account_concurrency, blueprints.len());
        let mut functions = IndexVec::new();
        for (number, blueprint) in blueprints.iter().enumerate() {
            let sink = sinks.get(number).copied().flatten();
            let id = functions.push(Function::new(config::parts(blueprint, model, streams)?, sink));
            concurrency
                .reserve(id, blueprint.reserved_concurrency)
                .map_err(|error| ServiceBuildError::ReservedConcurrency {
                    component: format!("function.{}", blueprint.name),
                    error,
                })?;
        }
        Ok(Self { functions, concurrency })
    }

    /// Reacts to an event of a function.
    #[inline]
    pub fn handle(&mut self, function: FunctionId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Invoke { batch } => self.invoke(function, batch, cx),
            Event::HandlerDone { invocation } => self.handler_done(function, invocation, cx),
            Event::TimedOut { invocation } => self.timed_out(function, invocation, cx),
            Event::Written { batch } => self.written(function, batch, cx),
        }
    }

    /// Changes a function's reserved concurrency (LAM-C-06) for invocations from now on; `None` gives it back. It is
    /// refused, and stays as it was, if too little would be left unreserved (LAM-C-07).
    pub fn set_reserved_concurrency(
        &mut self,
        function: FunctionId,
        reserved: Option<u32>,
    ) -> Result<(), ReservationRefused> {
        self.concurrency.reserve(function, reserved)
    }
    /// Changes the probability of a function error, for invocations that start from now on.
    pub fn set_failure_rate(&mut self, function: FunctionId, rate: Ratio) {
        self.functions[function].handler.failure_rate = rate;
    }
    /// Invocations of the function in progress.
    pub fn in_progress(&self, function: FunctionId) -> u32 {
        self.concurrency.in_progress(function)
    }
    /// The invocations in progress, by function.
    pub fn holdings(&self) -> impl Iterator<Item = Holding> {
        self.functions.iter_enumerated().flat_map(|(function, state)| {
            state.invocations.iter().map(move |invocation| Holding {
                function,
                mapping: invocation.call.mapping,
                records: invocation.records,
                at_sink: invocation.batch.is_none(),
            })
        })
    }
    /// Whether the function still waits for the answer to a write; if not, it has timed out, and the mapping has been
    /// told or will be.
    pub fn awaits(&self, write: &WriteCall) -> bool {
        let Writer::Function { invocation, invoke } = write.writer else {
            return false;
        };
        self.functions
            .get(invoke.function)
            .is_some_and(|function| function.invocations.get(invocation).is_ok())
    }
    /// Draws on all streams so far, as one word for the fingerprint.
    pub fn draws(&self) -> u64 {
        digest_of_draws(self.functions.iter().flat_map(Function::draws))
    }

    fn invoke(&mut self, function: FunctionId, batch: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(batch) else { return };
        let Envelope::Invoke(call) = batch.envelope else {
            return cx.fail(unexpected("an invocation", &batch.envelope));
        };
        if self.concurrency.admit(function) {
            let concurrency = &self.concurrency;
            self.functions[function].start(function, batch, call, concurrency, cx);
        } else {
            let concurrency = &self.concurrency;
            cx.emit(|| Fact::InvocationThrottled {
                function,
                reader: call.mapping.into(),
                records: to_u32(batch.records.len()),
                concurrency: concurrency.usage(function),
            });
            self.functions[function].reply(batch, call, InvocationOutcome::Throttled, cx);
        }
    }

    fn handler_done(&mut self, function: FunctionId, invocation: Handle, cx: &mut Cx<'_, '_>) {
        let state = &mut self.functions[function];
        let fails = match state.invocations.get(invocation) {
            Ok(running) => running.fails,
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        match state.sink {
            Some(sink) if !fails || state.handler.fails_after_write => state.write(invocation, sink, cx),
            Some(_) | None => self.end(function, invocation, outcome_of(fails), None, cx),
        }
    }

    fn written(&mut self, function: FunctionId, batch: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(batch) else { return };
        let Envelope::Write(call) = batch.envelope else {
            return cx.fail(unexpected("the answer to a write", &batch.envelope));
        };
        let Writer::Function { invocation, .. } = call.writer else {
            return cx.fail(unexpected("the answer to a write", &batch.envelope));
        };
        match self.functions[function].invocations.get(invocation) {
            Ok(running) => {
                let outcome = outcome_of(running.fails);
                self.end(function, invocation, outcome, Some(batch), cx);
            }
            // The write took effect all the same, so the retry of the batch will deliver it a second time.
            Err(_timed_out_before) => cx.recycle(batch),
        }
    }

    fn timed_out(&mut self, function: FunctionId, invocation: Handle, cx: &mut Cx<'_, '_>) {
        if self.functions[function].invocations.get(invocation).is_ok() {
            self.end(function, invocation, InvocationOutcome::TimedOut, None, cx);
        }
        self.functions[function].await_next_timeout(cx);
    }

    /// Ends an invocation; `written` is its batch, if the sink has given it back.
    fn end(
        &mut self,
        function: FunctionId,
        invocation: Handle,
        outcome: InvocationOutcome,
        written: Option<Batch>,
        cx: &mut Cx<'_, '_>,
    ) {
        let state = &mut self.functions[function];
        let ended = match state.invocations.remove(invocation) {
            Ok(ended) => ended,
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        self.concurrency.release(function);
        if outcome != InvocationOutcome::TimedOut {
            state.environments.vacate(cx.now(), ended.environment);
        }
        let write_pending = ended.batch.is_none() && written.is_none();
        let batch = ended.batch.or(written).unwrap_or_else(|| cx.fresh());
        if outcome == InvocationOutcome::Succeeded && state.sink.is_none() {
            cx.emit(|| Fact::RecordsProcessed {
                processor: function.into(),
                records: &batch.records,
                reader: ended.call.mapping.into(),
                shard: ended.call.shard,
                positions: &batch.positions,
                passage: ended.call.passage,
            });
            cx.mix_arrivals(&batch.records);
        }
        let duration = cx.now() - ended.handler_started_at;
        let concurrent = self.concurrency.in_progress(function);
        cx.emit(|| Fact::InvocationEnded {
            function,
            reader: ended.call.mapping.into(),
            shard: ended.call.shard,
            records: ended.records,
            outcome,
            duration,
            cold_start: ended.cold_start.map(ColdStartTime::total),
            init: ended.cold_start.map_or(SimDuration::ZERO, |time| time.init),
            passage: ended.call.passage,
            write_pending,
            concurrent,
        });
        state.reply(batch, ended.call, outcome, cx);
    }
}

impl Function {
    fn new(parts: Parts, sink: Option<SinkId>) -> Self {
        Self {
            sink,
            link: parts.link,
            handler: parts.handler,
            environments: parts.environments,
            invocations: Pool::new(),
            timeouts: Deadlines::new(),
        }
    }

    /// Starts an invocation that has been admitted.
    fn start(
        &mut self,
        me: FunctionId,
        mut batch: Batch,
        mut call: InvokeCall,
        concurrency: &AccountConcurrency,
        cx: &mut Cx<'_, '_>,
    ) {
        let records = to_u32(batch.records.len());
        let (environment, cold_start) = self.environments.occupy(cx.now());
        let waits = cold_start.map_or(SimDuration::ZERO, ColdStartTime::total);
        let handler_started_at = cx.now().saturating_add(waits);
        (call.passage.started_at, call.passage.cold_start) = (cx.now(), waits);
        cx.emit(|| Fact::InvocationStarted {
            function: call.function,
            reader: call.mapping.into(),
            records: &batch.records,
            cold_start: cold_start.map(ColdStartTime::total),
            concurrent: concurrency.in_progress(me),
            concurrency: concurrency.usage(me),
        });
        // Lambda hands aggregated records on; the handler takes them apart, and its work is by user record.
        deaggregate(&mut batch, call.passage.first_position, None, cx);
        let run = self.handler.run(to_u32(batch.records.len()));
        let running = Invocation {
            call,
            batch: Some(batch),
            records,
            environment,
            cold_start,
            handler_started_at,
            fails: run.fails,
        };
        let invocation = match self.invocations.insert(running) {
            Ok(invocation) => invocation,
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        let timeout = self.handler.timeout;
        let (span, event) = if run.duration < timeout {
            (run.duration, Event::HandlerDone { invocation })
        } else {
            // A timeout of zero, which no scenario can have, would end before it began.
            (timeout.max(SimDuration::MIN), Event::TimedOut { invocation })
        };
        let at = handler_started_at.saturating_add(span);
        cx.wake(at, Phase::Release, world::Event::Function(call.function, event));
    }

    /// Sends an invocation's results to the sink. From here on it may time out.
    fn write(&mut self, invocation: Handle, sink: SinkId, cx: &mut Cx<'_, '_>) {
        let Ok(running) = self.invocations.get_mut(invocation) else {
            return cx.fail(Fault::Broken("an invocation that has ended writes".to_owned()));
        };
        let Some(mut batch) = running.batch.take() else {
            return cx.fail(Fault::Broken("an invocation writes its batch twice".to_owned()));
        };
        let (function, deadline) = (
            running.call.function,
            running.handler_started_at.saturating_add(self.handler.timeout),
        );
        batch.envelope = Envelope::Write(WriteCall {
            processor: function.into(),
            sink,
            reader: running.call.mapping.into(),
            shard: running.call.shard,
            passage: running.call.passage,
            writer: Writer::Function {
                invocation,
                invoke: running.call,
            },
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
    fn await_next_timeout(&mut self, cx: &mut Cx<'_, '_>) {
        self.forget_ended();
        if self.timeouts.fired(cx.now()).is_none() {
            return;
        }
        let next = self.timeouts.first().map(|(at, &invocation)| (at, invocation));
        if let Some((at, invocation)) = next
            && let Ok(waiting) = self.invocations.get(invocation)
        {
            let event = world::Event::Function(waiting.call.function, Event::TimedOut { invocation });
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

    /// Answers the caller. Only a success carries the records back: a mapping reads the others again (LAM-K-20).
    fn reply(&mut self, mut batch: Batch, call: InvokeCall, outcome: InvocationOutcome, cx: &mut Cx<'_, '_>) {
        if outcome != InvocationOutcome::Succeeded {
            batch.records.clear();
            batch.positions.clear();
            batch.bytes = 0;
        }
        batch.envelope = Envelope::Invoke(InvokeCall { outcome, ..call });
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Mapping(call.mapping, mapping::Event::Invoked { batch })
        });
    }

    fn draws(&self) -> [u64; 7] {
        [
            self.link.draws(),
            self.handler.per_batch.draws(),
            self.handler.failure.draws(),
            self.environments.placement.draws(),
            self.environments.init.draws(),
            self.environments.idle_lifetime.draws(),
            self.environments.lifetime.draws(),
        ]
    }
}

const fn outcome_of(fails: bool) -> InvocationOutcome {
    if fails {
        InvocationOutcome::FunctionError
    } else {
        InvocationOutcome::Succeeded
    }
}

#[cold]
fn unexpected(expected: &str, envelope: &Envelope) -> Fault {
    Fault::Broken(format!("a function received {envelope:?} instead of {expected}"))
}
