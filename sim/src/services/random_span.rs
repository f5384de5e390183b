//! A span of time that differs from one occasion to the next.

use super::ServiceBuildError;
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
    /// The spans that `component` (as in `sink.orders`) draws for `purpose`, from the stream named after both.
    pub fn new(
        component: &str,
        purpose: &'static str,
        distribution: &Distribution,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let sampler = streams
            .sampler(distribution)
            .map_err(|error| ServiceBuildError::Distribution {
                component: component.to_owned(),
                purpose,
                error,
            })?;
        let stream = streams.stream(&format!("{component}/{purpose}"))?;
        Ok(Self { sampler, stream })
    }
    /// The next span; may be empty.
    #[inline]
    pub fn draw(&mut self) -> SimDuration {
        SimDuration::from_nanos(self.sampler.draw(&mut self.stream))
    }
    /// As many spans as there is room for, in nanoseconds: those that so many draws would have given.
    pub fn draw_each(&mut self, spans: &mut [u64]) {
        self.stream.fill_words(spans);
        self.sampler.values(spans);
    }
    /// Draws so far, for the fingerprint.
    pub const fn draws(&self) -> u64 {
        self.stream.draws()
    }
}
