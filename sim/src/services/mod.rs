//! The service models. No service knows another: they exchange AWS calls as timed messages.
#![cfg_attr(not(test), warn(clippy::float_arithmetic))]

pub mod application;
pub(crate) mod deaggregation;
pub mod fleet;
pub mod invoker;
pub mod kinesis;
pub mod lambda;
pub mod log;
pub mod mapping;
pub mod network;
pub mod producer;
pub mod queue;
pub mod queue_mapping;
pub mod random_span;
pub mod sink;
pub mod topic;

use crate::engine::distribution::DistributionError;
use crate::engine::random::DuplicateStream;

/// Why a component cannot be built from its blueprint.
#[derive(Clone, PartialEq, Debug)]
pub enum ServiceBuildError {
    /// The parameters of a distribution make none.
    Distribution {
        /// The component, as in `function.enrich`.
        component: String,
        /// What is drawn from it: the purpose of the random stream.
        purpose: &'static str,
        /// What is wrong.
        error: DistributionError,
    },
    /// Two random streams would be the same.
    Stream(DuplicateStream),
    /// A component's parts do not fit together.
    Invalid {
        /// The component.
        component: String,
        /// What does not fit.
        reason: String,
    },
    /// The functions reserve more concurrency than they may (LAM-C-07).
    ReservedConcurrency {
        /// The function whose reservation goes too far.
        component: String,
        /// By how much.
        error: lambda::ReservationRefused,
    },
}
impl core::fmt::Display for ServiceBuildError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Distribution {
                component,
                purpose,
                error,
            } => write!(f, "`{component}`, {purpose}: {error}"),
            Self::Stream(error) => write!(f, "{error}"),
            Self::Invalid { component, reason } => write!(f, "`{component}`: {reason}"),
            Self::ReservedConcurrency { component, error } => write!(f, "`{component}`: {error}"),
        }
    }
}
impl core::error::Error for ServiceBuildError {}
impl From<DuplicateStream> for ServiceBuildError {
    fn from(error: DuplicateStream) -> Self {
        Self::Stream(error)
    }
}

/// One word for the numbers of draws on a component's streams, given in a fixed order, for the fingerprint.
pub(crate) fn digest_of_draws(draws: impl IntoIterator<Item = u64>) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    draws.into_iter().fold(0, |hash: u64, count| {
        (hash ^ count).wrapping_mul(MULTIPLIER).rotate_left(29)
    })
}
