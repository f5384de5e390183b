//! Provisioned pollers (LAM-P): each is ten pollers that share its calls and bytes a second.

use super::quotas;
use crate::blueprint::{ProvisionedPollers, QueueMappingModel};
use crate::engine::index::to_usize;
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};

/// Parts of a poller that their number is counted in: a sixtieth of a minute's growth is a whole number of them.
const PARTS: u64 = 6_000_000;

/// The number of provisioned pollers, and the limits of each.
#[derive(Clone, Debug)]
pub(super) struct Provisioned {
    /// In such parts.
    pollers: u64,
    minimum: u64,
    maximum: u64,
    scale_down_after: SimDuration,
    scale_down: Ratio,
    limits: Vec<Limits>,
    /// Seconds, and the waiting of all in them, since it looked last.
    seconds: u64,
    waited: SimDuration,
    at_work: u64,
    too_many_since: Option<SimTime>,
}

/// When a poller may go on: both lie ahead by a second at most before it has to wait.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    calls: SimTime,
    bytes: SimTime,
}

impl Provisioned {
    pub(super) fn new(blueprint: ProvisionedPollers, model: &QueueMappingModel) -> Self {
        let minimum = u64::from(blueprint.minimum) * PARTS;
        Self {
            pollers: minimum,
            minimum,
            maximum: u64::from(blueprint.maximum) * PARTS,
            scale_down_after: model.provisioned_scale_down_after,
            scale_down: model.provisioned_scale_down,
            limits: Vec::new(),
            seconds: 0,
            waited: SimDuration::ZERO,
            at_work: 0,
            too_many_since: None,
        }
    }
    pub(super) const fn begin(&mut self, _now: SimTime) {
        self.pollers = self.minimum;
        self.seconds = 0;
        self.waited = SimDuration::ZERO;
        self.at_work = 0;
        self.too_many_since = None;
    }
    /// Pollers that there are.
    pub(super) fn pollers(&self) -> u32 {
        u32::try_from(self.pollers / PARTS).unwrap_or(u32::MAX)
    }

    fn limits(&mut self, slot: u32) -> &mut Limits {
        let poller = to_usize(slot / quotas::INVOCATIONS_OF_A_POLLER);
        if self.limits.len() <= poller {
            self.limits.resize(poller + 1, Limits::default());
        }
        &mut self.limits[poller]
    }
    /// When one of the ten may call the queue. If that is now, the call counts.
    pub(super) fn next_call(&mut self, slot: u32, now: SimTime) -> SimTime {
        let limits = self.limits(slot);
        let at = limits.calls.max(limits.bytes).saturating_sub(SimDuration::SECOND);
        let gap = SimDuration::from_nanos(1_000_000_000 / quotas::CALLS_OF_A_POLLER);
        // A second holds its calls, this one included.
        let at = at.max(limits.calls.saturating_add(gap).saturating_sub(SimDuration::SECOND));
        if at <= now {
            limits.calls = limits.calls.max(now).saturating_add(gap);
        }
        at
    }
    /// A poll has brought so many bytes.
    pub(super) fn polled(&mut self, slot: u32, now: SimTime, bytes: u64) {
        let limits = self.limits(slot);
        let takes = u128::from(bytes) * 1_000_000_000 / u128::from(quotas::BYTES_OF_A_POLLER);
        let takes = SimDuration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
        limits.bytes = limits.bytes.max(now).saturating_add(takes);
    }

    /// A second is over. Returns whether it has looked at the number of pollers.
    pub(super) fn weigh(&mut self, now: SimTime, slots: u32, waited: SimDuration) -> bool {
        self.seconds += 1;
        self.waited = self.waited + waited;
        self.at_work += u64::from(slots);
        if self.seconds < quotas::PROVISIONED_LOOKS_EVERY {
            return false;
        }
        let (whole, waited) = (self.at_work * 1_000_000_000, self.waited.as_nanos());
        let busy = whole.saturating_sub(waited) / (self.seconds * 1_000_000_000);
        // Nobody waits: what the backlog demands is more than there is (LAM-P-07).
        let all_busy = waited == 0 && slots >= self.pollers() * quotas::INVOCATIONS_OF_A_POLLER;
        let desired = if all_busy {
            self.maximum
        } else {
            (busy * PARTS / u64::from(quotas::INVOCATIONS_OF_A_POLLER)).clamp(self.minimum, self.maximum)
        };
        if desired > self.pollers {
            let step = quotas::POLLERS_ADDED_IN_A_MINUTE * PARTS * self.seconds / 60;
            self.pollers = (self.pollers + step).min(desired);
            self.too_many_since = None;
        } else if desired + PARTS > self.pollers {
            self.too_many_since = None;
        } else if now.since(*self.too_many_since.get_or_insert(now)) >= self.scale_down_after {
            let Ratio { numerator, denominator } = self.scale_down;
            let gone = self.pollers * numerator * self.seconds / (denominator.max(1) * 60);
            self.pollers = self.pollers.saturating_sub(gone).max(desired);
        }
        self.seconds = 0;
        self.waited = SimDuration::ZERO;
        self.at_work = 0;
        true
    }
}
