//! Single-record calls of a fast producer, handled together window by window.
//!
//! One event stands for all calls that begin in a window; each keeps its exact time, its own attempt number and its own
//! fate. Results come back up to a window late, and a call that waited for a connection starts with a window.

use super::retry::Decision;
use super::{Event, Producer, create};
use crate::batch::{Batch, ServiceError};
use crate::blueprint::{ProducerBlueprint, RetryMode};
use crate::context::Cx;
use crate::engine::deadlines::Deadlines;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ProducerId;
use crate::observe::fact::{Fact, GiveUpReason, RetryBy};
use crate::record::{ATTEMPT_SHIFT, Outcome, RECORD_BYTES, Record};
use crate::services::kinesis::cohort_error;
use crate::world;

/// What a single-record call's last retry cost travels in the six bits from here on.
const COST_SHIFT: u32 = 2;
const COST_MASK: u32 = 63;
/// What stands in the flags of a record that its first call has stored.
const STORED_AT_ONCE: u32 = 1 << ATTEMPT_SHIFT;

/// The state of a client whose calls are handled by window.
#[derive(Clone, Debug)]
pub(super) struct Window {
    width: SimDuration,
    /// Calls that wait for a connection, in order of creation.
    queue: Vec<Record>,
    /// Calls that the SDK will repeat. Only the order of their deadlines is used, never a timer.
    later: Deadlines<Record>,
    /// The window that an event is scheduled for.
    armed: Option<u64>,
}

impl Window {
    pub(super) const fn new(width: SimDuration) -> Self {
        Self {
            width,
            queue: Vec::new(),
            later: Deadlines::new(),
            armed: None,
        }
    }
    /// Records that wait for a connection or another attempt.
    pub(super) fn waiting(&self) -> u64 {
        u64::from(to_u32(self.queue.len() + self.later.len()))
    }
    /// Bytes of memory that they take.
    pub(super) fn memory(&self) -> u64 {
        self.waiting() * RECORD_BYTES
    }
    const fn number(&self, at: SimTime) -> u64 {
        at.as_nanos() / self.width.as_nanos()
    }
    const fn start(&self, number: u64) -> SimTime {
        SimTime::from_nanos(number * self.width.as_nanos())
    }
}

impl ProducerBlueprint {
    /// True if the producer makes single-record calls so often that they are handled by window. In adaptive mode the SDK
    /// may delay each call by itself (KDS-SDK-14), and with `SequenceNumberForOrdering` each waits for the one before, so
    /// each is its own event.
    pub fn uses_call_window(&self) -> bool {
        if self.retry.mode == RetryMode::Adaptive || self.sequence_number_for_ordering {
            return false;
        }
        let threshold = self.call_window_threshold;
        self.arrivals.mean_rate().is_some_and(|mean| {
            u128::from(mean.count) * u128::from(threshold.per.as_nanos())
                > u128::from(threshold.count) * u128::from(mean.per.as_nanos())
        }) && !self.call_window.is_zero()
    }
}

fn cost_of(record: &Record) -> u16 {
    u16::try_from(record.flags >> COST_SHIFT & COST_MASK).unwrap_or(0)
}
fn set_attempt(record: &mut Record, attempt: u32, cost: u16) {
    record.flags = attempt << ATTEMPT_SHIFT | (u32::from(cost) & COST_MASK) << COST_SHIFT;
}

impl Producer {
    /// Schedules the next window that has something to do.
    pub(super) fn arm_window(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        self.source.ensure(1);
        let now = cx.now();
        let Some(window) = &mut self.window else { return };
        let current = window.number(now);
        let next_arrival = self
            .source
            .times()
            .first()
            .map(|&at| window.number(SimTime::from_nanos(at)));
        let next_retry = window.later.next_at().map(|at| window.number(at).max(current + 1));
        let queued = (!window.queue.is_empty() && self.busy < self.concurrency).then_some(current + 1);
        let Some(next) = [next_arrival, next_retry, queued].into_iter().flatten().min() else {
            return;
        };
        if window.armed.is_some_and(|armed| armed <= next && armed >= current) {
            return;
        }
        window.armed = Some(next);
        let at = window.start(next).max(now);
        self.generation = self.generation.wrapping_add(1);
        let event = Event::CallWindow {
            generation: self.generation,
        };
        cx.wake(at, Phase::Act, world::Event::Producer(me, event));
    }

    pub(super) fn call_window(&mut self, me: ProducerId, generation: u32, cx: &mut Cx<'_, '_>) {
        if generation != self.generation {
            return;
        }
        let Some(window) = &mut self.window else { return };
        let now = cx.now();
        window.armed = None;
        let end = window.start(window.number(now) + 1);
        let mut fresh = cx.fresh();
        let mut wanted = 64;
        while self.source.ensure(wanted) && self.source.times().last().is_some_and(|&at| at < end.as_nanos()) {
            wanted *= 2;
        }
        let count = self.source.times().partition_point(|&at| at < end.as_nanos());
        create(&mut self.ordinals, self.keys, &self.source, count, &mut fresh.records);
        self.source.consume(count);
        if count > 0 {
            cx.emit(|| Fact::RecordsProduced {
                producer: me,
                records: &fresh.records,
            });
        }
        let window = self.queue_behind(&mut fresh, now);
        let mut repeated = cx.fresh();
        while let Some((due, mut record)) = window.later.pop_before(end) {
            record.arrived_at = due.max(now);
            repeated.records.push(record);
        }
        self.send_window(me, fresh, false, cx);
        self.send_window(me, repeated, true, cx);
        self.arm_window(me, cx);
    }

    /// Lets the calls begin that have a connection: those that waited, then the fresh ones. The rest waits.
    fn queue_behind(&mut self, fresh: &mut Batch, now: SimTime) -> &mut Window {
        for record in &mut fresh.records {
            set_attempt(record, 1, 0);
            record.arrived_at = record.created_at;
        }
        let free = to_usize(self.concurrency - self.busy);
        let window = self.window.get_or_insert_with(|| Window::new(SimDuration::MIN));
        if !window.queue.is_empty() || fresh.records.len() > free {
            window.queue.append(&mut fresh.records);
            let begin = window.queue.len().min(free);
            fresh.records.extend(window.queue.drain(..begin));
            for record in &mut fresh.records {
                record.arrived_at = record.created_at.max(now);
            }
        }
        self.busy += to_u32(fresh.records.len());
        window
    }

    fn send_window(&mut self, me: ProducerId, mut batch: Box<Batch>, repeated: bool, cx: &mut Cx<'_, '_>) {
        if batch.records.is_empty() {
            return cx.recycle(batch);
        }
        batch.bytes = batch.records.iter().map(|record| u64::from(record.bytes)).sum();
        let attempt = if repeated { 2 } else { 1 };
        batch.envelope = self.envelope(me, attempt, 0, cx.now());
        cx.emit(|| Fact::RequestSent {
            producer: me,
            target: self.target,
            api: self.api,
            records: &batch.records,
            bytes: batch.bytes,
            attempt,
            resends: 0,
        });
        self.in_flight += u64::from(to_u32(batch.records.len()));
        self.transmit(batch, cx);
    }

    /// Results of a window's calls: each is a request of its own, with its own retries (KDS-W-05, KDS-SDK). `error`, if
    /// there is one, is that of all of them.
    pub(super) fn window_responded(
        &mut self,
        me: ProducerId,
        mut batch: Box<Batch>,
        error: Option<ServiceError>,
        cx: &mut Cx<'_, '_>,
    ) {
        let mut tally = WindowTally::default();
        let mut stored = core::mem::take(&mut batch.records);
        if error.is_none() && stored.iter().all(|record| record.flags == STORED_AT_ONCE) {
            // Nearly always: nothing was refused, and nothing had been before.
            self.retry.on_first_successes(cx.now(), to_u32(stored.len()));
            self.busy -= to_u32(stored.len());
        } else {
            stored.retain(|record| match error.or(cohort_error(record.outcome())) {
                None => {
                    self.retry.on_success(cx.now(), record.attempt(), cost_of(record));
                    self.busy -= 1;
                    true
                }
                Some(error) => {
                    self.call_failed(*record, error, &mut tally, cx.now());
                    false
                }
            });
        }
        if !stored.is_empty() {
            cx.emit(|| Fact::RecordsAcknowledged {
                producer: me,
                records: &stored,
            });
        }
        for &(error, records) in &tally.failed {
            cx.emit(|| Fact::RequestFailed {
                producer: me,
                error,
                records,
            });
        }
        if let Some((at, records)) = tally.repeated {
            cx.emit(|| Fact::RetryScheduled {
                producer: me,
                by: RetryBy::Sdk,
                at,
                records,
            });
        }
        for (reason, records) in &tally.given_up {
            cx.emit(|| Fact::RecordsGivenUp {
                producer: me,
                reason: *reason,
                records,
            });
        }
        batch.records = stored;
        cx.recycle(batch);
        self.arm_window(me, cx);
    }

    /// One call of a window failed: the SDK repeats it, and it keeps its connection, or gives it up.
    fn call_failed(&mut self, mut record: Record, error: ServiceError, tally: &mut WindowTally, now: SimTime) {
        match tally.failed.iter_mut().find(|(listed, _)| *listed == error) {
            Some((_, records)) => *records += 1,
            None => tally.failed.push((error, 1)),
        }
        let attempt = record.attempt();
        record.set_outcome(Outcome::Accepted);
        match self.retry.on_error(now, error, attempt) {
            Decision::RetryAfter { wait, cost } => {
                set_attempt(&mut record, attempt + 1, cost);
                let at = now + wait;
                let (earliest, records) = tally.repeated.unwrap_or((at, 0));
                tally.repeated = Some((earliest.min(at), records + 1));
                if let Some(window) = &mut self.window {
                    // Windows look at the deadlines themselves, so no timer is armed.
                    let _ = window.later.add(at, record);
                }
            }
            Decision::GiveUp(reason) => {
                self.busy -= 1;
                match tally.given_up.iter_mut().find(|(listed, _)| *listed == reason) {
                    Some((_, records)) => records.push(record),
                    None => tally.given_up.push((reason, vec![record])),
                }
            }
        }
    }
}

/// What became of the calls of an answer that were not stored.
#[derive(Default)]
struct WindowTally {
    /// Calls by error, in order of first occurrence.
    failed: Vec<(ServiceError, u32)>,
    /// The earliest repetition, and how many there are.
    repeated: Option<(SimTime, u32)>,
    given_up: Vec<(GiveUpReason, Vec<Record>)>,
}
