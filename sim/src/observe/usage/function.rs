//! What is billed of a function.

use crate::blueprint::{Architecture, ColdStart, FunctionBlueprint};
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::{AsynchronousStep, FunctionChange};

/// Bytes of an asynchronous event that are one request (LAM-B-02).
const FIRST_REQUEST_BYTES: u32 = 256 * 1_024;
/// Bytes of each further request (LAM-B-02).
const FURTHER_REQUEST_BYTES: u32 = 64 * 1_024;
/// Provisioned concurrency is billed by so much at least, and in multiples of it (LAM-B-14).
const PROVISIONED_STEP: SimDuration = SimDuration::from_minutes(5);

/// What is billed of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FunctionUsage {
    /// MemorySize in MB.
    pub memory_size: u32,
    /// Its processors are arm64, which has prices of its own (LAM-B-05).
    pub arm64: bool,
    /// Invocations that ran; what is refused costs nothing.
    pub invocations: u64,
    /// Requests billed beyond one for each invocation that ran: for large asynchronous events (LAM-B-02). One that runs
    /// again after an error is a request again.
    pub further_requests: u64,
    /// Time billed for those that have ended on demand, each rounded up to a millisecond (LAM-B-03); with Init where it is
    /// billed (LAM-B-17, LAM-B-18).
    pub billed_millis: u64,
    /// So much of it would not be billed without cold starts.
    pub init_millis: u64,
    /// Time billed for those that have ended on provisioned environments, at a price of its own (LAM-B-12, LAM-B-15).
    pub provisioned_millis: u64,
    /// Init time of provisioned environments, which is billed whether they serve or not (LAM-V-13).
    pub provisioned_init_millis: u64,
    /// Environments that are provisioned or asked for.
    provisioned: u32,
    /// Since when there are any, and since when there are so many.
    provisioned_since: SimTime,
    so_many_since: SimTime,
    /// Environment time of provisioned ones before that.
    provisioned_nanos_before: u128,
}

impl FunctionUsage {
    pub(super) fn new(blueprint: &FunctionBlueprint) -> Self {
        let arm64 = match &blueprint.cold_start {
            ColdStart::Published { architecture, .. } => *architecture == Architecture::Arm64,
            ColdStart::Own(_) => false,
        };
        Self {
            memory_size: blueprint.memory_size,
            arm64,
            provisioned: blueprint.provisioned_concurrency.map_or(0, |wanted| wanted.executions),
            ..Self::default()
        }
    }
    pub(super) fn ended(&mut self, duration: SimDuration, billed_init: SimDuration, provisioned: bool) {
        let handler = millis_up(duration);
        if provisioned {
            self.provisioned_millis += handler;
            return;
        }
        let billed = millis_up(duration.saturating_add(billed_init));
        self.billed_millis += billed;
        self.init_millis += billed - handler;
    }
    pub(super) const fn event(&mut self, step: AsynchronousStep) {
        if let AsynchronousStep::Received { bytes, .. } = step {
            let further = bytes
                .saturating_sub(FIRST_REQUEST_BYTES)
                .div_ceil(FURTHER_REQUEST_BYTES);
            self.further_requests += widen(further);
        }
    }
    pub(super) fn changed(&mut self, now: SimTime, change: FunctionChange) {
        match change {
            FunctionChange::ProvisioningRequested { executions } => {
                let span = now.since(SimTime::ZERO);
                self.provisioned_nanos_before = if executions == 0 {
                    self.provisioned_nanos(span)
                } else {
                    self.provisioned_nanos_before + self.nanos_of_level(now)
                };
                if self.provisioned == 0 {
                    self.provisioned_since = now;
                }
                (self.provisioned, self.so_many_since) = (executions, now);
            }
            FunctionChange::ProvisioningReady { init, .. } => self.provisioned_init_millis += millis_up(init),
            FunctionChange::ProvisioningFailed { .. } => {}
        }
    }
    /// Requests billed.
    pub const fn requests(&self) -> u64 {
        self.invocations + self.further_requests
    }
    /// MB-milliseconds on demand; 1,024 of them are a GB-millisecond (LAM-B-03).
    pub fn megabyte_millis(&self) -> u128 {
        u128::from(self.memory_size) * u128::from(self.billed_millis)
    }
    /// Whole GB-milliseconds, rounded down.
    pub fn gigabyte_millis(&self) -> u128 {
        self.megabyte_millis() / 1_024
    }
    /// Whole GB-milliseconds of invocations on provisioned environments, rounded down.
    pub fn provisioned_gigabyte_millis(&self) -> u128 {
        u128::from(self.memory_size) * u128::from(self.provisioned_millis) / 1_024
    }
    /// Environment time of provisioned concurrency over a span from the start on, in environment-nanoseconds: from the
    /// request on, rounded up to the next five minutes (LAM-B-14).
    pub fn provisioned_nanos(&self, span: SimDuration) -> u128 {
        let now = SimTime::ZERO.saturating_add(span);
        let enabled = now.since(self.provisioned_since).as_nanos();
        let step = PROVISIONED_STEP.as_nanos();
        let missing = enabled.div_ceil(step) * step - enabled;
        self.provisioned_nanos_before + self.nanos_of_level(now) + u128::from(self.provisioned) * u128::from(missing)
    }
    fn nanos_of_level(&self, now: SimTime) -> u128 {
        u128::from(self.provisioned) * u128::from(now.since(self.so_many_since).as_nanos())
    }
}

#[expect(clippy::as_conversions, reason = "u64::from is not const")]
const fn widen(number: u32) -> u64 {
    number as u64
}

/// Milliseconds, rounded up.
const fn millis_up(span: SimDuration) -> u64 {
    span.as_nanos().div_ceil(1_000_000)
}
