//! When records were sent, for those that are in a shard.
//!
//! The records of one call are sent together, and those that are sent again are part of one earlier call, so a call
//! knows when its records were first sent. A cohort is different: each of its records is a call of its own, nearly
//! always sent when it is created; the others are told one by one, and those that are repeated are remembered here from
//! their first failure until their client is done with them.

use super::requests::Requests;
use super::resent::Resent;
use super::runs::{Runs, SendRun};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use crate::observe::fact::{LateCall, Sends, ShardTally};
use crate::record::{KeyId, Outcome, Record};
use std::collections::{BTreeMap, VecDeque};

/// The sends of one stream's records.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamSends {
    /// By shard.
    shards: Vec<ShardSends>,
    /// Those of which nothing else is known than when their records were stored.
    pub(super) requests: Requests,
}

/// The sends of one shard's records.
#[derive(Clone, Debug)]
pub(super) struct ShardSends {
    pub(super) runs: Runs<SendRun>,
    /// User records whose first send is not that of their run.
    pub(super) resent: Resent,
    /// Up to where and when it was told what is stored here, from the first that not all readers have passed.
    told: VecDeque<(u64, SimTime)>,
    /// What was stored before this has been passed by all readers.
    passed_at: SimTime,
}

impl ShardSends {
    fn new() -> Self {
        Self {
            runs: Runs::new(),
            resent: Resent::default(),
            told: VecDeque::new(),
            passed_at: SimTime::ZERO,
        }
    }
}

/// First sends of calls that are not yet done.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstSends {
    of: BTreeMap<(KeyId, u32), SimTime>,
}

impl FirstSends {
    /// Calls of a cohort that will be sent again, unless they are given up. Only a first attempt is news.
    fn note(&mut self, records: &[Record], late: &[LateCall], repeated: impl Fn(&Record) -> bool) {
        let mut late = late.iter().peekable();
        for (index, record) in (0..).zip(records) {
            let late = late.next_if(|call| call.index == index);
            if record.attempt() == 1 && repeated(record) {
                let sent_at = late.map_or(record.created_at, |call| call.sent_at);
                self.of.insert((record.key, record.ordinal), sent_at);
            }
        }
    }
    /// The client will hear nothing of these.
    pub(super) fn lost(&mut self, records: &[Record], late: &[LateCall]) {
        self.note(records, late, |_| true);
    }
    /// A client is done with records.
    #[inline]
    pub(super) fn forget(&mut self, records: &[Record]) {
        if self.of.is_empty() {
            return;
        }
        for record in records.iter().filter(|record| record.attempt() > 0) {
            self.of.remove(&(record.key, record.ordinal));
        }
    }
    fn get(&self, record: &Record) -> Option<SimTime> {
        self.of.get(&(record.key, record.ordinal)).copied()
    }
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}

impl StreamSends {
    pub(super) fn new(shards: u32) -> Self {
        Self {
            shards: vec![ShardSends::new(); to_usize(shards)],
            requests: Requests::default(),
        }
    }
    pub(super) fn shard(&self, shard: usize) -> Option<&ShardSends> {
        self.shards.get(shard)
    }
    /// Forgets what no reader needs any more.
    #[inline]
    pub(super) fn forget_before(&mut self, shard: usize, position: u64) {
        if let Some(sends) = self.shards.get_mut(shard) {
            sends.runs.forget_before(position);
            sends.resent.forget_before(position);
            while let Some(&(end, at)) = sends.told.front()
                && end <= position
            {
                sends.passed_at = at;
                sends.told.pop_front();
            }
        }
    }
    /// A shard is opened.
    pub(super) fn open(&mut self, shard: usize) {
        self.of(shard);
    }
    fn of(&mut self, shard: usize) -> &mut ShardSends {
        if shard >= self.shards.len() {
            self.shards.resize(shard + 1, ShardSends::new());
        }
        &mut self.shards[shard]
    }
    fn runs(&mut self, shard: usize) -> &mut Runs<SendRun> {
        &mut self.of(shard).runs
    }
    /// The user records of a stored Kinesis record.
    pub(super) fn user_records(
        &mut self,
        shard: ShardIndex,
        position: u64,
        records: &[Record],
        first_sent_at: &[SimTime],
    ) {
        let sends = self.of(to_usize(shard.0));
        let sent_at = sends.runs.last_mut().map(|run| run.sent_at);
        for (record, &first_sent_at) in records.iter().zip(first_sent_at) {
            if Some(first_sent_at) != sent_at {
                sends.resent.stored(position, record, first_sent_at);
            }
        }
    }
    /// It is told what shards have stored.
    pub(super) fn written(&mut self, now: SimTime, shards: &[ShardTally]) {
        if self.requests.is_empty() {
            return;
        }
        for tally in shards {
            let end = tally.first_position + u64::from(tally.accepted);
            self.of(to_usize(tally.shard.0)).told.push_back((end, now));
        }
    }
    /// All records of a request were stored now. It is told later in which shards.
    fn request(&mut self, now: SimTime, sends: Sends) {
        if self.requests.is_full() {
            // What was stored in earlier seconds has been told, so a shard of which nothing is told holds none of it.
            let second = SimDuration::from_nanos(now.as_nanos() % SimDuration::SECOND.as_nanos());
            let needed_since = |shard: &ShardSends| shard.told.front().map(|_| shard.passed_at);
            let since = self.shards.iter().filter_map(needed_since).min();
            let second_began_at = now.saturating_sub(second);
            self.requests
                .forget_before(since.unwrap_or(second_began_at).min(second_began_at));
        }
        self.requests.add(now, sends);
    }
    /// The stored records of a call. A call of one record that was sent when it was created needs no run.
    #[inline]
    pub(super) fn put(&mut self, now: SimTime, records: &[Record], shards: &[ShardTally], sends: Sends) {
        if shards.is_empty() && !records.is_empty() {
            return self.request(now, sends);
        }
        if let [only] = records
            && only.created_at == sends.at
            && self.requests.last_at() != Some(now)
        {
            return;
        }
        for tally in shards.iter().filter(|tally| tally.accepted > 0) {
            self.runs(to_usize(tally.shard.0)).insert(SendRun {
                first: tally.first_position,
                end: tally.first_position + u64::from(tally.accepted),
                first_sent_at: sends.first_at,
                sent_at: sends.at,
                together: true,
            });
        }
    }
    /// The calls of a cohort.
    pub(super) fn cohort(&mut self, records: &[Record], late: &[LateCall], first_sends: &mut FirstSends) {
        for call in late {
            let Some(record) = records.get(to_usize(call.index)) else {
                continue;
            };
            if record.outcome() != Outcome::Accepted {
                continue;
            }
            let first_sent_at = match record.attempt() {
                1 => call.sent_at,
                _ => first_sends.get(record).unwrap_or(call.sent_at),
            };
            let runs = self.runs(to_usize(call.shard.0));
            let (first, end) = (call.position, call.position + 1);
            match runs.last_mut() {
                Some(last)
                    if !last.together
                        && (last.end, last.first_sent_at, last.sent_at) == (first, first_sent_at, call.sent_at) =>
                {
                    last.end = end;
                }
                _ => runs.insert(SendRun {
                    first,
                    end,
                    first_sent_at,
                    sent_at: call.sent_at,
                    together: false,
                }),
            }
        }
        if records.iter().any(|record| record.outcome() != Outcome::Accepted) {
            first_sends.note(records, late, |record| record.outcome() != Outcome::Accepted);
        }
    }
}

/// Records as a number of them.
pub(super) fn count(records: &[Record]) -> u64 {
    u64::from(to_u32(records.len()))
}
