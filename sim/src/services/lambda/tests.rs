//! What a function does, seen from its callers, its sink and its facts.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test asks for one kind of fact")]

mod concurrency;
mod environments;
mod events;
mod failures;
mod handlers;
mod outcomes;
mod properties;
mod provisioned;
mod scaling;

use super::*;
use crate::batch::{DirectAnswer, DirectCall, EventSource, InvokeCall};
use crate::blueprint::{AsynchronousInvocation, ColdStart, DEFAULT_ACCOUNT_CONCURRENCY, ProcessorShare};
use crate::engine::distribution::Distribution;
use crate::engine::time::SimTime;
use crate::ids::MappingId;
use crate::ids::{InvokerId, ShardIndex};
use crate::observe::fact::AsynchronousStep;
use crate::profile::Profile;
use crate::services::{mapping, sink};
use crate::testing::harness::{Call, Harness, records};
use crate::testing::note::Note;

const NETWORK: SimDuration = SimDuration::from_millis(1);
const PLACEMENT: SimDuration = SimDuration::from_millis(100);
const INIT: SimDuration = SimDuration::from_millis(400);
const COLD_START: SimDuration = SimDuration::from_millis(500);
const HANDLER: SimDuration = SimDuration::from_millis(100);
const TIMEOUT: SimDuration = SimDuration::from_secs(3);
const SINK: SinkId = SinkId(7);
const SHOP: InvokerId = InvokerId(5);
/// The function of most tests.
const ENRICH: FunctionId = FunctionId(0);
/// A second one.
const REPORT: FunctionId = FunctionId(1);

#[expect(clippy::as_conversions, reason = "spans in tests are far below 2^53 ns")]
fn constant(span: SimDuration) -> Distribution {
    Distribution::Constant(span.as_nanos() as f64)
}

/// A function of 100 ms, with a cold start of 100 ms + 400 ms and a timeout of 3 s.
fn function(name: &str) -> FunctionBlueprint {
    FunctionBlueprint {
        name: name.to_owned(),
        memory_size: 128,
        timeout: TIMEOUT,
        reserved_concurrency: None,
        provisioned_concurrency: None,
        asynchronous: AsynchronousInvocation::default(),
        cold_start: ColdStart::Own(constant(INIT)),
        per_batch: constant(HANDLER),
        per_record: SimDuration::ZERO,
        first_run: SimDuration::ZERO,
        processor: ProcessorShare::default(),
        failure_rate: Ratio::ZERO,
        crash_share: Ratio::ZERO,
        failing_windows: Vec::new(),
        fails_after_write: false,
        poison: crate::blueprint::Poison::default(),
        window_state: None,
        sink: None,
    }
}
fn enrich() -> FunctionBlueprint {
    function("enrich")
}
fn reserving(name: &str, reserved: u32) -> FunctionBlueprint {
    FunctionBlueprint {
        reserved_concurrency: Some(reserved),
        ..function(name)
    }
}
/// One way through the network takes a millisecond; environments live as the model has it.
fn model() -> ModelParameters {
    ModelParameters {
        network_latency: constant(NETWORK),
        placement_time: constant(PLACEMENT),
        ..ModelParameters::default()
    }
}
/// An account with these functions; those whose blueprint names a sink write to `SINK`.
fn account(
    functions: &[FunctionBlueprint],
    quota: u32,
    model: &ModelParameters,
) -> Result<Harness<Lambda>, ServiceBuildError> {
    let limits = Account {
        profile: Profile::Current,
        concurrency: quota,
        region_burst: 3_000,
    };
    account_with(functions, limits, model)
}
/// The same in an account with these limits.
fn account_with(
    functions: &[FunctionBlueprint],
    limits: Account,
    model: &ModelParameters,
) -> Result<Harness<Lambda>, ServiceBuildError> {
    let blueprints: Vec<&FunctionBlueprint> = functions.iter().collect();
    let sinks: Vec<Option<SinkId>> = functions.iter().map(|f| f.sink.as_ref().map(|_| SINK)).collect();
    let mut streams = RandomStreams::new(7, 0);
    Lambda::new(&blueprints, &sinks, limits, model, &mut streams).map(Harness::new)
}
/// An account with the default quota.
fn lambda(functions: &[FunctionBlueprint]) -> Harness<Lambda> {
    account(functions, DEFAULT_ACCOUNT_CONCURRENCY, &model()).expect("the blueprint is valid")
}
fn millis(millis: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(millis)
}
fn minutes(minutes: u64) -> SimTime {
    SimTime::from_secs(60 * minutes)
}

/// What a test does to functions and reads off their facts.
trait Invocations {
    /// An invocation with so many records comes in; `caller` is the mapping that it comes from.
    fn invoke_for(&mut self, caller: u16, at: SimTime, function: FunctionId, count: u32);
    fn invoke(&mut self, at: SimTime, function: FunctionId) {
        self.invoke_for(0, at, function, 1);
    }
    fn invoke_many(&mut self, times: u32, at: SimTime, function: FunctionId) {
        for _ in 0..times {
            self.invoke(at, function);
        }
    }
    /// A request of a direct caller comes in, of this type and size.
    fn call(&mut self, at: SimTime, function: FunctionId, invocation_type: InvocationType, bytes: u32);
    /// An asynchronous event of a kilobyte comes in.
    fn event(&mut self, at: SimTime, function: FunctionId) {
        self.call(at, function, InvocationType::Event, 1_000);
    }
    /// The steps of asynchronous events, with their instants.
    fn steps(&self) -> Vec<(SimTime, AsynchronousStep)>;
    /// The reasons of the refusals so far.
    fn reasons(&self) -> Vec<ThrottleReason>;
    /// The cold starts of the invocations that have started, in order.
    fn cold_starts(&self) -> Vec<Option<SimDuration>>;
    /// Time, outcome and duration of the invocations that have ended, in order.
    fn ends(&self) -> Vec<(SimTime, InvocationOutcome, SimDuration)>;
    /// Invocations refused so far.
    fn throttles(&self) -> usize;
}
impl Invocations for Harness<Lambda> {
    fn invoke_for(&mut self, caller: u16, at: SimTime, function: FunctionId, count: u32) {
        let batch = Batch {
            records: records(0, count),
            positions: (0..u64::from(count)).collect(),
            child_shards: Vec::new(),
            bytes: 100 * u64::from(count),
            envelope: Envelope::Invoke(InvokeCall {
                passage: crate::batch::Passage::default(),
                source: EventSource::Stream(MappingId(caller)),
                reader: MappingId(caller).into(),
                function,
                shard: ShardIndex(3),
                lane: 2,
                outcome: InvocationOutcome::Succeeded,
                response: crate::batch::BatchResponse::default(),
                window: None,
                state: None,
            }),
        };
        self.send(at, batch, |batch| {
            world::Event::Function(function, Event::Invoke { batch })
        });
    }
    fn call(&mut self, at: SimTime, function: FunctionId, invocation_type: InvocationType, bytes: u32) {
        let call = DirectCall {
            invoker: SHOP,
            function,
            invocation_type,
            bytes,
            sent_at: at,
            answer: None,
        };
        let batch = Batch {
            envelope: Envelope::InvokeDirect(call),
            ..Batch::default()
        };
        self.send(at, batch, |batch| {
            world::Event::Function(function, Event::Invoke { batch })
        });
    }
    fn steps(&self) -> Vec<(SimTime, AsynchronousStep)> {
        self.find(|note| match note.fact {
            Fact::AsynchronousEvent { step, .. } => Some((note.at, step)),
            _ => None,
        })
    }
    fn reasons(&self) -> Vec<ThrottleReason> {
        self.find(|note| match note.fact {
            Fact::InvocationThrottled { reason, .. } => Some(reason),
            _ => None,
        })
    }
    fn cold_starts(&self) -> Vec<Option<SimDuration>> {
        self.find(|note| {
            let Fact::InvocationStarted { cold_start, .. } = note.fact else {
                return None;
            };
            Some(cold_start)
        })
    }
    fn ends(&self) -> Vec<(SimTime, InvocationOutcome, SimDuration)> {
        self.find(|note| {
            let Fact::InvocationEnded { outcome, duration, .. } = note.fact else {
                return None;
            };
            Some((note.at, outcome, duration))
        })
    }
    fn throttles(&self) -> usize {
        let throttled = |note: &Note| matches!(note.fact, Fact::InvocationThrottled { .. }).then_some(());
        self.find(throttled).len()
    }
}

/// The answer that a direct caller gets.
fn answer_in(reply: &Call) -> DirectAnswer {
    let Envelope::InvokeDirect(call) = reply.batch.envelope else {
        panic!("{reply:?} is no reply to a direct call")
    };
    call.answer.expect("it is answered")
}
/// The outcome that a reply brings to its mapping.
fn outcome_in(reply: &Call) -> InvocationOutcome {
    let Envelope::Invoke(call) = reply.batch.envelope else {
        panic!("{reply:?} is no reply to an invocation")
    };
    call.outcome
}
