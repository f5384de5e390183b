//! Asynchronous invocation: the queue that Lambda keeps for a function, its retries, and where events go in the end.

use super::destination::Destination;
use super::quotas::ASYNCHRONOUS_RETRY_WAITS;
use crate::engine::deadlines::Deadlines;
use crate::engine::time::{SimDuration, SimTime};

/// An event that Lambda has accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct QueuedEvent {
    /// When it was accepted.
    pub(super) accepted_at: SimTime,
    /// Its size.
    pub(super) bytes: u32,
    /// Invocations of it that ended in an error.
    pub(super) errors: u32,
    /// Attempts in a row that were refused with 429.
    pub(super) throttles: u32,
}

/// The queue of one function. What it holds and what runs are the events that were accepted and not settled.
#[derive(Clone, Debug)]
pub(super) struct EventQueue {
    /// Events that wait, by the instant of their next attempt. One timer serves all of them.
    pub(super) waiting: Deadlines<QueuedEvent>,
    /// Events whose invocation is in progress.
    pub(super) running: u64,
    /// MaximumRetryAttempts (LAM-A-02).
    pub(super) maximum_retries: u32,
    /// MaximumEventAgeInSeconds (LAM-A-06).
    pub(super) maximum_age: SimDuration,
    /// First wait after a throttle; it doubles (LAM-A-05, LAM-U-36).
    pub(super) throttle_backoff: SimDuration,
    /// Longest wait after a throttle (LAM-A-05, LAM-U-36).
    pub(super) throttle_backoff_max: SimDuration,
    /// DeadLetterConfig (LAM-D-01).
    pub(super) dead_letter: Option<Destination>,
    /// DestinationConfig, OnFailure (LAM-D-03).
    pub(super) on_failure: Option<Destination>,
    /// DestinationConfig, OnSuccess (LAM-D-03).
    pub(super) on_success: Option<Destination>,
}

/// What becomes of an event after an attempt that did not succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// It is tried again at this instant, or given up then if it is too old.
    Wait(SimTime),
    /// Its retries are used up.
    GiveUp,
}

impl EventQueue {
    /// Whether the event has reached its maximum age (LAM-A-06).
    pub(super) fn is_too_old(&self, event: &QueuedEvent, now: SimTime) -> bool {
        now >= self.expires_at(event)
    }
    /// After an invocation that ended in an error: two retries, after one minute and after two (LAM-A-02, LAM-A-03).
    pub(super) fn after_error(&self, event: &mut QueuedEvent, now: SimTime) -> Next {
        event.throttles = 0;
        event.errors += 1;
        if event.errors > self.maximum_retries {
            return Next::GiveUp;
        }
        let [first, further] = ASYNCHRONOUS_RETRY_WAITS;
        let wait = if event.errors == 1 { first } else { further };
        Next::Wait(self.wait(event, now, wait))
    }
    /// After a 429, which costs no retry: exponential waits, as long as the event is not too old (LAM-A-04, LAM-A-05).
    pub(super) fn after_throttle(&self, event: &mut QueuedEvent, now: SimTime) -> SimTime {
        let doublings = event.throttles.min(30);
        event.throttles += 1;
        let wait = self.throttle_backoff.saturating_mul(1 << doublings);
        self.wait(event, now, wait.min(self.throttle_backoff_max).max(SimDuration::MIN))
    }
    fn wait(&self, event: &QueuedEvent, now: SimTime, wait: SimDuration) -> SimTime {
        now.saturating_add(wait).min(self.expires_at(event))
    }
    fn expires_at(&self, event: &QueuedEvent) -> SimTime {
        event.accepted_at.saturating_add(self.maximum_age)
    }
}
