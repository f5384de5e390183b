//! The control plane: what is asked of a stream, what is refused, and what takes effect some time later.
//!
//! Everything but a shorter retention is asynchronous: the stream is UPDATING for a while, takes and gives records all the
//! same (KDS-W-23, KDS-RS-07), and refuses further changes until it is ACTIVE again (KDS-RS-08).

use super::operation::{CapacityMode, Operation, Refusal, StreamAccount};
use super::plan::{merges, midpoint, splits, target_ranges, transient_shards};
use super::reshard::Step;
use super::shard::ShardState;
use super::shard_map::HashRange;
use super::{Event, Stream, quotas};
use crate::blueprint::ModelParameters;
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::quantity::KIB;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ShardIndex, StreamId};
use crate::observe::fact::{Fact, StreamChange};
use crate::world;
use std::collections::{BTreeMap, VecDeque};

/// What will happen to a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// The operation takes effect, and the stream is ACTIVE again.
    Done { operation: Operation, effect: Effect },
    /// The first half of UpdateShardCount where splits and merges take their time one after another.
    Splits { wanted: Vec<HashRange> },
    /// On-demand scaling splits a shard.
    ScaleOut { shard: ShardIndex },
    /// A closed shard may have expired (KDS-RET-11).
    Expiry { shard: ShardIndex },
}

/// What an operation does in the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    Step(Step),
    Ranges(Vec<HashRange>),
    Setting,
}

/// The state of a stream's control plane.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) mode: CapacityMode,
    pub(super) account: StreamAccount,
    updating: bool,
    due: BTreeMap<u32, Due>,
    next: u32,
    /// Accepted calls that count against limits of 24 hours (KDS-MOD-19).
    count_updates: VecDeque<SimTime>,
    mode_switches: VecDeque<SimTime>,
    timing: Timing,
}

/// Undocumented durations (KDS-MOD-10).
#[derive(Clone, Copy, Debug)]
struct Timing {
    reshard: SimDuration,
    mode_switch: SimDuration,
    retention_increase: SimDuration,
    record_size: SimDuration,
}

impl Control {
    pub(super) const fn new(mode: CapacityMode, account: StreamAccount, model: &ModelParameters) -> Self {
        Self {
            mode,
            account,
            updating: false,
            due: BTreeMap::new(),
            next: 0,
            count_updates: VecDeque::new(),
            mode_switches: VecDeque::new(),
            timing: Timing {
                reshard: model.reshard_time,
                mode_switch: model.capacity_mode_switch_time,
                retention_increase: model.retention_increase_time,
                record_size: model.max_record_size_change_time,
            },
        }
    }
}

/// Whether another call within 24 hours is allowed.
fn allowed(calls: &mut VecDeque<SimTime>, now: SimTime, most: usize) -> bool {
    while calls
        .front()
        .is_some_and(|at| at.saturating_add(quotas::LIMIT_SPAN) <= now)
    {
        calls.pop_front();
    }
    calls.len() < most
}

impl Stream {
    /// Something is asked of the stream. `elsewhere`: open shards of the account's other provisioned streams.
    pub fn operate(&mut self, me: StreamId, operation: Operation, elsewhere: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let change = match self.plan(operation, elsewhere, now) {
            Ok((effect, takes)) => {
                if !takes.is_zero() {
                    self.control.updating = true;
                }
                let change = StreamChange::Accepted { operation };
                cx.emit(|| Fact::StreamChanged { stream: me, change });
                cx.mix(1);
                return self.carry_out(me, operation, effect, takes, cx);
            }
            Err(refusal) => StreamChange::Refused { operation, refusal },
        };
        cx.mix(2);
        cx.emit(|| Fact::StreamChanged { stream: me, change });
    }

    fn carry_out(
        &mut self,
        me: StreamId,
        operation: Operation,
        effect: Effect,
        takes: SimDuration,
        cx: &mut Cx<'_, '_>,
    ) {
        if takes.is_zero() {
            return self.take_effect(me, operation, effect, cx);
        }
        let mut at = cx.now() + takes;
        if let Effect::Ranges(wanted) = &effect
            && self.needs_two_levels(wanted.len())
        {
            let wanted = wanted.clone();
            self.later(me, at, Due::Splits { wanted }, cx);
            at += takes;
        }
        self.later(me, at, Due::Done { operation, effect }, cx);
    }

    /// KDS-RS-18, KDS-MOD-10: targets that are not a multiple of 25 % take a level more.
    fn needs_two_levels(&self, target: usize) -> bool {
        !(target * 4).is_multiple_of(self.map.shards().len())
    }

    pub(super) fn later(&mut self, me: StreamId, at: SimTime, due: Due, cx: &mut Cx<'_, '_>) {
        let number = self.control.next;
        self.control.next += 1;
        self.control.due.insert(number, due);
        cx.wake(
            at,
            Phase::Release,
            world::Event::Stream(me, Event::ChangeDue { number }),
        );
    }

    pub(super) fn change_due(&mut self, me: StreamId, number: u32, cx: &mut Cx<'_, '_>) {
        match self.control.due.remove(&number) {
            Some(Due::Done { operation, effect }) => {
                self.control.updating = false;
                self.take_effect(me, operation, effect, cx);
            }
            Some(Due::Splits { wanted }) => self.split_to(me, &wanted, cx),
            Some(Due::ScaleOut { shard }) => self.scale_out(me, shard, cx),
            Some(Due::Expiry { shard }) => self.expire_shard(me, shard, cx),
            None => super::broken(cx, "a change that nobody asked for"),
        }
    }

    /// What an operation will do and how long that takes, or why it is refused.
    fn plan(&mut self, operation: Operation, elsewhere: u32, now: SimTime) -> Result<(Effect, SimDuration), Refusal> {
        if self.control.updating {
            return Err(Refusal::ResourceInUse);
        }
        let timing = self.control.timing;
        let reshards = matches!(
            operation,
            Operation::SplitShard { .. } | Operation::MergeShards { .. } | Operation::UpdateShardCount { .. }
        );
        if reshards && self.control.mode == CapacityMode::OnDemand {
            return Err(Refusal::Validation);
        }
        let setting = |takes: SimDuration| Ok((Effect::Setting, takes));
        match operation {
            Operation::SplitShard { shard, at } => self.plan_split(shard, at, elsewhere),
            Operation::MergeShards { shards } => self.plan_merge(shards),
            Operation::UpdateShardCount { target } => self.plan_count(target, elsewhere, now),
            Operation::SetRetention { hours } => {
                let wanted = SimDuration::from_hours(u64::from(hours));
                let range = quotas::RETENTION_HOURS_MIN..=quotas::RETENTION_HOURS_MAX;
                if !range.contains(&hours) || wanted == self.retention {
                    return Err(Refusal::InvalidArgument);
                }
                setting(if wanted > self.retention {
                    timing.retention_increase
                } else {
                    SimDuration::ZERO
                })
            }
            Operation::SetMode { mode } => {
                if mode == self.control.mode {
                    return Err(Refusal::InvalidArgument);
                }
                let open = to_u32(self.map.shards().len());
                if mode == CapacityMode::Provisioned && open + elsewhere > self.control.account.shard_quota {
                    return Err(Refusal::LimitExceeded);
                }
                if !allowed(&mut self.control.mode_switches, now, quotas::MODE_SWITCHES) {
                    return Err(Refusal::LimitExceeded);
                }
                self.control.mode_switches.push_back(now);
                setting(timing.mode_switch)
            }
            Operation::SetMaxRecordSize { kib } => {
                let range = quotas::MAX_RECORD_SIZE_KIB_DEFAULT..=quotas::MAX_RECORD_SIZE_KIB_MAX;
                if !range.contains(&kib) {
                    return Err(Refusal::Validation);
                }
                setting(timing.record_size)
            }
            Operation::SetWarmThroughput { mib } => self.plan_warm(mib, now),
        }
    }

    fn plan_split(
        &self,
        shard: Option<ShardIndex>,
        at: Option<u128>,
        elsewhere: u32,
    ) -> Result<(Effect, SimDuration), Refusal> {
        let shard = shard.unwrap_or_else(|| self.hottest());
        let found = self.shards.get(to_usize(shard.0)).ok_or(Refusal::ResourceNotFound)?;
        let range = found.origin.range;
        let at = at.unwrap_or_else(|| midpoint(range));
        if !found.is_open() || at <= range.start || at > range.end {
            return Err(Refusal::InvalidArgument);
        }
        if to_u32(self.map.shards().len()) + 1 + elsewhere > self.control.account.shard_quota {
            return Err(Refusal::LimitExceeded);
        }
        Ok((Effect::Step(Step::Split { shard, at }), self.control.timing.reshard))
    }

    fn plan_merge(&self, [one, other]: [ShardIndex; 2]) -> Result<(Effect, SimDuration), Refusal> {
        let known = to_u32(self.shards.len());
        if one.0 >= known || other.0 >= known {
            return Err(Refusal::ResourceNotFound);
        }
        let place = |shard| self.map.place_of(shard).ok_or(Refusal::InvalidArgument);
        let (low, high) = match (place(one)?, place(other)?) {
            (one, other) if one + 1 == other => (one, other),
            (one, other) if other + 1 == one => (other, one),
            _ => return Err(Refusal::InvalidArgument),
        };
        let (lower, upper) = (self.map.shards()[low], self.map.shards()[high]);
        Ok((Effect::Step(Step::Merge { lower, upper }), self.control.timing.reshard))
    }

    fn plan_count(&mut self, target: u32, elsewhere: u32, now: SimTime) -> Result<(Effect, SimDuration), Refusal> {
        let present = to_u32(self.map.shards().len());
        if target == present || target == 0 {
            return Err(Refusal::InvalidArgument);
        }
        // KDS-RS-12, KDS-RS-13 (odd counts: KDS-MOD-11), KDS-RS-15.
        let beyond = target > quotas::MAX_SHARDS || (present > quotas::MAX_SHARDS && target == quotas::MAX_SHARDS);
        if target > present * 2 || target < present.div_ceil(2) || beyond {
            return Err(Refusal::LimitExceeded);
        }
        let wanted = target_ranges(self.map.ranges(), to_usize(target));
        let most = to_u32(transient_shards(self.map.ranges(), &wanted));
        if most + elsewhere > self.control.account.shard_quota
            || !allowed(&mut self.control.count_updates, now, quotas::SHARD_COUNT_UPDATES)
        {
            return Err(Refusal::LimitExceeded);
        }
        self.control.count_updates.push_back(now);
        Ok((Effect::Ranges(wanted), self.control.timing.reshard))
    }

    /// Warm throughput is had on demand, with Advantage, within the Region's limit (KDS-CAP-17, KDS-CAP-18). A higher one
    /// brings shards, a lower one takes away what the peak of the last hour does not need (KDS-CAP-20).
    fn plan_warm(&self, mib: u32, now: SimTime) -> Result<(Effect, SimDuration), Refusal> {
        let on_demand = self.control.mode == CapacityMode::OnDemand && self.control.account.advantage;
        if !on_demand {
            return Err(Refusal::Validation);
        }
        if mib > self.control.account.on_demand_mib {
            return Err(Refusal::LimitExceeded);
        }
        let present = to_u32(self.map.shards().len());
        let target = if mib >= present {
            mib
        } else if mib <= self.scaling.warm {
            mib.max(self.scaling.recent_peak(now))
                .max(quotas::ON_DEMAND_SHARDS)
                .min(present)
        } else {
            present
        };
        let effect = if target == present {
            Effect::Setting
        } else {
            Effect::Ranges(target_ranges(self.map.ranges(), to_usize(target)))
        };
        Ok((effect, self.control.timing.mode_switch))
    }

    fn take_effect(&mut self, me: StreamId, operation: Operation, effect: Effect, cx: &mut Cx<'_, '_>) {
        match effect {
            Effect::Step(step) => self.switch(me, &[step], cx),
            Effect::Ranges(wanted) => {
                self.split_to(me, &wanted, cx);
                loop {
                    let steps = merges(&self.map, &wanted);
                    if steps.is_empty() {
                        break;
                    }
                    self.switch(me, &steps, cx);
                }
            }
            Effect::Setting => {}
        }
        match operation {
            Operation::SetRetention { hours } => self.set_retention(me, hours, cx),
            Operation::SetMode { mode } => {
                self.control.mode = mode;
                self.start(me, cx);
            }
            Operation::SetMaxRecordSize { kib } => self.set_max_record_size(kib, cx.now()),
            Operation::SetWarmThroughput { mib } => self.scaling.warm = mib,
            Operation::SplitShard { .. } | Operation::MergeShards { .. } | Operation::UpdateShardCount { .. } => {}
        }
        let change = StreamChange::Completed { operation };
        cx.emit(|| Fact::StreamChanged { stream: me, change });
    }

    fn split_to(&mut self, me: StreamId, wanted: &[HashRange], cx: &mut Cx<'_, '_>) {
        loop {
            let steps = splits(&self.map, wanted);
            if steps.is_empty() {
                return;
            }
            self.switch(me, &steps, cx);
        }
    }

    /// What has expired by now stays so: a longer retention revives nothing (KDS-RET-06), and a shorter one takes effect
    /// at once (KDS-RET-07).
    fn set_retention(&mut self, me: StreamId, hours: u32, cx: &mut Cx<'_, '_>) {
        self.expire(cx.now());
        self.retention = SimDuration::from_hours(u64::from(hours));
        self.expire(cx.now());
        for number in 0..to_u32(self.shards.len()) {
            if matches!(self.shards[to_usize(number)].state, ShardState::Closed { .. }) {
                self.expire_shard(me, ShardIndex(number), cx);
            }
        }
    }

    fn set_max_record_size(&mut self, kib: u32, now: SimTime) {
        self.max_record_bytes = u64::from(kib) * KIB;
        self.write_burst = super::write_burst(kib);
        for shard in &mut self.shards {
            shard.set_write_burst(self.write_burst, now);
        }
    }

    /// A closed shard expires once everything that it can have held is as old as the retention (KDS-RET-11): as if its last
    /// record had come when it closed. Else that is looked at again when it may be so.
    pub(super) fn expire_shard(&mut self, me: StreamId, shard: ShardIndex, cx: &mut Cx<'_, '_>) {
        let ShardState::Closed { at } = self.shards[to_usize(shard.0)].state else {
            return;
        };
        let expires_at = at.saturating_add(self.retention);
        if expires_at > cx.now() {
            return self.later(me, expires_at, Due::Expiry { shard }, cx);
        }
        let expired = &mut self.shards[to_usize(shard.0)];
        expired.expire(cx.now(), self.retention);
        expired.state = ShardState::Expired { at: cx.now() };
        let change = StreamChange::ShardExpired { shard };
        cx.emit(|| Fact::StreamChanged { stream: me, change });
    }

    /// The open shard with the highest load of late; of equals the one with the lowest hash keys. Where nobody has
    /// measured, the one that has stored most.
    fn hottest(&self) -> ShardIndex {
        let weight = |shard: &&ShardIndex| {
            let at = to_usize(shard.0);
            let lately = self.meter.as_ref().map_or(0, |meter| meter.lately(at).weight());
            (lately, self.shards[at].log.next_position())
        };
        let coldest_first = self.map.shards().iter().rev().max_by_key(weight);
        coldest_first.copied().unwrap_or(ShardIndex(0))
    }

    /// Open shards that count against the account's quota: those of provisioned streams (KDS-CAP-14).
    pub fn provisioned_shards(&self) -> u32 {
        match self.control.mode {
            CapacityMode::Provisioned => to_u32(self.map.shards().len()),
            CapacityMode::OnDemand => 0,
        }
    }
    /// Its capacity mode.
    pub const fn mode(&self) -> CapacityMode {
        self.control.mode
    }
    /// Whether it is UPDATING (KDS-CTL-09); if not, it is ACTIVE.
    pub const fn is_updating(&self) -> bool {
        self.control.updating
    }
}
