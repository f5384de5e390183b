//! Each limit at its peak, and in its place in the table.

use super::*;
use crate::blueprint::{Arrivals, Keys, Size};
use crate::command::{Command, Intervention};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::{MIB, Ratio};
use crate::session::{Session, SessionOptions};
use crate::testing::blueprints::{mapping, millis, pipeline};

const STREAM: Option<Component> = Some(Component::Stream(StreamId(0)));
const READER: Option<Component> = Some(Component::Mapping(crate::ids::MappingId(0)));
const ENRICH: Option<Component> = Some(Component::Function(FunctionId(0)));
const ORDERS: Option<Component> = Some(Component::Sink(SinkId(0)));

fn rows(blueprint: &Blueprint) -> Vec<Row> {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("it is valid");
    session.seek(session.end()).expect("the books balance");
    let observers = session.observers().expect("they are attached");
    observers.headroom.as_ref().expect("all are").rows()
}
fn row(blueprint: &Blueprint, limit: Limit) -> Row {
    let all = rows(blueprint);
    *all.iter().find(|row| row.limit == limit).expect("the run met it")
}
fn minute() -> Blueprint {
    pipeline(1, SimDuration::from_secs(60))
}

#[test]
fn kds_w_01_a_shard_at_a_tenth_of_its_records_has_room_for_ten_times_the_load() {
    let mut blueprint = minute();
    blueprint.producers[0].max_batch_records = 1;
    let records = row(&blueprint, Limit::ShardWriteRecords);
    assert_eq!((records.component, records.shard), (STREAM, Some(ShardIndex(0))));
    assert_eq!((records.used, records.allowed), (100, 1_000));
    assert_eq!(
        (records.used_per_mille(), records.load_per_mille()),
        (100, Some(10_000))
    );
    assert_eq!((records.hit_at, records.at_limit), (None, 0));
    assert_eq!(
        (records.limit.fact(), records.limit.unit().key()),
        (Some("KDS-W-01"), "records_per_second")
    );
}

#[test]
fn kds_w_01_a_refusal_is_a_hit_and_the_load_need_not_grow() {
    let mut blueprint = minute();
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1_500));
    let records = row(&blueprint, Limit::ShardWriteRecords);
    assert!(records.at_limit > 100 && records.used >= 1_000);
    assert_eq!(records.load_per_mille(), Some(1_000));
    // The bucket is full of a second's worth, and 500 more come than it gets, each second: two seconds.
    let hit_at = records.hit_at.expect("it was hit");
    assert!((millis(500)..millis(2_500)).contains(&hit_at), "{hit_at}");
    assert_eq!(rows(&blueprint)[0].limit, Limit::ShardWriteRecords, "the most urgent");
}

/// KDS-W-16: small records take a KiB each of the limit, if each is a put of its own.
#[test]
fn kds_w_02_what_small_puts_take_is_rounded_up() {
    let mut blueprint = minute();
    blueprint.producers[0].max_batch_records = 1;
    let bytes = row(&blueprint, Limit::ShardWriteBytes);
    assert_eq!((bytes.used, bytes.allowed), (100 * 1_024, MIB));
}

#[test]
fn of_all_shards_the_fullest_is_named() {
    let mut blueprint = pipeline(4, SimDuration::from_secs(60));
    blueprint.producers[0].keys = Keys::Hot { share: 0.7, others: 50 };
    let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it is valid");
    session.seek(session.end()).expect("the books balance");
    let observers = session.observers().expect("they are attached");
    let counts = &observers.counts.as_ref().expect("all are").streams[StreamId(0)];
    let busiest = (0..).zip(&counts.shards).max_by_key(|(_, shard)| shard.accepted);
    let found = row(&blueprint, Limit::ShardWriteRecords);
    assert_eq!(found.shard, busiest.map(|(number, _)| ShardIndex(number)));
    assert_eq!(
        Some(found.used),
        busiest.map(|(_, shard)| shard.busiest_by_records().records)
    );
}

/// KDS-R-10: bytes, too, are counted for all readers together.
#[test]
fn kds_r_09_readers_share_five_calls_a_second() {
    for readers in [2, 6] {
        let mut blueprint = minute();
        let names = (0..readers).map(|number| format!("reader-{number}"));
        blueprint.mappings = names.map(|name| mapping(&name, "records", "enrich")).collect();
        let calls = row(&blueprint, Limit::ShardReadCalls);
        assert_eq!((calls.used, calls.allowed), (readers.min(5), 5));
        assert_eq!(calls.hit_at.is_some(), readers == 6);
        let bytes = row(&blueprint, Limit::ShardReadBytes);
        assert!(bytes.used > 100 * 100 * readers.min(5) && bytes.hit_at.is_none());
    }
}

/// LAM-C-09: what others reserve is not there for it.
#[test]
fn lam_c_06_lam_c_04_concurrency_is_measured_against_what_admits() {
    let mut blueprint = pipeline(4, SimDuration::from_secs(60));
    blueprint.functions[0].per_record = SimDuration::from_millis(50);
    blueprint.account_concurrency = 200;
    let account = row(&blueprint, Limit::AccountConcurrency);
    assert_eq!((account.component, account.used, account.allowed), (None, 4, 200));
    blueprint.functions[0].reserved_concurrency = Some(2);
    let reserved = row(&blueprint, Limit::ReservedConcurrency);
    assert_eq!((reserved.component, reserved.used, reserved.allowed), (ENRICH, 2, 2));
    assert!(reserved.hit_at.is_some());
    assert!(
        !rows(&blueprint)
            .iter()
            .any(|row| row.limit == Limit::AccountConcurrency)
    );
    blueprint.interventions = vec![Intervention {
        at: millis(1),
        command: Command::SetReservedConcurrency {
            function: "enrich".to_owned(),
            limit: Some(0),
        },
    }];
    let none = row(&blueprint, Limit::ReservedConcurrency);
    assert_eq!((none.used, none.allowed, none.load_per_mille()), (0, 0, Some(1_000)));
}

#[test]
fn lam_c_26_the_longest_handler_is_measured_against_the_timeout() {
    let mut blueprint = minute();
    let timeout = row(&blueprint, Limit::FunctionTimeout);
    // 20 ms, the way to the sink and back, and 5 ms there.
    assert_eq!((timeout.used, timeout.allowed), (27_000_000, 3_000_000_000));
    assert_eq!((timeout.hit_at, timeout.load_per_mille()), (None, None));
    blueprint.functions[0].timeout = SimDuration::from_millis(10);
    let timeout = row(&blueprint, Limit::FunctionTimeout);
    assert_eq!((timeout.used, timeout.allowed), (10_000_000, 10_000_000));
    assert!(timeout.hit_at.is_some());
}

/// KDS-RET-01: 24 h by default.
#[test]
fn kds_ret_10_unread_records_age_towards_the_retention() {
    let mut blueprint = minute();
    let quiet = row(&blueprint, Limit::Retention);
    assert_eq!((quiet.component, quiet.allowed), (READER, 24 * 3_600 * 1_000_000_000));
    assert!(quiet.used < 1_100_000_000 && quiet.hit_at.is_none());
    blueprint.duration = SimDuration::from_hours(3);
    blueprint.streams[0].retention_hours = 1;
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1));
    blueprint.mappings[0].batch_size = 1;
    blueprint.interventions = vec![Intervention {
        at: millis(1_000),
        command: Command::SetFailureRate {
            function: "enrich".to_owned(),
            rate: Ratio::ONE,
        },
    }];
    let lost = row(&blueprint, Limit::Retention);
    assert_eq!(lost.used_per_mille(), 1_000);
    let hit_at = lost.hit_at.expect("records were lost");
    assert!(hit_at >= SimTime::from_secs(3_600) && hit_at < SimTime::from_secs(2 * 3_600));
}

/// LAM-E-08, LAM-K-25.
#[test]
fn lam_e_08_large_records_fill_an_invocation_before_batch_size_does() {
    let mut blueprint = minute();
    let small = row(&blueprint, Limit::BatchSize);
    assert_eq!((small.component, small.used, small.allowed), (READER, 100, 100));
    assert!(small.at_limit > 0 && small.at_limit < small.uses);
    let payload = row(&blueprint, Limit::Payload);
    // 100 records of 100 bytes in base64, a key of 17 characters and 530 bytes each, and the frame.
    let each = 4 * 100_u64.div_ceil(3) + key_bytes(&blueprint) + 530;
    assert_eq!((payload.used, payload.hit_at), (14 + 100 * each, None));
    blueprint.producers[0].size = Size::Drawn(Distribution::Constant(90_000.0));
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(10));
    blueprint.mappings[0].maximum_batching_window = SimDuration::from_secs(30);
    let full = row(&blueprint, Limit::Payload);
    assert!(full.hit_at.is_some() && full.used_per_mille() > 950 && full.used < full.allowed);
}
fn key_bytes(blueprint: &Blueprint) -> u64 {
    let keys = KeyTable::build(&[&blueprint.producers[0]]);
    u64::from(keys.entries()[0].text_bytes)
}

/// KDS-W-07: 10 MiB, and 5 MiB in the exam.
#[test]
fn kds_w_06_a_request_is_measured_against_its_entries_and_bytes() {
    let mut blueprint = minute();
    let entries = row(&blueprint, Limit::PutEntries);
    assert_eq!((entries.used, entries.allowed, entries.hit_at), (11, 500, None));
    assert_eq!(row(&blueprint, Limit::PutBytes).allowed, 10 * MIB);
    blueprint.profile = crate::profile::Profile::Exam;
    assert_eq!(row(&blueprint, Limit::PutBytes).allowed, 5 * MIB);
}

#[test]
fn a_sink_is_full_when_it_takes_what_it_can() {
    let mut blueprint = minute();
    blueprint.sinks[0].capacity = Some(Rate::per_second(500));
    let roomy = row(&blueprint, Limit::SinkCapacity);
    assert_eq!(
        (roomy.component, roomy.allowed, roomy.limit.fact()),
        (ORDERS, 500, None)
    );
    assert!(roomy.used < 500 && roomy.hit_at.is_none());
    blueprint.sinks[0].capacity = Some(Rate::per_second(60));
    let full = row(&blueprint, Limit::SinkCapacity);
    assert_eq!((full.used, full.allowed), (60, 60));
    assert!(full.hit_at.is_some());
}

#[test]
fn what_was_hit_and_hurts_comes_first_and_what_only_completes_comes_last() {
    let mut blueprint = minute();
    blueprint.functions[0].timeout = SimDuration::from_millis(10);
    let rows = rows(&blueprint);
    assert_eq!(rows[0].limit, Limit::FunctionTimeout);
    let split = rows
        .iter()
        .position(|row| row.limit.at_limit() == AtLimit::Completes)
        .expect("there are batches");
    let (hurt, complete) = rows.split_at(split);
    assert!(hurt.iter().all(|row| row.limit.at_limit() == AtLimit::Hurts));
    for part in [&hurt[1..], complete] {
        assert!(part.is_sorted_by_key(|row| Reverse(row.used_per_mille())));
    }
}
