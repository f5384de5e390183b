//! Lambda in one account and Region: its functions and the concurrency that they share.
//!
//! An invocation is admitted or refused when it comes in; only asynchronous events wait here, in a queue of their
//! function. An admitted one gets an execution environment, provisioned, warm or cold, and occupies concurrency from then
//! on. The handler takes its time, then either fails, or returns, or writes to its sink and returns when the sink has
//! answered. Its timeout runs from the end of Init (LAM-R-05); an Init that must run again counts towards it (LAM-R-04,
//! LAM-R-06). What a mapping gets back is its own batch: whole if the invocation succeeded, emptied if not.
//!
//! Simplified: an event that no mapping brings stands for no record, so its handler writes nothing to a sink. Function
//! versions do not exist: provisioned concurrency belongs to the one that everybody invokes.

mod admission;
mod asynchronous;
pub mod cold_start;
mod concurrency;
mod config;
mod destination;
mod environment;
mod events;
mod function;
mod poison;
mod provisioning;
pub mod quotas;
mod request_rate;
mod scaling;
#[cfg(test)]
mod tests;

pub use admission::Account;
pub use concurrency::{ProvisioningRefused, ReservationRefused};
pub use quotas::MINIMUM_UNRESERVED_CONCURRENCY;

use crate::batch::{Batch, BatchId, Envelope, InvocationOutcome, WriteCall, WriteOutcome, Writer};
use crate::blueprint::{FunctionBlueprint, InvocationType, ModelParameters};
use crate::context::{Cx, Fault};
use crate::engine::index::{IndexVec, to_u32};
use crate::engine::phase::Phase;
use crate::engine::pool::Handle;
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimDuration;
use crate::ids::{FunctionId, ReaderId, SinkId};
use crate::observe::fact::{Caller, Fact, FunctionChange, ThrottleReason};
use crate::services::{ServiceBuildError, digest_of_draws};
use crate::world;
use admission::Admission;
use environment::ColdStartTime;
use function::{Function, Source};
use provisioning::Due;

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
    /// An asynchronous event is due to be tried.
    QueueDue,
    /// The allocation of provisioned environments goes on. Stale if the generation has moved on.
    Provisioning {
        /// Marks the armed timer.
        generation: u32,
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
            Self::QueueDue => 4,
            Self::Provisioning { .. } => 5,
        }
    }
}

/// The functions of one account and Region.
#[derive(Clone, Debug)]
pub struct Lambda {
    functions: IndexVec<FunctionId, Function>,
    admission: Admission,
    provisioning_delay: SimDuration,
}

/// An invocation in progress, for a check that no record is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Which function runs.
    pub function: FunctionId,
    /// For whom.
    pub reader: ReaderId,
    /// Records of its event.
    pub records: u32,
    /// The records are with the sink or on the way to or from it; otherwise they are in the function.
    pub at_sink: bool,
}

impl Lambda {
    /// Functions in order of id, each with its sink, under the limits of the account.
    pub fn new(
        blueprints: &[&FunctionBlueprint],
        sinks: &[Option<SinkId>],
        account: Account,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let mut admission = Admission::new(account, blueprints.len());
        let mut functions = IndexVec::new();
        for (number, blueprint) in blueprints.iter().enumerate() {
            let sink = sinks.get(number).copied().flatten();
            let id = functions.push(Function::new(config::parts(blueprint, model, streams)?, sink));
            let component = || format!("function.{}", blueprint.name);
            admission.reserve(id, blueprint.reserved_concurrency).map_err(|error| {
                ServiceBuildError::ReservedConcurrency {
                    component: component(),
                    error,
                }
            })?;
        }
        let mut lambda = Self {
            functions,
            admission,
            provisioning_delay: model.provisioning_delay,
        };
        for (id, blueprint) in (0..).map(FunctionId).zip(blueprints) {
            lambda.provision_at_start(id, blueprint)?;
        }
        Ok(lambda)
    }

    /// Begins the allocation of provisioned environments that are not there from the start.
    pub fn start(&mut self, cx: &mut Cx<'_, '_>) {
        for id in self.functions.ids() {
            if let Some(executions) = self.functions[id].provision_from_start.take() {
                self.prepare_provisioned(id, executions, cx);
            }
        }
    }

    /// Reacts to an event of a function.
    #[inline]
    pub fn handle(&mut self, function: FunctionId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Invoke { batch } => self.invoke(function, batch, cx),
            Event::HandlerDone { invocation } => self.handler_done(function, invocation, cx),
            Event::TimedOut { invocation } => self.timed_out(function, invocation, cx),
            Event::Written { batch } => self.written(function, batch, cx),
            Event::QueueDue => self.queue_due(function, cx),
            Event::Provisioning { generation } => self.provisioning(function, generation, cx),
        }
    }

    /// Changes a function's reserved concurrency (LAM-C-06) for invocations from now on; `None` gives it back. It is
    /// refused, and stays as it was, if too little would be left unreserved (LAM-C-07).
    pub fn set_reserved_concurrency(
        &mut self,
        function: FunctionId,
        reserved: Option<u32>,
    ) -> Result<(), ReservationRefused> {
        self.admission.reserve(function, reserved)
    }
    /// Asks for a number of provisioned environments. Fewer than there are hold at once; more are usable when all of
    /// them are allocated (LAM-V-10). A request that asks for too much fails and changes nothing (LAM-V-02, LAM-V-03).
    pub fn set_provisioned_concurrency(&mut self, function: FunctionId, executions: u32, cx: &mut Cx<'_, '_>) {
        let change = match self.admission.provision(function, executions) {
            Ok(()) => FunctionChange::ProvisioningRequested { executions },
            Err(refused) => FunctionChange::ProvisioningFailed {
                executions,
                available: refused.available,
            },
        };
        cx.emit(|| Fact::FunctionChanged { function, change });
        if matches!(change, FunctionChange::ProvisioningFailed { .. }) {
            return;
        }
        if executions > self.functions[function].environments.provisioned() {
            self.prepare_provisioned(function, executions, cx);
        } else {
            // What was under way is called off.
            let _ = self.functions[function].provisioning.request(executions);
            self.provisioned(function, executions, cx);
        }
    }
    /// Changes the probability of a function error, for invocations that start from now on.
    pub fn set_failure_rate(&mut self, function: FunctionId, rate: Ratio) {
        self.functions[function].handler.failure_rate = rate;
    }
    /// Invocations of the function in progress.
    pub fn in_progress(&self, function: FunctionId) -> u32 {
        self.admission.in_progress(function)
    }
    /// The invocations in progress that mappings wait for, by function.
    pub fn holdings(&self) -> impl Iterator<Item = Holding> {
        self.functions.iter_enumerated().flat_map(|(function, state)| {
            state.invocations.iter().filter_map(move |invocation| {
                let Source::Mapping(call) = invocation.source else {
                    return None;
                };
                Some(Holding {
                    function,
                    reader: call.reader,
                    records: invocation.records,
                    at_sink: invocation.batch.is_none(),
                })
            })
        })
    }
    /// By function: asynchronous events that wait, and those whose invocation is in progress.
    pub fn queues(&self) -> impl Iterator<Item = (FunctionId, u64, u64)> {
        self.functions.iter_enumerated().map(|(function, state)| {
            let waiting = u64::from(to_u32(state.queue.waiting.len()));
            (function, waiting, state.queue.running)
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
        let source = match batch.envelope {
            Envelope::Invoke(call) => Source::Mapping(call),
            Envelope::InvokeDirect(call) if call.invocation_type == InvocationType::Event => {
                return self.accept(function, batch, call, cx);
            }
            Envelope::InvokeDirect(call) => Source::Direct(call),
            Envelope::Empty
            | Envelope::Put(_)
            | Envelope::Get(_)
            | Envelope::Iterator(_)
            | Envelope::Subscribe(_)
            | Envelope::Pushed(_)
            | Envelope::Acknowledge(_)
            | Envelope::ListShards(_)
            | Envelope::Moved(_)
            | Envelope::Notification(_)
            | Envelope::Redriven(_)
            | Envelope::Queue(_)
            | Envelope::Write(_) => return cx.fail(unexpected("an invocation", &batch.envelope)),
        };
        let state = &mut self.functions[function];
        match self.admission.admit(function, true, &mut state.environments, cx.now()) {
            Ok(occupied) => state.start(function, batch, source, occupied, &self.admission, cx),
            Err(reason) => {
                self.throttled(function, source.caller(), to_u32(batch.records.len()), reason, cx);
                self.functions[function].reply(batch, source, InvocationOutcome::Throttled, cx);
            }
        }
    }

    fn throttled(
        &self,
        function: FunctionId,
        caller: Caller,
        records: u32,
        reason: ThrottleReason,
        cx: &mut Cx<'_, '_>,
    ) {
        cx.emit(|| Fact::InvocationThrottled {
            function,
            caller,
            records,
            reason,
            concurrency: self.admission.usage(function),
        });
    }

    fn handler_done(&mut self, function: FunctionId, invocation: Handle, cx: &mut Cx<'_, '_>) {
        let state = &mut self.functions[function];
        let (fails, writes) = match state.invocations.get(invocation) {
            Ok(running) => (running.fails, running.writes()),
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        match state.sink {
            Some(sink) if writes && (!fails || state.handler.fails_after_write) => state.write(invocation, sink, cx),
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
                let fails = running.fails || call.outcome != WriteOutcome::Written;
                let outcome = outcome_of(fails);
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
        written: Option<Box<Batch>>,
        cx: &mut Cx<'_, '_>,
    ) {
        let state = &mut self.functions[function];
        let mut ended = match state.invocations.remove(invocation) {
            Ok(ended) => ended,
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        let on_provisioned = ended.environment.provisioned;
        self.admission.release(function, on_provisioned);
        let reset = outcome == InvocationOutcome::TimedOut || ended.crashes;
        state.environments.vacate(cx.now(), ended.environment, reset);
        let write_pending = ended.batch.is_none() && written.is_none();
        let batch = ended.batch.take().or(written).unwrap_or_else(|| cx.fresh());
        if outcome == InvocationOutcome::Succeeded && state.sink.is_none() && !batch.records.is_empty() {
            Function::processed(function, &batch, ended.source, cx);
        }
        let (shard, passage) = ended.source.origin();
        let duration = cx.now() - ended.handler_started_at;
        let concurrent = self.admission.in_progress(function);
        cx.emit(|| Fact::InvocationEnded {
            function,
            caller: ended.source.caller(),
            shard,
            records: ended.records,
            outcome,
            duration,
            cold_start: ended.cold_start.map(ColdStartTime::total),
            init: ended.cold_start.map_or(SimDuration::ZERO, |time| time.init),
            init_within: ended.init_within,
            provisioned: state.provisioned_use(on_provisioned),
            passage,
            write_pending,
            concurrent,
        });
        if let Source::Queue(event) = ended.source {
            cx.recycle(batch);
            self.event_ended(function, event, outcome, cx);
        } else {
            let (batch, source) = state.answer_of(batch, &mut ended, outcome);
            state.reply(batch, source, outcome, cx);
        }
    }
}

/// Provisioned concurrency.
impl Lambda {
    fn provision_at_start(
        &mut self,
        function: FunctionId,
        blueprint: &FunctionBlueprint,
    ) -> Result<(), ServiceBuildError> {
        let Some(wanted) = blueprint.provisioned_concurrency else {
            return Ok(());
        };
        self.admission
            .provision(function, wanted.executions)
            .map_err(|error| ServiceBuildError::Invalid {
                component: format!("function.{}", blueprint.name),
                reason: error.to_string(),
            })?;
        let state = &mut self.functions[function];
        if wanted.ready_at_start {
            let _ = state.environments.provision(wanted.executions);
            self.admission.provisioned(function, wanted.executions);
        } else {
            state.provision_from_start = Some(wanted.executions);
        }
        Ok(())
    }
    fn prepare_provisioned(&mut self, function: FunctionId, executions: u32, cx: &mut Cx<'_, '_>) {
        let generation = self.functions[function].provisioning.request(executions);
        wake_for_provisioning(function, self.provisioning_delay, generation, cx);
    }
    fn provisioning(&mut self, function: FunctionId, generation: u32, cx: &mut Cx<'_, '_>) {
        let state = &mut self.functions[function];
        match state.provisioning.due(generation) {
            Due::Nothing => {}
            Due::Allocate(executions) => {
                let more = executions.saturating_sub(state.environments.provisioned());
                let takes = self.admission.allocation_time(more, cx.now());
                wake_for_provisioning(function, takes, generation, cx);
            }
            Due::Ready(executions) => self.provisioned(function, executions, cx),
        }
    }
    fn provisioned(&mut self, function: FunctionId, executions: u32, cx: &mut Cx<'_, '_>) {
        let (initialised, init) = self.functions[function].environments.provision(executions);
        self.admission.provisioned(function, executions);
        let change = FunctionChange::ProvisioningReady {
            executions,
            initialised,
            init,
        };
        cx.emit(|| Fact::FunctionChanged { function, change });
    }
}

fn wake_for_provisioning(function: FunctionId, after: SimDuration, generation: u32, cx: &mut Cx<'_, '_>) {
    let at = cx.now().saturating_add(after.max(SimDuration::MIN));
    cx.wake(
        at,
        Phase::Act,
        world::Event::Function(function, Event::Provisioning { generation }),
    );
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
