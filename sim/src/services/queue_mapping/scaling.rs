//! How many pollers a mapping has that are not provisioned (LAM-U-12 to LAM-U-15).

use super::batching::State;
use super::{Event, QueueMapping, QueueMappingFact, Scaling, quotas, state};
use crate::blueprint::QueueMappingModel;
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::engine::phase::Phase;
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::QueueMappingId;
use crate::profile::Profile;
use crate::world;

/// Parts of a poller that the limit is counted in, so that small changes add up.
const PARTS: u64 = 1_000_000;

/// The number of pollers on demand.
#[derive(Clone, Debug)]
pub(super) struct OnDemand {
    /// In millionths.
    limit: u64,
    start: u64,
    cap: u64,
    /// Added in a second.
    growth: u64,
    /// Growth in steps: seconds of it that wait for their minute to be full.
    towards_step: Option<u64>,
    maximum_concurrency: bool,
    error_backoff: Ratio,
    throttle_backoff: Ratio,
    scale_down_after: SimDuration,
    idle_after: SimDuration,
    last_poll_empty: bool,
    last_message: SimTime,
    /// It has gone down to two, since nothing came.
    idle: bool,
    half_idle_since: Option<SimTime>,
    last_throttle: Option<SimTime>,
    next_throttle_backoff: SimTime,
}

impl OnDemand {
    pub(super) fn new(profile: Profile, maximum_concurrency: Option<u32>, model: &QueueMappingModel) -> Self {
        let own = maximum_concurrency.unwrap_or(u32::MAX);
        let start = u64::from(quotas::POLLERS_AT_START.min(own)) * PARTS;
        Self {
            limit: start,
            start,
            cap: u64::from(quotas::ceiling(profile).min(own)) * PARTS,
            growth: u64::from(quotas::growth_in_a_minute(profile)) * PARTS / 60,
            towards_step: model.scale_in_steps.then_some(0),
            maximum_concurrency: maximum_concurrency.is_some(),
            error_backoff: model.error_backoff,
            throttle_backoff: model.throttle_backoff,
            scale_down_after: model.scale_down_after,
            idle_after: model.idle_after,
            last_poll_empty: true,
            last_message: SimTime::ZERO,
            idle: false,
            half_idle_since: None,
            last_throttle: None,
            next_throttle_backoff: SimTime::ZERO,
        }
    }
    pub(super) fn begin(&mut self, now: SimTime) {
        self.limit = self.start;
        self.last_message = now;
        self.idle = false;
        self.half_idle_since = None;
    }
    /// Pollers that there may be.
    pub(super) fn limit(&self) -> u32 {
        u32::try_from(self.limit / PARTS).unwrap_or(u32::MAX)
    }

    /// A poll was answered.
    pub(super) const fn polled(&mut self, now: SimTime, empty: bool) {
        self.last_poll_empty = empty;
        if !empty {
            self.last_message = now;
            if self.idle {
                // Processing starts with five (LAM-S-02).
                self.idle = false;
                self.limit = self.start;
            }
        }
    }
    /// An invocation ended in an error: the more pollers there are, the more go (LAM-Q-01, LAM-U-14).
    pub(super) fn failed(&mut self) {
        let Ratio { numerator, denominator } = self.error_backoff;
        let (limit, parts) = (u128::from(self.limit), u128::from(PARTS));
        let (numerator, denominator) = (u128::from(numerator), u128::from(denominator));
        // limit / (1 + backoff x limit)
        let left = limit * denominator * parts / (denominator * parts + numerator * limit).max(1);
        self.lower(u64::try_from(left).unwrap_or(u64::MAX));
    }
    /// An invocation was refused for concurrency (LAM-U-15).
    pub(super) fn throttled(&mut self, now: SimTime) {
        self.last_throttle = Some(now);
        if now >= self.next_throttle_backoff {
            self.next_throttle_backoff = now + quotas::THROTTLE_INTERVAL;
            let Ratio { numerator, denominator } = self.throttle_backoff;
            let left = u128::from(self.limit) * u128::from(numerator) / u128::from(denominator.max(1));
            self.lower(u64::try_from(left).unwrap_or(u64::MAX));
        }
    }
    /// Lowers the limit, to two at least: that far errors may bring it down, whatever it started with.
    fn lower(&mut self, to: u64) {
        self.limit = to.max(u64::from(quotas::POLLERS_MIN) * PARTS).min(self.limit);
    }

    /// A second is over in which pollers waited for messages for so long, all together.
    /// While a poller holds a throttled batch, not all are busy.
    pub(super) fn weigh(&mut self, now: SimTime, pollers: u32, (waited, holding): (SimDuration, bool)) {
        let recent = |at| now.since(at) < quotas::THROTTLE_INTERVAL;
        let throttled = holding || self.last_throttle.is_some_and(recent);
        let whole = SimDuration::SECOND.saturating_mul(u64::from(pollers));
        if waited.saturating_mul(2) <= whole {
            self.half_idle_since = None;
        } else {
            self.half_idle_since.get_or_insert(now);
        }
        if waited.is_zero() && !self.last_poll_empty {
            if !throttled && pollers >= self.limit() {
                self.grow();
            }
            return;
        }
        let lasts = |since: SimTime, span| now.since(since) >= span;
        if self
            .half_idle_since
            .is_some_and(|since| lasts(since, self.scale_down_after))
            && self.limit > self.start
        {
            self.limit = self.limit.saturating_sub(self.growth).max(self.start);
        }
        if lasts(self.last_message, self.idle_after) && !self.maximum_concurrency {
            self.idle = true;
            self.limit = self.limit.min(u64::from(quotas::POLLERS_MIN) * PARTS);
        }
    }
    /// A second in which all pollers were busy (LAM-U-12).
    fn grow(&mut self) {
        let mut growth = self.growth;
        if let Some(seconds) = &mut self.towards_step {
            *seconds += 1;
            if *seconds < 60 {
                return;
            }
            *seconds = 0;
            growth *= 60;
        }
        self.limit = (self.limit + growth).min(self.cap);
    }
}

impl QueueMapping {
    pub(super) fn weigh_later(&self, me: QueueMappingId, cx: &mut Cx<'_, '_>) {
        let generation = self.generation;
        let event = world::Event::QueueMapping(me, Event::Weigh { generation });
        cx.wake(cx.now() + SimDuration::SECOND, Phase::Act, event);
    }

    /// Decides how many pollers there may be from now on.
    pub(super) fn weigh(&mut self, me: QueueMappingId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let waited = self.waiting(now);
        self.last_weighed = now;
        let holding = self.pollers.iter().any(|poller| poller.state == State::Throttled);
        let tell = match &mut self.scaling {
            Scaling::OnDemand(scaling) => {
                scaling.weigh(now, self.active, (waited, holding));
                scaling.limit() != self.told
            }
            Scaling::Provisioned(scaling) => scaling.weigh(now, self.active, waited),
        };
        if tell {
            self.state_weighed(me, cx);
        }
        if self.active < self.target() {
            self.raise(me, cx);
        }
        self.weigh_later(me, cx);
    }

    pub(super) fn state_weighed(&mut self, me: QueueMappingId, cx: &mut Cx<'_, '_>) {
        let (limit, pollers, provisioned) = match &self.scaling {
            Scaling::OnDemand(scaling) => (scaling.limit(), self.active, false),
            Scaling::Provisioned(scaling) => (self.target(), scaling.pollers(), true),
        };
        self.told = limit;
        let fact = QueueMappingFact::Weighed {
            limit,
            pollers,
            provisioned,
        };
        state(me, fact, cx);
        cx.mix(u64::from(limit) << 32 | u64::from(pollers) ^ u64::from(to_u32(self.pollers.len())));
    }
}
