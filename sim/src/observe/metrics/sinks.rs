//! Metrics of sinks.

use super::{Metric, Metrics, Point, micros};
use crate::batch::WriteError;
use crate::blueprint::SinkService;
use crate::engine::time::SimTime;
use crate::ids::SinkId;
use crate::observe::fact::SinkChange;

pub(super) const SINK: &[Metric] = &[Metric::RecordsDelivered, Metric::EndToEndLatency, Metric::WritesFailed];
/// DDB-MET-01
pub(super) const TABLE: &[Metric] = &[
    Metric::ConsumedWriteCapacityUnits,
    Metric::WriteThrottleEvents,
    Metric::SuccessfulRequestLatency,
    Metric::SystemErrors,
    Metric::RecordsDelivered,
    Metric::EndToEndLatency,
    Metric::WritesFailed,
];
/// S3-MET-01
pub(super) const BUCKET: &[Metric] = &[
    Metric::PutRequests,
    Metric::ServerErrors,
    Metric::TotalRequestLatency,
    Metric::RecordsDelivered,
    Metric::EndToEndLatency,
    Metric::WritesFailed,
];

/// What is told of such a sink.
pub(super) const fn of(service: SinkService) -> &'static [Metric] {
    match service {
        SinkService::Database | SinkService::Warehouse => SINK,
        SinkService::Table(_) => TABLE,
        SinkService::Bucket(_) => BUCKET,
    }
}

impl Metrics {
    pub(super) fn sink(&mut self, now: SimTime, sink: SinkId, change: SinkChange) {
        let group = &mut self.sinks[sink];
        match change {
            SinkChange::RequestAnswered {
                records,
                written,
                units,
                error,
                latency,
                ..
            } => {
                let latency = Point::of(micros(latency));
                let throttled = error == Some(WriteError::Throttled);
                let refused = if throttled { records - written } else { 0 };
                group.add(now, Metric::ConsumedWriteCapacityUnits, Point::of(units));
                group.add(now, Metric::WriteThrottleEvents, Point::of(u64::from(refused)));
                if written > 0 {
                    group.add(now, Metric::SuccessfulRequestLatency, latency);
                }
                let broken = error == Some(WriteError::Unavailable);
                group.add(now, Metric::SystemErrors, Point::of(u64::from(broken)));
                group.add(now, Metric::PutRequests, Point::of(1));
                group.add(now, Metric::ServerErrors, Point::of(u64::from(error.is_some())));
                group.add(now, Metric::TotalRequestLatency, latency);
            }
            SinkChange::WriteFailed { .. } => group.add(now, Metric::WritesFailed, Point::of(1)),
        }
    }
}
