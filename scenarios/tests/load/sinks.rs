//! Sinks: a database, or one of the services of AWS.

use crate::support::{lines, loaded, with};
use scenarios::{LoadOptions, NoTraces, load};
use sim::blueprint::{BucketBlueprint, ItemWrites, SinkBlueprint, SinkService, TableBilling};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Rate;
use sim::engine::time::SimDuration;

fn sink(properties: &str) -> SinkBlueprint {
    loaded(&with("capacity = \"5000/s\"", properties)).blueprint.sinks[0].clone()
}
fn errors(properties: &str) -> Vec<String> {
    let text = with("capacity = \"5000/s\"", properties);
    let (_, diagnostics) = load(&text, "test", &LoadOptions::default(), &NoTraces);
    let mut lines = lines(&diagnostics, &text, &LoadOptions::default());
    lines.retain(|line| line.starts_with('E') || line.starts_with('W'));
    lines
}

#[test]
fn a_sink_is_a_database_unless_it_says_otherwise() {
    let database = sink("capacity = \"300/s\"\nmax_connections = 20\nidempotent = true");
    assert_eq!(database.service, SinkService::Database);
    assert_eq!(
        (database.capacity, database.max_connections),
        (Some(Rate::per_second(300)), Some(20))
    );
    assert!(database.idempotent);
    let warehouse = sink("warehouse = { start_up = \"3s\", load_rate = \"10000/s\" }");
    assert_eq!(warehouse.service, SinkService::Warehouse);
    assert_eq!(
        (warehouse.capacity, warehouse.latency),
        (Some(Rate::per_second(10_000)), Distribution::Constant(3e9))
    );
}

/// DDB-CAP-06: without WarmThroughput an on-demand table takes what a new one takes.
#[test]
fn a_table_is_provisioned_or_on_demand() {
    let table = |properties: &str| match sink(properties).service {
        SinkService::Table(table) => table,
        other => panic!("{other:?} instead of a table"),
    };
    let provisioned = table("table = { ProvisionedThroughput = { WriteCapacityUnits = 50 }, writes = \"PutItem\" }");
    let write_capacity_units = 50;
    assert_eq!(provisioned.billing, TableBilling::Provisioned { write_capacity_units });
    assert_eq!((provisioned.writes, provisioned.item_bytes), (ItemWrites::Single, None));
    assert_eq!(
        (provisioned.resend.attempts, provisioned.resend.backoff),
        (3, SimDuration::from_millis(100))
    );
    let on_demand = table(
        "table = { BillingMode = \"PAY_PER_REQUEST\", item_size = \"2KB\", resend = { attempts = 9 }, \
         OnDemandThroughput = { MaxWriteRequestUnits = 7000 } }",
    );
    let most = Some(7_000);
    assert_eq!(on_demand.billing, TableBilling::OnDemand { warm: 4_000, most });
    assert_eq!(
        (on_demand.writes, on_demand.item_bytes),
        (ItemWrites::Batch, Some(2_000))
    );
    assert_eq!(on_demand.resend.attempts, 9);
    let warm = table("table = { BillingMode = \"PAY_PER_REQUEST\", WarmThroughput = { WriteUnitsPerSecond = 9000 } }");
    assert_eq!(
        warm.billing,
        TableBilling::OnDemand {
            warm: 9_000,
            most: None
        }
    );
}

/// S3-LAT-01: a small request takes some tens of milliseconds.
#[test]
fn a_bucket_has_a_prefix_and_some_tens_of_milliseconds_by_default() {
    let bucket = sink("bucket = {}");
    assert!(
        matches!(
            bucket.service,
            SinkService::Bucket(BucketBlueprint { prefixes: 1, per_mebibyte, .. }) if per_mebibyte == SimDuration::from_millis(12)
        ),
        "{:?}",
        bucket.service
    );
    assert_eq!(bucket.latency, Distribution::Constant(40e6));
}

#[test]
fn what_does_not_fit_the_service_is_told() {
    let told = |properties: &str, expected: &[&str]| {
        let found = errors(properties);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (line, part) in found.iter().zip(expected) {
            assert!(line.contains(part), "{line} has no {part:?}");
        }
    };
    told(
        "capacity = \"5/s\"\nmax_connections = 3\nbucket = {}",
        &[
            "`capacity` has no effect here (the sink is a bucket)",
            "`max_connections` has no effect here",
        ],
    );
    told(
        "bucket = {}\nwarehouse = {}",
        &["`warehouse` has no effect here (the sink is a bucket)"],
    );
    told("table = {}", &["a provisioned table needs `ProvisionedThroughput`"]);
    told(
        "table = { BillingMode = \"PAY_PER_REQUEST\", ProvisionedThroughput = { WriteCapacityUnits = 5 } }",
        &["`ProvisionedThroughput` has no effect here (the table is on demand)"],
    );
    told(
        "table = { ProvisionedThroughput = { WriteCapacityUnits = 5 }, WarmThroughput = { WriteUnitsPerSecond = 9 } }",
        &["`WarmThroughput` has no effect here (the table is provisioned)"],
    );
}
