//! On-demand capacity: shards are split some time after the load has shown to need it (KDS-MOD-12).
//!
//! Each minute every shard that got more than half of what it may take is marked, and split after a delay; and the stream
//! as a whole is brought to twice its highest minute of the last 30 days. Until then it throttles (KDS-CAP-04). Splits
//! halve ranges and know nothing of keys (KDS-CAP-07); nothing is ever merged but on demand of its owner (KDS-CAP-25).

use super::control::Due;
use super::operation::CapacityMode;
use super::plan::midpoint;
use super::{Event, Stream, quotas};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ShardIndex, StreamId};
use crate::observe::fact::{Fact, StreamChange};
use crate::services::random_span::RandomSpan;
use crate::world;
use std::collections::VecDeque;

const MINUTE: SimDuration = SimDuration::from_minutes(1);
/// So long a peak counts (KDS-CAP-03).
const PEAK_SPAN: SimDuration = SimDuration::from_hours(30 * 24);
/// So long a peak counts when warm throughput is lowered (KDS-CAP-20).
const RECENT_SPAN: SimDuration = SimDuration::from_hours(1);

/// What on-demand scaling goes by.
#[derive(Clone, Debug)]
pub(super) struct Scaling {
    delay: RandomSpan,
    /// Shards that will be split.
    pending: Vec<ShardIndex>,
    /// Shards that each minute's load would fill, falling with time: the first is the peak of those that still count.
    peaks: VecDeque<(SimTime, u32)>,
    /// The next evaluation is scheduled.
    armed: bool,
    /// Capacity that was asked for up front, in MiB/s (KDS-CAP-17).
    pub(super) warm: u32,
}

impl Scaling {
    pub(super) const fn new(delay: RandomSpan, warm: u32) -> Self {
        Self {
            delay,
            pending: Vec::new(),
            peaks: VecDeque::new(),
            armed: false,
            warm,
        }
    }
    /// Draws so far.
    pub(super) const fn draws(&self) -> u64 {
        self.delay.draws()
    }
    fn note_peak(&mut self, now: SimTime, shards: u32) {
        while self.peaks.back().is_some_and(|(_, peak)| *peak <= shards) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((now, shards));
        while self
            .peaks
            .front()
            .is_some_and(|(at, _)| at.saturating_add(PEAK_SPAN) <= now)
        {
            self.peaks.pop_front();
        }
    }
    /// Shards that the highest minute of the last 30 days would fill.
    fn peak(&self) -> u32 {
        self.peaks.front().map_or(0, |(_, peak)| *peak)
    }
    /// The same of the last hour.
    pub(super) fn recent_peak(&self, now: SimTime) -> u32 {
        let recent = self.peaks.iter().filter(|(at, _)| at.saturating_add(RECENT_SPAN) > now);
        recent.map(|(_, peak)| *peak).max().unwrap_or(0)
    }
}

impl Stream {
    /// Begins the evaluations of a stream in on-demand mode.
    pub fn start(&mut self, me: StreamId, cx: &mut Cx<'_, '_>) {
        if self.control.mode == CapacityMode::OnDemand && !self.scaling.armed {
            self.scaling.armed = true;
            let minute = cx.now().as_nanos() / MINUTE.as_nanos() + 1;
            let at = SimTime::from_nanos(minute * MINUTE.as_nanos());
            cx.wake(at, Phase::Act, world::Event::Stream(me, Event::MinuteOver));
        }
    }

    /// A minute is over: what the stream needs is weighed against what it has.
    pub(super) fn minute_over(&mut self, me: StreamId, cx: &mut Cx<'_, '_>) {
        self.scaling.armed = false;
        if self.control.mode != CapacityMode::OnDemand {
            return;
        }
        let meter = self.meter.get_or_insert_default();
        meter.roll(cx.now());
        let total = meter.total();
        let per_minute = |per_second: u64| per_second * 60;
        // Twice the peak (KDS-CAP-03), in shards.
        let filled = (2 * total.bytes)
            .div_ceil(per_minute(quotas::SHARD_WRITE_BYTES))
            .max((2 * total.records).div_ceil(per_minute(quotas::SHARD_WRITE_RECORDS)));
        self.scaling
            .note_peak(cx.now(), u32::try_from(filled).unwrap_or(u32::MAX));
        let busy = |shard: ShardIndex| {
            let load = meter.last_minute(to_usize(shard.0));
            load.bytes > per_minute(quotas::ON_DEMAND_SPLIT_BYTES)
                || load.records > per_minute(quotas::ON_DEMAND_SPLIT_RECORDS)
        };
        let mut idle: Vec<ShardIndex> = self.map.shards().to_vec();
        idle.retain(|shard| !self.scaling.pending.contains(shard));
        let (busy, mut idle): (Vec<_>, Vec<_>) = idle.into_iter().partition(|&shard| busy(shard));
        // The highest load first, the widest range on a tie.
        idle.sort_by_key(|&shard| {
            let range = self.shards[to_usize(shard.0)].origin.range;
            let load = meter.last_minute(to_usize(shard.0)).weight();
            core::cmp::Reverse((load, range.end - range.start))
        });
        let ceiling = self.control.account.on_demand_mib;
        let floor = self.scaling.peak().max(self.scaling.warm);
        let present = to_u32(self.map.shards().len() + self.scaling.pending.len());
        let wanted = floor.saturating_sub(present + to_u32(busy.len()));
        let room = to_usize(ceiling.saturating_sub(present));
        let more = idle.into_iter().take(to_usize(wanted));
        for shard in busy.into_iter().chain(more).take(room) {
            self.scaling.pending.push(shard);
            let at = cx.now() + self.scaling.delay.draw().max(SimDuration::MIN);
            self.later(me, at, Due::ScaleOut { shard }, cx);
        }
        self.start(me, cx);
    }

    /// The time for a split of an on-demand shard has come.
    pub(super) fn scale_out(&mut self, me: StreamId, shard: ShardIndex, cx: &mut Cx<'_, '_>) {
        self.scaling.pending.retain(|&pending| pending != shard);
        let range = self.shards[to_usize(shard.0)].origin.range;
        let on_demand = self.control.mode == CapacityMode::OnDemand;
        // A reshard by the owner may have closed it meanwhile, and a shard of one key cannot be split.
        if on_demand && self.shards[to_usize(shard.0)].is_open() && range.start < range.end {
            let at = midpoint(range) + 1;
            let change = StreamChange::ScaledOut { shard };
            cx.emit(|| Fact::StreamChanged { stream: me, change });
            self.switch(me, &[super::reshard::Step::Split { shard, at }], cx);
        }
    }
}
