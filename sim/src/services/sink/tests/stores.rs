//! Tables, buckets, warehouses, and what their writers are told.

use super::*;
use crate::batch::WriteError;
use crate::blueprint::{BucketBlueprint, ItemWrites, Jitter, Keys, Resend, TableBilling, TableBlueprint, WeightedKey};
use crate::key::KeyTable;
use crate::record::KeyId;
use crate::testing::blueprints::producer;

/// Twice, after 100 ms and after 200 ms.
const TWICE: Resend = Resend {
    attempts: 2,
    backoff: SimDuration::from_millis(100),
    factor: 2,
    max_backoff: SimDuration::from_secs(20),
    jitter: Jitter::None,
};

fn provisioned(write_capacity_units: u32) -> TableBlueprint {
    TableBlueprint {
        billing: TableBilling::Provisioned { write_capacity_units },
        writes: ItemWrites::Batch,
        item_bytes: None,
        parallel_requests: 1,
        resend: TWICE,
    }
}
fn on_demand(warm: u32, most: Option<u32>) -> TableBlueprint {
    TableBlueprint {
        billing: TableBilling::OnDemand { warm, most },
        resend: Resend::NEVER,
        ..provisioned(1)
    }
}

/// Requests, or what goes before a load, take 10 ms, the network a millisecond each way.
fn sink_of(service: SinkService, capacity: Option<Rate>, max_connections: Option<u32>, idempotent: bool) -> Sinking {
    let blueprint = SinkBlueprint {
        name: "orders".to_owned(),
        capacity,
        latency: Distribution::Constant(10e6),
        max_connections,
        idempotent,
        service,
    };
    let model = ModelParameters {
        network_latency: Distribution::Constant(1e6),
        ..ModelParameters::default()
    };
    // 4,096 keys, each in a part of the hash range of its own.
    let mut writer = producer("writer", "records");
    let key = |number: u32| WeightedKey {
        text: format!("key-{number}"),
        weight: 1.0,
        explicit_hash_key: Some(u128::from(number) << 116 | 1 << 115),
    };
    writer.keys = Keys::Weighted((0..4_096).map(key).collect());
    let sink = Sink::new(&blueprint, &model, &mut RandomStreams::new(7, 0)).expect("the blueprint is valid");
    Harness::with_keys((ORDERS, sink), KeyTable::build(&[&writer]))
}
fn store(service: SinkService, idempotent: bool) -> Sinking {
    sink_of(service, None, None, idempotent)
}
fn table(blueprint: TableBlueprint) -> Sinking {
    store(SinkService::Table(blueprint), false)
}
/// A write of these records.
fn write_records(harness: &mut Sinking, at: SimTime, records: Vec<Record>) {
    let whole = Batch { records, ..batch(0, 0) };
    harness.send(at, whole, |batch| world::Event::Sink(ORDERS, Event::Write { batch }));
}
fn of_size(mut records: Vec<Record>, bytes: u32) -> Vec<Record> {
    for record in &mut records {
        record.bytes = bytes;
    }
    records
}
/// Of so many keys in turn, as far from each other as may be.
fn of_keys(mut records: Vec<Record>, keys: u32) -> Vec<Record> {
    for record in &mut records {
        record.key = KeyId(record.ordinal % keys * (4_096 / keys));
    }
    records
}
/// The answers to writes: when they came, and what they said.
fn answers(harness: &mut Sinking) -> Vec<(SimTime, WriteOutcome)> {
    let outcome = |batch: &Batch| {
        let Envelope::Write(call) = batch.envelope else {
            panic!("a write was answered with something else")
        };
        call.outcome
    };
    let calls = harness.take_calls();
    calls.iter().map(|call| (call.at, outcome(&call.batch))).collect()
}
/// By request: records, those written, units.
fn requests(harness: &Sinking) -> Vec<(u32, u32, u64)> {
    harness.find(|note| {
        let Fact::SinkChanged {
            change:
                SinkChange::RequestAnswered {
                    records,
                    written,
                    units,
                    ..
                },
            ..
        } = note.fact
        else {
            return None;
        };
        Some((records, written, units))
    })
}
fn written(harness: &Sinking) -> u32 {
    requests(harness).iter().map(|(_, written, _)| written).sum()
}
/// Of each effect, whether records that are there already replace themselves.
fn rewrites(harness: &Sinking) -> Vec<bool> {
    harness.find(|note| {
        let Fact::RecordsDelivered { rewrites, .. } = note.fact else {
            return None;
        };
        Some(rewrites)
    })
}

/// DDB-W-01: 25 puts a request, one request after the other.
#[test]
fn a_batch_becomes_requests_of_25_items() {
    let mut harness = table(provisioned(1_000));
    write(&mut harness, millis(0), 0, 60);
    harness.run();
    assert_eq!(requests(&harness), [(25, 25, 25), (25, 25, 25), (10, 10, 10)]);
    assert_eq!(
        deliveries(&harness),
        [(millis(10), 0), (millis(20), 25), (millis(30), 50)]
    );
    assert_eq!(answers(&mut harness), [(millis(31), WriteOutcome::Written)]);
    assert_eq!((harness.component.1.records(), harness.component.1.writes()), (0, 0));
}

#[test]
fn several_requests_may_be_under_way_at_a_time_and_items_may_go_one_by_one() {
    let mut harness = table(TableBlueprint {
        parallel_requests: 3,
        ..provisioned(1_000)
    });
    write(&mut harness, millis(0), 0, 60);
    harness.run();
    assert_eq!(answers(&mut harness), [(millis(11), WriteOutcome::Written)]);
    let mut harness = table(TableBlueprint {
        writes: ItemWrites::Single,
        ..provisioned(1_000)
    });
    write(&mut harness, millis(0), 0, 3);
    harness.run();
    assert_eq!(requests(&harness), [(1, 1, 1); 3]);
    assert_eq!(answers(&mut harness), [(millis(31), WriteOutcome::Written)]);
}

/// DDB-CAP-01: a unit for each started KB of 1,024 bytes.
#[test]
fn an_item_consumes_a_unit_for_each_started_kb() {
    for (bytes, units) in [(1, 1), (1_024, 1), (1_025, 2), (4_096, 4), (0, 1)] {
        let mut harness = table(provisioned(1_000));
        write_records(&mut harness, millis(0), of_size(records(0, 1), bytes));
        harness.run();
        assert_eq!(requests(&harness), [(1, 1, units)], "{bytes} bytes");
    }
    let mut harness = table(TableBlueprint {
        item_bytes: Some(2_000),
        ..provisioned(1_000)
    });
    write(&mut harness, millis(0), 0, 5);
    harness.run();
    assert_eq!(requests(&harness), [(5, 5, 10)], "an item may have a size of its own");
}

/// DDB-CAP-02: so many units each second, refilled as time goes by.
/// DDB-W-02: what is refused comes back item by item, and is sent again after a backoff that doubles.
#[test]
fn what_exceeds_the_provisioned_throughput_is_sent_again() {
    let mut harness = table(provisioned(20));
    write(&mut harness, millis(0), 0, 25);
    harness.run();
    // 20 at once; after 10 ms and the backoff of 100 ms 2.2 units have come in, after 10 ms and 200 ms more another 4.2.
    assert_eq!(requests(&harness), [(25, 20, 20), (5, 2, 2), (3, 3, 3)]);
    let instants = [millis(10), millis(120), millis(330)];
    assert_eq!(
        deliveries(&harness),
        [(instants[0], 0), (instants[1], 20), (instants[2], 22)]
    );
    assert_eq!(answers(&mut harness), [(millis(331), WriteOutcome::Written)]);
}

/// What the code gives up fails the write, and what was written stays: the retry of the batch writes it twice.
#[test]
fn a_write_that_is_given_up_has_written_a_part() {
    let mut harness = table(provisioned(10));
    write(&mut harness, millis(0), 0, 60);
    harness.run();
    assert_eq!(requests(&harness), [(25, 10, 10), (15, 1, 1), (14, 2, 2)]);
    let failed = WriteOutcome::Failed {
        error: WriteError::Throttled,
        unwritten: 47,
    };
    assert_eq!(
        answers(&mut harness),
        [(millis(331), failed)],
        "no further request was sent"
    );
    let told = harness.find(|note| {
        let Fact::SinkChanged {
            change:
                SinkChange::WriteFailed {
                    records,
                    unwritten,
                    error,
                    ..
                },
            ..
        } = note.fact
        else {
            return None;
        };
        Some((records, unwritten, error))
    });
    assert_eq!(told, [(60, 47, WriteError::Throttled)]);
    assert_eq!((harness.component.1.records(), harness.component.1.writes()), (0, 0));
}

/// DDB-CAP-03: five minutes' worth of what was not used, and no more.
#[test]
fn unused_capacity_is_kept_for_five_minutes() {
    let burst = |idle: u64| {
        let mut harness = table(TableBlueprint {
            parallel_requests: 100,
            resend: Resend::NEVER,
            ..provisioned(2)
        });
        write(&mut harness, millis(idle * 1_000), 0, 1_000);
        harness.run();
        written(&harness)
    };
    assert_eq!(burst(0), 2, "a second's worth at the start");
    assert_eq!(burst(100), 202);
    assert_eq!(burst(299), 600);
    assert_eq!(burst(3_600), 600);
}

/// DDB-CAP-04: a partition takes 1,000 units a second at most.
/// DDB-CAP-05: and as many as that if the table has them, whatever the other partitions do.
#[test]
fn a_partition_takes_a_thousand_units_a_second() {
    let at_once = |keys: u32, write_capacity_units: u32| {
        let mut harness = table(TableBlueprint {
            parallel_requests: 100,
            writes: ItemWrites::Single,
            resend: Resend::NEVER,
            ..provisioned(write_capacity_units)
        });
        for number in 0..80 {
            write_records(&mut harness, millis(0), of_keys(records(number * 100, 100), keys));
        }
        harness.run_until(millis(10));
        written(&harness)
    };
    assert_eq!(at_once(1, 8_000), 1_000, "one key is in one partition of eight");
    assert_eq!(at_once(8, 8_000), 8_000, "eight keys are in all of them");
    assert_eq!(at_once(1, 900), 900, "one key may use all that the table has");
}

/// DDB-W-03: 400 KB. The request fails at once, as it would again.
#[test]
fn an_item_that_is_too_large_fails_its_write() {
    let most = 400 * 1_024;
    let mut harness = table(provisioned(1_000));
    write_records(&mut harness, millis(0), of_size(records(0, 1), most));
    write_records(&mut harness, millis(5_000), of_size(records(1, 2), most + 1));
    harness.run();
    let failed = WriteOutcome::Failed {
        error: WriteError::ItemTooLarge,
        unwritten: 2,
    };
    assert_eq!(
        answers(&mut harness),
        [(millis(11), WriteOutcome::Written), (millis(5_011), failed)]
    );
    assert_eq!(requests(&harness), [(1, 1, 400), (2, 0, 0)]);
}

/// A burst of items of all partitions at `at`; how many are written.
fn burst_of(harness: &mut Sinking, at: SimTime, records_of_it: u32) -> u32 {
    let before = written(harness);
    for number in 0..records_of_it / 100 {
        write_records(harness, at, of_keys(records(number * 100, 100), 4_096));
    }
    harness.run();
    written(harness) - before
}
fn growing(warm: u32, most: Option<u32>) -> Sinking {
    table(TableBlueprint {
        parallel_requests: 100,
        ..on_demand(warm, most)
    })
}

/// DDB-CAP-06: a new on-demand table takes 4,000 units at once.
/// DDB-CAP-07: after half an hour twice the peak it has had.
/// DDB-CAP-08: but never more than 40,000.
/// DDB-CAP-09: or what its own limit says.
#[test]
fn an_on_demand_table_takes_twice_its_peak() {
    let minutes = |minutes: u64| SimTime::from_secs(minutes * 60);
    let mut harness = growing(4_000, None);
    let peaks: Vec<u32> = [0, 29, 31, 61, 91]
        .into_iter()
        .map(|at| burst_of(&mut harness, minutes(at), 28_600))
        .collect();
    assert_eq!(peaks, [4_000, 4_000, 8_000, 16_000, 28_600]);
    let mut harness = growing(4_000, Some(5_000));
    assert_eq!(burst_of(&mut harness, minutes(0), 10_000), 4_000);
    assert_eq!(burst_of(&mut harness, minutes(31), 10_000), 5_000);
    let mut harness = growing(39_000, None);
    assert_eq!(burst_of(&mut harness, minutes(0), 50_000), 39_000);
    let second = burst_of(&mut harness, minutes(31), 50_000);
    assert_eq!(second, 40_000, "the quota is less than twice the peak");
}

/// DDB-W-04: under the record's own key a second write replaces the first.
#[test]
fn an_idempotent_table_replaces_items() {
    for idempotent in [false, true] {
        let mut harness = store(SinkService::Table(provisioned(1_000)), idempotent);
        write(&mut harness, millis(0), 0, 3);
        harness.run();
        assert_eq!(rewrites(&harness), [idempotent]);
    }
}

#[test]
fn the_units_of_a_table_change_for_requests_from_then_on() {
    let mut harness = table(TableBlueprint {
        resend: Resend::NEVER,
        ..provisioned(5)
    });
    write(&mut harness, millis(0), 0, 25);
    set_capacity(&mut harness, millis(100), Some(Rate::per_second(20)));
    write(&mut harness, millis(200), 25, 25);
    harness.run();
    assert_eq!(requests(&harness), [(25, 5, 5), (25, 22, 22)]);
}

/// An outage: each request is answered with an error and sent again.
#[test]
fn requests_fail_in_an_outage() {
    let mut harness = table(provisioned(1_000));
    break_for(&mut harness, millis(0), SimDuration::from_millis(150));
    write(&mut harness, millis(0), 0, 5);
    break_for(&mut harness, millis(5_000), SimDuration::from_secs(10));
    write(&mut harness, millis(5_000), 5, 5);
    harness.run();
    let failed = WriteOutcome::Failed {
        error: WriteError::Unavailable,
        unwritten: 5,
    };
    // At 0 and 110 ms in vain, at 320 ms with success; three times in vain.
    let expected = [(millis(331), WriteOutcome::Written), (millis(5_331), failed)];
    assert_eq!(answers(&mut harness), expected);
}

fn bucket(prefixes: u32, idempotent: bool) -> Sinking {
    let service = SinkService::Bucket(BucketBlueprint {
        prefixes,
        per_mebibyte: SimDuration::from_millis(12),
        resend: TWICE,
    });
    store(service, idempotent)
}
/// The records of a shard from a position on.
fn object(shard: u32, first: u32, count: u32) -> Batch {
    let mut whole = batch(first, count);
    if let Envelope::Write(call) = &mut whole.envelope {
        call.shard = ShardIndex(shard);
        call.passage.first_position = u64::from(first);
    }
    whole
}
fn put(harness: &mut Sinking, at: SimTime, object: Batch) {
    harness.send(at, object, |batch| world::Event::Sink(ORDERS, Event::Write { batch }));
}

/// S3-PUT-02: a batch is one object, there whole or not at all.
#[test]
fn a_batch_becomes_one_object() {
    let mut harness = bucket(1, false);
    write_records(&mut harness, millis(0), of_size(records(0, 1_024), 1_024));
    harness.run();
    assert_eq!(requests(&harness), [(1_024, 1_024, 0)]);
    assert_eq!(deliveries(&harness), [(millis(22), 0)], "10 ms, and 12 ms for its MiB");
    assert_eq!(answers(&mut harness), [(millis(23), WriteOutcome::Written)]);
}

/// S3-PUT-01: 3,500 a second and prefix, then 503 Slow Down until the backoff has helped.
#[test]
fn a_prefix_takes_3_500_puts_a_second() {
    for (prefixes, at_once) in [(1, 3_500), (2, 4_000)] {
        let mut harness = bucket(prefixes, false);
        for number in 0..4_000 {
            put(&mut harness, millis(0), object(number % 2, number, 1));
        }
        harness.run_until(millis(11));
        assert_eq!(written(&harness), at_once, "{prefixes} prefixes");
        harness.run();
        let answered = answers(&mut harness);
        let went_through = |(_, outcome): &&(SimTime, WriteOutcome)| *outcome == WriteOutcome::Written;
        // With one prefix 385 go through after 110 ms, the others after 320 ms.
        assert_eq!(
            answered.iter().filter(went_through).count(),
            4_000,
            "{prefixes} prefixes"
        );
        assert_eq!(written(&harness), 4_000);
    }
}

/// An object that holds the same records has the same name; the same records in other objects are there twice.
#[test]
fn an_idempotent_bucket_replaces_an_object_of_the_same_records() {
    let objects = [(0, 0, 10), (0, 0, 10), (0, 0, 5), (0, 5, 5), (1, 0, 10), (0, 0, 10)];
    for (idempotent, expected) in [(true, [false, true, false, false, false, true]), (false, [false; 6])] {
        let mut harness = bucket(1, idempotent);
        for (&(shard, first, count), at) in objects.iter().zip(0..) {
            put(&mut harness, SimTime::from_secs(at), object(shard, first, count));
        }
        harness.run();
        assert_eq!(rewrites(&harness), expected);
    }
}

/// RS-LOAD-01: a load waits for the one before, its start-up included.
#[test]
fn loads_into_a_warehouse_wait_for_each_other() {
    let mut harness = sink_of(SinkService::Warehouse, Some(Rate::per_second(1_000)), None, false);
    write(&mut harness, millis(0), 0, 500);
    write(&mut harness, millis(100), 500, 1);
    write(&mut harness, millis(200), 501, 1_000);
    set_capacity(&mut harness, millis(300), Some(Rate::per_second(100)));
    harness.run();
    // 10 ms of start-up each; the first had begun when loads became slower.
    let instants = [millis(510), millis(510 + 10 + 10), millis(530 + 10 + 10_000)];
    assert_eq!(
        deliveries(&harness),
        [(instants[0], 0), (instants[1], 500), (instants[2], 501)]
    );
}

/// RS-LOAD-02: what is loaded again is there twice, unless it is merged.
#[test]
fn only_a_merge_replaces_rows() {
    for merge in [false, true] {
        let mut harness = sink_of(SinkService::Warehouse, None, None, merge);
        write(&mut harness, millis(0), 0, 3);
        harness.run();
        assert_eq!(rewrites(&harness), [merge]);
    }
}

#[test]
fn a_database_refuses_a_write_beyond_its_connections() {
    let mut harness = sink_of(SinkService::Database, Some(Rate::per_second(1_000)), Some(2), false);
    for number in 0..3 {
        write(&mut harness, millis(0), number * 100, 100);
    }
    write(&mut harness, millis(150), 300, 100);
    harness.run();
    let failed = WriteOutcome::Failed {
        error: WriteError::TooManyConnections,
        unwritten: 100,
    };
    let written = |at| (millis(at), WriteOutcome::Written);
    assert_eq!(
        answers(&mut harness),
        [(millis(1), failed), written(111), written(211), written(311)]
    );
}

fn services() -> impl Strategy<Value = SinkService> {
    let tables = (1_u32..60, 1_u32..4, any::<bool>()).prop_map(|(units, parallel_requests, single)| {
        let writes = if single { ItemWrites::Single } else { ItemWrites::Batch };
        SinkService::Table(TableBlueprint {
            writes,
            parallel_requests,
            ..provisioned(units)
        })
    });
    let buckets = (1_u32..3).prop_map(|prefixes| {
        SinkService::Bucket(BucketBlueprint {
            prefixes,
            per_mebibyte: SimDuration::from_millis(12),
            resend: TWICE,
        })
    });
    prop_oneof![tables, buckets]
}

proptest! {
    /// Whatever a store refuses: a write is answered once, and what it says is what took effect.
    #[test]
    fn every_record_is_written_or_told_to_be_unwritten(
        service in services(),
        writes in prop::collection::vec((0..2_000_u64, 0..80_u32), 1..30),
        outage in (0..20_000_u64, 1..5_000_u64),
    ) {
        let mut harness = store(service, false);
        let (mut at, mut first) = (0, 0);
        for (after, count) in &writes {
            at += after;
            write(&mut harness, millis(at), first, *count);
            first += count;
        }
        break_for(&mut harness, millis(outage.0), SimDuration::from_millis(outage.1));
        harness.run();
        let answered = answers(&mut harness);
        prop_assert_eq!(answered.len(), writes.len());
        let unwritten = answered.iter().map(|(_, outcome)| match outcome {
            WriteOutcome::Failed { unwritten, .. } => *unwritten,
            WriteOutcome::Written => 0,
        });
        let unwritten: u32 = unwritten.sum();
        let mut ordinals = harness.find(|note| {
            let delivered = matches!(note.fact, Fact::RecordsDelivered { .. });
            delivered.then(|| note.records.iter().map(|record| record.ordinal).collect::<Vec<u32>>())
        }).concat();
        let delivered = ordinals.len();
        ordinals.sort_unstable();
        ordinals.dedup();
        prop_assert_eq!(delivered, ordinals.len(), "no record of a write takes effect twice");
        prop_assert_eq!(to_u32(delivered) + unwritten, first);
        let sink = &harness.component.1;
        prop_assert_eq!((sink.records(), sink.writes(), harness.batches_under_way()), (0, 0, 0));
    }
}
