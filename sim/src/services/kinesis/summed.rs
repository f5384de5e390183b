//! Puts of many entries into many shards.
//!
//! A request of 500 entries to a stream of a thousand shards leaves one or two in each, so what is done once for each
//! shard of a request is done for nearly every entry. Where nothing is refused, observers need not be told request by
//! request what went where: shards sum it up until somebody reads them, or until the second is over. Every entry is
//! decided at its instant all the same, so it makes no difference for the run who listens.

use super::put::look_after;
use super::shard::{Shard, rounded};
use super::{Stream, quotas};
use crate::batch::{Batch, PutCall};
use crate::blueprint::{PutApi, ShardLevelMetrics};
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::observe::fact::ShardTally;
use crate::record::Record;

/// Shards from which on a stream sums up: below, a request leaves many entries in each.
const MANY_SHARDS: u32 = 64;

/// How a stream goes about summing up.
#[derive(Clone, Debug)]
pub(super) struct Summing {
    /// It has many shards, and nobody wants to know of each request what went where.
    possible: bool,
    /// Shards have stored what observers have not been told.
    pub(super) untold: bool,
    /// When entries were stored last. Requests that are told as sums have an instant of their own, by which observers tell
    /// the records of one from those of another.
    last_at: SimTime,
    /// Marks the shards that the request in progress has touched.
    request: u32,
}

impl Summing {
    pub(super) fn new(shard_count: u32, wanted: ShardLevelMetrics) -> Self {
        Self {
            possible: shard_count >= MANY_SHARDS && wanted.count() == 0,
            untold: false,
            last_at: SimTime::ZERO,
            request: 0,
        }
    }
}

/// What a shard stored of such requests and nobody was told yet, and what the request in progress has left in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summed {
    request: u32,
    request_bytes: u32,
    records: u32,
    requests: u32,
    bytes: u64,
    bytes_charged: u64,
}

impl Shard {
    /// Takes what an entry costs, if both limits have room (KDS-W-03): its bytes are rounded up over the sum of the
    /// request's entries here (KDS-MOD-03).
    #[inline]
    fn take_entry<const TOLD: bool>(&mut self, now: SimTime, request: u32, bytes: u32) -> bool {
        let first = self.summed.request != request;
        let before = if first { 0 } else { self.summed.request_bytes };
        let sum = before + bytes;
        let cost = rounded(u64::from(sum)) - rounded(u64::from(before));
        if !self.limits.take_if_held(now, cost) {
            return false;
        }
        let summed = &mut self.summed;
        (summed.request, summed.request_bytes) = (request, sum);
        if TOLD {
            summed.records += 1;
            summed.requests += u32::from(first);
            summed.bytes += u64::from(bytes);
            summed.bytes_charged += cost;
        }
        true
    }
    /// Gives an entry back that was taken at this instant. The entries of the request may come in any order.
    fn give_back<const TOLD: bool>(&mut self, bytes: u32) {
        let summed = &mut self.summed;
        // With the first one what all of them cost comes back.
        let cost = rounded(u64::from(summed.request_bytes));
        self.limits.give_back(cost);
        if TOLD {
            summed.records -= 1;
            summed.requests -= u32::from(cost > 0);
            summed.bytes -= u64::from(bytes);
            summed.bytes_charged -= cost;
        }
        summed.request_bytes = 0;
    }
    /// What it has stored of requests since it was asked last, if that is anything.
    pub(super) fn tell_summed(&mut self) -> Option<ShardTally> {
        let Summed {
            records,
            requests,
            bytes,
            bytes_charged,
            ..
        } = self.summed;
        if records == 0 {
            return None;
        }
        self.summed = Summed {
            request: self.summed.request,
            request_bytes: self.summed.request_bytes,
            ..Summed::default()
        };
        Some(ShardTally {
            accepted: records,
            bytes,
            bytes_charged,
            requests,
            ..ShardTally::none(self.index, self.log.next_position() - u64::from(records))
        })
    }
}

impl Stream {
    /// Whether observers are told now and then what requests have left in its shards.
    pub(crate) const fn sums_up(&self) -> bool {
        self.summing.possible
    }

    /// Stores all entries of a request, if none is refused and sums are enough for whoever listens. False: nothing has
    /// happened.
    pub(super) fn store_summed(&mut self, batch: &mut Batch, call: &PutCall, cx: &Cx<'_, '_>) -> bool {
        let now = cx.now();
        let apart = now > self.summing.last_at;
        self.summing.last_at = now;
        let possible = self.summing.possible
            && apart
            && call.api == PutApi::PutRecords
            && call.library.is_none()
            && self.entry_failure_rate.is_zero()
            && self.meter.is_none()
            && self.subscriptions.is_empty()
            && self.cohorts.windows() == 0
            && (cx.takes_sums() || !cx.is_watched());
        if !possible {
            return false;
        }
        self.next_request();
        let stored = if cx.is_watched() {
            let all = self.take_entries::<true>(&batch.records, now);
            self.summing.untold |= all;
            all
        } else {
            self.take_entries::<false>(&batch.records, now)
        };
        if stored {
            store_entries(&self.map.route, &mut self.shards, &mut batch.records, now);
            // Reads look after the log that they read themselves, so nobody sees what expires some requests later.
            self.next_to_expire = (self.next_to_expire + 1) % self.shards.len();
            let shard = &mut self.shards[self.next_to_expire];
            look_after(shard, now, self.retention, self.readers.is_empty());
        }
        stored
    }

    fn next_request(&mut self) {
        self.summing.request = self.summing.request.wrapping_add(1);
        if self.summing.request == 0 {
            // No mark of long ago is mistaken for one of the request in progress.
            for shard in &mut self.shards {
                shard.summed.request = 0;
            }
            self.summing.request = 1;
        }
    }

    /// Takes what all entries cost, or nothing.
    fn take_entries<const TOLD: bool>(&mut self, records: &[Record], now: SimTime) -> bool {
        let (route, shards) = (&self.map.route, &mut self.shards);
        let taken = take_until_short::<TOLD>(route, shards, records, now, self.summing.request);
        if taken == records.len() {
            return true;
        }
        for record in &records[..taken] {
            shards[to_usize(route[to_usize(record.key.0)])].give_back::<TOLD>(record.bytes);
        }
        false
    }
}

/// Takes what entries cost up to the first for which there is no room. Returns how many there were.
#[inline(never)]
fn take_until_short<const TOLD: bool>(
    route: &[u32],
    shards: &mut [Shard],
    records: &[Record],
    now: SimTime,
    request: u32,
) -> usize {
    let short = |record: &Record| {
        let shard = &mut shards[to_usize(route[to_usize(record.key.0)])];
        !shard.take_entry::<TOLD>(now, request, record.bytes)
    };
    records.iter().position(short).unwrap_or(records.len())
}

/// Stores entries whose cost was taken.
#[inline(never)]
fn store_entries(route: &[u32], shards: &mut [Shard], records: &mut [Record], now: SimTime) {
    for record in records {
        record.arrived_at = now;
        shards[to_usize(route[to_usize(record.key.0)])]
            .log
            .append_at(now, record);
    }
}

const _: () = assert!(
    quotas::MAX_PUT_ENTRIES < 1 << 16,
    "the bytes of a request's entries are counted in 32 bits"
);
