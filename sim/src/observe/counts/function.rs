//! Totals of functions, their asynchronous events, and their direct callers.

use crate::batch::{DirectAnswer, InvocationOutcome};
use crate::engine::index::to_u32;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::{AsynchronousStep, Delivery, DropReason, Fact, FunctionChange, InvokerStep, ThrottleReason};

/// Totals of a function, in invocations unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FunctionCounts {
    /// Started.
    pub started: u64,
    /// Ended.
    pub ended: u64,
    /// Ended in a function error, timeouts not included.
    pub errors: u64,
    /// Ended by the timeout (LAM-C-26).
    pub timeouts: u64,
    /// Refused (LAM-C-23).
    pub throttles: u64,
    /// Refused, by reason (LAM-C-24), in the order of [`ThrottleReason::ALL`].
    pub throttles_for: [u64; ThrottleReason::ALL.len()],
    /// When the first was refused.
    pub first_throttled_at: Option<SimTime>,
    /// That needed a new environment.
    pub cold_starts: u64,
    /// Placement and Init of these, in nanoseconds.
    pub cold_start_nanos: u128,
    /// That ran Init again within their duration (LAM-R-04, LAM-R-06).
    pub inits_within: u64,
    /// That ran on a provisioned environment (LAM-M-12).
    pub provisioned: u64,
    /// That ran on demand although environments were provisioned (LAM-M-13).
    pub spilled_over: u64,
    /// Provisioned environments that may be used, as of now.
    pub provisioned_executions: u32,
    /// When provisioned environments became usable for the last time, if that happened in the run.
    pub provisioned_at: Option<SimTime>,
    /// Requests for provisioned concurrency that failed (LAM-V-02, LAM-V-03).
    pub provisionings_failed: u64,
    /// Handler time of those that ended, in nanoseconds.
    pub duration_nanos: u128,
    /// Most at one time.
    pub max_concurrent: u32,
    /// Records in events of those that started.
    pub records: u64,
    /// Records of batches that it finished without a sink.
    pub processed: u64,
    /// Its asynchronous events.
    pub events: EventCounts,
}

/// Totals of a function's asynchronous events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventCounts {
    /// Accepted (LAM-M-15).
    pub received: u64,
    /// That came into being a second time (LAM-A-08).
    pub duplicated: u64,
    /// Attempts that were not refused.
    pub attempted: u64,
    /// Retries after a function error.
    pub retried: u64,
    /// Attempts that were refused with 429.
    pub throttled: u64,
    /// Oldest at an attempt.
    pub age_max: SimDuration,
    /// Succeeded.
    pub succeeded: u64,
    /// Given up (LAM-M-17).
    pub dropped: u64,
    /// Given up, by reason, in the order of [`DropReason::ALL`].
    pub dropped_for: [u64; DropReason::ALL.len()],
    /// Given up, and nobody was told, or the telling failed.
    pub lost: u64,
    /// When the first was given up.
    pub first_dropped_at: Option<SimTime>,
    /// Reported to the dead-letter queue.
    pub dead_lettered: u64,
    /// Reports to the dead-letter queue that failed (LAM-D-06).
    pub dead_letter_errors: u64,
    /// Reported to a destination.
    pub destined: u64,
    /// Reports to a destination that failed (LAM-D-07).
    pub destination_failures: u64,
}

/// Totals of a direct caller, in requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InvokerCounts {
    /// Sent.
    pub sent: u64,
    /// Taken into Lambda's queue.
    pub queued: u64,
    /// That succeeded.
    pub succeeded: u64,
    /// That ended in a function error.
    pub errors: u64,
    /// That ended by the timeout.
    pub timeouts: u64,
    /// Refused with 429.
    pub throttled: u64,
    /// From request to answer, of those that were not refused, in nanoseconds.
    pub response_nanos: u128,
    /// The longest of these.
    pub response_max: SimDuration,
}

impl FunctionCounts {
    /// Takes note of a fact about invocations.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`note` has sorted the facts, exhaustively"
    )]
    pub(super) fn invocation(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::InvocationStarted {
                records,
                cold_start,
                concurrent,
                provisioned,
                ..
            } => {
                self.started += 1;
                self.records += u64::from(to_u32(records.len()));
                self.max_concurrent = self.max_concurrent.max(concurrent);
                self.provisioned += u64::from(provisioned.on);
                self.spilled_over += u64::from(!provisioned.on && provisioned.allocated > 0);
                self.provisioned_executions = provisioned.allocated;
                if let Some(span) = cold_start {
                    self.cold_starts += 1;
                    self.cold_start_nanos += u128::from(span.as_nanos());
                }
            }
            Fact::InvocationThrottled { reason, .. } => {
                self.throttles += 1;
                self.throttles_for[reason.index()] += 1;
                self.first_throttled_at.get_or_insert(now);
            }
            Fact::InvocationEnded {
                outcome,
                duration,
                init_within,
                ..
            } => {
                self.ended += 1;
                self.duration_nanos += u128::from(duration.as_nanos());
                self.inits_within += u64::from(!init_within.is_zero());
                match outcome {
                    InvocationOutcome::FunctionError => self.errors += 1,
                    InvocationOutcome::TimedOut => self.timeouts += 1,
                    InvocationOutcome::Succeeded | InvocationOutcome::Throttled => {}
                }
            }
            _ => {}
        }
    }
    /// Takes note of a change.
    pub(super) const fn changed(&mut self, now: SimTime, change: FunctionChange) {
        match change {
            FunctionChange::ProvisioningRequested { .. } => {}
            FunctionChange::ProvisioningReady { executions, .. } => {
                self.provisioned_executions = executions;
                self.provisioned_at = Some(now);
            }
            FunctionChange::ProvisioningFailed { .. } => self.provisionings_failed += 1,
        }
    }
}

impl EventCounts {
    /// Takes note of a step.
    pub(super) fn note(&mut self, now: SimTime, step: AsynchronousStep) {
        match step {
            AsynchronousStep::Received { .. } => self.received += 1,
            AsynchronousStep::Duplicated => self.duplicated += 1,
            AsynchronousStep::Attempted { age } => {
                self.attempted += 1;
                self.age_max = self.age_max.max(age);
            }
            AsynchronousStep::WaitsAfterThrottle { .. } => self.throttled += 1,
            AsynchronousStep::WaitsAfterError { .. } => self.retried += 1,
            AsynchronousStep::Succeeded { destination } => {
                self.succeeded += 1;
                self.delivered(destination);
            }
            AsynchronousStep::Dropped {
                reason,
                dead_letter,
                destination,
            } => {
                self.dropped += 1;
                self.dropped_for[reason.index()] += 1;
                self.first_dropped_at.get_or_insert(now);
                let told = dead_letter == Delivery::Delivered || destination == Delivery::Delivered;
                self.lost += u64::from(!told);
                self.dead_lettered += u64::from(dead_letter == Delivery::Delivered);
                self.dead_letter_errors += u64::from(dead_letter == Delivery::Failed);
                self.delivered(destination);
            }
        }
    }
    fn delivered(&mut self, destination: Delivery) {
        self.destined += u64::from(destination == Delivery::Delivered);
        self.destination_failures += u64::from(destination == Delivery::Failed);
    }
}

impl InvokerCounts {
    /// Requests that were answered.
    pub const fn answered(&self) -> u64 {
        self.queued + self.succeeded + self.errors + self.timeouts + self.throttled
    }
    /// Takes note of a step.
    pub(super) fn note(&mut self, step: InvokerStep) {
        let (answer, took) = match step {
            InvokerStep::Sent => {
                self.sent += 1;
                return;
            }
            InvokerStep::Answered { answer, took } => (answer, took),
        };
        match answer {
            DirectAnswer::Queued => self.queued += 1,
            DirectAnswer::Ended(InvocationOutcome::Succeeded) => self.succeeded += 1,
            DirectAnswer::Ended(InvocationOutcome::FunctionError) => self.errors += 1,
            DirectAnswer::Ended(InvocationOutcome::TimedOut) => self.timeouts += 1,
            DirectAnswer::Ended(InvocationOutcome::Throttled) => {
                self.throttled += 1;
                return;
            }
        }
        self.response_nanos += u128::from(took.as_nanos());
        self.response_max = self.response_max.max(took);
    }
}
