//! Workers that poll a queue: each has one call or one batch at a time.
//!
//! A worker receives, processes what came one message after the other, and deletes what went well with one call. What
//! failed it leaves to the visibility timeout, or releases. While it processes it may extend the timeout, and it may die.

use crate::batch::{Batch, BatchId, Envelope, QueueAction, QueueCall, ServiceError};
use crate::blueprint::{FleetBlueprint, ModelParameters};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FleetId, QueueConsumer, QueueId};
use crate::observe::fact::Fact;
use crate::observe::queue_fact::{FleetFact, Queueing};
use crate::record::Record;
use crate::services::network::Link;
use crate::services::producer::retry::{Decision, RetryPolicy};
use crate::services::random_span::RandomSpan;
use crate::services::{ServiceBuildError, digest_of_draws, queue};
use crate::world;

/// What happens to workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A worker is to receive: it starts, or its pause is over.
    Poll {
        /// Which.
        worker: u16,
    },
    /// An answer came in.
    Answered {
        /// The answer.
        batch: BatchId,
    },
    /// A worker ends its batch, or dies.
    Ended {
        /// Which.
        worker: u16,
    },
    /// A worker extends the visibility timeout of its batch.
    Heartbeat {
        /// Which.
        worker: u16,
        /// Number of the batch that it is about.
        batch: u32,
    },
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Poll { .. } => 0,
            Self::Answered { .. } => 1,
            Self::Ended { .. } => 2,
            Self::Heartbeat { .. } => 3,
        }
    }
}

/// A worker.
#[derive(Clone, Debug, Default)]
struct Worker {
    /// What it processes.
    batch: Option<Box<Batch>>,
    /// Batches so far.
    batches: u32,
    /// It will not live to the end of the batch.
    dies: bool,
    /// Receives so far: the number of one is its ReceiveRequestAttemptId.
    receives: u32,
    /// Attempts at the call in progress, and what the last retry took from the SDK's quota.
    tries: u32,
    cost: u16,
}

/// The workers of a `[worker.NAME]`.
#[derive(Clone, Debug)]
pub struct Fleet {
    queue: QueueId,
    workers: Vec<Worker>,
    busy: u32,
    starts_at: SimTime,
    wait_time: Option<SimDuration>,
    max_messages: u8,
    visibility_timeout: Option<SimDuration>,
    /// What a heartbeat asks for: the request's visibility timeout or the queue's.
    extension: SimDuration,
    idle_pause: SimDuration,
    attempt_ids: bool,
    retry: RetryPolicy,
    failure_rate: Ratio,
    poison_rate: Ratio,
    release_failed: bool,
    heartbeat: Option<SimDuration>,
    crash_rate: Ratio,
    restart_time: SimDuration,
    /// Tells which messages are poison, together with their identity.
    poison_salt: u64,
    handler: RandomSpan,
    outcomes: Random,
    link: Link,
}

impl Fleet {
    /// Workers that have not begun. `queue_timeout` is the visibility timeout of the queue. Makes the random streams
    /// handler, outcomes, poison, retry-jitter and network.
    pub fn new(
        blueprint: &FleetBlueprint,
        queue: QueueId,
        queue_timeout: SimDuration,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("worker.{}", blueprint.name);
        let workers = blueprint.workers.min(u32::from(u16::MAX));
        Ok(Self {
            queue,
            workers: vec![Worker::default(); to_usize(workers)],
            busy: 0,
            starts_at: blueprint.starts_at,
            wait_time: blueprint.wait_time,
            max_messages: u8::try_from(blueprint.max_messages).unwrap_or(u8::MAX),
            visibility_timeout: blueprint.visibility_timeout,
            extension: blueprint.visibility_timeout.unwrap_or(queue_timeout),
            idle_pause: blueprint.idle_pause,
            attempt_ids: blueprint.attempt_ids,
            retry: RetryPolicy::new(&component, blueprint.retry, SimDuration::ZERO, streams)?,
            failure_rate: blueprint.failure_rate,
            poison_rate: blueprint.poison_rate,
            release_failed: blueprint.release_failed,
            heartbeat: blueprint.heartbeat,
            crash_rate: blueprint.crash_rate,
            restart_time: blueprint.restart_time,
            poison_salt: streams.stream(&format!("{component}/poison"))?.word(),
            handler: RandomSpan::new(&component, "handler", &blueprint.per_message, streams)?,
            outcomes: streams.stream(&format!("{component}/outcomes"))?,
            link: Link::new(&component, model, streams)?,
        })
    }

    /// Schedules the first receives. They are spread over a second: nobody starts all workers in one nanosecond.
    pub fn start(&mut self, me: FleetId, cx: &mut Cx<'_, '_>) {
        let count = u64::try_from(self.workers.len()).unwrap_or(1);
        for worker in 0..to_u32(self.workers.len()) {
            let share = SimDuration::from_nanos(u64::from(worker) * 1_000_000_000 / count);
            let worker = u16::try_from(worker).unwrap_or(u16::MAX);
            Self::poll_at(me, worker, self.starts_at + share, cx);
        }
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: FleetId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Poll { worker } => self.poll(me, worker, cx),
            Event::Answered { batch } => self.answered(me, batch, cx),
            Event::Ended { worker } => self.ended(me, worker, cx),
            Event::Heartbeat { worker, batch } => self.beat(me, worker, batch, cx),
        }
    }

    /// Workers that process a batch.
    pub const fn busy(&self) -> u32 {
        self.busy
    }
    /// Bytes of memory that messages in the workers' hands take.
    pub fn memory(&self) -> u64 {
        let held = self.workers.iter().filter_map(|worker| worker.batch.as_ref());
        held.map(|batch| batch.memory()).sum()
    }
    /// Draws on all streams so far, as one word for the fingerprint.
    pub fn draws(&self) -> u64 {
        let outcomes = self.outcomes.draws() ^ self.retry.draws().rotate_left(32);
        digest_of_draws([self.handler.draws(), outcomes, self.link.draws()])
    }

    fn poll_at(me: FleetId, worker: u16, at: SimTime, cx: &mut Cx<'_, '_>) {
        cx.wake(
            at.max(cx.now()),
            Phase::Act,
            world::Event::Fleet(me, Event::Poll { worker }),
        );
    }

    fn poll(&mut self, me: FleetId, worker: u16, cx: &mut Cx<'_, '_>) {
        let own = &mut self.workers[usize::from(worker)];
        own.receives = own.receives.wrapping_add(1);
        (own.tries, own.cost) = (1, 0);
        let action = QueueAction::Receive {
            max: self.max_messages,
            wait: self.wait_time,
            visibility: self.visibility_timeout,
            attempt: self.attempt_ids.then_some(own.receives),
        };
        let batch = cx.fresh();
        self.call(me, worker, action, batch, cx);
    }

    fn call(&mut self, me: FleetId, worker: u16, action: QueueAction, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        self.call_after(SimDuration::ZERO, me, (worker, action), batch, cx);
    }
    fn call_after(
        &mut self,
        wait: SimDuration,
        me: FleetId,
        (worker, action): (u16, QueueAction),
        mut batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) {
        batch.envelope = Envelope::Queue(QueueCall {
            consumer: QueueConsumer::Fleet(me),
            worker: u32::from(worker),
            action,
            waited: false,
            error: None,
        });
        let (queue, delay) = (self.queue, wait + self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Queue(queue, queue::Event::CallReceived { batch })
        });
    }

    fn answered(&mut self, me: FleetId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Queue(call) = batch.envelope else {
            let what = format!("a worker received {:?}", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        let worker = u16::try_from(call.worker).unwrap_or(u16::MAX);
        // Nobody waits for the answer to a change of visibility.
        let awaited = !matches!(call.action, QueueAction::ChangeVisibility { .. });
        if let Some(error) = call.error.filter(|_| awaited) {
            if let Some(wait) = self.wait_to_repeat(worker, error, cx.now()) {
                return self.call_after(wait, me, (worker, call.action), batch, cx);
            }
        } else if awaited {
            let own = &self.workers[usize::from(worker)];
            self.retry.on_success(cx.now(), own.tries, own.cost);
        }
        match call.action {
            QueueAction::Receive { .. } if call.error.is_none() && !batch.records.is_empty() => {
                self.begin(me, worker, batch, cx);
            }
            QueueAction::Receive { .. } => {
                cx.recycle(batch);
                Self::poll_at(me, worker, cx.now() + self.idle_pause, cx);
            }
            QueueAction::Delete => {
                cx.recycle(batch);
                self.poll(me, worker, cx);
            }
            // Nobody waits for these.
            QueueAction::ChangeVisibility { .. } => cx.recycle(batch),
        }
    }

    /// How long the SDK waits before it repeats a call that was throttled or whose answer was lost; `None`: it gives up.
    fn wait_to_repeat(&mut self, worker: u16, error: ServiceError, now: SimTime) -> Option<SimDuration> {
        let own = &mut self.workers[usize::from(worker)];
        let Decision::RetryAfter { wait, cost } = self.retry.on_error(now, error, own.tries) else {
            return None;
        };
        own.tries += 1;
        own.cost = cost;
        Some(wait)
    }

    fn begin(&mut self, me: FleetId, worker: u16, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let messages = to_u32(batch.records.len());
        let mut time = SimDuration::ZERO;
        for _ in 0..messages {
            time = time + self.handler.draw();
        }
        let dies = self.outcomes.chance(self.crash_rate);
        if dies {
            time = SimDuration::from_nanos(self.outcomes.below(time.as_nanos().max(1)));
        }
        self.busy += 1;
        let own = &mut self.workers[usize::from(worker)];
        own.batches = own.batches.wrapping_add(1);
        own.dies = dies;
        own.batch = Some(batch);
        let number = own.batches;
        let busy = self.busy;
        state(me, FleetFact::Began { messages, busy }, cx);
        let ended = world::Event::Fleet(me, Event::Ended { worker });
        cx.wake(cx.now() + time.max(SimDuration::MIN), Phase::Release, ended);
        self.arm_heartbeat(me, worker, number, cx);
    }

    fn arm_heartbeat(&self, me: FleetId, worker: u16, batch: u32, cx: &mut Cx<'_, '_>) {
        if let Some(every) = self.heartbeat {
            let beat = Event::Heartbeat { worker, batch };
            cx.wake(cx.now() + every, Phase::Act, world::Event::Fleet(me, beat));
        }
    }

    fn beat(&mut self, me: FleetId, worker: u16, number: u32, cx: &mut Cx<'_, '_>) {
        let own = &self.workers[usize::from(worker)];
        let Some(batch) = own.batch.as_ref().filter(|_| own.batches == number) else {
            return;
        };
        let mut request = cx.fresh();
        request.records.extend_from_slice(&batch.records);
        request.positions.extend_from_slice(&batch.positions);
        let timeout = self.extension;
        self.call(me, worker, QueueAction::ChangeVisibility { timeout }, request, cx);
        self.arm_heartbeat(me, worker, number, cx);
    }

    fn ended(&mut self, me: FleetId, worker: u16, cx: &mut Cx<'_, '_>) {
        let own = &mut self.workers[usize::from(worker)];
        let Some(batch) = own.batch.take() else {
            return cx.fail(Fault::Broken("a worker ended a batch that it does not have".to_owned()));
        };
        self.busy -= 1;
        let busy = self.busy;
        if own.dies {
            let messages = to_u32(batch.records.len());
            state(me, FleetFact::Crashed { messages, busy }, cx);
            cx.recycle(batch);
            return Self::poll_at(me, worker, cx.now() + self.restart_time, cx);
        }
        let (mut done, mut failed) = (cx.fresh(), cx.fresh());
        let mut poison = 0;
        for (record, position) in batch.records.iter().zip(&batch.positions) {
            let hopeless = self.is_poison(record);
            poison += u32::from(hopeless);
            let to = if hopeless || self.outcomes.chance(self.failure_rate) {
                &mut failed
            } else {
                &mut done
            };
            to.records.push(*record);
            to.positions.push(*position);
        }
        cx.recycle(batch);
        let (succeeded, lost) = (to_u32(done.records.len()), to_u32(failed.records.len()));
        state(
            me,
            FleetFact::Ended {
                succeeded,
                failed: lost,
                poison,
                busy,
            },
            cx,
        );
        if self.release_failed && !failed.records.is_empty() {
            let timeout = SimDuration::ZERO;
            self.call(me, worker, QueueAction::ChangeVisibility { timeout }, failed, cx);
        } else {
            cx.recycle(failed);
        }
        if done.records.is_empty() {
            cx.recycle(done);
            self.poll(me, worker, cx);
        } else {
            let own = &mut self.workers[usize::from(worker)];
            (own.tries, own.cost) = (1, 0);
            self.call(me, worker, QueueAction::Delete, done, cx);
        }
    }

    /// Whether no attempt succeeds with the message. That is the message's own affair: it hangs on who it is.
    fn is_poison(&self, record: &Record) -> bool {
        let identity = u64::from(record.key.0) << 32 | u64::from(record.ordinal);
        let word = (identity ^ self.poison_salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let word = (word ^ word >> 29).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        self.poison_rate
            .threshold()
            .is_none_or(|threshold| (word ^ word >> 32) < threshold)
    }
}

fn state(me: FleetId, fact: FleetFact, cx: &mut Cx<'_, '_>) {
    cx.emit(|| Fact::Queueing {
        fact: Queueing::Fleet { fleet: me, fact },
    });
}
