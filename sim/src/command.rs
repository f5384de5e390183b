//! What may change during a run, as data: interventions of a scenario and commands of a live session are the same.

use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};

/// A dated change.
#[derive(Clone, PartialEq, Debug)]
pub struct Intervention {
    /// When.
    pub at: SimTime,
    /// What.
    pub command: Command,
}

/// A change to a component, named by its scenario name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Multiplies a producer's configured rate from now on (1: as configured). Not for traces.
    ScaleLoad {
        /// The producer.
        producer: String,
        /// The factor, of the configured rate, not of the present one.
        factor: Ratio,
    },
    /// Changes a function's reserved concurrency (LAM-C-06); `None` gives it back to the account's pool.
    SetReservedConcurrency {
        /// The function.
        function: String,
        /// The new value.
        limit: Option<u32>,
    },
    /// Changes the probability of a function error.
    SetFailureRate {
        /// The function.
        function: String,
        /// The new probability.
        rate: Ratio,
    },
    /// Changes a sink's capacity; `None`: unlimited.
    SetSinkCapacity {
        /// The sink.
        sink: String,
        /// The new capacity.
        capacity: Option<Rate>,
    },
    /// A sink stops answering for a while: writes that reach it wait until it is back.
    BreakSink {
        /// The sink.
        sink: String,
        /// For how long.
        lasts: SimDuration,
    },
}
