//! The service models. No service knows another's state: they exchange AWS calls as timed messages.

pub mod kinesis;
pub mod lambda;
pub mod log;
pub mod mapping;
pub mod network;
pub mod producer;
pub mod random_span;
pub mod sink;

use crate::engine::distribution::{Distribution, DistributionError, Sampler};
use crate::engine::random::DuplicateStream;

/// Why a component cannot be built from its blueprint.
#[derive(Clone, PartialEq, Debug)]
pub enum ServiceBuildError {
    /// A distribution's parameters are wrong.
    Distribution {
        /// The component, as `stream.clicks`.
        component: String,
        /// The parameter.
        parameter: &'static str,
        /// What is wrong with it.
        error: DistributionError,
    },
    /// Two random streams have the same number.
    Stream(DuplicateStream),
    /// The component's parts do not fit together.
    Invalid {
        /// The component.
        component: String,
        /// What does not fit.
        reason: String,
    },
}

impl core::fmt::Display for ServiceBuildError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Distribution {
                component,
                parameter,
                error,
            } => write!(f, "{component}: {parameter}: {error}"),
            Self::Stream(error) => write!(f, "{error}"),
            Self::Invalid { component, reason } => write!(f, "{component}: {reason}"),
        }
    }
}
impl core::error::Error for ServiceBuildError {}

impl From<DuplicateStream> for ServiceBuildError {
    fn from(error: DuplicateStream) -> Self {
        Self::Stream(error)
    }
}

/// Compiles a component's distribution, naming component and parameter if it cannot be done.
pub fn sampler(
    component: &str,
    parameter: &'static str,
    distribution: &Distribution,
) -> Result<Sampler, ServiceBuildError> {
    distribution.compile().map_err(|error| ServiceBuildError::Distribution {
        component: component.to_owned(),
        parameter,
        error,
    })
}

/// One word for the numbers of draws on a component's streams, given in a fixed order, for the fingerprint.
pub(crate) fn digest_of_draws(draws: impl IntoIterator<Item = u64>) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    draws.into_iter().fold(0, |hash: u64, count| {
        (hash ^ count).wrapping_mul(MULTIPLIER).rotate_left(29)
    })
}
