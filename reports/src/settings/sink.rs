//! What a sink is.

use super::spelled_time;
use sim::blueprint::{ItemWrites, SinkBlueprint, SinkService, TableBilling};

pub(super) fn told(sink: &SinkBlueprint) -> String {
    let capacity = sink
        .capacity
        .map_or_else(|| "unlimited".to_owned(), |rate| format!("{rate}"));
    let latency = spelled_time(&sink.latency);
    let kind = match &sink.service {
        SinkService::Database => match sink.max_connections {
            Some(most) => format!("{capacity}, latency {latency}, {most} connections"),
            None => format!("{capacity}, latency {latency}"),
        },
        SinkService::Warehouse => format!("Redshift table, {capacity} after {latency} for each load"),
        SinkService::Table(table) => {
            let units = match table.billing {
                TableBilling::Provisioned { write_capacity_units } => format!("{write_capacity_units} write units/s"),
                TableBilling::OnDemand { warm, most: None } => format!("on demand, from {warm} write units/s"),
                TableBilling::OnDemand { warm, most: Some(most) } => {
                    format!("on demand, from {warm} to {most} write units/s")
                }
            };
            let api = match table.writes {
                ItemWrites::Batch => "BatchWriteItem",
                ItemWrites::Single => "PutItem",
            };
            let parallel = table.parallel_requests;
            format!("DynamoDB table, {units}, {api}, {parallel} at a time, latency {latency}")
        }
        SinkService::Bucket(bucket) => {
            let (prefixes, each) = (bucket.prefixes, bucket.per_mebibyte);
            format!("S3 bucket, prefixes: {prefixes}, latency {latency} and {each} for each MiB")
        }
    };
    if sink.idempotent {
        format!("{kind}; idempotent")
    } else {
        kind
    }
}
