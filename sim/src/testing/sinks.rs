//! Sinks of every kind.

use super::blueprints::sink;
use crate::blueprint::{
    BucketBlueprint, ItemWrites, Jitter, Resend, SinkBlueprint, SinkService, TableBilling, TableBlueprint,
};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Rate;
use crate::engine::time::SimDuration;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// Of every kind, slow or fast.
pub(super) fn sinks() -> impl Strategy<Value = SinkBlueprint> {
    let capacity = prop_oneof![Just(None), (1_u64..200).prop_map(|rate| Some(Rate::per_second(rate)))];
    let resend = Resend {
        attempts: 2,
        backoff: SimDuration::from_millis(50),
        factor: 2,
        max_backoff: SimDuration::from_secs(1),
        jitter: Jitter::Full,
    };
    let table = (1_u32..100, 1_u32..4).prop_map(move |(write_capacity_units, parallel_requests)| {
        SinkService::Table(TableBlueprint {
            billing: TableBilling::Provisioned { write_capacity_units },
            writes: ItemWrites::Batch,
            item_bytes: None,
            parallel_requests,
            resend,
        })
    });
    let bucket = SinkService::Bucket(BucketBlueprint {
        prefixes: 1,
        per_mebibyte: SimDuration::from_millis(12),
        resend,
    });
    let service = prop_oneof![
        3 => Just(SinkService::Database),
        1 => Just(SinkService::Warehouse),
        2 => table,
        1 => Just(bucket),
    ];
    let connections = option::weighted(0.2, 1_u32..3);
    let whole = (capacity, 0_u32..100, service, connections, any::<bool>());
    whole.prop_map(
        |(capacity, latency, service, max_connections, idempotent)| SinkBlueprint {
            max_connections,
            idempotent,
            service,
            capacity,
            latency: Distribution::Uniform {
                low: 0.0,
                high: f64::from(latency) * 1e6,
            },
            ..sink("")
        },
    )
}
