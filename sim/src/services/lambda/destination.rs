//! Where Lambda reports what became of an asynchronous event: dead-letter queue and destinations.

use super::quotas::MAX_SNS_BYTES;
use crate::blueprint::{DestinationBlueprint, DestinationService};
use crate::engine::quantity::Ratio;
use crate::engine::random::Stream;

/// A receiver outside the simulated world: it takes what it gets, or a delivery fails.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    service: DestinationService,
    /// Probability that a delivery fails (LAM-D-06, LAM-D-07).
    failure_rate: Ratio,
    failure: Stream,
}

impl Destination {
    pub(super) const fn new(blueprint: DestinationBlueprint, failure: Stream) -> Self {
        Self {
            service: blueprint.service,
            failure_rate: blueprint.failure_rate,
            failure,
        }
    }
    /// Delivers an event of this size; false: the delivery failed. SNS takes no more than 256 KB (LAM-D-10).
    pub(super) fn deliver(&mut self, bytes: u32) -> bool {
        let fails = self.failure.chance(self.failure_rate);
        let too_large = self.service == DestinationService::Sns && bytes > MAX_SNS_BYTES;
        !fails && !too_large
    }
    /// Draws so far, for the fingerprint.
    pub(super) const fn draws(&self) -> u64 {
        self.failure.draws()
    }
}
