//! The way between a caller and a service.

use super::ServiceBuildError;
use super::random_span::RandomSpan;
use crate::blueprint::ModelParameters;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimDuration;

/// A component's connection: one-way delays drawn from its own random stream.
#[derive(Clone, Debug)]
pub struct Link {
    delay: RandomSpan,
}

impl Link {
    /// The link of a component (`stream.clicks`), with the model's network latency.
    pub fn new(
        component: &str,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        Ok(Self {
            delay: RandomSpan::new(component, "network", &model.network_latency, streams)?,
        })
    }
    /// The next one-way delay; at least a nanosecond.
    #[inline]
    pub fn delay(&mut self) -> SimDuration {
        self.delay.draw().max(SimDuration::MIN)
    }
    /// Draws so far, for the fingerprint.
    pub const fn draws(&self) -> u64 {
        self.delay.draws()
    }
}
