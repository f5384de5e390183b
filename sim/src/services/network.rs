//! The way between a caller and a service.

use crate::blueprint::ModelParameters;
use crate::engine::distribution::{DistributionError, Sampler};
use crate::engine::random::Stream;
use crate::engine::time::SimDuration;

/// A component's connection: one-way delays drawn from its own random stream.
#[derive(Clone, Debug)]
pub struct Link {
    delay: Sampler,
    stream: Stream,
}

impl Link {
    /// A link with the model's network latency.
    pub fn new(model: &ModelParameters, stream: Stream) -> Result<Self, DistributionError> {
        Ok(Self {
            delay: model.network_latency.compile()?,
            stream,
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
