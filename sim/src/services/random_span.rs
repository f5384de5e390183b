//! A span of time that differs from one occasion to the next.

use super::{ServiceBuildError, sampler};
use crate::engine::distribution::{Distribution, Sampler};
use crate::engine::random::{RandomStreams, Stream};
use crate::engine::time::SimDuration;

/// A distribution of spans together with the one random stream that it is drawn from.
#[derive(Clone, Debug)]
pub struct RandomSpan {
    sampler: Sampler,
    stream: Stream,
}

impl RandomSpan {
    /// The spans that `component` (as in `sink.orders`) draws for `purpose`, from the stream named after both;
    /// `parameter` is what a user calls the distribution.
    pub fn new(
        component: &str,
        purpose: &str,
        parameter: &'static str,
        distribution: &Distribution,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        Ok(Self {
            sampler: sampler(component, parameter, distribution)?,
            stream: streams.stream(&format!("{component}/{purpose}"))?,
        })
    }
    /// The next span; may be empty.
    #[inline]
    pub fn draw(&mut self) -> SimDuration {
        SimDuration::from_nanos(self.sampler.draw(&mut self.stream))
    }
    /// Draws so far, for the fingerprint.
    pub const fn draws(&self) -> u64 {
        self.stream.draws()
    }
}
