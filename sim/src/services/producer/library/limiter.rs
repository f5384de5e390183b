//! The limiter: how much the library sends to one shard.
//!
//! Each shard has a bucket of records and one of bytes, which fill at `RateLimit` percent of the shard's own limits
//! (KDS-KPL-22, which follows the library's code where the guide differs, KDS-KPL-24). What finds no tokens waits, is
//! looked at again every 25 ms and whenever something else comes, and leaves in order of deadline (KDS-KPL-23).

use super::aggregation::Composed;
use crate::blueprint::ProducerLibrary;
use crate::engine::index::to_usize;
use crate::engine::quantity::{MIB, Rate};
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::ids::ShardIndex;
use std::collections::{BTreeMap, BTreeSet};

/// How often what waits is looked at (KDS-KPL-23).
pub(super) const POLL_INTERVAL: SimDuration = SimDuration::from_millis(25);
/// Records a second that a shard takes, and what its bucket holds of them (KDS-KPL-22).
const SHARD_RECORDS: u64 = 1_000;
/// Bytes a second that a shard takes (KDS-KPL-22).
const SHARD_BYTES: u64 = MIB;

#[derive(Clone, Debug)]
struct ShardLimiter {
    records: TokenBucket,
    bytes: TokenBucket,
    /// By deadline and number.
    waiting: BTreeMap<(SimTime, u64), Composed>,
    /// When each of them expires, with its place above.
    expiries: BTreeSet<(SimTime, SimTime, u64)>,
}

/// The limiters of all shards.
#[derive(Clone, Debug)]
pub(super) struct Limiter {
    /// By number of the shard, once something was sent to it.
    shards: Vec<Option<ShardLimiter>>,
    rate_limit: u64,
    burst: u64,
    numbers: u64,
    waiting: usize,
}

/// What leaves the limiter.
#[derive(Clone, Debug, Default)]
pub(super) struct Released {
    /// On to collection, in this order.
    pub(super) passed: Vec<Composed>,
    /// Too late: at least one of their user records has expired.
    pub(super) expired: Vec<Composed>,
}

impl ShardLimiter {
    fn new(rate_limit: u64, burst: u64) -> Self {
        let percent = |limit: u64| Rate {
            count: limit * rate_limit,
            per: SimDuration::from_secs(100),
        };
        Self {
            records: TokenBucket::full(SHARD_RECORDS, percent(SHARD_RECORDS)),
            bytes: TokenBucket::full(burst, percent(SHARD_BYTES)),
            waiting: BTreeMap::new(),
            expiries: BTreeSet::new(),
        }
    }
    fn drain(&mut self, now: SimTime, released: &mut Released) {
        while let Some(&(expires_at, deadline, number)) = self.expiries.first()
            && expires_at < now
        {
            self.expiries.pop_first();
            released.expired.extend(self.waiting.remove(&(deadline, number)));
        }
        while let Some(first) = self.waiting.first_entry() {
            let bytes = first.get().data;
            if !self.records.holds(now, 1) || !self.bytes.holds(now, bytes) {
                break;
            }
            self.records.take(1);
            self.bytes.take(bytes);
            let ((deadline, number), composed) = first.remove_entry();
            self.expiries.remove(&(composed.expires_at, deadline, number));
            released.passed.push(composed);
        }
    }
}

impl Limiter {
    pub(super) fn new(settings: &ProducerLibrary) -> Self {
        Self {
            shards: Vec::new(),
            rate_limit: u64::from(settings.rate_limit),
            burst: settings.limiter_burst,
            numbers: 0,
            waiting: 0,
        }
    }
    /// A Kinesis record for a shard comes in.
    pub(super) fn put(&mut self, now: SimTime, shard: ShardIndex, composed: Composed, released: &mut Released) {
        let at = to_usize(shard.0);
        if at >= self.shards.len() {
            self.shards.resize(at + 1, None);
        }
        let limiter = self.shards[at].get_or_insert_with(|| ShardLimiter::new(self.rate_limit, self.burst));
        self.numbers += 1;
        let place = (composed.deadline, self.numbers);
        limiter.expiries.insert((composed.expires_at, place.0, place.1));
        limiter.waiting.insert(place, composed);
        let before = limiter.waiting.len();
        limiter.drain(now, released);
        self.waiting = self.waiting + 1 + limiter.waiting.len() - before;
    }
    /// Looks at everything that waits.
    pub(super) fn poll(&mut self, now: SimTime, released: &mut Released) {
        self.waiting = 0;
        for limiter in self.shards.iter_mut().flatten() {
            limiter.drain(now, released);
            self.waiting += limiter.waiting.len();
        }
    }
    /// When it next looks at what waits; `NEVER` if nothing does.
    pub(super) fn next_poll(&self, now: SimTime) -> SimTime {
        if self.waiting == 0 {
            return SimTime::NEVER;
        }
        let interval = POLL_INTERVAL.as_nanos();
        SimTime::from_nanos((now.as_nanos() / interval + 1) * interval)
    }
    /// Whether it looks at what waits now.
    pub(super) const fn polls_at(&self, now: SimTime) -> bool {
        self.waiting > 0 && now.as_nanos().is_multiple_of(POLL_INTERVAL.as_nanos())
    }
}
