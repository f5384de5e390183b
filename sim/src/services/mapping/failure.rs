//! What a mapping does about a batch that failed.

use super::Mapping;
use super::lane::{LaneBatch, LaneState, Piece};
use crate::batch::InvokeCall;
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::MappingId;
use crate::observe::fact::{DiscardReason, Fact};

impl Mapping {
    /// 429: the batch has never reached the function, and no number of these ends it (LAM-X-07, LAM-X-08).
    pub(super) fn throttled(&mut self, me: MappingId, call: &InvokeCall, mut held: LaneBatch, cx: &mut Cx<'_, '_>) {
        held.throttles += 1;
        held.waits_for_concurrency = true;
        let wait = doubled(self.timing.throttle_backoff, held.throttles);
        self.back_off(me, call, held, wait, false, cx);
    }

    /// The function got the batch, and nothing of it is done (LAM-X-02).
    pub(super) fn failed(&mut self, me: MappingId, call: &InvokeCall, mut held: LaneBatch, cx: &mut Cx<'_, '_>) {
        held.throttles = 0;
        let count = held.positions.count();
        if self.errors.bisect_batch_on_function_error && count > 1 {
            // Splitting consumes no retry (LAM-X-12), so it goes on however few are allowed (LAM-X-14).
            let first = held.positions.split_first(count.div_ceil(2));
            let later = core::mem::replace(&mut held.positions, first);
            held.rest.push(Piece {
                positions: later,
                errors: held.errors,
            });
            let wait = doubled(self.timing.error_backoff, held.errors + 1);
            return self.back_off(me, call, held, wait, true, cx);
        }
        self.retry(me, call, held, cx);
    }

    /// The function reported failures: what lies before the lowest of them is done, the rest is a batch of its own
    /// (LAM-X-16, LAM-X-17, LAM-X-18).
    pub(super) fn failed_from(
        &mut self,
        me: MappingId,
        call: &InvokeCall,
        mut held: LaneBatch,
        position: u64,
        cx: &mut Cx<'_, '_>,
    ) {
        held.throttles = 0;
        let done = held.positions.split_before(position);
        if done.count() == 0 {
            return self.retry(me, call, held, cx);
        }
        let count = usize::try_from(done.count()).unwrap_or(usize::MAX).min(held.kept.len());
        cx.emit(|| Fact::BatchAcknowledged {
            reader: me.into(),
            shard: call.shard,
            lane: call.lane,
            records: to_u32(count),
            again: 0,
            batch: &held.kept[..count],
            positions: done.listed(),
            first_position: done.first(),
        });
        self.advance_window(me, call.shard.0, call.lane, (&done, call.state), cx);
        held.kept.drain(..count);
        held.close_run();
        // The batch now begins elsewhere, so its retries are counted anew (LAM-U-07).
        held.errors = 0;
        let wait = doubled(self.timing.error_backoff, 1);
        self.back_off(me, call, held, wait, false, cx);
    }

    /// The batch is tried again, unless it has been tried as often as it may be (LAM-X-05).
    fn retry(&mut self, me: MappingId, call: &InvokeCall, mut held: LaneBatch, cx: &mut Cx<'_, '_>) {
        if self
            .errors
            .maximum_retry_attempts
            .is_some_and(|most| held.errors >= most)
        {
            state_failure(me, call, &held, SimTime::NEVER, false, cx);
            if held.is_final {
                return self.close_window(me, call.shard.0, call.lane, true, cx);
            }
            held.give_up(DiscardReason::RetryAttemptsExhausted);
            return self.go_on(me, call.shard.0, call.lane, held, cx);
        }
        held.errors += 1;
        let wait = doubled(self.timing.error_backoff, held.errors);
        self.back_off(me, call, held, wait, false, cx);
    }

    /// The batch waits, and is then read again.
    fn back_off(
        &mut self,
        me: MappingId,
        call: &InvokeCall,
        mut held: LaneBatch,
        wait: SimDuration,
        bisected: bool,
        cx: &mut Cx<'_, '_>,
    ) {
        let retry_at = cx.now() + wait;
        state_failure(me, call, &held, retry_at, bisected, cx);
        held.read_to = held.positions.first();
        let lane = &mut self.readers[to_usize(call.shard.0)].lanes[usize::from(call.lane)];
        lane.state = LaneState::BackingOff(held);
        self.wake_lane(me, call.shard.0, call.lane, retry_at, cx);
    }
}

fn state_failure(
    me: MappingId,
    call: &InvokeCall,
    held: &LaneBatch,
    retry_at: SimTime,
    bisected: bool,
    cx: &mut Cx<'_, '_>,
) {
    let cut_off = if bisected {
        held.rest.last().map_or(0, |piece| piece.positions.count())
    } else {
        0
    };
    cx.emit(|| Fact::BatchFailed {
        reader: me.into(),
        shard: call.shard,
        lane: call.lane,
        outcome: call.outcome,
        records: u32::try_from(held.positions.count() + cut_off).unwrap_or(u32::MAX),
        retry_at,
        bisected,
    });
}

/// The n-th wait: first x 2^(n - 1), capped (LAM-U-05).
fn doubled((first, longest): (SimDuration, SimDuration), n: u32) -> SimDuration {
    first
        .saturating_mul(1_u64.checked_shl(n.saturating_sub(1)).unwrap_or(u64::MAX))
        .min(longest)
}
