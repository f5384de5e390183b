//! What components used of their limits.

use super::peak::{Peak, PerSecond};
use crate::directory::Component;
use crate::engine::time::SimTime;
use crate::observe::fact::{QueueMappingFact, Queueing};

#[derive(Clone, Debug)]
pub(super) struct ReaderUse {
    pub(super) component: Component,
    pub(super) batch_size: Peak,
    pub(super) payload: Peak,
    /// Bounds of the payloads that `payload` has been measured for.
    pub(super) payload_bound: u64,
    pub(super) retention: Peak,
}

#[derive(Clone, Debug)]
pub(super) struct FunctionUse {
    pub(super) reserved: Peak,
    pub(super) timeout: Peak,
}

#[derive(Clone, Debug)]
pub(super) struct SinkUse {
    pub(super) records: PerSecond,
    pub(super) capacity: Peak,
}

impl super::Headroom {
    /// A mapping of a queue has a limit of its own for the batches that are with its function (LAM-S-05, LAM-Q-14).
    pub(super) fn queueing(&mut self, now: SimTime, fact: &Queueing<'_>) {
        if let Queueing::Mapping {
            mapping,
            fact: QueueMappingFact::Dispatched { concurrent, .. },
        } = *fact
        {
            let peak = &mut self.queue_mappings[mapping];
            let full = u64::from(concurrent) >= peak.limit;
            peak.note(now, u64::from(concurrent), full);
        }
    }
}
