//! What provisioned pollers cost: event poller units by the hour (LAM-P-11).

use super::Usage;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::{QueueMappingFact, Queueing};

/// Each poller is billed for so long at least (LAM-P-12).
const LEAST: SimDuration = SimDuration::from_secs(60);

/// The pollers of a provisioned mapping.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PollerUsage {
    /// When those began that are active.
    active: Vec<SimTime>,
    /// Time of those that are not any more, in nanoseconds.
    ended: u128,
}

impl PollerUsage {
    fn weighed(&mut self, now: SimTime, pollers: u32) {
        let pollers = crate::engine::index::to_usize(pollers);
        while self.active.len() > pollers
            && let Some(began) = self.active.pop()
        {
            self.ended += u128::from(now.since(began).max(LEAST).as_nanos());
        }
        self.active.resize(pollers, now);
    }
    /// Poller nanoseconds until `now` (LAM-U-35).
    pub fn nanos(&self, now: SimTime) -> u128 {
        let active = self.active.iter();
        let billed = |began: &SimTime| u128::from(now.since(*began).max(LEAST).as_nanos());
        self.ended + active.map(billed).sum::<u128>()
    }
    /// Whether it has pollers that cost anything.
    pub fn is_provisioned(&self) -> bool {
        self.ended > 0 || !self.active.is_empty()
    }
}

impl Usage {
    pub(super) fn queueing(&mut self, now: SimTime, fact: &Queueing<'_>) {
        if let Queueing::Mapping {
            mapping,
            fact:
                QueueMappingFact::Weighed {
                    pollers,
                    provisioned: true,
                    ..
                },
        } = *fact
        {
            self.queue_mappings[mapping].weighed(now, pollers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LAM-P-11, LAM-P-12, LAM-U-35: two pollers for an hour, and two more for half a minute, which costs them a minute.
    #[test]
    fn lam_p_12_a_poller_is_billed_by_the_second_and_for_a_minute_at_least() {
        let mut used = PollerUsage::default();
        used.weighed(SimTime::ZERO, 2);
        assert!(used.is_provisioned());
        used.weighed(SimTime::from_secs(600), 4);
        used.weighed(SimTime::from_secs(630), 2);
        let hour = used.nanos(SimTime::from_secs(3_600));
        assert_eq!(hour, (2 * 3_600 + 2 * 60) * 1_000_000_000);
        assert!(!PollerUsage::default().is_provisioned());
    }
}
