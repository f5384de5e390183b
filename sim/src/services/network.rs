//! The way between a caller and a service.

use super::{ServiceBuildError, sampler};
use crate::blueprint::ModelParameters;
use crate::engine::distribution::Sampler;
use crate::engine::random::{RandomStreams, Stream};
use crate::engine::time::SimDuration;

/// A component's connection: one-way delays drawn from its own random stream.
#[derive(Clone, Debug)]
pub struct Link {
    delay: Sampler,
    stream: Stream,
}

impl Link {
    /// The link of a component (`stream.clicks`), with the model's network latency.
    pub fn new(
        component: &str,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        Ok(Self {
            delay: sampler(component, "network_latency", &model.network_latency)?,
            stream: streams.stream(&format!("{component}/network"))?,
        })
    }
    /// The next one-way delay; at least a nanosecond.
    #[inline]
    pub fn delay(&mut self) -> SimDuration {
        SimDuration::from_nanos(self.delay.draw(&mut self.stream)).max(SimDuration::MIN)
    }
    /// Draws so far, for the fingerprint.
    pub const fn draws(&self) -> u64 {
        self.stream.draws()
    }
}
