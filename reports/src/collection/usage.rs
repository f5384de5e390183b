//! What a bill counts, without prices.

use crate::account::{FunctionUsage, SinkUsage, StreamUsage, UsageAccount};
use sim::blueprint::SinkService;
use sim::directory::{Component, Directory};
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::Observers;

/// Quantities until `now`.
pub(super) fn usage(observers: &Observers, directory: &Directory, now: SimTime) -> UsageAccount {
    let Some(usage) = &observers.usage else {
        return UsageAccount::default();
    };
    let span = now.since(SimTime::ZERO);
    let hours = |nanos: u128| nanos as f64 / SimDuration::from_hours(1).as_nanos() as f64;
    UsageAccount {
        sinks: usage
            .sinks
            .iter_enumerated()
            .filter(|(_, used)| matches!(used.service, SinkService::Table(_) | SinkService::Bucket(_)))
            .map(|(id, used)| SinkUsage {
                name: directory.label(Component::Sink(id)),
                requests: used.requests,
                write_units: used.write_units,
                provisioned_unit_hours: used
                    .provisioned_units()
                    .map(|units| hours(u128::from(units) * u128::from(span.as_nanos()))),
                bytes: used.bytes,
            })
            .collect(),
        streams: usage
            .streams
            .iter_enumerated()
            .map(|(id, used)| StreamUsage {
                name: directory.label(Component::Stream(id)),
                shard_hours: hours(used.shard_nanos(span)),
                retention_hours_above_24: used.retention_hours_above_24(),
                put_payload_units: used.put_payload_units,
                put_record_requests: used.put_record_requests,
                put_records_requests: used.put_records_requests,
                get_records_requests: used.get_records_requests,
                bytes_in: used.bytes_in,
                bytes_out: used.bytes_out,
            })
            .collect(),
        functions: usage
            .functions
            .iter_enumerated()
            .map(|(id, used)| FunctionUsage {
                name: directory.label(Component::Function(id)),
                invocations: used.invocations,
                billed_ms: used.billed_millis,
                init_ms: used.init_millis,
                memory_mb: used.memory_size,
                gb_ms: used.gigabyte_millis(),
                architecture: if used.arm64 { "arm64" } else { "x86_64" },
                requests: used.requests(),
                provisioned_gb_ms: used.provisioned_gigabyte_millis(),
                provisioned_gb_hours: hours(used.provisioned_nanos(span)) * f64::from(used.memory_size) / 1_024.0,
                provisioned_init_ms: used.provisioned_init_millis,
            })
            .collect(),
    }
}
