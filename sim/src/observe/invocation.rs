//! What facts say about functions and their invocations.

use crate::batch::DirectAnswer;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{InvokerId, QueueMappingId, ReaderId};

/// For whom a function runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Caller {
    /// A mapping, with records that it has read.
    Reader(ReaderId),
    /// A mapping of a queue, with messages that it has received.
    QueueMapping(QueueMappingId),
    /// A direct caller who waits for the outcome.
    Invoker(InvokerId),
    /// Lambda's queue of asynchronous events.
    Queue,
}

impl Caller {
    /// The reader, if records of a stream are what the function gets.
    pub const fn reader(self) -> Option<ReaderId> {
        match self {
            Self::Reader(reader) => Some(reader),
            Self::QueueMapping(_) | Self::Invoker(_) | Self::Queue => None,
        }
    }
}

/// What an invocation is admitted against, and how much of it is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConcurrencyUse {
    /// The function's own reservation (LAM-C-06), or what all functions without one share (LAM-C-04, LAM-C-09).
    pub reserved: bool,
    /// Invocations in progress that count against it.
    pub used: u32,
    /// How many there may be.
    pub limit: u32,
    /// Invocations on demand of all functions without a reservation (LAM-M-09).
    pub unreserved: u32,
    /// These, and what functions reserve or provision (LAM-C-33, LAM-M-10).
    pub claimed: u32,
}

/// A function's provisioned environments, as an invocation begins or ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProvisionedUse {
    /// This invocation runs on one of them.
    pub on: bool,
    /// So many are busy (LAM-M-11).
    pub busy: u32,
    /// So many are allocated.
    pub allocated: u32,
}

/// Why an invocation is refused with 429, in the order of the checks (LAM-C-24, LAM-U-27).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ThrottleReason {
    /// Ten requests a second for each unit of the account's concurrency are used up (LAM-C-18).
    CallerRate,
    /// The same for the function's reserved concurrency (LAM-C-19).
    ReservedRate,
    /// The requests a second of the function rise faster than they may (LAM-C-11).
    RequestScaling,
    /// The reserved concurrency is used up (LAM-C-06).
    ReservedConcurrency,
    /// The account's concurrency is used up, as far as the function may use it (LAM-C-04, LAM-C-09).
    Concurrency,
    /// New environments are created faster than they may be (LAM-C-11, LAM-C-16, LAM-C-17).
    EnvironmentScaling,
}

impl ThrottleReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::CallerRate,
        Self::ReservedRate,
        Self::RequestScaling,
        Self::ReservedConcurrency,
        Self::Concurrency,
        Self::EnvironmentScaling,
    ];
    /// `Reason` of the TooManyRequestsException. AWS has none of its own for the two that limit growth.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallerRate => "CallerRateLimitExceeded",
            Self::ReservedRate => "ReservedFunctionInvocationRateLimitExceeded",
            Self::RequestScaling => "FunctionInvocationRateLimitExceeded",
            Self::ReservedConcurrency => "ReservedFunctionConcurrentInvocationLimitExceeded",
            Self::Concurrency | Self::EnvironmentScaling => "ConcurrentInvocationLimitExceeded",
        }
    }
    /// What is short, in plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CallerRate => "the account's requests a second",
            Self::ReservedRate => "the requests a second of the reserved concurrency",
            Self::RequestScaling => "the growth of the function's requests a second",
            Self::ReservedConcurrency => "the reserved concurrency",
            Self::Concurrency => "the account's concurrency",
            Self::EnvironmentScaling => "the growth of the number of environments",
        }
    }
    /// Its place among all.
    pub const fn index(self) -> usize {
        match self {
            Self::CallerRate => 0,
            Self::ReservedRate => 1,
            Self::RequestScaling => 2,
            Self::ReservedConcurrency => 3,
            Self::Concurrency => 4,
            Self::EnvironmentScaling => 5,
        }
    }
}

/// What changes about a function itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionChange {
    /// Provisioned concurrency was asked for: IN_PROGRESS (LAM-V-11).
    ProvisioningRequested {
        /// So many environments.
        executions: u32,
    },
    /// The provisioned environments may be used: READY (LAM-V-10, LAM-V-11).
    ProvisioningReady {
        /// So many, all in all.
        executions: u32,
        /// So many of them are new.
        initialised: u32,
        /// The Init times of the new ones together (LAM-V-13).
        init: SimDuration,
    },
    /// The request exceeds what may be provisioned: FAILED, and nothing changes (LAM-V-02, LAM-V-03, LAM-V-11).
    ProvisioningFailed {
        /// What was asked for.
        executions: u32,
        /// The most that it could have had.
        available: u32,
    },
}

/// Why Lambda gives an asynchronous event up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DropReason {
    /// All its retries ended in an error (LAM-A-02): RetriesExhausted.
    RetriesExhausted,
    /// It has reached MaximumEventAgeInSeconds (LAM-A-06): EventAgeExceeded.
    AgeExceeded,
    /// The function's reserved concurrency is zero (LAM-A-09).
    ConcurrencyZero,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::RetriesExhausted, Self::AgeExceeded, Self::ConcurrencyZero];
    /// The condition in plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::RetriesExhausted => "retries exhausted",
            Self::AgeExceeded => "too old",
            Self::ConcurrencyZero => "reserved concurrency of zero",
        }
    }
    /// Its place among all.
    pub const fn index(self) -> usize {
        match self {
            Self::RetriesExhausted => 0,
            Self::AgeExceeded => 1,
            Self::ConcurrencyZero => 2,
        }
    }
}

/// A delivery to a dead-letter queue or a destination.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Delivery {
    /// There is nowhere to deliver to.
    None,
    /// It was delivered.
    Delivered,
    /// It was lost on the way.
    Failed,
}

/// A step of an asynchronous event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsynchronousStep {
    /// Lambda accepted it (LAM-M-15).
    Received {
        /// From whom.
        invoker: InvokerId,
        /// Its size.
        bytes: u32,
    },
    /// An event that had been accepted came into being a second time (LAM-A-08).
    Duplicated,
    /// It is handed to the function, this long after it was accepted (LAM-M-16).
    Attempted {
        /// Its age.
        age: SimDuration,
    },
    /// It was refused with 429 and waits (LAM-A-04).
    WaitsAfterThrottle {
        /// Until then.
        until: SimTime,
    },
    /// Its invocation ended in an error and it waits (LAM-A-03).
    WaitsAfterError {
        /// Until then.
        until: SimTime,
    },
    /// Its invocation succeeded.
    Succeeded {
        /// To the destination for successes.
        destination: Delivery,
    },
    /// It was given up (LAM-M-17).
    Dropped {
        /// Why.
        reason: DropReason,
        /// To the dead-letter queue.
        dead_letter: Delivery,
        /// To the destination for failures.
        destination: Delivery,
    },
}

/// A step of a direct caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvokerStep {
    /// It sent a request.
    Sent,
    /// It got the answer.
    Answered {
        /// What it says.
        answer: DirectAnswer,
        /// From the request to the answer.
        took: SimDuration,
    },
}
