//! What a scenario says about a system that functions and applications write to.

use crate::blueprint::Resend;
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Rate;
use crate::engine::time::SimDuration;

/// A downstream system (`[sink.NAME]`).
#[derive(Clone, PartialEq, Debug)]
pub struct SinkBlueprint {
    /// Component name.
    pub name: String,
    /// Records that it takes per time; `None`: unlimited. A table and a bucket have limits of their own instead.
    pub capacity: Option<Rate>,
    /// Latency of a write beyond the time for its records, of a load before its records, or of a request, in
    /// nanoseconds.
    pub latency: Distribution,
    /// Most writes of a database at a time; one beyond them fails. `None`: no limit.
    pub max_connections: Option<u32>,
    /// A record that is written again replaces itself.
    pub idempotent: bool,
    /// What it is.
    pub service: SinkService,
}

/// What a sink is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SinkService {
    /// A plain database: writes wait in one line.
    Database,
    /// A table of a data warehouse: loads wait for each other (RS-LOAD-01).
    Warehouse,
    /// A DynamoDB table.
    Table(TableBlueprint),
    /// An S3 bucket: a batch becomes an object.
    Bucket(BucketBlueprint),
}

/// A DynamoDB table, and the code that writes to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableBlueprint {
    /// `BillingMode`
    pub billing: TableBilling,
    /// The API.
    pub writes: ItemWrites,
    /// Bytes of an item; `None`: those of its record.
    pub item_bytes: Option<u32>,
    /// Requests of a batch that the code has under way at a time.
    pub parallel_requests: u32,
    /// When it sends again what the table refused.
    pub resend: Resend,
}

/// How the throughput of a table is determined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableBilling {
    /// `PROVISIONED`
    Provisioned {
        /// `WriteCapacityUnits`
        write_capacity_units: u32,
    },
    /// `PAY_PER_REQUEST`
    OnDemand {
        /// `WriteUnitsPerSecond` of its `WarmThroughput` (DDB-CAP-06).
        warm: u32,
        /// `MaxWriteRequestUnits`; `None`: the quota (DDB-CAP-08).
        most: Option<u32>,
    },
}

/// The API by which items are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ItemWrites {
    /// `BatchWriteItem` (DDB-W-01).
    Batch,
    /// `PutItem`
    Single,
}

/// An S3 bucket, and the code that writes to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BucketBlueprint {
    /// Prefixes, among which the shards are distributed (S3-PUT-01).
    pub prefixes: u32,
    /// Time to send each MiB of an object.
    pub per_mebibyte: SimDuration,
    /// When the code sends again what S3 refused.
    pub resend: Resend,
}
