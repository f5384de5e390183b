//! What pollers hold, and when it is a batch.

use super::{QueueMapping, QueueMappingFact, broken, state};
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::QueueMappingId;
use crate::record::{RECORD_BYTES, Record};
use crate::services::mapping::quotas::{MAX_PAYLOAD_BYTES, PAYLOAD_FRAME_BYTES};

/// What a poller does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum State {
    /// It does not exist, as far as anybody can tell.
    #[default]
    Resting,
    /// It waits before a poll: it is new, at the limits of a provisioned poller, or refused.
    Gathering,
    /// A receive is under way.
    Receiving,
    /// Its batch is with the function.
    Invoking,
    /// Its batch waits for another attempt.
    Throttled,
}

/// A poller.
#[derive(Clone, Debug, Default)]
pub(super) struct Poller {
    pub(super) state: State,
    pub(super) held: Held,
    /// Messages of these that are its batch.
    pub(super) batch: usize,
    /// Refusals of the batch for concurrency.
    pub(super) throttles: u32,
    pub(super) passage: crate::batch::Passage,
    /// When its window opened (LAM-U-17).
    pub(super) window_opened: SimTime,
    /// When the receive that is under way, or the last one, was sent.
    pub(super) asked_at: SimTime,
    pub(super) generation: u32,
}

/// Messages, with their receipt handles and the ends of their visibility timeouts.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    pub(super) records: Vec<Record>,
    pub(super) receipts: Vec<u64>,
    pub(super) hidden_until: Vec<SimTime>,
}

impl Held {
    pub(super) fn memory(&self) -> u64 {
        u64::try_from(self.records.capacity()).unwrap_or(u64::MAX) * (RECORD_BYTES + 16)
    }
    pub(super) fn remove_first(&mut self, count: usize) {
        self.records.drain(..count);
        self.receipts.drain(..count);
        self.hidden_until.drain(..count);
    }
}

/// Computes payload sizes (LAM-U-30): a frame, and for each message its body and a constant of metadata (LAM-S-15). A body
/// that consists of plain text gains nothing by JSON's escapes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload {
    overhead: u64,
}

impl Payload {
    pub(super) fn new(overhead: u32) -> Self {
        Self {
            overhead: u64::from(overhead),
        }
    }
    /// How many of the first messages fit an invocation.
    pub(super) fn fitting(self, records: &[Record]) -> usize {
        let mut total = PAYLOAD_FRAME_BYTES;
        let fit = records.iter().take_while(|record| {
            total += u64::from(record.bytes) + self.overhead;
            total <= MAX_PAYLOAD_BYTES
        });
        fit.count()
    }
}

impl QueueMapping {
    /// A receive has brought something or nothing: sends what a poller holds if it is a batch by now (LAM-E-03), else lets
    /// it poll again. A window that is over is noticed when a poll returns, which may be later (LAM-S-14).
    pub(super) fn go_on(&mut self, me: QueueMappingId, poller: u32, cx: &mut Cx<'_, '_>) {
        let own = &self.pollers[to_usize(poller)];
        let held = own.held.records.len();
        if held == 0 {
            if self.active > self.target() {
                return self.rest(poller);
            }
            return self.poll(me, poller, cx);
        }
        let wanted = held.min(self.batch_size);
        let fitting = self.payload.fitting(&own.held.records[..wanted]);
        let over = cx.now() >= own.window_opened.saturating_add(self.window);
        if fitting < wanted || held >= self.batch_size || over || !self.enabled {
            return self.begin(me, poller, (fitting, fitting < wanted), cx);
        }
        self.poll(me, poller, cx);
    }

    /// Takes in what a receive has brought.
    pub(super) fn gather(&mut self, poller: u32, records: &[Record], receipts: &[u64], now: SimTime) {
        let hidden_until = now.saturating_add(self.visibility.0);
        let window = self.window;
        let own = &mut self.pollers[to_usize(poller)];
        if own.held.records.is_empty() && now >= own.window_opened.saturating_add(window) {
            // The window of an idle poller opens with the first message (LAM-E-06).
            own.window_opened = now;
        }
        own.held.records.extend_from_slice(records);
        own.held.receipts.extend_from_slice(receipts);
        own.held.hidden_until.resize(own.held.records.len(), hidden_until);
    }

    /// A poller has nothing more to do.
    pub(super) fn rest(&mut self, poller: u32) {
        let own = &mut self.pollers[to_usize(poller)];
        own.state = State::Resting;
        own.generation = own.generation.wrapping_add(1);
        self.active -= 1;
    }

    /// Lets the first messages of a poller go: they come back to the queue when their visibility timeout is over.
    pub(super) fn let_go(&mut self, me: QueueMappingId, poller: u32, messages: usize, cx: &mut Cx<'_, '_>) {
        let held = &mut self.pollers[to_usize(poller)].held;
        let messages = messages.min(held.records.len());
        if messages > 0 {
            let records = &held.records[..messages];
            state(me, QueueMappingFact::LetGo { records }, cx);
            held.remove_first(messages);
        }
    }

    /// A poller goes on with what it has to do at this instant.
    pub(super) fn poller_due(&mut self, me: QueueMappingId, poller: u32, generation: u32, cx: &mut Cx<'_, '_>) {
        let own = &self.pollers[to_usize(poller)];
        if own.generation != generation {
            return;
        }
        match own.state {
            State::Gathering if own.held.records.is_empty() && self.active > self.target() => self.rest(poller),
            State::Gathering => self.poll(me, poller, cx),
            State::Throttled => self.attempt_again(me, poller, cx),
            State::Resting | State::Receiving | State::Invoking => {
                broken(cx, "a timer of a poller that waits for none");
            }
        }
    }
}

/// The n-th wait: first x 2^(n - 1), capped (LAM-U-15).
pub(super) fn doubled((first, longest): (SimDuration, SimDuration), n: u32) -> SimDuration {
    first
        .saturating_mul(1_u64.checked_shl(n.saturating_sub(1)).unwrap_or(u64::MAX))
        .min(longest)
}
