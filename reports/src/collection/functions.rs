//! What functions and their direct callers did.

use super::mean;
use crate::account::{EventAccount, FunctionAccount, InvokerAccount, ProvisionedAccount};
use sim::observe::counts::{EventCounts, FunctionCounts, InvokerCounts};
use sim::observe::fact::{DropReason, ThrottleReason};

/// A function.
pub(super) fn function(name: String, counts: &FunctionCounts) -> FunctionAccount {
    let reasons = ThrottleReason::ALL.into_iter().zip(counts.throttles_for);
    let provisioned = counts.provisioned_executions > 0 || counts.provisioned_at.is_some();
    FunctionAccount {
        name,
        invocations: counts.started,
        errors: counts.errors,
        timeouts: counts.timeouts,
        throttles: counts.throttles,
        first_throttle: counts.first_throttled_at,
        cold_starts: counts.cold_starts,
        cold_start_mean: mean(counts.cold_start_nanos, counts.cold_starts),
        concurrent_max: counts.max_concurrent,
        duration_mean: mean(counts.duration_nanos, counts.ended),
        records: counts.records,
        throttles_for: reasons
            .filter(|&(_, refused)| refused > 0)
            .map(|(reason, refused)| (reason.words(), refused))
            .collect(),
        inits_within: counts.inits_within,
        provisioned: provisioned.then_some(ProvisionedAccount {
            executions: counts.provisioned_executions,
            ready: counts.provisioned_at,
            invocations: counts.provisioned,
            spilled_over: counts.spilled_over,
        }),
        events: (counts.events.received > 0).then(|| events(&counts.events)),
    }
}

fn events(counts: &EventCounts) -> EventAccount {
    let reasons = DropReason::ALL.into_iter().zip(counts.dropped_for);
    EventAccount {
        received: counts.received,
        duplicated: counts.duplicated,
        succeeded: counts.succeeded,
        retried: counts.retried,
        throttled: counts.throttled,
        dropped: counts.dropped,
        dropped_for: reasons
            .filter(|&(_, dropped)| dropped > 0)
            .map(|(reason, dropped)| (reason.words(), dropped))
            .collect(),
        lost: counts.lost,
        dead_lettered: counts.dead_lettered,
        unfinished: counts.received + counts.duplicated - counts.succeeded - counts.dropped,
        age_max: counts.age_max,
    }
}

/// A direct caller.
pub(super) fn invoker(name: String, counts: &InvokerCounts) -> InvokerAccount {
    InvokerAccount {
        name,
        sent: counts.sent,
        succeeded: counts.succeeded + counts.queued,
        failed: counts.errors + counts.timeouts,
        throttled: counts.throttled,
        response_mean: mean(counts.response_nanos, counts.answered() - counts.throttled),
        response_max: counts.response_max,
    }
}
