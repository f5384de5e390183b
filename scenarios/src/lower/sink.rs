//! Sinks.

use super::Lowering;
use super::producer::resend;
use crate::codes::Code;
use crate::fields::Fields;
use sim::blueprint::{
    BucketBlueprint, ItemWrites, Jitter, Resend, SinkBlueprint, SinkService, TableBilling, TableBlueprint,
};
use sim::engine::time::SimDuration;

/// What a new on-demand table takes each second (DDB-CAP-06).
const INITIAL_WRITE_UNITS: u32 = 4_000;
/// The defaults of a table `resend`.
const RESEND: Resend = Resend {
    attempts: 3,
    backoff: SimDuration::from_millis(100),
    factor: 2,
    max_backoff: SimDuration::from_secs(20),
    jitter: Jitter::Full,
};
/// The tables that say what a sink is.
const SERVICES: [&str; 3] = ["table", "bucket", "warehouse"];

impl Lowering<'_> {
    pub(super) fn sink(&mut self, name: &str, fields: &Fields) -> SinkBlueprint {
        let mut given = SERVICES.into_iter().filter(|service| fields.is_given(service));
        if let Some(service) = given.next() {
            let why = format!("the sink is a {service}");
            self.no_effect(fields, &["capacity", "latency", "max_connections"], &why);
            for other in given {
                self.no_effect(fields, &[other], &why);
            }
        }
        let mut sink = SinkBlueprint {
            name: name.to_owned(),
            capacity: fields.maybe_rate("capacity"),
            latency: fields.distribution("latency"),
            max_connections: fields.maybe_u32("max_connections"),
            idempotent: fields.flag("idempotent"),
            service: SinkService::Database,
        };
        if let Some(table) = fields.table("table") {
            sink.latency = table.distribution("latency");
            sink.service = SinkService::Table(self.table(table));
        } else if let Some(bucket) = fields.table("bucket") {
            sink.latency = bucket.distribution("latency");
            sink.service = SinkService::Bucket(BucketBlueprint {
                prefixes: bucket.u32("prefixes"),
                per_mebibyte: bucket.duration("per_mebibyte"),
                resend: resending(bucket),
            });
        } else if let Some(warehouse) = fields.table("warehouse") {
            sink.latency = warehouse.distribution("start_up");
            sink.capacity = warehouse.maybe_rate("load_rate");
            sink.service = SinkService::Warehouse;
        }
        sink
    }

    fn table(&mut self, fields: &Fields) -> TableBlueprint {
        let units = |table: &'static str, units: &'static str| fields.table(table).map(|table| table.u32(units));
        let provisioned = units("ProvisionedThroughput", "WriteCapacityUnits");
        let on_demand = fields.word("BillingMode") == "PAY_PER_REQUEST";
        let billing = if on_demand {
            let why = "the table is on demand";
            self.no_effect(fields, &["ProvisionedThroughput"], why);
            TableBilling::OnDemand {
                warm: units("WarmThroughput", "WriteUnitsPerSecond").unwrap_or(INITIAL_WRITE_UNITS),
                most: units("OnDemandThroughput", "MaxWriteRequestUnits"),
            }
        } else {
            let why = "the table is provisioned";
            self.no_effect(fields, &["OnDemandThroughput", "WarmThroughput"], why);
            if provisioned.is_none() && !fields.is_given("ProvisionedThroughput") {
                let title = "a provisioned table needs `ProvisionedThroughput`";
                let help =
                    "add `ProvisionedThroughput = { WriteCapacityUnits = 100 }`, or BillingMode = \"PAY_PER_REQUEST\"";
                let label = "its throughput is not given";
                self.fault(
                    Code::MissingProperty,
                    fields.place_of("ProvisionedThroughput"),
                    title,
                    label,
                    help,
                );
            }
            TableBilling::Provisioned {
                write_capacity_units: provisioned.unwrap_or(1),
            }
        };
        TableBlueprint {
            billing,
            writes: match fields.word("writes") {
                "PutItem" => ItemWrites::Single,
                _ => ItemWrites::Batch,
            },
            item_bytes: fields
                .is_given("item_size")
                .then(|| fields.bytes("item_size"))
                .and_then(|bytes| u32::try_from(bytes).ok()),
            parallel_requests: fields.u32("parallel_requests"),
            resend: resending(fields),
        }
    }
}

fn resending(fields: &Fields) -> Resend {
    fields.table("resend").map_or(RESEND, resend)
}
