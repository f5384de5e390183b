//! The validated description of Lambda functions and of whoever invokes them directly.

use crate::blueprint::{Arrivals, ColdStart, Poison, WindowState};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::time::SimDuration;
use crate::services::lambda::quotas;

/// A Lambda function (`[function.NAME]`, AWS::Lambda::Function with the configuration of one version of it).
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionBlueprint {
    /// Component name.
    pub name: String,
    /// Memory in MB (LAM-C-27).
    pub memory_size: u32,
    /// Timeout (LAM-C-26).
    pub timeout: SimDuration,
    /// Reserved concurrency (LAM-C-06); `None`: the account's unreserved pool.
    pub reserved_concurrency: Option<u32>,
    /// Provisioned concurrency (LAM-V-01); `None`: all environments are created on demand.
    pub provisioned_concurrency: Option<ProvisionedConcurrency>,
    /// What happens to asynchronous invocations (AWS::Lambda::EventInvokeConfig).
    pub asynchronous: AsynchronousInvocation,
    /// Runtime and packaging, which decide the length of a cold start.
    pub cold_start: ColdStart,
    /// Time of the handler for a batch, in nanoseconds.
    pub per_batch: Distribution,
    /// Further time for each record.
    pub per_record: SimDuration,
    /// Further time of the first handler in a new environment (LAM-R-17: code that is compiled as it runs).
    pub first_run: SimDuration,
    /// How the handler's time depends on the function's memory.
    pub processor: ProcessorShare,
    /// Probability that an invocation ends in a function error.
    pub failure_rate: Ratio,
    /// The part of the function errors that end the process, so that Init must run again (LAM-R-06).
    pub crash_share: Ratio,
    /// True: a failing handler throws after its write to the sink, so that the retry delivers twice. False: before it.
    pub fails_after_write: bool,
    /// Records that the handler can never process.
    pub poison: Poison,
    /// The state that it returns within tumbling windows; `None`: its responses have none (LAM-W-05).
    pub window_state: Option<WindowState>,
    /// Where the handler writes, if anywhere.
    pub sink: Option<String>,
}

/// Environments that are initialised before requests come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProvisionedConcurrency {
    /// ProvisionedConcurrentExecutions.
    pub executions: u32,
    /// They are allocated when the run begins; otherwise that is asked for at its beginning.
    pub ready_at_start: bool,
}

/// The dependence of a handler's time on memory, with which Lambda gives processor time in proportion (LAM-C-28).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessorShare {
    /// The part of the handler's time that it spends computing, with one thread.
    pub bound: Ratio,
    /// The memory in MB at which its times were measured.
    pub measured_at: u32,
}

impl Default for ProcessorShare {
    fn default() -> Self {
        Self {
            bound: Ratio::ZERO,
            measured_at: quotas::MEMORY_OF_A_PROCESSOR,
        }
    }
}

/// What happens to asynchronous invocations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AsynchronousInvocation {
    /// MaximumRetryAttempts (LAM-A-02).
    pub maximum_retry_attempts: u32,
    /// MaximumEventAgeInSeconds (LAM-A-06).
    pub maximum_event_age: SimDuration,
    /// DeadLetterConfig (LAM-D-01).
    pub dead_letter: Option<DestinationBlueprint>,
    /// OnFailure (LAM-D-03).
    pub on_failure: Option<DestinationBlueprint>,
    /// OnSuccess (LAM-D-03).
    pub on_success: Option<DestinationBlueprint>,
}

impl Default for AsynchronousInvocation {
    fn default() -> Self {
        Self {
            maximum_retry_attempts: quotas::MAXIMUM_RETRY_ATTEMPTS,
            maximum_event_age: quotas::MAXIMUM_EVENT_AGE,
            dead_letter: None,
            on_failure: None,
            on_success: None,
        }
    }
}

/// A receiver of events outside the simulated world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DestinationBlueprint {
    /// What it is.
    pub service: DestinationService,
    /// Probability that a delivery fails, as it does without permission (LAM-D-06, LAM-D-07).
    pub failure_rate: Ratio,
}

/// What a dead-letter queue or a destination can be (LAM-D-01, LAM-D-03).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DestinationService {
    /// A standard queue.
    Sqs,
    /// A standard topic.
    Sns,
    /// A bucket, for failures only.
    S3,
    /// An event bus.
    EventBridge,
}

/// Someone who invokes a function directly (`[invoker.NAME]`).
#[derive(Clone, PartialEq, Debug)]
pub struct InvokerBlueprint {
    /// Component name.
    pub name: String,
    /// Name of the function.
    pub function: String,
    /// When requests are sent.
    pub arrivals: Arrivals,
    /// The InvocationType.
    pub invocation_type: InvocationType,
    /// Size of an event in bytes.
    pub payload: u32,
}

/// How a function is invoked (LAM-A-01).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InvocationType {
    /// `RequestResponse`: the caller waits for the outcome.
    RequestResponse,
    /// `Event`: Lambda queues the event and answers at once.
    Event,
}
