//! Random event source mappings, and records that their functions cannot process.

use super::blueprints::mapping;
use crate::batch::BatchResponse;
use crate::blueprint::{
    DestinationKind, ErrorHandling, FailureDestination, Filter, MappingBlueprint, Poison, PoisonResponse,
    StartingPosition, WindowState,
};
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// A mapping of one of two functions: polled or pushed to, with every way to handle failures, filters and windows.
pub(super) fn mappings() -> impl Strategy<Value = MappingBlueprint> {
    let batch_size = prop_oneof![1_u32..60, Just(10_000)];
    (
        batch_size,
        prop_oneof![2 => Just(0_u64), 1 => 1_u64..8],
        1_u32..=10,
        0_u32..2,
        any::<bool>(),
        errors(),
        option::weighted(0.3, filters()),
        prop_oneof![3 => Just(0_u64), 1 => 1_u64..6],
        option::weighted(0.2, (0_u64..8, starting_positions())),
    )
        .prop_map(
            |(batch_size, window, lanes, function, pushed, errors, filter, tumbling, begins)| {
                let (created_at, starting_position) = begins.unwrap_or((0, StartingPosition::TrimHorizon));
                MappingBlueprint {
                    consumer: pushed.then(String::new),
                    batch_size,
                    maximum_batching_window: SimDuration::from_secs(window),
                    // A tumbling window goes with one lane (LAM-U-11).
                    parallelization_factor: if tumbling > 0 { 1 } else { lanes },
                    tumbling_window: SimDuration::from_secs(tumbling),
                    errors,
                    filters: filter.map(|filter| vec![filter]),
                    created_at: SimTime::from_secs(created_at),
                    starting_position,
                    ..mapping("", "records", &format!("function-{function}"))
                }
            },
        )
}

fn starting_positions() -> impl Strategy<Value = StartingPosition> {
    prop_oneof![
        Just(StartingPosition::TrimHorizon),
        Just(StartingPosition::Latest),
        (0_u64..8).prop_map(|second| StartingPosition::AtTimestamp(SimTime::from_secs(second))),
    ]
}

fn errors() -> impl Strategy<Value = ErrorHandling> {
    let kind = prop_oneof![
        Just(DestinationKind::Queue),
        Just(DestinationKind::Topic),
        Just(DestinationKind::Bucket)
    ];
    let failing = prop_oneof![Just(Ratio::ZERO), Just(Ratio::new(1, 2))];
    (
        option::of(0_u32..4),
        option::weighted(0.3, 1_u64..20),
        any::<bool>(),
        any::<bool>(),
        option::of((kind, failing)),
    )
        .prop_map(|(most, age, bisects, reports, told)| ErrorHandling {
            maximum_retry_attempts: most,
            maximum_record_age: age.map(SimDuration::from_secs),
            bisect_batch_on_function_error: bisects,
            report_batch_item_failures: reports,
            on_failure: told.map(|(kind, failure_rate)| FailureDestination {
                kind,
                name: "failed".to_owned(),
                failure_rate,
            }),
        })
}

fn filters() -> impl Strategy<Value = Filter> {
    (0_u64..=10, 0_u64..=10, 0_u64..3_000).prop_map(|(one, other, least)| Filter {
        share: (Ratio::new(one.min(other), 10), Ratio::new(one.max(other), 10)),
        bytes: (least, u64::MAX),
        ..Filter::default()
    })
}

/// What a function cannot process, and the state that it keeps between invocations of a window.
pub(super) fn poison() -> impl Strategy<Value = (Poison, Option<WindowState>)> {
    let response = prop_oneof![
        Just(BatchResponse::ItemFailures),
        Just(BatchResponse::EmptyList),
        Just(BatchResponse::MisnamedIdentifier)
    ];
    let response = (option::of(response), any::<bool>()).prop_map(|(returns, stops)| match returns {
        Some(response) => PoisonResponse::Returns { response, stops },
        None => PoisonResponse::Throws,
    });
    let share = prop_oneof![3 => Just(Ratio::ZERO), 1 => (1_u64..5).prop_map(|tenths| Ratio::new(tenths, 10))];
    let state = option::weighted(0.8, (0_u64..100, 0_u64..100_000));
    (share, response, state).prop_map(|(share, response, state)| {
        let poison = Poison {
            share,
            response,
            ..Poison::default()
        };
        let state = state.map(|(fixed, per_record)| WindowState { fixed, per_record });
        (poison, state)
    })
}
