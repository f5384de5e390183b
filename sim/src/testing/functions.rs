//! Random functions and their direct callers.

use super::blueprints::{constant, function};
use crate::blueprint::{Arrivals, FunctionBlueprint, InvocationType, InvokerBlueprint, ProvisionedConcurrency};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Rate;
use crate::engine::quantity::Ratio;
use crate::engine::time::SimDuration;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// Somebody who sends up to ten events a second, and waits for the outcome or not.
pub(super) fn invokers() -> impl Strategy<Value = InvokerBlueprint> {
    (any::<bool>(), 1_u64..=10, 0_u32..2).prop_map(|(waits, rate, function)| InvokerBlueprint {
        name: String::new(),
        function: format!("function-{function}"),
        arrivals: Arrivals::Poisson(Rate::per_second(rate)),
        invocation_type: if waits {
            InvocationType::RequestResponse
        } else {
            InvocationType::Event
        },
        payload: 1_024,
    })
}

pub(super) fn functions() -> impl Strategy<Value = FunctionBlueprint> {
    let takes = prop_oneof![
        Just(constant(SimDuration::from_millis(20))),
        Just(Distribution::Exponential { mean: 200e6 }),
        Just(Distribution::Uniform { low: 0.0, high: 2e9 }),
    ];
    let failing = prop_oneof![2 => Just(Ratio::ZERO), 2 => Just(Ratio::new(1, 5)), 1 => Just(Ratio::new(9, 10))];
    (
        takes,
        failing,
        any::<bool>(),
        option::of(0_u32..2),
        option::of(0_u32..3),
        1_u64..4,
    )
        .prop_map(
            |(per_batch, failure_rate, fails_after_write, sink, reserved, timeout)| FunctionBlueprint {
                timeout: SimDuration::from_secs(timeout),
                reserved_concurrency: reserved,
                per_batch,
                per_record: SimDuration::from_micros(300),
                failure_rate,
                fails_after_write,
                crash_share: if fails_after_write {
                    Ratio::new(1, 2)
                } else {
                    Ratio::ZERO
                },
                provisioned_concurrency: (timeout == 1).then(|| ProvisionedConcurrency {
                    executions: reserved.unwrap_or(1),
                    ready_at_start: sink.is_some(),
                }),
                sink: sink.map(|number| format!("sink-{number}")),
                ..function("", None)
            },
        )
}
